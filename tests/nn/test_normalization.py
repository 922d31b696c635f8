"""Normalisation layers: running statistics, evaluation, wrong shapes; and how they keep gradients alive."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_hard_case_136_one_value_per_channel():
    for layer, shape in ((nn.BatchNorm1d(3), (1, 3)), (nn.BatchNorm1d(3), (1, 3, 1)), (nn.BatchNorm2d(3), (1, 3, 1, 1))):
        with pytest.raises(ValueError, match="expected more than 1 value per channel when training, got shape"):
            layer(ag.zeros(shape))
        assert layer.num_batches_tracked.item() == 0
        assert layer.eval()(ag.zeros(shape)).shape == shape
    assert nn.BatchNorm1d(3)(ag.zeros(0, 3)).shape == (0, 3)
    with pytest.raises(ValueError, match="instance_norm: expected more than 1 value per channel"):
        nn.InstanceNorm2d(3)(ag.zeros(2, 3, 1, 1))


def test_hard_case_137_running_statistics():
    layer = nn.BatchNorm1d(1)
    y = layer(ag.tensor([[0.0], [2.0]]))
    np.testing.assert_allclose(y.detach(), [[-1.0], [1.0]], rtol=1e-5)  # by the biased variance
    assert layer.running_mean.item() == pytest.approx(0.1)
    assert layer.running_var.item() == pytest.approx(1.1)  # by the unbiased one
    assert layer.num_batches_tracked.item() == 1
    np.testing.assert_allclose(layer.eval()(ag.tensor([[1.0]])).item(), 0.9 / np.sqrt(1.1 + 1e-5), rtol=1e-6)
    layer.reset_running_stats()
    assert (layer.running_mean.item(), layer.running_var.item(), layer.num_batches_tracked.item()) == (0.0, 1.0, 0)

    cumulative = nn.BatchNorm1d(1, momentum=None, dtype=np.float64)
    batches = np.random.default_rng(0).normal(size=(5, 7, 1))
    for batch in batches:
        cumulative(ag.tensor(batch))
    assert cumulative.running_mean.item() == pytest.approx(batches.mean(axis=1).mean(), rel=1e-12)
    assert cumulative.running_var.item() == pytest.approx(batches.var(axis=1, ddof=1).mean(), rel=1e-12)

    flat = nn.BatchNorm1d(1)
    x = ag.full((4, 1), 3.0).requires_grad_()
    y = flat(x)
    y.backward(ag.randn(4, 1))
    assert y.detach().numpy().tolist() == [[0.0]] * 4  # no variance: the bias
    assert np.isfinite(x.grad.numpy()).all()


def test_wrong_inputs():
    for layer, shape, message in (
        (nn.BatchNorm1d(3), (2, 4), r"BatchNorm1d: expected 3 channels, got shape \(2, 4\)"),
        (nn.BatchNorm1d(3), (3,), r"BatchNorm1d: expected an input \(N, C\) or \(N, C, L\), got shape \(3,\)"),
        (nn.BatchNorm2d(3), (2, 3, 4), r"BatchNorm2d: expected an input \(N, C, H, W\), got shape \(2, 3, 4\)"),
        (nn.InstanceNorm1d(3), (2, 4, 5), r"InstanceNorm1d: expected 3 channels"),
        (nn.InstanceNorm2d(3), (3, 5), r"InstanceNorm2d: expected an input \(N, C, H, W\) or \(C, H, W\), got shape \(3, 5\)"),
        (nn.LayerNorm(3), (2, 4), r"layer_norm: expected an input whose last axes are \(3,\), got shape \(2, 4\)"),
        (nn.RMSNorm((2, 3)), (2, 4), r"rms_norm: expected an input whose last axes are \(2, 3\), got shape \(2, 4\)"),
        (nn.GroupNorm(2, 4), (2, 6), r"group_norm: expected a weight of shape \(6,\), got \(4,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            layer(ag.zeros(shape))
    with pytest.raises(ValueError, match="GroupNorm: expected num_groups to divide 6 channels, got 4"):
        nn.GroupNorm(4, 6)
    with pytest.raises(ValueError, match="LayerNorm: expected normalized_shape to be a whole number >= 0, got 1.5"):
        nn.LayerNorm(1.5)


LAYERS = [
    (nn.BatchNorm1d(3, dtype=np.float64), (5, 3)),
    (nn.BatchNorm1d(3, dtype=np.float64).eval(), (5, 3)),
    (nn.LayerNorm((2, 3), dtype=np.float64), (4, 2, 3)),
    (nn.GroupNorm(2, 4, dtype=np.float64), (3, 4, 2)),
    (nn.InstanceNorm1d(2, affine=True, dtype=np.float64), (3, 2, 4)),
    (nn.RMSNorm(3, dtype=np.float64), (4, 3)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=str)
def test_first_and_second_derivatives(layer, shape):
    rng = np.random.default_rng(0)
    for p in layer.parameters():
        nn.init.uniform_(p, 0.5, 1.5)
    x = ag.tensor(rng.normal(size=shape))
    assert ag.gradcheck(layer, x)
    assert ag.gradgradcheck(layer, x)


def test_evaluation_does_not_depend_on_the_batch():
    layer = nn.BatchNorm2d(2)
    for _ in range(3):
        layer(ag.randn(4, 2, 3, 3))
    layer.eval()
    x = ag.randn(5, 2, 3, 3)
    whole = layer(x).detach().numpy()
    np.testing.assert_array_equal(layer(x[1:2]).detach(), whole[1:2])
    assert layer.num_batches_tracked.item() == 3


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.InstanceNorm1d])
def test_running_statistics_of_half_precision_are_computed_in_more(kind):
    layer = kind(2, momentum=1.0, track_running_stats=True).half()
    x = (np.random.default_rng(0).normal(size=(3, 2, 100)) * 100 + 3000).astype(np.float16)  # sums are beyond float16
    layer(ag.tensor(x))
    wide = x.astype(np.float64)
    axes = (0, 2) if kind is nn.BatchNorm1d else 2
    np.testing.assert_allclose(layer.running_mean, wide.mean(axes).reshape(-1, 2).mean(0), rtol=1e-3)
    np.testing.assert_allclose(layer.running_var, wide.var(axes, ddof=1).reshape(-1, 2).mean(0), rtol=1e-3)
