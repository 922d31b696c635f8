"""Stochastic gradient descent, and its average."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from optim.checks import check_number, check_option
from optim.flat import Pack, Rule
from optim.optimizer import Optimizer, regularized


class SGD(Optimizer):
    """g = g + weight_decay p;  b = momentum b + (1 - dampening) g;  p = p - lr b.

    The first b is g itself. With Nesterov momentum the step is g + momentum b (Sutskever et al., 2013, in PyTorch's form).

    Args:
        params: the parameters.
        lr: the learning rate.
        momentum, dampening, weight_decay: as in the formula.
        nesterov: Nesterov momentum; needs momentum and no dampening.
        maximize: go up instead of down.
        foreach, fused: accepted as in PyTorch; a step always takes all parameters at once.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,  # noqa: ARG002
        fused: bool | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, momentum, weight_decay >= 0; Nesterov needs momentum."""
        for name in ("lr", "momentum", "weight_decay"):
            check_option(name, group[name], 0.0)
        check_number("dampening", group["dampening"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            given = f"momentum {group['momentum']} and dampening {group['dampening']}"
            raise ValueError(f"nesterov: expected momentum > 0 and dampening 0, got {given}")

    def scalars(self, _group: dict[str, Any]) -> dict[str, float]:
        """None: no step is like another but the first."""
        return {}

    def buffers(self, group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """b."""
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        nesterov = group["nesterov"]
        lr, momentum, share = state.constants(group["lr"], group["momentum"], 1.0 - group["dampening"])
        undamped = group["dampening"] == 0.0 or "momentum_buffer" in state.fresh

        def update(p: Any, g: Any, scratch: Any, b: Any = None) -> Any:
            s, t = scratch
            g = regularized(p, g, group, s)
            if b is None:
                return np.multiply(g, lr, out=t)
            b *= momentum
            b += g if undamped else np.multiply(g, share, out=t)
            if not nesterov:
                return np.multiply(b, lr, out=t)
            np.multiply(b, momentum, out=t)
            t += g
            t *= lr
            return t

        return update


class ASGD(Optimizer):
    """p = (1 - lambd eta) p - eta g;  ax = ax + mu (p - ax), where eta = lr / (1 + lambd lr t)**alpha, mu = 1 / max(1, t - t0).

    Averaged stochastic gradient descent (Polyak and Juditsky, 1992; the rates are Bottou's, and the form PyTorch's). The
    average is in ``state[p]["ax"]``.

    Args:
        params: the parameters.
        lr: the learning rate.
        lambd: the decay.
        alpha: the power of eta.
        t0: the step at which averaging starts.
        weight_decay: added to the gradient as weight_decay p.
        maximize: go up instead of down.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "maximize": maximize},
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, weight_decay >= 0."""
        for name in ("lr", "weight_decay"):
            check_option(name, group[name], 0.0)
        for name in ("lambd", "alpha", "t0"):
            check_number(name, group[name])

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:
        """t, eta, mu."""
        return {"step": 0, "eta": group["lr"], "mu": 1.0}

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """ax."""
        return {"ax": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        lr, lambd, t = group["lr"], group["lambd"], state.scalars["step"]
        now = state.scalars["eta"], state.scalars["mu"]
        eta, mu, kept = state.constants(*now, 1.0 - lambd * now[0])
        whole = now[1] == 1.0
        state.scalars["eta"] = lr / (1.0 + lambd * lr * t) ** group["alpha"]
        state.scalars["mu"] = 1.0 / max(1.0, t - group["t0"])

        def update(p: Any, g: Any, scratch: Any, ax: Any) -> None:
            s, u = scratch
            g = regularized(p, g, group, s)
            p *= kept
            p -= np.multiply(g, eta, out=u)
            if whole:
                np.copyto(ax, p)
            else:
                np.subtract(p, ax, out=u)
                u *= mu
                ax += u

        return update
