"""Checkpoints: the same gradients to any order, whatever the function reads and returns."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.random import default_generator


def leaf(*values) -> Tensor:
    return Tensor(values, dtype="f8", requires_grad=True)


def plain(function, *inputs):
    return function(*inputs)


def block(w):
    return lambda h: ag.tanh(h * w) * ag.rand(2, dtype="f8")


@pytest.mark.parametrize("order", [1, 2])
def test_checkpoint_gives_the_same_gradients(order):
    results = []
    for use in (ag.checkpoint, lambda function, *inputs: function(*inputs)):
        ag.manual_seed(3)
        x = Tensor([0.5, 1.5], dtype="f8", requires_grad=True)
        w = Tensor([2.0, 3.0], dtype="f8", requires_grad=True)
        y = use(block(w), use(block(w), x))
        gradients = ag.grad((y * y).sum(), (x, w), create_graph=order == 2)
        if order == 2:
            gradients = ag.grad(gradients[0].sum() + gradients[1].sum(), (x, w))
        results.append(gradients)
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one._data, two._data, rtol=1e-12)


def test_checkpoint_reaches_captured_parameters_in_backward():
    x, w = Tensor([0.5, 1.5], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
    ag.checkpoint(lambda h: (h * w).sum(), x).backward()
    assert x.grad.tolist() == [2.0, 3.0]
    assert w.grad.tolist() == [0.5, 1.5]


def test_checkpoint_saves_its_arguments_only():
    x = Tensor(np.ones(1000), requires_grad=True)
    calls = []

    def function(h):
        calls.append(1)
        for _ in range(5):
            h = ag.sin(h)
        return h

    y = ag.checkpoint(function, x)
    assert len(calls) == 1
    assert all(saved is None or saved is x._data for saved in y.node.parents[0].saved)
    y.sum().backward()
    assert len(calls) == 2


def test_checkpoint_under_no_grad_is_a_plain_call():
    x = Tensor([1.0], requires_grad=True)
    with ag.no_grad():
        assert not ag.checkpoint(ag.sin, x).requires_grad


def nested(use, x, w):
    u = w * w
    inner = lambda h: ag.sin(h * u)
    return use(lambda h: use(inner, h * w) + u, x)


def several(use, x, w):
    u = w * 2.0
    a, b, c = use(lambda h: (h * u, u, h), x)
    return a * a + b * x + c * c


FUNCTIONS = {
    "nested": nested,
    "outputs from outside": several,
    "nothing tracked goes in": lambda use, x, w: use(lambda h: h * w * x, Tensor([1.0, 2.0])),
    "one input twice": lambda use, x, w: use(lambda a, b: a * b * w, x, x),
    "captured in front too": lambda use, x, w: use(lambda h: h * w, w * x),
    "chained": lambda use, x, w: use(lambda h: ag.sin(h * w), use(lambda h: ag.tanh(h * w), x)),
    "a view": lambda use, x, w: use(lambda h: (h * w)[::-1], x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_three_orders_are_those_of_a_plain_call(name):
    results = []
    for use in (ag.checkpoint, plain):
        x, w = leaf(0.5, 1.5), leaf(2.0, 3.0)
        y = FUNCTIONS[name](use, x, w)
        first = ag.grad((y * y).sum(), (x, w), create_graph=True)
        second = ag.grad((first[0] * first[1]).sum(), (x, w), create_graph=True)
        (second[0].sum() + second[1].sum()).backward()
        results.append([t._data for t in (y, *first, *second, x.grad, w.grad)])
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13)


def test_inside_transforms():
    function = lambda use: lambda t: use(lambda h: ag.sin(h) * h[0], t).sum()
    x, v = Tensor([0.3, 0.7], dtype="f8"), Tensor([1.0, -1.0], dtype="f8")
    for transform in (
        lambda f: ag.hessian(f)(x),
        lambda f: ag.jacobian(f)(x), lambda f: ag.jvp(f, (x,), (v,))[1], lambda f: ag.hvp(f, x, v)[1],
    ):  # fmt: skip
        np.testing.assert_allclose(transform(function(ag.checkpoint))._data, transform(function(plain))._data, rtol=1e-13)


def test_other_results_are_passed_on():
    x = leaf(1.0, 2.0)
    constant = Tensor([1, 2])
    result = ag.checkpoint(lambda h, *, factor: (h * factor, 3, constant, x), x, use_reentrant=False, factor=2.0)
    assert result[1] == 3
    assert result[2] is constant
    assert result[3] is x
    result[0].sum().backward()
    assert x.grad.tolist() == [2, 2]
    assert ag.checkpoint(lambda h: h, x) is x


@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_was_overwritten_before_the_second_computation_is_noticed(which):
    tracked, constant, captured = leaf(1.0, 2.0), Tensor([3.0, 4.0], dtype="f8"), leaf(5.0, 6.0)
    h = tracked * 1.0
    y = ag.checkpoint(lambda a, b: a * b * captured, h, constant)
    with ag.no_grad():
        (h, constant, captured)[which].add_(1.0)
    with pytest.raises(RuntimeError, match="checkpoint: its argument .* was modified by an in-place operation"):
        y.sum().backward()


def test_a_function_that_does_something_else_the_second_time():
    calls = []

    def function(h):
        calls.append(1)
        return h * 2.0 if len(calls) == 1 else (h * 2.0).sum()

    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"expected output 0 to be a tracked Tensor of shape \(2,\) in the second call too"):
        ag.checkpoint(function, x).sum().backward()
    assert x.grad is None


def test_an_exception_in_the_second_computation_restores_mode_and_generator():
    calls = []

    def function(h):
        calls.append(1)
        noise = ag.rand(2, dtype="f8")
        if len(calls) == 2:
            raise KeyboardInterrupt
        return h * noise

    x = leaf(1.0, 2.0)
    loss = ag.checkpoint(function, x).sum()
    state = default_generator.get_state()
    with pytest.raises(KeyboardInterrupt):
        loss.backward()
    assert default_generator.get_state() == state
    assert ag.is_grad_enabled()
    assert x.grad is None


def test_a_chain_of_checkpoints_takes_linear_time_and_leaves_no_cycle():
    w = leaf(1.0)
    gc.collect()
    gc.disable()
    try:
        h = w * 1.0
        for _ in range(2000):
            h = ag.checkpoint(lambda t: t * w, h)
        h.sum().backward()
        del h
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert w.grad.item() == 2001
