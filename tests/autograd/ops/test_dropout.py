"""Dropout."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag


def test_hard_case_141_probabilities_at_and_beyond_the_ends():
    x = ag.tensor([1.0, 2.0, math.inf], requires_grad=True)
    assert ag.dropout(x, 0.0) is x
    assert ag.dropout(x, 0.5, training=False) is x
    y = ag.dropout(x, 1.0)
    np.testing.assert_array_equal(y.detach().numpy(), np.zeros(3))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.zeros(3))
    for p in (1.1, -0.1, math.nan):
        with pytest.raises(ValueError, match="dropout: expected p between 0 and 1, got"):
            ag.dropout(x, p)
    with pytest.raises(TypeError, match="dropout: expected a floating dtype, got int64"):
        ag.dropout(np.ones(3, np.int64), 0.5)


def test_hard_case_141_infinity_and_nan_are_dropped_without_a_trace():
    x = ag.tensor(np.tile([math.inf, math.nan, 1.0], 1000), requires_grad=True)
    y = ag.dropout(x, 0.5, generator=ag.Generator(0))
    kept = y.detach().numpy() != 0
    assert 1000 < np.count_nonzero(kept) < 2000
    np.testing.assert_array_equal(y.detach().numpy()[kept], (x.detach().numpy() * 2)[kept])
    y.backward(np.full(3000, math.inf, np.float32).astype(y.dtype))
    np.testing.assert_array_equal(x.grad.numpy(), np.where(kept, math.inf, 0.0))


def test_the_mean_is_kept_and_the_generator_decides():
    x = np.ones(100_000)
    y = ag.dropout(x, 0.3, generator=ag.Generator(1)).numpy()
    assert abs(y.mean() - 1.0) < 0.01
    assert abs(np.mean(y == 0) - 0.3) < 0.01
    np.testing.assert_array_equal(y, ag.dropout(x, 0.3, generator=ag.Generator(1)).numpy())
    ag.manual_seed(3)
    first = ag.dropout(x, 0.3).numpy()
    assert not np.array_equal(first, ag.dropout(x, 0.3).numpy())
    ag.manual_seed(3)
    np.testing.assert_array_equal(first, ag.dropout(x, 0.3).numpy())
