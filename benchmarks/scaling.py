"""How the time grows with depth, width, batch, steps and the number of nodes: curves, and the exponent of each."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report import OURS, Table, time_text
from benchmarks.runner import measure
from benchmarks.workloads import Sizes

LINEAR = 1.15  # the exponent of a curve that is called linear, at most


@dataclass(frozen=True)
class Curve:
    """A family at growing sizes; ``sizes(n)`` is the family's at the value n of what grows.

    ``linear``: the time is asked to grow no faster than n.
    """

    name: str
    family: str
    grows: str
    values: Sequence[int]
    sizes: Callable[[int], Sizes]
    linear: bool = False


_LSTM = {"steps": 50, "inputs": 64, "hidden": 128, "batch": 32}
_BLOCKS = {"steps": 64, "width": 128, "heads": 4, "blocks": 2, "words": 64, "batch": 16}


def _mlp(widths: list[int], batch: int) -> Sizes:
    return {"widths": widths, "batch": batch}


CURVES = [
    Curve("nodes", "chain", "ops in a chain on 8 values", [100, 1_000, 10_000, 100_000], lambda n: {"steps": n // 2, "n": 8}),
    Curve("depth", "mlp", "layers of 64, batch 32", [4, 8, 16, 32, 64, 128], lambda n: _mlp([64] * (n + 1), 32)),
    Curve("width", "mlp", "width of 4 layers, batch 128", [32, 64, 128, 256, 512, 1024], lambda n: _mlp([n] * 5, 128)),
    Curve("batch", "mlp", "batch of 256-256-256-10", [16, 64, 256, 1024, 4096], lambda n: _mlp([256, 256, 256, 10], n)),
    Curve("lstm-steps", "lstm", "steps of an LSTM, batch 32", [12, 25, 50, 100, 200], lambda n: {**_LSTM, "steps": n}, True),
    Curve("lstm-batch", "lstm", "batch of an LSTM, 50 steps", [8, 16, 32, 64, 128], lambda n: {**_LSTM, "batch": n}, True),
    Curve(
        "transformer-steps", "transformer", "T of the transformer", [16, 32, 64, 128], lambda n: {**_BLOCKS, "steps": n}, True
    ),
    Curve(
        "transformer-batch", "transformer", "batch of the transformer", [4, 8, 16, 32], lambda n: {**_BLOCKS, "batch": n}, True
    ),
]

Times = dict[str, list[float]]


def run(curve: Curve, interpreters: dict[str, str], rounds: int, seconds: float, threads: int, quick: bool = False) -> Times:
    """Seconds of a whole step by engine, at each value; an engine that cannot run the family has none."""
    times: Times = {engine: [] for engine in interpreters}
    for value in curve.values[:2] if quick else curve.values:
        found, _ = measure(
            curve.family, curve.sizes(value), curve.sizes(curve.values[0]), interpreters, rounds, seconds, threads
        )
        for engine, entry in found.items():
            if entry.times:
                times[engine].append(entry.seconds())
    return {engine: values for engine, values in times.items() if values}


def exponent(curve: Curve, seconds: Sequence[float]) -> float:
    """The power of n with which the time grows over the upper half of the curve, where constant costs weigh least."""
    first = (len(seconds) - 1) // 2
    return math.log(seconds[-1] / seconds[first]) / math.log(curve.values[len(seconds) - 1] / curve.values[first])


def table(curve: Curve, times: Times) -> Table:
    """The times by value, a bar for ours, and the exponents."""
    ours = times[OURS]
    peers = [engine for engine in times if engine != OURS]
    top = max(map(max, times.values()))
    low = min(map(min, times.values())) / 2
    rows = []
    for index, value in enumerate(curve.values[: len(ours)]):
        bar = "#" * round(24 * math.log(ours[index] / low) / math.log(top / low))
        others = [time_text(times[peer][index]) for peer in peers]
        rows.append([f"{value:,}", time_text(ours[index]), f"{ours[index] / value * 1e6:.2f}", *others, bar.ljust(24)])
    power = exponent(curve, ours)
    asked = f", asked <= {LINEAR}: {'yes' if power <= LINEAR else 'NO'}" if curve.linear and len(ours) > 2 else ""
    notes = [f"grows as n^{power:.2f}{asked}" + "".join(f"; {peer} n^{exponent(curve, times[peer]):.2f}" for peer in peers)]
    return Table(f"{curve.name}: {curve.grows}", ["n", OURS, "us / n", *peers, "log scale".ljust(24)], rows, notes)


def plot(results: dict[str, Times], path: str | os.PathLike[str]) -> None:
    """All curves on logarithmic axes. Needs matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, NullLocator

    curves = [curve for curve in CURVES if curve.name in results]
    columns = min(4, len(curves))
    lines = -(-len(curves) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.2 * lines), layout="constrained")
    for place, curve in enumerate(curves, start=1):
        axes: Any = figure.add_subplot(lines, columns, place)
        for engine, seconds in results[curve.name].items():
            axes.plot(curve.values[: len(seconds)], [s * 1e3 for s in seconds], marker="o", markersize=3, label=engine)
        axes.set_xscale("log")
        axes.set_yscale("log")
        shown = curve.values[: max(map(len, results[curve.name].values()))]
        axes.set_xticks(shown, [f"{value:,}" for value in shown])
        axes.xaxis.set_minor_locator(NullLocator())
        low, high = (math.log10(limit) for limit in axes.get_ylim())
        axes.set_ylim(10 ** math.floor(low), 10 ** math.ceil(high))  # whole decades, which alone have labels
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(curve.grows, fontsize=9)
        axes.set_ylabel("ms a step")
        axes.grid(True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path)
