"""The functional transforms: against formulas, against each other, nested, and with what surrounds them."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

RNG = np.random.default_rng(0)


def point(*shape) -> Tensor:
    return Tensor(RNG.normal(size=shape))


def cubic(x):
    return (x**3).sum()


def test_value_and_grad_of_several_arguments():
    x, y = point(3), point(3)
    value, (gx, gy) = ag.value_and_grad(lambda a, b: (a * a * b).sum(), (0, 1))(x, y)
    assert value.item() == pytest.approx(np.sum(x._data**2 * y._data))
    np.testing.assert_allclose(gx._data, 2 * x._data * y._data)
    np.testing.assert_allclose(gy._data, x._data**2)
    assert not value.requires_grad
    assert not gx.requires_grad


def test_value_and_grad_with_auxiliary_output():
    (value, aux), g = ag.value_and_grad(lambda x: (cubic(x), "more"), has_aux=True)(point(2))
    assert aux == "more"
    assert g.shape == (2,)
    assert value.shape == ()


def test_vjp_can_be_pulled_again():
    x = point(3)
    output, pull = ag.vjp(ag.sin, x)
    np.testing.assert_allclose(output._data, np.sin(x._data))
    for seed in (point(3), point(3)):
        np.testing.assert_allclose(pull(seed)[0]._data, np.cos(x._data) * seed._data)


def test_jvp_is_the_directional_derivative():
    x, v = point(2, 3), point(2, 3)
    value, tangent = ag.jvp(lambda t: ag.tanh(t).sum(axis=0), (x,), (v,))
    assert value.shape == tangent.shape == (3,)
    np.testing.assert_allclose(tangent._data, ((1 - np.tanh(x._data) ** 2) * v._data).sum(axis=0))


def test_jvp_and_vjp_are_adjoint():
    x, v, u = point(4), point(4), point(2)
    weight = point(2, 4)

    def function(t):
        return weight @ ag.exp(t)

    _, tangent = ag.jvp(function, (x,), (v,))
    _, pull = ag.vjp(function, x)
    assert np.dot(u._data, tangent._data) == pytest.approx(np.dot(pull(u)[0]._data, v._data), rel=1e-12)


def test_jacobian_has_the_shape_of_output_then_input():
    x = point(2, 3)
    weight = point(4, 2)
    j = ag.jacobian(lambda t: weight @ t)(x)
    assert j.shape == (4, 3, 2, 3)
    np.testing.assert_allclose(j._data, np.einsum("ik,jl->ijkl", weight._data, np.eye(3)))


def test_hessian_is_symmetric_and_agrees_with_hvp():
    x, v = point(3), point(3)

    def function(t):
        return (ag.sin(t) * t[0] * ag.exp(t[1])).sum()

    h = ag.hessian(function)(x)
    np.testing.assert_allclose(h._data, h._data.T, atol=1e-13)
    value, product = ag.hvp(function, x, v)
    assert value.item() == pytest.approx(function(x).item())
    np.testing.assert_allclose(product._data, h._data @ v._data, rtol=1e-12)


def test_hvp_of_several_arguments():
    a, b, u, v = point(2), point(3), point(2), point(3)
    _, products = ag.hvp(lambda s, t: (s.sum() * t * t).sum(), (a, b), (u, v))
    np.testing.assert_allclose(products[0]._data, np.full(2, 2 * np.dot(b._data, v._data)))
    np.testing.assert_allclose(products[1]._data, 2 * b._data * u._data.sum() + 2 * a._data.sum() * v._data)


def test_third_order_in_every_combination():
    x = point(2)
    expected = np.zeros((2, 2, 2))
    expected[[0, 1], [0, 1], [0, 1]] = 6.0
    np.testing.assert_allclose(ag.jacobian(ag.hessian(cubic))(x)._data, expected)
    np.testing.assert_allclose(ag.hessian(lambda t: ag.elementwise_grad(lambda s: s**3)(t).sum())(x)._data, np.eye(2) * 6)
    ones = Tensor(np.ones(2))
    first = lambda t: ag.jvp(lambda s: s**4, (t,), (ones,))[1]
    second = lambda t: ag.jvp(first, (t,), (ones,))[1]
    third = ag.jvp(second, (x,), (ones,))[1]
    np.testing.assert_allclose(third._data, 24 * x._data, rtol=1e-12)


@pytest.mark.parametrize("value", [0.3, -1.2])
def test_hard_case_126_third_derivative_of_a_nested_sine(value):
    function = lambda x: ag.sin(ag.sin(x) + ag.sin(x))
    third = ag.elementwise_grad(ag.elementwise_grad(ag.elementwise_grad(function)))
    second = ag.elementwise_grad(ag.elementwise_grad(function))
    step = 1e-4
    numeric = (second(Tensor(value + step, dtype="f8")).item() - second(Tensor(value - step, dtype="f8")).item()) / (2 * step)
    assert third(Tensor(value, dtype="f8")).item() == pytest.approx(numeric, rel=1e-5)


def test_inner_and_outer_variables_are_not_confused():
    derivative = ag.elementwise_grad
    one = Tensor(1.0, dtype="f8")
    assert derivative(lambda x: x * derivative(lambda y: x + y)(one))(one).item() == 1.0
    assert derivative(lambda x: x * derivative(lambda y: x * y)(one))(one).item() == 2.0


def test_closures_over_tracked_tensors_keep_a_graph():
    w = Tensor([2.0, 3.0], requires_grad=True)
    value, g = ag.value_and_grad(lambda x: (x * x * w).sum())(Tensor([1.0, -1.0]))
    assert g.requires_grad
    assert ag.grad(g.sum(), w)[0].tolist() == [2.0, -2.0]
    with ag.no_grad():
        _, g = ag.value_and_grad(lambda x: (x * x * w).sum())(Tensor([1.0, -1.0]))
    assert not g.requires_grad
    assert value.requires_grad


def test_gradients_flow_through_a_transform_to_its_argument():
    x = Tensor([0.5, 2.0], dtype="f8", requires_grad=True)
    _, g = ag.value_and_grad(cubic)(x)
    g.sum().backward()
    np.testing.assert_allclose(x.grad._data, 6 * x._data)


def test_transforms_leave_grad_alone_and_restore_the_mode():
    w = Tensor([2.0], requires_grad=True)
    ag.value_and_grad(lambda x: (x * w).sum())(Tensor([1.0]))
    assert w.grad is None

    def failing(x):
        raise RuntimeError("inside")

    with ag.no_grad():
        with pytest.raises(RuntimeError, match="inside"):
            ag.value_and_grad(failing)(Tensor([1.0]))
        assert not ag.is_grad_enabled()
    assert ag.is_grad_enabled()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ag.value_and_grad(lambda x: x * 2)(point(2)),
            ValueError,
            r"expected the function to return one scalar, got shape \(2,\)",
        ),
        (lambda: ag.value_and_grad(cubic, 3)(point(2)), ValueError, "expected argnums below 1, got 3"),
        (lambda: ag.value_and_grad(cubic)(Tensor([1, 2])), TypeError, "expected a floating argument"),
        (lambda: ag.value_and_grad(lambda x: 3.0)(point(2)), TypeError, "expected the function to return Tensors, got float"),
        (lambda: ag.jvp(cubic, (point(2),), ()), ValueError, "as many tangents as primals"),
        (lambda: ag.jvp(cubic, (point(2),), (point(3),)), ValueError, r"tangent 0 of shape \(2,\), got \(3,\)"),
        (lambda: ag.hvp(cubic, point(2), point(3)), ValueError, "vector 0 in the shape of its primal"),
        (lambda: ag.vjp(ag.sin, point(2))[1](point(3)), ValueError, r"expected a gradient of shape \(2,\)"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ------------------------------------------------------------------------------------------------ checkpoint


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


def test_checkpoint_saves_nothing_of_its_inside():
    x = Tensor(np.ones(1000), requires_grad=True)
    calls = []

    def function(h):
        calls.append(1)
        for _ in range(5):
            h = ag.sin(h)
        return h

    y = ag.checkpoint(function, x)
    assert len(calls) == 1
    assert all(saved is None or not isinstance(saved, np.ndarray) for saved in y.node.parents[0].saved)
    y.sum().backward()
    assert len(calls) == 2


def test_checkpoint_under_no_grad_is_a_plain_call():
    x = Tensor([1.0], requires_grad=True)
    with ag.no_grad():
        assert not ag.checkpoint(ag.sin, x).requires_grad


# ------------------------------------------------------------------------------------------------ grad


def test_hard_case_101_unused_inputs():
    x, z = Tensor([1.0], requires_grad=True), Tensor([[2.0]], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"input 1 was not used .* allow_unused=True"):
        ag.grad((x * 2).sum(), (x, z))
    assert ag.grad((x * 2).sum(), (x, z), allow_unused=True)[1] is None
    assert ag.grad((x * 2).sum(), (x, z), materialize_grads=True)[1].tolist() == [[0.0]]


def test_hard_case_102_inner_tensors_the_output_itself_and_one_input_twice():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = x * x
    loss = (y * 3.0).sum()
    assert ag.grad(loss, y, retain_graph=True)[0].tolist() == [3.0, 3.0]
    assert ag.grad(loss, loss, retain_graph=True)[0].item() == 1.0
    one, two = ag.grad(loss, (x, x))
    assert one.tolist() == two.tolist() == [12.0, 18.0]
    assert not np.shares_memory(one._data, two._data)


def test_hard_case_103_no_second_gradient_without_create_graph():
    x = Tensor([2.0], requires_grad=True)
    (g,) = ag.grad((x**3).sum(), x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        ag.grad(g.sum(), x)
