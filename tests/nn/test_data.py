"""Datasets, splits and loaders."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from nn.data import DataLoader, Dataset, Subset, TensorDataset, minibatches, random_split


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


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("drop_last", [False, True])
def test_every_sample_comes_once(size, drop_last):
    data = TensorDataset(ag.arange(7))
    loader = DataLoader(data, size, shuffle=True, drop_last=drop_last, generator=ag.Generator(0))
    batches = [x.tolist() for (x,) in loader]
    assert len(batches) == len(loader)
    seen = [n for batch in batches for n in batch]
    assert len(set(seen)) == len(seen) == (7 // size * size if drop_last else 7)
    assert [len(b) for b in batches[:-1]] == [size] * (len(batches) - 1)


def test_the_order_is_seeded_and_new_in_each_epoch():
    data = TensorDataset(ag.arange(50))

    def epochs(generator):
        loader = DataLoader(data, 50, shuffle=True, generator=generator)
        return [next(iter(loader))[0].tolist() for _ in range(2)]

    one, two = epochs(ag.Generator(1)), epochs(ag.Generator(1))
    assert one == two
    assert one[0] != one[1]
    ag.manual_seed(4)
    three = epochs(None)
    ag.manual_seed(4)
    assert epochs(None) == three


def test_samples_of_any_kind_are_collated():
    batches = list(DataLoader(Squares(), 4))
    assert [len(b["n"]) for b in batches] == [4, 3]
    assert batches[0]["n"].dtype == np.int64
    assert batches[0]["square"].tolist() == [0.0, 1.0, 4.0, 9.0]
    assert batches[0]["square"].dtype == np.float32
    ones, flags = batches[1]["pair"]
    assert ones.shape == (3, 1)
    assert flags.dtype == np.bool_
    assert list(DataLoader(Squares(), 7, collate_fn=lambda samples: len(samples))) == [7]
    assert list(DataLoader(["a", "b", "c"], 2)) == [["a", "b"], ["c"]]


def test_loader_refuses_wrong_sizes():
    for size in (0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="DataLoader: expected batch_size to be a whole number >= 1"):
            DataLoader(Squares(), size)
    with pytest.raises(NotImplementedError, match="__len__"):
        len(Dataset())


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


def test_minibatches():
    X, y = ag.randn(5, 2), ag.arange(5)
    pairs = list(minibatches(X, y, 2, shuffle=False))
    assert [b.tolist() for _, b in pairs] == [[0, 1], [2, 3], [4]]
    assert [a.shape for a, _ in pairs] == [(2, 2), (2, 2), (1, 2)]
    assert len(list(minibatches(X, y, 1))) == 5  # single samples
    assert len(list(minibatches(X, y, 5))) == 1  # the full batch
