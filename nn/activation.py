"""Nonlinearities as modules; see the function of each name for its formula and its gradient at the kinks.

``inplace`` is accepted where PyTorch has it, and ignored: an input is never written to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.devices import check_device
from nn import functional, init
from nn._options import choice, empty, size
from nn.module import Module


class ReLU(Module):
    """max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.relu(x)

    def extra_repr(self) -> str:
        """The options."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """x for x > 0, negative_slope x elsewhere (Maas et al., 2013)."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The options."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ReLU6(Module):
    """min(max(x, 0), 6)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.relu6(x)

    def extra_repr(self) -> str:
        """The options."""
        return "inplace=True" if self.inplace else ""


class ELU(Module):
    """x for x > 0, alpha (e^x - 1) elsewhere (Clevert et al., 2015)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """The options."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Module):
    """ELU, scaled so that mean 0 and variance 1 are kept (Klambauer et al., 2017)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.selu(x)

    def extra_repr(self) -> str:
        """The options."""
        return "inplace=True" if self.inplace else ""


class CELU(Module):
    """x for x > 0, alpha (e^(x / alpha) - 1) elsewhere (Barron, 2017)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.celu(x, self.alpha)

    def extra_repr(self) -> str:
        """The options."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x for x > 0, a x elsewhere, with a trained (He et al., 2015).

    Args:
        num_parameters: 1, or one for each channel (axis 1).
        init: a at first.
        dtype: of the parameter.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        check_device(device, "PReLU")
        super().__init__()
        self.num_parameters = size(num_parameters, "PReLU", "num_parameters", 1)
        self.init = init
        self.weight = empty((self.num_parameters,), dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets a to its initial value."""
        init.constant_(self.weight, self.init)

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of parameters."""
        return f"num_parameters={self.num_parameters}"


class GELU(Module):
    """x Phi(x) with the normal distribution function, or its tanh approximation (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none" or "tanh".
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = choice(approximate, ("none", "tanh"), "GELU", "approximate")

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """The options."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.silu(x)

    def extra_repr(self) -> str:
        """The options."""
        return "inplace=True" if self.inplace else ""


class Mish(Module):
    """x tanh(softplus(x)) (Misra, 2019)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.mish(x)

    def extra_repr(self) -> str:
        """The options."""
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.sigmoid(x)


class LogSigmoid(Module):
    """The logarithm of the sigmoid, finite for any finite x."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.logsigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.tanh(x)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return functional.tanhshrink(x)


class Softplus(Module):
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The options."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.softsign(x)


class Hardtanh(Module):
    """x cut off at min_val and max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The options."""
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class Hardsigmoid(Module):
    """x / 6 + 1/2, cut off at 0 and 1."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.hardsigmoid(x)


class Hardswish(Module):
    """x min(max(x + 3, 0), 6) / 6 (Howard et al., 2019)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.hardswish(x)


class Threshold(Module):
    """x where x > threshold, value elsewhere."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return functional.threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        """The options."""
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class GLU(Module):
    """a sigmoid(b) with a and b the halves of x along an axis (Dauphin et al., 2017)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.glu(x, self.dim)

    def extra_repr(self) -> str:
        """The options."""
        return f"dim={self.dim}"


def _axis(dim: int | None, x: Any) -> int:
    return (0 if np.ndim(x) in (0, 1, 3) else 1) if dim is None else dim


class Softmax(Module):
    """e^x / sum(e^x) along an axis.

    Args:
        dim: the axis. Unless given it is 0 for inputs with 0, 1 or 3 axes and 1 for others, as in PyTorch: better give it.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.softmax(x, _axis(self.dim, x))

    def extra_repr(self) -> str:
        """The options."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of softmax along an axis; see :class:`Softmax` for ``dim``."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.log_softmax(x, _axis(self.dim, x))

    def extra_repr(self) -> str:
        """The options."""
        return f"dim={self.dim}"


class Softmin(Module):
    """softmax(-x) along an axis; see :class:`Softmax` for ``dim``."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.softmin(x, _axis(self.dim, x))

    def extra_repr(self) -> str:
        """The options."""
        return f"dim={self.dim}"
