"""Axes as users give them, made non-negative and checked."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

Axis = int | tuple[int, ...] | None


def one_axis(axis: Any, ndim: int, op: str) -> int:
    """One axis as a number from 0 to ndim - 1.

    Raises:
        AxisError: (a ValueError and an IndexError) when it is out of range.
    """
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"{op}: expected a whole number as axis, got {axis!r}") from None
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(f"{op}: expected an axis from {-ndim} to {ndim - 1} for {ndim} axes, got {number}")
    return number + ndim if number < 0 else number


def axis_tuple(axis: Any, ndim: int, op: str) -> tuple[int, ...]:
    """One axis, several or None (all) as a tuple of numbers from 0 to ndim - 1, each once."""
    if axis is None:
        return tuple(range(ndim))
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(one_axis(each, ndim, op) for each in given)
    if len(set(axes)) != len(axes):
        raise np.exceptions.AxisError(f"{op}: expected different axes, got {given}")
    return axes


def checked_axis(axis: Any, ndim: int, op: str) -> Axis:
    """The axis argument of a reduction: None stays None, one axis a number, several a tuple."""
    if axis is None:
        return None
    if isinstance(axis, tuple | list):
        return axis_tuple(axis, ndim, op)
    return one_axis(axis, ndim, op)


def expand(y: Any, axis: Axis, keepdims: bool) -> Any:
    """A reduced array with its axes back, of size 1, so that it broadcasts against what was reduced."""
    return y if keepdims or axis is None else np.expand_dims(y, axis)
