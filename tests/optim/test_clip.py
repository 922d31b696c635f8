"""Clipping of gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
from optim import clip_grad_norm_, get_total_norm


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
    with pytest.raises(ValueError, match="expected norm_type > 0"):
        get_total_norm(gradients, 0.0)
    with pytest.raises(ValueError, match="expected max_norm >= 0"):
        clip_grad_norm_(with_gradients([1.0]), -1.0)


def test_dtype_is_kept():
    params = with_gradients([3.0, 4.0], dtype=np.float32)
    clip_grad_norm_(params, 1.0)
    assert params[0].grad.dtype == np.float32
