"""Arithmetic, exponentials, logarithms and trigonometric functions: the table of derivatives, element by element."""

from __future__ import annotations

import numpy as np

from autograd.primitive import elementwise

# guard=False: the cheapest ops report overflow as NumPy is set to; they have no awkward points
add = elementwise(
    np.add,
    lambda g, _z, _x, _y: g,
    lambda g, _z, _x, _y: g,
    guard=False,
    doc="x + y.",
)
subtract = elementwise(
    np.subtract,
    lambda g, _z, _x, _y: g,
    lambda g, _z, _x, _y: -g,
    guard=False,
    doc="x - y.",
)
multiply = elementwise(
    np.multiply,
    lambda g, _z, _x, y: g * y,
    lambda g, _z, x, _y: g * x,
    doc="x * y.",
)
exp = elementwise(np.exp, lambda g, y, _x: g * y, doc="e ** x.")
log = elementwise(np.log, lambda g, _y, x: g / x, doc="Natural logarithm; log(0) is -inf with gradient +inf.")
divide = elementwise(
    np.divide,
    lambda g, _z, _x, y: g / y,
    lambda g, z, _x, y: -g * z / y,
    doc="x / y.",
)
negative = elementwise(np.negative, lambda g, _y, _x: -g, guard=False, doc="-x.")
sin = elementwise(np.sin, lambda g, _y, x: g * np.cos(x), doc="Sine.")
cos = elementwise(np.cos, lambda g, _y, x: -g * np.sin(x), doc="Cosine.")
positive = elementwise(np.positive, lambda g, _y, _x: g, guard=False, doc="+x.")
clone = elementwise(np.copy, lambda g, _y, _x: g, name="clone", doc="A copy of x.")
absolute = elementwise(np.absolute, lambda g, _y, x: g * np.sign(x), name="abs", doc="|x|; the gradient at 0 is 0.")
sign = elementwise(np.sign, lambda g, _y, _x: np.zeros_like(g), doc="-1, 0 or 1; gradient 0.")
floor = elementwise(np.floor, lambda g, _y, _x: np.zeros_like(g), doc="The largest integer <= x; gradient 0.")
floor_divide = elementwise(
    np.floor_divide,
    lambda g, _z, _x, _y: np.zeros_like(g),
    lambda g, _z, _x, _y: np.zeros_like(g),
    doc="floor(x / y); gradient 0.",
)
remainder = elementwise(
    np.remainder,
    lambda g, _z, _x, _y: g,
    lambda g, _z, x, y: -g * np.floor_divide(x, y),
    doc="x - floor(x / y) * y, with the sign of y.",
)
power = elementwise(
    np.power,
    lambda g, _z, x, y: g * y * np.power(x, np.where(y == 0, 1, y - 1)),
    lambda g, z, x, _y: g * z * np.log(np.where(x > 0, x, 1)),
    doc="x ** y.",
)
