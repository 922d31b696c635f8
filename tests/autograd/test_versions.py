"""Stamps of many buffers at once; the guard itself is tested where it bites, in test_graph.py."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import versions


def test_stamp_all_notices_owners_views_and_the_same_buffers_again():
    whole, other = np.zeros(6), np.zeros(3)
    view = whole[2:4]
    for _ in range(3):
        before = versions.tick()
        versions.stamp_all([view, other])
        after = versions.tick()
        for array in (whole, view, other, other[::-1]):
            assert versions.modified_since(array, before)
            assert not versions.modified_since(array, after)
    assert not versions.modified_since(np.zeros(3), 0)


def test_a_new_buffer_at_an_old_address_is_not_stamped():
    for _ in range(100):
        buffer = np.zeros(1000)
        assert not versions.modified_since(buffer, 0)
        versions.stamp_all([buffer])
        assert versions.modified_since(buffer, 0)
        del buffer


def test_backward_refuses_what_was_stamped_with_others():
    x, y = (ag.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    loss = (x * x).sum()
    other = (y * y).sum()
    versions.stamp_all([x._data])
    other.backward()
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()


def test_a_writer_stamps_all_its_buffers_views_and_owners():
    whole, other, stranger = np.zeros(6), np.zeros(3), np.zeros(3)
    writer = versions.Writer([whole[2:4], other])
    assert not versions.modified_since(whole, 0)
    for _ in range(2):
        before = versions.tick()
        writer.stamp()
        assert versions.latest > before
        for array in (whole, whole[2:4], other[::-1]):
            assert versions.modified_since(array, before)
            assert not versions.modified_since(array, versions.latest)
        assert not versions.modified_since(stranger, before)
    later = versions.tick()
    versions.stamp(other)  # by somebody else
    assert versions.modified_since(other, later)
    assert not versions.modified_since(whole, later)


def test_the_stamps_of_a_writer_outlive_it():
    array, other = np.zeros(3), np.zeros(3)
    writer, unused = versions.Writer([array]), versions.Writer([other])
    before = versions.tick()
    writer.stamp()
    after = versions.tick()
    versions.stamp(array)
    del writer, unused
    assert versions.modified_since(array, before)
    assert versions.modified_since(array, after)  # the newer stamp stays
    assert not versions.modified_since(other, 0)


def test_backward_refuses_what_a_writer_stamped_that_is_gone():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    writer = versions.Writer([x._data])
    writer.stamp()
    del writer
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()
