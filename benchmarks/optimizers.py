"""What a step of each optimizer takes, against PyTorch's, in float32.

    python -m benchmarks.optimizers              # every optimizer and size
    python -m benchmarks.optimizers Adam SGD     # these optimizers
    python -m benchmarks.optimizers --rounds 5   # quicker

All of it takes about ten minutes, most of them the steps of 10,000,000 values. Without PyTorch, our times stand alone.

Microseconds a step, with gradients that are there already. Each library runs in a process of its own (their idle threads would
slow each other down), in turn, with two threads each. "default" is what PyTorch's constructor chooses, "fused" its one-kernel
form, where it has one. The ratio is the median over the rounds of PyTorch's time divided by ours: above 1, ours is the faster
one; "best" is the ratio of the shortest times, which a busy machine disturbs less. What was asked is met if both ratios say so.
Lion and LAMB are not in PyTorch.

Lower bounds of a step in NumPy stand beside PyTorch's fused form: "calls", the calls of NumPy alone, without what finds the
parameters and checks them; and for the largest parameter "bytes", all arrays of the step read and written once, by one call for
each half. There "calls" works on blocks that stay in the cache. Both are shared by two threads where the step is.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.commands import check_names, parser
from benchmarks.libraries import Library, libraries

PAUSE = 0.03  # seconds of steps that do not count: the other library's threads, which look for work for a while, fall asleep
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-4, "momentum": 0.9},
    "Adam": {},
    "AdamW": {},
    "NAdam": {},
    "RAdam": {},
    "Adamax": {},
    "RMSprop": {},
    "Adagrad": {},
    "Adadelta": {},
    "Rprop": {},
    "ASGD": {},
    "Lion": {},
    "LAMB": {},
    "Adafactor": {},
    "Muon": {},
}
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")
TARGETS = {("SGD", "10 x 1e3"): 3.0, ("Adam", "10 x 1e3"): 3.0, ("AdamW", "10 x 1e3"): 3.0}
TARGETS |= {(name, "1e7"): 1.0 for name in ("SGD", "Adam", "AdamW")}
FLOORS = {"10 x 1e3": ("calls",), "1e7": ("bytes", "calls")}
SIZES = {"1e3": (1, 1000), "10 x 1e3": (10, 1000), "1e5": (1, 100_000), "1e7": (1, 10_000_000)}


def shape_of(name: str, size: int) -> tuple[int, ...]:
    """A vector, or for the optimizers of matrices one of 10 (1e3), 100 (1e5) or 1000 (1e7) rows."""
    if name not in ("Adafactor", "Muon"):
        return (size,)
    rows = {1000: 10, 100_000: 100}.get(size, 1000)
    return (rows, size // rows)


def stepper(library: str, name: str, size: str, form: str) -> Callable[[], Any]:
    """The step method of an optimizer whose parameters have gradients."""
    count, values = SIZES[size]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, *shape_of(name, values))).astype(np.float32) for _ in range(count)]
    params: list[Any]
    if library == "ours":
        import autograd as ag
        import nn
        import optim

        params = [nn.Parameter(value) for value, _ in arrays]
        for p, (_, g) in zip(params, arrays, strict=True):
            p.grad = ag.Tensor(g)
        optimizer = getattr(optim, name)(params, **OPTIMIZERS[name])
        return floor(optimizer, form) if form in ("bytes", "calls") else optimizer.step  # type: ignore[no-any-return]
    import torch

    torch.set_num_threads(2)
    params = [torch.nn.Parameter(torch.tensor(value)) for value, _ in arrays]
    for p, (_, g) in zip(params, arrays, strict=True):
        p.grad = torch.tensor(g)
    fused = {"fused": True} if form != "default" else {}
    return getattr(torch.optim, name)(params, **OPTIMIZERS[name], **fused).step  # type: ignore[no-any-return]


def floor(optimizer: Any, form: str) -> Callable[[], Any]:
    """What moves the bytes, or does the calls, of a step."""
    from autograd import threads
    from optim import flat

    optimizer.step()
    ((group, (pack,)),) = [(plan.group, plan.packs) for plan in optimizer._plans]
    if not pack.direct:
        return pack.update  # type: ignore[no-any-return]
    arrays = [pack.p, pack.grads[0], *pack.ordered]
    rule, one, block = optimizer.rule(group, pack), np.array(1.0, pack.dtype), flat.SHARED_BLOCK

    def move(rows: slice) -> None:
        p, g, *buffers = (a[rows] for a in arrays)
        np.add(p, g, out=p)
        for b in buffers:
            np.multiply(b, one, out=b)

    def calculate(rows: slice) -> None:
        p, g, *buffers = (a[rows.start : rows.start + block] for a in arrays)
        scratch = tuple(np.empty((2, block), pack.dtype))
        for _ in range(rows.start, rows.stop, block):
            p -= rule(p, g, scratch, *buffers)

    return lambda: threads.each(move if form == "bytes" else calculate, pack.numel)


def seconds(run: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def work(library: str, pipe: Any) -> None:
    """A process that times one library: it is sent what to run, and then how often to repeat each round."""
    while True:
        step = stepper(library, *pipe.recv())
        step()
        pipe.send(min(seconds(step, 1) for _ in range(3)))
        while repeats := pipe.recv():
            start = time.perf_counter()
            while time.perf_counter() - start < PAUSE:
                step()
            pipe.send(seconds(step, repeats))


def measure(name: str, size: str, form: str, engines: list[Library], rounds: int) -> list[list[float]]:
    """Microseconds a step of each library, by round."""
    for library in engines:
        library.send((name, size, form))
    longest = max([library.recv() for library in engines])
    repeats = max(1, min(300, int(1e-2 / longest)))
    times: list[list[float]] = [[] for _ in engines]
    for _ in range(rounds if longest < 0.3 else min(rounds, 3)):
        for found, library in zip(times, engines, strict=True):
            library.send(repeats)
            found.append(library.recv() * 1e6)
    for library in engines:
        library.send(0)
    return times


def show(name: str, size: str, form: str, times: list[list[float]]) -> None:
    """Prints a row: the medians, and where there is PyTorch the median of the ratios, and the ratio of the shortest times."""
    line = f"{name:<19}{size:>10}{form:>10}" + "".join(f"{statistics.median(found):>11.1f}" for found in times)
    if len(times) == 2:
        ours, theirs = times
        ratio, best = statistics.median(b / a for a, b in zip(ours, theirs, strict=True)), min(theirs) / min(ours)
        target = TARGETS.get((name, size)) if form not in FLOORS.get(size, ()) else None
        asked = "" if target is None else f"  >= {target:.0f} {'yes' if min(ratio, best) >= target else 'NO'}"
        line += f"{ratio:>8.2f}{best:>7.2f}{asked}"
    print(line, flush=True)


def main() -> None:
    command = parser("benchmarks.optimizers", __doc__)
    command.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(OPTIMIZERS)}; all by default")
    command.add_argument("--rounds", type=int, default=15, help="turns of each library (15)")
    options = command.parse_args()
    check_names(command, "optimizers", OPTIMIZERS, options.names)
    if options.rounds < 1:
        command.error(f"--rounds: expected at least 1, got {options.rounds}")
    with libraries(work) as engines:
        titles = f"{'ours':>11}" + (f"{'torch':>11}{'ratio':>8}{'best':>7}  asked" if len(engines) == 2 else "")
        print(f"{'microseconds a step':<19}{'values':>10}{'form':>10}{titles}", flush=True)
        for name in options.names or OPTIMIZERS:
            against = engines[:1] if name in ("Lion", "LAMB") else engines
            for size in SIZES:
                forms = ("-",) if len(against) == 1 else ("default", "fused") if name in FUSED else ("default",)
                for form in (*forms, *FLOORS[size]) if (name, size) in TARGETS else forms:
                    show(name, size, form, measure(name, size, form, against, options.rounds))


if __name__ == "__main__":
    main()
