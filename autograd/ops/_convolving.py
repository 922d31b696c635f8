"""Convolution of arrays: the kernels of ``convolution``, as products of matrices.

The windows of some samples are copied to columns (see ``_columns``), side by side, and BLAS does the rest in one product. One
large product is nearly twice as fast as one for each sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._columns import Columns
from autograd.ops._windows import Pair, Windows, border, padded

CHUNK = 3 << 19  # elements of columns at a time: whatever the batch, im2col needs no more memory than this (or one row)


def _wide(*arrays: Array) -> list[Array]:
    """Arrays of one dtype; float16 is summed in float32."""
    dtype = np.result_type(*arrays)
    return [array.astype(np.float32 if dtype == np.float16 else dtype, copy=False) for array in arrays]


def _pieces(samples: int, channels: int, at: Windows) -> Iterator[tuple[slice, slice, Windows]]:
    """Samples and rows of windows whose columns are at most CHUNK elements (but at least one row of one sample)."""
    rows, width = at.grid
    row = max(1, channels * math.prod(at.kernel) * width)
    if row * rows <= CHUNK:
        count = -(-samples // (CHUNK // max(1, row * rows)))  # pieces, as equal as can be
        for number in range(count):
            yield slice(number * samples // count, (number + 1) * samples // count), slice(0, rows), at
        return
    height = max(1, CHUNK // row)
    for sample in range(samples):
        for start in range(0, rows, height):
            part = min(height, rows - start)
            yield slice(sample, sample + 1), slice(start, start + part), at._replace(grid=(part, width))


class _Room:
    """The ``Columns`` for one piece after the other, made anew only where the size changes."""

    def __init__(self, channels: int, dtype: Any) -> None:
        self.channels, self.dtype = channels, dtype
        self.made: tuple[Any, Columns] | None = None

    def columns(self, samples: slice, at: Windows) -> Columns:
        size = (samples.stop - samples.start, at)
        if self.made is None or self.made[0] != size:
            self.made = None  # not two at a time
            self.made = size, Columns(self.channels, size[0], at, self.dtype)
        return self.made[1]


def _unpadded(x: Array, at: Windows) -> tuple[Array, Windows]:
    """Images whose windows are cut by rows get their padding now: a band of them begins anywhere."""
    if x.shape[1] * math.prod(at.kernel) * math.prod(at.grid) <= CHUNK:
        return x, at
    return padded(x, at.padding), at._replace(padding=((0, 0), (0, 0)))


def _band(x: Array, samples: slice, rows: slice, at: Windows) -> Array:
    """The part of the images that the windows of these samples and rows look at."""
    return x[samples, :, rows.start * at.stride[0] :]


def _by_group(w: Array, groups: int) -> Array:
    """(O, C/groups, kh, kw) -> (groups, O/groups, C/groups kh kw)"""
    return w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:]))


def _side_by_side(y: Array, groups: int) -> Array:
    """(n, C, h, w) -> (groups, C/groups, n h w)"""
    return np.ascontiguousarray(y.swapaxes(0, 1)).reshape(groups, y.shape[1] // groups, -1)


def conv(x: Array, w: Array, *bias: Array, at: Windows, size: Pair, groups: int) -> Array:  # noqa: ARG001
    dtype = np.result_type(x, w, *bias)
    x, w = _wide(x, w)
    (n, c), o = x.shape[:2], w.shape[0]
    matrix = _by_group(w, groups)
    y = np.empty((n, o, *at.grid), x.dtype)
    x, at = _unpadded(x, at)
    room = _Room(c, x.dtype)
    for samples, rows, part in _pieces(n, c, at):
        columns = room.columns(samples, part).of(_band(x, samples, rows, at))
        product = np.matmul(matrix, columns.reshape(groups, matrix.shape[2], -1)).reshape(o, -1, *part.grid)
        out = y[samples, :, rows].swapaxes(0, 1)
        if bias:
            np.add(product, bias[0].reshape(-1, 1, 1, 1), out=out)
        else:
            out[...] = product
    return np.asarray(y, dtype)


def _turned(w: Array, groups: int) -> Array:
    """The weight (C, O/groups, kh, kw) of the convolution that takes g back to x, where the stride is 1."""
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])[..., ::-1, ::-1].swapaxes(1, 2)
    return np.ascontiguousarray(w).reshape(-1, *w.shape[2:])


def _back(at: Windows, size: Pair, channels: int, out_channels: int) -> Windows | None:
    """The windows on g whose convolution is the gradient of the images; None where adding columns to images is quicker.

    It has the columns of g to make, kh kw O H W elements, instead of kh kw C oh ow sums. But then they do for the gradient of
    the weight, too; and an element that is copied costs half of one that is added.
    """
    if at.stride != (1, 1) or out_channels * math.prod(size) > 2 * channels * math.prod(at.grid):
        return None
    pads = []
    for k, d, (before, behind) in zip(at.kernel, at.dilation, at.padding, strict=True):
        pads.append((d * (k - 1) - before, d * (k - 1) - behind))
    if min(min(pad) for pad in pads) < 0:
        return None
    return at._replace(padding=(pads[0], pads[1]), grid=size)


def conv_input(g: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> Array:
    dtype = np.result_type(g, w)
    g, w = _wide(g, w)
    n, c = g.shape[0], w.shape[1] * groups
    back = _back(at, size, c, g.shape[1])
    if back is not None:
        return np.asarray(conv(g, _turned(w, groups), at=back, size=at.grid, groups=groups), dtype)
    # (kh, groups, C/groups kw, O/groups): a product for each row of the windows stays in the cache until it is added
    matrices = (
        w.reshape(groups, -1, *w.shape[1:]).transpose(3, 0, 2, 4, 1).reshape(w.shape[2], groups, -1, w.shape[0] // groups)
    )
    inner: Any = (slice(None), slice(None))
    whole_size = size
    if c * math.prod(at.kernel) * math.prod(at.grid) > CHUNK:  # by rows: see _unpadded
        whole_size, *rest = border(size, at.padding)
        inner, at = (*inner, *rest), at._replace(padding=((0, 0), (0, 0)))
    x = np.zeros((n, c, *whole_size), g.dtype)
    room = _Room(c, g.dtype)
    for samples, rows, part in _pieces(n, c, at):
        piece = _side_by_side(g[samples, :, rows], groups)
        place = room.columns(samples, part)
        for number, matrix in enumerate(matrices):
            # with one channel a group the sum has one term, and matmul, which then leaves BLAS aside, is the slower one
            product = (np.multiply if matrix.shape[2] == 1 else np.matmul)(matrix, piece)
            place.add_row(number, product.reshape(c, at.kernel[1], -1, *part.grid))
        place.lay_down(_band(x, samples, rows, at))
    return np.ascontiguousarray(x[inner]).astype(dtype, copy=False)


def conv_weight(x: Array, g: Array, *, at: Windows, size: Pair, groups: int) -> Array:
    dtype = np.result_type(x, g)
    x, g = _wide(x, g)
    (n, c), o = x.shape[:2], g.shape[1]
    back = _back(at, size, c, o)
    if back is not None:
        return _by_columns_of_g(g, x, None, back, at, groups)[1].astype(dtype, copy=False)
    depth = c // groups * math.prod(at.kernel)
    total = np.zeros((groups, o // groups, depth), x.dtype)
    kernel = at.kernel
    x, at = _unpadded(x, at)
    room = _Room(c, x.dtype)
    for samples, rows, part in _pieces(n, c, at):
        columns = room.columns(samples, part).of(_band(x, samples, rows, at)).reshape(groups, depth, -1)
        total += np.matmul(_side_by_side(g[samples, :, rows], groups), columns.swapaxes(1, 2))
    return total.reshape(o, c // groups, *kernel).astype(dtype, copy=False)


def _by_columns_of_g(
    g: Array, x: Array, w: Array | None, back: Windows, at: Windows, groups: int
) -> tuple[Array | None, Array]:
    """The gradients of the images (without w: None) and of the weight, from the columns of g that ``_back`` speaks of."""
    (n, c), o, size = x.shape[:2], g.shape[1], back.grid
    depth = o // groups * math.prod(at.kernel)
    dx, dw = None, np.zeros((groups, c // groups, depth), x.dtype)
    if w is not None:
        dx, matrix = np.empty_like(x), _turned(w, groups).reshape(groups, c // groups, depth)
    g, back = _unpadded(g, back)
    room = _Room(o, x.dtype)
    for samples, rows, part in _pieces(n, o, back):
        columns = room.columns(samples, part).of(_band(g, samples, rows, back)).reshape(groups, depth, -1)
        if dx is not None:
            dx[samples, :, rows].swapaxes(0, 1)[...] = np.matmul(matrix, columns).reshape(c, -1, part.grid[0], size[1])
        dw += np.matmul(_side_by_side(x[samples, :, rows], groups), columns.swapaxes(1, 2))
    return dx, _turned(dw.reshape(c, o // groups, *at.kernel), groups)


def conv_backward(g: Array, x: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> tuple[Array, Array]:
    """The gradients of the images and of the weight; from the same columns of g, where that pays."""
    back = _back(at, size, x.shape[1], g.shape[1])
    if back is None:
        return (conv_input(g, w, at=at, size=size, groups=groups), conv_weight(x, g, at=at, size=size, groups=groups))
    dtypes = np.result_type(g, w), np.result_type(x, g)
    g, x, w = _wide(g, x, w)
    dx, dw = _by_columns_of_g(g, x, w, back, at, groups)
    return np.asarray(dx, dtypes[0]), np.asarray(dw, dtypes[1])
