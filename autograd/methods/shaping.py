"""Tensor methods: shape, joining and splitting, in PyTorch's signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.methods._names import ABSENT, one_of
from autograd.ops import diagonals, joining, shaping
from autograd.ops._axes import one_axis


def _sizes(size: tuple[Any, ...]) -> Any:
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], tuple | list) else size


class ShapingMethods:
    """Tensor methods: shape, joining and splitting."""

    __slots__ = ()

    _data: Any

    @property
    def T(self) -> Any:  # noqa: N802  (NumPy's name)
        """The axes reversed."""
        return shaping.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802
        """The last two axes exchanged."""
        return shaping.swapaxes(self, -1, -2)

    @property
    def nbytes(self) -> int:
        """The bytes of the values."""
        return int(self._data.nbytes)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self._data.itemsize)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis. (NumPy's ``a.size`` is ``t.numel()``.)"""
        shape = self._data.shape
        return shape if dim is None else shape[one_axis(dim, len(shape), "size")]

    def dim(self) -> int:
        """The number of axes."""
        return int(self._data.ndim)

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return int(self._data.itemsize)

    def is_contiguous(self) -> bool:
        """True when the elements lie in row-major order without gaps."""
        return bool(self._data.flags.c_contiguous)

    def contiguous(self) -> Any:
        """The tensor itself if it is contiguous, else a copy that is."""
        return self if self.is_contiguous() else self.clone()  # type: ignore[attr-defined]

    def reshape(self, *shape: Any) -> Any:
        """The same elements in another shape; one size may be -1."""
        return shaping.reshape(self, _sizes(shape))

    def view(self, *shape: Any) -> Any:
        """``reshape`` (or, with a dtype, ``to``): strides never make it fail."""
        if len(shape) == 1 and not isinstance(shape[0], int | tuple | list) and not hasattr(shape[0], "__index__"):
            return self.to(shape[0])  # type: ignore[attr-defined]
        return shaping.reshape(self, _sizes(shape))

    def view_as(self, other: Any) -> Any:
        """The same elements in the shape of another tensor."""
        return shaping.view_as(self, other)

    reshape_as = view_as

    def ravel(self) -> Any:
        """All elements along one axis."""
        return shaping.ravel(self)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Any:
        """The axes from start_dim to end_dim as one."""
        return shaping.flatten(self, start_dim, end_dim)

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Any:
        """One axis as several."""
        return shaping.unflatten(self, dim, sizes)

    def transpose(self, *dims: Any, axes: Any = ABSENT) -> Any:
        """Two axes exchanged, ``t.transpose(0, 1)``; with ``axes=`` NumPy's transpose."""
        if axes is not ABSENT:
            return shaping.transpose(self, axes)
        if len(dims) != 2:
            raise TypeError(f"transpose: expected two axes, got {dims}; use permute() or transpose(axes=...) for all of them")
        return shaping.swapaxes(self, *dims)

    def permute(self, *order: Any, dims: Any = ()) -> Any:
        """The axes in another order."""
        return shaping.transpose(self, _sizes(order or (dims,)))

    def t(self) -> Any:
        """The transpose of a matrix."""
        if self._data.ndim > 2:
            raise ValueError(f"t: expected at most 2 axes, got shape {self._data.shape}")
        return shaping.transpose(self)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Two axes exchanged."""
        return shaping.swapaxes(self, axis1, axis2)

    swapdims = swapaxes

    def moveaxis(self, source: Any, destination: Any) -> Any:
        """Axes moved to other places."""
        return shaping.moveaxis(self, source, destination)

    movedim = moveaxis

    def unsqueeze(self, dim: int) -> Any:
        """A new axis of size 1."""
        return shaping.expand_dims(self, dim)

    def squeeze(self, dim: Any = ABSENT, *, axis: Any = ABSENT) -> Any:
        """Without axes of size 1; a given ``dim`` of another size stays, a given ``axis`` must have size 1."""
        if axis is not ABSENT:
            return shaping.squeeze(self, axis)
        if dim is ABSENT or dim is None:
            return shaping.squeeze(self)
        shape = self._data.shape
        dims = dim if isinstance(dim, tuple | list) else (dim,)
        return shaping.squeeze(self, tuple(d for d in dims if shape[one_axis(d, len(shape), "squeeze")] == 1))

    def expand(self, *size: Any) -> Any:
        """Repeated along axes of size 1 and new ones, without a copy; -1 keeps a size."""
        return shaping.expand(self, _sizes(size))

    def expand_as(self, other: Any) -> Any:
        """Expanded to the shape of another tensor."""
        return shaping.expand_as(self, other)

    def broadcast_to(self, *size: Any) -> Any:
        """Expanded to a shape."""
        return shaping.broadcast_to(self, _sizes(size))

    def sum_to_size(self, *size: Any) -> Any:
        """Summed to a shape that broadcasts to this one."""
        return shaping.sum_to_size(self, _sizes(size))

    def flip(self, *axes: Any, dims: Any = ()) -> Any:
        """Axes in reverse order."""
        return shaping.flip(self, _sizes(axes or (dims,)))

    def fliplr(self) -> Any:
        """Columns in reverse order."""
        return shaping.fliplr(self)

    def flipud(self) -> Any:
        """Rows in reverse order."""
        return shaping.flipud(self)

    def rot90(self, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
        """Rotated by k times 90 degrees."""
        return shaping.rot90(self, k, dims)

    def roll(self, shifts: Any, dims: Any = None) -> Any:
        """Elements moved along axes, round and round."""
        return joining.roll(self, shifts, dims)

    def repeat(self, *sizes: Any) -> Any:
        """The tensor repeated as a whole along each axis (PyTorch's; NumPy's ``repeat`` is ``repeat_interleave``)."""
        counts = _sizes(sizes)
        if len(counts) < self._data.ndim:
            raise ValueError(f"repeat: expected a count for each of {self._data.ndim} axes, got {counts}")
        return joining.tile(self, counts)

    def tile(self, *dims: Any) -> Any:
        """The tensor repeated as a whole."""
        return joining.tile(self, _sizes(dims))

    def repeat_interleave(self, repeats: Any, dim: Any = ABSENT, *, axis: Any = ABSENT) -> Any:
        """Each element, or slice along an axis, repeated."""
        return joining.repeat(self, repeats, one_of("repeat_interleave", dim, axis))

    def split(self, split_size: Any, dim: int = 0) -> Any:
        """Pieces of one size along an axis, the last one smaller; or of several given sizes."""
        if isinstance(split_size, tuple | list):
            return tuple(joining.split_with_sizes(self, split_size, dim))
        return tuple(joining.split_by_size(self, split_size, dim))

    def split_with_sizes(self, split_sizes: Sequence[int], dim: int = 0) -> Any:
        """Pieces of these sizes."""
        return tuple(joining.split_with_sizes(self, split_sizes, dim))

    def tensor_split(self, indices_or_sections: Any, dim: int = 0) -> Any:
        """A number of pieces of nearly equal size, or split at positions."""
        return tuple(joining.array_split(self, indices_or_sections, dim))

    def hsplit(self, sections: Any) -> Any:
        """Split along axis 1."""
        return tuple(joining.hsplit(self, sections))

    def vsplit(self, sections: Any) -> Any:
        """Split along axis 0."""
        return tuple(joining.vsplit(self, sections))

    def dsplit(self, sections: Any) -> Any:
        """Split along axis 2."""
        return tuple(joining.dsplit(self, sections))

    def chunk(self, chunks: int, dim: int = 0) -> Any:
        """At most this many pieces of equal size, the last one smaller."""
        return tuple(joining.chunk(self, chunks, dim))

    def unbind(self, dim: int = 0) -> Any:
        """The slices along an axis."""
        return joining.unbind(self, dim)

    def tril(self, diagonal: int = 0) -> Any:
        """The lower triangle."""
        return diagonals.tril(self, diagonal)

    def triu(self, diagonal: int = 0) -> Any:
        """The upper triangle."""
        return diagonals.triu(self, diagonal)

    def diag(self, diagonal: int = 0) -> Any:
        """The diagonal of a matrix, or the matrix with a vector on it."""
        return diagonals.diag(self, diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
        """The diagonals of the matrices in two axes."""
        return diagonals.diagonal(self, offset, dim1, dim2)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
        """Matrices with the last axis on a diagonal."""
        return diagonals.diag_embed(self, offset, dim1, dim2)

    def diagflat(self, offset: int = 0) -> Any:
        """The matrix with all elements on a diagonal."""
        return diagonals.diagflat(self, offset)
