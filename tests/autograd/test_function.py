"""Operations declared as PyTorch's Functions."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd as ag

X = np.random.default_rng(0).standard_normal((2, 3))


class Cube(ag.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


class Exp(ag.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


class Linear(ag.Function):
    @staticmethod
    def forward(x, weight, bias=None):
        y = x.mm(weight.t())
        return y if bias is None else y + bias.unsqueeze(0).expand_as(y)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, bias = inputs
        ctx.save_for_backward(x, weight, bias)

    @staticmethod
    def backward(ctx, grad):
        x, weight, bias = ctx.saved_tensors
        grad_x = grad.mm(weight) if ctx.needs_input_grad[0] else None
        grad_weight = grad.t().mm(x) if ctx.needs_input_grad[1] else None
        grad_bias = grad.sum(0) if bias is not None and ctx.needs_input_grad[2] else None
        return grad_x, grad_weight, grad_bias


class StraightThrough(ag.Function):
    @staticmethod
    def forward(ctx, x, threshold):
        return (x > threshold).double()

    @staticmethod
    def backward(ctx, grad):
        return grad.clamp(-1, 1), None


class SumAndDifference(ag.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a + b, a - b

    @staticmethod
    def backward(ctx, of_sum, of_difference):
        return of_sum + of_difference, of_sum - of_difference


@pytest.mark.parametrize("function", [Cube, Exp])
def test_gradients_of_two_orders(function):
    x = ag.tensor(X)
    assert ag.gradcheck(function.apply, x)
    assert ag.gradgradcheck(function.apply, x)


@pytest.mark.parametrize("bias", [True, False])
def test_setup_context_and_arguments_that_are_not_tensors(bias):
    rng = np.random.default_rng(1)
    arguments = [ag.tensor(X), ag.tensor(rng.standard_normal((4, 3)))] + [ag.tensor(rng.standard_normal(4))] * bias
    call = Linear.apply if bias else (lambda x, weight: Linear.apply(x, weight, None))
    assert ag.gradcheck(call, tuple(arguments))
    assert ag.gradgradcheck(call, tuple(arguments))


def test_only_what_is_wanted_is_computed():
    weight = ag.tensor(np.ones((4, 3)), requires_grad=True)
    Linear.apply(ag.tensor(X), weight, None).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), np.tile(X.sum(0), (4, 1)))


def test_a_straight_through_estimator():
    x = ag.tensor(X, requires_grad=True)
    y = StraightThrough.apply(x, 0.0)
    np.testing.assert_array_equal(y.detach().numpy(), X > 0)
    (5 * y).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.ones((2, 3)))


def test_several_outputs_of_which_one_is_used():
    assert ag.gradcheck(SumAndDifference.apply, (ag.tensor(X), ag.tensor(X * 2)))
    a, b = ag.tensor(X, requires_grad=True), ag.tensor(X, requires_grad=True)
    SumAndDifference.apply(a, b)[1].sum().backward()
    np.testing.assert_array_equal(b.grad.numpy(), -np.ones((2, 3)))


def test_an_input_that_is_returned_is_copied():
    class Same(ag.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, grad):
            return -grad

    x = ag.tensor(X, requires_grad=True)
    y = Same.apply(x)
    assert not np.shares_memory(y._data, x._data)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), -np.ones((2, 3)))


def test_mistakes():
    class Few(ag.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, grad):
            return grad

    class Array(ag.Function):
        @staticmethod
        def forward(ctx, x):
            return x.numpy()

    x = ag.tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="Few.backward: expected 2 gradients, got 1"):
        Few.apply(x, x).sum().backward()
    with pytest.raises(TypeError, match="Array.forward: expected a Tensor or a tuple of them, got ndarray"):
        Array.apply(x)
    with pytest.raises(TypeError, match="Cube.apply: expected a Tensor among the arguments, got none"):
        Cube.apply(1.0)
    for call in (ag.Function.forward, lambda: ag.Function.backward(None), lambda: ag.Function.setup_context(None, (), None)):
        with pytest.raises(NotImplementedError, match="Function: expected a"):
            call()


def test_nothing_is_left_behind():
    gc.collect()
    gc.disable()
    try:
        x = ag.tensor(X, requires_grad=True)
        y = Cube.apply(x)
        seen = weakref.ref(y)
        y.sum().backward()
        del y
        assert seen() is None
    finally:
        gc.enable()


def test_the_numbers_are_pytorchs():
    torch = pytest.importorskip("torch")

    def program(torch, x):
        class Clip(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, low):
                ctx.low = low
                ctx.save_for_backward(x)
                return x.clamp(min=low)

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                grad_x = grad.clone()
                grad_x[x < ctx.low] = 0
                return grad_x, None

        (Clip.apply(x, 0.1) ** 2).sum().backward()
        return x.grad.numpy()

    ours = program(ag, ag.tensor(X, requires_grad=True))
    np.testing.assert_allclose(ours, program(torch, torch.tensor(X, requires_grad=True)), rtol=1e-14)
