"""The techniques against vanishing and exploding gradients, measured: each against the same network without it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
import optim

WIDTH, BATCH, NETWORKS = 256, 32, 6


def signals(depth, nonlinearity, initialise, scale):
    """The ratio of the variances behind the last and the first of many layers: forward, and of the gradient on its way back.

    The geometric mean over a few networks: that of one wide network varies by chance, the more the deeper it is.
    """
    ratios = [_signals_of_one(depth, nonlinearity, initialise, scale, ag.Generator(seed)) for seed in range(NETWORKS)]
    return np.exp(np.log(ratios).mean(axis=0))


def _signals_of_one(depth, nonlinearity, initialise, scale, rng):
    x = ag.tensor(rng.numpy.normal(0.0, scale, (BATCH, WIDTH)))
    outputs = []
    for _ in range(depth):
        weight = nn.Parameter(np.empty((WIDTH, WIDTH)))
        initialise(weight, rng)
        x = nonlinearity(ag.linear(x, weight))
        outputs.append(x)
    x.backward(rng.numpy.normal(size=x.shape), inputs=outputs)
    first, last = outputs[0], outputs[-1]
    return last.detach().var().item() / first.detach().var().item(), first.grad.var().item() / last.grad.var().item()


NAIVE = lambda weight, rng: nn.init.normal_(weight, 0.0, 0.01, rng)
GOOD = {
    "Xavier uniform, tanh": (ag.tanh, lambda w, rng: nn.init.xavier_uniform_(w, generator=rng), 0.1),
    "Xavier normal, tanh": (ag.tanh, lambda w, rng: nn.init.xavier_normal_(w, generator=rng), 0.1),
    "He uniform, ReLU": (ag.relu, lambda w, rng: nn.init.kaiming_uniform_(w, nonlinearity="relu", generator=rng), 1.0),
    "He normal, ReLU": (ag.relu, lambda w, rng: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=rng), 1.0),
    "orthogonal, tanh": (ag.tanh, lambda w, rng: nn.init.orthogonal_(w, generator=rng), 0.1),
}


@pytest.mark.parametrize("name", GOOD)
def test_initialisation_keeps_variances_within_a_factor_of_2_over_30_layers(name):
    nonlinearity, initialise, scale = GOOD[name]
    for ratio in signals(30, nonlinearity, initialise, scale):
        assert 0.5 < ratio < 2.0
    for ratio in signals(30, nonlinearity, NAIVE, scale):
        assert ratio < 1e-20


def gradients_of_first_and_last(blocks, x):
    net = nn.Sequential(*blocks)
    net(x).square().mean().backward()
    weights = [p for p in net.parameters() if p.ndim == 2]
    return np.abs(weights[0].grad.numpy()).mean(), np.abs(weights[-1].grad.numpy()).mean()


def naive_linear():
    layer = nn.Linear(64, 64)
    nn.init.normal_(layer.weight, 0.0, 0.05)
    return layer


KEEPERS = {
    "batch norm": lambda: nn.Sequential(naive_linear(), nn.BatchNorm1d(64), nn.ELU()),
    "layer norm": lambda: nn.Sequential(naive_linear(), nn.LayerNorm(64), nn.Tanh()),
    "residual": lambda: nn.Residual(nn.Sequential(naive_linear(), nn.Tanh())),
    "normalised residual": lambda: nn.Residual(nn.Sequential(nn.LayerNorm(64), naive_linear(), nn.ReLU())),
}


@pytest.mark.parametrize("name", KEEPERS)
def test_norms_and_residuals_keep_the_first_of_50_layers_trained(name):
    ag.manual_seed(0)
    x = ag.randn(64, 64)
    first, last = gradients_of_first_and_last([KEEPERS[name]() for _ in range(50)], x)
    assert last / 100 < first < last * 100
    first, last = gradients_of_first_and_last([nn.Sequential(naive_linear(), nn.Tanh()) for _ in range(50)], x)
    assert first < last * 1e-10


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "gelu", "silu", "selu", "mish", "softplus"])
def test_activations_that_do_not_saturate_pass_gradients_where_the_sigmoid_does_not(activation):
    x = ag.full((1,), 12.0, dtype=np.float64).requires_grad_()
    getattr(ag, activation)(x).backward()
    assert x.grad.item() > 0.99
    x.grad = None
    ag.sigmoid(x).backward()
    assert x.grad.item() < 1e-5


def carried(kind, steps=100):
    """How much of the gradient of the last output reaches the first input, against what reaches the last input."""
    ag.manual_seed(0)
    layer = kind(16, 32)
    if kind is not nn.RNN:  # gates that remember for up to so many steps (Tallec and Ollivier, 2018)
        gates = layer.bias_ih_l0.detach().numpy()
        forget = math.log(steps - 1)
        with ag.no_grad():
            bias = gates.copy()
            bias[32:64] = forget  # the second gate of both: f of an LSTM, z of a GRU
            if kind is nn.LSTM:
                bias[:32] = -forget
            layer.bias_ih_l0.copy_(ag.tensor(bias))
    x = ag.randn(steps, 8, 16).requires_grad_()
    layer(x)[0][-1].sum().backward()
    norms = np.linalg.norm(x.grad.numpy().reshape(steps, -1), axis=1)
    return norms[0] / norms[-1]


def test_gated_units_carry_a_gradient_over_100_steps_where_a_plain_network_does_not():
    assert carried(nn.RNN) < 1e-15
    assert carried(nn.LSTM) > 1e-2
    assert carried(nn.GRU) > 1e-2


def test_clipping_keeps_a_step_on_a_cliff_small():
    weight = nn.Parameter(np.array([3.0]))
    optimizer = optim.SGD([weight], lr=0.1)
    loss = ag.exp(weight**2 * 5.0).sum()  # its gradient here is 1e21
    loss.backward()
    norm = optim.clip_grad_norm_([weight], 1.0)
    assert norm > 1e20
    optimizer.step()
    assert weight.item() == pytest.approx(2.9, abs=1e-6)
