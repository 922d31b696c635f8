"""Derivatives by finite differences, and the search for the place where the recorded gradient disagrees with them.

The differences are central, at a step and at half of it, and extrapolated (Richardson, 1911), so that their own error is of
fourth order in the step: a relative error of 1e-6 is demanded, and errors near 1e-10 are usual. Where the first step
disagrees (a pole or a kink is near), two smaller ones are tried: a wrong gradient is wrong at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd import versions
from autograd.arrays import Array
from autograd.backward import backpropagate
from autograd.graph import wrap
from autograd.mode import enable_grad, no_grad
from autograd.tensor import Tensor, graph_node

_SMALL = 48  # elements up to which every one is moved, instead of random directions
_DIRECTIONS = 4
_STEPS = (1.0, 0.1, 0.01)  # of the step that is asked for
_FINE = 1e-8  # a relative error below which no smaller step is tried
_SUSPECT = 1e-6  # a relative error above which it is worth knowing where and why


class GradcheckError(RuntimeError):
    """A gradient that finite differences do not confirm; the message says where and how much."""


@dataclass(frozen=True)
class Mismatch:
    """The worst disagreement found.

    Attributes:
        op: what made the output.
        argument: which of the inputs, in words.
        index: of the element that was moved; None for a random direction.
        analytic: the recorded derivative.
        numeric: the difference quotient.
        error: their difference, relative to the greatest element of the gradient.
        sides: at a kink, the derivatives from below and from above; else None.
    """

    op: str
    argument: str
    index: tuple[int, ...] | None
    analytic: float
    numeric: float
    error: float
    sides: tuple[float, float] | None = None


class _Gradient:
    """The gradient of a function, as a function of its inputs and of a cotangent for each of its outputs."""

    def __init__(self, function: Callable[..., Any], count: int, op: str, parameters: Sequence[Tensor]) -> None:
        self.function = function
        self.count = count  # of the inputs; the cotangents come after them
        self.op = op
        self.parameters = parameters

    @enable_grad()
    def __call__(self, *everything: Any) -> tuple[Any, ...]:
        primals = [_leaf_or_same(value) for value in everything[: self.count]]
        results = _outputs(self.function(*primals))
        cotangents = everything[self.count :]
        pairs = [(out, v) for out, v in zip(results, cotangents, strict=True) if out._requires_grad]
        wanted = [value for value in primals if isinstance(value, Tensor) and value._requires_grad]
        wanted.extend(self.parameters)
        return tuple(_pulled(pairs, wanted, self.op, create_graph=True))


def gradient_function(
    function: Callable[..., Any], inputs: Any, seed: int = 0, parameters: Sequence[Tensor] = ()
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The gradient of a function as a function of its inputs and of a cotangent for each output, and arguments for it."""
    arguments = _float64(inputs)
    with enable_grad():
        outputs = _outputs(function(*_leaves(arguments)))
    rng = np.random.default_rng(seed)
    cotangents = tuple(wrap(_random_like(rng, output._data), None) for output in outputs)
    return _Gradient(function, len(arguments), _op(function, outputs), parameters), (*arguments, *cotangents)


def measure(
    function: Callable[..., Any], inputs: Any, *, step: float = 1e-3, seed: int = 0, parameters: Sequence[Tensor] = ()
) -> Mismatch | None:
    """The greatest relative difference between the recorded and the numeric derivative; None where all inputs are empty."""
    with np.errstate(all="ignore"):  # a step may leave the domain: the report says so
        return _Check(function, inputs, seed, parameters).worst(step)


# ------------------------------------------------------------------------------------------------ measuring


@dataclass
class _Moved:
    """A leaf that the differences move, and its recorded gradient."""

    label: str
    tensor: Tensor
    analytic: Array
    scale: float

    def error(self, analytic: float, numeric: float) -> float:
        """The relative error; inf where only one of the two is nan."""
        if analytic == numeric or (np.isnan(analytic) and np.isnan(numeric)):
            return 0.0
        error = abs(analytic - numeric) / max(self.scale, abs(numeric), 1e-3)
        return float("inf") if np.isnan(error) else float(error)


class _Check:
    """One function at one point: its recorded gradient for a random cotangent, and the number that the differences move."""

    def __init__(self, function: Callable[..., Any], inputs: Any, seed: int, parameters: Sequence[Tensor]) -> None:
        _check_overlap(inputs)
        self.function = function
        self.leaves = _leaves(_float64(inputs))
        self.rng = np.random.default_rng(seed)
        labels, tensors = self._inputs(parameters)
        outputs = self._recorded()
        self.op = _op(function, outputs)
        self.cotangents = [_random_like(self.rng, output._data) for output in outputs]
        gradients = self._gradients(outputs, tensors)
        self._check_deterministic(outputs, gradients, tensors)
        self.moved = []
        for label, tensor, gradient in zip(labels, tensors, gradients, strict=True):
            scale = float(np.max(np.abs(gradient[np.isfinite(gradient)]), initial=0.0))
            self.moved.append(_Moved(label, tensor, gradient, scale))

    def _inputs(self, parameters: Sequence[Tensor]) -> tuple[list[str], list[Tensor]]:
        """What is moved, each with its name for the report."""
        labels, tensors = [], []
        count = self.function.count if isinstance(self.function, _Gradient) else len(self.leaves)
        for position, value in enumerate(self.leaves):
            if isinstance(value, Tensor) and value._requires_grad:
                labels.append(f"argument {position}" if position < count else f"cotangent {position - count}")
                tensors.append(value)
        for position, parameter in enumerate(parameters):
            if parameter.dtype != np.float64 or not parameter.is_leaf or not parameter.requires_grad:
                raise ValueError(
                    f"gradcheck: expected parameters to be float64 leaves that require grad, got {parameter.dtype}; "
                    "convert them first (a module: module.double())"
                )
            labels.append(f"parameter {position}" + (f" {parameter.name!r}" if parameter.name else ""))
            tensors.append(parameter)
        if not tensors:
            raise ValueError("gradcheck: expected at least one floating input, got none")
        return labels, tensors

    def _recorded(self) -> list[Tensor]:
        with enable_grad():
            return _outputs(self.function(*self.leaves))

    def _gradients(self, outputs: Sequence[Tensor], tensors: Sequence[Tensor]) -> list[Array]:
        pairs = [(out, v.copy()) for out, v in zip(outputs, self.cotangents, strict=True) if out._requires_grad]
        return [np.asarray(gradient, np.float64) for gradient in _pulled(pairs, tensors, self.op)]

    def _check_deterministic(self, outputs: Sequence[Tensor], gradients: Sequence[Array], tensors: Sequence[Tensor]) -> None:
        """The same call again, forward and backward, must give the same bits."""
        again = self._recorded()
        values = [(one._data, two._data) for one, two in zip(outputs, again, strict=True)]
        repeated = self._gradients(again, tensors)
        for what, pairs in (("values", values), ("gradients", zip(gradients, repeated, strict=True))):
            for one, two in pairs:
                if not np.array_equal(one, two, equal_nan=True):
                    difference = float(np.nanmax(np.abs(one - two)))
                    raise GradcheckError(
                        f"{self.op}: the function is not deterministic: the {what} of two calls differ by {difference:.3g}; "
                        "seed its random numbers, or switch dropout off"
                    )

    def value(self) -> float:
        """The outputs against the cotangents: the number whose derivative is checked."""
        with no_grad():
            results = _outputs(self.function(*self.leaves))
        pairs = zip(results, self.cotangents, strict=True)
        return sum((float(np.sum(out._data.astype(np.float64) * v)) for out, v in pairs), 0.0)

    def worst(self, step: float) -> Mismatch | None:
        """The element (or direction) with the greatest error; if that is suspect, with where and why."""
        found: Mismatch | None = None
        culprit: tuple[_Moved, Array] | None = None
        for moved in self.moved:
            for index, direction in self._directions(moved.tensor._data):
                mismatch = self._compared(moved, index, direction, step)
                if found is None or mismatch.error > found.error:
                    found, culprit = mismatch, (moved, direction)
        if found is None or culprit is None or not found.error > _SUSPECT:
            return found
        moved, direction = culprit
        if found.index is None:
            index, single = self._located(moved, direction, step)
            element = self._compared(moved, index, single, step)
            if element.error > _SUSPECT:
                found, direction = element, single
        size = 1.0 if found.index is None else float(direction[found.index])
        sides = self._kink(moved.tensor._data, direction, step, abs(found.analytic - found.numeric) * size)
        if sides is None:
            return found
        return replace(found, sides=(sides[0] / size, sides[1] / size))

    def _directions(self, data: Array) -> Iterator[tuple[tuple[int, ...] | None, Array]]:
        """One per element of a small array, or random ones in a large array."""
        if data.size <= _SMALL:
            for index in np.ndindex(data.shape):
                yield index, _single(data, index)
            return
        for _ in range(_DIRECTIONS):
            direction = self.rng.normal(size=data.shape)
            yield None, direction / np.max(np.abs(direction))

    def _compared(self, moved: _Moved, index: tuple[int, ...] | None, direction: Array, step: float) -> Mismatch:
        """Both derivatives, per unit of the element (or along the direction), at the step that agrees best."""
        unit = 1.0 if index is None else float(direction[index])
        analytic = float(np.sum(moved.analytic * direction)) if index is None else float(moved.analytic[index])
        best = Mismatch(self.op, moved.label, index, analytic, float("nan"), float("inf"))
        for factor in _STEPS:
            numeric = self._derivative(moved.tensor._data, direction, step * factor) / unit
            error = moved.error(analytic, numeric)
            if error < best.error or np.isnan(best.numeric):
                best = Mismatch(self.op, moved.label, index, analytic, numeric, error)
            if error <= _FINE:
                break
        return best

    def _located(self, moved: _Moved, direction: Array, step: float) -> tuple[tuple[int, ...], Array]:
        """The element behind a disagreement along a direction, by halving: the half that disagrees more is kept."""
        data = moved.tensor._data
        places = np.arange(data.size)
        while len(places) > 1:
            halves = np.array_split(places, 2)
            gaps = []
            for half in halves:
                part = np.zeros(data.size)
                part[half] = direction.reshape(-1)[half]
                analytic = float(np.sum(moved.analytic.reshape(-1)[half] * part[half]))
                gap = abs(analytic - self._derivative(data, part.reshape(data.shape), step))
                gaps.append(np.inf if np.isnan(gap) else gap)
            places = halves[int(np.argmax(gaps))]
        index = tuple(int(i) for i in np.unravel_index(int(places[0]), data.shape))
        return index, _single(data, index)

    def _derivative(self, data: Array, direction: Array, step: float) -> float:
        """The derivative along a direction: central differences at h and h/2, extrapolated to an error of O(h**4)."""
        coarse = self._difference(data, direction, step, step)
        fine = self._difference(data, direction, step / 2, step / 2)
        return (4.0 * fine - coarse) / 3.0

    def _difference(self, data: Array, direction: Array, ahead: float, behind: float) -> float:
        """(f(x + ahead * direction) - f(x - behind * direction)) / (ahead + behind). The data is as before afterwards."""
        before = data.copy()
        try:
            data[...] = before + ahead * direction
            high = self.value()
            data[...] = before - behind * direction
            low = self.value()
        finally:
            data[...] = before
            versions.stamp(data)
        return (high - low) / (ahead + behind)

    def _kink(self, data: Array, direction: Array, step: float, disagreement: float) -> tuple[float, float] | None:
        """The one-sided derivatives, if the function has a corner within a step that explains the disagreement.

        The gap between them is h f'' for a smooth function and halves with the step; at a corner it stays, or ends at once.
        """
        sides = []
        for h in (step, step / 2, step / 4):
            sides.append((self._difference(data, direction, 0.0, h), self._difference(data, direction, h, 0.0)))
        gaps = [above - below for below, above in sides]
        corner = max(abs(gaps[0] - 2.0 * gaps[1]), abs(gaps[1] - 2.0 * gaps[2]))
        if not corner > 0.1 * disagreement:
            return None
        return max(sides, key=lambda pair: abs(pair[1] - pair[0]))


def _single(data: Array, index: tuple[int, ...]) -> Array:
    """The direction that moves one element, by more if it is large."""
    direction = np.zeros(data.shape)
    direction[index] = max(1.0, abs(float(data[index])))
    return direction


# ------------------------------------------------------------------------------------------------ inputs and outputs


def _pulled(pairs: Sequence[tuple[Tensor, Any]], wanted: Sequence[Tensor], op: str, create_graph: bool = False) -> list[Any]:
    """The gradient of each tensor for the cotangents of the outputs; zeros where none arrives."""
    nodes = [graph_node(tensor) for tensor in wanted]
    try:
        found = backpropagate([graph_node(out) for out, _ in pairs], [v for _, v in pairs], nodes, create_graph=create_graph)
    except (RuntimeError, TypeError, ValueError) as error:
        raise GradcheckError(f"{op}: the backward pass failed: {error}") from error
    gradients = []
    for node, tensor in zip(nodes, wanted, strict=True):
        gradient = found.get(node)
        if gradient is None:
            gradient = np.zeros(tensor.shape, tensor.dtype)
            gradient = wrap(gradient, None) if create_graph else gradient
        gradients.append(gradient)
    return gradients


def _op(function: Callable[..., Any], outputs: Sequence[Tensor]) -> str:
    """What a report calls the function: the ops that made its outputs."""
    if isinstance(function, _Gradient):
        return f"derivative of {function.op}"
    made = dict.fromkeys(out.node.op for out in outputs if out._requires_grad and out.node is not None)
    return ", ".join(made) or "a constant"


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


def _leaf_or_same(value: Any) -> Any:
    if isinstance(value, Tensor) and value.dtype.kind == "f" and not value._requires_grad:
        return wrap(value._data, None).requires_grad_()
    return value


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
    reach = array.itemsize - 1
    for stride, size in sorted((abs(stride), size) for stride, size in zip(array.strides, array.shape, strict=True)):
        if size <= 1:
            continue
        if stride <= reach:
            return array.size > 0
        reach += stride * (size - 1)
    return False
