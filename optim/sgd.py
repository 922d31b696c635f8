"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from optim.optimizer import Optimizer, check_option


class SGD(Optimizer):
    """g = g + weight_decay p;  b = momentum b + (1 - dampening) g;  p = p - lr b.

    The first b is g itself. With Nesterov momentum the step is g + momentum b (Sutskever et al., 2013, in PyTorch's form).

    Args:
        params: the parameters.
        lr: the learning rate.
        momentum, dampening, weight_decay: as in the formula.
        nesterov: Nesterov momentum; needs momentum and no dampening.
        maximize: go up instead of down.
    """

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
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("nesterov: expected momentum > 0 and dampening 0")

    def update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p._data
        momentum = group["momentum"]
        if momentum:
            if "momentum_buffer" not in state:
                b = state["momentum_buffer"] = np.array(g)
            else:
                b = state["momentum_buffer"]
                b *= momentum
                b += (1.0 - group["dampening"]) * g
            g = g + momentum * b if group["nesterov"] else b
        p._data -= group["lr"] * g
