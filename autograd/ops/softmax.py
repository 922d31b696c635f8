"""The softmax family: stable for logits of any size, with -inf for what is excluded."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import internal
from autograd.ops import _rows
from autograd.ops._axes import Axis, checked_axis, expand, one_axis
from autograd.ops._rows import exponentials, row_sums
from autograd.ops.gate import in_rules, pick
from autograd.ops.reductions import tensor_of
from autograd.threads import each


def _wide(x: Array) -> Array:
    """float16 is summed in float32, where 100,000 classes do not overflow; integers become float64."""
    if x.dtype == np.float16:
        return x.astype(np.float32)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _shifted(x: Array, axis: Axis) -> Array:
    """x minus its greatest element, so that the exponentials are at most 1 (a new array)."""
    return np.asarray(x - np.maximum.reduce(x, axis, keepdims=True, initial=-math.inf))


def _is_rows(x: Array, axis: int | None) -> bool:
    """True where the axis is the last one of several, so that x can be worked on by rows."""
    return x.ndim > 0 and axis == x.ndim - 1 and x.flags.c_contiguous


def _softmax_kernel(x: Array, *, axis: int) -> Array:
    wide = _wide(x)
    if _is_rows(wide, axis) and x.size:
        y = np.empty_like(wide)
        rows, out = (array.reshape(-1, x.shape[-1]) for array in (wide, y))

        def work(block: slice) -> None:
            part = out[block]
            sums, _ = exponentials(rows[block], part)
            part /= sums[:, None]

        each(work, len(rows), x.shape[-1], _rows.BLOCK)
    else:
        y = _shifted(wide, axis)
        np.exp(y, out=y)
        y /= np.add.reduce(y, axis, keepdims=True)
    return y.astype(x.dtype) if x.dtype == np.float16 else y


def _softmax_back_kernel(g: Array, y: Array, *, axis: int) -> Array:
    if not (_is_rows(g, axis) and _is_rows(y, axis) and g.size and g.dtype == y.dtype != np.float16):
        return np.asarray(y * (g - np.sum(g * y, axis=axis, keepdims=True)))
    dx = np.empty_like(y)
    cotangents, ys, out = (array.reshape(-1, y.shape[-1]) for array in (g, y, dx))

    def work(block: slice) -> None:
        part = np.subtract(cotangents[block], np.vecdot(cotangents[block], ys[block])[:, None], out=out[block])
        part *= ys[block]

    each(work, len(out), y.shape[-1], _rows.BLOCK)
    return dx


_softmax = internal(_softmax_kernel, lambda g, y, _x, *, axis: _softmax_back_either(g, y, axis=axis), name="softmax")
_softmax_back = internal(
    _softmax_back_kernel,  # y (g - sum(g y)), bilinear in y (once) and g
    lambda h, _d, _g, y, *, axis: _softmax_back_either(h, y, axis=axis),
    lambda h, _d, g, y, *, axis: (
        h * (g - np.sum(g * y, axis=axis, keepdims=True)) - g * np.sum(h * y, axis=axis, keepdims=True)
    ),
    name="softmax_backward",
)
_softmax_back_either: Callable[..., Any] = in_rules(_softmax_back)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis. dx = y (g - sum(g y)).

    Logits of any size are fine, and -inf gives exactly 0; a row of nothing but -inf, or with +inf, is nan (see
    ``masked_softmax``).
    """
    x = tensor_of(x, "softmax")
    return _softmax(x, axis=one_axis(axis, x.ndim or 1, "softmax") if x.ndim else None)


def _log_softmax_kernel(x: Array, *, axis: int) -> Array:
    wide = _wide(x)
    if _is_rows(wide, axis) and x.size:
        y = np.empty_like(wide)
        rows, out = (array.reshape(-1, x.shape[-1]) for array in (wide, y))

        def work(block: slice) -> None:
            part = out[block]
            sums, shift = exponentials(rows[block], part, reach=10.0)
            logs = np.log(sums)[:, None]
            if shift is None:
                np.subtract(rows[block], logs, out=part)
            else:
                np.subtract(rows[block], shift[:, None], out=part)
                part -= logs

        each(work, len(rows), x.shape[-1], _rows.BLOCK)
    else:
        y = _shifted(wide, axis)
        y -= np.log(np.add.reduce(np.exp(y), axis, keepdims=True))
    return y.astype(x.dtype) if x.dtype == np.float16 else y


def _log_softmax_back_kernel(g: Array, y: Array, *, axis: int) -> Array:
    if not (_is_rows(g, axis) and _is_rows(y, axis) and g.size and g.dtype == y.dtype != np.float16):
        return np.asarray(g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))
    dx = np.empty_like(y)
    cotangents, ys, out = (array.reshape(-1, y.shape[-1]) for array in (g, y, dx))

    def work(block: slice) -> None:
        part = np.exp(ys[block], out=out[block])
        part *= row_sums(cotangents[block])[:, None]
        np.subtract(cotangents[block], part, out=part)

    each(work, len(out), y.shape[-1], _rows.BLOCK)
    return dx


_log_softmax = internal(
    _log_softmax_kernel, lambda g, y, _x, *, axis: _log_softmax_back_either(g, y, axis=axis), name="log_softmax"
)
_log_softmax_back = internal(
    _log_softmax_back_kernel,  # g - exp(y) sum(g)
    lambda h, _d, _g, y, *, axis: h - np.sum(h * np.exp(y), axis=axis, keepdims=True),
    lambda h, _d, g, y, *, axis: -h * np.exp(y) * np.sum(g, axis=axis, keepdims=True),
    name="log_softmax_backward",
)
_log_softmax_back_either: Callable[..., Any] = in_rules(_log_softmax_back)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - log(sum(exp(x))) along an axis, without overflow or cancellation. dx = g - softmax(x) sum(g)."""
    x = tensor_of(x, "log_softmax")
    return _log_softmax(x, axis=one_axis(axis, x.ndim or 1, "log_softmax") if x.ndim else None)


def _logsumexp_kernel(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    wide = _wide(x)
    greatest = np.maximum.reduce(wide, axis, keepdims=True, initial=-math.inf)
    base = np.where(np.isfinite(greatest), greatest, 0).astype(wide.dtype)
    shifted = np.asarray(wide - base)
    np.exp(shifted, out=shifted)
    total = np.log(np.add.reduce(shifted, axis, keepdims=True)) + base
    if not keepdims:
        total = np.squeeze(total, axis=axis if axis is not None else tuple(range(x.ndim)))
    return np.asarray(total, x.dtype if x.dtype.kind == "f" else np.float64)


def _logsumexp_rule(g: Any, y: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """g softmax(x); where all are -inf, 0; where some are +inf, they share evenly."""
    y = expand(y, axis, keepdims)
    infinite = np.isinf(y)
    if not np.any(infinite):
        return expand(g, axis, keepdims) * np.exp(x - y)
    greatest = np.logical_and(x == y, y > 0)
    share = np.asarray(greatest / np.maximum(np.count_nonzero(greatest, axis=axis, keepdims=True), 1), x.dtype)
    return expand(g, axis, keepdims) * pick(infinite, share, np.exp(pick(infinite, 0.0, x) - pick(infinite, 0.0, y)))


_logsumexp = internal(_logsumexp_kernel, _logsumexp_rule, name="logsumexp")


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over axes, without overflow; -inf over an empty axis or where all are -inf, with gradient 0 there."""
    x = tensor_of(x, "logsumexp")
    return _logsumexp(x, axis=checked_axis(axis, x.ndim, "logsumexp"), keepdims=keepdims)


def masked_softmax(x: Any, mask: Any, axis: int = -1) -> Any:
    """Softmax over the elements where the mask is True; the others, and rows without any, are 0 and have gradient 0.

    What stands at masked places does not matter, nan and inf included.
    """
    x = tensor_of(x, "masked_softmax")
    axis = one_axis(axis, x.ndim, "masked_softmax")
    keep = np.asarray(getattr(mask, "_data", mask), np.bool_)
    try:
        keep = np.broadcast_to(keep, x.shape)
    except ValueError:
        raise ValueError(f"masked_softmax: expected a mask that broadcasts to {x.shape}, got shape {keep.shape}") from None
    empty = np.logical_not(np.any(keep, axis=axis, keepdims=True))
    filled = np.where(np.logical_or(keep, empty), np.where(keep, x, 0.0), -math.inf)
    return np.where(keep, softmax(filled, axis), 0.0)


def softmin(x: Any, axis: int = -1) -> Any:
    """softmax(-x)."""
    return softmax(-tensor_of(x, "softmin"), axis)
