"""Linear algebra at singular, repeated and empty places."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def leaf(values):
    return Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def gradient(f, values, g=None):
    x = leaf(values)
    f(x).backward(None if g is None else Tensor(g))
    return x.grad.numpy()


@pytest.mark.parametrize(
    ("matrix", "cofactors"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], np.diag([0.0, 0.0, 1.0])),
        ([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], np.zeros((3, 3))),
        ([[0.0]], [[1.0]]),
    ],
)
def test_hard_case_071_det_of_singular_matrices(matrix, cofactors):
    np.testing.assert_allclose(gradient(ag.linalg.det, matrix), cofactors, atol=1e-14)


def test_hard_case_071_det_of_large_singular_and_of_no_matrix():
    n = 30  # above the size for which minors are taken
    found = gradient(ag.linalg.det, np.diag([0.0] + [1.0] * (n - 1)))
    np.testing.assert_allclose(found, np.diag([1.0] + [0.0] * (n - 1)), atol=1e-12)
    x = leaf(np.zeros((0, 0)))
    y = ag.linalg.det(x)
    y.backward()
    assert y.item() == 1.0
    assert x.grad.shape == (0, 0)


@pytest.mark.parametrize("f", [ag.linalg.inv, lambda x: ag.linalg.solve(x, np.ones((2, 1))), ag.linalg.cholesky])
def test_hard_case_072_singular_matrices_raise(f):
    x = leaf([[1.0, 2.0], [2.0, 4.0]])
    y = x * 2.0
    with pytest.raises(np.linalg.LinAlgError):
        f(y * np.array([[1.0, 1.0], [1.0, 1.0]]) - np.array([[0.0, 0.0], [0.0, 1.0]]) * (f is ag.linalg.cholesky))
    y.sum().backward()  # the graph is still there
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 2), 2.0))


@pytest.mark.parametrize("f", [ag.linalg.cholesky, ag.linalg.eigvalsh])
def test_hard_case_072_the_lower_triangle_is_read_and_the_gradient_symmetric(f):
    full, lower = [[2.0, 1.0], [1.0, 3.0]], [[2.0, 9.0], [1.0, 3.0]]
    g = np.random.default_rng(0).normal(size=f(leaf(full)).shape)
    found = gradient(f, lower, g)
    np.testing.assert_array_equal(found, gradient(f, full, g))
    np.testing.assert_allclose(found, found.T, rtol=1e-14)


def test_hard_case_073_repeated_eigenvalues():
    np.testing.assert_array_equal(gradient(lambda x: ag.linalg.eigvalsh(x).sum(), np.eye(2)), np.eye(2))
    found = gradient(lambda x: ag.linalg.eigh(x).eigenvectors, np.eye(2), np.array([[1.0, 2.0], [3.0, 5.0]]))
    assert not np.isfinite(found[0, 1])  # not defined, and not silently a number


def test_hard_case_074_zero_matrices_and_powers():
    zero = np.zeros((2, 3))
    assert np.isfinite(gradient(lambda x: ag.linalg.svdvals(x).sum(), zero)).all()
    np.testing.assert_array_equal(gradient(lambda x: ag.linalg.pinv(x).sum(), zero), zero)
    x = [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_array_equal(gradient(lambda t: ag.linalg.matrix_power(t, 0).sum(), x), np.zeros((2, 2)))
    np.testing.assert_array_equal(
        gradient(lambda t: ag.linalg.matrix_power(t, -1).sum(), x), gradient(lambda t: ag.linalg.inv(t).sum(), x)
    )


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms_are_numpys(ord):
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(np.linalg.norm(Tensor(x), ord).numpy(), np.linalg.norm(x, ord), rtol=1e-13)


def test_chains_and_tensor_systems_are_numpys():
    rng = np.random.default_rng(0)
    chain = [rng.normal(size=shape) for shape in ((3,), (3, 5), (5, 2), (2, 4), (4,))]
    np.testing.assert_allclose(
        np.linalg.multi_dot([Tensor(chain[0]), *chain[1:]]).numpy(), np.linalg.multi_dot(chain), rtol=1e-12
    )
    a, b = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3))
    np.testing.assert_allclose(np.linalg.tensorinv(Tensor(a), 2).numpy(), np.linalg.tensorinv(a, 2), rtol=1e-10)
    np.testing.assert_allclose(np.linalg.tensorsolve(Tensor(a), b).numpy(), np.linalg.tensorsolve(a, b), rtol=1e-10)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"inv: expected square matrices, got shape \(2, 3\)"):
        ag.linalg.inv(ag.ones(2, 3))
    with pytest.raises(TypeError, match="det: expected float32 or float64, got float16"):
        ag.linalg.det(Tensor(np.eye(2, dtype=np.float16)))
    with pytest.raises(ValueError, match=r"svd: expected full_matrices=False for shape \(3, 2\)"):
        np.linalg.svd(ag.ones(3, 2))  # NumPy's default is the full one: never silently another shape


def with_singular_values(s, rng):
    q, _ = np.linalg.qr(rng.normal(size=(len(s), len(s))))
    r, _ = np.linalg.qr(rng.normal(size=(len(s), len(s))))
    return q * s @ r


def second_derivative(x, h):
    """The gradient of <h, gradient of det>."""
    x = leaf(x)
    (first,) = ag.grad([ag.linalg.det(x)], [x], create_graph=True)
    (second,) = ag.grad([(first * Tensor(h)).sum()], [x])
    return second.numpy()


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
@pytest.mark.parametrize("smallest", [0.0, 1e-13, 1e-6])
@pytest.mark.parametrize("n", [3, 4, 30])
def test_hard_case_071_second_derivatives_of_det_at_any_rank(n, smallest, zeros):
    rng = np.random.default_rng(0)
    s = np.ones(n)  # equal ones: the derivatives of U and Vh do not exist, that of the cofactors does
    s[:zeros] = smallest
    x, h = with_singular_values(s, rng), rng.normal(size=(n, n))

    def cofactors(at):  # of x + e h by high-order differences of a polynomial: of det along a direction
        return gradient(ag.linalg.det, at)

    e = 1e-3
    steps = [(-3, -1 / 60), (-2, 3 / 20), (-1, -3 / 4), (1, 3 / 4), (2, -3 / 20), (3, 1 / 60)]
    numeric = sum(weight * cofactors(x + k * e * h / n) for k, weight in steps) * n / e
    np.testing.assert_allclose(second_derivative(x, h), numeric, atol=1e-8)


def test_det_and_slogdet_leave_the_other_matrices_of_a_batch_alone():
    eye, ones, nan = np.eye(3), np.ones((3, 3)), np.full((3, 3), np.nan)
    found = gradient(lambda x: ag.linalg.det(x).sum(), np.stack([eye, ones, nan]))
    np.testing.assert_allclose(found[:2], [eye, np.zeros((3, 3))], atol=1e-14)
    assert np.isnan(found[2]).all()
    found = gradient(lambda x: ag.linalg.slogdet(x).logabsdet.sum(), np.stack([eye, ones]))
    np.testing.assert_allclose(found[0], eye, atol=1e-14)
    assert np.isnan(found[1]).all()


def test_det_that_underflows_has_a_gradient():
    np.testing.assert_allclose(gradient(ag.linalg.det, 1e-200 * np.eye(2)), 1e-200 * np.eye(2), rtol=1e-12, atol=0.0)
