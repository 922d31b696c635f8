"""Losses: reductions, shapes that must agree, gradients."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from nn import functional as F


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss], ids=["mse", "l1"])
def test_reductions_and_gradients(loss):
    rng = np.random.default_rng(0)
    x, y = ag.tensor(rng.normal(size=(3, 4)), requires_grad=True), ag.tensor(rng.normal(size=(3, 4)), requires_grad=True)
    whole = loss(x, y, reduction="none").detach().numpy()
    np.testing.assert_allclose(loss(x, y).item(), whole.mean(), rtol=1e-14)
    np.testing.assert_allclose(loss(x, y, "sum").item(), whole.sum(), rtol=1e-14)
    assert ag.gradcheck(loss, (x, y))
    with pytest.raises(ValueError, match="expected reduction 'mean', 'sum' or 'none', got 'max'"):
        loss(x, y, "max")


def test_l1_at_equal_values():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    F.l1_loss(x, ag.tensor([1.0, 3.0])).backward()
    assert x.grad.tolist() == [0.0, -0.5]


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.BCEWithLogitsLoss()], ids=repr)
def test_hard_case_134_losses_never_broadcast(loss):
    for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((2, 3), (3,)), ((), (1,))):
        with pytest.raises(ValueError, match=r"expected .*shape"):
            loss(ag.zeros(a), ag.zeros(b))
    with pytest.raises(ValueError, match="mse_loss: expected a target of the input's shape"):
        nn.MSELoss()(ag.zeros(3), 0.0)


def test_modules_pass_their_options_on():
    logits, classes = ag.randn(5, 3), ag.randint(3, size=(5,))
    weight = ag.tensor([1.0, 2.0, 0.5])
    loss = nn.CrossEntropyLoss(weight=weight, ignore_index=1, reduction="sum", label_smoothing=0.1)
    expected = F.cross_entropy(logits, classes, weight, 1, "sum", 0.1)
    assert loss(logits, classes).item() == expected.item()
    assert list(loss.state_dict()) == ["weight"]
    nll = nn.NLLLoss([1.0, 2.0, 0.5])
    assert nll(ag.log_softmax(logits), classes).item() == pytest.approx(
        F.cross_entropy(logits, classes, weight).item(), rel=1e-5
    )
    binary = nn.BCEWithLogitsLoss(pos_weight=[2.0, 1.0, 1.0], reduction="none")
    target = ag.rand(5, 3)
    np.testing.assert_array_equal(
        binary(logits, target),
        F.binary_cross_entropy_with_logits(logits, target, reduction="none", pos_weight=ag.tensor([2.0, 1.0, 1.0])),
    )
    for make in (nn.MSELoss, nn.L1Loss, nn.NLLLoss, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss):
        with pytest.raises(ValueError, match=f"{make.__name__}: expected reduction"):
            make(reduction="max")
    with pytest.raises(ValueError, match="label_smoothing between 0 and 1"):
        nn.CrossEntropyLoss(label_smoothing=2.0)


def test_every_function_is_documented():
    for name in F.__all__:
        assert getattr(F, name).__doc__, name
