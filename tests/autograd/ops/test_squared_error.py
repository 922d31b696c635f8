"""The squared error as one op: the bits of the ops for its parts (at second order, but for rounding), and float16 where a count or a sum is large."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.ops.squared_error import squared_error


def of_parts(x, y, count):
    return np.sum(np.square(x - y)) if count == 1 else np.mean(np.square(x - y))


def derivatives(loss, x, y, count, vectors, scale):
    """The loss, its gradients, and the gradients of a product with these."""
    x, y = (ag.tensor(value, requires_grad=True) for value in (x, y))
    value = loss(x, y, count) * scale
    first = ag.grad(value, [x, y], create_graph=True)
    second = ag.grad(sum((g * v).sum() for g, v in zip(first, vectors, strict=True)), [x, y])
    return [found.detach() for found in (value, *first, *second)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (7, 3), (2, 0)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_and_its_gradients_are_those_of_its_parts(dtype, shape, reduction):
    rng = np.random.default_rng(0)
    x, y, u, v = (np.asarray(rng.normal(size=shape), dtype) for _ in range(4))
    count = int(np.prod(shape)) if reduction == "mean" else 1
    ours = derivatives(squared_error, x, y, count, (u, v), 3.0)
    theirs = derivatives(of_parts, x, y, count, (u, v), 3.0)
    for index, (mine, of_theirs) in enumerate(zip(ours, theirs, strict=True)):
        assert mine.dtype == of_theirs.dtype == dtype
        # the second derivatives add the same terms up in another order
        tolerance = 0 if index < 3 else 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(mine.numpy(), of_theirs.numpy(), rtol=tolerance, atol=tolerance)


def test_two_dtypes_each_get_a_gradient_of_their_own():
    x = ag.tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    y = ag.tensor(np.array([3.0, 5.0], np.float64), requires_grad=True)
    squared_error(x, y, 2).backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    assert x.grad.tolist() == [-2.0, -3.0]
    assert y.grad.tolist() == [2.0, 3.0]


def test_float16_counts_beyond_its_range():
    x = ag.tensor(np.full(70_000, 2.0, np.float16), requires_grad=True)
    loss = squared_error(x, ag.tensor(np.zeros(70_000, np.float16)), 70_000)
    loss.backward(ag.tensor(np.float16(1000.0)))
    assert loss.item() == 4.0
    np.testing.assert_allclose(x.grad.numpy(), 4000 / 70_000, rtol=2e-3)


def test_a_target_that_was_overwritten_is_refused():
    x, y = ag.tensor([1.0, 2.0], requires_grad=True), ag.tensor([0.0, 0.0])
    loss = squared_error(x, y, 2)
    y[0] = 1.0
    with pytest.raises(RuntimeError, match="squared_error: its argument 1 .* was modified by an in-place operation"):
        loss.backward()
