"""Reductions: many elements to one, along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import functions, implements, internal, reduction
from autograd.ops._axes import Axis, axis_tuple, checked_axis, expand
from autograd.ops.gate import pick
from autograd.primitive import as_operand, constant

add_up: Any = np.add.reduce  # their declared types have no axes that are None or several
_multiply_up: Any = np.multiply.reduce


def tensor_of(x: Any, name: str) -> Any:
    """The argument of a reduction as a Tensor."""
    if hasattr(x, "_data"):
        return x
    operand = as_operand(x, name)
    return operand if hasattr(operand, "_data") else constant(np.asarray(operand))


def reduced(x: Any, axis: Any, dtype: Any, name: str) -> tuple[Any, Axis]:
    """The tensor (in another dtype, if one is asked for) and its checked axes."""
    x = tensor_of(x, name)
    if dtype is not None:
        x = x.to(dtype)
    return x, None if axis is None else checked_axis(axis, x.ndim, name)


def count_along(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements a reduction over checked axes makes one of."""
    if axis is None:
        return math.prod(shape)
    return math.prod([shape[a] for a in axis]) if isinstance(axis, tuple) else shape[axis]


def _wide(x: Array) -> Any:
    """The dtype to sum in: float32 for float16, where NumPy's along an outer axis would stop at 2048; else NumPy's choice."""
    return np.float32 if x.dtype.char == "e" else None


def reduce_method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The ``reduce`` of a ufunc, which is over the first axis unless told otherwise."""

    def reduce(x: Any, axis: Any = 0, dtype: Any = None, *, keepdims: bool = False) -> Any:
        if dtype is not None:
            x = tensor_of(x, function.__name__).to(dtype)
        return function(x, axis, keepdims=keepdims)

    return reduce


# ------------------------------------------------------------------------------------------------ sum, mean, prod


def _sum_kernel(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Any:
    if x.dtype.char == "e":
        return add_up(x, axis, np.float32, keepdims=keepdims).astype(np.float16)
    return add_up(x, axis, keepdims=keepdims)


_sum = reduction(
    _sum_kernel,
    lambda g, _y, _x, *, axis=None, keepdims=False: expand(g, axis, keepdims),
    name="sum",
)


@implements(np.sum)
def sum(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    """The sum over axes; 0 over an empty one. d/dx_i = 1."""
    if axis is None and dtype is None and not keepdims:
        return _sum(x)
    x, axis = reduced(x, axis, dtype, "sum")
    return _sum(x, axis=axis, keepdims=keepdims)


def mean_kernel(x: Array, *, axis: Axis, keepdims: bool, count: int) -> Any:
    """The sum over axes divided by ``count``."""
    if x.dtype.kind != "f":
        return add_up(x, axis, np.float64, keepdims=keepdims) / count
    mean = add_up(x, axis, _wide(x), keepdims=keepdims) / count
    return mean if mean.dtype == x.dtype else mean.astype(x.dtype)


def share(g: Any, count: int) -> Any:
    """What each of ``count`` elements gets of the cotangent of their mean."""
    if count > 60_000 and g.dtype == np.float16:  # such a count is inf in float16, its reciprocal is not 0
        return g * (1.0 / count)
    return g / (count or 1)


_mean = internal(
    mean_kernel,
    lambda g, _y, _x, *, axis, keepdims, count: share(expand(g, axis, keepdims), count),
    name="mean",
)


@implements(np.mean)
def mean(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    """The arithmetic mean over axes; nan over an empty one. d/dx_i = 1/n."""
    x, axis = reduced(x, axis, dtype, "mean")
    return _mean(x, axis=axis, keepdims=keepdims, count=count_along(x.shape, axis))


def _prod_kernel(x: Array, *, axis: Axis, keepdims: bool) -> Any:
    result = _multiply_up(x, axis, _wide(x), keepdims=keepdims)
    return result.astype(x.dtype) if x.dtype.char == "e" else result


def _prod_rule(g: Any, _y: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """g times the product of all the others: two exclusive running products, so a zero is no special case."""
    axes = axis_tuple(axis, x.ndim, "prod")
    rest = [a for a in range(x.ndim) if a not in axes]
    flat = np.reshape(np.transpose(x, (*rest, *axes)), (*[x.shape[a] for a in rest], math.prod([x.shape[a] for a in axes])))
    if flat.shape[-1] == 0:
        return np.zeros_like(x)
    one = np.ones((*flat.shape[:-1], 1), flat.dtype)
    # in double width: a partial product of float32 may be greater than the product
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], axis=-1), axis=-1, dtype=np.float64)
    after = np.cumprod(np.concatenate([one, np.flip(flat[..., 1:], -1)], axis=-1), axis=-1, dtype=np.float64)
    others = before * np.flip(after, -1)
    stray = np.isnan(others)
    if np.any(stray):  # 0 * inf of partial products that overflowed: if all factors are finite, the zero is right
        finite = np.logical_and(stray, np.all(np.isfinite(flat), axis=-1, keepdims=True))
        others = pick(finite, 0.0, others)
    others = np.reshape(others, tuple(x.shape[a] for a in (*rest, *axes)))
    if axes != tuple(range(len(rest), x.ndim)):
        others = np.transpose(others, tuple(int(i) for i in np.argsort((*rest, *axes))))
    return expand(g, axis, keepdims) * others


_prod = internal(_prod_kernel, _prod_rule, name="prod")


@implements(np.prod)
def prod(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    """The product over axes; 1 over an empty one. d/dx_i is the product of the others, exact also where some are 0."""
    x, axis = reduced(x, axis, dtype, "prod")
    return _prod(x, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ max and min


def _extreme_rule(g: Any, y: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The gradient goes to where the extreme is, in equal parts where it is several times."""
    y = expand(y, axis, keepdims)
    there = x == y
    if np.any(np.isnan(y)):
        there = np.logical_or(there, np.logical_and(np.isnan(x), np.isnan(y)))
    wide = np.float64 if x.dtype == np.float64 else np.float32  # float16 cannot count to 70,000
    ties = np.asarray(np.count_nonzero(there, axis=axis, keepdims=True), wide)
    return pick(there, expand(g, axis, keepdims) / ties, 0.0)


_max = internal(
    lambda x, *, axis, keepdims: np.maximum.reduce(x, axis, keepdims=keepdims),
    _extreme_rule,
    name="max",
)
_min = internal(
    lambda x, *, axis, keepdims: np.minimum.reduce(x, axis, keepdims=keepdims),
    _extreme_rule,
    name="min",
)


def nonempty(x: Any, axis: Any, name: str) -> Axis:
    """Checked axes over which there is something to choose from."""
    checked = checked_axis(axis, x.ndim, name)
    if count_along(x.shape, checked) == 0:
        raise ValueError(f"{name}: expected at least one element along axis {axis}, got shape {x.shape}")
    return checked


@implements(np.max, np.amax)
def max(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The greatest element; nan where there is one. Ties share the gradient evenly."""
    if hasattr(axis, "_data"):
        raise TypeError("max: expected an axis as second argument, got a Tensor; use maximum() for the greater of two")
    x = tensor_of(x, "max")
    return _max(x, axis=nonempty(x, axis, "max"), keepdims=keepdims)


@implements(np.min, np.amin)
def min(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The least element; nan where there is one. Ties share the gradient evenly."""
    if hasattr(axis, "_data"):
        raise TypeError("min: expected an axis as second argument, got a Tensor; use minimum() for the lesser of two")
    x = tensor_of(x, "min")
    return _min(x, axis=nonempty(x, axis, "min"), keepdims=keepdims)


amax = max
amin = min


@implements(np.ptp)
def ptp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The range: max - min."""
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ spread


def _variance(x: Array, axis: Axis, keepdims: bool, count: int, free: float) -> Any:
    """In NumPy's own steps, but float16 in float32."""
    wide = np.float64 if x.dtype.kind != "f" else _wide(x)
    centred = np.asarray(x - add_up(x, axis, wide, keepdims=True) / count)
    np.multiply(centred, centred, out=centred)
    return add_up(centred, axis, keepdims=keepdims) / free


def _centred(x: Any, axis: Axis) -> Any:
    return x - np.mean(x, axis=axis, keepdims=True)


def _per(free: float) -> float:
    return 1.0 / free if free else math.nan


def _var_kernel(x: Array, *, axis: Axis, keepdims: bool, count: int, free: float) -> Any:
    result = _variance(x, axis, keepdims, count, free)
    return result.astype(x.dtype) if x.dtype.kind == "f" else result


_var = internal(
    _var_kernel,
    lambda g, _y, x, *, axis, keepdims, count, free: expand(g, axis, keepdims) * (2.0 * _per(free)) * _centred(x, axis),  # noqa: ARG005
    name="var",
)


def _std_kernel(x: Array, *, axis: Axis, keepdims: bool, count: int, free: float) -> Any:
    result = np.sqrt(_variance(x, axis, keepdims, count, free))
    return result.astype(x.dtype) if x.dtype.kind == "f" else result


def _std_rule(g: Any, y: Any, x: Any, *, axis: Axis, keepdims: bool, count: int, free: float) -> Any:  # noqa: ARG001
    """g (x - mean) / ((n - ddof) std); 0 where the standard deviation is 0."""
    y = expand(y, axis, keepdims)
    flat = y == 0
    return pick(flat, 0.0, expand(g, axis, keepdims) * _per(free) * _centred(x, axis) / pick(flat, 1.0, y))


_std = internal(_std_kernel, _std_rule, name="std")


def _spread(function: Any, x: Any, axis: Axis, dtype: Any, ddof: float, keepdims: bool, name: str) -> Any:
    x, axis = reduced(x, axis, dtype, name)
    count = count_along(x.shape, axis)
    return function(x, axis=axis, keepdims=keepdims, count=count, free=count - ddof if count > ddof else 0)


@implements(np.var)
def var(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Any:
    """The variance, sum((x - mean)**2) / (n - ddof); nan (or inf) where n <= ddof.

    Args:
        x: the values.
        axis: the axes to reduce; None for all.
        dtype: the dtype to compute in, if not that of x.
        ddof: subtracted from the number of elements: 0 is NumPy's default, 1 the unbiased estimate.
        keepdims: keep the reduced axes with size 1.
        correction: another name for ``ddof``.
    """
    return _spread(_var, x, axis, dtype, ddof if correction is None else correction, keepdims, "var")


@implements(np.std)
def std(
    x: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Any:
    """The standard deviation, the root of ``var``; its gradient is 0 where all elements are equal."""
    return _spread(_std, x, axis, dtype, ddof if correction is None else correction, keepdims, "std")


def var_mean(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> tuple[Any, Any]:
    """The variance and the mean."""
    return var(x, axis, ddof=ddof, keepdims=keepdims), mean(x, axis, keepdims=keepdims)


def std_mean(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> tuple[Any, Any]:
    """The standard deviation and the mean."""
    return std(x, axis, ddof=ddof, keepdims=keepdims), mean(x, axis, keepdims=keepdims)


def aminmax(x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Any, Any]:
    """The least and the greatest element."""
    return min(x, axis, keepdims=keepdims), max(x, axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------------ with nan left out


@implements(np.nansum)
def nansum(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    """The sum of the elements that are not nan."""
    x = tensor_of(x, "nansum")
    return sum(np.where(np.isnan(x), 0.0, x) if x.dtype.kind == "f" else x, axis, dtype, keepdims=keepdims)


@implements(np.nanmean)
def nanmean(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The mean of the elements that are not nan; nan where there are none."""
    x = tensor_of(x, "nanmean")
    if x.dtype.kind != "f":
        return mean(x, axis, keepdims=keepdims)
    present = np.logical_not(np.isnan(x))
    count = np.asarray(np.count_nonzero(present, checked_axis(axis, x.ndim, "nanmean"), keepdims=keepdims), x.dtype)
    return nansum(x, axis, keepdims=keepdims) / count


def _without_nan(function: Callable[..., Any], filler: float, x: Any, axis: Axis, keepdims: bool, name: str) -> Any:
    x = tensor_of(x, name)
    if x.dtype.kind != "f":
        return function(x, axis, keepdims=keepdims)
    absent = np.isnan(x)
    result = function(np.where(absent, filler, x), axis, keepdims=keepdims)
    return np.where(np.all(absent, axis=axis, keepdims=keepdims), math.nan, result)


@implements(np.nanmax)
def nanmax(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The greatest of the elements that are not nan; nan where there are none."""
    return _without_nan(max, -math.inf, x, axis, keepdims, "nanmax")


@implements(np.nanmin)
def nanmin(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The least of the elements that are not nan; nan where there are none."""
    return _without_nan(min, math.inf, x, axis, keepdims, "nanmin")


# ------------------------------------------------------------------------------------------------ without gradient


@implements(np.any)
def any(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """True where an element is not 0: an ndarray."""
    x, axis = reduced(x, axis, None, "any")
    return np.asarray(np.any(x._data, axis=axis, keepdims=keepdims))


@implements(np.all)
def all(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """True where no element is 0: an ndarray."""
    x, axis = reduced(x, axis, None, "all")
    return np.asarray(np.all(x._data, axis=axis, keepdims=keepdims))


@implements(np.count_nonzero)
def count_nonzero(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The number of elements that are not 0: an ndarray."""
    x, axis = reduced(x, axis, None, "count_nonzero")
    return np.asarray(np.count_nonzero(x._data, axis=axis, keepdims=keepdims))


for _ufunc, _function in (
    (np.add, sum), (np.multiply, prod), (np.maximum, max), (np.minimum, min), (np.logical_or, any), (np.logical_and, all),
):  # fmt: skip
    functions[_ufunc, "reduce"] = reduce_method(_function)
