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
