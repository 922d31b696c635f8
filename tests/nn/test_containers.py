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


def test_sequential_is_edited_like_a_list():
    a, b, c = nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)
    net = nn.Sequential(a, c)
    assert net.insert(1, b) is net
    assert list(net) == [a, b, c]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert net.pop(1) is b
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    net[1] = b
    assert list(net.extend([c, a])) == [a, b, c, a]
    del net[1:3]
    assert list(net) == [a, a]
    with pytest.raises(IndexError, match="insert: expected an index between -2 and 2, got 3"):
        net.insert(3, b)
    with pytest.raises(IndexError, match="Sequential: expected an index between -2 and 1, got 5"):
        net.pop(5)


def test_module_list_is_edited_like_a_list():
    a, b, c = nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)
    layers = nn.ModuleList([a, b])
    layers.insert(0, c)
    assert list(layers) == [c, a, b]
    assert layers.pop(-1) is b
    del layers[0]
    assert list(layers) == [a]
    assert list(layers.state_dict()) == ["0.weight", "0.bias"]


def test_equal_modules_in_a_list_are_shown_once():
    layers = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1)])
    linear = "Linear(in_features=1, out_features=1, bias=True)"
    assert repr(layers) == f"ModuleList(\n  (0-1): 2 x {linear}\n  (2): Tanh()\n  (3): {linear}\n)"
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_parameter_list():
    weights = nn.ParameterList([ag.ones(2), nn.Parameter([3.0])])
    assert [p.shape for p in weights.parameters()] == [(2,), (1,)]
    assert all(type(p) is nn.Parameter for p in weights)
    weights.append(np.zeros(3, np.float32))
    weights[0] = nn.Parameter([1.0])
    assert list(weights.state_dict()) == ["0", "1", "2"]
    assert [p.shape for p in weights[:2]] == [(1,), (1,)]
    assert weights[-1].shape == (3,)
    assert len(weights) == 3
    assert repr(weights[1:2]) == "ParameterList(\n  (0): Parameter containing: [float32 of shape (1,)]\n)"
    with pytest.raises(IndexError, match="ParameterList: expected an index between -3 and 2, got 3"):
        weights[3] = nn.Parameter([1.0])


def test_parameter_dict():
    weights = nn.ParameterDict({"a": ag.ones(2)})
    weights["b"] = nn.Parameter([3.0])
    weights.update({"a": ag.zeros(1)})
    assert list(weights) == list(weights.keys()) == ["a", "b"]
    assert [p.shape for p in weights.values()] == [(1,), (1,)]
    assert dict(weights.items())["b"] is weights["b"]
    assert "a" in weights
    del weights["a"]
    assert len(weights) == 1
    assert list(weights.state_dict()) == ["b"]
    assert repr(nn.ParameterDict()) == "ParameterDict()"


def test_residual():
    inner, project = nn.Linear(3, 4), nn.Linear(3, 4)
    x = ag.randn(2, 3)
    block = nn.Residual(inner, project)
    np.testing.assert_array_equal(block(x).detach(), (project(x) + inner(x)).detach())
    plain = nn.Residual(nn.Sequential(nn.Linear(3, 3), nn.Tanh()))
    np.testing.assert_array_equal(plain(x).detach(), (x + plain.fn(x)).detach())
    with pytest.raises(
        ValueError, match=r"Residual: expected both ways to have one shape, got \(2, 1\) and \(2, 3\); give a project="
    ):
        nn.Residual(nn.Linear(3, 1))(x)
    with pytest.raises(ValueError, match=r"got \(2, 1\) and \(2, 4\)$"):
        nn.Residual(nn.Linear(3, 1), project)(x)


def test_unflatten():
    assert nn.Unflatten(1, (2, -1))(ag.zeros(3, 6)).shape == (3, 2, 3)
    with pytest.raises(TypeError, match="Unflatten: expected unflattened_size as a tuple of lengths, got 6"):
        nn.Unflatten(1, 6)


def test_containers_grow_as_lists_and_dictionaries_do():
    modules = nn.ModuleList([nn.ReLU()])
    modules += [nn.Tanh()]
    assert [type(m) for m in modules + nn.ModuleList([nn.ELU()])] == [nn.ReLU, nn.Tanh, nn.ELU]
    row = nn.Sequential(nn.ReLU())
    row += nn.Sequential(nn.Tanh())
    assert [name for name, _ in (row + nn.Sequential(nn.ELU())).named_children()] == ["0", "1", "2"]
    parameters = nn.ParameterList([ag.ones(2)])
    parameters += [ag.ones(3)]
    assert [p.shape for p in parameters] == [(2,), (3,)]


@pytest.mark.parametrize(("kind", "make"), [(nn.ModuleDict, nn.ReLU), (nn.ParameterDict, lambda: nn.Parameter([1.0]))])
def test_dictionaries_lose_and_update_members(kind, make):
    members = kind({"a": make(), "b": make()})
    first = members["a"]
    assert members.pop("a") is first
    members.update([("c", make())])
    members.update(kind({"b": make(), "d": make()}))
    assert (list(members), len(members)) == (["b", "c", "d"], 3)
    for lose in (lambda: members.pop("a"), lambda: members.__delitem__("training")):
        with pytest.raises(KeyError):
            lose()
    members.clear()
    assert list(members.keys()) == list(members.values()) == list(members.items()) == []
    assert nn.ParameterDict().get("a", 5) == 5


def test_flatten_of_one_number():
    assert nn.Flatten(0)(ag.tensor(3.0)).shape == (1,)
