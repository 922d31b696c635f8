"""Linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import implements, internal

_matmul = internal(
    np.matmul,
    lambda g, _z, _x, y: np.matmul(g, np.swapaxes(y, -1, -2)),
    lambda g, _z, x, _y: np.matmul(np.swapaxes(x, -1, -2), g),
    name="matmul",
)


@implements(np.matmul)
def matmul(a: Any, b: Any) -> Any:
    """a @ b (2-d so far)."""
    return _matmul(a, b)
