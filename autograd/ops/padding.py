"""Margins around a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array, is_floating
from autograd.declare import implements, internal
from autograd.ops.indexing import getitem
from autograd.ops.joining import concatenate
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import broadcast_to
from autograd.primitive import constant

Widths = tuple[tuple[int, int], ...]


def _unpad(g: Any, width: Widths) -> Any:
    return g[tuple(slice(a, g.shape[i] - b) for i, (a, b) in enumerate(width))]


_pad = internal(
    lambda x, *, width, value: np.pad(x, width, constant_values=value),
    lambda g, _y, _x, *, width, value: _unpad(g, width),  # noqa: ARG005
    name="pad",
)

_BY_INDEX = ("edge", "reflect", "symmetric", "wrap")
_BY_STATISTIC: dict[str, Callable[..., Any]] = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}
_MODES = ("constant", *_BY_INDEX, "linear_ramp", *_BY_STATISTIC)


def _pairs(given: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """One number, (before, after), or such a pair for each axis, as a pair for each axis."""
    try:
        pairs = np.broadcast_to(np.asarray(given), (ndim, 2))
    except ValueError:
        raise ValueError(f"pad: expected one {what}, a pair, or a pair for each of {ndim} axes, got {given}") from None
    return [(before, after) for before, after in pairs.tolist()]


def _widths(pad_width: Any, ndim: int) -> Widths:
    width = _pairs(pad_width, ndim, "width")
    if not all(type(n) is int for pair in width for n in pair):
        raise TypeError(f"pad: expected whole numbers as widths, got {pad_width}")
    if min((n for pair in width for n in pair), default=0) < 0:
        raise ValueError(f"pad: expected widths >= 0, got {pad_width}")
    return tuple(width)


@implements(np.pad)
def pad(
    x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0, end_values: Any = 0, stat_length: Any = None
) -> Any:
    """x with a margin around it.

    Args:
        x: the tensor.
        pad_width: elements before and after: one number, (before, after), or one such pair for each axis.
        mode: what the margin holds: "constant"; the nearest element ("edge"), the mirror image without or with the edge
            ("reflect", "symmetric") or the other end ("wrap"); a straight line from the edge to ``end_values``
            ("linear_ramp"); the "maximum", "mean", "median" or "minimum" of each line through x.
        constant_values: for mode "constant", a number, a pair, or a pair for each axis.
        end_values: for mode "linear_ramp", in the same forms.
        stat_length: for the statistics, of how many elements at the edge, in the same forms; None for all.

    Raises:
        ValueError: for negative widths and other modes.
        TypeError: for widths that are not whole numbers.
    """
    x = tensor_of(x, "pad")
    width = _widths(pad_width, x.ndim)
    if mode not in _MODES:
        raise ValueError(f"pad: expected mode {', '.join(_MODES)}, got {mode!r}")
    if mode == "constant":
        return _pad(x, width=width, value=constant_values)
    if mode in _BY_INDEX:
        for axis, pair in enumerate(width):
            if pair != (0, 0):
                places = np.pad(np.arange(x.shape[axis]), pair, mode=mode)  # type: ignore[call-overload]
                x = getitem(x, (slice(None),) * axis + (places,))
        return x
    ends, lengths = _pairs(end_values, x.ndim, "end value"), _pairs(stat_length, x.ndim, "length")
    if not is_floating(x.dtype):
        option: dict[str, Any] = {"end_values": ends} if mode == "linear_ramp" else {"stat_length": stat_length}
        return constant(np.pad(x._data, width, mode, **option))  # type: ignore[call-overload]  # NumPy rounds
    for axis, pair in enumerate(width):
        if mode == "linear_ramp":
            margins = [_ramp(x, axis, n, end, last) for n, end, last in zip(pair, ends[axis], (False, True), strict=True)]
        else:
            function = _BY_STATISTIC[mode]
            margins = [
                _statistic(x, axis, n, length, last, function)
                for n, length, last in zip(pair, lengths[axis], (False, True), strict=True)
            ]
        x = concatenate([margins[0], x, margins[1]], axis)
    return x


def _ramp(x: Any, axis: int, count: int, end: float, last: bool) -> Any:
    """A margin that runs in equal steps from the edge to ``end``."""
    if not x.shape[axis]:
        raise ValueError(f"pad: expected elements along axis {axis} to start a ramp from, got shape {x.shape}")
    edge = getitem(x, (slice(None),) * axis + (slice(-1, None) if last else slice(0, 1),))
    steps: Array = np.arange(count, dtype=x.dtype)
    steps = (steps[::-1] if last else steps).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    return steps * ((edge - end) / max(count, 1)) + end


def _statistic(x: Any, axis: int, count: int, length: int | None, last: bool, function: Callable[..., Any]) -> Any:
    """A margin that repeats a statistic of the elements next to it."""
    size = x.shape[axis]
    length = size if length is None else min(length, size)
    if length < 1:
        raise ValueError(f"pad: expected at least 1 element along axis {axis} for a statistic, got {length} of {x.shape}")
    if length < size:
        x = getitem(x, (slice(None),) * axis + (slice(size - length, None) if last else slice(0, length),))
    value = function(x, axis=axis, keepdims=True)
    return broadcast_to(value, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
