"""Tensor methods: functions that keep the shape in place, in PyTorch's names with an underscore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.methods.elementwise import ElementwiseMethods
from autograd.ops import activations, compositions, diagonals, elementwise, indexing, selection, special


def in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that stores ``function(self, ...)`` in the tensor's own memory and returns the tensor."""

    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            return function(*given, **named)

        call.__name__ = method.__name__
        return self._in_place(call, *arguments, **options)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f":func:`{function.__name__}` in place."
    return method


class InPlaceMethods:
    """Tensor methods that overwrite the tensor. A gradient that needs the old values raises at ``backward()``."""

    __slots__ = ()

    add_ = in_place(ElementwiseMethods.add)
    sub_ = subtract_ = in_place(ElementwiseMethods.sub)
    mul_ = multiply_ = in_place(elementwise.multiply)
    div_ = divide_ = in_place(compositions.div)
    true_divide_ = in_place(elementwise.divide)
    floor_divide_ = in_place(elementwise.floor_divide)
    remainder_ = in_place(elementwise.remainder)
    fmod_ = in_place(elementwise.fmod)
    pow_ = in_place(ElementwiseMethods.pow)
    neg_ = negative_ = in_place(elementwise.negative)
    abs_ = absolute_ = in_place(elementwise.absolute)
    sign_ = sgn_ = in_place(elementwise.sign)
    square_ = in_place(elementwise.square)
    sqrt_ = in_place(elementwise.sqrt)
    rsqrt_ = in_place(elementwise.rsqrt)
    reciprocal_ = in_place(elementwise.reciprocal)
    frac_ = in_place(elementwise.frac)
    copysign_ = in_place(elementwise.copysign)
    ldexp_ = in_place(compositions.ldexp)
    addcmul_ = in_place(compositions.addcmul)
    addcdiv_ = in_place(compositions.addcdiv)
    lerp_ = in_place(compositions.lerp)
    exp_ = in_place(elementwise.exp)
    exp2_ = in_place(elementwise.exp2)
    expm1_ = in_place(elementwise.expm1)
    log_ = in_place(elementwise.log)
    log1p_ = in_place(elementwise.log1p)
    log2_ = in_place(elementwise.log2)
    log10_ = in_place(elementwise.log10)
    sin_ = in_place(elementwise.sin)
    cos_ = in_place(elementwise.cos)
    tan_ = in_place(elementwise.tan)
    asin_ = arcsin_ = in_place(elementwise.arcsin)
    acos_ = arccos_ = in_place(elementwise.arccos)
    atan_ = arctan_ = in_place(elementwise.arctan)
    atan2_ = arctan2_ = in_place(elementwise.arctan2)
    sinh_ = in_place(elementwise.sinh)
    cosh_ = in_place(elementwise.cosh)
    tanh_ = in_place(elementwise.tanh)
    asinh_ = arcsinh_ = in_place(elementwise.arcsinh)
    acosh_ = arccosh_ = in_place(elementwise.arccosh)
    atanh_ = arctanh_ = in_place(elementwise.arctanh)
    sinc_ = in_place(elementwise.sinc)
    hypot_ = in_place(elementwise.hypot)
    deg2rad_ = in_place(elementwise.radians)
    rad2deg_ = in_place(elementwise.degrees)
    erf_ = in_place(special.erf)
    erfc_ = in_place(special.erfc)
    lgamma_ = in_place(special.lgamma)
    digamma_ = in_place(special.digamma)
    logit_ = in_place(special.logit)
    xlogy_ = in_place(special.xlogy)
    floor_ = in_place(elementwise.floor)
    ceil_ = in_place(elementwise.ceil)
    trunc_ = fix_ = in_place(elementwise.trunc)
    round_ = in_place(selection.round)
    clamp_ = clip_ = in_place(ElementwiseMethods.clamp)
    clamp_min_ = in_place(compositions.clamp_min)
    clamp_max_ = in_place(compositions.clamp_max)
    nan_to_num_ = in_place(ElementwiseMethods.nan_to_num)
    masked_fill_ = in_place(selection.masked_fill)
    masked_scatter_ = in_place(indexing.masked_scatter)
    scatter_ = in_place(indexing.scatter)
    scatter_add_ = in_place(indexing.scatter_add)
    index_add_ = in_place(indexing.index_add)
    index_copy_ = in_place(indexing.index_copy)
    index_fill_ = in_place(indexing.index_fill)
    index_put_ = in_place(indexing.index_put)
    put_ = in_place(indexing.put)
    tril_ = in_place(diagonals.tril)
    triu_ = in_place(diagonals.triu)
    relu_ = in_place(activations.relu)
    sigmoid_ = in_place(elementwise.sigmoid)
