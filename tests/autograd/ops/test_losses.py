"""Losses at ignored, impossible, infinite and weighted classes, and the fused rule against its composition."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd.gradcheck import gradient_function, measure
from autograd.ops import _rows

RNG = np.random.default_rng(0)
X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])


dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])


def loss_and_slope(logits, target, dtype=np.float64, **options):
    x = ag.tensor(np.asarray(logits, dtype), requires_grad=True)
    loss = ag.cross_entropy(x, target, **options)
    loss.sum().backward()
    assert loss.dtype == x.grad.dtype == dtype
    return loss.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("block", [1 << 16, 1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("weight", [None, [0.5, 0.0, 2.0, 1.0]])
def test_fast_kernel_and_rule_equal_the_composition(monkeypatch, block, reduction, smoothing, weight):
    monkeypatch.setattr(_rows, "BLOCK", block)
    logits, target = RNG.normal(size=(6, 4)), np.array([0, 3, -100, 2, 1, 2])
    found = []
    for create_graph in (False, True):
        x = ag.tensor(logits, requires_grad=True)
        loss = ag.cross_entropy(x, target, weight=weight, reduction=reduction, label_smoothing=smoothing)
        g = ag.tensor(np.random.default_rng(1).normal(size=loss.shape))
        (slope,) = ag.grad(loss, [x], grad_outputs=g, create_graph=create_graph)
        found.append(slope.detach().numpy())
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-14)


def test_hard_case_126_third_derivative_agrees_with_finite_differences():
    function, arguments = lambda x: ag.cross_entropy(x, [2, 0], label_smoothing=0.1), (RNG.normal(size=(2, 3)),)
    for _ in range(2):
        function, arguments = gradient_function(function, arguments)
    worst = measure(function, arguments)
    assert worst.error < 1e-5, worst


@pytest.mark.parametrize("target", [[3, 0], [-1, 0], [-3, 1]])
def test_hard_case_128_a_class_that_does_not_exist(target):
    for loss in (ag.cross_entropy, ag.nll_loss):
        with pytest.raises(IndexError, match=rf"Target {target[0]} is out of bounds for 3 classes"):
            loss(X, target)


@dtypes
def test_hard_case_129_ignored_rows(dtype):
    one, _ = loss_and_slope(X[1:], [1], dtype=dtype)
    for index in (-100, 7):
        loss, slope = loss_and_slope(X, [index, 1], ignore_index=index, dtype=dtype)
        np.testing.assert_allclose(loss, one)
        np.testing.assert_array_equal(slope[0], np.zeros(3))
        loss, slope = loss_and_slope(X, [index, index], ignore_index=index, dtype=dtype)
        assert np.isnan(loss)
        np.testing.assert_array_equal(slope, np.zeros((2, 3)))
        loss, slope = loss_and_slope(X, [index, index], ignore_index=index, reduction="sum", dtype=dtype)
        assert loss == 0
        np.testing.assert_array_equal(slope, np.zeros((2, 3)))
        loss, _ = loss_and_slope(X, [index, 1], ignore_index=index, reduction="none", dtype=dtype)
        assert loss[0] == 0


def test_an_ignored_row_may_hold_nan():
    loss, slope = loss_and_slope([[math.nan, 1.0, 2.0], [0.0, 1.0, 0.0]], [-100, 1])
    assert np.isfinite(loss)
    np.testing.assert_array_equal(slope[0], np.zeros(3))


@dtypes
def test_hard_case_130_label_smoothing(dtype):
    loss, _ = loss_and_slope(X[:1], [2], label_smoothing=0.1, dtype=dtype)
    np.testing.assert_allclose(loss, 0.507606, atol=1e-6 if dtype != np.float16 else 5e-4)
    with_ignored, _ = loss_and_slope(X, [2, -100], label_smoothing=0.1, dtype=dtype)
    np.testing.assert_allclose(with_ignored, loss, rtol=1e-7)
    for smoothing in (-0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match="cross_entropy: expected label_smoothing between 0 and 1, got"):
            ag.cross_entropy(X, [0, 1], label_smoothing=smoothing)


@dtypes
def test_hard_case_131_extreme_logits(dtype):
    loss, slope = loss_and_slope([[1e4, 0.0, -1e4]], [2], dtype=dtype)
    assert loss == 20000
    np.testing.assert_array_equal(slope, [[1, 0, -1]])
    loss, slope = loss_and_slope([[1.0, -math.inf, 2.0]], [0], dtype=dtype)
    rounding = {"rtol": 1e-6 if dtype != np.float16 else 5e-4}
    np.testing.assert_allclose(loss, math.log(1 + math.e), **rounding)
    np.testing.assert_allclose(slope, [[-0.7310586, 0, 0.7310586]], **rounding)
    loss, slope = loss_and_slope([[1.0, -math.inf, 2.0]], [1], dtype=dtype)
    assert loss == math.inf
    np.testing.assert_allclose(slope, [[0.2689414, -1, 0.7310586]], **rounding)


def test_hard_case_132_weights_targets_and_shapes():
    assert np.isnan(ag.cross_entropy(X, [2, 1], weight=[0.0, 0.0, 0.0]).item())
    with pytest.raises(TypeError, match=r"cross_entropy: expected integer classes, or probabilities of shape \(2, 3\)"):
        ag.cross_entropy(X, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"cross_entropy: expected a target of shape \(2,\) .* got \(3,\)"):
        ag.cross_entropy(X, [0, 1, 2])
    with pytest.raises(ValueError, match=r"cross_entropy: expected a weight for each of 3 classes, got shape \(2,\)"):
        ag.cross_entropy(X, [0, 1], weight=[1.0, 2.0])
    assert np.isnan(ag.cross_entropy(np.zeros((0, 3)), np.zeros(0, np.int64)).item())
    probabilities = np.eye(3)[[2, 1]]
    with pytest.raises(ValueError, match="cross_entropy: expected ignore_index only with classes as targets, got 1"):
        ag.cross_entropy(X, probabilities, ignore_index=1)
    np.testing.assert_allclose(ag.cross_entropy(X, probabilities).item(), ag.cross_entropy(X, [2, 1]).item())
    images = RNG.normal(size=(2, 3, 4))
    target = RNG.integers(0, 3, (2, 4))
    each = ag.cross_entropy(images, target, reduction="none").numpy()
    assert each.shape == (2, 4)
    flat = ag.cross_entropy(np.moveaxis(images, 1, 2).reshape(8, 3), target.reshape(8), reduction="none").numpy()
    np.testing.assert_allclose(each.reshape(8), flat)


@dtypes
def test_hard_case_133_binary_cross_entropy_of_extreme_logits(dtype):
    x = ag.tensor([1e4, -1e4, 1e4, -1e4], requires_grad=True, dtype=dtype)
    loss = ag.binary_cross_entropy_with_logits(x, [1.0, 0.0, 0.0, 1.0], reduction="none")
    np.testing.assert_array_equal(loss.detach().numpy(), [0, 0, 1e4, 1e4])
    loss.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0, 1, -1])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_hard_case_133_a_small_loss_has_all_its_digits(dtype, tolerance):
    x = ag.tensor(np.array([-30, -15, 15, 30], dtype), requires_grad=True)
    loss = ag.binary_cross_entropy_with_logits(x, np.array([0, 0, 1, 1]), reduction="none", pos_weight=[1.0, 1.0, 2.0, 2.0])
    small = np.exp([-30.0, -15.0])
    np.testing.assert_allclose(loss.detach(), [*np.log1p(small), *2 * np.log1p(small[::-1])], rtol=tolerance)
    loss.sum().backward()
    slope = small / (1 + small)
    np.testing.assert_allclose(x.grad, [*slope, *-2 * slope[::-1]], rtol=tolerance)


def test_whole_numbers_and_booleans_as_targets_leave_the_dtype_alone():
    x = np.float32([0.5, -1])
    for target in ([1, 0], [True, False], np.uint8([1, 0])):
        loss = ag.binary_cross_entropy_with_logits(x, target)
        assert loss.dtype == np.float32
        np.testing.assert_allclose(loss.item(), (np.log1p(np.exp(-0.5)) + np.log1p(np.exp(-1))) / 2, rtol=1e-6)
    with pytest.raises(TypeError, match="binary_cross_entropy_with_logits: expected a floating input, got int64; convert with"):
        ag.binary_cross_entropy_with_logits([1, 2], [1, 0])


@pytest.mark.parametrize("loss", [ag.cross_entropy, lambda x, t: ag.nll_loss(ag.log_softmax(x, 1), t)])
def test_half_precision_is_summed_in_single(loss):
    x = ag.tensor(np.zeros((40_000, 10), np.float16), requires_grad=True)
    y = loss(x, np.zeros(40_000, np.int64))  # the sum of the rows, 92,103, is beyond float16
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.item(), math.log(10), rtol=1e-3)
    y.backward()
    np.testing.assert_allclose(x.grad.numpy()[:, 0], -0.9 / 40_000, rtol=2e-2)


def test_refusals_name_what_is_wrong():
    with pytest.raises(ValueError, match="cross_entropy: expected reduction 'mean', 'sum' or 'none', got 'all'"):
        ag.cross_entropy(X, [0, 1], reduction="all")
    with pytest.raises(ValueError, match=r"with_logits: expected a target of the input's shape \(2, 3\), got \(3,\)"):
        ag.binary_cross_entropy_with_logits(X, np.zeros(3))
    with pytest.raises(TypeError, match="nll_loss: expected class indices as integers, got float64"):
        ag.nll_loss(X, np.zeros(2))


@pytest.mark.parametrize("size", [0.0, 5.0, 15.0, 39.0, 60.0, 95.0, 1e4])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_small_losses_of_large_logits_keep_their_digits(size, sign):
    """In single precision, whether the exponentials are shifted or not, and whether the target's is 0 or not."""
    logits = np.float32([[size, 0.0], [size + 7.0, size], [0.0, size], [sign * size, sign * size + 1.0]])
    for target in (0, 1):
        classes = np.full(4, target)
        exact = ag.cross_entropy(ag.Tensor(logits.astype(np.float64)), classes, reduction="none").numpy()
        single = ag.cross_entropy(ag.Tensor(logits), classes, reduction="none").numpy()
        np.testing.assert_allclose(single, exact, rtol=3e-7, atol=1.3e-7)
        reference = np.logaddexp(*logits.astype(np.float64).T) - logits[:, target]
        np.testing.assert_allclose(exact, reference, rtol=1e-12, atol=1e-11)
