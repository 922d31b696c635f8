"""Parameters are leaves of their own kind."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd as ag
import nn


def test_a_parameter_is_a_leaf_that_requires_grad():
    source = np.ones(3)
    p = nn.Parameter(source)
    source[:] = 5
    assert isinstance(p, ag.Tensor)
    assert p.is_leaf
    assert p.requires_grad
    assert p.tolist() == [1.0, 1.0, 1.0]
    (p * p).sum().backward()
    assert p.grad.tolist() == [2.0, 2.0, 2.0]
    assert type(p * 2) is ag.Tensor
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(TypeError, match="only floating dtypes"):
        nn.Parameter([1, 2])


def test_copies_keep_the_kind():
    p = nn.Parameter([1.0, 2.0])
    (p * p).sum().backward()
    twin = copy.deepcopy(p)
    assert type(twin) is nn.Parameter
    assert twin.grad.tolist() == [2.0, 4.0]
    kind, arguments = p.__reduce__()
    rebuilt = kind(*arguments)
    assert type(rebuilt) is nn.Parameter
    assert rebuilt.requires_grad
    assert rebuilt.tolist() == [1.0, 2.0]


def test_a_deep_copy_of_a_module_is_another_module():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    twin = copy.deepcopy(net)
    with ag.no_grad():
        twin[0].weight.zero_()
    assert np.any(net[0].weight.numpy() if not net[0].weight.requires_grad else net[0].weight.detach().numpy())
    assert [name for name, _ in twin.named_parameters()] == ["0.weight", "0.bias"]
