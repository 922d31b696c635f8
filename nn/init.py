"""Initial values of weights, in place. The in and out sizes of a weight (O, I, k...) are its *fans*: I prod(k), O prod(k)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, versions
from autograd.borrowed import Borrowed
from autograd.random import numpy_generator
from nn.parameter import UninitializedParameter

if TYPE_CHECKING:  # at run time, naming it would import numpy.random
    from autograd.random import Generator

    Source = Generator | np.random.Generator | None

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights must be larger so that the variance survives a nonlinearity.

    1 for linear layers and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope**2)) for leaky_relu (slope ``param``,
    0.01 unless given), 3/4 for selu.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: expected a number as the slope of leaky_relu, got {slope!r}")
        return math.sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain: expected one of {known}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


def _store(tensor: Tensor, values: Any) -> Tensor:
    if isinstance(tensor, Borrowed):  # what `weight.data` is: an array in the memory of the tensor
        np.copyto(tensor, values, casting="same_kind")
        return tensor
    if not isinstance(tensor, Tensor):
        raise TypeError(f"init: expected a Tensor, got {type(tensor).__name__}")
    if isinstance(tensor, UninitializedParameter):
        raise ValueError("init: expected a parameter with a shape, got that of a lazy layer; call the layer once on an input")
    if tensor.dtype.kind != "f":
        raise TypeError(f"init: expected a floating tensor, got {tensor.dtype}")
    if not tensor._data.flags.writeable:
        raise ValueError("init: expected a writable tensor, got one with read-only memory")
    np.copyto(tensor._data, values, casting="same_kind")
    versions.stamp(tensor._data)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Source = None) -> Tensor:
    """Uniform numbers in [a, b)."""
    if not a <= b:
        raise ValueError(f"uniform_: expected a <= b, got {a} and {b}")
    return _store(tensor, numpy_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Source = None) -> Tensor:
    """Numbers from a normal distribution."""
    if not std >= 0:
        raise ValueError(f"normal_: expected std >= 0, got {std}")
    return _store(tensor, numpy_generator(generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Source = None
) -> Tensor:
    """Numbers from a normal distribution, those outside [a, b] drawn again."""
    if not a < b:
        raise ValueError(f"trunc_normal_: expected a < b, got {a} and {b}")
    if not std >= 0:
        raise ValueError(f"trunc_normal_: expected std >= 0, got {std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        raise ValueError(f"trunc_normal_: expected a mean within 2 std of [{a}, {b}], got {mean}: too few draws would fit")
    rng = numpy_generator(generator)
    values = np.asarray(rng.normal(mean, std, tensor.shape))
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = rng.normal(mean, std, int(outside.sum()))
        outside = (values < a) | (values > b)
    return _store(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere."""
    return _store(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return _store(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return _store(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tensor.shape}")
    return _store(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A weight (O, I, k...) with which a convolution passes on its input: 1 in the middle of the window of channel o and o.

    Args:
        tensor: the weight, with 3 or 4 axes.
        groups: of the convolution; in each, as many channels are passed on as there are.
    """
    if tensor.ndim not in (3, 4):
        raise ValueError(f"dirac_: expected a weight of a convolution with 3 or 4 axes, got shape {tensor.shape}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: expected groups to divide {tensor.shape[0]} channels, got {groups}")
    values = np.zeros(tensor.shape)
    each = tensor.shape[0] // groups
    if 0 in tensor.shape[2:]:
        raise ValueError(f"dirac_: expected a window of at least one element, got shape {tensor.shape}")
    middle = tuple(k // 2 for k in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            values[(group * each + channel, channel, *middle)] = 1.0
    return _store(tensor, values)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Source = None) -> Tensor:
    """A matrix of normal numbers in which this share of each column is 0 (Martens, 2010).

    Args:
        tensor: (R, C).
        sparsity: from 0 to 1; in each column ceil(sparsity R) elements are 0.
        std: of the others.
        generator: what to draw from.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: expected a matrix, got shape {tensor.shape}")
    if not 0.0 <= sparsity <= 1.0:
        raise ValueError(f"sparse_: expected sparsity between 0 and 1, got {sparsity}")
    rows, columns = tensor.shape
    rng = numpy_generator(generator)
    values = rng.normal(0.0, std, (rows, columns))
    order = np.argsort(rng.random((rows, columns)), axis=0)
    np.put_along_axis(values, order[: math.ceil(sparsity * rows)], 0.0, axis=0)
    return _store(tensor, values)


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach an output (fan_in), and how many outputs an input reaches (fan_out)."""
    if tensor.ndim < 2:
        raise ValueError(f"init: expected a weight with at least 2 axes to tell its fans, got shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


_calculate_fan_in_and_fan_out = fans  # PyTorch's private name, which many programs use all the same


def _fan(tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"init: expected mode 'fan_in' or 'fan_out', got {mode!r}")
    return fans(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Source = None) -> Tensor:
    """Uniform with variance gain^2 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    bound = gain * math.sqrt(6.0 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Source = None) -> Tensor:
    """Normal with variance gain^2 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(sum(fans(tensor)), 1)), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Source = None
) -> Tensor:
    """Uniform with variance gain^2 / fan (He et al., 2015); ``a`` is the negative slope for leaky_relu."""
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / max(_fan(tensor, mode), 1))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Source = None
) -> Tensor:
    """Normal with variance gain^2 / fan (He et al., 2015); ``a`` is the negative slope for leaky_relu."""
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(max(_fan(tensor, mode), 1)), generator)


def lecun_normal_(tensor: Tensor, generator: Source = None) -> Tensor:
    """Normal with variance 1 / fan_in (LeCun et al., 1998)."""
    return normal_(tensor, 0.0, 1.0 / math.sqrt(max(_fan(tensor, "fan_in"), 1)), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Source = None) -> Tensor:
    """A matrix (all axes but the first joined) with orthonormal rows or columns, times gain (Saxe et al., 2014)."""
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected at least 2 axes, got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if rows * columns == 0:
        return tensor
    q, r = np.linalg.qr(numpy_generator(generator).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # makes the distribution uniform over all rotations (Mezzadri, 2007)
    return _store(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))
