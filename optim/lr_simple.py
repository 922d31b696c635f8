"""Learning rates that follow a formula of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from optim.checks import as_whole, check_option, check_share
from optim.lr_base import LRFunction, LRScheduler, check_optimizer, per_group, value_at, whole_milestones
from optim.optimizer import Optimizer


def _functions(name: str, optimizer: Optimizer, lr_lambda: Any) -> list[LRFunction]:
    check_optimizer(name, optimizer)
    functions = per_group("lr_lambda", optimizer, lr_lambda)
    for function in functions:
        if not callable(function):
            raise TypeError(f"lr_lambda: expected a function of the step, got {type(function).__name__}")
    return functions


class LambdaLR(LRScheduler):
    """lr = base_lr f(t).

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or a list of one for each group.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: LRFunction | Sequence[LRFunction], last_epoch: int = -1) -> None:
        self.lr_lambdas = _functions(type(self).__name__, optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the first rates."""
        return [
            base * value_at("lr_lambda", f, self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(LRScheduler):
    """lr = lr f(t), from t = 1 on.

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or a list of one for each group.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: LRFunction | Sequence[LRFunction], last_epoch: int = -1) -> None:
        self.lr_lambdas = _functions(type(self).__name__, optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        if self._initial:
            return self._rates
        self._check_groups()
        return [rate * value_at("lr_lambda", f, self.last_epoch) for f, rate in zip(self.lr_lambdas, self._rates, strict=True)]


class StepLR(LRScheduler):
    """lr = lr gamma after every ``step_size`` steps.

    Args:
        optimizer: whose rates are set.
        step_size: steps between two changes.
        gamma: the factor.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_option("gamma", gamma, 0.0)
        self.step_size, self.gamma = as_whole("step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        turn = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma) if turn else self._rates

    def closed_form(self) -> list[float]:
        """base_lr gamma**(t // step_size)."""
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr = lr gamma at each milestone.

    Args:
        optimizer: whose rates are set.
        milestones: steps; one that is there twice counts twice.
        gamma: the factor.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_option("gamma", gamma, 0.0)
        self.milestones, self.gamma = Counter(whole_milestones(milestones)), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        count = self.milestones.get(self.last_epoch, 0)
        return self._scaled(self.gamma**count) if count else self._rates

    def closed_form(self) -> list[float]:
        """base_lr gamma**(milestones passed)."""
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """lr = base_lr factor for ``total_iters`` steps, then base_lr.

    Args:
        optimizer: whose rates are set.
        factor: in (0, 1].
        total_iters: steps; 0 only where the factor is 1.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3.0, total_iters: int = 5, last_epoch: int = -1) -> None:
        check_share("factor", factor, zero=False)
        self.factor, self.total_iters = factor, as_whole("total_iters", total_iters, 0 if factor == 1.0 else 1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor) if self.last_epoch == self.total_iters else self._rates

    def closed_form(self) -> list[float]:
        """base_lr factor, or base_lr."""
        return [base * (self.factor if self.last_epoch < self.total_iters else 1.0) for base in self.base_lrs]


class LinearLR(LRScheduler):
    """lr = base_lr (start_factor + (end_factor - start_factor) t / total_iters), then base_lr end_factor.

    Args:
        optimizer: whose rates are set.
        start_factor: in (0, 1].
        end_factor: in [0, 1].
        total_iters: steps.
        last_epoch: -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_share("start_factor", start_factor, zero=False)
        check_share("end_factor", end_factor)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, as_whole("total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        t, rise = self.last_epoch, self.end_factor - self.start_factor
        if t == 0:
            return self._scaled(self.start_factor)
        if self._initial or t > self.total_iters:
            return self._rates
        # an end_factor of 0 may be missed by a rounding, and a rate is never below 0
        return self._scaled(max(0.0, 1.0 + rise / (self.total_iters * self.start_factor + (t - 1) * rise)))

    def closed_form(self) -> list[float]:
        """As in the formula."""
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * (self.start_factor + (self.end_factor - self.start_factor) * share) for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """lr = base_lr gamma**t.

    Args:
        optimizer: whose rates are set.
        gamma: the factor of a step.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_option("gamma", gamma, 0.0)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        return self._rates if self._initial else self._scaled(self.gamma)

    def closed_form(self) -> list[float]:
        """As in the formula."""
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """lr = base_lr (1 - t / total_iters)**power, then 0.

    Args:
        optimizer: whose rates are set.
        total_iters: steps until 0.
        power: of the polynomial.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        check_option("power", power, 0.0)
        self.total_iters, self.power = as_whole("total_iters", total_iters), power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before."""
        t, n = self.last_epoch, self.total_iters
        if self._initial or t > n:
            return self._rates
        return self._scaled(((1.0 - t / n) / (1.0 - (t - 1) / n)) ** self.power)

    def closed_form(self) -> list[float]:
        """As in the formula."""
        n = self.total_iters
        return [base * (1.0 - min(n, self.last_epoch) / n) ** self.power for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi t / T_max)) / 2 (Loshchilov and Hutter, 2017, without restarts).

    Args:
        optimizer: whose rates are set.
        T_max: steps until eta_min; then the rate rises again.
        eta_min: the least rate.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_option("eta_min", eta_min, 0.0)
        self.T_max, self.eta_min = as_whole("T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the rates before, as that allows chaining."""
        t, half = self.last_epoch, self.T_max
        if self._initial:
            return self._rates
        if (t - 1 - half) % (2 * half) == 0:  # the rate before was eta_min: there is nothing to scale
            self._check_groups()
            rise = (1.0 - math.cos(math.pi / half)) / 2.0
            return [rate + (base - self.eta_min) * rise for rate, base in zip(self._rates, self.base_lrs, strict=True)]
        factor = (1.0 + math.cos(math.pi * t / half)) / (1.0 + math.cos(math.pi * (t - 1) / half))
        return [factor * (rate - self.eta_min) + self.eta_min for rate in self._rates]

    def closed_form(self) -> list[float]:
        """As in the formula."""
        share = (1.0 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2.0
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]
