"""The frame of the examples' pictures."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from examples.picture import picture, plain_logarithmic, save_mistakes


def test_the_look_is_the_pictures_own_and_empty_axes_are_not_shown(tmp_path):
    before = dict(matplotlib.rcParams)
    with picture(tmp_path / "a.png", "Title", "caption", columns=3, size=(4.0, 2.0), sharey=True) as axes:
        assert axes.shape == (1, 3)
        axes[0, 0].plot([1, 2])
        axes[0, 1].imshow([[0.0, 1.0]])
    assert [axis.get_visible() for axis in axes[0]] == [True, True, False]
    assert axes[0, 0].figure.get_suptitle() == "Title"
    assert axes[0, 0].figure.get_supxlabel() == "caption"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("steps", "labels"),
    [((), ["0.1", "1"]), ((1, 2, 5), ["0.05", "0.1", "0.2", "0.5", "1", "2"])],
    ids=["decades", "one, two, five"],
)
def test_logarithmic_axes_have_plain_numbers(tmp_path, steps, labels):
    with picture(tmp_path / "a.png", "Title", size=(4.0, 2.0)) as axes:
        axis = axes[0, 0]
        axis.plot([0.04, 3.0], [0.04, 3.0])
        axis.set(yscale="log", ylim=(0.04, 3.0))
        plain_logarithmic(axis.yaxis, *steps)
    low, high = axis.get_ylim()
    shown = [label.get_text() for label in axis.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert shown == labels
    assert not any(label.get_text() for label in axis.get_yticklabels(minor=True))


@pytest.mark.parametrize("wrong", [0, 1, 60])
def test_mistakes_are_drawn_however_many(tmp_path, wrong):
    labels = np.zeros(70, np.int64)
    guesses = (np.arange(70) < wrong).astype(np.int64)
    save_mistakes(tmp_path / "a.png", np.full((70, 4, 4), 200, np.uint8), labels, guesses)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
