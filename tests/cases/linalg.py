"""Products of vectors and matrices."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag
from autograd.ops import linalg

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

SHAPES = [
    ((3, 4), (4, 2)), ((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 2)), ((2, 3, 4), (2, 4, 2)),
    ((3, 4), (2, 4, 1)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((2, 0), (0, 3)), ((0, 2), (2, 3)),
]  # fmt: skip


def both(label, call, *shapes, torch_call=None, op="matmul"):
    return Case(op=op, label=label, call=call, inputs=tuple(real(*s) for s in shapes), numpy=call, torch=torch_call)


CASES = [
    *(Case(op="matmul", label=f"{a}@{b}".replace(" ", ""), call=lambda x, y: x @ y, inputs=(real(*a), real(*b)),
           numpy=None if len(a) > 2 and len(b) < 3 else np.matmul, torch=lambda x, y: x @ y,
           derivative="g @ y.T; x.T @ g") for a, b in SHAPES),
    *(Case(op="matmul_nt", label=f"{a}-{b}".replace(" ", ""), call=linalg._matmul_nt, inputs=(real(*a), real(*b)),
           torch=lambda x, y: x @ y.mT, derivative="g @ y; g.T @ x")
      for a, b in (((3, 4), (2, 4)), ((3, 4), (3, 4)), ((2, 3, 4), (5, 4)), ((2, 1, 3, 4), (5, 2, 4)), ((2, 0), (3, 0)))),
    *(Case(op="matmul_tn", label=f"{a}-{b}".replace(" ", ""), call=linalg._matmul_tn, inputs=(real(*a), real(*b)),
           torch=lambda x, y: x.mT @ y, derivative="y @ g.T; x @ g")
      for a, b in (((4, 3), (4, 2)), ((3, 3), (3, 3)), ((2, 4, 3), (4, 5)), ((2, 1, 4, 3), (5, 4, 2)), ((0, 2), (0, 3)))),
    Case(op="column_sums", call=linalg._column_sums, inputs=(real(3, 4),), torch=lambda x: x.sum(0),
         derivative="g for all rows"),
    Case(op="column_sums", label="empty", call=linalg._column_sums, inputs=(real(0, 4),), torch=lambda x: x.sum(0)),
    Case(op="linear", call=ag.linear, inputs=(real(5, 3), real(2, 3), real(2)),
         torch=lambda x, w, b: torch.nn.functional.linear(x, w, b), derivative="g @ W; g.T @ x; sum(g)"),
    Case(op="linear", label="no-bias", call=lambda x, w: ag.linear(x, w), inputs=(real(5, 3), real(2, 3)),
         torch=lambda x, w: torch.nn.functional.linear(x, w)),
    Case(op="linear", label="batch", call=ag.linear, inputs=(real(2, 4, 3), real(2, 3), real(2)),
         torch=lambda x, w, b: torch.nn.functional.linear(x, w, b)),
    Case(op="linear", label="vector", call=ag.linear, inputs=(real(3), real(2, 3), real(2)),
         torch=lambda x, w, b: torch.nn.functional.linear(x, w, b)),
    Case(op="linear", label="empty", call=ag.linear, inputs=(real(0, 3), real(2, 3), real(2)),
         torch=lambda x, w, b: torch.nn.functional.linear(x, w, b)),
    both("dot-0d", np.dot, (), (3,), op="multiply"),
    Case(op="matmul", label="dot-3d", call=lambda a, b: ag.dot(a, b), inputs=(real(2, 3), real(4, 3, 2))),
    Case(op="matmul", label="vdot", call=ag.vdot, inputs=(real(2, 3), real(2, 3))),
    Case(op="matmul", label="inner", call=ag.inner, inputs=(real(2, 3), real(4, 3)), torch=lambda a, b: torch.inner(a, b)),
    both("outer", np.outer, (3,), (4,), torch_call=lambda a, b: torch.outer(a, b), op="multiply"),
    Case(op="matmul", label="tensordot", call=lambda a, b: ag.tensordot(a, b, axes=([0, 2], [1, 0])), inputs=(real(2, 3, 4), real(4, 2, 5)),
         torch=lambda a, b: torch.tensordot(a, b, dims=([0, 2], [1, 0]))),
    Case(op="matmul", label="tensordot-n", call=lambda a, b: ag.tensordot(a, b, 1), inputs=(real(2, 3), real(3, 2)),
         torch=lambda a, b: torch.tensordot(a, b, 1)),
    Case(op="sum", label="trace", call=ag.trace, inputs=(real(3, 3),), torch=lambda x: torch.trace(x)),
    both("kron", np.kron, (2, 3), (2, 2), torch_call=lambda a, b: torch.kron(a, b), op="multiply"),
    both("kron-ranks", np.kron, (2,), (2, 2), op="multiply"),
    both("cross", np.cross, (4, 3), (4, 3), torch_call=lambda a, b: torch.linalg.cross(a, b), op="multiply"),
    Case(op="matmul", label="mm", call=ag.mm, inputs=(real(2, 3), real(3, 2)), torch=lambda a, b: torch.mm(a, b)),
    Case(op="matmul", label="bmm", call=ag.bmm, inputs=(real(2, 2, 3), real(2, 3, 2)), torch=lambda a, b: torch.bmm(a, b)),
    Case(op="matmul", label="mv", call=ag.mv, inputs=(real(2, 3), real(3)), torch=lambda a, b: torch.mv(a, b)),
    Case(op="matmul", label="addmm", call=lambda x, a, b: ag.addmm(x, a, b, beta=0.5, alpha=2.0), inputs=(real(2, 2), real(2, 3), real(3, 2)),
         torch=lambda x, a, b: torch.addmm(x, a, b, beta=0.5, alpha=2.0)),
    Case(op="matmul", label="addmv", call=ag.addmv, inputs=(real(2), real(2, 3), real(3)), torch=lambda x, a, b: torch.addmv(x, a, b)),
    Case(op="multiply", label="addr", call=ag.addr, inputs=(real(2, 3), real(2), real(3)), torch=lambda x, a, b: torch.addr(x, a, b)),
    Case(op="matmul", label="addbmm", call=ag.addbmm, inputs=(real(2, 2), real(3, 2, 3), real(3, 3, 2)),
         torch=lambda x, a, b: torch.addbmm(x, a, b)),
    Case(op="matmul", label="baddbmm", call=ag.baddbmm, inputs=(real(3, 2, 2), real(3, 2, 3), real(3, 3, 2)),
         torch=lambda x, a, b: torch.baddbmm(x, a, b)),
]  # fmt: skip
