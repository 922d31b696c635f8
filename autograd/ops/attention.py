"""Scaled dot-product attention, fused: the matrix of weights is made in pieces and never kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops._attending import Matrices, attend, attend_backward
from autograd.ops.dropout import dropout
from autograd.ops.linalg import matmul
from autograd.ops.reductions import tensor_of
from autograd.ops.selection import where
from autograd.ops.shaping import broadcast_to
from autograd.ops.softmax import masked_softmax, softmax


def _finite(x: Any) -> bool:
    """False for an array with nan or inf (or one whose sum overflows: the careful way is right there, too)."""
    data = x._data
    with np.errstate(all="ignore"):
        if data.dtype != np.float16 and data.flags.c_contiguous:  # BLAS is three times as fast
            return bool(np.isfinite(np.vdot(data, data)))
        return bool(np.isfinite(np.sum(data, dtype=np.float64 if data.dtype == np.float16 else None)))


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


def _like(x: Array, width: int, dtype: Any) -> Array:
    """Room for (..., width) in the order in which x lies in memory: then no head is copied to where it came from."""
    return np.empty_like(x, dtype, "K" if x.strides[-1] == x.itemsize else "C", shape=(*x.shape[:-1], width))


def _kernel(q: Array, k: Array, v: Array, *bias: Array, keep: Array | None, scale: float) -> tuple[Array, Array]:
    of = Matrices(q, k, v, bias, keep, scale)
    y = _like(of.q, v.shape[-1], of.dtype)
    logs = attend(of, y)
    shape = (*q.shape[:-1], v.shape[-1])
    return y.reshape(shape).astype(np.result_type(q, k, v, *bias), copy=False), logs


def _rule(
    g: Array, wanted: tuple[bool, ...], y: Array, q: Array, k: Array, v: Array, *bias: Array,
    residuals: Array, keep: Array | None, scale: float,
) -> list[Any]:  # fmt: skip
    of = Matrices(q, k, v, bias, keep, scale)
    grads = [_like(x, x.shape[-1], of.dtype) for x in (of.q, of.k, of.v)]
    dbias = np.zeros((*of.q.shape[:3], of.k.shape[2]), of.dtype) if len(wanted) > 3 and wanted[3] else None
    attend_backward(of, of.wide(g), of.wide(y), residuals, grads, dbias)
    found: list[Any] = [d.reshape(x.shape) for d, x in zip(grads, (q, k, v), strict=True)]
    if bias:
        found.append(None if dbias is None else dbias.reshape(*of.lead, *dbias.shape[2:]))
    return found


_attention = fused(_composition, _kernel, _rule, name="attention")


def _heads(joined: Any, heads: int) -> tuple[Any, Any, Any]:
    """(N, L, 3E), queries, keys and values side by side, as three of (N, heads, L, E / heads)."""
    n, rows, width = joined.shape
    parts = np.transpose(np.reshape(joined, (n, rows, 3, heads, width // (3 * heads))), (2, 0, 3, 1, 4))
    return parts[0], parts[1], parts[2]


def _self_composition(joined: Any, *bias: Any, heads: int, keep: Array | None, scale: float) -> Any:
    """Attention of each head, and the heads side by side again, (N, L, E)."""
    y = _composition(*_heads(joined, heads), *bias, keep=keep, scale=scale)
    return np.reshape(np.transpose(y, (0, 2, 1, 3)), (*joined.shape[:2], joined.shape[2] // 3))


def _self_kernel(joined: Array, *bias: Array, heads: int, keep: Array | None, scale: float) -> tuple[Array, Array]:
    of = Matrices(*_heads(joined, heads), bias, keep, scale)
    y = np.empty((*joined.shape[:2], joined.shape[2] // 3), of.dtype)
    logs = attend(of, _cut(y, heads))
    return y.astype(np.result_type(joined, *bias), copy=False), logs


def _cut(y: Array, heads: int) -> Array:
    """(N, L, E) as (N, heads, L, E / heads)."""
    return y.reshape(*y.shape[:2], heads, y.shape[2] // heads).transpose(0, 2, 1, 3)


def _self_rule(
    g: Array, wanted: tuple[bool, ...], y: Array, joined: Array, *bias: Array,
    residuals: Array, heads: int, keep: Array | None, scale: float,
) -> list[Any]:  # fmt: skip
    of = Matrices(*_heads(joined, heads), bias, keep, scale)
    dbias = np.zeros((*of.q.shape[:3], of.k.shape[2]), of.dtype) if len(wanted) > 1 and wanted[1] else None
    found = np.empty(joined.shape, of.dtype)
    attend_backward(of, of.wide(_cut(g, heads)), of.wide(_cut(y, heads)), residuals, _heads(found, heads), dbias)
    return [found, dbias][: len(wanted)]


_self_attention = fused(_self_composition, _self_kernel, _self_rule, name="self_attention")


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


def self_attention(joined: Any, heads: int, attn_mask: Any = None) -> Any:
    """:func:`scaled_dot_product_attention` of queries, keys and values that one projection made side by side.

    No head is cut out: what is read is the projection itself, and its gradient is written where it belongs.

    Args:
        joined: (N, L, 3E).
        heads: how many there are, a divisor of E.
        attn_mask: broadcast to (N, heads, L, L), in the same sense.

    Returns:
        (N, L, E), the heads side by side.
    """
    joined = tensor_of(joined, "self_attention")
    n, rows, width = joined.shape
    scale = 1.0 / math.sqrt(width // (3 * heads))
    keep, bias = _masks(attn_mask, False, (n, heads, rows, rows))
    function = _self_attention if keep is None or _finite(joined) else _self_composition
    return function(joined, *(() if bias is None else (bias,)), heads=heads, keep=keep, scale=scale)
