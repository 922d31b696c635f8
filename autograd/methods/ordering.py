"""Tensor methods: order and positions."""

from __future__ import annotations

from typing import Any

from autograd.methods._names import ABSENT, one_of
from autograd.ops import ordering
from autograd.ops.indexing import take_along_axis
from autograd.ops.ordering import Sorted


class OrderingMethods:
    """Tensor methods: order and positions, in PyTorch's signatures."""

    __slots__ = ()

    def sort(self, dim: Any = ABSENT, descending: bool = False, stable: bool = True, *, axis: Any = ABSENT) -> Any:  # noqa: ARG002
        """The pair (values, indices) along an axis, stable; with ``axis=`` the values only."""
        if axis is not ABSENT:
            return ordering.sort(self, axis, descending)
        along = one_of("sort", dim, axis, -1)
        indices = ordering.argsort(self, along, descending)
        return Sorted(take_along_axis(self, indices, along), indices)

    def argsort(self, dim: Any = ABSENT, descending: bool = False, *, axis: Any = ABSENT) -> Any:
        """The positions that sort an axis, stable: an ndarray."""
        return ordering.argsort(self, one_of("argsort", dim, axis, -1), descending)

    def msort(self) -> Any:
        """Sorted along axis 0."""
        return ordering.msort(self)

    def topk(self, k: int, dim: Any = ABSENT, largest: bool = True, *, axis: Any = ABSENT) -> Any:
        """The pair (values, indices) of the k greatest (or least) elements, in order."""
        return ordering.topk(self, k, one_of("topk", dim, axis, -1), largest)

    def kthvalue(self, k: int, dim: Any = ABSENT, *, axis: Any = ABSENT) -> Any:
        """The pair (value, index) of the k-th least element, from 1."""
        return ordering.kthvalue(self, k, one_of("kthvalue", dim, axis, -1))

    def median(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The middle element; of an even number the mean of the two middle ones, as in NumPy (PyTorch takes the lower)."""
        return ordering.median(self, one_of("median", dim, axis), keepdim or keepdims)

    def argmax(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The position of the greatest element: an ndarray."""
        return ordering.argmax(self, one_of("argmax", dim, axis), keepdims=keepdim or keepdims)

    def argmin(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The position of the least element: an ndarray."""
        return ordering.argmin(self, one_of("argmin", dim, axis), keepdims=keepdim or keepdims)

    def nonzero(self) -> Any:
        """The positions of the elements that are not 0, one row each: an ndarray."""
        import numpy as np

        return np.stack(ordering.nonzero(self), axis=-1)
