"""Attention: masks in every form, queries that may look nowhere, weights, wrong shapes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def layer_and_inputs(**options):
    layer = nn.MultiheadAttention(8, 2, batch_first=True, dtype=np.float64, **options)
    rng = np.random.default_rng(0)
    q, k, v = (ag.tensor(rng.normal(size=(3, n, 8)), requires_grad=True) for n in (4, 5, 5))
    return layer, q, k, v


@pytest.mark.parametrize("need_weights", [True, False])
def test_hard_case_139_a_query_that_may_look_nowhere(need_weights):
    layer, q, k, v = layer_and_inputs()
    mask = np.zeros((4, 5), bool)
    mask[1] = True
    y, weights = layer(q, k, v, attn_mask=ag.tensor(mask), need_weights=need_weights)
    np.testing.assert_array_equal(y.detach()[:, 1], np.broadcast_to(layer.out_proj.bias.detach(), (3, 8)))
    if need_weights:
        assert not weights.detach().numpy()[:, 1].any()
    y.backward(np.random.default_rng(1).normal(size=y.shape))
    assert not q.grad.numpy()[:, 1].any()
    for tensor in (q, k, v, *layer.parameters()):
        assert np.isfinite(tensor.grad.numpy()).all()
    infinite, _ = layer(q, k, v, attn_mask=ag.where(mask, -np.inf, ag.zeros(4, 5, dtype=np.float64)))
    np.testing.assert_allclose(infinite.detach(), y.detach(), rtol=1e-13, atol=1e-15)  # -inf is the boolean mask


@pytest.mark.parametrize("need_weights", [True, False])
def test_hard_case_140_what_is_masked_reaches_nothing(need_weights):
    layer, q, k, v = layer_and_inputs()
    padding = np.zeros((3, 5), bool)
    padding[1, 3:] = True
    clean, _ = layer(q, k, v, key_padding_mask=ag.tensor(padding), need_weights=need_weights)
    dirty_k, dirty_v = (ag.tensor(np.where(padding[..., None], np.nan, x.detach().numpy()), requires_grad=True) for x in (k, v))
    y, _ = layer(q, dirty_k, dirty_v, key_padding_mask=ag.tensor(padding), need_weights=need_weights)
    np.testing.assert_allclose(y.detach(), clean.detach(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("need_weights", [True, False])
def test_masks_are_combined(need_weights):
    layer, q, k, v = layer_and_inputs()
    rng = np.random.default_rng(2)
    padding = np.arange(5) >= np.array([5, 3, 4])[:, None]
    added = rng.normal(size=(4, 5))
    causal = np.triu(np.ones((4, 5), bool), 1)
    whole = np.where(padding[:, None, :] | causal, -np.inf, added).repeat(2, axis=0)  # (N heads, L, S)
    expected, its_weights = layer(q, k, v, attn_mask=ag.tensor(whole), average_attn_weights=False)
    y, weights = layer(
        q, k, v, key_padding_mask=ag.tensor(padding), attn_mask=ag.tensor(added), is_causal=True,
        need_weights=need_weights, average_attn_weights=False,
    )  # fmt: skip
    np.testing.assert_allclose(y.detach(), expected.detach(), rtol=1e-12, atol=1e-14)
    if need_weights:
        assert weights.shape == (3, 2, 4, 5)
        np.testing.assert_allclose(weights.detach(), its_weights.detach(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(weights.detach().numpy().sum(-1), 1.0, rtol=1e-12)


def test_one_sample_and_both_layouts():
    layer, q, k, v = layer_and_inputs()
    y, weights = layer(q, k, v)
    one, its_weights = layer(q[1], k[1], v[1])
    np.testing.assert_allclose(one.detach(), y.detach()[1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(its_weights.detach(), weights.detach()[1], rtol=1e-12, atol=1e-14)
    layer.batch_first = False
    turned, _ = layer(*(x.transpose(0, 1) for x in (q, k, v)))
    np.testing.assert_allclose(turned.detach().transpose(0, 1), y.detach(), rtol=1e-12, atol=1e-14)


def test_first_and_second_derivatives():
    layer = nn.MultiheadAttention(4, 2, dtype=np.float64, add_bias_kv=True)
    x = ag.tensor(np.random.default_rng(0).normal(size=(3, 1, 4)))
    for need_weights in (True, False):
        attend = lambda x: layer(x, x, x, need_weights=need_weights, is_causal=True)[0]
        assert ag.gradcheck(attend, x)
        assert ag.gradgradcheck(attend, x)


def test_dropout_of_weights():
    layer = nn.MultiheadAttention(8, 2, dropout=0.5)
    x = ag.randn(6, 2, 8)
    ag.manual_seed(0)
    y, weights = layer(x, x, x, average_attn_weights=False)
    assert (weights.detach().numpy() == 0).mean() == pytest.approx(0.5, abs=0.15)
    ag.manual_seed(0)
    np.testing.assert_array_equal(layer(x, x, x)[0].detach(), y.detach())
    layer.eval()
    assert (layer(x, x, x)[1].detach().numpy() > 0).all()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: nn.MultiheadAttention(8, 3), ValueError, "MultiheadAttention: expected num_heads to divide embed_dim 8, got 3"),
        (lambda: nn.MultiheadAttention(8, 2, dropout=2), ValueError, "MultiheadAttention: expected dropout between 0 and 1, got 2"),
        (lambda: attend((4, 3, 8), (5, 3, 7), (5, 3, 8)), ValueError, r"expected \(8, 8, 8\) features in query, key and value"),
        (lambda: attend((4, 3, 8), (5, 3, 8), (6, 3, 8)), ValueError, "expected as many values as keys in equal batches"),
        (lambda: attend((4, 3, 8), (5, 2, 8), (5, 2, 8)), ValueError, "expected as many values as keys in equal batches"),
        (lambda: attend((4, 8), (5, 3, 8), (5, 3, 8)), ValueError, r"expected query, key and value \(L, N, E\) or \(L, E\)"),
        (lambda: attend(attn_mask=ag.zeros(4, 4)), ValueError, r"expected attn_mask of shape \(4, 5\) or \(6, 4, 5\), got \(4, 4\)"),
        (lambda: attend(key_padding_mask=ag.zeros(5, 3)), ValueError, r"expected key_padding_mask of shape \(3, 5\), got \(5, 3\)"),
        (lambda: attend(attn_mask=ag.tensor(np.zeros((4, 5), int))), TypeError, "expected attn_mask of booleans or floats, got int64"),
    ],
)  # fmt: skip
def test_mistakes(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def attend(q=(4, 3, 8), k=(5, 3, 8), v=(5, 3, 8), **options):
    return nn.MultiheadAttention(8, 2)(ag.zeros(q), ag.zeros(k), ag.zeros(v), **options)
