"""Margins, against NumPy's, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

X = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)


@pytest.mark.parametrize(
    ("width", "options"),
    [
        (2, {}),
        (((0, 1), (2, 0)), {"constant_values": 7}),
        ((1, 2), {"constant_values": (3, 4)}),
        (9, {"mode": "wrap"}),
        (9, {"mode": "reflect"}),
        (9, {"mode": "symmetric"}),
        (((0, 0), (1, 3)), {"mode": "edge"}),
        (3, {"mode": "maximum"}),
        (3, {"mode": "minimum", "stat_length": 2}),
        (((1, 0), (0, 2)), {"mode": "mean", "stat_length": ((1, 2), (2, 1))}),
        (2, {"mode": "median"}),
        (((2, 3), (4, 1)), {"mode": "linear_ramp"}),
        (3, {"mode": "linear_ramp", "end_values": ((1, 2), (-3, 4))}),
    ],
)
def test_all_modes_against_numpy(width, options):
    rng = np.random.default_rng(0)
    for dtype, tolerance in ((np.float64, 1e-14), (np.float32, 1e-6), (np.int64, 0)):
        array = (rng.normal(size=(3, 4)) * 10).astype(dtype)
        padded = ag.pad(Tensor(array), width, **options)
        expected = np.pad(array, width, **options)
        assert padded.dtype == expected.dtype
        np.testing.assert_allclose(padded._data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.pad(X, ((1, 1),) * 3), ValueError, "pad: expected one width, a pair, or a pair for each of 2 axes"),
        (lambda: ag.pad(X, 1.5), TypeError, "pad: expected whole numbers as widths, got 1.5"),
        (lambda: ag.pad(X, -1), ValueError, "pad: expected widths >= 0, got -1"),
        (lambda: ag.pad(X, 1, "empty"), ValueError, "pad: expected mode constant, edge, .*, got 'empty'"),
        (lambda: ag.pad(X[:0], 1, "linear_ramp"), ValueError, r"pad: expected elements along axis 0 .*, got shape \(0, 3\)"),
        (
            lambda: ag.pad(X, 1, "mean", stat_length=0),
            ValueError,
            "pad: expected at least 1 element along axis 0 for a statistic",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
