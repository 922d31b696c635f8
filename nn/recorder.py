"""What happens inside a model while it is trained: losses, gradients, updates and activations, noted at little cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, is_grad_enabled
from autograd.graph import HookHandle
from nn.module import Module

Array = NDArray[Any]


def _sampled(array: Array, most: int) -> Array:
    """Up to ``most`` elements, evenly spread; a copy, since the array itself may be large, and may change."""
    flat = array.reshape(-1)
    return flat[:: -(-flat.size // most) or 1].astype(np.float32)


def _rms(array: Array) -> float:
    """The root of the mean square; in float64 where float32 overflows or vanishes.

    Not by BLAS, whose threads wait for each other for milliseconds where the cores are busy.
    """
    if not array.size:
        return 0.0
    flat = array.reshape(-1)
    if flat.dtype.itemsize >= 4:
        total = float(np.einsum("i,i", flat, flat))
        if 1e-30 < total < math.inf:
            return math.sqrt(total / flat.size)
    return math.sqrt(float(np.sum(np.square(flat, dtype=np.float64))) / flat.size)


class Recorder:
    """Watches a model during training; ``nn.plot`` draws what it saw.

    Call :meth:`step` once in each training step, between ``loss.backward()`` and ``optimizer.step()``. Every loss is kept; once
    in ``every`` steps, gradients, weights, updates and activations are looked at. ``python -m benchmarks.pictures`` measures
    that it costs less than 5 % of a step.

    Args:
        model: what is trained.
        every: look inside once in so many steps, first at the first.
        sample: so many values at most are kept of an array, for histograms.

    Attributes:
        losses: of each step.
        steps: the numbers of the steps at which it looked inside, from 0.
        gradients: for each parameter, the rms of its gradient at these steps; None where it had none.
        weights: likewise the rms of its values.
        updates: likewise rms(update) / rms(weight) of the update that followed; known from the next step on.
        gradient_samples: up to ``sample`` values of each parameter's gradient at the last of these steps.
        activations: likewise of the output of each innermost module.
        layers: the class of each innermost module.

    Raises:
        TypeError, ValueError: for anything but a Module, and for counts below 1.

    Example:
        >>> import autograd as ag, nn, optim
        >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> recorder = nn.Recorder(model, every=2)
        >>> for _ in range(5):
        ...     optimizer.zero_grad()
        ...     loss = model(ag.ones(4, 2)).square().mean()
        ...     loss.backward()
        ...     recorder.step(loss)
        ...     optimizer.step()
        >>> recorder.steps, len(recorder.losses), list(recorder.activations)
        ([0, 2, 4], 5, ['0', '1', '2'])
    """

    def __init__(self, model: Module, every: int = 20, sample: int = 2048) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"Recorder: expected a Module, got {type(model).__name__}")
        for name, count in (("every", every), ("sample", sample)):
            if not isinstance(count, int) or count < 1:
                raise ValueError(f"Recorder: expected {name} as a whole number of at least 1, got {count!r}")
        self.every = every
        self.sample = sample
        self.losses: list[float] = []
        self.steps: list[int] = []
        self._parameters = dict(model.named_parameters())
        self.gradients: dict[str, list[float | None]] = {name: [] for name in self._parameters}
        self.weights: dict[str, list[float]] = {name: [] for name in self._parameters}
        self.updates: dict[str, list[float]] = {name: [] for name in self._parameters}
        self.gradient_samples: dict[str, Array] = {}
        self.activations: dict[str, Array] = {}
        self._modules = {name or "model": module for name, module in model.named_modules() if not list(module.children())}
        self.layers = {name: type(module).__name__ for name, module in self._modules.items()}
        self._before: dict[str, Array] = {}
        self._outputs: dict[str, Array] = {}
        self._hooks: list[HookHandle] = []
        self._listen()

    def _listen(self) -> None:
        """Has the innermost modules hand over what they return, until the next step."""
        for name, module in self._modules.items():

            def keep(_module: Module, _arguments: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor) and output.dtype.kind == "f" and is_grad_enabled():
                    self._outputs[name] = output._data

            self._hooks.append(module.register_forward_hook(keep))

    def step(self, loss: Any = None) -> None:
        """Notes a step: the loss, and what is inside when it is time to look.

        Args:
            loss: a Tensor of one element or a number.
        """
        now = len(self.losses)
        self.losses.append(math.nan if loss is None else float(loss.item() if isinstance(loss, Tensor) else loss))
        if self._before or now % self.every == 0:
            with np.errstate(all="ignore"):  # what is not finite is what is looked for
                if self._before:
                    self._note_updates()
                if now % self.every == 0:
                    self._look(now)
        if (now + 1) % self.every == 0 and not self._hooks:
            self._listen()

    def _look(self, now: int) -> None:
        self.steps.append(now)
        for name, parameter in self._parameters.items():
            gradient = parameter.grad
            if gradient is None:
                self.gradients[name].append(None)
                self.gradient_samples.pop(name, None)
            else:
                self.gradients[name].append(_rms(gradient._data))
                self.gradient_samples[name] = _sampled(gradient._data, self.sample)
            self.weights[name].append(_rms(parameter._data))
            self._before[name] = parameter._data.copy()
        self.activations.update((name, _sampled(output, self.sample)) for name, output in self._outputs.items())
        self._outputs.clear()
        self.close()

    def _note_updates(self) -> None:
        for name, before in self._before.items():
            weight = self.weights[name][-1]
            moved = _rms(self._parameters[name]._data - before)
            self.updates[name].append(moved / weight if weight else math.nan)
        self._before.clear()

    def close(self) -> None:
        """Takes its hooks from the model; a later step would set them anew."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def __repr__(self) -> str:
        return f"<Recorder of {len(self._parameters)} parameters: {len(self.losses)} steps, {len(self.steps)} looked into>"
