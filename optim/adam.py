"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from optim.averaging import EWMA
from optim.checks import check_betas, check_option
from optim.flat import Pack, Rule
from optim.optimizer import Optimizer, as_tuple, regularized


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
        foreach, fused: accepted as in PyTorch; a step always takes all parameters at once.
        decoupled_weight_decay: decay as in AdamW.
    """

    returns_step = True

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
        decoupled_weight_decay: bool = False,
        foreach: bool | None = None,  # noqa: ARG002
        fused: bool | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": as_tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; betas in [0, 1)."""
        for name in ("lr", "eps", "weight_decay"):
            check_option(name, group[name], 0.0)
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """m and v, and with amsgrad the greatest v."""
        greatest = {"max_exp_avg_sq": 0.0} if group["amsgrad"] else {}
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0, **greatest}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step; lr (m / c1) / (sqrt(v / c2) + eps) is computed as k m / (sqrt(v) + eps sqrt(c2))."""
        t = state.scalars["step"]
        b1, b2 = group["betas"]
        root = math.sqrt(EWMA.weight(b2, t))
        k = group["lr"] * root / EWMA.weight(b1, t)
        beta1, rest1, beta2, rest2, k, eps = state.constants(b1, 1.0 - b1, b2, 1.0 - b2, k, group["eps"] * root)

        def update(p: Any, g: Any, scratch: Any, m: Any, v: Any, greatest: Any = None) -> Any:
            s, u = scratch
            g = decayed(p, g, group, s)
            EWMA.blend(m, g, beta1, rest1, u)
            EWMA.blend(v, np.multiply(g, g, out=u), beta2, rest2, u)
            if greatest is not None:
                v = np.maximum(greatest, v, out=greatest)
            np.sqrt(v, out=u)
            u += eps
            np.divide(m, u, out=u)
            u *= k
            return u

        return update


class AdamW(Adam):
    """Adam with decoupled weight decay: p = (1 - lr weight_decay) p first (Loshchilov and Hutter, 2019)."""

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
        foreach: bool | None = None,  # noqa: ARG002
        fused: bool | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


def decayed(p: Any, g: Any, group: dict[str, Any], out: Any) -> Any:
    """The gradient to descend along, after weight decay of the kind that the group asks for: on g, or on p itself."""
    if not group["decoupled_weight_decay"]:
        return regularized(p, g, group, out)
    if group["weight_decay"]:
        p *= 1.0 - group["lr"] * group["weight_decay"]
    return np.negative(g, out=out) if group["maximize"] else g
