"""Attention at masked, non-finite and large scores, and the fused rule against the composition."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd.ops import _attending, attention

RNG = np.random.default_rng(0)
sdpa = ag.scaled_dot_product_attention


def leaves(*shapes):
    return [ag.tensor(RNG.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("block", [1 << 18, 20, 1])
def test_fast_kernel_and_rule_equal_the_composition_in_pieces_of_any_size(monkeypatch, block):
    monkeypatch.setattr(_attending, "BLOCK", block)
    operands = leaves((2, 3, 4, 3), (2, 3, 5, 3), (2, 3, 5, 2), (3, 1, 5))
    keep = RNG.random((2, 1, 4, 5)) < 0.6
    keep[0, 0, 1] = False
    g = ag.tensor(RNG.normal(size=(2, 3, 4, 2)))
    fast = attention._attention(*operands, keep=keep, scale=0.7)
    composed = attention._composition(*operands, keep=keep, scale=0.7)
    np.testing.assert_allclose(fast.detach().numpy(), composed.detach().numpy(), rtol=1e-12, atol=1e-13)
    for one, two in zip(ag.grad(fast, operands, grad_outputs=g), ag.grad(composed, operands, grad_outputs=g), strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("block", [200, 40, 3])
@pytest.mark.parametrize("keep", [np.tri(7, 9, dtype=bool), np.tri(7, 9, 2, dtype=bool), np.tri(7, 9, -3, dtype=bool)])
def test_strips_of_queries_that_look_at_fewer_keys_equal_the_composition(monkeypatch, block, keep):
    monkeypatch.setattr(_attending, "BLOCK", block)
    monkeypatch.setattr(_attending, "STRIP", 2)
    projected = leaves((2, 7, 3, 4), (2, 9, 3, 4), (2, 9, 3, 5))  # heads side by side, as a projection makes them
    g = ag.tensor(RNG.normal(size=(2, 7, 3, 5)))
    found = []
    for function in (attention._attention, attention._composition):
        y = np.swapaxes(function(*(np.swapaxes(x, 1, 2) for x in projected), keep=keep, scale=0.7), 1, 2)
        found.append([y.detach(), *ag.grad(y, projected, grad_outputs=g)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-11, atol=1e-12)


def test_no_head_is_copied_to_where_it_came_from():
    projected = ag.tensor(RNG.normal(size=(2, 5, 3, 4)))
    q = np.swapaxes(projected, 1, 2)
    y = attention._attention(q, q, q, keep=None, scale=0.5)
    assert np.swapaxes(y, 1, 2)._data.flags.c_contiguous


def test_hard_case_139_a_query_without_keys_is_0_with_gradient_0():
    for mask in (np.array([[False, False], [True, False]]), np.array([[-math.inf, -math.inf], [0.0, -math.inf]])):
        q, k, v = leaves((2, 3), (2, 3), (2, 3))
        y = sdpa(q, k, v, mask)
        np.testing.assert_array_equal(y.detach().numpy()[0], np.zeros(3))
        np.testing.assert_allclose(y.detach().numpy()[1], v.detach().numpy()[0])
        (y * ag.tensor(RNG.normal(size=(2, 3)))).sum().backward()
        np.testing.assert_array_equal(q.grad.numpy()[0], np.zeros(3))
        for leaf in (q, k, v):
            assert np.isfinite(leaf.grad.numpy()).all()


def test_hard_case_139_minus_infinity_is_the_boolean_mask_and_causality_combines():
    q, k, v = leaves((3, 2), (3, 2), (3, 2))
    keep = np.array([[True, True, True], [False, True, True], [True, False, True]])
    by_floats = sdpa(q, k, v, np.where(keep, 0.0, -math.inf)).detach().numpy()
    np.testing.assert_allclose(sdpa(q, k, v, keep).detach().numpy(), by_floats, rtol=1e-13)
    both = sdpa(q, k, v, keep, is_causal=True).detach().numpy()
    np.testing.assert_array_equal(both, sdpa(q, k, v, keep & np.tri(3, dtype=bool)).detach().numpy())
    with_bias = sdpa(q, k, v, np.where(keep, 0.5, -math.inf), is_causal=True).detach().numpy()
    np.testing.assert_allclose(with_bias, both, rtol=1e-13)


def test_hard_case_139_plain_softmax_agrees():
    q, k, v = leaves((3, 2), (4, 2), (4, 2))
    keep = np.array([[False] * 4, [True, False, True, True], [True] * 4])
    plain = ag.masked_softmax(q @ k.T * (1 / math.sqrt(2)), keep) @ v
    np.testing.assert_allclose(sdpa(q, k, v, keep).detach().numpy(), plain.detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", ["key", "value", "both"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_hard_case_140_masked_keys_do_not_leak(bad, which, create_graph):
    clean = [RNG.normal(size=shape) for shape in ((3, 2), (3, 2), (3, 2))]
    g = ag.tensor(RNG.normal(size=(3, 2)))
    keep = np.array([[True, True, False]] * 3)
    found = []
    for spoilt in (False, True):
        arrays = [value.copy() for value in clean]
        if spoilt and which != "value":
            arrays[1][2] = bad
        if spoilt and which != "key":
            arrays[2][2] = bad
        operands = [ag.tensor(value, requires_grad=True) for value in arrays]
        y = sdpa(*operands, keep)
        slopes = ag.grad(y, operands, grad_outputs=g, create_graph=create_graph)
        found.append([y.detach().numpy(), *(slope.detach().numpy() for slope in slopes)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-12, atol=1e-13)


def test_hard_case_140_queries_before_a_bad_key_are_untouched_and_those_after_it_are_not_silent():
    q, k, v = leaves((3, 2), (3, 2), (3, 2))
    expected = sdpa(q, k, v, is_causal=True).detach().numpy()
    for spoilt in (1, 2):
        operands = [q.detach().numpy().copy(), k.detach().numpy().copy(), v.detach().numpy().copy()]
        operands[spoilt][1] = math.nan
        y = sdpa(*operands, is_causal=True).numpy()
        np.testing.assert_allclose(y[0], expected[0], rtol=1e-13)
        assert np.isnan(y[1:]).all()


def test_large_scores_do_not_overflow():
    x = np.eye(3) * 1e4
    np.testing.assert_allclose(sdpa(x, x, np.eye(3)).numpy(), np.eye(3), atol=1e-12)


def test_half_precision_is_summed_in_single():
    x = np.zeros((1, 4096, 4), np.float16)
    y = sdpa(x[:, :1], x, np.ones((1, 4096, 4), np.float16))
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y.numpy(), np.ones((1, 1, 4)))


def test_weights_are_dropped():
    q = np.zeros((1, 2))
    values = np.eye(100)
    y = sdpa(q, np.zeros((100, 2)), values, dropout_p=0.5, generator=np.random.default_rng(0)).numpy()
    assert set(np.unique(np.round(y, 12))) == {0.0, 0.02}
    assert 30 < np.count_nonzero(y) < 70


def test_refusals_name_what_is_wrong():
    x = np.zeros((2, 3, 4))
    with pytest.raises(ValueError, match=r"expected query \(..., L, E\), key .* got \(2, 3, 4\), \(2, 3, 5\) and"):
        sdpa(x, np.zeros((2, 3, 5)), x)
    with pytest.raises(ValueError, match=r"expected batch axes that broadcast, got"):
        sdpa(x, np.zeros((3, 3, 4)), np.zeros((3, 3, 4)))
    with pytest.raises(ValueError, match=r"expected attn_mask to broadcast to \(2, 3, 3\), got \(3, 4\)"):
        sdpa(x, x, x, np.ones((3, 4), bool))
    with pytest.raises(TypeError, match="expected attn_mask of booleans or floats, got int64"):
        sdpa(x, x, x, np.ones((3, 3), np.int64))
    with pytest.raises(TypeError, match="expected floating dtypes, got int64"):
        sdpa(np.zeros((3, 4), np.int64), x, x)
    with pytest.raises(ValueError, match=r"expected dropout_p between 0 and 1, got 1\.5"):
        sdpa(x, x, x, dropout_p=1.5)
    with pytest.raises(ValueError, match="expected heads of queries that are a multiple"):
        sdpa(np.zeros((3, 2, 4)), x, x, enable_gqa=True)


@pytest.mark.parametrize(("queries", "keys"), [(0, 3), (2, 0), (0, 0)])
def test_no_queries_or_no_keys(queries, keys):
    q, k, v = leaves((2, queries, 3), (2, keys, 3), (2, keys, 4))
    y = sdpa(q, k, v)
    assert y.shape == (2, queries, 4)
    np.testing.assert_array_equal(y.detach(), np.zeros(y.shape))
    y.sum().backward()
    for x in (q, k, v):
        np.testing.assert_array_equal(x.grad, np.zeros(x.shape))
