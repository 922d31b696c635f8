"""Special functions against mpmath, and at their awkward points."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.ops import special

INF, NAN = math.inf, math.nan


def log_gamma(x: Any) -> Any:
    return mpmath.log(abs(mpmath.gamma(x))) if abs(x) < 1000 else mpmath.loggamma(x)


def worst(function: Any, reference: Any, points: Any) -> float:
    """The greatest relative error over the points."""
    values = function(Tensor(points)).numpy()
    with mpmath.workdps(40):
        pairs = [(mpmath.mpf(float(y)), reference(mpmath.mpf(float(x)))) for x, y in zip(points, values, strict=True)]
        return max(float(abs(y - exact) / abs(exact)) for y, exact in pairs)


def near(center: float, rng: np.random.Generator) -> Any:
    return center + 10.0 ** rng.uniform(-15, -1, 20) * rng.choice([-1, 1], 20)


RNG = np.random.default_rng(0)
TINY = 10.0 ** RNG.uniform(-300, 0, 40)
POSITIVE = np.concatenate(
    [RNG.uniform(0, 3, 100), RNG.uniform(0, 30, 100), TINY, 1 / TINY, near(1, RNG), near(2, RNG), near(1.4616321449683622, RNG)]
)
MODERATE = POSITIVE[(POSITIVE > 1e-60) & (POSITIVE < 1e60)]  # where trigamma and its derivative are representable
NEGATIVE = RNG.uniform(-12, 0, 150)


@pytest.mark.parametrize(
    ("function", "reference", "points"),
    [
        (ag.erf, mpmath.erf, np.concatenate([RNG.uniform(-7, 7, 150), TINY, -TINY])),
        (ag.erfc, mpmath.erfc, np.concatenate([RNG.uniform(-7, 26, 200), TINY])),
        (ag.lgamma, log_gamma, POSITIVE),
        (ag.lgamma, log_gamma, NEGATIVE),
        (ag.digamma, mpmath.digamma, POSITIVE),
        (ag.digamma, mpmath.digamma, NEGATIVE),
        (lambda x: special._polygamma(x, n=1), lambda x: mpmath.psi(1, x), np.concatenate([MODERATE, NEGATIVE])),
        (lambda x: special._polygamma(x, n=2), lambda x: mpmath.psi(2, x), np.concatenate([MODERATE, NEGATIVE])),
        (ag.expit, lambda x: 1 / (1 + mpmath.exp(-x)), RNG.uniform(-700, 40, 200)),
        (
            ag.logit,
            lambda x: mpmath.log(x / (1 - x)),
            np.concatenate([RNG.uniform(0, 1, 200), TINY[TINY < 0.5], near(0.5, RNG)]),
        ),
    ],
    ids=[
        "erf",
        "erfc",
        "lgamma",
        "lgamma-negative",
        "digamma",
        "digamma-negative",
        "trigamma",
        "polygamma-2",
        "expit",
        "logit",
    ],
)
def test_relative_error_in_float64(function: Any, reference: Any, points: Any) -> None:
    assert worst(function, reference, points) <= 1e-13


def test_erf_in_float32() -> None:
    points = np.concatenate([RNG.uniform(-5, 5, 500), TINY[TINY > 1e-30]]).astype(np.float32)
    values = ag.erf(Tensor(points))
    assert values.dtype == np.float32
    assert worst(ag.erf, mpmath.erf, points) < 3e-7


def test_special_values() -> None:
    cases: list[tuple[Any, list[float], list[float]]] = [
        (ag.erf, [0.0, INF, -INF, NAN], [0, 1, -1, NAN]),
        (ag.erfc, [0.0, INF, -INF, 30.0, NAN], [1, 0, 2, 0, NAN]),
        (ag.lgamma, [0.0, -1.0, -2.0, 1.0, 2.0, INF, -INF, NAN], [INF, INF, INF, 0, 0, INF, INF, NAN]),
        (ag.digamma, [0.0, -0.0, -1.0, INF, NAN], [-INF, INF, NAN, INF, NAN]),
        (ag.expit, [-INF, INF, NAN], [0, 1, NAN]),
        (ag.logit, [0.0, 1.0, 0.5, -0.1, NAN], [-INF, INF, 0, NAN, NAN]),
    ]
    for function, points, expected in cases:
        np.testing.assert_array_equal(function(Tensor(np.array(points))).numpy(), expected)


def test_derivatives_at_the_poles() -> None:
    for function, expected in ((ag.lgamma, [-INF, NAN, INF]), (ag.digamma, [INF, NAN, 0])):
        x = Tensor(np.array([0.0, -1.0, INF]), requires_grad=True)
        function(x).backward(np.ones(3))
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), expected)


def test_shapes_and_dtypes() -> None:
    for function in (ag.erf, ag.erfc, ag.lgamma, ag.digamma, ag.expit, ag.logit):
        for dtype in (np.float16, np.float32, np.float64):
            for shape in ((), (0, 3), (3, 2)):
                y = function(Tensor(np.full(shape, 0.25, dtype)))
                assert (y.dtype, y.shape) == (dtype, shape)
        transposed = np.linspace(0.1, 0.9, 6).reshape(2, 3).T
        np.testing.assert_array_equal(function(Tensor(transposed)).numpy(), function(Tensor(transposed.copy())).numpy())
        large = np.tile(np.linspace(0.1, 0.9, 7), 10_000)  # more than one block
        np.testing.assert_array_equal(function(Tensor(large)).numpy()[-7:], function(Tensor(large[-7:])).numpy())


def test_hard_case_063_xlogy_at_0() -> None:
    for function, pole in ((ag.xlogy, 0.0), (ag.xlog1py, -1.0)):
        x, y = (Tensor(np.array(values), requires_grad=True) for values in ([0.0, 0.0, 2.0], [pole, NAN, pole + 1.0]))
        z = function(x, y)
        np.testing.assert_array_equal(z.detach().numpy(), [0, NAN, 0])
        z.backward(np.ones(3))
        assert x.grad is not None
        assert y.grad is not None
        np.testing.assert_array_equal(x.grad.numpy()[[0, 2]], [0, 0])
        np.testing.assert_array_equal(y.grad.numpy()[[0, 2]], [0, 2])
    x = Tensor(np.array([0.0]), requires_grad=True)
    z = x * ag.log(x)
    z.backward(np.ones(1))
    np.testing.assert_array_equal(z.detach().numpy(), [NAN])


def test_numbers_stay_weak() -> None:
    x = Tensor(np.array([0.5, 2.0], np.float32))
    for y in (ag.xlogy(x, 3.0), ag.xlogy(3, x), ag.xlog1py(x, 0.5), ag.logaddexp(x, 1.0), ag.erf(x), ag.logit(x, eps=0.1)):
        assert y.dtype == np.float32
