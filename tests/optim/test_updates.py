"""The first steps of each optimizer, against values worked out by hand; EWMA."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim import EWMA
from optim.lbfgs import cubic_minimum
from optim.matrix import orthogonalized


def steps(make, gradients, start=1.0):
    """The values of one float64 parameter after each gradient."""
    p = nn.Parameter(np.array([start]))
    optimizer = make([p])
    values = []
    for g in gradients:
        optimizer.zero_grad()
        if g is not None:
            (p * g).sum().backward()
        optimizer.step()
        values.append(p.item())
    return values


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        ([1.0], [0.900000001]),
        ([1e-8], [0.95]),
        ([0.0], [1.0]),
        ([None], [1.0]),
        ([0.5, 0.5, 0.5], [0.900000002, 0.800000004, 0.700000006]),
    ],
)
def test_hard_case_148_adam(gradients, expected):
    np.testing.assert_allclose(steps(lambda p: optim.Adam(p, lr=0.1), gradients), expected, rtol=0, atol=1e-9)


def test_hard_case_149_weight_decay():
    assert steps(lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1), [0.0])[0] == pytest.approx(0.90000001, abs=1e-9)
    assert steps(lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.1), [0.0])[0] == pytest.approx(0.99, abs=1e-15)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"momentum": 0.9}, 0.71),
        ({"momentum": 0.9, "dampening": 0.5}, 0.76),
        ({"momentum": 0.9, "nesterov": True}, 0.539),
        ({}, 0.8),
        ({"maximize": True}, 1.2),
    ],
)
def test_hard_case_150_sgd(options, expected):
    assert steps(lambda p: optim.SGD(p, lr=0.1, **options), [1.0, 1.0])[1] == pytest.approx(expected, abs=1e-12)


def test_weight_decay_of_sgd_pulls_towards_zero():
    assert steps(lambda p: optim.SGD(p, lr=0.1, weight_decay=0.5), [0.0])[0] == pytest.approx(0.95)


def test_amsgrad_never_forgets_a_large_gradient():
    plain = steps(lambda p: optim.Adam(p, lr=0.1), [10.0] + [0.1] * 30)
    ams = steps(lambda p: optim.Adam(p, lr=0.1, amsgrad=True), [10.0] + [0.1] * 30)
    assert ams[-1] > plain[-1]


def test_ewma_is_the_weighted_sum_that_it_says():
    rng = np.random.default_rng(0)
    values, beta = rng.normal(size=(20, 3)), 0.8
    raw, corrected = EWMA(beta, bias_correction=False), EWMA(beta)
    for t in range(1, 21):
        weights = (1 - beta) * beta ** np.arange(t - 1, -1, -1)
        expected = np.tensordot(weights, values[:t], 1)
        np.testing.assert_allclose(raw.update(values[t - 1]), expected, rtol=1e-12)
        np.testing.assert_allclose(corrected.update(values[t - 1]), expected / weights.sum(), rtol=1e-12)
    assert EWMA(0.9).update(5.0) == pytest.approx(5.0)  # without the correction it would be 0.5
    whole = EWMA(0.5)
    whole.update(np.array([1, 2]))
    assert whole.update(np.array([4, 5])).tolist() == [3.0, 4.0]
    kept = EWMA(0.5, bias_correction=False)
    first = kept.update(np.ones(2))
    kept.update(np.zeros(2))
    assert first.tolist() == [0.5, 0.5]  # not a view of what goes on changing
    for beta in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"EWMA: beta: expected a value in \[0.0, 1.0\), got"):
            EWMA(beta)
    with pytest.raises(ValueError, match="at least one update"):
        _ = EWMA(0.5).value


def test_ewma_is_of_one_quantity():
    average = EWMA(0.5)
    average.update(np.array([1.0, 2.0]))
    for other, shape in (([1.0, 2.0, 3.0], r"\(3,\)"), (1.0, r"\(\)"), (np.ones((2, 2)), r"\(2, 2\)")):
        with pytest.raises(ValueError, match=rf"a value of shape \(2,\), as the first one, got {shape}; make an EWMA for each"):
            average.update(other)
    for wrong in (None, "1.0", [1j, 2j]):
        with pytest.raises(TypeError, match="EWMA: expected numbers, got "):
            average.update(wrong)
        with pytest.raises(TypeError, match="EWMA: expected numbers, got "):
            EWMA(0.5).update(wrong)
        with pytest.raises(TypeError, match="EWMA: beta: expected a number, got "):
            EWMA(wrong)
    assert (average.steps, average.value.tolist()) == (1, [1.0, 2.0])
    assert average.update(ag.tensor([4, 5])).tolist() == [3.0, 4.0]


def trajectory(optimizer, p, gradients):
    values = []
    for g in gradients:
        p.grad = ag.Tensor(g)
        optimizer.step()
        values.append(p.detach().numpy().copy())
    return values


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_lion_is_the_papers_recurrence(maximize, decay, record):
    """Chen et al., 2023, algorithm 2: c = b1 m + (1 - b1) g; w = w - lr (sign(c) + decay w); m = b2 m + (1 - b2) g."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(4, 3)), rng.normal(size=(50, 4, 3))
    p = nn.Parameter(start)
    optimizer = optim.Lion([p], lr=0.01, betas=(0.8, 0.95), weight_decay=decay, maximize=maximize)
    w, m, worst = start.copy(), np.zeros((4, 3)), 0.0
    for g, value in zip(gradients, trajectory(optimizer, p, gradients), strict=True):
        g = -g if maximize else g
        c = 0.8 * m + 0.2 * g
        w = w - 0.01 * (np.sign(c) + decay * w)
        m = 0.95 * m + 0.05 * g
        worst = max(worst, float(np.max(np.abs(value - w))))
    record.add("optimizers vs the paper's recurrence", f"Lion {decay} {maximize}", worst)
    assert worst <= 1e-14


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_lamb_is_the_papers_recurrence(maximize, decay, record):
    """You et al., 2020, algorithm 2, with the identity as phi: x = x - lr norm(x) / norm(r + decay x) (r + decay x)."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(4, 3)), rng.normal(size=(50, 4, 3))
    p = nn.Parameter(start)
    optimizer = optim.LAMB([p], lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=decay, maximize=maximize)
    x, m, v, worst = start.copy(), np.zeros((4, 3)), np.zeros((4, 3)), 0.0
    for t, (g, value) in enumerate(zip(gradients, trajectory(optimizer, p, gradients), strict=True), start=1):
        g = -g if maximize else g
        m = 0.8 * m + 0.2 * g
        v = 0.95 * v + 0.05 * g * g
        r = (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-6) + decay * x
        x = x - 0.01 * np.linalg.norm(x) / np.linalg.norm(r) * r
        worst = max(worst, float(np.max(np.abs(value - x))))
    record.add("optimizers vs the paper's recurrence", f"LAMB {decay} {maximize}", worst)
    assert worst <= 1e-13


def test_lamb_moves_a_parameter_of_zeros():
    p = nn.Parameter(np.zeros(2))
    trajectory(optim.LAMB([p], lr=0.1), p, [np.array([1.0, -1.0])])
    np.testing.assert_allclose(p.detach(), [-0.1, 0.1], rtol=1e-5)


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "LAMB"])
def test_a_parameter_without_values_is_left_alone(name):
    p = nn.Parameter(np.zeros((0, 3)))
    trajectory(getattr(optim, name)([p]), p, [np.zeros((0, 3))])
    assert p.shape == (0, 3)


def test_orthogonalized_brings_singular_values_near_one():
    rng = np.random.default_rng(0)
    for shape in ((5, 3), (3, 5), (4, 4)):
        matrix = rng.normal(size=shape)
        found = orthogonalized(matrix, (3.4445, -4.7750, 2.0315), 5)
        values = np.linalg.svd(found, compute_uv=False)
        assert np.all((values > 0.6) & (values < 1.3))
        u, _, v = np.linalg.svd(matrix, full_matrices=False)
        exact = orthogonalized(matrix, (1.875, -1.25, 0.375), 40)  # these coefficients converge
        np.testing.assert_allclose(exact, u @ v, atol=1e-12)


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_hard_case_151_lbfgs_with_a_bad_first_gradient(line_search):
    p = nn.Parameter(np.array([1.0, 2.0]))
    p.name = "weight"
    optimizer = optim.LBFGS([p], line_search_fn=line_search)

    def closure():
        p.grad = ag.Tensor(np.array([1.0, np.nan]))
        return (p * p).sum()

    with pytest.raises(RuntimeError, match="the gradient of parameter 0 'weight' .* is not finite; nothing was changed"):
        optimizer.step(closure, error_if_nonfinite=True)
    with pytest.warns(RuntimeWarning, match="the step is skipped"):
        optimizer.step(closure, skip_nonfinite=True)
    assert p.tolist() == [1.0, 2.0]
    assert not optimizer.state


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_hard_case_151_without_a_check_lbfgs_takes_in_a_bad_gradient(line_search, bad):
    """As the other optimizers do, and as PyTorch does: a nan is there to be seen."""
    p = nn.Parameter(np.array([1.0, 2.0]))
    optimizer = optim.LBFGS([p], line_search_fn=line_search)

    def closure():
        p.grad = ag.Tensor(np.array([2.0, bad]))
        return (p * p).sum()

    with np.errstate(all="raise"):
        assert optimizer.step(closure).item() == 5.0
    assert np.isfinite(p.tolist()).tolist() == [True, False]


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_a_closure_of_lbfgs_computes_gradients(line_search):
    p, q = nn.Parameter(np.array([1.0, 2.0])), nn.Parameter(np.ones(3))
    optimizer = optim.LBFGS([p, q], line_search_fn=line_search)

    def forgetful():
        optimizer.zero_grad()
        return (p * p).sum()

    with pytest.raises(
        ValueError, match=r"LBFGS: expected a closure that computes gradients, .*; call loss.backward\(\) in it"
    ):
        optimizer.step(forgetful)
    assert not optimizer.state

    def closure():
        loss = forgetful()
        loss.backward()
        return loss

    optimizer.step(closure)  # q has none, which is no mistake
    assert p.tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert q.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_hard_case_151_a_line_search_turns_back_from_nan():
    p = nn.Parameter(np.array([1.5]))
    optimizer = optim.LBFGS([p], lr=100.0, max_iter=30, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = ((p - 1.0) ** 2).sum() + 0.0 * ag.log(2.0 - p).sum() - 0.0 * ag.log(p + 2.0).sum()  # nan outside (-2, 2)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert p.item() == pytest.approx(1.0, abs=1e-5)


def test_hard_case_151_an_error_in_a_line_search_leaves_the_parameters():
    p = nn.Parameter(np.array([1.5, -0.5]))
    optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe")
    calls = []

    def closure():
        calls.append(p.tolist())
        if len(calls) == 2:
            raise KeyboardInterrupt
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert calls[1] != calls[0]
    assert p.tolist() == [1.5, -0.5]


def test_lbfgs_needs_a_closure_and_checks_what_it_loads():
    p = nn.Parameter(np.ones((2, 2)))
    optimizer = optim.LBFGS([p])
    with pytest.raises(TypeError, match="LBFGS: expected a closure"):
        optimizer.step()
    saved = optimizer.state_dict()
    for state, message in (
        ({"speed": 1.0}, "expected d, t, .*, got 'speed'"),
        ({"d": np.zeros(3)}, r"expected d of shape \(4,\), got \(3,\)"),
        ({"old_dirs": [np.zeros(4), np.zeros((2, 2))]}, r"expected old_dirs of shape \(4,\), got \(2, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict({**saved, "state": {0: state}})
    with pytest.raises(ValueError, match="expected 'state' and 'param_groups'"):
        optimizer.load_state_dict([])
    p._data.flags.writeable = False
    with pytest.raises(ValueError, match="that can be written to, parameter 0"):
        optimizer.step(lambda: 1.0)


def test_lbfgs_at_the_minimum_and_without_parameters_values():
    for value in (np.zeros(2), np.zeros(0)):
        p = nn.Parameter(value)
        optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe")

        def closure(p=p):
            p.grad = None
            loss = (p * p).sum()
            loss.backward()
            return loss

        assert optimizer.step(closure).item() == 0.0
        assert p.detach().numpy().tolist() == value.tolist()


def test_a_cubic_has_its_minimum_between():
    assert cubic_minimum(0.0, 0.0, -1.0, 2.0, 0.0, 1.0) == pytest.approx(1.0)
    assert cubic_minimum(2.0, 0.0, 1.0, 0.0, 0.0, -1.0) == pytest.approx(1.0)
    assert cubic_minimum(0.0, 0.0, -1.0, 1.0, -1.0, -1.0) == 0.5  # a straight line: the middle
    assert cubic_minimum(1.0, 0.0, -1.0, 1.0, -1.0, -1.0, (0.0, 4.0)) == 2.0  # one point
    assert cubic_minimum(0.0, 1.0, -1.0, 1.0, np.inf, np.nan) == 0.5
    assert cubic_minimum(0.0, 0.0, -1.0, 2.0, 0.0, 1.0, (1.5, 4.0)) == 1.5
