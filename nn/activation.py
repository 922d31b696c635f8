"""Nonlinearities as modules; see the function of each name for its formula and its gradient at the kinks."""

from __future__ import annotations

from typing import Any

import autograd as ag
from nn.module import Module


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.relu(x)


class LeakyReLU(Module):
    """x for x > 0, negative_slope x elsewhere."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x for x > 0, alpha (e^x - 1) elsewhere (Clevert et al., 2015)."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """alpha."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """ELU, scaled so that mean 0 and variance 1 are kept (Klambauer et al., 2017)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.selu(x)


class GELU(Module):
    """x Phi(x) with the normal distribution function, or its tanh approximation (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none" or "tanh".
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: expected approximate 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Which form."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.silu(x)


class Mish(Module):
    """x tanh(softplus(x)) (Misra, 2019)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.mish(x)


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Elementwise."""
        return ag.tanh(x)


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
        """beta and threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """e^x / sum(e^x) along an axis."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of softmax along an axis."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Along the axis."""
        return ag.log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"
