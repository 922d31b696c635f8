"""The cells of recurrent networks, with gates in PyTorch's order.

The products of matrices are ``linear``'s; what follows them, element by element, is fused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops.elementwise import logistic, sigmoid, tanh
from autograd.ops.linalg import linear
from autograd.ops.reductions import tensor_of


def _logistic(x: Array, out: Array) -> None:
    """1 / (1 + e^-x)."""
    np.negative(x, out=out)
    logistic(out)


def _wide(*arrays: Array) -> np.dtype[Any]:
    dtype = np.result_type(*arrays)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


# ------------------------------------------------------------------------------------------------ LSTM


def _lstm_composition(gates: Any, c: Any) -> tuple[Any, Any]:
    """c' = σ(f) c + σ(i) tanh(g) and h' = σ(o) tanh(c'), with gates = (i, f, g, o)."""
    n = c.shape[-1]
    i, f, g, o = (gates[..., k * n : (k + 1) * n] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def _lstm_kernel(gates: Array, c: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    n = c.shape[-1]
    dtype = np.result_type(gates, c)
    gates, c = gates.astype(_wide(gates, c), copy=False), c.astype(_wide(gates, c), copy=False)
    a = np.empty_like(gates)
    for part in (slice(0, 2 * n), slice(3 * n, 4 * n)):
        _logistic(gates[..., part], a[..., part])
    np.tanh(gates[..., 2 * n : 3 * n], out=a[..., 2 * n : 3 * n])
    new = a[..., n : 2 * n] * c
    new += a[..., :n] * a[..., 2 * n : 3 * n]
    t = np.tanh(new)
    h = a[..., 3 * n :] * t
    return (h.astype(dtype, copy=False), new.astype(dtype, copy=False)), (a, t)


def _lstm_rule(
    g: tuple[Any, Any], _wanted: Any, _y: Any, _gates: Any, c: Array, *, residuals: tuple[Array, Array]
) -> list[Array]:
    a, t = residuals
    n = c.shape[-1]
    i, f, u, o = (a[..., k * n : (k + 1) * n] for k in range(4))
    dh, dc = g
    d = np.empty_like(a)
    if dh is None:
        total = np.array(dc, a.dtype)
        d[..., 3 * n :] = 0.0
    else:
        total = o * dh
        total *= 1.0 - t * t
        if dc is not None:
            total += dc
        np.multiply(dh, t, out=d[..., 3 * n :])
    np.multiply(total, u, out=d[..., :n])
    np.multiply(total, c, out=d[..., n : 2 * n])
    np.multiply(total, i, out=d[..., 2 * n : 3 * n])
    for part in (slice(0, 2 * n), slice(3 * n, 4 * n)):
        s = a[..., part]
        d[..., part] *= s * (1.0 - s)
    d[..., 2 * n : 3 * n] *= 1.0 - u * u
    total *= f
    return [d, total]


lstm_pointwise = fused(_lstm_composition, _lstm_kernel, _lstm_rule, name="lstm")


def _check(op: str, x: Any, states: list[Any], w_ih: Any, w_hh: Any, biases: list[Any], gates: int) -> None:
    if w_ih.ndim != 2 or w_hh.ndim != 2 or x.ndim not in (1, 2):
        raise ValueError(
            f"{op}: expected x (N, I) or (I,), w_ih ({gates}H, I) and w_hh ({gates}H, H), "
            f"got {x.shape}, {w_ih.shape} and {w_hh.shape}"
        )
    hidden = w_hh.shape[1]
    if w_hh.shape[0] != gates * hidden or w_ih.shape[0] != gates * hidden:
        raise ValueError(f"{op}: expected weights with {gates} * {hidden} rows, got {w_ih.shape} and {w_hh.shape}")
    if x.shape[-1] != w_ih.shape[1]:
        raise ValueError(f"{op}: expected an input with {w_ih.shape[1]} features, got shape {x.shape}")
    for state in states:
        if state.shape != (*x.shape[:-1], hidden):
            raise ValueError(f"{op}: expected a state of shape {(*x.shape[:-1], hidden)}, got {state.shape}")
    for bias in biases:
        if bias is not None and bias.shape != (gates * hidden,):
            raise ValueError(f"{op}: expected a bias of shape {(gates * hidden,)}, got {bias.shape}")


def _tensors(op: str, *values: Any) -> list[Any]:
    return [None if value is None else tensor_of(value, op) for value in values]


def lstm_cell(x: Any, state: tuple[Any, Any], w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any, Any]:
    """One step of a long short-term memory (Hochreiter and Schmidhuber, 1997; with forget gate, Gers et al., 2000).

    (i, f, g, o) = w_ih x + b_ih + w_hh h + b_hh, c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').

    Args:
        x: (N, I) or (I,).
        state: h and c, (N, H) or (H,) each.
        w_ih, w_hh: (4H, I) and (4H, H).
        b_ih, b_hh: (4H,) or None.

    Returns:
        h' and c'.

    Raises:
        ValueError: where the shapes do not fit.
    """
    if not isinstance(state, tuple | list) or len(state) != 2:
        raise TypeError("lstm_cell: expected the state as a pair (h, c)")
    x, h, c, w_ih, w_hh, b_ih, b_hh = _tensors("lstm_cell", x, *state, w_ih, w_hh, b_ih, b_hh)
    _check("lstm_cell", x, [h, c], w_ih, w_hh, [b_ih, b_hh], 4)
    new: tuple[Any, Any] = lstm_pointwise(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), c)
    return new


# ------------------------------------------------------------------------------------------------ GRU


def _gru_composition(of_x: Any, of_h: Any, h: Any) -> Any:
    """h' = (1 - z) n + z h with (r, z) = σ(of_x + of_h) and n = tanh(of_x + r of_h), the gates being (r, z, n)."""
    m = h.shape[-1]
    r = sigmoid(of_x[..., :m] + of_h[..., :m])
    z = sigmoid(of_x[..., m : 2 * m] + of_h[..., m : 2 * m])
    n = tanh(of_x[..., 2 * m :] + r * of_h[..., 2 * m :])
    return (1.0 - z) * n + z * h


def _gru_kernel(of_x: Array, of_h: Array, h: Array) -> tuple[Array, Array]:
    m = h.shape[-1]
    a = np.add(of_x, of_h, dtype=_wide(of_x, of_h, h))
    _logistic(a[..., : 2 * m], a[..., : 2 * m])
    n = a[..., 2 * m :]
    np.multiply(a[..., :m], of_h[..., 2 * m :], out=n)
    n += of_x[..., 2 * m :]
    np.tanh(n, out=n)
    z = a[..., m : 2 * m]
    new = (1.0 - z) * n
    new += z * h
    return new.astype(np.result_type(of_x, of_h, h), copy=False), a


def _gru_rule(g: Array, _wanted: Any, _y: Any, _of_x: Any, of_h: Array, h: Array, *, residuals: Array) -> list[Array]:
    a = residuals
    m = h.shape[-1]
    r, z, n = (a[..., k * m : (k + 1) * m] for k in range(3))
    dx = np.empty_like(a)
    dn = dx[..., 2 * m :]
    np.multiply(g, 1.0 - z, out=dn)
    dn *= 1.0 - n * n
    np.multiply(dn, of_h[..., 2 * m :], out=dx[..., :m])
    np.subtract(h, n, out=dx[..., m : 2 * m])
    dx[..., m : 2 * m] *= g
    both = a[..., : 2 * m]
    dx[..., : 2 * m] *= both * (1.0 - both)
    dh = dx.copy()
    dh[..., 2 * m :] *= r
    return [dx, dh, g * z]


gru_pointwise = fused(_gru_composition, _gru_kernel, _gru_rule, name="gru")


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a gated recurrent unit (Cho et al., 2014; the variant with the reset after the product, as PyTorch's).

    (r, z) = σ(w_ih x + b_ih + w_hh h + b_hh), n = tanh(w_ih x + b_ih + r (w_hh h + b_hh)), h' = (1 - z) n + z h.

    Args:
        x: (N, I) or (I,).
        h: (N, H) or (H,).
        w_ih, w_hh: (3H, I) and (3H, H), the rows of r, z and n one after the other.
        b_ih, b_hh: (3H,) or None.

    Returns:
        h'.

    Raises:
        ValueError: where the shapes do not fit.
    """
    x, h, w_ih, w_hh, b_ih, b_hh = _tensors("gru_cell", x, h, w_ih, w_hh, b_ih, b_hh)
    _check("gru_cell", x, [h], w_ih, w_hh, [b_ih, b_hh], 3)
    return gru_pointwise(linear(x, w_ih, b_ih), linear(h, w_hh, b_hh), h)
