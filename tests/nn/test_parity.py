"""Layers and losses against PyTorch's on the same weights: outputs, and the gradients of inputs and parameters.

Runs where PyTorch is installed (``pip install -e ".[test,parity]"``).
"""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")

LAYERS = [
    ("Linear", (3, 5), {}, (4, 3)),
    ("Linear", (3, 5), {"bias": False}, (2, 4, 3)),
    ("Linear", (3, 1), {}, (3,)),
    ("Linear", (3, 2), {}, (0, 3)),
    ("ReLU", (), {}, (3, 4)),
    ("LeakyReLU", (0.2,), {}, (3, 4)),
    ("ELU", (1.5,), {}, (3, 4)),
    ("SELU", (), {}, (3, 4)),
    ("GELU", (), {}, (3, 4)),
    ("GELU", (), {"approximate": "tanh"}, (3, 4)),
    ("SiLU", (), {}, (3, 4)),
    ("Mish", (), {}, (3, 4)),
    ("Sigmoid", (), {}, (3, 4)),
    ("Tanh", (), {}, (3, 4)),
    ("Softplus", (2.0, 1.0), {}, (3, 4)),
    ("Softmax", (), {"dim": 1}, (3, 4, 2)),
    ("LogSoftmax", (), {"dim": 0}, (3, 4)),
    ("Flatten", (), {}, (3, 4, 2)),
    ("Flatten", (0, 1), {}, (3, 4, 2)),
    ("Identity", (), {}, (3,)),
]
LOSSES = [
    ("MSELoss", {}, (3, 4), "real"),
    ("MSELoss", {"reduction": "sum"}, (5,), "real"),
    ("MSELoss", {"reduction": "none"}, (2, 3), "real"),
    ("L1Loss", {}, (3, 4), "real"),
    ("L1Loss", {"reduction": "sum"}, (3, 4), "real"),
    ("BCEWithLogitsLoss", {}, (3, 4), "chance"),
    ("BCEWithLogitsLoss", {"weight": 4, "pos_weight": 4, "reduction": "none"}, (3, 4), "chance"),
    ("CrossEntropyLoss", {}, (6, 4), "class"),
    ("CrossEntropyLoss", {"weight": 4, "ignore_index": 2}, (6, 4), "class"),
    ("CrossEntropyLoss", {"weight": 4, "label_smoothing": 0.2, "reduction": "sum"}, (6, 4), "class"),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "reduction": "none"}, (6, 4, 2), "class"),
    ("CrossEntropyLoss", {"weight": 4, "label_smoothing": 0.1}, (6, 4), "probability"),
    ("NLLLoss", {"weight": 4, "ignore_index": 1}, (6, 4), "class"),
    ("NLLLoss", {"reduction": "none"}, (6, 4, 3), "class"),
]
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])


def compare(name, ours, theirs, x, dtype, record, *targets):
    """Runs both forward and backward on one input; the worst difference of everything."""
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = ours(a, *map(Tensor, targets))
    z = theirs(b, *map(torch.tensor, targets))
    cotangent = np.asarray(np.random.default_rng(9).normal(size=y.shape)).astype(dtype)
    y.backward(cotangent)
    z.backward(torch.tensor(cotangent))
    pairs = [(y.detach().numpy(), z.detach().numpy()), (a.grad.numpy(), b.grad.numpy())]
    pairs += [(p.grad.numpy(), q.grad.numpy()) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True)]
    worst = 0.0
    for one, two in pairs:
        assert one.shape == two.shape
        assert one.dtype == two.dtype
        worst = max(worst, float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1.0), initial=0.0)))
    record.add(f"nn vs PyTorch {np.dtype(dtype).name}", name, worst)
    assert worst <= TOLERANCE[dtype]


@dtypes
@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS, ids=str)
def test_layers(name, arguments, options, shape, dtype, record):
    ours = getattr(nn, name)(*arguments, **options)
    theirs = getattr(torch.nn, name)(*arguments, **options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.to(dtype)
    theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    compare(name, ours, theirs, x, dtype, record)


@dtypes
@pytest.mark.parametrize(("name", "options", "shape", "kind"), LOSSES, ids=str)
def test_losses(name, options, shape, kind, dtype, record):
    rng = np.random.default_rng(2)
    mine, yours = dict(options), dict(options)
    for key in ("weight", "pos_weight"):
        if key in options:
            values = rng.uniform(0.5, 2.0, options[key]).astype(dtype)
            mine[key], yours[key] = Tensor(values), torch.tensor(values)
    targets = {
        "real": lambda: rng.normal(size=shape).astype(dtype),
        "chance": lambda: rng.uniform(size=shape).astype(dtype),
        "class": lambda: rng.integers(shape[1], size=(shape[0], *shape[2:])),
        "probability": lambda: rng.dirichlet(np.ones(shape[1]), shape[0]).astype(dtype),
    }
    x = rng.normal(size=shape).astype(dtype)
    compare(name, getattr(nn, name)(**mine), getattr(torch.nn, name)(**yours), x, dtype, record, targets[kind]())


@pytest.mark.parametrize("name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"])
def test_initialisers_have_pytorchs_spread(name):
    for shape in ((300, 200), (30, 20, 5, 5)):
        ours, theirs = nn.Parameter(np.empty(shape, np.float32)), torch.empty(shape)
        getattr(nn.init, name)(ours)
        getattr(torch.nn.init, name)(theirs)
        assert ours.detach().numpy().std() == pytest.approx(theirs.numpy().std(), rel=0.03)
        if "uniform" in name:
            assert np.abs(ours.detach().numpy()).max() == pytest.approx(theirs.abs().max().item(), rel=0.01)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu", "conv2d"])
def test_gains_are_pytorchs(name):
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-12)
