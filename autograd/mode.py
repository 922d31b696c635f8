"""The recording switch: whether operations are recorded, and in which module they happen.

The state is one immutable :class:`Mode` in a ``ContextVar``, so it is isolated between threads and asyncio tasks, and the
hot path of every op reads all of it with a single ``get``. (Free-threaded Python 3.14 lets a new thread inherit the context
of its creator: a thread that is started inside ``no_grad()`` starts with recording off there.)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Tracer(Protocol):
    """What is told of every node made and every cotangent computed, while it is installed (anomaly mode, a profiler).

    In a backward pass, a node's rules run between ``entered`` and ``left``; ``pulled`` tells of each cotangent that they gave.
    """

    def created(self, node: Any, operands: Any, output: Any) -> None: ...

    def entered(self, node: Any, cotangent: Any) -> None: ...

    def pulled(self, node: Any, index: int, cotangent: Any) -> None: ...

    def left(self, node: Any) -> None: ...


class Scope:
    """Where in the program an op was made: a chain from the innermost module call outwards.

    Attributes:
        name: the name of the module in its parent, or ``"backward"``.
        owner: the module itself (or None); only its type and repr are read, for pictures and messages.
        parent: the enclosing scope, or None.
        in_backward: True for ops recorded while a gradient was computed with ``create_graph=True``.
    """

    __slots__ = ("_name", "in_backward", "owner", "parent")

    def __init__(
        self,
        name: str | Callable[[Any, Scope | None], str],
        owner: Any = None,
        parent: Scope | None = None,
        in_backward: bool = False,
    ) -> None:
        self._name = name  # or a function that finds it from owner and parent: few scopes are ever asked for theirs
        self.owner = owner
        self.parent = parent
        self.in_backward: bool = in_backward or (parent is not None and parent.in_backward)

    @property
    def name(self) -> str:
        if not isinstance(self._name, str):
            self._name = self._name(self.owner, self.parent)
        return self._name

    def path(self) -> tuple[str, ...]:
        """The names from the outermost scope to this one."""
        names = []
        scope: Scope | None = self
        while scope is not None:
            names.append(scope.name)
            scope = scope.parent
        return tuple(reversed(names))


class Mode:
    """One immutable state of the switch; ``outer`` is the state to return to."""

    __slots__ = ("outer", "recording", "scope", "tracer")

    def __init__(
        self, recording: bool, scope: Scope | None = None, tracer: Tracer | None = None, outer: Mode | None = None
    ) -> None:
        self.recording = recording
        self.scope = scope
        self.tracer = tracer
        self.outer = outer


_mode: ContextVar[Mode] = ContextVar("autograd_mode", default=Mode(True))
get_mode = _mode.get
set_mode = _mode.set


def without(mode: Mode, tracer: Tracer | None) -> Mode:
    """What a mode becomes when the block of a tracer ends: blocks that were entered later and are still on stay in it."""
    layers = [mode]
    while layers[-1].outer is not None:
        layers.append(layers[-1].outer)
    own = [index for index, layer in enumerate(layers) if layer.tracer is tracer]
    if not own or tracer is None:  # another block that ended too early took it away, and left its own
        return mode.outer or Mode(True)
    left = around = layers[own[-1]].outer or Mode(True)
    for layer in layers[: own[-1]][::-1]:
        left = Mode(layer.recording, layer.scope, around.tracer if layer.tracer is tracer else layer.tracer, left)
    return left


def is_grad_enabled() -> bool:
    """True where operations on tensors that require gradients are recorded."""
    return get_mode().recording


class _Switch:
    """A context manager and decorator that sets ``recording``; it holds no other state, so it may be entered twice."""

    __slots__ = ("recording",)

    def __init__(self, recording: bool) -> None:
        self.recording = recording

    def __enter__(self) -> None:
        mode = get_mode()
        set_mode(Mode(self.recording, mode.scope, mode.tracer, mode))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        set_mode(get_mode().outer or Mode(True))

    def __call__(self, function: F) -> F:
        """Decorates a function, coroutine function or generator function: its body runs in this mode, its caller does not."""
        return decorated(self, function)


def decorated(switch: AbstractContextManager[None], function: F) -> F:
    """The function (also a coroutine or generator function) whose body, not its caller, runs in a mode."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            with switch:
                running = function(*args, **kwargs)
            send: Callable[[], Any] = lambda: next(running)
            while True:
                try:
                    with switch:
                        value = send()
                except StopIteration as stop:
                    return stop.value
                try:
                    received = yield value
                    send = functools.partial(running.send, received)
                except GeneratorExit:
                    with switch:
                        running.close()
                    raise
                except BaseException as error:
                    send = functools.partial(running.throw, error)

        return generator  # type: ignore[return-value]
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with switch:
                return await function(*args, **kwargs)

        return coroutine  # type: ignore[return-value]

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with switch:
            return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


class no_grad(_Switch):
    """Context manager and decorator in which nothing is recorded: results have no graph and cost no memory.

    A ``with no_grad()`` that is suspended inside a generator keeps the mode of the code that resumes it, until the ``with``
    ends; decorate the generator function instead: then only its body runs in the mode.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
        >>> with ag.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    __slots__ = ()

    def __new__(cls, function: F | None = None) -> Any:
        return super().__new__(cls) if function is None else decorated(_Switch(False), function)  # @no_grad, bare

    def __init__(self) -> None:
        super().__init__(False)


inference_mode = no_grad  # PyTorch's has more to it: it also stops counting versions


class enable_grad(_Switch):
    """Context manager and decorator in which operations are recorded, also inside ``no_grad``."""

    __slots__ = ()

    def __new__(cls, function: F | None = None) -> Any:
        return super().__new__(cls) if function is None else decorated(_Switch(True), function)

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled:
    """Turns recording on or off at once; as a context manager the former mode comes back at the end.

    Args:
        mode: True to record.
    """

    __slots__ = ("_before", "_recording")

    def __init__(self, mode: bool) -> None:
        self._recording = bool(mode)
        self._before = get_mode()
        before = self._before
        set_mode(Mode(self._recording, before.scope, before.tracer, before.outer))

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        set_mode(self._before)

    def __call__(self, function: F) -> F:
        set_mode(self._before)  # a decoration changes the decorated function only
        return decorated(_Switch(self._recording), function)
