"""Tensors from data, from a rule, and from random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays import Array, as_array, check_dtype, get_default_dtype
from autograd.declare import implements
from autograd.devices import check_device
from autograd.primitive import constant
from autograd.random import numpy_generator
from autograd.tensor import Tensor
from autograd.versions import owner

if TYPE_CHECKING:  # at run time, naming it would import numpy.random
    from autograd.random import Generator

    Source = Generator | np.random.Generator | None


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A new leaf tensor that holds a copy of some data; see :class:`Tensor`. The only device is ``"cpu"``."""
    check_device(device, "tensor")
    return Tensor(data, dtype, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor with this data: a Tensor of that dtype is returned as it is.

    An array is copied, since a write to it from outside would make gradients wrong; one that nobody can write to is shared.
    """
    check_device(device, "as_tensor")
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and not isinstance(data, np.ma.MaskedArray) and _is_frozen(data):
        array = as_array(data, dtype)
        return constant(array)  # type: ignore[no-any-return]
    return Tensor(data, dtype)


def from_numpy(array: Array) -> Tensor:
    """A tensor with the values of an ndarray (copied unless the array is read-only; see ``as_tensor``)."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, got {type(array).__name__}")
    return as_tensor(array)


def _is_frozen(array: Array) -> bool:
    root = owner(array)
    return not array.flags.writeable and not root.flags.writeable and (root.base is None or isinstance(root.base, bytes))


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = tuple(size[0])
    return tuple(int(each.__index__()) for each in size)


def _made(array: Array, requires_grad: bool) -> Tensor:
    made: Tensor = constant(np.asarray(array))
    return made.requires_grad_() if requires_grad else made


def _dtype(dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else check_dtype(dtype)


def zeros(*sizes: Any, size: Any = (), dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of a shape, given as numbers or a tuple."""
    check_device(device, "zeros")
    return _made(np.zeros(_shape(sizes or (size,)), _dtype(dtype)), requires_grad)


def ones(*sizes: Any, size: Any = (), dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of a shape, given as numbers or a tuple."""
    check_device(device, "ones")
    return _made(np.ones(_shape(sizes or (size,)), _dtype(dtype)), requires_grad)


def empty(*sizes: Any, size: Any = (), dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Memory of a shape with whatever it holds."""
    check_device(device, "empty")
    return _made(np.empty(_shape(sizes or (size,)), _dtype(dtype)), requires_grad)


def full(size: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """One value everywhere."""
    check_device(device, "full")
    value = as_array(fill_value, dtype)
    return _made(np.full(_shape((size,) if isinstance(size, int) else (tuple(size),)), value), requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones on the diagonal of an n by m matrix (square without m)."""
    check_device(device, "eye")
    return _made(np.eye(n, m, dtype=_dtype(dtype)), requires_grad)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Numbers from start up to (not including) end; from 0 with one argument. Whole arguments give int64."""
    check_device(device, "arange")
    if end is None:
        start, end = 0, start
    if step == 0:
        raise ValueError("arange: expected a step other than 0")
    whole = all(isinstance(value, int) for value in (start, end, step))
    wanted = check_dtype(dtype) if dtype is not None else np.dtype(np.int64) if whole else get_default_dtype()
    return _made(np.arange(start, end, step).astype(wanted), requires_grad)


def linspace(
    start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """``steps`` numbers from start to end, both included, at equal distances."""
    check_device(device, "linspace")
    return _made(np.linspace(start, end, steps).astype(_dtype(dtype)), requires_grad)


def _like(fill: Callable[..., Array], x: Any, dtype: Any, requires_grad: bool) -> Tensor:
    array = x._data if isinstance(x, Tensor) else as_array(x)
    return _made(fill(array.shape, array.dtype if dtype is None else check_dtype(dtype)), requires_grad)


@implements(np.zeros_like)
def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros in the shape and dtype of x."""
    check_device(device, "zeros_like")
    return _like(np.zeros, x, dtype, requires_grad)


@implements(np.ones_like)
def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones in the shape and dtype of x."""
    check_device(device, "ones_like")
    return _like(np.ones, x, dtype, requires_grad)


@implements(np.empty_like)
def empty_like(x: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Memory in the shape and dtype of x."""
    check_device(device, "empty_like")
    return _like(np.empty, x, dtype, requires_grad)


@implements(np.full_like)
def full_like(x: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """One value in the shape and dtype of x."""
    check_device(device, "full_like")
    return _like(lambda shape, kind: np.full(shape, fill_value, kind), x, dtype, requires_grad)


# ------------------------------------------------------------------------------------------------ random


def rand(
    *sizes: Any, size: Any = (), dtype: Any = None, requires_grad: bool = False, generator: Source = None, device: Any = None
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    check_device(device, "rand")
    return _made(numpy_generator(generator).random(_shape(sizes or (size,))).astype(_dtype(dtype)), requires_grad)


def randn(
    *sizes: Any, size: Any = (), dtype: Any = None, requires_grad: bool = False, generator: Source = None, device: Any = None
) -> Tensor:
    """Numbers from the standard normal distribution."""
    check_device(device, "randn")
    return _made(numpy_generator(generator).standard_normal(_shape(sizes or (size,))).astype(_dtype(dtype)), requires_grad)


def _dtype_of(x: Any) -> Any:
    return x.dtype if isinstance(x, Tensor) else as_array(x).dtype


def rand_like(x: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None, device: Any = None) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of x."""
    check_device(device, "rand_like")
    kind = _dtype_of(x) if dtype is None else dtype
    return rand(*np.shape(x), dtype=kind, requires_grad=requires_grad, generator=generator)


def randn_like(x: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None, device: Any = None) -> Tensor:
    """Normal numbers in the shape and dtype of x."""
    check_device(device, "randn_like")
    kind = _dtype_of(x) if dtype is None else dtype
    return randn(*np.shape(x), dtype=kind, requires_grad=requires_grad, generator=generator)


def randint(
    low: int, high: int | None = None, size: Any = (), dtype: Any = np.int64, generator: Source = None, device: Any = None
) -> Tensor:
    """Whole numbers from low up to (not including) high; from 0 with one bound."""
    check_device(device, "randint")
    if isinstance(high, tuple | list):  # randint(high, size), as in PyTorch
        high, size = None, high
    if high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint: expected low < high, got {low} and {high}")
    return _made(np.asarray(numpy_generator(generator).integers(low, high, size)).astype(check_dtype(dtype)), False)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    generator: Source = None,
    device: Any = None,
) -> Tensor:
    """Numbers from a normal distribution; mean and std may be tensors, for each number its own (then size may be left out)."""
    check_device(device, "normal")
    center, spread = (each._data if isinstance(each, Tensor) else each for each in (mean, std))
    if np.any(np.less(spread, 0)):
        raise ValueError(f"normal: expected std >= 0, got {std}")
    return _made(np.asarray(numpy_generator(generator).normal(center, spread, size)).astype(_dtype(dtype)), requires_grad)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    size: Any = (),
    dtype: Any = None,
    requires_grad: bool = False,
    generator: Source = None,
    device: Any = None,
) -> Tensor:
    """Uniform numbers in [low, high)."""
    check_device(device, "uniform")
    return _made(np.asarray(numpy_generator(generator).uniform(low, high, size)).astype(_dtype(dtype)), requires_grad)


def bernoulli(p: Any, generator: Source = None) -> Tensor:
    """1 with probability p and 0 otherwise, element by element, in the dtype of p (a constant)."""
    chance = p._data if isinstance(p, Tensor) else as_array(p)
    if chance.dtype.kind != "f" or not np.all((chance >= 0) & (chance <= 1)):
        raise ValueError("bernoulli: expected probabilities between 0 and 1")
    return _made((numpy_generator(generator).random(chance.shape) < chance).astype(chance.dtype), False)


def randperm(n: int, generator: Source = None, device: Any = None) -> Tensor:
    """The numbers from 0 to n - 1 in random order (int64)."""
    check_device(device, "randperm")
    return _made(numpy_generator(generator).permutation(n), False)


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Source = None) -> Tensor:
    """Positions drawn with the probabilities of each row, which need not sum to 1 (int64).

    Without replacement the positions of the greatest ``log p + G`` are taken, G from the Gumbel distribution: that draws one
    after the other from what is left (Efraimidis and Spirakis, 2006; Vieira, 2014).

    Args:
        input: p >= 0, (categories,) or (rows, categories).
        num_samples: how many from each row.
        replacement: put back what was drawn.
        generator: where the draws come from; the default generator unless given.

    Raises:
        ValueError: for other shapes, negative or infinite probabilities, rows that are all 0, and more samples without
            replacement than a row has positions of probability > 0.
    """
    weights = (input._data if isinstance(input, Tensor) else as_array(input)).astype(np.float64)
    if weights.ndim not in (1, 2) or not np.all(np.isfinite(weights) & (weights >= 0)) or not np.all(weights.any(axis=-1)):
        raise ValueError(
            f"multinomial: expected rows (..., categories) of finite probabilities >= 0, not all 0, got shape {weights.shape}"
        )
    rng = numpy_generator(generator)
    if replacement:
        cumulated = np.cumsum(weights / weights.sum(axis=-1, keepdims=True), axis=-1)
        cumulated /= cumulated[..., -1:]  # a draw below 1 always finds a place, and never one of probability 0
        draws = rng.random((*weights.shape[:-1], num_samples))
        return _made(np.sum(draws[..., None] >= cumulated[..., None, :], axis=-1), False)
    if not 0 < num_samples <= np.count_nonzero(weights, axis=-1).min():
        raise ValueError(f"multinomial: expected no more samples than positions of probability > 0, got {num_samples}")
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.shape)
    return _made(np.argsort(-keys, axis=-1)[..., :num_samples], False)


# ------------------------------------------------------------------------------------------------ of one dtype


def BoolTensor(data: Any) -> Tensor:  # noqa: N802
    """A tensor of bools that holds a copy of some data."""
    return Tensor(data, np.bool_)


def DoubleTensor(data: Any) -> Tensor:  # noqa: N802
    """A tensor in float64 that holds a copy of some data."""
    return Tensor(data, np.float64)


def FloatTensor(data: Any) -> Tensor:  # noqa: N802
    """A tensor in float32 that holds a copy of some data."""
    return Tensor(data, np.float32)


def LongTensor(data: Any) -> Tensor:  # noqa: N802
    """A tensor in int64 that holds a copy of some data."""
    return Tensor(data, np.int64)
