"""The workloads in PyTorch's own words, which are this project's too: one text for both, given the packages in ``api``.

``api`` has ``nn``, ``optim``, ``tensor(array)``, ``leaf(array)``, ``zeros(*shape)``, ``grad``, and ``value(tensor)``, an array.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.engines import CannotRunError, Case
from benchmarks.workloads import LEARNING_RATE, MOMENTUM, Problem, linear_names


def optimizer_of(api: Any, problem: Problem, parameters: Any) -> Any:
    """The optimizer of a problem, or None."""
    if problem.optimizer is None:
        return None
    rate = LEARNING_RATE[problem.optimizer]
    if problem.optimizer == "sgd":
        return api.optim.SGD(parameters, lr=rate, momentum=MOMENTUM)
    return api.optim.Adam(parameters, lr=rate)


class Training(Case):
    """A loss of parameters; ``model`` maps nothing to the loss, its data being bound in it."""

    def __init__(self, api: Any, problem: Problem, parameters: list[Any], loss: Callable[[], Any]) -> None:
        self.api = api
        self.parameters = parameters
        self.loss_of = loss
        self.optimizer = optimizer_of(api, problem, parameters)
        self.loss: Any = None

    def forward(self) -> None:
        if self.optimizer is not None:
            self.optimizer.zero_grad()
        else:
            for parameter in self.parameters:
                parameter.grad = None
        self.loss = self.loss_of()

    def backward(self) -> None:
        self.loss.backward()

    def update(self) -> None:
        if self.optimizer is not None:
            self.optimizer.step()

    def digest(self) -> list[float]:
        return [self.loss.item(), *(float(np.abs(self.api.value(p.grad)).sum(dtype=np.float64)) for p in self.parameters[:4])]


class HessianVector(Case):
    """The gradient of the inner product of the gradient with vectors: twice backward."""

    def __init__(self, api: Any, parameters: list[Any], vectors: list[Any], loss: Callable[[], Any]) -> None:
        self.api = api
        self.parameters = parameters
        self.vectors = vectors
        self.loss_of = loss
        self.loss: Any = None
        self.products: Any = None

    def forward(self) -> None:
        self.loss = self.loss_of()

    def backward(self) -> None:
        gradients = self.api.grad(self.loss, self.parameters, create_graph=True)
        slope = sum((g * v).sum() for g, v in zip(gradients, self.vectors, strict=True))
        self.products = self.api.grad(slope, self.parameters)

    def digest(self) -> list[float]:
        return [self.loss.item(), *(float(np.abs(self.api.value(p)).sum(dtype=np.float64)) for p in self.products)]


class Steps(Case):
    """Steps of an optimizer with gradients that stay the same."""

    def __init__(self, api: Any, problem: Problem) -> None:
        self.api = api
        self.parameters = [api.leaf(array) for array in problem.parameters.values()]
        for parameter, gradient in zip(self.parameters, problem.data.values(), strict=True):
            parameter.grad = api.tensor(gradient)
        self.optimizer = optimizer_of(api, problem, self.parameters)

    def update(self) -> None:
        self.optimizer.step()

    def digest(self) -> list[float]:
        return [float(np.square(self.api.value(p), dtype=np.float64).sum()) for p in self.parameters[:4]]


def build(api: Any, problem: Problem) -> Case:
    """The case of a problem."""
    if problem.family in ("sgd", "adam"):
        return Steps(api, problem)
    if problem.family in BARE:
        leaves = [api.leaf(array) for array in problem.parameters.values()]
        data = [api.tensor(array) for array in problem.data.values()]
        function = BARE[problem.family]
        return Training(api, problem, leaves, lambda: function(api, problem.sizes, *leaves, *data))
    if problem.family not in MODELS:
        raise CannotRunError(problem.family)
    model = MODELS[problem.family](api, problem.sizes)
    state = {name: api.tensor(array) for name, array in problem.parameters.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or any(name.split(".")[-1] in ("weight", "bias") for name in missing):
        raise ValueError(f"{problem.family}: missing {missing}, unexpected {unexpected}")
    x = api.tensor(problem.data["tokens" if problem.family == "transformer" else "x"])
    target = api.tensor(problem.data["target"])
    criterion = api.nn.MSELoss() if problem.family == "hvp" else api.nn.CrossEntropyLoss()
    parameters = list(model.parameters())
    if problem.family == "hvp":
        vectors = [api.tensor(problem.data[f"v.{name}"]) for name, _ in model.named_parameters()]
        return HessianVector(api, parameters, vectors, lambda: criterion(model(x), target))
    return Training(api, problem, parameters, lambda: criterion(model(x), target))


# ---------------------------------------------------------------------------------------------- expressions on leaves


def chain(_api: Any, sizes: Any, x: Any, a: Any, b: Any) -> Any:
    for _ in range(sizes["steps"]):
        x = x * b + a
    return x.sum()


def softmax(api: Any, _sizes: Any, logits: Any, target: Any) -> Any:
    return api.nn.functional.cross_entropy(logits, target)


def elementwise(_api: Any, _sizes: Any, x: Any, y: Any, z: Any) -> Any:
    return (x.tanh() * y.sigmoid() + (-(x * x)).exp() * z + (y * y + 1.0).sqrt()).mean()


def gather(api: Any, sizes: Any, table: Any, picks: Any, segments: Any) -> Any:
    picked = table[picks]
    summed = api.zeros(sizes["segments"], sizes["width"]).index_add(0, segments, picked)
    return (summed * summed).mean()


BARE = {"chain": chain, "softmax": softmax, "elementwise": elementwise, "gather": gather}


# ------------------------------------------------------------------------------------------------------------ modules


def _layers(api: Any, widths: list[int], activation: Any) -> Any:
    modules = []
    for inputs, outputs in pairwise(widths):
        modules += [api.nn.Linear(inputs, outputs), activation()]
    return api.nn.Sequential(*modules[: 2 * len(linear_names(widths)) - 1])


def mlp(api: Any, sizes: Any) -> Any:
    return _layers(api, sizes["widths"], api.nn.ReLU)


def hvp(api: Any, sizes: Any) -> Any:
    return _layers(api, sizes["widths"], api.nn.Tanh)


def lenet(api: Any, _sizes: Any) -> Any:
    nn = api.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def convnet(api: Any, sizes: Any) -> Any:
    nn = api.nn
    inputs, first, second = sizes["channels"]
    return nn.Sequential(
        nn.Conv2d(inputs, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1, bias=False), nn.BatchNorm2d(second), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(second * (sizes["side"] // 4) ** 2, 10),
    )  # fmt: skip


def _recurrent(kind: str) -> Callable[[Any, Any], Any]:
    def make(api: Any, sizes: Any) -> Any:
        class Recurrent(api.nn.Module):
            """A recurrent layer, and a linear one on its last output."""

            def __init__(self) -> None:
                super().__init__()
                self.layer = getattr(api.nn, kind)(sizes["inputs"], sizes["hidden"])
                self.head = api.nn.Linear(sizes["hidden"], 10)

            def forward(self, x: Any) -> Any:
                output, _ = self.layer(x)
                return self.head(output[-1])

        return Recurrent()

    return make


def transformer(api: Any, sizes: Any) -> Any:
    nn = api.nn
    width, steps, words = sizes["width"], sizes["steps"], sizes["words"]

    class Transformer(nn.Module):
        """Embedded words and places, blocks that look backwards, and a word predicted at each place."""

        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(words, width)
            self.places = nn.Embedding(steps, width)
            block = lambda: nn.TransformerEncoderLayer(
                width, sizes["heads"], 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.blocks = nn.ModuleList([block() for _ in range(sizes["blocks"])])
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, words)
            self.mask = api.tensor(np.triu(np.full((steps, steps), -np.inf, np.float32), 1))

        def forward(self, tokens: Any) -> Any:
            h = self.words(tokens) + self.places.weight
            for block in self.blocks:
                h = block(h, src_mask=self.mask, is_causal=True)
            return self.head(self.norm(h)).reshape(-1, words)

    return Transformer()


MODELS: dict[str, Callable[[Any, Any], Any]] = {
    "mlp": mlp,
    "hvp": hvp,
    "lenet": lenet,
    "convnet": convnet,
    "lstm": _recurrent("LSTM"),
    "gru": _recurrent("GRU"),
    "transformer": transformer,
}
