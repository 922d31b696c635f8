"""The row of the table that drives every check over every primitive, and the kinds of input that rows are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Maker = Callable[[np.random.Generator], Array]  # makes one input; floating inputs are differentiated, others are constants


@dataclass(frozen=True, kw_only=True)
class Case:
    """One function at one choice of inputs and static arguments.

    Attributes:
        op: the name of the primitive that this is a row for (a fused op: its own name).
        call: the public function, on Tensors (with its static arguments bound). Returns a Tensor or a tuple of them.
        inputs: a maker for each argument, in float64.
        label: tells the rows of one op apart.
        numpy: the same on ndarrays, which the forward result must equal bit for bit; None where NumPy has no such function.
        torch: the same on torch tensors, for the parity test; None where PyTorch has no such function.
        derivative: the formula, for docs/ops.md.
        kink: what the gradient is at the awkward points, for docs/ops.md.
        orders: how many times it may be differentiated at these inputs (1 or 2).
        step: of the finite differences; smaller where a kink or a pole is near.
        tolerance: the greatest relative error against finite differences, at both orders.
    """

    op: str
    call: Callable[..., Any]
    inputs: tuple[Maker, ...]
    label: str = ""
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    derivative: str = ""
    kink: str = ""
    orders: int = 2
    tolerance: float = 1e-6
    step: float = 1e-3

    @property
    def id(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op


def real(*shape: int) -> Maker:
    """Normal numbers, none nearer to 0 than 0.1 (where many functions have a kink)."""

    def make(rng: np.random.Generator) -> Array:
        x = rng.normal(size=shape)
        return np.asarray(np.where(x < 0, x - 0.1, x + 0.1))

    return make


def between(low: float, high: float, *shape: int) -> Maker:
    """Uniform numbers in an interval."""
    return lambda rng: np.asarray(rng.uniform(low, high, size=shape))


def positive(*shape: int) -> Maker:
    """Numbers from 0.5 to 2.5."""
    return between(0.5, 2.5, *shape)


def apart(*shape: int) -> Maker:
    """Distinct numbers, no two nearer than 0.1, in random order: no ties for max and sort."""

    def make(rng: np.random.Generator) -> Array:
        size = int(np.prod(shape))
        return np.asarray((rng.permutation(size) * 0.25 - size * 0.125 + rng.uniform(-0.05, 0.05, size)).reshape(shape))

    return make


def fixed(value: Any) -> Maker:
    """These very values; integers and bools are constants to the checks."""
    return lambda _rng: np.array(value)
