"""Layers that say how near two vectors are."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.module import Module


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along an axis; see :func:`nn.functional.cosine_similarity`.

    Args:
        dim: the axis of the vectors.
        eps: keeps the division finite.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """The cosines; the axis is gone."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The norm of the difference of vectors along the last axis; see :func:`nn.functional.pairwise_distance`.

    Args:
        p: of the norm.
        eps: is added to each difference, so that the gradient at 0 is finite.
        keepdim: keep the axis, of size 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distances."""
        return functional.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)
