"""Products of matrices at their awkward points."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def leaf(values):
    return Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def test_hard_case_005_empty_inner_dimension():
    x, y = leaf(np.zeros((2, 0))), leaf(np.zeros((0, 3)))
    z = x @ y
    np.testing.assert_array_equal(z.detach().numpy(), np.zeros((2, 3)))
    z.backward(Tensor(np.random.default_rng(0).normal(size=(2, 3))))
    assert (x.grad.shape, y.grad.shape) == ((2, 0), (0, 3))


def test_hard_case_010_matmul_of_scalars():
    for pair in ((leaf(2.0), leaf([[1.0]])), (leaf([1.0]), leaf(3.0))):
        with pytest.raises(ValueError, match="matmul: expected operands with at least 1 axis"):
            ag.matmul(*pair)
    with pytest.raises(ValueError, match=r"matmul: inner dimensions must agree, got \(3, 4\) @ \(5, 2\)"):
        ag.matmul(ag.ones(3, 4), ag.ones(5, 2))


def test_hard_case_092_the_same_tensor_twice():
    x = leaf([1.0, 2.0])
    (x @ x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])
    a = leaf([[1.0, 2.0], [3.0, 4.0]])
    (a @ a).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), [[7.0, 11.0], [9.0, 13.0]])
    x = leaf([1.0, 2.0])
    (x @ Tensor(a._data) @ x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), (a._data + a._data.T) @ [1.0, 2.0])
    for f, expected in ((lambda t: t * t, [2.0, 4.0]), (lambda t: t - t, [0.0, 0.0]), (lambda t: t / t, [0.0, 0.0])):
        x = leaf([1.0, 2.0])
        f(x).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), expected)


def test_the_bias_gradient_of_halves_is_summed_in_single_precision():
    half = np.float16
    bias = Tensor(np.zeros(3, half), requires_grad=True)
    y = ag.linear(Tensor(np.ones((4096, 2), half)), Tensor(np.ones((3, 2), half)), bias)
    y.backward(Tensor(np.ones((4096, 3), half)))
    np.testing.assert_array_equal(bias.grad.numpy(), np.full(3, 4096.0))  # 2048 + 1 is 2048 in float16


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda a, b: np.cross(a, b, axisa=0, axisb=1, axisc=0), ((3, 4), (4, 3))),
        (lambda a, b: np.cross(a, b, axis=0), ((3, 4), (3, 4))),
        (lambda a, b: np.tensordot(a, b, np.int64(1)), ((3, 4), (4, 5))),
        (lambda x: np.vander(x), ((5,),)),
        (lambda x: np.vander(x, 3, increasing=True), ((5,),)),
        (lambda x: np.linalg.cholesky(x @ x.mT, upper=True), ((3, 3),)),
        (lambda x: np.linalg.pinv(x, rtol=1e-3), ((4, 3),)),
        (lambda x: np.linalg.pinv(x + x.mT, hermitian=True), ((3, 3),)),
        *([(np.matvec, ((2, 3, 4), (4,))), (np.vecmat, ((3,), (2, 3, 4)))] if hasattr(np, "matvec") else []),
    ],
)
def test_numpys_signatures(f, shapes):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in shapes]
    leaves = tuple(leaf(value) for value in values)
    np.testing.assert_allclose(f(*leaves).detach().numpy(), f(*values), rtol=1e-12, atol=1e-14)
    assert ag.gradcheck(f, leaves)
    assert ag.gradgradcheck(f, leaves)


def test_nothing_of_an_argument_times_zero_comes_through():
    x, a = leaf([[np.nan, np.inf]]), leaf([[2.0]])
    y = ag.addmm(x, a, Tensor(np.array([[3.0, 4.0]])), beta=0)
    np.testing.assert_array_equal(y.detach().numpy(), [[6.0, 8.0]])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0.0, 0.0]])
    np.testing.assert_array_equal(a.grad.numpy(), [[7.0]])


def test_svd_as_a_method_gives_v():
    x = Tensor(np.random.default_rng(0).normal(size=(4, 3)))
    u, s, v = x.svd()
    np.testing.assert_allclose((u * s @ v.mT).numpy(), x.numpy(), atol=1e-14)
