"""Reductions in the conventions of NumPy's functions and of PyTorch's methods."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.logical_or, np.logical_and])
def test_the_reduce_of_a_ufunc_is_over_the_first_axis_as_in_numpy(ufunc):
    for arguments in ({}, {"axis": 1}, {"axis": None}, {"axis": (0, 1)}, {"keepdims": True}):
        got = ufunc.reduce(Tensor(X), **arguments)
        np.testing.assert_array_equal(getattr(got, "_data", got), ufunc.reduce(X, **arguments))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
def test_the_accumulate_of_a_ufunc_is_along_the_first_axis_as_in_numpy(ufunc):
    np.testing.assert_array_equal(ufunc.accumulate(Tensor(X))._data, ufunc.accumulate(X))
    np.testing.assert_array_equal(ufunc.accumulate(Tensor(X), axis=1)._data, ufunc.accumulate(X, axis=1))


def test_the_third_argument_of_numpy_is_a_dtype():
    x = Tensor(X, dtype=np.float32, requires_grad=True)
    for function in (np.sum, np.mean, np.prod, np.var, np.std, np.cumsum, np.cumprod):
        result = function(x, 0, np.float64)
        assert result.dtype == np.float64
        (gradient,) = ag.grad(result.sum(), x)
        assert gradient.dtype == np.float32
    for method in (x.sum, x.mean, x.prod, x.cumsum, x.cumprod, x.softmax, x.log_softmax):
        assert method(0, dtype=np.float64).dtype == np.float64


def test_what_numpy_reduces_otherwise_is_refused():
    with pytest.raises(TypeError, match="where"):
        np.sum(Tensor(X), where=X > 0)
    with pytest.raises(TypeError, match="initial"):
        np.max(Tensor(X), initial=0.0)
    with pytest.raises(TypeError, match="got a Tensor; use maximum"):
        np.max(Tensor(X), Tensor(X))


def test_axes_are_checked_where_there_is_no_gradient_too():
    for function in (ag.any, ag.all, ag.count_nonzero):
        with pytest.raises(np.exceptions.AxisError, match=f"{function.__name__}: expected an axis from -2 to 1"):
            function(Tensor(X), 2)


def test_norm_has_the_forms_of_numpy_and_of_pytorch():
    x = Tensor(X)
    for order in (None, "fro", 1, -1, math.inf, -math.inf):
        assert np.linalg.norm(x, order).item() == pytest.approx(np.linalg.norm(X, order), rel=1e-14)
    assert np.linalg.vector_norm(x, ord=1).item() == pytest.approx(np.abs(X).sum())
    assert np.linalg.matrix_norm(x, ord=1).item() == np.linalg.norm(X, 1)
    assert x.norm(1).item() == pytest.approx(np.abs(X).sum())
    assert x.norm("fro").item() == x.norm().item() == np.linalg.norm(X)
    assert x.norm(0).item() == 12
    assert x.norm(1, axis=(0, 1)).item() == np.linalg.norm(X, 1)
    with pytest.raises(ValueError, match="norm: expected one or two axes, got 3"):
        ag.norm(Tensor(np.ones((2, 2, 2))), 2)
    with pytest.raises(ValueError, match="norm: expected 'fro', 'nuc'"):
        ag.norm(x, 3)
    with pytest.raises(ValueError, match="norm: expected at least one element"):
        ag.norm(Tensor(np.ones(0)), -math.inf)


def test_norms_of_less_than_one_have_no_gradient_at_zero():
    x = Tensor([1.0, 0.0], requires_grad=True)
    ag.norm(x, 0.5).backward()
    assert x.grad.tolist() == [1, 0]


def test_norms_next_to_the_ends_of_the_range():
    for size in (1e-200, 1e-160, 1.0, 1e160, 1e300):
        x = Tensor(np.array([3.0, -4.0]) * size, requires_grad=True)
        for order, expected in ((2, 5.0), (3, 91 ** (1 / 3))):
            value = ag.norm(x, order)
            assert value.item() == pytest.approx(expected * size, rel=1e-14)
            (gradient,) = ag.grad(value, x)
            np.testing.assert_allclose(gradient._data, [3.0 / 5, -4.0 / 5] if order == 2 else np.array([9, -16]) / expected**2)


def test_float16_reduces_in_float32_along_any_axis():
    ones = Tensor(np.ones((4096, 2), np.float16))
    assert ag.sum(ones, axis=0).tolist() == [4096, 4096]
    assert ag.prod(Tensor([300.0, 300.0, 0.001], dtype=np.float16)).item() == pytest.approx(90, rel=1e-2)
    many = Tensor(np.ones(70_000, np.float16), requires_grad=True)
    ag.mean(many).backward()
    assert many.grad._data[0] == np.float16(1 / 70_000)


def test_partial_products_that_overflow_leave_no_nan():
    x = Tensor([1e30, 0.0, 1e30, 1e30], dtype=np.float32, requires_grad=True)
    ag.prod(x).backward()
    assert x.grad.tolist() == [0, math.inf, 0, 0]
    y = Tensor([1e200, 0.0, 1e200, 1e200], dtype=np.float64, requires_grad=True)
    ag.prod(y).backward()
    assert y.grad.tolist() == [0, math.inf, 0, 0]


def test_too_few_elements_for_the_correction():
    assert ag.var(Tensor([1.0, 2.0]), ddof=2).item() == math.inf
    assert math.isnan(ag.var(Tensor([1.0]), ddof=1).item())


def test_nan_left_out():
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    t = Tensor(x, requires_grad=True)
    assert ag.nansum(t, axis=1).tolist() == [4, 0]
    assert np.nanmax(t).item() == 3
    assert np.nanmin(t).item() == 1
    np.testing.assert_array_equal(np.nanmax(t, axis=1)._data, [3, np.nan])
    np.testing.assert_array_equal(ag.nanmean(t, axis=1)._data, [2, np.nan])
    (gradient,) = ag.grad(np.nanmax(t), t)
    assert gradient.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert ag.nansum(Tensor([1, 2])).dtype == np.int64


def test_infinite_logits_share_the_gradient_of_logsumexp():
    x = Tensor([math.inf, math.inf, 0.0], requires_grad=True)
    ag.logsumexp(x).backward()
    assert x.grad.tolist() == [0.5, 0.5, 0]


def test_reductions_of_which_the_shape_is_enough_save_nothing():
    x = Tensor(X, requires_grad=True)
    for result in (x.sum(), x.sum(0), x.mean(), x.mean(1), x.cumsum(0)):
        assert all(saved is None for saved in result.node.saved)


def test_the_greater_of_two_tensors():
    assert Tensor([1, 5]).max(Tensor([3, 2])).tolist() == [3, 5]
    assert Tensor([1.0, 5.0]).min(Tensor([3.0, 2.0])).tolist() == [1, 2]


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"masked_softmax: expected a mask that broadcasts to \(3, 4\), got shape \(3,\)"):
        ag.masked_softmax(Tensor(X), [True, False, True])
