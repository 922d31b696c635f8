"""Adding at an index: the quick ways against ``np.add.at``, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, scattering
from autograd.scattering import Scatter


def random_index(rng: np.random.Generator, shape: tuple[int, ...]):
    """An index of each kind that indexing knows, repeated and negative positions among them."""

    def positions(size, *form):
        return rng.integers(-size, size, form)

    ndim = len(shape)
    kind = rng.integers(6)
    if kind == 0:  # one axis
        axis = rng.integers(ndim)
        form = tuple(rng.integers(0, 5, rng.integers(1, 3)))
        return (slice(None),) * axis + (positions(shape[axis], *form),) + (slice(None),) * rng.integers(0, ndim - axis)
    if kind == 1:  # an array or a number for each axis
        index = [positions(size, 4) if rng.random() < 0.6 else int(positions(size)) for size in shape]
        return tuple(index)
    if kind == 2:  # grids
        return tuple(positions(size, *((3, 1) if place % 2 else (1, 2))) for place, size in enumerate(shape))
    if kind == 3:
        return rng.random(shape[: rng.integers(1, ndim + 1)]) < 0.5
    if kind == 4:
        return (rng.random(shape[0]) < 0.5, *(slice(None, None, -1) for _ in shape[1:]))
    return (Ellipsis, positions(shape[-1], 4))


@pytest.mark.parametrize(("small", "block", "many"), [(256, 1 << 15, 1 << 18), (0, 7, 1 << 18), (0, 1 << 15, 0)])
def test_sums_have_the_bits_of_add_at(small, block, many, monkeypatch):
    monkeypatch.setattr(scattering, "_SMALL", small)
    monkeypatch.setattr(scattering, "_BLOCK", block)
    monkeypatch.setattr(scattering, "_MANY", many)
    monkeypatch.setattr(scattering, "_LONG", 2)
    rng = np.random.default_rng(0)
    for trial in range(400):
        shape = tuple(rng.integers(1, 6, rng.integers(1, 4)))
        buffer = rng.normal(size=shape).astype((np.float32, np.float64)[trial % 2])
        if trial % 5 == 0:
            buffer = np.asfortranarray(buffer)
        index = random_index(rng, shape)
        values = rng.normal(size=buffer[index].shape).astype(buffer.dtype)
        if trial % 3 == 0:
            values = np.broadcast_to(buffer.dtype.type(0.1), values.shape)
        expected = buffer.copy()
        np.add.at(expected, index, values)
        Scatter(index, np.asarray(values)).add_to(buffer)
        np.testing.assert_array_equal(buffer, expected, err_msg=f"{shape} {index}")


@pytest.mark.parametrize("spread", ["one place", "few places", "even", "one place and others", "falling"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_added_by_turns_have_the_bits_of_add_at(spread, dtype):
    rng = np.random.default_rng(0)
    n, size, width = 4100, 200, 64
    index = {
        "one place": np.full(n, 7),
        "few places": rng.integers(3, 6, n),
        "even": rng.integers(-size, size, n),
        "one place and others": np.where(rng.random(n) < 0.6, 0, rng.integers(0, size, n)),
        "falling": rng.zipf(1.3, n) % size,
    }[spread]
    values = rng.normal(size=(n, width)).astype(dtype)
    buffer = rng.normal(size=(size, width)).astype(dtype)
    assert values.size >= scattering._MANY
    expected = buffer.copy()
    np.add.at(expected, index, values)
    scattering.add_at(buffer, index, values)
    np.testing.assert_array_equal(buffer, expected)


def test_float16_is_summed_in_float32():
    table = Tensor(np.ones((2, 1)), dtype=np.float16, requires_grad=True)
    ag.embedding(np.zeros(3000, int), table).sum().backward()
    assert table.grad.tolist() == [[3000], [0]]  # one by one it would stop at 2048
    total = ag.scatter_add(
        Tensor(np.zeros(1), dtype=np.float16), 0, np.zeros(3000, int), Tensor(np.ones(3000), dtype=np.float16)
    )
    assert total.tolist() == [3000]
    assert total.dtype == np.float16


def test_the_gradient_of_an_embedding_is_that_of_a_product_with_one_hot_rows():
    rng = np.random.default_rng(0)
    table = Tensor(rng.normal(size=(11, 7)), requires_grad=True)
    words = rng.integers(0, 11, (6, 20))
    seed = Tensor(rng.normal(size=(6, 20, 7)))
    (by_index,) = ag.grad(ag.embedding(words, table), table, [seed])
    (by_product,) = ag.grad(ag.one_hot(words, 11) @ table, table, [seed])
    np.testing.assert_allclose(by_index._data, by_product._data, rtol=1e-12)
