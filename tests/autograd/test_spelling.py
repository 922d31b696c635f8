"""Functions under PyTorch's keywords: each is the Tensor method of its name then, and NumPy's function otherwise."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import spelling

X = np.random.default_rng(0).standard_normal((3, 4))
METHODS = [
    ("sum", (), {"dim": 1}),
    ("sum", (), {"dim": (0, 1), "keepdim": True}),
    ("sum", (1, True), {}),
    ("mean", (0, True), {}),
    ("prod", (), {"dim": 1}),
    ("amax", (), {"dim": (0, 1)}),
    ("amin", (), {"dim": 0}),
    ("any", (), {"dim": 0}),
    ("all", (), {"dim": 0, "keepdim": True}),
    ("var", (), {"dim": 0}),
    ("var", (), {"dim": 0, "unbiased": False}),
    ("std", (), {"unbiased": True}),
    ("norm", (), {"p": 1, "dim": 1}),
    ("argmax", (), {"dim": 1, "keepdim": True}),
    ("argmin", (1, True), {}),
    ("argsort", (), {"dim": 1, "descending": True}),
    ("cumsum", (), {"dim": 1}),
    ("cumprod", (), {"dim": 0}),
    ("diff", (), {"dim": 0}),
    ("softmax", (), {"dim": 1}),
    ("log_softmax", (), {"dim": 0}),
    ("logsumexp", (), {"dim": 1, "keepdim": True}),
    ("roll", (), {"shifts": 1, "dims": 0}),
    ("flip", (), {"dims": (1,)}),
    ("permute", (), {"dims": (1, 0)}),
    ("unsqueeze", (), {"dim": 1}),
    ("repeat_interleave", (2,), {"dim": 1}),
    ("count_nonzero", (), {"dim": 1}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), METHODS)
def test_a_function_called_as_pytorchs_is_the_method(name, arguments, options):
    x = ag.tensor(X, requires_grad=True)
    found, expected = getattr(ag, name)(x, *arguments, **options), getattr(x, name)(*arguments, **options)
    np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy())
    assert found.dtype == expected.dtype
    found = getattr(ag, name)(*arguments, input=x, **options) if not arguments else found
    np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy())


@pytest.mark.parametrize("name", ["max", "min", "sort", "median", "std_mean"])
def test_pairs(name):
    x = ag.tensor(X)
    for found, expected in zip(getattr(ag, name)(x, dim=1), getattr(x, name)(dim=1), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_positions_of_functions_that_numpy_does_not_have_are_tensors():
    x = ag.tensor(X)
    for found in (ag.topk(x, 2), ag.topk(x, 2, 1, True), ag.topk(x, k=2, axis=1), ag.topk(x, 2, dim=-1, sorted=True)):
        np.testing.assert_array_equal(found.indices.numpy(), x.topk(2).indices.numpy())
        assert found.indices.t().shape == (2, 3)
    assert ag.kthvalue(x, 1, 1).indices.tolist() == ag.kthvalue(x, 1, axis=1, keepdims=True).indices.squeeze(1).tolist()


def test_numpys_calls_stay_numpys():
    x = ag.tensor(X)
    np.testing.assert_array_equal(ag.max(x, 1).numpy(), X.max(1))
    np.testing.assert_array_equal(ag.max(x, axis=1, keepdims=True).numpy(), X.max(1, keepdims=True))
    np.testing.assert_allclose(ag.std(x).item(), X.std(), rtol=1e-14)
    np.testing.assert_array_equal(ag.sort(x).numpy(), np.sort(X))
    assert [part.shape for part in ag.split(x, 2, axis=1)] == [(3, 2), (3, 2)]
    np.testing.assert_array_equal(ag.transpose(ag.tensor(X[None]), (1, 2, 0)).numpy(), X[None].transpose(1, 2, 0))
    assert type(ag.argmax(x, 1)) is np.ndarray


def test_splits_joins_and_products():
    x = ag.tensor(X)
    assert [part.shape for part in ag.split(x, 3, dim=1)] == [(3, 3), (3, 1)]
    np.testing.assert_array_equal(ag.cat([x, x], dim=1).numpy(), np.concatenate([X, X], 1))
    np.testing.assert_array_equal(ag.concat((x, x)).numpy(), np.concatenate([X, X]))
    np.testing.assert_array_equal(ag.stack([x, x], dim=-1).numpy(), np.stack([X, X], -1))
    np.testing.assert_array_equal(ag.transpose(x, 0, 1).numpy(), X.T)
    np.testing.assert_array_equal(ag.transpose(x, dim0=0, dim1=1).numpy(), X.T)
    np.testing.assert_array_equal(ag.tril(x, diagonal=-1).numpy(), np.tril(X, -1))
    np.testing.assert_array_equal(ag.triu(x, 1).numpy(), np.triu(X, 1))
    np.testing.assert_allclose(ag.tensordot(x, x, dims=([1], [1])).numpy(), X @ X.T, rtol=1e-14)
    np.testing.assert_allclose(ag.linalg.norm(x, dim=1, keepdim=True).numpy(), np.linalg.norm(X, axis=1, keepdims=True))
    np.testing.assert_allclose(ag.linalg.vector_norm(x, dim=0).numpy(), np.linalg.norm(X, axis=0))
    np.testing.assert_allclose(ag.einsum("ij,kj->ik", [x, x]).numpy(), X @ X.T, rtol=1e-14)


def test_max_and_min_of_two_tensors():
    x = ag.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(ag.max(x, -x).detach().numpy(), np.maximum(X, -X))
    np.testing.assert_array_equal(ag.min(x, other=-x).detach().numpy(), np.minimum(X, -X))
    np.testing.assert_array_equal(ag.min(input=x, other=-x).detach().numpy(), np.minimum(X, -X))


@pytest.mark.parametrize("name", ["eq", "ge", "gt", "le", "lt", "ne"])
def test_comparisons_under_pytorchs_names(name):
    x = ag.tensor(X, requires_grad=True)
    for other in (0.5, ag.tensor(X[::-1].copy())):
        found = getattr(ag, name)(x, other)
        assert not found.requires_grad
        assert found.float().sum().item() == getattr(x, name)(other).sum().item()


def test_wrong_calls():
    x = ag.tensor(X)
    with pytest.raises(TypeError, match="concatenate: expected dim or axis, got both"):
        ag.cat([x, x], dim=0, axis=0)
    with pytest.raises(TypeError, match="sum: expected a tensor as first argument, got only keywords"):
        ag.sum(dim=1)
    with pytest.raises(TypeError, match="sum: expected dim or axis, got both"):
        ag.sum(x, dim=1, axis=0)


def test_what_is_exported_goes_through_the_layer_and_the_library_does_not():
    from autograd.ops import reductions

    assert ag.sum is spelling.sum
    assert reductions.sum is not spelling.sum
    assert ag.sum.__doc__ == reductions.sum.__doc__
