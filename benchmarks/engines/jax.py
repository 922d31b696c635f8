"""JAX on the CPU, its functions compiled with ``jit``: another kind of engine, shown for scale."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.engines import CannotRunError, Case
from benchmarks.engines._functional import LOSSES, gru_step, linear, lstm_step
from benchmarks.workloads import LEARNING_RATE, MOMENTUM, Problem


def _cross_entropy(logits: Any, target: Any) -> Any:
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - logits[jnp.arange(len(target)), target])


XP = SimpleNamespace(
    **{name: getattr(jnp, name) for name in ("sum", "mean", "tanh", "exp", "sqrt", "reshape", "transpose", "stack")},
    relu=lambda x: jnp.maximum(x, 0.0),
    sigmoid=jax.nn.sigmoid,
    softmax=lambda x: jax.nn.softmax(x, -1),
    gelu=lambda x: jax.nn.gelu(x, approximate=False),
    cross_entropy=_cross_entropy,
)


def _convolve(x: Any, p: Any, name: str, padding: int) -> Any:
    sides = [(padding, padding)] * 2
    y = jax.lax.conv_general_dilated(x, p[f"{name}.weight"], (1, 1), sides, dimension_numbers=("NCHW", "OIHW", "NCHW"))
    bias = p.get(f"{name}.bias")
    return y if bias is None else y + bias[:, None, None]


def _pool(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def _batch_norm(x: Any, p: Any, name: str) -> Any:
    centred = x - jnp.mean(x, (0, 2, 3), keepdims=True)
    scaled = centred / jnp.sqrt(jnp.mean(centred * centred, (0, 2, 3), keepdims=True) + 1e-5)
    return scaled * p[f"{name}.weight"][:, None, None] + p[f"{name}.bias"][:, None, None]


def lenet(xp: Any, _sizes: Any, p: Any, data: Any) -> Any:
    h = _pool(xp.relu(_convolve(data["x"], p, "0", 2)))
    h = _pool(xp.relu(_convolve(h, p, "3", 0)))
    h = h.reshape(len(h), -1)
    for name in ("7", "9"):
        h = xp.relu(linear(xp, h, p, name))
    return xp.cross_entropy(linear(xp, h, p, "11"), data["target"])


def convnet(xp: Any, _sizes: Any, p: Any, data: Any) -> Any:
    h = data["x"]
    for conv, norm in (("0", "1"), ("4", "5")):
        h = _pool(xp.relu(_batch_norm(_convolve(h, p, conv, 1), p, norm)))
    return xp.cross_entropy(linear(xp, h.reshape(len(h), -1), p, "9"), data["target"])


def gather(_xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    picked = p["table"][data["picks"]]
    summed = jnp.zeros((sizes["segments"], sizes["width"])).at[data["segments"]].add(picked)
    return jnp.mean(summed * summed)


def lstm(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    of_x = data["x"] @ p["layer.weight_ih_l0"].T + p["layer.bias_ih_l0"]
    zeros = jnp.zeros((sizes["batch"], sizes["hidden"]))
    (h, _), _ = jax.lax.scan(lambda state, x: (lstm_step(xp, p, x, *state), None), (zeros, zeros), of_x)
    return xp.cross_entropy(linear(xp, h, p, "head"), data["target"])


def gru(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    of_x = data["x"] @ p["layer.weight_ih_l0"].T + p["layer.bias_ih_l0"]
    h, _ = jax.lax.scan(lambda h, x: (gru_step(xp, p, x, h), None), jnp.zeros((sizes["batch"], sizes["hidden"])), of_x)
    return xp.cross_entropy(linear(xp, h, p, "head"), data["target"])


RUNS: dict[str, Callable[..., Any] | None] = {
    **LOSSES,
    "lenet": lenet,
    "convnet": convnet,
    "gather": gather,
    "lstm": lstm,
    "gru": gru,
}
RUNS |= {"sgd": None, "adam": None}  # no loss


def _update(kind: str | None, p: Any, g: Any, state: Any) -> tuple[Any, Any]:
    """One step of the optimizer: new parameters and state."""
    if kind is None:
        return p, state
    tree = jax.tree_util.tree_map
    rate = LEARNING_RATE[kind]
    if kind == "sgd":
        velocity = tree(lambda v, g: MOMENTUM * v + g, state, g)
        return tree(lambda p, v: p - rate * v, p, velocity), velocity
    m, v, steps = state
    m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    steps = steps + 1
    first, second = 1 - 0.9**steps, 1 - 0.999**steps
    new = tree(lambda p, m, v: p - rate * (m / first) / (jnp.sqrt(v / second) + 1e-8), p, m, v)
    return new, (m, v, steps)


class Compiled(Case):
    """``forward`` is the compiled loss alone, ``whole`` the compiled step; the difference stands for the way back."""

    def __init__(self, problem: Problem) -> None:
        data = {name: jnp.asarray(array) for name, array in problem.data.items()}
        kind, sizes = problem.optimizer, problem.sizes
        self.names = list(problem.parameters)[:4]  # jit sorts them
        self.parameters = {name: jnp.asarray(array) for name, array in problem.parameters.items()}
        zeros = {name: jnp.zeros_like(array) for name, array in self.parameters.items()}
        self.state: Any = (zeros, zeros, jnp.zeros(())) if kind == "adam" else zeros
        self.data = data
        self.loss: Any = None
        self.gradients: Any = None
        loss = RUNS[problem.family]
        if loss is None:  # an optimizer alone
            gradients = {name: data[f"g.{name}"] for name in self.parameters}
            self.run = jax.jit(lambda p, state, _: (0.0, gradients, *_update(kind, p, gradients, state)))
            self.forward_only: Any = lambda *_: 0.0
            return
        function = lambda p, data: loss(XP, sizes, p, data)
        if problem.family == "hvp":
            vectors = {name: data[f"v.{name}"] for name in self.parameters}
            gradient = lambda p, data: jax.jvp(lambda q: jax.value_and_grad(function)(q, data), (p,), (vectors,))

            def step(p: Any, state: Any, data: Any) -> Any:
                (value, _), (_, products) = gradient(p, data)
                return value, products, p, state
        else:

            def step(p: Any, state: Any, data: Any) -> Any:
                value, g = jax.value_and_grad(function)(p, data)
                return value, g, *_update(kind, p, g, state)

        self.run = jax.jit(step)
        self.forward_only = jax.jit(function)

    def forward(self) -> None:
        jax.block_until_ready(self.forward_only(self.parameters, self.data))

    def whole(self) -> None:
        self.loss, self.gradients, self.parameters, self.state = jax.block_until_ready(
            self.run(self.parameters, self.state, self.data)
        )

    def digest(self) -> list[float]:
        sums = [float(np.abs(np.asarray(self.gradients[name])).sum(dtype=np.float64)) for name in self.names]
        return [float(self.loss), *sums]


class Steps(Compiled):
    """Steps of an optimizer with gradients that stay the same."""

    def digest(self) -> list[float]:
        return [float(np.square(np.asarray(self.parameters[name]), dtype=np.float64).sum()) for name in self.names]


def versions() -> dict[str, str]:
    return {"jax": jax.__version__}


def build(problem: Problem) -> Case:
    if problem.family in ("sgd", "adam"):
        return Steps(problem)
    if problem.family not in RUNS:
        raise CannotRunError(problem.family)
    return Compiled(problem)
