"""Scaled dot-product attention of arrays, forward and backward, in pieces that stay in the cache.

Matrices are (A, B, L, E), with two batch axes, and may lie in memory as a projection made them, (A, L, B, E): products of
matrices take rows that are not next to each other, so heads are neither cut out nor put together by copying.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from autograd.arrays import Array
from autograd.ops._rows import exponentials

BLOCK = 1 << 17  # weights at a time, so that they stay in the cache
STRIP = 32  # queries at a time, at least, where the first of them look at fewer keys than the last

Piece = tuple[slice, slice, slice]


def _four(x: Array, lead: tuple[int, ...]) -> Array:
    """(..., L, E) as (A, B, L, E), without a copy where there are two batch axes or fewer; a mask's axes of 1 stay 1."""
    if x.ndim == 4 and len(lead) == 2:
        return x
    own = (1,) * (len(lead) + 2 - x.ndim) + x.shape[:-2]
    if len(lead) < 2:
        return x.reshape(*own, *(1,) * (2 - len(lead)), *x.shape[-2:])
    if math.prod(own[:-1]) == 1:
        return x.reshape(1, own[-1], *x.shape[-2:])
    return np.broadcast_to(x, (*lead[:-1], own[-1], *x.shape[-2:])).reshape(math.prod(lead[:-1]), own[-1], *x.shape[-2:])


def _part(mask: Array, piece: Piece, keys: slice = slice(None)) -> Array:
    """What belongs to a piece in an array with axes of size 1, which hold for all."""
    index = (*piece, keys)
    return mask[tuple(part if size > 1 else slice(None) for part, size in zip(index, mask.shape, strict=True))]


class Matrices:
    """The arguments of attention as (A, B, L, E), in the dtype to compute in, and how they are cut into pieces."""

    def __init__(self, q: Array, k: Array, v: Array, bias: tuple[Array, ...], keep: Array | None, scale: float) -> None:
        self.lead = q.shape[:-2]
        dtype = np.result_type(q, k, v, *bias)
        self.dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
        self.q, self.k, self.v = (self.wide(x) for x in (q, k, v))
        self.scale, self.scaled = scale, self.q * scale  # not the scores, which are more
        self.keep = None if keep is None else _four(keep, self.lead)
        self.most = None if self.keep is None or self.keep.size > BLOCK else self.limits(self.keep)
        self.bias = _four(bias[0].astype(self.dtype, copy=False), self.lead) if bias else None

    def wide(self, x: Array) -> Array:
        x = _four(x.astype(self.dtype, copy=False), self.lead)
        return x if x.itemsize in x.strides[2:] else np.ascontiguousarray(x)  # BLAS takes no others

    def limits(self, keep: Array) -> Array:
        """inf where a key is looked at, -inf elsewhere: a minimum with this takes half the time of a selection."""
        return np.where(keep, math.inf, -math.inf).astype(self.dtype)

    def _seen(self, rows: slice) -> int:
        """How many keys, from the first one on, these queries look at: with a causal mask they need not meet all of them."""
        columns: int = self.k.shape[2]
        if self.keep is None or math.prod(self.keep.shape[:2]) > 1 or self.keep.shape[3] == 1:
            return columns
        any_of_them = np.logical_or.reduce(_part(self.keep, (slice(None), slice(None), rows))[0, 0], 0)
        return columns - int(np.argmax(any_of_them[::-1])) if any_of_them.any() else 1

    def pieces(self) -> Iterator[tuple[Piece, slice]]:
        """Parts of the batch and of the queries, the last ones first, and the keys that these queries look at."""
        (a, b, rows), columns = self.q.shape[:3], self.k.shape[2]
        if not rows or not columns:
            return
        height = max(1, min(rows, BLOCK // columns))
        if rows > STRIP and a * b * rows * columns > BLOCK and self._seen(slice(0, rows // 2)) < columns:
            height = min(height, max(STRIP, rows // 8))
        strips = [slice(top, min(top + height, rows)) for top in reversed(range(0, rows, height))]
        seen = [slice(0, columns if len(strips) == 1 else self._seen(strip)) for strip in strips]
        matrices = max(1, BLOCK // (height * columns))
        step_a, step_b = max(1, matrices // max(1, b)), min(b, matrices)
        for i in range(0, a, step_a):
            for j in range(0, b, step_b):
                for strip, keys in zip(strips, seen, strict=True):
                    yield (slice(i, i + step_a), slice(j, j + step_b), strip), keys

    def scores(self, piece: Piece, keys: slice) -> Array:
        """The masked scores of some queries."""
        s: Array = np.matmul(self.scaled[piece], np.swapaxes(self.k[piece[0], piece[1], keys], 2, 3))
        if self.bias is not None:
            s += _part(self.bias, piece, keys)
        if self.keep is not None:
            keep = _part(self.keep, piece, keys)
            np.minimum(s, self.limits(keep) if self.most is None else _part(self.most, piece, keys), out=s)
            if np.isnan(np.max(s, initial=-math.inf)):  # which a minimum leaves
                np.copyto(s, -math.inf, where=np.logical_not(keep))
        return s


def attend(of: Matrices, y: Array) -> Array:
    """Fills y with the result, and returns the logarithm of each row's sum of exponentials: so the weights are found again."""
    logs = np.zeros((*of.q.shape[:3], 1), of.dtype)
    if not of.k.shape[2]:
        y[...] = 0.0
    for piece, keys in of.pieces():
        s = of.scores(piece, keys)
        p = np.empty_like(s)
        sums, shift = exponentials(s.reshape(-1, s.shape[3]), p.reshape(-1, s.shape[3]), empty=True)
        total = sums.reshape(*s.shape[:3], 1)
        np.divide(np.matmul(p, of.v[piece[0], piece[1], keys]), total, out=y[piece])
        part = np.log(total, out=logs[piece])
        if shift is not None:
            part += shift.reshape(total.shape)
    return logs


def attend_backward(of: Matrices, g: Array, y: Array, logs: Array, grads: Sequence[Array], dbias: Array | None) -> None:
    """Fills ``grads``, those of q, k and v, and ``dbias``, if it is wanted.

    With the weights p: dv = p^T g, ds = p (g v^T - sum(g y)), dq = scale ds k, dk = scale ds^T q, dbias = ds.
    """
    dq, dk, dv = grads
    if not of.k.shape[2]:
        dq[...] = 0.0
    if not of.q.shape[2]:
        dk[...], dv[...] = 0.0, 0.0
    for piece, keys in of.pieces():
        p = of.scores(piece, keys)
        p -= logs[piece]
        np.exp(p, out=p)
        cotangent, these = g[piece], (piece[0], piece[1], keys)
        ds = np.matmul(cotangent, np.swapaxes(of.v[these], 2, 3))
        ds -= np.vecdot(cotangent, y[piece])[..., None]
        ds *= p
        if dbias is not None:
            dbias[(*piece, keys)] = ds
        np.matmul(ds, of.k[these], out=dq[piece])
        for out, weights, rows in (dv, p, cotangent), (dk, ds, of.scaled[piece]):
            if piece[2].stop == of.q.shape[2]:  # the first strip of these matrices
                if keys.stop < of.k.shape[2]:
                    out[piece[0], piece[1], keys.stop :] = 0.0
                np.matmul(np.swapaxes(weights, 2, 3), rows, out=out[these])
            else:
                out[these] += np.matmul(np.swapaxes(weights, 2, 3), rows)
    dq *= of.scale
