"""Samples in batches: datasets, splits and loaders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
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


class DataLoader:
    """Goes through a dataset in batches.

    Args:
        dataset: anything with a length and an index.
        batch_size: samples in a batch; 1 for single samples, ``len(dataset)`` for the full batch.
        shuffle: a new random order in every epoch.
        drop_last: leave out a last batch that is smaller.
        collate_fn: makes a batch of a list of samples; ``default_collate`` unless given.
        generator: where the order comes from; the default generator unless given.

    Example:
        >>> import autograd as ag, nn
        >>> loader = nn.data.DataLoader(nn.data.TensorDataset(ag.arange(5)), batch_size=2)
        >>> [x.tolist() for x, in loader]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Source = None,
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"DataLoader: expected batch_size to be a whole number >= 1, got {batch_size!r}")
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        count = len(self.dataset)
        order = numpy_generator(self.generator).permutation(count) if self.shuffle else np.arange(count)
        return (
            batch_of(self.dataset, order[start : start + self.batch_size], self.collate_fn)
            for start in range(0, len(self) * self.batch_size, self.batch_size)
        )


def minibatches(X: Any, y: Any, n: int, shuffle: bool = True, generator: Source = None) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of X and y in batches of n, in random order."""
    return iter(DataLoader(TensorDataset(X, y), n, shuffle, generator=generator))
