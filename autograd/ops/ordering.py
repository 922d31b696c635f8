"""Order: sorting, the k greatest, medians, and the positions of extremes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements
from autograd.ops._axes import Axis, one_axis
from autograd.ops.indexing import take_along_axis
from autograd.ops.reductions import nonempty, tensor_of


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


def _check_kind(kind: Any, stable: Any, name: str) -> None:
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable") or stable not in (None, True, False):
        raise ValueError(f"{name}: expected a kind of sorting that NumPy knows, got {kind!r}; every one is done stably")


@implements(np.argsort)
def argsort(
    x: Any, axis: int | None = -1, kind: str | None = None, *, descending: bool = False, stable: bool | None = None
) -> Array:
    """The positions that sort an axis (of the flat x without one): an ndarray.

    Args:
        x: the values.
        axis: along which axis; None for the flat x.
        kind: accepted as in NumPy; the order is always the stable one.
        descending: greatest first.
        stable: accepted, likewise.
    """
    _check_kind(kind, stable, "argsort")
    data = tensor_of(x, "argsort")._data
    if axis is None:
        data, axis = data.reshape(-1), 0
    return _order(data, one_axis(axis, data.ndim, "argsort"), descending)


@implements(np.sort)
def sort(
    x: Any, axis: int | None = -1, kind: str | None = None, *, descending: bool = False, stable: bool | None = None
) -> Any:
    """Sorted along an axis (``None``: flat); the gradient follows the (stable) permutation. Arguments as of ``argsort``."""
    _check_kind(kind, stable, "sort")
    x = tensor_of(x, "sort")
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "sort")
    return take_along_axis(x, _order(x._data, axis, descending), axis)


def msort(x: Any) -> Any:
    """Sorted along axis 0."""
    return sort(x, 0)


@implements(np.partition)
def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
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


def kthvalue(x: Any, k: int, axis: int = -1, *, keepdims: bool = False) -> Sorted:
    """The k-th least element along an axis (from 1), and its position."""
    x = tensor_of(x, "kthvalue")
    axis = one_axis(axis, x.ndim, "kthvalue")
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"kthvalue: expected k from 1 to {x.shape[axis]}, got {k}")
    indices = np.take(_order(x._data, axis), [k - 1], axis)
    return _one_of_each(x, indices, axis, keepdims)


def _one_of_each(x: Any, indices: Array, axis: int, keepdims: bool) -> Sorted:
    """The elements at these positions (of size 1 along the axis), with the axis or without."""
    values = take_along_axis(x, indices, axis)
    return Sorted(values, indices) if keepdims else Sorted(np.squeeze(values, axis), np.squeeze(indices, axis))


@implements(np.median)
def median(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The middle element along axes; of an even number the mean of the two middle ones, as in NumPy."""
    x = tensor_of(x, "median")
    axis = nonempty(x, axis, "median")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    count = math.prod([x.shape[a] for a in axes])
    ordered = sort(np.reshape(np.transpose(x, (*rest, *axes)), (*(x.shape[a] for a in rest), count)), -1)
    middle = np.mean(ordered[..., (count - 1) // 2 : count // 2 + 1], axis=-1)
    last = ordered[..., -1]
    if x.dtype.kind == "f" and np.any(np.isnan(last)):
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
    nonempty(x, axis, name)
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
