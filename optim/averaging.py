"""Exponentially weighted averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim.checks import check_option


class EWMA:
    """The exponentially weighted average m_t = beta m_(t-1) + (1 - beta) x_t, started at 0.

    Started at 0, the average is too small at first: after t steps its weights add up to 1 - beta**t. Dividing by that corrects
    the bias (Kingma and Ba, 2015, section 3): with beta = 0.9 the first value of a constant 1 is 0.1 without the correction and
    1 with it, the second 0.19 and 1.

    Args:
        beta: the weight of the past, in [0, 1).
        bias_correction: give ``value`` divided by 1 - beta**t.

    Attributes:
        average: m_t, uncorrected.
        steps: t.

    Example:
        >>> from optim import EWMA
        >>> average = EWMA(0.9)
        >>> [round(float(average.update(x)), 4) for x in (1.0, 1.0, 2.0)]
        [1.0, 1.0, 1.369]
    """

    __slots__ = ("average", "beta", "bias_correction", "steps")

    def __init__(self, beta: float, bias_correction: bool = True) -> None:
        check_option("EWMA: beta", beta, 0.0, 1.0)
        self.beta = beta
        self.bias_correction = bias_correction
        self.average: Any = None
        self.steps = 0

    @staticmethod
    def blend(average: NDArray[Any], x: NDArray[Any], beta: Any, rest: Any, scratch: NDArray[Any] | None = None) -> None:
        """average = beta average + rest x, in place; rest = 1 - beta. ``scratch`` (it may be x) saves a temporary array."""
        average *= beta
        average += np.multiply(x, rest, out=scratch)

    @staticmethod
    def weight(beta: float, t: int) -> float:
        """1 - beta**t, the sum of the weights of t values."""
        return 1.0 - beta**t

    def accumulate(self, x: NDArray[Any] | float) -> Any:
        """Takes in a value, in place; returns the uncorrected average.

        Raises:
            TypeError: for anything but real numbers.
            ValueError: for another shape than that of the first value; nothing has changed then.
        """
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"EWMA: expected numbers, got {x!r}")
        if self.average is None:
            self.average = np.zeros(array.shape, array.dtype if array.dtype.kind == "f" else np.float64)
        elif array.shape != self.average.shape:
            raise ValueError(
                f"EWMA: expected a value of shape {self.average.shape}, as the first one, got {array.shape}; "
                "make an EWMA for each quantity"
            )
        self.steps += 1
        self.blend(self.average, array, self.beta, 1.0 - self.beta)
        return self.average

    @property
    def correction(self) -> float:
        """1 - beta**t, the sum of the weights so far."""
        return self.weight(self.beta, self.steps)

    @property
    def value(self) -> Any:
        """The average, corrected if that was asked for."""
        if self.steps == 0:
            raise ValueError("EWMA: expected at least one update before the value is read")
        return self.average / self.correction if self.bias_correction else self.average.copy()

    def update(self, x: NDArray[Any] | float) -> Any:
        """Takes in a value and returns the (corrected) average."""
        self.accumulate(x)
        return self.value
