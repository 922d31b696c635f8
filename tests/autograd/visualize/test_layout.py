"""The geometry: boxes that do not overlap, a straight data path, parameters beside their op, skip connections at the right."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.visualize import draw, render
from autograd.visualize.dot import Writer, spine
from autograd.visualize.style import LIGHT

SVG = "{http://www.w3.org/2000/svg}"
SHOW = frozenset(("shape", "grad", "saved"))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(ag.relu(self.up(x)))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.fc2(ag.relu(self.fc1(x)))


def mlp_loss(backward=False):
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = ag.tensor(rng.normal(size=(64, 2)).astype(np.float32)), ag.tensor(rng.integers(0, 3, 64))
    x.name = "x"
    loss = ag.cross_entropy(MLP()(x), y)
    loss.name = "loss"
    if backward:
        loss.backward()
    return loss


def residual_loss(blocks=2):
    ag.manual_seed(0)
    x = ag.randn(5, 4)
    x.name = "x"
    return nn.Sequential(*(Block(4) for _ in range(blocks)))(x).sum()


def recurrent_loss(steps):
    ag.manual_seed(0)
    w, b = ag.randn(4, 4, requires_grad=True), ag.randn(4, requires_grad=True)
    h = ag.zeros(1, 4)
    for _ in range(steps):
        h = ag.tanh(h @ w + b)
    return h.sum()


def laid_out(drawing):
    """The boxes by key (centre, half sizes) and the placed DOT, as it is drawn."""
    writer = Writer(drawing._graph, LIGHT, SHOW, "TB", True)
    placed = writer.finish(render.lay_out(writer.write(skips=False), "dot", 1).decode())
    data = json.loads(render._run(render.require_graphviz("json"), "nop2", placed.encode(), "json", 1, 20.0))
    boxes = {}
    for item in data["objects"]:
        if "pos" in item and item.get("style") != "invis":
            x, y = map(float, item["pos"].split(","))
            boxes[item["name"]] = (x, y, 36 * float(item["width"]), 36 * float(item["height"]))
    return boxes, data


def skips(drawing):
    """The edges from the data path to the data path that pass something."""
    path = spine(drawing._graph)
    both = [edge for edge in drawing.edges if edge.tail in path and edge.head in path]
    return [edge for edge in both if path.index(edge.head) != path.index(edge.tail) + 1]


def points_of(edge, data):
    (drawn,) = [other for other in data["edges"] if other.get("id") == f"{edge.tail}->{edge.head}"]
    return [tuple(map(float, point.split(","))) for point in drawn["pos"].removeprefix("e,").split()]


CASES = {
    "mlp": mlp_loss,
    "mlp after": lambda: mlp_loss(True),
    "residual": residual_loss,
    "recurrent": lambda: recurrent_loss(5),
    "two outputs": lambda: (lambda x: {"a": ag.exp(x), "b": ag.exp(x) * ag.sin(x)})(ag.ones(3, requires_grad=True)),
    "gradient": lambda: ag.grad((lambda x: (x * ag.sin(x)).sum())(x := ag.ones(3, requires_grad=True)), x, create_graph=True)[
        0
    ],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_no_two_boxes_overlap(case, direction):
    drawing = draw(CASES[case](), direction=direction)
    plain = json.loads(render.lay_out(drawing.dot, "json", 1))
    boxes = {}
    for item in plain["objects"]:
        if "pos" in item:
            x, y = map(float, item["pos"].split(","))
            boxes[item["name"]] = (x, y, 36 * float(item["width"]), 36 * float(item["height"]))
    assert {vertex.key for vertex in drawing.nodes} <= boxes.keys()
    items = list(boxes.items())
    for index, (one, a) in enumerate(items):
        for other, b in items[index + 1 :]:
            apart = abs(a[0] - b[0]) >= a[2] + b[2] - 1 or abs(a[1] - b[1]) >= a[3] + b[3] - 1
            assert apart, (one, other)


@pytest.mark.parametrize("case", ["mlp", "mlp after", "residual", "recurrent"])
def test_the_data_path_is_a_straight_line(case):
    drawing = draw(CASES[case]())
    boxes, data = laid_out(drawing)
    path = spine(drawing._graph)
    assert len(path) >= 6
    assert max(boxes[key][0] for key in path) - min(boxes[key][0] for key in path) < 1.0
    heights = [boxes[key][1] for key in path]
    assert heights == sorted(heights, reverse=True)
    x = boxes[path[0]][0]
    edges = {edge["id"]: edge for edge in data["edges"] if "id" in edge}
    for tail, head in pairwise(path):
        points = edges[f"{tail}->{head}"]["pos"].removeprefix("e,").split()
        assert all(abs(float(point.split(",")[0]) - x) < 1.5 for point in points), (tail, head)


def test_the_data_path_begins_with_the_data_not_with_a_longer_path_from_a_parameter():
    w = nn.Parameter(np.ones((4, 4), np.float32))
    x = ag.ones(2, 4)
    x.name = "x"
    y = (x @ ag.exp(ag.exp(ag.exp(ag.exp(w))))).sum()
    drawing = draw(y)
    names = {vertex.key: vertex.name for vertex in drawing.nodes}
    assert [names[key] for key in spine(drawing._graph)] == ["x", "matmul", "sum", "output"]

    data = ag.ones(2, 4, requires_grad=True)  # a leaf that no module owns
    data.name = "data"
    drawing = draw(MLP().fc2(ag.ones(2, 16) * data.sum()).sum())
    names = {vertex.key: vertex.name for vertex in drawing.nodes}
    assert "linear" in [names[key] for key in spine(drawing._graph)]


def test_a_two_layer_network_is_narrow_enough_to_read():
    _, data = laid_out(draw(mlp_loss(True)))
    assert float(data["bb"].split(",")[2]) <= 600


def test_the_parameters_of_an_op_stand_on_its_rank_at_both_sides():
    drawing = draw(mlp_loss())
    boxes, data = laid_out(drawing)
    for op in [vertex for vertex in drawing.nodes if vertex.name == "linear"]:
        weight, bias = (
            next(v.key for v in drawing.nodes if v.name == name and v.module == op.module) for name in ("weight", "bias")
        )
        assert boxes[weight][1] == pytest.approx(boxes[op.key][1])
        assert boxes[bias][1] == pytest.approx(boxes[op.key][1])
        assert boxes[weight][0] < boxes[op.key][0] < boxes[bias][0]
        for leaf in (weight, bias):  # the arrows are straight and level
            (edge,) = [edge for edge in data["edges"] if edge.get("id") == f"{leaf}->{op.key}"]
            points = edge["pos"].split()[1:]
            assert len({round(float(point.split(",")[1])) for point in points}) == 1


def test_an_arrow_at_the_right_still_points_at_the_op():
    dot = draw(mlp_loss()).dot
    backwards = re.findall(r"(\w+) -> (\w+) \[dir=back.*?id=\"(\w+)->(\w+)\"", dot)
    assert len(backwards) == 2
    assert all((first, second) == (head, tail) for first, second, tail, head in backwards)


def test_skip_connections_run_at_the_right_and_carry_no_second_label():
    drawing = draw(residual_loss())
    boxes, data = laid_out(drawing)
    path = spine(drawing._graph)
    passing = skips(drawing)
    assert len(passing) == 2
    x = boxes[path[0]][0]
    clusters = {item["name"]: list(map(float, item["bb"].split(","))) for item in data["objects"] if "bb" in item}
    whole = list(map(float, data["bb"].split(",")))
    for skip in passing:
        (edge,) = [edge for edge in data["edges"] if edge.get("id") == f"{skip.tail}->{skip.head}"]
        assert not edge.get("label")
        points = points_of(skip, data)
        column = max(point[0] for point in points)
        assert min(point[0] for point in points) > x
        # it passes all that lies between, inside the modules around it
        for key, (centre, y, half, _) in boxes.items():
            if boxes[skip.head][1] < y < boxes[skip.tail][1]:
                assert centre + half < column, key
        home = next(vertex for vertex in drawing.nodes if vertex.key == skip.head).module
        assert clusters[f"cluster_{home}"][2] > column
    for box in drawing.modules:
        inner, outer = clusters[f"cluster_{box.key}"], clusters.get(f"cluster_{box.parent}", whole)
        assert outer[0] <= inner[0]
        assert inner[2] <= outer[2]


def test_a_skip_connection_goes_around_the_parameters_of_its_ends():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.left, self.right = nn.Parameter(np.ones((1, 4), np.float32)), nn.Parameter(np.ones((1, 4), np.float32))

        def forward(self, x):
            x = self.first(x)
            return ag.concatenate([ag.relu(self.second(x)), x, self.left, self.right])

    drawing = draw(Net()(ag.randn(5, 4)).sum())
    boxes, data = laid_out(drawing)
    (skip,) = skips(drawing)
    points = points_of(skip, data)[1:]
    for key, (x, y, half, tall) in boxes.items():
        if key not in (skip.tail, skip.head):
            assert not any(abs(px - x) < half - 1 and abs(py - y) < tall - 1 for px, py in points), key
            for one, other in pairwise(points):  # nor is it crossed between two points
                middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
                assert not (abs(middle[0] - x) < half - 1 and abs(middle[1] - y) < tall - 1), key


def test_an_input_used_twice_is_one_box_with_two_arrows_and_one_used_often_has_chips():
    def picture(uses):
        x = ag.ones(3)
        x.name = "x"
        y = ag.ones(3, requires_grad=True)
        for _ in range(uses):
            y = ag.exp(y) * x
        drawing = draw(y)
        return [vertex.again for vertex in drawing.nodes if vertex.name == "x"], drawing

    few, drawing = picture(3)
    assert few == [False]
    (key,) = [vertex.key for vertex in drawing.nodes if vertex.name == "x"]
    assert sum(edge.tail == key for edge in drawing.edges) == 3
    many, _ = picture(6)
    assert many == [False, True, True, True, True, True]


def test_both_edges_of_a_square_are_drawn():
    x = ag.ones(3, requires_grad=True)
    root = ElementTree.fromstring(draw(x * x).svg)
    edges = [g.get("id") for g in root.iter(f"{SVG}g") if g.get("class") == "edge"]
    assert sorted(edges) == ["n0->n1", "n0->n1", "n1->out0"]


def test_the_svg_has_all_boxes_and_clusters_each_with_a_tooltip_and_its_size():
    drawing = draw(mlp_loss(True))
    root = ElementTree.fromstring(drawing.svg)
    groups = {kind: [g for g in root.iter(f"{SVG}g") if g.get("class") == kind] for kind in ("node", "edge", "cluster")}
    assert len(groups["node"]) == len(drawing.nodes) == 11
    assert len(groups["edge"]) == len(drawing.edges) == 10
    assert len(groups["cluster"]) == len(drawing.modules) == 3
    for g in (*groups["node"], *groups["cluster"]):
        assert any(a.get("{http://www.w3.org/1999/xlink}title") for a in g.iter(f"{SVG}a"))
    width, height = (float(root.get(side).removesuffix("pt")) for side in ("width", "height"))
    assert list(map(float, root.get("viewBox").split())) == pytest.approx([0, 0, width, height], abs=1)


def test_small_print_stands_clear_of_the_name():
    x = ag.tensor(2.0, requires_grad=True)
    with ag.record_statistics():
        y = ag.tanh(x)
    root = ElementTree.fromstring(draw(y, show=("value", "source")).svg)
    (box,) = (g for g in root.iter(f"{SVG}g") if g.findtext(f"{SVG}title") == "n1")
    lines = [(text.text, float(text.get("y"))) for text in box.iter(f"{SVG}text") if text.text.strip()]
    (name, at), (value, first), (source, second) = lines
    assert (name, value) == ("tanh", "= 0.964")
    assert source.startswith("test_layout.py:")
    assert first - at >= 12.0  # between lines of 12 and 10 points
    assert second - first >= 9.5  # of 10 and 10


def test_a_picture_with_straightened_edges_is_the_same_each_time_and_in_every_format(tmp_path):
    loss = residual_loss()
    assert draw(loss).svg == draw(loss).svg
    for ending, start in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")):
        assert draw(loss).save(tmp_path / f"a.{ending}").read_bytes().startswith(start)


def test_a_name_can_hold_what_the_places_are_searched_for():
    ag.manual_seed(0)
    x = ag.randn(5, 4)
    x.name = 'id="n1->n2" pos="e,1,2 3,4"; lp="0,0"\\'
    y = Block(4)(x).sum()
    root = ElementTree.fromstring(draw(y).svg)
    assert x.name in "".join(root.itertext())


def test_arguments_of_modules_are_not_taken_for_places():
    class Odd(Block):
        def extra_repr(self):
            return 'width=640, height=7, pos=3,4, style=invis, bb="0,0,9,9", lp=1'

    ag.manual_seed(0)
    x = ag.randn(5, 4)
    h = Block(4)(x)
    y = (h + Odd(4)(h)).sum()
    drawing = draw(y, depth=0)
    boxes, data = laid_out(drawing)
    (odd,) = [vertex.key for vertex in drawing.nodes if vertex.kind == "module" and "width" in vertex.detail]
    (skip,) = skips(drawing)
    column = max(x for x, _ in points_of(skip, data))
    right = boxes[odd][0] + boxes[odd][2]
    assert right < column < right + 30
    assert column <= float(data["bb"].split(",")[2]) < column + 40


def test_a_long_recurrence_without_modules_is_laid_out():
    drawing = draw(recurrent_loss(350), max_nodes=None)
    assert len(drawing.nodes) == 1753
    root = ElementTree.fromstring(drawing.svg)
    assert sum(g.get("class") == "node" for g in root.iter(f"{SVG}g")) == 1753


def test_equal_cells_with_shared_weights_fold_and_their_parameters_count_once():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = nn.Linear(3, 4), nn.Linear(4, 4)

        def forward(self, x, h):
            return ag.tanh(self.inner(x) + self.outer(h))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = Cell()

        def forward(self, x):
            h = ag.zeros(2, 4)
            for step in range(x.shape[1]):
                h = self.cell(x[:, step], h)
            return h

    y = Net()(ag.randn(2, 30, 3)).sum()
    drawing = draw(y)
    (cell,) = [box for box in drawing.modules if box.name == "cell"]
    assert cell.copies == 30
    (top,) = [vertex for vertex in draw(y, depth=0).nodes if vertex.kind == "module"]
    assert top.lines == ("120 ops · 36 params",)
    inside = {vertex.name: vertex.lines for vertex in draw(y, depth=2).nodes if vertex.kind == "module"}
    assert inside == {"inner": ("1 op · 16 params",), "outer": ("1 op · 20 params",)}


def test_folded_blocks_count_all_their_parameters_outside_and_one_copy_inside():
    y = nn.Sequential(*(Block(4) for _ in range(6)))(ag.randn(5, 4)).sum()
    (top,) = [vertex for vertex in draw(y, depth=0).nodes if vertex.kind == "module"]
    count = 6 * (4 * 8 + 8 + 8 * 4 + 4)
    assert top.lines == (f"{6 * 4} ops · {count} params",)
    (block,) = [vertex for vertex in draw(y, depth=1).nodes if vertex.kind == "module"]
    assert (block.name, block.copies, block.lines) == ("0 … 5", 6, ("4 ops · 76 params",))
    inside = {vertex.name: vertex.lines for vertex in draw(y, depth=2).nodes if vertex.kind == "module"}
    assert inside == {"up": ("1 op · 40 params",), "down": ("1 op · 36 params",)}
