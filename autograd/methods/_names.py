"""The two spellings of an axis argument: PyTorch's ``dim`` and ``keepdim``, NumPy's ``axis`` and ``keepdims``."""

from __future__ import annotations

from typing import Any

_ABSENT: Any = object()  # None means "all axes", so it cannot stand for "not given"


def one_of(name: str, dim: Any, axis: Any, default: Any = None) -> Any:
    """The axis, whichever way it was spelt.

    Raises:
        TypeError: when both spellings are used.
    """
    if axis is _ABSENT:
        return default if dim is _ABSENT else dim
    if dim is not _ABSENT:
        raise TypeError(f"{name}: expected dim or axis, got both")
    return axis


ABSENT = _ABSENT
