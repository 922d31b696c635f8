"""Activation functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cases.case import Case, positive, real
from cases.elementwise import torch, unary

import autograd as ag


def functional(name: str, *arguments: Any, **options: Any) -> Callable[..., Any]:
    """A function of ``torch.nn.functional``, found when it is called."""
    return lambda x: getattr(torch.nn.functional, name)(x, *arguments, **options)


def rows(op: str, derivative: str, kink: str = "") -> list[Case]:
    """Rows for an activation without further arguments."""
    found = unary(op, derivative, kink=kink, torch_name="")
    return [replace(case, torch=functional(op)) for case in found]


CASES: list[Case] = [
    *rows("relu", "g where x > 0", "0 at 0, 1 at nan"),
    *rows("leaky_relu", "g where x > 0, else g slope", "the slope at 0"),
    Case(op="leaky_relu", label="steep", call=lambda x: ag.leaky_relu(x, 1.5), inputs=(real(3, 4),),
         torch=functional("leaky_relu", 1.5)),
    Case(op="where", label="leaky_relu-negative", call=lambda x: ag.leaky_relu(x, -0.5), inputs=(real(3, 4),),
         torch=functional("leaky_relu", -0.5)),
    Case(op="relu", label="leaky_relu-0", call=lambda x: ag.leaky_relu(x, 0.0), inputs=(real(3, 4),),
         torch=functional("leaky_relu", 0.0)),
    Case(op="where", label="prelu", call=ag.prelu, inputs=(real(2, 3, 4), positive(3)),
         torch=lambda x, w: torch.nn.functional.prelu(x, w)),
    Case(op="where", label="prelu-one", call=ag.prelu, inputs=(real(2, 3), positive(1)),
         torch=lambda x, w: torch.nn.functional.prelu(x, w)),
    *rows("elu", "g where x > 0, else g α e^x", "α at 0"),
    Case(op="elu", label="alpha", call=lambda x: ag.elu(x, 0.7), inputs=(real(3, 4),), torch=functional("elu", 0.7)),
    Case(op="elu", label="selu", call=ag.selu, inputs=(real(3, 4),), torch=functional("selu")),
    Case(op="elu", label="celu", call=lambda x: ag.celu(x, 2.0), inputs=(real(3, 4),), torch=functional("celu", 2.0)),
    *rows("gelu", "g (Φ(x) + x φ(x))"),
    Case(op="gelu_tanh", call=lambda x: ag.gelu(x, "tanh"), inputs=(real(3, 4),), torch=functional("gelu", approximate="tanh"),
         derivative="g (1 + t + x (1 - t²) u') / 2"),
    Case(op="gelu_tanh", label="0d", call=lambda x: ag.gelu(x, "tanh"), inputs=(real(),)),
    *rows("silu", "g s (1 + x (1 - s))"),
    *rows("mish", "g (t + x (1 - t²) s)"),
    *rows("logsigmoid", "g / (1 + e^x)"),
    *rows("softplus", "g / (1 + e^(-βx))", "1 above the threshold"),
    Case(op="softplus", label="beta", call=lambda x: ag.softplus(x, 2.0, 1.0), inputs=(real(3, 4),),
         torch=functional("softplus", 2.0, 1.0)),
    *rows("softsign", "g / (1 + |x|)²"),
    *rows("hardtanh", "g where -1 < x < 1", "0 at the edges"),
    Case(op="hardtanh", label="relu6", call=ag.relu6, inputs=(real(3, 4),), torch=functional("relu6")),
    # PyTorch multiplies by 1/6 in float32, also in float64
    *unary("hardsigmoid", "g / 6 where -3 < x < 3", kink="0 at the edges", torch_name=""),
    *rows("hardswish", "g (x / 3 + 1/2) where -3 < x < 3", "0 at -3, 1 at 3"),
    Case(op="sigmoid", label="glu", call=ag.glu, inputs=(real(3, 4),), torch=functional("glu")),
    Case(op="sigmoid", label="glu-dim", call=lambda x: ag.glu(x, 0), inputs=(real(4, 3),), torch=functional("glu", 0)),
]  # fmt: skip
