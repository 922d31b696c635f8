"""Comparisons and predicates: functions give ndarrays, operators and methods constants."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

VALUES = np.array([1.0, -2.0, np.nan, np.inf, -np.inf])
PYTORCHS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}


def assert_constant(found, expected) -> None:
    """A method's answer: a tensor without gradient."""
    assert type(found) is Tensor
    assert not found.requires_grad
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "logical_not"])
def test_predicates(name: str) -> None:
    x = Tensor(VALUES, requires_grad=True)
    for found in (getattr(ag, name)(x), getattr(np, name)(x)):
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, getattr(np, name)(VALUES))
    assert_constant(getattr(x, name)(), getattr(np, name)(VALUES))


@pytest.mark.parametrize(
    "name",
    [
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
        "isclose",
    ],
)
def test_relations(name: str) -> None:
    x, other = Tensor(VALUES, requires_grad=True), VALUES[::-1].copy()
    expected = getattr(np, name)(VALUES, other)
    for found in (getattr(ag, name)(x, other), getattr(np, name)(x, other), getattr(np, name)(x, Tensor(other))):
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, expected)


def test_operators_and_pytorchs_names() -> None:
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    for name, found in (("lt", x < 2), ("le", x <= 2), ("gt", x > 2), ("ge", x >= 2), ("eq", x == 2), ("ne", x != 2)):
        assert_constant(found, getattr(np, PYTORCHS[name])(np.array([1.0, 2.0, 3.0]), 2))
        assert_constant(getattr(x, name)(2), found)
    assert x.equal(np.array([1.0, 2.0, 3.0])) is True
    assert x.equal(np.array([1.0, 2.0])) is False
    np.testing.assert_array_equal(x == None, [False] * 3)  # noqa: E711
    np.testing.assert_array_equal(x != None, [True] * 3)  # noqa: E711
    with pytest.raises(TypeError, match="less: expected a Tensor, array or number, got str"):
        _ = x < "a"


def test_closeness() -> None:
    x = Tensor(np.array([1.0, np.nan]), requires_grad=True)
    assert ag.allclose(x, x) is False
    assert np.allclose(x, x.detach(), equal_nan=True) is True
    assert x.allclose(x + 1e-9, equal_nan=True) is True
    assert np.array_equal(x, x) is False
    assert np.array_equal(x, x, equal_nan=True) is True
    assert ag.array_equiv(Tensor(np.ones((2, 3))), Tensor(np.ones(3))) is True


def test_bits_of_integers() -> None:
    a, b = np.array([6, 3]), np.array([3, 5])
    x = Tensor(a)
    pairs = [(x & b, a & b), (x | b, a | b), (x ^ b, a ^ b), (~x, ~a), (x << 1, a << 1), (1 << x, 1 << a), (x >> 1, a >> 1)]
    for found, expected in pairs:
        assert_constant(found, expected)
    np.testing.assert_array_equal(np.gcd(x, b), [3, 1])
    with pytest.raises(TypeError, match="bitwise_and"):
        _ = Tensor([1.0]) & 1


def test_accuracy_as_programs_compute_it() -> None:
    logits, labels = Tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], requires_grad=True), Tensor([1, 1, 1])
    hits = logits.argmax(dim=1) == labels
    assert_constant(hits, [True, False, True])
    assert hits.float().mean().item() == pytest.approx(2 / 3)
    assert hits.sum().item() == 2
    assert_constant(logits.max(1).indices, [1, 0, 1])
    assert_constant(logits.topk(1).indices, [[1], [0], [1]])
    assert_constant(logits.sort(dim=1).indices, [[0, 1], [1, 0], [0, 1]])
    assert_constant(logits.argsort(dim=1), [[0, 1], [1, 0], [0, 1]])
    assert_constant((logits > 0.5).nonzero(), [[0, 1], [1, 0], [2, 1]])
    assert_constant((logits > 0.5).any(dim=0), [True, True])
    assert_constant((logits > 0.5).all(), False)
    assert_constant((~hits).unsqueeze(1), [[False], [True], [False]])
    np.testing.assert_allclose(logits[hits].detach().numpy(), [[0.1, 0.9], [0.3, 0.7]], rtol=1e-6)
