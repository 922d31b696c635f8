"""Clipping of gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
from optim import clip_grad_norm_, clip_grad_value_, get_total_norm


def with_gradients(*gradients, dtype=np.float64):
    params = []
    for g in gradients:
        p = nn.Parameter(np.zeros(np.shape(g), dtype))
        if g is not None:
            p.backward(np.asarray(g, dtype))
        params.append(p)
    return params


def test_hard_case_147_the_norm_is_limited():
    params = with_gradients([3.0], [[4.0]])
    assert clip_grad_norm_(params, 1.0) == 5.0
    np.testing.assert_allclose([p.grad.item() for p in params], [0.6, 0.8], rtol=1e-15)
    assert clip_grad_norm_(params, 2.0) == pytest.approx(1.0)
    np.testing.assert_allclose([p.grad.item() for p in params], [0.6, 0.8], rtol=1e-15)


def test_hard_case_147_special_gradients():
    zero = with_gradients([0.0, 0.0])
    assert clip_grad_norm_(zero, 1.0) == 0.0
    assert zero[0].grad.tolist() == [0.0, 0.0]
    large = with_gradients([1e200, 1e200])
    assert clip_grad_norm_(large, 1.0) == pytest.approx(math.sqrt(2) * 1e200)
    np.testing.assert_allclose(large[0].grad, [math.sqrt(0.5)] * 2)
    assert clip_grad_norm_(with_gradients([3e-200, 4e-200]), 1.0) == pytest.approx(5e-200)
    for bad, norm in ((math.inf, math.inf), (math.nan, math.nan)):
        params = with_gradients([1.0, bad], [2.0])
        params[0].name = "layer.weight"
        got = clip_grad_norm_(params, 1.0)
        assert got == norm or (math.isnan(got) and math.isnan(norm))
        assert params[1].grad.tolist() == [2.0]  # nothing half done
        with pytest.raises(RuntimeError, match=r"the gradient of parameter layer\.weight \(shape \(2,\)\) is not finite"):
            clip_grad_norm_(params, 1.0, error_if_nonfinite=True)


def test_hard_case_147_which_parameters():
    params = with_gradients([3.0, 4.0])
    params.append(nn.Parameter([1.0]))  # no gradient
    assert clip_grad_norm_(iter(params), 1.0) == 5.0
    assert clip_grad_norm_([], 1.0) == 0.0
    assert clip_grad_norm_(with_gradients([2.0])[0], 1.0) == 2.0
    assert clip_grad_norm_(with_gradients(np.zeros(0)), 1.0) == 0.0


def test_norms():
    gradients = [np.array([1.0, -2.0]), np.array([[3.0]])]
    assert get_total_norm(gradients, 1.0) == pytest.approx(6.0)
    assert get_total_norm(gradients, math.inf) == 3.0
    assert get_total_norm(gradients, 3.0) == pytest.approx(36 ** (1 / 3))
    assert get_total_norm([np.array([300.0, 300.0], np.float16)]) == pytest.approx(424.264, abs=1e-3)
    with pytest.raises(ValueError, match="norm_type: expected a value above 0, got 0.0"):
        get_total_norm(gradients, 0.0)
    with pytest.raises(ValueError, match=r"clip_grad_norm_: max_norm: expected a value in \[0.0, inf\), got -1.0"):
        clip_grad_norm_(with_gradients([1.0]), -1.0)


def test_dtype_is_kept():
    params = with_gradients([3.0, 4.0], dtype=np.float32)
    clip_grad_norm_(params, 1.0)
    assert params[0].grad.dtype == np.float32


def test_hard_case_147_values_are_limited():
    params = with_gradients([3.0, -0.5, math.nan, math.inf], None, [[-4.0]])
    before = params[0].grad
    assert clip_grad_value_(iter(params), 1.0) is None
    np.testing.assert_array_equal(params[0].grad, [1.0, -0.5, math.nan, 1.0])
    np.testing.assert_array_equal(params[2].grad, [[-1.0]])
    assert params[1].grad is None
    np.testing.assert_array_equal(before, [3.0, -0.5, math.nan, math.inf])  # nobody else's array is written to
    clip_grad_value_(params[2], 0.0)
    assert params[2].grad.tolist() == [[0.0]]
    clip_grad_value_([], 1.0)
    for limit in (-1.0, math.nan):
        with pytest.raises(ValueError, match=r"clip_grad_value_: clip_value: expected a value in \[0.0, inf\), got"):
            clip_grad_value_(params, limit)
    half = with_gradients([3.0], dtype=np.float32)
    clip_grad_value_(half, 0.1)
    assert half[0].grad.dtype == np.float32


def test_hard_case_147_a_norm_that_is_not_finite():
    assert get_total_norm(with_gradients([3.0])[0].grad) == 3.0
    assert get_total_norm([np.array([1e308, 1e308])], 1.0) == math.inf
    with pytest.raises(RuntimeError, match="get_total_norm: expected a finite norm, got nan"):
        get_total_norm([np.array([math.nan])], error_if_nonfinite=True)
    huge = with_gradients([1e308, 1e308])  # finite gradients, an infinite norm
    with pytest.raises(RuntimeError, match="the gradient of parameter 0"):
        clip_grad_norm_(huge, 1.0, 1.0, error_if_nonfinite=True)


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_a_clipped_gradient_is_a_new_tensor(clip):
    params = with_gradients([3.0, 4.0])
    before = params[0].grad
    clip(params, 1.0)
    assert params[0].grad is not before
    assert before.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (None, "parameters: expected a Tensor or an iterable of them, got NoneType; pass model.parameters"),
        (1.0, "parameters: expected a Tensor or an iterable of them, got float; pass model.parameters"),
        (nn.Linear(1, 1), "parameters: expected a Tensor or an iterable of them, got Linear; pass model.parameters"),
        (nn.Sequential(nn.Linear(1, 1)), "parameters: expected Tensors, got Linear at position 0; pass model.parameters"),
        (nn.Linear(1, 1).state_dict(), "parameters: expected Tensors, got str at position 0; pass model.parameters"),
        (
            list(nn.Linear(1, 1).named_parameters()),
            "parameters: expected Tensors, got tuple at position 0; pass model.parameters",
        ),
        ("weight", "parameters: expected Tensors, got str at position 0; pass model.parameters"),
        ([None], "parameters: expected Tensors, got NoneType at position 0; pass model.parameters"),
    ],
)
def test_what_is_clipped_are_the_gradients_of_tensors(clip, parameters, message):
    with pytest.raises(TypeError, match=message):
        clip(parameters, 1.0)


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_a_limit_is_a_number(clip):
    name = "max_norm" if clip is clip_grad_norm_ else "clip_value"
    for wrong in (None, "1.0", [1.0], np.ones(2)):
        with pytest.raises(TypeError, match=f"{name}: expected a number, got "):
            clip(with_gradients([3.0, 4.0]), wrong)
    for limit in (0.25, np.float32(0.25), np.array(0.25), ag.tensor(0.25)):
        params = with_gradients([3.0], dtype=np.float32)
        clip(params, limit)
        assert params[0].grad.tolist() == [0.25]
        assert params[0].grad.dtype == np.float32


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_a_generator_that_was_used_up_is_noticed(clip):
    model = nn.Linear(1, 1)
    generator = (p for p in model.parameters())
    assert len(list(generator)) == 2
    with pytest.warns(UserWarning, match="got a generator without any; was it used up before"):
        clip(generator, 1.0)


def test_a_norm_is_of_numbers():
    for wrong, message in (
        ([np.ones(2), None], "got NoneType at position 1; leave out parameters without a gradient"),
        (["3"], "expected tensors of numbers, got str at position 0"),
        ([np.ones(2), [1j]], "expected tensors of numbers, got list at position 1"),
        (None, "expected a tensor or an iterable of them, got NoneType; pass a list"),
        (nn.Linear(1, 1), "expected a tensor or an iterable of them, got Linear; pass a list"),
        (3.0, "expected a tensor or an iterable of them, got float; pass a list"),
    ):
        with pytest.raises(TypeError, match=f"get_total_norm: .*{message}"):
            get_total_norm(wrong)
    for norm_type in (None, "2", [2]):
        with pytest.raises(TypeError, match="norm_type: expected a number, got "):
            get_total_norm([np.ones(2)], norm_type)
    with pytest.raises(ValueError, match="norm_type: expected a value above 0, got nan"):
        clip_grad_norm_(with_gradients([1.0]), 1.0, math.nan)
    assert get_total_norm([np.array([1.0, -2.0])], "inf") == 2.0
    assert get_total_norm(np.array(-3.0)) == 3.0
    assert get_total_norm([[3, 4]], ag.tensor(2.0)) == 5.0


def test_a_parameter_given_twice_counts_once():
    (p,) = with_gradients([3.0, 4.0])
    assert clip_grad_norm_([p, p], 1.0) == 5.0
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-15)
    with pytest.raises(TypeError, match="parameters: expected Tensors, got ndarray at position 1"):
        clip_grad_norm_([p, np.ones(2)], 1.0)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, math.inf])
def test_norms_equal_pytorchs(norm_type, record):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=shape) for shape in ((3, 4), (), (5,))]
    params = with_gradients(*gradients)
    theirs = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
    for q, g in zip(theirs, gradients, strict=True):
        q.grad = torch.tensor(g)
    norm = clip_grad_norm_(params, 0.7, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 0.7, norm_type)
    gap = max(float(np.max(np.abs(p.grad.numpy() - q.grad.numpy()))) for p, q in zip(params, theirs, strict=True))
    record.add("clipping vs PyTorch (its eps is 1e-6)", f"norm {norm_type}", gap)
    assert norm == pytest.approx(expected.item(), rel=1e-12)
    assert gap < 1e-6
