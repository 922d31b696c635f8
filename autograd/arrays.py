"""NumPy arrays from whatever a user passes, and the dtypes that the engine takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

clipped: Callable[..., Any]  # clipped(x, low, high, out=None): x, limited to an interval
try:
    # the ufunc behind np.clip, which NumPy does not publish: a quarter of the time of np.clip on small arrays, and a third of
    # that of np.maximum with a number on large ones (python -m benchmarks.choices relu)
    from numpy._core.umath import clip as clipped  # type: ignore[attr-defined, no-redef]
except ImportError:
    clipped = np.clip

Array = NDArray[Any]

FLOATING = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))
NATIVE = frozenset(FLOATING) | {np.dtype(c) for c in "?bhilqBHILQ"}  # what tensors can hold, in native byte order

_default_dtype = np.dtype(np.float32)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of tensors made from Python floats: float32, unless set otherwise."""
    return _default_dtype


def set_default_dtype(dtype: Any) -> None:
    """Sets the dtype of tensors made from Python floats.

    Args:
        dtype: float16, float32 or float64.
    """
    global _default_dtype
    wanted = np.dtype(dtype)
    if wanted not in FLOATING:
        raise TypeError(f"set_default_dtype: expected float16, float32 or float64, got {wanted}")
    _default_dtype = wanted


def is_floating(dtype: np.dtype[Any]) -> bool:
    """True for the dtypes that can be differentiated."""
    return dtype.kind == "f"


def check_dtype(dtype: Any, where: str = "tensor") -> np.dtype[Any]:
    """The dtype in native byte order, or TypeError for one that tensors cannot have."""
    wanted: np.dtype[Any] = np.dtype(dtype)
    if wanted.byteorder == ">" or wanted.byteorder == "<":
        wanted = wanted.newbyteorder("=")
    if wanted not in NATIVE:
        hint = "; complex numbers are not supported" if wanted.kind == "c" else ""
        raise TypeError(f"{where}: expected a dtype among float16/32/64, integers and bool, got {wanted}{hint}")
    return wanted


def as_array(data: Any, dtype: Any = None, where: str = "tensor") -> Array:
    """``data`` as a plain ndarray of a supported dtype, without a copy where NumPy needs none.

    Python floats become the default dtype, Python ints int64 and bools bool. A NumPy array or scalar keeps its dtype.

    Raises:
        TypeError: for masked arrays (the mask would be lost) and dtypes that are not numbers.
        ValueError: for ragged sequences.
    """
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError(f"{where}: expected a plain array, got a MaskedArray; its mask would be dropped: use .filled(value)")
    if isinstance(data, str | bytes) or data is None:
        raise TypeError(f"{where}: expected numbers, got {type(data).__name__}")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"{where}: expected numbers in a rectangular nesting, got a ragged one ({error})") from None
    keeps_dtype = isinstance(data, np.ndarray | np.generic) or hasattr(data, "dtype")
    if dtype is None:
        dtype = array.dtype
        if not keeps_dtype and array.dtype == np.float64 and not _holds_numpy(data):
            dtype = _default_dtype
    checked = check_dtype(array.dtype, where)  # the source too: no silent parsing of strings, no object arrays
    wanted = check_dtype(dtype, where) if dtype is not array.dtype else checked
    return np.asarray(array, wanted)


def _holds_numpy(data: Any) -> bool:
    """True for a (nested) sequence whose first item is a NumPy object: its dtype is the user's choice."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic)


def broadcast_to(array: Array, shape: tuple[int, ...]) -> Array:
    """``np.broadcast_to`` for a shape that fits, in a quarter of the time; not to be written to."""
    if not array.flags.c_contiguous:
        return np.broadcast_to(array, shape)
    strides = array.strides
    if 1 in array.shape:
        strides = tuple([0 if size == 1 else stride for size, stride in zip(array.shape, strides, strict=True)])
    view: Array = np.ndarray(shape, array.dtype, array, 0, (0,) * (len(shape) - len(strides)) + strides)
    view.setflags(False)  # type: ignore[call-arg]  # (by keyword it takes three times as long)
    return view
