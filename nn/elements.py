"""Functions behind layers that autograd has no primitive for: dropouts, instance norm and two nonlinearities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd import versions
from autograd.ops.reductions import tensor_of
from autograd.random import numpy_generator


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:  # noqa: ARG001
    """x where x > threshold, ``value`` elsewhere."""
    x = tensor_of(input, "threshold")
    return np.where(x._data > threshold, x, value)


def tanhshrink(input: Any) -> Any:
    """x - tanh(x)."""
    x = tensor_of(input, "tanhshrink")
    return x - np.tanh(x)


def gumbel_softmax(
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,  # noqa: ARG001
    dim: int = -1,
    *,
    generator: Any = None,
) -> Any:
    """softmax((logits + g) / tau) with g from the Gumbel distribution: a draw by softmax(logits) that has a gradient.

    (Jang, Gu and Poole, 2017; Maddison, Mnih and Teh, 2017.)

    Args:
        logits: (..., categories).
        tau: the temperature; at 0 the result is one-hot.
        hard: return the one-hot vector of the greatest, with the gradient of the soft one.
        eps: accepted as in PyTorch, where it has no effect either.
        dim: the axis of the categories.
        generator: where the noise comes from; the default generator unless given.
    """
    x = tensor_of(logits, "gumbel_softmax")
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: expected tau > 0, got {tau}")
    noise = numpy_generator(generator).gumbel(size=x.shape).astype(x.dtype)
    soft = ag.softmax((x + noise) / tau, dim)
    if not hard:
        return soft
    one_hot = np.zeros(x.shape, x.dtype)
    np.put_along_axis(one_hot, np.argmax(soft._data, axis=dim, keepdims=True), 1, axis=dim)
    return one_hot - soft.detach() + soft


# ------------------------------------------------------------------------------------------------ dropout


def _checked(p: float, op: str) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{op}: expected p between 0 and 1, got {p}")


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Any = None) -> Any:  # noqa: ARG001
    """Zeroes each element with probability p and divides the others by 1 - p; see :func:`autograd.dropout`."""
    return ag.dropout(input, p, training, generator=generator)


def _channels(input: Any, p: float, training: bool, axes: int, generator: Any, op: str) -> Any:
    """Whole channels zeroed with probability p: of signals without a batch axis (C, L) axis 0, else axes 0 and 1."""
    _checked(p, op)
    x = tensor_of(input, op)
    if x.ndim not in (axes + 1, axes + 2):
        layout = "(N, C, H, W) or (N, C, L)" if axes == 2 else "(N, C, L) or (C, L)"
        raise ValueError(f"{op}: expected an input {layout}, got shape {x.shape}")
    if not training or p == 0.0:
        return x
    lead = x.shape[:2] if axes == 2 or x.ndim == 3 else x.shape[:1]
    keep = (numpy_generator(generator).random(lead) >= p).reshape(*lead, *(1,) * (x.ndim - len(lead)))
    return np.where(keep, x * (1.0 / (1.0 - p) if p < 1.0 else 0.0), 0.0)  # selected: inf * 0 would be nan


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Any = None) -> Any:  # noqa: ARG001
    """Zeroes each channel of signals (N, C, L) or (C, L) with probability p and divides the others by 1 - p."""
    return _channels(input, p, training, 1, generator, "dropout1d")


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *, generator: Any = None) -> Any:  # noqa: ARG001
    """Zeroes each channel of images (N, C, H, W) or signals (N, C, L) with probability p and divides the others by 1 - p.

    An input with three axes is a batch of signals, as in PyTorch, not an image without a batch axis.
    Neighbouring pixels say much the same, so dropping single ones would hardly be felt (Tompson et al., 2015).
    """
    return _channels(input, p, training, 2, generator, "dropout2d")


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *, generator: Any = None) -> Any:  # noqa: ARG001
    """Sets elements to SELU's lower limit with probability p, then rescales so that mean 0 and variance 1 are kept.

    y = a (x or -1.7581) + b with a = ((1 - p) (1 + p 1.7581²))^(-1/2) and b = a p 1.7581 (Klambauer et al., 2017).
    """
    _checked(p, "alpha_dropout")
    x = tensor_of(input, "alpha_dropout")
    if not training or p == 0.0:
        return x
    if p == 1.0:
        return np.where(np.ones(x.shape, np.bool_), 0.0, x)
    limit = 1.7580993408473766  # scale * alpha of SELU
    a = 1.0 / math.sqrt((1.0 - p) * (1.0 + p * limit * limit))
    keep = numpy_generator(generator).random(x.shape) >= p
    return np.where(keep, x, -limit) * a + a * p * limit


# ------------------------------------------------------------------------------------------------ instance norm


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """weight (x - mean) / sqrt(var + eps) + bias over each channel of each sample (Ulyanov, Vedaldi and Lempitsky, 2016).

    Args:
        input: (N, C, ...).
        running_mean, running_var: (C,), or None; with ``use_input_stats`` they move towards the means over the samples.
        weight, bias: (C,) or None.
        use_input_stats: normalise by the input's own statistics; otherwise by the running ones.
        momentum: how far the running statistics move.
        eps: keeps the division finite.

    Raises:
        ValueError: for a single value per channel, which has no variance, with ``use_input_stats``.
    """
    x = tensor_of(input, "instance_norm")
    if not use_input_stats:
        return ag.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    if x.ndim < 3:
        raise ValueError(f"instance_norm: expected an input (N, C, ...), got shape {x.shape}")
    count = math.prod(x.shape[2:])
    if count == 1:
        raise ValueError(f"instance_norm: expected more than 1 value per channel, got shape {x.shape}")
    if running_mean is not None and running_var is not None and x.shape[0]:
        flat = x._data.reshape(*x.shape[:2], count).astype(np.float64)  # NumPy's variance of float16 overflows
        for running, values in ((running_mean, flat.mean(axis=2)), (running_var, flat.var(axis=2, ddof=1))):
            running._data[...] += momentum * (values.mean(axis=0) - running._data)
            versions.stamp(running._data)
    return ag.group_norm(x, x.shape[1], weight, bias, eps)
