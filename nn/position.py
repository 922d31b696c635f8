"""Where a feature vector stands in a sequence: encodings that are added to it, or that turn it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.arrays import Array
from autograd.ops.reductions import tensor_of
from nn._options import probability, size
from nn.functional import dropout as drop
from nn.module import Module


def _rates(features: int, base: float) -> Array:
    """Angles per position, base^(-2i / features) for each pair of features."""
    rates: Array = np.exp(np.arange(0, features, 2) * (-math.log(base) / features))
    return rates


def sinusoidal_encoding(length: int, features: int, base: float = 10000.0, dtype: Any = None) -> Any:
    """p[t, 2i] = sin(t base^(-2i / E)), p[t, 2i + 1] = cos(the same): (length, E) (Vaswani et al., 2017).

    Args:
        length: positions t from 0.
        features: E.
        base: the longest wave is 2 pi times this.
        dtype: of the result.
    """
    angles = np.arange(length)[:, None] * _rates(features, base)
    table = np.zeros((length, features))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : features // 2])
    return ag.tensor(table, dtype=ag.get_default_dtype() if dtype is None else dtype)


def rotary_encoding(x: Any, offset: int = 0, base: float = 10000.0) -> Any:
    """Turns each pair of features by an angle that grows with the position (RoPE; Su et al., 2021).

    (x_i, x_{i + E/2}) becomes (x_i cos a - x_{i + E/2} sin a, x_{i + E/2} cos a + x_i sin a) with a = t base^(-2i / E): queries
    and keys so turned have products that depend on the distance of their positions only.

    Args:
        x: (..., T, E), E even: queries or keys, after they were cut into heads.
        offset: the position of the first element.
        base: the longest wave is 2 pi times this.

    Raises:
        ValueError: for an odd number of features.
        TypeError: for anything but floats.
    """
    x = tensor_of(x, "rotary_encoding")
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ValueError(f"rotary_encoding: expected (..., T, E) with an even E, got shape {x.shape}")
    if x.dtype.kind != "f":
        raise TypeError(f"rotary_encoding: expected a floating dtype, got {x.dtype}; convert with .astype()")
    half = x.shape[-1] // 2
    angles = (offset + np.arange(x.shape[-2]))[:, None] * _rates(x.shape[-1], base)
    cos, sin = (np.asarray(f(angles), x.dtype) for f in (np.cos, np.sin))
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


class SinusoidalEncoding(Module):
    """Adds :func:`sinusoidal_encoding` to a sequence, then drops out.

    Args:
        features: E.
        max_len: the longest sequence.
        dropout: in training.
        batch_first: sequences are (N, T, E) instead of (T, N, E).
    """

    def __init__(self, features: int, max_len: int = 5000, dropout: float = 0.0, batch_first: bool = False) -> None:
        super().__init__()
        self.features = size(features, "SinusoidalEncoding", "features", 1)
        self.dropout = probability(dropout, "SinusoidalEncoding", "dropout")
        self.batch_first = batch_first
        self.register_buffer("table", sinusoidal_encoding(max_len, self.features), persistent=False)

    def forward(self, x: Any) -> Any:
        """The sequence with its positions."""
        axis = -2 if self.batch_first or x.ndim == 2 else 0
        length = x.shape[axis]
        if x.shape[-1] != self.features or length > len(self.table):
            raise ValueError(
                f"SinusoidalEncoding: expected at most {len(self.table)} steps of {self.features} features, got shape {x.shape}"
            )
        if x.dtype.kind != "f":
            raise TypeError(f"SinusoidalEncoding: expected a floating dtype, got {x.dtype}; convert with .astype()")
        table = self.table[:length].to(x.dtype)
        y = x + (np.expand_dims(table, 1) if axis == 0 else table)
        return drop(y, self.dropout, self.training)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.features}, max_len={len(self.table)}, dropout={self.dropout}, batch_first={self.batch_first}"


class RotaryEncoding(Module):
    """Turns queries or keys (..., T, E) by their positions; see :func:`rotary_encoding`.

    Args:
        base: the longest wave is 2 pi times this.
    """

    def __init__(self, base: float = 10000.0) -> None:
        super().__init__()
        self.base = base

    def forward(self, x: Any, offset: int = 0) -> Any:
        """The turned vectors."""
        return rotary_encoding(x, offset, self.base)

    def extra_repr(self) -> str:
        """The base."""
        return f"base={self.base}"
