"""Classification losses on logits: fused, stable, and equal to their composition from primitives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops import _rows
from autograd.ops._rows import blocks, exponentials, places, vector_sum
from autograd.ops.indexing import getitem
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import moveaxis, reshape
from autograd.ops.softmax import log_softmax
from autograd.primitive import as_operand
from autograd.threads import each

_REDUCTIONS = ("mean", "sum", "none")
_INT64, _UINT64 = np.dtype(np.int64), np.dtype(np.uint64)


def check_reduction(reduction: str, op: str) -> None:
    """Raises ValueError for anything but "mean", "sum" and "none"."""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{op}: expected reduction 'mean', 'sum' or 'none', got {reduction!r}")


def reduced(loss: Any, reduction: str) -> Any:
    """The mean, the sum or the loss itself."""
    if reduction == "none":
        return loss
    if reduction == "sum":
        return np.sum(loss)
    return np.mean(loss)


def prediction_and_target(input: Any, target: Any, op: str) -> tuple[Any, Any]:
    """Both as tensors of one shape, the target in the input's dtype if it holds whole numbers or booleans.

    Raises:
        TypeError: for an input that is not floating.
        ValueError: for different shapes: prediction and target are never broadcast.
    """
    x, y = tensor_of(input, op), tensor_of(target, op)
    if x.shape != y.shape:
        raise ValueError(f"{op}: expected a target of the input's shape {x.shape}, got {y.shape}; losses do not broadcast")
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected a floating input, got {x.dtype}; convert with .astype()")
    return x, y if y.dtype.kind == "f" else y.astype(x.dtype)


def factor(values: Any, shape: tuple[int, ...], name: str, op: str) -> Any:
    """What each element of a loss is multiplied by, which broadcasts to the loss's shape and not beyond it."""
    operand = as_operand(values, op)
    try:
        fits = np.broadcast_shapes(np.shape(operand), shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{op}: expected a {name} that broadcasts to {shape}, got shape {np.shape(operand)}")
    return operand


# ------------------------------------------------------------------------------------------------ cross entropy


def _cross_entropy_composition(
    logits: Any,
    *,
    target: Array,
    mass: float | None,
    scale: Array | None = None,
    shares: Array | None = None,
    valid: Array | None = None,
) -> Any:
    """-scale_i logp[i, target_i] - sum_c shares_c logp[i, c], row by row; 0 for ignored rows; their sum over the mass.

    Without ``scale`` it is 1 for all, without ``valid`` no row is ignored.
    """
    logp = log_softmax(logits, axis=1)
    loss = -getitem(logp, (np.arange(len(target)), target))
    if scale is not None:
        loss = loss * scale
    if shares is not None:
        loss = loss - np.sum(np.where(shares == 0, 0.0, logp * shares), axis=1)
    if valid is not None:
        loss = np.where(valid, loss, 0.0)
    if mass is None:
        return loss
    return np.sum(loss) / mass if mass else np.sum(loss) * math.nan


def _cross_entropy_kernel(
    logits: Array,
    *,
    target: Array,
    mass: float | None,
    scale: Array | None = None,
    shares: Array | None = None,
    valid: Array | None = None,
) -> tuple[Array, tuple[Array, ...]]:
    wide = logits.astype(np.float32) if logits.dtype == np.float16 else logits
    exponentiated, sums, shift = _exponentials(wide)
    index = places(target, wide.shape[1])
    ratio = sums / exponentiated.reshape(-1)[index]
    if ratio.dot(ratio) < math.inf:
        loss = np.log(ratio)
    else:  # the target's exponential is too small, so its logit is far from the greatest, and nothing cancels
        picked = wide.reshape(-1)[index]
        loss = np.log(sums) - (picked if shift is None else picked - shift)
    if scale is not None:
        loss *= scale
    if shares is not None:
        no_share = shares == 0  # of nothing, even -inf is 0
        total = np.matmul(np.where(no_share, 0, wide) if no_share.any() else wide, shares)
        logs = np.log(sums) if shift is None else np.log(sums) + shift
        loss += logs * np.sum(shares) - total
    if valid is not None:
        loss = np.where(valid, loss, 0)
    if mass is not None:  # summed before it is rounded to float16
        loss = np.asarray(vector_sum(loss) / mass)
    return loss if loss.dtype == logits.dtype else loss.astype(logits.dtype), (exponentiated, sums, index)


def _exponentials(x: Array) -> tuple[Array, Array, Array | None]:
    """``exponentials`` of all rows, by blocks: a new array, the sums, and the shifts (None: 0)."""
    out = np.empty(x.shape, x.dtype)
    if x.size <= _rows.BLOCK:
        return out, *exponentials(x, out)
    sums, shift = np.empty(len(x), x.dtype), np.zeros(len(x), x.dtype)

    def work(block: slice) -> None:
        sums[block], found = exponentials(x[block], out[block])
        if found is not None:
            shift[block] = found

    each(work, len(x), x.shape[1], _rows.BLOCK)
    return out, sums, shift


def _scaled_rows(x: Array, factors: Array) -> Array:
    if x.size <= _rows.BLOCK:
        return np.asarray(x * factors[:, None])
    out = np.empty_like(x)

    def work(block: slice) -> None:
        np.multiply(x[block], factors[block, None], out=out[block])

    each(work, len(x), x.shape[1], _rows.BLOCK)
    return out


def _cross_entropy_rule(
    g: Array,
    _wanted: tuple[bool, ...],
    _loss: Any,
    _logits: Any,
    *,
    residuals: tuple[Array, ...],
    target: Array,  # noqa: ARG001
    mass: float | None,
    scale: Array | None = None,
    shares: Array | None = None,
    valid: Array | None = None,
) -> list[Any]:
    """(softmax sum(weights) - weights) g, row by row."""
    exponentiated, sums, index = residuals
    factor: Any  # one for each row, or a number for all
    if mass is not None:
        factor = float(g) / mass if mass else math.nan
    else:
        factor = g.astype(exponentiated.dtype)
    of_target = factor if scale is None else factor * scale
    of_softmax = of_target if shares is None else of_target + factor * np.sum(shares)
    out = _scaled_rows(exponentiated, of_softmax / sums)
    if shares is not None:
        for block in blocks(*out.shape):  # without another array of this size
            out[block] -= np.multiply.outer(factor[block], shares) if mass is None else factor * shares
    out.reshape(-1)[index] -= of_target
    if valid is not None:
        out[~valid] = 0
    return [out]


_cross_entropy = fused(_cross_entropy_composition, _cross_entropy_kernel, _cross_entropy_rule, name="cross_entropy")


def _class_rows(x: Any, target: Any, op: str) -> tuple[Any, Array, tuple[int, ...]]:
    """(N, C, d...) as rows (N * d, C), the target flat, and the shape of the loss."""
    classes = np.asarray(getattr(target, "_data", target))
    if classes.dtype.kind not in "iu":
        raise TypeError(f"{op}: expected class indices as integers, got {classes.dtype}")
    whole = x._data.shape
    if not whole:
        raise ValueError(f"{op}: expected an axis of classes, got a 0-d input")
    shape = whole[:1] + whole[2:] if len(whole) > 1 else ()
    if classes.shape != shape:
        raise ValueError(f"{op}: expected a target of shape {shape} for an input of shape {whole}, got {classes.shape}")
    if len(whole) == 2:
        return x, classes, shape
    if len(whole) == 1:
        x = reshape(x, (1, -1))
    else:
        x = moveaxis(x, 1, -1)
        x = reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    return x, classes.reshape(-1), shape


def _checked(classes: Array, count: int, ignore_index: int, op: str) -> tuple[Array, Array | None]:
    """The classes with ignored ones as 0, and which rows count (None: all)."""
    if classes.dtype is _INT64 and classes.size and not 0 <= ignore_index < count:
        positive = classes.view(_UINT64)  # a negative one is huge
        if positive.item(positive.argmax()) < count:  # (a quarter of the time of np.maximum.reduce)
            return classes, None
    valid = classes != ignore_index
    bad = valid & ((classes < 0) | (classes >= count))
    if bad.any():
        raise IndexError(f"{op}: Target {classes[bad][0]} is out of bounds for {count} classes")
    return np.where(valid, classes, 0), valid


def _weight_of_each(weight: Any, count: int, op: str) -> Any:
    """The weights of the classes as a tensor (C,)."""
    tensor = tensor_of(weight, op)
    if tensor.shape != (count,):
        raise ValueError(f"{op}: expected a weight for each of {count} classes, got shape {tensor.shape}")
    return tensor


def class_weights(weight: Any, count: int, dtype: Any, op: str) -> Array | None:
    """The weights of the classes as an array (C,), or None.

    Raises:
        ValueError: for another shape, and for weights that require a gradient, which they would not get.
    """
    if weight is None:
        return None
    tensor = _weight_of_each(weight, count, op)
    if tensor.requires_grad:
        raise ValueError(f"{op}: expected class weights that require no grad, got some that do; use weight.detach()")
    values: Array = tensor._data.astype(dtype)
    return values


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The negative log-likelihood of classes under softmax(input), from logits.

    Args:
        input: logits (N, C), (C,) or (N, C, d...).
        target: class indices (N,), (), (N, d...), or probabilities in the shape of the input.
        weight: a factor for each class (C,).
        ignore_index: rows with this target count nothing; only for class indices.
        reduction: "mean" (over the weights of the rows that count), "sum" or "none".
        label_smoothing: between 0 and 1: this share of the target is spread evenly over all classes.

    Raises:
        IndexError: for a class that does not exist.
        TypeError: for targets that are neither integers nor probabilities in the input's shape.
        ValueError: for shapes that do not fit, smoothing outside [0, 1], and an index to ignore among probabilities.
    """
    check_reduction(reduction, "cross_entropy")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"cross_entropy: expected label_smoothing between 0 and 1, got {label_smoothing}")
    x = tensor_of(input, "cross_entropy")
    goal = tensor_of(target, "cross_entropy")
    if goal._data.dtype.kind == "f":
        if goal.shape != x.shape:
            raise TypeError(
                f"cross_entropy: expected integer classes, or probabilities of shape {x.shape}, "
                f"got {goal.dtype} of shape {goal.shape}"
            )
        if ignore_index >= 0:
            raise ValueError(f"cross_entropy: expected ignore_index only with classes as targets, got {ignore_index}")
        return _soft_cross_entropy(x, goal, weight, reduction, label_smoothing)
    rows, classes, shape = _class_rows(x, goal, "cross_entropy")
    count = rows._data.shape[1]
    classes, valid = _checked(classes, count, ignore_index, "cross_entropy")
    factors: dict[str, Array] = {}  # only what there is: most losses have neither weights nor rows that do not count
    mass = float(len(classes))
    if valid is not None:
        factors["valid"] = valid
        mass = float(np.count_nonzero(valid))
    if weight is not None or label_smoothing:
        dtype = x.dtype if x.dtype != np.float16 else np.dtype(np.float32)
        weights = class_weights(weight, count, dtype, "cross_entropy")
        scale = np.ones(len(classes), dtype) if weights is None else weights[classes]
        if weights is not None:
            mass = float(np.sum(scale if valid is None else scale[valid], dtype=np.float64))
        if label_smoothing:
            share = label_smoothing / count
            factors["shares"] = np.full(count, share, dtype) if weights is None else weights * share
        factors["scale"] = scale * (1.0 - label_smoothing) if label_smoothing else scale
    divisor = mass if reduction == "mean" else 1.0 if reduction == "sum" else None
    loss = _cross_entropy(rows, target=classes, mass=divisor, **factors)
    return reshape(loss, shape) if divisor is None else loss


def _soft_cross_entropy(x: Any, goal: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    axis = 0 if x.ndim == 1 else 1
    count = x.shape[axis]
    if smoothing:
        goal = goal * (1.0 - smoothing) + smoothing / count
    if weight is not None:
        weights = _weight_of_each(weight, count, "cross_entropy").astype(x.dtype)
        goal = goal * reshape(weights, (-1,) + (1,) * (x.ndim - axis - 1))
    log_probability = log_softmax(x, axis)
    excluded = (goal._data == 0) & (log_probability._data == -np.inf)  # 0 log 0 is 0
    loss = -np.sum(goal * np.where(excluded, 0.0, log_probability), axis=axis)
    return reduced(loss, reduction)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """The negative log-likelihood of classes from log-probabilities (N, C), (C,) or (N, C, d...); see ``cross_entropy``."""
    check_reduction(reduction, "nll_loss")
    x = tensor_of(input, "nll_loss")
    rows, classes, shape = _class_rows(x, target, "nll_loss")
    classes, valid = _checked(classes, rows.shape[1], ignore_index, "nll_loss")
    weights = class_weights(weight, rows.shape[1], x.dtype, "nll_loss")
    valid = np.ones(len(classes), np.bool_) if valid is None else valid
    scale = np.where(valid, 1.0 if weights is None else weights[classes], 0.0).astype(x.dtype)
    picked = getitem(rows, (np.arange(len(classes)), classes))
    loss = np.where(valid, -picked * scale, 0.0)
    if reduction == "mean":
        mass = float(np.sum(scale, dtype=np.float64))
        return np.mean(loss) * (len(classes) / mass) if mass else np.sum(loss) * math.nan  # a mean does not overflow
    return reduced(reshape(loss, shape), reduction)


# ------------------------------------------------------------------------------------------------ binary


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """-p y log s(x) - (1 - y) log(1 - s(x)) with the logistic function s, from logits; finite for logits of any size.

    Args:
        input: logits.
        target: of the same shape, between 0 and 1.
        weight: a factor for each element, broadcast.
        reduction: "mean", "sum" or "none".
        pos_weight: the factor p of the positive class, broadcast.

    Raises:
        ValueError: for different shapes, and for weights that do not broadcast to them.
        TypeError: for logits that are not floating.
    """
    check_reduction(reduction, "binary_cross_entropy_with_logits")
    x, y = prediction_and_target(input, target, "binary_cross_entropy_with_logits")
    from autograd.ops.activations import logsigmoid

    # Two logarithms instead of one, log(1 - s(x)) = log s(x) - x: nothing cancels where the loss is small.
    op = "binary_cross_entropy_with_logits"
    ours = y if pos_weight is None else factor(pos_weight, x.shape, "pos_weight", op) * y
    loss = (y - 1.0) * logsigmoid(-x) - ours * logsigmoid(x)
    return reduced(loss if weight is None else loss * factor(weight, x.shape, "weight", op), reduction)
