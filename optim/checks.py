"""Checks of arguments and options; each raises, and the message names what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor


def check_number(name: str, value: Any) -> None:
    """Raises TypeError unless value is one real number: Python's, NumPy's, or a tensor or array without axes."""
    if isinstance(value, int | float | np.floating | np.integer):
        return
    if not isinstance(value, Tensor | np.ndarray) or value.shape != () or value.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected a number, got {value!r}")


def check_option(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises unless value is a number and low <= value < high (any value when high is inf and value is at least low)."""
    check_number(name, value)
    if not low <= value < high and not (high == float("inf") and value >= low):
        raise ValueError(f"{name}: expected a value in [{low}, {high}), got {value}")


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless value is a whole number and not less than ``least``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")


def check_betas(betas: tuple[float, float]) -> None:
    """Raises ValueError unless there are two, both in [0, 1)."""
    check_count("betas", betas, 2)
    for name, beta in zip(("beta1", "beta2"), betas, strict=True):
        check_option(name, beta, 0.0, 1.0)


def check_count(name: str, values: Any, count: int) -> None:
    """Raises ValueError unless values are a tuple or list of so many."""
    if not isinstance(values, tuple | list) or len(values) != count:
        raise ValueError(f"{name}: expected {('two', 'three')[count - 2]} numbers, got {values!r}")


def check_closure(closure: Any) -> None:
    """Raises TypeError for something that cannot be called."""
    if not callable(closure):
        raise TypeError(
            f"step: expected a function that computes the loss as closure, got {type(closure).__name__}; "
            "call backward() on a loss, and then step() without it"
        )
