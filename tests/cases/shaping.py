"""Changes of shape."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def both(op, label, call, shape, torch_call=None, **more):
    """A row whose call works on ndarrays and Tensors alike: by NumPy's own function."""
    return Case(op=op, label=label, call=call, inputs=(real(*shape),), numpy=call, torch=torch_call, **more)


CASES = [
    both("reshape", "", lambda x: np.reshape(x, (2, -1)), (3, 4), lambda x: torch.reshape(x, (2, -1)), derivative="g, reshaped"),
    both("transpose", "reshape-F", lambda x: np.reshape(x, (2, -1, 2), order="F"), (3, 4)),
    both("transpose", "ravel-F", lambda x: np.ravel(x, "F"), (3, 4)),
    both("transpose", "matrix_transpose", np.matrix_transpose, (2, 3, 4), lambda x: x.mT),
    both("reshape", "empty", lambda x: np.reshape(x, (2, 0, 3)), (0, 3)),
    both("reshape", "0d", lambda x: np.reshape(x, (1, 1)), ()),
    both("reshape", "ravel", np.ravel, (3, 4), lambda x: torch.ravel(x)),
    both("reshape", "expand_dims", lambda x: np.expand_dims(x, (0, -1)), (3,)),
    both("reshape", "squeeze", lambda x: np.squeeze(x, 1), (3, 1, 2), lambda x: torch.squeeze(x, 1)),
    both("reshape", "squeeze-all", np.squeeze, (1, 3, 1), lambda x: torch.squeeze(x)),
    both("reshape", "atleast_1d", np.atleast_1d, ()),
    both("reshape", "atleast_2d", np.atleast_2d, (3,)),
    both("reshape", "atleast_3d", np.atleast_3d, (3, 2), lambda x: torch.atleast_3d(x)),
    Case(op="reshape", label="flatten", call=lambda x: ag.flatten(x, 1), inputs=(real(2, 3, 2),), torch=lambda x: torch.flatten(x, 1)),
    Case(op="reshape", label="unflatten", call=lambda x: ag.unflatten(x, 1, (3, 2)), inputs=(real(2, 6),),
         torch=lambda x: torch.unflatten(x, 1, (3, 2))),
    Case(op="reshape", label="meshgrid-sparse", call=lambda a, b: tuple(np.meshgrid(a, b, sparse=True)), inputs=(real(2), real(3)),
         numpy=lambda a, b: tuple(np.meshgrid(a, b, sparse=True))),
    both("transpose", "", np.transpose, (3, 4), lambda x: torch.transpose(x, 0, 1), derivative="g, transposed back"),
    both("transpose", "axes", lambda x: np.transpose(x, (1, 2, 0)), (2, 3, 4), lambda x: torch.permute(x, (1, 2, 0))),
    both("transpose", "swapaxes", lambda x: np.swapaxes(x, 0, -1), (2, 3, 4), lambda x: torch.swapaxes(x, 0, -1)),
    both("transpose", "moveaxis", lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 4),
         lambda x: torch.moveaxis(x, (0, 1), (-1, 0))),
    both("broadcast_to", "", lambda x: np.broadcast_to(x, (2, 3, 4)), (3, 1), lambda x: torch.broadcast_to(x, (2, 3, 4)),
         derivative="g, summed over the repeated axes"),
    both("broadcast_to", "0d", lambda x: np.broadcast_to(x, (2, 2)), ()),
    both("broadcast_to", "empty", lambda x: np.broadcast_to(x, (2, 0)), (1, 0)),
    Case(op="broadcast_to", label="expand", call=lambda x: ag.expand(x, (4, -1, 2)), inputs=(real(3, 1),),
         torch=lambda x: x.expand(4, -1, 2)),
    Case(op="broadcast_to", label="pair", call=ag.broadcast_tensors, inputs=(real(3, 1), real(2)),
         torch=lambda x, y: torch.broadcast_tensors(x, y)),
    Case(op="sum", label="to_size", call=lambda x: ag.sum_to_size(x, (3, 1)), inputs=(real(2, 3, 4),),
         torch=lambda x: x.sum_to_size(3, 1)),
    both("flip", "", lambda x: np.flip(x, (0, 2)), (2, 3, 2), lambda x: torch.flip(x, (0, 2)), derivative="g, flipped"),
    both("flip", "all", np.flip, (2, 3)),
    both("flip", "fliplr", np.fliplr, (2, 3), lambda x: torch.fliplr(x)),
    both("flip", "flipud", np.flipud, (2, 3), lambda x: torch.flipud(x)),
    *(both("flip", f"rot90-{k}", lambda x, k=k: np.rot90(x, k), (2, 3), lambda x, k=k: torch.rot90(x, k)) for k in (0, 1, 2, 3)),
    Case(op="cast", call=lambda x: ag.Tensor.astype(x, np.float64) * 2.0, inputs=(real(3),), derivative="g, cast back"),
]  # fmt: skip
