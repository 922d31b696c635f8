"""A long short-term memory over a whole sequence as one fused primitive; see ``recurrent_layers``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
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
from autograd.primitive import fused


def _split_lstm(more: tuple[Any, ...], biased: bool) -> tuple[Any, Any, Any]:
    """b_ih, b_hh and the projection w_hr."""
    biases, rest = (more[:2], more[2:]) if biased else ((None, None), more)
    return biases[0], biases[1], rest[0] if rest else None


def _lstm_composition(
    x: Any, w_ih: Any, w_hh: Any, h: Any, c: Any, *more: Any, biased: bool, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """(i, f, g, o) = w_ih x_t + b_ih + w_hh h + b_hh, c = σ(f) c + σ(i) tanh(g), h = [w_hr] σ(o) tanh(c), step by step."""
    b_ih, b_hh, w_hr = _split_lstm(more, biased)
    of_x = linear(x, w_ih, b_ih)
    n = c.shape[-1]

    def cell(step: int, running: int, h: Any, c: Any) -> tuple[Any, Any]:
        gates = of_x[step, :running] + linear(h, w_hh, b_hh)
        i, f, g, o = (gates[:, k * n : (k + 1) * n] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return (h if w_hr is None else linear(h, w_hr)), c

    return walk(cell, x.shape[0], (h, c), sizes, reverse)


def _lstm_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, c: Array, *more: Array, biased: bool, sizes: Sizes, reverse: bool
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, c, *more = widened(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    b_ih, b_hh, w_hr = _split_lstm(tuple(more), biased)
    count, n = x.shape[0], c.shape[-1]
    # The three logistic gates lie side by side, (i, f, o, g), and are computed negated: 1 / (1 + e^-x) without a sign change.
    arrange = (0, 1, 3, 2), (-1.0, -1.0, -1.0, 1.0)
    into = rearranged(w_hh, *arrange).T
    gates = projected(x, rearranged(w_ih, *arrange), rearranged(b_ih + b_hh, *arrange) if biased else None)
    hs, cs = room_for_states(h, count, reverse), room_for_states(c, count, reverse)
    ts = np.empty((count, *c.shape), c.dtype)
    of_h, share, hidden = np.empty_like(gates[0]) if count else None, np.empty_like(c), np.empty_like(c)
    for step, before, after, running in in_time(count, len(c), sizes, reverse):
        part = slice(running)
        gate, new, t = gates[step, part], cs[after, part], ts[step, part]
        gate += np.matmul(hs[before, part], into, out=of_h[part])  # type: ignore[index]
        logistic(gate[:, : 3 * n])
        u = gate[:, 3 * n :]
        np.tanh(u, out=u)
        np.multiply(gate[:, n : 2 * n], cs[before, part], out=new)
        new += np.multiply(gate[:, :n], u, out=share[part])
        np.tanh(new, out=t)
        if w_hr is None:
            np.multiply(gate[:, 2 * n : 3 * n], t, out=hs[after, part])
        else:
            np.matmul(np.multiply(gate[:, 2 * n : 3 * n], t, out=hidden[part]), w_hr.T, out=hs[after, part])
        if running < len(c):
            hs[after, running:], cs[after, running:] = hs[before, running:], cs[before, running:]
    outputs = outputs_of(hs, sizes, reverse), last_state(hs, reverse), last_state(cs, reverse)
    return tuple(y.astype(dtype, copy=False) for y in outputs), (gates, hs, cs, ts)


def _lstm_factors(gates: Array, c: Array, t: Array, d: Array, k: Array) -> None:
    """What the cotangents of c (for i, f, g) and of h (for o, and for c itself) are multiplied by, for several steps."""
    n = c.shape[-1]
    i, f, o, u = (gates[..., j * n : (j + 1) * n] for j in range(4))
    di, df, dg, do = (d[..., j * n : (j + 1) * n] for j in range(4))
    for out, s, other in ((di, i, u), (df, f, c), (do, o, t)):
        np.subtract(1.0, s, out=out)
        out *= s
        out *= other
    np.multiply(u, u, out=dg)
    np.subtract(1.0, dg, out=dg)
    dg *= i
    np.multiply(t, t, out=k)
    np.subtract(1.0, k, out=k)
    k *= o


def _lstm_rule(
    g: tuple[Any, ...], wanted: tuple[bool, ...], _y: Any, x: Array, w_ih: Array, w_hh: Array, h: Array, c: Array, *more: Array,
    residuals: tuple[Array, ...], biased: bool, sizes: Sizes, reverse: bool,
) -> list[Any]:  # fmt: skip
    gates, hs, cs, ts = residuals
    x, w_ih, w_hh, h, c, *more = widened(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    w_hr = _split_lstm(tuple(more), biased)[2]
    count, (batch, n) = x.shape[0], c.shape
    dy = None if g[0] is None else np.asarray(g[0])
    dh, dc = start_of(g[1], h), start_of(g[2], c)
    d = np.empty_like(gates)  # in PyTorch's order (i, f, g, o)
    outs = np.zeros((count, *h.shape), h.dtype) if w_hr is not None else None  # the cotangents of the projected states
    total, hidden = np.empty_like(c), np.empty_like(c)
    for chunk, steps in chunks(count, gates[0].size, reverse):
        k = np.empty((chunk.stop - chunk.start, batch, n), c.dtype)
        _lstm_factors(gates[chunk], states_before(cs, reverse)[chunk], ts[chunk], d[chunk], k)
        for step in steps:
            running = batch if sizes is None else sizes[step]
            part = slice(running)
            if dy is not None:
                dh[part] += dy[step, part]
            of_h = dh[part]
            if w_hr is not None:
                outs[step, part] = of_h  # type: ignore[index]
                of_h = np.matmul(of_h, w_hr, out=hidden[part])
            step_d = d[step, part]
            of_c = np.multiply(of_h, k[step - chunk.start, part], out=total[part])
            of_c += dc[part]
            three = step_d[:, : 3 * n].reshape(running, 3, n)  # a view: the columns of a row are contiguous
            three *= of_c[:, None, :]
            step_d[:, 3 * n :] *= of_h
            np.multiply(of_c, gates[step, part, n : 2 * n], out=dc[part])
            np.matmul(step_d, w_hh, out=dh[part])
            d[step, running:] = 0
    dx, dw_ih, dw_hh = weight_gradients(wanted, d, d, x, w_ih, states_before(hs, reverse))
    found = [dx, dw_ih, dw_hh, dh, dc]
    if biased:
        found += bias_gradients(wanted[5:7], d, d)
    if w_hr is not None:
        o_t = gates[..., 2 * n : 3 * n] * ts
        for step, size in enumerate(sizes or ()):
            o_t[step, size:] = 0
        found.append(np.matmul(outs.reshape(-1, outs.shape[-1]).T, o_t.reshape(-1, n)))  # type: ignore[union-attr]
    return found


lstm = fused(_lstm_composition, _lstm_kernel, _lstm_rule, name="lstm_layer")
