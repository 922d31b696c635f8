"""Reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import implements, internal

_sum = internal(
    lambda x, *, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    lambda g, _y, x, *, axis, keepdims: np.ones_like(x) * (g if keepdims or axis is None else np.expand_dims(g, axis)),
    name="sum",
)


@implements(np.sum)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes."""
    return _sum(x, axis=axis, keepdims=keepdims)
