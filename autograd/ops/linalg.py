"""Products of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, positional, reduction
from autograd.ops._axes import axis_tuple, one_axis
from autograd.ops._rows import ones
from autograd.ops.diagonals import diagonal
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import moveaxis, reshape, transpose

# ------------------------------------------------------------------------------------------------ matmul

# x @ y, x @ y.T and x.T @ y: each one's derivatives are the other two, so that no order needs a transposition of its own.
# (ndarray.dot takes half the time of np.matmul for small matrices.)


def _product(x: Any, y: Any) -> Any:
    return x.dot(y) if x.ndim == y.ndim == 2 else np.matmul(x, y)


def _product_nt(x: Any, y: Any) -> Any:
    return x.dot(y.T) if x.ndim == y.ndim == 2 else np.matmul(x, y.mT)


def _product_tn(x: Any, y: Any) -> Any:
    return x.T.dot(y) if x.ndim == y.ndim == 2 else np.matmul(x.mT, y)


_matmul = positional(_product, lambda g, _z, _x, y: _nt(g, y), lambda g, _z, x, _y: _tn(x, g), name="matmul")
_matmul_nt = positional(_product_nt, lambda g, _z, _x, y: _nn(g, y), lambda g, _z, x, _y: _tn(g, x), name="matmul_nt")
_matmul_tn = positional(_product_tn, lambda g, _z, _x, y: _nt(y, g), lambda g, _z, x, _y: _nn(x, g), name="matmul_tn")
_nn: Callable[..., Any] = in_rules(_matmul)
_nt: Callable[..., Any] = in_rules(_matmul_nt)
_tn: Callable[..., Any] = in_rules(_matmul_tn)


@implements(np.matmul)
def matmul(a: Any, b: Any) -> Any:
    """The matrix product of the last two axes, broadcast over the others; a 1-d operand is a row (left) or a column (right).

    Raises:
        ValueError: for 0-d operands, and where the inner dimensions or the batch axes do not agree.
    """
    try:
        x, y = a._data, b._data
    except AttributeError:
        a, b = tensor_of(a, "matmul"), tensor_of(b, "matmul")
        x, y = a._data, b._data
    ndim_a, ndim_b = x.ndim, y.ndim
    if ndim_a == 2 and ndim_b == 2 and x.shape[1] == y.shape[0]:
        return _matmul(a, b)
    shape_a, shape_b = a.shape, b.shape
    if not shape_a or not shape_b:
        raise ValueError(f"matmul: expected operands with at least 1 axis, got {shape_a} @ {shape_b}; use * for scalars")
    if shape_a[-1] != shape_b[-2 if len(shape_b) > 1 else 0]:
        raise ValueError(f"matmul: inner dimensions must agree, got {shape_a} @ {shape_b}")
    left = reshape(a, (1, -1)) if ndim_a == 1 else a
    right = reshape(b, (shape_b[0], 1)) if ndim_b == 1 else b
    try:
        batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        raise ValueError(f"matmul: batch axes must broadcast, got {shape_a} @ {shape_b}") from None
    if right.ndim == 2 and left.ndim > 2:  # one large product instead of a batch of small ones
        flat = _matmul(reshape(left, (math.prod(left.shape[:-1]), left.shape[-1])), right)
        product = reshape(flat, (*left.shape[:-1], right.shape[-1]))
    else:
        product = _matmul(left, right)
    rows = () if ndim_a == 1 else (left.shape[-2],)
    columns = () if ndim_b == 1 else (right.shape[-1],)
    return product if ndim_a > 1 and ndim_b > 1 else reshape(product, (*batch, *rows, *columns))


def _linear_kernel(x: Array, weight: Array, *bias: Array) -> Array:
    y: Array = x.dot(weight.T)
    if bias:
        if y.dtype == bias[0].dtype or y.dtype == np.result_type(y, bias[0]):  # the second costs as much as a small product
            y += bias[0]
        else:
            y = y + bias[0]
    return y


_column_sums = reduction(
    # a product with ones is the fastest sum from 2 rows to 1,000, and adds float16 up in float32
    lambda x: ones(x.shape[0], x.dtype).dot(x),
    lambda g, _y, _x: g,  # the same for all rows
    name="column_sums",
)
_column_sums_of = in_rules(_column_sums)


_linear = positional(
    _linear_kernel,
    lambda g, _y, _x, weight, *_bias: g.dot(weight) if type(g) is np.ndarray else _matmul(g, weight),
    lambda g, _y, x, _weight, *_bias: g.T.dot(x) if type(g) is np.ndarray else _matmul_tn(g, x),
    lambda g, _y, _x, _weight, _bias: _column_sums_of(g),
    name="linear",
)


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x @ weight.T + bias``: x (..., I), weight (O, I), bias (O,), result (..., O).

    dx = g @ weight, dweight = g.T @ x, dbias = sum(g).
    """
    try:
        shape, wide, narrow = x._data.shape, weight._data.shape, None if bias is None else bias._data.shape
    except AttributeError:
        x, weight = tensor_of(x, "linear"), tensor_of(weight, "linear")
        bias = None if bias is None else tensor_of(bias, "linear")
        shape, wide, narrow = x.shape, weight.shape, None if bias is None else bias.shape
    if len(wide) != 2 or not shape or shape[-1] != wide[1]:
        raise ValueError(f"linear: expected x (..., I) and weight (O, I), got {shape} and {wide}")
    if narrow is not None and narrow != wide[:1]:
        raise ValueError(f"linear: expected a bias of shape {wide[:1]}, got {narrow}")
    flat = x if len(shape) == 2 else reshape(x, (math.prod(shape[:-1]), shape[-1]))
    y = _linear(flat, weight) if bias is None else _linear(flat, weight, bias)
    return y if len(shape) == 2 else reshape(y, (*shape[:-1], wide[0]))


# ------------------------------------------------------------------------------------------------ other products


@implements(np.dot)
def dot(a: Any, b: Any) -> Any:
    """The inner product of vectors, the product of matrices; a sum over the last axis of a and the last but one of b."""
    a, b = tensor_of(a, "dot"), tensor_of(b, "dot")
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 2,)))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """The inner product of all elements."""
    return matmul(reshape(a, -1), reshape(b, -1))


@implements(np.inner)
def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axes."""
    a, b = tensor_of(a, "inner"), tensor_of(b, "inner")
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@implements(np.outer)
def outer(a: Any, b: Any) -> Any:
    """All products of an element of a with one of b: (M, N)."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes: the last ``axes`` of a with the first of b, or two lists of axes."""
    a, b = tensor_of(a, "tensordot"), tensor_of(b, "tensordot")
    if isinstance(axes, int | np.integer):
        left, right = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        left, right = axis_tuple(axes[0], a.ndim, "tensordot"), axis_tuple(axes[1], b.ndim, "tensordot")
    if len(left) != len(right) or any(a.shape[i] != b.shape[j] for i, j in zip(left, right, strict=True)):
        raise ValueError(f"tensordot: expected equal sizes along the axes {axes}, got {a.shape} and {b.shape}")
    free_a = tuple(i for i in range(a.ndim) if i not in left)
    free_b = tuple(j for j in range(b.ndim) if j not in right)
    rows, columns = tuple(a.shape[i] for i in free_a), tuple(b.shape[j] for j in free_b)
    shared = math.prod(a.shape[i] for i in left)
    product = _matmul(
        reshape(transpose(a, free_a + left), (math.prod(rows), shared)),
        reshape(transpose(b, right + free_b), (shared, math.prod(columns))),
    )
    return reshape(product, rows + columns)


@implements(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return np.sum(diagonal(x, offset, axis1, axis2), axis=-1)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: a block of b for each element of a."""
    a, b = tensor_of(a, "kron"), tensor_of(b, "kron")
    ndim = max(a.ndim, b.ndim)
    shape_a = (1,) * (ndim - a.ndim) + a.shape
    shape_b = (1,) * (ndim - b.ndim) + b.shape
    spread_a = reshape(a, tuple(n for size in shape_a for n in (size, 1)))
    spread_b = reshape(b, tuple(n for size in shape_b for n in (1, size)))
    return reshape(spread_a * spread_b, tuple(m * n for m, n in zip(shape_a, shape_b, strict=True)))


@implements(np.cross)
def _numpy_cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """NumPy's signature: the axis of the vectors in each argument and in the result."""
    if axis is not None:
        return cross(a, b, axis)
    a, b = tensor_of(a, "cross"), tensor_of(b, "cross")
    last = cross(moveaxis(a, one_axis(axisa, a.ndim, "cross"), -1), moveaxis(b, one_axis(axisb, b.ndim, "cross"), -1))
    return moveaxis(last, -1, axisc)


def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """The vector product of 3-vectors along an axis."""
    a, b = tensor_of(a, "cross"), tensor_of(b, "cross")
    a, b = moveaxis(a, one_axis(axis, a.ndim, "cross"), -1), moveaxis(b, one_axis(axis, b.ndim, "cross"), -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross: expected 3 components, got shapes {a.shape} and {b.shape}")
    first, second = [1, 2, 0], [2, 0, 1]
    product = a[..., first] * b[..., second] - a[..., second] * b[..., first]
    return moveaxis(product, -1, axis)


def _matrices(op: str, ndim: int, *operands: Any) -> list[Any]:
    found = [tensor_of(x, op) for x in operands]
    for x in found:
        if x.ndim != ndim:
            raise ValueError(f"{op}: expected {ndim} axes, got shapes {', '.join(str(y.shape) for y in found)}")
    return found


def mm(a: Any, b: Any) -> Any:
    """The product of two matrices."""
    return matmul(*_matrices("mm", 2, a, b))


def bmm(a: Any, b: Any) -> Any:
    """The products of two batches of matrices: (B, M, K) by (B, K, N)."""
    a, b = _matrices("bmm", 3, a, b)
    if a.shape[0] != b.shape[0]:
        raise ValueError(f"bmm: expected equal batches, got {a.shape} and {b.shape}")
    return matmul(a, b)


def mv(a: Any, x: Any) -> Any:
    """A matrix times a vector."""
    return matmul(*_matrices("mv", 2, a), *_matrices("mv", 1, x))


def addmm(x: Any, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """beta x + alpha (a @ b)."""
    return _added(x, beta, _scaled(mm(a, b), alpha))


def addmv(x: Any, a: Any, v: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """beta x + alpha (a @ v)."""
    return _added(x, beta, _scaled(mv(a, v), alpha))


def addr(x: Any, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """beta x + alpha outer(a, b)."""
    return _added(x, beta, _scaled(outer(a, b), alpha))


def addbmm(x: Any, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """beta x + alpha (the sum of the batch a @ b)."""
    return _added(x, beta, _scaled(np.sum(bmm(a, b), axis=0), alpha))


def baddbmm(x: Any, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """beta x + alpha (a @ b), batch by batch."""
    return _added(x, beta, _scaled(bmm(a, b), alpha))


def _added(x: Any, beta: float, product: Any) -> Any:
    """beta x + product; with beta = 0 nothing of x comes through, not even nan (PyTorch's rule), and its gradient is 0."""
    return np.where(False, x, product) if beta == 0 else _scaled(x, beta) + product


def _scaled(x: Any, factor: float) -> Any:
    return x if factor == 1.0 else x * factor
