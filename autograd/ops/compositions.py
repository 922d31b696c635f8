"""Elementwise functions that are a few calls of others, and PyTorch's names for functions that NumPy calls otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.declare import implements
from autograd.ops import elementwise as e
from autograd.ops import selection
from autograd.primitive import as_operand

# ------------------------------------------------------------------------------------------------ PyTorch's names

abs = e.absolute
acos = e.arccos
acosh = e.arccosh
asin = e.arcsin
asinh = e.arcsinh
atan = e.arctan
atan2 = e.arctan2
atanh = e.arctanh
clamp = selection.clip
deg2rad = e.radians
mod = e.remainder
mul = e.multiply
neg = e.negative
pow = e.power
rad2deg = e.degrees
sgn = e.sign
sub = e.subtract
true_divide = e.divide

# ------------------------------------------------------------------------------------------------ compositions


def clamp_min(x: Any, min: Any) -> Any:
    """x, but at least ``min``; the gradient passes at the bound too."""
    return selection.clip(x, min=min)


def clamp_max(x: Any, max: Any) -> Any:
    """x, but at most ``max``; the gradient passes at the bound too."""
    return selection.clip(x, max=max)


def div(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    """x / y, rounded towards 0 (``"trunc"``) or down (``"floor"``) if asked for; a rounded quotient has gradient 0."""
    if rounding_mode is None:
        return e.divide(x, y)
    if rounding_mode == "trunc":
        return e.trunc(e.divide(x, y))
    if rounding_mode == "floor":
        return e.floor_divide(x, y)
    raise ValueError(f"div: expected rounding_mode None, 'trunc' or 'floor', got {rounding_mode!r}")


@implements(np.divmod)
def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """``(x // y, x % y)``."""
    return e.floor_divide(x, y), e.remainder(x, y)


@implements(np.modf)
def modf(x: Any) -> tuple[Any, Any]:
    """The fractional and the integer part of x, both with its sign."""
    return e.frac(x), e.trunc(x)


@implements(np.float_power)
def float_power(x: Any, y: Any) -> Any:
    """x ** y in float64."""
    return e.power(*(_double(item) for item in (x, y)))


def _double(value: Any) -> Any:
    operand = as_operand(value, "float_power")
    return operand.astype(np.float64) if hasattr(operand, "astype") else np.float64(operand)


@implements(np.ldexp)
def ldexp(x: Any, exponent: Any) -> Any:
    """x * 2 ** exponent. An exponent of integers takes no rounding; one of floats has a gradient too."""
    exponent = as_operand(exponent, "ldexp")
    if isinstance(exponent, float) or (hasattr(exponent, "dtype") and exponent.dtype.kind == "f"):
        return e.multiply(x, e.exp2(exponent) if hasattr(exponent, "dtype") else 2.0**exponent)
    return e.scale_by_power_of_two(x, exponent)


def addcmul(x: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """x + value * tensor1 * tensor2."""
    product = e.multiply(tensor1, tensor2)
    return e.add(x, product if isinstance(value, int) and value == 1 else e.multiply(product, value))


def addcdiv(x: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """x + value * tensor1 / tensor2."""
    quotient = e.divide(tensor1, tensor2)
    return e.add(x, quotient if isinstance(value, int) and value == 1 else e.multiply(quotient, value))


def lerp(x: Any, end: Any, weight: Any) -> Any:
    """x + weight * (end - x): linear interpolation, and exactly ``end`` for the number 1 as weight."""
    step = e.subtract(end, x)
    if isinstance(weight, int | float) and weight >= 0.5:
        return e.subtract(end, e.multiply(step, 1.0 - weight))
    return e.add(x, e.multiply(step, weight))
