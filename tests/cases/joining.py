"""Joining, splitting, padding, repeating, triangles and diagonals."""

from __future__ import annotations

import numpy as np
from cases.case import Case, apart, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def both(op, label, call, *shapes, torch_call=None, **more):
    """A row whose call works on ndarrays and Tensors alike: by NumPy's own function."""
    return Case(op=op, label=label, call=call, inputs=tuple(real(*s) for s in shapes), numpy=call, torch=torch_call, **more)


CASES = [
    both("concatenate", "", lambda a, b, c: np.concatenate([a, b, c], axis=1), (2, 1), (2, 3), (2, 0),
         torch_call=lambda a, b, c: torch.cat([a, b, c], 1), derivative="the part of g that belongs to each"),
    both("concatenate", "flat", lambda a, b: np.concatenate([a, b], axis=None), (2, 2), (3,)),
    both("concatenate", "stack", lambda a, b: np.stack([a, b], axis=-1), (2, 3), (2, 3), torch_call=lambda a, b: torch.stack([a, b], -1)),
    both("concatenate", "hstack", lambda a, b: np.hstack([a, b]), (2, 1), (2, 2), torch_call=lambda a, b: torch.hstack([a, b])),
    both("concatenate", "vstack", lambda a, b: np.vstack([a, b]), (3,), (2, 3), torch_call=lambda a, b: torch.vstack([a, b])),
    both("concatenate", "dstack", lambda a, b: np.dstack([a, b]), (2, 3), (2, 3), torch_call=lambda a, b: torch.dstack([a, b])),
    both("concatenate", "column_stack", lambda a, b: np.column_stack([a, b]), (3,), (3, 2),
         torch_call=lambda a, b: torch.column_stack([a, b])),
    Case(op="concatenate", label="block_diag", call=ag.block_diag, inputs=(real(2, 2), real(1, 3)),
         torch=lambda a, b: torch.block_diag(a, b)),
    both("getitem", "split", lambda x: tuple(np.split(x, 3, axis=1)), (2, 6)),
    both("getitem", "split-at", lambda x: tuple(np.split(x, [1, 3])), (5, 2)),
    both("getitem", "array_split", lambda x: tuple(np.array_split(x, 3)), (7,), torch_call=lambda x: torch.tensor_split(x, 3)),
    both("getitem", "split-from-the-end", lambda x: tuple(np.split(x, [-3, -1], axis=1)), (2, 6),
         torch_call=lambda x: torch.tensor_split(x, (-3, -1), 1)),
    both("getitem", "split-unsorted", lambda x: tuple(np.split(x, [3, 1, 9])), (5, 2)),
    Case(op="getitem", label="chunk", call=lambda x: tuple(ag.chunk(x, 3, 1)), inputs=(real(2, 7),), torch=lambda x: torch.chunk(x, 3, 1)),
    Case(op="getitem", label="unbind", call=ag.unbind, inputs=(real(3, 2),), torch=lambda x: torch.unbind(x)),
    Case(op="getitem", label="split-sizes", call=lambda x: tuple(ag.split_with_sizes(x, [1, 2])), inputs=(real(3, 2),),
         torch=lambda x: torch.split(x, [1, 2])),
    both("pad", "", lambda x: np.pad(x, ((1, 2), (0, 1))), (2, 3), torch_call=lambda x: torch.nn.functional.pad(x, (0, 1, 1, 2)),
         derivative="g without its margin"),
    *(both("getitem", f"pad-{mode}", lambda x, mode=mode: np.pad(x, ((1, 2), (2, 0)), mode=mode), (3, 4))
      for mode in ("edge", "reflect", "symmetric", "wrap")),
    both("pad", "values", lambda x: np.pad(x, ((1, 2), (0, 1)), constant_values=((1, 2), (3, 4))), (2, 3)),
    *(Case(op="concatenate", label=f"pad-{mode}", call=lambda x, mode=mode: np.pad(x, ((1, 2), (2, 0)), mode=mode), inputs=(apart(3, 4),))
      for mode in ("maximum", "mean", "median", "minimum")),
    Case(op="concatenate", label="pad-length", call=lambda x: np.pad(x, 2, mode="mean", stat_length=((1, 2), (3, 9))), inputs=(real(3, 4),)),
    Case(op="concatenate", label="pad-ramp", call=lambda x: np.pad(x, ((2, 3), (0, 1)), mode="linear_ramp", end_values=(1.5, -2)),
         inputs=(real(3, 4),)),
    both("getitem", "repeat", lambda x: np.repeat(x, 2, axis=0), (2, 3), torch_call=lambda x: torch.repeat_interleave(x, 2, 0)),
    both("getitem", "repeat-counts", lambda x: np.repeat(x, [0, 2, 1]), (3,)),
    both("broadcast_to", "tile", lambda x: np.tile(x, (2, 1, 3)), (2, 2), torch_call=lambda x: torch.tile(x, (2, 1, 3))),
    both("roll", "", lambda x: np.roll(x, (1, -2), (0, 1)), (3, 4), torch_call=lambda x: torch.roll(x, (1, -2), (0, 1)),
         derivative="g, rolled back"),
    both("roll", "again", lambda x: np.roll(x, (1, 2, 1), (0, 0, 1)), (4, 3)),
    both("roll", "flat", lambda x: np.roll(x, 5), (2, 3), torch_call=lambda x: torch.roll(x, 5)),
    both("gate", "tril", lambda x: np.tril(x, -1), (2, 3, 3), torch_call=lambda x: torch.tril(x, -1)),
    both("gate", "triu", lambda x: np.triu(x, 1), (3, 4), torch_call=lambda x: torch.triu(x, 1)),
    both("getitem", "diagonal", lambda x: np.diagonal(x, 1), (3, 4), torch_call=lambda x: torch.diagonal(x, 1)),
    both("getitem", "diagonal-axes", lambda x: np.diagonal(x, -1, 0, 2), (3, 2, 4), torch_call=lambda x: torch.diagonal(x, -1, 0, 2)),
    both("getitem", "diag", np.diag, (3, 3), torch_call=lambda x: torch.diag(x)),
    both("gate", "diag", lambda x: np.diag(x, -2), (3,), torch_call=lambda x: torch.diag(x, -2)),
    both("gate", "diagflat", np.diagflat, (2, 2), torch_call=lambda x: torch.diagflat(x)),
    Case(op="gate", label="diag_embed", call=ag.diag_embed, inputs=(real(2, 3),), torch=lambda x: torch.diag_embed(x)),
    Case(op="gate", label="diag_embed-axes", call=lambda x: ag.diag_embed(x, -1, 0, 2), inputs=(real(2, 3),),
         torch=lambda x: torch.diag_embed(x, -1, 0, 2)),
    both("broadcast_to", "meshgrid", lambda a, b: tuple(np.meshgrid(a, b)), (2,), (3,)),
    Case(op="broadcast_to", label="meshgrid-ij", call=lambda a, b: tuple(ag.meshgrid(a, b, indexing="ij")), inputs=(real(2), real(3)),
         torch=lambda a, b: torch.meshgrid(a, b, indexing="ij")),
]  # fmt: skip
