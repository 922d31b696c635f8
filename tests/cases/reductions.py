"""Reductions, norms and spread."""

from __future__ import annotations

import math

import numpy as np
from cases.case import Case, apart, fixed, positive, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

AXES = [
    ("all", (3, 4), None, False), ("axis", (3, 4), 0, False), ("last-kept", (3, 4), -1, True), ("two", (2, 3, 4), (0, 2), False),
    ("0d", (), None, False), ("one", (3, 1), 1, False),
]  # fmt: skip


def reduction(op, derivative, maker=real, *, kink="", empty=True, numpy=True, torch_call=None, **more):
    """Rows over kinds of axes, and over an empty array where that has a value."""
    rows = []
    for label, shape, axis, keep in AXES:
        rows.append(
            Case(
                op=op,
                label=label,
                call=lambda x, axis=axis, keep=keep: getattr(ag, op)(x, axis=axis, keepdims=keep),
                inputs=(maker(*shape),),
                numpy=(lambda x, axis=axis, keep=keep: getattr(np, op)(x, axis=axis, keepdims=keep)) if numpy else None,
                torch=torch_call(axis, keep) if torch_call else None,
                derivative=derivative,
                kink=kink,
                **more,
            )
        )
    if empty:
        rows.append(Case(op=op, label="empty", call=lambda x: getattr(ag, op)(x, axis=0), inputs=(maker(0, 3),)))
    return rows


def over(name):
    """PyTorch's reduction of this name, for an axis."""

    def make(axis, keep):
        if axis is None:
            return lambda x: getattr(torch, name)(x)
        return lambda x: getattr(torch, name)(x, dim=axis, keepdim=keep)

    return make


def spread(name):
    def make(axis, keep):
        return lambda x: getattr(torch, name)(x, dim=axis, correction=0, keepdim=keep)

    return make


CASES = [
    *reduction("sum", "g", torch_call=over("sum")),
    *reduction("mean", "g / n", empty=False, torch_call=over("mean")),
    *reduction("prod", "g times the product of the others", kink="exact with zeros", torch_call=lambda axis, keep: (
        None if isinstance(axis, tuple) else over("prod")(axis, keep))),
    *reduction("max", "g where x is the maximum", apart, kink="ties share evenly", empty=False, torch_call=lambda axis, keep: (
        lambda x: torch.amax(x, dim=() if axis is None else axis, keepdim=keep))),
    *reduction("min", "g where x is the minimum", apart, kink="ties share evenly", empty=False, torch_call=lambda axis, keep: (
        lambda x: torch.amin(x, dim=() if axis is None else axis, keepdim=keep))),
    *reduction("var", "2 g (x - mean) / (n - ddof)", empty=False, torch_call=spread("var")),
    *(case for case in reduction("std", "g (x - mean) / ((n - ddof) std)", kink="0 where std = 0", empty=False,
                                 torch_call=spread("std")) if case.label not in ("0d", "one")),
    Case(op="prod", label="one-zero", call=lambda x: ag.prod(x, axis=1), inputs=(fixed([[0.0, 2.0, 3.0], [1.5, -2.0, 0.5]]),),
         torch=lambda x: torch.prod(x, dim=1)),
    Case(op="prod", label="two-zeros", call=ag.prod, inputs=(fixed([0.0, 2.0, 0.0, 3.0]),), torch=lambda x: torch.prod(x)),
    Case(op="prod", label="axes-out-of-order", call=lambda x: ag.prod(x, axis=(2, 0)), inputs=(real(2, 3, 2),)),
    Case(op="var", label="unbiased", call=lambda x: ag.var(x, ddof=1), inputs=(real(5),), torch=lambda x: torch.var(x)),
    Case(op="std", label="unbiased", call=lambda x: ag.std(x, axis=1, ddof=1), inputs=(real(3, 4),),
         torch=lambda x: torch.std(x, dim=1)),
    Case(op="norm", label="2", call=ag.norm, inputs=(real(3, 4),), torch=lambda x: torch.linalg.vector_norm(x),
         numpy=np.linalg.norm, derivative="g x / norm", kink="0 at 0"),
    Case(op="norm", label="2-axis", call=lambda x: ag.norm(x, axis=1, keepdims=True), inputs=(real(3, 4),),
         numpy=lambda x: np.linalg.norm(x, axis=1, keepdims=True), torch=lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True)),
    Case(op="norm", label="2-method", call=lambda x: x.norm(2, (0, 2)), inputs=(real(2, 3, 2),), torch=lambda x: torch.norm(x, 2, (0, 2))),
    Case(op="norm", label="1", call=lambda x: ag.norm(x, 1, axis=0), inputs=(real(3, 4),),
         numpy=lambda x: np.linalg.norm(x, 1, axis=0), torch=lambda x: torch.linalg.vector_norm(x, 1, dim=0)),
    Case(op="norm", label="3", call=lambda x: ag.norm(x, 3, axis=0), inputs=(real(3, 4),),
         numpy=lambda x: np.linalg.norm(x, 3, axis=0), torch=lambda x: torch.linalg.vector_norm(x, 3, dim=0)),
    Case(op="norm", label="half", call=lambda x: ag.norm(x, 0.5), inputs=(positive(4),),
         torch=lambda x: torch.linalg.vector_norm(x, 0.5)),
    Case(op="norm", label="inf", call=lambda x: ag.norm(x, math.inf, axis=1), inputs=(apart(3, 4),),
         numpy=lambda x: np.linalg.norm(x, math.inf, axis=1), torch=lambda x: torch.linalg.vector_norm(x, math.inf, dim=1)),
    Case(op="norm", label="-inf", call=lambda x: ag.norm(x, -math.inf), inputs=(apart(5),),
         numpy=lambda x: np.linalg.norm(x, -math.inf), torch=lambda x: torch.linalg.vector_norm(x, -math.inf)),
    Case(op="norm", label="0d", call=ag.norm, inputs=(real(),)),
    Case(op="norm", label="empty", call=lambda x: ag.norm(x, axis=0), inputs=(real(0, 3),)),
    Case(op="norm", label="matrix-fro", call=lambda x: ag.norm(x, "fro", axis=(2, 0)), inputs=(real(2, 3, 2),),
         numpy=lambda x: np.linalg.norm(x, "fro", axis=(2, 0)), torch=lambda x: torch.linalg.matrix_norm(x, dim=(2, 0))),
    Case(op="max", label="matrix-norm-1", call=lambda x: ag.norm(x, 1), inputs=(apart(3, 4),),
         numpy=lambda x: np.linalg.norm(x, 1), torch=lambda x: torch.linalg.matrix_norm(x, 1)),
    Case(op="min", label="matrix-norm-neg-inf", call=lambda x: ag.norm(x, -math.inf, axis=(0, 2), keepdims=True), inputs=(apart(3, 2, 4),),
         numpy=lambda x: np.linalg.norm(x, -math.inf, axis=(0, 2), keepdims=True),
         torch=lambda x: torch.linalg.matrix_norm(x, -math.inf, dim=(0, 2), keepdim=True)),
    Case(op="sum", label="ufunc-reduce", call=np.add.reduce, inputs=(real(3, 2),), numpy=np.add.reduce, torch=lambda x: x.sum(0)),
    Case(op="prod", label="ufunc-reduce", call=np.multiply.reduce, inputs=(real(3, 2),), numpy=np.multiply.reduce,
         torch=lambda x: x.prod(0)),
    Case(op="max", label="ufunc-reduce", call=np.maximum.reduce, inputs=(apart(3, 2),), numpy=np.maximum.reduce,
         torch=lambda x: x.amax(0)),
    Case(op="min", label="ufunc-reduce", call=np.minimum.reduce, inputs=(apart(3, 2),), numpy=np.minimum.reduce,
         torch=lambda x: x.amin(0)),
    Case(op="max", label="nanmax", call=lambda x: np.nanmax(x, axis=1), inputs=(apart(2, 3),), numpy=lambda x: np.nanmax(x, axis=1)),
    Case(op="min", label="nanmin", call=np.nanmin, inputs=(apart(2, 3),), numpy=np.nanmin),
    Case(op="sum", label="nansum", call=lambda x: ag.nansum(x, axis=1), inputs=(real(2, 3),), numpy=lambda x: np.nansum(x, axis=1),
         torch=lambda x: torch.nansum(x, dim=1)),
    Case(op="sum", label="nanmean", call=lambda x: ag.nanmean(x, axis=0), inputs=(real(2, 3),), torch=lambda x: torch.nanmean(x, dim=0)),
    Case(op="var", label="var_mean", call=ag.var_mean, inputs=(real(3, 2),), torch=lambda x: torch.var_mean(x, correction=0)),
    Case(op="std", label="std_mean", call=lambda x: ag.std_mean(x, axis=0), inputs=(real(3, 2),),
         torch=lambda x: torch.std_mean(x, dim=0, correction=0)),
    Case(op="max", label="aminmax", call=ag.aminmax, inputs=(apart(5),), torch=lambda x: torch.aminmax(x)),
    Case(op="norm", label="dist", call=ag.dist, inputs=(real(3, 2), real(2)), torch=lambda x, y: torch.dist(x, y)),
    Case(op="getitem", label="narrow", call=lambda x: ag.narrow(x, 1, 1, 2), inputs=(real(2, 4),), torch=lambda x: torch.narrow(x, 1, 1, 2)),
]  # fmt: skip
