"""Columns brought to one scale, and back, as functions of tensors that can be differentiated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor
from autograd.arrays import Array, as_array, get_default_dtype
from autograd.primitive import constant

Self = TypeVar("Self", bound="Scaler")


class Scaler:
    """y = (x - shift) / scale + offset, and back. A subclass finds ``shift`` and ``scale`` in data.

    Attributes:
        shift: a tensor of the shape of one sample, once fitted.
        scale: the same, nowhere 0.
    """

    offset = 0.0
    shift: Tensor | None = None
    scale: Tensor | None = None

    def fit(self: Self, X: Any) -> Self:
        """Finds shift and scale in samples along the first axis; returns the scaler.

        Args:
            X: a tensor or an array of shape (samples, ...). Whole numbers count as the default dtype.

        Raises:
            ValueError: for no samples, for nan or inf, and for numbers whose spread is more than the dtype can hold.
        """
        where = type(self).__name__
        array = X._data if isinstance(X, Tensor) else as_array(X, where=where)
        if array.ndim == 0 or array.shape[0] == 0:
            raise ValueError(f"{where}: expected at least one sample along the first axis, got shape {array.shape}")
        dtype = array.dtype if array.dtype.kind == "f" else get_default_dtype()
        if not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{where}: expected finite numbers, got {array[tuple(place)]} at {place}")
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            shift, scale = (np.asarray(each, np.float64).astype(dtype) for each in self.measure(array.astype(np.float64)))
        if not (np.isfinite(shift).all() and np.isfinite(scale).all()):
            raise ValueError(
                f"{where}: expected a spread that {dtype} can hold, got numbers from {array.min()} to {array.max()}"
            )
        # a column of one value has no spread: it counts as 1, instead of a division by 0
        self.shift, self.scale = constant(shift), constant(np.where(scale == 0, np.ones((), dtype), scale))
        return self

    def measure(self, array: Array) -> tuple[Array, Array]:
        """Shift and scale of float64 samples."""
        raise NotImplementedError(f"{type(self).__name__}: expected a measure method, found none")

    def transform(self, x: Any) -> Tensor:
        """(x - shift) / scale + offset."""
        shift, scale = self._fitted()
        scaled: Tensor = (self._checked(x) - shift) / scale
        return scaled + self.offset if self.offset else scaled

    __call__ = transform

    def fit_transform(self, X: Any) -> Tensor:
        """Fits to X, and transforms it."""
        return self.fit(X).transform(X)

    def inverse_transform(self, y: Any) -> Tensor:
        """(y - offset) * scale + shift."""
        shift, scale = self._fitted()
        y = self._checked(y)
        restored: Tensor = (y - self.offset if self.offset else y) * scale + shift
        return restored

    def state_dict(self) -> dict[str, Tensor]:
        """Shift and scale by name."""
        shift, scale = self._fitted()
        return {"shift": shift, "scale": scale}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over shift and scale.

        Raises:
            ValueError: for other names, for unequal shapes, and for a scale of 0, nan or inf; nothing has changed then.
        """
        where = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping) or set(state_dict) != {"shift", "scale"}:
            names = sorted(map(str, state_dict)) if isinstance(state_dict, Mapping) else type(state_dict).__name__
            raise ValueError(f"{where}: expected 'shift' and 'scale', got {names}")
        shift, scale = Tensor(state_dict["shift"]), Tensor(state_dict["scale"])
        if shift.shape != scale.shape or shift.dtype != scale.dtype or shift.dtype.kind != "f":
            got = f"{shift.dtype} of shape {shift.shape} and {scale.dtype} of shape {scale.shape}"
            raise ValueError(f"{where}: expected floats of equal shape and dtype, got {got}")
        if not (np.isfinite(shift._data).all() and np.isfinite(scale._data).all() and (scale._data != 0).all()):
            raise ValueError(f"{where}: expected finite numbers and a scale without 0, got others")
        self.shift, self.scale = shift, scale

    def _fitted(self) -> tuple[Tensor, Tensor]:
        if self.shift is None or self.scale is None:
            raise RuntimeError(f"{type(self).__name__}: expected fit() to be called first")
        return self.shift, self.scale

    def _checked(self, x: Any) -> Tensor:
        """x as a tensor whose samples have the shape that was fitted: nothing else is broadcast."""
        tensor = x if isinstance(x, Tensor) else Tensor(x)
        shift, _ = self._fitted()
        shape = shift.shape
        if tensor.dtype.kind != "f":  # int64 - float32 would be float64
            tensor = constant(tensor._data.astype(shift.dtype))
        if tensor.ndim < len(shape) or tensor.shape[tensor.ndim - len(shape) :] != shape:
            raise ValueError(f"{type(self).__name__}: expected samples of shape {shape}, got shape {tensor.shape}")
        return tensor


class StandardScaler(Scaler):
    """(x - mean) / std of each column: mean 0 and variance 1 (the biased one, as in scikit-learn).

    Example:
        >>> import autograd as ag, nn
        >>> scaler = nn.data.StandardScaler().fit([[1.0, 5.0], [3.0, 5.0]])
        >>> scaler.transform(ag.tensor([[1.0, 5.0], [5.0, 6.0]]))
        tensor([[-1.,  0.],
                [ 3.,  1.]])
        >>> scaler.inverse_transform(ag.tensor([0.0, 0.0]))
        tensor([2., 5.])
    """

    def measure(self, array: Array) -> tuple[Array, Array]:
        """Mean and standard deviation."""
        low = array.min(axis=0)
        mean = low + (array - low).mean(axis=0)  # exact for a column of one value, and does not overflow in the sum
        away = array - mean
        largest = np.abs(away).max(axis=0)
        unit = np.where(largest == 0, 1.0, largest)
        return mean, unit * np.sqrt(np.square(away / unit).mean(axis=0))  # squares of 1e200 would overflow


class MinMaxScaler(Scaler):
    """Each column between two bounds: (x - min) / (max - min) * (high - low) + low.

    Args:
        low: what the least number becomes.
        high: what the greatest number becomes.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(f"MinMaxScaler: expected finite low < high, got {low} and {high}")
        self.low, self.high = low, high
        self.offset = float(low)

    def measure(self, array: Array) -> tuple[Array, Array]:
        """The least number, and the spread for each unit between the bounds."""
        low, high = array.min(axis=0), array.max(axis=0)
        return low, np.where(low == high, 1.0, high - low) / (self.high - self.low)
