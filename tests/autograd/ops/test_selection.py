"""Selection at ties, bounds and nan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.ops.gate import choose

INF, NAN = math.inf, math.nan


def leaf(values: Any) -> Tensor:
    return Tensor(np.asarray(values, np.float64), requires_grad=True)


def pull(y: Tensor, *leaves: Tensor, g: Any = None) -> list[Any]:
    y.backward(np.ones(y.shape) if g is None else np.asarray(g))
    return [None if x.grad is None else x.grad.numpy() for x in leaves]


def test_hard_case_040_tie_of_two() -> None:
    for function in (ag.maximum, ag.minimum, ag.fmax, ag.fmin):
        x, y = leaf([1.0, -2.0]), leaf([1.0, -2.0])
        gx, gy = pull(function(x, y), x, y, g=[3.0, 5.0])
        np.testing.assert_array_equal(gx, [1.5, 2.5])
        np.testing.assert_array_equal(gy, [1.5, 2.5])


def test_hard_case_041_tie_with_itself() -> None:
    x = leaf([1.0, -2.0])
    np.testing.assert_array_equal(pull(ag.maximum(x, x), x)[0], [1, 1])


def test_maximum_with_nan() -> None:
    x, y = leaf([NAN, 1.0]), leaf([1.0, NAN])
    gx, gy = pull(ag.maximum(x, y), x, y)
    np.testing.assert_array_equal([gx, gy], [[1, 0], [0, 1]])
    x, y = leaf([NAN, 1.0]), leaf([1.0, NAN])
    z = ag.fmax(x, y)
    np.testing.assert_array_equal(z.detach().numpy(), [1, 1])
    gx, gy = pull(z, x, y)
    np.testing.assert_array_equal([gx, gy], [[0, 1], [1, 0]])


def test_hard_case_045_clip_at_the_bounds() -> None:
    x = leaf([-1.0, 0.0, 0.5, 1.0, 2.0, NAN])
    y = ag.clip(x, 0.0, 1.0)
    np.testing.assert_array_equal(y.detach().numpy(), [0, 0, 0.5, 1, 1, NAN])
    np.testing.assert_array_equal(pull(y, x)[0], [0, 1, 1, 1, 0, 0])
    x = leaf([0.0, 2.0, 4.0])
    y = ag.clip(x, 3.0, 1.0)  # lo > hi: hi
    np.testing.assert_array_equal(y.detach().numpy(), [1, 1, 1])
    np.testing.assert_array_equal(pull(y, x)[0], [0, 0, 0])
    x = leaf([-1.0, 0.0])
    np.testing.assert_array_equal(pull(ag.clip(x, min=0.0), x)[0], [0, 1])
    assert ag.clip(Tensor(np.array([1, 5])), max=3).dtype == np.int64
    with pytest.raises(ValueError, match="clip: expected at least one bound, got none; pass min= or max="):
        ag.clip(x)


def test_hard_case_053_the_double_where_trap() -> None:
    x = leaf([0.0])
    y = ag.where(x > 0, ag.log(x), 0.0)
    np.testing.assert_array_equal(y.detach().numpy(), [0])
    np.testing.assert_array_equal(pull(y, x)[0], [NAN])
    x = leaf([0.0])
    safe = ag.where(x > 0, ag.log(ag.where(x > 0, x, 1.0)), 0.0)
    np.testing.assert_array_equal(pull(safe, x)[0], [0])


@pytest.mark.parametrize("size", [3, 600])  # np.where, and arithmetic on the bits
def test_hard_case_054_nan_in_the_unselected_branch(size: int) -> None:
    mask = np.arange(size) % 3 != 0
    x, constant = leaf(np.arange(1.0, size + 1)), np.where(mask, NAN, 1.0)
    y = ag.where(mask, x, constant)
    np.testing.assert_array_equal(pull(y, x)[0], mask)
    x, other = leaf(np.ones(size)), leaf(np.ones(size))
    gx, gother = pull(ag.where(mask, x, other), x, other, g=np.full(size, INF))  # inf * 0 would be nan
    np.testing.assert_array_equal(gx, np.where(mask, INF, 0))
    np.testing.assert_array_equal(gother, np.where(mask, 0, INF))


def test_choose_is_where_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    for dtype in ("f2", "f4", "f8"):
        a, b = (rng.normal(size=(40, 50)).astype(dtype) for _ in range(2))
        a[0, :4] = [NAN, INF, -INF, -0.0]
        mask = rng.random((40, 50)) < 0.5
        for x, y in (
            (a, b),
            (a, 0.5),
            (-0.0, b),
            (a[:1], b),
            (a, b[:, :1]),
            (a.T.copy().T, b),
            (1.0, 2.0),
            (a, b.astype("f8")),
        ):
            expected = np.where(mask, x, y)
            found = choose(mask, x, y)
            assert found.dtype == expected.dtype
            assert found.tobytes() == expected.tobytes()


def test_where_without_choices_is_nonzero() -> None:
    x = Tensor(np.array([[0.0, 2.0], [3.0, 0.0]]), requires_grad=True)
    rows, columns = np.where(x)
    np.testing.assert_array_equal([rows, columns], [[0, 1], [1, 0]])
    assert ag.where(np.array([True, False]), 1.0, 0.0).dtype == np.float32
    with pytest.raises(TypeError, match="where: expected both x and y or neither, got 1 of them"):
        ag.where(x > 0, x)


def test_masked_fill() -> None:
    x, value = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf(-1.0)
    y = x.masked_fill(np.array([True, False]), value)
    np.testing.assert_array_equal(y.detach().numpy(), [[-1, 2], [-1, 4]])
    gx, gv = pull(y, x, value)
    np.testing.assert_array_equal(gx, [[0, 1], [0, 1]])
    np.testing.assert_array_equal(gv, 2)
    with pytest.raises(TypeError, match="masked_fill: expected a bool mask, got int64; compare, as in `mask != 0`"):
        x.masked_fill(np.array([1, 0]), 0.0)
    with pytest.raises(ValueError, match=r"masked_fill: expected a mask that broadcasts to \(2, 2\), got \(3,\)"):
        x.masked_fill(np.array([True, False, True]), 0.0)
    with pytest.raises(ValueError, match="masked_fill: expected a number or a 0-d tensor as value"):
        x.masked_fill(np.array([True, False]), np.ones(2))


def test_nan_to_num() -> None:
    x = leaf([1.0, NAN, INF, -INF])
    y = ag.nan_to_num(x, nan=5.0, posinf=7.0)
    np.testing.assert_array_equal(y.detach().numpy(), [1, 5, 7, np.finfo(np.float64).min])
    np.testing.assert_array_equal(pull(y, x)[0], [1, 0, 0, 0])
    with pytest.raises(ValueError, match="nan_to_num: expected copy=True, got False; assign the result instead"):
        np.nan_to_num(x, copy=False)
