"""Reductions: many elements to one, along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._axes import Axis, axis_tuple, checked_axis
from autograd.ops.gate import pick
from autograd.primitive import as_operand, constant, functions, implements, internal


def expand(y: Any, axis: Axis, keepdims: bool) -> Any:
    """A reduced array with its axes back, of size 1, so that it broadcasts against what was reduced."""
    return y if keepdims or axis is None else np.expand_dims(y, axis)


def tensor_of(x: Any, name: str) -> Any:
    """The argument of a reduction as a Tensor."""
    operand = as_operand(x, name)
    return operand if hasattr(operand, "_data") else constant(np.asarray(operand))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    return math.prod(shape) if axis is None else math.prod(shape[a] for a in axis_tuple(axis, len(shape), "mean"))


# ------------------------------------------------------------------------------------------------ sum, mean, prod

_sum = internal(
    lambda x, *, axis=None, keepdims=False: np.add.reduce(x, axis, keepdims=keepdims),
    lambda g, _y, _x, *, axis=None, keepdims=False: expand(g, axis, keepdims),
    name="sum",
)


@implements(np.sum, (np.add, "reduce"))
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over axes; 0 over an empty one. d/dx_i = 1."""
    if axis is None and not keepdims:
        return _sum(x)
    x = tensor_of(x, "sum")
    return _sum(x, axis=checked_axis(axis, x.ndim, "sum"), keepdims=keepdims)


_mean = internal(
    lambda x, *, axis, keepdims, count: np.mean(x, axis=axis, keepdims=keepdims) if count else _nan(x, axis, keepdims),
    lambda g, _y, _x, *, axis, keepdims, count: expand(g, axis, keepdims) / (count or 1),
    name="mean",
)


def _nan(x: Array, axis: Axis, keepdims: bool) -> Array:
    """The mean of nothing."""
    zero = np.sum(x, axis=axis, keepdims=keepdims)
    return np.full(zero.shape, np.nan, x.dtype if x.dtype.kind == "f" else np.float64)


@implements(np.mean)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The arithmetic mean over axes; nan over an empty one. d/dx_i = 1/n."""
    x = tensor_of(x, "mean")
    axis = checked_axis(axis, x.ndim, "mean")
    return _mean(x, axis=axis, keepdims=keepdims, count=_count(x.shape, axis))


def _prod_rule(g: Any, _y: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """g times the product of all the others: two exclusive running products, so a zero is no special case."""
    axes = axis_tuple(axis, x.ndim, "prod")
    rest = [a for a in range(x.ndim) if a not in axes]
    flat = np.reshape(np.transpose(x, (*rest, *axes)), (*(x.shape[a] for a in rest), -1))
    if flat.shape[-1] == 0:
        return np.zeros_like(x)
    one = np.ones((*flat.shape[:-1], 1), flat.dtype)
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], axis=-1), axis=-1)
    after = np.flip(np.cumprod(np.concatenate([one, np.flip(flat[..., 1:], -1)], axis=-1), axis=-1), -1)
    moved = np.reshape(before * after, tuple(x.shape[a] for a in (*rest, *axes)))
    others = np.transpose(moved, tuple(int(i) for i in np.argsort((*rest, *axes)))) if x.ndim else moved
    return expand(g, axis, keepdims) * others


_prod = internal(
    lambda x, *, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    _prod_rule,
    name="prod",
)


@implements(np.prod, (np.multiply, "reduce"))
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product over axes; 1 over an empty one. d/dx_i is the product of the others, exact also where some are 0."""
    x = tensor_of(x, "prod")
    return _prod(x, axis=checked_axis(axis, x.ndim, "prod"), keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ max and min


def _extreme_rule(g: Any, y: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The gradient goes to where the extreme is, in equal parts where it is several times."""
    y = expand(y, axis, keepdims)
    there = np.logical_or(x == y, np.logical_and(np.isnan(x), np.isnan(y)))
    wide = np.float64 if x.dtype == np.float64 else np.float32  # float16 cannot count to 70,000
    ties = np.sum(there, axis=axis, keepdims=True, dtype=wide)
    return pick(there, expand(g, axis, keepdims) / ties, 0.0)


_max = internal(
    lambda x, *, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    _extreme_rule,
    name="max",
)
_min = internal(
    lambda x, *, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
    _extreme_rule,
    name="min",
)


def _nonempty(x: Any, axis: Axis, name: str) -> Axis:
    axis = checked_axis(axis, x.ndim, name)
    if _count(x.shape, axis) == 0:
        raise ValueError(f"{name}: expected at least one element along axis {axis}, got shape {x.shape}")
    return axis


@implements(np.max, np.amax, (np.maximum, "reduce"))
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The greatest element; nan where there is one. Ties share the gradient evenly."""
    x = tensor_of(x, "max")
    return _max(x, axis=_nonempty(x, axis, "max"), keepdims=keepdims)


@implements(np.min, np.amin, (np.minimum, "reduce"))
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The least element; nan where there is one. Ties share the gradient evenly."""
    x = tensor_of(x, "min")
    return _min(x, axis=_nonempty(x, axis, "min"), keepdims=keepdims)


amax = max
amin = min


@implements(np.ptp)
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The range: max - min."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


# ------------------------------------------------------------------------------------------------ spread


def _centred(x: Any, axis: Axis) -> Any:
    return x - np.mean(x, axis=axis, keepdims=True)


_var = internal(
    lambda x, *, axis, keepdims, scale: _var_kernel(x, axis, keepdims, scale),
    lambda g, _y, x, *, axis, keepdims, scale: expand(g, axis, keepdims) * (2.0 * scale) * _centred(x, axis),
    name="var",
)


def _var_kernel(x: Array, axis: Axis, keepdims: bool, scale: float) -> Array:
    if x.size == 0:
        return _nan(x, axis, keepdims)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    centred = wide - np.mean(wide, axis=axis, keepdims=True)
    result = np.asarray(np.sum(np.square(centred), axis=axis, keepdims=keepdims) * scale)
    return result.astype(x.dtype) if x.dtype.kind == "f" else result


def _std_rule(g: Any, y: Any, x: Any, *, axis: Axis, keepdims: bool, scale: float) -> Any:
    """g (x - mean) / ((n - correction) std); 0 where the standard deviation is 0."""
    y = expand(y, axis, keepdims)
    flat = y == 0
    return pick(flat, 0.0, expand(g, axis, keepdims) * scale * _centred(x, axis) / pick(flat, 1.0, y))


_std = internal(
    lambda x, *, axis, keepdims, scale: np.sqrt(_var_kernel(x, axis, keepdims, scale)),
    _std_rule,
    name="std",
)


def _spread(function: Any, x: Any, axis: Axis, ddof: float, keepdims: bool, name: str) -> Any:
    x = tensor_of(x, name)
    axis = checked_axis(axis, x.ndim, name)
    free = _count(x.shape, axis) - ddof
    return function(x, axis=axis, keepdims=keepdims, scale=1.0 / free if free > 0 else math.nan)


@implements(np.var)
def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None) -> Any:
    """The variance, sum((x - mean)**2) / (n - ddof); nan where n <= ddof.

    Args:
        x: the values.
        axis: the axes to reduce; None for all.
        ddof: subtracted from the number of elements: 0 is NumPy's default, 1 the unbiased estimate.
        keepdims: keep the reduced axes with size 1.
        correction: another name for ``ddof``.
    """
    return _spread(_var, x, axis, ddof if correction is None else correction, keepdims, "var")


@implements(np.std)
def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None) -> Any:
    """The standard deviation, the root of ``var``; its gradient is 0 where all elements are equal."""
    return _spread(_std, x, axis, ddof if correction is None else correction, keepdims, "std")


# ------------------------------------------------------------------------------------------------ norms


def _norm_kernel(x: Array, *, ord: float, axis: Axis, keepdims: bool) -> Array:
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    size = np.abs(wide)
    if ord == math.inf:
        return np.asarray(np.max(size, axis=axis, keepdims=keepdims, initial=0)).astype(x.dtype)
    if ord == -math.inf:
        return np.asarray(np.min(size, axis=axis, keepdims=keepdims)).astype(x.dtype)
    if ord == 1:
        return np.asarray(np.sum(size, axis=axis, keepdims=keepdims)).astype(x.dtype)
    greatest = np.max(size, axis=axis, keepdims=True, initial=0)
    # scaled by the greatest element, powers neither overflow nor vanish: the norm of [1e30, 1e30] in float32 is 1.414e30
    scale = np.where((greatest == 0) | ~np.isfinite(greatest), 1, greatest).astype(wide.dtype)
    scaled = size / scale
    total = np.sum(np.square(scaled) if ord == 2 else np.power(scaled, ord), axis=axis, keepdims=True)
    root = np.sqrt(total) if ord == 2 else np.power(total, 1.0 / ord)
    result = scale * root
    if not keepdims:
        result = np.squeeze(result, axis=axis if axis is not None else tuple(range(x.ndim)))
    return np.asarray(result).astype(x.dtype)


def _norm_rule(g: Any, y: Any, x: Any, *, ord: float, axis: Axis, keepdims: bool) -> Any:
    """g sign(x) (|x| / y)**(p - 1); 0 where the norm is 0."""
    y, g = expand(y, axis, keepdims), expand(g, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    if ord in (math.inf, -math.inf):
        there = np.abs(x) == y
        ties = np.sum(there, axis=axis, keepdims=True, dtype=np.float64 if x.dtype == np.float64 else np.float32)
        return pick(there, g * np.sign(x) / ties, 0.0)
    zero = y == 0
    ratio = x / pick(zero, 1.0, y)
    if ord == 2:
        return g * pick(zero, 0.0, ratio)
    return g * pick(zero, 0.0, np.sign(x) * np.power(np.abs(ratio), ord - 1.0))


_norm = internal(_norm_kernel, _norm_rule, name="norm")


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """A vector norm over axes, (sum |x|**p) ** (1/p), without overflow in between; its gradient at 0 is 0.

    Args:
        x: the values.
        ord: p: 2 (None, the default), 1, ``inf``, ``-inf``, 0 (the number of nonzero elements, without gradient) or any number.
        axis: the axes over which one norm is taken; None for all elements.
        keepdims: keep the reduced axes with size 1.
    """
    x = tensor_of(x, "norm")
    p = 2.0 if ord is None or ord == "fro" else ord
    if not isinstance(p, int | float):
        raise ValueError(f"norm: expected a number, inf, -inf or None as ord, got {ord!r}")
    axis = checked_axis(axis, x.ndim, "norm")
    if p == 0:
        return constant(np.asarray(np.count_nonzero(x._data, axis=axis, keepdims=keepdims)).astype(x.dtype))
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    return _norm(x, ord=float(p), axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ with nan left out


@implements(np.nansum)
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum of the elements that are not nan."""
    x = tensor_of(x, "nansum")
    return sum(np.where(np.isnan(x), 0.0, x), axis, keepdims)


@implements(np.nanmean)
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of the elements that are not nan."""
    x = tensor_of(x, "nanmean")
    present = np.logical_not(np.isnan(x))
    count = np.sum(present, axis=checked_axis(axis, x.ndim, "nanmean"), keepdims=keepdims, dtype=x.dtype)
    return nansum(x, axis, keepdims) / count


# ------------------------------------------------------------------------------------------------ without gradient


def _plain(x: Any, name: str) -> Any:
    return tensor_of(x, name)._data


@implements(np.any, (np.logical_or, "reduce"))
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """True where an element is not 0: an ndarray."""
    return np.asarray(np.any(_plain(x, "any"), axis=axis, keepdims=keepdims))


@implements(np.all, (np.logical_and, "reduce"))
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """True where no element is 0: an ndarray."""
    return np.asarray(np.all(_plain(x, "all"), axis=axis, keepdims=keepdims))


@implements(np.count_nonzero)
def count_nonzero(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The number of elements that are not 0: an ndarray."""
    return np.asarray(np.count_nonzero(_plain(x, "count_nonzero"), axis=axis, keepdims=keepdims))


functions[np.linalg.norm] = norm
