"""What all learning-rate schedulers share."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from optim.checks import as_whole, check_option
from optim.optimizer import Optimizer

LRFunction = Callable[[int], float]


class LRScheduler:
    """Sets the learning rate of each parameter group as steps (or epochs) go by.

    Call ``step()`` after ``optimizer.step()``. Most schedulers change the rate by a factor, from what it is: several of them
    can be at work on one optimizer (see :class:`ChainedScheduler`).

    Args:
        optimizer: whose groups' "lr" is set; each group's first rate is kept there as "initial_lr".
        last_epoch: -1 to begin; to go on from a checkpoint, load a state dict.

    Attributes:
        last_epoch: the number of calls of ``step()``.
        base_lrs: the first rates.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        last_epoch = as_whole("last_epoch", last_epoch, -1)
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: expected 'initial_lr' in parameter group {index} for last_epoch={last_epoch}; "
                    "load the optimizer's state first"
                )
        self.optimizer = optimizer
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._steps_before = optimizer.steps
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._initial = True
        try:
            self.step()
        finally:
            self._initial = False

    # -------------------------------------------------------------------------------------------- rates

    def get_lr(self) -> list[float]:
        """The rate of each group at ``last_epoch``, from the rates one step before."""
        raise NotImplementedError(f"{type(self).__name__}: expected a get_lr method, found none")

    def closed_form(self) -> list[float]:
        """The rate of each group at ``last_epoch``, from the first rates."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """The rates that were set last."""
        return list(self._last_lr)

    @property
    def _rates(self) -> list[float]:
        """The rates that the groups have now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        return [rate * factor for rate in self._rates]

    def _check_groups(self, *names: str) -> None:
        """Raises ValueError if groups came or went after rates were noted for each; here, or in the groups by these names."""
        groups = self.optimizer.param_groups
        noted, now = len(self.base_lrs), len(groups)
        if noted != now and not (names and all(name in group for group in groups for name in names)):
            raise ValueError(
                f"{type(self).__name__}: expected the {noted} parameter groups for which it was made, got {now}; "
                "make the scheduler after add_param_group()"
            )

    def _set(self, rates: Sequence[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            self._check_groups()
            raise ValueError(
                f"{type(self).__name__}: expected get_lr to return {len(groups)} rates, one for each parameter group, "
                f"got {len(rates)}"
            )
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = float(rate)  # a NumPy scalar would make float32 arithmetic slower
        self._last_lr = self._rates

    def step(self) -> None:
        """Goes one step further."""
        if self._step_count == 1 and self.optimizer.steps == self._steps_before:
            warnings.warn(
                f"{type(self).__name__}: step() was called before optimizer.step(), so the first learning rate is never used; "
                "call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def restart(self) -> None:
        """Begins (again) at step 0."""
        self.last_epoch = 0
        self._set(self.closed_form())

    # -------------------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered but the optimizer; of functions only what an object that is called remembers itself."""
        return {name: _portable(value) for name, value in self.__dict__.items() if name not in ("optimizer", "_steps_before")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a saved state. Load the optimizer's state too: the current rates are there.

        Raises:
            ValueError: for the state of another kind of scheduler; nothing has changed then.
        """
        self._check_state(state_dict)
        for name, value in state_dict.items():
            self.__dict__[name] = _restored(self.__dict__[name], value)

    def _check_state(self, state_dict: Any) -> None:
        own = self.state_dict()
        if not isinstance(state_dict, dict):
            raise ValueError(f"load_state_dict: expected a dict, got {type(state_dict).__name__}")
        if set(state_dict) != set(own):
            names = ", ".join(sorted(set(own).symmetric_difference(state_dict)))
            raise ValueError(f"load_state_dict: expected the state of a {type(self).__name__}, got more or less: {names}")
        members = getattr(self, "_schedulers", [])
        if len(state_dict.get("_schedulers", [])) != len(members):
            raise ValueError(f"load_state_dict: expected {len(members)} schedulers, got {len(state_dict['_schedulers'])}")
        for member, saved in zip(members, state_dict.get("_schedulers", []), strict=True):
            member._check_state(saved)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, lr={self._last_lr})"


def _portable(value: Any) -> Any:
    if isinstance(value, LRScheduler):
        return value.state_dict()
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if callable(value):
        return None if isinstance(value, FunctionType) else copy.deepcopy(getattr(value, "__dict__", None))
    return copy.deepcopy(value)


def _restored(own: Any, saved: Any) -> Any:
    if isinstance(own, LRScheduler):
        own.load_state_dict(saved)
        return own
    if isinstance(own, list) and any(isinstance(item, LRScheduler) or callable(item) for item in own):
        return [_restored(a, b) for a, b in zip(own, saved, strict=True)]
    if callable(own):
        if saved is not None:
            own.__dict__.update(copy.deepcopy(saved))
        return own
    return copy.deepcopy(saved)


def check_optimizer(name: str, optimizer: Any) -> None:
    """Raises TypeError for anything but an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}; pass the one whose rates it is to set")


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for each parameter group: the same, or those of a list."""
    count = len(optimizer.param_groups)
    if isinstance(value, list | tuple):
        if len(value) != count:
            raise ValueError(f"{name}: expected {count} values, one for each parameter group, got {len(value)}")
        return list(value)
    return [value] * count


def numbers_per_group(name: str, optimizer: Optimizer, value: Any) -> list[float]:
    """A number of at least 0 for each parameter group: the same, or those of a list."""
    values = per_group(name, optimizer, value)
    for number in values:
        check_option(name, number, 0.0)
    return [float(number) for number in values]


def value_at(name: str, function: Callable[[Any], float], step: float) -> float:
    """The value of a user's function."""
    value = function(step)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a function that returns a number, got {value!r} for step {step}") from None


def whole_milestones(milestones: Any) -> list[int]:
    """The steps, in the order given; what cannot be a step would never come."""
    if isinstance(milestones, Counter):  # as MultiStepLR keeps them
        milestones = milestones.elements()
    try:
        steps = list(milestones) if not isinstance(milestones, str | Mapping) else None
    except TypeError:
        steps = None
    if steps is None:
        raise TypeError(f"milestones: expected a list of steps, got {milestones!r}; pass [30, 80] for steps 30 and 80")
    return [as_whole(f"milestones[{index}]", step, 0) for index, step in enumerate(steps)]


class Momentum:
    """Where an optimizer keeps its momentum: option "momentum", or the first of "betas"."""

    def __init__(self, optimizer: Optimizer) -> None:
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                "cycle_momentum: expected an optimizer with momentum or betas, "
                f"got {type(optimizer).__name__}; pass cycle_momentum=False"
            )
        self.in_betas = "betas" in optimizer.defaults

    def set(self, group: dict[str, Any], value: float) -> None:
        """Changes it in a group."""
        if self.in_betas:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value
