"""Dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import internal
from autograd.ops.gate import gate, in_rules
from autograd.ops.reductions import tensor_of
from autograd.random import numpy_generator


def _kernel(x: Array, *, keep: Array, scale: float) -> Array:
    kept: Array = np.asarray(gate(x, keep))  # selected, not multiplied by the mask: inf * 0 would be nan
    kept *= scale
    return kept


_dropout = internal(_kernel, lambda g, _y, _x, **static: _dropout_either(g, **static), name="dropout")
_dropout_either: Callable[..., Any] = in_rules(_dropout)


def dropout(x: Any, p: float = 0.5, training: bool = True, *, generator: Any = None) -> Any:
    """Zeroes each element with probability p and divides the others by 1 - p (Srivastava et al., 2014).

    Args:
        x: a floating tensor.
        p: the probability from 0 to 1; with 1, everything is 0.
        training: False returns x as it is.
        generator: what to draw from, instead of the default generator.

    Raises:
        ValueError: for p outside [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: expected p between 0 and 1, got {p}")
    x = tensor_of(x, "dropout")
    if not training or p == 0.0:
        return x
    if x.dtype.kind != "f":
        raise TypeError(f"dropout: expected a floating dtype, got {x.dtype}; convert with .astype()")
    keep = numpy_generator(generator).random(x.shape, np.float32) >= np.float32(p)
    return _dropout(x, keep=np.asarray(keep), scale=1.0 / (1.0 - p) if p < 1.0 else 0.0)
