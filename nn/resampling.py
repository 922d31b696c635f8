"""Functions that pad, resize and rearrange signals and images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import Array
from autograd.ops.reductions import tensor_of

_PAD_MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
_SIZES = {"nearest": (3, 4), "nearest-exact": (3, 4), "linear": (3,), "bilinear": (4,), "bicubic": (4,), "area": (3, 4)}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """A margin around the last axes.

    Args:
        input: the tensor.
        pad: widths before and after the last axis, then the one before it, and so on; a negative width cuts off.
        mode: what the margin holds: "constant" (``value``, 0 unless given), the mirror image without the edge ("reflect"), the
            nearest element ("replicate") or the other end ("circular").
        value: for mode "constant".

    Raises:
        ValueError: for an odd number of widths or too many, another mode, and a margin that the input is too short for.

    With widths of both signs, a mirror image or a nearest element is that of the whole axis, which is cut afterwards; the other
    end is that of what is left, as in PyTorch.
    """
    x = tensor_of(input, "pad")
    widths = [int(width) for width in pad]
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise ValueError(f"pad: expected two widths for each padded axis of an input of shape {x.shape}, got {list(pad)}")
    if mode not in _PAD_MODES:
        raise ValueError(f"pad: expected mode 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}")
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + [(widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)]
    for length, (before, after) in zip(x.shape, pairs, strict=True):
        left = length + min(before, 0) + min(after, 0)
        if length + before + after < 0:
            raise ValueError(f"pad: expected negative widths that leave something of shape {x.shape}, got {list(pad)}")
        most = {"reflect": length - 1, "circular": left}.get(mode)
        if most is not None and max(before, after) > max(most, 0):
            raise ValueError(f"pad: expected widths of at most {most} with mode {mode!r} for shape {x.shape}, got {list(pad)}")
        if mode == "replicate" and not length and max(before, after) > 0:
            raise ValueError(f"pad: expected elements to repeat with mode {mode!r}, got shape {x.shape}")
    added = [(max(before, 0), max(after, 0)) for before, after in pairs]
    if mode in ("reflect", "replicate"):
        return _cut(ag.pad(x, added, mode=_PAD_MODES[mode]), pairs)
    x = _cut(x, pairs)
    if mode == "circular":
        return ag.pad(x, added, mode="wrap")
    return ag.pad(x, added, constant_values=0.0 if value is None else value)


def _cut(x: Any, pairs: Sequence[tuple[int, int]]) -> Any:
    """The tensor without as many elements at the ends of each axis as its negative widths say."""
    if all(width >= 0 for pair in pairs for width in pair):
        return x
    return x[tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, pairs, strict=True))]


# ------------------------------------------------------------------------------------------------ resizing


def _sources(length: int, count: int, scale: float, align_corners: bool) -> Array:
    """Where on the input each output element lies; ``scale`` is input elements per output element."""
    places = np.arange(count, dtype=np.float64)
    if align_corners:
        return places * ((length - 1) / (count - 1) if count > 1 else 0.0)
    return (places + 0.5) * scale - 0.5


def _linear_weights(length: int, count: int, scale: float, align_corners: bool) -> Array:
    """The matrix (count, length) of linear interpolation along one axis."""
    if count == length:  # PyTorch copies then, whatever the scale
        return np.eye(length)
    at = np.maximum(_sources(length, count, scale, align_corners), 0.0)
    low = np.minimum(np.floor(at).astype(np.int64), length - 1)
    share = np.clip(at - low, 0.0, 1.0)
    matrix = np.zeros((count, length))
    rows = np.arange(count)
    np.add.at(matrix, (rows, low), 1.0 - share)
    np.add.at(matrix, (rows, np.minimum(low + 1, length - 1)), share)
    return matrix


def _cubic_weights(length: int, count: int, scale: float, align_corners: bool) -> Array:
    """The matrix of cubic convolution (Keys, 1981) with a = -3/4; beyond the ends lies the last element."""
    a = -0.75
    at = _sources(length, count, scale, align_corners)
    low = np.floor(at)
    t = at - low
    matrix = np.zeros((count, length))
    for offset in (-1, 0, 1, 2):
        d = np.abs(t - offset)
        inner, outer = ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0, ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
        weight = inner if offset in (0, 1) else outer
        np.add.at(matrix, (np.arange(count), np.clip(low + offset, 0, length - 1).astype(np.int64)), weight)
    return matrix


def _nearest(x: Any, axis: int, count: int, scale: float, exact: bool) -> Any:
    length = x.shape[axis]
    steps = np.arange(count)
    if not exact and x.ndim == 4 and count in (length, 2 * length):  # PyTorch goes by the sizes then, whatever the scale
        places: Array = steps // (count // length)
    else:  # Where a place falls on the border of two elements, rounding decides which it is: these are PyTorch's roundings.
        dtype = np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
        step = float(dtype.type(scale))
        at: Array = ((steps + 0.5) * step - 0.5).astype(dtype) + 0.5 if exact else (steps * step).astype(dtype)
        places = np.minimum(np.floor(at.astype(np.float32)), length - 1).astype(np.int64)
    if count % length == 0 and np.array_equal(places, steps // (count // length)):
        return np.repeat(x, count // length, axis=axis)
    return ag.take(x, places, axis=axis)


def _along(x: Any, axis: int, matrix: Array) -> Any:
    """A matrix applied along an axis: one product."""
    return np.moveaxis(np.matmul(np.moveaxis(x, axis, -1), matrix.T.astype(x.dtype)), -1, axis)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Any:
    """A signal (N, C, L) or an image (N, C, H, W) at another size.

    Args:
        input: the tensor.
        size: of the result: one number or one per axis.
        scale_factor: instead of the size, how many times as large; sizes are rounded down.
        mode: "nearest" (to the lower corner), "nearest-exact" (to the middle), "linear", "bilinear", "bicubic", or "area" (the
            mean of the elements that each new one covers).
        align_corners: for linear and cubic modes: first and last elements stay in place. Otherwise pixels are squares, and it
            is their outer edges that stay.
        recompute_scale_factor: after sizes were rounded, go by the ratio of the sizes instead of by the given factor.

    Raises:
        ValueError: for neither or both of size and factor, and modes that do not fit the number of axes.
        TypeError: for an input that is not floating, unless each element of the result is one of the input.
    """
    x = tensor_of(input, "interpolate")
    if mode not in _SIZES or x.ndim not in _SIZES[mode]:
        raise ValueError(f"interpolate: expected a mode of {', '.join(_SIZES)} that fits shape {x.shape}, got {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: expected either size or scale_factor")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: expected align_corners only with linear and cubic modes, got it with {mode!r}")
    if x.dtype.kind != "f" and not mode.startswith("nearest"):
        raise TypeError(f"interpolate: expected a floating dtype with mode {mode!r}, got {x.dtype}; convert with .astype()")
    if recompute_scale_factor and scale_factor is None:
        raise ValueError("interpolate: expected recompute_scale_factor only with scale_factor, got it with size")
    lengths = x.shape[2:]
    given = size if scale_factor is None else scale_factor
    values = list(given) if isinstance(given, tuple | list) else [given] * len(lengths)
    if len(values) != len(lengths):
        raise ValueError(f"interpolate: expected one number or {len(lengths)}, got {given!r}")
    if scale_factor is None:
        counts = [int(value) for value in values]
    else:
        counts = [math.floor(n * float(factor)) for n, factor in zip(lengths, values, strict=True)]
    by_size = scale_factor is None or recompute_scale_factor
    scales = [n / max(m, 1) for n, m in zip(lengths, counts, strict=True)] if by_size else [1.0 / float(f) for f in values]
    if min(counts) < 1 or 0 in lengths:
        raise ValueError(f"interpolate: expected at least one element on each axis, got {lengths} to {tuple(counts)}")
    if mode == "area":
        return (ag.adaptive_avg_pool1d if len(counts) == 1 else ag.adaptive_avg_pool2d)(x, tuple(counts))
    weights = _cubic_weights if mode == "bicubic" else _linear_weights
    for axis, (count, scale) in enumerate(zip(counts, scales, strict=True), start=2):
        if mode.startswith("nearest"):
            x = _nearest(x, axis, count, scale, mode == "nearest-exact")
        else:
            x = _along(x, axis, weights(x.shape[axis], count, scale, bool(align_corners)))
    return x


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(..., C r², H, W) -> (..., C, H r, W r): y[c, h r + i, w r + j] = x[c r² + i r + j, h, w] (Shi et al., 2016).

    Raises:
        ValueError: for channels that r² does not divide.
    """
    x, r = tensor_of(input, "pixel_shuffle"), upscale_factor
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: expected (..., C, H, W) with channels that {r * r} divides, got shape {x.shape}")
    *lead, c, h, w = x.shape
    n = len(lead)
    cut = np.reshape(x, (*lead, c // (r * r), r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)  # (..., C, H, r, W, r)
    return np.reshape(np.transpose(cut, order), (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(..., C, H r, W r) -> (..., C r², H, W): the inverse of :func:`pixel_shuffle`.

    Raises:
        ValueError: for sizes that r does not divide.
    """
    x, r = tensor_of(input, "pixel_unshuffle"), downscale_factor
    if x.ndim < 3 or x.shape[-1] % r or x.shape[-2] % r:
        raise ValueError(f"pixel_unshuffle: expected (..., C, H, W) with sizes that {r} divides, got shape {x.shape}")
    *lead, c, h, w = x.shape
    n = len(lead)
    cut = np.reshape(x, (*lead, c, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return np.reshape(np.transpose(cut, order), (*lead, c * r * r, h // r, w // r))
