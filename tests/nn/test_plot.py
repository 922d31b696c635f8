"""Pictures of training: what is drawn is what was recorded, in the limits, words and colours of the pictures of graphs."""

from __future__ import annotations

import builtins
import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.visualize import Thresholds
from autograd.visualize.style import DARK, LIGHT


@pytest.fixture(scope="module")
def recorder():
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    recorder = nn.Recorder(model, every=5)
    for _ in range(21):
        optimizer.zero_grad()
        loss = model(ag.randn(8, 3)).square().mean()
        loss.backward()
        recorder.step(loss)
        optimizer.step()
    return recorder


def texts(axes):
    return [text.get_text().strip() for text in axes.texts if text.get_text().strip()]


def drawn(figure, path):
    figure.savefig(path)
    return path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_is_drawn_in_both_themes(recorder, theme, tmp_path):
    ground = {"light": LIGHT, "dark": DARK}[theme].ground.lower()
    from matplotlib.colors import to_hex

    for name, make in {
        "loss": lambda: nn.plot.loss_curve(recorder, theme=theme),
        "flow": lambda: nn.plot.gradient_flow(recorder, theme=theme),
        "activations": lambda: nn.plot.histograms(recorder, theme=theme),
        "gradients": lambda: nn.plot.histograms(recorder, "gradients", theme=theme),
        "updates": lambda: nn.plot.update_ratio(recorder, theme=theme),
        "overview": lambda: nn.plot.overview(recorder, theme=theme),
    }.items():
        figure = make()
        assert to_hex(figure.get_facecolor()) == ground
        assert drawn(figure, tmp_path / f"{name}.png")


def test_the_loss_curve_has_the_losses(recorder):
    (axes,) = nn.plot.loss_curve(recorder).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), recorder.losses)
    assert axes.get_yscale() == "log"
    assert nn.plot.loss_curve([1.0, -1.0]).axes[0].get_yscale() == "linear"
    (axes,) = nn.plot.loss_curve({"training": [3.0, 2.0], "validation": [3.0, 2.5]}, log=False).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert axes.get_yscale() == "linear"


def test_the_first_nan_of_a_loss_is_marked():
    (axes,) = nn.plot.loss_curve([1.0, 0.5, float("nan"), 0.2, float("inf")]).axes
    assert texts(axes) == ["✕ NaN"]
    assert list(axes.lines[-1].get_xdata()) == [2, 2]


def sick():
    ag.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(6)))
    scales = (1e-3, 1e-10, 1e3, np.nan, 0.0)
    for layer, scale in zip(model, scales, strict=False):
        layer.weight.grad = ag.tensor(layer.weight._data * np.float32(scale))
    return model


def test_the_gradient_flow_has_a_bar_for_each_parameter_in_order_with_the_words_of_the_graphs():
    model = sick()
    (axes,) = nn.plot.gradient_flow(model).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [name for name, _ in model.named_parameters()]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the input at the top
    assert axes.get_xscale() == "log"
    words = texts(axes)
    assert words[:5] == ["▼ vanishing", "▲ exploding", "✕ NaN", "○ zero grad", "– no grad"]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths[:3] == pytest.approx([1e-3, 1e-10, 1e3], rel=1e-4)
    limits = [line.get_xdata()[0] for line in axes.lines]
    assert limits == [Thresholds().vanishing, Thresholds().exploding]


def test_limits_can_be_given():
    model = sick()
    (axes,) = nn.plot.gradient_flow(model, thresholds=Thresholds(vanishing=1e-2, exploding=1e4)).axes
    assert texts(axes)[:2] == ["▼ vanishing", "▼ vanishing"]


def test_the_flow_of_a_recorder_is_that_of_its_last_look(recorder):
    (axes,) = nn.plot.gradient_flow(recorder).axes
    widths = [bar.get_width() for bar in axes.patches]
    expected = [recorder.gradients[name][-1] / recorder.weights[name][-1] for name in recorder.gradients]
    assert widths == pytest.approx(expected)


def test_a_bias_that_is_still_zero_is_not_called_exploding():
    model = nn.Linear(2, 2)
    model.bias.data = np.zeros(2, np.float32)
    model.weight.grad, model.bias.grad = ag.ones(2, 2) * 0.01, ag.ones(2) * 0.01
    assert texts(nn.plot.gradient_flow(model).axes[0]) == ["▼ vanishing", "▲ exploding"]  # the names of the lines only


def test_a_histogram_for_each_layer_and_each_parameter(recorder):
    figure = nn.plot.histograms(recorder)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["0 Linear", "1 ReLU", "2 Linear"]
    assert "% zero" in texts(shown[1])[0]
    for axes, values in zip(shown, recorder.activations.values(), strict=True):
        (stairs,) = axes.patches
        assert stairs.get_data().values.sum() == values.size
    shown = [axes for axes in nn.plot.histograms(recorder, "gradients").axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == list(recorder.gradients)


def test_update_ratios_are_drawn_over_their_steps(recorder):
    (axes,) = nn.plot.update_ratio(recorder).axes
    for line, (name, values) in zip(axes.lines, recorder.updates.items(), strict=False):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_ydata(), values)
        np.testing.assert_array_equal(line.get_xdata(), recorder.steps[: len(values)])
    assert axes.get_yscale() == "log"


def test_of_many_parameters_the_matrices_are_drawn():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(12)))
    recorder = nn.Recorder(model, every=1)
    for _ in range(2):
        loss = model(ag.ones(1, 2)).sum()
        loss.backward()
        recorder.step(loss)
        for parameter in model.parameters():
            parameter.data = parameter._data * np.float32(1.01)
    (axes,) = nn.plot.update_ratio(recorder).axes
    assert len([line for line in axes.lines if str(line.get_label()).endswith("weight")]) == 12
    assert len(axes.get_legend().get_texts()) == 2


def test_wrong_arguments(recorder):
    with pytest.raises(ValueError, match="plot: expected theme among light, dark, got 'pink'"):
        nn.plot.loss_curve(recorder, theme="pink")
    with pytest.raises(ValueError, match="histograms: expected activations or gradients, got 'weights'"):
        nn.plot.histograms(recorder, "weights")
    fresh = nn.Recorder(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="gradient_flow: expected a Recorder that has seen a step"):
        nn.plot.gradient_flow(fresh)
    with pytest.raises(ValueError, match="histograms: expected a Recorder that has seen activations"):
        nn.plot.histograms(fresh)
    with pytest.raises(TypeError, match="gradient_flow: expected a Module or a Recorder, got int"):
        nn.plot.gradient_flow(3)


def test_without_matplotlib_it_says_what_to_install(recorder, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="nn.plot: expected matplotlib to be installed; pip install matplotlib"):
        nn.plot.loss_curve(recorder)


def test_nn_does_not_load_matplotlib():
    code = (
        "import sys, nn; nn.plot; sys.exit(any(name.startswith(('matplotlib', 'autograd.visualize')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
