"""Sorting, the k greatest, medians: their gradients follow the permutation."""

from __future__ import annotations

import numpy as np
from cases.case import Case, apart

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

CASES = [
    Case(op="getitem", label="sort", call=lambda x: ag.sort(x, 1), inputs=(apart(3, 4),), numpy=lambda x: np.sort(x, 1),
         torch=lambda x: torch.sort(x, 1).values),
    Case(op="getitem", label="sort-flat", call=lambda x: ag.sort(x, None), inputs=(apart(2, 3),), numpy=lambda x: np.sort(x, None)),
    Case(op="getitem", label="sort-descending", call=lambda x: ag.sort(x, 0, descending=True), inputs=(apart(4, 2),),
         torch=lambda x: torch.sort(x, 0, descending=True).values),
    Case(op="getitem", label="msort", call=ag.msort, inputs=(apart(4, 2),), torch=lambda x: torch.msort(x)),
    Case(op="getitem", label="topk", call=lambda x: ag.topk(x, 2, axis=0).values, inputs=(apart(4, 2),),
         torch=lambda x: torch.topk(x, 2, 0).values),
    Case(op="getitem", label="kthvalue", call=lambda x: ag.kthvalue(x, 2, axis=1).values, inputs=(apart(2, 4),),
         torch=lambda x: torch.kthvalue(x, 2, 1).values),
    Case(op="getitem", label="partition", call=lambda x: ag.partition(x, 2), inputs=(apart(5),), numpy=lambda x: np.partition(x, 2)),
    Case(op="getitem", label="median-odd", call=lambda x: ag.median(x, axis=1), inputs=(apart(3, 5),),
         numpy=lambda x: np.median(x, axis=1), torch=lambda x: torch.median(x, 1).values),
    Case(op="getitem", label="median-even", call=lambda x: ag.median(x, keepdims=True), inputs=(apart(2, 2),),
         numpy=lambda x: np.median(x, keepdims=True)),
]  # fmt: skip
