"""Indexing and scattering."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

MASK = np.array([[True, False, True, False], [False, False, True, True], [False, False, False, False]])
INDICES = {
    "integer": 1, "negative": -1, "slice": slice(1, 3), "step": slice(None, None, -2), "ellipsis": (Ellipsis, 0),
    "newaxis": (None, slice(None), None), "pair": (1, 2), "list": ([2, 0, 2],), "repeated": (slice(None), [0, 0, 1]),
    "both": ([0, 1, 0], [3, 2, 3]), "grid": (np.array([[0], [2]]), np.array([1, 3])), "mixed": (slice(0, 2), [1, 1], None),
    "mask": MASK, "mask-rows": np.array([True, False, True]), "empty": ([],), "empty-slice": (slice(2, 2),), "all": (),
}  # fmt: skip


def written(index, shape):
    """A row of an assignment to an index of a result."""

    def call(x, value):
        y = x * 1.0
        y[index] = value
        return y

    return Case(op="setitem", label=f"{index}", call=call, inputs=(real(3, 4), real(*shape)))


PLACES = [[0, 2, 0, 1], [1, 1, 2, 0]]

CASES = [
    *(Case(op="getitem", label=label, call=lambda x, index=index: x[index], numpy=lambda x, index=index: np.asarray(x[index]),
           inputs=(real(3, 4),), derivative="g at the index, added up where it repeats, 0 elsewhere") for label, index in INDICES.items()),
    Case(op="scatter", label="second-order", call=lambda x: x[[0, 0, 1]] * x[[1, 2, 2]], inputs=(real(3, 2),),
         derivative="g at the index of each part"),
    Case(op="setitem", call=lambda x, v: written(0, (4,)).call(x, v), inputs=(real(3, 4), real(4)),
         derivative="g with the written part 0; the written part", kink="of repeated positions the last write counts"),
    written((slice(None), 1), (3,)),
    written((slice(0, 2), slice(None, None, 2)), (2,)),
    written(MASK.tolist(), ()),
    written(([0, 2], [1, 1]), (2,)),
    written(([0, 0, 1],), (3, 4)),
    written((Ellipsis, -1), (1, 1)),
    Case(op="getitem", label="take", call=lambda x: ag.take(x, [[0, 3], [1, 1]], 1), inputs=(real(2, 4),),
         numpy=lambda x: np.take(x, [[0, 3], [1, 1]], 1)),
    *(Case(op="getitem", label=f"take-{mode}", call=lambda x, mode=mode: np.take(x, [-7, 1, 5], 1, mode=mode), inputs=(real(2, 4),),
           numpy=lambda x, mode=mode: np.take(x, [-7, 1, 5], 1, mode=mode)) for mode in ("wrap", "clip")),
    Case(op="getitem", label="take_along_axis", call=lambda x: ag.take_along_axis(x, np.array(PLACES), 0), inputs=(real(3, 4),),
         numpy=lambda x: np.take_along_axis(x, np.array(PLACES), 0),
         torch=lambda x: torch.take_along_dim(x, torch.tensor(PLACES), 0)),
    Case(op="getitem", label="gather", call=lambda x: ag.gather(x, 0, [[0, 2], [1, 1]]), inputs=(real(3, 4),),
         torch=lambda x: torch.gather(x, 0, torch.tensor([[0, 2], [1, 1]]))),
    Case(op="getitem", label="index_select", call=lambda x: ag.index_select(x, 1, [3, 0, 3]), inputs=(real(2, 4),),
         torch=lambda x: torch.index_select(x, 1, torch.tensor([3, 0, 3]))),
    Case(op="setitem", label="scatter", call=lambda x, s: ag.scatter(x, 0, [[0, 2], [1, 1]], s), inputs=(real(3, 4), real(2, 3)),
         torch=lambda x, s: torch.scatter(x, 0, torch.tensor([[0, 2], [1, 1]]), s[:, :2])),  # its gradient wants equal shapes
    Case(op="scatter", label="scatter_add", call=lambda x, s: ag.scatter_add(x, 1, [[0, 0], [1, 3]], s), inputs=(real(2, 4), real(2, 2)),
         torch=lambda x, s: torch.scatter_add(x, 1, torch.tensor([[0, 0], [1, 3]]), s)),
    Case(op="scatter", label="index_add", call=lambda x, s: ag.index_add(x, 0, [1, 1, 0], s), inputs=(real(3, 2), real(3, 2)),
         torch=lambda x, s: torch.index_add(x, 0, torch.tensor([1, 1, 0]), s)),
    Case(op="scatter", label="index_add-alpha", call=lambda x, s: ag.index_add(x, 1, [1, 1], s, alpha=3), inputs=(real(2, 3), real(2, 2)),
         torch=lambda x, s: torch.index_add(x, 1, torch.tensor([1, 1]), s, alpha=3)),
    Case(op="setitem", label="scatter-value", call=lambda x: ag.scatter(x, 1, [[2], [0]], value=5.0), inputs=(real(2, 3),),
         torch=lambda x: torch.scatter(x, 1, torch.tensor([[2], [0]]), 5.0)),
    Case(op="setitem", label="index_copy", call=lambda x, s: ag.index_copy(x, 1, [2, 0], s), inputs=(real(2, 3), real(2, 2)),
         torch=lambda x, s: torch.index_copy(x, 1, torch.tensor([2, 0]), s)),
    Case(op="setitem", label="index_fill", call=lambda x: ag.index_fill(x, 0, [1], 3.0), inputs=(real(2, 3),),
         torch=lambda x: torch.index_fill(x, 0, torch.tensor([1]), 3.0)),
    Case(op="scatter", label="index_put", call=lambda x, v: ag.index_put(x, ([0, 0], [1, 1]), v, accumulate=True),
         inputs=(real(2, 3), real(2)),
         torch=lambda x, v: torch.index_put(x, (torch.tensor([0, 0]), torch.tensor([1, 1])), v, accumulate=True)),
    Case(op="setitem", label="put", call=lambda x, v: ag.put(x, [4, 0], v), inputs=(real(2, 3), real(2)),
         torch=lambda x, v: torch.Tensor.put(x, torch.tensor([4, 0]), v)),
    Case(op="getitem", label="masked_select", call=lambda x: ag.masked_select(x, MASK), inputs=(real(3, 4),),
         torch=lambda x: torch.masked_select(x, torch.tensor(MASK))),
    Case(op="setitem", label="masked_scatter", call=lambda x, s: ag.masked_scatter(x, MASK, s), inputs=(real(3, 4), real(6)),
         torch=lambda x, s: torch.masked_scatter(x, torch.tensor(MASK), s)),
    Case(op="getitem", label="embedding", call=lambda w: ag.embedding([[0, 2], [2, 1]], w), inputs=(real(3, 4),),
         torch=lambda w: torch.nn.functional.embedding(torch.tensor([[0, 2], [2, 1]]), w)),
]  # fmt: skip
