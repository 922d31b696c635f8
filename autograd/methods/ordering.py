"""Tensor methods: order and positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.methods._names import ABSENT, one_of
from autograd.ops import ordering
from autograd.ops.indexing import take_along_axis
from autograd.ops.ordering import Sorted
from autograd.primitive import constant


class OrderingMethods:
    """Tensor methods: order and positions, in PyTorch's signatures."""

    __slots__ = ()

    def sort(self, dim: Any = ABSENT, descending: bool = False, stable: bool = True, *, axis: Any = ABSENT) -> Any:  # noqa: ARG002
        """The pair (values, indices) along an axis, stable; with ``axis=`` the values only."""
        if axis is not ABSENT:
            return ordering.sort(self, axis, descending=descending)
        along = one_of("sort", dim, axis, -1)
        indices = ordering.argsort(self, along, descending=descending)
        return Sorted(take_along_axis(self, indices, along), constant(indices))

    def argsort(self, dim: Any = ABSENT, descending: bool = False, stable: bool = True, *, axis: Any = ABSENT) -> Any:  # noqa: ARG002
        """The positions that sort an axis, stable."""
        return constant(ordering.argsort(self, one_of("argsort", dim, axis, -1), descending=descending))

    def msort(self) -> Any:
        """Sorted along axis 0."""
        return ordering.msort(self)

    def topk(self, k: int, dim: Any = ABSENT, largest: bool = True, sorted: bool = True, *, axis: Any = ABSENT) -> Any:  # noqa: ARG002
        """The pair (values, indices) of the k greatest (or least) elements, in order."""
        return _with_tensors(ordering.topk(self, k, one_of("topk", dim, axis, -1), largest))

    def kthvalue(self, k: int, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT) -> Any:
        """The pair (value, index) of the k-th least element, from 1."""
        return _with_tensors(ordering.kthvalue(self, k, one_of("kthvalue", dim, axis, -1), keepdims=keepdim))

    def median(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The middle element; of an even number the mean of the two middle ones, as in NumPy (PyTorch takes the lower).

        With ``dim`` the pair (values, indices); of two middle ones the position is that of the lower.
        """
        keep = keepdim or keepdims
        values = ordering.median(self, one_of("median", dim, axis), keepdims=keep)
        if axis is not ABSENT or dim is ABSENT or dim is None:
            return values
        tensor: Any = self
        size = tensor.shape[dim]
        return _with_tensors(Sorted(values, ordering.kthvalue(tensor.detach(), (size + 1) // 2, dim, keepdims=keep).indices))

    def argmax(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The position of the greatest element."""
        return constant(ordering.argmax(self, one_of("argmax", dim, axis), keepdims=keepdim or keepdims))

    def argmin(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The position of the least element."""
        return constant(ordering.argmin(self, one_of("argmin", dim, axis), keepdims=keepdim or keepdims))

    def nonzero(self, as_tuple: bool = False) -> Any:
        """The positions of the elements that are not 0, one row each (``as_tuple``: one tensor for each axis)."""
        found = ordering.nonzero(self)
        return tuple(constant(each) for each in found) if as_tuple else constant(np.stack(found, axis=-1))

    def partition(self, kth: int, axis: int | None = -1) -> Any:
        """Rearranged so that the element at kth is where sorting would put it (a new tensor, unlike NumPy's)."""
        return ordering.partition(self, kth, axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Any:
        """Where to insert v into this sorted tensor."""
        return constant(ordering.searchsorted(self, v, side, sorter))


def _with_tensors(found: Sorted) -> Sorted:
    """The same pair with the positions as a Tensor, as methods give them."""
    return Sorted(found.values, constant(np.asarray(found.indices)))
