"""A dataset in batches, epoch after epoch, which can stop in the middle of one and go on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor
from autograd.arrays import Array
from autograd.random import Generator, numpy_generator, numpy_state, set_numpy_state
from nn.data.datasets import TensorDataset, batch_of

if TYPE_CHECKING:  # at run time, naming it would import numpy.random
    from nn.data.datasets import Source


class DataLoader:
    """Goes through a dataset in batches.

    ``state_dict()`` may be taken in the middle of an epoch: loaded into a new loader, the rest of that epoch comes, and the
    epochs after it, bit for bit.

    Args:
        dataset: anything with a length and an index.
        batch_size: samples in a batch; 1 for single samples, ``len(dataset)`` for the full batch.
        shuffle: a new random order in every epoch.
        drop_last: leave out a last batch that is smaller.
        collate_fn: makes a batch of a list of samples; ``default_collate`` unless given.
        generator: where the order comes from; the default generator unless given.
        num_workers, pin_memory, persistent_workers: accepted as in PyTorch; a batch is made when it is asked for, in this
            thread.

    Attributes:
        epoch: how many epochs came before the one in progress (or the next one).
        position: how many batches of the epoch in progress were handed out.

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
        *,
        num_workers: int = 0,  # noqa: ARG002
        pin_memory: bool = False,  # noqa: ARG002
        persistent_workers: bool = False,  # noqa: ARG002
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"DataLoader: expected batch_size to be a whole number >= 1, got {batch_size!r}")
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator
        self.epoch = 0
        self.position = 0
        self._order_state: dict[str, Any] | None = None  # of the generator, before it drew the order of this epoch
        self._resumes = False  # the next iteration goes on with this epoch
        self._run = 0  # which iteration is counted: the latest

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        count = len(self.dataset)
        resumes, self._resumes = self._resumes, False
        if not resumes:
            self.epoch += self.position > 0  # the one before was left early
            self.position = 0
            self._order_state = self._generator_state() if self.shuffle else None
        if not self.shuffle:
            order = np.arange(count)
        elif resumes and self._order_state is not None:  # drawn before the state was saved
            order = restored(self._order_state).permutation(count)
        else:
            order = numpy_generator(self.generator).permutation(count)
        self._run += 1
        return self._batches(order, self.position, self._run)

    def _batches(self, order: Array, first: int, run: int) -> Iterator[Any]:
        for number in range(first, len(self)):
            start = number * self.batch_size
            batch = batch_of(self.dataset, order[start : start + self.batch_size], self.collate_fn)
            if run == self._run:
                self.position = number + 1
            yield batch
        if run == self._run:
            self.epoch += 1
            self.position = 0
            self._order_state = None

    def _generator_state(self) -> dict[str, Any] | None:
        """The state of the generator as JSON can hold it, or None for other kinds than PCG64."""
        generator = numpy_generator(self.generator)
        return numpy_state(generator) if type(generator.bit_generator).__name__ == "PCG64" else None

    def _describe(self) -> dict[str, Any]:
        """What a state must agree with."""
        return {
            "samples": len(self.dataset),
            "batch_size": self.batch_size,
            "shuffle": bool(self.shuffle),
            "drop_last": bool(self.drop_last),
        }

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration is, in numbers and strings: batches handed out are done, and the next one comes first.

        The state of the generator is part of it, of the default generator too: what it draws besides, such as dropout masks,
        goes on as well.

        Raises:
            ValueError: for a shuffled order from another NumPy generator than PCG64.
        """
        state = self._generator_state() if self.shuffle else None
        if self.shuffle and state is None:
            name = type(numpy_generator(self.generator).bit_generator).__name__
            raise ValueError(f"state_dict: expected a PCG64 generator, got {name}; use autograd.Generator")
        return {
            **self._describe(),
            "epoch": self.epoch,
            "position": self.position,
            "order": self._order_state,
            "generator": state,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where a loader of the same data and options was: the next iteration is the rest of that epoch.

        Args:
            state_dict: from ``state_dict()``.

        Raises:
            ValueError, TypeError: for anything else, and for other data or options; nothing has changed then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a mapping, got {type(state_dict).__name__}")
        own = self._describe()
        names = {*own, "epoch", "position", "order", "generator"}
        if set(state_dict) != names:
            raise ValueError(f"load_state_dict: expected {sorted(names)}, got {sorted(map(str, state_dict))}")
        differing = [
            f"{name} {own[name]}, got {state_dict[name]!r}"
            for name in own
            if type(own[name]) is not type(state_dict[name]) or own[name] != state_dict[name]
        ]
        if differing:
            raise ValueError(f"load_state_dict: expected {'; '.join(differing)}")
        epoch, position = state_dict["epoch"], state_dict["position"]
        if type(epoch) is not int or type(position) is not int or epoch < 0 or not 0 <= position <= len(self):
            raise ValueError(
                f"load_state_dict: expected epoch >= 0 and position from 0 to {len(self)}, got {epoch!r} and {position!r}"
            )
        order, generator = state_dict["order"], state_dict["generator"]
        fits = generator is not None and (order is not None or position == 0) if self.shuffle else order is generator is None
        if not fits:
            raise ValueError("load_state_dict: expected the states of the generator for a shuffled order, and none for another")
        for state in (order, generator):
            if state is not None:
                restored(state)
        if generator is not None:
            set_numpy_state(numpy_generator(self.generator), generator)
        self.epoch, self.position, self._order_state = epoch, position, order
        self._resumes = position > 0 or order is not None
        self._run += 1


def restored(state: dict[str, Any]) -> np.random.Generator:
    """A new generator in a state."""
    generator = Generator(0)
    generator.set_state(state)
    return generator.numpy


def minibatches(X: Any, y: Any, n: int, shuffle: bool = True, generator: Source = None) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of X and y in batches of n, in random order."""
    return iter(DataLoader(TensorDataset(X, y), n, shuffle, generator=generator))
