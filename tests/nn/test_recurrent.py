"""Recurrent layers: layouts, states, lengths, wrong shapes, long sequences."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn

KINDS = [nn.RNN, nn.LSTM, nn.GRU]
CELLS = {nn.RNN: nn.RNNCell, nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell}


def first_of(state):
    return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_step_by_step(kind):
    layer, cell = kind(3, 4, dtype=np.float64), CELLS[kind](3, 4, dtype=np.float64)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = ag.tensor(np.random.default_rng(0).normal(size=(6, 2, 3)), requires_grad=True)
    y, last = layer(x)
    state, outputs = None, []
    for step in range(6):
        state = cell(x[step], state)
        outputs.append(first_of(state))
    np.testing.assert_allclose(y.detach(), np.stack([h.detach().numpy() for h in outputs]), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(first_of(last).detach()[0], outputs[-1].detach(), rtol=1e-12, atol=1e-14)
    g = np.random.default_rng(1).normal(size=(6, 2, 4))
    y.backward(g)
    ag.stack(outputs).backward(g)
    for p, q in zip(layer.parameters(), cell.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_layouts(kind):
    layer = kind(3, 4, num_layers=2, bidirectional=True)
    x = ag.randn(5, 2, 3)
    y, state = layer(x)
    layer.batch_first = True
    turned, state2 = layer(x.transpose(0, 1))
    np.testing.assert_array_equal(turned.detach().transpose(0, 1), y.detach())
    np.testing.assert_array_equal(first_of(state2).detach(), first_of(state).detach())
    one, state3 = layer(x[:, 1])
    assert one.shape == (5, 8)
    assert first_of(state3).shape == (4, 4)
    np.testing.assert_allclose(one.detach(), y.detach()[:, 1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_are_as_if_each_sequence_came_alone(kind):
    layer = kind(3, 4, num_layers=2, bidirectional=True, dtype=np.float64)
    x = ag.tensor(np.random.default_rng(0).normal(size=(5, 3, 3)), requires_grad=True)
    lengths = [2, 5, 3]
    y, state = layer(x, lengths=lengths)
    for sample, length in enumerate(lengths):
        alone, its_state = layer(x[:length, sample])
        np.testing.assert_allclose(y[:length, sample].detach(), alone.detach(), rtol=1e-12, atol=1e-14)
        assert not y[length:, sample].detach().numpy().any()
        np.testing.assert_allclose(first_of(state).detach()[:, sample], first_of(its_state).detach(), rtol=1e-12, atol=1e-14)
    y.sum().backward()
    for sample, length in enumerate(lengths):
        assert not x.grad[length:, sample].numpy().any()
    assert layer(x, lengths=ag.tensor(lengths))[0].shape == y.shape
    for wrong, message in (
        ([2, 5], "expected 3 whole numbers as lengths, got int64 of shape"),
        ([2, 6, 1], "expected lengths from 1 to 5, got 1 to 6"),
        ([2, 0, 1], "expected lengths from 1 to 5, got 0 to 2"),
        ([2.0, 1.0, 1.0], "expected 3 whole numbers as lengths, got float64"),
    ):
        with pytest.raises(ValueError, match=f"{kind.__name__}: {message}"):
            layer(x, lengths=wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_hard_case_146_long_sequences_and_wrong_shapes(kind):
    layer = kind(3, 4)
    x = ag.randn(2000, 1, 3).requires_grad_()
    layer(x)[0].sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert all(np.isfinite(p.grad.numpy()).all() for p in layer.parameters())
    name = kind.__name__
    state = (ag.zeros(1, 2, 5),) * 2 if kind is nn.LSTM else ag.zeros(1, 2, 5)
    for arguments, message in (
        ((ag.zeros(0, 2, 3),), "expected a sequence of at least one step, got shape (0, 2, 3)"),
        ((ag.zeros(5, 2, 4),), f"{name}: expected an input (T, N, 3) or (T, 3), got shape (5, 2, 4)"),
        ((ag.zeros(3),), f"{name}: expected an input (T, N, 3) or (T, 3), got shape (3,)"),
        ((ag.zeros(5, 2, 3), state), f"{name}: expected a state of shape (1, 2, 4), got (1, 2, 5)"),
    ):
        with pytest.raises(ValueError) as caught:
            layer(*arguments)
        assert message in str(caught.value)


def test_wrong_arguments():
    for make, message in (
        (lambda: nn.RNN(3, 4, nonlinearity="sine"), "RNN: expected nonlinearity to be one of 'tanh', 'relu', got 'sine'"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="sine"), "RNNCell: expected nonlinearity to be one of"),
        (lambda: nn.LSTM(3, 4, proj_size=4), "LSTM: expected proj_size less than hidden_size 4, got 4"),
        (lambda: nn.LSTM(3, 0), "LSTM: expected hidden_size to be a whole number >= 1, got 0"),
        (lambda: nn.GRU(3, 4, num_layers=0), "GRU: expected num_layers to be a whole number >= 1, got 0"),
        (lambda: nn.GRU(3, 4, dropout=1.5), "GRU: expected dropout between 0 and 1, got 1.5"),
        (
            lambda: nn.RNNCell(3, 4)(ag.zeros(2, 3), ag.zeros(2, 3)),
            r"RNNCell: expected a state of shape \(2, 4\), got \(2, 3\)",
        ),
        (lambda: nn.GRUCell(3, 4)(ag.zeros(2, 5)), r"GRUCell: expected an input \(N, 3\) or \(3,\), got shape \(2, 5\)"),
        (lambda: nn.LSTMCell(3, 4)(ag.zeros(2, 3), (ag.zeros(2, 4), ag.zeros(1, 4))), "lstm_cell: expected a state of shape"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match=r"LSTM: expected the state as a pair \(h, c\)"):
        nn.LSTM(3, 4)(ag.zeros(5, 2, 3), ag.zeros(1, 2, 4))


def test_dropout_between_layers_in_training_only():
    layer = nn.GRU(3, 64, num_layers=2, dropout=0.5)
    x = ag.randn(4, 2, 3)
    ag.manual_seed(0)
    first = layer(x)[0].detach().numpy()
    ag.manual_seed(0)
    np.testing.assert_array_equal(layer(x)[0].detach(), first)
    assert (layer(x)[0].detach().numpy() != first).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach(), layer(x)[0].detach())


@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives(kind):
    layer = kind(2, 2, bidirectional=True, dtype=np.float64)
    x = ag.tensor(np.random.default_rng(0).normal(size=(3, 2, 2)))
    assert ag.gradcheck(lambda x: layer(x)[0], x)
    assert ag.gradgradcheck(lambda x: layer(x, lengths=[3, 1])[0], x)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("create_graph", [False, True])
def test_what_stands_beyond_the_end_of_a_sequence_reaches_nothing(kind, create_graph):
    layer = kind(2, 3, 2, bidirectional=True, dtype=np.float64)
    values = np.random.default_rng(0).normal(size=(4, 2, 2))
    found = []
    for filling in (0.0, np.nan, np.inf):
        values[2:, 1] = filling
        x = ag.tensor(values, requires_grad=True)
        y = layer(x, lengths=[4, 2])[0]
        found.append([y.detach(), *ag.grad(y.square().sum(), [x, *layer.parameters()], create_graph=create_graph)])
    for others in found[1:]:
        for a, b in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(a.detach(), b.detach())


def test_a_rectified_layer_at_0_has_gradient_0_at_every_order():
    layer = nn.RNN(2, 3, nonlinearity="relu", bias=False, dtype=np.float64)
    x = ag.zeros(2, 1, 2, dtype=np.float64).requires_grad_()
    for create_graph in (False, True):
        (slope,) = ag.grad(layer(x)[0].sum(), x, create_graph=create_graph)
        np.testing.assert_array_equal(slope.detach(), np.zeros((2, 1, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_has_pytorchs_name(kind):
    x, h = ag.randn(5, 2, 3), ag.randn(1, 2, 4)
    layer, cell = kind(3, 4), CELLS[kind](3, 4)
    both = (lambda state: (state, state)) if kind is nn.LSTM else (lambda state: state)
    np.testing.assert_array_equal(layer(x, hx=both(h))[0].detach(), layer(x, both(h))[0].detach())
    first = lambda y: (y[0] if kind is nn.LSTM else y).detach()
    np.testing.assert_array_equal(first(cell(x[0], hx=both(h[0]))), first(cell(x[0], both(h[0]))))
