"""Limits on gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor


def get_total_norm(tensors: Iterable[Any], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """The norm of all elements of all tensors as one vector, scaled so that 1e200 does not overflow.

    Args:
        tensors: one tensor, or an iterable of them; used once.
        norm_type: p of the norm, inf for the greatest absolute value.
        error_if_nonfinite: raise RuntimeError for a norm of nan or inf.
    """
    if not norm_type > 0:
        raise ValueError(f"get_total_norm: expected norm_type > 0, got {norm_type}")
    chosen = [tensors] if isinstance(tensors, Tensor) else tensors
    norm = _norm([t._data if isinstance(t, Tensor) else np.asarray(t) for t in chosen], norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"get_total_norm: expected a finite norm, got {norm}")
    return norm


def _norm(arrays: list[Any], norm_type: float) -> float:
    greatest = [float(np.max(np.abs(a))) for a in arrays if a.size]
    top = max(greatest, default=0.0)
    if any(math.isnan(value) for value in greatest):
        return math.nan
    if norm_type == math.inf or top == 0.0 or math.isinf(top):
        return top
    total = sum(float(np.sum((np.abs(a.astype(np.float64)) / top) ** norm_type)) for a in arrays)
    return float(top * total ** (1.0 / norm_type))


def clip_grad_norm_(parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> float:
    """Scales all gradients so that their norm together is at most ``max_norm``; returns the norm before (a NumPy float).

    Args:
        parameters: one tensor or an iterable of them (used once); those without gradient are passed over.
        max_norm: the limit.
        norm_type: p of the norm.
        error_if_nonfinite: raise for a norm of nan or inf, naming the parameter; else such gradients are left as they are.

    Raises:
        RuntimeError: for a norm that is not finite, if that was asked for.
        ValueError: for a limit below 0.
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: expected max_norm >= 0, got {max_norm}")
    graded = _graded(parameters)
    norm = np.float64(get_total_norm([p.grad for _, p in graded], norm_type))  # programs ask it for its item()
    if not math.isfinite(norm):
        if error_if_nonfinite:
            bad = next(((i, p) for i, p in graded if not np.all(np.isfinite(p.grad._data))), graded[0])
            raise RuntimeError(
                f"clip_grad_norm_: the gradient of parameter {bad[1].name or bad[0]} (shape {bad[1].shape}) is not finite"
            )
        return norm
    if norm > max_norm:
        factor = max_norm / norm
        for _, p in graded:
            p.grad = Tensor(p.grad._data * factor, dtype=p.dtype)
    return norm


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Limits every value of every gradient to [-clip_value, clip_value]; nan stays nan.

    Args:
        parameters: one tensor or an iterable of them (used once); those without gradient are passed over.
        clip_value: the limit.

    Raises:
        ValueError: for a limit below 0.
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: expected clip_value >= 0, got {clip_value}")
    for _, p in _graded(parameters):
        p.grad = Tensor(np.clip(p.grad._data, -clip_value, clip_value), dtype=p.dtype)


def _graded(parameters: Any) -> list[tuple[int, Any]]:
    """The parameters that have a gradient, each once, with their position."""
    chosen = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    seen: set[int] = set()
    found = []
    for index, p in enumerate(chosen):
        if not isinstance(p, Tensor):
            raise TypeError(f"parameters: expected Tensors, got {type(p).__name__} at position {index}")
        if p.grad is not None and id(p) not in seen:
            seen.add(id(p))
            found.append((index, p))
    return found
