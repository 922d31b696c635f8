"""The loader: every sample once an epoch, in an order that can be repeated, and gone on with."""

from __future__ import annotations

import json

import numpy as np
import pytest

import autograd as ag
from autograd.random import default_generator
from nn.data import DataLoader, Dataset, TensorDataset, minibatches


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return {"n": index, "square": np.float32(index * index), "pair": (ag.tensor([1.0 * index]), bool(index))}


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


def test_minibatches():
    X, y = ag.randn(5, 2), ag.arange(5)
    pairs = list(minibatches(X, y, 2, shuffle=False))
    assert [b.tolist() for _, b in pairs] == [[0, 1], [2, 3], [4]]
    assert [a.shape for a, _ in pairs] == [(2, 2), (2, 2), (1, 2)]
    assert len(list(minibatches(X, y, 1))) == 5  # single samples
    assert len(list(minibatches(X, y, 5))) == 1  # the full batch


# ------------------------------------------------------------------------------------------------ going on in the middle


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("done", [0, 1, 3, 4, 5, 9, 16])
def test_an_epoch_goes_on_in_the_middle_bit_for_bit(shuffle, own, drop_last, done):
    def new(seed):
        ag.manual_seed(seed)
        generator = ag.Generator(seed) if own else None
        return DataLoader(TensorDataset(ag.arange(11)), 3, shuffle, drop_last, generator=generator)

    def run(loader, stop):
        found, state = [], None
        if stop == 0:
            state = json.dumps([loader.state_dict(), default_generator.get_state()])
        while len(found) < 30:
            for (x,) in loader:
                found.append((loader.epoch, loader.position, x.tolist(), ag.rand().item()))
                if len(found) == stop:
                    state = json.dumps([loader.state_dict(), default_generator.get_state()])
        return found, state

    expected, state = run(new(1), done)
    loader = new(2)
    next(iter(loader))  # a state is loaded over whatever was before
    mine, random = json.loads(state)
    loader.load_state_dict(mine)
    default_generator.set_state(random)
    assert loader.state_dict() == mine
    found, _ = run(loader, -1)
    assert found[: len(expected) - done] == expected[done:]


def test_a_state_between_epochs_and_before_the_first_batch():
    loader = DataLoader(TensorDataset(ag.arange(4)), 2, True, generator=ag.Generator(3))
    iterator = iter(loader)  # the order is drawn, no batch is handed out
    state = loader.state_dict()
    expected = [x.tolist() for (x,) in iterator]
    assert (loader.epoch, loader.position) == (1, 0)
    other = DataLoader(TensorDataset(ag.arange(4)), 2, True, generator=ag.Generator(4))
    other.load_state_dict(state)
    assert [x.tolist() for (x,) in other] == expected
    assert [x.tolist() for (x,) in other] == [x.tolist() for (x,) in loader]
    other.load_state_dict(loader.state_dict())
    assert [x.tolist() for (x,) in other] == [x.tolist() for (x,) in loader]


def test_the_latest_iteration_is_the_one_that_counts():
    loader = DataLoader(TensorDataset(ag.arange(6)), 2)
    first = iter(loader)
    next(first)
    second = iter(loader)
    assert (loader.epoch, loader.position) == (1, 0)  # the first was left early
    next(second)
    assert len(list(first)) == 2
    assert (loader.epoch, loader.position) == (1, 1)
    loader.load_state_dict({**loader.state_dict(), "epoch": 7, "position": 2})
    list(second)
    assert (loader.epoch, loader.position) == (7, 2)
    assert [x.tolist() for (x,) in loader] == [[4, 5]]
    assert (loader.epoch, loader.position) == (8, 0)


def test_a_numpy_generator_goes_on_if_it_is_a_pcg64():
    def new(bits):
        return DataLoader(TensorDataset(ag.arange(9)), 2, True, generator=np.random.Generator(bits))

    one, two = new(np.random.PCG64(1)), new(np.random.PCG64(2))
    iterator = iter(one)
    next(iterator)
    two.load_state_dict(one.state_dict())
    assert [x.tolist() for (x,) in two] == [x.tolist() for (x,) in iterator]
    other = new(np.random.MT19937(1))
    assert len(list(other)) == 5
    with pytest.raises(ValueError, match="state_dict: expected a PCG64 generator, got MT19937; use autograd.Generator"):
        other.state_dict()


def broken_states():
    good = DataLoader(TensorDataset(ag.arange(9)), 2, True, generator=ag.Generator(1))
    next(iter(good))
    state = good.state_dict()
    yield {}, r"load_state_dict: expected \['batch_size', .*\], got \[\]"
    yield {**state, "more": 1}, "load_state_dict: expected .* got .*'more'"
    yield {**state, "samples": 8}, "load_state_dict: expected samples 9, got 8"
    yield (
        {**state, "samples": 8, "batch_size": 3, "drop_last": True},
        "samples 9, got 8; batch_size 2, got 3; drop_last False, got True",
    )
    yield {**state, "shuffle": 1}, "expected shuffle True, got 1"
    yield {**state, "epoch": -1}, "expected epoch >= 0 and position from 0 to 5, got -1 and 1"
    yield {**state, "epoch": 1.0}, "expected epoch >= 0 and position from 0 to 5, got 1.0 and 1"
    yield {**state, "position": 6}, "expected epoch >= 0 and position from 0 to 5, got 0 and 6"
    yield {**state, "position": True}, "expected epoch >= 0 and position from 0 to 5, got 0 and True"
    yield {**state, "generator": None}, "expected the states of the generator for a shuffled order"
    yield {**state, "order": None}, "expected the states of the generator for a shuffled order"
    yield {**state, "order": {**state["order"], "bit_generator": "os.system"}}, "set_state: expected a state from get_state"
    yield {**state, "generator": {**state["generator"], "state": {}}}, "set_state: expected 'state' and 'inc'"
    yield {**state, "order": "x"}, "set_state: expected a state"


@pytest.mark.parametrize(("state", "says"), list(broken_states()))
def test_hard_case_172_states_of_a_loader_are_validated(state, says):
    loader = DataLoader(TensorDataset(ag.arange(9)), 2, True, generator=ag.Generator(5))
    before = loader.state_dict()
    with pytest.raises(ValueError, match=says):
        loader.load_state_dict(state)
    assert loader.state_dict() == before
    with pytest.raises(TypeError, match="load_state_dict: expected a mapping, got list"):
        loader.load_state_dict([])
    plain = DataLoader(TensorDataset(ag.arange(9)), 2)
    with pytest.raises(ValueError, match="and none for another"):
        plain.load_state_dict({**plain.state_dict(), "order": before["generator"]})
