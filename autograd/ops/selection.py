"""Selection and rounding: where, maximum, clip and their like. The branch not taken gets a gradient of exactly 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import FLOATING, Array, as_array, clipped
from autograd.declare import elementwise, implements, internal
from autograd.ops.gate import gate, where_primitive
from autograd.primitive import as_operand, constant


@implements(np.where)
def where(condition: Any, *choices: Any) -> Any:
    """x where the condition holds, y elsewhere.

    The gradient of the branch that is not taken is exactly 0, by selection. That does not repair a branch whose own derivative
    is not finite: ``where(x > 0, log(x), 0)`` has the gradient nan at 0, because log passes 0 * inf on. Make the argument
    harmless first: ``log(where(x > 0, x, 1))``.

    Args:
        condition: booleans; numbers are compared with 0.
        choices: ``x`` and ``y``, of shapes that broadcast with it. Without them: the indices where the condition holds, a
            tuple of integer arrays.
    """
    mask = condition if type(condition) is np.ndarray else as_operand(condition, "where")
    mask = np.asarray(getattr(mask, "_data", mask))
    if mask.dtype != np.bool_:
        mask = mask != 0
    if not choices:
        return np.nonzero(mask)
    if len(choices) != 2:
        raise TypeError(f"where: expected both x and y or neither, got {len(choices)} of them")
    x, y = choices
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        x, y = as_array([x, y], where="where")
    return where_primitive(constant(mask), x, y)  # an op on Tensors alone starts a microsecond sooner


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with the elements where the mask is True replaced by a value; its gradient is 0 there.

    Args:
        x: a tensor.
        mask: booleans of a shape that broadcasts to that of x.
        value: a number or a 0-d tensor, which gets a gradient too.
    """
    x, mask, value = (as_operand(item, "masked_fill") for item in (x, mask, value))
    mask = np.asarray(getattr(mask, "_data", mask))
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_fill: expected a bool mask, got {mask.dtype}; compare, as in `mask != 0`")
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"masked_fill: expected a number or a 0-d tensor as value, got shape {value.shape}; use where()")
    try:
        fits = np.broadcast_shapes(mask.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"masked_fill: expected a mask that broadcasts to {x.shape}, got {mask.shape}")
    if hasattr(value, "dtype") and value.dtype != x.dtype:
        value = value.astype(x.dtype)
    return where_primitive(mask, value, x)


# ------------------------------------------------------------------------------------------------ the larger, the smaller


def _share(g: Any, chosen: Any, tie: Any) -> Any:
    """The cotangent where this argument is the one chosen, half of it at a tie."""
    share = gate(g, chosen)
    return share + gate(0.5 * g, tie) if np.any(tie) else share


maximum = elementwise(
    np.maximum,
    lambda g, _z, x, y: _share(g, (x > y) | (x != x), x == y),
    lambda g, _z, x, y: _share(g, (y > x) | (y != y), x == y),
    doc="The larger of x and y; nan if one is nan. A tie splits the gradient evenly.",
)
minimum = elementwise(
    np.minimum,
    lambda g, _z, x, y: _share(g, (x < y) | (x != x), x == y),
    lambda g, _z, x, y: _share(g, (y < x) | (y != y), x == y),
    doc="The smaller of x and y; nan if one is nan. A tie splits the gradient evenly.",
)
fmax = elementwise(
    np.fmax,
    lambda g, _z, x, y: _share(g, (x > y) | (y != y), x == y),
    lambda g, _z, x, y: _share(g, (y > x) | ((x != x) & (y == y)), x == y),
    doc="The larger of x and y, where nan counts as missing. A tie splits the gradient evenly.",
)
fmin = elementwise(
    np.fmin,
    lambda g, _z, x, y: _share(g, (x < y) | (y != y), x == y),
    lambda g, _z, x, y: _share(g, (y < x) | ((x != x) & (y == y)), x == y),
    doc="The smaller of x and y, where nan counts as missing. A tie splits the gradient evenly.",
)

_BOUNDS = (float, int, type(None))
_clip = elementwise(
    np.clip,
    lambda g, _z, x, low, high: gate(g, (x >= low) & (x <= high)),
    lambda g, _z, x, low, high: gate(g, (x < low) & (low < high)),
    lambda g, _z, x, low, high: gate(g, (x > high) | (low > high)),
    name="clip",
)


def _between(x: Array, *, low: float | None, high: float | None) -> Array:
    y: Array = clipped(x, -math.inf if low is None else low, math.inf if high is None else high)
    return y


def _between_rule(g: Any, _y: Any, x: Any, *, low: float | None, high: float | None) -> Any:
    inside = x >= (-math.inf if low is None else low)
    return gate(g, inside if high is None else inside & (x <= high))


_clip_to_numbers = internal(_between, _between_rule, name="clip_to_numbers")


@implements(np.clip)
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """x limited to an interval. The gradient passes at the bounds too, and is 0 outside.

    Args:
        x: a tensor.
        a_min: the lower bound: a number or a tensor that broadcasts with x, or None for no bound. Also called ``min``.
        a_max: the upper bound, likewise; where it is below the lower one, it is the result. Also called ``max``.
    """
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    if low is None and high is None:
        raise ValueError("clip: expected at least one bound, got none; pass min= or max=")
    x = as_operand(x, "clip")
    if type(low) in _BOUNDS and type(high) in _BOUNDS and getattr(x, "dtype", None) in FLOATING:
        return _clip_to_numbers(x, low=low, high=high)
    if low is not None and high is not None:
        return _clip(x, low, high)
    if getattr(x, "dtype", np.dtype(np.float64)).kind == "f":
        return _clip(x, -math.inf, high) if low is None else _clip(x, low, math.inf)
    return minimum(x, high) if low is None else maximum(x, low)


_nan_to_num = internal(
    lambda x, *, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
    lambda g, _y, x, **_static: gate(g, np.isfinite(x)),
    name="nan_to_num",
)


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers in place of nan and infinities; the gradient is 0 there.

    Args:
        x: a tensor.
        copy: must be True: nothing is replaced in place.
        nan: the replacement of nan.
        posinf: that of inf; by default the largest number of the dtype.
        neginf: that of -inf; by default the most negative one.
    """
    if not copy:
        raise ValueError("nan_to_num: expected copy=True, got False; assign the result instead")
    return _nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


# ------------------------------------------------------------------------------------------------ rounding

_round = internal(lambda x, *, decimals: np.round(x, decimals), lambda g, _y, _x, **_static: np.zeros_like(g), name="round")


@implements(np.round, np.around)
def round(x: Any, decimals: int = 0) -> Any:
    """x rounded to so many decimals, halves to even; gradient 0."""
    return _round(x, decimals=decimals)
