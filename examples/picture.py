"""The look that the examples' pictures share: that of the pictures of graphs and of ``nn.plot``. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autograd.visualize.style import LIGHT

COLOURS = ("#0072B2", "#B54700", "#007A5E")  # the colour-blind can tell them apart, and they differ in grey
LOOK = {
    "text.color": LIGHT.text,
    "axes.labelcolor": LIGHT.small,
    "xtick.color": LIGHT.small,
    "ytick.color": LIGHT.small,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.edgecolor": LIGHT.box_line,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "grid.color": LIGHT.box_line,
    "grid.linewidth": 0.6,
    "figure.titlesize": 14,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "legend.fontsize": 9,
}


@contextmanager
def picture(
    path: Path, title: str, caption: str = "", *, rows: int = 1, columns: int = 1, size: tuple[float, float], **options: Any
) -> Iterator[Any]:
    """The axes of a picture to draw into, an array of (rows, columns); saved at the end, without those that stayed empty.

    Args:
        path: where to, a PNG.
        title: what is seen.
        caption: how to read it, a line or two below.
        size: inches, of which each is 130 pixels.
        options: of matplotlib's ``Figure.subplots``, such as ``sharey=True``.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(LOOK):
        figure = Figure(figsize=size, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
        figure.suptitle(title, x=0.01, ha="left")
        figure.supxlabel(caption, x=0.01, ha="left", fontsize=9, color=LIGHT.small)
        axes = figure.subplots(rows, columns, squeeze=False, **options)
        yield axes
        for axis in axes.flat:
            axis.set_visible(axis.has_data())
        figure.savefig(path, dpi=130)


def plain_logarithmic(axis: Any, *steps: float) -> None:
    """Marks an axis at these multiples of each power of ten, as plain numbers: 0.2, 0.5, 1."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=steps or (1.0,)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def save_mistakes(path: Path, images: np.ndarray, labels: np.ndarray, guesses: np.ndarray) -> None:
    """The first of the held-out digits (N, height, width) that were read wrong, each with its label and the guess."""
    wrong = np.flatnonzero(labels != guesses)
    shown = wrong[:40]
    columns = min(max(len(shown), 5), 10)
    rows = max(-(-len(shown) // columns), 1)
    title = f"{len(wrong)} of {len(labels):,} held-out digits read wrong"
    caption = "Above each: what it is, and what it was read as." + " These are the first 40." * (len(wrong) > len(shown))
    with picture(path, title, caption, rows=rows, columns=columns, size=(1.2 * columns, 1.4 * rows + 0.8)) as axes:
        for axis, index in zip(axes.flat, shown, strict=False):
            axis.imshow(images[index], cmap="gray_r", vmin=0, vmax=images.max())
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)
            axis.set_title(f"{labels[index]}, read {guesses[index]}", fontsize=9, fontweight="normal")
