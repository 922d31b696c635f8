"""Pooling: the greatest or the mean element of every window.

Both are a linear function of the input once the windows (for the maximum: the positions) are known, so each is a primitive
together with its adjoint, and the two are each other's derivatives at every order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused, internal
from autograd.ops._maxima import place, positions, window_maxima
from autograd.ops._windows import Pair, Windows, border, lay, padded, whole
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import reshape
from autograd.primitive import constant

Bins = tuple[Pair, ...]  # (start, end) of each bin along an axis

# ------------------------------------------------------------------------------------------------ the greatest element


def _choose_kernel(x: Array, *, index: Array, size: tuple[int, ...], distinct: bool) -> Array:  # noqa: ARG001
    return np.take(x.reshape(-1), index)


def _place_kernel(y: Array, *, index: Array, size: tuple[int, ...], distinct: bool) -> Array:
    total = math.prod(size)
    if distinct:
        out = np.zeros(total, y.dtype)
        out[index] = y
    else:  # overlapping windows add up
        out = np.bincount(index.reshape(-1), weights=y.reshape(-1), minlength=total).astype(y.dtype)
    return out.reshape(size)


_choose = internal(_choose_kernel, lambda g, _y, _x, **static: _place_either(g, **static), name="max_pool_choose")
_place = internal(_place_kernel, lambda g, _y, _x, **static: _choose_either(g, **static), name="max_pool_place")
_choose_either: Callable[..., Any] = in_rules(_choose)
_place_either: Callable[..., Any] = in_rules(_place)


def _bin_argmax(x: Array, rows: Bins, columns: Bins) -> Array:
    """The same for bins of different sizes."""
    n, c, _, width = x.shape
    out = np.empty((n, c, len(rows), len(columns)), np.intp)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            block = x[:, :, top:bottom, left:right].reshape(n, c, (bottom - top) * (right - left))
            down, across = np.divmod(np.argmax(block, axis=2), right - left)
            out[:, :, i, j] = (top + down) * width + left + across
    return out


def _greatest(images: Any, plane: Array, distinct: bool) -> Any:
    """The elements at flat positions of each plane."""
    n, c, h, w = images.shape
    index = plane + (np.arange(n * c) * (h * w)).reshape(n, c, 1, 1)
    return _choose(images, index=index, size=(n, c, h, w), distinct=distinct)


def _composition(x: Any, *, at: Windows) -> Any:
    """The first greatest element of each window."""
    plane = positions(window_maxima(x._data, at)[1], at, x.shape[3])
    return _greatest(x, plane, all(s > d * (k - 1) for k, s, d in zip(at.kernel, at.stride, at.dilation, strict=True)))


def _rule(g: Array, _wanted: Any, _y: Any, x: Array, *, residuals: Array, at: Windows) -> list[Array]:
    return [place(g, residuals, at, x.shape[2:])]


_windows_max = fused(_composition, lambda x, *, at: window_maxima(x, at), _rule, name="max_pool")


# ------------------------------------------------------------------------------------------------ the mean


def _regular(bins: Bins) -> tuple[int, int] | None:
    """The (length, step) of bins of one length at equal steps; None for others."""
    lengths = {end - start for start, end in bins}
    steps = {b[0] - a[0] for a, b in pairwise(bins)}
    if len(lengths) > 1 or len(steps) > 1 or steps == {0}:  # several bins may hold the same element
        return None
    return lengths.pop(), steps.pop() if steps else 1


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


def _strided(start: int, step: int, count: int) -> slice:
    return slice(start, start + step * (count - 1) + 1, step)


def _sums(x: Array, axis: int, bins: Bins) -> Array:
    """The sum of each bin along an axis."""
    found = _regular(bins)
    if found is None:
        return np.stack([np.sum(x[_along(axis, slice(*each))], axis=axis) for each in bins], axis=axis)
    length, step = found
    total = np.array(x[_along(axis, _strided(bins[0][0], step, len(bins)))])
    for offset in range(1, length):
        total += x[_along(axis, _strided(bins[0][0] + offset, step, len(bins)))]
    return total


def _spread(y: Array, axis: int, bins: Bins, length: int) -> Array:
    """The adjoint of ``_sums`` for an axis of this length."""
    out = np.zeros((*y.shape[:axis], length, *y.shape[axis + 1 :]), y.dtype)
    found = _regular(bins)
    if found is None:
        for number, each in enumerate(bins):
            out[_along(axis, slice(*each))] += y[_along(axis, slice(number, number + 1))]
        return out
    width, step = found
    for offset in range(width):
        out[_along(axis, _strided(bins[0][0] + offset, step, len(bins)))] += y
    return out


def _wide(x: Array) -> Array:
    return x.astype(np.float32) if x.dtype == np.float16 else x


Padding = tuple[Pair, Pair]


def _average_kernel(x: Array, *, rows: Bins, columns: Bins, padding: Padding, size: Pair, divisor: Any) -> Array:  # noqa: ARG001
    total = _sums(_sums(padded(_wide(x), padding), 3, columns), 2, rows)
    total /= divisor
    return np.asarray(total, x.dtype)


def _average_spread_kernel(y: Array, *, rows: Bins, columns: Bins, padding: Padding, size: Pair, divisor: Any) -> Array:
    (height, width), inner_rows, inner_columns = border(size, padding)
    share = _wide(y) / divisor
    out = _spread(_spread(share.astype(_wide(y).dtype, copy=False), 2, rows, height), 3, columns, width)
    return np.ascontiguousarray(out[:, :, inner_rows, inner_columns]).astype(y.dtype, copy=False)


_average = internal(_average_kernel, lambda g, _y, _x, **static: _average_spread_either(g, **static), name="avg_pool")
_average_spread = internal(
    _average_spread_kernel, lambda g, _y, _x, **static: _average_either(g, **static), name="avg_pool_spread"
)
_average_either: Callable[..., Any] = in_rules(_average)
_average_spread_either: Callable[..., Any] = in_rules(_average_spread)


# ------------------------------------------------------------------------------------------------ what users call


def _images(x: Any, axes: int, op: str) -> Any:
    """x as (N, C, H, W): signals get a height of 1, one sample a batch axis."""
    x = tensor_of(x, op)
    letters = ", ".join("HW" if axes == 2 else "L")
    if x.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{op}: expected an input (N, C, {letters}) or (C, {letters}), got shape {x.shape}")
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected a floating dtype, got {x.dtype}; convert with .astype()")
    shape = x.shape if x.ndim == axes + 2 else (1, *x.shape)
    shape = shape if axes == 2 else (*shape[:2], 1, shape[2])
    return x if shape == x.shape else reshape(x, shape)


def _as_given(y: Any, x: Any, axes: int) -> Any:
    """A result (N, C, H, W) with the axes that the input had."""
    leading = np.ndim(x) - axes
    shape = y.shape[2 - leading : 2] + y.shape[4 - axes :]
    return y if shape == y.shape else reshape(y, shape)


def _windows(
    size: Pair, axes: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, op: str
) -> Windows:
    kernel = whole(kernel_size, op, "kernel_size", axes)
    step = kernel if stride is None else whole(stride, op, "stride", axes)
    spread, pads = whole(dilation, op, "dilation", axes), whole(padding, op, "padding", axes, 0)
    for k, p in zip(kernel, pads, strict=True):
        if p > k // 2:
            raise ValueError(f"{op}: expected padding of at most half the window, got padding={padding!r} for {kernel_size!r}")
    if axes == 1:
        kernel, step, spread, pads = (1, *kernel), (1, *step), (1, *spread), (0, *pads)
    at = lay(size, kernel, step, spread, ((pads[0], pads[0]), (pads[1], pads[1])), op, ceil_mode)
    behind = []  # with ceil_mode the last window may reach further than the padding
    for length, k, s, d, p, count in zip(size, kernel, step, spread, pads, at.grid, strict=True):
        behind.append(max(p, (count - 1) * s + d * (k - 1) + 1 - length - p))
    return at._replace(padding=((pads[0], behind[0]), (pads[1], behind[1])))


def _max_pool(
    x: Any, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, return_indices: bool
) -> Any:
    op = f"max_pool{axes}d"
    images = _images(x, axes, op)
    at = _windows(images.shape[2:], axes, kernel, stride, padding, dilation, ceil_mode, op)
    y = _as_given(_windows_max(images, at=at), x, axes)
    if not return_indices:
        return y
    plane = positions(window_maxima(images._data, at)[1], at, images.shape[3])
    return y, _as_given(constant(plane), x, axes)


def max_pool1d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest element of every window of signals (N, C, L) or (C, L); the arguments are those of ``max_pool2d``."""
    return _max_pool(x, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest element of every window; the first one in the window has the whole gradient. nan is greater than any.

    Args:
        x: images (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding, dilation: a number, or one for the height and one for the width. The stride is the
            size of the window, if it is not given; padding, at most half a window, is -inf.
        ceil_mode: windows that begin inside the image but reach beyond its padding count, too.
        return_indices: also return where in its plane (H W) each element was found.

    Raises:
        ValueError: where no window fits, and for more padding than half a window.

    Example:
        >>> import autograd as ag
        >>> ag.max_pool2d(ag.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
        tensor([[[4.]]])
    """
    return _max_pool(x, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _cut(length: int, before: int, windows: int, kernel: int, stride: int) -> tuple[Bins, Array, Array]:
    """The bins on the padded axis, and the number of elements in each with the padding (as given) and without."""
    starts = np.arange(windows) * stride
    ends = starts + kernel
    full = np.minimum(ends, length + 2 * before) - starts
    inside = np.minimum(ends, length + before) - np.maximum(starts, before)
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True)), full, inside


def _avg_pool(
    x: Any, axes: int, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, with_pad: bool, divisor: int | None
) -> Any:
    op = f"avg_pool{axes}d"
    images = _images(x, axes, op)
    size = images.shape[2:]
    at = _windows(size, axes, kernel, stride, padding, 1, ceil_mode, op)
    cuts = [_cut(size[a], at.padding[a][0], at.grid[a], at.kernel[a], at.stride[a]) for a in (0, 1)]
    counts = np.outer(cuts[0][1 if with_pad else 2], cuts[1][1 if with_pad else 2])
    if divisor is not None:
        if divisor == 0:
            raise ValueError(f"{op}: expected divisor_override other than 0, got 0")
        by: Any = float(divisor)
    else:
        by = float(counts.flat[0]) if np.all(counts == counts.flat[0]) else counts.astype(_wide(images._data).dtype)
    y = _average(images, rows=cuts[0][0], columns=cuts[1][0], padding=at.padding, size=tuple(size), divisor=by)
    return _as_given(y, x, axes)


def avg_pool1d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
) -> Any:
    """The mean of every window of signals (N, C, L) or (C, L); the arguments are those of ``avg_pool2d``."""
    return _avg_pool(x, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of every window.

    Args:
        x: images (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding: a number, or one for the height and one for the width. The stride is the size of the
            window, if it is not given; padding, at most half a window, is 0.
        ceil_mode: windows that begin inside the image but reach beyond its padding count, too.
        count_include_pad: the padding counts in the mean.
        divisor_override: what to divide the sum by, instead of the number of elements.

    Raises:
        ValueError: where no window fits, and for more padding than half a window.
    """
    return _avg_pool(x, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _adaptive(x: Any, output_size: Any, axes: int, op: str) -> tuple[Any, Bins, Bins]:
    """The images and the bins: bin i of m on a length n goes from floor(i n / m) to ceil((i + 1) n / m)."""
    images = _images(x, axes, op)
    size = images.shape[4 - axes :]
    given = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * axes
    if len(given) != axes:
        raise ValueError(f"{op}: expected output_size to have {axes} numbers or one for all, got {output_size!r}")
    wanted = whole(tuple(n if m is None else m for m, n in zip(given, size, strict=True)), op, "output_size", axes)
    if 0 in images.shape[1:]:
        raise ValueError(f"{op}: expected an image with elements, got shape {images.shape}")
    wanted = wanted if axes == 2 else (1, *wanted)
    bins = [tuple((i * n // m, -(-(i + 1) * n // m)) for i in range(m)) for n, m in zip(images.shape[2:], wanted, strict=True)]
    return images, bins[0], bins[1]


def _lengths(bins: Bins) -> Array:
    return np.array([end - start for start, end in bins])


def _adaptive_avg(x: Any, output_size: Any, axes: int) -> Any:
    images, rows, columns = _adaptive(x, output_size, axes, f"adaptive_avg_pool{axes}d")
    by = np.outer(_lengths(rows), _lengths(columns)).astype(_wide(images._data).dtype)
    size = tuple(images.shape[2:])
    return _as_given(_average(images, rows=rows, columns=columns, padding=((0, 0), (0, 0)), size=size, divisor=by), x, axes)


def adaptive_avg_pool1d(x: Any, output_size: Any) -> Any:
    """The means of so many bins of signals (N, C, L) or (C, L); see ``adaptive_avg_pool2d``."""
    return _adaptive_avg(x, output_size, 1)


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """The means of a grid of bins: bin i of m goes from floor(i H / m) to ceil((i + 1) H / m).

    Args:
        x: images (N, C, H, W) or (C, H, W).
        output_size: the height and the width of the result, or one number for both; None keeps the input's.
    """
    return _adaptive_avg(x, output_size, 2)


def _adaptive_max(x: Any, output_size: Any, axes: int, return_indices: bool) -> Any:
    images, rows, columns = _adaptive(x, output_size, axes, f"adaptive_max_pool{axes}d")
    plane = _bin_argmax(images._data, rows, columns)
    distinct = all(a[1] <= b[0] for bins in (rows, columns) for a, b in pairwise(bins))
    y = _as_given(_greatest(images, plane, distinct), x, axes)
    return (y, _as_given(constant(plane), x, axes)) if return_indices else y


def adaptive_max_pool1d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The greatest elements of so many bins of signals (N, C, L) or (C, L); see ``adaptive_avg_pool2d``."""
    return _adaptive_max(x, output_size, 1, return_indices)


def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The greatest elements of a grid of bins, as in ``adaptive_avg_pool2d``; the first one has the whole gradient."""
    return _adaptive_max(x, output_size, 2, return_indices)
