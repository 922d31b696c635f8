"""Averages of a model's parameters over training; names and signatures are those of ``torch.optim.swa_utils``."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Tensor, no_grad, versions
from nn.module import Module
from optim.checks import as_whole, check_choice, check_share
from optim.lr_base import LRScheduler, check_optimizer, numbers_per_group
from optim.optimizer import Optimizer

__all__ = ["SWALR", "AveragedModel", "get_ema_avg_fn", "get_swa_avg_fn", "update_bn"]

Average = Callable[[Tensor, Tensor, int], Any]  # (average, parameter, number averaged so far) -> the new average


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average a = decay a + (1 - decay) p, for :class:`AveragedModel`.

    It starts at the first p, not at 0, so there is no bias to correct.
    """
    check_share("decay", decay)

    def average(a: Tensor, p: Tensor, _count: int) -> Any:
        return decay * a + (1.0 - decay) * p

    return average


def get_swa_avg_fn() -> Average:
    """The plain mean a = a + (p - a) / (n + 1), for :class:`AveragedModel` (Izmailov et al., 2018)."""

    def average(a: Tensor, p: Tensor, count: int) -> Any:
        return a + (p - a) / (count + 1)

    return average


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over training.

    Call ``update_parameters(model)`` after an optimizer's step (EMA) or after an epoch (SWA: stochastic weight averaging), and
    use the copy to predict. The first call copies the parameters. Batch norm's statistics belong to the model's parameters, not
    to their averages: call :func:`update_bn` at the end, or average them too with ``use_buffers=True``.

    Args:
        model: copied at once.
        avg_fn: (average, parameter, number averaged so far) to the new average; the plain mean by default.
        use_buffers: average floating buffers as well; without, buffers are copied from the model.

    Attributes:
        module: the copy; calling the AveragedModel calls it.
        n_averaged: the number of calls of update_parameters, a buffer.

    Example:
        >>> import nn
        >>> from optim.swa_utils import AveragedModel
        >>> model = nn.Linear(1, 1)
        >>> average = AveragedModel(model)
        >>> for value in (1.0, 2.0, 6.0):
        ...     _ = nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average.module.weight.item()
        3.0
    """

    n_averaged: Tensor

    def __init__(self, model: Module, avg_fn: Average | None = None, use_buffers: bool = False) -> None:
        _check_model("AveragedModel", model)
        if avg_fn is not None and not callable(avg_fn):
            raise TypeError(
                f"avg_fn: expected a function of (average, parameter, number averaged so far), got {type(avg_fn).__name__}"
            )
        super().__init__()
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(np.zeros((), np.int64)))
        self.avg_fn = get_swa_avg_fn() if avg_fn is None else avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The copy's output."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the model's parameters into the averages.

        Raises:
            TypeError: for anything but a Module, or an average that is not made of numbers; nothing has changed then.
            ValueError: for a model with other parameters, or an average of another shape; nothing has changed then.
        """
        _check_model("update_parameters", model)
        pairs = list(_pairs(self.module, model))
        count = int(self.n_averaged.item())
        values = []
        with no_grad():
            for average, current, learned in pairs:
                averaged = learned or (self.use_buffers and average.dtype.kind == "f")
                if averaged and count:
                    fresh = self.avg_fn(average.detach(), current.detach(), count)
                    values.append(_checked_average(fresh, average.shape))
                else:
                    values.append(current._data)
        for (average, _, _), value in zip(pairs, values, strict=True):
            average._data[...] = value
        self.n_averaged._data += 1
        versions.stamp_all([average._data for average, _, _ in pairs])


def _check_model(name: str, model: Any) -> None:
    if not isinstance(model, Module):
        raise TypeError(f"{name}: expected a Module, got {type(model).__name__}; pass the model itself")


def _checked_average(fresh: Any, shape: tuple[int, ...]) -> Any:
    """What avg_fn returned, as an array; to be written into an average, which would take a single number for all values."""
    value = np.asarray(fresh)
    if value.dtype.kind not in "fiub":
        raise TypeError(f"avg_fn: expected a function that returns the new average, got {type(fresh).__name__}")
    if value.shape != shape:
        raise ValueError(f"avg_fn: expected a new average of shape {shape}, as the parameter's, got {value.shape}")
    return value


def _pairs(averaged: Module, model: Module) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """Parameters, then buffers, of two models, and whether they are parameters."""
    for kind, learned in (("parameters", True), ("buffers", False)):
        for a, b in itertools.zip_longest(getattr(averaged, kind)(), getattr(model, kind)()):
            if a is None or b is None or a.shape != b.shape:
                shapes = [None if t is None else t.shape for t in (a, b)]
                raise ValueError(
                    f"update_parameters: expected {kind} like those averaged, of shape {shapes[0]}, got {shapes[1]}"
                )
            yield a, b, learned


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Computes the running statistics of all batch norm layers anew, as means over the batches of a loader.

    Args:
        loader: batches: inputs, or tuples that begin with them.
        model: run in training mode, without recording; its mode is as before then.

    Raises:
        TypeError: for anything but batches and a Module.
        ValueError: for a loader without batches, of which there are no statistics; nothing has changed then.
    """
    _check_model("update_bn: model", model)
    if not isinstance(loader, Iterable) and not hasattr(loader, "__getitem__"):
        raise TypeError(f"update_bn: loader: expected an iterable of batches, got {type(loader).__name__}")
    layers: Sequence[Any] = [
        m for m in model.modules() if getattr(m, "running_mean", None) is not None and hasattr(m, "momentum")
    ]
    if not layers:
        return
    batches = iter(loader)
    none = object()
    first = next(batches, none)
    if first is none:
        raise ValueError("update_bn: expected at least one batch, got none; was a generator used up before?")
    modes = [(module, module.training) for module in model.modules()]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches
    model.train()
    try:
        with no_grad():
            for batch in itertools.chain([first], batches):
                model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, mode in modes:
            module.training = mode


class SWALR(LRScheduler):
    """From the rate of each group to ``swa_lr`` in ``anneal_epochs`` steps, and constant then.

    Args:
        optimizer: whose rates are set.
        swa_lr: the rate at the end, or a list of one for each group.
        anneal_epochs: steps.
        anneal_strategy: "cos" or "linear".
        last_epoch: -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SWALR", optimizer)
        self.anneal_epochs, self.anneal_strategy = as_whole("anneal_epochs", anneal_epochs, 0), anneal_strategy
        check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
        for group, rate in zip(optimizer.param_groups, numbers_per_group("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1.0 - math.cos(math.pi * t)) / 2.0 if self.anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        """From the rates before: their own part is worked out, and mixed anew."""
        self._check_groups("swa_lr")
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            own = group["swa_lr"] if before == 1.0 else (group["lr"] - before * group["swa_lr"]) / (1.0 - before)
            rates.append(group["swa_lr"] * now + own * (1.0 - now))
        return rates
