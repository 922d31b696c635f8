"""Reparametrised weights, parameters as a vector."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from nn import utils


def test_weight_norm_keeps_the_output_and_trains_length_and_direction():
    layer = nn.Linear(3, 4, dtype=np.float64)
    x = ag.tensor(np.random.default_rng(0).normal(size=(5, 3)))
    before = layer(x).detach()
    assert utils.weight_norm(layer) is layer
    assert [(name, p.shape) for name, p in layer.named_parameters()] == [
        ("bias", (4,)),
        ("weight_g", (4, 1)),
        ("weight_v", (4, 3)),
    ]
    np.testing.assert_allclose(layer(x).detach(), before, rtol=1e-14)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(x).square().sum().backward()
    g, v = layer.weight_g.grad.numpy(), layer.weight_v.grad.numpy()
    np.testing.assert_allclose((v * layer.weight_v.detach().numpy()).sum(1), 0.0, atol=1e-12)  # along v, nothing changes
    assert np.abs(g).min() > 0
    optimizer.step()
    after = layer(x).detach()
    assert utils.remove_weight_norm(layer) is layer
    assert sorted(name for name, _ in layer.named_parameters()) == ["bias", "weight"]
    np.testing.assert_allclose(layer(x).detach(), after, rtol=1e-14)
    with pytest.raises(ValueError, match="remove_weight_norm: expected Linear to have 'weight' reparametrised, it does not"):
        utils.remove_weight_norm(layer)


def test_weight_norm_with_one_length():
    layer = utils.weight_norm(nn.Conv2d(2, 3, 3), dim=None)
    assert layer.weight_g.shape == ()
    assert layer.weight_g.item() == pytest.approx(np.linalg.norm(layer.weight.detach().numpy()), rel=1e-6)


def test_spectral_norm_divides_by_the_greatest_singular_value():
    layer = nn.Linear(6, 4, dtype=np.float64)
    sigma = np.linalg.svd(layer.weight.detach().numpy(), compute_uv=False)[0]
    weight = layer.weight.detach().numpy().copy()
    utils.spectral_norm(layer, n_power_iterations=300)
    layer(ag.zeros(1, 6, dtype=np.float64))
    np.testing.assert_allclose(layer.weight.detach(), weight / sigma, rtol=1e-8)
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    layer.eval()
    u = layer.weight_u.numpy().copy()
    layer(ag.zeros(1, 6, dtype=np.float64)).sum().backward()
    np.testing.assert_array_equal(layer.weight_u, u)  # only training moves it
    assert layer.weight_orig.grad is not None
    utils.remove_spectral_norm(layer)
    np.testing.assert_allclose(layer.weight.detach(), weight / sigma, rtol=1e-8)


def test_spectral_norm_of_a_transposed_convolution_and_mistakes():
    layer = utils.spectral_norm(nn.ConvTranspose2d(2, 3, 3), dim=1)
    assert layer.weight_u.shape == (3,)
    assert layer(ag.zeros(1, 2, 4, 4)).shape == (1, 3, 6, 6)
    with pytest.raises(ValueError, match="spectral_norm: expected ConvTranspose2d to have a parameter 'weight'"):
        utils.spectral_norm(layer)
    with pytest.raises(ValueError, match="spectral_norm: expected n_power_iterations >= 1, got 0"):
        utils.spectral_norm(nn.Linear(1, 1), n_power_iterations=0)


def test_parameters_as_a_vector():
    layer = nn.Linear(2, 3)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (9,)
    utils.vector_to_parameters(ag.arange(9.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert layer.bias.tolist() == [6, 7, 8]
    utils.parameters_to_vector(layer.parameters()).sum().backward()
    assert layer.bias.grad.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"vector_to_parameters: expected a vector of 9 numbers, got shape \(8,\)"):
        utils.vector_to_parameters(ag.zeros(8), layer.parameters())
    with pytest.raises(ValueError, match="parameters_to_vector: expected at least one parameter"):
        utils.parameters_to_vector([])
    assert utils.clip_grad_norm_ is optim.clip_grad_norm_


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))], ids=["copy", "pickle"])
@pytest.mark.parametrize("how", ["weight_norm", "spectral_norm"])
def test_a_copy_has_parameters_of_its_own(how, copied):
    module = getattr(nn.utils, how)(nn.Linear(2, 3))
    x = ag.ones(4, 2)
    module(x)  # the weight has a graph now
    other = copied(module)
    module.eval(), other.eval()
    np.testing.assert_array_equal(other(x).detach(), module(x).detach())
    for p in other.parameters():
        p._data[...] *= 3
    assert np.abs(other(x).detach().numpy() - module(x).detach().numpy()).max() > 0.1
    other(x).sum().backward()
    assert all(p.grad is not None for p in other.parameters())
    assert all(p.grad is None for p in module.parameters())
    getattr(nn.utils, f"remove_{how}")(other)
    assert sorted(other.state_dict()) == ["bias", "weight"]
    assert len(module.state_dict()) > 2
    assert module.double()(ag.ones(4, 2, dtype=np.float64)).dtype == np.float64


@pytest.mark.parametrize("how", ["weight_norm", "spectral_norm"])
def test_half_precision_weights_are_measured_in_single(how):
    layer = nn.Linear(2000, 3, dtype=np.float16)
    nn.init.constant_(layer.weight, 10.0)  # 2000 * 10**2 is beyond float16
    getattr(nn.utils, how)(layer)
    length = np.sqrt(3 * 2000.0)
    expected = 10.0 if how == "weight_norm" else 1 / length
    assert layer(ag.zeros(1, 2000, dtype=np.float16)).dtype == np.float16
    np.testing.assert_allclose(layer.weight.detach(), np.full((3, 2000), expected), rtol=5e-3)
