"""What is measured: each workload as a family with sizes, its parameters and data, and the figures that are asked of it.

A family (``"mlp"``, ``"lstm"``, ...) is what an engine knows how to run; a workload is a family at one size. Parameters and
data are NumPy arrays drawn from a seed, so that every engine starts from equal ones. Parameters have the names that they have
in PyTorch's ``state_dict``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Sizes = dict[str, Any]
Arrays = dict[str, np.ndarray]

TORCH, NUMPY, HIPS, MYGRAD, FLOOR = "torch", "numpy", "hips", "mygrad", "floor"


@dataclass(frozen=True)
class Workload:
    """A family at one size.

    Attributes:
        name: on the command line and in files.
        title: in tables.
        full, quick: the sizes that are measured, and those of a smoke run.
        ratio: PyTorch's time / ours, at least.
        by_hand: our time / that of the version by hand in NumPy, at most.
        memory: our peak memory / PyTorch's, at most.
    """

    name: str
    title: str
    family: str
    full: Sizes
    quick: Sizes
    ratio: float | None = None
    by_hand: float | None = None
    memory: float | None = None


@dataclass
class Problem:
    """Equal parameters and data for every engine, and the optimizer ("sgd", "adam" or none) of the training step."""

    family: str
    sizes: Sizes
    parameters: Arrays
    data: Arrays = field(default_factory=dict)
    optimizer: str | None = None


LEARNING_RATE = {"sgd": 0.01, "adam": 0.001}
MOMENTUM = 0.9  # of "sgd"

ASKED = {  # of every workload that the peer can run: its time / ours, at least
    HIPS: 3.0,
    MYGRAD: 2.0,
}
MEAN_RATIO = 1.7  # the geometric mean of PyTorch's time / ours over all workloads

_MLP_QUICK = {"widths": [8, 16, 4], "batch": 4}
_WIDTHS = [784, 256, 128, 10]


def _mlp_workload(
    name: str, title: str, widths: list[int], batch: int, ratio: float, by_hand: float | None = None, quick: Sizes = _MLP_QUICK
) -> Workload:
    return Workload(name, f"MLP {title}, batch {batch}", "mlp", {"widths": widths, "batch": batch}, quick, ratio, by_hand, 1.0)


WORKLOADS = [
    Workload("chain", "small-op chain", "chain", {"steps": 500, "n": 8}, {"steps": 10, "n": 8}, ratio=2.0),
    _mlp_workload("mlp-tiny", "2-16-16-2", [2, 16, 16, 2], 32, 2.0, 1.6),
    _mlp_workload("mlp-small", "64-128-64-10", [64, 128, 64, 10], 128, 2.0),
    _mlp_workload("mlp-64", "784-256-128-10", _WIDTHS, 64, 1.3, 1.15),
    _mlp_workload("mlp-512", "784-256-128-10", _WIDTHS, 512, 1.0, 1.15),
    _mlp_workload("mlp-wide", "4 x 1024", [1024] * 5, 256, 1.0, 1.15),
    _mlp_workload("mlp-deep", "50 x 64", [64] * 51, 32, 2.0, quick={"widths": [8] * 6, "batch": 4}),
    Workload("lenet", "LeNet, batch 64", "lenet", {"batch": 64}, {"batch": 2}, 0.7, None, 1.5),
    Workload(
        "convnet", "conv net with batch norm, batch 32", "convnet",
        {"batch": 32, "side": 32, "channels": [3, 32, 64]}, {"batch": 2, "side": 8, "channels": [3, 4, 6]}, 0.7, None, 1.5,
    ),
    Workload(
        "lstm", "LSTM, 50 steps, 128 units, batch 32", "lstm",
        {"steps": 50, "inputs": 64, "hidden": 128, "batch": 32}, {"steps": 4, "inputs": 3, "hidden": 5, "batch": 2}, 0.7, 1.15,
    ),
    Workload(
        "gru", "GRU, 50 steps, 128 units, batch 32", "gru",
        {"steps": 50, "inputs": 64, "hidden": 128, "batch": 32}, {"steps": 4, "inputs": 3, "hidden": 5, "batch": 2}, 1.3,
    ),
    Workload(
        "transformer", "causal transformer, 2 blocks, d 128, T 64, batch 16", "transformer",
        {"steps": 64, "width": 128, "heads": 4, "blocks": 2, "words": 64, "batch": 16},
        {"steps": 6, "width": 8, "heads": 2, "blocks": 2, "words": 5, "batch": 2}, 1.0, 1.15, 1.0,
    ),
    Workload(
        "softmax-1000", "softmax cross entropy, 1,000 classes, batch 128", "softmax",
        {"classes": 1_000, "batch": 128}, {"classes": 20, "batch": 4},
    ),
    Workload(
        "softmax-10000", "softmax cross entropy, 10,000 classes, batch 128", "softmax",
        {"classes": 10_000, "batch": 128}, {"classes": 30, "batch": 4}, 1.3,
    ),
    Workload("elementwise", "elementwise expression, 1,000,000 values", "elementwise", {"n": 1_000_000}, {"n": 50}, 1.0),
    Workload(
        "hvp", "Hessian-vector product, MLP 64-128-128-1, batch 64", "hvp",
        {"widths": [64, 128, 128, 1], "batch": 64}, {"widths": [3, 5, 1], "batch": 4}, 1.3,
    ),
    Workload(
        "gather-scatter", "gather 4,096 rows of 64, scatter into 512", "gather",
        {"rows": 10_000, "width": 64, "picks": 4_096, "segments": 512}, {"rows": 12, "width": 3, "picks": 20, "segments": 4},
    ),
    Workload(
        "sgd-step", "optimizer step, SGD with momentum, 40 tensors, 658,000 values", "sgd",
        {"tensors": 20, "shape": [256, 128]}, {"tensors": 2, "shape": [4, 3]}, 1.0,
    ),
    Workload(
        "adam-step", "optimizer step, Adam, 40 tensors, 658,000 values", "adam",
        {"tensors": 20, "shape": [256, 128]}, {"tensors": 2, "shape": [4, 3]}, 1.0,
    ),
]  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the arrays


class _Draw:
    """Seeded float32 arrays."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape, dtype=np.float32)

    def within(self, bound: float, *shape: int) -> np.ndarray:
        return self.rng.uniform(-bound, bound, shape).astype(np.float32)

    def classes(self, count: int, *shape: int) -> np.ndarray:
        return self.rng.integers(0, count, shape)

    def layer(self, name: str, outputs: int, *inputs: int) -> Arrays:
        """Weight and bias of a layer in the range that PyTorch draws them from."""
        bound = 1 / math.sqrt(math.prod(inputs))
        return {f"{name}.weight": self.within(bound, outputs, *inputs), f"{name}.bias": self.within(bound, outputs)}


def linear_names(widths: list[int]) -> list[str]:
    """The names of the linear layers in a Sequential in which an activation follows each but the last."""
    return [str(2 * index) for index in range(len(widths) - 1)]


def _layers(draw: _Draw, widths: list[int]) -> Arrays:
    parameters: Arrays = {}
    for name, inputs, outputs in zip(linear_names(widths), widths[:-1], widths[1:], strict=True):
        parameters |= draw.layer(name, outputs, inputs)
    return parameters


def _chain(draw: _Draw, sizes: Sizes) -> Problem:
    constants = {"a": np.full(sizes["n"], 0.01, np.float32), "b": np.full(sizes["n"], 0.99, np.float32)}
    return Problem("chain", sizes, {"x": draw.normal(sizes["n"])}, constants)


def _mlp(draw: _Draw, sizes: Sizes) -> Problem:
    widths, batch = sizes["widths"], sizes["batch"]
    data = {"x": draw.normal(batch, widths[0]), "target": draw.classes(widths[-1], batch)}
    return Problem("mlp", sizes, _layers(draw, widths), data, "sgd")


def _lenet(draw: _Draw, sizes: Sizes) -> Problem:
    parameters = draw.layer("0", 6, 1, 5, 5) | draw.layer("3", 16, 6, 5, 5)
    parameters |= draw.layer("7", 120, 400) | draw.layer("9", 84, 120) | draw.layer("11", 10, 84)
    batch = sizes["batch"]
    return Problem("lenet", sizes, parameters, {"x": draw.normal(batch, 1, 28, 28), "target": draw.classes(10, batch)}, "sgd")


def _convnet(draw: _Draw, sizes: Sizes) -> Problem:
    inputs, first, second = sizes["channels"]
    side, batch = sizes["side"], sizes["batch"]
    parameters: Arrays = {}
    for conv, norm, before, after in (("0", "1", inputs, first), ("4", "5", first, second)):
        # no bias before a norm: it would have no effect, and its gradient would be rounding
        parameters[f"{conv}.weight"] = draw.within(1 / math.sqrt(9 * before), after, before, 3, 3)
        parameters |= {f"{norm}.weight": np.ones(after, np.float32), f"{norm}.bias": np.zeros(after, np.float32)}
    parameters |= draw.layer("9", 10, second * (side // 4) ** 2)
    data = {"x": draw.normal(batch, inputs, side, side), "target": draw.classes(10, batch)}
    return Problem("convnet", sizes, parameters, data, "sgd")


def _recurrent(family: str, gates: int) -> Callable[[_Draw, Sizes], Problem]:
    def make(draw: _Draw, sizes: Sizes) -> Problem:
        steps, inputs, hidden, batch = sizes["steps"], sizes["inputs"], sizes["hidden"], sizes["batch"]
        bound = 1 / math.sqrt(hidden)
        parameters = {
            "layer.weight_ih_l0": draw.within(bound, gates * hidden, inputs),
            "layer.weight_hh_l0": draw.within(bound, gates * hidden, hidden),
            "layer.bias_ih_l0": draw.within(bound, gates * hidden),
            "layer.bias_hh_l0": draw.within(bound, gates * hidden),
        } | draw.layer("head", 10, hidden)
        data = {"x": draw.normal(steps, batch, inputs), "target": draw.classes(10, batch)}
        return Problem(family, sizes, parameters, data, "sgd")

    return make


def _transformer(draw: _Draw, sizes: Sizes) -> Problem:
    width, steps, words, batch = sizes["width"], sizes["steps"], sizes["words"], sizes["batch"]
    parameters = {"words.weight": draw.normal(words, width), "places.weight": draw.normal(steps, width)}
    for index in range(sizes["blocks"]):
        at = f"blocks.{index}"
        parameters |= {
            f"{at}.self_attn.in_proj_weight": draw.within(math.sqrt(1.5 / width), 3 * width, width),
            f"{at}.self_attn.in_proj_bias": np.zeros(3 * width, np.float32),
        }
        parameters |= draw.layer(f"{at}.self_attn.out_proj", width, width)
        parameters |= draw.layer(f"{at}.linear1", 4 * width, width) | draw.layer(f"{at}.linear2", width, 4 * width)
        for norm in ("norm1", "norm2"):
            parameters |= {f"{at}.{norm}.weight": np.ones(width, np.float32), f"{at}.{norm}.bias": np.zeros(width, np.float32)}
    parameters |= {"norm.weight": np.ones(width, np.float32), "norm.bias": np.zeros(width, np.float32)}
    parameters |= draw.layer("head", words, width)
    data = {"tokens": draw.classes(words, batch, steps), "target": draw.classes(words, batch * steps)}
    return Problem("transformer", sizes, parameters, data, "adam")


def _softmax(draw: _Draw, sizes: Sizes) -> Problem:
    classes, batch = sizes["classes"], sizes["batch"]
    return Problem("softmax", sizes, {"logits": draw.normal(batch, classes)}, {"target": draw.classes(classes, batch)})


def _elementwise(draw: _Draw, sizes: Sizes) -> Problem:
    return Problem("elementwise", sizes, {name: draw.normal(sizes["n"]) for name in "xyz"})


def _hvp(draw: _Draw, sizes: Sizes) -> Problem:
    widths, batch = sizes["widths"], sizes["batch"]
    parameters = _layers(draw, widths)
    vectors = {f"v.{name}": draw.normal(*value.shape) for name, value in parameters.items()}
    data = {"x": draw.normal(batch, widths[0]), "target": draw.normal(batch, widths[-1]), **vectors}
    return Problem("hvp", sizes, parameters, data)


def _gather(draw: _Draw, sizes: Sizes) -> Problem:
    rows, width, picks, segments = (sizes[name] for name in ("rows", "width", "picks", "segments"))
    data = {"picks": draw.classes(rows, picks), "segments": draw.classes(segments, picks)}
    return Problem("gather", sizes, {"table": draw.normal(rows, width)}, data)


def _step(optimizer: str) -> Callable[[_Draw, Sizes], Problem]:
    def make(draw: _Draw, sizes: Sizes) -> Problem:
        shapes = [tuple(sizes["shape"]), (sizes["shape"][1],)] * sizes["tensors"]
        parameters = {f"p{index}": draw.normal(*shape) for index, shape in enumerate(shapes)}
        gradients = {f"g.p{index}": draw.normal(*shape) for index, shape in enumerate(shapes)}
        return Problem(optimizer, sizes, parameters, gradients, optimizer)

    return make


FAMILIES: dict[str, Callable[[_Draw, Sizes], Problem]] = {
    "chain": _chain,
    "mlp": _mlp,
    "lenet": _lenet,
    "convnet": _convnet,
    "lstm": _recurrent("lstm", 4),
    "gru": _recurrent("gru", 3),
    "transformer": _transformer,
    "softmax": _softmax,
    "elementwise": _elementwise,
    "hvp": _hvp,
    "gather": _gather,
    "sgd": _step("sgd"),
    "adam": _step("adam"),
}


def problem(family: str, sizes: Sizes, seed: int = 0) -> Problem:
    """The parameters and data of a family at these sizes."""
    return FAMILIES[family](_Draw(seed), sizes)
