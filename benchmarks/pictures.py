"""What pictures cost: drawing graphs, and watching a training run.

    python -m benchmarks.pictures

Times of drawing are the least of three. The recorder is measured within one run: the medians of what it takes in the steps at
which it looks, in those after them, and in all others, beside the median of a step without it.
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
from benchmarks.commands import parser
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
    model = graphs.Sequence(8, 16, 2)
    y = model(ag.randn(4, 350, 8)).sum()
    taken = seconds(lambda: ag.draw(y).svg)
    row("LSTM of 350 steps, shared weights, folded, as SVG", f"{taken:.2f}", "< 2", taken < 2)
    y = recurrence()
    whole = ag.draw(y, max_nodes=None)
    taken = seconds(lambda: whole._laid_out("svg"))
    row(f"RNN of 350 steps, shared weights, all {len(whole.nodes)} boxes, as SVG", f"{taken:.2f}", "< 2", taken < 2)


def recording(steps: int = 400, every: int = 20) -> None:
    """The share of a training step that a recorder takes: in its own call, and in a forward pass that it listens to."""
    print(f"\n{f'nn.Recorder, every={every}':<58}{'share':>10}  {'asked':<9}met")
    for width, batch in ((128, 32), (128, 256), (256, 128)):
        ag.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        rng = np.random.default_rng(0)
        x = ag.tensor(rng.normal(size=(batch, 64)).astype(np.float32))
        y = ag.tensor(rng.integers(0, 10, batch))
        criterion = nn.CrossEntropyLoss()
        recorder = nn.Recorder(model, every=every)
        forward: dict[str, list[float]] = {"looks": [], "follows": [], "rests": []}
        noting: dict[str, list[float]] = {"looks": [], "follows": [], "rests": []}
        rest: list[float] = []
        for number in range(steps):
            kind = {0: "looks", 1: "follows"}.get(number % every, "rests")
            marks = [time.perf_counter()]
            loss = criterion(model(x), y)
            marks.append(time.perf_counter())
            optimizer.zero_grad()
            loss.backward()
            marks.append(time.perf_counter())
            recorder.step(loss)
            marks.append(time.perf_counter())
            optimizer.step()
            marks.append(time.perf_counter())
            forward[kind].append(marks[1] - marks[0])
            noting[kind].append(marks[3] - marks[2])
            rest.append(marks[2] - marks[1] + marks[4] - marks[3])
        middle = statistics.median
        step = middle(forward["rests"]) + middle(rest)
        extra = middle(noting["looks"]) + middle(noting["follows"]) + (every - 2) * middle(noting["rests"])
        extra += max(middle(forward["looks"]) - middle(forward["rests"]), 0.0)
        share = extra / every / step
        what = f"MLP 64-{width}-{width}-10, batch {batch}, {1e6 * step:.0f} µs a step"
        row(what, f"{100 * share:.1f} %", "< 5 %", share < 0.05)


def main() -> None:
    parser("benchmarks.pictures", __doc__).parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "more than max_nodes": that is the point here
        drawing()
    recording()


if __name__ == "__main__":
    main()
