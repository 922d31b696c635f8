"""PyTorch's names of the dtypes, which are NumPy's own, of their limits and of a few numbers."""

from __future__ import annotations

from math import inf, nan, pi

import numpy as np
from numpy import finfo, iinfo

__all__ = ["bool", "double", "dtype", "finfo", "float", "float16", "float32", "float64", "half", "iinfo", "inf", "int", "int8",
           "int16", "int32", "int64", "long", "nan", "pi", "short", "uint8"]  # fmt: skip

dtype = np.dtype

float16 = half = np.dtype(np.float16)
float32 = float = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = short = np.dtype(np.int16)
int32 = int = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
bool = np.dtype(np.bool_)
