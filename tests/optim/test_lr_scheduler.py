"""Learning-rate schedules: against PyTorch's over 200 steps, saved in the middle, and their errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim import lr_scheduler


def optimizer_of(library=optim, parameter=None, kind="SGD", **options):
    parameter = parameter or (lambda: nn.Parameter([1.0]))
    settings = {"lr": 0.1, **({"momentum": 0.9} if kind == "SGD" else {}), **options}
    return getattr(library, kind)([{"params": [parameter()]}, {"params": [parameter()], "lr": 0.7}], **settings)


def wave(t):
    return 1.0 + 0.5 * math.sin(t / 5)


CASES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, wave),
    "LambdaLR list": lambda s, o: s.LambdaLR(o, [wave, lambda t: 0.95**t]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, [lambda t: 0.98, wave]),
    "StepLR": lambda s, o: s.StepLR(o, 30, gamma=0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [10, 80, 80, 150], gamma=0.3),
    "MultiStepLR whole floats": lambda s, o: s.MultiStepLR(o, [0.5 * 60, np.float64(90), np.int64(120)], gamma=0),
    "ConstantLR of 1": lambda s, o: s.ConstantLR(o, 1.0, total_iters=0),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.25, total_iters=40),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.1, 0.9, total_iters=150),
    "LinearLR default": lambda s, o: s.LinearLR(o),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.97),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=120, power=2.5),
    "PolynomialLR of 0": lambda s, o: s.PolynomialLR(o, total_iters=np.int64(20), power=0),
    "CosineAnnealingLR up": lambda s, o: s.CosineAnnealingLR(o, T_max=np.int32(35), eta_min=1),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=35, eta_min=0.01),
    "CosineAnnealingLR long": lambda s, o: s.CosineAnnealingLR(o, T_max=300),
    "WarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 30),
    "WarmRestarts doubling": lambda s, o: s.CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=0.01),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=20),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], 15, 25, mode="triangular2"),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.2, 20, mode="exp_range", gamma=0.99, cycle_momentum=False),
    "CyclicLR sawtooth": lambda s, o: s.CyclicLR(o, 0.01, 0.2, step_size_up=20.0, step_size_down=0),
    "CyclicLR scale_fn": lambda s, o: s.CyclicLR(o, 0.01, 0.2, 20, scale_fn=wave, scale_mode="iterations"),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=210),
    "OneCycleLR to zero": lambda s, o: s.OneCycleLR(o, np.float64(0.5), 210, final_div_factor=math.inf, pct_start=0.0),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(o, [0.5, 0.9], epochs=21, steps_per_epoch=10, anneal_strategy="linear"),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=210, three_phase=True, pct_start=0.4, div_factor=10.0),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, total_iters=20), s.ExponentialLR(o, 0.98)]),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.98)], [20]),
    "SequentialLR of three": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=30), s.CosineAnnealingLR(o, 50), s.StepLR(o, 10, 0.5)], [30, 90]
    ),
    "SequentialLR with restarts": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=30), s.CosineAnnealingWarmRestarts(o, 17)], [30]
    ),
    "SequentialLR linear": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 9), s.LinearLR(o, 0.3, total_iters=30), s.PolynomialLR(o, 80)], [20, 70]
    ),
    "SequentialLR polynomial": lambda s, o: s.SequentialLR(o, [s.PolynomialLR(o, 50), s.MultiStepLR(o, [30])], [40]),
}
every_case = pytest.mark.parametrize("make", CASES.values(), ids=CASES)
every_optimizer = pytest.mark.parametrize("kind", ["SGD", "AdamW"])


def settings(optimizer):
    """What a scheduler may change: rates, and momentum or beta1."""
    found = []
    for group in optimizer.param_groups:
        found += [group["lr"], group["momentum"] if "momentum" in group else group["betas"][0]]
    return found


def advance(optimizer, scheduler, steps):
    rows = []
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rows.append(settings(optimizer))
    return rows


@every_case
@every_optimizer
def test_rates_equal_pytorchs_over_200_steps(make, kind, record, request):
    torch = pytest.importorskip("torch")
    ours = optimizer_of(kind=kind)
    theirs = optimizer_of(torch.optim, lambda: torch.nn.Parameter(torch.ones(1)), kind=kind)
    scheduler, reference = make(lr_scheduler, ours), make(torch.optim.lr_scheduler, theirs)
    assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12)
    a = np.array([settings(ours), *advance(ours, scheduler, 200)])
    b = np.array([settings(theirs), *advance(theirs, reference, 200)])
    worst = float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-3)))
    record.add("schedules vs PyTorch", request.node.callspec.id, worst)
    assert worst <= 1e-12
    assert scheduler.get_last_lr() == [group["lr"] for group in ours.param_groups]


@every_case
def test_a_saved_schedule_goes_on_bit_for_bit(make):
    optimizer = optimizer_of()
    scheduler = make(lr_scheduler, optimizer)
    advance(optimizer, scheduler, 43)
    saved, options = scheduler.state_dict(), optimizer.state_dict()
    expected = advance(optimizer, scheduler, 60)
    other = optimizer_of()
    resumed = make(lr_scheduler, other)
    other.load_state_dict(options)
    resumed.load_state_dict(saved)
    assert advance(other, resumed, 60) == expected


METRICS = [5.0, 4.0, 4.0, 4.0, 4.0, 3.9999, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.0, *([2.0] * 187)]
PLATEAUS = [
    {"patience": 2},
    {"patience": 2, "factor": 0.5, "cooldown": 3, "min_lr": [0.01, 0.02]},
    {"mode": "max", "patience": 4, "threshold": 0.01},
    {"threshold_mode": "abs", "threshold": 0.5, "patience": 1, "min_lr": 1e-3},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.5, "patience": 3, "eps": 1e-2},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateaus_equal_pytorchs(options, record):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer_of(), optimizer_of(torch.optim, lambda: torch.nn.Parameter(torch.ones(1)))
    scheduler = lr_scheduler.ReduceLROnPlateau(ours, **options)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    worst = 0.0
    for step, metric in enumerate(METRICS):
        scheduler.step(ag.tensor(metric, dtype=np.float64))
        reference.step(metric)
        if step == 20:  # saved and taken up again
            state, scheduler = scheduler.state_dict(), lr_scheduler.ReduceLROnPlateau(ours)
            scheduler.load_state_dict(state)
        worst = max(worst, *(abs(a - b) for a, b in zip(settings(ours), settings(theirs), strict=True)))
    record.add("schedules vs PyTorch", f"ReduceLROnPlateau {options}", worst)
    assert worst <= 1e-12
    assert (scheduler.best, scheduler.num_bad_epochs) == (reference.best, reference.num_bad_epochs)


def test_a_plateau_follows_new_groups():
    optimizer = optimizer_of()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    optimizer.add_param_group({"params": nn.Parameter([1.0]), "lr": 1.0})
    scheduler.step(1.0)
    scheduler.step(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.35, 0.5]
    uneven = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.1, 0.2, 0.3])
    optimizer.add_param_group({"params": nn.Parameter([1.0])})
    uneven.step(1.0)
    with pytest.raises(RuntimeError, match="expected 4 min_lrs after a group was added, got 3"):
        uneven.step(1.0)


def test_warm_restarts_jump_to_a_fraction_of_an_epoch():
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer_of(), optimizer_of(torch.optim, lambda: torch.nn.Parameter(torch.ones(1)))
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(ours, 4, T_mult=2)
    reference = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 4, T_mult=2)
    for epoch in np.arange(0, 30, 0.3):
        scheduler.step(float(epoch))
        reference.step(float(epoch))
        assert settings(ours) == pytest.approx(settings(theirs), rel=1e-12)
    with pytest.raises(ValueError, match="expected an epoch of at least 0, got -1"):
        scheduler.step(-1)


def test_linear_warmup_leads_into_another_schedule():
    optimizer = optimizer_of(lr=1.0)
    scheduler = lr_scheduler.linear_warmup(optimizer, 4, lr_scheduler.ExponentialLR(optimizer, 0.5))
    rates = [scheduler.get_last_lr()[0], *(row[0] for row in advance(optimizer, scheduler, 6))]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.25])
    alone = optimizer_of(lr=1.0)
    scheduler = lr_scheduler.linear_warmup(alone, 1)
    assert [scheduler.get_last_lr()[0], *(row[0] for row in advance(alone, scheduler, 3))] == pytest.approx([0.5, 1, 1, 1])


def test_sequences_and_chains_may_be_nested():
    optimizer = optimizer_of(lr=1.0)
    s = lr_scheduler
    inner = s.SequentialLR(optimizer, [s.ConstantLR(optimizer, 0.5, 2), s.ExponentialLR(optimizer, 0.5)], [2])
    outer = s.SequentialLR(optimizer, [s.ConstantLR(optimizer, 0.1, 3), inner], [3])
    rates = [outer.get_last_lr()[0], *(row[0] for row in advance(optimizer, outer, 7))]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.5, 0.5, 1.0, 0.5, 0.25])
    other = optimizer_of(lr=1.0)
    chain = s.ChainedScheduler([s.ConstantLR(other, 0.5, 2), s.ExponentialLR(other, 0.5)])
    both = s.SequentialLR(other, [s.ConstantLR(other, 0.1, 2), chain], [2])
    rates = [both.get_last_lr()[0], *(row[0] for row in advance(other, both, 5))]
    assert rates == pytest.approx([0.1, 0.1, 0.5, 0.25, 0.25, 0.125])
    assert "SequentialLR([" in repr(outer)
    assert "ChainedScheduler([" in repr(chain)
    assert "ConstantLR(last_epoch=" in repr(outer)


def test_a_callable_object_is_saved():
    class Decay:
        def __init__(self):
            self.calls = 0

        def __call__(self, t):
            self.calls += 1
            return 1.0 / (1.0 + self.calls)

    optimizer = optimizer_of()
    scheduler = lr_scheduler.LambdaLR(optimizer, Decay())
    advance(optimizer, scheduler, 3)
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [{"calls": 8}, {"calls": 8}]
    other = lr_scheduler.LambdaLR(optimizer_of(), Decay())
    other.load_state_dict(state)
    assert other.lr_lambdas[0].calls == 8


def test_resuming_by_last_epoch():
    optimizer = optimizer_of()
    with pytest.raises(KeyError, match="expected 'initial_lr' in parameter group 0 for last_epoch=5"):
        lr_scheduler.StepLR(optimizer, 3, last_epoch=5)
    scheduler = lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    advance(optimizer, scheduler, 5)
    again = lr_scheduler.StepLR(optimizer, 3, gamma=0.5, last_epoch=4)
    assert again.last_epoch == 5
    assert again.get_last_lr() == scheduler.get_last_lr()


def test_the_wrong_order_is_noticed():
    optimizer = optimizer_of()
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"StepLR: step\(\) was called before optimizer.step\(\)"):
        scheduler.step()


def test_states_are_checked():
    optimizer = optimizer_of()
    s = lr_scheduler
    step, exponential = s.StepLR(optimizer, 3), s.ExponentialLR(optimizer, 0.9)
    with pytest.raises(ValueError, match="expected the state of a StepLR, got more or less: step_size"):
        step.load_state_dict(exponential.state_dict())
    with pytest.raises(ValueError, match="expected a dict, got list"):
        step.load_state_dict([])
    two = s.SequentialLR(optimizer, [step, exponential], [3])
    before = two.state_dict()
    wrong = {**before, "_schedulers": before["_schedulers"][::-1]}
    with pytest.raises(ValueError, match="expected the state of a StepLR"):
        two.load_state_dict(wrong)
    with pytest.raises(ValueError, match="expected 2 schedulers, got 1"):
        two.load_state_dict({**before, "_schedulers": before["_schedulers"][:1]})
    assert two.state_dict() == before


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, o: s.StepLR(o, 0), ValueError, "step_size: expected a whole number of at least 1, got 0"),
        (lambda s, o: s.StepLR([], 1), TypeError, "StepLR: expected an Optimizer, got list"),
        (lambda s, o: s.LambdaLR(o, 0.5), TypeError, "lr_lambda: expected a function of the step, got float"),
        (lambda s, o: s.LambdaLR(o, [wave]), ValueError, "lr_lambda: expected 2 values, one for each parameter group, got 1"),
        (lambda s, o: s.ConstantLR(o, 2.0), ValueError, r"factor: expected a value in \(0, 1\], got 2.0"),
        (lambda s, o: s.LinearLR(o, 0.0), ValueError, r"start_factor: expected a value in \(0, 1\], got 0.0"),
        (lambda s, o: s.LinearLR(o, 0.5, 2.0), ValueError, r"end_factor: expected a value in \[0, 1\], got 2.0"),
        (lambda s, o: s.PolynomialLR(o, 0), ValueError, "total_iters: expected a whole number"),
        (lambda s, o: s.CosineAnnealingLR(o, 0), ValueError, "T_max: expected a whole number"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 1.5), ValueError, "T_0: expected a whole number of at least 1, got 1.5"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 0), ValueError, "T_mult: expected a whole number"),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="zigzag"), ValueError, "mode: expected 'triangular' or .*, got 'zigzag'"),
        (lambda s, o: s.OneCycleLR(o, 0.1), ValueError, "expected total_steps, or epochs and steps_per_epoch, got neither"),
        (lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=2.0), ValueError, r"pct_start: expected a value in \[0, 1\], got 2.0"),
        (lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="x"), ValueError, "anneal_strategy: expected 'cos' or 'linear'"),
        (lambda s, o: s.ChainedScheduler([]), ValueError, "ChainedScheduler: expected at least one scheduler, got none"),
        (lambda s, o: s.ChainedScheduler([1]), TypeError, "expected schedulers, got int at position 0"),
        (lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), ValueError, "got ReduceLROnPlateau at position 0"),
        (lambda s, o: s.ChainedScheduler([s.StepLR(optimizer_of(), 1)], o), ValueError, "expected schedulers of one optimizer"),
        (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [1]), ValueError, "one milestone less than schedulers, got 1 for 1"),
        (
            lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1) for _ in range(3)], [5, 3]),
            ValueError,
            r"in ascending order, got \[5, 3\]",
        ),
        (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), ValueError, r"factor: expected a value in \[0.0, 1.0\), got 1.0"),
        (lambda s, o: s.ReduceLROnPlateau(o, mode="up"), ValueError, "mode: expected 'min' or 'max', got 'up'"),
        (
            lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
            ValueError,
            "threshold_mode: expected 'rel' or 'abs', got 'x'",
        ),
        (lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr: expected 2 values"),
        (lambda s, o: s.ReduceLROnPlateau(o).step(), TypeError, r"expected the metric, step\(metric\), got none"),
        (lambda s, o: s.ReduceLROnPlateau(3), TypeError, "ReduceLROnPlateau: expected an Optimizer, got int"),
        (lambda s, o: s.linear_warmup(o, 0), ValueError, "linear_warmup: steps: expected a whole number of at least 1, got 0"),
        (lambda s, o: s.LRScheduler(o), NotImplementedError, "LRScheduler: expected a get_lr method, found none"),
    ],
)
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(lr_scheduler, optimizer_of())


def test_cycles_need_a_momentum_and_an_end():
    optimizer = optimizer_of(kind="Adagrad")
    with pytest.raises(ValueError, match="cycle_momentum: expected an optimizer with momentum or betas, got Adagrad"):
        lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3, cycle_momentum=False, pct_start=1.0 / 3.0)
    assert advance_rates(optimizer, scheduler, 3)[-1] < 1e-6
    with pytest.raises(ValueError, match="expected at most 3 steps, the total_steps of this OneCycleLR, got 4"):
        scheduler.step()


def advance_rates(optimizer, scheduler, steps):
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("total", [3, 7, 30, 100])
@pytest.mark.parametrize("start", [1.0, 0.1, 1 / 3, 0.7])
def test_a_rate_that_falls_to_zero_is_never_below_it(total, start):
    p = nn.Parameter([1.0])
    p.grad = ag.ones(1)
    optimizer = optim.SGD([p], lr=1.0)
    schedule = optim.lr_scheduler.LinearLR(optimizer, start, 0.0, total)
    for _ in range(total + 2):
        optimizer.step()
        schedule.step()
        assert optimizer.param_groups[0]["lr"] >= 0.0
    optimizer.load_state_dict(optimizer.state_dict())
