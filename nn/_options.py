"""Checks that constructors of layers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import get_default_dtype
from nn.parameter import Parameter


def size(value: Any, layer: str, name: str, least: int = 0) -> int:
    """A whole number that is not negative, or at least ``least``; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{layer}: expected {name} to be a whole number >= {least}, got {value!r}")
    return int(value)


def probability(value: Any, layer: str, name: str = "p") -> float:
    """A number from 0 to 1; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{layer}: expected {name} between 0 and 1, got {value!r}")
    return value


def choice(value: Any, choices: tuple[str, ...], layer: str, name: str) -> str:
    """One of the choices; ValueError for anything else."""
    if value not in choices:
        raise ValueError(f"{layer}: expected {name} to be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)


def empty(shape: tuple[int, ...], dtype: Any) -> Parameter:
    """A parameter whose values are still to be set, of the default dtype unless one is given."""
    return Parameter(np.empty(shape, get_default_dtype() if dtype is None else dtype))
