"""MyGrad: a Tensor on NumPy with a ``backward`` method, and the layers of ``mygrad.nnet``."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu, sigmoid, softmax
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from benchmarks.engines import CannotRunError, Case
from benchmarks.engines._functional import LOSSES, linear
from benchmarks.engines._updates import updater
from benchmarks.workloads import Problem

XP = SimpleNamespace(
    **{name: getattr(mg, name) for name in ("sum", "mean", "tanh", "exp", "sqrt", "transpose", "stack", "reshape")},
    relu=relu,
    sigmoid=sigmoid,
    softmax=lambda x: softmax(x, axis=-1),
    cross_entropy=softmax_crossentropy,
)


def lenet(xp: Any, _sizes: Any, p: Any, data: Any) -> Any:
    h = data["x"]
    for name, padding in (("0", 2), ("3", 0)):
        y = conv_nd(h, p[f"{name}.weight"], stride=1, padding=padding) + p[f"{name}.bias"].reshape(1, -1, 1, 1)
        h = max_pool(xp.relu(y), (2, 2), 2)
    h = h.reshape(len(h), -1)
    for name in ("7", "9"):
        h = xp.relu(linear(xp, h, p, name))
    return xp.cross_entropy(linear(xp, h, p, "11"), data["target"])


def convnet(xp: Any, _sizes: Any, p: Any, data: Any) -> Any:
    h = data["x"]
    for conv, norm in (("0", "1"), ("4", "5")):
        y = conv_nd(h, p[f"{conv}.weight"], stride=1, padding=1)
        y = batchnorm(y, gamma=p[f"{norm}.weight"], beta=p[f"{norm}.bias"], eps=1e-5)
        h = max_pool(xp.relu(y), (2, 2), 2)
    return xp.cross_entropy(linear(xp, h.reshape(len(h), -1), p, "9"), data["target"])


# no gelu, no second derivatives
RUNS: dict[str, Callable[..., Any]] = {
    **{family: loss for family, loss in LOSSES.items() if family not in ("transformer", "hvp")},
    "lenet": lenet,
    "convnet": convnet,
}


class MyGrad(Case):
    """Tensors, and the optimizers by hand."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.function = RUNS[problem.family]
        self.parameters = {name: mg.tensor(array.copy()) for name, array in problem.parameters.items()}
        self.optimizer = updater(problem.optimizer, list(problem.parameters.values()))
        self.loss: Any = None

    def forward(self) -> None:
        for parameter in self.parameters.values():
            parameter.null_grad()
        self.loss = self.function(XP, self.problem.sizes, self.parameters, self.problem.data)

    def backward(self) -> None:
        self.loss.backward()

    def update(self) -> None:
        if self.optimizer is not None:
            tensors = list(self.parameters.values())
            self.optimizer.update([t.data for t in tensors], [t.grad for t in tensors])

    def digest(self) -> list[float]:
        tensors = list(self.parameters.values())[:4]
        return [float(self.loss), *(float(np.abs(t.grad).sum(dtype=np.float64)) for t in tensors)]


def versions() -> dict[str, str]:
    return {"mygrad": mg.__version__}


def build(problem: Problem) -> Case:
    if problem.family not in RUNS:
        raise CannotRunError(problem.family)
    return MyGrad(problem)
