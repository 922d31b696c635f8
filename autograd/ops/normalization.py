"""Normalisation: over features, groups of channels or the batch, as one fused primitive.

y = weight * (x - mean) / sqrt(var + eps) + bias, where mean and (biased) variance are taken over some axes of x. Which axes,
and along which ones weight and bias vary, is all in which layer norm, group norm and batch norm differ.

Batch norm notes mean and variance, so it computes them before the primitive. They are static to the fast kernel and rule; the
composition computes them again, since they depend on x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import versions
from autograd.arrays import Array
from autograd.declare import fused
from autograd.ops._normalizing import channel_moments, channels_backward, channels_forward, rows_backward, rows_forward
from autograd.ops.reductions import tensor_of
from autograd.primitive import quiet


def _composition(
    x: Any, *affine: Any, view: tuple[int, ...], axes: tuple[int, ...], shape: tuple[int, ...], eps: float, centred: bool,
    **_moments: Any,
) -> Any:  # fmt: skip
    """weight (x - mean(x)) / sqrt(mean((x - mean(x))²) + eps) + bias."""
    images = np.reshape(x, view)
    c = images - np.mean(images, axis=axes, keepdims=True) if centred else images
    y = c / np.sqrt(np.mean(c * c, axis=axes, keepdims=True) + eps)
    for number, parameter in enumerate(affine):
        parameter = np.reshape(parameter, shape)
        y = y + parameter if number else y * parameter
    return np.reshape(y, x.shape)


def _kernel(
    x: Array, *affine: Array, view: tuple[int, ...], axes: tuple[int, ...], shape: tuple[int, ...], eps: float, centred: bool,
    moments: tuple[Array, Array] | None,
) -> tuple[Array, tuple[Array, Array]]:  # fmt: skip
    weight, bias = (*affine, None, None)[:2]
    if moments is not None:
        mean, rate = moments[0], 1.0 / np.sqrt(moments[1] + eps)
        y = channels_forward(x.reshape(_three(view)), weight, bias, mean, rate)
    else:
        w, b = (None if each is None else each.reshape(-1) for each in (weight, bias))
        y, mean, rate = rows_forward(x.reshape(_rows(view, axes)), w, b, _each(view, shape), eps, centred)
    return y.reshape(x.shape).astype(np.result_type(x, *affine), copy=False), (mean, rate)


def _rule(
    g: Any, wanted: tuple[bool, ...], _y: Any, x: Any, *affine: Any, residuals: tuple[Array, Array], view: tuple[int, ...],
    axes: tuple[int, ...], shape: tuple[int, ...], centred: bool, moments: tuple[Array, Array] | None, **_eps: Any,
) -> list[Any]:  # fmt: skip
    weight = affine[0] if affine else None  # the bias, which no derivative depends on, was not saved
    wants = (*wanted, False, False)[:3]
    if moments is not None:
        size = _three(view)
        found = channels_backward(g.reshape(size), x.reshape(size), weight, *residuals, wants)
    else:
        rows = _rows(view, axes)
        flat = None if weight is None else weight.reshape(-1)
        found = rows_backward(g.reshape(rows), x.reshape(rows), flat, _each(view, shape), *residuals, centred, wants)
    sizes = [x.shape, *[each.shape for each in affine[:1] for _ in (0, 1)]]  # a bias has the weight's
    return [None if each is None else each.reshape(size) for each, size in zip(found[: len(wanted)], sizes, strict=False)]


def _three(view: tuple[int, ...]) -> tuple[int, ...]:
    """(n, c) or (n, c, L) as (n, c, L)."""
    return view if len(view) == 3 else (*view, 1)


def _rows(view: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, int]:
    """What is averaged over as rows: the last axes of the view."""
    width = math.prod(view[a] for a in axes)
    return math.prod(view[: axes[0]]), width


def _each(view: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """How many elements in turn share one value of the weight."""
    return view[-1] if shape[-1] == 1 and len(shape) == 4 else 1


_normalize = fused(_composition, _kernel, _rule, name="normalize", unread=(2,))


def _normalized(
    x: Any, weight: Any, bias: Any, view: tuple[int, ...], axes: tuple[int, ...], shape: tuple[int, ...], eps: float,
    centred: bool = True, moments: tuple[Array, Array] | None = None,
) -> Any:  # fmt: skip
    affine = () if weight is None else (weight,) if bias is None else (weight, bias)
    y = _normalize(x, *affine, view=view, axes=axes, shape=shape, eps=eps, centred=centred, moments=moments)
    if weight is None and bias is not None:
        y = np.reshape(np.reshape(y, view) + np.reshape(bias, shape), x.shape)
    return y


def _input(x: Any, eps: float, op: str) -> Any:
    x = tensor_of(x, op)
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected a floating dtype, got {x.dtype}; convert with .astype()")
    if not eps >= 0:
        raise ValueError(f"{op}: expected eps of at least 0, got {eps}")
    return x


def _parameter(value: Any, shape: tuple[int, ...], name: str, op: str) -> Any:
    if value is None:
        return None
    value = tensor_of(value, op)
    if value.shape != shape:
        raise ValueError(f"{op}: expected a {name} of shape {shape}, got {value.shape}")
    return value


def _trailing(x: Any, normalized_shape: Any, op: str) -> tuple[int, ...]:
    """The checked normalized_shape: the last axes of x."""
    wanted = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    if not wanted or x.shape[-len(wanted) :] != wanted:
        raise ValueError(f"{op}: expected an input whose last axes are {wanted}, got shape {x.shape}")
    return wanted


def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """weight (x - mean) / sqrt(var + eps) + bias over the last axes (Ba, Kiros and Hinton, 2016).

    Args:
        x: (..., *normalized_shape).
        normalized_shape: the length of the last axis, or the lengths of the last axes.
        weight, bias: of shape ``normalized_shape``, or None.
        eps: keeps the division finite: a constant row gives the bias.

    Raises:
        ValueError: where the shapes do not fit.
    """
    x = _input(x, eps, "layer_norm")
    inner = _trailing(x, normalized_shape, "layer_norm")
    weight, bias = _parameter(weight, inner, "weight", "layer_norm"), _parameter(bias, inner, "bias", "layer_norm")
    width = math.prod(inner)
    return _normalized(x, weight, bias, (math.prod(x.shape[: x.ndim - len(inner)]), width), (1,), (1, width), eps)


def rms_norm(x: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """weight x / sqrt(mean(x²) + eps) over the last axes (Zhang and Sennrich, 2019).

    Args:
        x: (..., *normalized_shape).
        normalized_shape: the length of the last axis, or the lengths of the last axes.
        weight: of shape ``normalized_shape``, or None.
        eps: by default the distance from 1 to the next number of x's dtype.
    """
    x = tensor_of(x, "rms_norm")
    if eps is None:
        eps = float(np.finfo(x.dtype).eps) if x.dtype.kind == "f" else 0.0
    x = _input(x, eps, "rms_norm")
    inner = _trailing(x, normalized_shape, "rms_norm")
    weight = _parameter(weight, inner, "weight", "rms_norm")
    width = math.prod(inner)
    view = (math.prod(x.shape[: x.ndim - len(inner)]), width)
    return _normalized(x, weight, None, view, (1,), (1, width), eps, centred=False)


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """weight (x - mean) / sqrt(var + eps) + bias over each of the groups of channels of a sample (Wu and He, 2018).

    Args:
        x: (N, C, ...).
        num_groups: a divisor of C; C itself gives instance norm.
        weight, bias: (C,) or None.
        eps: keeps the division finite.
    """
    x = _input(x, eps, "group_norm")
    if x.ndim < 2:
        raise ValueError(f"group_norm: expected an input (N, C, ...), got shape {x.shape}")
    n, c = x.shape[:2]
    if num_groups < 1 or c % num_groups:
        raise ValueError(f"group_norm: expected num_groups to divide {c} channels, got {num_groups}")
    weight, bias = _parameter(weight, (c,), "weight", "group_norm"), _parameter(bias, (c,), "bias", "group_norm")
    view = (n, num_groups, c // num_groups, math.prod(x.shape[2:]))
    return _normalized(x, weight, bias, view, (2, 3), (1, num_groups, c // num_groups, 1), eps)


def _channels(x: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """View, averaged axes and the shape of weights, to normalise (N, C, ...) over all axes but the channels."""
    n, c = x.shape[:2]
    length = math.prod(x.shape[2:])
    return ((n, c), (0,), (1, c)) if length == 1 else ((n, c, length), (0, 2), (1, c, 1))


def _note(running: Any, value: Array, momentum: float) -> None:
    """Moves a running statistic, a Tensor or an array, towards a value in place."""
    if running is None:
        return
    array = getattr(running, "_data", running)
    array += momentum * (value.reshape(array.shape) - array)
    versions.stamp(array)


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """weight (x - mean) / sqrt(var + eps) + bias for every channel (Ioffe and Szegedy, 2015).

    In training, mean and biased variance are those of the batch, and the running statistics move towards its mean and its
    *unbiased* variance: running = (1 - momentum) running + momentum new. Otherwise the running statistics are used.

    Args:
        x: (N, C, ...).
        running_mean, running_var: (C,), written to in training; None: none are kept, and the batch's are used always.
        weight, bias: (C,) or None.
        training: use the statistics of the batch.
        momentum: how far the running statistics move.
        eps: keeps the division finite: a channel without variance gives the bias.

    Raises:
        ValueError: in training with one value per channel, which has no variance.
    """
    x = _input(x, eps, "batch_norm")
    if x.ndim < 2:
        raise ValueError(f"batch_norm: expected an input (N, C, ...), got shape {x.shape}")
    c = x.shape[1]
    weight, bias = _parameter(weight, (c,), "weight", "batch_norm"), _parameter(bias, (c,), "bias", "batch_norm")
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is not None and np.shape(running) != (c,):
            raise ValueError(f"batch_norm: expected a {name} of shape ({c},), got {np.shape(running)}")
    view, axes, shape = _channels(x)
    count = math.prod(view[a] for a in axes)
    if not training:
        if (running_mean is None) != (running_var is None):
            raise ValueError("batch_norm: expected both running_mean and running_var, got one of them")
        if running_mean is not None:
            return _by_running(x, running_mean, running_var, weight, bias, (1, c, *(1,) * (x.ndim - 2)), eps)
    elif count == 1:
        raise ValueError(f"batch_norm: expected more than 1 value per channel when training, got shape {x.shape}")
    moments = quiet.run(channel_moments, x._data.reshape(_three(view)))
    y = _normalized(x, weight, bias, view, axes, shape, eps, moments=moments)
    if training and count:
        _note(running_mean, moments[0], momentum)
        _note(running_var, moments[1] * (count / (count - 1)), momentum)
    return y


def _by_running(x: Any, mean: Any, var: Any, weight: Any, bias: Any, shape: tuple[int, ...], eps: float) -> Any:
    """x rate + (bias - mean rate): two passes over x."""
    mean, var = tensor_of(mean, "batch_norm"), tensor_of(var, "batch_norm")
    rate = 1.0 / np.sqrt(var + eps)
    rate = rate if weight is None else rate * weight
    offset = -mean * rate if bias is None else bias - mean * rate
    return x * np.reshape(rate, shape) + np.reshape(offset, shape)
