"""Sums, maxima and exponentials of the rows of a matrix, as fast as NumPy can: for softmax, cross entropy and attention.

Measured by ``python -m benchmarks.choices``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from autograd.arrays import Array

BLOCK = 1 << 17  # elements that are worked on at a time, so that they stay in the cache
_HARMLESS = 10.0  # logits up to here need no shift: their exponentials neither overflow nor lose digits
_ENOUGH = math.exp(-10.0)  # nor do those of a row whose sum is at least this


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Rows of about BLOCK elements."""
    step = max(1, BLOCK // max(1, width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


@lru_cache(maxsize=64)
def _ones(length: int, dtype: np.dtype[np.floating]) -> Array:
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


def row_sums(x: Array) -> Array:
    """The sum of each row.

    A product with ones is three to five times as fast as ``np.add.reduce``, but adds up one after the other, which costs digits
    in long rows: those are summed piece by piece.
    """
    width = x.shape[1]
    if width <= 1024:
        return np.asarray(x @ _ones(width, x.dtype))
    if width % 4 == 0 and x.flags.c_contiguous:
        parts = next((n for n in (500, 512, 400, 256, 200, 128, 100, 64) if width % n == 0), 0)
        if parts:
            # (as quick as the product here, and it leaves the threads of BLAS asleep: see autograd.threads)
            return np.asarray(np.add.reduce(np.einsum("ij->i", x.reshape(-1, parts)).reshape(len(x), -1), 1))
    return np.asarray(np.add.reduce(x, 1))


def row_maxima(x: Array) -> Array:
    """The greatest element of each row; -inf for empty ones.

    Where rows are short, ``np.argmax`` is five times as fast as ``np.maximum.reduce``.
    """
    if 0 < x.shape[1] <= 512:
        return np.asarray(x[np.arange(len(x)), np.argmax(x, 1)])
    return np.asarray(np.maximum.reduce(x, 1, initial=-math.inf))


def exponentials(x: Array, out: Array, empty: bool = False) -> tuple[Array, Array | None]:
    """exp(x - shift) into ``out``, by rows: the sums, and the shift of each row, without which they would overflow (None: 0).

    The shift is the row's greatest element. Logits are usually small, though: one look at the greatest of all, and one at the
    sums, save a search in every row and a subtraction, which together take as long as the exponentials.

    ``empty``: a row of nothing but -inf has exponentials of 0, and 1 as their sum. (Otherwise they are nan.)
    """
    if x.size and np.maximum.reduce(x, None) <= _HARMLESS:
        np.exp(x, out=out)
        sums = row_sums(out)
        if np.minimum.reduce(sums) >= _ENOUGH:
            return sums, None
    shift = row_maxima(x)
    if empty:
        shift[shift == -math.inf] = 0.0
    np.subtract(x, shift[:, None], out=out)
    np.exp(out, out=out)
    sums = row_sums(out)
    if empty:
        sums[sums == 0.0] = 1.0
    return sums, shift
