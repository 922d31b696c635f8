"""Fused recurrent layers against their compositions, whatever the layout and the number of steps at a time."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.ops import _gru, _lstm, _sequences

STEPS, BATCH, INPUTS, HIDDEN, OUT = 5, 4, 3, 2, 3
RNG = np.random.default_rng(0)


def leaves(*shapes):
    return [ag.tensor(RNG.normal(size=shape), requires_grad=True) for shape in shapes]


def compare(fused, composition, operands, **static):
    found = []
    shapes = [y.shape for y in composition(*operands, **static)]
    cotangents = [ag.tensor(RNG.normal(size=shape)) for shape in shapes]
    for function in (fused, composition):
        outputs = function(*operands, **static)
        loss = sum((y * g).sum() for y, g in zip(outputs, cotangents, strict=True))
        found.append([*(y.detach() for y in outputs), *ag.grad(loss, operands)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("joint", [1, 100])
@pytest.mark.parametrize("block", [1, 80, 1 << 18])
@pytest.mark.parametrize("sizes", [None, (4, 3, 3, 1, 0)])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("projected", [False, True])
def test_lstm_equals_its_composition_in_any_layout(monkeypatch, joint, block, sizes, reverse, biased, projected):
    monkeypatch.setattr(_sequences, "JOINT", joint)
    monkeypatch.setattr(_sequences, "BLOCK", block)
    out = OUT if projected else HIDDEN
    shapes = [(STEPS, BATCH, INPUTS), (4 * HIDDEN, INPUTS), (4 * HIDDEN, out), (BATCH, out), (BATCH, HIDDEN)]
    shapes += [(4 * HIDDEN,)] * 2 * biased + [(OUT, HIDDEN)] * projected
    compare(_lstm.lstm, _lstm._lstm_composition, leaves(*shapes), biased=biased, sizes=sizes, reverse=reverse)


@pytest.mark.parametrize("joint", [1, 100])
@pytest.mark.parametrize("block", [1, 60, 1 << 18])
@pytest.mark.parametrize("sizes", [None, (4, 3, 3, 1, 0)])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_gru_equals_its_composition_in_any_layout(monkeypatch, joint, block, sizes, reverse, biased):
    monkeypatch.setattr(_sequences, "JOINT", joint)
    monkeypatch.setattr(_sequences, "BLOCK", block)
    shapes = [(STEPS, BATCH, INPUTS), (3 * HIDDEN, INPUTS), (3 * HIDDEN, HIDDEN), (BATCH, HIDDEN)]
    shapes += [(3 * HIDDEN,)] * 2 * biased
    compare(_gru.gru, _gru._gru_composition, leaves(*shapes), sizes=sizes, reverse=reverse)


def test_the_two_biases_of_an_lstm_have_gradients_of_their_own():
    operands = leaves((2, 1, 1), (4, 1), (4, 1), (1, 1), (1, 1), (4,), (4,))
    _lstm.lstm(*operands, biased=True, sizes=None, reverse=False)[0].sum().backward()
    first, second = (operand.grad.numpy() for operand in operands[5:])
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("sizes", [None, (1, 1, 0)])
@pytest.mark.parametrize("reverse", [False, True])
def test_one_sample_in_any_layout(sizes, reverse):
    """Then features first and samples first are the same memory, and what is written to one is written to the other."""
    shapes = [(3, 1, INPUTS), (4 * HIDDEN, INPUTS), (4 * HIDDEN, HIDDEN), (1, HIDDEN), (1, HIDDEN)]
    compare(_lstm.lstm, _lstm._lstm_composition, leaves(*shapes), biased=False, sizes=sizes, reverse=reverse)
    shapes = [(3, 1, INPUTS), (3 * HIDDEN, INPUTS), (3 * HIDDEN, HIDDEN), (1, HIDDEN)]
    compare(_gru.gru, _gru._gru_composition, leaves(*shapes), sizes=sizes, reverse=reverse)
