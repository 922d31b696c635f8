"""Times workloads, forward, backward and whole training steps, and judges them.

    python -m benchmarks --against torch,numpy       # a few minutes
    python -m benchmarks --only lstm,gru --against torch
    python -m benchmarks --against hips --python hips=/path/to/its/python
    python -m benchmarks --scaling --against torch   # curves over sizes
    python -m benchmarks --quick                     # small sizes: do all run?

Every row stands beside the figure that is asked of it. Each engine runs each workload in a process of its own, in turn (A B A
B ...), on equal inputs; losses and gradients must agree. Times are medians of the turns, ± half the distance of their
quartiles. Compare only what was measured in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import commands, report, scaling
from benchmarks.engines import PEERS, THREADS
from benchmarks.runner import PAUSE, Measured, as_json, available, from_json, machine, measure, noise, wait_for_quiet
from benchmarks.workloads import WORKLOADS

WAIT = 30.0  # seconds for which --patience waits before it measures on a machine that is busy
QUIET = 0.05  # the spread of a time with which --patience is content


def _options() -> argparse.Namespace:
    parser = commands.parser("benchmarks", __doc__)
    parser.add_argument(
        "--against", default="", metavar="PEERS", help=f"among {','.join(PEERS)}; those that are not installed are left out"
    )
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="the interpreter of a peer")
    parser.add_argument("--only", default="", metavar="NAMES", help="workloads (or curves), by name")
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn: a smoke run, whose times mean nothing")
    parser.add_argument("--scaling", action="store_true", help="curves instead of workloads")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each engine (15)")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a turn, about (0.1)")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="on a shared machine: wait until it is quiet before each workload, and take those again that were noisy (0)",
    )
    parser.add_argument("--threads", type=int, default=THREADS, help=f"of each engine ({THREADS})")
    parser.add_argument("--json", metavar="FILE", help="write all figures")
    parser.add_argument("--load", metavar="FILE", help="show a run that was written with --json instead of running")
    parser.add_argument("--compare", metavar="FILE", help="an older --json: what changed beyond the noise")
    parser.add_argument("--plot", metavar="FILE", help="a picture of the ratios, or of the curves")
    parser.add_argument("--short", action="store_true", help="one table of whole steps against PyTorch, that of the README")
    parser.add_argument("--markdown", action="store_true", help="tables for documents")
    parser.add_argument(
        "--into", metavar="FILE:NAME", help="put the tables into a document, between <!-- NAME --> and <!-- end NAME -->"
    )
    parser.add_argument("--list", action="store_true", help="the names of workloads and curves")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _chosen(options: argparse.Namespace) -> list[Any]:
    """The workloads, or with --scaling the curves, that --only names."""
    everything, others = (scaling.CURVES, WORKLOADS) if options.scaling else (WORKLOADS, scaling.CURVES)
    wanted = set(_names(options.only))
    if unknown := wanted - {item.name for item in everything}:
        known = ", ".join(item.name for item in everything)
        message = f"--only: expected names among {known}, got {', '.join(sorted(unknown))}"
        if unknown <= {item.name for item in others}:
            message += "; leave --scaling out" if options.scaling else "; add --scaling"
        sys.exit(message)
    return [item for item in everything if not wanted or item.name in wanted]


def _check(options: argparse.Namespace) -> None:
    """Ends with a message for what cannot be: before minutes of measuring, not after them."""
    for name, least in (("rounds", 1), ("threads", 1), ("seconds", 0), ("patience", 0)):
        if not getattr(options, name) >= least:
            sys.exit(f"--{name}: expected at least {least}, got {getattr(options, name)}")
    for entry in options.python:
        if "=" not in entry:
            sys.exit(f"--python: expected PEER=PATH, got {entry}")
    for name in ("load", "compare", "short", "patience"):
        if options.scaling and getattr(options, name):
            sys.exit(f"--{name}: expected a run of workloads, got --scaling; leave one of the two out")
    for name in ("json", "plot"):
        path = getattr(options, name)
        if path and (Path(path).is_dir() or not os.access(Path(path).parent, os.W_OK)):
            sys.exit(f"--{name}: expected a file in a folder that can be written to, got {path}")
    if options.plot:
        _check_picture(options.plot)
    if options.into:
        try:
            report.parts_of(options.into)
        except (OSError, ValueError) as error:
            sys.exit(f"--into: {error}" if isinstance(error, OSError) else str(error))
    if options.compare:
        _run_in("compare", options.compare)
    _chosen(options)


def _check_picture(path: str) -> None:
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        sys.exit("--plot: expected matplotlib to be installed, got none; pip install matplotlib")
    known = sorted(FigureCanvasBase.get_supported_filetypes())
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in known:
        sys.exit(f"--plot: expected a name that ends in .png or another of {', '.join(known)}, got {path}")


def _check_peers(options: argparse.Namespace, peers: list[str]) -> None:
    """Ends with a message where what is to be shown needs engines that do not take part."""
    if options.short and report.TORCH not in peers:
        sys.exit(f"--short: expected PyTorch among the peers, got {', '.join(peers) or 'none'}; add --against torch")
    if options.plot and not peers:
        sys.exit("--plot: expected peers, to draw the ratios to them, got none; add --against torch")


def _run_in(name: str, path: str) -> dict[str, Any]:
    """A run that was written with --json."""
    try:
        run = json.loads(Path(path).read_text())
        from_json(run)
        _ = run["environment"].items(), [run["options"][key] for key in ("engines", "quick", "threads")]
    except OSError as error:
        sys.exit(f"--{name}: {error}")
    except (ValueError, KeyError, TypeError, AttributeError):
        sys.exit(f"--{name}: expected a run of workloads that was written with --json, got {path}")
    return dict(run)


def _interpreters(options: argparse.Namespace) -> dict[str, str]:
    """The interpreter of each engine, ours first; peers that do not start are named and left out."""
    named = dict(entry.partition("=")[::2] for entry in options.python)
    peers = _names(options.against)
    unknown = sorted({*peers, *named} - set(PEERS))
    if unknown:
        sys.exit(f"--against: expected peers among {', '.join(PEERS)}, got {', '.join(unknown)}")
    found = {report.OURS: sys.executable}
    for peer in peers:
        reason = available(peer, named.get(peer, sys.executable))
        if reason:
            print(f"{peer} is left out: {reason}", file=sys.stderr)
        else:
            found[peer] = named.get(peer, sys.executable)
    return found


def _heading(environment: dict[str, Any]) -> str:
    """What was measured on, in lines of at most 80 columns that end between two of its parts."""
    lines: list[str] = []
    for part in (f"{name} {value}" for name, value in environment.items() if value):
        if lines and len(lines[-1]) + len(part) <= 77:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return ",\n".join(lines)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<78}", end="" if text else "\r", file=sys.stderr, flush=True)


def _measured(options: argparse.Namespace, interpreters: dict[str, str]) -> dict[str, Any]:
    results: dict[str, dict[str, Measured]] = {}
    versions: dict[str, str] = {}
    rounds, seconds = (1, 0.0) if options.quick else (options.rounds, options.seconds)
    until = time.monotonic() + 60 * options.patience
    left = _chosen(options)
    while left:
        again = []
        for workload in left:
            _progress(workload.title)
            wait_for_quiet(min(until, time.monotonic() + WAIT))
            sizes = workload.quick if options.quick else workload.full
            found, used = measure(workload.family, sizes, workload.quick, interpreters, rounds, seconds, options.threads)
            versions |= used
            if workload.name not in results or noise(found) < noise(results[workload.name]):
                results[workload.name] = found
            if noise(found) > QUIET and time.monotonic() < until:
                again.append(workload)
        left = again
    results = {workload.name: results[workload.name] for workload in WORKLOADS if workload.name in results}
    _progress("")
    recorded = {
        "threads": options.threads,
        "rounds": rounds,
        "seconds": seconds,
        "pause": PAUSE,
        "quick": options.quick,
        "engines": list(interpreters),
    }
    return as_json(results, versions, recorded)


def _show(run: dict[str, Any], options: argparse.Namespace) -> bool:
    """Prints the tables of a run; False if an engine failed or disagreed."""
    results = from_json(run)
    peers = [engine for engine in run["options"]["engines"] if engine != report.OURS]
    tables = [report.smoke_table(results)] if run["options"]["quick"] else report.tables(results, peers)
    if options.short:
        tables = [report.readme_table(results)]
    if options.compare:
        tables.append(report.compared(from_json(_run_in("compare", options.compare)), results))
    lines = [_heading(run["environment"] | {"threads": run["options"]["threads"]}) + "\n"]
    if not run["options"]["quick"] and (disturbed := report.disturbed(results)) > 0.01:
        lines.append(f"other processes disturbed {disturbed:.0%} of the steps, which are left out where there are others\n")
    lines += [(table.markdown() if options.markdown else table.text()) + "\n" for table in tables]
    _print(lines, options)
    if options.plot:
        report.plot(results, peers, options.plot)
    good = True
    for name, engines in results.items():
        for engine, entry in engines.items():
            if entry.skipped not in ("", "cannot run it"):
                print(f"{name}: {engine} failed: {entry.skipped}", file=sys.stderr)
            if entry.agrees is False:
                print(f"{name}: {engine} does not agree with {report.OURS}", file=sys.stderr)
            good = good and entry.agrees is not False and entry.skipped in ("", "cannot run it")
    return good


def _print(lines: list[str], options: argparse.Namespace) -> None:
    print("\n".join(lines))
    if options.into:
        report.put_into(options.into, "\n".join(lines), fenced=not options.markdown)


def _scaling(options: argparse.Namespace) -> None:
    interpreters = _interpreters(options)
    lines = [_heading(machine() | {"threads": options.threads}) + "\n"]
    results = {}
    rounds, seconds = (1, 0.0) if options.quick else (max(3, options.rounds // 3), options.seconds)
    for curve in _chosen(options):
        _progress(curve.grows)
        results[curve.name] = times = scaling.run(curve, interpreters, rounds, seconds, options.threads, options.quick)
        table = scaling.table(curve, times)
        lines.append((table.markdown() if options.markdown else table.text()) + "\n")
    _progress("")
    _print(lines, options)
    if options.json:
        Path(options.json).write_text(json.dumps({"environment": machine(), "curves": results}, indent=1))
    if options.plot:
        scaling.plot(results, options.plot)


def _run(options: argparse.Namespace) -> None:
    if options.list:
        for item in (*WORKLOADS, *scaling.CURVES):
            print(f"{item.name:<20}{getattr(item, 'title', None) or 'curve: ' + item.grows}")
        return
    _check(options)
    if options.scaling:
        _scaling(options)
        return
    if options.load is None:
        interpreters = _interpreters(options)
        _check_peers(options, list(interpreters)[1:])
        busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        if busy > 1.0 and not options.quick:
            print(f"the machine is busy (load {busy:.1f}): expect wide spreads", file=sys.stderr)
        run = _measured(options, interpreters)
    else:
        run = _run_in("load", options.load)
        _check_peers(options, run["options"]["engines"][1:])
        names = {workload.name for workload in _chosen(options)}
        run["workloads"] = {name: engines for name, engines in run["workloads"].items() if name in names}
    if options.json:
        Path(options.json).write_text(json.dumps(run, indent=1))
    if not _show(run, options):
        sys.exit(1)


def main() -> None:
    try:
        _run(_options())
    except KeyboardInterrupt:
        _progress("")
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
