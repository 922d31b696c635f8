"""What ``Tensor.data`` hands out: an ndarray that can also be filled and copied under PyTorch's names.

Programs initialise and average parameters past the graph, as in ``m.weight.data.normal_(0, 0.02)`` and
``average.data.mul_(0.9).add_(p.data, alpha=0.1)``. In everything else it is the ndarray that NumPy knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.primitive import constant


def _filled(name: str) -> Callable[..., Any]:
    """The Tensor method of this name, which writes into the array's memory; it returns the array."""

    def method(self: Array, *arguments: Any, **options: Any) -> Any:
        getattr(constant(self.view(np.ndarray)), name)(*arguments, **options)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"``Tensor.{name}`` on this array."
    return method


def _made(name: str) -> Callable[..., Any]:
    """The Tensor method of this name, which makes a Tensor."""

    def method(self: Array, *arguments: Any, **options: Any) -> Any:
        return getattr(constant(self.view(np.ndarray)), name)(*arguments, **options)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"``Tensor.{name}`` of this array."
    return method


class Borrowed(np.ndarray):
    """An ndarray that shares a tensor's memory, with PyTorch's methods for filling it."""

    add_ = _filled("add_")
    clamp_ = _filled("clamp_")
    copy_ = _filled("copy_")
    div_ = _filled("div_")
    fill_ = _filled("fill_")
    lerp_ = _filled("lerp_")
    mul_ = _filled("mul_")
    normal_ = _filled("normal_")
    sub_ = _filled("sub_")
    uniform_ = _filled("uniform_")
    zero_ = _filled("zero_")

    abs = _made("abs")
    clone = _made("clone")
    cpu = _made("cpu")
    detach = _made("detach")
    dim = _made("dim")
    new = _made("new")
    new_full = _made("new_full")
    new_ones = _made("new_ones")
    new_tensor = _made("new_tensor")
    new_zeros = _made("new_zeros")
    norm = _made("norm")
    numel = _made("numel")
    topk = _made("topk")

    def __array_wrap__(self, array: Array, context: Any = None, return_scalar: bool = False) -> Any:
        """What NumPy computes from it is NumPy's own."""
        plain = array.view(np.ndarray)
        return plain[()] if return_scalar else plain

    def __repr__(self) -> str:
        return repr(self.numpy())

    def numpy(self) -> Array:
        """The array under NumPy's own type."""
        return self.view(np.ndarray)
