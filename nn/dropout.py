"""Dropout: noise in training that is gone in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nn import functional
from nn._options import probability
from nn.module import Module


class _Dropout(Module):
    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5, inplace: bool = False, generator: Any = None) -> None:
        super().__init__()
        self.p = probability(p, type(self).__name__)
        self.inplace = inplace
        self.generator = generator

    def forward(self, x: Any) -> Any:
        """The input with holes in training, the input itself in evaluation."""
        return type(self).function(x, self.p, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Zeroes each element with probability p and divides the others by 1 - p, in training (Srivastava et al., 2014).

    Args:
        p: from 0 to 1.
        inplace: accepted and ignored: the input is never written to.
        generator: what to draw from, instead of the default generator.
    """

    function = staticmethod(functional.dropout)


class Dropout1d(_Dropout):
    """Zeroes whole channels of signals (N, C, L) with probability p, in training; the arguments are :class:`Dropout`'s."""

    function = staticmethod(functional.dropout1d)


class Dropout2d(_Dropout):
    """Zeroes whole channels of images (N, C, H, W), in training; see :func:`nn.functional.dropout2d`."""

    function = staticmethod(functional.dropout2d)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks of SELU; see :func:`nn.functional.alpha_dropout`."""

    function = staticmethod(functional.alpha_dropout)
