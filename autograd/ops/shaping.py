"""Changes of shape: the same elements under another index. None of them copies where NumPy need not."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.declare import implements, internal
from autograd.ops._axes import axis_tuple, one_axis
from autograd.ops.reductions import tensor_of

_reshape = internal(
    lambda x, *, shape, origin: np.reshape(x, shape),  # noqa: ARG005  (the rule needs it)
    lambda g, _y, _x, *, shape, origin: np.reshape(g, origin),  # noqa: ARG005
    name="reshape",
    view=True,
)
_transpose = internal(
    lambda x, *, axes: np.transpose(x, axes),
    lambda g, _y, _x, *, axes: np.transpose(g, tuple(int(i) for i in np.argsort(axes))),
    name="transpose",
    view=True,
)
_broadcast_to = internal(
    lambda x, *, shape: np.broadcast_to(x, shape),
    lambda g, _y, _x, *, shape: g,  # noqa: ARG005  (the engine undoes broadcasting)
    name="broadcast_to",
    view=True,
)
_flip = internal(
    lambda x, *, axis: np.flip(x, axis),
    lambda g, _y, _x, *, axis: np.flip(g, axis),
    name="flip",
    view=True,
)


def _sizes(shape: Any, op: str) -> tuple[int, ...]:
    given = shape if isinstance(shape, tuple | list) else (shape,)
    try:
        return tuple(operator.index(size) for size in given)
    except TypeError:
        raise TypeError(f"{op}: expected whole numbers as shape, got {shape!r}") from None


@implements(np.reshape)
def reshape(x: Any, shape: int | Sequence[int], order: str = "C") -> Any:
    """The same elements in another shape; one size may be -1, which stands for the rest.

    They are read and placed in row-major order ("C"), or with the first index running fastest ("F").

    Raises:
        ValueError: for a shape of another number of elements.
    """
    if order != "C":
        if order != "F":
            raise ValueError(f"reshape: expected order 'C' or 'F', got {order!r}; a Tensor does not show its layout in memory")
        return transpose(reshape(transpose(x), _sizes(shape, "reshape")[::-1]))
    x = tensor_of(x, "reshape")
    wanted = _sizes(shape, "reshape")
    known = math.prod(size for size in wanted if size != -1)
    unknown = wanted.count(-1)
    size = x._data.size
    fits = known == size if unknown == 0 else unknown == 1 and known > 0 and size % known == 0
    if not fits or min(wanted, default=0) < -1:
        raise ValueError(f"reshape: expected a shape for {size} elements of {x.shape}, got {wanted}")
    return _reshape(x, shape=wanted, origin=x.shape)


@implements(np.ravel)
def ravel(x: Any, order: str = "C") -> Any:
    """All elements along one axis, in row-major order ("C") or with the first index running fastest ("F")."""
    return reshape(x, -1, order)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from start_dim to end_dim as one."""
    x = tensor_of(x, "flatten")
    if x.ndim == 0:
        return reshape(x, 1)
    first, last = one_axis(start_dim, x.ndim, "flatten"), one_axis(end_dim, x.ndim, "flatten")
    if first > last:
        raise ValueError(f"flatten: expected start_dim <= end_dim, got {start_dim} and {end_dim}")
    return reshape(x, (*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One axis as several of these sizes."""
    x = tensor_of(x, "unflatten")
    axis = one_axis(dim, x.ndim, "unflatten")
    return reshape(x, (*x.shape[:axis], *_sizes(sizes, "unflatten"), *x.shape[axis + 1 :]))


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order; reversed without one."""
    x = tensor_of(x, "transpose")
    order = tuple(reversed(range(x.ndim))) if axes is None else axis_tuple(tuple(axes), x.ndim, "transpose")
    if len(order) != x.ndim:
        raise ValueError(f"transpose: expected {x.ndim} axes for shape {x.shape}, got {order}")
    return _transpose(x, axes=order)


permute = transpose


implements(np.matrix_transpose)(lambda x: swapaxes(x, -1, -2))


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    x = tensor_of(x, "swapaxes")
    order = list(range(x.ndim))
    first, second = one_axis(axis1, x.ndim, "swapaxes"), one_axis(axis2, x.ndim, "swapaxes")
    order[first], order[second] = second, first
    return _transpose(x, axes=tuple(order))


@implements(np.moveaxis)
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Axes moved to other places; the others keep their order."""
    x = tensor_of(x, "moveaxis")
    origin, target = axis_tuple(source, x.ndim, "moveaxis"), axis_tuple(destination, x.ndim, "moveaxis")
    if len(origin) != len(target):
        raise ValueError(f"moveaxis: expected as many sources as destinations, got {source} and {destination}")
    order = [axis for axis in range(x.ndim) if axis not in origin]
    for place, axis in sorted(zip(target, origin, strict=True)):
        order.insert(place, axis)
    return _transpose(x, axes=tuple(order))


movedim = moveaxis


@implements(np.expand_dims)
def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """New axes of size 1, at these places of the result."""
    x = tensor_of(x, "expand_dims")
    count = len(axis) if isinstance(axis, tuple | list) else 1
    places = axis_tuple(axis, x.ndim + count, "expand_dims")
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if place in places else next(sizes) for place in range(x.ndim + count)))


unsqueeze = expand_dims


@implements(np.squeeze)
def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Without axes of size 1: all of them, or these."""
    x = tensor_of(x, "squeeze")
    if axis is None:
        return reshape(x, tuple(size for size in x.shape if size != 1))
    axes = axis_tuple(axis, x.ndim, "squeeze")
    for each in axes:
        if x.shape[each] != 1:
            raise ValueError(f"squeeze: expected size 1 at axis {each}, got shape {x.shape}")
    return reshape(x, tuple(size for each, size in enumerate(x.shape) if each not in axes))


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Any:
    """x repeated along new axes and those of size 1, without a copy (and so read-only)."""
    x = tensor_of(x, "broadcast_to")
    wanted = _sizes(shape, "broadcast_to")
    if len(wanted) < x.ndim or any(a not in (1, b) for a, b in zip(reversed(x.shape), reversed(wanted), strict=False)):
        raise ValueError(f"broadcast_to: expected a shape that {x.shape} broadcasts to, got {wanted}")
    return _broadcast_to(x, shape=wanted)


def expand(x: Any, shape: int | Sequence[int]) -> Any:
    """``broadcast_to`` in PyTorch's form: -1 keeps the size of an axis."""
    x = tensor_of(x, "expand")
    wanted = _sizes(shape, "expand")
    added = len(wanted) - x.ndim
    full = tuple(x.shape[place - added] if size == -1 and place >= added else size for place, size in enumerate(wanted))
    return broadcast_to(x, full)


def expand_as(x: Any, other: Any) -> Any:
    """x broadcast to the shape of another tensor."""
    return broadcast_to(x, tensor_of(other, "expand_as").shape)


def view_as(x: Any, other: Any) -> Any:
    """x in the shape of another tensor."""
    return reshape(x, tensor_of(other, "view_as").shape)


reshape_as = view_as


@implements(np.broadcast_arrays)
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Tensors broadcast against each other."""
    given = [tensor_of(x, "broadcast_tensors") for x in tensors]
    try:
        shape = np.broadcast_shapes(*(x.shape for x in given))
    except ValueError:
        shapes = ", ".join(str(x.shape) for x in given)
        raise ValueError(f"broadcast_tensors: expected shapes that broadcast, got {shapes}") from None
    return tuple(broadcast_to(x, shape) for x in given)


def sum_to_size(x: Any, shape: int | Sequence[int]) -> Any:
    """The adjoint of broadcasting: x summed to a shape that broadcasts to its own."""
    from autograd.backward import unbroadcast

    x = tensor_of(x, "sum_to_size")
    wanted = _sizes(shape, "sum_to_size")
    if len(wanted) > x.ndim or any(a not in (1, b) for a, b in zip(reversed(wanted), reversed(x.shape), strict=False)):
        raise ValueError(f"sum_to_size: expected a shape that broadcasts to {x.shape}, got {wanted}")
    return unbroadcast(x, wanted)


@implements(np.flip)
def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The elements along these axes (all without any) in reverse order."""
    x = tensor_of(x, "flip")
    return _flip(x, axis=axis_tuple(axis, x.ndim, "flip"))


@implements(np.fliplr)
def fliplr(x: Any) -> Any:
    """Columns in reverse order."""
    return flip(x, 1)


@implements(np.flipud)
def flipud(x: Any) -> Any:
    """Rows in reverse order."""
    return flip(x, 0)


@implements(np.rot90)
def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Rotated k times by 90 degrees in the plane of two axes, from the first towards the second."""
    x = tensor_of(x, "rot90")
    first, second = axis_tuple(tuple(axes), x.ndim, "rot90")
    turns = k % 4
    if turns == 0:
        return reshape(x, x.shape)
    if turns == 2:
        return flip(x, (first, second))
    if turns == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second)


@implements(np.atleast_1d)
def atleast_1d(*tensors: Any) -> Any:
    """x with at least one axis. Of several tensors, a tuple."""
    if len(tensors) != 1:
        return tuple(atleast_1d(each) for each in tensors)
    x = tensor_of(tensors[0], "atleast_1d")
    return reshape(x, 1) if x.ndim == 0 else x


@implements(np.atleast_2d)
def atleast_2d(*tensors: Any) -> Any:
    """x with at least two axes, new ones in front. Of several tensors, a tuple."""
    if len(tensors) != 1:
        return tuple(atleast_2d(each) for each in tensors)
    x = tensor_of(tensors[0], "atleast_2d")
    return reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x


@implements(np.atleast_3d)
def atleast_3d(*tensors: Any) -> Any:
    """x with at least three axes: (N,) becomes (1, N, 1), and (M, N) becomes (M, N, 1). Of several tensors, a tuple."""
    if len(tensors) != 1:
        return tuple(atleast_3d(each) for each in tensors)
    x = atleast_2d(tensors[0])
    return reshape(x, (*x.shape, 1)) if x.ndim < 3 else x


@implements(np.shape)
def shape(x: Any) -> tuple[int, ...]:
    """The size of each axis."""
    found: tuple[int, ...] = tensor_of(x, "shape").shape
    return found


@implements(np.ndim)
def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


@implements(np.size)
def size(x: Any, axis: int | None = None) -> int:
    """The number of elements, or the size of one axis."""
    sizes = shape(x)
    return math.prod(sizes) if axis is None else sizes[one_axis(axis, len(sizes), "size")]
