"""Determinants. The derivative of det is the matrix of cofactors, a polynomial: it exists where the inverse does not.

In the formulas T is the transpose of the last two axes, and products are matrix products.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import Array
from autograd.declare import implements, internal
from autograd.ops.decompositions import matrix_of
from autograd.ops.gate import in_rules


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _per_matrix(x: Any) -> Any:
    return np.expand_dims(x, (-1, -2))


def _product_of_others(s: Array) -> Array:
    """For each element of the last axis the product of the others, without a division."""
    before, after = np.ones_like(s), np.ones_like(s)
    np.cumprod(s[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(s[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return before * after


def _factors(x: Array) -> tuple[Array, Array, Array, Array]:
    """det(U) det(Vh), U, S and Vh of finite matrices; nan for the others, on which LAPACK may give up."""
    finite = _per_matrix(np.isfinite(x).all(axis=(-1, -2)))
    u, s, vh = np.linalg.svd(np.where(finite, x, 0.0), full_matrices=False)
    orientation = _per_matrix(np.linalg.det(u) * np.linalg.det(vh))
    return np.where(finite, orientation, np.nan), u, s, vh


def _cofactors_kernel(x: Array) -> Array:
    """det(x) x**-T where that is accurate; else det(U) det(Vh) U diag(the product of the other singular values) Vh."""
    if x.size == 0:
        return np.zeros_like(x)
    try:
        inverse, determinant = np.linalg.inv(x), np.linalg.det(x)
    except np.linalg.LinAlgError:
        pass
    else:
        condition = np.abs(x).sum(axis=-1).max(axis=-1) * np.abs(inverse).sum(axis=-1).max(axis=-1)
        if np.all((condition < 1e-2 / np.finfo(x.dtype).eps) & (determinant != 0)):
            found: Array = _per_matrix(determinant) * _t(inverse)
            return found
    orientation, u, s, vh = _factors(x)
    return np.asarray(orientation * np.matmul(u * np.expand_dims(_product_of_others(s), -2), vh), x.dtype)


def _cofactors_derivative_kernel(x: Array, h: Array) -> Array:
    """The derivative of the cofactors of x along h: the second derivative of det, exact for matrices of any rank.

    Cofactors of Q x R are those of x between Q and R, for orthogonal Q and R (up to sign). So it is enough to know them at a
    diagonal matrix diag(s): along E, that of (i, i) changes by the sum of P_ij E_jj, and that of (i, j) by -P_ij E_ji, with
    P_ij the product of all s but s_i and s_j.
    """
    if x.size == 0:
        return np.zeros_like(x)
    orientation, u, s, vh = _factors(x)
    diagonal = np.eye(x.shape[-1], dtype=bool)
    products = np.where(diagonal, 0.0, _product_of_others(np.where(diagonal, 1.0, np.expand_dims(s, -2))))
    turned = np.matmul(np.matmul(_t(u), h), _t(vh))
    along = np.matmul(products, np.expand_dims(np.diagonal(turned, 0, -2, -1), -1))
    middle = np.where(diagonal, along, -_t(products * turned))
    return np.asarray(orientation * np.matmul(np.matmul(u, middle), vh), x.dtype)


def _third_derivative(g: Any, _y: Any, x: Any, h: Any) -> Any:
    """The gradient of <g, d(<h, B> B - B h.T B)> with d = det(x) and B = x**-T: for regular matrices only."""
    b, d = _t(np.linalg.inv(x)), _per_matrix(np.linalg.det(x))
    bg, bh = np.matmul(b, _t(g)), np.matmul(b, _t(h))
    c_g, c_h = np.matmul(bg, b), np.matmul(bh, b)
    g_b = np.sum(g * b, axis=(-2, -1), keepdims=True)
    h_b = np.sum(h * b, axis=(-2, -1), keepdims=True)
    g_c = np.sum(g * c_h, axis=(-2, -1), keepdims=True)
    return d * (b * (g_b * h_b - g_c) + np.matmul(bh, c_g) + np.matmul(bg, c_h) - h_b * c_g - g_b * c_h)


cofactors_derivative = internal(
    _cofactors_derivative_kernel,
    _third_derivative,
    lambda g, _y, x, _h: _derivative_of_cofactors(x, g),  # second derivatives are symmetric
    name="cofactors_derivative",
)
_derivative_of_cofactors: Any = in_rules(cofactors_derivative)

cofactors = internal(_cofactors_kernel, lambda g, _y, x: _derivative_of_cofactors(x, g), name="cofactors")
_cofactors_of = in_rules(cofactors)

_det = internal(np.linalg.det, lambda g, _y, x: _per_matrix(g) * _cofactors_of(x), name="det")


@implements(np.linalg.det)
def det(x: Any) -> Any:
    """The determinant; its derivative is the matrix of cofactors, for singular matrices too (0 x 0: 1).

    Derivatives of first and second order are exact at matrices of any rank; the third needs regular ones.
    """
    return _det(matrix_of(x, "det", square=True))


def _slogdet_rule(g: Any, y: Any, x: Any) -> Any:
    logarithm = g[1]
    if logarithm is None:
        return None
    singular = y[0] == 0
    if np.any(singular):  # nan there, and only there: an error would cost the gradients of the rest of a batch
        x = np.where(_per_matrix(singular), np.nan, x)
    return _per_matrix(logarithm) * _t(np.linalg.inv(x))


_slogdet = internal(lambda x: tuple(np.linalg.slogdet(x)), _slogdet_rule, name="slogdet")


@implements(np.linalg.slogdet)
def slogdet(x: Any) -> SlogdetResult:
    """The sign of the determinant (gradient 0) and the logarithm of its absolute value (gradient x**-T; nan if singular)."""
    return SlogdetResult(*_slogdet(matrix_of(x, "slogdet", square=True)))


def logdet(x: Any) -> Any:
    """The logarithm of the determinant: nan where it is negative, -inf where it is 0."""
    sign, logarithm = slogdet(x)
    return np.where(sign >= 0, logarithm, np.nan)
