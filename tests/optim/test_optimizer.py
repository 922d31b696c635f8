"""The base of the optimizers: groups, options, state, and what a step does to a graph."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd as ag
import nn
import optim

KINDS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.1),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def parameters(seed=0):
    rng = np.random.default_rng(seed)
    return [nn.Parameter(rng.normal(size=shape)) for shape in ((3, 2), (2,), ())]


def loss_of(params):
    w, b, c = params
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    return ((ag.tanh(x @ w + b) - c) ** 2).sum()


def run(optimizer, params, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()
    return [p.detach().numpy().copy() for p in params]


@every_kind
def test_the_loss_goes_down_and_everything_changes(make):
    params = parameters()
    before = loss_of(params).item()
    start = [p.detach().numpy().copy() for p in params]
    end = run(make(params), params, 30)
    assert loss_of(params).item() < 0.2 * before
    assert all(np.any(a != b) for a, b in zip(start, end, strict=True))


@every_kind
def test_hard_case_153_a_saved_state_goes_on_bit_for_bit(make):
    params = parameters()
    optimizer = make(params)
    run(optimizer, params, 5)
    saved, values = optimizer.state_dict(), [p.detach().numpy().copy() for p in params]
    kept = copy.deepcopy(saved)
    expected = run(optimizer, params, 5)
    others = [nn.Parameter(value) for value in values]
    other = make(others)
    other.load_state_dict(saved)
    for a, b in zip(run(other, others, 5), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for number, state in saved["state"].items():  # a copy: neither run changed it
        for name, value in state.items():
            np.testing.assert_array_equal(value, kept["state"][number][name])


@every_kind
def test_hard_case_153_states_are_checked_when_they_are_loaded(make):
    params = parameters()
    optimizer = make(params)
    run(optimizer, params, 2)
    before = copy.deepcopy(optimizer.state_dict())
    wrong_shape = copy.deepcopy(before)
    name = next(key for key, value in wrong_shape["state"][0].items() if isinstance(value, np.ndarray))
    wrong_shape["state"][0][name] = np.zeros((2, 3))
    wrong_count = make(params[:2]).state_dict()
    stray = copy.deepcopy(before)
    stray["state"][7] = {}
    for state, message in (
        (wrong_shape, r"of shape \(3, 2\) for parameter 0, got \(2, 3\)"),
        (wrong_count, "the same parameter groups"),
        (stray, "expected parameters below 3, got 7"),
        ({"state": {}}, "expected 'state' and 'param_groups'"),
        ([], "expected 'state' and 'param_groups'"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_array_equal(after["state"][0][name], before["state"][0][name])


@every_kind
def test_parameters_without_gradient_are_skipped(make):
    params = parameters()
    optimizer = make(params)
    still = params[1].detach().numpy().copy()
    for _ in range(3):
        optimizer.zero_grad()
        (params[0].sum() + params[2]).backward()
        optimizer.step()
    np.testing.assert_array_equal(params[1].detach(), still)
    assert params[1] not in optimizer.state


@every_kind
def test_hard_case_086_a_step_before_backward_is_noticed(make):
    params = parameters()
    optimizer = make(params)
    loss_of(params).backward()
    late = (params[0] ** 2).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        late.backward()


@every_kind
def test_steps_are_not_recorded_and_gradients_stay(make):
    params = parameters()
    optimizer = make(params)
    loss_of(params).backward()
    gradients = [p.grad.numpy().copy() for p in params]
    optimizer.step()
    assert all(p.is_leaf and p.requires_grad for p in params)
    for p, g in zip(params, gradients, strict=True):
        np.testing.assert_array_equal(p.grad, g)


@every_kind
def test_dtypes_are_kept(make):
    for dtype in (np.float32, np.float64):
        p = nn.Parameter(np.ones(4, dtype))
        optimizer = make([p])
        (p * p).sum().backward()
        optimizer.step()
        assert p.dtype == dtype
        assert all(v.dtype == dtype for v in optimizer.state[p].values() if isinstance(v, np.ndarray))


def test_hard_case_152_wrong_parameters():
    p = nn.Parameter([1.0])
    exhausted = iter([p])
    next(exhausted)
    for params, error, message in (
        (p, TypeError, "expected an iterable of tensors or dicts, got a single Tensor"),
        ([], ValueError, "expected at least one parameter, got none"),
        (exhausted, ValueError, "expected at least one parameter, got none"),
        ([p, p], ValueError, "there twice"),
        ([{"params": [p]}, {"params": p}], ValueError, "there twice"),
        ([p * 2], ValueError, "expected leaf tensors"),
        ([1.0], TypeError, "expected Tensors, got float"),
        ([{"lr": 1.0}], TypeError, "expected a dict with 'params'"),
        ([{"params": [p], "speed": 1.0}], ValueError, "expected options among .*, got 'speed'"),
        ([{"params": [p], "lr": -1.0}], ValueError, r"lr: expected a value in \[0"),
    ):
        with pytest.raises(error, match=message):
            optim.SGD(params, lr=0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: optim.SGD(p, lr=-0.1), "lr"),
        (lambda p: optim.SGD(p, lr=float("nan")), "lr"),
        (lambda p: optim.SGD(p, momentum=-1), "momentum"),
        (lambda p: optim.SGD(p, weight_decay=-1), "weight_decay"),
        (lambda p: optim.Adam(p, lr=-1), "lr"),
        (lambda p: optim.Adam(p, betas=(1.0, 0.9)), "beta1"),
        (lambda p: optim.Adam(p, betas=(0.9, 1.0)), "beta2"),
        (lambda p: optim.Adam(p, eps=-1), "eps"),
        (lambda p: optim.AdamW(p, weight_decay=-1), "weight_decay"),
        (lambda p: optim.SGD(p, nesterov=True), "nesterov: expected momentum > 0 and dampening 0"),
        (lambda p: optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True), "nesterov"),
    ],
)
def test_hard_case_152_wrong_options(make, message):
    with pytest.raises(ValueError, match=message):
        make([nn.Parameter([1.0])])


def test_groups_have_options_of_their_own():
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([{"params": [p]}, {"params": iter([q]), "lr": 0.5}], lr=0.1)
    (p + q).sum().backward()
    optimizer.step()
    assert p.item() == pytest.approx(0.9)
    assert q.item() == pytest.approx(0.5)
    r = nn.Parameter([1.0])
    optimizer.add_param_group({"params": r, "lr": 1.0})
    with pytest.raises(ValueError, match="there twice"):
        optimizer.add_param_group({"params": [r]})
    optimizer.zero_grad()
    assert p.grad is None
    (p + q + r).sum().backward()
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert p.item() == pytest.approx(0.9)
    assert r.item() == pytest.approx(0.0)


def test_closure_and_zero_grad():
    p = nn.Parameter([2.0])
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad(set_to_none=False)
        loss = (p * p).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == pytest.approx(1.6)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    assert "SGD(lr=0.1" in repr(optimizer)
