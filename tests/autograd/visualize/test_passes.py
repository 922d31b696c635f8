"""Folding, collapsing, chips and the limit, on models of modules made by hand from scopes."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from autograd import Tensor
from autograd.mode import Mode, Scope, get_mode, set_mode
from autograd.visualize import draw


class Layer:
    """Stands for a module: a named owner of parameters."""

    def __init__(self, scale: float = 0.3) -> None:
        rng = np.random.default_rng(0)
        self.weight = Tensor(rng.normal(size=(4, 4)) * scale, requires_grad=True)
        self.bias = Tensor(np.ones(4), requires_grad=True)

    def named_parameters(self):
        yield "weight", self.weight
        yield "bias", self.bias

    def extra_repr(self) -> str:
        return "4, 4"

    def __call__(self, x, name):
        with scope(name, self):
            return x @ self.weight + self.bias


@contextmanager
def scope(name, owner=None):
    mode = get_mode()
    set_mode(Mode(mode.recording, Scope(name, owner, mode.scope), mode.tracer, mode))
    try:
        yield
    finally:
        set_mode(mode)


def data() -> Tensor:
    x = Tensor(np.random.default_rng(1).normal(size=(5, 4)))
    x.name = "x"
    return x


def deep(layers) -> Tensor:
    x = data()
    with scope("model"):
        for index, layer in enumerate(layers):
            x = layer(x, f"blocks.{index}")
    loss = (x * x).sum()
    loss.name = "loss"
    return loss


def test_equal_blocks_are_drawn_once_with_their_number():
    drawing = draw(deep([Layer() for _ in range(6)]))
    (rolled,) = [box for box in drawing.modules if box.copies > 1]
    assert (rolled.name, rolled.last, rolled.copies) == ("blocks.0", "blocks.5", 6)
    assert sum(vertex.name == "matmul" for vertex in drawing.nodes) == 1
    assert any(vertex.name == "weight" and vertex.copies == 6 for vertex in drawing.nodes)


def test_two_equal_blocks_are_not_folded():
    drawing = draw(deep([Layer(), Layer()]))
    assert sum(vertex.name == "matmul" for vertex in drawing.nodes) == 2


def test_rolling_can_be_turned_off():
    drawing = draw(deep([Layer() for _ in range(4)]), roll=False)
    assert sum(vertex.name == "matmul" for vertex in drawing.nodes) == 4


def test_a_sick_block_is_left_out_of_the_fold():
    layers = [Layer() for _ in range(7)]
    loss = deep(layers)
    for layer in layers:
        layer.weight.grad, layer.bias.grad = Tensor(np.full((4, 4), 0.01)), Tensor(np.full(4, 0.01))
    layers[3].weight.grad = Tensor(np.full((4, 4), np.nan))
    drawing = draw(loss)
    assert [box.copies for box in drawing.modules if box.name.startswith("blocks")] == [3, 1, 3]
    assert any(vertex.state == "nan" for vertex in drawing.nodes)


def test_a_folded_gradient_is_a_range():
    layers = [Layer() for _ in range(3)]
    loss = deep(layers)
    loss.backward()
    for index, layer in enumerate(layers):
        layer.weight.grad = Tensor(np.full((4, 4), 0.01 * (index + 1)))
    vertex = next(v for v in draw(loss).nodes if v.name == "weight")
    assert vertex.gradient_range == pytest.approx((0.04, 0.12))


def test_collapse_by_depth():
    loss = deep([Layer(), Layer()])
    top = draw(loss, depth=0)
    assert [v.name for v in top.nodes if v.kind == "module"] == ["model"]
    (module,) = [v for v in top.nodes if v.kind == "module"]
    assert module.lines == ("4 ops · 40 params",)
    inner = draw(loss, depth=1)
    assert [v.name for v in inner.nodes if v.kind == "module"] == ["blocks.0", "blocks.1"]
    assert all(v.name != "weight" for v in inner.nodes)


def test_collapsed_runs_are_folded_too():
    drawing = draw(deep([Layer() for _ in range(5)]), depth=1)
    (module,) = [v for v in drawing.nodes if v.kind == "module"]
    assert module.copies == 5


def test_a_skip_connection_stays_visible_when_collapsed():
    layer, x = Layer(), data() * Tensor(2.0, requires_grad=True)
    with scope("block"):
        y = layer(x, "inner") + x
    drawing = draw(y.sum(), depth=1)
    add = next(v for v in drawing.nodes if v.name == "add")
    tails = {edge.tail for edge in drawing.edges if edge.head == add.key}
    assert len(tails) == 2


def test_parallel_edges_are_joined_with_a_count():
    x = data() * Tensor(2.0, requires_grad=True)
    with scope("square"):
        y = x * x
        y = y + 1.0
    drawing = draw(y.sum(), depth=0)
    module = next(v for v in drawing.nodes if v.kind == "module")
    (edge,) = [edge for edge in drawing.edges if edge.head == module.key]
    assert edge.copies == 2


def test_a_module_of_one_op_gets_no_box():
    x = data() * Tensor(2.0, requires_grad=True)
    with scope("act"):
        y = -x
    drawing = draw(y.sum())
    assert not drawing.modules
    assert next(v for v in drawing.nodes if v.name == "negative").detail == "act"


def test_a_shared_parameter_has_a_chip_at_each_use():
    w = Tensor(np.ones(4), requires_grad=True)
    w.name = "w"
    y = (data() * w + w) * w
    chips = [v for v in draw(y).nodes if v.name == "w"]
    assert [chip.again for chip in chips] == [False, True, True]
    assert len({chip.key for chip in chips}) == 3
    assert len([v for v in draw(y, shared="node").nodes if v.name == "w"]) == 1


def test_an_unrolled_recurrence_is_folded_into_one_cell():
    cell, x = Layer(), data()
    with scope("rnn"):
        for step in range(350):
            x = cell(x, f"step.{step}")
    drawing = draw(x.sum())
    assert len(drawing.nodes) < 12


def test_above_the_limit_modules_are_collapsed_and_the_title_says_so():
    loss = deep([Layer(0.1 * (index + 1)) for index in range(30)])
    drawing = draw(loss, max_nodes=20, roll=False)
    with pytest.warns(UserWarning, match=r"drawn as \d+ nodes \(depth=0\)"):
        nodes = drawing.nodes
    assert len(nodes) <= 20
    assert "ops drawn as" in drawing.dot
    assert "depth=0" in drawing.dot
