"""Selection by a mask, for derivative rules and kernels: the branch not taken is exactly 0, whatever it holds.

A mask is never multiplied with a cotangent, since 0 * inf is nan. ``np.where`` is right but mispredicts a branch per element,
and takes some fifteen times as long as the multiplication where the mask is random. Multiplying the *bits*, read as an
integer, by 0 or 1 selects exactly and is as fast as the multiplication (``python -m benchmarks.choices``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import graph
from autograd.arrays import Array
from autograd.declare import elementwise, functions
from autograd.primitive import Primitive, constant

_INTEGERS = {np.dtype(np.float16): np.int16, np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
_LARGE = 512  # elements from which np.where is the slower one


def choose(mask: Any, a: Any, b: Any) -> Array:
    """``np.where(mask, a, b)`` on arrays and numbers, to the bit, by arithmetic on the bits where that is quicker."""
    chosen: Array
    if isinstance(mask, np.ndarray) and mask.size >= _LARGE and mask.dtype == np.bool_:
        dtype = np.result_type(a, b)
        integer = _INTEGERS.get(dtype)
        if integer is not None:
            a, b = (np.asarray(item, dtype).view(integer) for item in (a, b))
            chosen = np.bitwise_xor(a, b)
            if isinstance(chosen, np.ndarray) and chosen.shape == mask.shape:
                np.multiply(chosen, mask, out=chosen)
                np.bitwise_xor(chosen, b, out=chosen)
                return chosen.view(dtype)
            a, b = a.view(dtype), b.view(dtype)
    chosen = np.where(mask, a, b)
    return chosen


def _gate(g: Any, mask: Any) -> Any:
    if type(g) is np.ndarray and type(mask) is np.ndarray and g.shape == mask.shape and g.shape:
        integer = _INTEGERS.get(g.dtype)
        if integer is not None:
            bits = mask.astype(integer)  # (a product of integers and booleans would convert them by pieces, which is slower)
            bits *= g.view(integer)
            return bits.view(g.dtype)
    return np.where(mask, g, 0.0)


def in_rules(function: Callable[..., Any]) -> Callable[..., Any]:
    """A primitive that NumPy does not have, for use in rules: its kernel on arrays, the primitive itself on Tensors."""
    primitive: Primitive = function.primitive  # type: ignore[attr-defined]
    kernel = primitive.kernel
    if primitive.simple and len(primitive.rules) == 2:

        def on_two(a: Any, b: Any) -> Any:  # (half of the time of the general form)
            if type(a) is graph.tensor_type or type(b) is graph.tensor_type:
                return function(a, b)
            return kernel(a, b)

        return on_two

    def on_either(*arguments: Any, **static: Any) -> Any:
        for argument in arguments:
            if type(argument) is graph.tensor_type:
                return function(*arguments, **static)
        return kernel(*arguments, **static)

    return on_either


where_primitive = elementwise(
    choose,
    lambda g, _z, _mask, _x, _y: np.zeros_like(g),
    lambda g, _z, mask, _x, _y: gate(g, mask),
    lambda g, _z, mask, _x, _y: gate(g, np.logical_not(mask)),
    name="where",
)
gate_primitive = elementwise(
    _gate,
    lambda g, _y, _x, mask: gate(g, mask),
    lambda g, _y, _x, _mask: np.zeros_like(g),
    name="gate",
    doc="x where the mask is True, and 0 elsewhere.",
)

# for rules: np.where(mask, a, b), and g where the mask is True but exactly 0 elsewhere
pick: Callable[..., Any] = in_rules(where_primitive)
gate: Callable[..., Any] = in_rules(gate_primitive)

# rules write a zero cotangent as np.zeros_like(g); the public zeros_like takes this place when it is defined
functions.setdefault(np.zeros_like, lambda g: constant(np.zeros_like(g._data)))
