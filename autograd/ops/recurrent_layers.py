"""Recurrent layers over a whole sequence, each one fused primitive: LSTM, GRU and the plain recurrent network.

The products with the input are one product of matrices over all steps; only the product with the state is done step by step.
Going back, the factors that do not depend on cotangents are computed for many steps at once, and the gradients of the weights
are again one product over all steps.

Sequences are (T, N, I): step, sample, feature. In a ragged batch the samples are sorted by length, longest first, and
``batch_sizes`` tells how many are still running at each step, as in PyTorch's packed sequences. The state of the others stays
as it is, and their output is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops._gru import gru
from autograd.ops._lstm import lstm
from autograd.ops._rnn import rnn
from autograd.ops._sequences import Sizes
from autograd.ops.reductions import tensor_of
from autograd.ops.selection import where


def _check(op: str, x: Any, w_ih: Any, w_hh: Any, states: Sequence[Any], biases: Sequence[Any], gates: int, out: int) -> None:
    """Raises ValueError where shapes do not fit; ``out`` is the size of h, which for a projected LSTM is not that of c."""
    rows = w_ih.shape[0] if w_ih.ndim == 2 else 0
    if x.ndim != 3 or w_ih.ndim != 2 or w_hh.ndim != 2 or rows % gates or w_hh.shape != (rows, out):
        raise ValueError(
            f"{op}: expected x (T, N, I), w_ih ({gates}H, I) and w_hh ({gates}H, {out}), "
            f"got {x.shape}, {w_ih.shape} and {w_hh.shape}"
        )
    if x.shape[2] != w_ih.shape[1]:
        raise ValueError(f"{op}: expected an input with {w_ih.shape[1]} features, got shape {x.shape}")
    if not x.shape[0]:
        raise ValueError(f"{op}: expected a sequence of at least one step, got shape {x.shape}")
    for state, width in zip(states, (out, rows // gates), strict=False):
        if state.shape != (x.shape[1], width):
            raise ValueError(f"{op}: expected a state of shape {(x.shape[1], width)}, got {state.shape}")
    if (biases[0] is None) != (biases[1] is None):
        raise ValueError(f"{op}: expected both b_ih and b_hh, or neither")
    for bias in biases:
        if bias is not None and bias.shape != (rows,):
            raise ValueError(f"{op}: expected a bias of shape {(rows,)}, got {bias.shape}")


def _checked_sizes(batch_sizes: Sequence[int] | None, x: Any, op: str) -> Sizes:
    if batch_sizes is None:
        return None
    sizes = tuple(int(size) for size in batch_sizes)
    falling = all(a >= b for a, b in zip((x.shape[1], *sizes), sizes, strict=False))
    if len(sizes) != x.shape[0] or not falling or min(sizes) < 0:
        raise ValueError(
            f"{op}: expected {x.shape[0]} batch_sizes that fall from {x.shape[1]} or less, got {list(sizes)}; "
            "sort the samples by length, longest first"
        )
    return None if all(size == x.shape[1] for size in sizes) else sizes


def _running_only(x: Any, sizes: Sizes) -> Any:
    """x with 0 for samples that have ended, if there is a nan or an inf in it that could reach the weights by 0 * nan."""
    if sizes is None or bool(np.isfinite(np.sum(x._data, dtype=np.float64))):
        return x
    return where((np.arange(x.shape[1]) < np.array(sizes)[:, None])[:, :, None], x, 0.0)


def _tensors(op: str, *values: Any) -> list[Any]:
    tensors = [None if value is None else tensor_of(value, op) for value in values]
    for tensor in tensors:
        if tensor is not None and tensor.dtype.kind != "f":
            raise TypeError(f"{op}: expected floating dtypes, got {tensor.dtype}; convert with .astype()")
    return tensors


def lstm_layer(
    x: Any, state: tuple[Any, Any], w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, w_hr: Any = None,
    *, batch_sizes: Sequence[int] | None = None, reverse: bool = False,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """A long short-term memory over a whole sequence; see ``lstm_cell`` for one step.

    Args:
        x: (T, N, I).
        state: h (N, H) and c (N, H) before the first step.
        w_ih, w_hh: (4H, I) and (4H, H), the rows of i, f, g and o one after the other.
        b_ih, b_hh: (4H,), or None for both.
        w_hr: (P, H): h is projected to P features (Sak et al., 2014); h and w_hh are then (N, P) and (4H, P).
        batch_sizes: how many samples are running at each step, if they are of different lengths (longest first).
        reverse: from the last step to the first.

    Returns:
        h after each step (T, N, H), and h and c after the last.

    Raises:
        ValueError: where the shapes do not fit, and for no steps at all.
    """
    if not isinstance(state, tuple | list) or len(state) != 2:
        raise TypeError("lstm_layer: expected the state as a pair (h, c)")
    x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr = _tensors("lstm_layer", x, *state, w_ih, w_hh, b_ih, b_hh, w_hr)
    if w_hr is not None and (w_hr.ndim != 2 or 4 * w_hr.shape[1] != w_ih.shape[0]):
        raise ValueError(f"lstm_layer: expected w_hr (P, {w_ih.shape[0] // 4}), got {w_hr.shape}")
    _check("lstm_layer", x, w_ih, w_hh, (h, c), (b_ih, b_hh), 4, w_ih.shape[0] // 4 if w_hr is None else w_hr.shape[0])
    sizes = _checked_sizes(batch_sizes, x, "lstm_layer")
    more = [each for each in (b_ih, b_hh, w_hr) if each is not None]
    found: tuple[Any, Any, Any] = lstm(
        _running_only(x, sizes), w_ih, w_hh, h, c, *more, biased=b_ih is not None, sizes=sizes, reverse=bool(reverse)
    )
    return found


def gru_layer(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None,
    *, batch_sizes: Sequence[int] | None = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """A gated recurrent unit over a whole sequence; see ``gru_cell`` for one step.

    Args:
        x: (T, N, I).
        h: (N, H), the state before the first step.
        w_ih, w_hh: (3H, I) and (3H, H), the rows of r, z and n one after the other.
        b_ih, b_hh: (3H,), or None for both.
        batch_sizes: how many samples are running at each step, if they are of different lengths (longest first).
        reverse: from the last step to the first.

    Returns:
        h after each step (T, N, H), and after the last.

    Raises:
        ValueError: where the shapes do not fit, and for no steps at all.
    """
    x, h, w_ih, w_hh, b_ih, b_hh = _tensors("gru_layer", x, h, w_ih, w_hh, b_ih, b_hh)
    _check("gru_layer", x, w_ih, w_hh, (h,), (b_ih, b_hh), 3, w_ih.shape[0] // 3)
    sizes = _checked_sizes(batch_sizes, x, "gru_layer")
    biases = () if b_ih is None else (b_ih, b_hh)
    found: tuple[Any, Any] = gru(_running_only(x, sizes), w_ih, w_hh, h, *biases, sizes=sizes, reverse=bool(reverse))
    return found


def rnn_layer(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None,
    *, nonlinearity: str = "tanh", batch_sizes: Sequence[int] | None = None, reverse: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """A plain recurrent network (Elman, 1990) over a whole sequence: h = tanh(w_ih x_t + b_ih + w_hh h + b_hh).

    Args:
        x: (T, N, I).
        h: (N, H), the state before the first step.
        w_ih, w_hh: (H, I) and (H, H).
        b_ih, b_hh: (H,), or None for both.
        nonlinearity: "tanh" or "relu".
        batch_sizes: how many samples are running at each step, if they are of different lengths (longest first).
        reverse: from the last step to the first.

    Returns:
        h after each step (T, N, H), and after the last.

    Raises:
        ValueError: where the shapes do not fit, for another nonlinearity, and for no steps at all.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn_layer: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")
    x, h, w_ih, w_hh, b_ih, b_hh = _tensors("rnn_layer", x, h, w_ih, w_hh, b_ih, b_hh)
    _check("rnn_layer", x, w_ih, w_hh, (h,), (b_ih, b_hh), 1, w_ih.shape[0])
    sizes = _checked_sizes(batch_sizes, x, "rnn_layer")
    biases = () if b_ih is None else (b_ih, b_hh)
    found: tuple[Any, Any] = rnn(
        _running_only(x, sizes), w_ih, w_hh, h, *biases, sizes=sizes, reverse=bool(reverse), relu=nonlinearity == "relu"
    )
    return found
