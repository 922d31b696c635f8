"""The NumPy calls that no rewriting of the engine avoids, and nothing else: what bounds a figure.

Products of matrices on operands that lie ready, transcendental functions, and one pass for what must be read and written. No
bias, no transposition, no window of a convolution, no Python object for a node. It gives no result that could be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.engines import CannotRunError, Case
from benchmarks.workloads import Problem

Calls = tuple[list[Callable[[], Any]], list[Callable[[], Any]], list[Callable[[], Any]]]


class Floor(Case):
    """Calls of the forward pass, of the backward pass, and of the update."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def forward(self) -> None:
        for call in self.calls[0]:
            call()

    def backward(self) -> None:
        for call in self.calls[1]:
            call()

    def update(self) -> None:
        for call in self.calls[2]:
            call()

    def digest(self) -> list[float]:
        return []


def _ready(*shape: int) -> np.ndarray:
    return np.full(shape, 0.5, np.float32)


def product(n: int, k: int, m: int, batch: tuple[int, ...] = ()) -> Callable[[], Any]:
    """(n, k) times (k, m), into memory that is there."""
    a, b, out = _ready(*batch, n, k), _ready(*batch, k, m), _ready(*batch, n, m)
    return lambda: np.matmul(a, b, out=out)


def unary(function: Callable[..., Any], *shape: int) -> Callable[[], Any]:
    x, out = _ready(*shape), _ready(*shape)
    return lambda: function(x, out=out)


def binary(function: Callable[..., Any], *shape: int) -> Callable[[], Any]:
    x, y, out = _ready(*shape), _ready(*shape), _ready(*shape)
    return lambda: function(x, y, out=out)


def layer(rows: int, inputs: int, outputs: int, first: bool = False) -> Calls:
    """A linear layer: the output; the gradients of the weight and, but for data, of the input."""
    back = [product(outputs, rows, inputs)]
    if not first:
        back.append(product(rows, outputs, inputs))
    return [product(rows, inputs, outputs)], back, []


def joined(*parts: Calls) -> Calls:
    return tuple([call for part in parts for call in part[index]] for index in range(3))  # type: ignore[return-value]


def chain(sizes: Any, _parameters: Any) -> Calls:
    steps, n = sizes["steps"], sizes["n"]
    forward = [binary(np.multiply, n), binary(np.add, n)] * steps
    return forward, [binary(np.multiply, n)] * steps, []


def _update(kind: str, parameters: Any) -> Calls:
    """The passes of an optimizer over all parameters in one piece: 3 for momentum, 9 for Adam, of which one root."""
    count = sum(array.size for array in parameters.values())
    if kind == "sgd":
        return [], [], [binary(np.add, count)] * 3
    return [], [], [*[binary(np.multiply, count)] * 7, unary(np.sqrt, count), binary(np.divide, count)]


def mlp(sizes: Any, parameters: Any) -> Calls:
    widths, rows = sizes["widths"], sizes["batch"]
    layers = [layer(rows, a, b, first=index == 0) for index, (a, b) in enumerate(pairwise(widths))]
    return joined(*layers, _update("sgd", parameters))


def convolution(images: int, inputs: int, outputs: int, kernel: int, side: int, first: bool = False) -> Calls:
    """As one product with the windows as columns, which lie ready."""
    return layer(images * side * side, inputs * kernel * kernel, outputs, first)


def lenet(sizes: Any, parameters: Any) -> Calls:
    n = sizes["batch"]
    convolutions = [convolution(n, 1, 6, 5, 28, first=True), convolution(n, 6, 16, 5, 10)]
    return joined(*convolutions, layer(n, 400, 120), layer(n, 120, 84), layer(n, 84, 10), _update("sgd", parameters))


def convnet(sizes: Any, parameters: Any) -> Calls:
    n, side = sizes["batch"], sizes["side"]
    inputs, a, b = sizes["channels"]
    convolutions = [convolution(n, inputs, a, 3, side, first=True), convolution(n, a, b, 3, side // 2)]
    return joined(*convolutions, layer(n, b * (side // 4) ** 2, 10), _update("sgd", parameters))


def _recurrent(gates: int, functions: int) -> Callable[[Any, Any], Calls]:
    """The products of all inputs at once, the recurrent ones step by step, and ``functions`` times tanh for each unit."""

    def calls(sizes: Any, parameters: Any) -> Calls:
        steps, rows, inputs, m = sizes["steps"], sizes["batch"], sizes["inputs"], sizes["hidden"]
        # features first: OpenBLAS is a tenth to a fifth faster so
        forward = [product(gates * m, m, rows), unary(np.tanh, rows, functions * m)] * steps
        back = [*[product(m, gates * m, rows)] * steps, product(gates * m, steps * rows, m)]
        return joined(layer(steps * rows, inputs, gates * m, first=True), (forward, back, []), _update("sgd", parameters))

    return calls


def transformer(sizes: Any, parameters: Any) -> Calls:
    width, steps, heads, batch, words = (sizes[name] for name in ("width", "steps", "heads", "batch", "words"))
    rows, lead = batch * steps, (batch, heads)
    scores, mixed = product(steps, width // heads, steps, lead), product(steps, steps, width // heads, lead)
    attention: Calls = [scores, unary(np.exp, *lead, steps, steps), mixed], [scores, scores, mixed, mixed], []
    feed = joined(layer(rows, width, 4 * width), ([unary(np.exp, rows, 4 * width)], [], []), layer(rows, 4 * width, width))
    block = joined(layer(rows, width, 3 * width), attention, layer(rows, width, width), feed)
    return joined(*[block] * sizes["blocks"], layer(rows, width, words), _update("adam", parameters))


def softmax(sizes: Any, _parameters: Any) -> Calls:
    """An exponential of each value, and on the way back a product: by rows, which stay in the cache."""
    x = _ready(sizes["batch"], sizes["classes"])
    y = np.empty_like(x)
    rows = max(1, 16_384 // x.shape[1])
    parts = [(x[start : start + rows], y[start : start + rows]) for start in range(0, len(x), rows)]

    def forward() -> None:
        for part, out in parts:
            np.exp(part, out=out)

    return [forward], [lambda: np.multiply(y, x, out=y)], []


def elementwise(sizes: Any, _parameters: Any) -> Calls:
    n = sizes["n"]
    back = [binary(np.multiply, n)] * 3  # three gradients must be written
    return [unary(np.tanh, n), unary(np.exp, n), unary(np.exp, n), unary(np.sqrt, n)], back, []


def hvp(sizes: Any, parameters: Any) -> Calls:
    """The products of the loss, of its gradient, and of the gradient of that, which has two for each of the former."""
    forward, back, _ = mlp(sizes, parameters)
    tanh = [unary(np.tanh, sizes["batch"], width) for width in sizes["widths"][1:-1]]
    return [*forward, *tanh], [*back, *forward, *back, *back], []


RUNS: dict[str, Callable[[Any, Any], Calls]] = {
    "chain": chain,
    "mlp": mlp,
    "lenet": lenet,
    "convnet": convnet,
    "lstm": _recurrent(4, 5),
    "gru": _recurrent(3, 3),
    "transformer": transformer,
    "softmax": softmax,
    "elementwise": elementwise,
    "hvp": hvp,
    "sgd": lambda _sizes, parameters: _update("sgd", parameters),
    "adam": lambda _sizes, parameters: _update("adam", parameters),
}


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def build(problem: Problem) -> Case:
    if problem.family not in RUNS:
        raise CannotRunError(problem.family)
    return Floor(RUNS[problem.family](problem.sizes, problem.parameters))
