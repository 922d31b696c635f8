"""Changes of shape: what is refused, and PyTorch's methods."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

X = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: X.reshape("a"), TypeError, "reshape: expected whole numbers as shape, got "),
        (lambda: np.reshape(X, (3, 2), order="K"), ValueError, "reshape: expected order 'C' or 'F', got 'K'"),
        (lambda: X.reshape(-1, -1), ValueError, r"reshape: expected a shape for 6 elements of \(2, 3\), got \(-1, -1\)"),
        (lambda: X.reshape(-2, -3), ValueError, r"reshape: expected a shape for 6 elements of \(2, 3\), got \(-2, -3\)"),
        (lambda: X[:0].reshape(0, -1), ValueError, r"reshape: expected a shape for 0 elements of \(0, 3\), got \(0, -1\)"),
        (lambda: X.flatten(1, 0), ValueError, "flatten: expected start_dim <= end_dim, got 1 and 0"),
        (lambda: np.transpose(X, (0,)), ValueError, r"transpose: expected 2 axes for shape \(2, 3\), got \(0,\)"),
        (lambda: X.transpose(0), TypeError, r"transpose: expected two axes, got \(0,\); use permute"),
        (lambda: X[None].t(), ValueError, r"t: expected at most 2 axes, got shape \(1, 2, 3\)"),
        (lambda: X.moveaxis((0, 1), 0), ValueError, r"moveaxis: expected as many sources as destinations, got \(0, 1\) and 0"),
        (lambda: X.moveaxis(2, 0), np.exceptions.AxisError, "moveaxis: expected an axis from -2 to 1 for 2 axes, got 2"),
        (lambda: X.broadcast_to(2, 2), ValueError, r"broadcast_to: expected a shape that \(2, 3\) broadcasts to, got \(2, 2\)"),
        (lambda: X.expand(3), ValueError, r"broadcast_to: expected a shape that \(2, 3\) broadcasts to, got \(3,\)"),
        (lambda: ag.broadcast_tensors(X, X.T), ValueError, r"broadcast_tensors: expected .*, got \(2, 3\), \(3, 2\)"),
        (lambda: X.sum_to_size(2), ValueError, r"sum_to_size: expected a shape that broadcasts to \(2, 3\), got \(2,\)"),
        (lambda: X.repeat(2), ValueError, r"repeat: expected a count for each of 2 axes, got \(2,\)"),
        (lambda: X.unsqueeze(0.5), TypeError, "expand_dims: expected a whole number as axis, got 0.5"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_views_share_memory_and_copies_do_not():
    for view in (X.reshape(3, 2), X.T, X.mT, X.unsqueeze(0), X.flatten(), X.flip(0), X.expand(4, 2, 3), X[::-1], X.rot90()):
        assert np.shares_memory(view._data, X._data)
    for copy in (X.roll(1), X.tril(), X.repeat(2, 1), X[[0, 1]]):
        assert not np.shares_memory(copy._data, X._data)


def test_methods_are_pytorchs():
    x = Tensor(np.zeros((2, 1, 3)))
    assert (x.dim(), x.ndimension(), x.numel(), x.nelement(), x.element_size()) == (3, 3, 6, 6, 8)
    assert (x.size(), x.size(-1)) == ((2, 1, 3), 3)
    assert x.transpose(0, 2).shape == (3, 1, 2)
    assert x.permute(2, 0, 1).shape == x.permute((2, 0, 1)).shape == (3, 2, 1)
    assert x.squeeze(1).shape == x.squeeze().shape == (2, 3)
    assert x.squeeze(0).shape == x.shape
    with pytest.raises(ValueError, match="squeeze: expected size 1 at axis 0"):
        x.squeeze(axis=0)
    assert x.view(-1, 2).shape == (3, 2)
    assert x.expand(-1, 4, -1).shape == (2, 4, 3)
    assert x.T.contiguous().is_contiguous()
    assert not x.T.is_contiguous()
    assert x.contiguous() is x


def test_several_tensors_at_least_1d():
    one, two = np.atleast_2d(X, Tensor(2.0))
    assert (one.shape, two.shape) == ((2, 3), (1, 1))
    assert [each.shape for each in np.atleast_3d(X, Tensor(2.0))] == [(2, 3, 1), (1, 1, 1)]
    assert [each.shape for each in np.atleast_1d(X, Tensor(2.0))] == [(2, 3), (1,)]


def test_the_protocol_knows_shape_ndim_and_size():
    assert (np.shape(X), np.ndim(X), np.size(X), np.size(X, -1)) == ((2, 3), 2, 6, 3)
