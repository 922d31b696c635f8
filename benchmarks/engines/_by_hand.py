"""The transformer forward and backward by hand, and its parts: each returns its result and a closure for the way back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import Arrays, Problem

Array = np.ndarray


def cross_entropy(logits: Array, target: Array) -> tuple[float, Callable[[], Array]]:
    """The mean over rows of log(sum exp(row)) - row[target]; overwrites the logits."""
    rows = np.arange(len(logits))
    chosen = logits[rows, target]
    top = logits.max(1, keepdims=True)
    logits -= top
    np.exp(logits, out=logits)
    sums = logits.sum(1, keepdims=True)
    loss = float(np.mean(np.log(sums[:, 0]) + top[:, 0] - chosen))

    def backward() -> Array:
        g = logits
        g *= 1.0 / (sums * len(g))
        g[rows, target] -= 1.0 / len(g)
        return g

    return loss, backward


def layer_norm(x: Array, weight: Array, bias: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array, Array]]]:
    """Rows (..., d) to mean 0 and variance 1, then scaled and shifted."""
    n = x - x.mean(-1, keepdims=True)
    inverse = 1.0 / np.sqrt(np.einsum("...d,...d->...", n, n)[..., None] / x.shape[-1] + np.float32(1e-5))
    n *= inverse
    y = n * weight
    y += bias

    def backward(g: Array) -> tuple[Array, Array, Array]:
        dweight, dbias = np.einsum("rd,rd->d", g, n), g.sum(0)
        d = g * weight
        inner = np.einsum("rd,rd->r", d, n)[:, None] / d.shape[-1]
        d -= d.mean(-1, keepdims=True)
        d -= n * inner
        d *= inverse
        return d, dweight, dbias

    return y, backward


_A1, _A2, _A3, _A4, _A5 = 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429


def gelu(x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """x P(X < x) for a standard normal X; erf by Abramowitz and Stegun 7.1.26, whose error of 1.5e-7 is that of float32."""
    z = np.abs(x)
    z *= math.sqrt(0.5)
    t = 1.0 / (1.0 + 0.3275911 * z)
    density = np.exp(-z * z)  # sqrt(2 pi) times the density of x
    half = t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5))))
    half *= density
    half *= 0.5
    cdf = np.where(x < 0, half, 1.0 - half)
    y = x * cdf

    def backward(g: Array) -> Array:
        d = density
        d *= x
        d *= 1 / math.sqrt(2 * math.pi)
        d += cdf
        d *= g
        return d

    return y, backward


def linear(x: Array, p: Arrays, name: str) -> Array:
    y = x @ p[f"{name}.weight"].T
    y += p[f"{name}.bias"]
    return y


def back_linear(g: Array, x: Array, p: Arrays, name: str, gradients: Arrays) -> Array:
    gradients[f"{name}.weight"] = g.T @ x
    gradients[f"{name}.bias"] = g.sum(0)
    return g @ p[f"{name}.weight"]


def attention(x: Array, p: Arrays, name: str, sizes: Any) -> tuple[Array, Callable[[Array, Arrays], Array]]:
    """Causal self-attention of rows (N T, d)."""
    steps, width, heads = sizes["steps"], sizes["width"], sizes["heads"]
    each = width // heads
    batch = len(x) // steps
    scale = 1 / math.sqrt(each)
    w, b = p[f"{name}.in_proj_weight"], p[f"{name}.in_proj_bias"]
    qkv = x @ w.T
    qkv += b
    # (N T, 3 d) -> 3 of (N, heads, T, each)
    q, k, v = np.ascontiguousarray(qkv.reshape(batch, steps, 3, heads, each).transpose(2, 0, 3, 1, 4))
    s = q @ k.swapaxes(-1, -2)
    s *= scale
    s += np.triu(np.full((steps, steps), -np.inf, np.float32), 1)
    s -= s.max(-1, keepdims=True)
    np.exp(s, out=s)
    s /= s.sum(-1, keepdims=True)
    mixed = (s @ v).transpose(0, 2, 1, 3).reshape(batch * steps, width)
    y = linear(mixed, p, f"{name}.out_proj")

    def backward(g: Array, gradients: Arrays) -> Array:
        dmixed = back_linear(g, mixed, p, f"{name}.out_proj", gradients)
        dmixed = np.ascontiguousarray(dmixed.reshape(batch, steps, heads, each).transpose(0, 2, 1, 3))
        d = np.empty((3, *q.shape), np.float32)
        np.matmul(s.swapaxes(-1, -2), dmixed, out=d[2])
        ds = dmixed @ v.swapaxes(-1, -2)
        ds -= np.einsum("nhij,nhij->nhi", ds, s)[..., None]
        ds *= s
        ds *= scale
        np.matmul(ds, k, out=d[0])
        np.matmul(ds.swapaxes(-1, -2), q, out=d[1])
        flat = d.transpose(1, 3, 0, 2, 4).reshape(batch * steps, 3 * width)
        gradients[f"{name}.in_proj_weight"] = flat.T @ x
        gradients[f"{name}.in_proj_bias"] = flat.sum(0)
        return flat @ w

    return y, backward


def block(x: Array, p: Arrays, name: str, sizes: Any) -> tuple[Array, Callable[[Array, Arrays], Array]]:
    """x + attention(norm1(x)), then h + linear2(gelu(linear1(norm2(h))))."""
    normed, back_norm1 = layer_norm(x, p[f"{name}.norm1.weight"], p[f"{name}.norm1.bias"])
    h, back_attention = attention(normed, p, f"{name}.self_attn", sizes)
    h += x
    inner, back_norm2 = layer_norm(h, p[f"{name}.norm2.weight"], p[f"{name}.norm2.bias"])
    active, back_gelu = gelu(linear(inner, p, f"{name}.linear1"))
    y = linear(active, p, f"{name}.linear2")
    y += h

    def backward(g: Array, gradients: Arrays) -> Array:
        d = back_linear(g, active, p, f"{name}.linear2", gradients)
        d = back_linear(back_gelu(d), inner, p, f"{name}.linear1", gradients)
        d, gradients[f"{name}.norm2.weight"], gradients[f"{name}.norm2.bias"] = back_norm2(d)
        d += g
        e = back_attention(d, gradients)
        e, gradients[f"{name}.norm1.weight"], gradients[f"{name}.norm1.bias"] = back_norm1(e)
        e += d
        return e

    return y, backward


def transformer(p: Arrays, problem: Problem) -> tuple[float, Callable[[], Arrays]]:
    """Embedded words and places, blocks, a norm, and the word at each place."""
    sizes = problem.sizes
    tokens = problem.data["tokens"]
    h = (p["words.weight"][tokens] + p["places.weight"]).reshape(-1, sizes["width"])
    backs = []
    for index in range(sizes["blocks"]):
        h, back = block(h, p, f"blocks.{index}", sizes)
        backs.append(back)
    normed, back_norm = layer_norm(h, p["norm.weight"], p["norm.bias"])
    loss, back_loss = cross_entropy(linear(normed, p, "head"), problem.data["target"])

    def backward() -> Arrays:
        gradients: Arrays = {}
        g = back_linear(back_loss(), normed, p, "head", gradients)
        g, gradients["norm.weight"], gradients["norm.bias"] = back_norm(g)
        for back in reversed(backs):
            g = back(g, gradients)
        g = g.reshape(*tokens.shape, -1)
        gradients["places.weight"] = g.sum(0)
        hot = np.zeros((sizes["words"], tokens.size), np.float32)
        hot[tokens.reshape(-1), np.arange(tokens.size)] = 1
        gradients["words.weight"] = hot @ g.reshape(tokens.size, -1)
        return gradients

    return loss, backward
