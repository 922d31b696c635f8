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
