"""Recurrent layers over a whole sequence, each one fused primitive: LSTM, GRU and the plain recurrent network.

The products with the input are one product of matrices over all steps; only the product with the state is done step by step.
Going back, the factors that do not depend on cotangents are computed for many steps at once, and the gradients of the weights
are again one product over all steps.

Sequences are (T, N, I): step, sample, feature. In a ragged batch the samples are sorted by length, longest first, and
``batch_sizes`` tells how many are still running at each step, as in PyTorch's packed sequences. The state of the others stays
as it is, and their output is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops.activations import relu as rectified
from autograd.ops.elementwise import sigmoid, tanh
from autograd.ops.indexing import getitem
from autograd.ops.joining import concatenate, stack
from autograd.ops.linalg import linear
from autograd.ops.reductions import tensor_of
from autograd.ops.selection import where
from autograd.primitive import fused

BLOCK = 1 << 16  # elements whose factors are computed at a time, so that they stay in the cache

Sizes = tuple[int, ...] | None


def _wide(*arrays: Array) -> list[Array]:
    """The arrays in one dtype to compute in: float32 for float16."""
    dtype = np.result_type(*arrays)
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    return [array.astype(dtype, copy=False) for array in arrays]


def _steps(count: int, batch: int, sizes: Sizes, reverse: bool) -> Iterator[tuple[int, int, int, int]]:
    """For each step in the order of time: its number, the places of the states before and after it, and who is running."""
    for step in reversed(range(count)) if reverse else range(count):
        before, after = (step + 1, step) if reverse else (step, step + 1)
        yield step, before, after, batch if sizes is None else sizes[step]


def _states(first: Array, count: int, reverse: bool) -> Array:
    """Room for the states before, between and after the steps, (T + 1, N, H), with the first one filled in."""
    states = np.empty((count + 1, *first.shape), first.dtype)
    states[count if reverse else 0] = first
    return states


def _outputs(states: Array, sizes: Sizes, reverse: bool) -> Array:
    """The output (T, N, H): the states after the steps, and 0 for samples that have ended."""
    y = (states[:-1] if reverse else states[1:]).copy()
    for step, size in enumerate(sizes or ()):
        y[step, size:] = 0
    return y


def _before(states: Array, reverse: bool) -> Array:
    """The states that the steps started from, in the order of the steps."""
    return states[1:] if reverse else states[:-1]


def _last(states: Array, reverse: bool) -> Array:
    return np.array(states[0 if reverse else -1])


def _logistic(minus_x: Array) -> None:
    """1 / (1 + e^(minus_x)), in place."""
    np.exp(minus_x, out=minus_x)
    minus_x += 1.0
    np.reciprocal(minus_x, out=minus_x)


def _rearranged(weight: Array, places: Sequence[int], signs: Sequence[float]) -> Array:
    """The blocks of gates in a weight (G H, ...) or a bias (G H,) in another order, some of them negated."""
    blocks = weight.reshape(len(places), -1, *weight.shape[1:])[list(places)]
    blocks *= np.array(signs, weight.dtype).reshape(-1, *(1,) * weight.ndim)
    arranged: Array = blocks.reshape(weight.shape)
    return arranged


def _projected(x: Array, weight: Array, bias: Array | None) -> Array:
    """x W^T + b over all steps at once, (T, N, I) -> (T, N, G H)."""
    y: Array = np.matmul(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight))


def _chunks(count: int, size: int, reverse: bool) -> Iterator[tuple[slice, Iterator[int]]]:
    """The steps in the order in which gradients go back, in runs whose arrays fit into the cache."""
    length = max(1, BLOCK // max(1, size))
    if reverse:
        for start in range(0, count, length):
            run = range(start, min(start + length, count))
            yield slice(run.start, run.stop), iter(run)
    else:
        for stop in range(count, 0, -length):
            run = range(max(stop - length, 0), stop)
            yield slice(run.start, run.stop), reversed(run)


def _start(cotangent: Any, like: Array) -> Array:
    """A cotangent of a final state to add to: a copy, or zeros."""
    return np.zeros_like(like) if cotangent is None else np.array(cotangent, like.dtype)


def _weight_gradients(
    wanted: Sequence[bool], of_x: Array, of_h: Array, x: Array, w_ih: Array, before: Array
) -> tuple[Array | None, Array | None, Array | None]:
    """The cotangents of x, W_ih and W_hh from those of the two products, (T, N, G H) each: one product of matrices each."""
    rows_x, rows_h = (d.reshape(-1, d.shape[-1]) for d in (of_x, of_h))
    dx = np.matmul(rows_x, w_ih).reshape(x.shape) if wanted[0] else None
    dw_ih = np.matmul(rows_x.T, x.reshape(-1, x.shape[-1])) if wanted[1] else None
    dw_hh = np.matmul(rows_h.T, before.reshape(-1, before.shape[-1])) if wanted[2] else None
    return dx, dw_ih, dw_hh


def _bias_gradients(wanted: Sequence[bool], *rows: Array) -> list[Array | None]:
    """The sums over steps and samples, as products with ones (BLAS is faster than a sum over the first axis)."""
    found = []
    for want, d in zip(wanted, rows, strict=True):
        flat = d.reshape(-1, d.shape[-1])
        found.append(np.matmul(np.ones(len(flat), d.dtype), flat) if want else None)
    return found


def _walk(
    cell: Callable[..., tuple[Any, ...]], count: int, state: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The composition of every layer: ``cell(step, running, *state)`` from step to step; the outputs and the last state."""
    batch = state[0].shape[0]
    outputs: list[Any] = [None] * count
    for step, _, _, running in _steps(count, batch, sizes, reverse):
        if running == batch:
            state = cell(step, running, *state)
            outputs[step] = state[0]
        else:
            new = cell(step, running, *(getitem(s, slice(running)) for s in state))
            outputs[step] = np.pad(new[0], ((0, batch - running), (0, 0)))
            state = tuple(concatenate([n, getitem(s, slice(running, None))]) for n, s in zip(new, state, strict=True))
    return (stack(outputs), *state)


# ------------------------------------------------------------------------------------------------ LSTM


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

    return _walk(cell, x.shape[0], (h, c), sizes, reverse)


def _lstm_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, c: Array, *more: Array, biased: bool, sizes: Sizes, reverse: bool
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, c, *more = _wide(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    b_ih, b_hh, w_hr = _split_lstm(tuple(more), biased)
    count, n = x.shape[0], c.shape[-1]
    # The three logistic gates lie side by side, (i, f, o, g), and are computed negated: 1 / (1 + e^-x) without a sign change.
    arrange = (0, 1, 3, 2), (-1.0, -1.0, -1.0, 1.0)
    into = _rearranged(w_hh, *arrange).T
    gates = _projected(x, _rearranged(w_ih, *arrange), _rearranged(b_ih + b_hh, *arrange) if biased else None)
    hs, cs = _states(h, count, reverse), _states(c, count, reverse)
    ts = np.empty((count, *c.shape), c.dtype)
    of_h, share, hidden = np.empty_like(gates[0]) if count else None, np.empty_like(c), np.empty_like(c)
    for step, before, after, running in _steps(count, len(c), sizes, reverse):
        part = slice(running)
        gate, new, t = gates[step, part], cs[after, part], ts[step, part]
        gate += np.matmul(hs[before, part], into, out=of_h[part])  # type: ignore[index]
        _logistic(gate[:, : 3 * n])
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
    outputs = _outputs(hs, sizes, reverse), _last(hs, reverse), _last(cs, reverse)
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
    x, w_ih, w_hh, h, c, *more = _wide(x, w_ih, w_hh, h, c, *more)  # type: ignore[assignment]
    w_hr = _split_lstm(tuple(more), biased)[2]
    count, (batch, n) = x.shape[0], c.shape
    dy = None if g[0] is None else np.asarray(g[0])
    dh, dc = _start(g[1], h), _start(g[2], c)
    d = np.empty_like(gates)  # in PyTorch's order (i, f, g, o)
    outs = np.zeros((count, *h.shape), h.dtype) if w_hr is not None else None  # the cotangents of the projected states
    total, hidden = np.empty_like(c), np.empty_like(c)
    for chunk, steps in _chunks(count, gates[0].size, reverse):
        k = np.empty((chunk.stop - chunk.start, batch, n), c.dtype)
        _lstm_factors(gates[chunk], _before(cs, reverse)[chunk], ts[chunk], d[chunk], k)
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
    dx, dw_ih, dw_hh = _weight_gradients(wanted, d, d, x, w_ih, _before(hs, reverse))
    found = [dx, dw_ih, dw_hh, dh, dc]
    if biased:
        found += _bias_gradients(wanted[5:7], d, d)
    if w_hr is not None:
        o_t = gates[..., 2 * n : 3 * n] * ts
        for step, size in enumerate(sizes or ()):
            o_t[step, size:] = 0
        found.append(np.matmul(outs.reshape(-1, outs.shape[-1]).T, o_t.reshape(-1, n)))  # type: ignore[union-attr]
    return found


_lstm = fused(_lstm_composition, _lstm_kernel, _lstm_rule, name="lstm_layer")


# ------------------------------------------------------------------------------------------------ GRU


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

    return _walk(cell, x.shape[0], (h,), sizes, reverse)


def _gru_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array, sizes: Sizes, reverse: bool
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, *biases = _wide(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, m = x.shape[0], h.shape[-1]
    arrange = (0, 1, 2), (-1.0, -1.0, 1.0)  # r and z negated: 1 / (1 + e^-x) without a sign to change
    into = _rearranged(w_hh, *arrange).T
    bias = _rearranged(biases[0], *arrange) if biases else None
    bias_of_h = biases[1][2 * m :] if biases else None
    if bias is not None:
        bias[: 2 * m] -= biases[1][: 2 * m]
    gates = _projected(x, _rearranged(w_ih, *arrange), bias)
    hs = _states(h, count, reverse)
    qs = np.empty((count, *h.shape), h.dtype)  # w_hh h + b_hh for n
    of_h, share = np.empty_like(gates[0]) if count else None, np.empty_like(h)
    for step, before, after, running in _steps(count, len(h), sizes, reverse):
        part = slice(running)
        gate, old, new, q = gates[step, part], hs[before, part], hs[after, part], qs[step, part]
        product = np.matmul(old, into, out=of_h[part])  # type: ignore[index]
        both = gate[:, : 2 * m]
        both += product[:, : 2 * m]
        _logistic(both)
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
    outputs = _outputs(hs, sizes, reverse), _last(hs, reverse)
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
    x, w_ih, w_hh, h, *biases = _wide(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, (batch, m) = x.shape[0], h.shape
    dy = None if g[0] is None else np.asarray(g[0])
    dh = _start(g[1], h)
    d = np.empty((count, batch, 4 * m), h.dtype)  # (q, r, z, n): what goes to h is (q, r, z), what goes to x (r, z, n)
    turned = np.roll(w_hh, m, axis=0)  # its rows in the order (n, r, z)
    old = np.empty_like(h)
    for chunk, steps in _chunks(count, gates[0].size, reverse):
        _gru_factors(gates[chunk], _before(hs, reverse)[chunk], qs[chunk], d[chunk])
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
    dx, dw_ih, dw_hh = _weight_gradients(wanted, of_x, of_h, x, w_ih, _before(hs, reverse))
    found = [dx, dw_ih, None if dw_hh is None else np.roll(dw_hh, -m, axis=0), dh]
    if biases:
        db_ih, db_hh = _bias_gradients(wanted[4:6], of_x, of_h)
        found += [db_ih, None if db_hh is None else np.roll(db_hh, -m)]
    return found


_gru = fused(_gru_composition, _gru_kernel, _gru_rule, name="gru_layer")


# ------------------------------------------------------------------------------------------------ plain


def _rnn_composition(
    x: Any, w_ih: Any, w_hh: Any, h: Any, *biases: Any, sizes: Sizes, reverse: bool, relu: bool
) -> tuple[Any, ...]:
    """h = tanh(w_ih x_t + b_ih + w_hh h + b_hh), or max(..., 0), step by step."""
    b_ih, b_hh = biases or (None, None)
    of_x = linear(x, w_ih, b_ih)

    def cell(step: int, running: int, h: Any) -> tuple[Any]:
        total = of_x[step, :running] + linear(h, w_hh, b_hh)
        return (rectified(total) if relu else tanh(total),)

    return _walk(cell, x.shape[0], (h,), sizes, reverse)


def _rnn_kernel(
    x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array, sizes: Sizes, reverse: bool, relu: bool
) -> tuple[tuple[Array, ...], Array]:
    dtype = np.result_type(x, w_ih, h)
    x, w_ih, w_hh, h, *biases = _wide(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    sums = _projected(x, w_ih, biases[0] + biases[1] if biases else None)
    hs = _states(h, len(x), reverse)
    for step, before, after, running in _steps(len(x), len(h), sizes, reverse):
        part = slice(running)
        new = np.matmul(hs[before, part], w_hh.T, out=hs[after, part])
        new += sums[step, part]
        if relu:
            np.maximum(new, 0.0, out=new)
        else:
            np.tanh(new, out=new)
        if running < len(h):
            hs[after, running:] = hs[before, running:]
    outputs = _outputs(hs, sizes, reverse), _last(hs, reverse)
    return tuple(y.astype(dtype, copy=False) for y in outputs), hs


def _rnn_rule(
    g: tuple[Any, ...], wanted: tuple[bool, ...], _y: Any, x: Array, w_ih: Array, w_hh: Array, h: Array, *biases: Array,
    residuals: Array, sizes: Sizes, reverse: bool, relu: bool,
) -> list[Any]:  # fmt: skip
    hs = residuals
    x, w_ih, w_hh, h, *biases = _wide(x, w_ih, w_hh, h, *biases)  # type: ignore[assignment]
    count, batch = len(x), len(h)
    dy = None if g[0] is None else np.asarray(g[0])
    dh = _start(g[1], h)
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
    dx, dw_ih, dw_hh = _weight_gradients(wanted, d, d, x, w_ih, _before(hs, reverse))
    return [dx, dw_ih, dw_hh, dh, *(_bias_gradients(wanted[4:6], d, d) if biases else ())]


_rnn = fused(_rnn_composition, _rnn_kernel, _rnn_rule, name="rnn_layer")


# ------------------------------------------------------------------------------------------------ what users call


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
    found: tuple[Any, Any, Any] = _lstm(
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
    found: tuple[Any, Any] = _gru(_running_only(x, sizes), w_ih, w_hh, h, *biases, sizes=sizes, reverse=bool(reverse))
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
    found: tuple[Any, Any] = _rnn(
        _running_only(x, sizes), w_ih, w_hh, h, *biases, sizes=sizes, reverse=bool(reverse), relu=nonlinearity == "relu"
    )
    return found
