"""Arguments of schedules that cannot be meant, and parameter groups that come too late."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim import lr_scheduler


def optimizer_of():
    return optim.SGD([{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 0.7}], lr=0.1, momentum=0.9)


def settings(optimizer):
    return [(group["lr"], group["momentum"]) for group in optimizer.param_groups]


def advance(optimizer, scheduler, steps):
    for _ in range(steps):
        optimizer.step()
        scheduler.step()


def wave(t):
    return 1.0 + 0.5 * math.sin(t / 5)


def several(s, o, count):
    return [s.StepLR(o, 1) for _ in range(count)]


NUMBERS = {
    "StepLR gamma": lambda s, o, x: s.StepLR(o, 3, gamma=x),
    "MultiStepLR gamma": lambda s, o, x: s.MultiStepLR(o, [3], gamma=x),
    "ExponentialLR gamma": lambda s, o, x: s.ExponentialLR(o, x),
    "PolynomialLR power": lambda s, o, x: s.PolynomialLR(o, 3, power=x),
    "CosineAnnealingLR eta_min": lambda s, o, x: s.CosineAnnealingLR(o, 3, eta_min=x),
    "CosineAnnealingWarmRestarts eta_min": lambda s, o, x: s.CosineAnnealingWarmRestarts(o, 3, eta_min=x),
    "ConstantLR factor": lambda s, o, x: s.ConstantLR(o, factor=x),
    "LinearLR start_factor": lambda s, o, x: s.LinearLR(o, start_factor=x),
    "LinearLR end_factor": lambda s, o, x: s.LinearLR(o, end_factor=x),
    "CyclicLR base_lr": lambda s, o, x: s.CyclicLR(o, x, 0.2),
    "CyclicLR max_lr": lambda s, o, x: s.CyclicLR(o, 0.1, [0.2, x]),
    "CyclicLR gamma": lambda s, o, x: s.CyclicLR(o, 0.1, 0.2, gamma=x),
    "CyclicLR step_size_up": lambda s, o, x: s.CyclicLR(o, 0.1, 0.2, step_size_up=x),
    "CyclicLR base_momentum": lambda s, o, x: s.CyclicLR(o, 0.1, 0.2, base_momentum=x),
    "CyclicLR max_momentum": lambda s, o, x: s.CyclicLR(o, 0.1, 0.2, max_momentum=x),
    "OneCycleLR max_lr": lambda s, o, x: s.OneCycleLR(o, x, 10),
    "OneCycleLR pct_start": lambda s, o, x: s.OneCycleLR(o, 0.1, 10, pct_start=x),
    "OneCycleLR div_factor": lambda s, o, x: s.OneCycleLR(o, 0.1, 10, div_factor=x),
    "OneCycleLR final_div_factor": lambda s, o, x: s.OneCycleLR(o, 0.1, 10, final_div_factor=x),
    "OneCycleLR base_momentum": lambda s, o, x: s.OneCycleLR(o, 0.1, 10, base_momentum=x),
    "OneCycleLR max_momentum": lambda s, o, x: s.OneCycleLR(o, 0.1, 10, max_momentum=x),
    "ReduceLROnPlateau factor": lambda s, o, x: s.ReduceLROnPlateau(o, factor=x),
    "ReduceLROnPlateau patience": lambda s, o, x: s.ReduceLROnPlateau(o, patience=x),
    "ReduceLROnPlateau cooldown": lambda s, o, x: s.ReduceLROnPlateau(o, cooldown=x),
    "ReduceLROnPlateau eps": lambda s, o, x: s.ReduceLROnPlateau(o, eps=x),
    "ReduceLROnPlateau min_lr": lambda s, o, x: s.ReduceLROnPlateau(o, min_lr=x),
    "SWALR swa_lr": lambda s, o, x: optim.SWALR(o, [0.1, x]),
}


@pytest.mark.parametrize(("name", "make"), NUMBERS.items(), ids=NUMBERS)
def test_what_must_be_a_number(name, make):
    argument, optimizer = name.split()[1], optimizer_of()
    before = settings(optimizer)
    for wrong in (None, "0.1", {}, np.ones(2)):
        with pytest.raises(TypeError, match=f"{argument}: expected a number, got "):
            make(lr_scheduler, optimizer, wrong)
    for wrong in (-0.5, math.nan):
        with pytest.raises(ValueError, match=rf"{argument}: expected a value (in [\[(]0|above 0, ).*got {wrong}"):
            make(lr_scheduler, optimizer, wrong)
    assert settings(optimizer) == before
    if "step" not in argument:
        make(lr_scheduler, optimizer, ag.tensor(0.25))


WHOLE = {
    "StepLR step_size": lambda s, o, x: s.StepLR(o, x),
    "ConstantLR total_iters": lambda s, o, x: s.ConstantLR(o, 0.5, x),
    "LinearLR total_iters": lambda s, o, x: s.LinearLR(o, total_iters=x),
    "PolynomialLR total_iters": lambda s, o, x: s.PolynomialLR(o, x),
    "CosineAnnealingLR T_max": lambda s, o, x: s.CosineAnnealingLR(o, x),
    "CosineAnnealingWarmRestarts T_0": lambda s, o, x: s.CosineAnnealingWarmRestarts(o, x),
    "CosineAnnealingWarmRestarts T_mult": lambda s, o, x: s.CosineAnnealingWarmRestarts(o, 3, x),
    "OneCycleLR total_steps": lambda s, o, x: s.OneCycleLR(o, 0.1, x),
    "OneCycleLR epochs": lambda s, o, x: s.OneCycleLR(o, 0.1, epochs=x, steps_per_epoch=2),
    "OneCycleLR steps_per_epoch": lambda s, o, x: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=x),
    "linear_warmup steps": lambda s, o, x: s.linear_warmup(o, x),
}


@pytest.mark.parametrize(("name", "make"), WHOLE.items(), ids=WHOLE)
def test_what_must_be_a_whole_number(name, make):
    expected = make(lr_scheduler, optimizer_of(), 7).state_dict()
    for seven in (np.int64(7), np.uint8(7), 7.0, np.float32(7.0), np.array(7), ag.tensor(7)):
        state = make(lr_scheduler, optimizer_of(), seven).state_dict()
        assert state == expected
        assert [type(value) for value in state.values()] == [type(value) for value in expected.values()]
    for wrong in (0, -1, 7.5, math.inf, math.nan, True, "7", [7], None):
        if wrong is None and "OneCycleLR" in name:
            continue  # one of two ways to say it was not chosen
        with pytest.raises(ValueError, match=f"{name.split()[1]}: expected a whole number of at least 1, got "):
            make(lr_scheduler, optimizer_of(), wrong)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, o: s.MultiStepLR(o, None), TypeError, r"milestones: expected a list of steps, got None; pass \[30, 80\]"),
        (lambda s, o: s.MultiStepLR(o, 30), TypeError, "milestones: expected a list of steps, got 30; pass"),
        (lambda s, o: s.MultiStepLR(o, "30"), TypeError, "milestones: expected a list of steps, got '30'; pass"),
        (lambda s, o: s.MultiStepLR(o, {30: 1}), TypeError, "milestones: expected a list of steps, got {30: 1}; pass"),
        (lambda s, o: s.MultiStepLR(o, [30, 2.5]), ValueError, r"milestones\[1\]: expected a whole number of .* 0, got 2.5"),
        (lambda s, o: s.MultiStepLR(o, [-20, 5]), ValueError, r"milestones\[0\]: expected a whole number of .* 0, got -20"),
        (lambda s, o: s.MultiStepLR(o, ["30"]), ValueError, r"milestones\[0\]: expected a whole number of .* 0, got '30'"),
        (lambda s, o: s.SequentialLR(o, several(s, o, 2), None), TypeError, "milestones: expected a list of steps, got None"),
        (lambda s, o: s.SequentialLR(o, several(s, o, 2), 5), TypeError, "milestones: expected a list of steps, got 5"),
        (lambda s, o: s.SequentialLR(o, several(s, o, 2), [1.5]), ValueError, r"milestones\[0\]: expected a whole number"),
        (lambda s, o: s.SequentialLR(o, s.StepLR(o, 1), []), TypeError, r"a list of schedulers, got StepLR; pass \[first, sec"),
        (lambda s, o: s.ChainedScheduler(s.StepLR(o, 1)), TypeError, "ChainedScheduler: expected a list of schedulers, got St"),
        (
            lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)] * 2, [3]),
            ValueError,
            "SequentialLR: expected each scheduler once, the StepLR at position 1 is there twice; make another one",
        ),
        (lambda s, o: s.ChainedScheduler([s.StepLR(o, 1)] * 2), ValueError, "expected each scheduler once, the StepLR"),
        (lambda s, o: s.SequentialLR(o, several(s, o, 1), [], None), ValueError, "last_epoch: expected a whole number"),
        (lambda s, o: s.ExponentialLR(o, 0.9, 0.1), ValueError, "last_epoch: expected a whole number of at least -1, got 0.1"),
        (lambda s, o: s.linear_warmup(o, 3, 0.1), TypeError, "linear_warmup: expected schedulers, got float at position 0"),
        (lambda s, o: s.linear_warmup(o, 3, s.ReduceLROnPlateau(o)), ValueError, "schedulers that need no metric"),
        (lambda s, o: s.ConstantLR(o, 0.0), ValueError, r"factor: expected a value in \(0, 1\], got 0.0"),
        (lambda s, o: s.LambdaLR(o, lambda t: None), TypeError, "lr_lambda: .* that returns a number, got None for step 0"),
        (
            lambda s, o: advance(o, s.MultiplicativeLR(o, lambda t: [0.5]), 1),
            TypeError,
            r"lr_lambda: expected a function that returns a number, got \[0.5\] for step 1",
        ),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, scale_fn=0.5), TypeError, "scale_fn: expected a function .*, got float"),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, scale_fn=lambda x: None), TypeError, "scale_fn: .* got None for step 1"),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode=[]), ValueError, r"mode: expected .*, got \[\]"),
        (
            lambda s, o: s.CyclicLR(o, 0.1, 0.2, scale_fn=wave, scale_mode="step"),
            ValueError,
            "scale_mode: expected 'cycle' or 'iterations', got 'step'",
        ),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, 0), ValueError, "step_size_up: expected a value above 0, got 0"),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, 5, -1), ValueError, r"step_size_down: expected a value in \[0.0, inf\), got -1"),
        (lambda s, o: s.OneCycleLR(o, 0.1, 10, div_factor=0), ValueError, "div_factor: expected a value above 0, got 0"),
        (lambda s, o: s.ReduceLROnPlateau(o, threshold=None), TypeError, "threshold: expected a number, got None"),
        (lambda s, o: s.ReduceLROnPlateau(o, threshold=math.nan), ValueError, "threshold: expected a value in .*, got nan"),
        (
            lambda s, o: s.ReduceLROnPlateau(o).step([1.0]),
            TypeError,
            r"expected a number as metric, got \[1.0\]; pass the mean of a loss, or its item\(\)",
        ),
        (lambda s, o: s.ReduceLROnPlateau(o).step("low"), TypeError, "expected a number as metric, got 'low'"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 3).step("1"), TypeError, "step: epoch: expected a number, got '1'"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 3).step(math.nan), ValueError, "an epoch of at least 0, got nan"),
    ],
)
def test_arguments_that_cannot_be_meant(make, error, message):
    with pytest.raises(error, match=message):
        make(lr_scheduler, optimizer_of())


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.LambdaLR(o, wave),
        lambda s, o: s.MultiplicativeLR(o, wave),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2),
        lambda s, o: s.OneCycleLR(o, 0.1, 10),
        lambda s, o: s.ReduceLROnPlateau(o),
        lambda s, o: s.SequentialLR(o, [], []),
        lambda s, o: s.linear_warmup(o, 3),
        lambda s, o: optim.SWALR(o, 0.1),
    ],
)
def test_a_scheduler_is_given_an_optimizer(make):
    with pytest.raises(TypeError, match="expected an Optimizer, got Linear; pass the one whose rates it is to set"):
        make(lr_scheduler, nn.Linear(1, 1))


@pytest.mark.parametrize(
    "make",
    [  # what has a rate noted for each group
        lambda s, o: s.LambdaLR(o, wave),
        lambda s, o: s.MultiplicativeLR(o, wave),
        lambda s, o: s.CosineAnnealingLR(o, 1),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 5),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2),
        lambda s, o: s.OneCycleLR(o, 0.1, 10),
        lambda s, o: optim.SWALR(o, 0.1),
    ],
)
def test_a_group_that_comes_after_the_scheduler(make):
    optimizer = optimizer_of()
    scheduler = make(lr_scheduler, optimizer)
    optimizer.add_param_group({"params": nn.Parameter([1.0])})
    message = rf"{type(scheduler).__name__}: .* 2 parameter groups for which it was made, got 3; .* after add_param_group\(\)"
    with pytest.raises(ValueError, match=message):
        advance(optimizer, scheduler, 2)


def test_a_late_group_with_all_that_the_scheduler_reads_is_taken_along():
    optimizer = optimizer_of()
    scheduler = optim.SWALR(optimizer, 0.1, anneal_epochs=2, anneal_strategy="linear")
    optimizer.add_param_group({"params": nn.Parameter([1.0]), "lr": 0.5, "swa_lr": 0.3})
    advance(optimizer, scheduler, 2)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.1, 0.3])


def test_a_group_that_comes_between_schedulers():
    optimizer, s = optimizer_of(), lr_scheduler
    first, second = several(s, optimizer, 2)
    chain = s.ChainedScheduler([first, second])
    optimizer.add_param_group({"params": nn.Parameter([1.0]), "lr": 3.0})
    advance(optimizer, first, 2)
    assert optimizer.param_groups[2]["lr"] == pytest.approx(0.03)  # a change by a factor needs no first rate
    before = settings(optimizer)
    for make in (
        lambda: s.SequentialLR(optimizer, [first, second], [3]),
        lambda: s.linear_warmup(optimizer, 3, first),
        chain.restart,
    ):
        with pytest.raises(ValueError, match=r"of all parameter groups, the one at position 2 came later; .* after add_param"):
            make()
    assert settings(optimizer) == before


def test_a_schedule_of_ones_own_gives_a_rate_to_each_group():
    class Single(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [0.1]

    with pytest.raises(ValueError, match="Single: expected get_lr to return 2 rates, one for each parameter group, got 1"):
        Single(optimizer_of())


def test_milestones_of_another_scheduler_are_counted():
    optimizer = optimizer_of()
    first = lr_scheduler.MultiStepLR(optimizer, [2, 2, 3])
    assert lr_scheduler.MultiStepLR(optimizer, first.milestones).milestones == {2: 2, 3: 1}
