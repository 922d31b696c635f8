"""Normalisation: over features, groups of channels or the batch, as one fused primitive.

y = weight * (x - mean) / sqrt(var + eps) + bias, where mean and (biased) variance are taken over some axes of x. Which axes,
and along which ones weight and bias vary, is all in which layer norm, group norm and batch norm differ.

Mean and deviation are computed once, before the primitive, so that batch norm can note them. They are static to the fast
kernel and rule; the composition computes them again, since they depend on x.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import versions
from autograd.arrays import Array
from autograd.ops.reductions import tensor_of
from autograd.primitive import fused, quiet

BLOCK = 1 << 16  # elements that are worked on at a time, so that they stay in the cache


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


def _wide(*arrays: Array) -> np.dtype[Any]:
    """The dtype to compute in: float32 for float16."""
    dtype = np.result_type(*arrays)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _blocks(view: Sequence[int], axes: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Indices that cut an array into cache-sized pieces along its first axis that is not averaged over."""
    axis = next(number for number in range(len(view)) if number not in axes)
    step = max(1, BLOCK * view[axis] // max(1, math.prod(view)))
    for start in range(0, view[axis], step):
        yield (slice(None),) * axis + (slice(start, start + step),)


def _of(parameter: Array, block: tuple[slice, ...]) -> Array:
    """The part of an array of length 1 along some axes that goes with a block."""
    return parameter[tuple(slice(None) if n == 1 else part for n, part in zip(parameter.shape, block, strict=False))]


def _moments(x: Array, view: tuple[int, ...], axes: tuple[int, ...], centred: bool) -> tuple[Array, Array]:
    """Mean (0 if not centred) and mean square deviation, with axes kept."""
    x = x.reshape(view)
    count = max(1, math.prod(view[a] for a in axes))
    kept = tuple(1 if a in axes else n for a, n in enumerate(view))
    mean, var = np.zeros(kept, _wide(x)), np.zeros(kept, _wide(x))
    for block in _blocks(view, axes):
        piece = x[block].astype(mean.dtype, copy=False)
        if centred:
            middle = _of(mean, block)
            np.add.reduce(piece, axes, out=middle, keepdims=True)
            middle /= count
            piece = piece - middle
            piece *= piece
        else:
            piece = piece * piece
        spread = _of(var, block)
        np.add.reduce(piece, axes, out=spread, keepdims=True)
        spread /= count
    return mean, var


def _kernel(
    x: Array, *affine: Array, view: tuple[int, ...], axes: tuple[int, ...], shape: tuple[int, ...], eps: float, centred: bool,
    moments: tuple[Array, Array],
) -> tuple[Array, Array]:  # fmt: skip
    mean, var = moments
    rate = 1.0 / np.sqrt(var + eps)
    parameters = [parameter.reshape(shape) for parameter in affine]
    images = x.reshape(view)
    y = np.empty(view, _wide(x, *affine))
    for block in _blocks(view, axes):
        out = y[block]
        if centred:
            np.subtract(images[block], _of(mean, block), out=out)
            out *= _of(rate, block)
        else:
            np.multiply(images[block], _of(rate, block), out=out)
        if parameters:
            out *= _of(parameters[0], block)
        if len(parameters) > 1:
            out += _of(parameters[1], block)
    return y.reshape(x.shape).astype(np.result_type(x, *affine), copy=False), rate


def _rule(
    g: Any, wanted: tuple[bool, ...], _y: Any, x: Any, *affine: Any, residuals: Array, view: tuple[int, ...],
    axes: tuple[int, ...], shape: tuple[int, ...], centred: bool, moments: tuple[Array, Array], **_eps: Any,
) -> list[Any]:  # fmt: skip
    """With n = (x - mean) rate and h = g weight: dx = rate (h - mean(h) - n mean(h n)), dweight = sum(g n), dbias = sum(g)."""
    mean, rate = moments[0], residuals
    images, g = x.reshape(view), np.asarray(g).reshape(view)
    weight = affine[0].reshape(shape) if affine else None  # the bias, which no derivative depends on, was not saved
    dtype = _wide(x, g) if weight is None else _wide(x, g, weight)
    count = max(1, math.prod(view[a] for a in axes))
    others = tuple(a for a, n in enumerate(shape) if n == 1)
    dx = np.empty(view, _wide(x)) if wanted[0] else None
    sums = [np.zeros(shape, dtype) if want else None for want in wanted[1:]]
    for block in _blocks(view, axes):
        cotangent = g[block].astype(dtype, copy=False)
        n = np.subtract(images[block], _of(mean, block), dtype=dtype)
        n *= _of(rate, block)
        if sums and sums[0] is not None:
            part = _of(sums[0], block)
            part += np.add.reduce(cotangent * n, others, keepdims=True)
        if len(sums) > 1 and sums[1] is not None:
            part = _of(sums[1], block)
            part += np.add.reduce(cotangent, others, keepdims=True)
        if dx is None:
            continue
        h = cotangent if weight is None else cotangent * _of(weight, block)
        along = h * n
        inner = np.add.reduce(along, axes, keepdims=True)
        inner /= count
        n *= inner
        np.subtract(h, n, out=along)
        if centred:
            middle = np.add.reduce(h, axes, keepdims=True)
            middle /= count
            along -= middle
        along *= _of(rate, block)
        dx[block] = along
    flat = [None if total is None else total.reshape(affine[0].shape) for total in sums]
    return [None if dx is None else dx.reshape(x.shape), *flat]


_normalize = fused(_composition, _kernel, _rule, name="normalize", unread=(2,))


def _normalized(
    x: Any, weight: Any, bias: Any, view: tuple[int, ...], axes: tuple[int, ...], shape: tuple[int, ...], eps: float,
    centred: bool = True, moments: tuple[Array, Array] | None = None,
) -> Any:  # fmt: skip
    if moments is None:
        moments = quiet.run(_moments, x._data, view, axes, centred)
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
    moments = quiet.run(_moments, x._data, view, axes, True)
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
