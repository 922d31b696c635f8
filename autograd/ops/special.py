"""Special functions: the table of derivatives. Their values are computed by :mod:`autograd.ops.special_kernels`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.declare import elementwise, internal
from autograd.ops import special_kernels as kernels
from autograd.ops.elementwise import sigmoid
from autograd.ops.gate import choose, gate, in_rules
from autograd.primitive import constant

_SLOPE = 2.0 / math.sqrt(math.pi)  # of erf at 0

erf = elementwise(
    kernels.erf,
    lambda g, _y, x: g * (_SLOPE * np.exp(-x * x)),
    name="erf",
    doc="2 / sqrt(π) times the integral of e^(-t²) from 0 to x.",
)
erfc = elementwise(
    kernels.erfc,
    lambda g, _y, x: -g * (_SLOPE * np.exp(-x * x)),
    name="erfc",
    doc="1 - erf(x), exact for large x.",
)
expit = sigmoid


def _logit(x: Any) -> Any:
    x = np.asarray(x)
    middle = np.asarray((x > 0.3) & (x < 0.65))  # near 1/2, where the logarithm cancels
    y = np.log(x / (1.0 - x))
    if not middle.any():
        return y
    s = 2.0 * np.where(middle, x - 0.5, 0.0)
    return choose(middle, np.log1p(s) - np.log1p(-s), y)


_log_odds = elementwise(_logit, lambda g, _y, x: g / (x * (1.0 - x)), name="logit", doc="log(x / (1 - x)).")

_polygamma = internal(
    kernels.polygamma,
    lambda g, _y, x, *, n: g * _polygamma_of(x, n=n + 1),
    name="polygamma",
)
_polygamma_of: Callable[..., Any] = in_rules(_polygamma)
digamma = elementwise(
    kernels.digamma,
    lambda g, _y, x: g * _polygamma_of(x, n=1),
    name="digamma",
    doc="The derivative of lgamma.",
)
_digamma_of = in_rules(digamma)
lgamma = elementwise(
    kernels.lgamma,
    lambda g, _y, x: g * _digamma_of(x),
    name="lgamma",
    doc="log |Γ(x)|.",
)


def _xlogy_kernel(x: Any, y: Any) -> Any:
    return choose(np.asarray((x == 0) & (y == y)), 0.0, x * np.log(y))


def _xlog1py_kernel(x: Any, y: Any) -> Any:
    return choose(np.asarray((x == 0) & (y == y)), 0.0, x * np.log1p(y))


def _nonzero(y: Any, mask: Any) -> Any:
    """y with 1 where the mask is True, so that the branch not taken stays finite at every order."""
    return np.where(mask, 1.0, y) if np.any(mask) else y


def _xlogy_x(g: Any, _z: Any, x: Any, y: Any) -> Any:
    undefined = (x == 0) & (y <= 0)
    return gate(g * np.log(_nonzero(y, undefined)), ~undefined)


def _xlogy_y(g: Any, _z: Any, x: Any, y: Any) -> Any:
    undefined = (x == 0) & (y == 0)
    return gate(g * (x / _nonzero(y, undefined)), ~undefined)


def _xlog1py_x(g: Any, _z: Any, x: Any, y: Any) -> Any:
    undefined = (x == 0) & (y <= -1)
    return gate(g * np.log1p(_nonzero(y, undefined)), ~undefined)


def _xlog1py_y(g: Any, _z: Any, x: Any, y: Any) -> Any:
    undefined = (x == 0) & (y == -1)
    return gate(g * (x / (1.0 + _nonzero(y, undefined))), ~undefined)


_xlogy = elementwise(_xlogy_kernel, _xlogy_x, _xlogy_y, name="xlogy")
_xlog1py = elementwise(_xlog1py_kernel, _xlog1py_x, _xlog1py_y, name="xlog1py")


def _arrays(x: Any, y: Any) -> tuple[Any, Any]:
    """Python numbers as 0-d arrays in the dtype of the other argument, which a logarithm keeps."""
    if isinstance(y, int | float):
        return x, constant(np.asarray(y, _floating(x)))
    if isinstance(x, int | float):
        return constant(np.asarray(x, _floating(y))), y
    return x, y


def _floating(value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    return dtype if dtype is not None and dtype.kind == "f" else np.float64


def xlogy(x: Any, y: Any) -> Any:
    """x log(y), which is 0 for x = 0, also at y = 0, where both gradients are 0.

    Args:
        x, y: arrays of shapes that broadcast.
    """
    return _xlogy(*_arrays(x, y))


def xlog1py(x: Any, y: Any) -> Any:
    """x log(1 + y), which is 0 for x = 0; see :func:`xlogy`.

    Args:
        x, y: arrays of shapes that broadcast.
    """
    return _xlog1py(*_arrays(x, y))


def logit(x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of the sigmoid.

    Args:
        x: probabilities; nan outside [0, 1].
        eps: clip x to [eps, 1 - eps] first.
    """
    return _log_odds(x if eps is None else np.clip(x, eps, 1.0 - eps))
