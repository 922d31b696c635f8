"""Samples by number: datasets, splits, and many samples as one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, stack
from autograd.arrays import Array
from autograd.primitive import constant
from autograd.random import numpy_generator

if TYPE_CHECKING:  # at run time, naming it would import numpy.random
    from autograd.random import Generator

    Source = Generator | np.random.Generator | None


class Dataset:
    """Samples by number: a subclass defines ``__len__`` and ``__getitem__``."""

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: expected a __len__ method, found none")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: expected a __getitem__ method, found none")


class TensorDataset(Dataset):
    """Samples along the first axis of tensors of equal length.

    Args:
        tensors: tensors or arrays.
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: expected at least one tensor, got none")
        self.tensors = tuple(each if isinstance(each, Tensor) else Tensor(each) for each in tensors)
        lengths = {each.shape[0] if each.ndim else None for each in self.tensors}
        if len(lengths) > 1 or None in lengths:
            shapes = ", ".join(str(each.shape) for each in self.tensors)
            raise ValueError(f"TensorDataset: expected tensors of equal length along axis 0, got shapes {shapes}")

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(each[index] for each in self.tensors)

    def rows(self, indices: Any) -> tuple[Tensor, ...]:
        """Many samples at once, stacked."""
        return tuple(
            each[indices] if each._requires_grad else constant(each._data.take(indices, axis=0)) for each in self.tensors
        )


class Subset(Dataset):
    """The samples of a dataset at some positions."""

    def __init__(self, dataset: Any, indices: Sequence[int] | Array) -> None:
        self.dataset = dataset
        self.indices = np.array(indices, dtype=np.int64)
        size = len(dataset)
        if self.indices.size and not (self.indices.min() >= -size and self.indices.max() < size):
            raise IndexError(f"Subset: expected indices below {size}, got {self.indices.min()} to {self.indices.max()}")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[int(self.indices[index])]

    def rows(self, indices: Any) -> Any:
        """Many samples at once, stacked."""
        return batch_of(self.dataset, self.indices[indices])


def batch_of(dataset: Any, indices: Any, collate_fn: Callable[[list[Any]], Any] | None = None) -> Any:
    """The samples at some positions as one batch: in one go where the dataset can, else one by one and collated."""
    if collate_fn is None and hasattr(dataset, "rows"):
        return dataset.rows(indices)
    return (collate_fn or default_collate)([dataset[int(index)] for index in indices])


def default_collate(samples: list[Any]) -> Any:
    """Stacks samples: numbers, arrays and tensors along a new first axis, tuples, lists and dictionaries item by item."""
    first = samples[0]
    if isinstance(first, Tensor):
        return stack(samples)
    if isinstance(first, np.ndarray | np.generic):
        return Tensor(np.stack(samples))
    if isinstance(first, bool | int | float):
        return Tensor(samples)
    if isinstance(first, tuple | list):
        return tuple(default_collate(list(column)) for column in zip(*samples, strict=True))
    if isinstance(first, dict):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    return samples


def random_split(dataset: Any, lengths: Sequence[float], generator: Source = None) -> list[Subset]:
    """Shares a dataset out at random.

    Args:
        dataset: anything with a length and an index.
        lengths: the sizes of the parts, or fractions that add up to 1 (what is left over goes to the first parts, one each).
        generator: where the order comes from.
    """
    count = len(dataset)
    if all(isinstance(length, int | np.integer) for length in lengths):
        sizes = [int(length) for length in lengths]
    elif math.isclose(sum(lengths), 1.0):
        sizes = [math.floor(count * length) for length in lengths]
        for index in range(count - sum(sizes)):
            sizes[index % len(sizes)] += 1
    else:
        sizes = [-1]
    if sum(sizes) != count or min(sizes, default=0) < 0:
        raise ValueError(f"random_split: expected lengths that add up to {count}, or fractions to 1, got {list(lengths)}")
    order = numpy_generator(generator).permutation(count)
    ends = np.cumsum(sizes)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
