"""Tensor methods: picking and placing by index, in PyTorch's signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.ops import indexing, shaping


class IndexingMethods:
    """Tensor methods: picking and placing by index."""

    __slots__ = ()

    _data: Any

    def take(self, index: Any, axis: int | None = None) -> Any:
        """The elements at these positions of the flat tensor, or slices along an axis."""
        return indexing.take(self, index, axis)

    def index_select(self, dim: int, index: Any) -> Any:
        """The slices at these positions of an axis."""
        return indexing.index_select(self, dim, index)

    def select(self, dim: int, index: int) -> Any:
        """One slice of an axis, without the axis."""
        axis = dim % self._data.ndim if -self._data.ndim <= dim < self._data.ndim else dim
        return shaping.moveaxis(self, axis, 0)[index]

    def narrow(self, dim: int, start: int, length: int) -> Any:
        """``length`` slices of an axis from ``start`` on."""
        return indexing.narrow(self, dim, start, length)

    def gather(self, dim: int, index: Any) -> Any:
        """``out[i][j] = self[index[i][j]][j]`` (for dim 0)."""
        return indexing.gather(self, dim, index)

    def take_along_dim(self, indices: Any, dim: int | None = None) -> Any:
        """``take_along_axis``."""
        return indexing.take_along_axis(self, indices, dim)

    def masked_select(self, mask: Any) -> Any:
        """The elements where the mask is True."""
        return indexing.masked_select(self, mask)

    def masked_scatter(self, mask: Any, source: Any) -> Any:
        """A copy with the elements of source where the mask is True."""
        return indexing.masked_scatter(self, mask, source)

    def scatter(self, dim: int, index: Any, src: Any = None, *, value: float | None = None) -> Any:
        """A copy with ``out[index[i][j]][j] = src[i][j]`` (for dim 0), or a number there."""
        return indexing.scatter(self, dim, index, src, value=value)

    def scatter_add(self, dim: int, index: Any, src: Any) -> Any:
        """A copy with ``src[i][j]`` added to ``out[index[i][j]][j]`` (for dim 0)."""
        return indexing.scatter_add(self, dim, index, src)

    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
        """A copy with slices added at positions of an axis."""
        return indexing.index_add(self, dim, index, source, alpha=alpha)

    def index_copy(self, dim: int, index: Any, source: Any) -> Any:
        """A copy with slices written at positions of an axis."""
        return indexing.index_copy(self, dim, index, source)

    def index_fill(self, dim: int, index: Any, value: Any) -> Any:
        """A copy with a number in slices of an axis."""
        return indexing.index_fill(self, dim, index, value)

    def index_put(self, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
        """A copy with values written or added at an index."""
        return indexing.index_put(self, indices, values, accumulate)

    def put(self, index: Any, source: Any, accumulate: bool = False) -> Any:
        """A copy with values at positions of the flat tensor."""
        return indexing.put(self, index, source, accumulate)
