"""Flat arrays: the one place that knows how parameters of any number, shape and size reach an update rule.

An optimizer's rule is written once, for a few 1-d arrays of equal length: the parameter p, its gradient g, and its buffers.
Which arrays those are is decided here.

- **Small parameters** of one group are packed: their buffers lie behind one another in flat arrays, and their gradients are
  copied into one before the rule runs. The step that it returns is subtracted from each parameter where it is; only for a rule
  that needs the values of p are these copied too, in and back. All that costs far less than a ufunc call for each parameter and
  operation (``python -m benchmarks.choices``). Parameters keep memory of their own, so whoever holds a view of one
  (``numpy()``, a state dict, a tied layer) goes on seeing it change, and a write to one is not taken for a write to all.
- **Larger parameters** are worked on where they are, in blocks that fit the cache, with scratch memory of one block: nothing is
  copied and nothing is allocated. Two threads share very large ones (:mod:`autograd.threads`).
- **float16** is updated in float32, and its buffers stay in float32.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import setitem
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, threads

Array = NDArray[Any]
Rule = Callable[..., Any]  # rule(p, g, scratch, *buffers): returns the step to subtract from p; None if it has changed p itself

SMALL = 1 << 14  # values up to which a parameter is packed: to copy the gradient of a larger one costs more than its own calls
BLOCK = 1 << 17  # values that are worked on at a time: the four or five arrays of a step in float32 are about 2 MB
LEAST_BLOCK = 1 << 15  # of few parameters a block is an eighth, so that scratch memory is little beside them, and at least this
SHARED_BLOCK = 3 << 15  # where two threads share a parameter: less waits for the other's Python, more leaves the cache
LINE = 64  # bytes of a cache line

run_through = deque[Any](maxlen=0).extend  # run_through(map(f, ...)): a loop without Python between two calls of NumPy
put: Callable[..., None] = setitem  # put(a, ..., b): a[...] = b


def aligned(size: int, dtype: np.dtype[Any]) -> Array:
    """Uninitialized memory that begins at a cache line.

    NumPy aligns arrays to 16 bytes, and then many of the vectors that a ufunc loads and stores lie in two lines: a sum takes up
    to half as long again (``python -m benchmarks.choices``).
    """
    memory = np.empty(size + LINE // dtype.itemsize, dtype)
    start = -memory.__array_interface__["data"][0] % LINE // dtype.itemsize
    return memory[start : start + size]


class Workspace:
    """Scratch memory, made once and used by every step."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[Any, ...], list[Array]] = {}

    def arrays(self, count: int, size: int, dtype: np.dtype[Any], thread: int = 0) -> list[Array]:
        """So many arrays of this size; the same memory again as long as it is enough."""
        key = (count, dtype, thread)
        if key not in self._arrays or len(self._arrays[key][0]) < size:
            self._arrays[key] = [aligned(size, dtype) for _ in range(count)]
        return self._arrays[key]


class Pack:
    """Parameters of one group that are at the same step, and so are updated together.

    Args:
        params: the parameters: one, or several that have at most a block of values together.
        states: what is remembered of each: arrays by name (buffers) and numbers by name (scalars, the same for all).
        work: scratch memory.
        block: values to work on at a time.
        whole: give the rule the one parameter in its own shape and undivided.

    Attributes:
        scalars: numbers by name, such as the step count.
        buffers: arrays by name.
        fresh: the names of the buffers that were made for this step.
        grads: the gradients of this step, as arrays.
        rule: the rule of this step.
        reads: whether it needs the values of p.
        ordered: the buffers that it is given.
    """

    __slots__ = (
        "arrays",
        "block",
        "buffers",
        "constant",
        "direct",
        "dtype",
        "fresh",
        "g",
        "g_pieces",
        "grads",
        "numbers",
        "numel",
        "ordered",
        "p",
        "p_pieces",
        "params",
        "reads",
        "rule",
        "scalars",
        "scratch",
        "shapes",
        "slots",
        "step_pieces",
        "whole",
        "work",
    )
    rule: Rule

    def __init__(
        self, params: Sequence[Tensor], states: Sequence[dict[str, Any]], work: Workspace, block: int, whole: bool
    ) -> None:
        self.params = params
        self.arrays: list[Array] = [p._data for p in params]
        self.shapes = [a.shape for a in self.arrays]
        self.dtype = working_dtype(self.arrays[0].dtype)
        self.numel = sum(a.size for a in self.arrays)
        self.work, self.block, self.whole = work, block, whole
        self.reads = True
        first = states[0]
        self.scalars = {name: value for name, value in first.items() if not isinstance(value, np.ndarray)}
        self.buffers: dict[str, Array] = {
            name: self._joined([state[name] for state in states])
            for name, value in first.items()
            if isinstance(value, np.ndarray)
        }
        self.ordered: list[Array] = []
        self.fresh: tuple[str, ...] = ()
        self.grads: list[Array] = []
        self.constant: tuple[float, ...] = ()
        self.slots: list[Array] = []
        # one parameter in a form the rule can work on as it is
        self.direct = len(params) == 1 and self.arrays[0].flags.c_contiguous and self.arrays[0].dtype == self.dtype
        if self.direct:
            self.p = self.arrays[0].reshape(-1)
        if self.numel <= block and not whole:
            p, self.g, *scratch = (a[: self.numel] for a in work.arrays(4, block, self.dtype))
            self.scratch = tuple(scratch)
            if not self.direct:
                self.p = p
                self.p_pieces, self.g_pieces = self._cut(p), self._cut(self.g)
                self.step_pieces = {id(a): self._cut(a) for a in scratch}

    def _bounds(self) -> list[int]:
        """Where one parameter ends in the flat arrays and the next begins."""
        return [int(end) for end in np.cumsum([a.size for a in self.arrays])[:-1]]

    def _cut(self, flat: Array) -> list[Array]:
        """The pieces of a flat array that belong to each parameter, in its shape."""
        return [piece.reshape(shape) for piece, shape in zip(np.split(flat, self._bounds()), self.shapes, strict=True)]

    def _joined(self, values: list[Array]) -> Array:
        if self.whole:
            return np.asarray(values[0], self.dtype, order="C")
        return np.concatenate(values, axis=None, out=aligned(self.numel, self.dtype), casting="same_kind")

    def collect(self) -> bool:
        """Fetches the gradients; False if a parameter has none, or other memory than before."""
        grads = []
        try:
            for p, known, shape in zip(self.params, self.arrays, self.shapes):
                g = p.node.grad._data  # type: ignore[union-attr]
                if p._data is not known or g.shape != shape:
                    return False
                grads.append(g)
        except AttributeError:  # no node, or None for a gradient
            return False
        self.grads = grads
        return True

    def ensure(self, wanted: dict[str, Any]) -> None:
        """Puts the buffers in the order of ``wanted``; a new one is filled with the value given, or is a copy of the array."""
        buffers = self.buffers
        self.fresh = ()
        for name, start in wanted.items():
            if name not in buffers:
                self.fresh += (name,)
                if isinstance(start, np.ndarray):
                    buffers[name] = start.astype(self.dtype)
                else:
                    buffers[name] = aligned(self.numel, self.dtype)
                    buffers[name].fill(start)
                    if self.whole:
                        buffers[name] = buffers[name].reshape(self.shapes[0])
        self.ordered = [buffers[name] for name in wanted]

    def forget(self) -> None:
        """Drops the buffers that were made for a step that does not take place."""
        for name in self.fresh:
            del self.buffers[name]
        self.fresh = ()

    def constants(self, *values: float) -> list[Array]:
        """Numbers as 0-d arrays of the pack's dtype, which cost a ufunc of a small array half of what a Python float does.

        They are filled anew by each call, of which a rule makes one a step.
        """
        if values != self.constant:
            if len(values) != len(self.constant):
                self.numbers = np.empty(len(values), self.dtype)
                self.slots = [self.numbers[i : i + 1].reshape(()) for i in range(len(values))]
            self.numbers[:] = values
            self.constant = values
        return self.slots

    def states(self) -> list[dict[str, Any]]:
        """What is remembered of each parameter; the arrays are views in the parameter's shape."""
        if self.whole:
            return [{**self.scalars, **self.buffers}]
        cut = {name: self._cut(flat) for name, flat in self.buffers.items()}
        return [{**self.scalars, **{name: pieces[i] for name, pieces in cut.items()}} for i in range(len(self.params))]

    def update(self) -> None:
        """Lets the rule work on all parameters of the pack."""
        if self.whole:
            self._update_whole()
        elif self.numel > self.block:
            self._update_blocks()
        elif self.direct:
            step = self.rule(self.p, self.grads[0].reshape(-1), self.scratch, *self.ordered)
            if step is not None:
                self.p -= step
        else:
            self._update_packed()

    def _update_packed(self) -> None:
        arrays = self.arrays
        run_through(map(put, self.g_pieces, repeat(...), self.grads))
        if self.reads:
            run_through(map(put, self.p_pieces, repeat(...), arrays))
            step = self.rule(self.p, self.g, self.scratch, *self.ordered)
            if step is not None:
                self.p -= step
            run_through(map(put, arrays, repeat(...), self.p_pieces))
        else:
            step = self.rule(self.p, self.g, self.scratch, *self.ordered)
            pieces = self.step_pieces.get(id(step)) or self._cut(step)
            run_through(map(np.subtract, arrays, pieces, arrays))

    def _update_whole(self) -> None:
        array = self.arrays[0]
        if self.direct:
            self.rule(array, self.grads[0], (), *self.ordered)
        else:
            p = np.array(array, self.dtype, order="C")
            self.rule(p, self.grads[0].astype(self.dtype), (), *self.ordered)
            array[...] = p

    def _update_blocks(self) -> None:
        array, g = self.arrays[0], self.grads[0].reshape(-1)
        p = self.p if self.direct else np.array(array, self.dtype, order="C").reshape(-1)
        if g.dtype != self.dtype:
            g = g.astype(self.dtype)
        flat = (p, g, *self.ordered)
        width = LINE // self.dtype.itemsize
        lines = -(-self.numel // width)
        # equal blocks: a small one at the end would cost as many calls as the others
        block = SHARED_BLOCK if self.numel >= threads.LEAST else -(-lines // -(-self.numel // self.block)) * width
        scratch = [self.work.arrays(2, block, self.dtype, half) for half in (0, 1)]

        def work(rows: slice) -> None:  # all lines, or those of a thread
            part = slice(rows.start * width, rows.stop * width)
            _in_blocks(self.rule, [a[part] for a in flat], scratch[rows.start > 0], block)

        threads.each(work, lines, width, block=lines * width)
        if not self.direct:
            array[...] = p.reshape(array.shape)


def _in_blocks(rule: Rule, flat: Sequence[Array], scratch: Sequence[Array], block: int) -> None:
    """Applies the rule to a block after the other."""
    size = len(flat[0])
    scratch = [a[:block] for a in scratch]
    for low in range(0, size, block):
        if low + block > size:
            scratch = [a[: size - low] for a in scratch]
        part = slice(low, low + block)
        p, g, *buffers = [a[part] for a in flat]
        step = rule(p, g, scratch, *buffers)
        if step is not None:
            p -= step


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a parameter is updated: its own, or float32 for float16."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def packed(params: Sequence[Tensor], states: Sequence[dict[str, Any]], work: Workspace, whole: bool) -> list[Pack]:
    """Parameters sorted into packs: same dtype, same scalars and buffers, at most a block of values together."""
    block = min(BLOCK, max(LEAST_BLOCK, sum(p._data.size for p in params) // 8))
    filling: dict[Any, tuple[list[Tensor], list[dict[str, Any]]]] = {}
    filled: dict[Any, int] = {}
    packs = []

    def close(key: Any) -> None:
        packs.append(Pack(*filling.pop(key), work, block, whole))
        del filled[key]

    for index, (p, state) in enumerate(zip(params, states, strict=True)):
        numbers = tuple((name, None if isinstance(value, np.ndarray) else value) for name, value in sorted(state.items()))
        key: Any = (p.dtype, numbers)
        if whole or p._data.size > min(SMALL, block):
            key = index
        elif filled.get(key, 0) + p._data.size > block:
            close(key)
        filled[key] = filled.get(key, 0) + p._data.size
        members, remembered = filling.setdefault(key, ([], []))
        members.append(p)
        remembered.append(state)
    for key in list(filling):
        close(key)
    return packs
