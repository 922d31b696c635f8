"""Convolutions: wrong arguments, margins, output sizes, lazy layers."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
import optim


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 0), "Conv2d: expected kernel_size of at least 1, got 0"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), "Conv2d: expected stride of at least 1, got 0"),
        (lambda: nn.Conv2d(3, 4, 3, padding=-1), "Conv2d: expected padding of at least 0, got -1"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), "Conv2d: expected kernel_size to have 2 numbers or one for all"),
        (lambda: nn.Conv1d(3, 4, 3, groups=2), "Conv1d: expected channels that 2 groups divide, got 3 and 4"),
        (lambda: nn.Conv1d(3, 4, 3, padding="full"), "Conv1d: expected padding 'same', 'valid' or whole numbers, got 'full'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, "same"), r"Conv2d: expected stride 1 with padding 'same', got \(2, 2\)"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "Conv2d: expected padding_mode to be one of 'zeros', 'reflect'"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), "expected padding_mode to be one of 'zeros', got 'refle"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), "ConvTranspose2d: expected padding 'same', 'valid' or whole"),
        (lambda: nn.Conv2d(3, 0, 3), "Conv2d: expected out_channels to be a whole number >= 1, got 0"),
        (lambda: nn.Conv2d(3, 4, 3)(ag.zeros(1, 2, 5, 5)), "conv2d: expected 3 input channels"),
        (lambda: nn.Conv2d(3, 4, 3)(ag.zeros(5, 5)), r"conv2d: expected an input \(N, C, H, W\) or \(C, H, W\), got shape \(5, 5\)"),
        (lambda: nn.Conv2d(3, 4, 7)(ag.zeros(1, 3, 5, 5)), "conv2d: expected a window no larger than the padded input"),
    ],
)  # fmt: skip
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_output_size_of_a_transposed_convolution():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    assert layer(ag.zeros(1, 2, 4, 4)).shape == (1, 3, 7, 7)
    assert layer(ag.zeros(1, 2, 4, 4), output_size=(8, 7)).shape == (1, 3, 8, 7)
    assert layer(ag.zeros(1, 2, 4, 4), output_size=(1, 3, 8, 7)).shape == (1, 3, 8, 7)
    spread = nn.ConvTranspose1d(1, 1, 2, dilation=2)
    with pytest.raises(ValueError, match=r"ConvTranspose1d: expected output_size from \(6,\) to \(6,\), got 7"):
        spread(ag.zeros(1, 1, 4), output_size=7)
    with pytest.raises(ValueError, match=r"ConvTranspose2d: expected output_size from \(7, 7\) to \(8, 8\), got \(9, 7\)"):
        layer(ag.zeros(1, 2, 4, 4), output_size=(9, 7))
    down = nn.Conv2d(3, 2, 3, stride=2, padding=1)
    assert layer(down(ag.zeros(1, 3, 8, 7)), output_size=(8, 7)).shape == (1, 3, 8, 7)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_gradients_through_margins(mode):
    layer = nn.Conv1d(2, 2, 3, padding=2, padding_mode=mode, dtype=np.float64)
    x = ag.tensor(np.random.default_rng(0).normal(size=(2, 2, 5)))
    assert ag.gradcheck(layer, x)
    assert ag.gradgradcheck(layer, x)


def test_lazy_layers_get_their_shape_at_the_first_call():
    ag.manual_seed(1)
    net = nn.Sequential(nn.LazyConv2d(4, 3, bias=False), nn.Flatten(), nn.LazyLinear(2))
    assert [type(p) for p in net.parameters()] == [nn.UninitializedParameter, nn.UninitializedParameter, nn.Parameter]
    assert "call the module once" in repr(net[0].weight)
    held = list(net.parameters())
    net(ag.ones(2, 3, 5, 5))
    assert [type(m) for m in net] == [nn.Conv2d, nn.Flatten, nn.Linear]
    assert repr(net[0]) == "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), bias=False)"
    assert repr(net[2]) == "Linear(in_features=36, out_features=2, bias=True)"
    assert [p.shape for p in net.parameters()] == [(4, 3, 3, 3), (2, 36), (2,)]
    assert all(p is q for p, q in zip(held, net.parameters(), strict=True))  # an optimizer may already hold them
    bound = 1 / np.sqrt(27)
    weight = net[0].weight.detach().numpy()
    assert 0.8 * bound < np.abs(weight).max() <= bound
    optimizer = optim.SGD(held, lr=0.1)
    before = weight.copy()
    net(ag.ones(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    assert (net[0].weight.detach().numpy() != before).any()
    with pytest.raises(ValueError, match="LazyConv2d: expected the number of channels of the input to be a whole number >= 1"):
        nn.LazyConv2d(4, 3)(ag.ones(5, 5))


def test_lazy_layers_take_their_shape_from_a_state():
    state = nn.Linear(3, 2).state_dict()
    layer = nn.LazyLinear(2)
    layer.load_state_dict(state)
    np.testing.assert_array_equal(layer.weight.detach(), state["weight"])
    assert layer(ag.ones(1, 3)).shape == (1, 2)
    assert layer.in_features == 3
    twin = copy.deepcopy(nn.LazyLinear(2))
    assert twin(ag.ones(1, 4)).shape == (1, 2)
    with pytest.raises(RuntimeError, match=r"'bias': expected shape \(2,\), got \(3,\)"):
        nn.LazyLinear(2).load_state_dict(nn.Linear(3, 3).state_dict())


def test_a_wrong_first_input_leaves_a_lazy_layer_lazy():
    layer = nn.LazyConv2d(4, 3, groups=2)
    with pytest.raises(ValueError, match=r"LazyConv2d: expected channels that 2 groups divide, got shape \(1, 5, 4, 4\)"):
        layer(ag.ones(1, 5, 4, 4))
    assert layer(ag.ones(1, 6, 4, 4)).shape == (1, 4, 2, 2)
    layer = nn.LazyLinear(2)
    with pytest.raises(ValueError, match=r"LazyLinear: expected an input \(\.\.\., in_features\), got a 0-d tensor"):
        layer(ag.tensor(1.0))
    layer.load_state_dict(nn.Linear(3, 2).state_dict())
    with pytest.raises(ValueError, match=r"LazyLinear: expected an input that fits the weight \(2, 3\) that was loaded"):
        layer(ag.ones(1, 4))
    assert layer(ag.ones(1, 3)).shape == (1, 2)


def test_a_lazy_layer_is_copied_pickled_and_loaded_before_its_first_call():
    layer = nn.LazyLinear(2, dtype=np.float64).requires_grad_(False)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        twin.load_state_dict(layer.state_dict())
        assert isinstance(twin, nn.LazyLinear)
        assert twin(ag.ones(1, 3, dtype=np.float64)).dtype == np.float64
        assert twin.weight.shape == (2, 3)
        assert not twin.weight.requires_grad
    with pytest.raises(ValueError, match="init: expected a parameter with a shape, got that of a lazy layer; call the layer"):
        nn.init.zeros_(layer.weight)
