"""Tensors that a module owns: parameters, which an optimizer changes, and buffers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor


class Parameter(Tensor):
    """A leaf tensor that registers itself when it is assigned to an attribute of a :class:`~nn.Module`.

    Args:
        data: numbers, an array or a Tensor; copied.
        requires_grad: False for a parameter that is not trained.

    Raises:
        TypeError: for data that is not floating point, unless ``requires_grad`` is False.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __reduce__(self) -> Any:
        return type(self), (self._data, self.requires_grad)


class UninitializedParameter(Parameter):
    """A parameter without a shape yet, in a lazy layer: it gets one, and stays the same object, at the first call.

    Args:
        pattern: the shape it will have, with None for what is not known yet.
        dtype: what it will have.
    """

    __slots__ = ()

    def __init__(self, pattern: Sequence[int | None], dtype: Any) -> None:
        # the pattern is kept as the shape of an array without elements: 0 for what is not known
        super().__init__(np.empty([0 if length is None else length for length in pattern], dtype))

    def fits(self, shape: Sequence[int]) -> bool:
        """True for a shape that it can get."""
        return len(shape) == self.ndim and all(known in (0, length) for known, length in zip(self.shape, shape, strict=True))

    def materialize(self, shape: Sequence[int]) -> None:
        """Gives it memory, and makes it an ordinary Parameter."""
        trained = self.requires_grad
        self.requires_grad_(False)  # the leaf of the graph knows the shape: it is made anew
        self._data = np.empty(tuple(shape), self._data.dtype)
        self.requires_grad_(trained)
        self.__class__ = Parameter  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return _uninitialized, (self.shape, self.dtype, self.requires_grad)

    def __repr__(self) -> str:
        return f"UninitializedParameter(dtype={self.dtype}); call the module once on an input to give it a shape"


def _uninitialized(pattern: Sequence[int], dtype: Any, requires_grad: bool) -> UninitializedParameter:
    parameter = UninitializedParameter(pattern, dtype)
    parameter.requires_grad_(requires_grad)
    return parameter


class Buffer(Tensor):
    """A tensor that is part of a module's state but is not trained; assigning it to an attribute registers it.

    Args:
        data: numbers, an array or a Tensor; copied.
        persistent: False to leave it out of ``state_dict``.
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent

    def __deepcopy__(self, memo: dict[Any, Any]) -> Buffer:
        copied: Buffer = super().__deepcopy__(memo)  # type: ignore[assignment]
        copied.persistent = self.persistent
        return copied

    def __reduce__(self) -> Any:
        return type(self), (self._data, self.persistent)
