"""Losses as modules; prediction and target never broadcast."""

from __future__ import annotations

from typing import Any

from autograd import Tensor
from autograd.ops.losses import check_reduction
from nn import functional
from nn.module import Module


class _Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction, type(self).__name__)
        self.reduction = reduction


class MSELoss(_Loss):
    """The squared error (input - target)^2.

    Args:
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(_Loss):
    """The absolute error |input - target|.

    Args:
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return functional.l1_loss(input, target, self.reduction)


class CrossEntropyLoss(_Loss):
    """The negative log-likelihood of classes under softmax(input), from logits.

    Args:
        weight: a factor for each class (C,).
        ignore_index: rows with this target count nothing.
        reduction: "mean" (over the weights of the rows that count), "sum" or "none".
        label_smoothing: this share of the target is spread evenly over all classes.
    """

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", _constant(weight))
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"CrossEntropyLoss: expected label_smoothing between 0 and 1, got {label_smoothing}")
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Logits (N, C), (C,) or (N, C, d...) and class indices (N,), (), (N, d...), or probabilities."""
        return functional.cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class NLLLoss(_Loss):
    """The negative log-likelihood of classes from log-probabilities; see :class:`CrossEntropyLoss`."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", _constant(weight))
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """Log-probabilities (N, C), (C,) or (N, C, d...) and class indices."""
        return functional.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross entropy of targets between 0 and 1 under sigmoid(input), from logits of any size.

    Args:
        weight: a factor for each element, broadcast.
        reduction: "mean", "sum" or "none".
        pos_weight: the factor of the positive class, broadcast.
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", _constant(weight))
        self.register_buffer("pos_weight", _constant(pos_weight))

    def forward(self, input: Any, target: Any) -> Any:
        """Both of one shape."""
        return functional.binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


def _constant(values: Any) -> Tensor | None:
    return None if values is None else values if isinstance(values, Tensor) else Tensor(values)
