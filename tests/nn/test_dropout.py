"""Dropouts: how much is dropped, what is kept, evaluation, special probabilities."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from nn import functional as F

LAYERS = [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout]
SHAPES = {nn.Dropout1d: (40, 50, 3), nn.Dropout2d: (40, 50, 2, 2)}


@pytest.mark.parametrize("kind", LAYERS)
def test_hard_case_141_special_probabilities(kind):
    x = ag.tensor(np.random.default_rng(0).normal(size=SHAPES.get(kind, (40, 50))), requires_grad=True)
    np.testing.assert_array_equal(kind(0.0)(x).detach(), x.detach())
    np.testing.assert_array_equal(kind(0.5).eval()(x).detach(), x.detach())
    y = kind(1.0)(x)
    assert not y.detach().numpy().any()
    y.sum().backward()
    assert not x.grad.numpy().any()
    for p in (1.5, -0.1, "half"):
        with pytest.raises(ValueError, match=f"{kind.__name__}: expected p between 0 and 1, got {p!r}"):
            kind(p)
    infinite = ag.full(SHAPES.get(kind, (40, 50)), np.inf)
    assert not np.isnan(kind(0.5)(infinite).numpy()).any()


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout1d, nn.Dropout2d])
def test_what_is_kept_is_scaled_and_channels_go_as_a_whole(kind):
    layer = kind(0.25, generator=ag.Generator(3))
    x = ag.ones(SHAPES.get(kind, (40, 50))).requires_grad_()
    y = layer(x)
    values = y.detach().numpy()
    assert set(np.unique(values)) == {0.0, np.float32(1 / 0.75)}
    assert (values == 0).mean() == pytest.approx(0.25, abs=0.04)
    if kind is not nn.Dropout:
        channels = values.reshape(40, 50, -1)
        np.testing.assert_array_equal(channels, channels[..., :1].repeat(channels.shape[-1], -1))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, values)
    assert repr(layer) == f"{kind.__name__}(p=0.25, inplace=False)"


def test_alpha_dropout_keeps_mean_and_variance():
    x = ag.tensor(np.random.default_rng(0).normal(size=200_000))
    y = F.alpha_dropout(x, 0.3, training=True, generator=ag.Generator(0)).numpy()
    assert y.mean() == pytest.approx(0.0, abs=0.01)
    assert y.var() == pytest.approx(1.0, abs=0.01)
    values, counts = np.unique(y, return_counts=True)
    assert counts.max() / y.size == pytest.approx(0.3, abs=0.01)
    limit, a = 1.7580993408473766, (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5
    assert values[counts.argmax()] == pytest.approx(-limit * a + a * 0.3 * limit, rel=1e-12)


def test_three_axes_are_a_batch_of_signals():
    for layer in (nn.Dropout1d(0.5), nn.Dropout2d(0.5)):
        kept = layer(ag.ones(20, 30, 4)).numpy() != 0
        assert (kept.all(2) | ~kept.any(2)).all()
        assert kept[:, :, 0].any(1).all()  # some channels of every sample
    kept = nn.Dropout1d(0.5)(ag.ones(200, 4)).numpy() != 0
    assert (kept.all(1) | ~kept.any(1)).all()


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"dropout2d: expected an input \(N, C, H, W\) or \(N, C, L\), got shape \(3, 4\)"):
        nn.Dropout2d()(ag.zeros(3, 4))
    with pytest.raises(ValueError, match=r"dropout1d: expected an input \(N, C, L\) or \(C, L\), got shape \(3,\)"):
        nn.Dropout1d()(ag.zeros(3))
