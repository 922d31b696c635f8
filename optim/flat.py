"""Flat arrays: the one place that knows how parameters of any number, shape and size reach an update rule.

An optimizer's rule is written once, for a few 1-d arrays of equal length: the parameter p, its gradient g, and its buffers.
Which arrays those are is decided here.

- **Small parameters** of one group are packed: their buffers lie behind one another in flat arrays, and p and g are copied into
  flat arrays before the rule runs, and p is copied back after it. The copies cost far less than a ufunc call for each parameter
  and operation (``python -m benchmarks.choices``). Parameters keep memory of their own, so whoever holds a view of one
  (``numpy()``, a state dict, a tied layer) goes on seeing it change, and a write to one is not taken for a write to all.
- **Large parameters** are worked on where they are, in blocks that fit a core's cache, with scratch memory of one block:
  nothing is copied and nothing is allocated. Two threads share the blocks of very large ones (:mod:`autograd.threads`).
- **float16** is updated in float32, and its buffers stay in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, threads

Array = NDArray[Any]
Rule = Callable[..., None]  # rule(p, g, scratch, *buffers), in place

BLOCK = 1 << 16  # values: the four or five arrays of a step in float32 stay within about 1 MB


class Workspace:
    """Memory for one block of p, of g and of scratch values, for each thread and dtype; made once, used by every step."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, np.dtype[Any]], list[Array]] = {}

    def arrays(self, dtype: np.dtype[Any], thread: int = 0) -> list[Array]:
        """One array for a block of p and one of g, one behind the other, and two of a block for scratch."""
        key = (thread, dtype)
        if key not in self._arrays:
            self._arrays[key] = [np.empty(size, dtype) for size in (2 * BLOCK, BLOCK, BLOCK)]
        return self._arrays[key]


class Pack:
    """Parameters of one group that are at the same step, and so are updated together.

    Args:
        params: the parameters: one, or several that have at most a block of values together.
        states: what is remembered of each: arrays by name (buffers) and numbers by name (scalars, the same for all).
        work: scratch memory.
        whole: give the rule the one parameter in its own shape and undivided.

    Attributes:
        scalars: numbers by name, such as the step count.
        buffers: arrays by name.
        fresh: the names of the buffers that were made for this step.
        grads: the gradients of this step, as arrays.
    """

    __slots__ = (
        "arrays",
        "both",
        "buffers",
        "direct",
        "dtype",
        "fresh",
        "g",
        "grads",
        "numel",
        "p",
        "params",
        "parts",
        "scalars",
        "scratch",
        "sources",
        "whole",
        "work",
    )

    def __init__(self, params: Sequence[Tensor], states: Sequence[dict[str, Any]], work: Workspace, whole: bool) -> None:
        self.params = params
        self.arrays: list[Array] = [p._data for p in params]
        self.dtype = working_dtype(self.arrays[0].dtype)
        self.numel = sum(a.size for a in self.arrays)
        self.work, self.whole = work, whole
        first = states[0]
        self.scalars = {name: value for name, value in first.items() if not isinstance(value, np.ndarray)}
        self.buffers: dict[str, Array] = {
            name: self._joined([state[name] for state in states])
            for name, value in first.items()
            if isinstance(value, np.ndarray)
        }
        self.fresh: tuple[str, ...] = ()
        self.grads: list[Array] = []
        self.sources = [a.reshape(-1) if a.flags.c_contiguous else a for a in self.arrays]
        # one parameter in a form the rule can work on as it is
        self.direct = len(params) == 1 and self.arrays[0].flags.c_contiguous and self.arrays[0].dtype == self.dtype
        if self.numel <= BLOCK and not whole:
            both, *scratch = work.arrays(self.dtype)
            self.both = both[: 2 * self.numel]
            self.p, self.g = self.both[: self.numel], self.both[self.numel :]
            self.scratch = tuple(a[: self.numel] for a in scratch)
            self.parts = [part.reshape(a.shape) for part, a in zip(np.split(self.p, self._bounds()), self.arrays, strict=True)]

    def _bounds(self) -> list[int]:
        """Where one parameter ends in the flat arrays and the next begins."""
        return [int(end) for end in np.cumsum([a.size for a in self.arrays])[:-1]]

    def _joined(self, values: list[Array]) -> Array:
        if self.whole:
            return np.asarray(values[0], self.dtype, order="C")
        return np.concatenate(values, axis=None, dtype=self.dtype, casting="same_kind")

    def collect(self) -> bool:
        """Fetches the gradients; False if a parameter has none, or other memory than before."""
        grads = []
        for p, known in zip(self.params, self.arrays, strict=True):
            grad = getattr(p.node, "grad", None)
            if grad is None or p._data is not known or grad._data.shape != known.shape:
                return False
            grads.append(grad._data)
        self.grads = grads
        return True

    def ensure(self, wanted: dict[str, Any]) -> list[Array]:
        """The buffers in the order of ``wanted``; one that is new is filled with the value given, or is a copy of the array."""
        buffers = self.buffers
        self.fresh = ()
        for name, start in wanted.items():
            if name not in buffers:
                self.fresh += (name,)
                if isinstance(start, np.ndarray):
                    buffers[name] = start.astype(self.dtype)
                else:
                    shape = self.arrays[0].shape if self.whole else self.numel
                    buffers[name] = np.full(shape, start, self.dtype)
        return [buffers[name] for name in wanted]

    def states(self) -> list[dict[str, Any]]:
        """What is remembered of each parameter; the arrays are views in the parameter's shape."""
        if self.whole:
            return [{**self.scalars, **self.buffers}]
        bounds = self._bounds()
        split = {name: np.split(flat, bounds) for name, flat in self.buffers.items()}
        return [
            {**self.scalars, **{name: pieces[i].reshape(a.shape) for name, pieces in split.items()}}
            for i, a in enumerate(self.arrays)
        ]

    def update(self, rule: Rule, buffers: Sequence[Array]) -> None:
        """Lets the rule work on all parameters of the pack."""
        if self.whole:
            self._update_whole(rule, buffers)
        elif self.numel > BLOCK:
            self._update_blocks(rule, buffers)
        elif self.direct:
            rule(self.sources[0], self.grads[0].reshape(-1), self.scratch, *buffers)
        else:
            np.concatenate(self.sources + self.grads, axis=None, out=self.both)
            rule(self.p, self.g, self.scratch, *buffers)
            for array, part in zip(self.arrays, self.parts, strict=True):
                array[...] = part

    def _update_whole(self, rule: Rule, buffers: Sequence[Array]) -> None:
        array = self.arrays[0]
        if self.direct:
            rule(array, self.grads[0], (), *buffers)
        else:
            p = np.array(array, self.dtype, order="C")
            rule(p, self.grads[0].astype(self.dtype), (), *buffers)
            array[...] = p

    def _update_blocks(self, rule: Rule, buffers: Sequence[Array]) -> None:
        array, g = self.arrays[0], self.grads[0].reshape(-1)
        p = self.sources[0] if self.direct else np.array(array, self.dtype, order="C").reshape(-1)
        if g.dtype != self.dtype:
            g = g.astype(self.dtype)
        flat = (p, g, *buffers)
        scratch = [self.work.arrays(self.dtype, half)[1:] for half in (0, 1)]

        def work(rows: slice) -> None:  # all rows, or those of a thread
            _in_blocks(rule, [a[rows] for a in flat], scratch[rows.start > 0])

        threads.each(work, self.numel, block=self.numel)
        if not self.direct:
            array[...] = p.reshape(array.shape)


def _in_blocks(rule: Rule, flat: Sequence[Array], scratch: Sequence[Array]) -> None:
    """Applies the rule to a block after the other."""
    for low in range(0, len(flat[0]), BLOCK):
        p, g, *buffers = (a[low : low + BLOCK] for a in flat)
        rule(p, g, tuple(a[: len(p)] for a in scratch), *buffers)


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a parameter is updated: its own, or float32 for float16."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def packed(params: Sequence[Tensor], states: Sequence[dict[str, Any]], work: Workspace, whole: bool) -> list[Pack]:
    """Parameters sorted into packs: same dtype, same scalars and buffers, at most a block of values."""
    filling: dict[Any, tuple[list[Tensor], list[dict[str, Any]]]] = {}
    filled: dict[Any, int] = {}
    packs = []

    def close(key: Any) -> None:
        packs.append(Pack(*filling.pop(key), work, whole))
        del filled[key]

    for index, (p, state) in enumerate(zip(params, states, strict=True)):
        numbers = tuple((name, None if isinstance(value, np.ndarray) else value) for name, value in sorted(state.items()))
        key: Any = (p.dtype, numbers)
        if whole or p._data.size > BLOCK:
            key = index
        elif filled.get(key, 0) + p._data.size > BLOCK:
            close(key)
        filled[key] = filled.get(key, 0) + p._data.size
        members, remembered = filling.setdefault(key, ([], []))
        members.append(p)
        remembered.append(state)
    for key in list(filling):
        close(key)
    return packs
