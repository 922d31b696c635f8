"""Several schedules at once or one after the other, and the schedule that follows a metric."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from optim.checks import as_whole, check_choice, check_option
from optim.lr_base import LRScheduler, check_optimizer, numbers_per_group, whole_milestones
from optim.lr_simple import LinearLR
from optim.optimizer import Optimizer


def _check_members(name: str, optimizer: Optimizer, schedulers: Sequence[Any]) -> list[LRScheduler]:
    if not isinstance(schedulers, Sequence):
        raise TypeError(f"{name}: expected a list of schedulers, got {type(schedulers).__name__}; pass [first, second]")
    if not schedulers:
        raise ValueError(f"{name}: expected at least one scheduler, got none")
    for index, scheduler in enumerate(schedulers):
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(f"{name}: expected schedulers, got {type(scheduler).__name__} at position {index}")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(f"{name}: expected schedulers that need no metric, got ReduceLROnPlateau at position {index}")
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{name}: expected schedulers of one optimizer, the one at position {index} has another")
        if any(scheduler is other for other in schedulers[:index]):
            raise ValueError(
                f"{name}: expected each scheduler once, the {type(scheduler).__name__} at position {index} is there twice; "
                "make another one"
            )
    return list(schedulers)


def _begin_again(name: str, optimizer: Optimizer) -> None:
    """Gives all groups their first rates, as if no scheduler had been made."""
    for index, group in enumerate(optimizer.param_groups):
        if "initial_lr" not in group:
            raise ValueError(
                f"{name}: expected schedulers of all parameter groups, the one at position {index} came later; "
                "make the schedulers after add_param_group()"
            )
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]


class ChainedScheduler(LRScheduler):
    """Several schedulers at once: their factors are multiplied.

    Args:
        schedulers: of one optimizer.
        optimizer: theirs by default.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        owner = optimizer
        if optimizer is None and isinstance(schedulers, Sequence) and schedulers:
            owner = getattr(schedulers[0], "optimizer", None)
        self._schedulers = _check_members("ChainedScheduler", owner, schedulers)  # type: ignore[arg-type]
        self.optimizer = self._schedulers[0].optimizer
        self._last_lr = self._rates

    def step(self) -> None:
        """Goes one step further with each."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates

    def _initial_step(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins (again) with the first rates."""
        _begin_again("ChainedScheduler", self.optimizer)
        for scheduler in self._schedulers:
            scheduler.last_epoch = -1
            scheduler._initial_step()
        self._last_lr = self._rates

    def __repr__(self) -> str:
        return f"ChainedScheduler({self._schedulers})"


class SequentialLR(LRScheduler):
    """Several schedulers one after the other, each beginning at its own step 0.

    Args:
        optimizer: theirs.
        schedulers: in order.
        milestones: the steps at which the second, third, ... begin.
        last_epoch: -1 to begin.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        check_optimizer("SequentialLR", optimizer)
        self._schedulers = _check_members("SequentialLR", optimizer, schedulers)
        milestones = whole_milestones(milestones)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone less than schedulers, got {len(milestones)} for {len(schedulers)}"
            )
        if milestones != sorted(milestones):
            raise ValueError(f"SequentialLR: expected milestones in ascending order, got {milestones}")
        self.optimizer = optimizer
        self._milestones = milestones
        self.last_epoch = as_whole("last_epoch", last_epoch, -1) + 1
        _begin_again("SequentialLR", optimizer)  # what the schedulers did when they were made is undone
        _undo(self)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:
        """Goes one step further with the scheduler whose turn it is."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _initial_step(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins (again) with the first scheduler."""
        self.last_epoch = 0
        self._schedulers[0].restart()
        self._last_lr = self._schedulers[0].get_last_lr()

    def __repr__(self) -> str:
        return f"SequentialLR({self._schedulers}, milestones={self._milestones})"


def _undo(scheduler: LRScheduler) -> None:
    """Takes back the step that schedulers do when they are made."""
    if isinstance(scheduler, SequentialLR | ChainedScheduler):
        for member in scheduler._schedulers:
            _undo(member)
    else:
        scheduler.last_epoch -= 1


def linear_warmup(optimizer: Optimizer, steps: int, after: LRScheduler | None = None) -> LRScheduler:
    """lr = base_lr (t + 1) / (steps + 1) for t < steps; then base_lr, or what another scheduler makes of it from its step 0 on.

    Args:
        optimizer: whose rates are set.
        steps: of the warmup.
        after: the schedule that follows.

    Example:
        >>> import nn, optim
        >>> from optim.lr_scheduler import CosineAnnealingLR, linear_warmup
        >>> optimizer = optim.SGD([nn.Parameter([1.0])], lr=1.0)
        >>> scheduler = linear_warmup(optimizer, 3, CosineAnnealingLR(optimizer, T_max=4))
        >>> rates = []
        >>> for _ in range(7):
        ...     rates.append(round(scheduler.get_last_lr()[0], 4))
        ...     _ = optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.25, 0.5, 0.75, 1.0, 0.8536, 0.5, 0.1464]
    """
    check_optimizer("linear_warmup", optimizer)
    steps = as_whole("linear_warmup: steps", steps)
    if after is None:
        return LinearLR(optimizer, 1.0 / (steps + 1), total_iters=steps)
    _check_members("linear_warmup", optimizer, [after])
    _begin_again("linear_warmup", optimizer)  # `after` may have changed the rate that the warmup leads to
    return SequentialLR(optimizer, [LinearLR(optimizer, 1.0 / (steps + 1), total_iters=steps), after], [steps])


class ReduceLROnPlateau(LRScheduler):
    """lr = max(lr factor, min_lr) when a metric has not improved for more than ``patience`` steps.

    Args:
        optimizer: whose rates are set.
        mode: "min" or "max": what is better.
        factor: in [0, 1).
        patience: steps without improvement that are allowed.
        threshold: what counts as an improvement: by this share of the best value ("rel") or by this amount ("abs").
        threshold_mode: "rel" or "abs".
        cooldown: steps after a reduction in which nothing is counted.
        min_lr: the least rate, or a list of one for each group.
        eps: a smaller change is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer("ReduceLROnPlateau", optimizer)
        check_option("factor", factor, 0.0, 1.0)
        check_choice("mode", mode, ("min", "max"))
        check_choice("threshold_mode", threshold_mode, ("rel", "abs"))
        check_option("threshold", threshold, -math.inf)
        for name, value in (("patience", patience), ("cooldown", cooldown), ("eps", eps)):
            check_option(name, value, 0.0)
        self.optimizer = optimizer
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lrs = numbers_per_group("min_lr", optimizer, min_lr)
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self._last_lr = self._rates

    def _better(self, value: float) -> bool:
        if self.threshold_mode == "rel":
            return (
                value < self.best * (1.0 - self.threshold) if self.mode == "min" else value > self.best * (1.0 + self.threshold)
            )
        return value < self.best - self.threshold if self.mode == "min" else value > self.best + self.threshold

    def step(self, metrics: Any = None) -> None:
        """Takes in the metric of a step: a number, or a Tensor of one value."""
        if metrics is None:
            raise TypeError("ReduceLROnPlateau: expected the metric, step(metric), got none")
        try:
            value = float(metrics)
        except (TypeError, ValueError):
            raise TypeError(
                f"ReduceLROnPlateau: expected a number as metric, got {metrics!r}; pass the mean of a loss, or its item()"
            ) from None
        self.last_epoch += 1
        if self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(self.min_lrs) != len(groups):
            if len(set(self.min_lrs)) > 1:
                raise RuntimeError(
                    f"ReduceLROnPlateau: expected {len(groups)} min_lrs after a group was added, got {len(self.min_lrs)}"
                )
            self.min_lrs = self.min_lrs[:1] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            rate = max(float(group["lr"] * self.factor), least)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate
