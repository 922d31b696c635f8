"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.ops import reductions
from autograd.ops._axes import Axis, axis_tuple, expand
from autograd.ops.gate import pick
from autograd.ops.reductions import add_up, nonempty, reduced, tensor_of
from autograd.primitive import constant


def _norm_kernel(x: Array, *, ord: float, axis: Axis, keepdims: bool) -> Array:
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    if ord == math.inf:
        result = np.max(np.abs(wide), axis=axis, keepdims=keepdims, initial=0)
    elif ord == -math.inf:
        result = np.min(np.abs(wide), axis=axis, keepdims=keepdims)
    elif ord == 1:
        result = add_up(np.abs(wide), axis, keepdims=keepdims)
    else:
        total = _power_sum(wide, ord, axis, keepdims)
        info = np.finfo(wide.dtype)
        if np.all((total > info.tiny / info.eps) & (total < math.inf)):
            result = _root(total, ord)
        else:
            result = _scaled(wide, ord, axis, keepdims)
    return np.asarray(result, x.dtype)


def _power_sum(x: Array, ord: float, axis: Axis, keepdims: bool) -> Any:
    if ord != 2:
        return add_up(np.power(np.abs(x), ord), axis, keepdims=keepdims)
    if axis is None:
        flat = x.ravel(order="K")
        total = np.dot(flat, flat)
        return np.reshape(total, (1,) * x.ndim) if keepdims else total
    return add_up(x * x, axis, keepdims=keepdims)


def _root(total: Any, ord: float) -> Any:
    return np.sqrt(total) if ord == 2 else np.power(total, 1.0 / ord)


def _scaled(x: Array, ord: float, axis: Axis, keepdims: bool) -> Any:
    """Divided by the greatest element first: the norm of [1e30, 1e30] in float32 is 1.414e30, not inf."""
    size = np.abs(x)
    greatest = np.max(size, axis=axis, keepdims=True, initial=0)
    scale = np.where((greatest == 0) | ~np.isfinite(greatest), 1, greatest).astype(x.dtype)
    result = scale * _root(add_up(np.power(size / scale, ord), axis, keepdims=True), ord)
    if keepdims:
        return result
    return np.squeeze(result, axis=axis if axis is not None else tuple(range(x.ndim)))


def _norm_rule(g: Any, y: Any, x: Any, *, ord: float, axis: Axis, keepdims: bool) -> Any:
    """g sign(x) (|x| / y)**(p - 1); 0 where the norm is 0."""
    y, g = expand(y, axis, keepdims), expand(g, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    if ord in (math.inf, -math.inf):
        there = np.logical_or(np.abs(x) == y, np.logical_and(np.isnan(x), np.isnan(y)))
        ties = np.sum(there, axis=axis, keepdims=True, dtype=np.float64 if x.dtype == np.float64 else np.float32)
        return pick(there, g * np.sign(x) / ties, 0.0)
    zero = y == 0
    if ord == 2:  # x / y is at most 1: not x * (g / y), which overflows where the norm is tiny
        return g * (pick(zero, 0.0, x / pick(zero, 1.0, y)) if np.any(zero) else x / y)
    ratio = np.abs(x) / pick(zero, 1.0, y)
    if ord >= 2:
        return g * pick(zero, 0.0, np.sign(x) * np.power(ratio, ord - 1.0))
    zero = x == 0  # where the power would be steep, or infinite
    return g * pick(zero, 0.0, np.sign(x) * np.power(pick(zero, 1.0, ratio), ord - 1.0))


_norm = internal(_norm_kernel, _norm_rule, name="norm")


def vector_norm(x: Any, ord: Any = 2, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm (sum |x|**p) ** (1/p) over any axes (all without one), without overflow in between; its gradient at 0 is 0.

    Args:
        x: the values.
        ord: p: 2 (or None), 1, ``inf``, ``-inf``, 0 (the number of nonzero elements, without gradient) or any number.
        axis: the axes over which one norm is taken; None for all elements.
        keepdims: keep the reduced axes with size 1.
    """
    x, axis = reduced(x, axis, None, "norm")
    ord = 2 if ord is None else ord
    if not isinstance(ord, int | float):
        raise ValueError(f"norm: expected a number, inf or -inf as ord of a vector norm, got {ord!r}")
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    if ord == 0:
        return constant(np.asarray(np.count_nonzero(x._data, axis=axis, keepdims=keepdims), x.dtype))
    if ord == -math.inf:
        nonempty(x, axis, "norm")
    return _norm(x, ord=float(ord), axis=axis, keepdims=keepdims)


def matrix_norm(x: Any, ord: Any = "fro", axis: tuple[int, int] = (-2, -1), *, keepdims: bool = False) -> Any:
    """The norm of matrices.

    Args:
        x: the values, with at least two axes.
        ord: ``"fro"``, the root of the sum of squares; 1 and -1, the greatest and least absolute sum of a column; ``inf`` and
            ``-inf``, of a row; 2 and -2, the greatest and least singular value; ``"nuc"``, the sum of singular values.
        axis: the axis of rows and that of columns.
        keepdims: keep the two axes with size 1.
    """
    x = tensor_of(x, "norm")
    row, column = axes = axis_tuple(axis, x.ndim, "norm")
    if ord == "fro":
        return vector_norm(x, 2, axes, keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        summed, left = (row, column) if ord in (1, -1) else (column, row)
        result = (reductions.max if ord > 0 else reductions.min)(
            reductions.sum(abs(x), summed, keepdims=True), left, keepdims=True
        )
    elif ord in (2, -2, "nuc"):
        values = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        result = reductions.sum(values, -1) if ord == "nuc" else (reductions.max if ord > 0 else reductions.min)(values, -1)
        result = np.expand_dims(result, axes)
    else:
        raise ValueError(f"norm: expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf as ord of a matrix norm, got {ord!r}")
    return result if keepdims else np.squeeze(result, axes)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """A norm of vectors (one axis) or matrices (two axes), as ``np.linalg.norm``.

    Args:
        x: the values.
        ord: see ``vector_norm`` and ``matrix_norm``; None is the root of the sum of squares, over any number of axes.
        axis: one axis for vectors, two for matrices; None takes x, of one or two axes, for one vector or matrix.
        keepdims: keep the reduced axes with size 1.
    """
    x, axis = reduced(x, axis, None, "norm")
    if ord is None and (axis is None or not isinstance(axis, tuple) or len(axis) <= 2):
        return vector_norm(x, 2, axis, keepdims=keepdims)
    axes = axis_tuple(axis, x.ndim, "norm")
    if len(axes) == 1:
        return vector_norm(x, ord, axes, keepdims=keepdims)
    if len(axes) == 2:
        return matrix_norm(x, ord, (axes[0], axes[1]), keepdims=keepdims)
    raise ValueError(f"norm: expected one or two axes, got {len(axes)}; use vector_norm for a norm of all elements")


@implements(np.linalg.vector_norm)
def _numpy_vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return vector_norm(x, ord, axis, keepdims=keepdims)


@implements(np.linalg.matrix_norm)
def _numpy_matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return matrix_norm(x, ord, keepdims=keepdims)


def dist(x: Any, y: Any, p: float = 2.0) -> Any:
    """The p-norm of the difference of two tensors, which broadcast."""
    return vector_norm(tensor_of(x, "dist") - tensor_of(y, "dist"), p)
