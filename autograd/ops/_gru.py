"""A gated recurrent unit over a whole sequence as one fused primitive; see ``recurrent_layers``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops._sequences import (
    Sizes,
    at_steps,
    bias_gradients,
    chunks,
    in_time,
    last_state,
    projected_features_first,
    rearranged,
    room_for_states,
    start_of,
    states_after,
    states_before,
    walk,
    weight_gradients,
    widened,
)
from autograd.ops.elementwise import logistic, sigmoid, tanh
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
    """Features come first, samples last, as in an LSTM."""
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, *biases = widened(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, (batch, m) = x.shape[0], h.shape
    arrange = (0, 1, 2), (-1.0, -1.0, 1.0)  # r and z negated: 1 / (1 + e^-x) without a sign to change
    weight, bias, bias_of_h = rearranged([w_hh], *arrange), None, None
    if biases:
        bias, of_h = (rearranged([each[:, None]], *arrange)[:, 0] for each in biases)
        bias[: 2 * m] += of_h[: 2 * m]
        bias_of_h = of_h[2 * m :, None]
    gates = projected_features_first(x, rearranged([w_ih], *arrange), bias)
    hs, qs = room_for_states(h.T, count, reverse), np.empty((count, m, batch), h.dtype)  # q = w_hh h + b_hh for n
    products, room = np.empty((3 * m, batch), h.dtype), np.empty((m, batch), h.dtype)
    views = at_steps(sizes, states_before(hs, reverse), states_after(hs, reverse), gates, qs)
    for step, before, after, running in in_time(count, batch, sizes, reverse):
        old, new, gate, q = views[step]
        of_h, share = products[:, :running], room[:, :running]
        np.matmul(weight, old, out=of_h)
        both, n = gate[: 2 * m], gate[2 * m :]
        both += of_h[: 2 * m]
        logistic(both)
        np.add(of_h[2 * m :], 0.0 if bias_of_h is None else bias_of_h, out=q)
        n += np.multiply(gate[:m], q, out=share)
        np.tanh(n, out=n)
        np.subtract(old, n, out=new)
        new *= gate[m : 2 * m]
        new += n
        if running < batch:
            hs[after, :, running:] = hs[before, :, running:]
    y = np.array(states_after(hs, reverse).transpose(0, 2, 1), order="C")  # a copy: it is written to
    for step, size in enumerate(sizes or ()):
        y[step, size:] = 0
    outputs = y, last_state(hs, reverse).T
    return tuple(y.astype(dtype, order="C", copy=False) for y in outputs), (gates, hs, qs)


def _gru_factors(gates: Array, h: Array, q: Array, d: Array) -> None:
    """What the cotangent of h is multiplied by for the products with h, (q, r, z), and for n, for several steps."""
    r, z, n = (gates[:, j] for j in range(3))
    dq, dr, dz, dn = (d[:, j] for j in range(4))
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
    dh = np.ascontiguousarray(start_of(g[1], h).T)
    of_gates, olds = gates.reshape(count, 3, m, batch), states_before(hs, reverse)
    # (q, r, z, n), all steps of a row together: what goes to h is (q, r, z), what goes to x (r, z, n)
    d = np.empty((4 * m, count, batch), h.dtype)
    turned, room = np.roll(w_hh, m, axis=0).T, np.empty((m, batch), h.dtype)  # the rows of w_hh in the order (n, r, z)
    for chunk, steps in chunks(count, gates[0].size, reverse):
        length = chunk.stop - chunk.start
        factors = np.empty((length, 4, m, batch), h.dtype)
        _gru_factors(of_gates[chunk], olds[chunk], qs[chunk], factors)
        of_y = None if dy is None else np.ascontiguousarray(dy[chunk].transpose(0, 2, 1))
        flat = factors.reshape(length, 4 * m, batch)
        views = at_steps(sizes and sizes[chunk], factors, flat[:, : 3 * m], of_gates[chunk, 1])
        for step in steps:
            running = batch if sizes is None else sizes[step]
            of_h = dh[:, :running]
            step_d, to_h, z = views[step - chunk.start]
            if of_y is not None:
                of_h += of_y[step - chunk.start, :, :running]
            step_d *= of_h
            of_h *= z
            of_h += np.matmul(turned, to_h, out=room[:, :running])
            flat[step - chunk.start, :, running:] = 0.0
        d[:, chunk] = flat.transpose(1, 0, 2)
    rows = d.reshape(4 * m, count * batch)
    dx, dw_ih, dw_hh = weight_gradients(wanted, rows[m:], rows[: 3 * m], x, w_ih, olds.transpose(0, 2, 1))
    found = [dx, dw_ih, None if dw_hh is None else np.roll(dw_hh, -m, axis=0), np.ascontiguousarray(dh.T)]
    if biases:
        db_ih, db_hh = bias_gradients(wanted[4:6], rows[m:], rows[: 3 * m])
        found += [db_ih, None if db_hh is None else np.roll(db_hh, -m)]
    return found


gru = fused(_gru_composition, _gru_kernel, _gru_rule, name="gru_layer")
