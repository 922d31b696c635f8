"""What the engine itself costs: small ops, deep chains, many slices, wide fan-out, the import, the wheel.

    python -m benchmarks.engine           # the whole table (about two minutes)
    python -m benchmarks.engine --quick   # smaller sizes

Small ops are compared with PyTorch's where it is installed. Two things that are compared run in turn in one process (A B A B
...), and the medians are printed: on a noisy machine only the ratios mean something. Memory is measured in a process of its
own.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from benchmarks.commands import parser

ROOT = Path(__file__).resolve().parent.parent


def in_turn(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant, once per round and in turn, after one warm-up round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + 1):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            elapsed = time.perf_counter() - start
            if round_number:
                times[name].append(elapsed)
    return times


def row(what: str, ours: str, theirs: str, ratio: str, asked: str, met: bool | None) -> None:
    verdict = "-" if met is None else "yes" if met else "NO"
    print(f"{what:<34}{ours:>11}{theirs:>12}{ratio:>8}  {asked:<10}{verdict}")


def small_op_chain(rounds: int, steps: int = 500, constants: bool = True) -> None:
    """x = x * b + a on 8 float32 values, forward and backward, against PyTorch eager."""
    a, b = np.full(8, 0.01, np.float32), np.full(8, 0.99, np.float32)
    x0 = ag.Tensor(np.ones(8, np.float32), requires_grad=True)
    ours_a, ours_b = ag.Tensor(a, requires_grad=not constants), ag.Tensor(b, requires_grad=not constants)

    def ours() -> None:
        x = x0
        for _ in range(steps):
            x = x * ours_b + ours_a
        x.sum().backward()
        x0.grad = ours_a.grad = ours_b.grad = None

    contestants: dict[str, Callable[[], Any]] = {"ours": ours}
    try:
        import torch
    except ImportError:
        torch = None  # type: ignore[assignment]
    if torch is not None:
        torch.set_num_threads(2)
        t0 = torch.ones(8, requires_grad=True)
        ta = torch.tensor(a, requires_grad=not constants)
        tb = torch.tensor(b, requires_grad=not constants)

        def theirs() -> None:
            x = t0
            for _ in range(steps):
                x = x * tb + ta
            x.sum().backward()
            t0.grad = ta.grad = tb.grad = None

        contestants["torch"] = theirs
    times = in_turn(contestants, rounds)
    ours_ms = statistics.median(times["ours"]) * 1e3
    what = f"x*b + a, {steps} times, {'a, b constant' if constants else 'all require grad'}"
    if "torch" not in times:
        row(what, f"{ours_ms:.2f} ms", "no torch", "", ">= 1.5", None)
        return
    theirs_ms = statistics.median(times["torch"]) * 1e3
    ratio = theirs_ms / ours_ms
    row(what, f"{ours_ms:.2f} ms", f"{theirs_ms:.2f} ms", f"{ratio:.2f}", ">= 1.5", ratio >= 1.5)


def one_add(rounds: int, repeats: int = 20_000) -> None:
    """A recorded a + b on 8 values against np.add on the same arrays."""
    x, y = np.ones(8, np.float32), np.ones(8, np.float32)
    a, b = ag.Tensor(x, requires_grad=True), ag.Tensor(y, requires_grad=True)
    loop = range(repeats)

    def ours() -> None:
        for _ in loop:
            a + b

    def theirs() -> None:
        for _ in loop:
            np.add(x, y)

    times = in_turn({"ours": ours, "numpy": theirs}, rounds)
    ours_ns, numpy_ns = (statistics.median(times[name]) / repeats * 1e9 for name in ("ours", "numpy"))
    ratio = ours_ns / numpy_ns
    row("a + b recorded, against np.add", f"{ours_ns:.0f} ns", f"{numpy_ns:.0f} ns", f"{ratio:.2f}", "< 3", ratio < 3)


CHAIN = """
import gc, json, sys, threading, time
import numpy as np
import autograd as ag
n = 1_000
x0 = ag.Tensor(np.ones(8, np.float32), requires_grad=True)
b = ag.Tensor(np.full(8, 0.5, np.float32))
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
def run(out):
    start = time.perf_counter()
    x = x0
    for _ in range(n):
        x = x * b
    out.append(time.perf_counter() - start)
    start = time.perf_counter()
    x.sum().backward()
    out.append(time.perf_counter() - start)
    start = time.perf_counter()
    del x
    out.append(time.perf_counter() - start)
run([])  # warm
n = int(sys.argv[1])
gc.collect()
if "no-collector" in sys.argv:
    gc.disable()
before, out = peak(), []
if "thread" in sys.argv:
    threading.stack_size(512 * 1024)
    thread = threading.Thread(target=run, args=(out,))
    thread.start()
    thread.join()
else:
    run(out)
print(json.dumps([*out, (peak() - before) / n]))
"""


def chain_scaling(sizes: list[int]) -> None:
    """A chain of n ops: built, differentiated, dropped, in a process of its own; also in a thread with a 512 KB stack."""
    print(f"\n{'chain of n ops':<26}{'build':>10}{'backward':>11}{'drop':>10}{'us a node':>11}{'B a node':>10}")
    for label, flags in (("", []), (", 512 KB stack", ["thread"]), (", no collector", ["no-collector"])):
        for size in sizes:
            command = [sys.executable, "-c", CHAIN, str(size), *flags]
            output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
            build, backward, drop, peak = json.loads(output)
            each = (build + backward + drop) / size * 1e6
            print(f"{f'{size:,}' + label:<26}{build:>8.3f} s{backward:>9.3f} s{drop:>8.3f} s{each:>11.2f}{peak:>10.0f}")


def growth(what: str, run: Callable[[int], None], sizes: tuple[int, int]) -> None:
    """How the time grows between two sizes: the exponent is 1 where it is linear. Python's cyclic collector is off.

    (It visits every object there is each time their number has grown by a quarter, which adds its own share: see the chain.)
    """
    seconds = []
    gc.disable()
    for size in sizes:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            run(size)
            times.append(time.perf_counter() - start)
        seconds.append(statistics.median(times))
    gc.enable()
    exponent = np.log(seconds[1] / seconds[0]) / np.log(sizes[1] / sizes[0])
    row(what, f"{seconds[0]:.3f} s", f"{seconds[1]:.3f} s", f"{exponent:.2f}", "n^1 (<1.3)", exponent < 1.3)


def slices(count: int) -> None:
    """``count`` slices of one tensor in a loop, summed and differentiated."""
    x = ag.Tensor(np.ones((count, 4), np.float32), requires_grad=True)
    total = x[0]
    for index in range(1, count):
        total = total + x[index]
    total.sum().backward()


def fan_out(count: int) -> None:
    """One leaf with ``count`` consumers."""
    x = ag.Tensor(np.ones(64, np.float32), requires_grad=True)
    total = x * 1.0
    for _ in range(count):
        total = total + x * 2.0
    total.sum().backward()


def import_time(rounds: int) -> None:
    """``import autograd`` on top of ``import numpy``, in fresh processes in turn."""

    def started(code: str) -> Callable[[], Any]:
        cached = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=cached)

    times = in_turn({"numpy": started("import numpy"), "ours": started("import numpy; import autograd")}, rounds)
    extra = (statistics.median(times["ours"]) - statistics.median(times["numpy"])) * 1e3
    row("import autograd, beyond numpy", f"{extra:.0f} ms", "", "", "<= 50 ms", extra <= 50)


def wheel_size() -> None:
    """The size of the wheel, built from a copy: what an earlier build left in the tree must not get in."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        for name in ("autograd", "nn", "optim"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, tree / name)
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, str(tree)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            print("wheel: could not be built here")
            return
        size = sum(path.stat().st_size for path in Path(folder).glob("*.whl")) / 1000
    row("size of the wheel", f"{size:.0f} kB", "", "", "< 300 kB", size < 300)


def main() -> None:
    command = parser("benchmarks.engine", __doc__)
    command.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    options = command.parse_args()
    rounds = 15 if options.quick else 51
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    try:
        import torch

        versions["torch"] = torch.__version__
    except ImportError:
        pass
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    print(", ".join([f"{name} {version}" for name, version in versions.items()] + [machine]) + "\n")
    print(f"{'':<34}{'ours':>11}{'theirs':>12}{'ratio':>8}  {'asked':<10}met")
    small_op_chain(rounds)
    small_op_chain(rounds, constants=False)
    one_add(rounds)
    import_time(7 if options.quick else 15)
    wheel_size()
    print(f"\n{'':<34}{'n':>11}{'10 n':>12}{'growth':>8}")
    small = 200 if options.quick else 1_000
    growth(f"{10 * small:,} slices of one tensor", slices, (small, 10 * small))
    growth(f"fan-out of {100 * small:,}", fan_out, (10 * small, 100 * small))
    chain_scaling([1_000, 10_000] if options.quick else [10_000, 100_000, 1_000_000])


if __name__ == "__main__":
    main()
