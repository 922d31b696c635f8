"""50 steps of each optimizer against PyTorch's, over a table of options.

Runs where PyTorch is installed (``pip install -e ".[test,parity]"``).
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim.lbfgs import strong_wolfe

torch = pytest.importorskip("torch")

TABLE = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.05, "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.8, 0.95), "momentum_decay": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("NAdam", {"maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adamax", {"maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "maximize": True, "eps": 1e-3}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adagrad", {"maximize": True, "eps": 1e-3}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
    ("Adadelta", {"maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.4, 1.3), "step_sizes": (1e-3, 0.1)}),
    ("Rprop", {"maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 10.0, "weight_decay": 0.1}),
    ("ASGD", {"maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 1e-2), "d": 2.0, "weight_decay": 0.1}),
    ("Adafactor", {"maximize": True}),
    ("Muon", {}),
    ("Muon", {"lr": 0.1, "weight_decay": 0.3, "momentum": 0.8, "nesterov": False}),
    ("Muon", {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5)}),
]
SHAPES = [(4, 3), (3,), (), (0,), (1, 2), (2, 3, 4)]
MATRICES = [(4, 3), (3, 4), (2, 2), (1, 5), (6, 1), (0, 2)]
PRECISION = [(np.float64, 1e-12), (np.float32, 1e-6)]
every_precision = pytest.mark.parametrize(("dtype", "tolerance"), PRECISION, ids=["f64", "f32"])
every_row = pytest.mark.parametrize(("name", "options"), TABLE, ids=[f"{name}-{options}" for name, options in TABLE])


@pytest.fixture
def precise(monkeypatch):
    """PyTorch with the scalars of NAdam and ASGD in float64, as here, and with Muon in the parameters' dtype, not bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor.clone())
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def parameters(name, dtype, rng):
    shapes = MATRICES[:-1] if name == "Muon" else SHAPES
    if name == "Adafactor":  # PyTorch divides by zero for an empty parameter
        shapes = [shape for shape in shapes if 0 not in shape]
    values = [np.asarray(rng.normal(size=shape)).astype(dtype) for shape in shapes]
    return [nn.Parameter(value) for value in values], [torch.nn.Parameter(torch.tensor(value)) for value in values]


def groups(params):
    return [{"params": params[:2]}, {"params": params[2:], "lr": 0.02}]


def give_gradients(step, ours, theirs, rng):
    """The same random gradients to both; now and then zero, or None for some."""
    for index, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        g = np.asarray(rng.normal(size=p.shape)).astype(p.dtype) * (step != 20)
        skipped = (step + index) % 7 == 3
        p.grad = None if skipped else ag.Tensor(g)
        q.grad = None if skipped else torch.tensor(g)


def difference(ours, theirs):
    worst = 0.0
    for p, q in zip(ours, theirs, strict=True):
        expected = q.detach().numpy()
        gap = np.abs(p.detach().numpy() - expected) / np.maximum(np.abs(expected), 1.0)
        worst = max(worst, float(np.max(gap, initial=0.0)))
    return worst


@every_precision
@every_row
def test_trajectories_equal_pytorchs(name, options, dtype, tolerance, record, precise):
    rng = np.random.default_rng(0)
    ours, theirs = parameters(name, dtype, rng)
    optimizer = getattr(optim, name)(groups(ours), **options)
    reference = getattr(torch.optim, name)(groups(theirs), **options)
    worst = 0.0
    for step in range(50):
        give_gradients(step, ours, theirs, rng)
        optimizer.step()
        reference.step()
        worst = max(worst, difference(ours, theirs))
    record.add(f"optimizers vs PyTorch {np.dtype(dtype).name}", f"{name} {options}", worst)
    assert worst <= tolerance


@every_row
def test_hard_case_153_pytorchs_state_goes_on_here(name, options, precise):
    """State entries have PyTorch's names and meaning: 10 steps there, then 10 steps in both from the same state."""
    rng = np.random.default_rng(1)
    ours, theirs = parameters(name, np.float64, rng)
    optimizer = getattr(optim, name)(groups(ours), **options)
    reference = getattr(torch.optim, name)(groups(theirs), **options)
    for step in range(10):
        give_gradients(step, ours, theirs, rng)
        reference.step()
    for p, q in zip(ours, theirs, strict=True):
        p.data = q.detach().numpy()
    saved = reference.state_dict()
    optimizer.load_state_dict(
        {
            "state": {
                number: {key: None if value is None else np.asarray(value) for key, value in state.items()}
                for number, state in saved["state"].items()
            },
            "param_groups": saved["param_groups"],
        }
    )
    for step in range(10, 20):
        give_gradients(step, ours, theirs, rng)
        optimizer.step()
        reference.step()
    assert difference(ours, theirs) <= 1e-12


@every_row
def test_hard_case_153_a_save_in_the_middle_goes_on_bit_for_bit(name, options):
    rng = np.random.default_rng(2)
    ours, theirs = parameters(name, np.float32, rng)
    optimizer = getattr(optim, name)(groups(ours), **options)
    for step in range(25):
        give_gradients(step, ours, theirs, rng)
        optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    others = [nn.Parameter(p.detach()) for p in ours]
    other = getattr(optim, name)(groups(others), lr=0.5)
    other.load_state_dict(saved)
    for step in range(25, 50):
        give_gradients(step, ours, theirs, rng)
        for p, q in zip(ours, others, strict=True):
            q.grad = p.grad
        optimizer.step()
        other.step()
    for p, q in zip(ours, others, strict=True):
        np.testing.assert_array_equal(p.detach(), q.detach())


FIRST = dict(reversed(TABLE))  # the first row of each optimizer


@pytest.mark.parametrize("name", sorted(FIRST))
def test_training_by_closures_equals_pytorchs(name, record, precise):
    """Both libraries' own gradients of a small network: the same weights and losses after 50 steps."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    weights = [rng.normal(size=shape) * 0.5 for shape in ((3, 4), (4, 2))]
    ours, theirs = [nn.Parameter(w) for w in weights], [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    optimizer = getattr(optim, name)(ours, **FIRST[name])
    reference = getattr(torch.optim, name)(theirs, **FIRST[name])

    def closure(owner, params, x, y, tanh):
        def call():
            owner.zero_grad()
            loss = ((tanh(x @ params[0]) @ params[1] - y) ** 2).mean()
            loss.backward()
            return loss

        return call

    mine = closure(optimizer, ours, ag.tensor(x), ag.tensor(y), ag.tanh)
    other = closure(reference, theirs, torch.tensor(x), torch.tensor(y), torch.tanh)
    worst = 0.0
    for _ in range(50):
        a, b = optimizer.step(mine), reference.step(other)
        worst = max(worst, difference(ours, theirs), abs(a.item() - b.item()))
    record.add("training by closures vs PyTorch", name, worst)
    assert worst <= 1e-10


LBFGS = [
    {"max_iter": 5},
    {"lr": 0.1, "max_iter": 4, "history_size": 3},
    {"max_iter": 5, "line_search_fn": "strong_wolfe"},
    {"max_iter": 10, "history_size": 2, "line_search_fn": "strong_wolfe", "lr": 0.5},
    {"max_iter": 5, "lr": 0.01, "line_search_fn": "strong_wolfe"},
    {"max_iter": 6, "max_eval": 3, "line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-3, "tolerance_change": 1e-4},
]


def rosenbrock(p, q):
    """In 2 + 3 variables, the second parameter as a matrix."""
    return (100 * (p[1:] - p[:-1] ** 2) ** 2).sum() + ((1 - p) ** 2).sum() + ((q * q - p[0]) ** 2).sum() + 0.1 * (q**4).sum()


@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs_equals_pytorchs(options, record):
    """From the same closure: losses, numbers of evaluations, parameters. Rounding grows along a curved path, so only the first
    two steps (of up to 20 iterations) are held to 1e-10, and three more to 1e-6."""
    start = [np.array([-1.2, 1.0]), np.array([[0.5, -0.3, 0.8]])]
    ours = [nn.Parameter(value) for value in start]
    theirs = [torch.nn.Parameter(torch.tensor(value)) for value in start]
    optimizer, reference = optim.LBFGS(ours, **options), torch.optim.LBFGS(theirs, **options)

    def closure(params, owner):
        def call():
            owner.zero_grad()
            loss = rosenbrock(*params)
            loss.backward()
            return loss

        return call

    worst = 0.0
    for step in range(5):
        a, b = optimizer.step(closure(ours, optimizer)), reference.step(closure(theirs, reference))
        if step < 2:
            worst = max(worst, difference(ours, theirs), abs(a.item() - b.item()) / max(1.0, abs(b.item())))
            assert optimizer.state[ours[0]]["func_evals"] == reference.state[theirs[0]]["func_evals"]
        assert a.item() == pytest.approx(b.item(), rel=1e-6, abs=1e-9)
    record.add("LBFGS vs PyTorch, 2 steps of up to 20 iterations", str(options), worst)
    assert worst <= 1e-10


def test_hard_case_153_lbfgs_goes_on_bit_for_bit():
    start = [np.array([-1.2, 1.0]), np.array([[0.5, -0.3, 0.8]])]
    runs = []
    for interrupted in (False, True):
        params = [nn.Parameter(value) for value in start]
        optimizer = optim.LBFGS(params, max_iter=4, history_size=3, line_search_fn="strong_wolfe")

        def closure(params=params):
            for p in params:
                p.grad = None
            loss = rosenbrock(*params)
            loss.backward()
            return loss

        for step in range(6):
            if interrupted and step == 3:
                saved = optimizer.state_dict()
                optimizer = optim.LBFGS(params)
                optimizer.load_state_dict(saved)
            optimizer.step(closure)
        runs.append([p.detach().numpy().copy() for p in params])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_line_searches_equal_pytorchs(record):
    """On 300 random curves with several valleys, first steps from 1e-4 to 100: the same points, tried as often."""
    from torch.optim.lbfgs import _strong_wolfe

    rng = np.random.default_rng(0)
    worst, most = 0.0, 0
    for _ in range(300):
        a, b, c = rng.normal(), rng.uniform(1.0, 6.0), rng.uniform(0.01, 1.0)
        curve = lambda x, a=a, b=b, c=c: np.sin(b * x + a) + c * (x - 1.0) ** 2
        slope = lambda x, a=a, b=b, c=c: b * np.cos(b * x + a) + 2.0 * c * (x - 1.0)
        x0, first = rng.normal(scale=2.0), 10.0 ** rng.uniform(-4.0, 2.0)
        d, f, g = -slope(x0), curve(x0), slope(x0)
        limit = int(rng.integers(1, 25))
        along = lambda t, x0=x0, d=d: (float(curve(x0 + t * d)), np.array([slope(x0 + t * d)]))
        value, gradient, t, calls = strong_wolfe(along, first, np.array([d]), f, np.array([g]), g * d, most=limit)
        expected, their_gradient, their_t, their_calls = _strong_wolfe(
            lambda x, t, d: (along(float(t))[0], torch.tensor(along(float(t))[1])),
            None,
            first,
            torch.tensor([d]),
            f,
            torch.tensor([g]),
            torch.tensor(g * d),
            max_ls=limit,
        )
        assert calls == their_calls
        worst = max(worst, abs(t - float(their_t)) / max(1.0, abs(t)), abs(value - expected))
        worst = max(worst, abs(gradient.item() - their_gradient.item()))
        most = max(most, calls)
    record.add("line searches vs PyTorch", "300 curves", worst)
    assert worst <= 1e-9
    assert most > 8
