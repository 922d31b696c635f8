"""Rows of the inverses, determinants and factorizations."""

import numpy as np
from cases.case import Case, fixed, real

from autograd.ops import decompositions as la
from autograd.ops import determinants as ds

try:
    import torch

    tl = torch.linalg
except ImportError:
    torch = tl = None  # type: ignore[assignment]


def regular(*shape):
    """Well-conditioned square matrices with distinct singular values."""

    def make(rng):
        return 0.3 * rng.normal(size=shape) + np.diag(np.arange(1.0, shape[-1] + 1.0))

    return make


def definite(f):
    """f of a symmetric positive definite matrix: factorizations read one triangle only."""
    return lambda x: f(x @ x.mT + x.mT @ x)


SINGULAR = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]
NOTHING = np.zeros((3, 3))

CASES = [
    Case(op="inv", call=la.inv, inputs=(regular(3, 3),), numpy=np.linalg.inv, torch=lambda x: tl.inv(x), derivative="-y.T @ g @ y.T"),
    Case(op="inv", label="batch", call=la.inv, inputs=(regular(2, 2, 2),), numpy=np.linalg.inv, torch=lambda x: tl.inv(x)),
    Case(op="inv", label="empty", call=la.inv, inputs=(real(0, 0),), numpy=np.linalg.inv),
    Case(op="inv", label="matrix_power-3", call=lambda x: la.matrix_power(x, 3), inputs=(regular(3, 3),), torch=lambda x: tl.matrix_power(x, 3)),
    Case(op="inv", label="matrix_power-minus-2", call=lambda x: la.matrix_power(x, -2), inputs=(regular(3, 3),),
         torch=lambda x: tl.matrix_power(x, -2)),
    Case(op="solve", call=la.solve, inputs=(regular(3, 3), real(3, 2)), numpy=np.linalg.solve, torch=lambda a, b: tl.solve(a, b),
         derivative="da = -db @ y.T; db = solve(a.T, g)"),
    Case(op="solve", label="vector", call=la.solve, inputs=(regular(3, 3), real(3)), torch=lambda a, b: tl.solve(a, b)),
    Case(op="solve", label="broadcast", call=la.solve, inputs=(regular(2, 2, 2), real(2, 3)), numpy=np.linalg.solve),
    Case(op="pinv", label="tall", call=la.pinv, inputs=(real(4, 2),), numpy=np.linalg.pinv, torch=lambda x: tl.pinv(x),
         derivative="-y.T @ g @ y.T + (I - x @ y) @ g.T @ y @ y.T + y.T @ y @ g.T @ (I - y @ x)", kink="at constant rank"),
    Case(op="pinv", label="wide", call=la.pinv, inputs=(real(2, 2, 3),), numpy=np.linalg.pinv, torch=lambda x: tl.pinv(x)),
    Case(op="det", call=ds.det, inputs=(regular(3, 3),), numpy=np.linalg.det, torch=lambda x: tl.det(x), derivative="g * cofactors(x)",
         kink="true cofactors of singular matrices"),
    Case(op="det", label="batch", call=ds.det, inputs=(regular(2, 2, 2),), numpy=np.linalg.det, torch=lambda x: tl.det(x)),
    Case(op="det", label="singular", call=ds.det, inputs=(fixed(SINGULAR),)),
    Case(op="det", label="zero", call=ds.det, inputs=(fixed(NOTHING),), numpy=np.linalg.det),
    Case(op="det", label="1x1", call=ds.det, inputs=(fixed([[0.0]]),), numpy=np.linalg.det),
    Case(op="det", label="0x0", call=ds.det, inputs=(real(0, 0),), numpy=np.linalg.det),
    Case(op="cofactors", call=lambda x: ds.cofactors(la.matrix_of(x, "cofactors")), inputs=(regular(2, 3, 3),), derivative="cofactors_derivative(x, g)",
         kink="exact at every rank"),
    Case(op="cofactors", label="rank-2", call=lambda x: ds.cofactors(la.matrix_of(x, "cofactors")), inputs=(fixed(SINGULAR),), orders=1),
    Case(op="cofactors", label="zero", call=lambda x: ds.cofactors(la.matrix_of(x, "cofactors")), inputs=(fixed(NOTHING),), orders=1),
    Case(op="cofactors", label="1x1", call=lambda x: ds.cofactors(la.matrix_of(x, "cofactors")), inputs=(fixed([[0.0]]),), orders=1),
    Case(op="cofactors", label="empty", call=lambda x: ds.cofactors(la.matrix_of(x, "cofactors")), inputs=(real(0, 0),)),
    Case(op="cofactors_derivative", call=lambda x, h: ds.cofactors_derivative(la.matrix_of(x, "cofactors_derivative"), h), inputs=(regular(3, 3), real(3, 3)),
         derivative="third derivatives of det; cofactors_derivative(x, g)", kink="the third derivative needs regular matrices"),
    Case(op="cofactors_derivative", label="batch", call=lambda x, h: ds.cofactors_derivative(la.matrix_of(x, "cofactors_derivative"), h), inputs=(regular(2, 2, 2), real(2, 2, 2))),
    Case(op="cofactors_derivative", label="empty", call=lambda x, h: ds.cofactors_derivative(la.matrix_of(x, "cofactors_derivative"), h), inputs=(real(0, 2, 2), real(0, 2, 2))),
    Case(op="slogdet", call=ds.slogdet, inputs=(regular(2, 3, 3),), numpy=np.linalg.slogdet, derivative="g * inv(x).T"),
    Case(op="slogdet", label="logdet", call=definite(ds.logdet), inputs=(regular(3, 3),), torch=definite(lambda x: torch.logdet(x))),
    Case(op="cholesky", call=definite(la.cholesky), inputs=(regular(3, 3),), torch=definite(lambda x: tl.cholesky(x)),
         derivative="sym(L^-T phi(L.T g) L^-1)"),
    Case(op="cholesky", label="batch", call=definite(la.cholesky), inputs=(regular(2, 2, 2),)),
    Case(op="qr", label="tall", call=la.qr, inputs=(real(4, 2),), numpy=np.linalg.qr, torch=lambda x: tl.qr(x),
         derivative="(gQ + Q copyltu(R gR.T - gQ.T Q)) R^-T"),
    Case(op="qr", label="square", call=la.qr, inputs=(regular(2, 3, 3),), numpy=np.linalg.qr, torch=lambda x: tl.qr(x)),
    Case(op="qr", label="wide", call=la.qr, inputs=(real(2, 4),), torch=lambda x: tl.qr(x)),
    Case(op="qr", label="r", call=lambda x: la.qr(x, "r"), inputs=(regular(3, 3),)),
    Case(op="eigh", call=definite(la.eigh), inputs=(regular(3, 3),), derivative="V (diag(gw) + V.T gV / (w_j - w_i)) V.T",
         kink="eigenvectors of repeated eigenvalues: undefined"),
    Case(op="eigh", label="eigvalsh", call=definite(la.eigvalsh), inputs=(regular(2, 2, 2),), torch=definite(lambda x: tl.eigvalsh(x))),
    Case(op="svd", label="square", call=la.svd, inputs=(regular(3, 3),), derivative="U diag(gS) Vh + parts of gU and gVh"),
    Case(op="svd", label="tall", call=lambda x: la.svd(x, full_matrices=False), inputs=(real(4, 2),)),
    Case(op="svd", label="wide", call=lambda x: la.svd(x, full_matrices=False), inputs=(real(2, 2, 3),)),
    Case(op="svd", label="svdvals", call=la.svdvals, inputs=(real(3, 2),), torch=lambda x: tl.svdvals(x)),
]  # fmt: skip
