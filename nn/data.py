"""Data sets and mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from autograd import Tensor, as_tensor, stack
from autograd.random import numpy_generator


class Dataset(Protocol):
    """Anything with a length and items by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


class TensorDataset:
    """Tensors whose slices along the first axis belong together: item i is the tuple of i-th slices."""

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(as_tensor(tensor) for tensor in tensors)
        lengths = {len(tensor) for tensor in self.tensors}
        if len(lengths) != 1:
            raise ValueError(f"TensorDataset: expected tensors of one length, got {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)


class Subset:
    """The items of a data set at some positions."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = [int(index) for index in indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


def random_split(dataset: Dataset, lengths: Sequence[int], generator: Any = None) -> list[Subset]:
    """Random parts of a data set, of these lengths, which add up to its own."""
    if sum(lengths) != len(dataset):
        raise ValueError(f"random_split: expected lengths that add up to {len(dataset)}, got {list(lengths)}")
    order = numpy_generator(generator).permutation(len(dataset))
    ends = np.cumsum(lengths)
    return [Subset(dataset, order[end - length : end].tolist()) for end, length in zip(ends, lengths, strict=True)]


def default_collate(items: Sequence[Any]) -> Any:
    """Items as one batch: tuples part by part, tensors and arrays stacked, numbers as a tensor."""
    first = items[0]
    if isinstance(first, tuple | list):
        return tuple(default_collate(parts) for parts in zip(*items, strict=True))
    if isinstance(first, Tensor):
        return stack(list(items))
    return as_tensor(np.stack([np.asarray(item) for item in items]))


class DataLoader:
    """Batches of a data set, in order or shuffled anew in each epoch.

    Args:
        dataset: what to take items from.
        batch_size: items in a batch; the last one may be smaller.
        shuffle: another random order each time.
        drop_last: leave out a last batch that is smaller.
        collate_fn: makes a batch of a list of items.
        generator: of the random order.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[Sequence[Any]], Any] = default_collate,
        generator: Any = None,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size <= 0:
            raise ValueError(f"DataLoader: expected a positive batch_size, got {batch_size!r}")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (1 if rest and not self.drop_last else 0)

    def __iter__(self) -> Iterator[Any]:
        count = len(self.dataset)
        order = numpy_generator(self.generator).permutation(count) if self.shuffle else np.arange(count)
        for batch in range(len(self)):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            if isinstance(self.dataset, TensorDataset) and self.collate_fn is default_collate:
                yield self.dataset[chosen]
            else:
                yield self.collate_fn([self.dataset[int(index)] for index in chosen])


def minibatches(x: Any, y: Any, n: int, shuffle: bool = True, generator: Any = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of up to n rows of x and y: n = 1 is single-sample, n = len(x) full-batch training."""
    return iter(DataLoader(TensorDataset(x, y), n, shuffle, generator=generator))
