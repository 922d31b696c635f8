"""No engine: forward and backward written out by hand in NumPy, the floor for what is built on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.engines import CannotRunError, Case
from benchmarks.engines._by_hand import cross_entropy, transformer
from benchmarks.engines._updates import updater
from benchmarks.workloads import Arrays, Problem, linear_names

Backward = Callable[[], Arrays]


class ByHand(Case):
    """A function that returns the loss and a closure for the gradients by name."""

    def __init__(self, problem: Problem, run: Callable[[Arrays, Problem], tuple[float, Backward]]) -> None:
        self.problem = problem
        self.run = run
        self.parameters = {name: array.copy() for name, array in problem.parameters.items()}
        self.optimizer = updater(problem.optimizer, list(self.parameters.values()))
        self.loss = 0.0
        self.gradients: Arrays = {}
        self.back: Backward = dict

    def forward(self) -> None:
        self.loss, self.back = self.run(self.parameters, self.problem)

    def backward(self) -> None:
        self.gradients = self.back()

    def update(self) -> None:
        if self.optimizer is not None:
            self.optimizer.update(list(self.parameters.values()), [self.gradients[name] for name in self.parameters])

    def digest(self) -> list[float]:
        names = list(self.parameters)[:4]
        return [float(self.loss), *(float(np.abs(self.gradients[name]).sum(dtype=np.float64)) for name in names)]


def mlp(p: Arrays, problem: Problem) -> tuple[float, Backward]:
    """Linear layers with relu between them, and softmax cross entropy."""
    names = linear_names(problem.sizes["widths"])
    inputs = [problem.data["x"]]
    for name in names:
        h = inputs[-1] @ p[f"{name}.weight"].T
        h += p[f"{name}.bias"]
        if name is not names[-1]:
            np.maximum(h, 0, out=h)
        inputs.append(h)
    loss, back = cross_entropy(inputs.pop(), problem.data["target"])

    def backward() -> Arrays:
        g = back()
        gradients: Arrays = {}
        for name, h in zip(reversed(names), reversed(inputs), strict=True):
            gradients[f"{name}.weight"] = g.T @ h
            gradients[f"{name}.bias"] = g.sum(0)
            if name is not names[0]:
                g = g @ p[f"{name}.weight"]
                g *= h > 0
        return gradients

    return loss, backward


def lstm(p: Arrays, problem: Problem) -> tuple[float, Backward]:
    """All input projections in one product, then the steps; on the way back the weights' gradients in one product too."""
    x = problem.data["x"]
    w_ih, w_hh = p["layer.weight_ih_l0"], p["layer.weight_hh_l0"]
    steps, batch, inputs = x.shape
    m = problem.sizes["hidden"]
    gates = (x.reshape(steps * batch, inputs) @ w_ih.T).reshape(steps, batch, 4 * m)
    gates += p["layer.bias_ih_l0"] + p["layer.bias_hh_l0"]
    h = np.zeros((steps + 1, batch, m), np.float32)
    c = np.zeros((steps + 1, batch, m), np.float32)
    tanh_c = np.empty((steps, batch, m), np.float32)
    for t in range(steps):
        a = gates[t]
        a += h[t] @ w_hh.T
        logistic = np.s_[:, : 2 * m], np.s_[:, 3 * m :]
        for part in logistic:  # 1 / (1 + exp(-a)), as tanh: (1 + tanh(a / 2)) / 2
            s = a[part]
            s *= 0.5
            np.tanh(s, out=s)
            s *= 0.5
            s += 0.5
        np.tanh(a[:, 2 * m : 3 * m], out=a[:, 2 * m : 3 * m])
        np.multiply(a[:, m : 2 * m], c[t], out=c[t + 1])
        c[t + 1] += a[:, :m] * a[:, 2 * m : 3 * m]
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(a[:, 3 * m :], tanh_c[t], out=h[t + 1])
    logits = h[-1] @ p["head.weight"].T + p["head.bias"]
    loss, back = cross_entropy(logits, problem.data["target"])

    def backward() -> Arrays:
        g = back()
        gradients = {"head.weight": g.T @ h[-1], "head.bias": g.sum(0)}
        dh = g @ p["head.weight"]
        dc = np.zeros((batch, m), np.float32)
        da = np.empty_like(gates)
        for t in reversed(range(steps)):
            i, f, n, o = (gates[t, :, k * m : (k + 1) * m] for k in range(4))
            d = da[t]
            dc += dh * o * (1 - tanh_c[t] * tanh_c[t])
            d[:, :m] = dc * n * i * (1 - i)
            d[:, m : 2 * m] = dc * c[t] * f * (1 - f)
            d[:, 2 * m : 3 * m] = dc * i * (1 - n * n)
            d[:, 3 * m :] = dh * tanh_c[t] * o * (1 - o)
            dc *= f
            if t:
                dh = d @ w_hh
        flat = da.reshape(steps * batch, 4 * m)
        gradients["layer.weight_ih_l0"] = flat.T @ x.reshape(steps * batch, inputs)
        gradients["layer.weight_hh_l0"] = flat.T @ h[:-1].reshape(steps * batch, m)
        gradients["layer.bias_ih_l0"] = flat.sum(0)
        gradients["layer.bias_hh_l0"] = gradients["layer.bias_ih_l0"]
        return gradients

    return loss, backward


RUNS: dict[str, Callable[[Arrays, Problem], tuple[float, Backward]]] = {"mlp": mlp, "lstm": lstm, "transformer": transformer}


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def build(problem: Problem) -> Case:
    run: Any = RUNS.get(problem.family)
    if run is None:
        raise CannotRunError(problem.family)
    return ByHand(problem, run)
