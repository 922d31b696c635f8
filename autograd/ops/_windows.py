"""Where sliding windows lie on an image, shared by unfold, convolution and pooling.

Everything is done on two spatial axes; a signal is an image of height 1.
"""

from __future__ import annotations

import math
import operator
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.arrays import Array

Pair = tuple[int, int]


class Windows(NamedTuple):
    """Where windows lie on an image, for its height and its width.

    Attributes:
        kernel: elements of a window.
        stride: step from one window to the next.
        dilation: step from one element of a window to the next.
        padding: what is added before and behind the image.
        grid: the number of windows down and across.
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: tuple[Pair, Pair]
    grid: Pair


def whole(value: Any, op: str, name: str, axes: int = 2, least: int = 1) -> tuple[int, ...]:
    """A number for each axis, from one number or from one per axis.

    Raises:
        TypeError: for anything but whole numbers.
        ValueError: for another count of them, or one that is less than ``least``.
    """
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    try:
        numbers = tuple(operator.index(item) for item in given)
    except TypeError:
        raise TypeError(f"{op}: expected whole numbers as {name}, got {value!r}") from None
    if len(numbers) == 1:
        numbers *= axes
    if len(numbers) != axes:
        raise ValueError(f"{op}: expected {name} to have {axes} number{'s' * (axes > 1)} or one for all, got {value!r}")
    if min(numbers) < least:
        raise ValueError(f"{op}: expected {name} of at least {least}, got {value!r}")
    return numbers


def lay(
    size: tuple[int, ...], kernel: Any, stride: Any, dilation: Any, padding: tuple[Pair, Pair], op: str, ceil: bool = False
) -> Windows:
    """The windows that fit on an image of this size.

    Raises:
        ValueError: where not even one window fits.
    """
    counts = []
    for length, k, s, d, (before, behind) in zip(size, kernel, stride, dilation, padding, strict=True):
        span = d * (k - 1) + 1
        room = length + before + behind - span
        count = (-(-room // s) if ceil else room // s) + 1
        if ceil and (count - 1) * s >= length + before:  # the last one must begin inside the image
            count -= 1
        if count < 1:
            raise ValueError(
                f"{op}: expected a window no larger than the padded input, got a window of {span} "
                f"on {length} with padding {before} + {behind}"
            )
        counts.append(count)
    return Windows(tuple(kernel), tuple(stride), tuple(dilation), padding, (counts[0], counts[1]))


def _memory() -> float:
    """The bytes of memory that the machine has; inf where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return math.inf


def check_memory(shape: tuple[int, ...], dtype: Any, op: str) -> None:
    """Raises MemoryError, before anything is allocated, for a result that the machine has no room for."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > _memory():
        raise MemoryError(
            f"{op}: expected a result that fits into memory ({_memory() / 2**30:.1f} GiB), got shape {shape}, "
            f"{size / 2**30:.1f} GiB; use a larger stride, less padding or a smaller batch"
        )


def padded(x: Array, padding: tuple[Pair, Pair], value: float = 0.0) -> Array:
    """x (N, C, H, W) with a border; x itself if there is none."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, c, h, w = x.shape
    y = np.full((n, c, h + top + bottom, w + left + right), value, x.dtype)
    y[:, :, top : top + h, left : left + w] = x
    return y


def whole_rows(x: Array) -> Array:
    """The rows of an array as one element each, to be copied as such; the last axis must be contiguous and not empty.

    NumPy goes through all of them in one loop, where it begins one for each row of numbers: rows of 16 float32 are copied in
    half of the time (``python -m benchmarks.choices``).
    """
    return x.view(np.dtype((np.void, x.shape[-1] * x.itemsize)))


def copy_rows(source: Array, target: Array) -> None:
    """``target[...] = source`` for arrays of one shape, by ``whole_rows`` where that is possible and pays."""
    alike = source.dtype == target.dtype and source.strides[-1] == target.strides[-1] == source.itemsize
    if alike and 0 < source.shape[-1] <= 256 and source.size:
        source, target = whole_rows(source), whole_rows(target)
    target[...] = source


def view(x: Array, at: Windows) -> Array:
    """The windows of a padded x (N, C, H, W) as a view (N, C, kh, kw, oh, ow): nothing is copied, do not write to it."""
    n, c, h, w = x.strides
    strides = (n, c, h * at.dilation[0], w * at.dilation[1], h * at.stride[0], w * at.stride[1])
    return as_strided(x, (*x.shape[:2], *at.kernel, *at.grid), strides, writeable=False)


def lay_down(windows: Array, out: Array, at: Windows) -> None:
    """Adds windows (N, C, kh, kw, oh, ow) to the padded image ``out`` (N, C, H, W): the adjoint of ``view``."""
    (kh, kw), (sh, sw), (dh, dw), _, (oh, ow) = at
    for i in range(kh):
        rows = slice(i * dh, i * dh + sh * (oh - 1) + 1, sh)
        for j in range(kw):
            out[:, :, rows, j * dw : j * dw + sw * (ow - 1) + 1 : sw] += windows[:, :, i, j]


def border(size: tuple[int, ...], padding: tuple[Pair, Pair]) -> tuple[Pair, slice, slice]:
    """The size with the padding, and where the image lies in it."""
    (top, bottom), (left, right) = padding
    h, w = size[-2:]
    return (h + top + bottom, w + left + right), slice(top, top + h), slice(left, left + w)
