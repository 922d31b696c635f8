"""Each optimizer comes down to a stated loss in a stated number of steps, on three problems.

A convex quadratic of 10 variables and condition 100; Rosenbrock's function, from (-1.5, 2), with the settings of
``examples.optimizers``; and a regularised logistic regression on scikit-learn's breast-cancer data (569 real samples of 30
features). Learning rates fall linearly to a hundredth.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim.lr_scheduler import LinearLR

# options, steps, and the loss: 129.9 at the start, 0 at best
QUADRATIC = {
    "SGD": ({"lr": 0.01, "momentum": 0.9}, 200, 1e-7),
    "ASGD": ({"lr": 0.019, "lambd": 0.0}, 600, 1e-4),
    "Rprop": ({"lr": 0.03}, 200, 1e-8),
    "Adagrad": ({"lr": 1.0}, 200, 1e-2),
    "RMSprop": ({"lr": 0.1}, 600, 1e-8),
    "Adadelta": ({"lr": 30.0}, 200, 1e-5),
    "Adam": ({"lr": 1.0}, 200, 1e-6),
    "AdamW": ({"lr": 1.0, "weight_decay": 0.0}, 200, 1e-6),
    "Adamax": ({"lr": 1.0}, 200, 1e-5),
    "NAdam": ({"lr": 1.0}, 200, 1e-8),
    "RAdam": ({"lr": 0.03, "betas": (0.9, 0.99)}, 200, 1.0),
    "Lion": ({"lr": 0.1}, 200, 1e-2),
    "LAMB": ({"lr": 1.0}, 200, 1e-6),
    "Adafactor": ({"lr": 0.3}, 200, 1e-2),
    "Muon": ({"lr": 0.1, "weight_decay": 0.0}, 200, 1e-3),
    "LBFGS": ({"line_search_fn": "strong_wolfe"}, 10, 1e-8),
}
# steps and options are the example's: 12.5 at the start, 0 at best
ROSENBROCK = {
    "SGD": 1e-5,
    "ASGD": 0.05,
    "Rprop": 0.02,
    "Adagrad": 0.05,
    "RMSprop": 1e-3,
    "Adadelta": 0.02,
    "Adam": 1e-3,
    "AdamW": 0.01,
    "Adamax": 1e-3,
    "NAdam": 0.02,
    "RAdam": 0.5,
    "Lion": 1e-3,
    "LAMB": 0.01,
    "Adafactor": 0.01,
    "Muon": 1e-3,
    "LBFGS": 1e-8,
}
# options and steps: 0.6931 at the start, 0.06811 at best
LOGISTIC = {
    "SGD": ({"lr": 3.0, "momentum": 0.9}, 100, 0.070),
    "ASGD": ({"lr": 3.0, "lambd": 0.0}, 100, 0.072),
    "Rprop": ({"lr": 0.03}, 100, 0.069),
    "Adagrad": ({"lr": 1.0}, 100, 0.072),
    "RMSprop": ({"lr": 0.3}, 100, 0.070),
    "Adadelta": ({"lr": 30.0}, 100, 0.072),
    "Adam": ({"lr": 1.0}, 100, 0.070),
    "AdamW": ({"lr": 1.0, "weight_decay": 0.0}, 100, 0.070),
    "Adamax": ({"lr": 0.3}, 200, 0.075),
    "NAdam": ({"lr": 1.0}, 100, 0.069),
    "RAdam": ({"lr": 1.0}, 100, 0.073),
    "Lion": ({"lr": 0.3}, 100, 0.075),
    "LAMB": ({"lr": 0.1}, 100, 0.070),
    "Adafactor": ({"lr": 3.0}, 100, 0.077),
    "Muon": ({"lr": 0.3, "weight_decay": 0.0}, 100, 0.070),
    "LBFGS": ({"line_search_fn": "strong_wolfe"}, 5, 0.0682),
}


def descend(name, options, steps, params, loss_of):
    """The loss after some steps."""
    optimizer = getattr(optim, name)(params, **options)
    scheduler = LinearLR(optimizer, 1.0, 0.01 if "lr" in options else 1.0, total_iters=steps)

    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        scheduler.step()
    return loss_of().item()


@functools.cache
def breast_cancer():
    datasets = pytest.importorskip("sklearn.datasets")
    data = datasets.load_breast_cancer()
    features = (data.data - data.data.mean(0)) / data.data.std(0)
    return ag.tensor(features), ag.tensor(data.target[:, None].astype(np.float64))


def every(table):
    return pytest.mark.parametrize(("name", "settings"), table.items(), ids=table)


def test_all_optimizers_are_here():
    names = {name for name in optim.__all__ if isinstance(getattr(optim, name), type)}
    optimizers = {name for name in names if issubclass(getattr(optim, name), optim.Optimizer)} - {"Optimizer"}
    assert optimizers == set(QUADRATIC) == set(ROSENBROCK) == set(LOGISTIC)


@every(QUADRATIC)
def test_a_quadratic(name, settings):
    options, steps, bound = settings
    directions, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))
    A = ag.tensor(directions @ np.diag(np.logspace(0, 2, 10)) @ directions.T)
    p = nn.Parameter(np.ones((10, 1)))
    assert descend(name, options, steps, [p], lambda: 0.5 * (p * (A @ p)).sum()) <= bound


@every(ROSENBROCK)
def test_rosenbrock(name, settings):
    optimizers = pytest.importorskip("examples.optimizers")
    found = optimizers.descend(name, *optimizers.SETTINGS[name])
    assert found.values[0] == pytest.approx(12.5)
    assert found.values[-1] <= settings


@every(LOGISTIC)
def test_a_logistic_regression(name, settings):
    options, steps, bound = settings
    x, y = breast_cancer()
    w, b = nn.Parameter(np.zeros((30, 1))), nn.Parameter(np.zeros((1, 1)))

    def loss_of():
        return nn.functional.binary_cross_entropy_with_logits(x @ w + b, y) + 1e-3 * (w * w).sum()

    assert loss_of().item() == pytest.approx(np.log(2.0))
    assert descend(name, options, steps, [w, b], loss_of) <= bound
    right = (x @ w.detach() + b.detach()).numpy() > 0
    assert np.mean(right == y.numpy()) > 0.97
