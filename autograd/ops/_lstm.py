"""A long short-term memory over a whole sequence as one fused primitive; see ``recurrent_layers``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops import _sequences
from autograd.ops._sequences import (
    Sizes,
    at_steps,
    bias_gradients,
    chunks,
    in_time,
    last_state,
    outputs_of,
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


def _operands(
    x: Array, w_ih: Array, w_hh: Array, h: Array, bias: Array | None, reverse: bool
) -> tuple[Array, Array, Array | None]:
    """A weight and the (T + 1, features, N) that it is multiplied by, h being the first of them; and what is then added.

    For many samples these are [w_hh w_ih b] and [h; x; 1]: one product a step for all. For few of them a step takes as long as
    the reading of its weight, so that it is w_hh alone, and w_ih x + b is one product over all steps.
    """
    # The three logistic gates lie side by side, (i, f, o, g), and are computed negated: 1 / (1 + e^-x) without a sign change.
    arrange = (0, 1, 3, 2), (-1.0, -1.0, -1.0, 1.0)
    (count, batch, inputs), features = x.shape, h.shape[1]
    joint = batch >= _sequences.JOINT
    weight = rearranged([w_hh, w_ih, bias[:, None]] if joint and bias is not None else [w_hh, w_ih][: joint + 1], *arrange)
    operands = np.ones((count + 1, weight.shape[1], batch), h.dtype)
    operands[count if reverse else 0, :features] = h.T
    if joint:
        states_before(operands, reverse)[:, features : features + inputs] = x.transpose(0, 2, 1)
        return weight, operands, None
    bias = None if bias is None else rearranged([bias[:, None]], *arrange)[:, 0]
    return weight, operands, projected_features_first(x, rearranged([w_ih], *arrange), bias)


def _lstm_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, c: Array, *more: Array, biased: bool, sizes: Sizes, reverse: bool
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Features come first, samples last: each gate of a step is then one block of memory, and products are a tenth faster."""
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, c, *more = widened(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    b_ih, b_hh, w_hr = _split_lstm(tuple(more), biased)
    count, (batch, n) = x.shape[0], c.shape
    weight, operands, of_x = _operands(x, w_ih, w_hh, h, b_ih + b_hh if biased else None, reverse)
    hs, cs = operands[:, : h.shape[1]], room_for_states(c.T, count, reverse)
    gates, ts = np.empty((count, 4 * n, batch), c.dtype), np.empty((count, n, batch), c.dtype)
    room = np.empty((n, batch), c.dtype)
    olds, news = ([way(each, reverse) for each in (operands, cs)] for way in (states_before, states_after))
    views = at_steps(sizes, *olds, *news, gates, ts)
    for step, before, after, running in in_time(count, batch, sizes, reverse):
        operand, old, result, new, a, t = views[step]
        share = room[:, :running]
        np.matmul(weight, operand, out=a)
        if of_x is not None:
            a += of_x[step, :, :running]
        logistic(a[: 3 * n])
        i, f, o, u = a.reshape(4, n, running)
        np.tanh(u, out=u)
        np.multiply(f, old, out=new)
        new += np.multiply(i, u, out=share)
        np.tanh(new, out=t)
        if w_hr is None:
            np.multiply(o, t, out=result[: h.shape[1]])
        else:
            np.matmul(w_hr, np.multiply(o, t, out=share), out=result[: h.shape[1]])
        if running < batch:
            hs[after, :, running:], cs[after, :, running:] = hs[before, :, running:], cs[before, :, running:]
    hs = np.ascontiguousarray(hs.transpose(0, 2, 1))
    outputs = outputs_of(hs, sizes, reverse), last_state(hs, reverse), last_state(cs, reverse).T
    return tuple(y.astype(dtype, order="C", copy=False) for y in outputs), (gates, hs, cs, ts)


def _lstm_factors(gates: Array, c: Array, t: Array, d: Array, k: Array) -> None:
    """What the cotangents of c (for i, f, g) and of h (for o, and for c itself) are multiplied by, for several steps."""
    i, f, o, u = (gates[:, j] for j in range(4))
    di, df, dg, do = (d[:, j] for j in range(4))
    np.multiply(i, u, out=k)
    np.subtract(1.0, i, out=di)
    di *= k  # i (1 - i) g
    k *= u
    np.subtract(i, k, out=dg)  # i (1 - g²)
    np.subtract(1.0, f, out=df)
    df *= f
    df *= c  # f (1 - f) c
    np.multiply(o, t, out=k)
    np.subtract(1.0, o, out=do)
    do *= k  # o (1 - o) tanh(c)
    k *= t
    np.subtract(o, k, out=k)  # o (1 - tanh(c)²)


def _lstm_rule(
    g: tuple[Any, ...], wanted: tuple[bool, ...], _y: Any, x: Array, w_ih: Array, w_hh: Array, h: Array, c: Array, *more: Array,
    residuals: tuple[Array, ...], biased: bool, sizes: Sizes, reverse: bool,
) -> list[Any]:  # fmt: skip
    gates, hs, cs, ts = residuals
    x, w_ih, w_hh, h, c, *more = widened(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    w_hr = _split_lstm(tuple(more), biased)[2]
    count, (batch, n) = x.shape[0], c.shape
    dy = None if g[0] is None else np.asarray(g[0])
    dh, dc = (np.ascontiguousarray(start_of(*each).T) for each in ((g[1], h), (g[2], c)))
    of_gates = gates.reshape(count, 4, n, batch)
    # The cotangents of the gates, in PyTorch's order (i, f, g, o), all steps of a row together: so the products at the end want
    # them. In the loop they are step after step, and in the cache.
    d = np.empty((4 * n, count, batch), c.dtype)
    rows = d.reshape(4 * n, count * batch)
    outs = None if w_hr is None else np.zeros((h.shape[1], count, batch), h.dtype)  # the cotangents of the projected states
    room = np.empty((n, batch), c.dtype)
    for chunk, steps in chunks(count, gates[0].size, reverse):
        length = chunk.stop - chunk.start
        factors, k = np.empty((length, 4, n, batch), c.dtype), np.empty((length, n, batch), c.dtype)
        _lstm_factors(of_gates[chunk], states_before(cs, reverse)[chunk], ts[chunk], factors, k)
        of_y = None if dy is None else np.ascontiguousarray(dy[chunk].transpose(0, 2, 1))
        flat = factors.reshape(length, 4 * n, batch)
        views = at_steps(sizes and sizes[chunk], factors[:, :3], factors[:, 3], flat, k, of_gates[chunk, 1])
        for step in steps:
            running = batch if sizes is None else sizes[step]
            of_h, of_c = dh[:, :running], dc[:, :running]
            d_c, d_h, d_gates, slope, f = views[step - chunk.start]
            if of_y is not None:
                of_h += of_y[step - chunk.start, :, :running]
            to_h = of_h
            if outs is not None:
                outs[:, step, :running] = of_h
                to_h = np.matmul(w_hr.T, of_h)
            of_c += np.multiply(to_h, slope, out=room[:, :running])
            d_c *= of_c
            d_h *= to_h
            of_c *= f
            np.matmul(w_hh.T, d_gates, out=of_h)
            flat[step - chunk.start, :, running:] = 0.0
        d[:, chunk] = flat.transpose(1, 0, 2)
    found: list[Any] = [*weight_gradients(wanted, rows, rows, x, w_ih, states_before(hs, reverse))]
    found += [np.ascontiguousarray(dh.T), np.ascontiguousarray(dc.T)]
    if biased:
        found += bias_gradients(wanted[5:7], rows, rows)
    if outs is not None:
        o_t = of_gates[:, 2] * ts
        for step, size in enumerate(sizes or ()):
            o_t[step, :, size:] = 0
        found.append(np.matmul(outs.reshape(len(outs), count * batch), o_t.transpose(0, 2, 1).reshape(count * batch, n)))
    return found


lstm = fused(_lstm_composition, _lstm_kernel, _lstm_rule, name="lstm_layer")
