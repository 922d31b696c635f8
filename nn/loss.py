"""Losses as modules."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, cross_entropy
from autograd.ops.losses import check_reduction
from nn import functional
from nn.module import Module


class MSELoss(Module):
    """(input - target)**2. Shapes must be equal: a loss never broadcasts."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction, "MSELoss")
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(Module):
    """|input - target|. Shapes must be equal: a loss never broadcasts."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction, "L1Loss")
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return functional.l1_loss(input, target, self.reduction)


class CrossEntropyLoss(Module):
    """The negative log-likelihood of classes, from logits; the arguments are those of ``autograd.cross_entropy``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        check_reduction(reduction, "CrossEntropyLoss")
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of logits (N, C, ...) for classes (N, ...) or probabilities."""
        return cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)
