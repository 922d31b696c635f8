"""Attention with several heads."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.devices import check_device
from autograd.ops.attention import attention_with_weights, self_attention
from autograd.ops.reductions import tensor_of
from nn import init
from nn._options import empty, probability, size
from nn.linear import Linear
from nn.module import Module


class MultiheadAttention(Module):
    """Queries look at keys and take the values there, in several heads side by side (Vaswani et al., 2017).

    Each of query, key and value is projected, and cut into heads of E / num_heads features; every head is
    softmax(q k^T / sqrt(E / num_heads) + mask) v, and the heads joined are projected once more.

    Args:
        embed_dim: E, the features of queries and results.
        num_heads: a divisor of E.
        dropout: the probability of dropping an attention weight, in training.
        bias: of the projections.
        add_bias_kv: one more key and value, which are parameters.
        add_zero_attn: one more key and value, which are zeros.
        kdim, vdim: the features of keys and values, E unless given.
        batch_first: inputs and results are (N, L, E) instead of (L, N, E).
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        in_proj_weight, in_proj_bias: (3E, E) and (3E,), the rows of query, key and value one after the other (with kdim or
            vdim: q_proj_weight, k_proj_weight and v_proj_weight). Xavier uniform, and 0, at first.
        out_proj: the Linear of the heads joined.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "MultiheadAttention")
        super().__init__()
        e = self.embed_dim = size(embed_dim, "MultiheadAttention", "embed_dim", 1)
        self.num_heads = size(num_heads, "MultiheadAttention", "num_heads", 1)
        if e % self.num_heads:
            raise ValueError(f"MultiheadAttention: expected num_heads to divide embed_dim {embed_dim}, got {num_heads}")
        self.dropout = probability(dropout, "MultiheadAttention", "dropout")
        self.kdim = e if kdim is None else size(kdim, "MultiheadAttention", "kdim", 1)
        self.vdim = e if vdim is None else size(vdim, "MultiheadAttention", "vdim", 1)
        self.head_dim = e // self.num_heads
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        alike = self.kdim == e and self.vdim == e
        self.register_parameter("q_proj_weight", None if alike else empty((e, e), dtype))
        self.register_parameter("k_proj_weight", None if alike else empty((e, self.kdim), dtype))
        self.register_parameter("v_proj_weight", None if alike else empty((e, self.vdim), dtype))
        self.register_parameter("in_proj_weight", empty((3 * e, e), dtype) if alike else None)
        self.register_parameter("in_proj_bias", empty((3 * e,), dtype) if bias else None)
        self.out_proj = Linear(e, e, bias, dtype=dtype)
        self.register_parameter("bias_k", empty((1, 1, e), dtype) if add_bias_kv else None)
        self.register_parameter("bias_v", empty((1, 1, e), dtype) if add_bias_kv else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight, self.in_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for parameter in (self.bias_k, self.bias_v):
            if parameter is not None:
                init.xavier_normal_(parameter)

    def _attended(self, query: Any, key: Any, value: Any, mask: Any, need_weights: bool) -> tuple[Any, Any]:
        """The heads side by side (N, L, E), and the weights (N, heads, L, S), if they are wanted."""
        e, rate = self.embed_dim, self.dropout if self.training else 0.0
        if query is key and key is value and self.in_proj_weight is not None:  # one product for all three
            joined = ag.linear(query, self.in_proj_weight, self.in_proj_bias)
            if not (need_weights or rate or self.add_zero_attn or self.bias_k is not None):
                return self_attention(joined, self.num_heads, mask), None
            q, k, v = joined[..., :e], joined[..., e : 2 * e], joined[..., 2 * e :]
        else:
            q, k, v = self._projected(query, key, value)
        k, v, mask = self._more_keys(k, v, mask)
        q, k, v = (self._heads(x) for x in (q, k, v))
        if need_weights:
            y, weights = attention_with_weights(q, k, v, mask, rate)
        else:
            y, weights = ag.scaled_dot_product_attention(q, k, v, mask, rate), None
        return np.reshape(np.transpose(y, (0, 2, 1, 3)), (y.shape[0], y.shape[2], e)), weights

    def _projected(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        e = self.embed_dim
        biases = [None] * 3 if self.in_proj_bias is None else [self.in_proj_bias[i * e : (i + 1) * e] for i in range(3)]
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        else:
            weights = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)]
        q, k, v = (ag.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
        return q, k, v

    def _check(self, query: Any, key: Any, value: Any) -> None:
        shapes = [np.shape(x) for x in (query, key, value)]
        shown = ", ".join(map(str, shapes))
        if {len(shape) for shape in shapes} not in ({2}, {3}):
            layout = "(N, L, E)" if self.batch_first else "(L, N, E)"
            raise ValueError(f"MultiheadAttention: expected query, key and value {layout} or (L, E), got {shown}")
        widths = self.embed_dim, self.kdim, self.vdim
        if tuple(shape[-1] for shape in shapes) != widths:
            raise ValueError(f"MultiheadAttention: expected {widths} features in query, key and value, got {shown}")
        if shapes[1][:-1] != shapes[2][:-1] or (len(shapes[0]) == 3 and self._batch(shapes[0]) != self._batch(shapes[1])):
            raise ValueError(f"MultiheadAttention: expected as many values as keys in equal batches, got {shown}")

    def _batch(self, shape: tuple[int, ...]) -> int:
        return shape[0 if self.batch_first else 1]

    def _heads(self, x: Any) -> Any:
        """(N, L, E) -> (N, heads, L, E / heads)."""
        return np.transpose(np.reshape(x, (*x.shape[:2], self.num_heads, -1)), (0, 2, 1, 3))

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The result and the attention weights.

        A query that may look at no key at all gets the bias of the last projection, with zero gradient, never nan.

        Args:
            query: (L, N, E), (N, L, E) with ``batch_first``, or (L, E) for one sample.
            key, value: the same with S in the place of L.
            key_padding_mask: (N, S) or (S,): True where a key is *not* to be looked at, or floats to add to the scores.
            need_weights: False gives None in place of the weights, and is faster.
            attn_mask: (L, S) or (N heads, L, S), in the same sense.
            average_attn_weights: the weights (N, L, S) are the mean over the heads; otherwise they are (N, heads, L, S).
            is_causal: query i may only look at keys 0 to i, besides what the masks say.
        """
        self._check(query, key, value)
        batched = np.ndim(query) == 3
        same = query is key and key is value
        query, key, value = (tensor_of(x, "MultiheadAttention") for x in (query, key, value))
        if not batched or not self.batch_first:
            query, key, value = (np.swapaxes(x if batched else np.expand_dims(x, 1), 0, 1) for x in (query, key, value))
            if same:
                key = value = query
        mask = self._mask(key_padding_mask, attn_mask, is_causal, query.shape[0], query.shape[1], key.shape[1])
        joined, weights = self._attended(query, key, value, mask, need_weights)
        y = self.out_proj(joined)
        if weights is not None and average_attn_weights:
            weights = np.mean(weights, axis=1)
        if not batched:
            return np.squeeze(y, 0), None if weights is None else np.squeeze(weights, 0)
        return (y if self.batch_first else np.swapaxes(y, 0, 1)), weights

    def _more_keys(self, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any]:
        """The extra keys and values of add_bias_kv and add_zero_attn, which no mask hides."""
        extra = 0
        if self.bias_k is not None:
            shape = (k.shape[0], 1, self.embed_dim)
            k = np.concatenate([k, np.broadcast_to(self.bias_k, shape)], axis=1)
            v = np.concatenate([v, np.broadcast_to(self.bias_v, shape)], axis=1)
            extra += 1
        if self.add_zero_attn:
            k, v = (np.pad(x, ((0, 0), (0, 1), (0, 0))) for x in (k, v))
            extra += 1
        if mask is not None and extra:
            mask = ag.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, extra)], constant_values=mask.dtype == np.bool_)
        return k, v, mask

    def _mask(self, padding: Any, mask: Any, causal: bool, batch: int, rows: int, columns: int) -> Any:
        """All masks as one in the sense of ``scaled_dot_product_attention``: True where a query looks at a key, or floats."""
        found: list[Any] = []
        if padding is not None:
            padding = _tensor_mask(padding, "key_padding_mask")
            if padding.shape not in ((batch, columns), (columns,)) or (padding.ndim == 1 and batch != 1):
                raise ValueError(
                    f"MultiheadAttention: expected key_padding_mask of shape {(batch, columns)}, got {padding.shape}"
                )
            found.append(np.reshape(padding, (batch, 1, 1, columns)))
        if mask is not None:
            mask = _tensor_mask(mask, "attn_mask")
            if mask.shape == (rows, columns):
                found.append(np.reshape(mask, (1, 1, rows, columns)))
            elif mask.shape == (batch * self.num_heads, rows, columns):
                found.append(np.reshape(mask, (batch, self.num_heads, rows, columns)))
            else:
                raise ValueError(
                    f"MultiheadAttention: expected attn_mask of shape {(rows, columns)} or "
                    f"{(batch * self.num_heads, rows, columns)}, got {mask.shape}"
                )
        if causal:
            found.append(ag.tensor(~np.tri(rows, columns, dtype=np.bool_)[None, None]))
        if not found:
            return None
        hidden = [each for each in found if each.dtype == np.bool_]
        added = [each for each in found if each.dtype != np.bool_]
        keep = None
        for each in hidden:
            keep = ~each._data if keep is None else keep & ~each._data
        if not added:
            return ag.tensor(keep)
        total = added[0]
        for each in added[1:]:
            total = total + each
        return total if keep is None else ag.where(keep, total, -np.inf)

    def extra_repr(self) -> str:
        """Nothing: PyTorch shows only the projection."""
        return ""


def _tensor_mask(mask: Any, name: str) -> Any:
    tensor = tensor_of(mask, "MultiheadAttention")
    if tensor.dtype != np.bool_ and tensor.dtype.kind != "f":
        raise TypeError(f"MultiheadAttention: expected {name} of booleans or floats, got {tensor.dtype}")
    return tensor
