"""Activations at their kinks and far out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.backward import backpropagate
from autograd.primitive import constant

INF, NAN = math.inf, math.nan
Activation = Callable[[Tensor], Tensor]
ALL: dict[str, Activation] = {
    "relu": ag.relu, "leaky_relu": ag.leaky_relu, "elu": ag.elu, "selu": ag.selu, "celu": ag.celu, "gelu": ag.gelu,
    "gelu_tanh": lambda x: ag.gelu(x, "tanh"), "silu": ag.silu, "sigmoid": ag.sigmoid, "logsigmoid": ag.logsigmoid,
    "softplus": ag.softplus, "softsign": ag.softsign, "mish": ag.mish, "hardtanh": ag.hardtanh, "relu6": ag.relu6,
    "hardsigmoid": ag.hardsigmoid, "hardswish": ag.hardswish, "tanh": ag.tanh,
}  # fmt: skip


def both(function: Activation, values: Any, dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    """Value, first derivative (twice: as fast as may be, and differentiably) and second derivative."""
    x = Tensor(np.asarray(values, dtype), requires_grad=True)
    y = function(x)
    assert x.node is not None
    ones = np.ones(y.shape, dtype)
    (first,) = backpropagate([y.node], [ones], [x.node], retain_graph=True).values()
    (recorded,) = backpropagate([y.node], [constant(ones)], [x.node], create_graph=True).values()
    np.testing.assert_allclose(recorded._data, first, rtol={"e": 2e-2, "f": 1e-5, "d": 1e-12}[np.dtype(dtype).char], atol=1e-7)
    second = backpropagate([recorded.node], [ones], [x.node]).get(x.node) if recorded.requires_grad else np.zeros_like(ones)
    return y.detach().numpy(), first, second


def test_hard_case_044_kinks() -> None:
    expected: list[tuple[Activation, Any, list[float]]] = [
        (ag.relu, [0.0], [0]),
        (ag.abs, [0.0], [0]),
        (ag.sign, [0.0, 2.0], [0, 0]),
        (lambda x: ag.leaky_relu(x, 0.1), [0.0], [0.1]),
        (ag.elu, [0.0], [1]),
        (lambda x: ag.elu(x, 0.5), [0.0], [0.5]),
        (ag.relu6, [0.0, 6.0], [0, 0]),
        (ag.hardtanh, [-1.0, 1.0], [0, 0]),
        (ag.hardsigmoid, [-3.0, 3.0], [0, 0]),
        (ag.hardswish, [-3.0, 3.0], [0, 1]),
    ]
    for function, points, slopes in expected:
        np.testing.assert_array_equal(both(function, points)[1], slopes)
    y, g, _ = both(ag.relu, [NAN])
    np.testing.assert_array_equal([*y, *g], [NAN, 1])
    y, g, _ = both(ag.relu, np.linspace(-1, 1, 10_001))  # the kernel for large arrays
    np.testing.assert_array_equal(y, np.maximum(np.linspace(-1, 1, 10_001), 0))
    np.testing.assert_array_equal(g, np.linspace(-1, 1, 10_001) > 0)


def test_hard_case_065_far_out() -> None:
    far = [-1000.0, 1000.0]
    for function, values, slopes in (
        (ag.sigmoid, [0, 1], [0, 0]),
        (ag.softplus, [0, 1000], [0, 1]),
        (ag.logsigmoid, [-1000, 0], [1, 0]),
        (ag.tanh, [-1, 1], [0, 0]),
        (ag.silu, [0, 1000], [0, 1]),
        (ag.mish, [0, 1000], [0, 1]),
        (ag.gelu, [0, 1000], [0, 1]),
    ):
        y, g, second = both(function, far)
        np.testing.assert_array_equal(y, values)
        np.testing.assert_array_equal(g, slopes)
        np.testing.assert_array_equal(second, [0, 0])
    assert np.signbit(both(ag.silu, far)[0][0])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_finite_at_1e4(name: str, dtype: Any) -> None:
    y, g, second = both(ALL[name], [-1e4, -300.0, -30.0, 0.5, 30.0, 300.0, 1e4], dtype)
    assert (y.dtype, g.dtype) == (dtype, dtype)
    assert np.isfinite(y).all()
    assert np.isfinite(g).all()
    if dtype != np.float16:  # whose squares overflow at 300
        assert np.isfinite(second).all()


def test_hard_case_066_minus_infinity() -> None:
    for function in (ag.gelu, ALL["gelu_tanh"], ag.silu, ag.mish, ag.hardswish):
        for dtype in (np.float16, np.float32, np.float64):
            y, g, _ = both(function, [-INF, INF], dtype)
            np.testing.assert_array_equal(y, [0, INF])
            np.testing.assert_array_equal(g, [0, 1])
        np.testing.assert_array_equal(both(function, [NAN])[0], [NAN])


def test_fused_ones_work_in_blocks() -> None:
    x = np.linspace(-5, 5, 70_001)
    for name in ("gelu", "gelu_tanh", "silu", "mish"):
        y, g, _ = both(ALL[name], x)
        for index in (0, 32_767, 32_768, 70_000):
            single = both(ALL[name], x[index])
            np.testing.assert_allclose([y[index], g[index]], single[:2], rtol=1e-14)
        strided = both(ALL[name], np.stack([x, x])[:, ::2].T)
        np.testing.assert_allclose(strided[0][:, 0], y[::2], rtol=1e-14)


def test_integers_give_floats() -> None:
    x = Tensor(np.array([0, 2], np.uint8))
    for name in ("sigmoid", "silu", "gelu", "softplus", "elu", "mish", "logsigmoid"):
        np.testing.assert_allclose(ALL[name](x).numpy(), ALL[name](Tensor(np.array([0.0, 2.0]))).numpy(), rtol=1e-15)
    assert ag.relu(x).dtype == np.uint8


def test_errors() -> None:
    x = Tensor(np.ones((2, 3)))
    with pytest.raises(ValueError, match="gelu: expected approximate 'none' or 'tanh', got 'fast'"):
        ag.gelu(x, "fast")
    with pytest.raises(ValueError, match=r"glu: expected an even size along axis -1, got shape \(2, 3\)"):
        ag.glu(x)
    with pytest.raises(np.exceptions.AxisError, match="glu"):
        ag.glu(x, 2)
    with pytest.raises(ValueError, match="glu: expected a tensor with an axis to halve"):
        ag.glu(Tensor(1.0))
    with pytest.raises(ValueError, match=r"prelu: expected one weight or 3, one for each channel, got shape \(2,\)"):
        ag.prelu(x, np.ones(2))
    with pytest.raises(ValueError, match="hardtanh: expected min_val <= max_val, got 2 and 1"):
        ag.hardtanh(x, 2, 1)
    with pytest.raises(ValueError, match="celu: expected alpha other than 0, got 0"):
        ag.celu(x, 0)
