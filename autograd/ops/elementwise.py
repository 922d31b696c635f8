"""Arithmetic, exponentials, logarithms and trigonometric functions: the table of derivatives, element by element.

``g`` is the cotangent of the output ``y`` (``z`` where the arguments are x and y).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import elementwise, implements
from autograd.graph import pass_on
from autograd.ops.gate import gate, in_rules
from autograd.threads import LEAST, each

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)


def _shared(function: np.ufunc) -> Callable[[Any], Any]:
    """A costly ufunc, to be run on large arrays by two threads."""

    def run(x: Any) -> Any:
        if x.size < LEAST or x.dtype.kind != "f" or not x.flags.c_contiguous:
            return function(x)
        y = np.empty_like(x)
        source, target = x.reshape(-1), y.reshape(-1)
        each(lambda part: function(source[part], out=target[part]), x.size)
        return y

    return run


def _zero(g: Any, *_: Any) -> Any:
    return np.zeros_like(g)


# ------------------------------------------------------------------------------------------------ arithmetic

# guard=False: the cheapest ops report overflow as NumPy is set to; they have no awkward points
add = elementwise(
    np.add,
    pass_on,
    pass_on,
    guard=False,
    doc="x + y.",
)
subtract = elementwise(
    np.subtract,
    pass_on,
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
divide = elementwise(
    np.divide,
    lambda g, _z, _x, y: g / y,
    lambda g, z, _x, y: -g * z / y,
    doc="x / y.",
)


def _power_x(g: Any, _z: Any, x: Any, y: Any) -> Any:
    """y x^(y-1), which is 0 for y = 0, also at x = 0."""
    if isinstance(y, int | float):
        if y == 0:
            return np.zeros_like(g)
        return g if y == 1 else g * (y * x ** (y - 1))
    zero = y == 0
    if not np.any(zero):
        return g * (y * x ** (y - 1))
    if y.dtype.kind == "f":  # 0 * x^-1 is 0 unless x^-1 is not finite, and must stay differentiable in y
        zero = zero & ~(np.abs(x) > 1e-30)
    return g * (y * x ** (np.where(zero, 2, y) - 1))


def _power_y(g: Any, z: Any, x: Any, y: Any) -> Any:
    """x^y log(x), which is 0 for x = 0 and y >= 0."""
    if isinstance(x, int | float) and x > 0:
        return g * (z * math.log(x))
    vanishes = (x == 0) & (y >= 0)
    if isinstance(x, int | float):
        return gate(g * (z * (-math.inf if x == 0 else math.nan)), ~vanishes)
    return gate(g * (z * np.log(np.where(vanishes, 1, x) if np.any(vanishes) else x)), ~vanishes)


power = elementwise(
    lambda x, y: x**y,  # the operator knows shortcuts for exponents like 2 and 0.5
    _power_x,
    _power_y,
    name="power",
    doc="x ** y. 0 ** 0 is 1 with gradients 0; where x < 0 the gradient with respect to y is nan.",
)
implements(np.power)(power)
negative = elementwise(np.negative, lambda g, _y, _x: -g, guard=False, doc="-x.")
positive = elementwise(np.positive, lambda g, _y, _x: g, guard=False, doc="+x.")
implements(np.conjugate)(positive)  # of real numbers
clone = elementwise(
    lambda x: np.array(x, order="C"), lambda g, _y, _x: g, name="clone", doc="A copy of x, contiguous in row-major order."
)
square = elementwise(np.square, lambda g, _y, x: g * (2.0 * x), doc="x ** 2.")
reciprocal = elementwise(np.reciprocal, lambda g, y, _x: -g * (y * y), doc="1 / x.")
sqrt = elementwise(np.sqrt, lambda g, y, _x: 0.5 * g / y, run=_shared(np.sqrt), doc="Square root; the gradient at 0 is +inf.")
cbrt = elementwise(np.cbrt, lambda g, y, _x: g / (3.0 * (y * y)), doc="Cube root; the gradient at 0 is +inf.")


def inverted(y: Array) -> Array:
    """1 / y, in place: from some thousand elements on NumPy's division takes half of the time of its reciprocal."""
    return np.reciprocal(y, out=y) if y.size < 4096 else np.divide(1.0, y, out=y)


def _rsqrt(x: Any) -> Any:
    return inverted(np.asarray(np.sqrt(x)))


rsqrt = elementwise(_rsqrt, lambda g, y, _x: -0.5 * g * y * (y * y), name="rsqrt", doc="1 / sqrt(x).")
absolute = elementwise(np.absolute, lambda g, _y, x: g * np.sign(x), name="abs", doc="|x|; the gradient at 0 is 0.")
implements(np.fabs)(absolute)
sign = elementwise(np.sign, _zero, doc="-1, 0 or 1; gradient 0.")
floor_divide = elementwise(np.floor_divide, _zero, _zero, doc="floor(x / y); gradient 0.")
remainder = elementwise(
    np.remainder,
    lambda g, _z, _x, _y: g,
    lambda g, _z, x, y: -g * np.floor_divide(x, y),
    doc="x - floor(x / y) * y, with the sign of y.",
)
fmod = elementwise(
    np.fmod,
    lambda g, _z, _x, _y: g,
    lambda g, _z, x, y: -g * np.trunc(x / y),
    doc="x - trunc(x / y) * y, with the sign of x.",
)
frac = elementwise(lambda x: np.modf(x)[0], lambda g, _y, _x: g, name="frac", doc="x - trunc(x).")
copysign = elementwise(
    np.copysign,
    lambda g, z, x, _y: g * (np.sign(x) * np.sign(z)),
    _zero,
    doc="|x| with the sign of y; the gradient at x = 0 is 0.",
)
heaviside = elementwise(
    np.heaviside,
    _zero,
    lambda g, _z, x, _y: gate(g, x == 0),
    doc="0 for x < 0, y for x = 0, 1 for x > 0.",
)
scale_by_power_of_two = elementwise(
    np.ldexp,
    lambda g, _z, _x, n: np.ldexp(g, n),
    _zero,
    doc="x * 2 ** n for integers n.",
)

# ------------------------------------------------------------------------------------------------ exponentials, logarithms

exp = elementwise(np.exp, lambda g, y, _x: g * y, run=_shared(np.exp), doc="e ** x.")
exp2 = elementwise(np.exp2, lambda g, y, _x: g * (_LN2 * y), doc="2 ** x.")
expm1 = elementwise(np.expm1, lambda g, _y, x: g * np.exp(x), run=_shared(np.expm1), doc="e ** x - 1, exact for small x.")
log = elementwise(
    np.log, lambda g, _y, x: g / x, run=_shared(np.log), doc="Natural logarithm; log(0) is -inf with gradient +inf."
)
log1p = elementwise(np.log1p, lambda g, _y, x: g / (1.0 + x), run=_shared(np.log1p), doc="log(1 + x), exact for small x.")
log2 = elementwise(np.log2, lambda g, _y, x: g / (_LN2 * x), doc="Logarithm to base 2.")
log10 = elementwise(np.log10, lambda g, _y, x: g / (_LN10 * x), doc="Logarithm to base 10.")


def _sigmoid(x: Any) -> Any:
    x = np.asarray(x)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    y = np.empty(x.shape, x.dtype)
    if x.size >= LEAST and x.flags.c_contiguous:
        flat, out = x.reshape(-1), y.reshape(-1)
        each(lambda part: _sigmoid_into(flat[part], out[part]), x.size)
    else:
        _sigmoid_into(x, y)
    return y


def _sigmoid_into(x: Array, y: Array) -> None:
    np.negative(x, out=y)
    logistic(y)


def logistic(minus_x: Array) -> None:
    """1 / (1 + e^minus_x), in place.

    (1 + tanh(x / 2)) / 2 would be quicker on some processors and slower on others, and loses all digits of a small result.
    """
    np.exp(minus_x, out=minus_x)  # may overflow to inf, whose reciprocal is the right 0
    minus_x += 1.0
    inverted(minus_x)


_sigmoid_back = elementwise(
    lambda g, y: g * (y * (1.0 - y)),
    lambda h, _d, _g, y: _sigmoid_back_of(h, y),
    lambda h, _d, g, y: h * g * (1.0 - 2.0 * y),
    name="sigmoid_backward",
)
_sigmoid_back_of: Callable[..., Any] = in_rules(_sigmoid_back)
sigmoid = elementwise(
    _sigmoid, lambda g, y, _x: _sigmoid_back_of(g, y), name="sigmoid", doc="1 / (1 + e^-x): dx = g y (1 - y)."
)
_sigmoid_of = in_rules(sigmoid)


def _share(x: Any, y: Any) -> Any:
    """e^x / (e^x + e^y); a half for each of two equal infinities."""
    equal = x == y
    if np.any(equal):
        equal = equal & np.isinf(y)
        return _sigmoid_of(np.where(equal, 0.0, x - y))
    return _sigmoid_of(x - y)


logaddexp = elementwise(
    np.logaddexp,
    lambda g, _z, x, y: g * _share(x, y),
    lambda g, _z, x, y: g * _share(y, x),
    doc="log(e^x + e^y) without overflow; two equal infinities share the gradient.",
)
logaddexp2 = elementwise(
    np.logaddexp2,
    lambda g, _z, x, y: g * _share(_LN2 * x, _LN2 * y),
    lambda g, _z, x, y: g * _share(_LN2 * y, _LN2 * x),
    doc="log2(2^x + 2^y) without overflow.",
)

# ------------------------------------------------------------------------------------------------ trigonometric, hyperbolic

sin = elementwise(np.sin, lambda g, _y, x: g * np.cos(x), run=_shared(np.sin), doc="Sine.")
cos = elementwise(np.cos, lambda g, _y, x: -g * np.sin(x), run=_shared(np.cos), doc="Cosine.")
tan = elementwise(np.tan, lambda g, y, _x: g * (1.0 + y * y), doc="Tangent.")
arcsin = elementwise(
    np.arcsin,
    lambda g, _y, x: g / np.sqrt((1.0 - x) * (1.0 + x)),
    doc="Inverse sine; the gradient at -1 and 1 is +inf.",
)
arccos = elementwise(
    np.arccos,
    lambda g, _y, x: -g / np.sqrt((1.0 - x) * (1.0 + x)),
    doc="Inverse cosine; the gradient at -1 and 1 is -inf.",
)
arctan = elementwise(np.arctan, lambda g, _y, x: g / (1.0 + x * x), doc="Inverse tangent.")


def _over_square(a: Any, x: Any, y: Any) -> Any:
    """a / (x² + y²) without overflow, and 0 at the origin."""
    r = np.hypot(x, y)
    origin = r == 0
    if np.any(origin):
        r = np.where(origin, 1.0, r)
    return a / r / r


arctan2 = elementwise(
    np.arctan2,
    lambda g, _z, y, x: g * _over_square(x, x, y),
    lambda g, _z, y, x: -g * _over_square(y, x, y),
    doc="The angle of the point (x, y), for arguments (y, x); the gradient at the origin is 0.",
)


def _over_hypotenuse(a: Any, z: Any) -> Any:
    origin = z == 0
    return a / (np.where(origin, 1.0, z) if np.any(origin) else z)


hypot = elementwise(
    np.hypot,
    lambda g, z, x, _y: g * _over_hypotenuse(x, z),
    lambda g, z, _x, y: g * _over_hypotenuse(y, z),
    doc="sqrt(x² + y²) without overflow; the gradient at the origin is 0.",
)
sinh = elementwise(np.sinh, lambda g, _y, x: g * np.cosh(x), doc="Hyperbolic sine.")
cosh = elementwise(np.cosh, lambda g, _y, x: g * np.sinh(x), doc="Hyperbolic cosine.")


_tanh_back = elementwise(
    lambda g, y: g * (1.0 - y * y),
    lambda h, _d, _g, y: _tanh_back_of(h, y),
    lambda h, _d, g, y: h * g * (-2.0 * y),
    name="tanh_backward",
)
_tanh_back_of: Callable[..., Any] = in_rules(_tanh_back)
tanh = elementwise(
    np.tanh, lambda g, y, _x: _tanh_back_of(g, y), run=_shared(np.tanh), doc="Hyperbolic tangent: dx = g (1 - y²)."
)
arcsinh = elementwise(np.arcsinh, lambda g, _y, x: g / np.hypot(x, 1.0), doc="Inverse hyperbolic sine.")
arccosh = elementwise(
    np.arccosh,
    lambda g, _y, x: g / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)),
    doc="Inverse hyperbolic cosine; the gradient at 1 is +inf.",
)
arctanh = elementwise(
    np.arctanh,
    lambda g, _y, x: g / ((1.0 - x) * (1.0 + x)),
    doc="Inverse hyperbolic tangent; the gradient at -1 and 1 is +inf.",
)

# the Taylor coefficients of the derivative of sinc, by powers of x²: (-1)^k 2k π^2k x^(2k-1) / (2k+1)!
_SINC_SERIES = tuple((-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 14))


def _sinc_rule(g: Any, y: Any, x: Any) -> Any:
    """(cos(πx) - sinc(x)) / x, and its Taylor series where that would cancel."""
    near = np.abs(x) < 0.5
    away = np.where(near, 1.0, x)
    small = np.where(near, x, 0.0)
    s = small * small
    series: Any = _SINC_SERIES[-1]
    for coefficient in reversed(_SINC_SERIES[:-1]):
        series = series * s + coefficient
    return g * np.where(near, small * series, (np.cos(math.pi * away) - y) / away)


sinc = elementwise(np.sinc, _sinc_rule, name="sinc", doc="sin(πx) / (πx), and 1 at 0, where it is smooth.")
implements(np.sinc)(sinc)
degrees = elementwise(np.degrees, lambda g, _y, _x: g * (180.0 / math.pi), doc="Radians to degrees.")
radians = elementwise(np.radians, lambda g, _y, _x: g * (math.pi / 180.0), doc="Degrees to radians.")
implements(np.rad2deg)(degrees)
implements(np.deg2rad)(radians)

# ------------------------------------------------------------------------------------------------ rounding

floor = elementwise(np.floor, _zero, doc="The largest integer <= x; gradient 0.")
ceil = elementwise(np.ceil, _zero, doc="The smallest integer >= x; gradient 0.")
trunc = elementwise(np.trunc, _zero, doc="The integer part of x; gradient 0.")
implements(np.fix)(trunc)
rint = elementwise(np.rint, _zero, doc="The nearest integer, halves to even; gradient 0.")
