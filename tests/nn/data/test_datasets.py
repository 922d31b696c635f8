"""Datasets, subsets and splits."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from nn.data import DataLoader, Dataset, Subset, TensorDataset, random_split


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return {"n": index, "square": np.float32(index * index), "pair": (ag.tensor([1.0 * index]), bool(index))}


def test_tensor_dataset():
    data = TensorDataset(np.arange(6.0).reshape(3, 2), ag.arange(3))
    assert len(data) == 3
    x, y = data[1]
    assert x.tolist() == [2.0, 3.0]
    assert y.item() == 1
    with pytest.raises(ValueError, match=r"equal length along axis 0, got shapes \(3,\), \(2,\)"):
        TensorDataset(ag.arange(3), ag.arange(2))
    with pytest.raises(ValueError, match="equal length"):
        TensorDataset(ag.tensor(1.0))
    with pytest.raises(ValueError, match="at least one tensor"):
        TensorDataset()
    w = ag.ones(3, requires_grad=True)
    TensorDataset(w).rows([0, 0, 2])[0].sum().backward()
    assert w.grad.tolist() == [2.0, 0.0, 1.0]


def test_random_split():
    data = TensorDataset(ag.arange(10))
    parts = random_split(data, [7, 3], generator=ag.Generator(0))
    values = [part.rows(np.arange(len(part)))[0].tolist() for part in parts]
    assert [len(v) for v in values] == [7, 3]
    assert sorted(values[0] + values[1]) == list(range(10))
    assert [len(part) for part in random_split(data, [0.55, 0.45])] == [6, 4]
    for lengths in ([7, 2], [11, -1], [0.5, 0.4], []):
        with pytest.raises(ValueError, match="random_split: expected lengths that add up to 10"):
            random_split(data, lengths)


def test_subset():
    part = Subset(Squares(), [5, 2, -1])
    assert part[0]["n"] == 5
    assert len(part) == 3
    data = TensorDataset(ag.arange(10))
    inner = Subset(Subset(data, [9, 8, 7]), [2, 0])
    assert next(iter(DataLoader(inner, 2)))[0].tolist() == [7, 9]
    with pytest.raises(IndexError, match="Subset: expected indices below 7"):
        Subset(Squares(), [7])
