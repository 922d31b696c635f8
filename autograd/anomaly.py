"""Where did the first nan come from? A switch that watches every op, forward and backward."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any

import numpy as np

from autograd import versions
from autograd.graph import Node
from autograd.mode import Mode, get_mode, set_mode

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PACKAGES = tuple(os.path.join(_ROOT, name) for name in ("autograd", "nn", "optim"))


class AnomalyError(RuntimeError):
    """A nan or inf, at the op in which it first arose."""


def user_line() -> str:
    """The file and line of the innermost frame outside autograd, nn and optim."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGES):
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class _Watcher:
    """The tracer: notes the line of source of each op, and (for anomalies) looks at every value."""

    def __init__(self, check: bool) -> None:
        self.check = check

    def created(self, node: Node, output: Any) -> None:
        node.trace = user_line()
        if not self.check:
            return
        for array in output if isinstance(output, tuple) else (output,):
            found = _bad(array)
            if found:
                raise AnomalyError(
                    f"{node.op}: the forward pass gave {found} in the output of shape {array.shape}, "
                    f"from {_arguments(node)}; made at {node.trace}"
                )

    def pulled(self, node: Node, index: int, cotangent: Any) -> None:
        if not self.check or cotangent is None:
            return
        values = getattr(cotangent, "values", cotangent)
        found = _bad(getattr(values, "_data", values))
        if found:
            raise AnomalyError(
                f"{node.op}: the backward pass gave {found} in the gradient of argument {index}, "
                f"op of {_arguments(node)}; made at {getattr(node, 'trace', 'an unknown line (made outside the mode)')}"
            )


def _bad(array: Any) -> str:
    values = np.asarray(array)
    if values.dtype.kind != "f" or np.all(np.isfinite(values)):
        return ""
    return "nan" if np.any(np.isnan(values)) else "inf"


def _arguments(node: Node) -> str:
    parts = [f"{parent.dtype}{list(parent.shape)}" if isinstance(parent, Node) else f"{parent:g}" for parent in node.parents]
    return "arguments " + ", ".join(parts)


class _Watching:
    """A context manager that installs a watcher."""

    _check = True

    def __enter__(self) -> None:
        mode = get_mode()
        self._duty = ("tracer", versions.tick())
        versions.duties.add(self._duty)
        set_mode(Mode(mode.recording, mode.scope, _Watcher(self._check), mode))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        versions.duties.discard(self._duty)
        set_mode(get_mode().outer or Mode(True))


class detect_anomaly(_Watching):
    """Inside, the first nan or inf raises, naming the op, its shapes and the line of your code that made it.

    In the forward pass the op that gave it is named; in the backward pass the op whose rule did. It costs a look at every
    value: for finding a fault, not for training.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor([0.0, 1.0], requires_grad=True)
        >>> with ag.detect_anomaly():
        ...     ag.sqrt(x).sum().backward()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        autograd.anomaly.AnomalyError: sqrt: the backward pass gave inf in the gradient of argument 0, ...
    """


class record_source(_Watching):
    """Inside, each op remembers the line of code that made it (``tensor.node.trace``); pictures can show it."""

    _check = False
