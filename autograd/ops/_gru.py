"""A gated recurrent unit over a whole sequence as one fused primitive; see ``recurrent_layers``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops._sequences import (
    Sizes,
    bias_gradients,
    chunks,
    in_time,
    last_state,
    logistic,
    outputs_of,
    projected,
    rearranged,
    room_for_states,
    start_of,
    states_before,
    walk,
    weight_gradients,
    widened,
)
from autograd.ops.elementwise import sigmoid, tanh
from autograd.ops.linalg import linear


def _gru_composition(x: Any, w_ih: Any, w_hh: Any, h: Any, *biases: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """(r, z) = σ(w_ih x_t + b_ih + w_hh h + b_hh), n = tanh(w_ih x_t + b_ih + r (w_hh h + b_hh)), h = (1 - z) n + z h."""
    b_ih, b_hh = biases or (None, None)
    of_x = linear(x, w_ih, b_ih)
    m = h.shape[-1]

    def cell(step: int, running: int, h: Any) -> tuple[Any]:
        here, of_h = of_x[step, :running], linear(h, w_hh, b_hh)
        r = sigmoid(here[:, :m] + of_h[:, :m])
        z = sigmoid(here[:, m : 2 * m] + of_h[:, m : 2 * m])
        n = tanh(here[:, 2 * m :] + r * of_h[:, 2 * m :])
        return ((1.0 - z) * n + z * h,)

    return walk(cell, x.shape[0], (h,), sizes, reverse)


def _gru_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array, sizes: Sizes, reverse: bool
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, *biases = widened(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, m = x.shape[0], h.shape[-1]
    arrange = (0, 1, 2), (-1.0, -1.0, 1.0)  # r and z negated: 1 / (1 + e^-x) without a sign to change
    into = rearranged([w_hh], *arrange).T
    bias = rearranged([biases[0][:, None]], *arrange)[:, 0] if biases else None
    bias_of_h = biases[1][2 * m :] if biases else None
    if bias is not None:
        bias[: 2 * m] -= biases[1][: 2 * m]
    gates = projected(x, rearranged([w_ih], *arrange), bias)
    hs = room_for_states(h, count, reverse)
    qs = np.empty((count, *h.shape), h.dtype)  # w_hh h + b_hh for n
    of_h, share = np.empty_like(gates[0]) if count else None, np.empty_like(h)
    for step, before, after, running in in_time(count, len(h), sizes, reverse):
        part = slice(running)
        gate, old, new, q = gates[step, part], hs[before, part], hs[after, part], qs[step, part]
        product = np.matmul(old, into, out=of_h[part])  # type: ignore[index]
        both = gate[:, : 2 * m]
        both += product[:, : 2 * m]
        logistic(both)
        if bias_of_h is None:
            q[...] = product[:, 2 * m :]
        else:
            np.add(product[:, 2 * m :], bias_of_h, out=q)
        n = gate[:, 2 * m :]
        n += np.multiply(gate[:, :m], q, out=share[part])
        np.tanh(n, out=n)
        np.subtract(old, n, out=new)
        new *= gate[:, m : 2 * m]
        new += n
        if running < len(h):
            hs[after, running:] = hs[before, running:]
    outputs = outputs_of(hs, sizes, reverse), last_state(hs, reverse)
    return tuple(y.astype(dtype, copy=False) for y in outputs), (gates, hs, qs)


def _gru_factors(gates: Array, h: Array, q: Array, d: Array) -> None:
    """What the cotangent of h is multiplied by for the products with h, (q, r, z), and for n, for several steps."""
    m = h.shape[-1]
    r, z, n = (gates[..., j * m : (j + 1) * m] for j in range(3))
    dq, dr, dz, dn = (d[..., j * m : (j + 1) * m] for j in range(4))
    np.multiply(n, n, out=dn)
    np.subtract(1.0, dn, out=dn)
    np.subtract(1.0, z, out=dz)
    dn *= dz  # (1 - z) (1 - n²)
    dz *= z
    dz *= np.subtract(h, n, out=dr)  # z (1 - z) (h - n)
    np.multiply(dn, r, out=dq)  # dn r
    np.subtract(1.0, r, out=dr)
    dr *= dq
    dr *= q  # dn q r (1 - r)


def _gru_rule(
    g: tuple[Any, ...], wanted: tuple[bool, ...], _y: Any, x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array,
    residuals: tuple[Array, ...], sizes: Sizes, reverse: bool,
) -> list[Any]:  # fmt: skip
    gates, hs, qs = residuals
    x, w_ih, w_hh, h, *biases = widened(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, (batch, m) = x.shape[0], h.shape
    dy = None if g[0] is None else np.asarray(g[0])
    dh = start_of(g[1], h)
    d = np.empty((count, batch, 4 * m), h.dtype)  # (q, r, z, n): what goes to h is (q, r, z), what goes to x (r, z, n)
    turned = np.roll(w_hh, m, axis=0)  # its rows in the order (n, r, z)
    old = np.empty_like(h)
    for chunk, steps in chunks(count, gates[0].size, reverse):
        _gru_factors(gates[chunk], states_before(hs, reverse)[chunk], qs[chunk], d[chunk])
        for step in steps:
            running = batch if sizes is None else sizes[step]
            part = slice(running)
            of_h = dh[part]
            if dy is not None:
                of_h += dy[step, part]
            step_d = d[step, part]
            four = step_d.reshape(running, 4, m)
            four *= of_h[:, None, :]
            of_h *= gates[step, part, m : 2 * m]
            of_h += np.matmul(step_d[:, : 3 * m], turned, out=old[part])
            d[step, running:] = 0
    flat = d.reshape(-1, 4 * m)
    of_x, of_h = flat[:, m:], flat[:, : 3 * m]
    dx, dw_ih, dw_hh = weight_gradients(wanted, of_x, of_h, x, w_ih, states_before(hs, reverse))
    found = [dx, dw_ih, None if dw_hh is None else np.roll(dw_hh, -m, axis=0), dh]
    if biases:
        db_ih, db_hh = bias_gradients(wanted[4:6], of_x, of_h)
        found += [db_ih, None if db_hh is None else np.roll(db_hh, -m)]
    return found


gru = fused(_gru_composition, _gru_kernel, _gru_rule, name="gru_layer")
