"""Inverses and factorizations of (batches of) matrices.

In the formulas T is the transpose of the last two axes, and products are matrix products.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.ops.reductions import tensor_of


class QRResult(NamedTuple):
    """x = Q R."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """x = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


class EighResult(NamedTuple):
    """x = V diag(w) V.T."""

    eigenvalues: Any
    eigenvectors: Any


def matrix_of(x: Any, op: str, square: bool = False) -> Any:
    """A floating Tensor of at least two axes, the last two equal if asked for."""
    x = tensor_of(x, op)
    if x.ndim < 2:
        raise ValueError(f"{op}: expected at least 2 axes, got shape {x.shape}")
    if square and x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{op}: expected square matrices, got shape {x.shape}")
    if x.dtype == np.float16:
        raise TypeError(f"{op}: expected float32 or float64, got float16; use x.astype(np.float32)")
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + _t(x))


def _scaled_columns(x: Any, s: Any) -> Any:
    """x diag(s)."""
    return x * np.expand_dims(s, -2)


# ------------------------------------------------------------------------------------------------ inverses

_inv = internal(np.linalg.inv, lambda g, y, _x: -np.matmul(np.matmul(_t(y), g), _t(y)), name="inv")


@implements(np.linalg.inv)
def inv(x: Any) -> Any:
    """The inverse; dx = -y.T g y.T.

    Raises:
        LinAlgError: for singular matrices.
    """
    return _inv(matrix_of(x, "inv", square=True))


_solve = internal(
    np.linalg.solve,
    lambda g, y, a, _b: -np.matmul(np.linalg.solve(_t(a), g), _t(y)),
    lambda g, _y, a, _b: np.linalg.solve(_t(a), g),
    name="solve",
)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """The x with a x = b; b is a vector if it has one axis, else a (batch of) matrices. db = solve(a.T, g), da = -db x.T.

    Raises:
        LinAlgError: for singular matrices.
    """
    a, b = matrix_of(a, "solve", square=True), tensor_of(b, "solve")
    if b.ndim == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"solve: expected as many rows on both sides, got {a.shape} and {b.shape}")
    if b.ndim == 1:
        return np.squeeze(_solve(a, np.expand_dims(b, -1)), axis=-1)
    return _solve(a, b)


def _pinv_kernel(x: Array, rcond: Any = None, hermitian: bool = False) -> Array:
    return np.linalg.pinv(x, rcond, hermitian)


def _pinv_rule(g: Any, y: Any, x: Any, **_static: Any) -> Any:
    """-y.T g y.T + (I - x y) g.T y y.T + y.T y g.T (I - y x), the derivative at constant rank (Golub and Pereyra, 1973)."""
    row = np.matmul(np.matmul(_t(g), y), _t(y))
    column = np.matmul(np.matmul(_t(y), y), _t(g))
    inner = np.matmul(np.matmul(_t(y), g), _t(y))
    return row - np.matmul(x, np.matmul(y, row)) + column - np.matmul(np.matmul(column, y), x) - inner


_pinv = internal(_pinv_kernel, _pinv_rule, name="pinv")


@implements(np.linalg.pinv)
def pinv(x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The Moore-Penrose inverse; singular values below ``rcond`` times the greatest count as 0 (of a zero matrix it is 0).

    Its gradient is that at constant rank.

    Args:
        x: (..., M, N).
        rcond: the relative bound (of each matrix, where an array); by default that of NumPy.
        hermitian: the matrices are symmetric, which is faster.
        rtol: another name of ``rcond``.
    """
    if rtol is not None:
        if rcond is not None:
            raise ValueError("pinv: expected rcond or rtol, got both")
        rcond = rtol
    return _pinv(matrix_of(x, "pinv", square=hermitian), rcond=rcond, hermitian=hermitian)


# ------------------------------------------------------------------------------------------------ factorizations


def _cholesky_rule(g: Any, y: Any, _x: Any) -> Any:
    """S = L**-T phi(L.T g) L**-1, phi the lower triangle with half the diagonal; symmetrised (Murray, 2016)."""
    product = np.matmul(_t(y), np.tril(g))
    half = 0.5 * (np.tril(product) + np.tril(product, -1))
    inverse = np.linalg.inv(y)
    return _symmetric(np.matmul(np.matmul(_t(inverse), half), inverse))


_cholesky = internal(np.linalg.cholesky, _cholesky_rule, name="cholesky")


@implements(np.linalg.cholesky)
def cholesky(x: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with x = L L.T. Only the lower triangle of x is read; its gradient is symmetric.

    With ``upper`` it is L.T, and the upper triangle is read.

    Raises:
        LinAlgError: where x is not positive definite.
    """
    x = matrix_of(x, "cholesky", square=True)
    return _t(_cholesky(_t(x))) if upper else _cholesky(x)


def _qr_rule(g: Any, y: Any, _x: Any) -> Any:
    """(gQ + Q copyltu(M)) R**-T with M = R gR.T - gQ.T Q, copyltu the lower triangle made symmetric."""
    (q, r), (gq, gr) = y, (g[0], g[1])
    middle = 0.0 if gr is None else np.matmul(r, _t(np.triu(gr)))
    if gq is not None:
        middle = middle - np.matmul(_t(gq), q)
    whole = np.matmul(q, np.tril(middle) + _t(np.tril(middle, -1)))
    if gq is not None:
        whole = gq + whole
    return _t(np.linalg.solve(r, _t(whole)))


_qr = internal(lambda x: tuple(np.linalg.qr(x)), _qr_rule, name="qr")


@implements(np.linalg.qr)
def qr(x: Any, mode: str = "reduced") -> Any:
    """x = Q R with K = min(M, N): Q (..., M, K) with orthonormal columns, R (..., K, N) upper triangular.

    Args:
        x: (..., M, N), of full rank for the gradient.
        mode: "reduced", or "r" for R alone.
    """
    x = matrix_of(x, "qr")
    if mode not in ("reduced", "r"):
        raise ValueError(f"qr: expected mode 'reduced' or 'r', got {mode!r}; the gradient of others is not defined")
    rows, columns = x.shape[-2:]
    if rows >= columns:
        q, r = _qr(x)
    else:
        q, first = _qr(x[..., :rows])
        r = np.concatenate([first, np.matmul(_t(q), x[..., rows:])], axis=-1)
    return r if mode == "r" else QRResult(q, r)


def _eigh_rule(g: Any, y: Any, _x: Any, **_static: Any) -> Any:
    """V (diag(gw) + (V.T gV) / E) V.T with E_ij = w_j - w_i off the diagonal; symmetrised."""
    (w, v), (gw, gv) = y, (g[0], g[1])
    found = 0.0 if gw is None else np.matmul(_scaled_columns(v, gw), _t(v))
    if gv is not None:
        diagonal = np.eye(getattr(w, "_data", w).shape[-1], dtype=bool)
        gaps = np.expand_dims(w, -2) - np.expand_dims(w, -1)
        middle = np.where(diagonal, 0.0, np.matmul(_t(v), gv) / np.where(diagonal, 1.0, gaps))
        found = found + np.matmul(np.matmul(v, middle), _t(v))
    return _symmetric(found)


def _eigh_kernel(x: Array, UPLO: Literal["L", "U"] = "L") -> tuple[Array, Array]:
    w, v = np.linalg.eigh(x, UPLO)
    return w, v


_eigh = internal(_eigh_kernel, _eigh_rule, name="eigh")


@implements(np.linalg.eigh)
def eigh(x: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices, of which one triangle is read.

    The gradient is symmetric. That of eigenvalues is finite where they repeat; that of eigenvectors is not defined there
    and comes out as nan or inf.
    """
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: expected UPLO 'L' or 'U', got {UPLO!r}")
    return EighResult(*_eigh(matrix_of(x, "eigh", square=True), UPLO=UPLO))


@implements(np.linalg.eigvalsh)
def eigvalsh(x: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(x, UPLO).eigenvalues


def _svd_rule(g: Any, y: Any, _x: Any) -> Any:
    """U (skew(U.T gU) / E S + S skew(V.T gV) / E + diag(gS)) Vh, and the parts of gU and gVh outside of the spans."""
    (u, s, vh), (gu, gs, gvh) = y, (g[0], g[1], g[2])
    found = 0.0 if gs is None else np.matmul(_scaled_columns(u, gs), vh)
    if gu is None and gvh is None:
        return found
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    diagonal = np.eye(getattr(s, "_data", s).shape[-1], dtype=bool)
    gaps = np.where(diagonal, 1.0, (row - column) * (row + column))
    if gu is not None:
        inside = np.matmul(_t(u), gu)
        middle = (inside - _t(inside)) / gaps * row
        found = found + np.matmul(np.matmul(u, middle), vh)
        found = found + np.matmul((gu - np.matmul(u, inside)) / row, vh)
    if gvh is not None:
        inside = np.matmul(gvh, _t(vh))  # (V.T gV).T
        middle = column * (_t(inside) - inside) / gaps
        found = found + np.matmul(np.matmul(u, middle), vh)
        found = found + np.matmul(u, (gvh - np.matmul(inside, vh)) / column)
    return found


_svd = internal(lambda x: tuple(np.linalg.svd(x, full_matrices=False)), _svd_rule, name="svd")


@implements(np.linalg.svd)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """x = U diag(S) Vh with K = min(M, N): U (..., M, K), S (..., K) descending, Vh (..., K, N).

    The gradient of singular values is finite everywhere; that of U and Vh is defined where the singular values differ and, for
    matrices that are not square, are not 0.

    Raises:
        ValueError: for ``full_matrices=True`` of matrices that are not square, whose extra columns have no gradient.
    """
    x = matrix_of(x, "svd")
    if full_matrices and compute_uv and x.shape[-1] != x.shape[-2]:
        raise ValueError(f"svd: expected full_matrices=False for shape {x.shape}; the extra columns have no gradient")
    return SVDResult(*_svd(x)) if compute_uv else _svd(x)[1]


@implements(np.linalg.svdvals)
def svdvals(x: Any) -> Any:
    """The singular values, descending."""
    return svd(x, compute_uv=False)


# ------------------------------------------------------------------------------------------------ powers


@implements(np.linalg.matrix_power)
def matrix_power(x: Any, n: int) -> Any:
    """The n-th power: of 0 the identity (gradient 0), of a negative n that of the inverse."""
    x = matrix_of(x, "matrix_power", square=True)
    if not isinstance(n, int | np.integer):
        raise TypeError(f"matrix_power: expected a whole number, got {n!r}")
    if n == 0:
        return np.where(False, x, np.eye(x.shape[-1], dtype=x.dtype))
    base, n = (inv(x), -n) if n < 0 else (x, n)
    if n == 3:  # NumPy's order
        return np.matmul(np.matmul(base, base), base)
    result = None
    while n:
        if n % 2:
            result = base if result is None else np.matmul(result, base)
        n //= 2
        if n:
            base = np.matmul(base, base)
    return result
