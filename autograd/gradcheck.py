"""Is a derivative right, and the derivative of the derivative? The recorded gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.differences import GradcheckError, Mismatch, gradient_function, measure
from autograd.tensor import Tensor


def gradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-6,
    seed: int = 0,
    parameters: Sequence[Tensor] = (),
    raise_exception: bool = True,
) -> bool:
    """Checks the first derivative of a function against finite differences.

    Every floating input is copied to float64. Small inputs are checked element by element, which gives the whole Jacobian
    against a random cotangent; large ones along random directions, and where one of those disagrees, the worst element is
    searched by bisection.

    Args:
        function: of Tensors, returning a Tensor or a tuple of them.
        inputs: a Tensor or a tuple of arguments; those of an integer or bool dtype, and numbers, are passed on as they are.
        step: the step of the differences, relative to elements greater than 1.
        tolerance: the greatest relative error.
        seed: of the random cotangents and directions.
        parameters: leaves in float64 that the function uses without taking them as arguments, to be checked too.
        raise_exception: raise on failure, instead of returning False.

    Returns:
        True when the derivative is confirmed.

    Raises:
        GradcheckError: with the op, argument, index, both values and the error; it tells apart a wrong gradient, a kink (the
            one-sided differences disagree), overlapping memory, and a function that is not deterministic.
        ValueError: when there is nothing to check.

    Example:
        >>> import autograd as ag
        >>> ag.gradcheck(lambda x, y: (x * y).sin(), (ag.tensor([0.5, 1.5]), ag.tensor([2.0, -1.0])))
        True
    """
    try:
        worst = measure(function, inputs, step=step, seed=seed, parameters=parameters)
        if worst is not None and not worst.error <= tolerance:
            raise GradcheckError(_report(worst, tolerance))
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    function: Callable[..., Any],
    inputs: Any,
    *,
    step: float = 1e-3,
    tolerance: float = 1e-6,
    seed: int = 0,
    parameters: Sequence[Tensor] = (),
    raise_exception: bool = True,
) -> bool:
    """Checks the second derivative: :func:`gradcheck` of the gradient, as a function of the inputs and the cotangents.

    It catches what is right at first order only, such as a rule that captures an array as a constant.
    """
    try:
        gradient, arguments = gradient_function(function, inputs, seed, parameters)
        return gradcheck(gradient, arguments, step=step, tolerance=tolerance, seed=seed + 1, parameters=parameters)
    except GradcheckError:
        if raise_exception:
            raise
        return False


def _report(worst: Mismatch, tolerance: float) -> str:
    """What a failure is, and where."""
    place = "along a random direction" if worst.index is None else f"index {worst.index}"
    where = (
        f"{worst.op}: {worst.argument}, {place}: analytic {worst.analytic:.10g}, numeric {worst.numeric:.10g}, "
        f"relative error {worst.error:.3g} (tolerance {tolerance:g})"
    )
    if not np.isfinite(worst.numeric):
        return f"{where}\n  not finite: the function has no finite values around this point; check at another point"
    if not np.isfinite(worst.analytic):
        return (
            f"{where}\n  not finite: the rule gives {worst.analytic} where the function is smooth; "
            "select with np.where instead of multiplying by a mask (0 * inf is nan)"
        )
    if worst.sides is not None:
        below, above = worst.sides
        return (
            f"{where}\n  a kink: the one-sided differences are {below:.6g} from below and {above:.6g} from above; "
            "check at another point"
        )
    return f"{where}\n  wrong gradient: the rule does not agree with the function"
