"""Shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import implements, internal

_swapaxes = internal(
    lambda x, *, axis1, axis2: np.swapaxes(x, axis1, axis2),
    lambda g, _y, _x, *, axis1, axis2: np.swapaxes(g, axis1, axis2),
    name="swapaxes",
    view=True,
)


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return _swapaxes(x, axis1=axis1, axis2=axis2)
