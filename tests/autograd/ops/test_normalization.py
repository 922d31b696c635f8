"""Normalisation at the awkward points, its running statistics, and the fused rule against the composition."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.gradcheck import gradient_function, measure
from autograd.ops import _normalizing

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("block", [1 << 16, 7, 1])
@pytest.mark.parametrize("name", ["layer_norm", "group_norm", "batch_norm", "batch_norm about 0", "rms_norm"])
def test_fast_kernel_and_rule_equal_the_composition_in_blocks_of_any_size(monkeypatch, name, block):
    monkeypatch.setattr(_normalizing, "BLOCK", block)
    monkeypatch.setattr(_normalizing, "LARGE_BLOCK", block)
    x, w, b = RNG.normal(size=(5, 6, 4)) * 3 + 10, RNG.normal(size=6), RNG.normal(size=6)
    if name.endswith("about 0"):  # sums about 0 instead of about the mean
        x -= 9
    if name == "layer_norm":
        call = lambda x, w, b: ag.layer_norm(ag.swapaxes(x, 1, 2), 6, w, b)
    elif name == "rms_norm":
        call = lambda x, w, b: ag.rms_norm(ag.swapaxes(x, 1, 2), 6, w) + b
    elif name == "group_norm":
        call = lambda x, w, b: ag.group_norm(x, 3, w, b)
    else:
        call = lambda x, w, b: ag.batch_norm(x, None, None, w, b, True)
    g = RNG.normal(size=call(x, w, b).shape)
    found = []
    for create_graph in (False, True):
        leaves = [ag.tensor(value, requires_grad=True) for value in (x, w, b)]
        slopes = ag.grad(call(*leaves), leaves, grad_outputs=ag.tensor(g), create_graph=create_graph)
        found.append([slope.detach().numpy() for slope in slopes])
    for fast, composed in zip(*found, strict=True):
        np.testing.assert_allclose(fast, composed, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [lambda x, w, b: ag.layer_norm(x, 3, w, b), lambda x, w, b: ag.batch_norm(x, None, None, w, b, True)],
    ids=["layer_norm", "batch_norm"],
)
def test_hard_case_126_third_derivatives_agree_with_finite_differences(call):
    function, arguments = call, (RNG.normal(size=(4, 3)), RNG.normal(size=3), RNG.normal(size=3))
    for _ in range(2):
        function, arguments = gradient_function(function, arguments)
    worst = measure(function, arguments)
    assert worst.error < 1e-5, worst


def test_hard_case_136_one_value_per_channel_has_no_variance():
    for shape in ((1, 3), (1, 3, 1, 1)):
        with pytest.raises(ValueError, match="batch_norm: expected more than 1 value per channel when training, got shape"):
            ag.batch_norm(np.ones(shape), None, None, training=True)
    y = ag.batch_norm(np.full((1, 3), 2.0), np.ones(3), np.full(3, 4.0), eps=0.0)
    np.testing.assert_array_equal(y.numpy(), np.full((1, 3), 0.5))
    running = np.ones(3), np.ones(3)
    assert ag.batch_norm(np.ones((0, 3)), *running, training=True).shape == (0, 3)
    np.testing.assert_array_equal(running, np.ones((2, 3)))


def test_hard_case_137_zero_variance_and_running_statistics():
    x = ag.tensor(np.full((4, 2), 3.0), requires_grad=True)
    y = ag.batch_norm(x, None, None, training=True)
    (y * ag.tensor(RNG.normal(size=(4, 2)))).sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), np.zeros((4, 2)))
    x = ag.tensor(np.full((4, 2), 3.0), requires_grad=True)
    ag.batch_norm(x, None, None, training=True).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.zeros((4, 2)))
    mean, var = ag.zeros(1), ag.ones(1)
    y = ag.batch_norm(np.array([[0.0], [2.0]]), mean, var, training=True, momentum=0.1, eps=0.0)
    np.testing.assert_array_equal(y.numpy(), [[-1.0], [1.0]])  # the biased variance, 1
    np.testing.assert_allclose(var.numpy(), [0.9 * 1 + 0.1 * 2], rtol=1e-7)  # the unbiased one, 2
    np.testing.assert_allclose(mean.numpy(), [0.1], rtol=1e-7)
    ag.batch_norm(np.array([[0.0], [2.0]]), mean, var, training=True, momentum=1.0)  # a cumulative mean's first step
    np.testing.assert_allclose([mean.item(), var.item()], [1.0, 2.0], rtol=1e-6)


def test_running_statistics_that_were_used_and_then_moved_are_noticed():
    mean, var = ag.zeros(2), ag.ones(2)
    w = ag.tensor(np.ones(2), requires_grad=True)
    y = ag.batch_norm(np.ones((3, 2)), mean, var, w)
    ag.batch_norm(RNG.normal(size=(3, 2)), mean, var, training=True)
    y.sum().backward()  # the rates, which the gradient reads, are arrays of their own
    np.testing.assert_allclose(w.grad.numpy(), [3, 3], rtol=1e-4)


def test_hard_case_138_constant_rows():
    x = ag.tensor(np.full((2, 3), 7.0), requires_grad=True)
    bias = np.array([1.0, -2.0, 0.5])
    y = ag.layer_norm(x, 3, np.ones(3), bias)
    np.testing.assert_array_equal(y.detach().numpy(), np.tile(bias, (2, 1)))
    (y * ag.tensor([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.tile([-316.22777, 0, 316.22777], (2, 1)), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(ag.layer_norm(np.array([[5.0], [-3.0]]), 1).numpy(), np.zeros((2, 1)))


def test_half_precision_is_averaged_in_single():
    x = np.full((1, 4096), 100.0, np.float16)
    x[0, ::2] = 300.0
    y = ag.layer_norm(x, 4096)
    assert y.dtype == np.float16
    np.testing.assert_allclose(np.abs(y.numpy()), 1.0, rtol=1e-3)


def test_large_means_cost_no_accuracy():
    x = RNG.normal(size=(3, 50)) + 1e6
    np.testing.assert_allclose(
        ag.layer_norm(x, 50, eps=0.0).numpy(), (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), rtol=1e-8, atol=1e-9
    )


def test_refusals_name_what_is_wrong():
    x = np.ones((2, 4))
    with pytest.raises(ValueError, match=r"layer_norm: expected an input whose last axes are \(3,\), got shape \(2, 4\)"):
        ag.layer_norm(x, 3)
    with pytest.raises(ValueError, match=r"layer_norm: expected a weight of shape \(4,\), got \(2,\)"):
        ag.layer_norm(x, 4, np.ones(2))
    with pytest.raises(ValueError, match="layer_norm: expected eps of at least 0, got -1"):
        ag.layer_norm(x, 4, eps=-1.0)
    with pytest.raises(ValueError, match="group_norm: expected num_groups to divide 4 channels, got 3"):
        ag.group_norm(x, 3)
    with pytest.raises(ValueError, match=r"batch_norm: expected a running_mean of shape \(4,\), got \(3,\)"):
        ag.batch_norm(x, np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="batch_norm: expected both running_mean and running_var"):
        ag.batch_norm(x, np.ones(4))
    with pytest.raises(ValueError, match=r"batch_norm: expected an input \(N, C, ...\), got shape \(2,\)"):
        ag.batch_norm(np.ones(2))
    with pytest.raises(TypeError, match="rms_norm: expected a floating dtype, got int64"):
        ag.rms_norm(np.ones((2, 4), np.int64), 4)
