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
from autograd.ops._columns import Columns, whole_tiles
from autograd.ops._windows import Pair, Windows, border, copy_rows, padded

CHUNK = 1 << 20  # elements of columns at a time: whatever the batch, im2col needs no more memory than this (or one row)


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


def _side_by_side(y: Array, groups: int, rows: int | None = None) -> Array:
    """(n, C, h, w) -> (groups, C/groups, n h w), or with so many rows for a group, of which the last ones are zero."""
    n, c, h, w = y.shape
    out = np.empty((groups, rows or c // groups, n, h * w), y.dtype)
    out[:, c // groups :] = 0
    copy_rows(y.reshape(n, groups, c // groups, h * w).transpose(1, 2, 0, 3), out[:, : c // groups])
    return out.reshape(*out.shape[:2], -1)


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


def _sum_over_last(a: Array, b: Array) -> Array:
    """a bᵀ of (groups, A, N) and (groups, B, N); BLAS shares out the rows of the result better than its columns."""
    total: Array
    if a.shape[1] >= b.shape[1]:
        total = np.matmul(a, b.swapaxes(1, 2))
    else:
        total = np.matmul(b, a.swapaxes(1, 2)).swapaxes(1, 2)
    return total


def _turned(w: Array, groups: int) -> Array:
    """The weight (C, O/groups, kh, kw) of the convolution that takes g back to x, where the stride is 1."""
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])[..., ::-1, ::-1].swapaxes(1, 2)
    return np.ascontiguousarray(w).reshape(-1, *w.shape[2:])


def _back(at: Windows, size: Pair, c: int, o: int) -> Windows | None:
    """The windows of that convolution, where it has so few channels that its columns are less than the channels of x."""
    if at.stride != (1, 1) or o * math.prod(at.kernel) >= c:
        return None
    pads = []
    for k, d, (before, _), length, count in zip(at.kernel, at.dilation, at.padding, size, at.grid, strict=True):
        whole = d * (k - 1)
        pads.append((whole - before, length + before - count))
    if min(min(pad) for pad in pads) < 0:
        return None
    return at._replace(padding=(pads[0], pads[1]), grid=size)


def conv_input(g: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> Array:
    dtype = np.result_type(g, w)
    back = _back(at, size, w.shape[1] * groups, w.shape[0])
    if back is not None:
        return np.asarray(conv(g, _turned(w, groups), at=back, size=at.grid, groups=groups), dtype)
    g, w = _wide(g, w)
    if at.stride[0] == 1:
        return np.asarray(_halfway(g, None, w, at, size, groups)[0], dtype)
    n, c = g.shape[0], w.shape[1] * groups
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
    (n, c), o, (kh, kw) = x.shape[:2], g.shape[1], at.kernel
    back = _back(at, size, c, o)
    if back is not None:
        return _turned(conv_weight(g, x, at=back, size=at.grid, groups=groups), groups)
    x, g = _wide(x, g)
    if _both_halfway(c, o, at, size, groups):
        return np.asarray(_halfway(g, x, None, at, size, groups)[1], dtype)
    depth = deep = c // groups * kh * kw
    width = o // groups
    if groups == 1:
        deep, width = whole_tiles(depth), whole_tiles(o)
    total = np.zeros((groups, deep, width), x.dtype)
    x, at = _unpadded(x, at)
    room = _Room(c, x.dtype)
    for samples, rows, part in _pieces(n, c, at):
        place = room.columns(samples, part)
        place.of(_band(x, samples, rows, at))
        columns = place.matrix[: groups * deep].reshape(groups, deep, -1)
        total += np.matmul(columns, _side_by_side(g[samples, :, rows], groups, width).swapaxes(1, 2))
    total = total[:, :depth, : o // groups].swapaxes(1, 2)
    return np.ascontiguousarray(total).reshape(o, c // groups, kh, kw).astype(dtype, copy=False)


def _both_halfway(c: int, o: int, at: Windows, size: Pair, groups: int) -> bool:
    """Whether the gradient of the weight is that of ``_halfway``: the same, to the bit, whatever else is wanted.

    It is, where that copies less and the product hardly grows, and not for a channel of its own for each group, whose kh kw
    sums are no product for BLAS.
    """
    (kh, kw), (oh, _) = at.kernel, at.grid
    return at.stride[0] == 1 and c > groups and c * kw + o * kh <= c * kh * kw + o and 5 * size[0] <= 6 * oh


def _halfway(
    g: Array, x: Array | None, w: Array | None, at: Windows, size: Pair, groups: int
) -> tuple[Array | None, Array | None]:
    """The gradients of the images (if w is given) and of the weight (if x is), for windows that go down row by row.

    In dx[p, q] = sum over i, j of w[i, j] g[p - i, q - j], the rows of g are copied for every i, so that one product sums over
    i and the channels; what it gives for every j is added, shifted. dw[i, j] = sum over p, q of g[p - i, q] x[p, q + j] needs
    the same rows of g, and of x the strips for every j: kh + kw copies, where columns are kh kw.
    """
    (n, o), c = g.shape[:2], x.shape[1] if x is not None else w.shape[1] * groups if w is not None else 0
    (kh, kw), (_, step), (dh, dw), (_, sides), (_, ow) = at
    top = dh * (kh - 1) - at.padding[0][0]
    if top < 0:  # rows that lie in the padding alone
        g, top = g[:, :, -top:], 0
    bottom = max(0, size[0] + dh * (kh - 1) - top - g.shape[2])
    down = Windows((kh, 1), (1, 1), (dh, 1), ((top, bottom), (0, 0)), (size[0], ow))
    across = Windows((1, kw), (1, step), (1, dw), ((0, 0), sides), (size[0], ow))
    deep, wide = o // groups * kh, c // groups * kw
    dx, dw_sum = None, np.zeros((groups, deep, wide), g.dtype)
    if w is not None:  # (O, C/groups, kh, kw) -> (groups, C/groups kw, O/groups kh)
        matrix = (
            w.reshape(groups, o // groups, *w.shape[1:])[:, :, :, ::-1].transpose(0, 2, 4, 1, 3).reshape(groups, wide, deep)
        )
        dx = np.empty((n, c, *size), g.dtype)
    large = max(o, -(-c * kw // kh))
    if large * kh * math.prod(down.grid) > CHUNK:  # by rows: see _unpadded
        g, down = padded(g, down.padding), down._replace(padding=((0, 0), (0, 0)))
    rows_of_g, strips_of_x = _Room(o, g.dtype), _Room(c, g.dtype)
    for samples, rows, part in _pieces(n, large, down):
        tall = rows_of_g.columns(samples, part).of(g[samples, :, rows.start :]).reshape(groups, deep, -1)
        strips = strips_of_x.columns(samples, across._replace(grid=part.grid))
        if dx is not None:
            product = np.matmul(matrix, tall).reshape(strips.strips.shape)
            total = strips.summed(product, size[1])
            if total is None:
                dx[samples, :, rows] = 0
                strips.lay_down(dx[samples, :, rows], product)
            else:
                copy_rows(total.swapaxes(0, 1), dx[samples, :, rows])
        if x is not None:
            dw_sum += _sum_over_last(tall, strips.of(x[samples, :, rows]).reshape(groups, wide, -1))
    if x is None:
        return dx, None
    apart = dw_sum.reshape(groups, o // groups, kh, c // groups, kw)[:, :, ::-1].swapaxes(2, 3)
    return dx, np.ascontiguousarray(apart).reshape(o, c // groups, kh, kw)


def conv_backward(g: Array, x: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> tuple[Array, Array]:
    """The gradients of the images and of the weight; from the same rows of g, where that pays."""
    c, o = x.shape[1], g.shape[1]
    if _back(at, size, c, o) is not None or not _both_halfway(c, o, at, size, groups):
        return (conv_input(g, w, at=at, size=size, groups=groups), conv_weight(x, g, at=at, size=size, groups=groups))
    dtypes = np.result_type(g, w), np.result_type(x, g)
    g, x, w = _wide(g, x, w)
    dx, dw = _halfway(g, x, w, at, size, groups)
    return np.asarray(dx, dtypes[0]), np.asarray(dw, dtypes[1])
