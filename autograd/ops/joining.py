"""Joining and splitting, repeating and rolling."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.declare import implements, internal
from autograd.ops._axes import one_axis
from autograd.ops.indexing import getitem
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import atleast_1d, atleast_2d, atleast_3d, broadcast_to, expand_dims, moveaxis, reshape

# ------------------------------------------------------------------------------------------------ join


def _concatenate_rule(g: Any, wanted: tuple[bool, ...], _y: Any, *_parts: Any, axis: int, sizes: tuple[int, ...]) -> list[Any]:
    starts = itertools.accumulate(sizes, initial=0)
    return [
        g[(slice(None),) * axis + (slice(start, start + size),)] if want else None
        for start, size, want in zip(starts, sizes, wanted, strict=False)
    ]


_concatenate = internal(
    lambda *parts, axis, sizes: np.concatenate(parts, axis=axis),  # noqa: ARG005  (the rule needs them)
    name="concatenate",
    joint=_concatenate_rule,
)


def _parts(tensors: Any, op: str) -> list[Any]:
    if hasattr(tensors, "_data") or not isinstance(tensors, list | tuple):
        tensors = list(tensors)
    parts = [tensor_of(part, op) for part in tensors]
    if not parts:
        raise ValueError(f"{op}: expected at least one tensor, got none")
    return parts


@implements(np.concatenate)
def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Any:
    """Tensors one behind the other along an axis (flat ones without one)."""
    parts = _parts(tensors, "concatenate")
    if axis is None:
        parts, axis = [reshape(part, -1) for part in parts], 0
    axis = one_axis(axis, parts[0].ndim, "concatenate")
    first = parts[0].shape
    for part in parts[1:]:
        same = part.ndim == len(first) and all(a == b for i, (a, b) in enumerate(zip(part.shape, first)) if i != axis)
        if not same:
            raise ValueError(f"concatenate: expected equal shapes apart from axis {axis}, got {first} and {part.shape}")
    return _concatenate(*parts, axis=axis, sizes=tuple(part.shape[axis] for part in parts))


cat = concatenate


@implements(np.stack)
def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """Tensors of equal shape along a new axis."""
    parts = _parts(tensors, "stack")
    for part in parts[1:]:
        if part.shape != parts[0].shape:
            raise ValueError(f"stack: expected equal shapes, got {parts[0].shape} and {part.shape}")
    axis = one_axis(axis, parts[0].ndim + 1, "stack")
    return concatenate([expand_dims(part, axis) for part in parts], axis)


@implements(np.hstack)
def hstack(tensors: Sequence[Any]) -> Any:
    """Side by side: along axis 1 (0 for 1-d tensors)."""
    parts = [atleast_1d(part) for part in _parts(tensors, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@implements(np.vstack)
def vstack(tensors: Sequence[Any]) -> Any:
    """One above the other: along axis 0, 1-d tensors as rows."""
    return concatenate([atleast_2d(part) for part in _parts(tensors, "vstack")], 0)


@implements(np.dstack)
def dstack(tensors: Sequence[Any]) -> Any:
    """One behind the other: along axis 2."""
    return concatenate([atleast_3d(part) for part in _parts(tensors, "dstack")], 2)


@implements(np.column_stack)
def column_stack(tensors: Sequence[Any]) -> Any:
    """1-d tensors as the columns of a matrix; matrices side by side."""
    parts = _parts(tensors, "column_stack")
    return concatenate([reshape(part, (-1, 1)) if part.ndim < 2 else part for part in parts], 1)


# ------------------------------------------------------------------------------------------------ split


def _pieces(x: Any, cuts: Sequence[int], axis: int) -> list[Any]:
    """The pieces between cuts (from the end, if negative): each an index of its own, so that an unused piece costs nothing."""
    edges = [0, *cuts, x.shape[axis]]
    lead = (slice(None),) * axis
    return [getitem(x, (*lead, slice(a, b))) for a, b in itertools.pairwise(edges)]


def _whole(sections: Any) -> int | None:
    """A number of sections; None for a sequence of cuts."""
    try:
        return operator.index(sections)
    except TypeError:
        return None


@implements(np.array_split)
def array_split(x: Any, sections: Any, axis: int = 0) -> Any:
    """Split into this many pieces of nearly equal size, or at these positions."""
    x = tensor_of(x, "array_split")
    axis = one_axis(axis, x.ndim, "array_split")
    count = _whole(sections)
    if count is None:
        return _pieces(x, [operator.index(cut) for cut in sections], axis)
    if count <= 0:
        raise ValueError(f"array_split: expected at least 1 section, got {count}")
    each, extra = divmod(x.shape[axis], count)
    return _pieces(x, list(itertools.accumulate([each + (i < extra) for i in range(count)]))[:-1], axis)


tensor_split = array_split


@implements(np.split)
def split(x: Any, sections: Any, axis: int = 0) -> Any:
    """Split into this many equal pieces, or at these positions."""
    x = tensor_of(x, "split")
    length = x.shape[one_axis(axis, x.ndim, "split")]
    count = _whole(sections)
    if count is not None and (count <= 0 or length % count):
        raise ValueError(f"split: expected sections that divide {length} evenly, got {sections}; see array_split()")
    return array_split(x, sections, axis)


def split_with_sizes(x: Any, sizes: Sequence[int], dim: int = 0) -> list[Any]:
    """Split into pieces of these sizes."""
    x = tensor_of(x, "split_with_sizes")
    axis = one_axis(dim, x.ndim, "split_with_sizes")
    if sum(sizes) != x.shape[axis] or min(sizes, default=0) < 0:
        raise ValueError(f"split_with_sizes: expected sizes that add up to {x.shape[axis]}, got {list(sizes)}")
    return _pieces(x, list(itertools.accumulate(sizes))[:-1], axis)


def split_by_size(x: Any, size: int, dim: int = 0) -> list[Any]:
    """Split into pieces of one size, the last one smaller (``Tensor.split``)."""
    x = tensor_of(x, "split")
    axis = one_axis(dim, x.ndim, "split")
    if size <= 0:
        raise ValueError(f"split: expected a positive size, got {size}")
    return _pieces(x, list(range(size, x.shape[axis], size)), axis)


def chunk(x: Any, chunks: int, dim: int = 0) -> list[Any]:
    """Split into at most this many pieces of equal size, the last one smaller."""
    x = tensor_of(x, "chunk")
    if chunks <= 0:
        raise ValueError(f"chunk: expected at least 1 chunk, got {chunks}")
    length = x.shape[one_axis(dim, x.ndim, "chunk")]
    return split_by_size(x, max(-(-length // chunks), 1), dim)


def unbind(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, without it."""
    x = tensor_of(x, "unbind")
    axis = one_axis(axis, x.ndim, "unbind")
    return tuple(getitem(x, (slice(None),) * axis + (i,)) for i in range(x.shape[axis]))


if hasattr(np, "unstack"):  # NumPy 2.1 and newer
    implements(np.unstack)(lambda x, *, axis=0: unbind(x, axis))


@implements(np.hsplit)
def hsplit(x: Any, sections: Any) -> Any:
    """Split along axis 1 (0 for a 1-d tensor)."""
    x = tensor_of(x, "hsplit")
    return split(x, sections, 0 if x.ndim == 1 else 1)


@implements(np.vsplit)
def vsplit(x: Any, sections: Any) -> Any:
    """Split along axis 0."""
    return split(x, sections, 0)


@implements(np.dsplit)
def dsplit(x: Any, sections: Any) -> Any:
    """Split along axis 2."""
    return split(x, sections, 2)


# ------------------------------------------------------------------------------------------------ repeat, roll and spread out


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element (or slice along an axis) repeated."""
    x = tensor_of(x, "repeat")
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = one_axis(axis, x.ndim, "repeat")
    counts = np.asarray(getattr(repeats, "_data", repeats))
    return getitem(x, (slice(None),) * axis + (np.repeat(np.arange(x.shape[axis]), counts),))


repeat_interleave = repeat


@implements(np.tile)
def tile(x: Any, reps: int | Sequence[int]) -> Any:
    """x repeated as a whole along each axis."""
    x = tensor_of(x, "tile")
    whole = _whole(reps)
    counts = tuple(reps) if whole is None else (whole,)  # type: ignore[arg-type]
    counts = (1,) * (x.ndim - len(counts)) + counts
    x = reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    interleaved = [n for pair in zip((1,) * x.ndim, x.shape, strict=True) for n in pair]
    repeated = [n for pair in zip(counts, x.shape, strict=True) for n in pair]
    full = broadcast_to(reshape(x, interleaved), repeated)
    return reshape(full, tuple(n * size for n, size in zip(counts, x.shape, strict=True)))


_roll = internal(
    lambda x, *, shift, axis: np.roll(x, shift, axis),
    lambda g, _y, _x, *, shift, axis: np.roll(g, tuple(-s for s in shift), axis),
    name="roll",
)


@implements(np.roll)
def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """Elements moved along axes; what leaves at one end comes in at the other."""
    x = tensor_of(x, "roll")
    whole = _whole(shift)
    shifts = [operator.index(each) for each in shift] if whole is None else [whole]  # type: ignore[union-attr]
    if axis is None:
        return reshape(_roll(reshape(x, -1), shift=(sum(shifts),), axis=(0,)), x.shape)
    axes = [one_axis(each, x.ndim, "roll") for each in (axis if isinstance(axis, tuple | list) else (axis,))]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ValueError(f"roll: expected one shift for each axis, got {shift} and {axis}")
    totals: dict[int, int] = {}
    for each, place in np.broadcast(shifts, axes):
        totals[int(place)] = totals.get(int(place), 0) + int(each)
    return _roll(x, shift=tuple(totals.values()), axis=tuple(totals))


@implements(np.meshgrid)
def meshgrid(*tensors: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> list[Any]:  # noqa: ARG001
    """Coordinate tensors of a grid: "xy" as NumPy (the first varies along axis 1), "ij" as matrix indices.

    With ``sparse`` they have size 1 along the axes on which they do not depend. They are views, whatever ``copy`` says: a
    Tensor made by broadcasting is read-only.
    """
    parts = [reshape(tensor_of(x, "meshgrid"), -1) for x in tensors]
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: expected indexing 'xy' or 'ij', got {indexing!r}")
    sizes = tuple(x.shape[0] for x in parts)
    grids = [reshape(x, (1,) * i + (-1,) + (1,) * (len(parts) - i - 1)) for i, x in enumerate(parts)]
    if not sparse:
        grids = [broadcast_to(grid, sizes) for grid in grids]
    if indexing == "xy" and len(parts) > 1:
        grids = [moveaxis(grid, 0, 1) for grid in grids]
    return grids
