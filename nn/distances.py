"""Functions that compare vectors, and the losses that compare a prediction with a target number by number.

Prediction and target never broadcast: (N,) against (N, 1) would silently average N² differences.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.ops.losses import check_reduction, class_weights, factor, prediction_and_target, reduced
from autograd.ops.reductions import tensor_of
from autograd.ops.squared_error import squared_error
from autograd.primitive import as_operand


def _pair(input: Any, target: Any, op: str, reduction: str = "mean") -> tuple[Any, Any]:
    """Both as tensors of one shape, once the reduction is known to be one."""
    check_reduction(reduction, op)
    return prediction_and_target(input, target, op)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)², averaged, summed or not ("none").

    Raises:
        ValueError: for different shapes: prediction and target are never broadcast.
    """
    x, y = _pair(input, target, "mse_loss", reduction)
    if reduction == "none":
        return ag.square(x - y)
    return squared_error(x, y, x._data.size if reduction == "mean" else 1)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|, averaged, summed or not ("none"); the gradient where they are equal is 0.

    Raises:
        ValueError: for different shapes: prediction and target are never broadcast.
    """
    x, y = _pair(input, target, "l1_loss", reduction)
    return reduced(np.abs(x - y), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """d²/2 where |d| <= delta, delta (|d| - delta/2) elsewhere, with d = input - target (Huber, 1964).

    Raises:
        ValueError: for different shapes, and for delta that is not positive.
    """
    x, y = _pair(input, target, "huber_loss", reduction)
    if not delta > 0:
        raise ValueError(f"huber_loss: expected delta > 0, got {delta}")
    d = x - y
    size = np.abs(d)
    return reduced(np.where(size <= delta, 0.5 * np.square(d), delta * (size - 0.5 * delta)), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d²/(2 beta) where |d| < beta, |d| - beta/2 elsewhere: the Huber loss over beta; |d| itself for beta = 0 (Girshick, 2015).

    Raises:
        ValueError: for different shapes, and for negative beta.
    """
    x, y = _pair(input, target, "smooth_l1_loss", reduction)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: expected beta >= 0, got {beta}")
    if beta == 0:
        return reduced(np.abs(x - y), reduction)
    d = x - y
    size = np.abs(d)
    return reduced(np.where(size < beta, np.square(d) * (0.5 / beta), size - 0.5 * beta), reduction)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """-y log x - (1 - y) log(1 - x) for probabilities x, with logarithms no less than -100.

    At x = 0 or 1 on the wrong side the loss is 100 and the gradient huge (1e12 is the largest divisor's inverse, as in
    PyTorch); from logits, :func:`binary_cross_entropy_with_logits` is exact everywhere.

    Args:
        input: probabilities.
        target: of the same shape, from 0 to 1.
        weight: a factor for each element, broadcast.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for different shapes, for an input or a target outside [0, 1], and for a weight that does not broadcast.
    """
    x, y = _pair(input, target, "binary_cross_entropy", reduction)
    for name, values in (("input", x._data), ("target", y._data)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f"binary_cross_entropy: expected {name} between 0 and 1, got {values.min()} to {values.max()}")
    loss = _binary_cross_entropy(x, y)
    return reduced(loss if weight is None else loss * factor(weight, x.shape, "weight", "binary_cross_entropy"), reduction)


def _binary_kernel(x: Any, y: Any) -> Any:
    return (y - 1.0) * np.maximum(np.log1p(-x), -100.0) - y * np.maximum(np.log(x), -100.0)


_binary_cross_entropy = ag.primitive(
    _binary_kernel,
    lambda g, _l, x, y: g * (x - y) / np.maximum((1.0 - x) * x, 1e-12),
    lambda g, _l, x, _y: g * (np.maximum(np.log1p(-x), -100.0) - np.maximum(np.log(x), -100.0)),
    name="binary_cross_entropy",
)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """target (log target - input): the distance from a distribution whose logarithm is the input (Kullback and Leibler, 1951).

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms with ``log_target``; where a probability is 0, so are the loss and its
            gradients, even if the input is -inf there.
        reduction: "mean" (over all elements), "batchmean" (the sum over the length of the first axis: the divergence itself),
            "sum" or "none".
        log_target: the target is given as logarithms.

    Raises:
        ValueError: for different shapes.
    """
    x, y = _pair(input, target, "kl_div", "sum" if reduction == "batchmean" else reduction)
    nothing = y._data == (-math.inf if log_target else 0.0)
    if nothing.any():  # selected before the product: 0 * inf would be nan
        x = np.where(nothing, 0.0, x)
        y = np.where(nothing, 0.0, y) if log_target else y
    loss = np.where(nothing, 0.0, np.exp(y) * (y - x)) if log_target else ag.xlogy(y, y) - y * x
    if reduction == "batchmean":
        return np.sum(loss) / x.shape[0] if x.ndim else np.sum(loss)
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of counts: rate - target log rate (+ log target!, by Stirling's formula, with ``full``).

    Args:
        input: the rate, or its logarithm with ``log_input``.
        target: counts.
        log_input: the input is a logarithm.
        full: add the approximation t log t - t + log(2 pi t) / 2 of log t! where t > 1.
        eps: keeps the logarithm of a rate of 0 finite.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for different shapes.
    """
    x, y = _pair(input, target, "poisson_nll_loss", reduction)
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:
        several = y._data > 1
        t = np.where(several, y, 1.0)
        loss = loss + np.where(several, t * np.log(t) - t + 0.5 * np.log(2.0 * math.pi * t), 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> Any:
    """(log var + (input - target)² / var) / 2 (+ log(2 pi) / 2 with ``full``) (Nix and Weigend, 1994).

    Args:
        input, target: of one shape.
        var: the variance: of that shape, or with a last axis of length 1, or without the last axis, or one number.
        full: add the constant.
        eps: variances below are taken for this one; the gradient is passed on all the same.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for shapes that do not fit, and for a negative variance.
    """
    x, y = _pair(input, target, "gaussian_nll_loss", reduction)
    if isinstance(var, int | float):
        var = np.full(x.shape, var, x.dtype)
    v = tensor_of(var, "gaussian_nll_loss")
    if v.shape != x.shape:
        if v.shape == x.shape[:-1]:
            v = np.expand_dims(v, -1)
        elif v.shape != (*x.shape[:-1], 1):
            raise ValueError(f"gaussian_nll_loss: expected var of shape {x.shape} or {(*x.shape[:-1], 1)}, got {v.shape}")
    if v._data.size and v._data.min() < 0:
        raise ValueError(f"gaussian_nll_loss: expected no negative variance, got {v._data.min()}")
    v = v + np.maximum(eps - v._data, 0.0).astype(v.dtype)  # clamped without a gradient of its own
    loss = 0.5 * (np.log(v) + np.square(x - y) / v)
    return reduced(loss + 0.5 * math.log(2.0 * math.pi) if full else loss, reduction)


# ------------------------------------------------------------------------------------------------ margins


def _hinge(x: Any) -> Any:
    """max(0, x), with the gradient 1 at 0: scores that are equal still move apart, as in PyTorch."""
    return ag.clip(x, 0.0, None)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """input where target is 1, max(0, margin - input) where it is -1: for distances of pairs that are alike or not.

    Raises:
        ValueError: for different shapes, and for targets other than 1 and -1.
    """
    x, y = _pair(input, target, "hinge_embedding_loss", reduction)
    sign = _signs(y, "hinge_embedding_loss")
    return reduced(np.where(sign > 0, x, _hinge(margin - x)), reduction)


def _signs(target: Any, op: str) -> Any:
    values = target._data
    if not np.isin(values, (1, -1)).all():
        raise ValueError(f"{op}: expected targets of 1 and -1, got {values[~np.isin(values, (1, -1))].flat[0]}")
    return values


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """max(0, margin - target (input1 - input2)): target 1 where input1 should be the greater, -1 where input2 should.

    Raises:
        ValueError: for different shapes, and for targets other than 1 and -1.
    """
    a, b = _pair(input1, input2, "margin_ranking_loss", reduction)
    _, y = _pair(input1, target, "margin_ranking_loss", reduction)
    sign = _signs(y, "margin_ranking_loss").astype(a.dtype)
    return reduced(_hinge(margin - sign * (a - b)), reduction)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 - x2 + eps along the last axis: (..., D) and (..., D), which broadcast, -> (...)."""
    return ag.norm(as_operand(x1, "pairwise_distance") - as_operand(x2, "pairwise_distance") + eps, p, -1, keepdim)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with d the p-norm of the difference (Balntas et al., 2016).

    Args:
        anchor, positive, negative: (N, D) or (D,), of one shape.
        margin: how much farther the negative should be.
        p, eps: of the distance; see :func:`pairwise_distance`.
        swap: take the negative's distance from the positive, where that is smaller.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for different shapes.
    """
    a, b = _pair(anchor, positive, "triplet_margin_loss", reduction)
    if not a.ndim:
        raise ValueError("triplet_margin_loss: expected vectors (N, D) or (D,), got 0-d tensors")
    _, c = _pair(anchor, negative, "triplet_margin_loss", reduction)
    far = pairwise_distance(a, c, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(b, c, p, eps))
    return reduced(_hinge(pairwise_distance(a, b, p, eps) - far + margin), reduction)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)) along an axis; 0 with gradient 0 for two zero vectors."""
    a, b = np.broadcast_arrays(tensor_of(x1, "cosine_similarity"), tensor_of(x2, "cosine_similarity"))
    return np.sum(_unit(a, dim, eps) * _unit(b, dim, eps), axis=dim)


def _unit(x: Any, axis: int, eps: float) -> Any:
    return x / np.maximum(ag.norm(x, 2, axis, True), eps)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """x / max(|x|_p, eps) along an axis. A zero vector stays 0, with the gradient 1 / eps of the division."""
    x = tensor_of(input, "normalize")
    return x / np.maximum(ag.norm(x, p, dim, True), eps)


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1.

    Args:
        input1, input2: (N, D) or (D,), of one shape.
        target: (N,) or ().
        margin: from -1 to 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for shapes that do not fit, and for targets other than 1 and -1.
    """
    a, b = _pair(input1, input2, "cosine_embedding_loss", reduction)
    y = tensor_of(target, "cosine_embedding_loss")
    if a.ndim not in (1, 2) or y.shape != a.shape[:-1]:
        raise ValueError(f"cosine_embedding_loss: expected inputs (N, D) and a target (N,), got {a.shape} and {y.shape}")
    sign = _signs(y, "cosine_embedding_loss")
    dtype = np.result_type(a.dtype, b.dtype)
    if dtype == np.float16:  # the squared length of a moderate vector is beyond float16
        a, b = a.astype(np.float32), b.astype(np.float32)
    eps = 1e-12  # added to the squared lengths, as in PyTorch
    cosine = np.sum(a * b, axis=-1) / np.sqrt((np.sum(a * a, axis=-1) + eps) * (np.sum(b * b, axis=-1) + eps))
    loss = reduced(np.where(sign > 0, 1.0 - cosine, _hinge(cosine - margin)), reduction)
    return loss.astype(dtype) if dtype == np.float16 else loss


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """sum over j != y of w_y max(0, margin - x_y + x_j)^p / C: the hinge loss for several classes (Crammer and Singer, 2001).

    Args:
        input: scores (N, C) or (C,).
        target: classes (N,) or ().
        p: 1 or 2.
        margin: how much greater the score of the right class should be.
        weight: a factor for each class (C,).
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: for shapes that do not fit, and another p.
        IndexError: for a class that does not exist.
    """
    check_reduction(reduction, "multi_margin_loss")
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: expected p of 1 or 2, got {p}")
    x = tensor_of(input, "multi_margin_loss")
    classes = np.asarray(getattr(target, "_data", target))
    if classes.dtype.kind not in "iu":
        raise TypeError(f"multi_margin_loss: expected class indices as integers, got {classes.dtype}")
    if x.ndim not in (1, 2) or classes.shape != x.shape[:-1]:
        raise ValueError(f"multi_margin_loss: expected scores (N, C) and classes (N,), got {x.shape} and {classes.shape}")
    rows = x if x.ndim == 2 else np.reshape(x, (1, -1))
    places, count = classes.reshape(-1), rows.shape[1]
    bad = (places < 0) | (places >= count)
    if bad.any():
        raise IndexError(f"multi_margin_loss: Target {places[bad][0]} is out of bounds for {count} classes")
    own = rows[np.arange(len(places)), places]
    gap = ag.relu(margin - np.expand_dims(own, 1) + rows)  # at 0, with gradient 0: unlike the others, as in PyTorch
    if p == 2:
        gap = np.square(gap)
    weights = class_weights(weight, count, x.dtype, "multi_margin_loss")
    if weights is not None:
        gap = gap * weights[places][:, None]
    others = places[:, None] != np.arange(count)
    loss = np.sum(np.where(others, gap, 0.0), axis=1) / count
    return reduced(np.reshape(loss, classes.shape), reduction)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = x1^T A_o x2 + b_o: (..., I), (..., J), A (O, I, J) and b (O,) -> (..., O).

    Raises:
        ValueError: for shapes that do not fit.
    """
    a, b, w = (tensor_of(x, "bilinear") for x in (input1, input2, weight))
    if w.ndim != 3 or a.shape[:-1] != b.shape[:-1] or (a.shape[-1:], b.shape[-1:]) != (w.shape[1:2], w.shape[2:]):
        raise ValueError(
            f"bilinear: expected inputs (..., I) and (..., J) and a weight (O, I, J), got {a.shape}, {b.shape} and {w.shape}"
        )
    o, i, j = w.shape
    of_a = np.matmul(a, np.reshape(np.transpose(w, (1, 0, 2)), (i, o * j)))  # (..., O J)
    y = np.sum(np.reshape(of_a, (*a.shape[:-1], o, j)) * np.expand_dims(b, -2), axis=-1)
    return y if bias is None else y + bias
