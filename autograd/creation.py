"""Tensors from data, from a rule, and from random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays import Array, as_array, check_dtype, get_default_dtype
from autograd.primitive import constant, implements
from autograd.random import numpy_generator
from autograd.tensor import Tensor
from autograd.versions import owner

if TYPE_CHECKING:  # at run time, naming it would import numpy.random
    from autograd.random import Generator

    Source = Generator | np.random.Generator | None


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf tensor that holds a copy of some data; see :class:`Tensor`."""
    return Tensor(data, dtype, requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """A tensor with this data: a Tensor of that dtype is returned as it is.

    An array is copied, since a write to it from outside would make gradients wrong; one that nobody can write to is shared.
    """
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


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape, given as numbers or a tuple."""
    return _made(np.zeros(_shape(size), _dtype(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a shape, given as numbers or a tuple."""
    return _made(np.ones(_shape(size), _dtype(dtype)), requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory of a shape with whatever it holds."""
    return _made(np.empty(_shape(size), _dtype(dtype)), requires_grad)


def full(size: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere."""
    value = as_array(fill_value, dtype)
    return _made(np.full(_shape((size,) if isinstance(size, int) else (tuple(size),)), value), requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an n by m matrix (square without m)."""
    return _made(np.eye(n, m, dtype=_dtype(dtype)), requires_grad)


def arange(start: float, end: float | None = None, step: float = 1, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers from start up to (not including) end; from 0 with one argument. Whole arguments give int64."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise ValueError("arange: expected a step other than 0")
    whole = all(isinstance(value, int) for value in (start, end, step))
    wanted = check_dtype(dtype) if dtype is not None else np.dtype(np.int64) if whole else get_default_dtype()
    return _made(np.arange(start, end, step).astype(wanted), requires_grad)


def linspace(start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """``steps`` numbers from start to end, both included, at equal distances."""
    return _made(np.linspace(start, end, steps).astype(_dtype(dtype)), requires_grad)


def _like(fill: Callable[..., Array], x: Any, dtype: Any, requires_grad: bool) -> Tensor:
    array = x._data if isinstance(x, Tensor) else as_array(x)
    return _made(fill(array.shape, array.dtype if dtype is None else check_dtype(dtype)), requires_grad)


@implements(np.zeros_like)
def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of x."""
    return _like(np.zeros, x, dtype, requires_grad)


@implements(np.ones_like)
def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of x."""
    return _like(np.ones, x, dtype, requires_grad)


@implements(np.empty_like)
def empty_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory in the shape and dtype of x."""
    return _like(np.empty, x, dtype, requires_grad)


@implements(np.full_like)
def full_like(x: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in the shape and dtype of x."""
    return _like(lambda shape, kind: np.full(shape, fill_value, kind), x, dtype, requires_grad)


# ------------------------------------------------------------------------------------------------ random


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None) -> Tensor:
    """Uniform numbers in [0, 1)."""
    return _made(numpy_generator(generator).random(_shape(size)).astype(_dtype(dtype)), requires_grad)


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None) -> Tensor:
    """Numbers from the standard normal distribution."""
    return _made(numpy_generator(generator).standard_normal(_shape(size)).astype(_dtype(dtype)), requires_grad)


def _dtype_of(x: Any) -> Any:
    return x.dtype if isinstance(x, Tensor) else as_array(x).dtype


def rand_like(x: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of x."""
    kind = _dtype_of(x) if dtype is None else dtype
    return rand(*np.shape(x), dtype=kind, requires_grad=requires_grad, generator=generator)


def randn_like(x: Any, dtype: Any = None, requires_grad: bool = False, generator: Source = None) -> Tensor:
    """Normal numbers in the shape and dtype of x."""
    kind = _dtype_of(x) if dtype is None else dtype
    return randn(*np.shape(x), dtype=kind, requires_grad=requires_grad, generator=generator)


def randint(low: int, high: int | None = None, size: Any = (), dtype: Any = np.int64, generator: Source = None) -> Tensor:
    """Whole numbers from low up to (not including) high; from 0 with one bound."""
    if high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint: expected low < high, got {low} and {high}")
    return _made(np.asarray(numpy_generator(generator).integers(low, high, size)).astype(check_dtype(dtype)), False)


def normal(
    mean: float = 0.0,
    std: float = 1.0,
    size: Any = (),
    dtype: Any = None,
    requires_grad: bool = False,
    generator: Source = None,
) -> Tensor:
    """Numbers from a normal distribution."""
    if std < 0:
        raise ValueError(f"normal: expected std >= 0, got {std}")
    return _made(np.asarray(numpy_generator(generator).normal(mean, std, size)).astype(_dtype(dtype)), requires_grad)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    size: Any = (),
    dtype: Any = None,
    requires_grad: bool = False,
    generator: Source = None,
) -> Tensor:
    """Uniform numbers in [low, high)."""
    return _made(np.asarray(numpy_generator(generator).uniform(low, high, size)).astype(_dtype(dtype)), requires_grad)


def bernoulli(p: Any, generator: Source = None) -> Tensor:
    """1 with probability p and 0 otherwise, element by element, in the dtype of p (a constant)."""
    chance = p._data if isinstance(p, Tensor) else as_array(p)
    if chance.dtype.kind != "f" or not np.all((chance >= 0) & (chance <= 1)):
        raise ValueError("bernoulli: expected probabilities between 0 and 1")
    return _made((numpy_generator(generator).random(chance.shape) < chance).astype(chance.dtype), False)


def randperm(n: int, generator: Source = None) -> Tensor:
    """The numbers from 0 to n - 1 in random order (int64)."""
    return _made(numpy_generator(generator).permutation(n), False)
