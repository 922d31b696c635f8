"""Limits on gradients."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

import numpy as np

from autograd import Tensor
from optim.checks import check_option, check_positive


def get_total_norm(tensors: Iterable[Any], norm_type: float | str = 2.0, error_if_nonfinite: bool = False) -> float:
    """The norm of all elements of all tensors as one vector, scaled so that 1e200 does not overflow.

    Args:
        tensors: one tensor, or an iterable of them; used once.
        norm_type: p of the norm; inf or "inf" for the greatest absolute value.
        error_if_nonfinite: raise RuntimeError for a norm of nan or inf.

    Raises:
        TypeError: for anything but real numbers, also for the None of a parameter without gradient.
    """
    p: Any = math.inf if isinstance(norm_type, str) and norm_type == "inf" else norm_type
    check_positive("norm_type", p)
    chosen = [tensors] if isinstance(tensors, Tensor | np.ndarray) else tensors
    if not isinstance(chosen, Iterable):
        raise TypeError(f"get_total_norm: expected a tensor or an iterable of them, got {type(tensors).__name__}; pass a list")
    norm = _norm([_values(t, index) for index, t in enumerate(chosen)], float(p))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"get_total_norm: expected a finite norm, got {norm}")
    return norm


def _values(tensor: Any, index: int) -> Any:
    array = tensor._data if isinstance(tensor, Tensor) else np.asarray(tensor)
    if array.dtype.kind not in "fiub":
        hint = "; leave out parameters without a gradient" if tensor is None else ""
        raise TypeError(f"get_total_norm: expected tensors of numbers, got {type(tensor).__name__} at position {index}{hint}")
    return array


def _norm(arrays: list[Any], norm_type: float) -> float:
    greatest = [float(np.max(np.abs(a))) for a in arrays if a.size]
    top = max(greatest, default=0.0)
    if any(math.isnan(value) for value in greatest):
        return math.nan
    if norm_type == math.inf or top == 0.0 or math.isinf(top):
        return top
    total = sum(float(np.sum((np.abs(a.astype(np.float64)) / top) ** norm_type)) for a in arrays)
    return float(top * total ** (1.0 / norm_type))


def clip_grad_norm_(parameters: Any, max_norm: float, norm_type: float | str = 2.0, error_if_nonfinite: bool = False) -> float:
    """Scales all gradients so that their norm together is at most ``max_norm``; returns the norm before (a NumPy float).

    Each ``p.grad`` that is scaled is a new Tensor then (PyTorch writes to the old one): whoever holds the gradient from before
    still has its values from before.

    Args:
        parameters: one tensor or an iterable of them (used once); those without gradient are passed over.
        max_norm: the limit.
        norm_type: p of the norm; inf or "inf" for the greatest absolute value.
        error_if_nonfinite: raise for a norm of nan or inf, naming the parameter; else such gradients are left as they are.

    Raises:
        RuntimeError: for a norm that is not finite, if that was asked for.
        TypeError: for anything but Tensors, such as a whole model.
        ValueError: for a limit below 0.
    """
    check_option("clip_grad_norm_: max_norm", max_norm, 0.0)
    limit = float(max_norm)
    graded = _graded(parameters)
    norm = np.float64(get_total_norm([p.grad for _, p in graded], norm_type))  # programs ask it for its item()
    if not math.isfinite(norm):
        if error_if_nonfinite:
            bad = next(((i, p) for i, p in graded if not np.all(np.isfinite(p.grad._data))), graded[0])
            raise RuntimeError(
                f"clip_grad_norm_: the gradient of parameter {bad[1].name or bad[0]} (shape {bad[1].shape}) is not finite"
            )
        return norm
    if norm > limit:
        factor = limit / norm
        for _, p in graded:
            p.grad = Tensor(p.grad._data * factor, dtype=p.dtype)
    return norm


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Limits every value of every gradient to [-clip_value, clip_value]; nan stays nan.

    Each ``p.grad`` is a new Tensor then (PyTorch writes to the old one): whoever holds the gradient from before still has its
    values from before.

    Args:
        parameters: one tensor or an iterable of them (used once); those without gradient are passed over.
        clip_value: the limit.

    Raises:
        TypeError: for anything but Tensors, such as a whole model.
        ValueError: for a limit below 0.
    """
    check_option("clip_grad_value_: clip_value", clip_value, 0.0)
    limit = float(clip_value)
    for _, p in _graded(parameters):
        p.grad = Tensor(np.clip(p.grad._data, -limit, limit), dtype=p.dtype)


def _graded(parameters: Any) -> list[tuple[int, Any]]:
    """The parameters that have a gradient, each once, with their position."""
    if not isinstance(parameters, Tensor) and not isinstance(parameters, Iterable):
        raise TypeError(
            f"parameters: expected a Tensor or an iterable of them, got {type(parameters).__name__}; pass model.parameters()"
        )
    chosen = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not chosen and isinstance(parameters, GeneratorType):
        warnings.warn(
            "parameters: expected at least one, got a generator without any; was it used up before? Nothing is clipped",
            stacklevel=3,
        )
    seen: set[int] = set()
    found = []
    for index, p in enumerate(chosen):
        if not isinstance(p, Tensor):
            raise TypeError(
                f"parameters: expected Tensors, got {type(p).__name__} at position {index}; pass model.parameters()"
            )
        if p.grad is not None and id(p) not in seen:
            seen.add(id(p))
            found.append((index, p))
    return found
