"""Affine layers."""

from __future__ import annotations

import math
from typing import Any

from autograd import empty, linear
from nn import init
from nn.module import Module
from nn.parameter import Parameter


class Linear(Module):
    """x @ W.T + b.

    Args:
        in_features, out_features: the sizes of the last axis of input and output.
        bias: add b.
        dtype: of the parameters.

    Attributes:
        weight: (out_features, in_features), uniform in +-1/sqrt(in_features), as is
        bias: (out_features,).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        if in_features < 0 or out_features < 0:
            raise ValueError(f"Linear: expected sizes >= 0, got {in_features} and {out_features}")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype))
        self.bias = Parameter(empty(out_features, dtype=dtype)) if bias else None
        if not bias:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        """(..., in_features) to (..., out_features)."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
