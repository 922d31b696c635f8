"""Learning rates that go up and down: warm restarts, cycles, one cycle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from optim.checks import as_whole, check_choice, check_number, check_option, check_positive, check_share
from optim.lr_base import LRScheduler, Momentum, check_optimizer, numbers_per_group, value_at
from optim.optimizer import Optimizer


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, starting again after T_i steps.

    SGDR (Loshchilov and Hutter, 2017): T_i is T_0 at first, and T_mult times as long after each restart.

    Args:
        optimizer: whose rates are set.
        T_0: steps until the first restart.
        T_mult: a whole number of at least 1.
        eta_min: the least rate.
        last_epoch: -1 to begin.
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        T_0, T_mult = as_whole("T_0", T_0), as_whole("T_mult", T_mult)
        check_option("eta_min", eta_min, 0.0)
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the first rates."""
        share = (1.0 + math.cos(math.pi * self.T_cur / self.T_i)) / 2.0
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes one step further, or to ``epoch``, which may be a fraction: ``epoch + batch / batches``."""
        if epoch is not None:
            check_number("step: epoch", epoch)
            if not 0 <= epoch < math.inf:
                raise ValueError(f"step: expected an epoch of at least 0, got {epoch}")
        self._step_count += 1
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def restart(self) -> None:
        """Begins (again) at step 0."""
        self.step(0)

    def _jump(self, epoch: float) -> None:
        if self.T_mult == 1:
            self.T_i, self.T_cur = self.T_0, epoch % self.T_0
            return
        restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
        self.T_i = self.T_0 * self.T_mult**restarts
        self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)


SCALES: dict[str, tuple[str, Callable[[float, float], float]]] = {  # of (gamma, cycle or step)
    "triangular": ("cycle", lambda _gamma, _x: 1.0),
    "triangular2": ("cycle", lambda _gamma, x: 2.0 ** (1.0 - x)),
    "exp_range": ("iterations", lambda gamma, x: gamma**x),
}


class CyclicLR(LRScheduler):
    """lr = base_lr + (max_lr - base_lr) height scale, where the height goes from 0 to 1 and back (Smith, 2017).

    Momentum goes the other way, between max_momentum and base_momentum.

    Args:
        optimizer: whose rates are set.
        base_lr, max_lr: of the cycle, or lists of one for each group.
        step_size_up, step_size_down: steps of the two halves; down in 0 steps is a sawtooth.
        mode: how the height shrinks: not ("triangular"), by half a cycle ("triangular2"), or by gamma a step ("exp_range").
        gamma: see mode.
        scale_fn: a function in place of the mode's.
        scale_mode: whether scale_fn is given the number of the "cycle" (from 1) or of the step ("iterations").
        cycle_momentum: cycle momentum, or beta1, too.
        base_momentum, max_momentum: of the cycle, or lists of one for each group.
        last_epoch: -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("CyclicLR", optimizer)
        if scale_fn is None:
            check_choice("mode", mode, SCALES)
        elif not callable(scale_fn):
            raise TypeError(f"scale_fn: expected a function of the cycle or step, got {type(scale_fn).__name__}")
        check_choice("scale_mode", scale_mode, ("cycle", "iterations"))
        check_option("gamma", gamma, 0.0)
        check_positive("step_size_up", step_size_up)
        if step_size_down is not None:
            check_option("step_size_down", step_size_down, 0.0)
        base_lrs = numbers_per_group("base_lr", optimizer, base_lr)
        self.max_lrs = numbers_per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode, self.gamma, self.scale_fn = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else SCALES[mode][0]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momentum = Momentum(optimizer)
            self.base_momentums = numbers_per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = numbers_per_group("max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for index, group in enumerate(optimizer.param_groups):
                group["lr"] = base_lrs[index]
                if cycle_momentum:
                    momentum.set(group, self.max_momentums[index])
                    group["max_momentum"], group["base_momentum"] = self.max_momentums[index], self.base_momentums[index]
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _scale(self, x: float) -> float:
        return value_at("scale_fn", self.scale_fn, x) if self.scale_fn is not None else SCALES[self.mode][1](self.gamma, x)

    def get_lr(self) -> list[float]:
        """From the limits; sets the momentum too."""
        self._check_groups()
        cycle = math.floor(1.0 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1.0) / (self.step_ratio - 1.0)
        scale = self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momentum = Momentum(self.optimizer)
            groups = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in groups:
                momentum.set(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr, then down to a rate far below the first.

    The 1cycle policy (Smith and Topin, 2019). Momentum goes the other way, from max_momentum to base_momentum and back.

    Args:
        optimizer: whose rates are set.
        max_lr: the greatest rate, or a list of one for each group.
        total_steps: of the cycle; or give epochs and steps_per_epoch.
        epochs, steps_per_epoch: whose product it is then.
        pct_start: the share of steps that goes up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: cycle momentum, or beta1, too.
        base_momentum, max_momentum: of the cycle, or lists of one for each group.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last is the first / final_div_factor.
        three_phase: up, down to the first rate in as many steps, and then to the last.
        last_epoch: -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        check_share("pct_start", pct_start)
        check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
        check_positive("div_factor", div_factor)
        check_positive("final_div_factor", final_div_factor)
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        up = pct_start * self.total_steps
        # the step at which each phase ends, and the group entries between which it goes
        self.phases: list[tuple[float, str, str, str, str]] = [
            (up - 1.0, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        ]
        if three_phase:
            self.phases.append((2.0 * up - 2.0, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            self.phases.append((self.total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            self.phases.append((self.total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        if cycle_momentum:
            momentum = Momentum(optimizer)
            base_momentums = numbers_per_group("base_momentum", optimizer, base_momentum)
            max_momentums = numbers_per_group("max_momentum", optimizer, max_momentum)
        for index, (group, greatest) in enumerate(
            zip(optimizer.param_groups, numbers_per_group("max_lr", optimizer, max_lr), strict=True)
        ):
            if last_epoch == -1:
                group["initial_lr"], group["max_lr"] = greatest / div_factor, greatest
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    momentum.set(group, max_momentums[index])
                    group["max_momentum"], group["base_momentum"] = max_momentums[index], base_momentums[index]
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1.0)
        return (end - start) * share + start

    def get_lr(self) -> list[float]:
        """From the limits; sets the momentum too."""
        self._check_groups("initial_lr", "max_lr", "min_lr")
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"step: expected at most {self.total_steps} steps, the total_steps of this OneCycleLR, got {t}")
        start = 0.0
        for phase in self.phases:
            end, *names = phase
            if t <= end or phase is self.phases[-1]:
                break
            start = end
        share = (t - start) / (end - start) if end != start else 1.0
        if self.cycle_momentum:
            momentum = Momentum(self.optimizer)
            for group in self.optimizer.param_groups:
                momentum.set(group, self._between(group[names[2]], group[names[3]], share))
        return [self._between(group[names[0]], group[names[1]], share) for group in self.optimizer.param_groups]


def _total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return as_whole("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR: expected total_steps, or epochs and steps_per_epoch, got neither")
    return as_whole("epochs", epochs) * as_whole("steps_per_epoch", steps_per_epoch)
