"""Layers and losses as functions, under PyTorch's keywords: ``input=`` is the first argument, and ``inplace=`` is accepted.

``inplace`` is ignored: an input is never written to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    gru_cell,
    gru_layer,
    log_softmax,
    lstm_cell,
    lstm_layer,
    nll_loss,
    one_hot,
    rnn_layer,
    scaled_dot_product_attention,
    softmax,
    softmin,
)
from autograd.spelling import taking_input
from nn.distances import (
    bilinear,
    binary_cross_entropy,
    cosine_embedding_loss,
    cosine_similarity,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    multi_margin_loss,
    normalize,
    pairwise_distance,
    poisson_nll_loss,
    smooth_l1_loss,
    triplet_margin_loss,
)
from nn.elements import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    gumbel_softmax,
    instance_norm,
    tanhshrink,
    threshold,
)
from nn.resampling import interpolate, pad, pixel_shuffle, pixel_unshuffle


def _activation(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """An activation of ``count`` arguments that takes ``inplace`` after them and ignores it."""

    @functools.wraps(function)
    def call(input: Any, *arguments: Any, inplace: bool = False, **options: Any) -> Any:  # noqa: ARG001
        return function(input, *arguments[: count - 1], **options)

    return call


celu = _activation(ag.celu, 2)
elu = _activation(ag.elu, 2)
hardsigmoid = _activation(ag.hardsigmoid, 1)
hardswish = _activation(ag.hardswish, 1)
hardtanh = _activation(ag.hardtanh, 3)
leaky_relu = _activation(ag.leaky_relu, 2)
mish = _activation(ag.mish, 1)
relu = _activation(ag.relu, 1)
relu6 = _activation(ag.relu6, 1)
selu = _activation(ag.selu, 1)
silu = _activation(ag.silu, 1)

adaptive_avg_pool1d = taking_input(ag.adaptive_avg_pool1d)
adaptive_avg_pool2d = taking_input(ag.adaptive_avg_pool2d)
adaptive_max_pool1d = taking_input(ag.adaptive_max_pool1d)
adaptive_max_pool2d = taking_input(ag.adaptive_max_pool2d)
avg_pool1d = taking_input(ag.avg_pool1d)
avg_pool2d = taking_input(ag.avg_pool2d)
batch_norm = taking_input(ag.batch_norm)
conv1d = taking_input(ag.conv1d)
conv2d = taking_input(ag.conv2d)
conv_transpose1d = taking_input(ag.conv_transpose1d)
conv_transpose2d = taking_input(ag.conv_transpose2d)
embedding = taking_input(ag.embedding)
fold = taking_input(ag.fold)
gelu = taking_input(ag.gelu)
glu = taking_input(ag.glu)
group_norm = taking_input(ag.group_norm)
layer_norm = taking_input(ag.layer_norm)
linear = taking_input(ag.linear)
logsigmoid = taking_input(ag.logsigmoid)
max_pool1d = taking_input(ag.max_pool1d)
max_pool2d = taking_input(ag.max_pool2d)
prelu = taking_input(ag.prelu)
rms_norm = taking_input(ag.rms_norm)
sigmoid = taking_input(ag.sigmoid)
softplus = taking_input(ag.softplus)
softsign = taking_input(ag.softsign)
tanh = taking_input(ag.tanh)
unfold = taking_input(ag.unfold)

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "elu",
    "embedding",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "gru_cell",
    "gru_layer",
    "gumbel_softmax",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "lstm_cell",
    "lstm_layer",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rnn_layer",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "unfold",
]
