"""Sums, maxima and exponentials of the rows of a matrix, as fast as NumPy can: for softmax, cross entropy and attention.

Measured by ``python -m benchmarks.choices``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.arrays import Array

BLOCK = 1 << 17  # elements that are worked on at a time, so that they stay in the cache


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Rows of about BLOCK elements."""
    step = max(1, BLOCK // max(1, width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


@lru_cache(maxsize=64)
def ones(length: int, dtype: np.dtype[np.floating]) -> Array:
    """A vector of ones, for sums as products; not to be written to."""
    made = np.ones(length, dtype)
    made.flags.writeable = False
    return made


def row_sums(x: Array) -> Array:
    """The sum of each row.

    A product with ones is three to five times as fast as ``np.add.reduce``, but adds up one after the other, which costs digits
    in long rows: those are summed piece by piece.
    """
    width = x.shape[1]
    if width <= 1024:
        return np.asarray(x.dot(ones(width, x.dtype)))
    if width % 4 == 0 and x.flags.c_contiguous:
        parts = next((n for n in (500, 512, 400, 256, 200, 128, 100, 64) if width % n == 0), 0)
        if parts:
            # (as quick as the product here, and it leaves the threads of BLAS asleep: see autograd.threads)
            return np.asarray(np.add.reduce(np.einsum("ij->i", x.reshape(-1, parts)).reshape(len(x), -1), 1))
    return np.asarray(np.add.reduce(x, 1))


def vector_sum(x: Array) -> Any:
    """The sum of a vector; a product with ones is twice as fast as ``np.add.reduce`` where it is short (see ``row_sums``)."""
    return x.dot(ones(len(x), x.dtype)) if len(x) <= 1024 else np.add.reduce(x)


def row_maxima(x: Array) -> Array:
    """The greatest element of each row; -inf for empty ones.

    Where rows are short, ``np.argmax`` is five times as fast as ``np.maximum.reduce``.
    """
    if 0 < x.shape[1] <= 512:
        return np.asarray(x[np.arange(len(x)), np.argmax(x, 1)])
    return np.asarray(np.maximum.reduce(x, 1, initial=-math.inf))


@lru_cache(maxsize=64)
def _starts(rows: int, width: int) -> Array:
    starts = np.arange(0, rows * width, width)
    starts.flags.writeable = False
    return starts


def places(columns: Array, width: int) -> Array:
    """Where the elements in these columns, one in each row of this width, are in the flat array."""
    return np.asarray(_starts(len(columns), width) + columns)  # (a third of the time of indexing by two arrays)


def exponentials(x: Array, out: Array, empty: bool = False, reach: float = 40.0) -> tuple[Array, Array | None]:
    """exp(x - shift) into ``out``, by rows: the sums, and the shift of each row, without which they would overflow (None: 0).

    The shift is the row's greatest element. Logits are usually small, though: one look at the sums saves a search in every row
    and a subtraction, which together take as long as the exponentials.

    Args:
        x: the logits.
        out: where the exponentials go.
        empty: a row of nothing but -inf has exponentials of 0, and 1 as their sum. (Otherwise they are nan.)
        reach: the logarithms of the sums that need no shift. Up to 40, nothing overflows or loses digits; but where such a
            logarithm is a term of the result, the digits before its point are missing behind it.
    """
    np.exp(x, out=out)
    sums = row_sums(out)
    if _harmless(sums, math.exp(reach)):
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


def _harmless(sums: Array, limit: float) -> bool:
    """Whether all sums are below the limit and above its inverse.

    A sum of squares stands for the greatest: a product takes a third of the time of ``np.maximum.reduce``.
    """
    inverse = np.reciprocal(sums)
    return bool(sums.dot(sums) <= limit * limit and inverse.dot(inverse) <= limit * limit)
