"""unfold and fold: layout, adjointness and refusals."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


def test_columns_are_windows_row_by_row():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    columns = ag.unfold(x, 2, stride=2).numpy()
    assert columns.shape == (1, 4, 4)
    np.testing.assert_array_equal(columns[0, :, 1], [2, 3, 6, 7])


def test_fold_adds_overlapping_windows():
    image = ag.fold(ag.unfold(np.ones((1, 1, 3, 3)), 2), 3, 2).numpy()
    np.testing.assert_array_equal(image[0, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_fold_is_the_adjoint_of_unfold():
    rng = np.random.default_rng(0)
    options = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (2, 1), "stride": (2, 3)}
    x = rng.normal(size=(2, 3, 7, 8))
    columns = ag.unfold(x, **options).numpy()
    y = rng.normal(size=columns.shape)
    np.testing.assert_allclose(np.sum(columns * y), np.sum(x * ag.fold(y, (7, 8), **options).numpy()), rtol=1e-12)


def test_windows_of_one_element_are_a_copy():
    x = ag.ones(1, 2, 3, 3)
    columns = ag.unfold(x, 1)
    assert not np.shares_memory(columns.numpy(), x.numpy())
    np.testing.assert_array_equal(columns.numpy(), np.ones((1, 2, 9)))


def test_half_precision_is_added_in_single():
    ones = np.ones((1, 9, 4), np.float16) * np.float16(300.3)
    image = ag.fold(ones, 4, 3)
    assert image.dtype == np.float16
    assert image.numpy()[0, 0, 1, 1] == np.float16(4 * np.float32(np.float16(300.3)))


def test_refusals_name_what_is_wrong():
    x = np.zeros((1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"unfold: expected a window no larger than the padded input, got a window of 5 on 4"):
        ag.unfold(x, 5)
    with pytest.raises(ValueError, match=r"unfold: expected images \(N, C, H, W\).*got shape \(4,\)"):
        ag.unfold(np.zeros(4), 2)
    with pytest.raises(ValueError, match=r"unfold: expected stride of at least 1, got 0"):
        ag.unfold(x, 2, stride=0)
    with pytest.raises(ValueError, match=r"unfold: expected padding of at least 0, got -1"):
        ag.unfold(x, 2, padding=-1)
    with pytest.raises(ValueError, match=r"expected kernel_size to have 2 numbers or one for all, got \(1, 2, 3\)"):
        ag.unfold(x, (1, 2, 3))
    with pytest.raises(TypeError, match=r"unfold: expected whole numbers as kernel_size, got 2\.0"):
        ag.unfold(x, 2.0)
    with pytest.raises(ValueError, match=r"fold: expected columns \(N, C \* 4, 9\) for output_size \(4, 4\)"):
        ag.fold(np.zeros((1, 8, 8)), 4, 2)


def test_hard_case_144_unfold_beyond_the_memory_is_refused_before_it_is_allocated():
    x = np.broadcast_to(np.float64(0.0), (1000, 1000, 2000, 2000))  # a view of one number
    with pytest.raises(MemoryError, match=r"unfold: expected a result that fits into memory .* GiB; use a larger stride"):
        ag.unfold(x, 8, padding=0)
