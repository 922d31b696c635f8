"""Position encodings."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
from nn.position import rotary_encoding, sinusoidal_encoding


@pytest.mark.parametrize("features", [6, 5])
def test_sinusoidal_encoding_is_the_formula(features):
    table = sinusoidal_encoding(7, features, dtype=np.float64)
    for t in range(7):
        for place in range(features):
            angle = t / 10000 ** ((place - place % 2) / features)
            assert table[t, place].item() == pytest.approx(math.cos(angle) if place % 2 else math.sin(angle), abs=1e-12)


def test_the_layer_adds_its_table_in_both_layouts():
    layer = nn.SinusoidalEncoding(4, max_len=10)
    x = ag.randn(3, 2, 4)
    np.testing.assert_allclose(layer(x) - x, sinusoidal_encoding(3, 4).reshape(3, 1, 4).expand(3, 2, 4), atol=1e-6)
    layer.batch_first = True
    np.testing.assert_allclose(layer(x) - x, sinusoidal_encoding(2, 4).expand(3, 2, 4), atol=1e-6)
    assert layer(x[0]).shape == (2, 4)
    assert list(layer.state_dict()) == []
    assert repr(layer) == "SinusoidalEncoding(4, max_len=10, dropout=0.0, batch_first=True)"
    for wrong in (ag.zeros(1, 11, 4), ag.zeros(1, 2, 5)):
        with pytest.raises(ValueError, match="SinusoidalEncoding: expected at most 10 steps of 4 features, got shape"):
            layer(wrong)


def test_rotary_products_depend_on_the_distance_only():
    rng = np.random.default_rng(0)
    q, k = (np.broadcast_to(rng.normal(size=8), (12, 8)) for _ in range(2))
    products = (rotary_encoding(q) @ rotary_encoding(k).T).numpy()
    for distance in range(-11, 12):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-10)
    np.testing.assert_allclose(rotary_encoding(q, offset=3)[:9], rotary_encoding(q)[3:], rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(rotary_encoding(q).numpy(), axis=-1), np.linalg.norm(q, axis=-1), rtol=1e-12)
    assert nn.RotaryEncoding(100.0)(ag.zeros(2, 3, 4)).shape == (2, 3, 4)
    assert ag.gradcheck(nn.RotaryEncoding(), ag.tensor(rng.normal(size=(2, 3, 4))))
    with pytest.raises(ValueError, match=r"rotary_encoding: expected \(\.\.\., T, E\) with an even E, got shape \(3, 5\)"):
        rotary_encoding(ag.zeros(3, 5))


def test_whole_numbers_are_refused_instead_of_rounded():
    for layer in (nn.RotaryEncoding(), nn.SinusoidalEncoding(4)):
        with pytest.raises(TypeError, match="expected a floating dtype, got int64; convert with .astype"):
            layer(ag.ones(3, 4, dtype=np.int64))
