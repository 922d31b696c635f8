"""Joining and splitting: what is refused, and what costs nothing."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

X = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.concatenate([]), ValueError, "concatenate: expected at least one tensor, got none"),
        (lambda: ag.stack([X, X.T]), ValueError, r"stack: expected equal shapes, got \(2, 3\) and \(3, 2\)"),
        (lambda: ag.concatenate([X, X[0]]), ValueError, r"concatenate: expected equal shapes .*, got \(2, 3\) and \(3,\)"),
        (lambda: ag.concatenate([X, X], 2), np.exceptions.AxisError, "concatenate: expected an axis from -2 to 1"),
        (lambda: np.array_split(X, 0), ValueError, "array_split: expected at least 1 section, got 0"),
        (lambda: np.split(X, 2, axis=1), ValueError, "split: expected sections that divide 3 evenly, got 2; see array_split"),
        (lambda: X.split([1, 1], 1), ValueError, r"split_with_sizes: expected sizes that add up to 3, got \[1, 1\]"),
        (
            lambda: X.split_with_sizes([4, -1], 1),
            ValueError,
            r"split_with_sizes: expected sizes that add up to 3, got \[4, -1\]",
        ),
        (lambda: X.split(0), ValueError, "split: expected a positive size, got 0"),
        (lambda: X.chunk(0), ValueError, "chunk: expected at least 1 chunk, got 0"),
        (
            lambda: X.roll((1, 2, 3), (0, 1)),
            ValueError,
            r"roll: expected one shift for each axis, got \(1, 2, 3\) and \(0, 1\)",
        ),
        (lambda: ag.meshgrid(X, indexing="yx"), ValueError, "meshgrid: expected indexing 'xy' or 'ij', got 'yx'"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_pieces_that_nobody_uses_are_not_differentiated():
    calls = []
    pieces = X.split(1, 1)
    for piece in pieces:
        piece.register_hook(calls.append)
    (gradient,) = ag.grad(pieces[1].sum(), X)
    assert gradient.tolist() == [[0, 1, 0]] * 2
    assert len(calls) == 1


def test_cuts_count_from_the_end_when_negative():
    """They were once empty pieces, silently."""
    array = np.arange(6.0)
    for cuts in ([-1], [2, -1], [-4, -2], [4, 2], [9], []):
        for piece, expected in zip(np.split(Tensor(array), cuts), np.split(array, cuts), strict=True):
            np.testing.assert_array_equal(piece._data, expected)


def test_numbers_of_numpy_count_as_numbers():
    three = np.int64(3)
    assert [piece.shape for piece in np.split(X, three, axis=1)] == [(2, 1)] * 3
    assert np.tile(X, np.int64(2)).shape == (2, 6)
    assert np.roll(X, np.int64(1)).tolist() == np.roll(X._data, 1).tolist()


def test_pieces_as_in_pytorch():
    x = Tensor(np.arange(7.0))
    assert [len(piece) for piece in x.split(3)] == [len(piece) for piece in x.chunk(3)] == [3, 3, 1]
    assert [len(piece) for piece in x.chunk(5)] == [2, 2, 2, 1]
    assert [len(piece) for piece in x.tensor_split(3)] == [3, 2, 2]
    assert [piece.item() for piece in x[:3].unbind()] == [0, 1, 2]
    assert type(x.split(3)) is type(x.chunk(2)) is type(x.unbind()) is tuple
