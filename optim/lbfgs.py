"""L-BFGS: a quasi-Newton method for full batches."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, enable_grad, versions
from optim.checks import check_closure, check_number, check_option
from optim.optimizer import Optimizer

Array = NDArray[Any]
Objective = Callable[[float], tuple[float, Array]]  # of the step length: the loss and its gradient there

MEMORY = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal and Wright, 2006, algorithms 7.4 and 7.5).

    The direction is d = -H g, where H is built from the last ``history_size`` pairs s (the change of the parameters) and y
    (that of the gradient) by the two-loop recursion, from H = (s y / y y) I. One ``step(closure)`` does up to ``max_iter``
    iterations; the closure is called once or more in each: it clears the gradients, computes the loss, calls backward and
    returns the loss.

    Args:
        params: the parameters, one group; all of them count as one vector.
        lr: the step length, or the first one tried by the line search.
        max_iter: iterations of a step.
        max_eval: calls of the closure in a step; 1.25 max_iter by default.
        tolerance_grad: end when no value of the gradient is greater.
        tolerance_change: end when no parameter, or the loss, changes more.
        history_size: pairs that are kept.
        line_search_fn: None for steps of length lr, or "strong_wolfe".

    Example:
        >>> import nn, optim
        >>> p = nn.Parameter([3.0, 4.0])
        >>> optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (p * p).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item(), abs(p).max().item() < 1e-6
        (25.0, True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_number("max_iter", max_iter)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        self._memory: dict[str, Any] = {}

    def check(self, group: dict[str, Any]) -> None:
        """lr and tolerances >= 0; whole numbers > 0; a line search that is known."""
        for name in ("lr", "tolerance_grad", "tolerance_change"):
            check_option(name, group[name], 0.0)
        for name in ("max_iter", "max_eval", "history_size"):
            check_option(name, group[name], 1)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn: expected None or 'strong_wolfe', got {group['line_search_fn']!r}")

    def add_param_group(self, group: dict[str, Any]) -> None:
        """The parameters, once: there is one group only."""
        if self.param_groups:
            raise ValueError("LBFGS: expected a single parameter group; all parameters count as one vector")
        super().add_param_group(group)

    # -------------------------------------------------------------------------------------------- the vector

    def _parameter_vector(self) -> Array:
        return np.concatenate([p._data for p in self._parameters()], axis=None)

    def _gradient(self) -> Array:
        if all(p.grad is None for p in self._parameters()):
            raise ValueError(
                "LBFGS: expected a closure that computes gradients, got none for any parameter; call loss.backward() in it"
            )
        return np.concatenate(
            [np.zeros(p.shape, p.dtype) if p.grad is None else p.grad._data for p in self._parameters()], axis=None
        )

    def _move(self, x: Array) -> None:
        """Sets all parameters."""
        low = 0
        arrays = []
        for p in self._parameters():
            high = low + p._data.size
            p._data[...] = x[low:high].reshape(p.shape)
            arrays.append(p._data)
            low = high
        versions.stamp_all(arrays)

    # -------------------------------------------------------------------------------------------- the step

    def step(
        self,
        closure: Callable[[], Any] | None = None,
        *,
        error_if_nonfinite: bool = False,
        skip_nonfinite: bool = False,
    ) -> Any:
        """Does up to ``max_iter`` iterations; returns the loss before the first.

        Without more, a gradient that is not finite goes into the parameters and the memory, as in PyTorch.

        Args:
            closure: clears the gradients, computes the loss and its gradients, and returns the loss.
            error_if_nonfinite: raise if the first gradient has a nan or an inf, before anything is changed; those at the
                points that the step itself chooses are not looked at.
            skip_nonfinite: return then, with a warning that names the parameter.

        Raises:
            RuntimeError: for a gradient that is not finite, if that was asked for.
            TypeError: without closure, or if it does not return the loss.
            ValueError: if the closure leaves all parameters without gradient, or one cannot be written to.
        """
        if closure is None:
            raise TypeError("LBFGS: expected a closure that computes the loss and its gradients, got None")
        check_closure(closure)
        call = closure
        group, memory = self.param_groups[0], self._memory
        self.check(group)
        for p in self._parameters():
            if not p._data.flags.writeable:
                raise ValueError(f"step: expected a parameter that can be written to, {self._label(p)} is read-only")

        def evaluate() -> tuple[Any, Array]:
            with enable_grad():
                value = call()
            check_loss(value)
            return value, self._gradient()

        first, g = evaluate()
        if (error_if_nonfinite or skip_nonfinite) and not self._finite(self._ready(), error_if_nonfinite):
            return first
        memory["func_evals"] = memory.get("func_evals", 0) + 1
        memory.setdefault("n_iter", 0)
        self.steps += 1
        if g.size and not _greatest(g) <= group["tolerance_grad"]:  # nan is no end: it goes into the parameters
            with np.errstate(all="ignore"):
                self._iterate(group, memory, evaluate, float(first), g)
        return first

    def _iterate(
        self,
        group: dict[str, Any],
        memory: dict[str, Any],
        evaluate: Callable[[], tuple[Any, Array]],
        loss: float,
        g: Array,
    ) -> None:
        lr, tolerance = group["lr"], group["tolerance_change"]
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            memory["n_iter"] += 1
            d = self._direction(memory, g, group["history_size"])
            before, memory["prev_flat_grad"], memory["prev_loss"] = loss, g, loss
            t = min(1.0, 1.0 / float(np.sum(np.abs(g)))) * lr if memory["n_iter"] == 1 else lr
            slope = float(np.dot(g, d))
            memory["d"], memory["t"] = d, t
            if slope > -tolerance:
                break
            x, used = self._parameter_vector(), 0
            if group["line_search_fn"] is not None:

                def along(t: float, x: Array = x, d: Array = d) -> tuple[float, Array]:
                    self._move(x + t * d)
                    value, gradient = evaluate()
                    return float(value), gradient

                try:
                    loss, g, t, used = strong_wolfe(along, t, d, loss, g, slope, tolerance, group["max_eval"] - evaluations)
                except BaseException:
                    self._move(x)  # not where the search happened to be
                    raise
                self._move(x + t * d)
            else:
                self._move(x + t * d)
                if iteration != group["max_iter"]:  # in the last iteration nothing would use it
                    value, g = evaluate()
                    loss, used = float(value), 1
            memory["t"] = t
            evaluations += used
            memory["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _greatest(g) <= group["tolerance_grad"]
                or _greatest(d * t) <= tolerance
                or abs(loss - before) < tolerance
            ):
                break

    def _direction(self, memory: dict[str, Any], g: Array, history: int) -> Array:
        """-H g: the two-loop recursion, after the newest pair was noted."""
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        ys, ss, rhos = memory["old_dirs"], memory["old_stps"], memory["ro"]
        y, s = g - memory["prev_flat_grad"], memory["d"] * memory["t"]
        curvature = float(np.dot(y, s))
        if curvature > 1e-10:
            if len(ys) >= history:
                for kept in (ys, ss, rhos):
                    kept.pop(0)
            ys.append(y)
            ss.append(s)
            rhos.append(1.0 / curvature)
            memory["H_diag"] = curvature / float(np.dot(y, y))
        q = -g
        alphas = []
        for s, y, rho in zip(reversed(ss), reversed(ys), reversed(rhos), strict=True):
            alphas.append(float(np.dot(s, q)) * rho)
            q -= alphas[-1] * y
        r = q * memory["H_diag"]
        for s, y, rho, alpha in zip(ss, ys, rhos, reversed(alphas), strict=True):
            r += s * (alpha - float(np.dot(y, r)) * rho)
        return np.asarray(r)

    # -------------------------------------------------------------------------------------------- state

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """The memory, under the first parameter, as in PyTorch."""
        first = next(self._parameters())
        return MappingProxyType({first: MappingProxyType(self._memory)} if self._memory else {})

    def _used(self, values: Mapping[str, Any], _group: dict[str, Any], _p: Tensor) -> dict[str, Any]:
        """All of it."""
        return dict(values)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over memory and options, which are checked first."""
        states = state_dict.get("state", {}) if isinstance(state_dict, dict) else {}
        memory = copy.deepcopy(dict(states.get(0, {})))
        size = self._parameter_vector().size
        for name, value in memory.items():
            if name not in (*MEMORY, "func_evals", "n_iter", "al"):
                raise ValueError(f"load_state_dict: expected {', '.join(MEMORY)}, got {name!r}")
            for array in value if name in ("old_dirs", "old_stps") else [value]:
                if isinstance(array, np.ndarray) and array.shape != (size,):
                    raise ValueError(f"load_state_dict: expected {name} of shape {(size,)}, got {array.shape}")
        super().load_state_dict({**state_dict, "state": {k: v for k, v in states.items() if k != 0}} if states else state_dict)
        self._memory = memory


def check_loss(value: Any) -> None:
    """Raises TypeError for what a closure must not return: nothing, several values, or anything but a number."""
    numeric = isinstance(value, Tensor | np.ndarray | np.number | int | float)
    if not numeric or np.shape(value) not in ((), (1,)):
        given = f"shape {np.shape(value)}" if numeric else "None" if value is None else type(value).__name__
        raise TypeError(f"LBFGS: expected a closure that returns a scalar loss, got {given}; end it with return loss")


def _greatest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0.0))


def cubic_minimum(
    x1: float, f1: float, g1: float, x2: float, f2: float, g2: float, bounds: tuple[float, float] | None = None
) -> float:
    """Where the cubic with these values and slopes at two points has its minimum, within bounds (Nocedal and Wright, 3.59).

    Args:
        x1, f1, g1: a point, the value and the slope there.
        x2, f2, g2: the other.
        bounds: the interval; between the points by default. Its middle is the answer where there is no minimum.
    """
    low, high = bounds or (min(x1, x2), max(x1, x2))
    if x1 == x2:
        return (low + high) / 2.0
    d1 = g1 + g2 - 3.0 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if not square >= 0.0:
        return (low + high) / 2.0
    if x1 > x2:
        x1, g1, x2, g2 = x2, g2, x1, g1
    d2 = math.sqrt(square)
    denominator = g2 - g1 + 2.0 * d2
    found = x2 - (x2 - x1) * ((g2 + d2 - d1) / denominator) if denominator else math.nan
    return min(max(found, low), high) if math.isfinite(found) else (low + high) / 2.0


def strong_wolfe(
    along: Objective,
    t: float,
    d: Array,
    f: float,
    g: Array,
    slope: float,
    tolerance: float = 1e-9,
    most: int = 25,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[float, Array, float, int]:
    """A step length t with f(t) <= f + c1 t f' and abs(f'(t)) <= c2 abs(f') (Nocedal and Wright, algorithms 3.5 and 3.6).

    Args:
        along: loss and gradient at a step length.
        t: the first length to try.
        d: the direction.
        f, g, slope: loss, gradient and slope g d at 0.
        tolerance: end when the bracket is shorter than this.
        most: calls of ``along`` after the first.
        c1, c2: of the two conditions.

    Returns:
        Loss, gradient and length of the best point, and the number of calls.
    """

    def point(t: float) -> tuple[float, float, Array, float]:
        value, gradient = along(t)
        if math.isnan(value):
            value = math.inf  # a point that is no good
        return t, value, gradient, float(np.dot(gradient, d))

    start = previous = (0.0, f, g, slope)
    current = point(t)
    calls, tries = 1, 0
    found = False
    bracket = [start, current]
    while tries < most:  # go further until a bracket holds a good point
        t, value, _, rise = current
        bracket = [previous, current]
        if value > f + c1 * t * slope or (tries > 1 and value >= previous[1]):
            break
        if abs(rise) <= -c2 * slope:
            bracket, found = [current], True
            break
        if rise >= 0.0:
            break
        low, high = t + 0.01 * (t - previous[0]), t * 10.0
        t = cubic_minimum(previous[0], previous[1], previous[3], t, value, rise, (low, high))
        previous, current = current, point(t)
        calls, tries = calls + 1, tries + 1
    else:
        bracket = [start, current]
    best, other = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
    stuck = False
    reach = _greatest(d)
    while not found and tries < most:  # narrow the bracket
        (x1, f1, _, g1), (x2, f2, _, g2) = bracket
        if abs(x2 - x1) * reach < tolerance:
            break
        t, stuck = _inside(cubic_minimum(x1, f1, g1, x2, f2, g2), min(x1, x2), max(x1, x2), stuck)
        current = point(t)
        calls, tries = calls + 1, tries + 1
        if current[1] > f + c1 * t * slope or current[1] >= bracket[best][1]:
            bracket[other] = current
            best, other = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if abs(current[3]) <= -c2 * slope:
                found = True
            elif current[3] * (bracket[other][0] - bracket[best][0]) >= 0.0:
                bracket[other] = bracket[best]
            bracket[best] = current
    t, value, gradient, _ = bracket[best]
    return value, gradient, t, calls


def _inside(t: float, low: float, high: float, stuck: bool) -> tuple[float, bool]:
    """A trial point, moved away from an end of the bracket if it was near one twice; and whether it is near one now."""
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if not stuck and low < t < high:
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False
