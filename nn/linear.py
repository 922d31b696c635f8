"""The linear layers."""

from __future__ import annotations

import math
from typing import Any

from autograd import get_default_dtype, linear
from autograd.devices import check_device
from nn import init
from nn._options import empty, size
from nn.functional import bilinear
from nn.lazy import Lazy
from nn.module import Module
from nn.parameter import UninitializedParameter


class Linear(Module):
    """y = x W^T + b: (..., in_features) -> (..., out_features).

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        bias: add b.
        device: ``"cpu"`` or None.
        dtype: of the parameters; float32 unless set otherwise.

    Attributes:
        weight: W (out_features, in_features), uniform in [-1/sqrt(in_features), 1/sqrt(in_features)) at first.
        bias: b (out_features,), from the same distribution; or None.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device(device, "Linear")
        super().__init__()
        self.in_features = size(in_features, "Linear", "in_features")
        self.out_features = size(out_features, "Linear", "out_features")
        self.weight = empty((self.out_features, self.in_features), dtype)
        self.register_parameter("bias", empty((self.out_features,), dtype) if bias else None)
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


class LazyLinear(Lazy, Linear):
    """A :class:`Linear` that learns ``in_features`` from its first input, and is one from then on.

    Args:
        out_features: size of the last axis of the output.
        bias: add b.
        device: ``"cpu"`` or None.
        dtype: of the parameters.
    """

    becomes = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device(device, "LazyLinear")
        super().__init__(0, out_features, bias, dtype=dtype)
        kind = get_default_dtype() if dtype is None else dtype
        self.weight = UninitializedParameter((self.out_features, None), kind)

    def infer(self, x: Any) -> None:
        """Takes the number of features from the input."""
        if not x.ndim:
            raise ValueError("LazyLinear: expected an input (..., in_features), got a 0-d tensor")
        self.in_features = x.shape[-1]
        self.materialize((self.out_features, self.in_features))


class Bilinear(Module):
    """y_o = x1^T A_o x2 + b_o: (..., in1_features) and (..., in2_features) -> (..., out_features).

    Args:
        in1_features, in2_features: sizes of the last axes of the inputs.
        out_features: size of the last axis of the output.
        bias: add b.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight: A (out_features, in1_features, in2_features), uniform in [-1/sqrt(in1_features), 1/sqrt(in1_features)).
        bias: b (out_features,), from the same distribution; or None.
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        check_device(device, "Bilinear")
        super().__init__()
        self.in1_features = size(in1_features, "Bilinear", "in1_features", 1)
        self.in2_features = size(in2_features, "Bilinear", "in2_features")
        self.out_features = size(out_features, "Bilinear", "out_features")
        self.weight = empty((self.out_features, self.in1_features, self.in2_features), dtype)
        self.register_parameter("bias", empty((self.out_features,), dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1.0 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """x1^T A x2 + b."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"
