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
        (
            lambda: ag.vjp(ag.sin, point(2))[1](point(2), point(2)),
            ValueError,
            "vjp: expected 1 cotangents, one per output, got 2",
        ),
        (lambda: ag.hvp(cubic, point(2), point(3)), ValueError, "vector 0 in the shape of its primal"),
        (lambda: ag.vjp(ag.sin, point(2))[1](point(3)), ValueError, r"expected a gradient of shape \(2,\)"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_auxiliary_output_is_plain_unless_something_outside_is_tracked():
    function = lambda x: (cubic(x), {"all": [x * 3.0, "more"]})
    (_, aux), _ = ag.value_and_grad(function, has_aux=True)(point(2))
    assert not aux["all"][0].requires_grad
    x = point(2).requires_grad_()
    (_, aux), _ = ag.value_and_grad(function, has_aux=True)(x)
    assert ag.grad(aux["all"][0].sum(), x)[0].tolist() == [3.0, 3.0]


def test_hvp_keeps_the_graph_of_what_the_function_closes_over():
    w = Tensor([2.0, 3.0], requires_grad=True)
    value, product = ag.hvp(lambda x: (x * x * w).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    assert ag.grad(value, w)[0].tolist() == [1.0, 4.0]
    assert ag.grad(product.sum(), w)[0].tolist() == [2.0, 2.0]


def test_three_nested_derivatives_of_different_variables():
    derivative = ag.elementwise_grad
    inner = lambda x: x * derivative(lambda y: y * derivative(lambda z: x * y * z * z)(y))(x)  # 6 x^4
    assert derivative(inner)(Tensor(1.3, dtype="f8")).item() == pytest.approx(24 * 1.3**3, rel=1e-12)


def test_vjp_of_jvp_and_jvp_of_vjp():
    function, x, v, ones = (lambda t: ag.sin(t) * t), point(2), point(2), Tensor(np.ones(2))
    second = (2 * np.cos(x._data) - x._data * np.sin(x._data)) * v._data
    _, pull = ag.vjp(lambda t: ag.jvp(function, (t,), (v,))[1], x)
    np.testing.assert_allclose(pull(ones)[0]._data, second, rtol=1e-12)
    np.testing.assert_allclose(ag.jvp(lambda t: ag.vjp(function, t)[1](v)[0], (x,), (ones,))[1]._data, second, rtol=1e-12)


def test_gradients_with_respect_to_tangents_and_cotangents():
    x, v = point(2), point(2).requires_grad_()
    for result in (ag.jvp(ag.sin, (x,), (v,))[1], ag.vjp(ag.sin, x)[1](v)[0]):
        np.testing.assert_allclose(ag.grad(result.sum(), v)[0]._data, np.cos(x._data))


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


@pytest.mark.parametrize("create_graph", [False, True])
def test_hard_case_094_gradients_share_no_memory_with_each_other_or_the_seed(create_graph):
    x, y, seed = point(2).requires_grad_(), point(2).requires_grad_(), point(2)
    arrays = [g._data for g in ag.grad(x + y, (x, y, x), seed, create_graph=create_graph)]
    (x + y).backward(seed, create_graph=create_graph)
    arrays += [x.grad._data, y.grad._data, seed._data]
    for i, one in enumerate(arrays):
        assert not any(np.shares_memory(one, two) for two in arrays[i + 1 :])


@pytest.mark.parametrize("create_graph", [False, True])
def test_only_the_way_to_the_inputs_is_computed_and_freed(create_graph):
    calls = []

    def rule(name):
        def cotangent(g, _y, _a, _b):
            calls.append(name)
            return g

        return cotangent

    add = ag.primitive(lambda a, b: a + b, rule("a"), rule("b"), name="add_here")
    x, w = point(2).requires_grad_(), point(2).requires_grad_()
    y = add(x, w)
    z = add(y * y, w)
    ag.grad(z.sum(), y, create_graph=create_graph)
    assert calls == ["a"]
    ag.grad(y.sum(), x, create_graph=create_graph)  # what lies beyond y was not used up
    assert calls == ["a", "a"]


@pytest.mark.parametrize("order", [1, 2])
def test_some_arguments_of_ops_with_a_joint_rule_only(order):
    x, w, b = point(3, 2).requires_grad_(), point(4, 2).requires_grad_(), point(4).requires_grad_()
    outputs = (
        ag.sin(ag.linear(x, w, b)), ag.sin(ag.concatenate([x, w])), ag.sin(ag.layer_norm(x, 2)),
        ag.cross_entropy(ag.linear(x, w, b), np.array([0, 3, 1])),
    )  # fmt: skip
    for output in outputs:
        loss = (output * output).sum()
        (together, *_) = ag.grad(loss, (x, w, b), create_graph=True, allow_unused=True)
        (alone,) = ag.grad(loss, x, create_graph=order == 2, retain_graph=True)
        np.testing.assert_allclose(alone._data, together._data, rtol=1e-10)
        if order == 2:
            one, two = (ag.grad((g * g).sum(), (x, w), allow_unused=True, retain_graph=True) for g in (alone, together))
            for a, c in zip(one, two, strict=True):
                assert (a is None) == (c is None)
                if a is not None:
                    np.testing.assert_allclose(a._data, c._data, rtol=1e-8)


def test_only_inputs_is_accepted_as_programs_write_it():
    x = ag.tensor(3.0, requires_grad=True)
    assert ag.grad(x * x, x, only_inputs=True)[0].item() == 6.0
    with pytest.raises(ValueError, match="grad: expected only_inputs=True"):
        ag.grad(x * x, x, only_inputs=False)
