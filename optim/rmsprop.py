"""Steps divided by the root of a mean square: Adagrad, RMSprop, Adadelta; and Rprop, which they grew out of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd.ops.gate import gate
from optim.averaging import EWMA
from optim.checks import check_count, check_number, check_option, check_share
from optim.flat import Pack, Rule
from optim.optimizer import Optimizer, as_tuple, regularized


class Adagrad(Optimizer):
    """G = G + g**2;  p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(G) + eps).

    Adaptive subgradients (Duchi, Hazan and Singer, 2011), in the diagonal form.

    Args:
        params: the parameters.
        lr: the learning rate.
        lr_decay: as in the formula.
        weight_decay: added to the gradient as weight_decay p.
        initial_accumulator_value: the first G.
        eps: added to the root.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """All options >= 0."""
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            check_option(name, group[name], 0.0)

    def buffers(self, group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """G."""
        return {"sum": group["initial_accumulator_value"]}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        rate = group["lr"] / (1.0 + (state.scalars["step"] - 1) * group["lr_decay"])
        rate, eps = state.constants(rate, group["eps"])

        def update(p: Any, g: Any, scratch: Any, G: Any) -> Any:
            s, t = scratch
            g = regularized(p, g, group, s)
            G += np.multiply(g, g, out=t)
            np.sqrt(G, out=t)
            t += eps
            np.divide(g, t, out=t)
            t *= rate
            return t

        return update


class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g**2;  p = p - lr g / (sqrt(v) + eps) (Tieleman and Hinton, 2012, lecture 6).

    Centered, the mean is taken out: sqrt(v - a**2), where a = alpha a + (1 - alpha) g (Graves, 2013). With momentum,
    b = momentum b + g / (sqrt(v) + eps) and p = p - lr b.

    Args:
        params: the parameters.
        lr: the learning rate.
        alpha: the weight of the past.
        eps: added to the root.
        weight_decay: added to the gradient as weight_decay p.
        momentum: as in the formula.
        centered: divide by the standard deviation.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay, momentum >= 0; alpha in [0, 1)."""
        for name in ("lr", "eps", "weight_decay", "momentum"):
            check_option(name, group[name], 0.0)
        check_option("alpha", group["alpha"], 0.0, 1.0)

    def buffers(self, group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """v, and where they are used b and a."""
        mean = {"grad_avg": 0.0} if group["centered"] else {}
        momentum = {"momentum_buffer": 0.0} if group["momentum"] else {}
        return {"square_avg": 0.0, **mean, **momentum}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        a, m, centered = group["alpha"], group["momentum"], group["centered"]
        lr, alpha, rest, eps, momentum = state.constants(group["lr"], a, 1.0 - a, group["eps"], m)

        def update(p: Any, g: Any, scratch: Any, v: Any, *others: Any) -> Any:
            s, t = scratch
            g = regularized(p, g, group, s)
            EWMA.blend(v, np.multiply(g, g, out=t), alpha, rest, t)
            if centered:
                a = others[0]
                EWMA.blend(a, g, alpha, rest, t)
                np.multiply(a, a, out=t)
                np.subtract(v, t, out=t)
                np.sqrt(t, out=t)
            else:
                np.sqrt(v, out=t)
            t += eps
            step = np.divide(g, t, out=t)
            if m:
                b = others[-1]
                b *= momentum
                b += step
                return np.multiply(b, lr, out=t)
            step *= lr
            return step

        return update


class Adadelta(Optimizer):
    """v = rho v + (1 - rho) g**2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d**2;  p = p - lr d.

    Steps in the units of the parameter (Zeiler, 2012, algorithm 1).

    Args:
        params: the parameters.
        lr: the learning rate; the paper has 1.
        rho: the weight of the past.
        eps: under both roots.
        weight_decay: added to the gradient as weight_decay p.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """lr, eps, weight_decay >= 0; rho in [0, 1]."""
        for name in ("lr", "eps", "weight_decay"):
            check_option(name, group[name], 0.0)
        check_share("rho", group["rho"])

    def buffers(self, _group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """v and u."""
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step."""
        lr, rho, rest, eps = state.constants(group["lr"], group["rho"], 1.0 - group["rho"], group["eps"])

        def update(p: Any, g: Any, scratch: Any, v: Any, u: Any) -> Any:
            s, t = scratch
            g = regularized(p, g, group, s)
            EWMA.blend(v, np.multiply(g, g, out=t), rho, rest, t)
            d = np.add(u, eps, out=t)
            np.sqrt(d, out=d)
            d *= g
            np.add(v, eps, out=s)  # g has been used
            d /= np.sqrt(s, out=s)
            EWMA.blend(u, np.multiply(d, d, out=s), rho, rest, s)
            d *= lr
            return d

        return update


class Rprop(Optimizer):
    """Steps of a size of their own for each value: longer while the sign of g stays, shorter when it turns.

    With g' the gradient before: if g g' > 0 the step size is multiplied by eta+, if g g' < 0 by eta-, and then g counts as 0 in
    this step (Riedmiller and Braun, 1993, in the form that Igel and Hüsken, 2000, call iRprop-);  p = p - sign(g) step size.
    For full batches only.

    Args:
        params: the parameters.
        lr: the first step size.
        etas: eta- and eta+.
        step_sizes: the least and the greatest.
        maximize: go up instead of down.
    """

    returns_step = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": as_tuple(etas), "step_sizes": as_tuple(step_sizes), "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        """lr >= 0; 0 < eta- < 1 < eta+; 0 <= least <= greatest step size."""
        check_option("lr", group["lr"], 0.0)
        for name in ("etas", "step_sizes"):
            check_count(name, group[name], 2)
            for value in group[name]:
                check_number(name, value)
        minus, plus = group["etas"]
        if not 0.0 < minus < 1.0 < plus:
            raise ValueError(f"etas: expected 0 < etas[0] < 1 < etas[1], got {group['etas']}")
        least, greatest = group["step_sizes"]
        if not 0.0 <= least <= greatest:
            raise ValueError(f"step_sizes: expected 0 <= step_sizes[0] <= step_sizes[1], got {group['step_sizes']}")

    def buffers(self, group: dict[str, Any], _shape: tuple[int, ...]) -> dict[str, Any]:
        """The gradient before, and the step sizes."""
        return {"prev": 0.0, "step_size": group["lr"]}

    def rule(self, group: dict[str, Any], _state: Pack) -> Rule:
        """The update of one step."""
        (minus, plus), (least, greatest) = group["etas"], group["step_sizes"]

        def update(_p: Any, g: Any, scratch: Any, before: Any, size: Any) -> Any:
            s, t = scratch
            if group["maximize"]:
                g = np.negative(g, out=s)
            same = np.multiply(g, before, out=t)
            stayed, turned = same > 0.0, same < 0.0
            factor = np.multiply(stayed, plus - 1.0, out=t)  # masked ufuncs (where=) are many times slower
            factor += np.multiply(turned, minus - 1.0, dtype=t.dtype)
            factor += 1.0
            size *= factor
            np.clip(size, least, greatest, out=size)
            np.copyto(before, gate(g, ~turned))
            np.sign(before, out=t)
            t *= size
            return t

        return update
