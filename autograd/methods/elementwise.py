"""Tensor methods: elementwise functions, in PyTorch's names."""

from __future__ import annotations

from typing import Any

from autograd.ops import activations, compositions, elementwise, selection, special


class ElementwiseMethods:
    """Tensor methods: elementwise functions. Each is the function of that name, with the tensor as its first argument."""

    __slots__ = ()

    def add(self, other: Any, *, alpha: Any = 1) -> Any:
        """self + alpha * other."""
        return elementwise.add(self, _scaled(other, alpha))

    def sub(self, other: Any, *, alpha: Any = 1) -> Any:
        """self - alpha * other."""
        return elementwise.subtract(self, _scaled(other, alpha))

    subtract = sub

    def rsub(self, other: Any, *, alpha: Any = 1) -> Any:
        """other - alpha * self."""
        return elementwise.subtract(other, _scaled(self, alpha))

    mul = multiply = elementwise.multiply
    div = divide = compositions.div
    true_divide = elementwise.divide
    floor_divide = elementwise.floor_divide
    remainder = elementwise.remainder
    fmod = elementwise.fmod
    neg = negative = elementwise.negative
    positive = conj = conjugate = elementwise.positive
    abs = absolute = elementwise.absolute
    sign = sgn = elementwise.sign
    square = elementwise.square
    sqrt = elementwise.sqrt
    rsqrt = elementwise.rsqrt
    reciprocal = elementwise.reciprocal
    frac = elementwise.frac
    copysign = elementwise.copysign
    heaviside = elementwise.heaviside
    ldexp = compositions.ldexp
    float_power = compositions.float_power
    addcmul = compositions.addcmul
    addcdiv = compositions.addcdiv
    lerp = compositions.lerp

    def pow(self, exponent: Any) -> Any:
        """self ** exponent."""
        return elementwise.power(self, exponent)

    exp = elementwise.exp
    exp2 = elementwise.exp2
    expm1 = elementwise.expm1
    log = elementwise.log
    log1p = elementwise.log1p
    log2 = elementwise.log2
    log10 = elementwise.log10
    logaddexp = elementwise.logaddexp
    logaddexp2 = elementwise.logaddexp2

    sin = elementwise.sin
    cos = elementwise.cos
    tan = elementwise.tan
    asin = arcsin = elementwise.arcsin
    acos = arccos = elementwise.arccos
    atan = arctan = elementwise.arctan
    atan2 = arctan2 = elementwise.arctan2
    sinh = elementwise.sinh
    cosh = elementwise.cosh
    tanh = elementwise.tanh
    asinh = arcsinh = elementwise.arcsinh
    acosh = arccosh = elementwise.arccosh
    atanh = arctanh = elementwise.arctanh
    sinc = elementwise.sinc
    hypot = elementwise.hypot
    deg2rad = elementwise.radians
    rad2deg = elementwise.degrees

    erf = special.erf
    erfc = special.erfc
    lgamma = special.lgamma
    digamma = special.digamma
    logit = special.logit
    xlogy = special.xlogy
    xlog1py = special.xlog1py

    floor = elementwise.floor
    ceil = elementwise.ceil
    trunc = fix = elementwise.trunc
    round = selection.round

    def __round__(self, ndigits: int | None = None) -> Any:
        return selection.round(self, ndigits or 0)

    __floor__ = elementwise.floor
    __ceil__ = elementwise.ceil
    __trunc__ = elementwise.trunc

    maximum = selection.maximum
    minimum = selection.minimum
    fmax = selection.fmax
    fmin = selection.fmin
    masked_fill = selection.masked_fill

    def clamp(self, min: Any = None, max: Any = None) -> Any:
        """The tensor limited to an interval; the gradient passes at the bounds too."""
        return selection.clip(self, min, max)

    clip = clamp
    clamp_min = compositions.clamp_min
    clamp_max = compositions.clamp_max

    def where(self, condition: Any, other: Any) -> Any:
        """The tensor where the condition holds, ``other`` elsewhere."""
        return selection.where(condition, self, other)

    def nan_to_num(self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
        """The tensor with numbers in place of nan and infinities; the gradient is 0 there."""
        return selection.nan_to_num(self, nan=nan, posinf=posinf, neginf=neginf)

    relu = activations.relu
    sigmoid = elementwise.sigmoid
    prelu = activations.prelu


def _scaled(value: Any, alpha: Any) -> Any:
    return value if isinstance(alpha, int) and alpha == 1 else elementwise.multiply(value, alpha)
