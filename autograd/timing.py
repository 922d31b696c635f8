"""How long do a function and its backward pass take? ``benchmark()`` measures it, also against a function written by hand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd.accumulate import accumulate_grads
from autograd.backward import backpropagate
from autograd.graph import Node, reachable, saved_arrays
from autograd.mode import enable_grad
from autograd.tensor import Tensor


class Timing(NamedTuple):
    """Seconds: the median of several rounds, and the quartiles around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_time_text(self.median)} ({_time_text(self.low)} to {_time_text(self.high)})"


class Benchmark(NamedTuple):
    """What :func:`benchmark` found.

    Attributes:
        forward: the :class:`Timing` of the call.
        backward: of the backward pass; None for a result that does not require grad.
        total: of both together.
        nodes: recorded ops.
        saved_bytes: of the arrays that these keep for the backward pass, each counted once.
        against: the Timing of the function written by hand, or None.
    """

    forward: Timing
    backward: Timing | None
    total: Timing
    nodes: int
    saved_bytes: int
    against: Timing | None

    @property
    def ratio(self) -> float | None:
        """Our time / the time of the function written by hand."""
        return None if self.against is None else self.total.median / self.against.median

    def __str__(self) -> str:
        from autograd.visualize.model import bytes_text

        lines = [f"forward    {self.forward}"]
        if self.backward is not None:
            lines.append(f"backward   {self.backward}")
            lines.append(f"together   {self.total}")
        lines.append(f"graph      {self.nodes} nodes, {bytes_text(self.saved_bytes)} saved for backward")
        if self.against is not None:
            lines.append(f"by hand    {self.against}; ratio {self.ratio:.2f}")
        return "\n".join(lines)


def _time_text(seconds: float) -> str:
    unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    return f"{seconds * factor:.3g} {unit}"


def benchmark(
    fn: Callable[..., Any],
    *inputs: Any,
    against: Callable[..., Any] | None = None,
    rounds: int = 30,
    seconds: float = 1.0,
) -> Benchmark:
    """Times ``fn(*inputs)`` and its backward pass: medians over rounds, after a round to warm up.

    A result that is not a scalar gets a cotangent of ones, as if it were summed. The ``.grad`` of the leaves stays as it was.

    Args:
        fn: returns a Tensor, or several.
        inputs: its arguments, as they are; gradients go to those that require them, and to what ``fn`` closes over.
        against: a function that does the same by hand, forward and backward, on the arrays of the inputs; the two run in turn.
        rounds: at most so many are measured.
        seconds: about so long it takes; three rounds are measured in any case, if ``rounds`` allows.

    Raises:
        TypeError: for an ``fn`` or ``against`` that is no function, or an ``fn`` that returns something else than Tensors.
        ValueError: for fewer than one round.

    Example:
        >>> import numpy as np, autograd as ag
        >>> x = ag.ones(1000, requires_grad=True)
        >>> def by_hand(x):
        ...     y = np.tanh(x)
        ...     return y, 1 - y * y
        >>> found = ag.benchmark(ag.tanh, x, against=by_hand, rounds=5)
        >>> found.nodes, found.saved_bytes, found.ratio > 0
        (1, 4000, True)
    """
    if not callable(fn):
        raise TypeError(f"benchmark: expected a function and its arguments, got {type(fn).__name__}; pass lambda: ...")
    if against is not None and not callable(against):
        raise TypeError(f"benchmark: expected against to be a function of the arrays, got {type(against).__name__}")
    if not isinstance(rounds, int) or rounds < 1:
        raise ValueError(f"benchmark: expected at least 1 round, got {rounds!r}")
    outputs = _outputs(fn, inputs)
    roots = [output.node for output in outputs if output.node is not None and output.requires_grad]
    order = reachable(roots)
    nodes = [node for node in order if not node.is_leaf]
    distinct = {id(array): array.nbytes for node in nodes for array in saved_arrays(node)}
    leaves = [(node, getattr(node, "grad", None)) for node in order if node.is_leaf]
    del outputs, order
    arrays = [value._data if isinstance(value, Tensor) else value for value in inputs]
    times: list[tuple[float, ...]] = []
    try:
        start = time.perf_counter()
        while len(times) < rounds + 1 and (len(times) < 4 or time.perf_counter() - start < seconds):
            times.append((*_once(fn, inputs, leaves), _once_by_hand(against, arrays)))
    finally:
        for node, grad in leaves:
            node.grad = grad
    forward, backward, by_hand = zip(*times[1:], strict=True)
    together = [a + b for a, b in zip(forward, backward, strict=True)]
    return Benchmark(
        _timing(forward),
        _timing(backward) if roots else None,
        _timing(together),
        len(nodes),
        sum(distinct.values()),
        None if against is None else _timing(by_hand),
    )


def _outputs(fn: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    with enable_grad():
        result = fn(*inputs)
    outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"benchmark: expected a function that returns Tensors, got {type(output).__name__} from it")
    return outputs


def _once(fn: Callable[..., Any], inputs: tuple[Any, ...], leaves: list[tuple[Node, Any]]) -> tuple[float, float]:
    """Seconds forward and backward, into leaves without gradients."""
    for node, _ in leaves:
        node.grad = None
    start = time.perf_counter()
    outputs = _outputs(fn, inputs)
    middle = time.perf_counter()
    roots = [output.node for output in outputs if output.node is not None and output.requires_grad]
    if not roots:
        return middle - start, 0.0
    seeds = [np.ones(*node.aval) for node in roots]
    begin = time.perf_counter()
    accumulate_grads(backpropagate(roots, seeds), False)
    return middle - start, time.perf_counter() - begin


def _once_by_hand(against: Callable[..., Any] | None, arrays: list[Any]) -> float:
    if against is None:
        return 0.0
    start = time.perf_counter()
    against(*arrays)
    return time.perf_counter() - start


def _timing(values: tuple[float, ...] | list[float]) -> Timing:
    if len(values) == 1:
        return Timing(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Timing(median, low, high)
