"""The change of dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import is_floating
from autograd.declare import internal
from autograd.primitive import apply

_cast = internal(
    lambda x, *, dtype: x.astype(dtype),
    lambda g, _y, _x, *, dtype: g,  # noqa: ARG005  (the engine casts a cotangent back to the dtype of its argument)
    name="cast",
)


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """x in another dtype. The cotangent is cast back; the result of a cast to integers or bool is a constant."""
    if not is_floating(dtype):
        return apply(_cast.primitive, (x.detach(),), {"dtype": dtype})  # type: ignore[attr-defined]
    return _cast(x, dtype=dtype)
