"""The base of the optimizers: groups, options, state, and what a step does to a graph."""

from __future__ import annotations

import copy
import re

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
    "nadam": lambda p: optim.NAdam(p, lr=0.1),
    "radam": lambda p: optim.RAdam(p, lr=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.1),
    "lion": lambda p: optim.Lion(p, lr=0.05),
    "lamb": lambda p: optim.LAMB(p, lr=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.02, centered=True, momentum=0.5),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.3),
    "adadelta": lambda p: optim.Adadelta(p, lr=20.0),
    "rprop": lambda p: optim.Rprop(p, lr=0.05),
    "asgd": lambda p: optim.ASGD(p, lr=0.1),
    "adafactor": lambda p: optim.Adafactor(p, lr=0.2),
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
    shape = wrong_shape["state"][0][name].shape
    wrong_shape["state"][0][name] = np.zeros((2, 3))
    stranger, odd = copy.deepcopy(before), copy.deepcopy(before)
    stranger["state"][0]["speed"] = np.zeros(shape)
    odd["param_groups"][0]["speed"] = 1.0
    wrong_count = make(params[:2]).state_dict()
    stray = copy.deepcopy(before)
    stray["state"][7] = {}
    nameless, complex_numbers = copy.deepcopy(before), copy.deepcopy(before)
    nameless["state"]["w"] = {}
    complex_numbers["state"][0][name] = np.zeros(shape, complex)
    for state, message in (
        (wrong_shape, f"expected {name} of shape {re.escape(str(shape))} for parameter 0, got " + r"\(2, 3\)"),
        (stranger, "for parameter 0, got 'speed'"),
        (odd, "expected options among .*, got 'speed'; is it the state of another optimizer than"),
        (wrong_count, r"the same parameter groups and numbers of parameters, \[3\], got \[2\]; make"),
        (stray, "expected parameters below 3, got 7"),
        (nameless, "expected parameters below 3, got 'w'"),
        (complex_numbers, f"expected real numbers as {name} of parameter 0, got complex128"),
        ({"state": {}}, "expected 'state' and 'param_groups', as .*, got state"),
        ([], "expected 'state' and 'param_groups', as .*, got list"),
        ({**before, "param_groups": 3}, "expected 'param_groups' to be a list of dicts with 'params'"),
        ({**before, "param_groups": [{}]}, "expected 'param_groups' to be a list of dicts with 'params'"),
        ({**before, "state": []}, "expected 'state' to be a dict of dicts"),
        ({**before, "state": {0: 1.0}}, "expected 'state' to be a dict of dicts"),
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
        ([p, p], ValueError, r"expected each parameter once, the one at position 1 \(shape \(1,\)\) is there twice"),
        ([{"params": [p]}, {"params": p}], ValueError, "there twice"),
        ([p * 2], ValueError, "expected leaf tensors, .* at position 0; pass what it was computed from"),
        ([1.0], TypeError, "expected Tensors, got float at position 0; pass model.parameters"),
        (nn.Linear(1, 1), TypeError, "expected an iterable of tensors or dicts, got Linear; pass model.parameters"),
        (nn.Linear(1, 1).state_dict(), TypeError, "expected an iterable of tensors or dicts, got (dict|OrderedDict); pass"),
        ({"params": [p]}, TypeError, "expected an iterable of tensors or dicts, got dict; pass"),
        ("weight", TypeError, "expected an iterable of tensors or dicts, got str; pass"),
        (None, TypeError, "expected an iterable of tensors or dicts, got NoneType; pass"),
        ({p}, TypeError, "expected an order, got a set; pass a list"),
        ([{"params": {p}}], TypeError, "expected an order, got a set; pass a list"),
        ([{"params": None}], TypeError, "expected an iterable of tensors, got NoneType; pass"),
        ([{"params": [p]}, nn.Parameter([2.0])], TypeError, "expected a dict with 'params', got Parameter"),
        ([nn.Parameter([2.0]), {"params": [p]}], TypeError, "expected a dict with 'params', got Parameter"),
        ([{"lr": 1.0}], TypeError, "expected a dict with 'params', got one with lr"),
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
        (lambda p: optim.NAdam(p, momentum_decay=-1), "momentum_decay"),
        (lambda p: optim.RAdam(p, betas=(0.9, 2.0)), "beta2"),
        (lambda p: optim.Adamax(p, eps=-1), "eps"),
        (lambda p: optim.Lion(p, weight_decay=-1), "weight_decay"),
        (lambda p: optim.LAMB(p, betas=(-0.1, 0.9)), "beta1"),
        (lambda p: optim.RMSprop(p, alpha=1.0), "alpha"),
        (lambda p: optim.Adagrad(p, lr_decay=-1), "lr_decay"),
        (lambda p: optim.Adadelta(p, rho=1.5), r"rho: expected a value in \[0, 1\], got 1.5"),
        (lambda p: optim.Rprop(p, etas=(1.0, 1.2)), r"etas: expected 0 < etas\[0\] < 1 < etas\[1\], got \(1.0, 1.2\)"),
        (lambda p: optim.ASGD(p, lr=-1), "lr"),
        (lambda p: optim.Adafactor(p, d=0.5), "d: expected"),
        (lambda p: optim.Adafactor(p, beta2_decay=0.5), "beta2_decay: expected a value of at most 0, got 0.5"),
        (lambda p: optim.Adafactor(p, eps=(-1.0, 1e-3)), "eps1"),
        (lambda p: optim.Muon(p), r"Muon: expected matrices, got a parameter of shape \(1,\); give the others to AdamW"),
        (lambda p: optim.Muon(p, ns_steps=100), "ns_steps"),
        (lambda p: optim.Muon(p, ns_coefficients=(1.0,)), "ns_coefficients: expected three numbers"),
        (lambda p: optim.Muon(p, adjust_lr_fn="x"), "adjust_lr_fn: expected 'original' or 'match_rms_adamw', got 'x'"),
        (lambda p: optim.LBFGS(p, line_search_fn="x"), "line_search_fn: expected None or 'strong_wolfe', got 'x'"),
        (lambda p: optim.LBFGS(p, max_iter=0), "max_iter"),
        (lambda p: optim.LBFGS(p).add_param_group({"params": p}), "LBFGS: expected a single parameter group"),
        (lambda p: optim.SGD(p, nesterov=True), "nesterov: expected momentum > 0 and dampening 0, got momentum 0.0 and"),
        (lambda p: optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True), "nesterov: .* got momentum 0.9 and dampening 0.1"),
        (lambda p: optim.Adam(p, betas=0.9), "betas: expected two numbers, got 0.9"),
        (lambda p: optim.AdamW(p, betas=(0.9, 0.99, 0.999)), r"betas: expected two numbers, got \(0.9, 0.99, 0.999\)"),
        (lambda p: optim.Lion(p, betas=None), "betas: expected two numbers, got None"),
        (lambda p: optim.Rprop(p, etas=0.5), "etas: expected two numbers, got 0.5"),
        (lambda p: optim.Rprop(p, step_sizes=(50.0, 1e-6)), r"step_sizes: expected 0 <= .*, got \(50.0, 1e-06\)"),
        (lambda p: optim.Adafactor(p, eps=1e-3), "eps: expected two numbers, got 0.001"),
        (lambda p: optim.Muon(p, ns_coefficients=3.0), "ns_coefficients: expected three numbers, got 3.0"),
    ],
)
def test_hard_case_152_wrong_options(make, message):
    with pytest.raises(ValueError, match=message):
        make([nn.Parameter([1.0])])


@pytest.mark.parametrize("wrong", [None, "0.1", 1j, [0.1], np.ones(2), ag.ones(1), np.array("0.1")], ids=repr)
@pytest.mark.parametrize(
    ("kind", "option"),
    [
        (optim.SGD, "lr"),
        (optim.SGD, "momentum"),
        (optim.SGD, "dampening"),
        (optim.Adam, "eps"),
        (optim.ASGD, "t0"),
        (optim.Adadelta, "rho"),
        (optim.Adafactor, "beta2_decay"),
        (optim.LBFGS, "max_iter"),
    ],
)
def test_hard_case_152_options_are_numbers(kind, option, wrong):
    with pytest.raises(TypeError, match=f"{option}: expected a number, got "):
        kind([nn.Parameter([1.0])], **{option: wrong})


@pytest.mark.parametrize("lr", [0.5, np.float32(0.5), np.float64(0.5), ag.tensor(0.5), np.array(0.5)], ids=repr)
def test_an_option_may_be_any_one_number(lr):
    p = nn.Parameter([1.0])
    p.grad = ag.ones(1)
    optim.SGD([p], lr=lr).step()
    assert p.item() == 0.5


@every_kind
@pytest.mark.parametrize(
    "number", [ag.tensor, np.array, lambda lr: ag.tensor(lr, requires_grad=True)], ids=["tensor", "array", "leaf"]
)
def test_a_rate_may_be_a_tensor_or_an_array(make, number):
    """It may also change where it is: a step takes the value that it has then."""
    params, others = parameters(), parameters()
    optimizer, other = make(params), make(others)
    rate = number(np.float64(0.25))
    other.param_groups[0]["lr"] = rate
    for lr in (0.25, 0.125):
        optimizer.param_groups[0]["lr"] = lr
        (rate if isinstance(rate, np.ndarray) else rate._data)[...] = lr
        run(optimizer, params, 2)
        run(other, others, 2)
    for p, q in zip(params, others, strict=True):
        assert type(q._data) is np.ndarray
        np.testing.assert_array_equal(p.detach(), q.detach())
    other.load_state_dict(other.state_dict())


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.LBFGS])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (None, TypeError, "lr: expected a number, got None"),
        ("0.1", TypeError, "lr: expected a number, got '0.1'"),
        (float("nan"), ValueError, r"lr: expected a value in \[0.0, inf\), got nan"),
        (-1.0, ValueError, r"lr: expected a value in \[0.0, inf\), got -1.0"),
    ],
)
def test_hard_case_152_an_option_that_is_set_in_a_group_is_checked_by_the_step(kind, later, wrong, error, message):
    p = nn.Parameter([1.0])
    optimizer = kind([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        (p * p).sum().backward()
        return (p * p).sum()

    if later:
        optimizer.step(closure)
    before = p.item()
    optimizer.param_groups[0]["lr"] = wrong
    with pytest.raises(error, match=message):
        optimizer.step(closure)
    assert p.item() == before


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


@pytest.mark.parametrize("kind", [optim.SGD, optim.LBFGS])
def test_a_loss_is_not_a_closure(kind):
    p = nn.Parameter([1.0])
    with pytest.raises(TypeError, match="step: expected a function .* as closure, got Tensor; call backward"):
        kind([p]).step((p * p).sum())


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_needs_the_loss_that_its_closure_computes(search):
    p = nn.Parameter([1.0, 2.0])
    optimizer = optim.LBFGS([p], line_search_fn=search)
    for returned, message in (
        (None, "got None; end it with return loss"),
        (p.detach(), r"got shape \(2,\)"),
        ([1.0], "got list"),
        (((p * p).sum(), p), "got tuple"),
        ("1.0", "got str"),
    ):

        def closure(returned=returned):
            optimizer.zero_grad()
            (p * p).sum().backward()
            return returned

        with pytest.raises(TypeError, match=f"LBFGS: expected a closure that returns a scalar loss, {message}"):
            optimizer.step(closure)
    assert p.tolist() == [1.0, 2.0]


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


@every_kind
def test_hard_case_153_a_state_before_the_first_step_can_be_loaded(make):
    """Also after a step that was refused: its number was there already, its arrays were not."""
    params = parameters()
    optimizer = make(params)
    for p in params:
        p.grad = ag.Tensor(np.full(p.shape, np.nan), dtype=p.dtype)
    with pytest.raises(RuntimeError, match="is not finite"):
        optimizer.step(error_if_nonfinite=True)
    saved = optimizer.state_dict()
    assert saved["state"] == {}
    optimizer.load_state_dict(saved)


@pytest.mark.parametrize(
    ("kind", "option", "on", "off"), [(optim.SGD, "momentum", 0.9, 0.0), (optim.Adam, "amsgrad", True, False)]
)
def test_hard_case_153_a_state_without_an_option_that_was_switched_off_can_be_loaded(kind, option, on, off):
    params = parameters()
    optimizer = kind(params, lr=0.1, **{option: on})
    run(optimizer, params, 2)
    optimizer.param_groups[0][option] = off
    run(optimizer, params, 2)
    others = [nn.Parameter(p.detach()) for p in params]
    other = kind(others, lr=0.1)
    other.load_state_dict(optimizer.state_dict())
    run(optimizer, params, 2)
    run(other, others, 2)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.detach(), q.detach())


@pytest.mark.parametrize("step", [-1, 2.5, float("nan"), float("inf"), "3", None, np.ones(2)], ids=repr)
def test_hard_case_153_a_step_is_a_count(step):
    params = parameters()
    optimizer = optim.Adam(params)
    run(optimizer, params, 1)
    saved = optimizer.state_dict()
    saved["state"][1]["step"] = step
    with pytest.raises(ValueError, match="load_state_dict: expected a (count|number) as step of parameter 1, got "):
        optimizer.load_state_dict(saved)
    saved["state"][1]["step"] = np.float32(1.0)  # as in PyTorch
    optimizer.load_state_dict(saved)


def test_hard_case_153_an_incomplete_state_is_refused():
    optimizer = optim.Adam([nn.Parameter([1.0])])
    state = {"step": 3, "exp_avg": np.zeros(1)}
    with pytest.raises(ValueError, match="expected 'exp_avg_sq' for parameter 0 too, got step, exp_avg"):
        optimizer.load_state_dict({"state": {0: state}, "param_groups": optimizer.state_dict()["param_groups"]})
    state = {"step": np.zeros(2), "exp_avg": np.zeros(1), "exp_avg_sq": np.zeros(1)}
    with pytest.raises(ValueError, match="expected a number as step of parameter 0"):
        optimizer.load_state_dict({"state": {0: state}, "param_groups": optimizer.state_dict()["param_groups"]})
    assert not optimizer.state


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@every_kind
def test_hard_case_151_a_step_with_a_bad_gradient_is_left_out_or_refused(make, bad):
    params = parameters()
    params[1].name = "bias"
    optimizer = make(params)
    run(optimizer, params, 3)
    values, state = [p.detach().numpy().copy() for p in params], optimizer.state_dict()
    loss_of(params).backward()
    params[1].grad = ag.Tensor(np.array([1.0, bad]))
    with pytest.raises(RuntimeError, match=r"parameter 1 'bias' \(shape \(2,\)\) is not finite; nothing was changed"):
        optimizer.step(error_if_nonfinite=True)
    with pytest.warns(RuntimeWarning, match=r"parameter 1 'bias' \(shape \(2,\)\) is not finite; the step is skipped"):
        assert optimizer.step(lambda: 5.0, skip_nonfinite=True) == 5.0
    for p, value in zip(params, values, strict=True):
        np.testing.assert_array_equal(p.detach(), value)
    np.testing.assert_equal(optimizer.state_dict(), state)
    params[1].grad = ag.Tensor(np.array([1.0, 2.0]))
    optimizer.step(error_if_nonfinite=True, skip_nonfinite=True)
    assert all(np.any(p.detach().numpy() != value) for p, value in zip(params, values, strict=True))


@every_kind
def test_hard_case_151_without_a_check_every_parameter_is_updated(make):
    """As in PyTorch: nan goes where it belongs, and no floating-point error stops the step half way."""
    params = parameters()
    optimizer = make(params)
    before = [p.detach().numpy().copy() for p in params]
    loss_of(params).backward()
    params[0].grad = ag.Tensor(np.full((3, 2), np.nan))
    with np.errstate(all="raise"):
        optimizer.step()
    assert np.any(params[1].detach().numpy() != before[1])
    assert np.any(params[2].detach().numpy() != before[2])


@every_kind
def test_hard_case_151_a_step_that_cannot_be_done_changes_nothing(make):
    params = parameters()
    optimizer = make(params)
    run(optimizer, params, 2)
    loss_of(params).backward()
    values, state = [p.detach().numpy().copy() for p in params], optimizer.state_dict()
    params[2]._data = params[2]._data.copy()
    params[2]._data.flags.writeable = False
    with pytest.raises(ValueError, match=r"that can be written to, parameter 2 \(shape \(\)\) is read-only"):
        optimizer.step()
    for p, value in zip(params, values, strict=True):
        np.testing.assert_array_equal(p.detach(), value)
    np.testing.assert_equal(optimizer.state_dict(), state)


def test_hard_case_151_an_impossible_option_changes_nothing():
    params = parameters()
    optimizer = optim.Adam([{"params": params[:2]}, {"params": params[2]}])
    run(optimizer, params, 2)
    loss_of(params).backward()
    values, state = [p.detach().numpy().copy() for p in params], optimizer.state_dict()["state"]
    optimizer.param_groups[1]["betas"] = (0.9,)
    with pytest.raises(ValueError, match=r"betas: expected two numbers, got \(0.9,\)"):
        optimizer.step()
    for p, value in zip(params, values, strict=True):
        np.testing.assert_array_equal(p.detach(), value)
    np.testing.assert_equal(optimizer.state_dict()["state"], state)


def test_hard_case_151_an_option_that_is_taken_back_is_forgotten():
    """The second pack of the group cannot take its step; the first one had a new rule by then."""
    chosen = [nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2, np.float32))]

    class Choosy(optim.SGD):
        def rule(self, group, state):
            if state.dtype == np.float32 and group["lr"] > 1.0:
                raise ValueError("too fast")
            return super().rule(group, state)

    optimizer = Choosy(chosen, lr=1.0)
    for lr in (1.0, 1.0, 2.0, 1.0):
        for p in chosen:
            p.grad = ag.Tensor(np.ones(2), dtype=p.dtype)
        optimizer.param_groups[0]["lr"] = lr
        if lr > 1.0:
            with pytest.raises(ValueError, match="too fast"):
                optimizer.step()
        else:
            optimizer.step()
    assert [p.tolist() for p in chosen] == [[-2.0, -2.0]] * 2


def test_hard_case_151_a_first_step_that_cannot_be_done_is_still_to_come():
    """The first momentum is the gradient itself, whatever the dampening: also after an attempt that failed."""
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([{"params": [p]}, {"params": [q]}], lr=1.0, momentum=0.5, dampening=0.5)
    (p + q).sum().backward()
    optimizer.param_groups[1]["lr"] = "fast"
    with pytest.raises(TypeError, match="lr: expected a number, got 'fast'"):
        optimizer.step()
    assert not optimizer.state
    optimizer.param_groups[1]["lr"] = 1.0
    optimizer.step()
    assert (p.item(), q.item()) == (0.0, 0.0)


# ------------------------------------------------------------------------------------------------ what may change


@every_kind
def test_hard_case_156_new_values_are_followed(make):
    """``p.data = array`` and a loaded state dict: the next steps go on from there."""
    params, others = parameters(), parameters()
    optimizer, other = make(params), make(others)
    for tensors, owner in ((params, optimizer), (others, other)):
        run(owner, tensors, 3)
    values = [p.detach().numpy() * 1.5 for p in params]
    for p, q, value in zip(params, others, values, strict=True):
        p.data = value  # another array
        q._data[...] = value  # the same
    run(optimizer, params, 3)
    run(other, others, 3)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.detach(), q.detach())


@every_kind
def test_hard_case_156_a_cast_module_takes_its_state_along(make):
    layer = nn.Linear(3, 2)
    optimizer = make(layer.parameters())
    x = np.linspace(-1, 1, 12).reshape(4, 3)

    def step(dtype):
        optimizer.zero_grad()
        (layer(ag.tensor(x.astype(dtype))) ** 2).sum().backward()
        optimizer.step()

    step(np.float32)
    before = copy.deepcopy(optimizer.state_dict()["state"])
    layer.double()
    step(np.float64)
    assert layer.weight.dtype == np.float64
    for state in optimizer.state.values():
        assert all(value.dtype == np.float64 for value in state.values() if isinstance(value, np.ndarray))
        assert state.get("step", 2) == 2
    assert set(before) == set(optimizer.state_dict()["state"])


def test_hard_case_156_a_new_shape_is_refused():
    p, q = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(2))
    optimizer = optim.Adam([p, q])
    (p.sum() + q.sum()).backward()
    optimizer.step()
    q.data = np.ones(5)
    (p.sum() + q.sum()).backward()
    before = p.detach().numpy().copy()
    with pytest.raises(
        ValueError, match=r"the shape with which exp_avg was made, \(2,\), got parameter 1 \(shape \(5,\)\); make a new"
    ):
        optimizer.step()
    np.testing.assert_array_equal(p.detach(), before)


def test_hard_case_156_a_replaced_parameter_is_not_followed():
    """As the docstring of Optimizer says: it goes on with the object that it was given."""
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    old = layer.weight
    layer.weight = nn.Parameter(np.ones((1, 2), np.float32))
    layer(ag.ones(1, 2)).sum().backward()
    optimizer.step()
    assert layer.weight.detach().tolist() == [[1.0, 1.0]]
    assert old.grad is None


@every_kind
def test_hard_case_154_a_shared_parameter_is_updated_once(make):
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    both = nn.Sequential(first, second)
    optimizer = make(both.parameters())
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 3
    both(ag.ones(1, 2)).sum().backward()
    optimizer.step()
    assert first.weight is second.weight
    assert optimizer.state[first.weight].get("step", 1) == 1


@every_kind
def test_groups_may_come_late_and_grow(make):
    params = parameters()
    optimizer = make(params[:1])
    loss_of(params).backward()
    optimizer.step()
    optimizer.add_param_group({"params": params[1]})
    optimizer.param_groups[0]["params"].append(params[2])
    before = [p.detach().numpy().copy() for p in params]
    optimizer.step()
    assert all(np.any(p.detach().numpy() != value) for p, value in zip(params, before, strict=True))
    del optimizer.param_groups[1]
    before = [p.detach().numpy().copy() for p in params]
    optimizer.step()
    changed = [bool(np.any(p.detach().numpy() != value)) for p, value in zip(params, before, strict=True)]
    assert changed == [True, False, True]


@every_kind
def test_views_and_borrowed_arrays_go_on_seeing_the_parameter(make):
    params = parameters()
    seen = params[0].detach().numpy()
    optimizer = make(params)
    run(optimizer, params, 2)
    np.testing.assert_array_equal(seen, params[0].detach())


@every_kind
def test_a_copy_goes_on_by_itself(make):
    params = parameters()
    optimizer = make(params)
    run(optimizer, params, 3)
    other_params, other = copy.deepcopy((params, optimizer))
    expected = run(optimizer, params, 3)
    for a, b in zip(run(other, other_params, 3), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_state_can_be_read_but_not_replaced():
    p = nn.Parameter([1.0])
    optimizer = optim.Adam([p])
    p.sum().backward()
    optimizer.step()
    assert optimizer.state[p]["step"] == 1
    with pytest.raises(TypeError, match="does not support item assignment"):
        optimizer.state[p]["step"] = 5
    optimizer.state[p]["exp_avg"][...] = 7.0  # arrays are the real ones
    assert optimizer.state_dict()["state"][0]["exp_avg"].tolist() == [7.0]


def test_an_optimizer_of_ones_own():
    class SignDescent(optim.Optimizer):
        def __init__(self, params, lr=0.01):
            super().__init__(params, {"lr": lr})

        def rule(self, group, state):
            def update(p, g, scratch):
                p -= group["lr"] * np.sign(g)

            return update

    params = parameters()
    before = [p.detach().numpy().copy() for p in params]
    optimizer = SignDescent(params, lr=0.5)
    run(optimizer, params, 1)
    for p, value in zip(params, before, strict=True):
        np.testing.assert_allclose(p.detach(), value - 0.5 * np.sign(p.grad))
    assert optimizer.state[params[0]] == {"step": 1}
    with pytest.raises(NotImplementedError, match="Optimizer: expected a rule method, found none"):
        optim.Optimizer(params, {}).step()
