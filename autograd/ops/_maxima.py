"""The greatest element of every window, and which one it is, on arrays.

A window is searched in two steps, across and then down. Each compares an array with itself, shifted: long contiguous rows, over
which NumPy runs with vector instructions, where slices with a step take four times as long. What was compared in vain, between
the windows and across the edges, is dropped at the end.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._windows import Pair, Windows, border, padded, whole_rows
from autograd.ops.gate import gate

BLOCK = 1 << 17  # elements that are worked on at a time, so that they stay in the cache


def window_maxima(x: Array, at: Windows) -> tuple[Array, Array]:
    """(N, C, oh, ow) twice: the greatest elements, and the number of each in its window, row by row.

    Of equal elements it is the first one, and nan is greater than any. A window of -inf points at an element of x, not at the
    padding.
    """
    wide = padded(x, at.padding, -math.inf)
    y = np.empty((*x.shape[:2], *at.grid), x.dtype)
    if math.prod(at.kernel) > 256 or not y.size:
        return _slowly(x, at)
    numbers = np.empty(y.shape, np.uint8)
    planes, best, found = (array.reshape(-1, *array.shape[2:]) for array in (wide, y, numbers))
    (sh, sw), (oh, ow) = at.stride, at.grid
    corners = (slice(None), slice(0, sh * (oh - 1) + 1, sh), slice(0, sw * (ow - 1) + 1, sw))
    step = max(1, BLOCK // math.prod(planes.shape[1:]))
    for start in range(0, len(planes), step):
        part = slice(start, start + step)
        greatest, number = _search(np.ascontiguousarray(planes[part]), at)
        best[part], found[part] = greatest[corners], number[corners]
    if np.isnan(np.max(y)) or (wide is not x and np.min(y) == -math.inf):
        return _slowly(x, at)
    return y, numbers


def _search(block: Array, at: Windows) -> tuple[Array, Array]:
    """For a window that begins at any element of planes (n, H, W): its greatest element, and the number of that."""
    (kh, kw), _, (dh, dw), _, _ = at
    best, across = np.empty(block.shape, block.dtype), np.empty(block.shape, np.uint8)
    flat, out, numbers = block.reshape(-1), best.reshape(-1), across.reshape(-1)
    length = flat.size - (kw - 1) * dw
    out, numbers = out[:length], numbers[:length]
    greatest = flat[:length]
    if kw == 1:
        numbers[...] = 0
    for j in range(1, kw):
        other = flat[j * dw : j * dw + length]
        better = np.greater(other, greatest).view(np.uint8)
        np.maximum(other, greatest, out=out)
        if j > 1:
            better *= np.uint8(j)
            np.maximum(numbers, better, out=numbers)
        else:
            numbers[...] = better
        greatest = out
    if kh == 1:
        out[...] = greatest
        return best, across
    below = dh * block.shape[2]
    rows, columns = greatest, numbers
    best, number = np.empty(block.shape, block.dtype), np.empty(block.shape, np.uint8)
    length -= (kh - 1) * below
    out, numbers = best.reshape(-1)[:length], number.reshape(-1)[:length]
    greatest = rows[:length]
    numbers[...] = columns[:length]
    for i in range(1, kh):
        other = rows[i * below : i * below + length]
        better = np.greater(other, greatest).view(np.uint8)
        np.maximum(other, greatest, out=out)
        change = columns[i * below : i * below + length] + np.uint8(i * kw)
        change *= better
        np.maximum(numbers, change, out=numbers)  # a number in this row of the window is greater than those before
        greatest = out
    return best, number


def _slowly(x: Array, at: Windows) -> tuple[Array, Array]:
    """The same with care for nan, for windows of -inf at the border and for huge ones."""
    (kh, kw), (sh, sw), (dh, dw), _, (oh, ow) = at
    wide = padded(x, at.padding, -math.inf)
    best = np.empty((*x.shape[:2], oh, ow), x.dtype)
    number = np.zeros(best.shape, np.intp)
    for k in range(kh * kw):
        i, j = divmod(k, kw)
        piece = wide[:, :, i * dh : i * dh + sh * (oh - 1) + 1 : sh, j * dw : j * dw + sw * (ow - 1) + 1 : sw]
        if k == 0:
            best[...] = piece
            continue
        better = (piece > best) | (np.isnan(piece) & ~np.isnan(best))
        np.copyto(best, piece, where=better)
        np.copyto(number, k, where=better)
    down, across = np.divmod(number, kw)
    down = _inside(x.shape[2], oh, kh, sh, dh, at.padding[0][0])[np.arange(oh)[:, None], down]
    across = _inside(x.shape[3], ow, kw, sw, dw, at.padding[1][0])[np.arange(ow), across]
    return best, down * kw + across


def _inside(length: int, windows: int, kernel: int, stride: int, dilation: int, before: int) -> Array:
    """(windows, kernel): the number of each element of each window; for those outside, of the first one that is inside."""
    starts = np.arange(windows)[:, None] * stride - before
    places = starts + np.arange(kernel) * dilation
    first = np.maximum(0, -(starts // dilation))
    return np.where((places < 0) | (places >= length), first, np.arange(kernel))


def positions(numbers: Array, at: Windows, width: int) -> Array:
    """Where in its plane (H W) each of the numbered elements lies."""
    down, across = np.divmod(numbers.astype(np.intp), at.kernel[1])
    (oh, ow), (top, left) = at.grid, (at.padding[0][0], at.padding[1][0])
    rows = np.arange(oh)[:, None] * at.stride[0] - top + down * at.dilation[0]
    columns = np.arange(ow) * at.stride[1] - left + across * at.dilation[1]
    return np.asarray(rows * width + columns)


def _elements(planes: Array, at: Windows) -> Iterator[tuple[int, Array]]:
    """Each element of the windows on padded planes (n, H, W): its number, and a view (n, oh, ow) of it in all windows."""
    (kh, kw), (sh, sw), (dh, dw), _, (oh, ow) = at
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + sh * (oh - 1) + 1, sh)
            yield i * kw + j, planes[:, rows, j * dw : j * dw + sw * (ow - 1) + 1 : sw]


def _by_pairs(at: Windows, full: Pair, dtype: Any) -> bool:
    """Whether windows two elements wide cover all columns, so that a window's share of a row is one number of 64 bits."""
    (kh, kw), (sh, sw), (dh, dw), _, (_, ow) = at
    fits = kw == sw == 2 and dw == dh == 1 and kh <= min(sh, 4) and full[1] == 2 * ow
    return fits and dtype == np.float32 and sys.byteorder == "little"


def _place_pairs(g: Array, numbers: Array, planes: Array, at: Windows) -> None:
    """``place`` for such windows: a cotangent's bits, shifted left by 0, by 32 or out of sight, are two elements of the image.

    Writing whole rows takes two thirds of the time of writing every second element, twice (``python -m benchmarks.choices``).
    """
    wide = np.ascontiguousarray(g, np.float32).view(np.uint32).astype(np.uint64)
    shift = (numbers * np.uint8(32)).astype(np.uint64)
    pairs = planes.view(np.uint64)
    for row in range(at.kernel[0]):
        rows = pairs[:, row : row + at.stride[0] * (at.grid[0] - 1) + 1 : at.stride[0]]
        whole_rows(rows)[...] = whole_rows(np.left_shift(wide, shift))
        shift -= np.uint64(64)  # that of a row above is now beyond 64 bits, as that of a row below has been


def place(g: Array, numbers: Array, at: Windows, size: Pair) -> Array:
    """Images (N, C, H, W) that are zero except at the numbered elements of the windows, where g is added."""
    dtype: Any = np.float32 if g.dtype == np.float16 else g.dtype
    full, rows, columns = border(size, at.padding)
    by_pairs = _by_pairs(at, full, dtype)
    make = np.empty if by_pairs and at.kernel[0] == at.stride[0] and full[0] == at.kernel[0] * at.grid[0] else np.zeros
    out = make((*g.shape[:2], *full), dtype)
    planes, flat, numbers = (array.reshape(-1, *array.shape[2:]) for array in (out, g, numbers))
    apart = all(s > d * (k - 1) for k, s, d in zip(at.kernel, at.stride, at.dilation, strict=True))
    step = max(1, BLOCK // max(1, math.prod(full)))
    integer = {4: np.int32, 8: np.int64}.get(np.dtype(dtype).itemsize) if apart else None
    for start in range(0, len(planes), step):
        part = slice(start, start + step)
        if by_pairs:
            _place_pairs(flat[part], numbers[part].astype(np.uint8, copy=False), planes[part], at)
            continue
        cotangent = np.ascontiguousarray(flat[part], dtype)
        for number, view in _elements(planes[part], at):
            mine = numbers[part] == number
            if integer is not None:  # as ``gate`` does, but into its place
                np.multiply(cotangent.view(integer), mine, out=view.view(integer))
            else:
                view += gate(cotangent, mine)
    return np.ascontiguousarray(out[:, :, rows, columns]).astype(g.dtype, copy=False)
