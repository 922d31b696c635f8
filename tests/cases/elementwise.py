"""Arithmetic, exponentials, logarithms, trigonometric functions and rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from cases.case import Case, Maker, between, fixed, positive, real

import autograd as ag
from autograd.ops import elementwise

try:
    import torch
except ImportError:  # without the parity extra no parity test runs
    torch = None  # type: ignore[assignment]

Domain = Callable[..., Maker]
above_one = lambda *shape: between(1.2, 3.0, *shape)
inside_one = lambda *shape: between(-0.9, 0.9, *shape)


def torch_function(name: str) -> Callable[..., Any] | None:
    """PyTorch's function of this name, found when it is called."""
    return (lambda *arguments: getattr(torch, name)(*arguments)) if name else None


def unary(
    op: str,
    derivative: str,
    domain: Domain = real,
    *,
    kink: str = "",
    call: Callable[..., Any] | None = None,
    numpy: Callable[..., Any] | None = None,
    torch_name: str | None = None,
    **more: Any,
) -> list[Case]:
    """Rows for a function of one argument: a matrix, a 0-d array and an empty one."""
    function = call or getattr(ag, op)
    twin = torch_function(op if torch_name is None else torch_name)
    return [
        Case(
            op=op, call=function, inputs=(domain(*shape),), label=label, numpy=numpy, torch=twin,
            derivative=derivative, kink=kink, **more,
        )
        for label, shape in (("", (3, 4)), ("0d", ()), ("empty", (0, 3)))
    ]  # fmt: skip


def binary(
    op: str,
    derivative: str,
    first: Domain = real,
    second: Domain | None = None,
    *,
    kink: str = "",
    call: Callable[..., Any] | None = None,
    numpy: Callable[..., Any] | None = None,
    torch_name: str | None = None,
    **more: Any,
) -> list[Case]:
    """Rows for a function of two arguments: equal shapes, both broadcast, 0-d, empty."""
    function = call or getattr(ag, op)
    twin = torch_function(op if torch_name is None else torch_name)
    second = second or first
    shapes = {"": ((3, 4), (3, 4)), "broadcast": ((2, 1, 3), (4, 1)), "0d": ((), (3,)), "empty": ((0, 3), (1, 3))}
    return [
        Case(
            op=op, call=function, inputs=(first(*a), second(*b)), label=label, numpy=numpy, torch=twin,
            derivative=derivative, kink=kink, **more,
        )
        for label, (a, b) in shapes.items()
    ]  # fmt: skip


CASES: list[Case] = [
    *binary("add", "g; g", numpy=np.add),
    *binary("subtract", "g; -g", numpy=np.subtract),
    *binary("multiply", "g y; g x", numpy=np.multiply),
    *binary("divide", "g / y; -g z / y", numpy=np.divide),
    *binary("power", "g y x^(y-1); g z log(x)", positive, real, numpy=np.power, torch_name="pow",
            kink="0 ** 0: 0; 0; x < 0: nan in y"),
    *(
        Case(op="power", label=f"exponent-{p}", call=lambda x, p=p: ag.power(x, p), inputs=(real(3, 4),),
             numpy=lambda x, p=p: x**p, torch=lambda x, p=p: x**p)
        for p in (0, 1, 2, 3, -1, -2, 2.0)
    ),
    *(
        Case(op="power", label=f"exponent-{p}", call=lambda x, p=p: ag.power(x, p), inputs=(positive(3, 4),),
             numpy=lambda x, p=p: x**p, torch=lambda x, p=p: x**p)
        for p in (0.5, -0.5, 1.7)
    ),
    Case(op="power", label="base-2", call=lambda y: ag.power(2, y), inputs=(real(3, 4),), numpy=lambda y: 2**y,
         torch=lambda y: 2**y),
    Case(op="power", label="integers", call=ag.power, inputs=(real(3, 4), fixed([[0, 1, 2, 3]])), torch=lambda x, y: x**y),
    *unary("negative", "-g", numpy=np.negative),
    *unary("positive", "g", numpy=np.positive),
    *unary("clone", "g", numpy=np.copy),
    *unary("square", "2 g x", numpy=np.square),
    *unary("reciprocal", "-g y²", numpy=np.reciprocal),
    *unary("sqrt", "g / 2y", positive, numpy=np.sqrt, kink="+inf at 0"),
    *unary("cbrt", "g / 3y²", numpy=np.cbrt, torch_name="", kink="+inf at 0"),
    *unary("rsqrt", "-g y³ / 2", positive),
    *unary("abs", "g sign(x)", numpy=np.abs, kink="0 at 0"),
    *unary("sign", "0", numpy=np.sign, kink="0 at 0"),
    *binary("floor_divide", "0; 0", real, positive, numpy=np.floor_divide, torch_name="", kink="0 at integers"),
    *binary("remainder", "g; -g floor(x / y)", real, positive, numpy=np.remainder),
    *binary("fmod", "g; -g trunc(x / y)", real, positive, numpy=np.fmod),
    *unary("frac", "g"),
    *binary("copysign", "g sign(x) sign(z); 0", numpy=np.copysign, kink="0 at x = 0"),
    *binary("heaviside", "0; g where x = 0", numpy=np.heaviside, torch_name="", kink="0 in x at 0"),
    Case(op="heaviside", label="at-0", call=lambda y: ag.heaviside(np.zeros(3), y), inputs=(real(3),),
         numpy=lambda y: np.heaviside(np.zeros(3), y)),
    Case(op="ldexp", call=ag.ldexp, inputs=(real(3, 4), fixed([[3, 0, 1, 5]])), derivative="g 2^n; 0", numpy=np.ldexp,
         torch=torch_function("ldexp")),
    Case(op="ldexp", label="0d", call=ag.ldexp, inputs=(real(), fixed(3)), numpy=np.ldexp),
    *unary("exp", "g y", numpy=np.exp),
    *unary("exp2", "g y log 2", numpy=np.exp2),
    *unary("expm1", "g e^x", numpy=np.expm1),
    *unary("log", "g / x", positive, numpy=np.log, kink="+inf at 0"),
    *unary("log1p", "g / (1 + x)", positive, numpy=np.log1p, kink="+inf at -1"),
    *unary("log2", "g / (x log 2)", positive, numpy=np.log2, kink="+inf at 0"),
    *unary("log10", "g / (x log 10)", positive, numpy=np.log10, kink="+inf at 0"),
    *unary("sigmoid", "g y (1 - y)"),
    *binary("logaddexp", "g e^(x-z); g e^(y-z)", numpy=np.logaddexp, kink="1/2 for two equal infinities"),
    *binary("logaddexp2", "g 2^(x-z); g 2^(y-z)", numpy=np.logaddexp2, kink="1/2 for two equal infinities"),
    *unary("sin", "g cos(x)", numpy=np.sin),
    *unary("cos", "-g sin(x)", numpy=np.cos),
    *unary("tan", "g (1 + y²)", inside_one, numpy=np.tan),
    *unary("arcsin", "g / sqrt(1 - x²)", inside_one, numpy=np.arcsin, kink="+inf at -1 and 1"),
    *unary("arccos", "-g / sqrt(1 - x²)", inside_one, numpy=np.arccos, kink="-inf at -1 and 1"),
    *unary("arctan", "g / (1 + x²)", numpy=np.arctan),
    *binary("arctan2", "g x / (x² + y²); -g y / (x² + y²), for (y, x)", numpy=np.arctan2, kink="0 at the origin"),
    *binary("hypot", "g x / z; g y / z", numpy=np.hypot, kink="0 at the origin"),
    *unary("sinh", "g cosh(x)", numpy=np.sinh),
    *unary("cosh", "g sinh(x)", numpy=np.cosh),
    *(Case(op=f"{name}_backward", label=label, call=getattr(elementwise, f"_{name}_back"), inputs=(make, make),
           derivative=derivative if label == "" else "")
      for name, derivative in (("tanh", "h (1 - y²); -2 h g y"), ("sigmoid", "h y (1 - y); h g (1 - 2y)"))
      for label, make in (("", real(3, 4)), ("0d", real()))),
    *unary("tanh", "g (1 - y²)", numpy=np.tanh),
    *unary("arcsinh", "g / sqrt(x² + 1)", numpy=np.arcsinh),
    *unary("arccosh", "g / sqrt(x² - 1)", above_one, numpy=np.arccosh, kink="+inf at 1"),
    *unary("arctanh", "g / (1 - x²)", inside_one, numpy=np.arctanh, kink="+inf at -1 and 1"),
    *unary("sinc", "g (cos(πx) - y) / x", numpy=np.sinc, kink="0 at 0, second derivative -π²/3"),
    Case(op="sinc", label="near-0", call=ag.sinc, inputs=(fixed([-0.6, -0.4, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.4, 0.6]),),
         numpy=np.sinc),
    *unary("degrees", "180 g / π", numpy=np.degrees, torch_name="rad2deg"),
    *unary("radians", "π g / 180", numpy=np.radians, torch_name="deg2rad"),
    *unary("floor", "0", numpy=np.floor, kink="0 at integers"),
    *unary("ceil", "0", numpy=np.ceil, kink="0 at integers"),
    *unary("trunc", "0", numpy=np.trunc, kink="0 at integers"),
    *unary("rint", "0", numpy=np.rint, torch_name="round", kink="0 at halves"),
    Case(op="multiply", label="addcmul", call=lambda x, a, b: ag.addcmul(x, a, b, value=0.5),
         inputs=(real(3), real(3), real(2, 3)), torch=lambda x, a, b: torch.addcmul(x, a, b, value=0.5)),
    Case(op="divide", label="addcdiv", call=lambda x, a, b: ag.addcdiv(x, a, b, value=0.5),
         inputs=(real(3), real(3), real(2, 3)), torch=lambda x, a, b: torch.addcdiv(x, a, b, value=0.5)),
    Case(op="multiply", label="lerp", call=ag.lerp, inputs=(real(3), real(3), real(2, 3)), torch=torch_function("lerp")),
    Case(op="multiply", label="lerp-number", call=lambda x, y: ag.lerp(x, y, 0.7), inputs=(real(3), real(3)),
         torch=lambda x, y: torch.lerp(x, y, 0.7)),
    Case(op="power", label="float_power", call=ag.float_power, inputs=(positive(3), real(3)), numpy=np.float_power,
         torch=torch_function("float_power")),
    Case(op="frac", label="modf", call=ag.modf, inputs=(real(3),), numpy=np.modf),
    Case(op="remainder", label="divmod", call=divmod, inputs=(real(3), positive(3)), numpy=np.divmod),
    Case(op="multiply", label="ldexp-float", call=ag.ldexp, inputs=(real(3), real(3)), torch=torch_function("ldexp")),
]  # fmt: skip
