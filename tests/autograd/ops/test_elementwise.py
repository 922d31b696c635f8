"""Elementwise functions at their awkward points, and the promotion of dtypes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.backward import backpropagate
from autograd.primitive import constant

INF, NAN = math.inf, math.nan


def leaf(values: Any, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.asarray(values, dtype), requires_grad=True)


def gradients(function: Callable[..., Tensor], *values: Any, g: Any = None) -> list[Any]:
    """The output's values and the gradient with respect to each argument."""
    leaves = [leaf(value) for value in values]
    y = function(*leaves)
    y.backward(np.ones(y.shape) if g is None else np.asarray(g, np.float64))
    return [y.detach().numpy(), *(None if x.grad is None else x.grad.numpy() for x in leaves)]


def second(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """The second derivative at a number."""
    x = leaf(value)
    assert x.node is not None
    y = function(x)
    (first,) = backpropagate([y.node], [constant(np.ones(y.shape))], [x.node], create_graph=True).values()
    found = backpropagate([first.node], [np.ones(first.shape)], [x.node]) if first.requires_grad else {}
    return found.get(x.node, np.zeros(x.shape))


def equal(actual: Any, expected: Any) -> None:
    np.testing.assert_array_equal(actual, expected)


# ------------------------------------------------------------------------------------------------ dtypes


def test_hard_case_019_scalars() -> None:
    x = leaf([1.0, 2.0], np.float32)
    for y in (x * 2.5, 2.5 * x, x + 1, 1 - x, x / 3, 3 / x, x**2, x**0.5, 2**x, 2.5**x):
        assert y.dtype == np.float32
    y = np.float64(2) * x  # NumPy's rule: its own scalars are not weak
    assert isinstance(y, Tensor)
    assert y.dtype == np.float64
    y.backward(np.ones(2))
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    equal(x.grad.numpy(), [2, 2])


def test_hard_case_020_mixed_floats() -> None:
    x, y = leaf([1.0, 2.0], np.float32), leaf([3.0, 4.0], np.float64)
    z = x * y
    assert z.dtype == np.float64
    z.backward(np.ones(2))
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64


@pytest.mark.parametrize("first", ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("second_dtype", ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("function", [np.add, np.multiply, np.divide, np.maximum, np.hypot, np.logaddexp, np.arctan2])
def test_hard_case_021_promotion_is_numpys(function: Any, first: str, second_dtype: str) -> None:
    a, b = np.ones(2, first), np.ones((), second_dtype)
    with np.errstate(all="ignore"):
        expected = function(a, b)
    x = Tensor(a, requires_grad=a.dtype.kind == "f")
    y = Tensor(b, requires_grad=b.dtype.kind == "f")
    z = function(x, y)
    assert z.dtype == expected.dtype
    assert z.shape == expected.shape
    if z.requires_grad:
        z.backward(np.ones(2))
    for tensor in (x, y):
        if tensor.requires_grad:
            assert tensor.grad is not None
            assert (tensor.grad.dtype, tensor.grad.shape) == (tensor.dtype, tensor.shape)


def test_hard_case_022_integers() -> None:
    three = Tensor(np.array([3, 4]))
    quotient = three / Tensor(np.array([2, 2]))
    assert quotient.dtype == np.float64
    equal(quotient.numpy(), [1.5, 2.0])
    with pytest.raises(TypeError, match="subtract"):
        Tensor(np.array([True])) - Tensor(np.array([False]))
    with pytest.raises(ValueError, match=r"[Ii]ntegers to negative integer powers"):
        three**-1


def test_hard_case_027_numpy_set_to_raise() -> None:
    former = np.seterr(all="raise")
    try:
        y, g = gradients(ag.sigmoid, [-1e4, 1e4])
        equal(y, [0, 1])
        equal(g, [0, 0])
        for function in (ag.exp, ag.softplus, ag.silu, ag.gelu, ag.mish, ag.elu, ag.tanh, ag.logsigmoid, ag.erfc, ag.log):
            gradients(function, [1e4, 1.0, 0.0])
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")
    finally:
        np.seterr(**former)


def test_hard_case_028_no_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, g = gradients(lambda x: x**3, [-2.0, 0.0])  # no log(-2) for an exponent without gradient
        equal(g, [12, 0])
        gradients(lambda x: ag.power(x, Tensor(np.array([2.0, 3.0]))), [-2.0, 0.0])
        gradients(ag.log, [0.0, -1.0])
        gradients(ag.sqrt, [0.0, -1.0])
        gradients(lambda x: 1 / x, [0.0])


def test_shapes_that_do_not_broadcast() -> None:
    x = leaf(np.ones((2, 3)))
    for function in (np.add, np.multiply, np.hypot, np.maximum):
        for other in (np.ones(2), leaf(np.ones(2))):
            with pytest.raises(
                ValueError, match=rf"{function.__name__}: expected shapes that broadcast, got \(2, 3\) and \(2,\)"
            ):
                function(x, other)
    with pytest.raises(ValueError, match=r"where: expected shapes that broadcast, got \(2,\) and \(2, 3\) and \(\)"):
        ag.where(np.array([True, False]), x, 0.0)


# ------------------------------------------------------------------------------------------------ arithmetic


def test_hard_case_036_python_operators() -> None:
    y, gx, gd = gradients(lambda x, d: x % d, [-5.5], [2.0])
    equal([*y, *gx, *gd], [0.5, 1, 3])
    y, gx = gradients(lambda x: -x % 3.0, [5.5])
    equal([*y, *gx], [np.remainder(-5.5, 3.0), -1])
    for function in (round, ag.floor, ag.sign, ag.ceil, ag.trunc, lambda x: x // 2, lambda x: 7 // x):
        _, g = gradients(function, [-2.5, 1.7])
        equal(g, [0, 0])
    quotient, rest = divmod(leaf([-5.5]), 2)
    equal([quotient.item(), rest.item()], divmod(-5.5, 2))
    quotient, rest = divmod(-5.5, leaf([2.0]))
    equal([quotient.item(), rest.item()], divmod(-5.5, 2))
    assert round(leaf(2.567), 1).item() == 2.6
    assert [math.floor(leaf(1.5)), math.ceil(leaf(1.5)), math.trunc(leaf(-1.5))] == [1, 2, -1]


def test_hard_case_046_sqrt_at_0() -> None:
    y, g = gradients(ag.sqrt, [0.0])
    equal([*y, *g], [0, INF])
    _, g = gradients(lambda x: ag.sqrt(x * x), [0.0])
    equal(g, [NAN])


def test_hard_case_047_log_at_0() -> None:
    y, g = gradients(ag.log, [0.0, -1.0])
    equal(y, [-INF, NAN])
    equal(g, [INF, -1])


def test_hard_case_048_0_to_the_0() -> None:
    y, base, exponent = gradients(ag.power, [0.0], [0.0])
    equal([*y, *base, *exponent], [1, 0, 0])


def test_hard_case_049_powers_of_0() -> None:
    y, base, exponent = gradients(ag.power, [0.0, 0.0, 0.0], [2.0, 0.5, -1.0])
    equal(y, [0, 0, INF])
    equal(base, [0, INF, -INF])
    equal(exponent, [0, 0, -INF])


def test_hard_case_050_negative_base() -> None:
    y, base, exponent = gradients(ag.power, [-2.0], [2.0])
    equal([*y, *base, *exponent], [4, -4, NAN])
    for p in (2, 2.0, 3, -1, 0, 1):
        y, g = gradients(lambda x, p=p: x**p, [-2.0])
        assert np.isfinite(y).all()
        assert np.isfinite(g).all()
        assert np.isfinite(second(lambda x, p=p: x**p, [-2.0])).all()


def test_hard_case_051_integer_exponents_at_0() -> None:
    for p, first, curvature in ((0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 0, 0)):
        for exponent in (p, float(p), Tensor(np.array(p)), Tensor(np.array(float(p)))):
            _, g = gradients(lambda x, e=exponent: x**e, 0.0)
            equal(g, first)
            equal(second(lambda x, e=exponent: x**e, 0.0), curvature)


def test_hard_case_052_base_0() -> None:
    y, g = gradients(lambda x: 0**x, [0.0, 1.0, 2.0])
    equal(y, [1, 0, 0])
    equal(g, [0, 0, 0])
    _, g = gradients(lambda x: 0.0**x, [0.0, 1.0, 2.0])
    equal(g, [0, 0, 0])


def test_power_with_unsigned_exponents() -> None:
    _, g = gradients(lambda x: x ** Tensor(np.array([0, 1, 2], np.uint8)), [300.0, 300.0, 300.0])
    equal(g, [0, 1, 600])
    _, g = gradients(lambda x: x ** Tensor(np.array([False, True])), [0.0, 5.0])
    equal(g, [0, 1])


def test_power_mixed_second_derivative() -> None:
    """d²(x^y)/dxdy = x^(y-1) (1 + y log x), at y = 0 too, where the factor y must not be dropped."""
    x, y = leaf([0.5, 2.0, 3.0]), leaf([0.0, 0.0, 2.0])
    assert x.node is not None
    assert y.node is not None
    z = x**y
    (gx,) = backpropagate([z.node], [constant(np.ones(3))], [x.node], create_graph=True).values()
    mixed = backpropagate([gx.node], [np.ones(3)], [y.node])[y.node]
    np.testing.assert_allclose(mixed, [2.0, 0.5, 3 * (1 + 2 * math.log(3))], rtol=1e-14)


def test_hard_case_055_sqrt_times_0() -> None:
    _, g = gradients(lambda x: ag.sqrt(x) * 0.0, [0.0])
    equal(g, [NAN])


# ------------------------------------------------------------------------------------------------ transcendental


def test_hard_case_061_sinc_at_0() -> None:
    y, g = gradients(ag.sinc, 0.0)
    equal([y, g], [1, 0])
    np.testing.assert_allclose(second(ag.sinc, 0.0), -(math.pi**2) / 3, rtol=1e-15)


def test_hard_case_062_origin() -> None:
    for function in (ag.arctan2, ag.hypot):
        y, a, b = gradients(function, [0.0], [0.0])
        equal([*y, *a, *b], [0, 0, 0])
    _, a, b = gradients(ag.hypot, [3e200], [4e200])  # no overflow on the way
    np.testing.assert_allclose([*a, *b], [0.6, 0.8], rtol=1e-15)
    _, a, b = gradients(ag.arctan2, [3e-200], [4e-200])
    np.testing.assert_allclose([*a, *b], [0.16e200, -0.12e200], rtol=1e-14)


def test_hard_case_064_ends_of_the_domain() -> None:
    equal(gradients(ag.arcsin, [1.0, -1.0])[1], [INF, INF])
    equal(gradients(ag.arccos, [1.0])[1], [-INF])
    equal(gradients(ag.arccosh, [1.0])[1], [INF])
    equal(gradients(ag.arctanh, [1.0, -1.0])[1], [INF, INF])


def test_hard_case_069_logaddexp() -> None:
    y, a, b = gradients(ag.logaddexp, [0.0, -INF, INF, INF, -INF], [1e4, -INF, INF, 0.0, 3.0])
    equal(y, [1e4, -INF, INF, INF, 3])
    equal(a, [0, 0.5, 0.5, 1, 0])
    equal(b, [1, 0.5, 0.5, 0, 1])
    _, a, b = gradients(ag.logaddexp2, [-INF, 1.0], [-INF, 1.0])
    equal([*a, *b], [0.5] * 4)


def test_large_arguments_do_not_overflow() -> None:
    np.testing.assert_allclose(gradients(ag.arcsinh, [1e200])[1], [1e-200], rtol=1e-15)
    np.testing.assert_allclose(gradients(ag.arccosh, [1e200])[1], [1e-200], rtol=1e-15)


def test_numpy_reaches_them() -> None:
    x = leaf([0.3, 0.7])
    names = (
        "sin cos tan arcsin exp log sqrt cbrt square abs fabs negative positive sign floor ceil trunc rint sinc degrees "
        "deg2rad rad2deg radians reciprocal exp2 expm1 round around nan_to_num"
    )
    for name in names.split():
        y = getattr(np, name)(x)
        assert isinstance(y, Tensor), name
        assert y.requires_grad, name
        equal(y.detach().numpy(), getattr(np, name)(x.detach().numpy()))
    with pytest.raises(TypeError, match=r"np\.nextafter: has no derivative here"):
        np.nextafter(x, x)
    with pytest.raises(TypeError, match=r"np\.spacing: has no derivative here"):
        np.spacing(x)


def test_methods_have_pytorchs_names() -> None:
    x, y = leaf([0.3, -0.7]), np.array([2.0, 4.0])
    equal(x.add(y, alpha=2).detach().numpy(), [4.3, 7.3])
    equal(x.sub(y, alpha=2).detach().numpy(), [-3.7, -8.7])
    equal(x.div(0.2, rounding_mode="trunc").detach().numpy(), [1, -3])
    equal(x.div(0.2, rounding_mode="floor").detach().numpy(), [1, -4])
    equal(x.clamp(max=0.0).detach().numpy(), [0, -0.7])
    equal(x.clamp_min(0.0).detach().numpy(), [0.3, 0])
    equal(x.where(np.array([True, False]), y).detach().numpy(), [0.3, 4])
    for name in ("asin", "acos", "atan", "sinh", "rsqrt", "sgn", "frac", "deg2rad", "erf", "lgamma", "sigmoid", "relu"):
        equal(getattr(x, name)().detach().numpy(), getattr(ag, name)(x).detach().numpy())
    with pytest.raises(ValueError, match="div: expected rounding_mode None, 'trunc' or 'floor', got 'up'"):
        x.div(2, rounding_mode="up")


def test_methods_in_place() -> None:
    x = leaf([0.5, -0.5])
    y = x * 2
    assert y.exp_() is y
    y.mul_(3).clamp_(max=4.0)
    y.backward(np.ones(2))
    assert x.grad is not None
    equal(y.detach().numpy(), [4.0, 3 * np.exp(-1.0)])
    np.testing.assert_allclose(x.grad.numpy(), [0, 6 * np.exp(-1.0)], rtol=1e-15)
    z = Tensor(np.array([1.0, 4.0]))
    equal(z.sqrt_().add_(1, alpha=2).numpy(), [3, 4])
    with pytest.raises(RuntimeError, match="exp_: a leaf that requires grad cannot be changed in place"):
        x.exp_()
