"""Tensors from data of every kind, from rules, and from random numbers."""

from __future__ import annotations

import mmap

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import autograd as ag
from autograd import Tensor


def same(tensor, expected, dtype=None):
    assert isinstance(tensor, Tensor)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    assert dtype is None or tensor.dtype == dtype


# ------------------------------------------------------------------------------------------------ hard cases


def test_hard_case_008_data_is_always_an_array():
    x = ag.tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
    zero = ag.tensor(3.0, requires_grad=True)
    for y in (x.sum(), np.sum(x), x[0], zero * zero, -zero, ag.exp(zero), x @ x, x.mean(), x.max(), zero + 1):
        assert type(y._data) is np.ndarray
        y.backward()
    assert type(zero.grad._data) is np.ndarray
    assert type(ag.tensor(np.float64(2.0))._data) is np.ndarray


@pytest.mark.parametrize(
    "data",
    [
        np.array([None, 1.0], dtype=object),
        np.array(["a", "b"]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.zeros(2, dtype=[("a", float), ("b", int)]),
        "text",
        b"bytes",
        None,
        ["1", "2"],
        [None, 1.0],
        [object()],
        {"a": 1},
    ],
    ids=repr,
)
@pytest.mark.parametrize("make", [Tensor, ag.tensor, ag.as_tensor])
def test_hard_case_011_not_numbers(make, data):
    with pytest.raises(TypeError, match=r"expected (numbers|a dtype)"):
        make(data)


def test_hard_case_011_ragged():
    with pytest.raises(ValueError, match="rectangular"):
        ag.tensor([[1, 2], [3]])


def strange_layouts():
    base = np.arange(24.0)
    yield "negative stride", base[::-1].reshape(4, 6)[:, ::-1]
    yield "fortran order", np.asfortranarray(base.reshape(4, 6))
    yield "transposed", base.reshape(6, 4).T
    yield "overlapping", as_strided(base, (4, 6), (8, 16))


@pytest.mark.parametrize("array", [pytest.param(a, id=name) for name, a in strange_layouts()])
def test_hard_case_012_any_layout(array):
    weights = np.random.default_rng(0).normal(size=array.shape)
    x = ag.tensor(array, requires_grad=True)
    same(x.detach(), array)
    (x * x * weights).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * array * weights)
    # an array that is not copied (an operand) keeps its layout, and gets its gradient by logical index
    y = ag.tensor(np.ones(array.shape), requires_grad=True)
    (y * array * weights).sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), array * weights)


def read_only_arrays(tmp_path):
    locked = np.arange(6.0)
    locked.flags.writeable = False
    yield "locked", locked
    yield "frombuffer", np.frombuffer(np.arange(6.0).tobytes())
    yield "broadcast", np.broadcast_to(np.arange(6.0), (2, 6))
    path = tmp_path / "values.bin"
    np.arange(6.0).tofile(path)
    yield "memmap", np.memmap(path, dtype=np.float64, mode="r")


def test_hard_case_013_read_only(tmp_path):
    for name, array in read_only_arrays(tmp_path):
        before = np.array(array)
        t = ag.as_tensor(array)
        same(t, before)
        x = ag.tensor(array, requires_grad=True)  # a copy: may be written to
        (x * t).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), before)
        with ag.no_grad():
            x.mul_(2)
        np.testing.assert_array_equal(array, before, err_msg=name)


def test_hard_case_013_in_place_on_shared_read_only_memory():
    locked = np.arange(6.0)
    locked.flags.writeable = False
    t = ag.from_numpy(locked)
    assert np.shares_memory(t._data, locked)
    for change in (lambda: t.add_(1), lambda: t.zero_(), lambda: t.__setitem__(0, 5.0)):
        with pytest.raises(ValueError, match="read-only"):
            change()
    np.testing.assert_array_equal(locked, np.arange(6.0))


def test_hard_case_014_byte_swapped():
    swapped = np.arange(4.0).astype(">f8")
    for t in (Tensor(swapped), ag.as_tensor(swapped), ag.from_numpy(swapped)):
        same(t, np.arange(4.0), np.float64)
        assert t.dtype.isnative
    x = ag.tensor(swapped, requires_grad=True)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * np.arange(4.0))
    assert ag.zeros(2, dtype=">i4").dtype.isnative
    y = ag.tensor([1.0, 1.0, 1.0, 1.0], dtype=np.float64, requires_grad=True)
    (y * swapped).sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), np.arange(4.0))


def test_hard_case_015_base_that_is_no_array():
    buffer = mmap.mmap(-1, 48)
    for base in (np.arange(6.0).tobytes(), bytearray(np.arange(6.0).tobytes()), buffer):
        array = np.frombuffer(base)
        x = ag.tensor(array, requires_grad=True)
        (x * ag.as_tensor(array)).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), array)
        del array


def test_hard_case_015_memory_of_others_is_copied_even_if_the_view_is_read_only():
    memory = bytearray(np.arange(6.0).tobytes())
    view = np.frombuffer(memory)
    view.flags.writeable = False
    t = ag.as_tensor(view)
    memory[:8] = np.float64(100.0).tobytes()
    same(t, np.arange(6.0))


def test_hard_case_016_subclasses():
    matrix = np.arange(4.0).reshape(2, 2).view(np.matrix)
    x = ag.tensor(matrix, requires_grad=True)
    assert type(x._data) is np.ndarray
    same((x * x).detach(), np.asarray(matrix) ** 2)  # not the matrix product
    assert type(ag.as_tensor(matrix)._data) is np.ndarray
    same((x * matrix).detach(), np.asarray(matrix) ** 2)
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    for make in (Tensor, ag.tensor, ag.as_tensor, ag.from_numpy, lambda m: ag.tensor([1.0, 2.0]) * m):
        with pytest.raises(TypeError, match="MaskedArray"):
            make(masked)


def test_hard_case_016_memmap_is_copied(tmp_path):
    path = tmp_path / "values.bin"
    np.arange(6.0).tofile(path)
    mapped = np.memmap(path, dtype=np.float64, mode="r+")
    t = ag.as_tensor(mapped)
    assert type(t._data) is np.ndarray
    mapped[0] = 100.0
    same(t, np.arange(6.0))


def test_hard_case_017_floating_dtypes():
    half = ag.tensor([1.0, 2.0], dtype=np.float16, requires_grad=True)
    (half * half).sum().backward()
    same(half.grad, [2.0, 4.0], np.float16)


REFUSED = [np.complex64, np.complex128, "U3", object]
if np.dtype(np.longdouble) != np.float64:  # in some places C's long double is a double
    REFUSED.append(np.longdouble)


@pytest.mark.parametrize("dtype", REFUSED)
def test_hard_case_017_refused_dtypes(dtype):
    with pytest.raises(TypeError, match="float16/32/64"):
        ag.tensor(np.ones(2).astype(dtype))
    with pytest.raises(TypeError, match="float16/32/64"):
        ag.zeros(2, dtype=dtype)


@pytest.mark.parametrize("data", [[1, 2], [True, False], np.arange(3, dtype=np.uint8)])
def test_hard_case_018_only_floating_dtypes_require_gradients(data):
    with pytest.raises(TypeError, match="only floating dtypes can require gradients"):
        ag.tensor(data, requires_grad=True)
    with pytest.raises(TypeError, match="only floating dtypes can require gradients"):
        ag.tensor(data).requires_grad_()
    with pytest.raises(TypeError, match="only floating dtypes can require gradients"):
        ag.tensor(data).requires_grad = True


# ------------------------------------------------------------------------------------------------ outside arrays


@pytest.mark.parametrize("make", [Tensor, ag.tensor, ag.as_tensor, ag.from_numpy])
def test_writable_arrays_are_copied(make):
    array = np.arange(4.0)
    t = make(array)
    array[:] = 7
    same(t, np.arange(4.0), np.float64)
    view = np.arange(4.0)
    frozen = view[:]
    frozen.flags.writeable = False  # but its base can be written to
    t = make(frozen)
    view[:] = 7
    same(t, np.arange(4.0))


def test_as_tensor_of_a_tensor():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    assert ag.as_tensor(x) is x
    cast = ag.as_tensor(x, dtype=np.float64)
    cast.sum().backward()
    same(x.grad, [1.0, 1.0], np.float32)


def test_from_numpy_wants_an_array():
    with pytest.raises(TypeError, match="from_numpy: expected an ndarray, got list"):
        ag.from_numpy([1.0])


def test_default_dtype():
    assert ag.tensor(1.0).dtype == np.float32
    assert ag.tensor([1, 2]).dtype == np.int64
    assert ag.tensor(True).dtype == np.bool_
    assert ag.tensor(np.float64(1.0)).dtype == np.float64
    assert ag.tensor([np.float64(1.0)]).dtype == np.float64
    assert ag.tensor(np.ones(2)).dtype == np.float64
    ag.set_default_dtype(np.float64)
    try:
        assert ag.tensor(1.0).dtype == ag.zeros(2).dtype == ag.rand(2).dtype == ag.linspace(0, 1, 3).dtype == np.float64
    finally:
        ag.set_default_dtype(np.float32)
    with pytest.raises(TypeError, match="set_default_dtype: expected float16, float32 or float64"):
        ag.set_default_dtype(np.int64)


# ------------------------------------------------------------------------------------------------ from a rule


def test_filled():
    same(ag.zeros(2, 3), np.zeros((2, 3)), np.float32)
    same(ag.zeros((2, 3)), np.zeros((2, 3)))
    same(ag.zeros(()), 0.0)
    same(ag.ones([2], dtype=np.int64), [1, 1], np.int64)
    same(ag.full((2, 2), 1.5), np.full((2, 2), 1.5), np.float32)
    same(ag.full(2, 3), [3, 3], np.int64)
    same(ag.eye(2, 3), np.eye(2, 3), np.float32)
    assert ag.empty(2, 0).shape == (2, 0)
    assert ag.zeros(2, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="negative"):
        ag.zeros(-1)


def test_ranges():
    same(ag.arange(4), [0, 1, 2, 3], np.int64)
    same(ag.arange(1, 2, 0.25), np.arange(1, 2, 0.25), np.float32)
    same(ag.arange(5, 0, -2), [5, 3, 1], np.int64)
    same(ag.linspace(0, 1, 5), np.linspace(0, 1, 5), np.float32)
    with pytest.raises(ValueError, match="arange: expected a step other than 0"):
        ag.arange(0, 4, 0)


def test_like():
    x = ag.tensor(np.ones((2, 3)), requires_grad=True)
    for ours, theirs in ((ag.zeros_like, np.zeros_like), (ag.ones_like, np.ones_like)):
        for result in (ours(x), theirs(x)):
            same(result, theirs(np.ones((2, 3))), np.float64)
            assert not result.requires_grad
    same(np.full_like(x, 2.0), np.full((2, 3), 2.0), np.float64)
    same(ag.zeros_like(x, dtype=np.int64), np.zeros((2, 3)), np.int64)
    assert np.empty_like(x).shape == (2, 3)


# ------------------------------------------------------------------------------------------------ random


def draws(generator=None):
    return [
        ag.rand(3, generator=generator),
        ag.randn(2, 2, generator=generator),
        ag.randint(5, size=(4,), generator=generator),
        ag.normal(1.0, 2.0, (3,), generator=generator),
        ag.uniform(-1.0, 1.0, (3,), generator=generator),
        ag.bernoulli(ag.full((5,), 0.5), generator=generator),
        ag.randperm(6, generator=generator),
    ]


def test_seed_repeats_the_numbers():
    for source in (None, ag.Generator(3), np.random.default_rng(3)):
        if source is None:
            ag.manual_seed(7)
            first = draws()
            ag.manual_seed(7)
            second = draws()
        else:
            first = draws(source)
            second = draws(ag.Generator(3) if isinstance(source, ag.Generator) else np.random.default_rng(3))
        for a, b in zip(first, second, strict=True):
            same(a, b.numpy(), b.dtype)
        assert not np.array_equal(draws(source)[1].numpy(), first[1].numpy())


def test_distributions():
    generator = ag.Generator(0)
    u = ag.rand(20000, generator=generator).numpy()
    assert u.dtype == np.float32
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.01
    n = ag.normal(3.0, 2.0, (20000,), dtype=np.float64, generator=generator).numpy()
    assert abs(n.mean() - 3.0) < 0.05
    assert abs(n.std() - 2.0) < 0.05
    assert set(np.unique(ag.randint(2, 5, (200,), generator=generator).numpy())) == {2, 3, 4}
    assert abs(ag.bernoulli(np.full(20000, 0.2), generator).numpy().mean() - 0.2) < 0.01
    assert sorted(ag.randperm(9, generator).tolist()) == list(range(9))


def test_random_numbers_refuse_wrong_parameters():
    with pytest.raises(ValueError, match="randint: expected low < high"):
        ag.randint(3, 3)
    with pytest.raises(ValueError, match="normal: expected std >= 0"):
        ag.normal(0.0, -1.0)
    for p in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match="bernoulli: expected probabilities between 0 and 1"):
            ag.bernoulli([p])
    with pytest.raises(TypeError, match="generator: expected a Generator, got int"):
        ag.rand(2, generator=3)


def test_sizes_by_name_and_pytorchs_randint():
    for made in (
        ag.zeros(size=(2, 3)),
        ag.ones(size=(2, 3)),
        ag.empty(size=(2, 3)),
        ag.rand(size=(2, 3)),
        ag.randn(size=[2, 3]),
    ):
        assert made.shape == (2, 3)
    drawn = ag.randint(5, (100,), generator=ag.Generator(0))
    assert drawn.shape == (100,)
    assert (drawn.min().item(), drawn.max().item()) == (0, 4)


def test_normal_numbers_around_tensors():
    mean, std = ag.tensor([0.0, 100.0], dtype=np.float64), ag.tensor([0.0, 1.0])
    drawn = ag.normal(mean, std, generator=ag.Generator(0))
    assert drawn[0].item() == 0.0
    assert 90 < drawn[1].item() < 110
    assert ag.normal(mean=mean, std=2.0).shape == (2,)
    with pytest.raises(ValueError, match="normal: expected std >= 0"):
        ag.normal(mean, -std)


def test_tensors_of_one_dtype():
    same(ag.LongTensor([1, 2]), [1, 2], np.int64)
    same(ag.FloatTensor([1, 2]), [1, 2], np.float32)
    same(ag.DoubleTensor([[1, 2]]), [[1, 2]], np.float64)
    same(ag.BoolTensor([1, 0]), [True, False], np.bool_)


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_by_probability(replacement):
    weights = np.array([[1.0, 0.0, 3.0, 4.0], [0.0, 5.0, 5.0, 0.0]])
    rows = ag.tensor(np.repeat(weights, 4000, axis=0))
    drawn = ag.multinomial(rows, 1, replacement, generator=ag.Generator(0)).numpy().reshape(2, 4000)
    assert drawn.dtype == np.int64
    for row, expected in zip(drawn, weights / weights.sum(1, keepdims=True), strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=4) / 4000, expected, atol=0.03)
    both = ag.multinomial(rows, 2, replacement, generator=ag.Generator(1)).numpy()
    assert both.shape == (8000, 2)
    assert (both[:, 0] == both[:, 1]).any() == replacement


def test_multinomial_without_replacement_draws_from_what_is_left():
    rows = ag.tensor(np.repeat([[1.0, 2.0, 1.0]], 20_000, axis=0))
    pairs = ag.multinomial(rows, 2, generator=ag.Generator(0)).numpy()
    second = pairs[pairs[:, 0] == 1, 1]  # after 1 was drawn: 0 and 2 with equal chances
    np.testing.assert_allclose(np.mean(second == 0), 0.5, atol=0.02)
    second = pairs[pairs[:, 0] == 0, 1]
    np.testing.assert_allclose(np.mean(second == 1), 2 / 3, atol=0.02)


def test_multinomial_refuses_what_are_no_probabilities():
    for bad in ([-1.0, 2.0], [np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0]):
        with pytest.raises(ValueError, match="multinomial: expected rows"):
            ag.multinomial(ag.tensor(bad), 1)
    with pytest.raises(ValueError, match="multinomial: expected no more samples than positions of probability > 0, got 2"):
        ag.multinomial(ag.tensor([0.0, 1.0]), 2)
    assert ag.multinomial(ag.tensor([0.0, 1.0]), 3, replacement=True).tolist() == [1, 1, 1]
