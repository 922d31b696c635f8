"""Sequences of different lengths in one batch, as programs for PyTorch pass them through recurrent layers.

PyTorch packs the steps of all sequences one after the other. Here a pack keeps the padded batch beside the lengths, which is
what the recurrent layers take (``lengths=``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd as ag
from autograd import Tensor


class PackedSequence(NamedTuple):
    """A padded batch (T, N, ...) and the length of each of its sequences."""

    padded: Tensor
    lengths: tuple[int, ...]

    @property
    def data(self) -> Tensor:
        """The values of all sequences, step by step, the longest sequence first: (sum of the lengths, ...)."""
        lengths = np.array(self.lengths)
        order = np.argsort(-lengths, kind="stable")
        steps = np.arange(lengths.max())
        step, place = np.nonzero(lengths[order] > steps[:, None])
        values: Tensor = self.padded[step, order[place]]
        return values


def pack_padded_sequence(input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> PackedSequence:
    """A pack of a padded batch.

    Args:
        input: (T, N, ...), or (N, T, ...) with ``batch_first``.
        lengths: of each sequence, from 1 to T.
        batch_first: the batch is the first axis.
        enforce_sorted: refuse lengths that are not in descending order, as PyTorch does; False takes any order.

    Raises:
        ValueError: for lengths that do not fit.
    """
    x = input if isinstance(input, Tensor) else ag.as_tensor(input)
    if x.ndim < 2:
        raise ValueError(f"pack_padded_sequence: expected an input of at least 2 axes, got shape {x.shape}")
    steps_first = x.transpose(0, 1) if batch_first else x
    steps, batch = steps_first.shape[:2]
    sizes = np.asarray(lengths._data if isinstance(lengths, Tensor) else lengths)
    if sizes.dtype.kind not in "iu" or sizes.shape != (batch,):
        raise ValueError(f"pack_padded_sequence: expected {batch} whole numbers as lengths, got shape {sizes.shape}")
    if not (batch and sizes.min() >= 1 and sizes.max() <= steps):
        raise ValueError(f"pack_padded_sequence: expected lengths from 1 to {steps}, got {sizes.tolist()}")
    if enforce_sorted and np.any(sizes[1:] > sizes[:-1]):
        raise ValueError("pack_padded_sequence: expected lengths in descending order; pass enforce_sorted=False for others")
    return PackedSequence(steps_first, tuple(int(size) for size in sizes))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch of a pack, as long as its longest sequence (or ``total_length``), and the lengths.

    Args:
        sequence: the pack.
        batch_first: put the batch first.
        padding_value: stands beyond the end of each sequence.
        total_length: how long to make it.
    """
    longest = max(sequence.lengths)
    wanted = longest if total_length is None else total_length
    if wanted < longest:
        raise ValueError(f"pad_packed_sequence: expected total_length of at least {longest}, got {wanted}")
    x = _lengthened(sequence.padded[:longest], wanted)
    beyond = np.arange(wanted)[:, None] >= np.array(sequence.lengths)
    x = ag.where(beyond.reshape(*beyond.shape, *(1,) * (x.ndim - 2)), padding_value, x)
    return (x.transpose(0, 1) if batch_first else x), ag.tensor(sequence.lengths)


def pad_sequence(sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0) -> Tensor:
    """Sequences (T_i, ...) as one batch (T, N, ...), each padded at its end to the longest.

    Args:
        sequences: tensors that differ in their first axis only.
        batch_first: put the batch first: (N, T, ...).
        padding_value: what to pad with.

    Raises:
        ValueError: for no sequences.
    """
    given = [each if isinstance(each, Tensor) else ag.as_tensor(each) for each in sequences]
    if not given:
        raise ValueError("pad_sequence: expected at least one sequence, got none")
    longest = max(len(each) for each in given)
    rows = [_lengthened(each, longest, padding_value) for each in given]
    batch: Tensor = ag.stack(rows, 0 if batch_first else 1)
    return batch


def _lengthened(x: Tensor, length: int, value: float = 0.0) -> Any:
    """The tensor with as much padding after its first axis as the length wants."""
    return ag.pad(x, [(0, length - len(x))] + [(0, 0)] * (x.ndim - 1), constant_values=value)


def of_packed(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The ``forward`` of a recurrent layer that takes a pack too, and gives one back then."""

    @functools.wraps(forward)
    def call(self: Any, x: Any, *state: Any, **options: Any) -> Any:
        if not isinstance(x, PackedSequence):
            return forward(self, x, *state, **options)
        padded = x.padded.transpose(0, 1) if self.batch_first else x.padded
        y, last = forward(self, padded, *state, lengths=x.lengths, **options)
        return PackedSequence(y.transpose(0, 1) if self.batch_first else y, x.lengths), last

    return call
