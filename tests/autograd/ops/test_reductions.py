"""Reductions, scans, order and softmax at their awkward points."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def leaf(values, dtype=np.float64) -> Tensor:
    return Tensor(values, dtype=dtype, requires_grad=True)


def gradient(output: Tensor, x: Tensor, seed=None) -> np.ndarray:
    (result,) = ag.grad(output, x, None if seed is None else [Tensor(np.asarray(seed, output.dtype))])
    return result._data


def test_hard_case_004_reductions_of_nothing():
    empty = leaf(np.zeros((0, 3)))
    assert ag.sum(empty).item() == 0
    assert ag.prod(empty).item() == 1
    assert math.isnan(ag.mean(empty).item())
    assert ag.sum(empty, axis=0).tolist() == [0, 0, 0]
    assert np.isnan(ag.var(empty, axis=0)._data).all()
    assert gradient(ag.sum(empty), empty).shape == (0, 3)
    for name in ("max", "min", "argmax", "argmin", "median"):
        with pytest.raises(ValueError, match=f"{name}: expected at least one element"):
            getattr(ag, name)(empty)


def test_hard_case_006_softmax_family_of_an_empty_axis():
    x = leaf(np.zeros((2, 0)))
    assert ag.logsumexp(x, axis=1).tolist() == [-math.inf, -math.inf]
    assert ag.softmax(x, axis=1).shape == (2, 0)
    assert gradient(ag.logsumexp(x, axis=1), x, [1.0, 2.0]).shape == (2, 0)


@pytest.mark.parametrize(
    ("axis", "message"), [(2, "from -2 to 1"), (-3, "from -2 to 1"), ((0, 0), "different axes"), (1.5, "whole")]
)
def test_hard_case_009_wrong_axes(axis, message):
    error = TypeError if axis == 1.5 else np.exceptions.AxisError
    for function in (ag.sum, ag.mean, ag.max, ag.var, ag.logsumexp):
        with pytest.raises(error, match=message):
            function(leaf(np.ones((2, 3))), axis)


def test_hard_case_023_norms_do_not_overflow_in_between():
    x = leaf([1e30, 1e30], np.float32)
    assert ag.norm(x).item() == pytest.approx(math.sqrt(2) * 1e30, rel=1e-6)
    np.testing.assert_allclose(gradient(ag.norm(x), x), [math.sqrt(0.5)] * 2, rtol=1e-6)
    tiny = leaf([1e-30, 1e-30], np.float32)
    assert ag.norm(tiny).item() == pytest.approx(math.sqrt(2) * 1e-30, rel=1e-6)


def test_hard_case_024_float16_accumulates_in_float32():
    assert ag.sum(Tensor(np.ones(70_000, np.float16))).item() == math.inf
    assert ag.mean(Tensor(np.ones(70_000, np.float16))).item() == 1.0
    assert ag.norm(Tensor([300.0, 300.0], dtype=np.float16)).item() == pytest.approx(424.25, abs=0.25)
    assert ag.var(Tensor(np.tile([0.0, 2.0], 40_000).astype(np.float16))).item() == 1.0
    zeros = Tensor(np.zeros(100_000, np.float16))
    assert ag.log_softmax(zeros)._data[0] == np.float16(-math.log(100_000))
    assert ag.logsumexp(zeros).item() == pytest.approx(11.51, abs=0.01)
    assert ag.softmax(zeros)._data[0] == np.float16(1e-5)


def test_hard_case_025_70_000_ties_in_float16():
    x = leaf(np.ones(70_000), np.float16)
    np.testing.assert_array_equal(gradient(ag.max(x), x), np.full(70_000, np.float16(1 / 70_000)))


def test_hard_case_026_running_sums_do_not_stop_growing():
    assert ag.cumsum(Tensor(np.ones(2**24 + 8, np.float32)), 0)._data[-1] == 16777224


def test_hard_case_039_ties_share_the_gradient_of_max():
    x = leaf([1.0, 3.0, 3.0, 2.0])
    assert gradient(ag.max(x), x).tolist() == [0, 0.5, 0.5, 0]
    assert gradient(x.max(), x).tolist() == [0, 0.5, 0.5, 0]
    assert gradient(ag.min(-x), x).tolist() == [0, -0.5, -0.5, 0]
    y = leaf([[1.0, 1.0], [0.0, 1.0]])
    assert gradient(ag.max(y, axis=(0, 1)), y).tolist() == [[1 / 3, 1 / 3], [0, 1 / 3]]
    assert gradient(ag.max(y, axis=0), y, [2.0, 4.0]).tolist() == [[2, 2], [0, 2]]


def test_hard_case_041_max_of_equal_operands():
    x = leaf([1.0, -2.0])
    assert gradient(ag.maximum(x, x), x, [1.0, 3.0]).tolist() == [1, 3]
    assert gradient(ag.max(ag.stack([x, x]), axis=0), x, [1.0, 3.0]).tolist() == [1, 3]


def test_hard_case_042_sort_with_ties_is_stable():
    x = leaf([2.0, 2.0, 1.0])
    assert gradient(ag.sort(x), x, [1.0, 2.0, 3.0]).tolist() == [2, 3, 1]
    y = leaf([[3.0, 1.0], [1.0, 1.0]])
    assert gradient(ag.sort(y, axis=0), y, [[1.0, 2.0], [3.0, 4.0]]).tolist() == [[3, 2], [1, 4]]
    values, indices = leaf([2.0, 2.0, 1.0]).sort(descending=True)
    assert values.tolist() == [2, 2, 1]
    assert indices.tolist() == [0, 1, 2]


def test_hard_case_043_the_median_of_an_even_number_is_the_mean_of_the_middles():
    x = leaf([4.0, 1.0, 3.0, 2.0])
    assert ag.median(x).item() == 2.5
    assert gradient(ag.median(x), x).tolist() == [0, 0, 0.5, 0.5]


def test_hard_case_056_norm_at_zero_has_gradient_zero_and_finite_second_derivatives():
    x = leaf([0.0, 0.0])
    (g,) = ag.grad(ag.norm(x), x, create_graph=True)
    assert g.tolist() == [0, 0]
    assert g.requires_grad
    (h,) = ag.grad(g.sum(), x)
    assert np.isfinite(h._data).all()


def test_hard_case_057_other_norms_at_their_kinks():
    x = leaf([2.0, -2.0, 1.0])
    assert gradient(ag.norm(x, math.inf), x).tolist() == [0.5, -0.5, 0]
    zero = leaf([0.0, 0.0])
    assert gradient(ag.norm(zero, 1), zero).tolist() == [0, 0]
    assert gradient(ag.norm(zero, 3), zero).tolist() == [0, 0]


def test_hard_case_058_std_of_equal_elements():
    x = leaf([3.0, 3.0, 3.0])
    assert ag.std(x).item() == 0
    assert gradient(ag.std(x), x).tolist() == [0, 0, 0]
    one = leaf([3.0])
    assert math.isnan(one.std().item())
    assert math.isnan(ag.var(one, ddof=1).item())


def test_hard_case_059_prod_with_zeros():
    x = leaf([0.0, 2.0, 3.0])
    assert gradient(ag.prod(x), x).tolist() == [6, 0, 0]
    two = leaf([0.0, 2.0, 0.0])
    assert gradient(ag.prod(two), two).tolist() == [0, 0, 0]
    rows = leaf([[0.0, 2.0], [3.0, 4.0]])
    assert gradient(ag.prod(rows, axis=1), rows, [1.0, 1.0]).tolist() == [[2, 0], [4, 3]]
    h = ag.hessian(lambda t: ag.prod(t))(leaf([0.0, 2.0, 0.0]).detach())
    np.testing.assert_array_equal(h._data, [[0, 0, 2], [0, 0, 0], [2, 0, 0]])


def test_hard_case_060_cumprod_through_zeros():
    x = leaf([2.0, 0.0, 3.0, 4.0])
    assert gradient(ag.cumprod(x, 0).sum(), x).tolist() == [1, 32, 0, 0]
    assert ag.gradgradcheck(lambda t: ag.cumprod(t, 0), x)


def test_hard_case_067_logsumexp_of_infinities():
    nothing = leaf([-math.inf, -math.inf])
    assert ag.logsumexp(nothing).item() == -math.inf
    assert gradient(ag.logsumexp(nothing), nothing).tolist() == [0, 0]
    assert ag.logsumexp(leaf([1.0, math.inf])).item() == math.inf
    part = leaf([0.0, -math.inf, 0.0])
    assert gradient(ag.logsumexp(part), part).tolist() == [0.5, 0, 0.5]


def test_hard_case_068_softmax_of_infinities():
    x = leaf([1e4, -1e4])
    assert ag.log_softmax(x).tolist() == [0, -2e4]
    assert ag.log_softmax(leaf([0.0, -1e4])).tolist() == [0, -1e4]
    part = leaf([0.0, -math.inf, 0.0])
    assert ag.softmax(part).tolist() == [0.5, 0, 0.5]
    assert gradient(ag.softmax(part), part, [1.0, 5.0, 0.0]).tolist() == [0.25, 0, -0.25]
    assert np.isnan(ag.softmax(leaf([-math.inf, -math.inf]))._data).all()
    masked = leaf([[1.0, np.nan], [2.0, 3.0]])
    y = ag.masked_softmax(masked, [[True, False], [False, False]])
    assert y.tolist() == [[1, 0], [0, 0]]
    assert gradient(y, masked, np.ones((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_hard_case_070_nan_propagates():
    x = leaf([1.0, np.nan, 3.0])
    assert math.isnan(ag.max(x).item())
    assert gradient(ag.max(x), x).tolist() == [0, 1, 0]
    assert gradient(ag.min(x), x).tolist() == [0, 1, 0]
    assert math.isnan(ag.sort(x)._data[-1])
    assert ag.argmax(x) == 1
    assert math.isnan(ag.median(x).item())


def test_methods_are_pytorchs_and_functions_numpys():
    x = leaf([[1.0, 5.0], [4.0, 2.0]])
    values, indices = x.max(1)
    assert values.tolist() == [5, 4]
    assert indices.tolist() == [1, 0]
    assert x.max(axis=1).tolist() == [5, 4]
    assert x.var().item() == pytest.approx(np.var(x._data, ddof=1))
    assert x.var(axis=0).tolist() == np.var(x._data, axis=0).tolist()
    assert ag.var(x).item() == pytest.approx(np.var(x._data))
    assert x.sum(dim=0, keepdim=True).shape == x.sum(axis=0, keepdims=True).shape == (1, 2)
    with pytest.raises(TypeError, match="expected dim or axis, got both"):
        x.sum(0, axis=1)
    assert np.sum(x, axis=0).tolist() == [5, 7]
    assert np.add.reduce(x, 0).tolist() == [5, 7]
    assert np.mean(x).item() == 3
    assert x.topk(1).values.tolist() == [[5], [4]]
    assert [t.item() for t in x.aminmax()] == [1, 5]
