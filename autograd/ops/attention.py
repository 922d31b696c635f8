"""Scaled dot-product attention, fused: the matrix of weights is made in pieces and never kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._rows import exponentials
from autograd.ops.dropout import dropout
from autograd.ops.linalg import matmul
from autograd.ops.reductions import tensor_of
from autograd.ops.selection import where
from autograd.ops.shaping import broadcast_to
from autograd.ops.softmax import masked_softmax, softmax
from autograd.primitive import fused

BLOCK = 1 << 17  # weights at a time, so that they stay in the cache


def _finite(x: Any) -> bool:
    """False for an array with nan or inf (or one whose sum overflows: the careful way is right there, too)."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.sum(x._data, dtype=np.float64 if x.dtype == np.float16 else None)))


def _cleaned(x: Any) -> Any:
    return x if _finite(x) else where(np.isfinite(x._data), x, 0.0)


def _scores(q: Any, k: Any, scale: float) -> Any:
    """scale q k^T; what is not finite is added as a constant, so that its cotangent does not spread by 0 * nan."""
    clean = matmul(_cleaned(q), np.swapaxes(_cleaned(k), -1, -2)) * scale
    if _finite(q) and _finite(k):
        return clean
    with np.errstate(all="ignore"):
        raw = np.matmul(q._data, np.swapaxes(k._data, -1, -2)) * scale
        return clean + np.where(np.isfinite(raw), 0.0, raw).astype(clean.dtype)


def _mixed(p: Any, v: Any, keep: Array) -> Any:
    """p v, where values that are not finite reach only the queries that look at them."""
    y = matmul(p, _cleaned(v))
    if _finite(v):
        return y
    seen = np.broadcast_to(keep, (*y.shape[:-1], v.shape[-2])).astype(np.float32)
    bad, up, down = (np.matmul(seen, mask) > 0 for mask in (np.isnan(v._data), v._data == math.inf, v._data == -math.inf))
    marks = np.where(bad | (up & down), math.nan, np.where(up, math.inf, np.where(down, -math.inf, 0.0)))
    return y + marks.astype(y.dtype)


def _composition(
    q: Any, k: Any, v: Any, *bias: Any, keep: Array | None, scale: float, dropout_p: float = 0.0, generator: Any = None
) -> Any:
    """softmax(scale q k^T + bias) v, over the keys that are kept; 0 for queries without any."""
    return _with_weights(q, k, v, *bias, keep=keep, scale=scale, dropout_p=dropout_p, generator=generator)[0]


def _with_weights(
    q: Any, k: Any, v: Any, *bias: Any, keep: Array | None, scale: float, dropout_p: float, generator: Any
) -> tuple[Any, Any]:
    """The result and the weights, as they are after dropout."""
    if keep is None:
        scores = matmul(q, np.swapaxes(k, -1, -2)) * scale
        p = dropout(softmax(scores + bias[0] if bias else scores, -1), dropout_p, generator=generator)
        return matmul(p, v), p
    scores = _scores(q, k, scale)
    p = dropout(masked_softmax(scores + bias[0] if bias else scores, keep, -1), dropout_p, generator=generator)
    return _mixed(p, v, keep), p


def _shared(mask: Array | None, lead: tuple[int, ...]) -> Array | None:
    """A mask (..., L, S) as (B, L, S), or as (1, L, S) where it is the same for the whole batch: then nothing is copied."""
    if mask is None:
        return None
    if math.prod(mask.shape[:-2]) == 1:
        return mask.reshape(1, *mask.shape[-2:])
    return np.broadcast_to(mask, (*lead, *mask.shape[-2:])).reshape(-1, *mask.shape[-2:])


def _part(mask: Array, batch: slice, rows: slice, keys: slice = slice(None)) -> Array:
    mask = (mask if len(mask) == 1 else mask[batch])[:, :, keys if mask.shape[2] > 1 else slice(None)]
    return mask if mask.shape[1] == 1 else mask[:, rows]


def _seen(keep: Array | None, rows: slice, columns: int) -> int:
    """How many keys, from the first one on, these queries look at: with a causal mask they need not be multiplied with all."""
    if keep is None or len(keep) > 1 or rows.stop >= keep.shape[1]:
        return columns
    any_of_them = np.logical_or.reduce(_part(keep, slice(None), rows)[0], 0)
    return columns - int(np.argmax(any_of_them[::-1])) if any_of_them.any() else 1


def _pieces(batch: int, rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Parts of the batch and of the queries with at most BLOCK weights (but at least one query)."""
    step = max(1, BLOCK // max(1, rows * columns))
    height = max(1, rows if rows * columns <= BLOCK else BLOCK // columns)
    for start in range(0, batch, step):
        for top in range(0, rows, height):
            yield slice(start, start + step), slice(top, top + height)


class _Flat:
    """The arguments as batches of matrices (B, L, E), in the dtype to compute in."""

    def __init__(self, q: Array, k: Array, v: Array, bias: tuple[Array, ...], keep: Array | None, scale: float) -> None:
        self.lead = q.shape[:-2]
        dtype = np.result_type(q, k, v, *bias)
        self.dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
        self.q, self.k, self.v = (self.flat(x) for x in (q, k, v))
        self.keep = _shared(keep, self.lead)
        self.most = None if self.keep is None or self.keep.size > BLOCK else self.limits(self.keep)
        self.bias = _shared(bias[0].astype(self.dtype, copy=False), self.lead) if bias else None
        self.scaled = self.q * scale  # not the scores, which are more

    def flat(self, x: Array) -> Array:
        return x.reshape(math.prod(self.lead), *x.shape[-2:]).astype(self.dtype, copy=False)

    def limits(self, keep: Array) -> Array:
        """inf where a key is looked at, -inf elsewhere: a minimum with this takes half the time of a selection."""
        return np.where(keep, math.inf, -math.inf).astype(self.dtype)

    def pieces(self) -> Iterator[tuple[slice, slice, slice]]:
        """Parts of the batch and of the queries, and the keys that these queries look at."""
        for batch, rows in _pieces(len(self.q), self.q.shape[1], self.k.shape[1]):
            yield batch, rows, slice(0, _seen(self.keep, rows, self.k.shape[1]))

    def scores(self, batch: slice, rows: slice, keys: slice) -> Array:
        """The masked scores of some queries."""
        s: Array = np.matmul(self.scaled[batch, rows], np.swapaxes(self.k[batch, keys], 1, 2))
        if self.bias is not None:
            s += _part(self.bias, batch, rows, keys)
        if self.keep is not None:
            keep = _part(self.keep, batch, rows, keys)
            np.minimum(s, self.limits(keep) if self.most is None else _part(self.most, batch, rows, keys), out=s)
            if np.isnan(np.max(s, initial=-math.inf)):  # which a minimum leaves
                np.copyto(s, -math.inf, where=np.logical_not(keep))
        return s


def _kernel(q: Array, k: Array, v: Array, *bias: Array, keep: Array | None, scale: float) -> tuple[Array, Array]:
    """The result, and with it the logarithm of each row's sum of exponentials, from which the weights are found again."""
    of = _Flat(q, k, v, bias, keep, scale)
    y = np.zeros((*of.q.shape[:2], of.v.shape[2]), of.dtype)
    logs = np.zeros((*of.q.shape[:2], 1), of.dtype)
    if of.k.shape[1]:
        for batch, rows, keys in of.pieces():
            s = of.scores(batch, rows, keys)
            p = np.empty_like(s)
            sums, shift = exponentials(s.reshape(-1, s.shape[2]), p.reshape(-1, s.shape[2]), empty=True)
            total = sums.reshape(*s.shape[:2], 1)
            np.divide(np.matmul(p, of.v[batch, keys]), total, out=y[batch, rows])
            part = np.log(total, out=logs[batch, rows])
            if shift is not None:
                part += shift.reshape(total.shape)
    shape = (*of.lead, *y.shape[1:])
    return y.reshape(shape).astype(np.result_type(q, k, v, *bias), copy=False), logs


def _rule(
    g: Array, wanted: tuple[bool, ...], y: Array, q: Array, k: Array, v: Array, *bias: Array,
    residuals: Array, keep: Array | None, scale: float,
) -> list[Any]:  # fmt: skip
    """With the weights p: dv = p^T g, ds = p (g v^T - sum(g y)), dq = scale ds k, dk = scale ds^T q, dbias = ds."""
    logs = residuals
    of = _Flat(q, k, v, bias, keep, scale)
    g, y = of.flat(g), of.flat(y)
    dq, dk, dv = np.zeros_like(of.q), np.zeros_like(of.k), np.zeros_like(of.v)
    want_bias = len(wanted) > 3 and wanted[3]
    dbias = np.zeros((len(of.q), of.q.shape[1], of.k.shape[1]), of.dtype) if want_bias else None
    for batch, rows, keys in of.pieces() if of.k.shape[1] else ():
        p = of.scores(batch, rows, keys)
        p -= logs[batch, rows]
        np.exp(p, out=p)
        cotangent = g[batch, rows]
        dv[batch, keys] += np.matmul(np.swapaxes(p, 1, 2), cotangent)
        ds = np.matmul(cotangent, np.swapaxes(of.v[batch, keys], 1, 2))
        ds -= np.vecdot(cotangent, y[batch, rows])[:, :, None]
        ds *= p
        if dbias is not None:
            dbias[batch, rows, keys] = ds
        np.matmul(ds, of.k[batch, keys], out=dq[batch, rows])
        dk[batch, keys] += np.matmul(np.swapaxes(ds, 1, 2), of.scaled[batch, rows])
    dq *= scale
    found: list[Any] = [each.reshape(x.shape) for each, x in ((dq, q), (dk, k), (dv, v))]
    if bias:
        found.append(None if dbias is None else dbias.reshape(*of.lead, *dbias.shape[1:]))
    return found


_attention = fused(_composition, _kernel, _rule, name="attention")


def _masks(mask: Any, is_causal: bool, shape: tuple[int, ...]) -> tuple[Array | None, Any]:
    """Which keys each query looks at (None: all), and what is added to the scores (None: nothing)."""
    keep = np.tri(shape[-2], shape[-1], dtype=np.bool_) if is_causal else None
    if mask is None:
        return keep, None
    mask = tensor_of(mask, "scaled_dot_product_attention")
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"scaled_dot_product_attention: expected attn_mask to broadcast to {shape}, got {mask.shape}")
    if mask.ndim < 2:
        mask = np.reshape(mask, (1,) * (2 - mask.ndim) + mask.shape)
    bias = None
    if mask.dtype.kind == "f":
        seen = mask._data != -math.inf
        if mask._requires_grad or np.any(mask._data[seen]):  # not only 0 and -inf: there is something to add
            bias = mask if seen.all() else where(seen, mask, 0.0)
        if seen.all():
            return keep, bias
    elif mask.dtype == np.bool_:
        seen = mask._data
    else:
        raise TypeError(f"scaled_dot_product_attention: expected attn_mask of booleans or floats, got {mask.dtype}")
    return (seen if keep is None else seen & keep), bias


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    generator: Any = None,
) -> Any:
    """softmax(scale query key^T + mask) value (Vaswani et al., 2017).

    A query without a key to look at gets 0 with gradient 0. What stands at masked places reaches nothing, nan and inf included.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, F).
        attn_mask: broadcast to (..., L, S): True where a query looks at a key, or floats to add to the scores (-inf: masked).
        dropout_p: the probability of dropping a weight.
        is_causal: query i looks at keys 0 to i only; together with a mask, at those that both allow.
        scale: 1 / sqrt(E), if it is not given.
        enable_gqa: several heads of queries share one of keys and values (Ainslie et al., 2023): the axis -3 of ``query`` is a
            multiple of theirs.
        generator: what to draw from for dropout.

    Returns:
        (..., L, F).

    Raises:
        ValueError: where the shapes do not fit.

    Example:
        >>> import numpy as np, autograd as ag
        >>> x = ag.tensor(np.eye(2))
        >>> ag.scaled_dot_product_attention(x, x, x, is_causal=True, scale=1e4)
        tensor([[1., 0.],
                [0., 1.]], dtype=float64)
    """
    op = "scaled_dot_product_attention"
    q, k, v = (tensor_of(x, op) for x in (query, key, value))
    shapes = f"got {q.shape}, {k.shape} and {v.shape}"
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(f"{op}: expected query (..., L, E), key (..., S, E) and value (..., S, F), {shapes}")
    if any(x.dtype.kind != "f" for x in (q, k, v)):
        raise TypeError(f"{op}: expected floating dtypes, got {q.dtype}, {k.dtype} and {v.dtype}; convert with .astype()")
    if not 0.0 <= dropout_p <= 1.0:
        raise ValueError(f"{op}: expected dropout_p between 0 and 1, got {dropout_p}")
    if enable_gqa:
        if min(q.ndim, k.ndim, v.ndim) < 3 or q.shape[-3] % k.shape[-3] or q.shape[-3] % v.shape[-3]:
            raise ValueError(f"{op}: expected heads of queries that are a multiple of those of keys and values, {shapes}")
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))
    try:
        lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        raise ValueError(f"{op}: expected batch axes that broadcast, {shapes}") from None
    q, k, v = (x if x.shape[:-2] == lead else broadcast_to(x, (*lead, *x.shape[-2:])) for x in (q, k, v))
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0
    keep, bias = _masks(attn_mask, is_causal, (*lead, q.shape[-2], k.shape[-2]))
    arrays = (q, k, v) if bias is None else (q, k, v, bias)
    if dropout_p > 0.0:
        return _composition(*arrays, keep=keep, scale=scale, dropout_p=dropout_p, generator=generator)
    if keep is not None and not all(_finite(x) for x in (q, k, v)):
        return _composition(*arrays, keep=keep, scale=scale)  # the careful way: masked nan must not leak
    return _attention(*arrays, keep=keep, scale=scale)


def attention_with_weights(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *, scale: float | None = None
) -> tuple[Any, Any]:
    """:func:`scaled_dot_product_attention` that also returns the weights (..., L, S), as they are after dropout.

    Inputs have equal batch axes. The whole matrix of weights is made and kept for the backward pass.
    """
    q, k, v = (tensor_of(x, "attention_with_weights") for x in (query, key, value))
    shape = (*q.shape[:-1], k.shape[-2])
    keep, bias = _masks(attn_mask, False, shape)
    arrays = (q, k, v) if bias is None else (q, k, v, bias)
    rate = 1.0 / math.sqrt(q.shape[-1]) if scale is None else scale
    return _with_weights(*arrays, keep=keep, scale=rate, dropout_p=dropout_p, generator=None)
