"""New tensors of a tensor's dtype, random filling, changes of shape in place, and the memory that ``data`` lends."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor


def test_new_tensors_have_the_dtype():
    x = Tensor(np.ones((2, 2)))
    for made, expected in (
        (x.new_zeros(2, 3), np.zeros((2, 3))),
        (x.new_zeros((2, 3)), np.zeros((2, 3))),
        (x.new_ones([3]), np.ones(3)),
        (x.new_full((2,), 7), np.full(2, 7.0)),
        (x.new_tensor([1, 2]), np.array([1.0, 2.0])),
        (x.new(2, 3).zero_(), np.zeros((2, 3))),
        (x.new_empty(2).fill_(3), np.full(2, 3.0)),
    ):
        assert made.dtype == np.float64
        np.testing.assert_array_equal(made.numpy(), expected)
    assert x.new_ones(2, dtype=ag.float32, requires_grad=True).requires_grad
    assert x.new_zeros(2, dtype=ag.long).dtype == np.int64
    source = Tensor(np.ones(2))
    made = x.new_tensor(source)
    made.zero_()
    assert source.tolist() == [1.0, 1.0]


def test_random_filling_is_seeded_and_checked():
    x = ag.empty(10_000, dtype=ag.float64)
    x.normal_(2.0, 0.5, generator=ag.Generator(0))
    np.testing.assert_allclose([x.mean().item(), x.std().item()], [2.0, 0.5], atol=0.02)
    x.uniform_(-1, 3, generator=ag.Generator(0))
    assert -1 <= x.min().item() < -0.9
    assert 2.9 < x.max().item() < 3
    x.bernoulli_(0.25, generator=ag.Generator(0))
    assert set(x.tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(x.mean().item(), 0.25, atol=0.02)
    same = [ag.empty(3).normal_(generator=ag.Generator(5)).tolist() for _ in range(2)]
    assert same[0] == same[1]
    with pytest.raises(ValueError, match="normal_: expected std >= 0, got -1"):
        x.normal_(0, -1)
    with pytest.raises(ValueError, match="uniform_: expected low <= high, got 1 and 0"):
        x.uniform_(1, 0)
    with pytest.raises(ValueError, match="bernoulli_: expected p between 0 and 1, got 2"):
        x.bernoulli_(2)
    with pytest.raises(RuntimeError, match="leaf that requires grad"):
        ag.ones(2, requires_grad=True).normal_()


def test_fill_diagonal():
    x = ag.ones(2, 3, requires_grad=True)
    y = x * 2
    y.fill_diagonal_(0)
    np.testing.assert_array_equal(y.detach().numpy(), [[0, 2, 2], [2, 0, 2]])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0, 2, 2], [2, 0, 2]])
    with pytest.raises(ValueError, match=r"fill_diagonal_: expected a matrix, got shape \(2,\)"):
        ag.ones(2).fill_diagonal_(0)


def test_shapes_change_in_place_without_gradient():
    x = ag.arange(6).reshape(2, 3)
    assert x.t_() is x
    assert x.shape == (3, 2)
    assert x.unsqueeze_(0).shape == (1, 3, 2)
    assert x.transpose_(1, 2).shape == (1, 2, 3)
    assert x.squeeze_(0).shape == (2, 3)
    assert x.unsqueeze_(-1).squeeze_().shape == (2, 3)
    np.testing.assert_array_equal(x.numpy(), np.arange(6).reshape(2, 3))
    with pytest.raises(RuntimeError, match=r"unsqueeze_: expected a tensor that does not require grad; use unsqueeze\(\)"):
        ag.ones(2, requires_grad=True).unsqueeze_(0)


def test_grad_fn_is_the_node_of_a_result():
    x = ag.ones(2, requires_grad=True)
    assert x.grad_fn is None
    assert (x * 2).grad_fn.op == "multiply"
    assert ag.ones(2).grad_fn is None


def test_questions_as_functions():
    x = ag.ones(2, 3)
    assert ag.is_tensor(x)
    assert not ag.is_tensor(x.numpy())
    assert ag.numel(x) == 6
    assert ag.is_floating_point(x)
    assert x.is_floating_point()
    assert not (x > 0).is_floating_point()


# ------------------------------------------------------------------------------------------------ data


def test_data_is_filled_under_pytorchs_names():
    layer = nn.Linear(3, 2)
    layer.weight.data.normal_(0.0, 0.02)
    assert 0 < np.abs(layer.weight.detach().numpy()).max() < 0.2
    layer.bias.data.fill_(1)
    layer.weight.data.uniform_(-0.1, 0.1)
    assert np.abs(layer.weight.detach().numpy()).max() <= 0.1
    average = layer.weight.data.clone()
    assert isinstance(average, Tensor)
    layer.weight.data.zero_()
    assert average.abs().sum().item() > 0  # a copy
    layer.weight.data.copy_(average)
    before = average.numpy().copy()
    layer.weight.data.mul_(0.5).add_(average, alpha=0.25)
    np.testing.assert_allclose(layer.weight.detach().numpy(), 0.75 * before, rtol=1e-6)
    layer.weight.data[0].fill_(3.0)
    layer.weight.data.clamp_(-0.01, 0.01)
    np.testing.assert_allclose(layer.weight.detach().numpy()[0], 0.01)
    nn.init.constant_(layer.weight.data, 2.0)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.full((2, 3), 2.0))
    assert layer.bias.data.new_zeros(2).tolist() == [0.0, 0.0]
    assert layer.bias.data.numel() == 2


def test_data_is_an_ndarray_all_the_same():
    x = ag.tensor([[1.0, 2.0]], requires_grad=True)
    assert isinstance(x.data, np.ndarray)
    assert type(x.detach().numpy()) is np.ndarray
    assert type(x.data.numpy()) is np.ndarray
    assert type(np.asarray(x.detach())) is np.ndarray
    assert type(ag.tensor(x.data)._data) is np.ndarray
    assert type((x * x.data)._data) is np.ndarray
    assert type(ag.as_tensor(x.data)._data) is np.ndarray
    assert type(x.data * 2) is np.ndarray
    assert type(np.exp(x.data)) is np.ndarray
    assert type(x.data.sum()) is np.float32
    assert type(x.data.mean(axis=0)) is np.ndarray
    assert repr(x.data) == "array([[1., 2.]], dtype=float32)"
    x.data += 1
    x.data[0, 0] = 7
    assert x.tolist() == [[7.0, 3.0]]


def test_filling_data_is_noticed_by_a_graph_that_needs_the_old_values():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    x.data.mul_(2)
    with pytest.raises(RuntimeError, match="modified"):
        y.backward()


def test_detach_in_place_ends_the_graph():
    x = ag.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert not y.requires_grad
    assert y.is_leaf
    (x * y).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    x.grad.detach_().zero_()
    assert x.grad.tolist() == [0.0, 0.0]


def test_triangles_of_a_mask_are_masks():
    mask = ag.ones(3, 3, dtype=ag.bool)
    assert mask.tril().dtype == np.bool_
    np.testing.assert_array_equal(mask.triu(1).numpy(), np.triu(np.ones((3, 3)), 1) > 0)
    assert ag.tril(ag.ones(2, 2, dtype=ag.long)).dtype == np.int64
    np.testing.assert_array_equal((~mask.tril()).numpy(), np.triu(np.ones((3, 3)), 1) > 0)
