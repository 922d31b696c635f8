"""Tensor methods: products of vectors and matrices, in PyTorch's signatures."""

from __future__ import annotations

from typing import Any

from autograd.ops import decompositions, determinants, linalg


class LinalgMethods:
    """Tensor methods: products of vectors and matrices."""

    __slots__ = ()

    def matmul(self, other: Any) -> Any:
        """The matrix product."""
        return linalg.matmul(self, other)

    def mm(self, other: Any) -> Any:
        """The product of two matrices."""
        return linalg.mm(self, other)

    def bmm(self, other: Any) -> Any:
        """The products of two batches of matrices."""
        return linalg.bmm(self, other)

    def mv(self, vector: Any) -> Any:
        """A matrix times a vector."""
        return linalg.mv(self, vector)

    def dot(self, other: Any) -> Any:
        """The inner product of vectors."""
        return linalg.dot(self, other)

    def vdot(self, other: Any) -> Any:
        """The inner product of all elements."""
        return linalg.vdot(self, other)

    def inner(self, other: Any) -> Any:
        """The sum of products over the last axes."""
        return linalg.inner(self, other)

    def outer(self, other: Any) -> Any:
        """All products of an element of each."""
        return linalg.outer(self, other)

    def kron(self, other: Any) -> Any:
        """The Kronecker product."""
        return linalg.kron(self, other)

    def cross(self, other: Any, dim: int = -1) -> Any:
        """The vector product of 3-vectors."""
        return linalg.cross(self, other, dim)

    def trace(self, offset: int = 0) -> Any:
        """The sum of a diagonal."""
        return linalg.trace(self, offset)

    def addmm(self, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
        """beta self + alpha (a @ b)."""
        return linalg.addmm(self, a, b, beta=beta, alpha=alpha)

    def addmv(self, a: Any, v: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
        """beta self + alpha (a @ v)."""
        return linalg.addmv(self, a, v, beta=beta, alpha=alpha)

    def addr(self, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
        """beta self + alpha outer(a, b)."""
        return linalg.addr(self, a, b, beta=beta, alpha=alpha)

    def addbmm(self, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
        """beta self + alpha (the sum of the batch a @ b)."""
        return linalg.addbmm(self, a, b, beta=beta, alpha=alpha)

    def baddbmm(self, a: Any, b: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
        """beta self + alpha (a @ b), batch by batch."""
        return linalg.baddbmm(self, a, b, beta=beta, alpha=alpha)

    def inverse(self) -> Any:
        """The inverse of (a batch of) matrices."""
        return decompositions.inv(self)

    def pinverse(self, rcond: float = 1e-15) -> Any:
        """The Moore-Penrose inverse."""
        return decompositions.pinv(self, rcond)

    def det(self) -> Any:
        """The determinant."""
        return determinants.det(self)

    def logdet(self) -> Any:
        """The logarithm of the determinant."""
        return determinants.logdet(self)

    def slogdet(self) -> Any:
        """The sign of the determinant and the logarithm of its absolute value."""
        return determinants.slogdet(self)

    def cholesky(self) -> Any:
        """The lower triangular L with L L.T = self."""
        return decompositions.cholesky(self)

    def qr(self) -> Any:
        """Q and R, reduced."""
        return decompositions.qr(self)

    def svd(self, some: bool = True) -> Any:
        """U, S and V (not its transpose) with self = U diag(S) V.T, K = min(M, N) columns unless ``some`` is False."""
        u, s, vh = decompositions.svd(self, full_matrices=not some)
        return u, s, vh.mT

    def matrix_power(self, n: int) -> Any:
        """The n-th power of (a batch of) matrices."""
        return decompositions.matrix_power(self, n)
