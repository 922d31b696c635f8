"""Linear algebra under the names of ``numpy.linalg``: everything here takes Tensors, and records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.declare import implements
from autograd.ops import norms
from autograd.ops._axes import axis_tuple, one_axis
from autograd.ops.decompositions import (
    EighResult,
    QRResult,
    SVDResult,
    cholesky,
    eigh,
    eigvalsh,
    inv,
    matrix_power,
    pinv,
    qr,
    solve,
    svd,
    svdvals,
)
from autograd.ops.determinants import SlogdetResult, det, logdet, slogdet
from autograd.ops.diagonals import diagonal as _diagonal
from autograd.ops.linalg import cross, matmul, outer, tensordot, trace
from autograd.ops.norms import norm as _norm
from autograd.ops.reductions import tensor_of
from autograd.spelling import renaming

__all__ = [
    "EighResult", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv",
    "logdet", "matmul", "matrix_norm", "matrix_power", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr",
    "slogdet", "solve", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vander", "vecdot", "vector_norm",
]  # fmt: skip

norm = renaming(renaming(_norm, "dim", "axis"), "keepdim", "keepdims")

implements(np.linalg.matmul)(matmul)
implements(np.linalg.outer)(outer)
implements(np.linalg.tensordot)(tensordot)
implements(np.linalg.cross)(cross)


def _matvec(a: Any, x: Any) -> Any:
    return np.squeeze(matmul(a, np.expand_dims(x, -1)), axis=-1)


def _vecmat(x: Any, a: Any) -> Any:
    return np.squeeze(matmul(np.expand_dims(x, -2), a), axis=-2)


if hasattr(np, "matvec"):  # NumPy 2.2
    implements(np.matvec)(_matvec)
    implements(np.vecmat)(_vecmat)


@implements(np.linalg.diagonal)
def diagonal(x: Any, offset: int = 0) -> Any:
    """The diagonals of the matrices in the last two axes."""
    return _diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _matrix_trace(x: Any, offset: int = 0) -> Any:
    return trace(x, offset, -2, -1)


@implements(np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


# ------------------------------------------------------------------------------------------------ norms


@implements(np.linalg.vector_norm)
def _vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The vector norm of all elements, or along axes; its gradient at 0 is 0."""
    return norms.vector_norm(x, ord, axis, keepdims)


vector_norm = renaming(renaming(_vector_norm, "dim", "axis"), "keepdim", "keepdims")


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, ord: Any = "fro", keepdims: bool = False, axis: Any = (-2, -1)) -> Any:
    """A norm of the matrices in two axes: "fro", "nuc", 1, -1, 2, -2, inf or -inf (see ``autograd.norm``)."""
    return norms.matrix_norm(x, "fro" if ord is None else ord, axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ products and systems


@implements(np.linalg.vecdot, np.vecdot)
def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """The inner products of vectors along an axis."""
    return np.sum(tensor_of(a, "vecdot") * tensor_of(b, "vecdot"), axis=axis)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of a chain of matrices in the cheapest order; the first and the last may be vectors."""
    operands = [tensor_of(x, "multi_dot") for x in arrays]
    if len(operands) < 2:
        raise ValueError(f"multi_dot: expected at least two arrays, got {len(operands)}")
    for position, x in enumerate(operands):
        if x.ndim != 2 and not (x.ndim == 1 and position in (0, len(operands) - 1)):
            raise ValueError(f"multi_dot: expected matrices (vectors at the ends), got shape {x.shape} at {position}")
    first = operands[0] if operands[0].ndim == 2 else np.expand_dims(operands[0], 0)
    last = operands[-1] if operands[-1].ndim == 2 else np.expand_dims(operands[-1], 1)
    chain = [first, *operands[1:-1], last]
    product = _multiply_chain(chain, _cheapest_splits([x.shape[0] for x in chain] + [last.shape[1]]))
    if operands[0].ndim == 1:
        product = np.squeeze(product, axis=0)
    return np.squeeze(product, axis=-1) if operands[-1].ndim == 1 else product


def _cheapest_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut every stretch of the chain (Cormen et al., Introduction to Algorithms, 15.2)."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    cut = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            best, at = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
            cost[i, j], cut[i, j] = best, at
    return cut


def _multiply_chain(chain: list[Any], cut: dict[tuple[int, int], int]) -> Any:
    done = {(i, i): x for i, x in enumerate(chain)}
    waiting = [(0, len(chain) - 1)]
    while waiting:
        i, j = waiting[-1]
        if (i, j) in done:
            waiting.pop()
            continue
        k = cut[i, j]
        missing = [part for part in ((i, k), (k + 1, j)) if part not in done]
        if missing:
            waiting.extend(missing)
        else:
            done[i, j] = matmul(done[i, k], done[k + 1, j])
    return done[0, len(chain) - 1]


@implements(np.linalg.tensorinv)
def tensorinv(x: Any, ind: int = 2) -> Any:
    """The inverse with respect to tensordot over ``ind`` axes."""
    x = tensor_of(x, "tensorinv")
    if not isinstance(ind, int) or ind <= 0:
        raise ValueError(f"tensorinv: expected a positive number of axes, got {ind!r}")
    rows, columns = x.shape[:ind], x.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise ValueError(f"tensorinv: expected as many elements before axis {ind} as from it on, got shape {x.shape}")
    return np.reshape(inv(np.reshape(x, (math.prod(rows), math.prod(columns)))), columns + rows)


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b; ``axes`` of a are moved to its end first."""
    a, b = tensor_of(a, "tensorsolve"), tensor_of(b, "tensorsolve")
    if axes is not None:
        moved = axis_tuple(axes, a.ndim, "tensorsolve")
        a = np.transpose(a, tuple(i for i in range(a.ndim) if i not in moved) + moved)
    columns, size = a.shape[b.ndim :], math.prod(b.shape)
    if math.prod(a.shape[: b.ndim]) != size or math.prod(columns) != size:
        raise ValueError(f"tensorsolve: expected a of shape b.shape + x.shape, as many elements in both, got {a.shape}")
    return np.reshape(solve(np.reshape(a, (size, size)), np.reshape(b, (size,))), columns)


@implements(np.vander)
def _numpy_vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = tensor_of(x, "vander")
    powers = vander(x.to(np.promote_types(x.dtype, np.int64)), N)  # NumPy's dtype: float64 from float32
    return powers if increasing else np.flip(powers, axis=-1)


def vander(x: Any, N: int | None = None) -> Any:
    """Powers of the last axis's elements: ``result[..., i, j] = x[..., i] ** j`` (PyTorch's order: ascending)."""
    x = tensor_of(x, "vander")
    one_axis(-1, x.ndim, "vander")
    count = x.shape[-1] if N is None else N
    columns = [np.ones_like(x)]
    while len(columns) < count:
        columns.append(columns[-1] * x)
    return np.stack(columns[:count], axis=-1) if count else np.reshape(x[..., :0], (*x.shape, 0))
