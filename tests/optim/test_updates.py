"""The first steps of each optimizer, against values worked out by hand; EWMA."""

from __future__ import annotations

import numpy as np
import pytest

import nn
import optim
from optim import EWMA


def steps(make, gradients, start=1.0):
    """The values of one float64 parameter after each gradient."""
    p = nn.Parameter(np.array([start]))
    optimizer = make([p])
    values = []
    for g in gradients:
        optimizer.zero_grad()
        if g is not None:
            (p * g).sum().backward()
        optimizer.step()
        values.append(p.item())
    return values


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        ([1.0], [0.900000001]),
        ([1e-8], [0.95]),
        ([0.0], [1.0]),
        ([None], [1.0]),
        ([0.5, 0.5, 0.5], [0.900000002, 0.800000004, 0.700000006]),
    ],
)
def test_hard_case_148_adam(gradients, expected):
    np.testing.assert_allclose(steps(lambda p: optim.Adam(p, lr=0.1), gradients), expected, rtol=0, atol=1e-9)


def test_hard_case_149_weight_decay():
    assert steps(lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1), [0.0])[0] == pytest.approx(0.90000001, abs=1e-9)
    assert steps(lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.1), [0.0])[0] == pytest.approx(0.99, abs=1e-15)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"momentum": 0.9}, 0.71),
        ({"momentum": 0.9, "dampening": 0.5}, 0.76),
        ({"momentum": 0.9, "nesterov": True}, 0.539),
        ({}, 0.8),
        ({"maximize": True}, 1.2),
    ],
)
def test_hard_case_150_sgd(options, expected):
    assert steps(lambda p: optim.SGD(p, lr=0.1, **options), [1.0, 1.0])[1] == pytest.approx(expected, abs=1e-12)


def test_weight_decay_of_sgd_pulls_towards_zero():
    assert steps(lambda p: optim.SGD(p, lr=0.1, weight_decay=0.5), [0.0])[0] == pytest.approx(0.95)


def test_amsgrad_never_forgets_a_large_gradient():
    plain = steps(lambda p: optim.Adam(p, lr=0.1), [10.0] + [0.1] * 30)
    ams = steps(lambda p: optim.Adam(p, lr=0.1, amsgrad=True), [10.0] + [0.1] * 30)
    assert ams[-1] > plain[-1]


def test_ewma_is_the_weighted_sum_that_it_says():
    rng = np.random.default_rng(0)
    values, beta = rng.normal(size=(20, 3)), 0.8
    raw, corrected = EWMA(beta, bias_correction=False), EWMA(beta)
    for t in range(1, 21):
        weights = (1 - beta) * beta ** np.arange(t - 1, -1, -1)
        expected = np.tensordot(weights, values[:t], 1)
        np.testing.assert_allclose(raw.update(values[t - 1]), expected, rtol=1e-12)
        np.testing.assert_allclose(corrected.update(values[t - 1]), expected / weights.sum(), rtol=1e-12)
    assert EWMA(0.9).update(5.0) == pytest.approx(5.0)  # without the correction it would be 0.5
    whole = EWMA(0.5)
    whole.update(np.array([1, 2]))
    assert whole.update(np.array([4, 5])).tolist() == [3.0, 4.0]
    kept = EWMA(0.5, bias_correction=False)
    first = kept.update(np.ones(2))
    kept.update(np.zeros(2))
    assert first.tolist() == [0.5, 0.5]  # not a view of what goes on changing
    for beta in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"EWMA: expected beta in \[0, 1\)"):
            EWMA(beta)
    with pytest.raises(ValueError, match="at least one update"):
        _ = EWMA(0.5).value
