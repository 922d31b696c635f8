"""Triangles and diagonals: the awkward sizes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

X = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ag.tril(X[0]), r"tril: expected at least 2 axes, got shape \(3,\)"),
        (lambda: ag.triu(X[0]), r"triu: expected at least 2 axes, got shape \(3,\)"),
        (lambda: ag.diag(X[None]), r"diag: expected 1 or 2 axes, got shape \(1, 2, 3\)"),
        (lambda: ag.diag_embed(Tensor(1.0)), r"diag_embed: expected at least 1 axis, got shape \(\)"),
        (lambda: ag.block_diag(X, X[None]), r"block_diag: expected at most 2 axes, got shape \(1, 2, 3\)"),
        (lambda: ag.diagonal(X, 0, 1, 1), "diagonal: expected different axes"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("offset", [-9, -2, -1, 0, 1, 2, 9])
def test_any_offset(offset):
    for function in (np.diagonal, np.diag, np.tril, np.triu):
        np.testing.assert_array_equal(function(X, offset)._data, function(X._data, offset))
    np.testing.assert_array_equal(np.diag(X[0], offset)._data, np.diag(X._data[0], offset))


def test_what_lies_outside_a_triangle_does_not_matter():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    x = Tensor(values, requires_grad=True)
    y = ag.tril(x)
    assert y.tolist() == [[1, 0], [2, 3]]
    y.backward(Tensor([[1.0, np.inf], [1.0, 1.0]], dtype=np.float64))
    assert x.grad.tolist() == [[1, 0], [1, 1]]
