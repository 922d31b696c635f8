"""Where did the first nan come from? A switch that watches every op, forward and backward."""

from __future__ import annotations

import linecache
import math
import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from autograd import versions
from autograd.graph import SEVERAL, Node
from autograd.mode import Mode, decorated, get_mode, set_mode, without

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# frames in these folders are not the user's: the three packages, and NumPy, which calls back for np.linalg.norm(t)
_INSIDE = (
    *(os.path.join(_ROOT, name, "") for name in ("autograd", "nn", "optim")),
    os.path.join(os.path.dirname(os.path.abspath(np.__file__)), ""),
)


class AnomalyError(RuntimeError):
    """A nan or inf, at the op in which it first arose."""


def user_line() -> str:
    """``file:line`` of the innermost frame outside autograd, nn, optim and NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class _Watcher:
    """The tracer: notes the line of source of each op, and (for anomalies) looks at every value."""

    def __init__(self, check: bool) -> None:
        self.check = check

    def created(self, node: Node, operands: Sequence[Any], output: Any) -> None:
        node.trace = user_line()
        if not self.check or (node.scope is not None and node.scope.in_backward):
            return  # in a recorded backward pass it is the op whose rule is running that is to be named: see pulled
        found = max(map(_fault, output if isinstance(output, tuple) else (output,)), default="")
        if not found:
            return
        given = [_fault(getattr(operand, "_data", operand)) for operand in (*operands, *(node.static or {}).values())]
        if found == "inf" and any(given):
            return  # an infinity handed on, such as the -inf of a mask before a softmax, is no fault
        raise AnomalyError(f"{node.op}: the forward pass gave {found}{_from(given, operands)}; {_origin(node)}")

    def entered(self, node: Node, cotangent: Any) -> None:
        pass

    def left(self, node: Node) -> None:
        pass

    def pulled(self, node: Node, index: int, cotangent: Any) -> None:
        if not self.check:
            return
        values = getattr(cotangent, "values", cotangent)  # of what indexing hands back
        found = _fault(getattr(values, "_data", values))
        if found:
            raise AnomalyError(
                f"{node.op}: the backward pass gave {found} in the gradient of its argument {index}; {_origin(node)}"
            )


def _fault(value: Any) -> str:
    """ "nan" or "inf" when there is one in an array or number, else nothing; sorted, nan is the greater."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else "inf" if math.isinf(value) else ""
    if not isinstance(value, np.ndarray | np.floating) or value.dtype.kind != "f" or np.all(np.isfinite(value)):
        return ""
    return "nan" if np.any(np.isnan(value)) else "inf"


def _from(given: Sequence[str], operands: Sequence[Any]) -> str:
    """What was wrong with the arguments already: a leaf or a constant, since the result of an op would have been met there."""
    parts = []
    for index, (fault, operand) in enumerate(zip(given, operands, strict=False)):
        if fault:
            name = getattr(operand, "name", None)
            parts.append(f"{fault} in its argument {index}" + (f" {name!r}" if name else ""))
    return f" from {' and '.join(parts)}" if parts else " from finite arguments"


def _origin(node: Node) -> str:
    """The shapes of an op, the module that it was made in, and the line of the user that made it."""
    arguments = ", ".join(_shape(parent) for parent in node.parents)
    scope = f" in module {'.'.join(node.scope.path())}" if node.scope is not None else ""
    trace = getattr(node, "trace", None)
    if trace is None:
        return f"{arguments} -> {_shape(node)}{scope}, made outside the mode: run the forward pass in it too to see the line"
    file, _, line = trace.rpartition(":")
    source = linecache.getline(file, int(line)).strip()
    return f"{arguments} -> {_shape(node)}{scope}, made at {trace}" + (f"\n    {source}" if source else "")


def _shape(node: Any) -> str:
    if not isinstance(node, Node):
        return repr(node)
    return f"{node.shape[0]} outputs" if node.dtype == SEVERAL else f"{node.dtype}{list(node.shape)}"


class _Watching:
    """A context manager and decorator that installs a watcher; it holds no state, so that it may be entered twice."""

    __slots__ = ()
    _check = True

    def __enter__(self) -> None:
        mode = get_mode()
        checked = isinstance(mode.tracer, _Watcher) and mode.tracer.check
        watcher = _Watcher(self._check or checked)
        versions.duties.add(("tracer", id(watcher)))
        set_mode(Mode(mode.recording, mode.scope, watcher, mode))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        mode = layer = get_mode()
        while not isinstance(layer.tracer, _Watcher) and layer.outer is not None:  # another block inside has not ended yet
            layer = layer.outer
        versions.duties.discard(("tracer", id(layer.tracer)))
        set_mode(without(mode, layer.tracer))

    def __call__(self, function: F) -> F:
        """Decorates a function: its body is watched."""
        return decorated(self, function)


class detect_anomaly(_Watching):
    """Inside, the first nan or inf raises, naming the op, its shapes and the line of your code that made it.

    In the forward pass that is the op whose recorded result has a nan, or an inf that no argument had; in the backward pass
    the op whose rule gave one. Run both passes inside, or the line is not known. It costs a look at every value: for finding
    a fault, not for training. Context manager and decorator; it holds for the present thread or asyncio task.

    Raises:
        AnomalyError: a RuntimeError.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor([0.0, 1.0], requires_grad=True)
        >>> with ag.detect_anomaly():
        ...     ag.sqrt(x).sum().backward()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        autograd.anomaly.AnomalyError: sqrt: the backward pass gave inf in the gradient of its argument 0; ...
    """

    __slots__ = ()


class record_source(_Watching):
    """Inside, each op remembers the line of code that made it (``tensor.node.trace``); pictures can show it.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor([1.0], requires_grad=True)
        >>> with ag.record_source():
        ...     y = x * 2
        >>> y.node.trace.rpartition(":")[2]  # the line; before it, the file
        '2'
    """

    __slots__ = ()
    _check = False
