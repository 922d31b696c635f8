"""Relatives of Adam: Adamax, NAdam, RAdam, Lion, LAMB."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from optim.adam import decayed
from optim.averaging import EWMA
from optim.checks import check_betas, check_option
from optim.flat import Pack, Rule
from optim.optimizer import Optimizer, as_tuple, regularized


def check_moments(group: dict[str, Any]) -> None:
    """Raises ValueError unless lr, eps, weight_decay >= 0 and both betas are in [0, 1)."""
    for name in ("lr", "eps", "weight_decay"):
        if name in group:
            check_option(name, group[name], 0.0)
    check_betas(group["betas"])


class Adamax(Optimizer):
    """m = beta1 m + (1 - beta1) g;  u = max(beta2 u, abs(g) + eps);  p = p - lr / (1 - beta1**t) m / u.

    Adam with the infinity norm in place of the second moment (Kingma and Ba, 2015, algorithm 2; eps as in PyTorch).

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: keeps u above 0.
        weight_decay: added to the gradient as weight_decay p.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": as_tuple(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; betas in [0, 1)."""
        check_moments(group)

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m and u."""
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        b1, b2 = group["betas"]
        rate = group["lr"] / EWMA.weight(b1, int(state.scalars["step"]))
        beta1, rest1, beta2, rate, eps = state.constants(b1, 1.0 - b1, b2, rate, group["eps"])

        def update(p: Any, g: Any, scratch: Any, m: Any, u: Any) -> Any:
            s, t = scratch
            g = regularized(p, g, group, s)
            EWMA.blend(m, g, beta1, rest1, t)
            u *= beta2
            np.abs(g, out=t)
            t += eps
            np.maximum(u, t, out=u)
            np.divide(m, u, out=t)
            t *= rate
            return t

        return update


class NAdam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2016).

    m and v as in Adam;  mu_t = beta1 (1 - 0.96**(t momentum_decay) / 2);  d = sqrt(v / (1 - beta2**t)) + eps;
    p = p - lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m) / d.

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: added to the root.
        weight_decay: added to the gradient as weight_decay p, or decoupled as in AdamW.
        momentum_decay: how fast mu grows to beta1.
        decoupled_weight_decay: decay as in AdamW.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": as_tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay, momentum_decay >= 0; betas in [0, 1)."""
        check_moments(group)
        check_option("momentum_decay", group["momentum_decay"], 0.0)

    def scalars(self, _group: dict[str, Any]) -> dict[str, float]:
        """t, and the product of all mu so far."""
        return {"step": 0, "mu_product": 1.0}

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m and v."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        lr, (b1, b2) = group["lr"], group["betas"]
        t = int(state.scalars["step"])
        mu, following = (b1 * (1.0 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1))
        product = state.scalars["mu_product"] = state.scalars["mu_product"] * mu
        of_g, of_m = lr * (1.0 - mu) / (1.0 - product), lr * following / (1.0 - product * following)
        beta1, rest1, beta2, rest2, c2, eps, of_g, of_m = state.constants(
            b1, 1.0 - b1, b2, 1.0 - b2, EWMA.weight(b2, t), group["eps"], of_g, of_m
        )

        def update(p: Any, g: Any, scratch: Any, m: Any, v: Any) -> Any:
            s, u = scratch
            g = decayed(p, g, group, s)
            EWMA.blend(m, g, beta1, rest1, u)
            EWMA.blend(v, np.multiply(g, g, out=u), beta2, rest2, u)
            direction = np.multiply(g, of_g, out=s)
            direction += np.multiply(m, of_m, out=u)
            d = np.divide(v, c2, out=u)
            np.sqrt(d, out=d)
            d += eps
            direction /= d
            return direction

        return update


class RAdam(Optimizer):
    """Adam whose adaptive part waits until it can be trusted (Liu et al., 2020, algorithm 2).

    With c = 1 - beta**t, rho = 2 / (1 - beta2) - 1 and rho_t = rho - 2 t beta2**t / c2: while rho_t <= 5 the step is lr m / c1;
    then it is r lr (m / c1) sqrt(c2) / (sqrt(v) + eps), where
    r**2 = (rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t) (eps as in PyTorch).

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: added to the root.
        weight_decay: added to the gradient as weight_decay p, or decoupled as in AdamW.
        decoupled_weight_decay: decay as in AdamW.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": as_tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; betas in [0, 1)."""
        check_moments(group)

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m and v."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        b1, b2 = group["betas"]
        t = int(state.scalars["step"])
        rate, c2 = group["lr"] / EWMA.weight(b1, t), EWMA.weight(b2, t)
        rho = 2.0 / (1.0 - b2) - 1.0
        rho_t = rho - 2.0 * t * b2**t / c2
        if rho_t > 5.0:
            rate *= math.sqrt(c2 * (rho_t - 4.0) * (rho_t - 2.0) * rho / ((rho - 4.0) * (rho - 2.0) * rho_t))
        beta1, rest1, beta2, rest2, rate, eps = state.constants(b1, 1.0 - b1, b2, 1.0 - b2, rate, group["eps"])

        def update(p: Any, g: Any, scratch: Any, m: Any, v: Any) -> Any:
            s, u = scratch
            g = decayed(p, g, group, s)
            EWMA.blend(m, g, beta1, rest1, u)
            EWMA.blend(v, np.multiply(g, g, out=u), beta2, rest2, u)
            if rho_t > 5.0:
                np.sqrt(v, out=u)
                u += eps
                np.divide(m, u, out=u)
                u *= rate
            else:
                np.multiply(m, rate, out=u)
            return u

        return update


class Lion(Optimizer):
    """p = p - lr (sign(beta1 m + (1 - beta1) g) + weight_decay p);  m = beta2 m + (1 - beta2) g.

    Evolved sign momentum (Chen et al., 2023, algorithm 2). Every value moves by lr: take a tenth to a third of Adam's learning
    rate, and three to ten times its weight decay.

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        weight_decay: decoupled.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": as_tuple(betas), "weight_decay": weight_decay, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """lr, weight_decay >= 0; betas in [0, 1)."""
        check_moments(group)

    def scalars(self, _group: dict[str, Any]) -> dict[str, float]:
        """None: all steps are alike."""
        return {}

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m."""
        return {"exp_avg": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        (b1, b2), decay, up = group["betas"], group["weight_decay"], -1.0 if group["maximize"] else 1.0
        lr, beta1, rest1, beta2, rest2, kept = state.constants(
            group["lr"], b1, up * (1.0 - b1), b2, up * (1.0 - b2), 1.0 - group["lr"] * decay
        )

        def update(p: Any, g: Any, scratch: Any, m: Any) -> Any:
            s, t = scratch
            c = np.multiply(m, beta1, out=t)
            c += np.multiply(g, rest1, out=s)
            step = np.sign(c, out=s)  # not in place: NumPy's sign is many times slower then
            step *= lr
            if decay:
                p *= kept
            EWMA.blend(m, g, beta2, rest2, t)
            return step

        return update


class LAMB(Optimizer):
    """Adam's direction, its length set by each parameter's own (You et al., 2020, algorithm 2).

    m, v as in Adam;  u = (m / c1) / (sqrt(v / c2) + eps) + weight_decay p;  p = p - lr norm(p) / norm(u) u,
    where a norm of 0 makes the ratio 1.

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: added to the root.
        weight_decay: lambda of the paper.
        maximize: go up instead of down.
    """

    whole = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": as_tuple(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; betas in [0, 1)."""
        check_moments(group)

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m and v."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        t = int(state.scalars["step"])
        c1, c2 = EWMA.weight(beta1, t), EWMA.weight(beta2, t)

        def update(p: Any, g: Any, _scratch: Any, m: Any, v: Any) -> None:
            if group["maximize"]:
                g = -g
            EWMA.blend(m, g, beta1, 1.0 - beta1)
            EWMA.blend(v, g * g, beta2, 1.0 - beta2)
            u = (m / c1) / (np.sqrt(v / c2) + eps) + group["weight_decay"] * p
            length, norm = float(np.linalg.norm(p)), float(np.linalg.norm(u))
            p -= (lr * length / norm if length > 0.0 and norm > 0.0 else lr) * u

        return update
