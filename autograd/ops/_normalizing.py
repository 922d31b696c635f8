"""Normalisation of arrays: of rows (layer, group, RMS norm) and of channels (batch norm), forward and backward.

Everything is done in blocks that stay in the cache. Sums over rows are products with a vector of ones or dot products, which
BLAS does: five times as fast as ``np.add.reduce`` over a short axis (``python -m benchmarks.choices``). Parameters are spread
out, so that they are applied along rows of a thousand elements and more: NumPy starts anew for every row, and that takes as
long as a hundred elements.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd.arrays import Array

BLOCK = 1 << 17  # elements that are worked on at a time, so that they stay in the cache
LARGE_BLOCK = 1 << 19  # where there are only a few passes: the calls for a block cost more than the second cache saves


def wide_dtype(*arrays: Array) -> np.dtype[np.floating]:
    """The dtype to compute in: float32 for float16."""
    dtype = np.result_type(*arrays)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _blocks(rows: int, width: int, multiple: int = 1, size: int | None = None) -> Iterator[slice]:
    """Rows of about ``size`` elements (BLOCK, if it is not given), in multiples of some number."""
    step = max(1, (size or BLOCK) // max(1, width * multiple)) * multiple
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


class Spread:
    """A parameter of each column, or of equal parts of some rows, ready to be applied to blocks of rows."""

    def __init__(self, parameter: Array, length: int, rows: int, width: int) -> None:
        self.count, self.length = parameter.size, length  # so many values, each for so many elements
        self.period = parameter.size * length // width if width else 1  # in rows
        pattern = np.repeat(parameter, length) if length > 1 else parameter
        more = 1  # repeated to a length of about a thousand, where that divides the rows
        while pattern.size * more * 2 <= 2048 and rows // self.period % (more * 2) == 0:
            more *= 2
        self.pattern = np.tile(pattern, more) if more > 1 else pattern
        self.multiple = self.period * more

    def rows(self, block: Array) -> Array:
        """A block as rows of the length of the pattern."""
        return block.reshape(-1, self.pattern.size)

    def total(self, block: Array, factors: Array | None = None) -> Array:
        """The sum of a block, its rows times factors, for each value of the parameter: the adjoint of spreading it."""
        if factors is not None and self.period == 1:
            sums = factors @ block
        else:
            block = block if factors is None else block * factors[:, None]
            rows = block.reshape(-1, self.count * self.length)
            sums = np.ones(len(rows), block.dtype) @ rows
        return sums if self.length == 1 else np.add.reduce(sums.reshape(self.count, self.length), 1)


def rows_forward(
    x: Array, weight: Array | None, bias: Array | None, length: int, eps: float, centred: bool
) -> tuple[Array, Array, Array]:
    """weight (x - mean) rate + bias of rows x (R, D), and with it mean (0 if not centred) and rate of the rows, as columns.

    ``weight`` and ``bias`` are flat, each of their values being for ``length`` elements in turn.
    """
    dtype = wide_dtype(*(array for array in (x, weight, bias) if array is not None))
    count, width = x.shape
    y, mean, rate = np.empty(x.shape, dtype), np.zeros((count, 1), dtype), np.empty((count, 1), dtype)
    spread = [Spread(p.astype(dtype, copy=False), length, count, width) for p in (weight, bias) if p is not None]
    ones, length = np.ones(width, dtype), max(1, width)
    for block in _blocks(count, width, spread[0].multiple if spread else 1):
        piece, out = x[block], y[block]
        if piece.dtype != dtype:
            piece = piece.astype(dtype)
        if centred:
            np.divide(np.matmul(piece, ones), length, out=mean[block, 0])
            np.subtract(piece, mean[block], out=out)
            piece = out
        part = rate[block]
        np.vecdot(piece, piece, out=part[:, 0])
        part /= length
        part += eps
        np.sqrt(part, out=part)
        np.reciprocal(part, out=part)
        np.multiply(piece, part, out=out)
        if weight is not None:
            rows = spread[0].rows(out)
            rows *= spread[0].pattern
        if bias is not None:
            rows = spread[-1].rows(out)
            rows += spread[-1].pattern
    return y, mean, rate


def rows_backward(
    g: Array, x: Array, weight: Array | None, length: int, mean: Array, rate: Array, centred: bool, wanted: tuple[bool, ...]
) -> list[Array | None]:
    """The gradients of x, weight and bias (each if it is wanted).

    With c = x - mean and h = g weight: dx = rate (h - mean(h) - c rate² mean(h c)), dweight = sum(g c rate), dbias = sum(g).
    """
    dtype = wide_dtype(*(array for array in (x, g, weight) if array is not None))
    count, width = x.shape
    dx = np.empty(x.shape, dtype) if wanted[0] else None
    sums: list[list[Array]] = [[], []]
    spread = None if weight is None else Spread(weight.astype(dtype, copy=False), length, count, width)
    ones, each = np.ones(width, dtype), max(1, width)
    for block in _blocks(count, width, 1 if spread is None else spread.multiple):
        piece, cotangent = (array[block].astype(dtype, copy=False) for array in (x, g))
        c = np.subtract(piece, mean[block]) if centred else piece
        out = None if dx is None else dx[block]
        if spread is not None and wanted[1]:
            sums[0].append(spread.total(np.multiply(cotangent, c, out=out), rate[block, 0]))
        if spread is not None and wanted[2]:
            sums[1].append(spread.total(cotangent))
        if out is None:
            continue
        if spread is None:
            out[...] = cotangent
        else:
            np.multiply(spread.rows(cotangent), spread.pattern, out=spread.rows(out))
        inner = np.vecdot(out, c)[:, None]
        inner *= rate[block] * rate[block]
        inner /= each
        middle = np.matmul(out, ones)[:, None] if centred else None
        out -= np.multiply(c, inner, out=c if centred else None)
        if middle is not None:
            middle /= each
            out -= middle
        out *= rate[block]
    return [dx, *(np.add.reduce(parts) if parts else None for parts in sums)]


def _along_channels(values: Array, length: int) -> Array:
    """A value of each channel as a row (c L): a pass with it takes half the time of one with a number for each (n, c)."""
    return np.repeat(values.reshape(-1), length) if length > 1 else values.reshape(-1)


class _ChannelSums:
    """Sums over n and L of blocks of (n, c, L), or of the products of two, for every channel: in float64, of sums of rows."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> None:
        n, c, length = shape
        self.ones = np.ones(n if length == 1 else length, dtype)
        self.rows = np.zeros((n, c), dtype)

    def note(self, block: slice, a: Array, b: Array | None = None) -> None:
        if a.shape[2] == 1:
            columns = (a if b is None else a * b)[:, :, 0]
            np.matmul(self.ones[: len(a)], columns, out=self.rows[block.start])
        elif b is None:
            np.matmul(a, self.ones, out=self.rows[block])
        else:
            np.vecdot(a, b, out=self.rows[block])

    def total(self) -> Array:
        return np.asarray(np.add.reduce(self.rows, 0, dtype=np.float64))


def _near_zero(mean: Array, var: Array) -> bool:
    """Whether sums of products may be taken about 0 instead of the mean: they lose at most a factor of five in precision."""
    return bool(np.all(mean * mean <= 4.0 * var)) and bool(np.all(np.isfinite(var)))


def channel_moments(x: Array) -> tuple[Array, Array]:
    """Mean and biased variance of each channel of x (n, c, L), in float64.

    One pass does for both, var = mean(x²) - mean², unless a mean is so great that the difference would lose digits.
    """
    n, c, length = x.shape
    count, dtype = max(1, n * length), wide_dtype(x)
    total, squares = _ChannelSums(x.shape, dtype), _ChannelSums(x.shape, dtype)
    for block in _blocks(n, c * length):
        piece = x[block].astype(dtype, copy=False)
        total.note(block, piece)
        squares.note(block, piece, piece)
    mean = total.total() / count
    var = squares.total() / count - mean * mean
    if _near_zero(mean, var):
        return mean, var
    rounded = mean.astype(dtype)
    middle = _along_channels(rounded, length)
    for block in _blocks(n, c * length):
        piece = (x[block].reshape(-1, c * length) - middle).reshape(-1, c, length)
        squares.note(block, piece, piece)
    return mean, np.maximum(squares.total() / count - (mean - rounded) ** 2, 0.0)


def channels_forward(x: Array, weight: Array | None, bias: Array | None, mean: Array, rate: Array) -> Array:
    """weight (x - mean) rate + bias of x (n, c, L): x factor + offset, or first x - mean where that cancels digits."""
    n, c, length = x.shape
    dtype = wide_dtype(*(array for array in (x, weight, bias) if array is not None))
    y = np.empty((n, c * length), dtype)
    scale = rate if weight is None else rate * weight
    offset = np.zeros(c) if bias is None else bias.astype(np.float64)
    middle = None
    if _near_zero(mean, 1.0 / (rate * rate)):
        offset = offset - mean * scale
    else:
        middle = _along_channels(mean.astype(dtype), length)
    factor, offset = (_along_channels(values.astype(dtype), length) for values in (scale, offset))
    for block in _blocks(n, c * length, size=LARGE_BLOCK):
        piece, out = x[block].reshape(-1, c * length), y[block]
        np.multiply(piece if middle is None else np.subtract(piece, middle, out=out), factor, out=out)
        out += offset
    return y.reshape(x.shape)


def channels_backward(
    g: Array, x: Array, weight: Array | None, mean: Array, rate: Array, wanted: tuple[bool, ...]
) -> list[Array | None]:
    """The gradients of x, weight and bias: those of ``rows_backward``."""
    n, c, length = x.shape
    dtype = wide_dtype(*(array for array in (x, g, weight) if array is not None))
    # sums about 0 instead of the mean, where that loses nothing: a pass less, here and below
    middle = None if _near_zero(mean, 1.0 / (rate * rate)) else _along_channels(mean.astype(dtype), length)
    sums, sums_along = _ChannelSums(x.shape, dtype), _ChannelSums(x.shape, dtype)
    for block in _blocks(n, c * length):
        cotangent = g[block].astype(dtype, copy=False)
        sums.note(block, cotangent)
        if wanted[0] or wanted[1]:
            piece = x[block].astype(dtype, copy=False)
            if middle is not None:
                piece = np.subtract(piece.reshape(-1, c * length), middle).reshape(-1, c, length)
            sums_along.note(block, cotangent, piece)
    total, along = sums.total(), sums_along.total()
    if middle is None:
        along -= mean * total
    dx = None
    if wanted[0]:
        # dx = factor g - (x - mean) slope - offset
        count = max(1, n * length)
        scale = rate if weight is None else rate * weight
        slope = scale * rate * rate * along / count
        offset = scale * total / count
        if middle is None:
            offset = offset - mean * slope
        factor, slope, offset = (_along_channels(values.astype(dtype), length) for values in (scale, slope, offset))
        dx = np.empty((n, c * length), dtype)
        for block in _blocks(n, c * length, size=LARGE_BLOCK):
            piece = x[block].reshape(-1, c * length)
            piece = np.multiply(piece if middle is None else np.subtract(piece, middle, dtype=dtype), slope, dtype=dtype)
            piece += offset
            out = np.multiply(g[block].reshape(-1, c * length), factor, out=dx[block])
            out -= piece
        dx = dx.reshape(x.shape)
    return [dx, along * rate if wanted[1] else None, total if wanted[2] else None]
