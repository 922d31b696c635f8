"""The engines: modules with ``build(problem) -> Case`` and ``versions() -> dict``; importing one that is not installed fails.

``build`` raises :class:`CannotRunError` for a family that the engine has no way to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

ENGINES = ("tapegrad", "torch", "jax", "hips", "mygrad", "numpy", "floor")
PEERS = ENGINES[1:]
THREADS = 2


class CannotRunError(Exception):
    """The engine has no way to run this family."""


class Case:
    """A problem in the hands of an engine. One step of training is ``forward``, ``backward``, ``update``, in this order.

    What must be cleared before a backward pass (the gradients of last time) is cleared in ``forward``.
    """

    def forward(self) -> None:
        """Computes the loss, ready to be differentiated."""

    def backward(self) -> None:
        """Computes the gradients of that loss."""

    def update(self) -> None:
        """Updates the parameters, if the problem has an optimizer."""

    whole: Any = None
    """All three at once, for engines that compile them into one; else None."""

    def digest(self) -> list[float]:
        """Numbers by which the results of engines are compared: the loss, or what stands for the result."""
        raise NotImplementedError


def load(name: str) -> Any:
    """The module of an engine."""
    if name not in ENGINES:
        raise ValueError(f"engine: expected one of {', '.join(ENGINES)}, got {name!r}")
    return import_module(f"benchmarks.engines.{name}")
