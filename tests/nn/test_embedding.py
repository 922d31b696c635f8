"""Embeddings."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_hard_case_145_embedding():
    layer = nn.Embedding(4, 2, padding_idx=1, dtype=np.float64)
    assert layer.weight.detach().numpy()[1].tolist() == [0.0, 0.0]
    index = ag.tensor([[0, 2, 2], [1, 1, 3]])
    g = np.random.default_rng(0).normal(size=(2, 3, 2))
    layer(index).backward(g)
    np.testing.assert_allclose(layer.weight.grad, [g[0, 0], [0.0, 0.0], g[0, 1] + g[0, 2], g[1, 2]], rtol=1e-15)
    for bad in (4, -1):
        with pytest.raises(IndexError, match=f"embedding: expected indices from 0 to 3, got {bad}"):
            layer(ag.tensor([0, bad]))
    with pytest.raises(TypeError, match="embedding: expected integer indices, got float32"):
        layer(ag.tensor([0.0]))
    with pytest.raises(ValueError, match="one_hot: expected classes from 0 to 2, got 0 to 3"):
        ag.one_hot(ag.tensor([0, 3]), 3)
    with pytest.raises(ValueError, match="one_hot: expected classes"):
        ag.one_hot(ag.tensor([-1]), 3)


def test_from_pretrained():
    rows = np.random.default_rng(0).normal(size=(3, 2))
    layer = nn.Embedding.from_pretrained(rows)
    assert repr(layer) == "Embedding(3, 2)"
    assert not layer.weight.requires_grad
    np.testing.assert_array_equal(layer(ag.tensor([2, 0])), rows[[2, 0]])
    assert nn.Embedding.from_pretrained(ag.tensor(rows), freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match=r"from_pretrained: expected embeddings \(V, D\), got shape \(3,\)"):
        nn.Embedding.from_pretrained(rows[:, 0])


def test_rows_that_are_too_long_are_shortened_when_looked_up():
    layer = nn.Embedding(3, 2, max_norm=1.0)
    nn.init.constant_(layer.weight, 3.0)
    layer(ag.tensor([0, 2]))
    norms = np.linalg.norm(layer.weight.detach().numpy(), axis=1)
    np.testing.assert_allclose(norms, [1.0, np.sqrt(18.0), 1.0], rtol=1e-6)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="Embedding: expected padding_idx within 3 rows, got 3"):
        nn.Embedding(3, 2, padding_idx=3)
    with pytest.raises(ValueError, match="Embedding: expected num_embeddings to be a whole number >= 0, got -1"):
        nn.Embedding(-1, 2)


def test_rows_of_half_precision_are_measured_in_double():
    layer = nn.Embedding(3, 4, max_norm=1.0, dtype=np.float16)
    nn.init.constant_(layer.weight, 200.0)  # 4 * 200**2 is beyond float16
    np.testing.assert_allclose(layer(ag.tensor([0, 2])).detach(), np.full((2, 4), 0.5), rtol=1e-3)


def test_hard_case_145_a_padding_row_from_the_end_has_no_gradient_in_given_rows():
    layer = nn.Embedding.from_pretrained(np.ones((3, 2)), freeze=False, padding_idx=-1)
    assert layer.padding_idx == 2
    layer(ag.tensor([0, 2])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[1, 1], [0, 0], [0, 0]])
    with pytest.raises(ValueError, match="Embedding: expected padding_idx within 3 rows, got 3"):
        nn.Embedding.from_pretrained(np.ones((3, 2)), padding_idx=3)


def test_rows_are_shortened_before_a_backward_pass_that_does_not_read_them():
    layer = nn.Embedding(3, 2, max_norm=1.0)
    nn.init.constant_(layer.weight, 3.0)
    total = layer(ag.tensor([0])).sum()
    nn.init.constant_(layer.weight, 3.0)
    (total + layer(ag.tensor([2])).sum()).backward()
    np.testing.assert_array_equal(layer.weight.grad, [[1, 1], [0, 0], [1, 1]])
