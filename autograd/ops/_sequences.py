"""What recurrent layers share: steps in time, states, and the products of matrices over all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops.indexing import getitem
from autograd.ops.joining import concatenate, stack

BLOCK = 1 << 18  # elements whose factors are computed at a time, so that they stay in the cache
JOINT = 16  # samples from which on a product for each step takes no longer than one for all steps

Sizes = tuple[int, ...] | None


def widened(*arrays: Array) -> list[Array]:
    """The arrays in one dtype to compute in: float32 for float16."""
    dtype = np.result_type(*arrays)
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    return [array.astype(dtype, copy=False) for array in arrays]


def in_time(count: int, batch: int, sizes: Sizes, reverse: bool) -> Iterator[tuple[int, int, int, int]]:
    """For each step in the order of time: its number, the places of the states before and after it, and who is running."""
    for step in reversed(range(count)) if reverse else range(count):
        before, after = (step + 1, step) if reverse else (step, step + 1)
        yield step, before, after, batch if sizes is None else sizes[step]


def room_for_states(first: Array, count: int, reverse: bool) -> Array:
    """Room for the states before, between and after the steps, (T + 1, N, H), with the first one filled in."""
    states = np.empty((count + 1, *first.shape), first.dtype)
    states[count if reverse else 0] = first
    return states


def outputs_of(states: Array, sizes: Sizes, reverse: bool) -> Array:
    """The output (T, N, H): the states after the steps, and 0 for samples that have ended."""
    y = (states[:-1] if reverse else states[1:]).copy()
    for step, size in enumerate(sizes or ()):
        y[step, size:] = 0
    return y


def states_before(states: Array, reverse: bool) -> Array:
    """The states that the steps started from, in the order of the steps."""
    return states[1:] if reverse else states[:-1]


def states_after(states: Array, reverse: bool) -> Array:
    """The states that the steps led to, in the order of the steps."""
    return states[:-1] if reverse else states[1:]


def at_steps(sizes: Sizes, *arrays: Array) -> list[tuple[Array, ...]]:
    """For each step what belongs to the samples that are running: (..., n) from each of the arrays (T, ..., N)."""
    if sizes is None:
        return list(zip(*arrays, strict=True))
    return [tuple(part[..., :size] for part in parts) for size, *parts in zip(sizes, *arrays, strict=True)]


def last_state(states: Array, reverse: bool) -> Array:
    """A copy of the state after the last step."""
    return np.array(states[0 if reverse else -1])


def rearranged(weights: Sequence[Array], places: Sequence[int], signs: Sequence[float]) -> Array:
    """Weights (G H, ...) of the same rows side by side, the blocks of gates in another order, some of them negated."""
    rows, widths = len(weights[0]), [weight.shape[1] for weight in weights]
    arranged = np.empty((len(places), rows // len(places), sum(widths)), weights[0].dtype)
    for weight, stop in zip(weights, accumulate(widths), strict=True):
        blocks = weight.reshape(len(places), rows // len(places), weight.shape[1])
        for to, place, sign in zip(arranged, places, signs, strict=True):
            np.multiply(blocks[place], sign, out=to[:, stop - weight.shape[1] : stop])
    return arranged.reshape(rows, sum(widths))


def projected(x: Array, weight: Array, bias: Array | None) -> Array:
    """x W^T + b over all steps at once, (T, N, I) -> (T, N, G H)."""
    y: Array = np.matmul(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight))


def projected_features_first(x: Array, weight: Array, bias: Array | None) -> Array:
    """W x + b for each step, (T, N, I) -> (T, G H, N)."""
    if x.shape[1] < JOINT:
        return np.ascontiguousarray(projected(x, weight, bias).transpose(0, 2, 1))
    y: Array = np.matmul(weight, x.transpose(0, 2, 1))
    if bias is not None:
        y += bias[:, None]
    return y


def chunks(count: int, size: int, reverse: bool) -> Iterator[tuple[slice, Iterator[int]]]:
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


def start_of(cotangent: Any, like: Array) -> Array:
    """A cotangent of a final state to add to: a copy, or zeros."""
    return np.zeros_like(like) if cotangent is None else np.array(cotangent, like.dtype)


def weight_gradients(
    wanted: Sequence[bool], of_x: Array, of_h: Array, x: Array, w_ih: Array, before: Array
) -> tuple[Array | None, Array | None, Array | None]:
    """The cotangents of x, W_ih and W_hh from those of the two products, (G H, T N) each: one product of matrices each."""
    dx = np.matmul(of_x.T, w_ih).reshape(x.shape) if wanted[0] else None
    dw_ih = np.matmul(of_x, x.reshape(-1, x.shape[-1])) if wanted[1] else None
    dw_hh = np.matmul(of_h, before.reshape(-1, before.shape[-1])) if wanted[2] else None
    return dx, dw_ih, dw_hh


def bias_gradients(wanted: Sequence[bool], of_x: Array, of_h: Array) -> list[Array | None]:
    """The sums over steps and samples, as products with ones (BLAS is faster than a sum)."""
    ones = np.ones(of_x.shape[1], of_x.dtype)
    of_bias = np.matmul(of_x, ones) if wanted[0] else None
    if of_bias is not None and of_h is of_x:
        return [of_bias, of_bias.copy() if wanted[1] else None]
    return [of_bias, np.matmul(of_h, ones) if wanted[1] else None]


def walk(
    cell: Callable[..., tuple[Any, ...]], count: int, state: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The composition of every layer: ``cell(step, running, *state)`` from step to step; the outputs and the last state."""
    batch = state[0].shape[0]
    outputs: list[Any] = [None] * count
    for step, _, _, running in in_time(count, batch, sizes, reverse):
        if running == batch:
            state = cell(step, running, *state)
            outputs[step] = state[0]
        else:
            new = cell(step, running, *(getitem(s, slice(running)) for s in state))
            outputs[step] = np.pad(new[0], ((0, batch - running), (0, 0)))
            state = tuple(concatenate([n, getitem(s, slice(running, None))]) for n, s in zip(new, state, strict=True))
    return (stack(outputs), *state)
