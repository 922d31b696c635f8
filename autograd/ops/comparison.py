"""Comparisons and predicates: functions without a derivative. They return plain ndarrays, so it shows that no gradient passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.primitive import as_operand, implements, quiet


def _values(value: Any, name: str) -> Any:
    operand = as_operand(value, name)
    return getattr(operand, "_data", operand)


def _predicate(ufunc: np.ufunc) -> Callable[..., Any]:
    """A NumPy predicate as a function of Tensors."""

    def function(*arguments: Any) -> Any:
        return np.asarray(quiet.run(ufunc, *(_values(argument, ufunc.__name__) for argument in arguments)))

    function.__name__ = function.__qualname__ = ufunc.__name__
    function.__doc__ = f"``np.{ufunc.__name__}`` of the values: a boolean ndarray."
    return implements(ufunc)(function)


less = _predicate(np.less)
less_equal = _predicate(np.less_equal)
greater = _predicate(np.greater)
greater_equal = _predicate(np.greater_equal)
isnan = _predicate(np.isnan)
isinf = _predicate(np.isinf)
isfinite = _predicate(np.isfinite)
logical_and = _predicate(np.logical_and)
logical_or = _predicate(np.logical_or)
logical_xor = _predicate(np.logical_xor)
logical_not = _predicate(np.logical_not)
signbit = _predicate(np.signbit)


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
