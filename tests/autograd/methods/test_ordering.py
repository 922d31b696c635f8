"""Order in the conventions of NumPy's functions and of PyTorch's methods."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def leaf(values, dtype=np.float64) -> Tensor:
    return Tensor(values, dtype=dtype, requires_grad=True)


def test_the_kind_of_sorting_is_not_taken_for_descending():
    x = leaf([2.0, 1.0, 3.0])
    assert np.sort(x, -1, "stable").tolist() == [1, 2, 3]
    assert np.argsort(x, kind="stable").tolist() == [1, 0, 2]
    with pytest.raises(ValueError, match="sort: expected a kind of sorting that NumPy knows, got 'bogo'"):
        np.sort(x, kind="bogo")


def test_median_along_a_dim_is_the_pair_of_pytorch_with_the_mean_of_numpy():
    x = leaf([[4.0, 1.0, 3.0, 2.0], [8.0, 8.0, 5.0, 6.0]])
    values, indices = x.median(1)
    assert values.tolist() == [2.5, 7]
    assert indices.tolist() == [3, 3]
    assert x.median(1, keepdim=True).values.shape == x.median(1, keepdim=True).indices.shape == (2, 1)
    assert x.median(axis=1).tolist() == [2.5, 7]
    assert x.median().item() == 4.5


def test_the_median_of_an_odd_number_is_no_sum():
    assert ag.median(Tensor([60_000.0], dtype=np.float16)).item() == 60_000 - 60_000 % 32
    assert ag.median(Tensor([1e308, 1.7e308, 1.2e308], dtype=np.float64)).item() == 1.2e308


def test_kthvalue_keeps_the_axis_on_demand():
    x = leaf([[3.0, 1.0, 2.0]])
    assert x.kthvalue(2).values.tolist() == [2]
    assert x.kthvalue(2, 1, True).values.tolist() == [[2]]
    assert x.kthvalue(2, 1, True).indices.tolist() == [[2]]
    with pytest.raises(ValueError, match="kthvalue: expected k from 1 to 3, got 4"):
        x.kthvalue(4)


def test_nonzero_as_rows_or_as_a_tuple():
    x = Tensor([[0.0, 1.0], [2.0, 0.0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]]
    assert [found.tolist() for found in x.nonzero(as_tuple=True)] == [[0, 1], [1, 0]]
