"""Indexing, and its adjoint: scattering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.graph import Aval
from autograd.ops._axes import one_axis
from autograd.ops.elementwise import clone
from autograd.ops.reductions import tensor_of
from autograd.primitive import apply, as_operand, constant
from autograd.scattering import Scatter


def _picked(x: Array, *, index: Any) -> Any:
    if type(index) is np.ndarray and x.ndim > 1 and index.size > 64 and index.dtype.kind in "iu" and x.flags.c_contiguous:
        return x.take(index, 0)  # rows: half the time of x[index], but a copy of x first where it is not contiguous
    return x[index]


_getitem = internal(
    _picked,
    lambda g, _y, _x, *, index: Scatter(index, g),
    name="getitem",
    view=True,
)


def getitem(x: Any, index: Any) -> Any:
    """``x[index]`` with NumPy's rules: integers, slices, None, Ellipsis, arrays of integers or bools, and mixtures.

    Repeated indices accumulate in the gradient.

    Raises:
        IndexError: for an index that is out of range, of the wrong type, or a mask of the wrong shape.
    """
    return _getitem(x, index=private_index(index))


def private_index(index: Any) -> Any:
    """The index with Tensors and arrays as private copies: the caller may write to its own before backward."""
    if type(index) is int or type(index) is slice:
        return _plain_slice(index) if type(index) is slice else index
    if type(index) is tuple:
        return tuple(private_index(part) for part in index)
    if index is None or index is Ellipsis or isinstance(index, bool):
        return index
    array = np.array(getattr(index, "_data", index))
    if array.size == 0 and isinstance(index, list):
        array = array.astype(np.intp)
    if array.dtype.kind not in "iub":
        raise IndexError(
            f"getitem: expected integers, slices, None, Ellipsis or masks as index, got {_described(index, array)}"
        )
    if array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)
    return array


def _plain_slice(index: slice) -> slice:
    parts = (index.start, index.stop, index.step)
    if all(part is None or type(part) is int for part in parts):
        return index
    return slice(*(None if part is None else int(part.__index__()) for part in parts))


def _described(index: Any, array: Array) -> str:
    return type(index).__name__ if array.dtype.kind in "OUS" else f"{array.dtype} values"


def _join(*values: Any, indices: tuple[Any, ...], aval: Aval) -> Array:
    buffer = np.zeros(*aval)
    for index, value in zip(indices, values, strict=True):
        Scatter(index, value).add_to(buffer)
    return buffer


def _join_rule(
    g: Any,
    wanted: tuple[bool, ...],
    _y: Any,
    *_values: Any,
    indices: tuple[Any, ...],
    aval: Aval,  # noqa: ARG001
) -> list[Any]:
    return [g[index] if want else None for index, want in zip(indices, wanted, strict=True)]


_scatter = internal(_join, name="scatter", joint=_join_rule)


def _join_scattered(scatters: list[Scatter], aval: Aval) -> Any:
    """The sum of index contributions as one op of the graph: a backward pass that is itself recorded."""
    return _scatter(*(each.values for each in scatters), indices=tuple(each.index for each in scatters), aval=aval)


Scatter.join = _join_scattered


# ------------------------------------------------------------------------------------------------ assignment


def _set_kernel(x: Array, value: Any, *, index: Any) -> Array:
    x[index] = value
    return x


def _cleared(g: Any, index: Any) -> Any:
    """g with the elements at the index set to 0."""
    keep = np.ones(g.shape, np.bool_)
    keep[index] = False
    return np.where(keep, g, 0.0)


def _written(g: Any, index: Any) -> Any:
    """The cotangent of what was assigned: where an element was written several times, only the last write counts."""
    picked = g[index]
    parts = index if type(index) is tuple else (index,)
    if not any(isinstance(part, np.ndarray) and part.dtype.kind in "iu" for part in parts):
        return picked
    order = np.arange(math.prod(picked.shape)).reshape(picked.shape)
    last = np.full(g.shape, -1)
    last[index] = order
    return np.where(last[index] == order, picked, 0.0)


_set = internal(
    _set_kernel,
    lambda g, _y, _x, _value, *, index: _cleared(g, index),
    lambda g, _y, _x, _value, *, index: _written(g, index),
    name="setitem",
)


def set_in_place(x: Any, index: Any, value: Any) -> Any:
    """Writes ``x[index] = value`` into the memory of x and returns the recorded result (see ``Tensor.__setitem__``)."""
    given = as_operand(value, "setitem")
    place = private_index(index)
    shape = np.shape(getattr(given, "_data", given))
    target = x._data[place].shape
    while len(shape) > len(target) and shape[0] == 1:  # NumPy drops leading axes of size 1 of what is assigned
        shape = shape[1:]
        given = given[0]
    if len(shape) > len(target) or any(a not in (1, b) for a, b in zip(reversed(shape), reversed(target), strict=False)):
        raise ValueError(f"setitem: expected a value that broadcasts to {target}, got shape {shape}")
    return apply(_set.primitive, (x, given), {"index": place})  # type: ignore[attr-defined]


implements(np.copy)(lambda a, order="K": clone(a))  # noqa: ARG005


# ------------------------------------------------------------------------------------------------ by index arrays


def integers(index: Any, op: str) -> Array:
    """An index argument as an integer array."""
    array = np.asarray(getattr(index, "_data", index))
    if array.dtype.kind not in "iu":
        if array.size:
            raise TypeError(f"{op}: expected integer indices, got {array.dtype}")
        array = array.astype(np.intp)
    return array


def _in_range(index: Array, size: int, op: str) -> Array:
    if index.size and (index.min() < -size or index.max() >= size):
        bad = index[(index < -size) | (index >= size)].flat[0]
        raise IndexError(f"{op}: expected indices from {-size} to {size - 1}, got {bad}")
    return index


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """The slices of x at these positions of an axis (of the flat x without one).

    ``mode`` says what becomes of a position out of range: "raise", "wrap" (modulo the size) or "clip" (to the ends).
    """
    x = tensor_of(x, "take")
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "take")
    index, size = integers(indices, "take"), x.shape[axis]
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"take: expected mode 'raise', 'wrap' or 'clip', got {mode!r}")
    if mode == "raise" or not size:
        index = _in_range(index, size, "take")
    else:
        index = index % size if mode == "wrap" else np.clip(index, 0, size - 1)
    return getitem(x, (slice(None),) * axis + (index,))


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of x at these positions of an axis, in PyTorch's argument order."""
    positions = integers(index, "index_select")
    if positions.ndim > 1:
        raise IndexError(f"index_select: expected a 1-d index, got shape {positions.shape}")
    return take(x, np.atleast_1d(positions), dim)


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """``length`` slices of an axis from ``start`` on."""
    x = tensor_of(x, "narrow")
    axis = one_axis(dim, x.ndim, "narrow")
    size = x.shape[axis]
    first = start + size if start < 0 else start
    if first < 0 or length < 0 or first + length > size:
        raise IndexError(f"narrow: expected start and length within {size}, got {start} and {length}")
    return getitem(x, (slice(None),) * axis + (slice(first, first + length),))


def _along(shape: tuple[int, ...], index: Array, axis: int) -> tuple[Any, ...]:
    """The full index of ``take_along_axis``: open grids along the other axes."""
    grids = [
        np.arange(size).reshape((1,) * place + (-1,) + (1,) * (len(shape) - place - 1)) for place, size in enumerate(shape)
    ]
    return tuple(index if place == axis else grid for place, grid in enumerate(grids))


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """``out[i, j] = x[i, indices[i, j]]``, for any axis."""
    x = tensor_of(x, "take_along_axis")
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "take_along_axis")
    index = integers(indices, "take_along_axis")
    if index.ndim != x.ndim:
        raise ValueError(f"take_along_axis: expected as many axes in both, got shapes {x.shape} and {index.shape}")
    return getitem(x, _along(x.shape, _in_range(index, x.shape[axis], "take_along_axis"), axis))


take_along_dim = take_along_axis


def gather(x: Any, dim: int, index: Any) -> Any:
    """``out[i][j] = x[index[i][j]][j]`` for dim 0, as in PyTorch: the index may be smaller than x along the other axes."""
    x = tensor_of(x, "gather")
    axis = one_axis(dim, x.ndim, "gather")
    places = _in_range(integers(index, "gather"), x.shape[axis], "gather")
    _check_inside(places.shape, x.shape, axis, "gather")
    return getitem(x, _along(places.shape, places, axis))


def _check_inside(small: tuple[int, ...], large: tuple[int, ...], axis: int, op: str) -> None:
    fits = len(small) == len(large) and all(a <= b for i, (a, b) in enumerate(zip(small, large, strict=True)) if i != axis)
    if not fits:
        raise ValueError(f"{op}: expected an index no larger than {large} apart from axis {axis}, got {small}")


def _part_of(source: Any, shape: tuple[int, ...], op: str) -> Any:
    """The corner of a source that belongs to an index, or a number repeated."""
    if isinstance(source, int | float):
        return source
    source = tensor_of(source, op)
    if source.ndim != len(shape) or any(a > b for a, b in zip(shape, source.shape, strict=True)):
        raise ValueError(f"{op}: expected a source at least as large as the index {shape}, got {source.shape}")
    return source if source.shape == shape else source[tuple(slice(size) for size in shape)]


def _placed(x: Any, index: Any, value: Any, accumulate: bool) -> Any:
    """A copy of x with values written or added at an index."""
    if accumulate:
        value = np.broadcast_to(tensor_of(value, "scatter"), x._data[index].shape)
        return x + _scatter(value, indices=(index,), aval=(x.shape, x.dtype))
    return set_in_place(clone(x), index, value)


def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: float | None = None) -> Any:
    """A copy of x with ``out[index[i][j]][j] = src[i][j]`` (for dim 0); of repeated indices the last one counts.

    With ``value``, a number is written in place of a source.
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: expected a source or a value, got both or neither")
    src = value if src is None else src
    x = tensor_of(x, "scatter")
    axis = one_axis(dim, x.ndim, "scatter")
    places = _in_range(integers(index, "scatter"), x.shape[axis], "scatter")
    _check_inside(places.shape, x.shape, axis, "scatter")
    return _placed(x, _along(places.shape, places, axis), _part_of(src, places.shape, "scatter"), False)


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of x with ``src[i][j]`` added to ``out[index[i][j]][j]`` (for dim 0); repeated indices add up."""
    x = tensor_of(x, "scatter_add")
    axis = one_axis(dim, x.ndim, "scatter_add")
    places = _in_range(integers(index, "scatter_add"), x.shape[axis], "scatter_add")
    _check_inside(places.shape, x.shape, axis, "scatter_add")
    return _placed(x, _along(places.shape, places, axis), _part_of(src, places.shape, "scatter_add"), True)


def _rows(x: Any, dim: int, index: Any, op: str) -> tuple[Any, tuple[Any, ...]]:
    x = tensor_of(x, op)
    axis = one_axis(dim, x.ndim, op)
    return x, (slice(None),) * axis + (_in_range(np.atleast_1d(integers(index, op)), x.shape[axis], op),)


def _like_rows(source: Any, x: Any, place: tuple[Any, ...], op: str) -> Any:
    """The source of an assignment to slices, which must have their shape."""
    source, axis = tensor_of(source, op), len(place) - 1
    expected = (*x.shape[:axis], place[-1].size, *x.shape[axis + 1 :])
    if source.shape not in (expected, () if len(expected) == 1 else expected):
        raise ValueError(f"{op}: expected a source of shape {expected}, got {source.shape}")
    return source


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy of x with ``alpha`` times the slices of source added at these positions of an axis."""
    x, place = _rows(x, dim, index, "index_add")
    source = _like_rows(source, x, place, "index_add")
    return _placed(x, place, source if alpha == 1 else source * alpha, True)


def index_copy(x: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of x with the slices of source at these positions of an axis."""
    x, place = _rows(x, dim, index, "index_copy")
    return _placed(x, place, _like_rows(source, x, place, "index_copy"), False)


def index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of x with a number in the slices at these positions of an axis."""
    x, place = _rows(x, dim, index, "index_fill")
    return _placed(x, place, value, False)


def index_put(x: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """A copy of x with ``out[indices] = values``, or added there."""
    return _placed(tensor_of(x, "index_put"), private_index(tuple(indices)), values, accumulate)


def put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of x with values at these positions of the flat x."""
    x = tensor_of(x, "put")
    flat = np.reshape(x, (-1,))
    place = _in_range(integers(index, "put"), x._data.size, "put")
    source = tensor_of(source, "put")
    if source._data.size != place.size:
        raise ValueError(f"put: expected a source of {place.size} elements, one for each index, got {source._data.size}")
    return np.reshape(_placed(flat, place, np.reshape(source, place.shape), accumulate), x.shape)


def masked_select(x: Any, mask: Any) -> Any:
    """The elements of x where the mask is True, along one axis."""
    x, keep = tensor_of(x, "masked_select"), np.asarray(getattr(mask, "_data", mask), np.bool_)
    shape = np.broadcast_shapes(x.shape, keep.shape)
    return getitem(np.broadcast_to(x, shape), np.broadcast_to(keep, shape))


def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """A copy of x with the elements of source, in order, where the mask is True."""
    x, source = tensor_of(x, "masked_scatter"), tensor_of(source, "masked_scatter")
    keep = np.broadcast_to(np.asarray(getattr(mask, "_data", mask), np.bool_), x.shape)
    count = int(np.count_nonzero(keep))
    if source._data.size < count:
        raise ValueError(f"masked_scatter: expected at least {count} elements in source, got {source._data.size}")
    return _placed(x, np.array(keep), np.reshape(source, (-1,))[:count], False)


def one_hot(index: Any, num_classes: int = -1) -> Any:
    """1 at the position of each class and 0 elsewhere, along a new last axis (int64, a constant).

    Raises:
        ValueError: for a class that is negative or not below ``num_classes``.
    """
    classes = integers(index, "one_hot")
    count = num_classes if num_classes >= 0 else int(classes.max(initial=-1)) + 1
    if classes.size and (classes.min() < 0 or classes.max() >= count):
        raise ValueError(f"one_hot: expected classes from 0 to {count - 1}, got {classes.min()} to {classes.max()}")
    out = np.zeros((*classes.shape, count), np.int64)
    if classes.size:
        np.put_along_axis(out, classes[..., None], 1, axis=-1)
    return constant(out)


def embedding(index: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a weight (V, D) at these indices: (..., D). The row ``padding_idx`` gets no gradient.

    Raises:
        TypeError: for indices that are not integers.
        IndexError: for an index that is negative or not below V.
    """
    places = np.array(integers(index, "embedding"))
    weight = tensor_of(weight, "embedding")
    rows = weight.shape[0]
    if places.size and (places.min() < 0 or places.max() >= rows):
        bad = places[(places < 0) | (places >= rows)].flat[0]
        raise IndexError(f"embedding: expected indices from 0 to {rows - 1}, got {bad}")
    picked = getitem(weight, places)
    if padding_idx is None:
        return picked
    padding = padding_idx + rows if padding_idx < 0 else padding_idx
    return np.where((places == padding)[..., None], picked.detach(), picked)
