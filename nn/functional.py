"""Layers and losses as functions."""

from __future__ import annotations

from typing import Any

from autograd import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    nll_loss,
    relu,
    sigmoid,
    silu,
    softmax,
    tanh,
)
from autograd.ops.losses import check_reduction, reduced
from autograd.ops.reductions import tensor_of

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gelu",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]


def _pair(input: Any, target: Any, op: str) -> tuple[Any, Any]:
    x, y = tensor_of(input, op), tensor_of(target, op)
    if x.shape != y.shape:
        raise ValueError(
            f"{op}: expected prediction and target of one shape, got {x.shape} and {y.shape}; losses do not broadcast"
        )
    return x, y


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)**2."""
    check_reduction(reduction, "mse_loss")
    x, y = _pair(input, target, "mse_loss")
    difference = x - y
    return reduced(difference * difference, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|; gradient 0 where they are equal."""
    check_reduction(reduction, "l1_loss")
    x, y = _pair(input, target, "l1_loss")
    return reduced(abs(x - y), reduction)
