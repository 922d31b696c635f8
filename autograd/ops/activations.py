"""Activation functions: PyTorch's names, definitions and defaults (gelu, silu and mish: see ``fused_activations``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import FLOATING, clipped
from autograd.declare import elementwise, internal
from autograd.ops import elementwise as e
from autograd.ops.gate import choose, gate, in_rules, pick
from autograd.ops.special_kernels import floating
from autograd.primitive import as_operand

_sigmoid_of = in_rules(e.sigmoid)

# ------------------------------------------------------------------------------------------------ piecewise linear


_ZEROS = {dtype: np.zeros((), dtype) for dtype in FLOATING}  # in small arrays a quicker operand than the number 0
_INFINITIES = {dtype: np.array(np.inf, dtype) for dtype in FLOATING}


def _relu(x: Any) -> Any:
    dtype = x.dtype
    return clipped(x, _ZEROS[dtype], _INFINITIES[dtype]) if dtype.kind == "f" else np.maximum(x, 0)


relu = elementwise(
    _relu,
    lambda g, y, _x: gate(g, y != _ZEROS[y.dtype]),
    name="relu",
    doc="max(x, 0); the gradient at 0 is 0, at nan 1.",
)
sigmoid = e.sigmoid
tanh = e.tanh


def _leaky_kernel(x: Any, *, slope: float) -> Any:
    if 0 < slope <= 1:
        return np.maximum(x, x * slope)
    return choose(np.asarray(x > 0), x, x * slope)


_leaky = internal(
    _leaky_kernel,
    lambda g, y, _x, *, slope: pick(y > 0, g, g * slope),
    name="leaky_relu",
)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x for x > 0, negative_slope * x elsewhere; the gradient at 0 is the slope."""
    if negative_slope == 0:
        return relu(x)
    if negative_slope < 0:  # then the sign of the output does not tell that of x
        return np.where(x > 0, x, x * negative_slope)
    return _leaky(x, slope=float(negative_slope))


def prelu(x: Any, weight: Any) -> Any:
    """x for x > 0, weight * x elsewhere; the gradient at 0 is the weight.

    Args:
        x: a tensor.
        weight: one slope, or one for each channel (axis 1 of x; axis 0 if it has only one).
    """
    x, weight = as_operand(x, "prelu"), as_operand(weight, "prelu")
    if math.prod(getattr(weight, "shape", ())) != 1:
        channels = x.shape[min(1, x.ndim - 1)] if x.ndim else 1
        if weight.shape != (channels,):
            raise ValueError(f"prelu: expected one weight or {channels}, one for each channel, got shape {weight.shape}")
        if x.ndim > 2:
            weight = np.reshape(weight, (channels,) + (1,) * (x.ndim - 2))
    elif getattr(weight, "ndim", 0):
        weight = np.reshape(weight, ())
    return np.where(x > 0, x, weight * x)


_hardtanh = internal(
    lambda x, *, low, high: clipped(x, low, high),
    lambda g, _y, x, *, low, high: gate(g, ~((x <= low) | (x >= high))),
    name="hardtanh",
)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x limited to [min_val, max_val]; unlike ``clip`` the gradient at the edges is 0."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: expected min_val <= max_val, got {min_val} and {max_val}")
    return _hardtanh(x, low=min_val, high=max_val)


def relu6(x: Any) -> Any:
    """x limited to [0, 6]; the gradient at the edges is 0."""
    return _hardtanh(x, low=0.0, high=6.0)


hardsigmoid = elementwise(
    lambda x: clipped(x / 6.0 + 0.5, 0.0, 1.0),
    lambda g, _y, x: gate(g * (1.0 / 6.0), (x > -3) & (x < 3)),
    name="hardsigmoid",
    doc="x / 6 + 1/2 limited to [0, 1]; the gradient at the edges is 0.",
)


def _hardswish_kernel(x: Any) -> Any:
    y = np.asarray(x / 6.0)
    y += 0.5
    clipped(y, 0.0, 1.0, out=y)
    y *= np.maximum(x, -3.0)
    return y


def _hardswish_rule(g: Any, _y: Any, x: Any) -> Any:
    slope = pick(x >= 3, 1.0, np.clip(x, -3.0, 3.0) * (1.0 / 3.0) + 0.5)
    return gate(g * slope, x > -3)


hardswish = elementwise(
    _hardswish_kernel,
    _hardswish_rule,
    name="hardswish",
    doc="x relu6(x + 3) / 6; the gradient at -3 is 0, at 3 it is 1.",
)

# ------------------------------------------------------------------------------------------------ exponential


def _elu_kernel(x: Any, *, alpha: float, scale: float, rate: float) -> Any:
    y = np.asarray(np.minimum(floating(x), 0.0))
    if rate != 1.0:
        y *= rate
    np.expm1(y, out=y)
    y *= alpha * scale
    y += np.maximum(x, 0.0) if scale == 1.0 else np.maximum(x, 0.0) * scale
    return y


def _elu_rule(g: Any, _y: Any, x: Any, *, alpha: float, scale: float, rate: float) -> Any:
    positive = x > 0
    below = np.exp(rate * pick(positive, 0.0, x)) * (alpha * scale * rate)
    return g * pick(positive, scale, below)


_elu = internal(_elu_kernel, _elu_rule, name="elu")


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x for x > 0, alpha (e^x - 1) elsewhere; the gradient at 0 is alpha (Clevert et al., 2015)."""
    return _elu(x, alpha=float(alpha), scale=1.0, rate=1.0)


def selu(x: Any) -> Any:
    """scale * elu(x, alpha) with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    return _elu(x, alpha=1.6732632423543772, scale=1.0507009873554805, rate=1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + min(0, alpha (e^(x / alpha) - 1)) (Barron, 2017)."""
    if alpha == 0:
        raise ValueError("celu: expected alpha other than 0, got 0")
    return _elu(x, alpha=float(alpha), scale=1.0, rate=1.0 / alpha)


def _softplus_kernel(x: Any, *, beta: float, threshold: float) -> Any:
    x = floating(x)
    t = np.asarray(x * beta)
    y = np.asarray(np.exp(-np.abs(t)))  # never overflows
    np.log1p(y, out=y)
    y += np.maximum(t, 0.0)
    if beta != 1.0:
        y /= beta
    linear = np.asarray(t > threshold)
    return choose(linear, x, y) if linear.any() else y


def _softplus_rule(g: Any, _y: Any, x: Any, *, beta: float, threshold: float) -> Any:
    linear = beta * x > threshold
    slope = _sigmoid_of(beta * x)
    return g * (pick(linear, 1.0, slope) if np.any(linear) else slope)


_softplus = internal(_softplus_kernel, _softplus_rule, name="softplus")


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(beta x)) / beta without overflow; x itself where beta x > threshold, as in PyTorch."""
    return _softplus(x, beta=float(beta), threshold=float(threshold))


def _logsigmoid_kernel(x: Any) -> Any:
    x = floating(x)
    y = np.asarray(np.exp(-np.abs(x)))
    np.log1p(y, out=y)
    return np.subtract(np.minimum(x, 0.0), y, out=y)


logsigmoid = elementwise(
    _logsigmoid_kernel,
    lambda g, _y, x: g * _sigmoid_of(-x),
    name="logsigmoid",
    doc="log(1 / (1 + e^-x)) without overflow.",
)


def _softsign_rule(g: Any, _y: Any, x: Any) -> Any:
    denominator = 1.0 + np.abs(x)
    return g / (denominator * denominator)


softsign = elementwise(lambda x: x / (1.0 + np.abs(x)), _softsign_rule, name="softsign", doc="x / (1 + |x|).")


def glu(x: Any, dim: int = -1) -> Any:
    """a / (1 + e^-b), for the halves a and b of x along an axis (Dauphin et al., 2016).

    Raises:
        ValueError: for an axis of odd size.
    """
    x = as_operand(x, "glu")
    if not x.ndim:
        raise ValueError("glu: expected a tensor with an axis to halve, got a 0-d tensor")
    if not -x.ndim <= dim < x.ndim:
        raise np.exceptions.AxisError(dim, x.ndim, "glu")
    size = x.shape[dim]
    if size % 2:
        raise ValueError(f"glu: expected an even size along axis {dim}, got shape {x.shape}")
    before = (slice(None),) * (dim % x.ndim)
    return x[(*before, slice(0, size // 2))] * e.sigmoid(x[(*before, slice(size // 2, None))])
