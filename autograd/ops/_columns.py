"""Windows of images as the columns of a matrix, and columns added back onto images.

NumPy needs as long to start on a row of an array as to copy thirty elements, so the windows are copied in two steps. The first
shifts the images sideways, once for each column of the window, into strips (C, kw, n, H, ow); the second shifts the strips
down, once for each row, where what lies side by side is a whole image. Against one copy of all windows that takes half of
the time (``python -m benchmarks.choices``). The columns of several samples stand side by side, so that one product, which BLAS
shares out to its threads, does for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._windows import Windows, copy_rows


def _inside(offset: int, stride: int, windows: int, length: int) -> tuple[slice, slice]:
    """The windows whose element at this offset lies on an axis of this length, and those elements."""
    first = max(0, -(offset // stride))
    last = min(windows, (length - 1 - offset) // stride + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(first * stride + offset, (last - 1) * stride + offset + 1, stride)


def _shift_all(source: Array, target: Array, offset: int) -> None:
    """Copies images to images of the same size, shifted sideways as if they were one long row: what wraps around is wrong."""
    source, target = (array.reshape(*array.shape[:2], -1) for array in (source, target))
    if offset > 0:
        target[..., offset:] = source[..., :-offset]
    else:
        target[..., : target.shape[2] + offset] = source[..., -offset:]


def whole_tiles(rows: int) -> int:
    """The next multiple of 4: BLAS takes less time for so many rows of a long matrix, some of them zero.

    It works on tiles of the result, and ends with narrow ones (``python -m benchmarks.choices``).
    """
    return -(-rows // 4) * 4


class Columns:
    """Room for the columns of the windows ``at`` on a few samples; it is used again for the next ones.

    Padding is never written out: the strips are zero where no image reaches. The columns are the first rows of ``matrix``.
    """

    def __init__(self, channels: int, samples: int, at: Windows, dtype: Any) -> None:
        (kh, kw), (sh, _), (dh, _), _, (oh, ow) = at
        self.at = at
        height = sh * (oh - 1) + dh * (kh - 1) + 1
        self.count = channels * kh * kw
        self.matrix = np.empty((whole_tiles(self.count), samples * oh * ow), dtype)
        self.matrix[self.count :] = 0
        self.columns = self.matrix[: self.count].reshape(channels, kh, kw, samples, oh, ow)
        self.flat = kh == 1 and sh == 1  # the strips are the columns
        self.strips = self.columns[:, 0] if self.flat else np.empty((channels, kw, samples, height, ow), dtype)

    def _rows(self, number: int) -> slice:
        first = number * self.at.dilation[0]
        return slice(first, first + self.at.stride[0] * (self.at.grid[0] - 1) + 1, self.at.stride[0])

    def _shifts(self, shape: tuple[int, ...], strips: Array) -> Iterator[tuple[Array, slice, slice]]:
        """For each column of the window: its rows of the strips, the columns of these that images of this shape (n, C, H, W)
        reach, and the columns of the images that belong there."""
        top, left = self.at.padding[0][0], self.at.padding[1][0]
        rows = min(shape[2], max(0, strips.shape[3] - top))
        for number in range(self.at.kernel[1]):
            offset = number * self.at.dilation[1] - left
            yield strips[:, number, :, top : top + rows], *_inside(offset, self.at.stride[1], self.at.grid[1], shape[3])

    def of(self, images: Array) -> Array:
        """The windows on images (n, C, H, W) as (C kh kw, n oh ow)."""
        if not self.flat and self.at.kernel[1] == self.at.stride[1] == 1 and self.at.grid[1] == images.shape[3]:
            self._rows_of(images)
            return self.matrix[: self.count]
        top = self.at.padding[0][0]
        self.strips[:, :, :, :top] = 0
        self.strips[:, :, :, top + images.shape[2] :] = 0
        for strip, there, here in self._shifts(images.shape, self.strips):
            if images.shape[3] == self.at.grid[1] and self.at.stride[1] == 1:
                _shift_all(images.swapaxes(0, 1)[:, :, : strip.shape[2]], strip, there.start - here.start)
            else:
                copy_rows(images.swapaxes(0, 1)[:, :, : strip.shape[2], here], strip[..., there])
            strip[..., : there.start] = 0
            strip[..., there.stop :] = 0
        if not self.flat:
            for number in range(self.at.kernel[0]):
                self.columns[:, number] = self.strips[:, :, :, self._rows(number)]
        return self.matrix[: self.count]

    def _rows_of(self, images: Array) -> None:
        """``of`` for windows one element wide, without a step across: nothing is shifted sideways."""
        images = images.swapaxes(0, 1)
        for number in range(self.at.kernel[0]):
            offset = number * self.at.dilation[0] - self.at.padding[0][0]
            there, here = _inside(offset, self.at.stride[0], self.at.grid[0], images.shape[2])
            rows = self.columns[:, number, 0]
            rows[:, :, there] = images[:, :, here]
            rows[:, :, : there.start] = 0
            rows[:, :, there.stop :] = 0

    def add_row(self, number: int, products: Array) -> None:
        """Adds (C, kw, n, oh, ow), what belongs to one row of the windows, to the strips: begin with the first row."""
        strips = self.strips[:, :, :, self._rows(number)]
        if number:
            strips += products
        else:
            self.strips[:, :, :, self.at.grid[0] if self.at.stride[0] == 1 else 0 :] = 0
            strips[...] = products

    def lay_down(self, images: Array, strips: Array | None = None) -> None:
        """Adds strips to images (n, C, H, W): with ``add_row`` for every row, the adjoint of ``of``."""
        for strip, there, here in self._shifts(images.shape, self.strips if strips is None else strips):
            shifted = images.swapaxes(0, 1)[:, :, : strip.shape[2], here]
            shifted += strip[..., there]

    def summed(self, strips: Array, width: int) -> Array | None:
        """What ``lay_down`` adds to images of this width, as (C, n, H, W), where that is quicker; the strips are overwritten.

        A shift is one of all images at once, where no row has to be begun: where strips are as wide as the images, what it
        would carry into the next row is set to zero before, and where they are narrower, zeros are put behind each row.
        """
        (c, kw, n, height, ow), step, left = strips.shape, self.at.dilation[1], self.at.padding[1][0]
        offsets = [number * step - left for number in range(kw)]
        if self.at.stride[1] != 1 or 0 not in offsets:
            return None
        if ow != width and (min(offsets) < 0 or max(offsets) + ow > width):
            return None
        total = strips[:, offsets.index(0)]
        if ow != width:
            narrow, (total, room) = total, np.zeros((2, c, n, height, width), strips.dtype)
            copy_rows(narrow, total[..., :ow])
        flat = total.reshape(c, -1)
        for offset, strip in zip(offsets, strips.swapaxes(0, 1), strict=True):
            if offset == 0 or abs(offset) >= width:
                continue
            if ow == width:
                strip[..., slice(width - offset, None) if offset > 0 else slice(0, -offset)] = 0
                source = strip.reshape(flat.shape)
            else:
                copy_rows(strip, room[..., :ow])
                source = room.reshape(flat.shape)
            if offset > 0:
                flat[:, offset:] += source[:, :-offset]
            else:
                flat[:, :offset] += source[:, -offset:]
        return total
