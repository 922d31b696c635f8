"""Tensor methods: changes of dtype. They live apart because their names are those of Python's own types."""

from __future__ import annotations

from typing import Any

import numpy as np


class DtypeMethods:
    """Tensor methods: changes of dtype, in PyTorch's names."""

    __slots__ = ()

    to: Any  # Tensor's own

    def float(self) -> Any:
        """The tensor in float32."""
        return self.to(np.float32)

    def double(self) -> Any:
        """The tensor in float64."""
        return self.to(np.float64)

    def half(self) -> Any:
        """The tensor in float16."""
        return self.to(np.float16)

    def short(self) -> Any:
        """The tensor in int16."""
        return self.to(np.int16)

    def int(self) -> Any:
        """The tensor in int32."""
        return self.to(np.int32)

    def long(self) -> Any:
        """The tensor in int64."""
        return self.to(np.int64)

    def bool(self) -> Any:
        """The tensor in bool."""
        return self.to(np.bool_)
