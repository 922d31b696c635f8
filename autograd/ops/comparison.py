"""Comparisons and predicates have no derivative: they return plain ndarrays, so it shows that no gradient passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.declare import implements
from autograd.primitive import as_operand, quiet


def _values(value: Any, name: str) -> Any:
    operand = as_operand(value, name)
    return getattr(operand, "_data", operand)


def _predicate(function: Any, doc: str) -> Callable[..., Any]:
    """A NumPy function of arrays that has no derivative, as a function of Tensors that returns an ndarray."""
    name = function.__name__

    def predicate(*arguments: Any) -> Any:
        return np.asarray(quiet.run(function, *(_values(argument, name) for argument in arguments)))

    predicate.__name__ = predicate.__qualname__ = name
    predicate.__doc__ = doc
    return implements(function)(predicate)


less = _predicate(np.less, "x < y.")
less_equal = _predicate(np.less_equal, "x <= y.")
greater = _predicate(np.greater, "x > y.")
greater_equal = _predicate(np.greater_equal, "x >= y.")
isnan = _predicate(np.isnan, "True for nan.")
isinf = _predicate(np.isinf, "True for inf and -inf.")
isfinite = _predicate(np.isfinite, "False for nan, inf and -inf.")
isposinf = _predicate(np.isposinf, "True for inf.")
isneginf = _predicate(np.isneginf, "True for -inf.")
signbit = _predicate(np.signbit, "True for negative numbers and -0.0.")
logical_and = _predicate(np.logical_and, "True where both x and y are not 0.")
logical_or = _predicate(np.logical_or, "True where x or y is not 0.")
logical_xor = _predicate(np.logical_xor, "True where one of x and y is 0.")
logical_not = _predicate(np.logical_not, "True where x is 0.")

# on integers and bools, which are constants
bitwise_and = _predicate(np.bitwise_and, "x & y, of integers or bools.")
bitwise_or = _predicate(np.bitwise_or, "x | y, of integers or bools.")
bitwise_xor = _predicate(np.bitwise_xor, "x ^ y, of integers or bools.")
bitwise_not = _predicate(np.bitwise_not, "~x, of integers or bools.")
left_shift = _predicate(np.left_shift, "x << y, of integers.")
right_shift = _predicate(np.right_shift, "x >> y, of integers.")
gcd = _predicate(np.gcd, "The greatest common divisor of integers.")
lcm = _predicate(np.lcm, "The least common multiple of integers.")


@implements(np.equal)
def equal(a: Any, b: Any) -> Any:
    """``a == b`` element by element; False everywhere when one of them is not numeric (None, say)."""
    try:
        return np.asarray(np.equal(_values(a, "equal"), _values(b, "equal")))
    except TypeError:
        shape = next(value.shape for value in (a, b) if hasattr(value, "shape"))
        return np.zeros(shape, np.bool_)


@implements(np.not_equal)
def not_equal(a: Any, b: Any) -> Any:
    """``a != b`` element by element."""
    return np.logical_not(equal(a, b))


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Where ``|a - b| <= atol + rtol * |b|``.

    Args:
        a, b: arrays of shapes that broadcast.
        rtol, atol: the relative and the absolute tolerance.
        equal_nan: whether nan is close to nan.
    """
    close = quiet.run(np.isclose, _values(a, "isclose"), _values(b, "isclose"), rtol, atol, equal_nan)
    return np.asarray(close)


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """True when :func:`isclose` holds everywhere."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """True when both have the same shape and values."""
    return bool(quiet.run(np.array_equal, _values(a1, "array_equal"), _values(a2, "array_equal"), equal_nan))


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> bool:
    """True when both have the same values after broadcasting one to the other."""
    return bool(quiet.run(np.array_equiv, _values(a1, "array_equiv"), _values(a2, "array_equiv")))
