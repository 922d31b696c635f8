"""Running sums and products."""

from __future__ import annotations

import numpy as np
from cases.case import Case, fixed, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

CASES = [
    Case(op="cumsum", call=lambda x: ag.cumsum(x, 1), inputs=(real(3, 4),), torch=lambda x: torch.cumsum(x, 1),
         derivative="the running sum of g from the other end"),
    Case(op="cumsum", label="flat", call=ag.cumsum, inputs=(real(2, 3),)),
    Case(op="cumsum", label="empty", call=lambda x: ag.cumsum(x, 0), inputs=(real(0, 2),)),
    Case(op="cumprod", call=lambda x: ag.cumprod(x, 1), inputs=(real(3, 4),), torch=lambda x: torch.cumprod(x, 1),
         derivative="the product before, times a linear recurrence of g from the other end", kink="exact through zeros"),
    Case(op="cumprod", label="zeros", call=lambda x: ag.cumprod(x, 0), inputs=(fixed([2.0, 0.0, 3.0, 0.0, 4.0]),),
         torch=lambda x: torch.cumprod(x, 0)),
    Case(op="cumprod", label="empty", call=lambda x: ag.cumprod(x, 0), inputs=(real(0, 2),)),
    Case(op="linear_scan", call=lambda a, b: ag.linear_scan(a, b, axis=1), inputs=(real(2, 4), real(2, 4)),
         derivative="l_i = g_i + a_(i+1) l_(i+1) to b, and l_i h_(i-1) to a"),
    Case(op="cumsum", label="ufunc-accumulate", call=np.add.accumulate, inputs=(real(3, 2),), torch=lambda x: x.cumsum(0)),
    Case(op="cumprod", label="ufunc-accumulate", call=np.multiply.accumulate, inputs=(real(3, 2),), torch=lambda x: x.cumprod(0)),
    Case(op="concatenate", label="diff-ends", call=lambda x, y: np.diff(x, axis=1, prepend=0.0, append=y), inputs=(real(2, 3), real(2, 2))),
    Case(op="concatenate", label="diff-end", call=lambda x, y: np.diff(x, axis=0, append=y), inputs=(real(2, 3), real(1, 3)),
         numpy=lambda x, y: np.diff(x, axis=0, append=y)),
    Case(op="getitem", label="diff", call=lambda x: ag.diff(x, 2, axis=0), inputs=(real(5, 2),), numpy=lambda x: np.diff(x, 2, 0),
         torch=lambda x: torch.diff(x, 2, 0)),
    Case(op="sum", label="trapezoid", call=lambda y, x: ag.trapezoid(y, x), inputs=(real(2, 5), real(5)),
         torch=lambda y, x: torch.trapezoid(y, x)),
    Case(op="cumsum", label="trapezoid", call=lambda y: ag.cumulative_trapezoid(y, dx=0.5), inputs=(real(2, 5),),
         torch=lambda y: torch.cumulative_trapezoid(y, dx=0.5)),
]  # fmt: skip
