"""Activation functions: PyTorch's names, definitions and defaults.

Where x e^-x would meet at infinity as inf * 0, x is clipped first at a value beyond which its factor is 0 in every dtype, so
that the limit comes out: ``silu(-inf)`` and ``gelu(-inf)`` are 0 with gradient 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops import elementwise as e
from autograd.ops import special
from autograd.ops.gate import choose, gate, in_rules, pick
from autograd.ops.special_kernels import BLOCK, erf_single, erfc_block
from autograd.primitive import as_operand, elementwise, fused, internal

_sigmoid_of = in_rules(e.sigmoid)


def _floating(x: Any) -> Array:
    array: Array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _blockwise(work: Callable[..., None], arrays: Sequence[Any], outputs: int) -> list[Array]:
    """New arrays that ``work(*blocks, *output_blocks)`` fills, by pieces that stay in the cache; float16 as float32."""
    arrays = [_floating(array) for array in arrays]
    first = arrays[0]
    if first.ndim and first.size <= BLOCK and first.dtype != np.float16:
        small = [np.empty_like(first) for _ in range(outputs)]
        work(*arrays, *small)
        return small
    dtype = first.dtype
    if dtype == np.float16:
        arrays = [array.astype(np.float32) for array in arrays]
    results = [np.empty(first.shape, arrays[0].dtype) for _ in range(outputs)]
    flat = [array.reshape(-1) for array in (*arrays, *results)]
    for start in range(0, first.size, BLOCK):
        work(*(array[start : start + BLOCK] for array in flat))
    return [result.astype(dtype) for result in results] if dtype == np.float16 else results


def _within(x: Array, low: float, high: float = np.inf, out: Array | None = None) -> Array:
    """x limited to an interval: np.clip is the quicker one on large arrays only."""
    if x.size > 4096:
        return np.clip(x, low, high, out=out)
    y: Array = np.maximum(x, low, out=out)
    return y if high == np.inf else np.minimum(y, high, out=y)


# ------------------------------------------------------------------------------------------------ piecewise linear


def _relu(x: Any) -> Any:
    if x.size > 4096 and x.dtype.kind == "f":
        return np.clip(x, 0.0, np.inf)  # 0.08 ms for a million numbers, where np.maximum with a number takes 0.3
    return np.maximum(x, 0)


relu = elementwise(
    _relu,
    lambda g, y, _x: gate(g, y != 0),
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
    lambda x, *, low, high: np.clip(x, low, high),
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
    lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    lambda g, _y, x: gate(g * (1.0 / 6.0), (x > -3) & (x < 3)),
    name="hardsigmoid",
    doc="x / 6 + 1/2 limited to [0, 1]; the gradient at the edges is 0.",
)


def _hardswish_rule(g: Any, _y: Any, x: Any) -> Any:
    inner = (x > -3) & (x < 3)
    return pick(inner, g * (pick(inner, x, 0.0) * (1.0 / 3.0) + 0.5), gate(g, x >= 3))


hardswish = elementwise(
    lambda x: np.maximum(x, -3.0) * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    _hardswish_rule,
    name="hardswish",
    doc="x relu6(x + 3) / 6; the gradient at -3 is 0, at 3 it is 1.",
)

# ------------------------------------------------------------------------------------------------ exponential


def _elu_kernel(x: Any, *, alpha: float, scale: float, rate: float) -> Any:
    y = np.asarray(np.minimum(_floating(x), 0.0))
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
    x = _floating(x)
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
    x = _floating(x)
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

# ------------------------------------------------------------------------------------------------ x times a sigmoid


def _limited(function: Callable[[Any], Any], x: Any, limit: float) -> Any:
    """function(x), but its limits 0 and x from -limit and limit on: at infinity inf * 0 would be nan."""
    far = np.abs(x) >= limit
    if not np.any(far):
        return function(x)
    return np.where(far, np.where(x > 0, x, 0.0), function(np.where(far, 0.0, x)))


def _silu_composition(x: Any) -> Any:
    """x / (1 + e^-x), also called swish; 0 at -inf."""
    return _limited(lambda x: x * e.sigmoid(x), x, 1e3)


def _silu_block(x: Array, y: Array, s: Array) -> None:
    np.negative(x, out=s)
    np.exp(s, out=s)
    s += 1.0
    np.reciprocal(s, out=s)
    _within(x, -1e4, out=y)
    y *= s


def _silu_kernel(x: Any) -> tuple[Array, Array]:
    y, s = _blockwise(_silu_block, [x], 2)
    return y, s


def _silu_slope(g: Array, x: Array, s: Array, d: Array) -> None:
    """g s (1 + x (1 - s))"""
    np.subtract(1.0, s, out=d)
    d *= _within(x, -1e4, 1e4)
    d += 1.0
    d *= s
    d *= g


def _silu_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_silu_slope, [g, x, residuals], 1)


silu = fused(_silu_composition, _silu_kernel, _silu_rule, name="silu")


def _normal_cdf(x: Array) -> Array:
    """Φ(x), the probability that a standard normal number is below x."""
    scaled = x * -math.sqrt(0.5)
    if x.dtype == np.float64:
        c = erfc_block(scaled)
    else:
        c = erf_single(scaled)
        np.subtract(1.0, c, out=c)
    c *= 0.5
    return c


def _gelu_composition(x: Any) -> Any:
    """x Φ(x), with the distribution function Φ of the standard normal distribution; 0 at -inf."""
    return _limited(lambda x: x * (0.5 * special.erfc(x * -math.sqrt(0.5))), x, 100.0)


def _gelu_block(x: Array, y: Array, c: Array) -> None:
    c[...] = _normal_cdf(x)
    _within(x, -100.0, out=y)
    y *= c


def _gelu_kernel(x: Any) -> tuple[Array, Array]:
    y, c = _blockwise(_gelu_block, [x], 2)
    return y, c


def _gelu_slope(g: Array, x: Array, c: Array, d: Array) -> None:
    """g (Φ(x) + x φ(x))"""
    z = _within(x, -100.0, 100.0)
    np.multiply(z, z, out=d)
    d *= -0.5
    np.exp(d, out=d)
    d *= z
    d *= 1.0 / math.sqrt(2.0 * math.pi)
    d += c
    d *= g


def _gelu_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_gelu_slope, [g, x, residuals], 1)


_gelu = fused(_gelu_composition, _gelu_kernel, _gelu_rule, name="gelu")

_GELU_RATE = math.sqrt(2.0 / math.pi)
_GELU_CUBIC = 0.044715


def _gelu_tanh_composition(x: Any) -> Any:
    """x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))) / 2; 0 at -inf."""
    return _limited(lambda x: x * (0.5 * (1.0 + np.tanh(_GELU_RATE * x * (1.0 + _GELU_CUBIC * (x * x))))), x, 100.0)


def _gelu_tanh_block(x: Array, y: Array, t: Array) -> None:
    np.multiply(x, x, out=t)
    t *= _GELU_CUBIC * _GELU_RATE
    t += _GELU_RATE
    t *= x
    np.tanh(t, out=t)
    _within(x, -100.0, out=y)
    y *= 0.5
    y *= t + 1.0


def _gelu_tanh_kernel(x: Any) -> tuple[Array, Array]:
    y, t = _blockwise(_gelu_tanh_block, [x], 2)
    return y, t


def _gelu_tanh_slope(g: Array, x: Array, t: Array, d: Array) -> None:
    """g (1 + t + x (1 - t²) u') / 2, with the argument u of the tanh"""
    z = _within(x, -100.0, 100.0)
    np.multiply(z, z, out=d)
    d *= 3.0 * _GELU_CUBIC * _GELU_RATE
    d += _GELU_RATE
    d *= z
    s = t * t
    np.subtract(1.0, s, out=s)
    d *= s
    d += 1.0
    d += t
    d *= 0.5
    d *= g


def _gelu_tanh_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_gelu_tanh_slope, [g, x, residuals], 1)


_gelu_tanh = fused(_gelu_tanh_composition, _gelu_tanh_kernel, _gelu_tanh_rule, name="gelu_tanh")


def gelu(x: Any, approximate: str = "none") -> Any:
    """x Φ(x), with the distribution function Φ of the standard normal distribution (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor.
        approximate: ``"none"``, or ``"tanh"`` for x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))) / 2.
    """
    if approximate == "none":
        return _gelu(x)
    if approximate == "tanh":
        return _gelu_tanh(x)
    raise ValueError(f"gelu: expected approximate 'none' or 'tanh', got {approximate!r}")


def _mish_composition(x: Any) -> Any:
    """x tanh(log(1 + e^x)) (Misra, 2019); 0 at -inf."""
    return _limited(lambda x: x * np.tanh(softplus(x)), x, 1e3)


def _mish_block(x: Array, y: Array, t: Array) -> None:
    """tanh(log(1 + w)) = n / (n + 2) with n = w (w + 2)"""
    w = np.exp(np.clip(x, -np.inf, 20.0))
    np.add(w, 2.0, out=t)
    t *= w
    np.add(t, 2.0, out=w)
    t /= w
    _within(x, -1e4, out=y)
    y *= t


def _mish_kernel(x: Any) -> tuple[Array, Array]:
    y, t = _blockwise(_mish_block, [x], 2)
    return y, t


def _mish_slope(g: Array, x: Array, t: Array, d: Array) -> None:
    """g (t + x (1 - t²) / (1 + e^-x))"""
    np.negative(x, out=d)
    np.exp(d, out=d)
    d += 1.0
    s = t * t
    np.subtract(1.0, s, out=s)
    s *= _within(x, -1e4, 1e4)
    np.divide(s, d, out=d)
    d += t
    d *= g


def _mish_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_mish_slope, [g, x, residuals], 1)


mish = fused(_mish_composition, _mish_kernel, _mish_rule, name="mish")


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
