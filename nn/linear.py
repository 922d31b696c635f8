"""The linear layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import get_default_dtype, linear
from nn import init
from nn.module import Module
from nn.parameter import Parameter


def _size(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"Linear: expected {name} to be a whole number >= 0, got {value!r}")
    return int(value)


class Linear(Module):
    """y = x W^T + b: (..., in_features) -> (..., out_features).

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        bias: add b.
        dtype: of the parameters; float32 unless set otherwise.

    Attributes:
        weight: W (out_features, in_features), uniform in [-1/sqrt(in_features), 1/sqrt(in_features)) at first.
        bias: b (out_features,), from the same distribution; or None.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = _size(in_features, "in_features")
        self.out_features = _size(out_features, "out_features")
        kind = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((self.out_features, self.in_features), kind))
        self.register_parameter("bias", Parameter(np.empty(self.out_features, kind)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        """x W^T + b."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
