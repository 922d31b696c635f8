"""What the values of a graph look like: noted while it is made, or read from what it still holds."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd import versions
from autograd.anomaly import user_line
from autograd.graph import ALIAS, CONSTANT, FREED, ITEM, LEAF, SEVERAL, Node
from autograd.mode import Mode, Tracer, decorated, get_mode, set_mode, without

F = TypeVar("F", bound=Callable[..., Any])

_FEW = 4  # up to so many elements are written out


class Statistics(NamedTuple):
    """What a picture says of an array.

    Attributes:
        values: all elements, when they are few.
        least, greatest, mean, deviation: of the finite elements; nan when there is none.
        zeros: the share of elements that are 0.
        fault: "nan", "inf" or "".
    """

    values: tuple[float, ...]
    least: float
    greatest: float
    mean: float
    deviation: float
    zeros: float
    fault: str


def statistics(array: Any) -> Statistics:
    """The statistics of an array of numbers."""
    few = tuple(float(value) for value in array.ravel()) if array.size <= _FEW else ()
    fault = ""
    finite = np.asarray(array, np.float64)
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        fault = "nan" if np.any(np.isnan(array)) else "inf"
        finite = finite[np.isfinite(finite)]
    if not finite.size:
        return Statistics(few, np.nan, np.nan, np.nan, np.nan, 0.0, fault)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(finite.std())
    zeros = 1.0 - int(np.count_nonzero(array)) / array.size
    return Statistics(few, float(finite.min()), float(finite.max()), float(finite.mean()), spread, zeros, fault)


recorded: weakref.WeakKeyDictionary[Node, Statistics] = weakref.WeakKeyDictionary()


class record_statistics:
    """Inside, each op remembers the statistics of its value and the line that made it, for ``draw(..., show="stats")``.

    A graph does not keep the values that no derivative reads: this is how to see them all, and the op where a NaN first arose.
    It costs a pass over every value and some microseconds an op. A tracer around it (anomaly mode, a profiler) goes on.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor([1.0, -1.0], requires_grad=True)
        >>> with ag.record_statistics():
        ...     y = ag.sum(x * 2)
        >>> print(ag.draw(y, params={"x": x}, show="value"))  # doctest: +ELLIPSIS
        output = 0 ...
        %1 multiply(x f32[2], ×2)                      f32[2]  = [2, -2]
        %2 sum(%1)                                     f32[]  = 0
    """

    __slots__ = ("_outer",)

    def __init__(self) -> None:
        self._outer: list[Tracer | None] = []

    def __enter__(self) -> None:
        mode = get_mode()
        self._outer.append(mode.tracer)
        versions.duties.add(("tracer", id(self)))
        set_mode(Mode(mode.recording, mode.scope, self, mode))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._outer.pop()
        if self._outer:
            set_mode(get_mode().outer or Mode(True))
        else:
            versions.duties.discard(("tracer", id(self)))
            set_mode(without(get_mode(), self))

    def __call__(self, function: F) -> F:
        """Decorates a function: the ops in its body are noted."""
        return decorated(self, function)

    def _around(self) -> Tracer | None:
        """The tracer whose place it takes; none after the block, which a copy of the context may outlive."""
        outer = self._outer[-1] if self._outer else None
        return None if outer is self else outer

    def created(self, node: Node, operands: Sequence[Any], output: Any) -> None:
        """Told by the engine of each op that was recorded."""
        node.trace = user_line()
        if not isinstance(output, tuple):
            recorded[node] = statistics(output)
        for operand in operands:
            source = getattr(operand, "node", None)
            if source is not None and source.is_leaf:
                recorded[source] = statistics(operand._data)
        outer = self._around()
        if outer is not None:
            outer.created(node, operands, output)

    def entered(self, node: Node, cotangent: Any) -> None:
        """Told by the engine before a node's rules run."""
        outer = self._around()
        if outer is not None:
            outer.entered(node, cotangent)

    def pulled(self, node: Node, index: int, cotangent: Any) -> None:
        """Told by the engine of each cotangent."""
        outer = self._around()
        if outer is not None:
            outer.pulled(node, index, cotangent)

    def left(self, node: Node) -> None:
        """Told by the engine when a node's rules have run."""
        outer = self._around()
        if outer is not None:
            outer.left(node)


def value_statistics(nodes: Sequence[Node], outputs: Mapping[Node, Any], most: int | None = None) -> dict[Node, Statistics]:
    """The statistics of every value that is known: recorded, an output, a leaf, or still kept for the backward pass.

    Args:
        nodes: of the graph.
        outputs: the arrays of its outputs.
        most: arrays with more elements are not looked at.
    """
    found = {node: recorded[node] for node in nodes if node in recorded}
    arrays = {node: array for node, array in outputs.items() if node not in found}
    for node in nodes:
        reference = getattr(node, "tensor", None) if node.pullback is LEAF else None
        tensor = None if reference is None else reference()
        if tensor is not None:  # what it is now, not what it was when it was recorded
            arrays.setdefault(node, tensor._data)
            found.pop(node, None)
        if node.saved is FREED or not isinstance(node.saved, tuple) or node.pullback in (ITEM, ALIAS, LEAF, CONSTANT):
            continue
        for owner, array in zip((node, *node.parents), node.saved, strict=False):
            if isinstance(array, np.ndarray) and type(owner) is Node and owner not in found and owner.dtype != SEVERAL:
                arrays.setdefault(owner, array)
    found.update((node, statistics(array)) for node, array in arrays.items() if most is None or array.size <= most)
    return found


def first_fault(nodes: Sequence[Node], known: Mapping[Node, Statistics]) -> tuple[Node, bool] | None:
    """The oldest node whose value has a NaN, and whether it is sure that none of its arguments has one."""
    for node in nodes:
        if node in known and known[node].fault == "nan":
            arguments = [parent for parent in node.parents if type(parent) is Node]
            return node, all(parent in known for parent in arguments)
    return None
