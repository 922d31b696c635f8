"""The activations x times a sigmoid, fused: gelu, silu, mish.

Where x would meet its factor at infinity as inf * 0, x is clipped first at a value beyond which the factor is 0 in every dtype,
so that the limit comes out: ``silu(-inf)`` and ``gelu(-inf)`` are 0 with gradient 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays import Array, clipped
from autograd.declare import fused
from autograd.ops import elementwise as e
from autograd.ops import special
from autograd.ops.activations import softplus
from autograd.ops.special_kernels import ERF_SINGLE, erfc_block, floating
from autograd.threads import each

BLOCK = 1 << 17  # elements that are worked on at a time, so that they stay in the cache


def _blockwise(work: Callable[..., None], arrays: Sequence[Any], outputs: int) -> list[Array]:
    """New arrays that ``work(*blocks, *output_blocks)`` fills, by pieces that stay in the cache; float16 as float32."""
    arrays = [floating(array) for array in arrays]
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
    each(lambda piece: work(*(array[piece] for array in flat)), first.size, block=BLOCK)
    return [result.astype(dtype) for result in results] if dtype == np.float16 else results


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
    e.logistic(s)
    clipped(x, -1e4, np.inf, out=y)
    y *= s


def _silu_kernel(x: Any) -> tuple[Array, Array]:
    y, s = _blockwise(_silu_block, [x], 2)
    return y, s


def _silu_slope(g: Array, x: Array, s: Array, d: Array) -> None:
    """g s (1 + x (1 - s))"""
    np.subtract(1.0, s, out=d)
    d *= clipped(x, -1e4, 1e4)
    d += 1.0
    d *= s
    d *= g


def _silu_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_silu_slope, [g, x, residuals], 1)


silu = fused(_silu_composition, _silu_kernel, _silu_rule, name="silu")


# -2 atanh(erf(x / sqrt(2))) / x by powers of x²: Φ(x) = (1 + tanh(u)) / 2 = 1 / (1 + e^-2u)
_CDF_SINGLE = tuple(-2.0 * c * 0.5 ** (k + 0.5) for k, c in enumerate(ERF_SINGLE))


def _normal_cdf(x: Array, c: Array) -> None:
    """Φ(x), the probability that a standard normal number is below x: erfc(-x / sqrt(2)) / 2."""
    if x.dtype == np.float64:
        np.multiply(erfc_block(x * -math.sqrt(0.5)), 0.5, out=c)
        return
    s = x * x
    np.multiply(s, _CDF_SINGLE[-1], out=c)  # Horner's scheme, without a pass for a copy
    for coefficient in _CDF_SINGLE[-2:0:-1]:
        c += coefficient
        c *= s
    c += _CDF_SINGLE[0]
    c *= x
    e.logistic(c)


def _gelu_composition(x: Any) -> Any:
    """x Φ(x), with the distribution function Φ of the standard normal distribution; 0 at -inf."""
    return _limited(lambda x: x * (0.5 * special.erfc(x * -math.sqrt(0.5))), x, 100.0)


def _gelu_block(x: Array, y: Array, c: Array) -> None:
    _normal_cdf(x, c)
    clipped(x, -100.0, np.inf, out=y)
    y *= c


def _gelu_kernel(x: Any) -> tuple[Array, Array]:
    y, c = _blockwise(_gelu_block, [x], 2)
    return y, c


def _gelu_slope(g: Array, x: Array, c: Array, d: Array) -> None:
    """g (Φ(x) + x φ(x))"""
    z = clipped(x, -100.0, 100.0)
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
    clipped(x, -100.0, np.inf, out=y)
    y *= 0.5
    y *= t + 1.0


def _gelu_tanh_kernel(x: Any) -> tuple[Array, Array]:
    y, t = _blockwise(_gelu_tanh_block, [x], 2)
    return y, t


def _gelu_tanh_slope(g: Array, x: Array, t: Array, d: Array) -> None:
    """g (1 + t + x (1 - t²) u') / 2, with the argument u of the tanh"""
    z = clipped(x, -100.0, 100.0)
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
    w = np.exp(clipped(x, -np.inf, 20.0))
    np.add(w, 2.0, out=t)
    t *= w
    np.add(t, 2.0, out=w)
    t /= w
    clipped(x, -1e4, np.inf, out=y)
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
    s *= clipped(x, -1e4, 1e4)
    np.divide(s, d, out=d)
    d += t
    d *= g


def _mish_rule(g: Any, _wanted: Any, _y: Any, x: Any, *, residuals: Array) -> Any:
    return _blockwise(_mish_slope, [g, x, residuals], 1)


mish = fused(_mish_composition, _mish_kernel, _mish_rule, name="mish")
