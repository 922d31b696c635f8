"""Optimizers that see a parameter as a matrix: Adafactor and Muon."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim.averaging import EWMA
from optim.checks import check_count, check_number, check_option
from optim.flat import Pack, Rule
from optim.optimizer import Optimizer, as_tuple


class Adafactor(Optimizer):
    """Adam's second moment from its row and column means alone (Shazeer and Stern, 2018, algorithm 4, as in PyTorch).

    For matrices R = beta R + (1 - beta) mean(g**2, rows), C the same of columns, V = R C / mean(R); for vectors V is the
    average itself; beta = 1 - t**beta2_decay.  u = g / sqrt(V), at most of root mean square d;
    p = (1 - lr weight_decay) p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u.

    Args:
        params: the parameters; axes but the last two are batch axes.
        lr: the greatest relative step.
        beta2_decay: of the weight of the past, at most 0.
        eps: eps1, under which V does not go (None for the dtype's precision), and eps2, the least scale of a parameter.
        d: the limit on u.
        weight_decay: decoupled.
        maximize: go up instead of down.
    """

    whole = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": as_tuple(eps),
                "d": d,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, weight_decay, eps >= 0; beta2_decay <= 0; d >= 1."""
        for name in ("lr", "weight_decay"):
            check_option(name, group[name], 0.0)
        check_count("eps", group["eps"], 2)
        for name, eps in zip(("eps1", "eps2"), group["eps"], strict=True):
            check_option(name, 0.0 if eps is None else eps, 0.0)
        check_option("d", group["d"], 1.0)
        check_number("beta2_decay", group["beta2_decay"])
        if not group["beta2_decay"] <= 0.0:
            raise ValueError(f"beta2_decay: expected a value of at most 0, got {group['beta2_decay']}")

    def buffers(self, _group: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
        """R and C for matrices, V for vectors."""
        if len(shape) < 2:
            return {"variance": 0.0}
        return {"row_var": np.zeros((*shape[:-1], 1)), "col_var": np.zeros((*shape[:-2], 1, shape[-1]))}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        lr, decay, (eps1, eps2) = group["lr"], group["weight_decay"], group["eps"]
        if eps1 is None:
            eps1 = float(np.finfo(state.dtype).eps)
        t = state.scalars["step"]
        beta = 1.0 - t ** group["beta2_decay"]
        relative = min(lr, 1.0 / math.sqrt(t))

        def update(p: Any, g: Any, _scratch: Any, *factors: Any) -> None:
            if p.size == 0:
                return
            g = -g if group["maximize"] else g
            scale = max(eps2, rms(p)) * relative
            p *= 1.0 - lr * decay
            square = g * g
            if len(factors) == 2:
                R, C = factors
                EWMA.blend(R, np.mean(square, -1, keepdims=True), beta, 1.0 - beta)
                EWMA.blend(C, np.mean(square, -2, keepdims=True), beta, 1.0 - beta)
                V = R * C / np.maximum(np.mean(R, -2, keepdims=True), eps1)
            else:
                V = factors[0]
                EWMA.blend(V, square, beta, 1.0 - beta)
            u = g / np.sqrt(np.maximum(V, eps1 * eps1))
            p -= scale / max(1.0, rms(u) / group["d"]) * u

        return update


def rms(x: NDArray[Any]) -> float:
    """The root mean square."""
    return float(np.linalg.norm(x)) / math.sqrt(x.size)


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan, 2024): b = momentum b + (1 - momentum) g;  p = (1 - lr weight_decay) p - lr r O(b).

    O(b) is b with all singular values near 1, by :func:`orthogonalized`; with Nesterov momentum it is taken of
    momentum b + (1 - momentum) g. For the weight matrices of hidden layers; give the rest to AdamW. PyTorch computes O in
    bfloat16, here it is computed in the parameter's own dtype.

    Args:
        params: matrices.
        lr: the learning rate.
        weight_decay: decoupled.
        momentum: as in the formula.
        nesterov: Nesterov momentum.
        ns_coefficients: a, b, c of the iteration.
        eps: the least norm to divide by.
        ns_steps: iterations.
        adjust_lr_fn: for a matrix of m rows and n columns r is sqrt(max(1, m / n)) for None or "original", and
            0.2 sqrt(max(m, n)) for "match_rms_adamw".
    """

    whole = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": as_tuple(ns_coefficients),
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Adds matrices with options of their own."""
        super().add_param_group(group)
        for p in self.param_groups[-1]["params"]:
            if p.ndim != 2:
                self.param_groups.pop()
                raise ValueError(f"Muon: expected matrices, got a parameter of shape {p.shape}; give the others to AdamW")

    def check(self, group: dict[str, Any]) -> None:
        """lr, weight_decay, momentum, eps >= 0; three coefficients; fewer than 100 iterations."""
        for name in ("lr", "weight_decay", "momentum", "eps"):
            check_option(name, group[name], 0.0)
        check_option("ns_steps", group["ns_steps"], 0, 100)
        check_count("ns_coefficients", group["ns_coefficients"], 3)
        for value in group["ns_coefficients"]:
            check_number("ns_coefficients", value)
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"adjust_lr_fn: expected 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}")

    def scalars(self, _group: dict[str, Any]) -> dict[str, float]:
        """None: all steps are alike."""
        return {}

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """b."""
        return {"momentum_buffer": 0.0}

    def rule(self, group: dict[str, Any], _state: Pack) -> Rule:
        """The update of one step."""
        lr, momentum = group["lr"], group["momentum"]

        def update(p: Any, g: Any, _scratch: Any, b: Any) -> None:
            if p.size == 0:
                return
            EWMA.blend(b, g, momentum, 1.0 - momentum)
            direction = momentum * b + (1.0 - momentum) * g if group["nesterov"] else b
            O = orthogonalized(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])  # noqa: E741
            rows, columns = p.shape
            if group["adjust_lr_fn"] == "match_rms_adamw":
                ratio = 0.2 * math.sqrt(max(rows, columns))
            else:
                ratio = math.sqrt(max(1.0, rows / columns))
            p *= 1.0 - lr * group["weight_decay"]
            p -= lr * ratio * O

        return update


def orthogonalized(
    matrix: NDArray[Any], coefficients: tuple[float, float, float], steps: int, eps: float = 1e-7
) -> NDArray[Any]:
    """The matrix with its singular values brought near 1.

    X = a X + (b X Xᵀ + c (X Xᵀ)²) X, from X = matrix / norm: a Newton-Schulz iteration of the fifth order (Jordan, 2024).

    Args:
        matrix: (m, n).
        coefficients: a, b, c.
        steps: iterations; with the usual coefficients five bring values above 0.01 between about 0.7 and 1.2.
        eps: the least norm to divide by.
    """
    a, b, c = coefficients
    X = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    X = X / max(float(np.linalg.norm(X)), eps)
    for _ in range(steps):
        gram = X @ X.T
        X = a * X + (b * gram + c * (gram @ gram)) @ X
    return X.T if matrix.shape[0] > matrix.shape[1] else X
