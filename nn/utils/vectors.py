"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor, versions


def parameters_to_vector(parameters: Iterable[Tensor]) -> Any:
    """All numbers of all parameters in a row, (n,), differentiable."""
    flat = [np.reshape(p, (-1,)) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: expected at least one parameter, got none")
    return np.concatenate(flat)


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Copies the numbers of a vector into parameters, one after the other.

    Raises:
        ValueError: for a vector that is not as long as the parameters together; nothing has changed then.
    """
    values = vec._data if isinstance(vec, Tensor) else np.asarray(vec)
    targets = list(parameters)
    count = sum(p._data.size for p in targets)
    if values.shape != (count,):
        raise ValueError(f"vector_to_parameters: expected a vector of {count} numbers, got shape {values.shape}")
    start = 0
    for p in targets:
        p._data[...] = values[start : start + p._data.size].reshape(p.shape)
        versions.stamp(p._data)
        start += p._data.size
