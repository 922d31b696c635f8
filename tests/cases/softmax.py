"""The softmax family."""

from __future__ import annotations

from cases.case import Case, fixed, real

import autograd as ag
from autograd.primitive import primitives

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

MASK = [[True, False, True], [False, False, False], [True, True, True]]


def family(op, derivative, kink=""):
    return [
        Case(op=op, call=lambda x: getattr(ag, op)(x, axis=1), inputs=(real(3, 4),), derivative=derivative, kink=kink,
             torch=lambda x: getattr(torch, op)(x, 1)),
        Case(op=op, label="axis0", call=lambda x: getattr(ag, op)(x, axis=0), inputs=(real(3, 2, 2),),
             torch=lambda x: getattr(torch, op)(x, 0)),
        Case(op=op, label="one", call=lambda x: getattr(ag, op)(x, axis=1), inputs=(real(3, 1),),
             torch=lambda x: getattr(torch, op)(x, 1)),
        Case(op=op, label="empty", call=lambda x: getattr(ag, op)(x, axis=1), inputs=(real(2, 0),)),
        Case(op=op, label="0d", call=lambda x: getattr(ag, op)(x) if op != "logsumexp" else ag.logsumexp(x), inputs=(real(),)),
    ]  # fmt: skip


def backward_of(op, derivative):
    """The primitive that takes the cotangent and the output of softmax or log_softmax to the gradient."""
    call = lambda g, y, axis: primitives[f"{op}_backward"].function(g, y, axis=axis)
    return [
        Case(op=f"{op}_backward", call=lambda g, y: call(g, y, 1), inputs=(real(3, 4), real(3, 4)), derivative=derivative),
        Case(op=f"{op}_backward", label="axis0", call=lambda g, y: call(g, y, 0), inputs=(real(3, 2), real(3, 2))),
    ]


CASES = [
    *family("softmax", "y (g - sum(g y))", "-inf gives exactly 0"),
    *family("log_softmax", "g - softmax(x) sum(g)", "finite for logits of any size"),
    *backward_of("softmax", "dg = y (h - sum(h y)), dy = h (g - sum(g y)) - g sum(h y)"),
    *backward_of("log_softmax", "dg = h - sum(h exp(y)), dy = -h exp(y) sum(g)"),
    *family("logsumexp", "g softmax(x)", "0 where all are -inf"),
    Case(op="logsumexp", label="axes", call=lambda x: ag.logsumexp(x, axis=(0, 2), keepdims=True), inputs=(real(2, 3, 2),),
         torch=lambda x: torch.logsumexp(x, (0, 2), keepdim=True)),
    Case(op="logsumexp", label="one-dominates", call=ag.logsumexp, inputs=(fixed([40.0, 0.0, 39.0]),),
         torch=lambda x: torch.logsumexp(x, 0)),
    Case(op="softmax", label="large", step=1e-6, tolerance=1e-5, call=ag.softmax, inputs=(fixed([1000.0, 1001.0, 999.0]),), torch=lambda x: torch.softmax(x, 0)),
    Case(op="softmax", label="masked", call=lambda x: ag.masked_softmax(x, MASK), inputs=(real(3, 3),)),
    Case(op="softmax", label="min", call=ag.softmin, inputs=(real(4),)),
]  # fmt: skip
