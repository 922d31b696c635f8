"""Checks of arguments and options; each raises, and the message names what is wrong."""

from __future__ import annotations

from collections.abc import Collection
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


def check_positive(name: str, value: Any) -> None:
    """Raises unless value is a number above 0."""
    check_number(name, value)
    if not value > 0:
        raise ValueError(f"{name}: expected a value above 0, got {value}")


def check_share(name: str, value: Any, zero: bool = True) -> None:
    """Raises unless value is a number in [0, 1]; in (0, 1] where zero is not allowed."""
    check_number(name, value)
    if not 0.0 <= value <= 1.0 or (value == 0.0 and not zero):
        raise ValueError(f"{name}: expected a value in {'[' if zero else '('}0, 1], got {value}")


def check_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Raises ValueError unless value is one of these words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(map(repr, choices))}, got {value!r}")


def as_whole(name: str, value: Any, least: int = 1) -> int:
    """The int that value is: an int, NumPy's integer, or a whole float such as 0.5 * 60.

    Raises ValueError for anything else, and for numbers below ``least``.
    """
    number = value.item() if isinstance(value, Tensor | np.ndarray | np.generic) and value.shape == () else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")
    return number


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
