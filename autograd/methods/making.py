"""Tensor methods: new tensors of the same dtype, random filling, and the device, of which there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import devices
from autograd.arrays import as_array
from autograd.devices import check_device, cpu
from autograd.primitive import constant
from autograd.random import numpy_generator


def _shape(size: tuple[Any, ...]) -> Any:
    return tuple(size[0]) if len(size) == 1 and not hasattr(size[0], "__index__") else size


class MakingMethods:
    """Tensor methods: ``new_zeros`` and its like, ``normal_`` and its like, ``device``."""

    __slots__ = ()

    _data: Any
    dtype: Any
    copy_: Any
    node: Any
    squeeze: Any
    t: Any
    transpose: Any
    unsqueeze: Any
    _requires_grad: bool
    is_cuda = False

    def _new(self, array: Any, dtype: Any, device: Any, requires_grad: bool, name: str) -> Any:
        check_device(device, name)
        made = constant(np.asarray(array, self.dtype if dtype is None else dtype))
        return made.requires_grad_() if requires_grad else made

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Zeros of a shape, in this dtype unless one is given."""
        return self._new(np.zeros(_shape(size), self.dtype), dtype, device, requires_grad, "new_zeros")

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Ones of a shape, in this dtype unless one is given."""
        return self._new(np.ones(_shape(size), self.dtype), dtype, device, requires_grad, "new_ones")

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Memory of a shape with whatever it holds, in this dtype unless one is given."""
        return self._new(np.empty(_shape(size), self.dtype), dtype, device, requires_grad, "new_empty")

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """One value everywhere, in this dtype unless one is given."""
        kind = self.dtype if dtype is None else dtype
        return self._new(np.full(size, as_array(fill_value), kind), kind, device, requires_grad, "new_full")

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """A copy of data, in this dtype unless one is given."""
        return self._new(np.array(as_array(data)), dtype, device, requires_grad, "new_tensor")

    new = new_empty

    # ---------------------------------------------------------------------------------------------- random filling

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
        """Filled with numbers from a normal distribution, in place."""
        if std < 0:
            raise ValueError(f"normal_: expected std >= 0, got {std}")
        return self.copy_(numpy_generator(generator).normal(mean, std, self._data.shape))

    def uniform_(self, low: float = 0.0, high: float = 1.0, *, generator: Any = None) -> Any:
        """Filled with uniform numbers in [low, high), in place."""
        if not low <= high:
            raise ValueError(f"uniform_: expected low <= high, got {low} and {high}")
        return self.copy_(numpy_generator(generator).uniform(low, high, self._data.shape))

    def bernoulli_(self, p: float = 0.5, *, generator: Any = None) -> Any:
        """Filled with 1 with probability p and 0 otherwise, in place."""
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"bernoulli_: expected p between 0 and 1, got {p}")
        return self.copy_(numpy_generator(generator).random(self._data.shape) < p)

    def fill_diagonal_(self, fill_value: float) -> Any:
        """Sets the diagonal of a matrix to a number, in place."""
        if self._data.ndim != 2:
            raise ValueError(f"fill_diagonal_: expected a matrix, got shape {self._data.shape}")
        places = np.arange(min(self._data.shape))
        self[places, places] = fill_value  # type: ignore[index]
        return self

    # ---------------------------------------------------------------------------------------------- shape in place

    def squeeze_(self, dim: Any = None) -> Any:
        """Drops axes of size 1, in place, of a tensor without gradient."""
        return self._become(self.squeeze() if dim is None else self.squeeze(dim), "squeeze_")

    def t_(self) -> Any:
        """Exchanges the axes of a matrix, in place, of a tensor without gradient."""
        return self._become(self.t(), "t_")

    def transpose_(self, dim0: int, dim1: int) -> Any:
        """Exchanges two axes, in place, of a tensor without gradient."""
        return self._become(self.transpose(dim0, dim1), "transpose_")

    def unsqueeze_(self, dim: int) -> Any:
        """Adds an axis of size 1, in place, to a tensor without gradient."""
        return self._become(self.unsqueeze(dim), "unsqueeze_")

    def _become(self, result: Any, name: str) -> Any:
        if self._requires_grad:
            raise RuntimeError(
                f"{name}: expected a tensor that does not require grad; use {name[:-1]}(), which makes a new one"
            )
        self._data, self.node = result._data, result.node
        return self

    # ---------------------------------------------------------------------------------------------- device

    @property
    def device(self) -> devices.device:
        """Where the tensor is: always the CPU."""
        return cpu

    def cpu(self) -> Any:
        """The tensor itself: the CPU is where all tensors are."""
        return self
