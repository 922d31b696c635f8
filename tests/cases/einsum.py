"""Rows of Einstein's summation."""

from functools import partial

from cases.case import Case, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

SPECS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("i,i->", (4,), (4,)),
    ("i,j->ij", (2,), (3,)), ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("ij,j,k->ik", (2, 3), (3,), (2,)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 3)),
    ("ij,ij->", (2, 3), (2, 3)), ("ij,kj->", (2, 3), (4, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("bi,bi->b", (2, 0), (2, 0)),
    (",i->i", (), (3,)), ("abc,cd->dab", (2, 3, 2), (2, 3)),
]  # fmt: skip
DIAGONALS = [
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->ji", (2, 2, 3)), ("iii->", (2, 2, 2)), ("ii,ij->j", (3, 3), (3, 2)),
    ("iji,j->i", (2, 3, 2), (3,)), ("ii,jj->ij", (2, 2), (3, 3)),
]  # fmt: skip


CASES = [
    Case(op="einsum", label=spec, call=partial(ag.einsum, spec), inputs=tuple(real(*shape) for shape in shapes),
         torch=None if torch is None else partial(torch.einsum, spec), derivative="einsum of g and the other operands")
    for spec, *shapes in SPECS + DIAGONALS
] + [
    Case(op="einsum", label="size-1", call=partial(ag.einsum, "ij,jk->ik"), inputs=(real(2, 1), real(3, 4))),
    Case(op="einsum", label="lists", call=lambda x, y: ag.einsum(x, [0, 1], y, [1, 2], [2, 0]), inputs=(real(2, 3), real(3, 4))),
]  # fmt: skip
