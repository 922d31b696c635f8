"""Tensors that a module owns and an optimizer changes."""

from __future__ import annotations

from typing import Any

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
