"""Linear layers and activations."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_linear():
    layer = nn.Linear(3, 2, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    y = layer(ag.tensor(x))
    np.testing.assert_allclose(y.detach(), x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), rtol=1e-13)
    assert ag.gradcheck(layer, ag.tensor(x[0]))
    assert nn.Linear(3, 2, bias=False).bias is None
    assert layer(ag.tensor(x[0, 0])).shape == (2,)
    assert nn.Linear(0, 2)(ag.zeros(4, 0)).shape == (4, 2)
    for sizes in ((-1, 2), (2, 1.5), (True, 2), ("3", 2)):
        with pytest.raises(ValueError, match=r"Linear: expected (in|out)_features to be a whole number >= 0"):
            nn.Linear(*sizes)
    with pytest.raises(ValueError, match=r"linear: expected x \(\.\.\., I\) and weight \(O, I\), got \(5, 4\) and \(2, 3\)"):
        layer(ag.zeros(5, 4, dtype=np.float64))


def test_linear_starts_uniform():
    ag.manual_seed(0)
    layer = nn.Linear(100, 400)
    for p in layer.parameters():
        values = p.detach().numpy()
        assert np.abs(values).max() <= 0.1
        assert abs(values.std() - 0.1 / np.sqrt(3)) < 0.004
    ag.manual_seed(0)
    np.testing.assert_array_equal(nn.Linear(100, 400).weight.detach(), layer.weight.detach())


ACTIVATIONS = {
    "ReLU()": (nn.ReLU(), ag.relu),
    "LeakyReLU(negative_slope=0.2)": (nn.LeakyReLU(0.2), lambda x: ag.leaky_relu(x, 0.2)),
    "ELU(alpha=2.0)": (nn.ELU(2.0), lambda x: ag.elu(x, 2.0)),
    "SELU()": (nn.SELU(), ag.selu),
    "GELU(approximate='tanh')": (nn.GELU("tanh"), lambda x: ag.gelu(x, "tanh")),
    "SiLU()": (nn.SiLU(), ag.silu),
    "Mish()": (nn.Mish(), ag.mish),
    "Sigmoid()": (nn.Sigmoid(), ag.sigmoid),
    "Tanh()": (nn.Tanh(), ag.tanh),
    "Softplus(beta=2.0, threshold=10.0)": (nn.Softplus(2.0, 10.0), lambda x: ag.softplus(x, 2.0, 10.0)),
    "Softmax(dim=0)": (nn.Softmax(0), lambda x: ag.softmax(x, 0)),
    "LogSoftmax(dim=-1)": (nn.LogSoftmax(-1), lambda x: ag.log_softmax(x, -1)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    module, function = ACTIVATIONS[name]
    x = ag.randn(3, 4)
    np.testing.assert_array_equal(module(x), function(x))
    assert repr(module) == name


def test_gelu_forms():
    with pytest.raises(ValueError, match="GELU: expected approximate to be one of 'none', 'tanh', got 'fast'"):
        nn.GELU("fast")


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_functions_take_an_axis_under_both_names(name):
    function, x = getattr(nn.functional, name), ag.randn(2, 3, 4)
    for found in (function(x, dim=1), function(x, axis=1), function(input=x, dim=1)):
        np.testing.assert_array_equal(found, function(x, 1))


def test_constructors_that_are_given_nonsense():
    for make, message in (
        (lambda: nn.ZeroPad2d(1.5), r"ZeroPad2d: expected padding as one number or \(left, right, top, bottom\), got 1.5"),
        (lambda: nn.ZeroPad2d((1, 2, 3, 0.5)), "ZeroPad2d: expected padding as one number"),
        (lambda: nn.Embedding(3, 2, padding_idx="a"), "Embedding: expected padding_idx within 3 rows, got 'a'"),
        (
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), -1),
            "TransformerEncoder: expected num_layers to be a whole number >= 0, got -1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make()
