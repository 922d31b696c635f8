"""Attention."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag
from autograd.ops.attention import self_attention

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # type: ignore[assignment]

MASK = np.array([[True, False, True, True], [False, True, False, False], [True, True, True, True]])
PARTS = (real(2, 3, 2), real(2, 4, 2), real(2, 4, 3))


def by_pytorch(*operands, **options):
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the others have no second derivative
        return F.scaled_dot_product_attention(*operands, **options)


def row(label, inputs=PARTS, mask=None, derivative="", kink="", parity=True, **options):
    ours = {} if mask is None else {"attn_mask": mask}
    return Case(
        op="attention",
        label=label,
        call=lambda q, k, v, *bias: ag.scaled_dot_product_attention(q, k, v, *bias, **ours, **options),
        inputs=inputs,
        torch=(lambda q, k, v, *bias: by_pytorch(
            q, k, v, *bias, **({} if mask is None else {"attn_mask": torch.tensor(mask)}), **options)) if parity else None,
        derivative=derivative,
        kink=kink,
    )  # fmt: skip


def heads_row(label, inputs, heads, mask=None, derivative=""):
    """Queries, keys and values side by side."""

    def by_pytorch_heads(joined, *bias):
        n, rows, width = joined.shape
        q, k, v = joined.reshape(n, rows, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
        options = {} if mask is None else {"attn_mask": torch.tensor(mask)}
        return by_pytorch(q, k, v, *bias, **options).transpose(1, 2).reshape(n, rows, width // 3)

    return Case(
        op="self_attention",
        label=label,
        call=lambda joined, *bias: self_attention(joined, heads, *(bias or (mask,))),
        inputs=inputs,
        torch=by_pytorch_heads,
        derivative=derivative,
    )


CASES = [
    row("", derivative="dv = p^T g, ds = p (g v^T - sum(g y)), dq = scale ds k, dk = scale ds^T q",
        kink="a query without keys: 0"),
    row("matrices", (real(3, 2), real(4, 2), real(4, 1))),
    row("heads", (real(2, 2, 3, 2), real(2, 2, 4, 2), real(2, 2, 4, 2)), mask=MASK, scale=0.5),
    row("causal", is_causal=True),
    row("causal-mask", mask=MASK, is_causal=True, parity=False),
    row("bias", (*PARTS, real(3, 4))),
    row("bias-batch", (*PARTS, real(2, 1, 4))),
    row("row-masked", mask=np.array([[False] * 4, [True] * 4, [False, True, False, True]])),
    row("broadcast", (real(2, 1, 3, 2), real(3, 4, 2), real(4, 2)), parity=False),
    row("grouped", (real(1, 4, 2, 2), real(1, 2, 3, 2), real(1, 2, 3, 2)), enable_gqa=True),
    row("empty", (real(0, 3, 2), real(0, 4, 2), real(0, 4, 2)), parity=False),
    row("no-keys", (real(1, 3, 2), real(1, 0, 2), real(1, 0, 2)), parity=False),
    heads_row("", (real(2, 3, 12),), 2, derivative="those of attention, side by side"),
    heads_row("masked", (real(2, 4, 6),), 1, mask=np.tri(4, dtype=np.bool_)),
    heads_row("bias", (real(2, 3, 12), real(2, 1, 3)), 2),
]  # fmt: skip
