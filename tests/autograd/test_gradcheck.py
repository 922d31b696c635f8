"""The checker itself: rules that are planted wrong must be caught, each with the right diagnosis, and right ones must pass."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import GradcheckError, Tensor, gradcheck, gradgradcheck
from autograd.differences import overlaps


def values(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape))


# ------------------------------------------------------------------------------------------------ planted mistakes


def test_a_wrong_sign_is_caught():
    wrong = ag.primitive(np.cos, lambda g, _y, x: g * np.sin(x), name="wrong_cos")
    with pytest.raises(
        GradcheckError, match=r"wrong_cos: argument 0, index \(\d, \d\): analytic .*\n  wrong gradient: the rule"
    ):
        gradcheck(wrong, values(2, 3))


def test_a_factor_of_1_001_is_caught_and_reported_with_its_size():
    wrong = ag.primitive(np.exp, lambda g, y, _x: 1.001 * g * y, name="wrong_exp")
    with pytest.raises(GradcheckError, match=r"relative error 0\.000999 \(tolerance 1e-06\)\n  wrong gradient"):
        gradcheck(wrong, values(3))


def test_the_report_has_the_right_numbers():
    wrong = ag.primitive(lambda x: x * x, lambda g, _y, x: g * x, name="half_square")
    x = values(4)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong, x)
    text = str(caught.value)
    analytic, numeric = (float(text.split(word)[1].split(",")[0]) for word in ("analytic ", "numeric "))
    assert numeric == pytest.approx(2 * analytic, rel=1e-8)


def test_a_missing_unbroadcast_is_caught():
    kernel = lambda x, y: x[:, None] * y[None, :]
    right = ag.primitive(
        kernel,
        lambda g, _z, _x, y: np.sum(g * np.expand_dims(y, 0), axis=1),
        lambda g, _z, x, _y: np.sum(g * np.expand_dims(x, 1), axis=0),
        name="right_outer",
    )
    x, y = values(3), values(3, seed=1)
    assert gradcheck(right, (x, y))
    assert gradgradcheck(right, (x, y))
    wrong = ag.primitive(
        kernel,
        lambda g, _z, _x, y: g * np.expand_dims(y, 0),  # (3, 3), and nothing says over which axis to add it up
        lambda g, _z, x, _y: np.sum(g * np.expand_dims(x, 1), axis=0),
        name="wrong_outer",
    )
    with pytest.raises(GradcheckError, match=r"wrong_outer: argument 0, index \(\d,\): .*\n  wrong gradient"):
        gradcheck(wrong, (x, y))
    first_row = ag.primitive(np.add, lambda g, _z, _x, _y: g, lambda g, _z, _x, _y: g[0], name="wrong_add")
    with pytest.raises(GradcheckError, match="wrong_add: argument 1, .*\n  wrong gradient"):
        gradcheck(first_row, (values(4, 3), values(3)))


def test_a_cotangent_of_the_wrong_shape_is_caught():
    wrong = ag.primitive(lambda x: np.sum(x, axis=1), lambda g, _y, _x: g, name="wrong_sum")
    with pytest.raises(GradcheckError, match=r"wrong_sum: the backward pass failed: .* shape \(2, 3\), got \(2,\)"):
        gradcheck(wrong, values(2, 3))
    assert not gradcheck(wrong, values(2, 3), raise_exception=False)


def test_a_constant_captured_at_second_order_is_caught_by_gradgradcheck_only():
    def rule(g, _y, x):
        return g * 3.0 * np.square(x.detach() if isinstance(x, Tensor) else x)

    wrong = ag.primitive(lambda x: x**3, rule, name="frozen_cube")
    x = values(3)
    assert gradcheck(wrong, x)
    with pytest.raises(
        GradcheckError, match=r"derivative of frozen_cube: argument 0, index \(\d,\): analytic 0, .*\n  wrong gradient"
    ):
        gradgradcheck(wrong, x)
    assert not gradgradcheck(wrong, x, raise_exception=False)


def test_a_mask_that_multiplies_is_caught():
    def kernel(x):
        return np.where(x > 0, np.sqrt(np.abs(x)), 0.0)

    wrong = ag.primitive(kernel, lambda g, _y, x: g * (x > 0) * 0.5 / np.sqrt(x), name="masked_root")
    right = ag.primitive(
        kernel, lambda g, _y, x: np.where(x > 0, g * 0.5 / np.sqrt(np.where(x > 0, x, 1.0)), 0.0), name="selected_root"
    )
    x = Tensor([1.0, -2.0, 3.0])  # the root of -2 is nan, and nan * 0 is nan
    assert gradcheck(right, x)
    assert gradgradcheck(right, x)
    with pytest.raises(
        GradcheckError, match=r"index \(1,\): analytic nan, numeric 0, .*\n  not finite: .* np.where instead of"
    ):
        gradcheck(wrong, x)
    infinite = ag.primitive(np.zeros_like, lambda g, _y, x: (g * 0.0) * np.exp(x * 1000.0), name="masked_exp")
    with pytest.raises(GradcheckError, match=r"masked_exp: .*analytic nan, numeric 0, .*\n.*0 \* inf is nan"):
        gradcheck(infinite, Tensor([1.0, 2.0]))


def test_swapped_rules_are_caught():
    wrong = ag.primitive(np.multiply, lambda g, _z, x, _y: g * x, lambda g, _z, _x, y: g * y, name="swapped")
    with pytest.raises(GradcheckError, match="swapped: argument . .*|swapped: argument ., index"):
        gradcheck(wrong, (values(3), values(3, seed=1)))


def test_a_forgotten_argument_is_caught():
    wrong = ag.primitive(np.multiply, lambda g, _z, _x, y: g * y, lambda _g, _z, _x, _y: None, name="forgotten")
    with pytest.raises(GradcheckError, match="forgotten: argument 1, .* analytic 0, numeric"):
        gradcheck(wrong, (values(3), values(3, seed=1)))


# ------------------------------------------------------------------------------------------------ other diagnoses


def test_a_kink_is_told_from_a_wrong_gradient():
    with pytest.raises(GradcheckError, match=r"relu: argument 0, index \(1,\): .*\n  a kink: the one-sided differences are .*"):
        gradcheck(ag.relu, Tensor([1.0, 0.0, -1.0]))


def test_a_wrong_gradient_where_the_slope_is_zero_is_not_taken_for_a_kink():
    wrong = ag.primitive(lambda x: x * x, lambda g, _y, x: g * 2.0 * x + g, name="wrong_square")
    with pytest.raises(GradcheckError, match="wrong gradient"):
        gradcheck(wrong, Tensor([0.0]))


@pytest.mark.parametrize("distance", [2e-4, 4e-4, 9e-4])
def test_a_kink_within_the_step_does_no_harm(distance):
    assert gradcheck(ag.relu, Tensor([distance, -distance]))
    wrong = ag.primitive(lambda x: np.maximum(x, 0.0), lambda g, _y, x: np.where(x > 0, 1.01 * g, 0.0), name="wrong_relu")
    with pytest.raises(GradcheckError):
        gradcheck(wrong, Tensor([distance]))


def test_a_pole_nearby_does_no_harm():
    assert gradcheck(ag.log, Tensor(np.array([0.004, 1.0, 900.0])))
    assert gradgradcheck(ag.reciprocal, Tensor(np.array([0.02, 3.0])))


def test_a_function_without_values_around_the_point_is_said_to_be_so():
    with pytest.raises(GradcheckError, match="sqrt: argument 0, .*\n  not finite: the function has no finite values"):
        gradcheck(ag.sqrt, Tensor([0.0, 1.0]))


def test_overlapping_memory_is_refused():
    row = np.ones(3)
    for shared in (np.broadcast_to(row, (2, 3)), np.lib.stride_tricks.sliding_window_view(row, 2)):
        with pytest.raises(GradcheckError, match=r"argument 1 has overlapping memory \(strides .* for shape"):
            gradcheck(lambda x, y: ag.sum(x) * y, (values(2), shared))


def test_views_that_do_not_overlap_are_taken():
    base = np.random.default_rng(0).normal(size=(4, 6))
    for view in (base.T, base[::-1, ::2], base[:, 1:2], base[:0], base[1]):
        assert not overlaps(view)
        assert gradcheck(ag.sin, view)


def test_a_function_that_is_not_deterministic_is_told_apart():
    rng = np.random.default_rng(0)
    with pytest.raises(
        GradcheckError, match="not deterministic: the values of two calls differ by .*; seed its random numbers"
    ):
        gradcheck(lambda x: x * rng.normal(), values(3))
    noisy = ag.primitive(np.sin, lambda g, _y, x: g * np.cos(x) * rng.normal(), name="noisy_sin")
    with pytest.raises(GradcheckError, match="noisy_sin: the function is not deterministic: the gradients of two calls"):
        gradcheck(noisy, values(3))


def test_failure_can_be_an_answer_instead_of_an_error():
    wrong = ag.primitive(np.sin, lambda g, _y, x: g * x, name="wrong_sin")
    assert gradcheck(wrong, values(3), raise_exception=False) is False
    frozen = ag.primitive(np.sin, lambda g, _y, x: g * np.cos(ag.Tensor(x).detach()._data), name="frozen_sin")
    assert gradgradcheck(frozen, values(3), raise_exception=False) is False
    assert gradcheck(ag.sin, values(3)) is True
    assert gradgradcheck(ag.sin, values(3)) is True


def test_the_error_is_a_runtime_error():
    assert issubclass(GradcheckError, RuntimeError)
    assert not issubclass(GradcheckError, AssertionError)


# ------------------------------------------------------------------------------------------------ what it takes


def test_large_inputs_are_checked_along_directions_and_the_wrong_element_is_found():
    def rule(g, _y, x):
        slope = np.cos(x)
        slope[17, 31] *= 1.1
        return g * slope

    wrong = ag.primitive(np.sin, rule, name="wrong_at_one_place")
    x = values(40, 50)
    assert gradcheck(ag.sin, x)
    assert gradgradcheck(ag.sin, x)
    with pytest.raises(GradcheckError, match=r"wrong_at_one_place: argument 0, index \(17, 31\): .*\n  wrong gradient"):
        gradcheck(wrong, x)


def test_a_nan_in_a_large_input_is_found():
    def rule(g, _y, x):
        slope = np.cos(x)
        slope[3, 7] = np.nan
        return g * slope

    wrong = ag.primitive(np.sin, rule, name="nan_at_one_place")
    with pytest.raises(GradcheckError, match=r"index \(3, 7\): analytic nan"):
        gradcheck(wrong, values(10, 12))


def test_inputs_are_copied_to_float64_and_left_alone():
    x = Tensor([0.1, 0.2], dtype=np.float32, requires_grad=True)
    seen = []

    def function(t):
        seen.append(t.dtype)
        return ag.exp(t)

    assert gradcheck(function, x)
    assert set(seen) == {np.dtype(np.float64)}
    assert x.tolist() == pytest.approx([0.1, 0.2])
    assert x.dtype == np.float32
    assert x.grad is None


def test_several_inputs_and_outputs_with_integers_booleans_and_numbers_between():
    def function(x, index, y, scale, mask):
        return ag.where(mask, x[index] * y, x[index]) * scale, index, ag.sum(y)

    arguments = (values(4), np.array([2, 0, 2]), values(3, seed=1), 2.5, np.array([True, False, True]))
    assert gradcheck(function, arguments)
    assert gradgradcheck(function, arguments)
    wrong = ag.primitive(np.multiply, lambda g, _z, _x, y: g * y, lambda g, _z, x, _y: -g * x, name="wrong_in_y")
    with pytest.raises(GradcheckError, match="wrong_in_y: argument 2, index"):
        gradcheck(lambda x, index, y: wrong(x, y), (values(3), np.array([1]), values(3, seed=1)))


def test_parameters_in_a_closure_are_checked_at_both_orders():
    weight = Tensor(np.random.default_rng(2).normal(size=(2, 3)), requires_grad=True)
    weight.name = "weight"
    right = lambda x: ag.tanh(x @ weight.T)
    assert gradcheck(right, values(4, 3), parameters=[weight])
    assert gradgradcheck(right, values(4, 3), parameters=[weight])
    assert weight.grad is None
    wrong = ag.primitive(np.multiply, lambda g, _z, _x, y: g * y, lambda g, _z, x, _y: 1.01 * g * x, name="wrong_weight")
    with pytest.raises(GradcheckError, match="wrong_weight: parameter 0 'weight', index"):
        gradcheck(lambda x: wrong(x, weight), values(2, 3), parameters=[weight])
    with pytest.raises(ValueError, match=r"expected parameters to be float64 leaves that require grad, got float32; .*double"):
        gradcheck(right, values(4, 3), parameters=[Tensor([1.0], requires_grad=True)])


def test_a_gradient_that_does_not_arrive_is_zero():
    assert gradcheck(lambda x, y: x * 2.0, (values(2), values(3)))
    assert gradcheck(lambda x: (x, ag.floor(x)), Tensor([0.5, 1.5]))


def test_empty_inputs_pass():
    assert gradcheck(ag.sin, values(0, 3))
    assert gradgradcheck(lambda x: ag.sum(x), values(0))


def test_nothing_to_check_is_an_error():
    with pytest.raises(ValueError, match="expected at least one floating input, got none"):
        gradcheck(lambda x: x, np.array([1, 2]))
    with pytest.raises(ValueError, match="expected the function to return floating Tensors, got none"):
        gradcheck(lambda x: x > 0, values(2))


def test_it_works_inside_no_grad():
    with ag.no_grad():
        assert gradcheck(ag.sin, values(3))
        assert gradgradcheck(ag.sin, values(3))


def test_third_order_by_checking_the_gradient_of_the_gradient():
    from autograd.differences import gradient_function

    gradient, arguments = gradient_function(lambda x: ag.sin(ag.sin(x) + ag.sin(x)), values(3))
    assert gradgradcheck(gradient, arguments)
