"""Recurrent cells over long sequences, and the fused rules against their compositions."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.ops import recurrent

RNG = np.random.default_rng(0)


def leaves(*shapes):
    return [ag.tensor(RNG.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_lstm_equals_its_composition_whichever_output_is_used(used):
    gates, c = leaves((3, 8), (3, 2))
    g = [ag.tensor(RNG.normal(size=(3, 2))) for _ in used]
    found = []
    for function in (recurrent.lstm_pointwise, recurrent._lstm_composition):
        outputs = function(gates, c)
        found.append(ag.grad([outputs[k] for k in used], [gates, c], grad_outputs=g))
    for fast, composed in zip(*found, strict=True):
        np.testing.assert_allclose(fast.numpy(), composed.numpy(), rtol=1e-12, atol=1e-14)


def test_gru_equals_its_composition():
    operands = leaves((3, 6), (3, 6), (3, 2))
    g = ag.tensor(RNG.normal(size=(3, 2)))
    found = [
        ag.grad(function(*operands), operands, grad_outputs=g)
        for function in (recurrent.gru_pointwise, recurrent._gru_composition)
    ]
    for fast, composed in zip(*found, strict=True):
        np.testing.assert_allclose(fast.numpy(), composed.numpy(), rtol=1e-12, atol=1e-14)


def test_saturated_gates_are_finite():
    gates = ag.tensor(np.array([[1e4, -1e4, 1e4, -1e4]]), requires_grad=True)
    h, c = recurrent.lstm_pointwise(gates, np.array([[3.0]]))
    np.testing.assert_array_equal([h.item(), c.item()], [0.0, 1.0])
    (h + c).sum().backward()
    np.testing.assert_array_equal(gates.grad.numpy(), np.zeros((1, 4)))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_hard_case_146_two_thousand_steps(cell):
    gates = 4 if cell == "lstm" else 3
    weights = [ag.tensor(RNG.normal(size=shape) * 0.5, requires_grad=True) for shape in ((gates * 3, 2), (gates * 3, 3))]
    xs = RNG.normal(size=(2000, 1, 2))
    h, c = ag.zeros((1, 3), dtype=np.float64), ag.zeros((1, 3), dtype=np.float64)
    for x in xs:
        if cell == "lstm":
            h, c = ag.lstm_cell(x, (h, c), *weights)
        else:
            h = ag.gru_cell(x, h, *weights)
    (h * h).sum().backward()
    for weight in weights:
        assert np.isfinite(weight.grad.numpy()).all()
        assert np.abs(weight.grad.numpy()).max() > 0


def test_hard_case_146_wrong_sizes():
    x, h, w, u = np.ones((2, 3)), np.ones((2, 4)), np.ones((16, 3)), np.ones((16, 4))
    with pytest.raises(ValueError, match=r"lstm_cell: expected an input with 3 features, got shape \(2, 5\)"):
        ag.lstm_cell(np.ones((2, 5)), (h, h), w, u)
    with pytest.raises(ValueError, match=r"lstm_cell: expected a state of shape \(2, 4\), got \(2, 3\)"):
        ag.lstm_cell(x, (h, x), w, u)
    with pytest.raises(ValueError, match=r"lstm_cell: expected weights with 4 \* 4 rows, got \(12, 3\) and \(16, 4\)"):
        ag.lstm_cell(x, (h, h), np.ones((12, 3)), u)
    with pytest.raises(ValueError, match=r"lstm_cell: expected a bias of shape \(16,\), got \(4,\)"):
        ag.lstm_cell(x, (h, h), w, u, np.ones(4))
    with pytest.raises(ValueError, match=r"gru_cell: expected weights with 3 \* 4 rows"):
        ag.gru_cell(x, h, w, u)
    with pytest.raises(ValueError, match=r"gru_cell: expected x \(N, I\) or \(I,\)"):
        ag.gru_cell(np.ones((1, 2, 3)), h, w, u)
    with pytest.raises(TypeError, match=r"lstm_cell: expected the state as a pair \(h, c\)"):
        ag.lstm_cell(x, h, w, u)
