"""Tensor methods: assignment to an index, and operators that store their result in the tensor's own memory.

While operations are recorded, such an assignment is one more op of the graph: the tensor takes the place of its result. A
gradient that needs the overwritten values raises at ``backward()``; so do older views of the memory when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import versions
from autograd.accumulate import only_view
from autograd.graph import wrap
from autograd.mode import get_mode
from autograd.ops import elementwise, indexing, linalg


class AssignmentMethods:
    """Tensor methods: assignment and in-place operators."""

    __slots__ = ()

    _data: Any
    _requires_grad: Any
    node: Any
    shape: Any
    is_leaf: Any

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(elementwise.add, other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(elementwise.subtract, other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(elementwise.multiply, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(elementwise.divide, other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._in_place(elementwise.floor_divide, other)

    def __imod__(self, other: Any) -> Any:
        return self._in_place(elementwise.remainder, other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(elementwise.power, other)

    def __imatmul__(self, other: Any) -> Any:
        return self._in_place(linalg.matmul, other)

    def __setitem__(self, index: Any, value: Any) -> None:
        recorded = get_mode().recording and (self._requires_grad or _requires_grad(value))
        self._check_in_place("setitem", recorded)
        result = indexing.set_in_place(self, index, value)
        versions.stamp(self._data)
        if recorded:
            self._rebind(result)

    def _in_place(self, function: Callable[..., Any], *others: Any, **options: Any) -> Any:
        """``self <- function(self, *others, **options)`` in this tensor's own memory."""
        given = (self, *others, *options.values())
        recorded = get_mode().recording and any(_requires_grad(each) for each in given)
        name = function.__name__
        self._check_in_place(name, recorded)
        # the op may save its argument, which is about to be overwritten: it gets a copy
        before = wrap(self._data.copy() if recorded else self._data, self.node)
        result = function(before, *others, **options)
        if result.shape != self.shape:
            raise ValueError(f"{name}: expected a result of shape {self.shape} to store in place, got {result.shape}")
        np.copyto(self._data, result._data, casting="same_kind")
        versions.stamp(self._data)
        if recorded:
            self._rebind(result)
        return self

    def _check_in_place(self, name: str, recorded: bool) -> None:
        if not self._data.flags.writeable:
            raise ValueError(f"{name}: expected writable memory for an in-place operation, got a read-only array; clone() it")
        if not recorded:
            return
        if self.is_leaf and self._requires_grad:
            raise RuntimeError(
                f"{name}: a leaf that requires grad cannot be changed in place while operations are recorded; "
                "use `with no_grad():` to update it, or an out-of-place operation"
            )
        if self._data.base is not None and self.node is not None and _views_shared_memory(self):
            raise RuntimeError(
                f"{name}: in-place operations on a view (made by {self.node.op}) are not recorded; "
                "assign to an index of the tensor that it views, or clone() it first"
            )

    def _rebind(self, result: Any) -> None:
        """Takes the place of a recorded result, after the memory of this tensor was overwritten with it."""
        versions.mark_rewritten(self._data)
        self.node = result.node
        self._requires_grad = result._requires_grad
        self.node.seq = versions.tick()

    def zero_(self) -> Any:
        """Sets every element to 0, in place."""
        self[...] = 0
        return self

    def fill_(self, value: Any) -> Any:
        """Sets every element to a number, in place."""
        self[...] = value
        return self

    def copy_(self, source: Any) -> Any:
        """Copies the values of another tensor or array of a shape that broadcasts to this one, in place."""
        self[...] = source
        return self


def _views_shared_memory(tensor: Any) -> bool:
    """True for the result of a view op whose memory someone else can still see."""
    node = tensor.node
    primitive = None if node is None else node.pullback.primitive
    if primitive is None or not primitive.view:
        return False
    return not only_view(tensor._data)


def _requires_grad(value: Any) -> bool:
    return bool(getattr(value, "_requires_grad", False))
