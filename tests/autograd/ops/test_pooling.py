"""Pooling at ties, nan, padding and awkward sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd.ops import _maxima
from autograd.ops._windows import lay


def pooled(function, values, *arguments, **options):
    """The result for one plane, and the gradient of its sum."""
    x = ag.tensor(np.asarray(values, np.float64)[None, None], requires_grad=True)
    y = function(x, *arguments, **options)
    y.sum().backward()
    return y.detach().numpy()[0, 0], x.grad.numpy()[0, 0]


def test_hard_case_143_the_first_of_a_tie_has_the_gradient():
    _, slope = pooled(ag.max_pool2d, [[1.0, 3.0], [3.0, 3.0]], 2)
    np.testing.assert_array_equal(slope, [[0, 1], [0, 0]])
    _, slope = pooled(ag.adaptive_max_pool2d, [[2.0, 2.0], [2.0, 2.0]], 1)
    np.testing.assert_array_equal(slope, [[1, 0], [0, 0]])


def test_hard_case_143_overlapping_windows_add():
    _, slope = pooled(ag.max_pool2d, [[0.0, 0, 0], [0, 9, 0], [0, 0, 0]], 2, 1)
    np.testing.assert_array_equal(slope, [[0, 0, 0], [0, 4, 0], [0, 0, 0]])
    _, slope = pooled(ag.avg_pool2d, np.zeros((3, 3)), 2, 1)
    np.testing.assert_array_equal(slope, np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_hard_case_143_nan_propagates_to_its_windows_only(place):
    values = np.arange(8.0).reshape(2, 4)
    values[place] = math.nan
    for function in (ag.max_pool2d, ag.avg_pool2d):
        y, _ = pooled(function, values, 2)
        assert np.isnan(y[0, 0])
        assert np.isfinite(y[0, 1])
    for function in (ag.adaptive_max_pool2d, ag.adaptive_avg_pool2d):
        y, _ = pooled(function, values, (1, 2))
        assert np.isnan(y[0, 0])
        assert np.isfinite(y[0, 1])
    _, slope = pooled(ag.max_pool2d, values, 2)
    assert slope[place] == 1


def test_infinite_neighbours_do_not_leak_into_other_bins():
    values = np.ones((1, 5))
    values[0, 0] = math.inf
    y, slope = pooled(ag.adaptive_avg_pool2d, values, (1, 3))
    np.testing.assert_array_equal(y, [[math.inf, 1, 1]])
    assert np.isfinite(slope).all()


def test_a_window_of_minus_infinity_points_at_an_element_not_at_the_padding():
    y, slope = pooled(ag.max_pool2d, np.full((2, 2), -math.inf), 2, 2, 1)
    assert (y == -math.inf).all()
    np.testing.assert_array_equal(slope, np.ones((2, 2)))
    _, index = ag.max_pool2d(np.full((1, 1, 3, 3), -math.inf), 3, 1, 1, dilation=1, return_indices=True)
    np.testing.assert_array_equal(index.numpy()[0, 0], [[0, 0, 1], [0, 0, 1], [3, 3, 4]])


def test_hard_case_143_padding_and_ceil_mode():
    y, _ = pooled(ag.avg_pool2d, np.ones((2, 2)), 2, 1, 1)
    np.testing.assert_array_equal(y, [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]])
    y, _ = pooled(ag.avg_pool2d, np.ones((2, 2)), 2, 1, 1, count_include_pad=False)
    np.testing.assert_array_equal(y, np.ones((3, 3)))
    assert ag.max_pool2d(np.zeros((1, 5, 5)), 2, ceil_mode=True).shape == (1, 3, 3)
    assert ag.max_pool2d(np.zeros((1, 5, 5)), 2).shape == (1, 2, 2)
    for function in (ag.max_pool2d, ag.avg_pool2d):
        with pytest.raises(ValueError, match=r"pool2d: expected padding of at most half the window, got padding=2 for 3"):
            function(np.zeros((1, 5, 5)), 3, 1, 2)


def test_half_precision_means_are_summed_in_single():
    y = ag.avg_pool2d(np.full((1, 1, 300, 300), 2.0, np.float16), 300)
    assert y.dtype == np.float16
    assert y.item() == 2.0


def test_refusals_name_what_is_wrong():
    x = np.zeros((1, 2, 4, 4))
    with pytest.raises(ValueError, match="max_pool2d: expected a window no larger than the padded input"):
        ag.max_pool2d(x, 5)
    with pytest.raises(ValueError, match="avg_pool2d: expected stride of at least 1, got 0"):
        ag.avg_pool2d(x, 2, 0)
    with pytest.raises(ValueError, match="avg_pool2d: expected divisor_override other than 0"):
        ag.avg_pool2d(x, 2, divisor_override=0)
    with pytest.raises(ValueError, match=r"max_pool1d: expected an input \(N, C, L\) or \(C, L\), got shape \(1, 2, 4, 4\)"):
        ag.max_pool1d(x, 2)
    with pytest.raises(TypeError, match="max_pool2d: expected a floating dtype, got int64"):
        ag.max_pool2d(np.zeros((1, 4, 4), np.int64), 2)
    with pytest.raises(ValueError, match=r"adaptive_avg_pool2d: expected output_size to have 2 numbers or one for all"):
        ag.adaptive_avg_pool2d(x, (1, 2, 3))
    with pytest.raises(ValueError, match="adaptive_avg_pool2d: expected output_size of at least 1, got"):
        ag.adaptive_avg_pool2d(x, 0)
    with pytest.raises(ValueError, match="adaptive_max_pool1d: expected an image with elements"):
        ag.adaptive_max_pool1d(np.zeros((1, 2, 0)), 1)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding"),
    [
        ((2, 2), (2, 2), (1, 1), 0), ((3, 3), (2, 2), (1, 1), 1), ((1, 3), (1, 2), (1, 1), 0),
        ((3, 1), (2, 1), (2, 1), 1), ((2, 4), (3, 1), (1, 2), 0), ((5, 5), (5, 5), (1, 1), 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 1 << 17])
def test_the_quick_search_finds_what_the_careful_one_finds(monkeypatch, kernel, stride, dilation, padding, block):
    monkeypatch.setattr(_maxima, "BLOCK", block)
    pads = tuple((padding, padding) if k > 1 else (0, 0) for k in kernel)
    at = lay((9, 11), kernel, stride, dilation, pads, "max_pool2d")
    x = np.random.default_rng(0).integers(0, 3, (2, 3, 9, 11)).astype(np.float32)  # full of ties
    best, numbers = _maxima.window_maxima(x, at)
    expected, expected_numbers = _maxima._slowly(x, at)
    np.testing.assert_array_equal(best, expected)
    np.testing.assert_array_equal(numbers, expected_numbers)
    g = np.random.default_rng(1).normal(size=best.shape)
    scattered = np.zeros((2, 3, 99))
    for n, c in np.ndindex(2, 3):
        np.add.at(scattered[n, c], _maxima.positions(numbers, at, 11)[n, c], g[n, c])
    np.testing.assert_allclose(_maxima.place(g, numbers, at, (9, 11)), scattered.reshape(x.shape), rtol=1e-13)


@pytest.mark.parametrize(
    ("kernel", "stride", "width", "padding"),
    [
        ((2, 2), (2, 2), 12, 0),
        ((1, 2), (1, 2), 12, 0),
        ((3, 2), (4, 2), 12, 0),
        ((4, 2), (4, 2), 10, 1),
        ((5, 2), (5, 2), 12, 0),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 17])
def test_cotangents_are_placed_by_pairs_as_one_by_one(monkeypatch, kernel, stride, width, padding, block):
    monkeypatch.setattr(_maxima, "BLOCK", block)
    at = lay((9, width), kernel, stride, (1, 1), ((padding, padding), (padding, padding)), "max_pool2d")
    x = np.random.default_rng(0).normal(size=(2, 3, 9, width)).astype(np.float32)
    best, numbers = _maxima.window_maxima(x, at)
    g = np.random.default_rng(1).normal(size=best.shape).astype(np.float32)
    g[0, 0, 0] = [math.inf, math.nan, -math.inf, -0.0] + [1.0] * (g.shape[3] - 4)
    placed = _maxima.place(g, numbers, at, (9, width))
    np.testing.assert_array_equal(placed, _maxima.place(g.astype(np.float64), numbers, at, (9, width)))
    assert placed.dtype == np.float32
    assert np.count_nonzero(placed) == np.count_nonzero(g)


def test_adaptive_means_of_one_element_are_that_element():
    y, slope = pooled(ag.adaptive_avg_pool2d, [[3.0]], (2, 3))
    np.testing.assert_array_equal(y, np.full((2, 3), 3.0))
    np.testing.assert_array_equal(slope, [[6.0]])


def test_hard_case_143_a_window_larger_than_the_image_fits_with_ceil_mode():
    y, slope = pooled(ag.max_pool2d, [[1.0, 5.0, 2.0]], 2, 2, 0, ceil_mode=True)
    np.testing.assert_array_equal(y, [[5.0, 2.0]])
    np.testing.assert_array_equal(slope, [[0.0, 1.0, 1.0]])
    y, slope = pooled(ag.avg_pool2d, [[1.0, 5.0, 2.0]], 2, 2, 0, ceil_mode=True)  # what lies beyond the image does not count
    np.testing.assert_array_equal(y, [[3.0, 2.0]])
    np.testing.assert_array_equal(slope, [[0.5, 0.5, 1.0]])
    with pytest.raises(
        ValueError, match="max_pool1d: expected a window no larger than the padded input, got a window of 4 on 1"
    ):
        ag.max_pool1d(np.zeros((1, 1)), 4, 2, ceil_mode=True)  # not even one that begins inside would reach its end


def test_hard_case_143_padding_is_at_most_half_the_window_without_its_dilation():
    with pytest.raises(ValueError, match="max_pool1d: expected padding of at most half the window, got padding=2 for 3"):
        ag.max_pool1d(np.zeros((1, 7)), 3, 1, 2, dilation=2)
