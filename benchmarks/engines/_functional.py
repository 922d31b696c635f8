"""The losses of the workloads for engines that differentiate functions of arrays in NumPy's words.

``xp`` is the engine's NumPy, with ``relu``, ``sigmoid``, ``softmax``, ``cross_entropy(logits, target)``, ``gelu``, and
``stack`` besides; ``p`` and ``data`` are parameters and data by name.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.workloads import linear_names


def linear(_xp: Any, x: Any, p: Any, name: str) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def chain(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    x, a, b = p["x"], data["a"], data["b"]
    for _ in range(sizes["steps"]):
        x = x * b + a
    return xp.sum(x)


def _layers(xp: Any, sizes: Any, p: Any, x: Any, activation: Any) -> Any:
    names = linear_names(sizes["widths"])
    for name in names[:-1]:
        x = activation(linear(xp, x, p, name))
    return linear(xp, x, p, names[-1])


def mlp(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    return xp.cross_entropy(_layers(xp, sizes, p, data["x"], xp.relu), data["target"])


def hvp(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    error = _layers(xp, sizes, p, data["x"], xp.tanh) - data["target"]
    return xp.mean(error * error)


def softmax(xp: Any, _sizes: Any, p: Any, data: Any) -> Any:
    return xp.cross_entropy(p["logits"], data["target"])


def elementwise(xp: Any, _sizes: Any, p: Any, _data: Any) -> Any:
    x, y, z = p["x"], p["y"], p["z"]
    return xp.mean(xp.tanh(x) * xp.sigmoid(y) + xp.exp(-(x * x)) * z + xp.sqrt(y * y + 1.0))


def lstm_step(xp: Any, p: Any, of_x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """One step, given what the input contributes to the gates."""
    gates = of_x + h @ p["layer.weight_hh_l0"].T + p["layer.bias_hh_l0"]
    m = h.shape[-1]
    c = xp.sigmoid(gates[:, m : 2 * m]) * c + xp.sigmoid(gates[:, :m]) * xp.tanh(gates[:, 2 * m : 3 * m])
    return xp.sigmoid(gates[:, 3 * m :]) * xp.tanh(c), c


def gru_step(xp: Any, p: Any, of_x: Any, h: Any) -> Any:
    """One step, given what the input contributes to the gates."""
    of_h = h @ p["layer.weight_hh_l0"].T + p["layer.bias_hh_l0"]
    m = h.shape[-1]
    r = xp.sigmoid(of_x[:, :m] + of_h[:, :m])
    z = xp.sigmoid(of_x[:, m : 2 * m] + of_h[:, m : 2 * m])
    n = xp.tanh(of_x[:, 2 * m :] + r * of_h[:, 2 * m :])
    return (1.0 - z) * n + z * h


def lstm(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    of_x = data["x"] @ p["layer.weight_ih_l0"].T + p["layer.bias_ih_l0"]
    h = c = np.zeros((sizes["batch"], sizes["hidden"]), np.float32)
    for t in range(sizes["steps"]):
        h, c = lstm_step(xp, p, of_x[t], h, c)
    return xp.cross_entropy(linear(xp, h, p, "head"), data["target"])


def gru(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    of_x = data["x"] @ p["layer.weight_ih_l0"].T + p["layer.bias_ih_l0"]
    h = np.zeros((sizes["batch"], sizes["hidden"]), np.float32)
    for t in range(sizes["steps"]):
        h = gru_step(xp, p, of_x[t], h)
    return xp.cross_entropy(linear(xp, h, p, "head"), data["target"])


def layer_norm(xp: Any, x: Any, p: Any, name: str) -> Any:
    centred = x - xp.mean(x, -1, keepdims=True)
    variance = xp.mean(centred * centred, -1, keepdims=True)
    return centred / xp.sqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def attention(xp: Any, x: Any, p: Any, name: str, sizes: Any) -> Any:
    """Causal self-attention of (N, T, d)."""
    batch, steps, width = x.shape
    heads = sizes["heads"]
    each = width // heads
    qkv = x @ p[f"{name}.in_proj_weight"].T + p[f"{name}.in_proj_bias"]
    qkv = xp.transpose(xp.reshape(qkv, (batch, steps, 3, heads, each)), (2, 0, 3, 1, 4))
    q, k, v = qkv[0], qkv[1], qkv[2]
    scores = q @ xp.transpose(k, (0, 1, 3, 2)) * (1 / math.sqrt(each))
    scores = scores + np.triu(np.full((steps, steps), -1e9, np.float32), 1)
    mixed = xp.transpose(xp.softmax(scores) @ v, (0, 2, 1, 3))
    return linear(xp, xp.reshape(mixed, (batch, steps, width)), p, f"{name}.out_proj")


def transformer(xp: Any, sizes: Any, p: Any, data: Any) -> Any:
    h = p["words.weight"][data["tokens"]] + p["places.weight"]
    for index in range(sizes["blocks"]):
        at = f"blocks.{index}"
        h = h + attention(xp, layer_norm(xp, h, p, f"{at}.norm1"), p, f"{at}.self_attn", sizes)
        inner = xp.gelu(linear(xp, layer_norm(xp, h, p, f"{at}.norm2"), p, f"{at}.linear1"))
        h = h + linear(xp, inner, p, f"{at}.linear2")
    logits = linear(xp, layer_norm(xp, h, p, "norm"), p, "head")
    return xp.cross_entropy(xp.reshape(logits, (-1, sizes["words"])), data["target"])


LOSSES = {
    "chain": chain,
    "mlp": mlp,
    "hvp": hvp,
    "softmax": softmax,
    "elementwise": elementwise,
    "lstm": lstm,
    "gru": gru,
    "transformer": transformer,
}
