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


@pytest.mark.parametrize(
    "loss",
    [
        nn.MSELoss(),
        nn.L1Loss(),
        nn.BCEWithLogitsLoss(),
        nn.BCELoss(),
        nn.SmoothL1Loss(),
        nn.HuberLoss(),
        nn.KLDivLoss(),
        nn.PoissonNLLLoss(),
        nn.HingeEmbeddingLoss(),
    ],
    ids=repr,
)
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


def test_hard_case_135_kinks_and_zeros():
    for loss in (F.huber_loss, F.smooth_l1_loss, F.l1_loss):
        x = ag.zeros(3).requires_grad_()
        loss(x, ag.zeros(3)).backward()
        assert x.grad.tolist() == [0.0, 0.0, 0.0]
    log_p = ag.tensor([-1.0, -2.0], requires_grad=True)
    divergence = F.kl_div(log_p, ag.tensor([0.0, 1.0]), "none")
    assert divergence.tolist() == [0.0, 2.0]
    divergence.sum().backward()
    assert log_p.grad.tolist() == [0.0, -1.0]
    for target, log_target in (([0.0, 1.0], False), ([-np.inf, 0.0], True)):
        log_p, q = ag.tensor([-np.inf, -2.0], requires_grad=True), ag.tensor(target, requires_grad=True)
        divergence = F.kl_div(log_p, q, "none", log_target)
        divergence.sum().backward()
        assert (divergence.tolist(), log_p.grad.tolist()) == ([0.0, 2.0], [0.0, -1.0])
        assert q.grad.tolist() == [0.0, 3.0]
    a, b = ag.zeros(1, 3).requires_grad_(), ag.zeros(1, 3).requires_grad_()
    cosine = F.cosine_similarity(a, b)
    cosine.sum().backward()
    assert (cosine.tolist(), a.grad.tolist(), b.grad.tolist()) == ([0.0], [[0.0] * 3], [[0.0] * 3])
    x = ag.zeros(1, 3, dtype=np.float64).requires_grad_()
    unit = F.normalize(x)
    assert unit.tolist() == [[0.0] * 3]
    unit.sum().backward()
    np.testing.assert_allclose(x.grad, [[1e12] * 3], rtol=1e-12)


def test_hard_case_133_probabilities_of_0_and_1():
    x = ag.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(x, ag.tensor([1.0, 0.0, 0.0, 1.0]), reduction="none")
    assert loss.tolist() == [100.0, 100.0, 0.0, 0.0]
    loss.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.tolist()[0] < -1e11
    assert x.grad.tolist()[1] > 1e11
    for wrong, y, message in (
        ([1.5], [0.0], "input between 0 and 1, got 1.5 to 1.5"),
        ([0.5], [-1.0], "target between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=f"binary_cross_entropy: expected {message}"):
            F.binary_cross_entropy(ag.tensor(wrong), ag.tensor(y))
    with pytest.raises(ValueError, match="input between 0 and 1, got nan"):
        F.binary_cross_entropy(ag.tensor([np.nan]), ag.tensor([1.0]))


TWO = [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.kl_div, F.poisson_nll_loss, F.hinge_embedding_loss]


@pytest.mark.parametrize("loss", TWO, ids=lambda loss: loss.__name__)
def test_whole_numbers_as_targets_leave_the_dtype_alone_and_as_predictions_are_refused(loss):
    x = ag.tensor([0.5, -1.0], requires_grad=True)
    whole = loss(x, ag.tensor([1, 1]))
    assert whole.dtype == np.float32
    assert whole.item() == loss(x, ag.tensor([1.0, 1.0])).item()
    whole.backward()
    assert x.grad.dtype == np.float32
    with pytest.raises(TypeError, match=f"{loss.__name__}: expected a floating input, got uint8; convert with .astype()"):
        loss(ag.tensor(np.array([1, 1], np.uint8)), ag.tensor([1.0, 1.0]))


SMOOTH = [
    (F.mse_loss, 2), (lambda x, y: F.huber_loss(x, y, delta=0.7), 2), (lambda x, y: F.smooth_l1_loss(x, y, beta=0.7), 2),
    (lambda x, y: F.kl_div(x, F.softmax(y, 1), "batchmean"), 2), (lambda x, y: F.kl_div(x, y, log_target=True), 2),
    (lambda x, y: F.poisson_nll_loss(x, np.exp(y), full=True), 2),
    (lambda x, y: F.binary_cross_entropy(F.sigmoid(x), F.sigmoid(y)), 2),
    (lambda x, y, v: F.gaussian_nll_loss(x, y, np.exp(v), full=True), 3),
    (lambda x, y, z: F.triplet_margin_loss(x, y, z, margin=5.0), 3),
    (lambda x, y: F.cosine_embedding_loss(x, y, ag.tensor([1, -1, 1]), -0.9), 2), (F.cosine_similarity, 2), (F.normalize, 1),
    (lambda x: F.multi_margin_loss(x, ag.tensor([0, 2, 3]), p=2, margin=9.0), 1),
    (lambda x, y: F.pairwise_distance(x, y), 2),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "count"), SMOOTH, ids=str)
def test_first_and_second_derivatives(loss, count):
    rng = np.random.default_rng(4)
    inputs = [ag.tensor(rng.normal(size=(3, 4))) for _ in range(count)]
    assert ag.gradcheck(loss, inputs)
    assert ag.gradgradcheck(loss, inputs)


ZEROS = ag.zeros(3, 4)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: F.huber_loss(ZEROS, ZEROS, delta=0), ValueError, "huber_loss: expected delta > 0, got 0"),
        (lambda: F.smooth_l1_loss(ZEROS, ZEROS, beta=-1), ValueError, "smooth_l1_loss: expected beta >= 0, got -1"),
        (lambda: F.kl_div(ZEROS, ZEROS, "batch"), ValueError, "kl_div: expected reduction 'mean', 'sum' or 'none', got 'batch'"),
        (lambda: F.hinge_embedding_loss(ZEROS, ZEROS), ValueError, "hinge_embedding_loss: expected targets of 1 and -1, got 0.0"),
        (lambda: F.margin_ranking_loss(ZEROS, ZEROS, ZEROS[0]), ValueError, "margin_ranking_loss: expected a target of the input's shape"),
        (lambda: F.triplet_margin_loss(ZEROS, ZEROS, ZEROS[0]), ValueError, "triplet_margin_loss: expected a target of the input's shape"),
        (lambda: nn.TripletMarginLoss(margin=0), ValueError, "TripletMarginLoss: expected margin > 0, got 0"),
        (lambda: F.cosine_embedding_loss(ZEROS, ZEROS, ZEROS), ValueError, r"expected inputs \(N, D\) and a target \(N,\), got \(3, 4\)"),
        (lambda: F.gaussian_nll_loss(ZEROS, ZEROS, ag.ones(4)), ValueError, r"expected var of shape \(3, 4\) or \(3, 1\), got \(4,\)"),
        (lambda: F.gaussian_nll_loss(ZEROS, ZEROS, -1.0), ValueError, "gaussian_nll_loss: expected no negative variance, got -1"),
        (lambda: F.multi_margin_loss(ZEROS, ag.tensor([0, 1, 4])), IndexError, "multi_margin_loss: Target 4 is out of bounds for 4 classes"),
        (lambda: F.multi_margin_loss(ZEROS, ag.tensor([0, 1, -1])), IndexError, "Target -1 is out of bounds"),
        (lambda: F.multi_margin_loss(ZEROS, ag.tensor([0.0, 1, 2])), TypeError, "expected class indices as integers, got float32"),
        (lambda: F.multi_margin_loss(ZEROS, ag.tensor([0, 1])), ValueError, r"expected scores \(N, C\) and classes \(N,\), got"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "MultiMarginLoss: expected p of 1 or 2, got 3"),
        (lambda: F.multi_margin_loss(ZEROS, ag.tensor([0, 1, 2]), weight=ag.ones(3)), ValueError, "expected a weight for each of 4 classes"),
        (lambda: F.bilinear(ZEROS, ZEROS, ag.zeros(2, 4, 3)), ValueError, r"bilinear: expected inputs \(\.\.\., I\) and \(\.\.\., J\)"),
    ],
)  # fmt: skip
def test_mistakes(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_half_precision_vectors_are_measured_in_single():
    a, b = (ag.tensor(np.full((1, 200), value, np.float16), requires_grad=True) for value in (30, -30))
    loss = F.cosine_embedding_loss(a, b, ag.tensor([1]))  # 200 * 30**2 is beyond float16
    assert (loss.dtype, loss.item()) == (np.float16, 2.0)
    loss.backward()
    assert np.isfinite(a.grad.numpy()).all()
    assert np.isfinite(b.grad.numpy()).all()


def test_the_gradient_where_a_margin_is_just_met_is_pytorchs():
    x = ag.tensor([1.0], requires_grad=True)
    F.hinge_embedding_loss(x, ag.tensor([-1])).backward()
    assert x.grad.tolist() == [-1.0]
    a, b = (ag.tensor([2.0], requires_grad=True) for _ in range(2))
    F.margin_ranking_loss(a, b, ag.tensor([1])).backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([-1.0], [1.0])
    anchor, positive, negative = (ag.tensor([[v, 0.0]], requires_grad=True) for v in (0.0, 1.0, 2.0))
    F.triplet_margin_loss(anchor, positive, negative, p=1.0, eps=0.0).backward()
    assert (positive.grad.tolist(), negative.grad.tolist()) == ([[1.0, 0.0]], [[-1.0, 0.0]])
    a, b = (ag.tensor([v], requires_grad=True) for v in ([1.0, 0.0], [0.0, 1.0]))
    F.cosine_embedding_loss(a, b, ag.tensor([-1])).backward()
    np.testing.assert_allclose(a.grad, [[0.0, 1.0]])
    x = ag.tensor([[1.0, 0.0]], requires_grad=True)
    F.multi_margin_loss(x, ag.tensor([0])).backward()
    assert x.grad.tolist() == [[0.0, 0.0]]


def test_class_weights_that_would_get_no_gradient_are_refused():
    x, weight = ag.tensor([[1.0, 2.0]], requires_grad=True), ag.tensor([1.0, 3.0], requires_grad=True)
    for loss in (F.cross_entropy, F.nll_loss, F.multi_margin_loss):
        with pytest.raises(
            ValueError, match=f"{loss.__name__}: expected class weights that require no grad, .* use weight.det"
        ):
            loss(x, ag.tensor([1]), weight=weight)
    F.cross_entropy(x, ag.tensor([[0.5, 0.5]]), weight=weight).backward()  # among probabilities, they get one
    np.testing.assert_allclose(weight.grad, -0.5 * F.log_softmax(x.detach(), 1).numpy()[0], rtol=1e-6)


def test_weights_do_not_broadcast_a_loss():
    x, y = ag.full((3,), 0.5), ag.ones(3)
    for name, loss in (("weight", F.binary_cross_entropy), ("weight", F.binary_cross_entropy_with_logits)):
        with pytest.raises(
            ValueError, match=rf"{loss.__name__}: expected a {name} that broadcasts to \(3,\), got shape \(2, 3\)"
        ):
            loss(x, y, weight=ag.ones(2, 3))
    with pytest.raises(ValueError, match=r"with_logits: expected a pos_weight that broadcasts to \(3,\), got shape \(2,\)"):
        F.binary_cross_entropy_with_logits(x, y, pos_weight=ag.ones(2))
    with pytest.raises(ValueError, match=r"triplet_margin_loss: expected vectors \(N, D\) or \(D,\), got 0-d tensors"):
        F.triplet_margin_loss(ag.tensor(1.0), ag.tensor(1.0), ag.tensor(1.0))
