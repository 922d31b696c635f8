"""The Parameter: a tensor that a module owns and an optimizer updates."""

from __future__ import annotations

from typing import Any

from autograd import Tensor


class Parameter(Tensor):
    """A leaf tensor that registers itself when it is assigned to an attribute of a Module.

    Args:
        data: the values, copied.
        requires_grad: False for a parameter that is not trained.
    """

    __slots__ = ()

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = True) -> None:
        super().__init__(data, dtype, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
