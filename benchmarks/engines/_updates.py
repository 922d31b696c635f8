"""The optimizers of the training steps on plain arrays, in place, for engines that bring none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.workloads import LEARNING_RATE, MOMENTUM

Arrays = Sequence[np.ndarray]


class SGD:
    """v = m v + g, p = p - lr v, with v = g the first time."""

    def __init__(self, parameters: Arrays) -> None:
        self.velocities: list[np.ndarray] | None = None
        self.scratch = [np.empty_like(p) for p in parameters]

    def update(self, parameters: Arrays, gradients: Arrays) -> None:
        rate = LEARNING_RATE["sgd"]
        if self.velocities is None:
            self.velocities = [np.zeros_like(p) for p in parameters]
        for p, g, v, work in zip(parameters, gradients, self.velocities, self.scratch, strict=True):
            v *= MOMENTUM
            v += g
            np.multiply(v, rate, out=work)
            p -= work


class Adam:
    """m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, p = p - lr m' / (sqrt(v') + eps) with corrected m' and v'."""

    def __init__(self, parameters: Arrays) -> None:
        self.means = [np.zeros_like(p) for p in parameters]
        self.squares = [np.zeros_like(p) for p in parameters]
        self.scratch = [np.empty_like(p) for p in parameters]
        self.steps = 0

    def update(self, parameters: Arrays, gradients: Arrays) -> None:
        self.steps += 1
        b1, b2, eps = 0.9, 0.999, 1e-8
        rate = LEARNING_RATE["adam"] / (1 - b1**self.steps)
        root = 1 / math.sqrt(1 - b2**self.steps)
        for p, g, m, v, work in zip(parameters, gradients, self.means, self.squares, self.scratch, strict=True):
            m *= b1
            np.multiply(g, 1 - b1, out=work)
            m += work
            v *= b2
            np.multiply(g, g, out=work)
            work *= 1 - b2
            v += work
            np.sqrt(v, out=work)
            work *= root
            work += eps
            np.divide(m, work, out=work)
            work *= rate
            p -= work


def updater(kind: str | None, parameters: Arrays) -> SGD | Adam | None:
    """The optimizer of a problem, or None."""
    if kind is None:
        return None
    return SGD(parameters) if kind == "sgd" else Adam(parameters)
