"""Scaling: numbers like scikit-learn's, the way back, derivatives, and columns without a spread."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from nn.data import MinMaxScaler, StandardScaler
from nn.data.scaling import Scaler

SCALERS = [StandardScaler, MinMaxScaler, lambda: MinMaxScaler(-1.0, 1.0), lambda: MinMaxScaler(2.0, 5.5)]
each_scaler = pytest.mark.parametrize("new", SCALERS, ids=["standard", "0 to 1", "-1 to 1", "2 to 5.5"])


def samples(dtype=np.float64, count=50):
    generator = np.random.default_rng(0)
    return (generator.standard_normal((count, 4)) * [1.0, 100.0, 1e-3, 5.0] + [0.0, 1e4, -1.0, 3.0]).astype(dtype)


@each_scaler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_way_back(new, dtype):
    X = samples(dtype)
    scaler = new().fit(X)
    y = scaler.transform(ag.tensor(X))
    assert y.dtype == dtype
    back = scaler.inverse_transform(y)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, X, rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps * 10)
    np.testing.assert_array_equal(scaler.fit_transform(X), y)
    np.testing.assert_array_equal(scaler(X), y)


def test_like_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = samples()
    X[:, 3] = 0.1  # no spread
    for ours, theirs in (
        (StandardScaler(), preprocessing.StandardScaler()),
        (MinMaxScaler(), preprocessing.MinMaxScaler()),
        (MinMaxScaler(-2.0, 3.0), preprocessing.MinMaxScaler((-2.0, 3.0))),
    ):
        np.testing.assert_allclose(ours.fit_transform(X), theirs.fit_transform(X), rtol=1e-10, atol=1e-10)
        new = samples(count=7)
        np.testing.assert_allclose(ours(new), theirs.transform(new), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(ours.inverse_transform(new), theirs.inverse_transform(new), rtol=1e-10, atol=1e-10)


@each_scaler
def test_derivatives(new):
    X = np.random.default_rng(1).standard_normal((9, 4)) * [1.0, 2.0, 0.5, 3.0]
    scaler = new().fit(X)
    x = ag.tensor(X[:3], requires_grad=True)
    for function in (scaler.transform, scaler.inverse_transform):
        assert ag.gradcheck(lambda x, function=function: ag.sin(function(x)), (x,))
        assert ag.gradgradcheck(lambda x, function=function: ag.sin(function(x)), (x,))


@each_scaler
@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, 3e-45, 1e38])
def test_columns_of_one_value_are_moved_and_not_divided_by_zero(new, value):
    X = np.full((7, 2), value, np.float32)
    scaler = new().fit(X)
    offset = scaler.offset
    assert (np.asarray(scaler(X)) == offset).all()
    assert (np.asarray(scaler.inverse_transform(scaler(X))) == X).all()
    assert (scaler.scale.numpy() > 0.2).all()
    assert np.asarray(StandardScaler().fit(X[:1])(X[:1])).tolist() == [[0.0, 0.0]]


def test_awkward_spreads():
    tiny = np.array([[0.0], [5e-324]])
    assert MinMaxScaler().fit_transform(tiny).tolist() == [[0.0], [1.0]]
    large = np.array([[1e200], [-1e200], [0.0]])
    np.testing.assert_allclose(StandardScaler().fit_transform(large)[:, 0], [1.5**0.5, -(1.5**0.5), 0.0])
    close = np.float32([[1e6], [1e6 + 0.125], [1e6 + 0.0625]])
    assert MinMaxScaler(-1.0, 1.0).fit_transform(close).tolist() == [[-1.0], [1.0], [0.0]]
    halves = np.float16([[60000.0], [0.0]])
    assert MinMaxScaler().fit_transform(halves).tolist() == [[1.0], [0.0]]
    for scaler in (StandardScaler(), MinMaxScaler()):
        with pytest.raises(
            ValueError, match=r"Scaler: expected a spread that float64 can hold, got numbers from -1.5e\+308 to 1.5e\+308"
        ):
            scaler.fit(np.array([[1.5e308], [-1.5e308]]))
        assert scaler.scale is None


def test_samples_of_any_shape_and_whole_numbers():
    images = np.arange(24).reshape(4, 2, 3)
    scaler = MinMaxScaler().fit(images)
    assert scaler.scale.shape == (2, 3)
    assert scaler(images).dtype == np.float32
    assert scaler(images[0]).shape == (2, 3)
    assert scaler(images)[3].tolist() == [[1.0] * 3] * 2
    numbers = StandardScaler().fit(ag.tensor([1.0, 3.0]))
    assert numbers([1.0, 3.0, 5.0]).tolist() == [-1.0, 1.0, 3.0]
    assert ag.tensor(2.0).ndim == numbers(ag.tensor(2.0)).ndim == 0


def test_mistakes():
    with pytest.raises(RuntimeError, match=r"StandardScaler: expected fit\(\) to be called first"):
        StandardScaler().transform([1.0])
    with pytest.raises(RuntimeError, match=r"MinMaxScaler: expected fit\(\) to be called first"):
        MinMaxScaler().inverse_transform([1.0])
    for X in (np.empty((0, 3)), 1.0):
        with pytest.raises(ValueError, match="StandardScaler: expected at least one sample along the first axis, got shape"):
            StandardScaler().fit(X)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"MinMaxScaler: expected finite numbers, got {bad} at \[1, 0\]"):
            MinMaxScaler().fit([[1.0, 2.0], [bad, 3.0]])
    for bounds in ((1.0, 1.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="MinMaxScaler: expected finite low < high"):
            MinMaxScaler(*bounds)
    scaler = StandardScaler().fit(samples())
    for shape in ((3, 1), (4, 3), (), (1,)):
        with pytest.raises(ValueError, match=r"StandardScaler: expected samples of shape \(4,\), got shape"):
            scaler.transform(np.ones(shape))
    with pytest.raises(NotImplementedError, match="Scaler: expected a measure method"):
        Scaler().fit([1.0])


def test_the_state_goes_to_another_scaler():
    scaler = MinMaxScaler(-1.0, 1.0).fit(samples())
    other = MinMaxScaler(-1.0, 1.0)
    other.load_state_dict(scaler.state_dict())
    np.testing.assert_array_equal(other(samples()), scaler(samples()))
    good = scaler.state_dict()
    where = "MinMaxScaler.load_state_dict: expected"
    for state, says in (
        ({}, r"'shift' and 'scale', got \[\]"),
        ([1], "'shift' and 'scale', got list"),
        ({**good, "more": 1}, r"'shift' and 'scale', got \['more', 'scale', 'shift'\]"),
        (
            {**good, "scale": np.ones(3)},
            r"floats of equal shape and dtype, got float64 of shape \(4,\) and float64 of shape \(3,\)",
        ),
        ({**good, "scale": np.ones(4, np.float32)}, "floats of equal shape and dtype"),
        ({"shift": np.zeros(4, int), "scale": np.ones(4, int)}, "floats of equal shape and dtype"),
        ({**good, "scale": np.zeros(4)}, "finite numbers and a scale without 0"),
        ({**good, "shift": np.full(4, np.nan)}, "finite numbers and a scale without 0"),
    ):
        with pytest.raises(ValueError, match=f"{where} {says}"):
            other.load_state_dict(state)
    np.testing.assert_array_equal(other(samples()), scaler(samples()))
