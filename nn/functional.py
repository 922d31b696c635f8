"""Layers and losses as functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import (
    Tensor,
    binary_cross_entropy_with_logits,
    celu,
    cross_entropy,
    elu,
    gelu,
    glu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    linear,
    log_softmax,
    logsigmoid,
    mish,
    nll_loss,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanh,
)
from autograd.ops.losses import check_reduction, reduced
from autograd.primitive import as_operand

__all__ = [
    "binary_cross_entropy_with_logits",
    "celu",
    "cross_entropy",
    "elu",
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "mse_loss",
    "nll_loss",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "tanh",
]


def _pair(input: Any, target: Any, op: str) -> tuple[Any, Any]:
    prediction, goal = as_operand(input, op), as_operand(target, op)
    shapes = tuple(value.shape if isinstance(value, Tensor) else () for value in (prediction, goal))
    if shapes[0] != shapes[1]:
        raise ValueError(f"{op}: expected a target of the input's shape {shapes[0]}, got {shapes[1]}; losses do not broadcast")
    return prediction, goal


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)^2, averaged, summed or not ("none").

    Raises:
        ValueError: for different shapes: prediction and target are never broadcast.
    """
    check_reduction(reduction, "mse_loss")
    prediction, goal = _pair(input, target, "mse_loss")
    return reduced(np.square(prediction - goal), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|, averaged, summed or not ("none"); the gradient where they are equal is 0.

    Raises:
        ValueError: for different shapes: prediction and target are never broadcast.
    """
    check_reduction(reduction, "l1_loss")
    prediction, goal = _pair(input, target, "l1_loss")
    return reduced(np.abs(prediction - goal), reduction)
