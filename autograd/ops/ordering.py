"""Order: sorting, the k greatest, medians, and the positions of extremes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import Array
from autograd.ops._axes import Axis, checked_axis, one_axis
from autograd.ops.indexing import getitem, take_along_axis
from autograd.ops.reductions import _count, tensor_of
from autograd.primitive import implements


class Sorted(NamedTuple):
    """Values and the positions that they come from."""

    values: Any
    indices: Any


def _order(x: Array, axis: int, descending: bool = False) -> Array:
    """A stable order, nan last (first when descending)."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backward = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return np.asarray(x.shape[axis] - 1 - backward)


@implements(np.argsort)
def argsort(x: Any, axis: int | None = -1, descending: bool = False) -> Array:
    """The positions that sort an axis (of the flat x without one), stable: an ndarray."""
    data = tensor_of(x, "argsort")._data
    if axis is None:
        data, axis = data.reshape(-1), 0
    return _order(data, one_axis(axis, data.ndim, "argsort"), descending)


@implements(np.sort)
def sort(x: Any, axis: int | None = -1, descending: bool = False) -> Any:
    """Sorted along an axis; the gradient follows the (stable) permutation."""
    x = tensor_of(x, "sort")
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "sort")
    return take_along_axis(x, _order(x._data, axis, descending), axis)


def msort(x: Any) -> Any:
    """Sorted along axis 0."""
    return sort(x, 0)


@implements(np.partition)
def partition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Rearranged so that the element at kth is where sorting would put it, none greater before it, none smaller behind."""
    x = tensor_of(x, "partition")
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "partition")
    return take_along_axis(x, np.argpartition(x._data, kth, axis=axis), axis)


def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> Sorted:
    """The k greatest (or least) elements along an axis, in order, and their positions."""
    x = tensor_of(x, "topk")
    axis = one_axis(axis, x.ndim, "topk")
    if not 0 <= k <= x.shape[axis]:
        raise ValueError(f"topk: expected k from 0 to {x.shape[axis]}, got {k}")
    order = _order(x._data, axis, descending=largest)
    indices = order[(slice(None),) * axis + (slice(k),)]
    return Sorted(take_along_axis(x, indices, axis), indices)


def kthvalue(x: Any, k: int, axis: int = -1) -> Sorted:
    """The k-th least element along an axis (from 1), and its position."""
    x = tensor_of(x, "kthvalue")
    axis = one_axis(axis, x.ndim, "kthvalue")
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"kthvalue: expected k from 1 to {x.shape[axis]}, got {k}")
    place = (slice(None),) * axis + (k - 1,)
    indices = _order(x._data, axis)
    return Sorted(getitem(sort(x, axis), place), indices[place])


@implements(np.median)
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle element along axes; of an even number the mean of the two middle ones, as in NumPy."""
    x = tensor_of(x, "median")
    axis = checked_axis(axis, x.ndim, "median")
    count = _count(x.shape, axis)
    if count == 0:
        raise ValueError(f"median: expected at least one element, got shape {x.shape}")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    flat = np.reshape(np.transpose(x, (*rest, *axes)), (*(x.shape[a] for a in rest), count))
    ordered = sort(flat, -1)
    middle = (ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2.0
    last = ordered[..., -1]
    middle = np.where(np.isnan(last), last, middle)  # nan sorts last
    return np.reshape(middle, tuple(1 if a in axes else size for a, size in enumerate(x.shape))) if keepdims else middle


@implements(np.argmax)
def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The position of the greatest element (the first of several; nan is greatest): an ndarray."""
    return _position(np.argmax, x, axis, keepdims, "argmax")


@implements(np.argmin)
def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The position of the least element (the first of several): an ndarray."""
    return _position(np.argmin, x, axis, keepdims, "argmin")


def _position(function: Any, x: Any, axis: int | None, keepdims: bool, name: str) -> Array:
    x = tensor_of(x, name)
    if axis is not None:
        axis = one_axis(axis, x.ndim, name)
    if _count(x.shape, axis) == 0:
        raise ValueError(f"{name}: expected at least one element along axis {axis}, got shape {x.shape}")
    return np.asarray(function(x._data, axis=axis, keepdims=keepdims))


@implements(np.nonzero)
def nonzero(x: Any) -> tuple[Array, ...]:
    """The positions of the elements that are not 0: one index array for each axis."""
    return np.nonzero(np.atleast_1d(tensor_of(x, "nonzero")._data))


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Array:
    """Where to insert v into the sorted a: an ndarray."""
    array, value = tensor_of(a, "searchsorted")._data, tensor_of(v, "searchsorted")._data
    return np.asarray(np.searchsorted(array, value, side=side, sorter=sorter))  # type: ignore[call-overload]
