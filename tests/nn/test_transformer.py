"""Transformers: causality, padding, copies, scopes, mistakes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.graph import reachable


def test_a_causal_encoder_does_not_see_what_comes():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True).eval()
    net = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
    x = ag.randn(2, 6, 8)
    changed = x.detach().numpy().copy()
    changed[:, 4:] += np.random.default_rng(0).normal(size=(2, 2, 8))
    before, after = net(x, is_causal=True).detach().numpy(), net(ag.tensor(changed), is_causal=True).detach().numpy()
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    np.testing.assert_allclose(net(x, mask=mask).detach(), before, rtol=1e-5, atol=1e-6)


def test_padded_keys_do_not_matter():
    net = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = ag.randn(2, 6, 8)
    padding = ag.tensor(np.arange(6) >= np.array([[6], [3]]))
    y = net(x, src_key_padding_mask=padding).detach().numpy()
    np.testing.assert_allclose(y[1, :3], net(x[1:, :3]).detach()[0], rtol=1e-4, atol=1e-5)


def test_layers_of_a_stack_are_copies_with_parameters_of_their_own():
    layer = nn.TransformerDecoderLayer(8, 2, 16, activation=nn.GELU())
    net = nn.TransformerDecoder(layer, 3)
    assert len({id(p) for p in net.parameters()}) == 3 * len(list(layer.parameters()))
    for copied in net.layers:
        for p, q in zip(copied.parameters(), layer.parameters(), strict=True):
            np.testing.assert_array_equal(p.detach(), q.detach())
    assert "(0-2): 3 x TransformerDecoderLayer(" in repr(net)
    assert type(net.layers[0].activation) is nn.GELU


def test_scopes_name_the_layers():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    y = net(ag.randn(3, 1, 8))
    paths = {node.scope.path() for node in reachable([y.node]) if node.scope is not None}
    for layer in ("layers.0", "layers.1"):
        assert ("model", layer, "self_attn", "out_proj") in paths
        assert ("model", layer, "norm2") in paths


def test_every_parameter_of_a_transformer_is_trained():
    net = nn.Transformer(8, 2, 1, 1, 16)
    net(ag.randn(4, 2, 8), ag.randn(5, 2, 8)).square().sum().backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in net.parameters())


def test_second_derivatives():
    layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, activation="gelu", dtype=np.float64)
    x = ag.tensor(np.random.default_rng(0).normal(size=(3, 1, 4)))
    assert ag.gradcheck(layer, x)
    assert ag.gradgradcheck(layer, x)


def test_mistakes():
    with pytest.raises(
        ValueError, match="TransformerEncoderLayer: expected activation 'relu', 'gelu' or a function, got 'swish'"
    ):
        nn.TransformerEncoderLayer(8, 2, activation="swish")
    with pytest.raises(ValueError, match=r"Transformer: expected 8 features, got shapes \(4, 2, 7\) and \(5, 2, 8\)"):
        nn.Transformer(8, 2, 1, 1, 16)(ag.zeros(4, 2, 7), ag.zeros(5, 2, 8))
