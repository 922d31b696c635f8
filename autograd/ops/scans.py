"""Scans: running sums and products along an axis, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.ops._axes import one_axis
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of


def _wide(x: Array, operation: np.ufunc, axis: int) -> Array:
    """A running total in double width: a float32 sum of 1s would stop growing at 2**24."""
    if x.dtype in (np.float16, np.float32):
        result: Array = operation.accumulate(x, axis=axis, dtype=np.float64).astype(x.dtype)
        return result
    return np.asarray(operation.accumulate(x, axis=axis))


def _along(x: Any, axis: Any, name: str, dtype: Any = None) -> tuple[Any, int]:
    """The tensor (flat where axis is None, in another dtype if one is asked for) and its axis."""
    x = tensor_of(x, name)
    if dtype is not None:
        x = x.to(dtype)
    if axis is None:
        return np.reshape(x, (-1,)), 0
    return x, one_axis(axis, x.ndim, name)


_cumsum: Any = internal(
    lambda x, *, axis: _wide(x, np.add, axis),
    lambda g, _y, _x, *, axis: np.flip(_running_sum(np.flip(g, axis), axis=axis), axis),
    name="cumsum",
)
_running_sum: Any = in_rules(_cumsum)  # np.cumsum of a float32 array would stop growing


@implements(np.cumsum)
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The running sum along an axis (of the flat array without one), accumulated in float64."""
    x, axis = _along(x, axis, "cumsum", dtype)
    return _cumsum(x, axis=axis)


def _scan_kernel(a: Array, b: Array, *, axis: int) -> Array:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    h = np.empty(b.shape, np.result_type(a, b))
    running: Any = np.zeros(b.shape[1:], h.dtype)
    for step in range(b.shape[0]):
        running = a[step] * running + b[step]
        h[step] = running
    return np.ascontiguousarray(np.moveaxis(h, 0, axis))


def _shifted(x: Any, axis: int) -> Any:
    """One step later: a 0 in front, the last one gone."""
    first, others = _part(x, axis, 0, 1), _part(x, axis, 0, -1)
    return np.concatenate([np.zeros_like(first), others], axis=axis)


def _part(x: Any, axis: int, start: int, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _scan_back(g: Any, a: Any, axis: int) -> Any:
    """The adjoint state: l_i = g_i + a_(i+1) l_(i+1), which is the same recurrence from the other end."""
    later = _shifted(np.flip(a, axis), axis)
    return np.flip(scan_rule(later, np.flip(g, axis), axis=axis), axis)


_scan = internal(
    _scan_kernel,
    lambda g, h, a, _b, *, axis: _scan_back(g, a, axis) * _shifted(h, axis),
    lambda g, _h, a, _b, *, axis: _scan_back(g, a, axis),
    name="linear_scan",
)
scan_rule = in_rules(_scan)


def linear_scan(a: Any, b: Any, axis: int = -1) -> Any:
    """The linear recurrence h_i = a_i h_(i-1) + b_i along an axis, from h = 0."""
    a, b = tensor_of(a, "linear_scan"), tensor_of(b, "linear_scan")
    if a.shape != b.shape:
        raise ValueError(f"linear_scan: expected equal shapes, got {a.shape} and {b.shape}")
    return _scan(a, b, axis=one_axis(axis, a.ndim, "linear_scan"))


def _cumprod_rule(g: Any, _y: Any, x: Any, *, axis: int) -> Any:
    """The product before i, times the sum of what comes after: no division, so zeros are no special case."""
    if x.shape[axis] == 0:
        return np.zeros_like(x)
    first = _part(x, axis, 0, 1)
    before = _running_product(np.concatenate([np.ones_like(first), _part(x, axis, 0, -1)], axis=axis), axis=axis)
    return before * _scan_back(g, x, axis)


_cumprod = internal(lambda x, *, axis: _wide(x, np.multiply, axis), _cumprod_rule, name="cumprod")
_running_product: Any = in_rules(_cumprod)


@implements(np.cumprod)
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The running product along an axis (of the flat array without one); its gradient is exact through zeros."""
    x, axis = _along(x, axis, "cumprod", dtype)
    return _cumprod(x, axis=axis)


@implements((np.add, "accumulate"))
def _add_accumulate(x: Any, axis: int = 0, dtype: Any = None) -> Any:
    return cumsum(x, axis, dtype)  # a ufunc's method takes the first axis unless told otherwise


@implements((np.multiply, "accumulate"))
def _multiply_accumulate(x: Any, axis: int = 0, dtype: Any = None) -> Any:
    return cumprod(x, axis, dtype)


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th difference x[i + 1] - x[i] along an axis.

    Args:
        x: the values.
        n: how many times differences are taken.
        axis: along which axis.
        prepend: a number or array to put in front first.
        append: a number or array to put behind first.
    """
    x = tensor_of(x, "diff")
    if n < 0:
        raise ValueError(f"diff: expected n >= 0, got {n}")
    axis = one_axis(axis, x.ndim, "diff")
    if prepend is not None or append is not None:
        ends = [end if end is None else _slab(end, x, axis) for end in (prepend, append)]
        x = np.concatenate([part for part in (ends[0], x, ends[1]) if part is not None], axis=axis)
    for _ in range(n):
        x = _part(x, axis, 1, None) - _part(x, axis, 0, -1)
    return x


def _slab(end: Any, x: Any, axis: int) -> Any:
    """What is put at an end of x: a number stands for a slice of its own width."""
    end = tensor_of(end, "diff")
    return end if end.ndim else np.broadcast_to(end.to(x.dtype), (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def _trapezoids(y: Any, x: Any, dx: float, axis: int, name: str) -> tuple[Any, int]:
    y = tensor_of(y, name)
    axis = one_axis(axis, y.ndim, name)
    width: Any = dx
    if x is not None:
        x = tensor_of(x, name)
        width = diff(x, axis=0 if x.ndim == 1 else axis)
        if x.ndim == 1:
            width = np.reshape(width, (-1,) + (1,) * (y.ndim - axis - 1))
    return width * (_part(y, axis, 1, None) + _part(y, axis, 0, -1)) / 2.0, axis


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of y along an axis by the trapezoidal rule, over points x or with spacing dx."""
    areas, axis = _trapezoids(y, x, dx, axis, "trapezoid")
    return np.sum(areas, axis=axis)


def cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The running integral of y along an axis by the trapezoidal rule: one element less than y."""
    areas, axis = _trapezoids(y, x, dx, axis, "cumulative_trapezoid")
    return cumsum(areas, axis)
