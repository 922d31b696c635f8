"""What pictures cost: drawing graphs, and watching a training run.

    python -m benchmarks.pictures

Times of drawing are the least of three. The recorder is measured within one run: the same steps with and without it, in turn,
and the ratio of the medians.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
import nn
import optim
from examples import graphs


def seconds(run: Callable[[], Any], rounds: int = 3) -> float:
    """The least of a few runs."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def row(what: str, measured: str, asked: str, met: bool) -> None:
    print(f"{what:<58}{measured:>10}  {asked:<9}{'yes' if met else 'NO'}")


def doubled() -> ag.Tensor:
    y = ag.ones(3, requires_grad=True)
    for _ in range(16):
        y = y + y
    return y


def chain(length: int = 100_000) -> ag.Tensor:
    y = ag.ones(2, requires_grad=True)
    for _ in range(length):
        y = y * 0.5
    return y


def recurrence(steps: int = 350) -> ag.Tensor:
    """A plain recurrent net, unrolled, without any module: nothing can be folded."""
    w, b = ag.randn(8, 8, requires_grad=True), ag.randn(8, requires_grad=True)
    h = ag.zeros(1, 8)
    for _ in range(steps):
        h = ag.tanh(h @ w + b)
    return h.sum()


def drawing() -> None:
    """The times of the graphs that are hard to draw."""
    print(f"{'drawing':<58}{'seconds':>10}  {'asked':<9}met")
    y = doubled()
    taken = seconds(lambda: ag.draw(y).dot)
    row("y = y + y sixteen times, as DOT", f"{taken:.3f}", "< 0.05", taken < 0.05)
    y = chain()
    taken = seconds(lambda: ag.draw(y).nodes, 1)
    row("chain of 100 000 ops: walked and collapsed", f"{taken:.2f}", "-", True)
    loss = graphs.transformer_loss()[0]
    taken = seconds(lambda: ag.draw(loss, depth=2).svg)
    row("transformer of 12 blocks, depth 2, as SVG", f"{taken:.2f}", "< 1", taken < 1)
    taken = seconds(lambda: ag.draw(loss).svg)
    row("the same, everything", f"{taken:.2f}", "-", True)
    y = recurrence()
    whole = ag.draw(y, max_nodes=None)
    taken = seconds(lambda: whole._laid_out("svg"))
    row(f"RNN of 350 steps, shared weights, all {len(whole.nodes)} boxes, as SVG", f"{taken:.2f}", "< 2", taken < 2)


def training_step(width: int, batch: int, every: int | None) -> Callable[[], None]:
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    x = ag.tensor(rng.normal(size=(batch, 64)).astype(np.float32))
    y = ag.tensor(rng.integers(0, 10, batch))
    criterion = nn.CrossEntropyLoss()
    recorder = None if every is None else nn.Recorder(model, every=every)

    def run() -> None:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        if recorder is None:
            loss.item()
        else:
            recorder.step(loss)
        optimizer.step()

    return run


def recording(rounds: int = 30, steps: int = 10) -> None:
    """The share of a training step that a recorder takes."""
    print(f"\n{'recorder, every=10, beside a loop that reads the loss':<58}{'share':>10}  {'asked':<9}met")
    for width, batch in ((128, 32), (128, 256), (256, 128)):
        plain, watched = training_step(width, batch, None), training_step(width, batch, 10)
        times: dict[str, list[float]] = {"plain": [], "watched": []}
        for number in range(rounds):
            for name, run in (
                (("plain", plain), ("watched", watched)) if number % 2 else (("watched", watched), ("plain", plain))
            ):
                start = time.perf_counter()
                for _ in range(steps):
                    run()
                times[name].append(time.perf_counter() - start)
        step = statistics.median(times["plain"]) / steps
        share = statistics.median(times["watched"]) / statistics.median(times["plain"]) - 1
        what = f"MLP 64-{width}-{width}-10, batch {batch}, {1e6 * step:.0f} µs a step"
        row(what, f"{100 * share:.1f} %", "< 5 %", share < 0.05)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "more than max_nodes": that is the point here
        drawing()
    recording()


if __name__ == "__main__":
    main()
