"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from optim.averaging import EWMA
from optim.optimizer import Optimizer, check_option


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015, algorithm 1).

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g**2;  p = p - lr (m / c1) / (sqrt(v / c2) + eps), where
    c = 1 - beta**t corrects the bias of averages that start at 0 (see :class:`optim.EWMA`).

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: beta1 and beta2.
        eps: outside the root, after the correction.
        weight_decay: added to the gradient as weight_decay p (L2); AdamW has the decoupled kind.
        amsgrad: use the greatest v so far (Reddi et al., 2018).
        maximize: go up instead of down.
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; betas in [0, 1)."""
        for name in ("lr", "eps", "weight_decay"):
            check_option(name, group[name], 0.0)
        for name, beta in zip(("beta1", "beta2"), group["betas"], strict=True):
            check_option(name, beta, 0.0, 1.0)

    def update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if group["maximize"]:
            g = -g
        if decay and self._decoupled:
            p._data *= 1.0 - lr * decay
        elif decay:
            g = g + decay * p._data
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(p._data), exp_avg_sq=np.zeros_like(p._data))
        m, v = EWMA(beta1), EWMA(beta2)
        m.average, v.average, m.steps, v.steps = state["exp_avg"], state["exp_avg_sq"], state["step"], state["step"]
        state["exp_avg"] = m.accumulate(g)
        state["exp_avg_sq"] = second = v.accumulate(g * g)
        state["step"] += 1
        if group["amsgrad"]:
            second = state["max_exp_avg_sq"] = np.asarray(np.maximum(state.get("max_exp_avg_sq", 0.0), second))
        denominator = np.sqrt(second)
        denominator /= math.sqrt(v.correction)
        denominator += group["eps"]
        p._data -= (lr / m.correction) * m.average / denominator


class AdamW(Adam):
    """Adam with decoupled weight decay: p = (1 - lr weight_decay) p first (Loshchilov and Hutter, 2019)."""

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
