"""What a picture says when asked: values, statistics, cost, source, the first NaN, and the words for static arguments."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor
from autograd.visualize import draw
from autograd.visualize.recording import Statistics, statistics, value_statistics
from autograd.visualize.walk import all_nodes
from autograd.visualize.wording import arguments_text, seconds_text, statistics_text


def vertex(drawing, name):
    (found,) = [vertex for vertex in drawing.nodes if vertex.name == name]
    return found


def leaf(*values, name="x"):
    tensor = ag.tensor(values, requires_grad=True)
    tensor.name = name
    return tensor


# ---------------------------------------------------------------------------------------------------- values


def test_values_that_the_graph_holds_are_shown():
    x = leaf(0.5, 1.0)
    y = ag.tanh(x * 2.0)
    drawing = draw(y, show="value")
    assert vertex(drawing, "x").written == "= [0.5, 1]"
    assert vertex(drawing, "tanh").written == "= [0.7616, 0.964]"  # its rule reads its output
    assert vertex(drawing, "multiply").written == ""  # nothing keeps it
    assert "[0.5, 1]" in drawing.dot
    assert "= [0.7616, 0.964]" in str(drawing)


def test_after_backward_only_leaves_and_outputs_are_known():
    x = leaf(2.0)
    y = ag.exp(ag.exp(x)).sum()
    y.backward()
    drawing = draw(y, show="value")
    assert vertex(drawing, "x").written == "= [2]"
    assert vertex(drawing, "sum").written == "= 1618"
    assert [v.written for v in drawing.nodes if v.name == "exp"] == ["", ""]


def test_all_values_are_known_where_they_were_recorded():
    x = leaf(2.0, -2.0)
    with ag.record_statistics():
        y = (ag.relu(x) * 3.0).sum()
    y.backward()
    drawing = draw(y, show=("value", "source"))
    assert [vertex(drawing, name).written for name in ("relu", "multiply", "sum")] == ["= [2, 0]", "= [6, 0]", "= 6"]
    assert re.fullmatch(r"test_show.py:\d+", vertex(drawing, "relu").line)
    assert vertex(drawing, "relu").line in drawing.dot


def test_a_picture_does_not_tell_where_its_maker_lives(monkeypatch):
    x = leaf(2.0)
    with ag.record_source():
        y = ag.exp(x)
    folder = Path(__file__).parent
    monkeypatch.chdir(folder)
    assert str(folder) not in draw(y).dot
    assert re.search(r"source: test_show\.py:\d+", draw(y).dot)
    monkeypatch.chdir(folder.parent)
    assert f"source: {folder.name}/test_show.py:" in draw(y).dot


def test_statistics_are_those_of_the_array():
    values = np.random.default_rng(0).normal(2.0, 3.0, size=(50, 20)).astype(np.float32)
    x = Tensor(values, requires_grad=True)
    drawing = draw(x.sum(), params={"x": x}, show="stats")
    known = statistics(values)
    assert known.values == ()
    assert known.mean == pytest.approx(values.mean(), rel=1e-5)
    assert known.deviation == pytest.approx(values.std(), rel=1e-5)
    assert (known.least, known.greatest) == (values.min(), values.max())
    text = statistics_text(known)
    assert text == f"{values.mean():.4g} ± {values.std():.4g}, {values.min():.4g} … {values.max():.4g}"
    assert text in drawing.dot
    assert ("values", text) in vertex(drawing, "x").facts


def test_statistics_leave_out_what_is_not_finite_and_say_so():
    known = statistics(np.array([1.0, math.nan, 3.0, math.inf, 0.0, 0.0]))
    assert known[1:] == (0.0, 3.0, 1.0, pytest.approx(np.std([1.0, 3.0, 0.0, 0.0])), pytest.approx(1 / 3), "nan")
    assert statistics_text(known).endswith("with NaN")
    assert statistics(np.array([1.0, math.inf])).fault == "inf"
    assert statistics_text(statistics(np.full(9, np.nan))) == "no finite value"
    assert statistics(np.array([], np.float32)) == Statistics((), *[pytest.approx(math.nan, nan_ok=True)] * 4, 0.0, "")
    assert statistics(np.array([True, False])).values == (1.0, 0.0)


def test_recorded_statistics_agree_with_kept_arrays():
    def make(x):
        return (ag.tanh(ag.exp(x) * 0.1) * x).sum()

    x = leaf(0.1, 0.2, 0.3)
    y = make(x)
    kept = value_statistics(all_nodes([y.node]), {y.node: y._data})
    with ag.record_statistics():
        z = make(x)
    recorded = value_statistics(all_nodes([z.node]), {z.node: z._data})
    assert len(kept) < len(recorded) == 6
    for one, other in zip(all_nodes([y.node]), all_nodes([z.node]), strict=True):
        if one in kept:
            assert kept[one] == recorded[other]


def test_a_tracer_around_the_recorder_goes_on():
    x = leaf(-1.0)
    with pytest.raises(ag.AnomalyError, match="sqrt: the forward pass gave nan"), ag.detect_anomaly(), ag.record_statistics():
        ag.sqrt(x)
    with pytest.raises(ag.AnomalyError, match="sqrt: the backward pass gave inf"), ag.detect_anomaly(), ag.record_statistics():
        ag.sqrt(leaf(0.0)).sum().backward()


def test_the_recorder_ends_with_its_block_and_decorates():
    x = leaf(1.0)
    recording = ag.record_statistics()
    with recording:
        pass
    y = ag.exp(x)
    assert not hasattr(y.node, "trace")

    @recording
    def model(t):
        return ag.exp(t)

    assert vertex(draw(ag.exp(model(x)), show="value", params={"x": x}), "x")
    assert model(x).node.trace


# ---------------------------------------------------------------------------------------------------- the first NaN


def test_the_op_in_which_a_nan_first_arose_is_marked():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    with ag.record_statistics():
        y = ag.log(model(ag.ones(4, 2)) * 0.0 - 1.0).mean() * 2.0
    drawing = draw(y)
    assert [v.name for v in drawing.nodes if v.fault] == ["log"]
    assert re.search(r"first NaN: log \(test_show.py:\d+\)", drawing.dot)
    assert "✕ first NaN" in drawing.dot
    assert "✕ first NaN" in str(drawing)
    assert "first NaN" in drawing.mermaid.replace("#10005;", "✕")
    assert "penwidth=3" in drawing.dot


def test_in_a_module_it_is_named_by_its_path():
    class Root(nn.Module):
        def forward(self, x):
            return ag.sqrt(x) + 1.0

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Root()

        def forward(self, x):
            return self.inner(x) * 2.0

    with ag.record_statistics():
        y = Net()(leaf(-1.0)).sum()
    assert "first NaN: sqrt in model.inner (test_show.py:" in draw(y).dot
    assert [v.kind for v in draw(y, depth=0).nodes if v.fault] == ["module"]


def test_a_nan_of_which_the_beginning_is_not_known_is_called_seen():
    y = ag.log(leaf(-1.0) * 1.0) * 2.0  # the values of log and of its argument: one is kept, one is not
    y = (y + 0.0).sum()
    assert "NaN seen first: " in draw(y).dot


def test_a_nan_in_the_data_or_a_parameter_is_not_blamed_on_an_op():
    x = leaf(math.nan, 1.0, name="weight")
    with ag.record_statistics():
        y = (x * 2.0).sum()
    drawing = draw(y)
    assert "first NaN: in weight" in drawing.dot
    assert [v.name for v in drawing.nodes if v.fault] == ["weight"]


def test_without_a_nan_nothing_is_marked():
    drawing = draw(ag.exp(leaf(1e30)).sum())  # inf is none
    assert not any(v.fault for v in drawing.nodes)
    assert "NaN" not in drawing.dot


def test_a_folded_block_with_the_first_nan_is_left_out_of_the_fold():
    blocks = nn.Sequential(*(nn.Linear(3, 3) for _ in range(7)))
    blocks[3].weight.data = np.full((3, 3), np.inf, np.float32)
    with ag.record_statistics():
        y = blocks(ag.tensor([[1.0, -1.0, 0.5]])).sum()
    assert [v.name for v in draw(y).nodes if v.fault] == ["linear"]


# ---------------------------------------------------------------------------------------------------- time and memory


def costs(y):
    return {node: (0.002 * (index + 1), 1000 * index) for index, node in enumerate(all_nodes([y.node])) if not node.is_leaf}


def test_time_and_memory_come_from_a_mapping_of_nodes():
    x = leaf(1.0)
    y = ag.exp(x * 2.0)
    drawing = draw(y, show=("time", "memory"), profile=costs(y))
    assert (vertex(drawing, "multiply").seconds, vertex(drawing, "exp").seconds) == (0.004, 0.006)
    assert "4 ms · 40 %" in drawing.dot
    assert "1000 B made · 33 %" in drawing.dot
    assert "10 ms" in drawing.to_dict()["subtitle"]
    assert ("time", "6 ms") in vertex(drawing, "exp").facts
    assert "6 ms" in str(drawing)


def test_the_costs_of_what_is_collapsed_and_folded_add_up():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(5)))
    y = model(ag.ones(2, 4)).sum()
    spent = costs(y)
    total = sum(seconds for seconds, _ in spent.values())
    made = sum(memory for _, memory in spent.values())
    for depth in (0, 1, None):
        drawing = draw(y, depth=depth, show="time", profile=spent)
        assert sum(v.seconds or 0 for v in drawing.nodes) == pytest.approx(total)
        assert sum(v.memory or 0 for v in drawing.nodes) == made


def test_an_object_with_nodes_is_taken_as_a_profile():
    class Cost:
        seconds = 0.5
        made = 2048

    class Profile:
        def __init__(self, nodes):
            self.nodes = nodes

    y = ag.exp(leaf(1.0))
    drawing = draw(y, show="all", profile=Profile({y.node: Cost()}))
    assert vertex(drawing, "exp").memory == 2048
    assert "500 ms · 100 %" in drawing.dot


@pytest.mark.parametrize("show", ["time", ("shape", "memory")])
def test_time_and_memory_need_a_profile(show):
    with pytest.raises(ValueError, match=r"draw: expected profile= for show='(time|memory)', got None; pass what"):
        draw(ag.exp(leaf(1.0)), show=show)
    assert draw(ag.exp(leaf(1.0)), show="all").dot


@pytest.mark.parametrize(("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.2e-5, "42 µs"), (3e-7, "0.3 µs")])
def test_seconds_for_people(seconds, text):
    assert seconds_text(seconds) == text


# ---------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("in_features=2, out_features=16, bias=True", "2, 16"),
        ("in_features=2, out_features=16, bias=False", "2, 16, bias=False"),
        ("3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)", "3, 8, 3×3, padding=1"),
        ("3, 8, kernel_size=(3, 5), stride=(2, 2)", "3, 8, 3×5, stride=2"),
        ("(64,), eps=1e-05, elementwise_affine=True", "64"),
        ("64, heads=4", "64, heads=4"),
        ("p=0.5, inplace=False", "0.5"),
        ("", ""),
    ],
)
def test_the_arguments_of_modules_are_shortened(given, text):
    assert arguments_text(given) == text


@pytest.mark.parametrize(
    ("make", "name", "text"),
    [
        (lambda x: x.sum(1), "sum", "axis=1"),
        (lambda x: x * 0.5, "multiply", "×0.5"),
        (lambda x: x - 1, "subtract", "−1"),
        (lambda x: x**2, "power", "^2"),
        (lambda x: x[:, 1], "getitem", "[:, 1]"),
        (lambda x: x[1:3, ::2], "getitem", "[1:3, ::2]"),
        (lambda x: x[..., None], "getitem", "[…, None]"),
        (lambda x: x.reshape(-1), "reshape", ""),
        (lambda x: ag.conv2d(x.reshape(1, 1, 4, 6), ag.ones(1, 1, 3, 3, requires_grad=True), padding=1), "conv", "3×3 pad 1"),
        (lambda x: ag.conv2d(x.reshape(1, 1, 4, 6), ag.ones(1, 1, 2, 3), stride=2), "conv", "2×3 stride 2"),
    ],
)
def test_static_arguments_say_what_matters_and_no_more(make, name, text):
    x = ag.ones(4, 6, requires_grad=True)
    assert vertex(draw(make(x)), name).detail == text


def test_no_array_is_printed_into_a_picture():
    x = ag.randn(4, 6, requires_grad=True)
    y = ag.max_pool2d(ag.layer_norm(x, 6).reshape(1, 1, 4, 6), 2).sum()
    assert "array" not in draw(y).dot


# ---------------------------------------------------------------------------------------------------- classes and indices


def test_classes_and_indices_are_inputs_with_the_names_of_their_tensors():
    table, ids = ag.randn(7, 3, requires_grad=True), ag.tensor([[1, 2], [3, 4]])
    targets = ag.tensor([0, 1, 2, 0])
    loss = ag.cross_entropy(table[ids].reshape(4, 3), targets)
    drawing = draw(loss, params={"ids": ids, "targets": targets, "table": table})
    inputs = {v.name: v for v in drawing.nodes if v.kind == "input"}
    assert inputs.keys() == {"ids", "targets"}
    assert (inputs["ids"].shape, inputs["ids"].dtype) == ((2, 2), "int64")
    heads = {edge.tail: edge.head for edge in drawing.edges}
    names = {v.key: v.name for v in drawing.nodes}
    assert {names[tail]: names[head] for tail, head in heads.items() if names[tail] in inputs} == {
        "ids": "getitem",
        "targets": "cross_entropy",
    }
    assert all(not edge.tracked for edge in drawing.edges if names[edge.tail] in inputs)
    unnamed = {v.name for v in draw(loss).nodes if v.kind == "input"}
    assert unnamed == {"index", "target"}


def test_a_parameter_is_named_by_the_module_that_owns_it_wherever_it_is_used_first():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)

        def forward(self, x):
            return self.fc(x)

    net = Net()
    penalty = net.fc.bias.square().sum()
    drawing = draw(net(ag.ones(1, 2)).sum() + penalty)
    chips = [v for v in drawing.nodes if v.name == "bias"]
    assert [chip.again for chip in chips].count(True) == 1
    (home,) = [chip for chip in chips if not chip.again]
    assert [box.name for box in drawing.modules if box.key == home.module] == ["fc"]
