"""What a run is worth: every figure beside the one that was asked, as text or Markdown, against an older run, as a plot."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.runner import Measured, Spread, noise
from benchmarks.workloads import ASKED, FLOOR, MEAN_RATIO, NUMPY, TORCH, WORKLOADS, Workload

Results = dict[str, dict[str, Measured]]
OURS = "tapegrad"
NAMES = {
    TORCH: "PyTorch",
    "jax": "JAX (jit)",
    "hips": "HIPS autograd",
    "mygrad": "MyGrad",
    NUMPY: "NumPy by hand",
    FLOOR: "floor",
}
NOTHING = 5e-6  # seconds: a phase that is shorter is empty, and the clock was read twice
TOO_NOISY = 0.2  # the spread of a time that is not judged
NOISE = 0.05  # a median that moved by less is not called a change, whatever the spread


@dataclass
class Table:
    """A title, a header and rows of text; the first column is aligned to the left."""

    title: str
    header: Sequence[str]
    rows: list[list[str]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        aligned = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths))
            )
            for line in lines
        ]
        return "\n".join([self.title, *(line.rstrip() for line in aligned), *self.notes])

    def markdown(self) -> str:
        lines = [f"**{self.title}**", "", "| " + " | ".join(self.header) + " |"]
        lines.append("|" + " --- |" + " ---: |" * (len(self.header) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines + ([""] if self.notes else []) + list(self.notes))


# ------------------------------------------------------------------------------------------------------------ numbers


def time_text(seconds: float) -> str:
    unit, factor = ("s ", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    value = seconds * factor
    return f"{value:.{max(0, 2 - int(math.log10(max(value, 1))))}f} {unit}"


def spread_text(spread: Spread) -> str:
    """The median, and half the distance of the quartiles as a share of it."""
    return f"{time_text(spread.median)} ±{spread.relative:4.0%}"


def _if_any(spread: Spread) -> str:
    """Nothing for a phase that a workload does not have."""
    return spread_text(spread) if spread.median > NOTHING else ""


def memory_text(count: int) -> str:
    return f"{count / 2**20:.1f} MB"


def verdict(value: float, asked: float | None, at_most: bool = False, noisy: bool = False) -> tuple[str, str]:
    """What was asked, and whether it is met, judged on the figure as printed; times that are too noisy are not judged."""
    if asked is None:
        return "", ""
    if noisy:
        return f"{'<=' if at_most else '>='} {asked:g}", "noisy"
    value = round(value, 2)
    met = value <= asked if at_most else value >= asked
    return f"{'<=' if at_most else '>='} {asked:g}", "yes" if met else "NO"


def known(results: Results) -> Iterator[tuple[Workload, dict[str, Measured]]]:
    """The workloads of a run in order, with what each engine did."""
    for workload in WORKLOADS:
        if workload.name in results and results[workload.name][OURS].times:
            yield workload, results[workload.name]


def ratios(results: Results, peer: str, phase: str = "step") -> dict[str, float]:
    """The peer's time / ours, by workload."""
    return {
        workload.name: engines[peer].seconds(phase) / engines[OURS].seconds(phase)
        for workload, engines in known(results)
        if peer in engines and engines[peer].times and engines[OURS].seconds(phase) > 0
    }


def disturbed(results: Results) -> float:
    """The share of steps in which another process took a core from an engine."""
    shares = [entry.disturbed for engines in results.values() for entry in engines.values() if entry.times]
    return statistics.fmean(shares) if shares else 0.0


def mean_ratio(values: dict[str, float]) -> float:
    return math.exp(statistics.fmean(map(math.log, values.values())))


# ------------------------------------------------------------------------------------------------------------- tables


def tables(results: Results, peers: Sequence[str]) -> list[Table]:
    """All tables of a run."""
    found = [_alone(results)] if not peers else []
    for peer in peers:
        found.append(_floor(results) if peer == FLOOR else _against(results, peer))
        if peer == TORCH:
            found += [_phases(results, peer), _memory(results, peer)]
    return found


def smoke_table(results: Results) -> Table:
    """Of a run at small sizes: what ran, and whether the results agree. No figure of it means anything."""
    rows = []
    for name, engines in results.items():
        cells = [entry.skipped[:30] or ("ran" if entry.agrees else "DISAGREES") for entry in engines.values()]
        rows.append([name, *cells])
    engines = list(next(iter(results.values()))) if results else []
    return Table("Small sizes, one turn", ["workload", *engines], rows)


def _alone(results: Results) -> Table:
    rows = []
    for workload, engines in known(results):
        ours = engines[OURS]
        rows.append([workload.title, *(_if_any(ours.times[phase]) for phase in ours.times), memory_text(ours.peak)])
    return Table("tapegrad alone", ["workload", "forward", "backward", "whole step", "peak memory"], rows)


def _against(results: Results, peer: str) -> Table:
    """Whole steps: the peer's time / ours; for NumPy by hand, ours / its."""
    rows, disagree = [], []
    by_hand = peer == NUMPY
    verdicts = []
    for workload, engines in known(results):
        ours, theirs = engines[OURS], engines.get(peer)
        if theirs is None or not theirs.times:
            if theirs is not None and theirs.skipped != "cannot run it":
                rows.append([workload.title, spread_text(ours.times["step"]), theirs.skipped[:40], "", "", ""])
            continue
        ratio = theirs.seconds() / ours.seconds()
        asked = workload.ratio if peer == TORCH else workload.by_hand if by_hand else ASKED.get(peer)
        value = 1 / ratio if by_hand else ratio
        wanted, met = verdict(value, asked, by_hand, noise({OURS: ours, peer: theirs}) > TOO_NOISY)
        verdicts.append(met)
        if theirs.agrees is False:
            disagree.append(workload.title)
        rows.append(
            [workload.title, spread_text(ours.times["step"]), spread_text(theirs.times["step"]), f"{value:.2f}", wanted, met]
        )
    notes = [f"{verdicts.count('yes')} of {len(verdicts) - verdicts.count('')} met"] if any(verdicts) else []
    values = ratios(results, peer)
    if values and not by_hand:
        mean = mean_ratio(values)
        everything = peer == TORCH and len(values) == len(WORKLOADS)
        wanted, met = verdict(mean, MEAN_RATIO if everything else None, noisy="noisy" in verdicts)
        notes.append(f"geometric mean of {len(values)} ratios: {mean:.2f}" + (f"  {wanted}  {met}" if wanted else ""))
    notes += [f"the results do not agree: {title}" for title in disagree]
    what = "tapegrad's time / by hand" if by_hand else f"{NAMES[peer]}'s time / tapegrad's"
    return Table(f"Whole steps: {what}", ["workload", OURS, NAMES[peer], "ratio", "asked", "met"], rows, notes)


def _floor(results: Results) -> Table:
    """What could be reached: the NumPy calls that cannot be avoided, against PyTorch and against all that we do."""
    rows = []
    for workload, engines in known(results):
        ours, floor, torch = engines[OURS], engines.get(FLOOR), engines.get(TORCH)
        if floor is None or not floor.times:
            continue
        reach = f"{torch.seconds() / floor.seconds():.2f}" if torch is not None and torch.times else ""
        asked = "" if workload.ratio is None else f">= {workload.ratio:g}"
        hand = engines.get(NUMPY)
        by_hand = f"{torch.seconds() / hand.seconds():.2f}" if reach and hand is not None and hand.times else ""
        share = f"{floor.seconds() / ours.seconds():.0%}"
        rows.append([workload.title, time_text(ours.seconds()), time_text(floor.seconds()), share, by_hand, reach, asked])
    header = ["workload", OURS, "floor", "share", "PyTorch / by hand", "PyTorch / floor", "asked"]
    return Table("The NumPy calls that cannot be avoided, alone", header, rows)


def _phases(results: Results, peer: str) -> Table:
    rows = []
    for workload, engines in known(results):
        ours, theirs = engines[OURS], engines.get(peer)
        if theirs is None or not theirs.times or ours.seconds("backward") < NOTHING:
            continue
        cells = [workload.title]
        for phase in ("forward", "backward"):
            mine, other = ours.seconds(phase), theirs.seconds(phase)
            cells += [time_text(mine), time_text(other), f"{other / mine:.2f}"]
        rows.append(cells)
    name = NAMES[peer]
    return Table(
        f"Forward and backward: {name}'s time / tapegrad's",
        ["workload", "forward", name, "ratio", "backward", name, "ratio"],
        rows,
    )


def _memory(results: Results, peer: str) -> Table:
    rows = []
    for workload, engines in known(results):
        ours, theirs = engines[OURS], engines.get(peer)
        if theirs is None or not theirs.times:
            continue
        ratio = ours.peak / max(theirs.peak, 1)
        wanted, met = verdict(ratio, workload.memory, at_most=True)
        rows.append([workload.title, memory_text(ours.peak), memory_text(theirs.peak), f"{ratio:.2f}", wanted, met])
    title = f"Peak memory above the idle process: tapegrad's / {NAMES[peer]}'s"
    return Table(title, ["workload", OURS, NAMES[peer], "ratio", "asked", "met"], rows)


def readme_table(results: Results) -> Table:
    """The short table: our time, PyTorch's, and their ratio."""
    rows = []
    for workload, engines in known(results):
        theirs = engines.get(TORCH)
        if theirs is not None and theirs.times:
            ours = engines[OURS].seconds()
            rows.append([workload.title, time_text(ours), time_text(theirs.seconds()), f"{theirs.seconds() / ours:.2f}"])
    return Table("One training step", ["workload", OURS, NAMES[TORCH], "ratio"], rows)


def compared(old: Results, new: Results) -> Table:
    """What changed since an older run, beyond the noise: quartiles that do not overlap, and medians that differ by 5 %."""
    rows = []
    for workload, engines in known(new):
        before = old.get(workload.name, {}).get(OURS)
        if before is None or not before.times:
            continue
        for phase, now in engines[OURS].times.items():
            then = before.times[phase]
            if min(now.median, then.median) < NOTHING:
                continue
            ratio = then.median / now.median
            apart = now.high < then.low or then.high < now.low
            word = ("faster" if ratio > 1 else "SLOWER") if apart and abs(math.log(ratio)) > NOISE else ""
            cells = [workload.title, phase, spread_text(then), spread_text(now), f"{ratio:.2f}", word]
            rows.append([*cells, _drift(old, new, workload.name, phase)])
    notes = ["drift: the same ratio of PyTorch's times, which should be 1; where it is not, the machine has changed"]
    if not rows:
        notes = ["none of these workloads is in the older run"]
    elif not any(row[-1] for row in rows):
        notes = ["drift is shown where both runs have PyTorch's times: without them, the machine may have changed"]
    return Table("Since the older run: its time / now", ["workload", "phase", "then", "now", "ratio", "", "drift"], rows, notes)


def _drift(old: Results, new: Results, name: str, phase: str) -> str:
    entries = [run.get(name, {}).get(TORCH) for run in (old, new)]
    if not all(entry is not None and entry.times for entry in entries):
        return ""
    return f"{entries[0].seconds(phase) / max(entries[1].seconds(phase), 1e-9):.2f}"  # type: ignore[union-attr]


def put_into(place: str, text: str, fenced: bool = True) -> None:
    """Replaces what stands in a file between ``<!-- name -->`` and ``<!-- end name -->`` by a block of text.

    Args:
        place: ``FILE:NAME``.
        text: what to show there.
        fenced: show it as it is; otherwise it is Markdown.
    """
    path, before, after = parts_of(place)
    shown = f"```\n{text.strip()}\n```" if fenced else text.strip()
    path.write_text(f"{before}\n{shown}\n{after}", encoding="utf-8")


def parts_of(place: str) -> tuple[Path, str, str]:
    """The file of ``FILE:NAME``, and what is before and after the block of that name, with its marks."""
    file, colon, name = place.rpartition(":")
    if not colon:
        raise ValueError(f"--into: expected FILE:NAME, got {place}")
    path = Path(file)
    begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"--into: expected {begin} and {end} in {file}")
    return path, before + begin, end + after


# --------------------------------------------------------------------------------------------------------------- plot


def plot(results: Results, peers: Sequence[str], path: str | os.PathLike[str]) -> None:
    """Bars of each peer's time / ours by workload, with what is asked against PyTorch marked. Needs matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    workloads = [workload for workload, _ in known(results)]
    figure = Figure(figsize=(9, 0.5 * len(workloads) + 1.5), layout="constrained")
    axes: Any = figure.add_subplot()
    height = 0.8 / max(1, len(peers))
    for offset, peer in enumerate(peers):
        values = ratios(results, peer)
        places = [index + offset * height for index, workload in enumerate(workloads) if workload.name in values]
        axes.barh(places, [values[w.name] for w in workloads if w.name in values], height, label=NAMES[peer])
    for index, workload in enumerate(workloads):
        if workload.ratio is not None and TORCH in peers:
            place = index + list(peers).index(TORCH) * height
            axes.plot([workload.ratio] * 2, [place - height / 2, place + height / 2], color="black", linewidth=2)
    axes.axvline(1.0, color="gray", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks([index + 0.4 - height / 2 for index in range(len(workloads))], [workload.title for workload in workloads])
    axes.set_ylim(len(workloads) - 0.1 - height / 2, -0.1 - height / 2)
    asked = "\nblack: asked of the ratio to PyTorch" if TORCH in peers else ""
    axes.set_xlabel(f"time of the other / time of tapegrad, which is faster right of 1{asked}")
    if peers:
        figure.legend(loc="outside upper right", ncols=len(peers))
    figure.savefig(path)
