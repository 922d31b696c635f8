"""Tensor methods: comparisons. They give constants: tensors of bools (or whole numbers), from which no gradient comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.ops import comparison
from autograd.primitive import constant


def as_constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that wraps the array of ``function(self, ...)`` in a Tensor without gradient."""

    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        return constant(function(self, *arguments, **options))

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


class ComparisonMethods:
    """Tensor methods: comparisons and predicates, as boolean tensors; functions such as ``np.less`` give ndarrays."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        return constant(comparison.equal(self, other))

    def __ne__(self, other: object) -> Any:
        return constant(comparison.not_equal(self, other))

    def __lt__(self, other: Any) -> Any:
        return constant(comparison.less(self, other))

    def __le__(self, other: Any) -> Any:
        return constant(comparison.less_equal(self, other))

    def __gt__(self, other: Any) -> Any:
        return constant(comparison.greater(self, other))

    def __ge__(self, other: Any) -> Any:
        return constant(comparison.greater_equal(self, other))

    # on integers and bools
    __and__ = __rand__ = as_constant(comparison.bitwise_and)
    __or__ = __ror__ = as_constant(comparison.bitwise_or)
    __xor__ = __rxor__ = as_constant(comparison.bitwise_xor)
    __invert__ = as_constant(comparison.bitwise_not)
    __lshift__ = as_constant(comparison.left_shift)
    __rshift__ = as_constant(comparison.right_shift)

    def __rlshift__(self, other: Any) -> Any:
        return constant(comparison.left_shift(other, self))

    def __rrshift__(self, other: Any) -> Any:
        return constant(comparison.right_shift(other, self))

    eq = as_constant(comparison.equal)
    ne = not_equal = as_constant(comparison.not_equal)
    lt = less = as_constant(comparison.less)
    le = less_equal = as_constant(comparison.less_equal)
    gt = greater = as_constant(comparison.greater)
    ge = greater_equal = as_constant(comparison.greater_equal)
    isnan = as_constant(comparison.isnan)
    isinf = as_constant(comparison.isinf)
    isfinite = as_constant(comparison.isfinite)
    isposinf = as_constant(comparison.isposinf)
    isneginf = as_constant(comparison.isneginf)
    signbit = as_constant(comparison.signbit)
    logical_and = as_constant(comparison.logical_and)
    logical_or = as_constant(comparison.logical_or)
    logical_xor = as_constant(comparison.logical_xor)
    logical_not = as_constant(comparison.logical_not)
    bitwise_and = as_constant(comparison.bitwise_and)
    bitwise_or = as_constant(comparison.bitwise_or)
    bitwise_xor = as_constant(comparison.bitwise_xor)
    bitwise_not = as_constant(comparison.bitwise_not)
    bitwise_left_shift = as_constant(comparison.left_shift)
    bitwise_right_shift = as_constant(comparison.right_shift)
    isclose = as_constant(comparison.isclose)
    allclose = comparison.allclose
    equal = comparison.array_equal  # PyTorch's: one bool; np.equal(t, u) is element by element
