"""Tensor methods: comparisons. They give plain ndarrays: it is visible that no gradient passes."""

from __future__ import annotations

from typing import Any

from autograd.ops import comparison


class ComparisonMethods:
    """Tensor methods: comparisons, as plain boolean ndarrays."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        return comparison.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return comparison.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return comparison.less(self, other)

    def __le__(self, other: Any) -> Any:
        return comparison.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return comparison.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return comparison.greater_equal(self, other)

    # on integers and bools
    __and__ = __rand__ = comparison.bitwise_and
    __or__ = __ror__ = comparison.bitwise_or
    __xor__ = __rxor__ = comparison.bitwise_xor
    __invert__ = comparison.bitwise_not
    __lshift__ = comparison.left_shift
    __rshift__ = comparison.right_shift

    def __rlshift__(self, other: Any) -> Any:
        return comparison.left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return comparison.right_shift(other, self)

    eq = comparison.equal
    ne = not_equal = comparison.not_equal
    lt = less = comparison.less
    le = less_equal = comparison.less_equal
    gt = greater = comparison.greater
    ge = greater_equal = comparison.greater_equal
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    isposinf = comparison.isposinf
    isneginf = comparison.isneginf
    signbit = comparison.signbit
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor
    logical_not = comparison.logical_not
    bitwise_and = comparison.bitwise_and
    bitwise_or = comparison.bitwise_or
    bitwise_xor = comparison.bitwise_xor
    bitwise_not = comparison.bitwise_not
    bitwise_left_shift = comparison.left_shift
    bitwise_right_shift = comparison.right_shift
    isclose = comparison.isclose
    allclose = comparison.allclose
    equal = comparison.array_equal  # PyTorch's: one bool; np.equal(t, u) is element by element
