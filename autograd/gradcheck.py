"""Finite differences against the recorded gradient: is a derivative right, and the derivative of the derivative?

The differences are central, at a step and at half of it, and extrapolated (Richardson, 1911), so that their own error is of
fourth order in the step: a relative error of 1e-6 is demanded, and errors near 1e-10 are usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import versions
from autograd.arrays import Array
from autograd.backward import backpropagate
from autograd.graph import Node, wrap
from autograd.mode import enable_grad, no_grad
from autograd.tensor import Tensor, graph_node

_SMALL = 48  # elements up to which every one is moved, instead of random directions
_DIRECTIONS = 4


class GradcheckError(RuntimeError):
    """A gradient that finite differences do not confirm; the message says where and how much."""


@dataclass(frozen=True)
class Mismatch:
    """The worst disagreement found: which argument, at which index, and the two values."""

    op: str
    argument: int
    index: tuple[int, ...] | str
    analytic: float
    numeric: float
    error: float


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-6,
    seed: int = 0,
    parameters: Sequence[Tensor] = (),
    raise_exception: bool = True,
) -> bool:
    """Checks the first derivative of a function against finite differences.

    Every floating input is copied to float64. Small inputs are checked element by element, which gives the whole Jacobian
    against a random cotangent; large ones along random directions.

    Args:
        function: of Tensors, returning a Tensor or a tuple of them.
        inputs: a Tensor or a tuple of arguments; those of an integer or bool dtype, and numbers, are passed on as they are.
        step: the step of the differences, relative to elements greater than 1.
        tolerance: the greatest relative error.
        seed: of the random cotangents and directions.
        parameters: leaves in float64 that the function uses without taking them as arguments, to be checked too.
        raise_exception: raise on failure, instead of returning False.

    Returns:
        True when the derivative is confirmed.

    Raises:
        GradcheckError: with the op, argument, index, both values and the error; it tells apart a wrong gradient, a kink (the
            one-sided differences disagree), overlapping memory, and a function that is not deterministic.
        ValueError: when there is nothing to check.

    Example:
        >>> import autograd as ag
        >>> ag.gradcheck(lambda x, y: (x * y).sin(), (ag.tensor([0.5, 1.5]), ag.tensor([2.0, -1.0])))
        True
    """
    try:
        worst = measure(function, inputs, step=step, seed=seed, parameters=parameters)
        if worst is not None and not worst.error <= tolerance:
            raise _failure(function, inputs, parameters, worst, step, seed, tolerance)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-6,
    seed: int = 0,
    raise_exception: bool = True,
) -> bool:
    """Checks the second derivative: :func:`gradcheck` of the gradient, as a function of inputs and cotangents."""
    gradient, arguments = gradient_function(function, inputs, seed)
    return gradcheck(gradient, arguments, step=step, tolerance=tolerance, seed=seed + 1, raise_exception=raise_exception)


def gradient_function(function: Callable[..., Any], inputs: Any, seed: int = 0) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The gradient of a function as a function of its inputs and of a cotangent for each output, and arguments for it."""
    arguments = _float64(inputs)
    with enable_grad():
        outputs = _outputs(function(*_leaves(arguments)))
    rng = np.random.default_rng(seed)
    cotangents = tuple(wrap(_random_like(rng, output._data), None) for output in outputs)
    count = len(arguments)

    @enable_grad()
    def gradient(*everything: Any) -> tuple[Any, ...]:
        primals = [
            value if isinstance(value, Tensor) and value._requires_grad else _leaf_or_same(value)
            for value in everything[:count]
        ]
        results = _outputs(function(*primals))
        wanted = [value for value in primals if isinstance(value, Tensor) and value._requires_grad]
        pairs = [
            (result, cotangent) for result, cotangent in zip(results, everything[count:], strict=True) if result._requires_grad
        ]
        found = backpropagate(
            [graph_node(pair[0]) for pair in pairs],
            [pair[1] for pair in pairs],
            [graph_node(value) for value in wanted],
            create_graph=True,
        )
        return tuple(found.get(graph_node(value), wrap(np.zeros(value.shape, value.dtype), None)) for value in wanted)

    return gradient, (*arguments, *cotangents)


def _leaf_or_same(value: Any) -> Any:
    if isinstance(value, Tensor) and value.dtype.kind == "f":
        return wrap(value._data, None).requires_grad_()
    return value


# ------------------------------------------------------------------------------------------------ measuring


def measure(
    function: Callable[..., Any], inputs: Any, *, step: float = 1e-3, seed: int = 0, parameters: Sequence[Tensor] = ()
) -> Mismatch | None:
    """The greatest relative difference between the recorded and the numeric derivative; None without outputs to compare."""
    arguments = _float64(inputs)
    _check_overlap(inputs)
    leaves = _leaves(arguments)
    moved = [value for value in leaves if isinstance(value, Tensor) and value._requires_grad]
    for parameter in parameters:
        if parameter.dtype != np.float64 or not parameter.is_leaf:
            raise ValueError(f"gradcheck: expected parameters to be float64 leaves, got {parameter.dtype}")
    moved.extend(parameters)
    if not moved:
        raise ValueError("gradcheck: expected at least one floating input, got none")
    with enable_grad():
        outputs = _outputs(function(*leaves))
    _check_deterministic(function, leaves, outputs)
    rng = np.random.default_rng(seed)
    cotangents = [_random_like(rng, output._data) for output in outputs]
    tracked = [(out, v) for out, v in zip(outputs, cotangents, strict=True) if out._requires_grad]
    nodes: list[Node] = [value.node for value in moved if value.node is not None]
    found: dict[Node, Any] = {}
    op = ", ".join(out.node.op for out, _ in tracked if out.node is not None) or "constant"
    if tracked:
        roots = [out.node for out, _ in tracked if out.node is not None]
        found = backpropagate(roots, [v.copy() for _, v in tracked], nodes)

    def value_at() -> float:
        with no_grad():
            results = _outputs(function(*leaves))
        total = 0.0
        for result, cotangent in zip(results, cotangents, strict=True):
            total += float(np.sum(result._data.astype(np.float64) * cotangent))
        return total

    worst: Mismatch | None = None
    for argument, tensor in enumerate(moved):
        gradient = found.get(tensor.node)  # type: ignore[arg-type]
        analytic = np.zeros(tensor.shape) if gradient is None else np.asarray(gradient, np.float64)
        if analytic.shape != tensor.shape:
            raise GradcheckError(f"{op}: argument {argument}: gradient of shape {analytic.shape} for shape {tensor.shape}")
        for index, got, expected in _pairs(tensor, analytic, value_at, step, rng):
            scale = max(float(np.max(np.abs(analytic), initial=0.0)), abs(expected), 1e-3)
            same = got == expected or (np.isnan(got) and np.isnan(expected))
            error = 0.0 if same else abs(got - expected) / scale
            if np.isnan(error):
                error = np.inf
            if worst is None or error > worst.error:
                worst = Mismatch(op, argument, index, got, expected, float(error))
    return worst


def _pairs(tensor: Tensor, analytic: Array, value_at: Callable[[], float], step: float, rng: np.random.Generator) -> Any:
    """(index, analytic, numeric) for each element of a small tensor, or for random directions in a large one."""
    data = tensor._data
    if data.size <= _SMALL:
        for index in np.ndindex(data.shape):
            direction = np.zeros(data.shape)
            direction[index] = max(1.0, abs(float(data[index])))
            numeric = _derivative(data, direction, value_at, step) / direction[index]
            yield index, float(analytic[index]), numeric
        return
    for _ in range(_DIRECTIONS):
        direction = rng.normal(size=data.shape)
        direction /= np.max(np.abs(direction))
        yield "a random direction", float(np.sum(analytic * direction)), _derivative(data, direction, value_at, step)


def _derivative(data: Array, direction: Array, value_at: Callable[[], float], step: float) -> float:
    """The derivative along a direction: central differences at h and h/2, extrapolated to an error of O(h**4)."""
    coarse = _difference(data, direction, value_at, step, step)
    fine = _difference(data, direction, value_at, step / 2, step / 2)
    return (4.0 * fine - coarse) / 3.0


def _difference(data: Array, direction: Array, value_at: Callable[[], float], ahead: float, behind: float) -> float:
    """(f(x + ahead * direction) - f(x - behind * direction)) / (ahead + behind). The data is as before afterwards."""
    before = data.copy()
    try:
        data[...] = before + ahead * direction
        high = value_at()
        data[...] = before - behind * direction
        low = value_at()
    finally:
        data[...] = before
        versions.stamp(data)
    return (high - low) / (ahead + behind)


def _failure(
    function: Callable[..., Any],
    inputs: Any,
    parameters: Sequence[Tensor],
    worst: Mismatch,
    step: float,
    seed: int,
    tolerance: float,
) -> GradcheckError:
    """The report of a failure: what kind it is, and where."""
    where = (
        f"{worst.op}: argument {worst.argument}, index {worst.index}: analytic {worst.analytic:.10g}, "
        f"numeric {worst.numeric:.10g}, relative error {worst.error:.3g} (tolerance {tolerance:g})"
    )
    if isinstance(worst.index, tuple):
        ahead, behind = _one_sided(function, inputs, parameters, worst, step, seed)
        if abs(ahead - behind) > 1e-2 * max(abs(ahead), abs(behind), 1e-3):
            return GradcheckError(
                f"{where}\n  a kink: the one-sided differences are {behind:.6g} from below and {ahead:.6g} from above; "
                "check at another point"
            )
    return GradcheckError(f"{where}\n  wrong gradient: the rule does not agree with the function")


def _one_sided(
    function: Callable[..., Any], inputs: Any, parameters: Sequence[Tensor], worst: Mismatch, step: float, seed: int
) -> tuple[float, float]:
    leaves = _leaves(_float64(inputs))
    moved = [value for value in leaves if isinstance(value, Tensor) and value._requires_grad] + list(parameters)
    tensor = moved[worst.argument]
    with no_grad():
        outputs = _outputs(function(*leaves))
    rng = np.random.default_rng(seed)
    cotangents = [_random_like(rng, output._data) for output in outputs]

    def value_at() -> float:
        with no_grad():
            results = _outputs(function(*leaves))
        return float(sum(np.sum(r._data * v) for r, v in zip(results, cotangents, strict=True)))

    direction = np.zeros(tensor.shape)
    index: Any = worst.index
    direction[index] = 1.0
    small = step / 10
    return (
        _difference(tensor._data, direction, value_at, small, 0.0),
        _difference(tensor._data, direction, value_at, 0.0, small),
    )


# ------------------------------------------------------------------------------------------------ inputs and outputs


def _float64(inputs: Any) -> tuple[Any, ...]:
    given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    converted = []
    for value in given:
        if isinstance(value, np.ndarray):
            value = Tensor(value)
        if isinstance(value, Tensor):
            wide = np.float64 if value.dtype.kind == "f" else value.dtype
            value = wrap(np.array(value._data, wide), None)
        converted.append(value)
    return tuple(converted)


def _leaves(arguments: Sequence[Any]) -> list[Any]:
    """Fresh leaves with the values of the floating arguments; the others as they are."""
    leaves = []
    for value in arguments:
        if isinstance(value, Tensor) and value.dtype.kind == "f":
            value = wrap(value._data.copy(), None).requires_grad_()
        leaves.append(value)
    return leaves


def _outputs(result: Any) -> list[Tensor]:
    outputs = list(result) if isinstance(result, tuple | list) else [result]
    outputs = [output for output in outputs if isinstance(output, Tensor) and output.dtype.kind == "f"]
    if not outputs:
        raise ValueError("gradcheck: expected the function to return floating Tensors, got none")
    return outputs


def _random_like(rng: np.random.Generator, array: Array) -> Array:
    return np.asarray(rng.normal(size=array.shape))


def _check_overlap(inputs: Any) -> None:
    given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    for position, value in enumerate(given):
        array = value._data if isinstance(value, Tensor) else value
        if isinstance(array, np.ndarray) and overlaps(array):
            raise GradcheckError(
                f"gradcheck: argument {position} has overlapping memory (strides {array.strides} for shape {array.shape}): "
                "its elements cannot be moved one by one; pass a copy"
            )


def overlaps(array: Array) -> bool:
    """True when two elements of an array may share memory."""
    reach = 0
    for stride, size in sorted((abs(stride), size) for stride, size in zip(array.strides, array.shape, strict=True)):
        if size <= 1:
            continue
        if stride <= reach:
            return array.size > 0
        reach += stride * (size - 1)
    return False


def _check_deterministic(function: Callable[..., Any], leaves: Sequence[Any], outputs: Sequence[Tensor]) -> None:
    with no_grad():
        again = _outputs(function(*leaves))
    for first, second in zip(outputs, again, strict=True):
        if not np.array_equal(first._data, second._data, equal_nan=True):
            difference = float(np.max(np.abs(first._data - second._data)))
            raise GradcheckError(
                f"gradcheck: the function is not deterministic: two calls differ by {difference:.3g}; "
                "seed its random numbers, or switch dropout off"
            )
