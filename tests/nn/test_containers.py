"""Containers."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_sequential():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = ag.randn(4, 2)
    np.testing.assert_array_equal(net(x).detach(), net[2](ag.relu(net[0](x))).detach())
    assert len(net) == 3
    assert [type(m) for m in net] == [nn.Linear, nn.ReLU, nn.Linear]
    assert net[-1] is net[2]
    assert list(net[:2]._modules) == ["0", "1"]
    assert net[:2][0] is net[0]
    assert net.append(nn.Tanh()) is net
    assert type(net[3]) is nn.Tanh
    named = nn.Sequential({"first": nn.Linear(2, 2), "act": nn.Tanh()})
    assert named.first is named[0]
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    with pytest.raises(IndexError, match="Sequential: expected an index between -4 and 3, got 4"):
        _ = net[4]
    with pytest.raises(TypeError, match="expected a Module or None, got function"):
        nn.Sequential(ag.relu)


def test_module_list():
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    layers[1] = nn.Tanh()
    assert [type(m).__name__ for m in layers] == ["Linear", "Tanh", "Linear"]
    assert len(list(layers.parameters())) == 4
    assert len(layers[1:]) == 2
    assert len(layers.extend([nn.ReLU()]).append(nn.ReLU())) == 5
    with pytest.raises(IndexError, match="ModuleList: expected an index"):
        layers[9] = nn.Tanh()


def test_module_dict():
    parts = nn.ModuleDict({"a": nn.Linear(1, 1)})
    parts["b"] = nn.Tanh()
    assert "b" in parts
    assert list(parts) == list(parts.keys()) == ["a", "b"]
    assert len(list(parts.values())) == len(parts.items()) == len(parts) == 2
    del parts["a"]
    assert list(parts.parameters()) == []
    with pytest.raises(KeyError, match=r"has no '\.'"):
        parts["a.b"] = nn.Tanh()


def test_identity_and_flatten():
    x = ag.randn(2, 3, 4)
    assert nn.Identity(3, bias=True)(x) is x
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten(0)(ag.randn(0, 3)).shape == (0,)
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    with pytest.raises(ValueError, match="Flatten: expected start_dim <= end_dim"):
        nn.Flatten(2, 1)(x)
    with pytest.raises(ValueError, match="among the 1 axes"):
        nn.Flatten()(ag.randn(3))
