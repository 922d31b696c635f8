"""A plain recurrent network over a whole sequence as one fused primitive; see ``recurrent_layers``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops._sequences import (
    Sizes,
    bias_gradients,
    in_time,
    last_state,
    outputs_of,
    projected,
    room_for_states,
    start_of,
    states_before,
    walk,
    weight_gradients,
    widened,
)
from autograd.ops.activations import relu as rectified
from autograd.ops.elementwise import tanh
from autograd.ops.linalg import linear


def _rnn_composition(
    x: Any, w_ih: Any, w_hh: Any, h: Any, *biases: Any, sizes: Sizes, reverse: bool, relu: bool
) -> tuple[Any, ...]:
    """h = tanh(w_ih x_t + b_ih + w_hh h + b_hh), or max(..., 0), step by step."""
    b_ih, b_hh = biases or (None, None)
    of_x = linear(x, w_ih, b_ih)

    def cell(step: int, running: int, h: Any) -> tuple[Any]:
        total = of_x[step, :running] + linear(h, w_hh, b_hh)
        return (rectified(total) if relu else tanh(total),)

    return walk(cell, x.shape[0], (h,), sizes, reverse)


def _rnn_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array, sizes: Sizes, reverse: bool, relu: bool
) -> tuple[tuple[Array, ...], Array]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, *biases = widened(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    sums = projected(x, w_ih, biases[0] + biases[1] if biases else None)
    hs = room_for_states(h, len(x), reverse)
    for step, before, after, running in in_time(len(x), len(h), sizes, reverse):
        part = slice(running)
        new = np.matmul(hs[before, part], w_hh.T, out=hs[after, part])
        new += sums[step, part]
        if relu:
            np.maximum(new, 0.0, out=new)
        else:
            np.tanh(new, out=new)
        if running < len(h):
            hs[after, running:] = hs[before, running:]
    outputs = outputs_of(hs, sizes, reverse), last_state(hs, reverse)
    return tuple(y.astype(dtype, copy=False) for y in outputs), hs


def _rnn_rule(
    g: tuple[Any, ...], wanted: tuple[bool, ...], _y: Any, x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array,
    residuals: Array, sizes: Sizes, reverse: bool, relu: bool,
) -> list[Any]:  # fmt: skip
    hs = residuals
    x, w_ih, w_hh, h, *biases = widened(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, batch = len(x), len(h)
    dy = None if g[0] is None else np.asarray(g[0])
    dh = start_of(g[1], h)
    after = hs[:-1] if reverse else hs[1:]
    d = np.empty((count, *h.shape), h.dtype)
    for step in range(count) if reverse else reversed(range(count)):
        running = batch if sizes is None else sizes[step]
        part = slice(running)
        of_h, step_d, y = dh[part], d[step, part], after[step, part]
        if dy is not None:
            of_h += dy[step, part]
        if relu:
            np.copyto(step_d, of_h)
            step_d[y <= 0] = 0
        else:
            np.multiply(y, y, out=step_d)
            np.subtract(1.0, step_d, out=step_d)
            step_d *= of_h
        np.matmul(step_d, w_hh, out=of_h)
        d[step, running:] = 0
    columns = d.reshape(count * batch, h.shape[1]).T
    dx, dw_ih, dw_hh = weight_gradients(wanted, columns, columns, x, w_ih, states_before(hs, reverse))
    return [dx, dw_ih, dw_hh, dh, *(bias_gradients(wanted[4:6], columns, columns) if biases else ())]


rnn = fused(_rnn_composition, _rnn_kernel, _rnn_rule, name="rnn_layer")
