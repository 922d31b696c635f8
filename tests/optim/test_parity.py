"""50 steps of each optimizer against PyTorch's, over a table of options.

Runs where PyTorch is installed (``pip install -e ".[test,parity]"``).
"""

from __future__ import annotations

import numpy as np
import pytest

import nn
import optim

torch = pytest.importorskip("torch")

TABLE = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.05, "amsgrad": True}),
]
SHAPES = [(4, 3), (3,), (), (0,), (1, 2)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)], ids=["f64", "f32"])
@pytest.mark.parametrize(("name", "options"), TABLE, ids=[f"{name}-{options}" for name, options in TABLE])
def test_trajectories_equal_pytorchs(name, options, dtype, tolerance, record):
    rng = np.random.default_rng(0)
    values = [np.asarray(rng.normal(size=shape)).astype(dtype) for shape in SHAPES]
    ours = [nn.Parameter(value) for value in values]
    theirs = [torch.nn.Parameter(torch.tensor(value)) for value in values]
    groups = lambda params: [{"params": params[:2]}, {"params": params[2:], "lr": 0.02}]
    optimizer = getattr(optim, name)(groups(ours), **options)
    reference = getattr(torch.optim, name)(groups(theirs), **options)
    worst = 0.0
    for step in range(50):
        for index, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            g = np.asarray(rng.normal(size=p.shape)).astype(dtype) * (step != 20)  # once a gradient of zero
            skipped = (step + index) % 7 == 3
            p.grad = None if skipped else nn.Parameter(g, requires_grad=False)
            q.grad = None if skipped else torch.tensor(g)
        optimizer.step()
        reference.step()
        for p, q in zip(ours, theirs, strict=True):
            expected = q.detach().numpy()
            difference = np.abs(p.detach().numpy() - expected) / np.maximum(np.abs(expected), 1.0)
            worst = max(worst, float(np.max(difference, initial=0.0)))
    record.add(f"optimizers vs PyTorch {np.dtype(dtype).name}", name, worst)
    assert worst <= tolerance
