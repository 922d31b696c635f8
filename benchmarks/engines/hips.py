"""HIPS autograd: gradients of functions of NumPy arrays. It has the import name of this project's engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import erf, expit, logsumexp

from autograd import grad, make_vjp
from benchmarks.engines import CannotRunError, Case
from benchmarks.engines._functional import LOSSES
from benchmarks.engines._updates import updater
from benchmarks.workloads import Problem


def _cross_entropy(logits: Any, target: Any) -> Any:
    return anp.mean(logsumexp(logits, axis=1) - logits[np.arange(len(target)), target])


def _softmax(x: Any) -> Any:
    e = anp.exp(x - anp.max(x, -1, keepdims=True))
    return e / anp.sum(e, -1, keepdims=True)


XP = SimpleNamespace(
    **{name: getattr(anp, name) for name in ("sum", "mean", "tanh", "exp", "sqrt", "reshape", "transpose", "stack")},
    relu=lambda x: anp.maximum(x, 0.0),
    sigmoid=expit,
    softmax=_softmax,
    gelu=lambda x: 0.5 * x * (1.0 + erf(x * np.float32(0.7071067811865476))),
    cross_entropy=_cross_entropy,
)


RUNS = LOSSES  # all that needs no convolution and no scatter


class Hips(Case):
    """``make_vjp`` runs forward and gives the function that runs backward."""

    def __init__(self, problem: Problem) -> None:
        loss = RUNS[problem.family]
        self.function = lambda p: loss(XP, problem.sizes, p, problem.data)
        self.parameters = {name: array.copy() for name, array in problem.parameters.items()}
        self.optimizer = updater(problem.optimizer, list(self.parameters.values()))
        self.loss: Any = None
        self.vjp: Any = None
        self.gradients: Any = None

    def forward(self) -> None:
        self.vjp, self.loss = make_vjp(self.function)(self.parameters)

    def backward(self) -> None:
        self.gradients = self.vjp(1.0)

    def update(self) -> None:
        if self.optimizer is not None:
            self.optimizer.update(list(self.parameters.values()), [self.gradients[name] for name in self.parameters])

    def digest(self) -> list[float]:
        names = list(self.parameters)[:4]
        return [float(self.loss), *(float(np.abs(self.gradients[name]).sum(dtype=np.float64)) for name in names)]


class HessianVector(Case):
    """The gradient of the inner product of the gradient with vectors."""

    def __init__(self, problem: Problem) -> None:
        loss = RUNS["hvp"]
        self.function = lambda p: loss(XP, problem.sizes, p, problem.data)
        self.parameters = dict(problem.parameters)
        vectors = {name: problem.data[f"v.{name}"] for name in self.parameters}
        gradient = grad(self.function)

        def slope(p: Any) -> Any:
            gradients = gradient(p)
            return sum(anp.sum(gradients[name] * vectors[name]) for name in vectors)

        self.product = grad(slope)
        self.loss: Any = None
        self.products: Any = None

    def forward(self) -> None:
        self.loss = self.function(self.parameters)

    def backward(self) -> None:
        self.products = self.product(self.parameters)

    def digest(self) -> list[float]:
        return [float(self.loss), *(float(np.abs(product).sum(dtype=np.float64)) for product in self.products.values())]


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"hips": version("autograd")}


def build(problem: Problem) -> Case:
    if problem.family not in RUNS:
        raise CannotRunError(problem.family)
    return HessianVector(problem) if problem.family == "hvp" else Hips(problem)
