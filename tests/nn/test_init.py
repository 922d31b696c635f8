"""Initial values: their distribution, and what they do to signals in a deep network."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
from nn import init


def test_gains():
    for name in ("linear", "sigmoid", "tanh", "relu", "selu", "conv2d"):
        assert init.calculate_gain(name) > 0
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    with pytest.raises(ValueError, match="calculate_gain: expected one of linear"):
        init.calculate_gain("swish")


@pytest.mark.parametrize("shape", [(200, 300), (40, 30, 5, 5)])
@pytest.mark.parametrize(
    ("fill", "variance"),
    [
        (init.xavier_uniform_, lambda i, o: 2 / (i + o)),
        (lambda t, **k: init.xavier_normal_(t, gain=3.0, **k), lambda i, o: 18 / (i + o)),
        (init.kaiming_uniform_, lambda i, o: 2 / i),
        (lambda t, **k: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu", **k), lambda i, o: 2 / o),
        (lambda t, **k: init.kaiming_normal_(t, a=1.0, **k), lambda i, o: 1 / i),
        (init.lecun_normal_, lambda i, o: 1 / i),
        (lambda t, **k: init.normal_(t, 0.5, 2.0, **k), lambda i, o: 4.0),
        (lambda t, **k: init.uniform_(t, -1.0, 3.0, **k), lambda i, o: 16 / 12),
    ],
)
def test_variance(shape, fill, variance):
    w = nn.Parameter(np.empty(shape, np.float32))
    assert fill(w, generator=ag.Generator(0)) is w
    field = math.prod(shape[2:])
    wanted = variance(shape[1] * field, shape[0] * field)
    assert w.detach().numpy().var() == pytest.approx(wanted, rel=0.03)
    assert w.dtype == np.float32
    again = nn.Parameter(np.empty(shape, np.float32))
    fill(again, generator=ag.Generator(0))
    np.testing.assert_array_equal(again.detach(), w.detach())


def test_exact_values():
    w = nn.Parameter(np.empty((3, 2)))
    assert init.eye_(w).tolist() == np.eye(3, 2).tolist()
    assert init.zeros_(w).tolist() == np.zeros((3, 2)).tolist()
    assert init.ones_(w).tolist() == np.ones((3, 2)).tolist()
    assert init.constant_(w, 2.5).tolist() == np.full((3, 2), 2.5).tolist()
    for shape in ((3, 5), (5, 3), (4, 2, 3)):
        q = init.orthogonal_(nn.Parameter(np.empty(shape)), gain=2.0).detach().numpy().reshape(shape[0], -1)
        product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(product, 4 * np.eye(min(q.shape)), atol=1e-12)
    t = init.trunc_normal_(nn.Parameter(np.empty(5000)), 1.0, 2.0, -1.0, 2.0).detach().numpy()
    assert t.min() >= -1
    assert t.max() <= 2
    assert t.std() > 0.5


def test_wrong_arguments():
    vector = nn.Parameter(np.empty(3))
    for fill in (init.xavier_uniform_, init.kaiming_normal_, init.orthogonal_):
        with pytest.raises(ValueError, match="at least 2 axes"):
            fill(vector)
    with pytest.raises(ValueError, match="expected mode 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(nn.Parameter(np.empty((2, 2))), mode="fan")
    with pytest.raises(ValueError, match="uniform_: expected a <= b"):
        init.uniform_(vector, 1.0, 0.0)
    with pytest.raises(ValueError, match="normal_: expected std >= 0"):
        init.normal_(vector, 0.0, -1.0)
    with pytest.raises(ValueError, match="trunc_normal_: expected a mean within 2 std"):
        init.trunc_normal_(vector, 100.0)
    with pytest.raises(ValueError, match="eye_: expected a matrix"):
        init.eye_(vector)
    with pytest.raises(TypeError, match="init: expected a Tensor, got ndarray"):
        init.zeros_(np.zeros(2))


def test_a_weight_drawn_anew_after_the_forward_pass_is_noticed():
    w = nn.Parameter(np.ones((2, 2)))
    loss = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()


def variances(fill, activation, depth=30, width=128):
    """The variance of activations and gradients after the first and the last of many layers."""
    ag.manual_seed(1)
    x = ag.randn(256, width, requires_grad=True)
    h, layers = x, []
    for _ in range(depth):
        layer = nn.Linear(width, width, bias=False)
        fill(layer.weight)
        h = activation(layer(h))
        h.retain_grad()
        layers.append(h)
    h.backward(ag.randn(256, width))
    signal = [np.mean(t.detach().numpy() ** 2) for t in (layers[0], layers[-1])]
    gradient = [np.mean(t.grad.numpy() ** 2) for t in (layers[0], layers[-1])]
    return signal[1] / signal[0], gradient[0] / gradient[1]


def test_signals_keep_their_size_with_the_right_start_and_vanish_with_a_naive_one():
    kept = variances(lambda w: init.kaiming_normal_(w, nonlinearity="relu"), ag.relu)
    naive = variances(lambda w: init.normal_(w, 0.0, 0.01), ag.relu)
    assert all(0.2 < ratio < 5 for ratio in kept), kept
    assert all(ratio < 1e-20 for ratio in naive), naive


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.init.trunc_normal_(nn.Parameter([1.0]), std=-1.0),
            ValueError,
            "trunc_normal_: expected std >= 0, got -1.0",
        ),
        (lambda: nn.init.normal_(nn.Parameter([1.0]), std=float("nan")), ValueError, "normal_: expected std >= 0, got nan"),
        (lambda: nn.init.uniform_(ag.ones(3, dtype=np.int64)), TypeError, "init: expected a floating tensor, got int64"),
        (lambda: nn.init.calculate_gain("leaky_relu", "x"), ValueError, "calculate_gain: expected a number as the slope of"),
        (lambda: nn.init.dirac_(ag.ones(2, 2, 0)), ValueError, "dirac_: expected a window of at least one element"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
