"""Cotangents that are zero except at an index, and how they are added up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd.graph import Array, Aval, Shape

_SMALL = 256  # elements up to which the bookkeeping of a flat index costs more than it saves
_LONG, _MANY = 64, 1 << 18  # elements of a row, and of all, from which on rows are added by turns
_TURNS = 4  # at most so many turns for each place that is summed by itself
_BLOCK = 1 << 15  # elements whose flat positions are made at a time


class Scatter:
    """A cotangent that is zero except at ``index``: what indexing hands to its argument.

    The sweep adds it into one buffer per node, so that n slices of one tensor cost O(n), not O(n * size).
    """

    __slots__ = ("index", "values")

    join: ClassVar[Callable[[list[Scatter], Aval], Any]]  # the recorded form of the sum: set by autograd.ops.indexing

    def __init__(self, index: Any, values: Any) -> None:
        self.index = index
        self.values = values

    def add_to(self, buffer: Array) -> None:
        """``buffer[index] += values``, where repeated indices add up."""
        if is_basic(self.index):
            buffer[self.index] += self.values
        else:
            add_at(buffer, self.index, self.values)


def is_basic(index: Any) -> bool:
    """True for an index without arrays (integers, slices, None, Ellipsis): it names every element once at most."""
    parts = index if type(index) is tuple else (index,)
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts)


def add_at(buffer: Array, index: Any, values: Array) -> None:
    """``np.add.at``, summing float16 in float32, and by flat positions where that can be.

    Of one axis of positions NumPy has a loop of its own. For 4,096 rows of 64 float32 it is three to four times as fast as
    ``np.add.at`` on rows, twice as fast as sorting and ``np.add.reduceat``, and faster still than a product with one-hot rows.
    Many long rows (the gradient of a large embedding) are added by turns, mostly in two thirds to three quarters of that
    time (``python -m benchmarks.choices``). The elements are added in the same order, so that the sums are the same to the bit.
    """
    if buffer.dtype == np.float16:
        total = buffer.astype(np.float32)
        add_at(total, index, values.astype(np.float32))
        buffer[...] = total
        return
    parts = index if type(index) is tuple else (index,)
    arrays = [axis for axis, part in enumerate(parts) if isinstance(part, np.ndarray)]
    if len(arrays) == 1 and parts[arrays[0]].dtype == np.bool_:
        buffer[index] += values  # a mask names every element once
    elif values.size <= _SMALL or not buffer.flags.c_contiguous or any(parts[axis].dtype == np.bool_ for axis in arrays):
        np.add.at(buffer, index, values)
    elif len(parts) == buffer.ndim and all(type(part) is int or axis in arrays for axis, part in enumerate(parts)):
        _add_at_points(buffer, parts, values)
    elif len(arrays) == 1 and all(_is_full(part) or axis in arrays for axis, part in enumerate(parts)):
        _add_at_rows(buffer, arrays[0], parts[arrays[0]], values)
    else:
        np.add.at(buffer, index, values)


def _is_full(part: Any) -> bool:
    return type(part) is slice and part == slice(None)


def _positive(index: Any, size: int) -> Any:
    index = np.asarray(index, np.intp)
    return np.where(index < 0, index + size, index)


def _add_at_points(buffer: Array, index: tuple[Any, ...], values: Array) -> None:
    """An index with an integer or an array for each axis."""
    positions: Any = 0
    for size, part in zip(buffer.shape, index, strict=True):
        positions = positions * size + _positive(part, size)
    np.add.at(buffer.reshape(-1), np.broadcast_to(positions, values.shape).reshape(-1), values.reshape(-1))


def _add_at_rows(buffer: Array, axis: int, index: Array, values: Array) -> None:
    """An array of integers for one axis, and all of the others."""
    shape: Shape = buffer.shape
    before, size, after = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    rows = _positive(index.reshape(-1), size)
    if before == 1 and after >= _LONG and values.size >= _MANY and size <= 1 << 16:
        _add_by_turns(buffer.reshape(size, after), rows, values.reshape(rows.size, after))
        return
    flat, values = buffer.reshape(-1), values.reshape(before, rows.size, after)
    outer = (np.arange(before) * (size * after)).reshape(-1, 1, 1)
    inner = np.arange(after)
    step = max(_BLOCK // max(before * after, 1), 1)
    for start in range(0, rows.size, step):
        block = rows[start : start + step].reshape(-1, 1) * after + inner
        np.add.at(flat, (outer + block).reshape(-1), values[:, start : start + step].reshape(-1))


def _add_by_turns(buffer: Array, rows: Array, values: Array) -> None:
    """First all rows that come first at their place, then all that come second there, and so on: none of a turn meet.

    Where a few places take most of the rows, turns would be many and short: those places are summed one by one. The j-th of
    them takes more than 4 j rows, so that there are few of them, and a few times as many turns for the others.
    """
    values = np.ascontiguousarray(values)  # so that take, twice as fast as values[index], does not copy them each time
    order = np.argsort(rows.astype(np.uint16), kind="stable")  # a radix sort, for 16 bits
    ordered = rows[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    counts = np.diff(starts, append=rows.size)
    often = np.argsort(-counts, kind="stable")
    starts, counts = starts[often], counts[often]
    places = ordered[starts]
    many = int(np.count_nonzero(counts > _TURNS * np.arange(counts.size)))
    for place, start, count in zip(places[:many].tolist(), starts[:many].tolist(), counts[:many].tolist(), strict=True):
        theirs = values.take(order[start : start + count], 0)
        theirs[0] += buffer[place]
        np.add.reduce(theirs, 0, out=buffer[place])
    starts, counts, places = starts[many:], counts[many:], places[many:]
    total = buffer[places]
    for turn in range(int(counts[0]) if counts.size else 0):
        left = int(np.searchsorted(-counts, -turn))  # places with more rows than there were turns
        total[:left] += values.take(order[starts[:left] + turn], 0)
    buffer[places] = total
