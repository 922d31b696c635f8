"""Pictures of a training run, in the colours and words of the pictures of graphs. Needs matplotlib: ``pip install matplotlib``.

Each function returns a matplotlib Figure: ``nn.plot.gradient_flow(model).savefig("flow.png")``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nn.module import Module
from nn.recorder import Array, Recorder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autograd.visualize import Thresholds
    from autograd.visualize.style import Theme

_FLOOR = 1e-12  # where the logarithmic axis of gradients ends
# after Okabe and Ito's colours, which the colour-blind can tell apart: for a light and for a dark ground
_LINES = {
    "light": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#7F7F7F"),
    "dark": ("#56B4E9", "#E8702A", "#2FBF93", "#E58FD0", "#F0B429", "#8FD0FF", "#B79CE6", "#A0A0A0"),
}
_MOST_LINES = 8


def _look(theme: str) -> Theme:
    from autograd.visualize.style import THEMES

    if theme not in THEMES:
        raise ValueError(f"plot: expected theme among {', '.join(THEMES)}, got {theme!r}")
    return THEMES[theme]


def _lines(look: Theme) -> tuple[str, ...]:
    return _LINES["light" if look.ground == "#FFFFFF" else "dark"]


def _figure(width: float, height: float, look: Theme) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("nn.plot: expected matplotlib to be installed; pip install matplotlib") from None
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, wspace=0.03, hspace=0.05)
    return Figure(figsize=(width, height), facecolor=look.ground, layout=engine, dpi=130)


def _dress(axes: Axes, look: Theme, title: str, grid: str = "both", size: float = 12, pad: float = 10) -> None:
    axes.set_facecolor(look.ground)
    axes.set_title(title, loc="left", fontsize=size, fontweight="bold", color=look.text, pad=pad)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(look.box_line)
    axes.tick_params(colors=look.small, labelsize=9, length=3)
    axes.xaxis.label.set_color(look.small)
    axes.yaxis.label.set_color(look.small)
    axes.grid(axis=grid, color=look.box_line, linewidth=0.6, alpha=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _smoothed(values: Sequence[float]) -> np.ndarray[Any, Any]:
    """An exponentially weighted mean over about a thirtieth of the run, without the bias of its beginning."""
    decay = 1.0 - 1.0 / max(len(values) / 30.0, 1.0)
    total = weight = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total, weight = decay * total + value, decay * weight + 1.0
        result.append(total / weight if weight else math.nan)
    return np.array(result)


def loss_curve(
    losses: Recorder | Sequence[float] | Mapping[str, Sequence[float]], *, log: bool = True, theme: str = "light"
) -> Figure:
    """The loss over the steps: every value pale, and a running mean.

    Args:
        losses: a Recorder, numbers, or several named series, such as training and validation.
        log: a logarithmic axis, where all values are positive.
        theme: "light" or "dark".
    """
    look = _look(theme)
    figure = _figure(7, 3.6, look)
    _loss_curve(figure.subplots(), losses, log, look)
    return figure


def _loss_curve(axes: Axes, losses: Any, log: bool, look: Theme) -> None:
    if isinstance(losses, Recorder):
        losses = losses.losses
    series = losses if isinstance(losses, Mapping) else {"loss": losses}
    _dress(axes, look, "Loss")
    positive = True
    for (name, values), colour in zip(series.items(), _lines(look) * len(series), strict=False):
        steps = np.arange(len(values))
        axes.plot(steps, values, color=colour, linewidth=0.7, alpha=0.35)
        axes.plot(steps, _smoothed(values), color=colour, linewidth=1.8, label=name)
        positive = positive and all(value > 0 for value in values if math.isfinite(value))
        bad = [step for step, value in enumerate(values) if not math.isfinite(value)]
        if bad:
            axes.axvline(bad[0], color=look.fault, linestyle="--", linewidth=1.2)
            axes.text(bad[0], 0.97, " ✕ NaN", color=look.fault, transform=axes.get_xaxis_transform(), va="top", fontsize=9)
    if log and positive:
        axes.set_yscale("log")
    if len(series) > 1:
        axes.legend(frameon=False, labelcolor=look.text, fontsize=9)
    axes.set_xlabel("step")


def gradient_flow(source: Module | Recorder, *, thresholds: Thresholds | None = None, theme: str = "light") -> Figure:
    """How large each parameter's gradient is beside the parameter itself: one bar each, from the input to the output.

    The length is rms(gradient) / rms(weight) on a logarithmic axis; the dashed lines are the limits of vanishing and exploding,
    the same as in pictures of graphs.

    Args:
        source: a model after ``backward()``, or a Recorder, of which the last look is drawn.
        thresholds: the limits.
        theme: "light" or "dark".
    """
    look = _look(theme)
    rows = _flow(source, thresholds)
    figure = _figure(7, max(1.6 + 0.27 * len(rows), 2.4), look)
    _gradient_flow(figure.subplots(), rows, thresholds, look)
    return figure


def _flow(source: Module | Recorder, thresholds: Thresholds | None) -> list[tuple[str, float, str]]:
    """(name, ratio, state) of each parameter."""
    from autograd.visualize import Thresholds
    from autograd.visualize.walk import health

    limits = thresholds or Thresholds()
    rows = []
    if isinstance(source, Recorder):
        if not source.steps:
            raise ValueError("gradient_flow: expected a Recorder that has seen a step, got one that has not")
        for name, history in source.gradients.items():
            gradient, weight = history[-1], source.weights[name][-1]
            values = None if gradient is None else np.array([gradient])
            rows.append((name, _ratio(gradient, weight), health(values, np.array([weight]), limits)[1]))
        return rows
    if not isinstance(source, Module):
        raise TypeError(f"gradient_flow: expected a Module or a Recorder, got {type(source).__name__}")
    for name, parameter in source.named_parameters():
        grad = parameter.grad
        size = None if grad is None else float(np.sqrt(np.mean(np.square(grad._data, dtype=np.float64))))
        weight = float(np.sqrt(np.mean(np.square(parameter._data, dtype=np.float64))))
        state = health(None if grad is None else grad._data, parameter._data, limits)[1]
        rows.append((name, _ratio(size, weight), state))
    return rows


def _ratio(gradient: float | None, weight: float) -> float:
    return 0.0 if gradient is None else gradient / max(weight, 1e-8) if weight else gradient


def _gradient_flow(axes: Axes, rows: list[tuple[str, float, str]], thresholds: Thresholds | None, look: Theme) -> None:
    from autograd.visualize import Thresholds
    from autograd.visualize.style import SYMBOLS, WORDS

    limits = thresholds or Thresholds()
    _dress(axes, look, "Gradient flow", grid="x", pad=20)
    least, most = limits.vanishing / 30, limits.exploding * 30
    finite = [ratio for _, ratio, _ in rows if math.isfinite(ratio) and ratio > 0]
    least = max(min([least, *(ratio / 3 for ratio in finite)]), _FLOOR)
    most = max([most, *(ratio * 3 for ratio in finite)])
    for place, (_, ratio, state) in enumerate(rows):
        paint = look.states.get(state, look.parameter)
        shown = most if state == "nan" else ratio if ratio > 0 else least
        axes.barh(place, shown, left=0, height=0.66, color=paint.fill, edgecolor=paint.line, linewidth=1.1)
        if state:
            loud = state in ("nan", "exploding")
            at = least * (most / least) ** 0.01 if loud else max(shown, least) * (most / least) ** 0.012
            axes.text(at, place, f"{SYMBOLS[state]} {WORDS[state]}", va="center", fontsize=8.5, color=paint.small)
    for limit, word in ((limits.vanishing, "▼ vanishing"), (limits.exploding, "▲ exploding")):
        axes.axvline(limit, color=look.quiet, linestyle="--", linewidth=1.0)
        side = "right" if word.startswith("▼") else "left"
        axes.text(
            limit, 1.0, f" {word} ", transform=axes.get_xaxis_transform(), ha=side, va="bottom", fontsize=8, color=look.small
        )
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=look.text)
    axes.set_xlabel("rms(gradient) / rms(weight)")


def histograms(recorder: Recorder, what: str = "activations", *, theme: str = "light") -> Figure:
    """How the values of each layer are spread at the last look: one small histogram each, from the input to the output.

    Args:
        recorder: what it saw.
        what: "activations", one for each innermost module, or "gradients", one for each parameter.
        theme: "light" or "dark".
    """
    if what not in ("activations", "gradients"):
        raise ValueError(f"histograms: expected activations or gradients, got {what!r}")
    look = _look(theme)
    samples = _samples(recorder, what)
    if not samples:
        raise ValueError(f"histograms: expected a Recorder that has seen {what}, got one that has not")
    columns = min(len(samples), 4)
    rows = -(-len(samples) // columns)
    figure = _figure(2.5 * columns + 0.4, 1.75 * rows + 0.6, look)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, (name, sample) in zip(grid.flat, samples.items(), strict=False):
        axes.set_visible(True)
        _histogram(axes, name, sample, look)
    figure.suptitle(what.capitalize(), x=0.01, ha="left", fontsize=13, fontweight="bold", color=look.text)
    return figure


def _samples(recorder: Recorder, what: str) -> dict[str, Array]:
    if what == "gradients":
        return dict(recorder.gradient_samples)
    return {f"{name} {recorder.layers[name]}": values for name, values in recorder.activations.items()}


def _histogram(axes: Axes, name: str, sample: Array, look: Theme) -> None:
    from autograd.visualize.model import number_text

    _dress(axes, look, name, grid="x", size=9.5, pad=5)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(labelsize=8)
    values = sample[np.isfinite(sample)].astype(np.float64)
    if values.size:
        counts, edges = np.histogram(values, bins=40)
        axes.stairs(counts, edges, fill=True, facecolor=look.parameter.fill, edgecolor=look.accent, linewidth=1.2)
        axes.set_ylim(0, 1.4 * counts.max())  # the note stands above
    if values.size < sample.size:
        note, colour = "✕ NaN", look.fault
    else:
        note, colour = f"{number_text(float(values.mean()))} ± {number_text(float(values.std()))}", look.small
        note += f"\n{_zeros(values)}"
    axes.text(0.98, 0.95, note, transform=axes.transAxes, ha="right", va="top", fontsize=8, color=colour)


def _zeros(values: Array) -> str:
    """``24 % zero``; nothing for less than half a percent."""
    share = 1.0 - int(np.count_nonzero(values)) / max(values.size, 1)
    return f"{100 * share:.0f} % zero" if share >= 0.005 else ""


def update_ratio(recorder: Recorder, *, theme: str = "light") -> Figure:
    """How far each update moved each parameter, as a share of it, over the steps.

    The dashed line is at 1e-3, a rule of thumb for training that goes well: far below it little is learnt, far above it the
    weights are thrown about. With more than eight parameters, the matrices are drawn and the vectors are not.

    Args:
        recorder: what it saw.
        theme: "light" or "dark".
    """
    look = _look(theme)
    figure = _figure(7, 3.6, look)
    _update_ratio(figure.subplots(), recorder, look)
    return figure


def _update_ratio(axes: Axes, recorder: Recorder, look: Theme) -> None:
    _dress(axes, look, "Update / weight")
    series = {name: values for name, values in recorder.updates.items() if values}
    if len(series) > _MOST_LINES:
        series = {name: values for name, values in series.items() if recorder._parameters[name].ndim > 1} or series
    names = list(series)
    spread = {name: place for place, name in enumerate(names)}
    for name, values in series.items():
        # many lines: a scale from the first layer to the last; few: colours that differ
        few = len(names) <= _MOST_LINES
        colour = _lines(look)[spread[name]] if few else _between(look, spread[name] / (len(names) - 1))
        axes.plot(recorder.steps[: len(values)], values, color=colour, linewidth=1.3, label=name)
    axes.axhline(1e-3, color=look.quiet, linestyle="--", linewidth=1.0)
    axes.text(1.0, 1e-3, "1e-3 ", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8, color=look.small)
    if any(value > 0 for values in series.values() for value in values):
        axes.set_yscale("log")
    axes.set_xlabel("step")
    if names:
        shown = axes.get_legend_handles_labels()
        if len(names) > _MOST_LINES:
            shown = ([shown[0][0], shown[0][-1]], [f"{names[0]} (first)", f"{names[-1]} (last)"])
        axes.legend(*shown, frameon=False, labelcolor=look.text, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _between(look: Theme, share: float) -> tuple[float, float, float]:
    """A colour on the way from the accent to that of what is kept."""
    ends = [[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in (look.accent, look.saved)]
    first, second, third = (a + (b - a) * share for a, b in zip(*ends, strict=True))
    return first, second, third


def _ranges(axes: Axes, samples: dict[str, Array], look: Theme) -> None:
    """Where most of the values of each layer lie: the middle 90 % and the middle half, and the share of zeros."""
    _dress(axes, look, "Activations", grid="x")
    for place, sample in enumerate(samples.values()):
        values = sample[np.isfinite(sample)].astype(np.float64)
        if values.size < sample.size or not values.size:
            axes.text(0.02, place, "✕ NaN", transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=look.fault)
            continue
        low, first, middle, third, high = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
        axes.plot([low, high], [place, place], color=look.accent, linewidth=1.4, solid_capstyle="butt")
        axes.barh(place, third - first, left=first, height=0.5, color=look.parameter.fill, edgecolor=look.accent, linewidth=1.1)
        axes.plot([middle, middle], [place - 0.25, place + 0.25], color=look.accent, linewidth=2.0)
        axes.text(
            1.0,
            place,
            f"{_zeros(values)} ",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=8,
            color=look.small,
        )
    axes.set_yticks(range(len(samples)), list(samples))
    axes.set_ylim(len(samples) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=look.text)
    axes.set_xlabel("middle 90 %, middle half and median of the values")


def overview(recorder: Recorder, *, theme: str = "light") -> Figure:
    """Loss, updates, gradient flow and activations of a run on one sheet.

    Args:
        recorder: what it saw.
        theme: "light" or "dark".
    """
    look = _look(theme)
    rows, samples = _flow(recorder, None), _samples(recorder, "activations")
    lines = len(rows) + len(samples)
    figure = _figure(13, max(6.2, 2.4 + 0.26 * lines), look)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.15, 1.0))
    left = grid[0, 0].subgridspec(2, 1)
    _loss_curve(figure.add_subplot(left[0, 0]), recorder, True, look)
    _update_ratio(figure.add_subplot(left[1, 0]), recorder, look)
    right = grid[0, 1].subgridspec(2, 1, height_ratios=(len(rows) + 2, len(samples) + 2))
    if samples:
        _ranges(figure.add_subplot(right[1, 0]), samples, look)
    _gradient_flow(figure.add_subplot(right[0, 0] if samples else grid[0, 1]), rows, None, look)
    return figure
