"""Where do the time and the memory go? ``profile()`` watches every op of a block of code."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import numpy as np

from autograd import versions
from autograd.declare import unguarded
from autograd.graph import SEVERAL, Array, Node, arrays_in, saved_arrays
from autograd.mode import Mode, Scope, get_mode, set_mode, without
from autograd.primitive import primitives, quiet

_clock = time.perf_counter
Phase = Literal["forward", "backward"]


class Cost:
    """What was spent on an op, a module or a node.

    Attributes:
        calls: how often it ran forward.
        forward: seconds in its kernels, and in recording it.
        backward: seconds in its vjp rules, and in adding up what they gave.
        made: bytes of the arrays that it made, forward and backward; a view makes none.
        saved: bytes of the arrays that it keeps for the backward pass; one that several keep counts at the first.
    """

    __slots__ = ("backward", "calls", "forward", "made", "saved")

    def __init__(self) -> None:
        self.calls = 0
        self.forward = 0.0
        self.backward = 0.0
        self.made = 0
        self.saved = 0

    @property
    def seconds(self) -> float:
        """Forward and backward together."""
        return self.forward + self.backward

    def __repr__(self) -> str:
        times = f"forward {self.forward * 1e3:.3f} ms, backward {self.backward * 1e3:.3f} ms"
        return f"<Cost {self.calls} calls, {times}, {self.made} bytes made, {self.saved} saved>"


class Event(NamedTuple):
    """One run of an op, or of the rules of a node. Times are seconds on the clock of ``time.perf_counter``."""

    op: str
    phase: Phase
    start: float
    seconds: float
    scope: Scope | None
    shape: tuple[int, ...]
    inside: bool
    """It ran inside a backward pass: backward itself, what that recorded, and what a checkpoint computed again."""


class _Kernel(NamedTuple):
    """A kernel that has run, and may yet turn out to be recorded."""

    function: Callable[..., Any]
    start: float
    end: float
    scope: Scope | None
    made: int
    shape: tuple[int, ...]


class _Frame:
    """A node whose rules are running: since when, and how much of that time other ops took."""

    __slots__ = ("g", "inner", "made", "start")

    def __init__(self, g: Any) -> None:
        self.g = g
        self.inner = 0.0
        self.made: dict[int, int] = {}
        self.start = _clock()


def _new_bytes(value: Any, givers: Sequence[Any]) -> dict[int, int]:
    """By id, the bytes of the buffers of ``value`` that are not one of the buffers of ``givers``."""
    known = {id(versions.owner(array)) for array in arrays_in(givers)}
    return {id(root): root.nbytes for root in map(versions.owner, arrays_in(value)) if id(root) not in known}


def _data_of(value: Any) -> Any:
    """The array (or arrays) of a Tensor, of what indexing hands back, or of a cotangent by output."""
    if type(value) is dict:
        return tuple(map(_data_of, value.values()))
    value = getattr(value, "values", value) if not isinstance(value, np.ndarray) else value
    return getattr(value, "_data", value)


_lock = threading.Lock()
_running = 0  # profiles that are on, in all threads: while there is one, no kernel skips ``quiet.run``


def _route_kernels(change: int) -> None:
    global _running
    with _lock:
        _running += change
        for switch in unguarded.values():
            switch(_running > 0)


class _Hook(threading.local):
    """Puts functions that take the time in the places of ``quiet.run`` and ``quiet.users`` of a thread that has a profile.

    There is one for all profiles of a thread, since those of asyncio tasks end in any order; the mode tells which one counts.
    """

    def __init__(self) -> None:
        self.profiles = 0
        self.before = (quiet.run, quiet.users)

    def add(self) -> None:
        if self.profiles == 0:
            self.before = (quiet.run, quiet.users)
            quiet.run, quiet.users = map(_timed, self.before)
        self.profiles += 1

    def remove(self) -> None:
        self.profiles -= 1
        if self.profiles == 0:
            quiet.run, quiet.users = self.before


_hook = _Hook()


def _timed(run: Callable[..., Any]) -> Callable[..., Any]:
    """``quiet.run`` or ``quiet.users``, letting the profile of the present mode take the time of the kernels."""

    def timed(function: Callable[..., Any], *values: Any, **static: Any) -> Any:
        mode = get_mode()
        # a kernel that usually goes without the guard reports overflow as it would then
        call = function if function in unguarded else functools.partial(run, function)
        if isinstance(mode.tracer, profile) and mode.tracer._counts():
            return mode.tracer._time(function, call, values, static, mode.scope)
        return call(*values, **static)

    return timed


class profile:
    """Inside, every op is timed and its arrays are counted: by op, by module, and by node of the graph.

    The times are an op's own: what a rule records under ``create_graph``, and what a checkpoint runs again, counts for itself.
    The rest of the elapsed time is Python between the ops: your code, modules, the walk over the graph, optimizers, and the
    profiler, which takes a few microseconds an op. Nothing is slower outside the block.

    It holds for the present thread or asyncio task, and ends in the thread in which it began. Inside, ``detect_anomaly`` or
    another ``profile`` takes its place while it is on; which of them ends first does not matter.

    Args:
        trace: keep an :class:`Event` for each run of an op, for :meth:`save_trace`.

    Attributes:
        ops: the :class:`Cost` of each op, by name.
        modules: the Cost of each module with those inside it, by path; ``""`` is what ran in none.
        nodes: the Cost of each node of the graph while it is alive: ``nodes[tensor.node]``. Pictures of the graph read it.
        events: every Event, in the order in which they ended.
        elapsed: seconds inside the block; while it is on, those so far.

    Example:
        >>> import autograd as ag
        >>> x = ag.ones(100, 100, requires_grad=True)
        >>> with ag.profile() as costs:
        ...     y = ag.tanh(x @ x)
        ...     y.sum().backward()
        >>> sorted(costs.ops)
        ['matmul', 'sum', 'tanh']
        >>> costs.ops["tanh"].calls, costs.nodes[y.node].saved
        (1, 40000)
    """

    def __init__(self, *, trace: bool = True) -> None:
        self.ops: dict[str, Cost] = {}
        self.modules: dict[str, Cost] = {}
        self.nodes: weakref.WeakKeyDictionary[Node, Cost] = weakref.WeakKeyDictionary()
        self.events: list[Event] = []
        self._trace = trace
        self._names = {declared.kernel: declared.name for declared in primitives.values()}
        self._ran: _Kernel | None = None
        self._frames: list[_Frame] = []
        self._scopes: dict[int, tuple[Scope, tuple[str, ...]]] = {}  # holds the scopes, so that no id is used twice
        self._kept: dict[int, weakref.ref[Array]] = {}
        self._thread: int | None = None  # in which it is on
        self._start = 0.0
        self._elapsed = 0.0  # in the blocks that have ended

    def __enter__(self) -> profile:
        if self._thread is not None:
            raise RuntimeError("profile: expected one that is off, got one that is on; make another with profile()")
        mode = get_mode()
        _route_kernels(1)
        versions.duties.add(("tracer", id(self)))
        _hook.add()
        set_mode(Mode(mode.recording, mode.scope, self, mode))
        self._thread = threading.get_ident()
        self._start = _clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread is None:
            raise RuntimeError("profile: expected one that is on, got one that is off; enter it first")
        if not self._counts():
            raise RuntimeError("profile: expected to be left by the thread that entered it, got another one")
        self._settle()
        self._frames.clear()
        self._elapsed = self.elapsed
        self._thread = None
        _hook.remove()
        _route_kernels(-1)
        versions.duties.discard(("tracer", id(self)))
        set_mode(without(get_mode(), self))

    @property
    def elapsed(self) -> float:
        """Seconds inside the block; while it is on, those so far."""
        return self._elapsed + (0.0 if self._thread is None else _clock() - self._start)

    def _counts(self) -> bool:
        """True in the thread that it is on in; others may have a copy of its mode, which may also outlive the block."""
        return self._thread == threading.get_ident()

    def _time(self, kernel: Callable[..., Any], call: Callable[..., Any], values: Any, static: Any, scope: Scope | None) -> Any:
        self._settle()
        start = _clock()
        output = call(*values, **static)
        end = _clock()
        made = sum(_new_bytes(output, values).values())
        self._ran = _Kernel(kernel, start, end, scope, made, getattr(output, "shape", ()))
        return output

    # -------------------------------------------------------------------------------------------- what the engine calls

    def created(self, node: Node, operands: Any, output: Any) -> None:  # noqa: ARG002 - the signature is the tracer's
        """A node was recorded: the kernel that has just run was its."""
        if not self._counts():
            return
        now = _clock()
        primitive = node.pullback.primitive
        if self._ran is not None and (primitive is None or self._ran.function is not primitive.kernel):
            self._settle()
        ran, self._ran = self._ran, None
        cost = self.nodes[node] = Cost()
        cost.calls = 1
        cost.saved = self._newly_kept(node)
        start = now
        if ran is not None:
            cost.made = ran.made
            start = ran.start
        cost.forward = now - start
        shape = () if node.aval[1] is SEVERAL else node.aval[0]
        self._note(node.op, "forward", start, now - start, cost.made, cost.saved, node.scope, shape)
        if self._frames:
            self._frames[-1].inner += _clock() - start

    def entered(self, node: Node, cotangent: Any) -> None:  # noqa: ARG002
        """The rules of a node are about to run."""
        if not self._counts():
            return
        self._settle()
        self._frames.append(_Frame(_data_of(cotangent)))

    def pulled(self, node: Node, index: int, cotangent: Any) -> None:
        """A rule gave the cotangent of an argument."""
        del node, index
        if cotangent is not None and self._counts() and self._frames:
            frame = self._frames[-1]
            frame.made.update(_new_bytes(_data_of(cotangent), (frame.g,)))

    def left(self, node: Node) -> None:
        """The rules of a node have run."""
        if not self._counts() or not self._frames:  # the block began or ended while they ran
            return
        now = _clock()
        self._settle()
        frame = self._frames.pop()
        seconds = now - frame.start - frame.inner
        made = 0 if frame.inner else sum(frame.made.values())  # the ops that it ran counted what they made
        cost = self.nodes.get(node)
        if cost is None:
            cost = self.nodes[node] = Cost()
        cost.backward += seconds
        cost.made += made
        shape = () if node.aval[1] is SEVERAL else node.aval[0]
        if node.pullback.primitive is not None:
            self._note(node.op, "backward", frame.start, seconds, made, 0, node.scope, shape, now - frame.start)
        if self._frames:
            self._frames[-1].inner += _clock() - frame.start

    # ------------------------------------------------------------------------------------------------------ bookkeeping

    def _settle(self) -> None:
        """Counts a kernel that was not recorded: nothing required a gradient, or recording was off."""
        if self._ran is None:
            return
        function, start, end, scope, made, shape = self._ran
        self._ran = None
        name = self._names.get(function) or getattr(function, "__name__", type(function).__name__).strip("_")
        self._note(name, "forward", start, end - start, made, 0, scope, shape)
        if self._frames:
            self._frames[-1].inner += end - start

    def _note(
        self,
        name: str,
        phase: Phase,
        start: float,
        seconds: float,
        made: int,
        saved: int,
        scope: Scope | None,
        shape: tuple[int, ...],
        span: float | None = None,
    ) -> None:
        costs = [self.ops.setdefault(name, Cost())]
        costs.extend(self.modules.setdefault(path, Cost()) for path in self._paths(scope, phase))
        for cost in costs:
            cost.made += made
            cost.saved += saved
            if phase == "forward":
                cost.forward += seconds
            else:
                cost.backward += seconds
        if phase == "forward":
            costs[0].calls += 1
        if self._trace:
            inside = bool(self._frames) or phase == "backward"
            self.events.append(Event(name, phase, start, seconds if span is None else span, scope, shape, inside))

    def _paths(self, scope: Scope | None, phase: Phase) -> tuple[str, ...]:
        """The paths of a scope and of those around it. The first op of a scope, if it runs forward, is a call of its module."""
        if scope is None:
            return ("",)
        known = self._scopes.get(id(scope))
        if known is None:
            around = () if scope.parent is None else self._paths(scope.parent, phase)
            path = ".".join(scope.path())
            known = self._scopes[id(scope)] = (scope, (path, *around))
            if phase == "forward":
                self.modules.setdefault(path, Cost()).calls += 1
        return known[1]

    def _newly_kept(self, node: Node) -> int:
        total = 0
        for array in saved_arrays(node):
            known = self._kept.get(id(array))
            if known is None or known() is not array:
                self._kept[id(array)] = weakref.ref(array)
                total += array.nbytes
        return total

    # ---------------------------------------------------------------------------------------------------------- reports

    def table(self, by: Literal["op", "module"] = "op", limit: int | None = None) -> str:
        """The costs as text, dearest first, 80 columns wide.

        Args:
            by: "op" or "module" (each with the modules inside it).
            limit: how many rows at most.

        Raises:
            ValueError: for another ``by``, or a negative limit.
        """
        if by not in ("op", "module"):
            raise ValueError(f"profile: expected by to be 'op' or 'module', got {by!r}")
        if limit is not None and limit < 0:
            raise ValueError(f"profile: expected a limit of at least 0 rows, got {limit}")
        from autograd.visualize.model import bytes_text

        costs = self.ops if by == "op" else self.modules
        forward = sum(cost.forward for cost in self.ops.values())
        backward = sum(cost.backward for cost in self.ops.values())
        elapsed = self.elapsed
        rest = elapsed - forward - backward
        lines = [
            f"{elapsed * 1e3:.2f} ms: {forward * 1e3:.2f} forward, {backward * 1e3:.2f} backward, "
            f"{rest * 1e3:.2f} between the ops",
            f"{by:<24}{'calls':>8}{'forward':>11}{'backward':>11}{'share':>6}{'made':>10}{'saved':>10}",
        ]
        ranked = sorted(costs.items(), key=lambda pair: pair[1].seconds, reverse=True)
        for name, cost in ranked[:limit]:
            share = cost.seconds / max(forward + backward, 1e-12)
            name = name or "(no module)"
            lines.append(
                f"{name if len(name) <= 23 else '..' + name[-21:]:<24}{cost.calls:>8}{cost.forward * 1e3:>8.2f} ms"
                f"{cost.backward * 1e3:>8.2f} ms{share:>6.0%}{bytes_text(cost.made):>10}{bytes_text(cost.saved):>10}"
            )
        if limit is not None and len(ranked) > limit:
            lines.append(f"and {len(ranked) - limit} more")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table("op", 20)

    def save_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the events as a file of Chrome's trace format: open it at ui.perfetto.dev or chrome://tracing.

        Two rows: the ops inside the modules that ran them, and the backward pass.

        Raises:
            RuntimeError: for a profile that kept no trace.
        """
        if not self._trace:
            raise RuntimeError("profile: expected a profile that keeps its events, got one made with trace=False")
        target = Path(path)
        partial = target.with_name(target.name + ".part")
        partial.write_text(json.dumps({"traceEvents": self._chrome(), "displayTimeUnit": "ms"}), encoding="utf-8")
        partial.replace(target)

    def _chrome(self) -> list[dict[str, Any]]:
        rows = {"forward": 1, "backward": 2}
        out: list[dict[str, Any]] = [
            {"name": "thread_name", "ph": "M", "pid": 1, "tid": tid, "args": {"name": name}} for name, tid in rows.items()
        ]
        zero = min((event.start for event in self.events), default=0.0)
        for name, tid in rows.items():
            events = sorted((e for e in self.events if e.inside == (name == "backward")), key=lambda e: e.start)
            spans = list(_spans(events, zero, tid))[::-1]  # viewers nest what is equally long in the order of the file
            out.extend(sorted(spans, key=lambda span: (span["ts"], -span["dur"])))
        return out


def _span(name: str, start: float, end: float, tid: int, arguments: dict[str, Any]) -> dict[str, Any]:
    micro = {"ts": round(start * 1e6, 3), "dur": round((end - start) * 1e6, 3)}
    return {"name": name, "ph": "X", "pid": 1, "tid": tid, **micro, "args": arguments}


def _chain(scope: Scope | None) -> list[Scope]:
    chain = []
    while scope is not None:
        chain.append(scope)
        scope = scope.parent
    return chain[::-1]


def _spans(events: list[Event], zero: float, tid: int) -> Iterable[dict[str, Any]]:
    """The events of one row in order of their start, and around them a span for each module that they are in."""
    opened: list[tuple[Scope, float]] = []
    last = 0.0
    for event in [*events, None]:
        chain = [] if event is None else _chain(event.scope)
        common = 0
        while common < min(len(chain), len(opened)) and opened[common][0] is chain[common]:
            common += 1
        while len(opened) > common:
            scope, since = opened.pop()
            yield _span(scope.name, since, last, tid, {"module": ".".join(scope.path()), "type": type(scope.owner).__name__})
        if event is None:
            return
        start, end = event.start - zero, event.start - zero + event.seconds
        opened.extend((scope, start) for scope in chain[common:])
        yield _span(event.op, start, end, tid, {"phase": event.phase, "shape": list(event.shape)})
        last = max(last, end)
