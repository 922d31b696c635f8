"""Pooling."""

from __future__ import annotations

from cases.case import Case, apart, real

import autograd as ag
from autograd.primitive import primitives

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # type: ignore[assignment]


def row(name, label, *arguments, shape=(2, 2, 5, 4), derivative="", kink="", **options):
    greatest = "max" in name
    return Case(
        op=("max_pool_choose" if "adaptive" in name else "max_pool") if greatest else "avg_pool",
        label=f"{name}-{label}" if label else name,
        call=lambda x: getattr(ag, name)(x, *arguments, **options),
        inputs=((apart if greatest else real)(*shape),),
        torch=lambda x: getattr(F, name)(x, *arguments, **options),
        derivative=derivative,
        kink=kink,
        step=1e-3,
    )


def place(y):
    index = [[[[0, 1], [0, 3]]]]
    return primitives["max_pool_place"].function(y, index=ag.tensor(index)._data, size=(1, 1, 2, 2), distinct=False)


def spread(y):
    return primitives["avg_pool_spread"].function(
        y, rows=((0, 2), (1, 3)), columns=((0, 1), (1, 3)), padding=((1, 0), (0, 0)), size=(2, 3), divisor=3.0
    )


CASES = [
    row("max_pool2d", "", 2, derivative="g at the greatest", kink="a tie: the first"),
    row("max_pool2d", "odd", (3, 2), (1, 2), (1, 0), (2, 1)),
    row("max_pool2d", "overlap", 3, 1, 1),
    row("max_pool2d", "ceil", 2, 2, ceil_mode=True),
    row("max_pool2d", "one", 2, shape=(2, 4, 4)),
    row("max_pool2d", "empty", 2, shape=(0, 2, 4, 4)),
    row("max_pool1d", "", 3, 2, 1, shape=(2, 2, 8)),
    row("max_pool1d", "one", 2, shape=(2, 7)),
    row("adaptive_max_pool2d", "", (3, 2)),
    row("adaptive_max_pool1d", "", 3, shape=(2, 2, 7)),
    Case(op="max_pool_place", call=place, inputs=(real(1, 1, 2, 2),), derivative="g at the places"),
    row("avg_pool2d", "", 2, derivative="g / count, spread over the window"),
    row("avg_pool2d", "odd", (3, 2), (1, 2), (1, 0)),
    row("avg_pool2d", "exclude", 3, 2, 1, count_include_pad=False),
    row("avg_pool2d", "ceil", 2, 2, ceil_mode=True),
    row("avg_pool2d", "ceil-pad", 3, 2, 1, ceil_mode=True),
    row("avg_pool2d", "ceil-exclude", 3, 2, 1, ceil_mode=True, count_include_pad=False),
    row("avg_pool2d", "divisor", 2, divisor_override=3),
    row("avg_pool2d", "one", 2, shape=(2, 4, 4)),
    row("avg_pool2d", "empty", 2, shape=(0, 2, 4, 4)),
    row("avg_pool1d", "", 3, 2, 1, shape=(2, 2, 8)),
    row("adaptive_avg_pool2d", "", (3, 2)),
    row("adaptive_avg_pool2d", "keep", (None, 1)),
    row("adaptive_avg_pool1d", "", 3, shape=(2, 7)),
    Case(op="avg_pool_spread", call=spread, inputs=(real(1, 2, 2, 2),), derivative="the means of g"),
]  # fmt: skip
