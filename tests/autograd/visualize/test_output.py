"""The formats: quoting, determinism, what works without Graphviz, and the geometry of the layout."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from autograd import Tensor
from autograd.visualize import DrawError, draw, render
from autograd.visualize.style import DARK, LIGHT, coded_theme

SVG = "{http://www.w3.org/2000/svg}"
NASTY = ['quo"te', "a<b>&c", "back\\slash\\n", "{brace|pipe}", "new\nline", "ünï ∂ 中", "<script>alert(1)</script>", "end \\"]


@pytest.fixture
def mlp() -> Tensor:
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(8, 2)))
    x.name = "x"
    w1, b1 = Tensor(rng.normal(size=(2, 5)), requires_grad=True), Tensor(np.ones(5), requires_grad=True)
    w2, b2 = Tensor(rng.normal(size=(5, 3)), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    for name, tensor in {"w1": w1, "b1": b1, "w2": w2, "b2": b2}.items():
        tensor.name = name
    hidden = x @ w1 + b1
    loss = ((-hidden) @ w2 + b2).sum()
    loss.name = "loss"
    return loss


def test_same_graph_same_bytes(mlp):
    assert draw(mlp).dot == draw(mlp).dot
    assert draw(mlp).mermaid == draw(mlp).mermaid
    assert draw(mlp).svg == draw(mlp).svg


def test_svg_has_every_node_edge_and_a_tooltip_for_each(mlp):
    drawing = draw(mlp)
    root = ElementTree.fromstring(drawing.svg)
    nodes = [g for g in root.iter(f"{SVG}g") if g.get("class") == "node"]
    edges = [g for g in root.iter(f"{SVG}g") if g.get("class") == "edge"]
    assert len(nodes) == len(drawing.nodes)
    assert len(edges) == len(drawing.edges)
    for g in nodes:
        (anchor,) = list(g.iter(f"{SVG}a"))[:1]
        assert anchor.get("{http://www.w3.org/1999/xlink}title")


def test_layout_has_no_overlap_and_a_straight_spine(mlp):
    drawing = draw(mlp)
    plain = json.loads(render.lay_out(drawing.dot, "json", len(drawing.nodes)))
    boxes = {}
    for item in plain["objects"]:
        if "pos" in item and "width" in item:
            x, y = map(float, item["pos"].split(","))
            boxes[item["name"]] = (x, y, float(item["width"]) * 36, float(item["height"]) * 36, item.get("group"))
    spine = [box for box in boxes.values() if box[4] == "spine"]
    assert len(spine) >= 7
    assert max(box[0] for box in spine) - min(box[0] for box in spine) < 1.0
    items = list(boxes.items())
    for index, (one, a) in enumerate(items):
        for other, b in items[index + 1 :]:
            apart = abs(a[0] - b[0]) >= a[2] + b[2] - 1 or abs(a[1] - b[1]) >= a[3] + b[3] - 1
            assert apart, (one, other)
    assert float(plain["bb"].split(",")[2]) <= 900


@pytest.mark.parametrize("name", NASTY)
def test_names_come_out_right_in_every_format(name, tmp_path):
    x = Tensor(np.ones(3), requires_grad=True)
    x.name = name
    y = x * 2.0
    y.name = name
    drawing = draw(y)
    root = ElementTree.fromstring(drawing.svg)
    text = "".join(root.itertext())
    shown = name.replace("\n", "⏎")
    assert shown in text
    assert not list(root.iter(f"{SVG}script"))
    assert name in json.loads(json.dumps(drawing.to_dict()))["nodes"][0]["name"]
    assert name in str(drawing)
    label = re.search(r'n0\["(.*?)"\]', drawing.mermaid)
    assert label is not None
    decoded = re.sub(r"#(\d+);", lambda match: chr(int(match.group(1))), label.group(1))
    assert decoded.startswith(name)
    page = drawing.save(tmp_path / "g.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data.group(1))[-1]["nodes"]["n0"]["name"] == name


def test_every_format_is_written_by_its_ending(mlp, tmp_path):
    starts = {
        "svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!doctype html>", "dot": b"digraph",
        "mmd": b"flowchart", "json": b"{", "txt": b"loss = ",
    }  # fmt: skip
    drawing = draw(mlp)
    for suffix, start in starts.items():
        path = drawing.save(tmp_path / f"graph.{suffix}")
        assert path.read_bytes().startswith(start)
    assert sorted(os.listdir(tmp_path)) == sorted(f"graph.{suffix}" for suffix in starts)
    with pytest.raises(ValueError, match=r"save: expected a name in .svg"):
        drawing.save(tmp_path / "graph.bmp")


def test_the_graphviz_package_is_one_call_away(mlp):
    assert draw(mlp).graphviz().source == draw(mlp).dot


def without_graphviz(monkeypatch):
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")


def test_without_graphviz_text_formats_work_and_the_others_say_what_to_do(mlp, tmp_path, monkeypatch):
    without_graphviz(monkeypatch)
    drawing = draw(mlp)
    for suffix in ("dot", "mmd", "json", "txt"):
        drawing.save(tmp_path / f"g.{suffix}")
    for suffix in ("svg", "png", "pdf", "html"):
        with pytest.raises(DrawError, match=f"no Graphviz found, so this graph cannot be laid out as {suffix.upper()}"):
            drawing.save(tmp_path / f"g.{suffix}")
    with pytest.raises(DrawError, match="pip install pygraphviz"):
        drawing.svg
    assert set(drawing._repr_mimebundle_()) == {"text/vnd.mermaid", "text/plain"}


def test_a_notebook_gets_inline_svg(mlp):
    bundle = draw(mlp)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/html"].startswith('<svg style="width:100%')


def test_a_slow_layout_is_stopped_with_advice(mlp, tmp_path, monkeypatch):
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(DrawError, match=r"layout took longer than 0.5 s \(9 nodes\). Try depth=1"):
        render.lay_out(draw(mlp).dot, "svg", 9, timeout=0.5)


def test_a_failing_layout_says_so():
    with pytest.raises(DrawError, match="Graphviz failed"):
        render.lay_out("this is not DOT {", "svg", 1)


def test_a_failed_save_leaves_no_file(mlp, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        draw(mlp).save(tmp_path / "g.dot")
    assert os.listdir(tmp_path) == []


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_has_contrast(theme):
    paints = [theme.op, theme.backward, theme.parameter, theme.input, theme.output, theme.collapsed, *theme.states.values()]
    pairs = [(paint.fill, colour) for paint in paints for colour in (paint.text, paint.small)]
    pairs += [
        (ground, colour) for ground in (theme.ground, *theme.box_fill) for colour in (theme.text, theme.small, theme.saved)
    ]
    for ground, colour in pairs:
        light, dark = sorted((luminance(ground), luminance(colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.7, (ground, colour)


def test_the_automatic_theme_carries_both(mlp):
    svg = draw(mlp, theme="auto").svg
    assert "prefers-color-scheme: dark" in svg
    assert "var(--c" in svg
    assert not re.search("#0a00[0-9a-f]{2}", svg)
    _, table = coded_theme()
    assert (LIGHT.op.line, DARK.op.line) in table.values()


def test_layout_runs_in_a_process_of_its_own(mlp):
    draw(mlp).svg
    assert "pygraphviz" not in sys.modules


@pytest.mark.parametrize("show", ["shape", "dtype", "grad", "saved", "source"])
def test_every_choice_of_show_changes_the_picture(show):
    import autograd as ag

    w = Tensor(np.ones((3, 3)), requires_grad=True)
    with ag.record_source():
        loss = (ag.tanh(w @ w) * 2.0).sum()
    loss.backward()
    assert draw(loss, show=show).dot != draw(loss, show=()).dot


@pytest.mark.parametrize("name", NASTY)
def test_names_of_modules_arguments_titles_and_lines_come_out_right_too(name, tmp_path):
    import nn

    class Odd(nn.Module):
        def extra_repr(self):
            return name

        def forward(self, x):
            return -x * 2.0

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.ModuleDict({name.replace(".", ""): Odd()})

        def forward(self, x):
            return next(iter(self.inner.values()))(x)

    y = Net()(Tensor(np.ones(3), requires_grad=True))
    y.node.trace = name
    drawing = draw(y, title=name, show="all")
    root = ElementTree.fromstring(drawing.svg)
    text = "".join(root.itertext())
    shown = name.replace("\n", "⏎")
    assert text.count(shown) >= 3  # the title, the name and the arguments of the module
    assert not list(root.iter(f"{SVG}script"))
    assert not any(attribute.lower().startswith("on") for element in root.iter() for attribute in element.attrib)
    assert name in str(drawing)
    assert any(name in box["name"] for box in json.loads(json.dumps(drawing.to_dict()))["modules"])
    page = drawing.save(tmp_path / "g.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert page.count("<script") == 2


def test_the_page_has_the_same_bytes_each_time(mlp, tmp_path):
    first, second = (draw(mlp).save(tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert first == second


def test_a_picture_can_be_made_from_a_path_as_text(mlp, tmp_path):
    assert draw(mlp).save(str(tmp_path / "g.dot")).is_file()


def test_the_legend_explains_only_what_is_there():
    x = Tensor(np.ones(3), requires_grad=True)
    dot = draw(x * 2.0, show="shape").dot
    assert "parameter" in dot
    assert "no gradient flows" not in dot
    assert "kept for backward" not in dot
    dot = draw(x * Tensor(np.ones(3))).dot
    assert "no gradient flows" in dot
    assert "kept for backward" in dot
    assert "parameter" not in draw(x * 2.0, legend=False, params={"x": x}).dot.replace("parameter: x", "").replace(
        "1 parameter", ""
    )


def test_mermaid_says_kinds_and_states_by_classes_and_each_shape_once(mlp):
    lines = draw(mlp).mermaid.splitlines()
    assert lines[0] == "flowchart TB"
    classes = {line.split()[2]: line.split()[1].split(",") for line in lines if line.startswith("  class ")}
    assert set(classes) == {"param", "result", "data", "op"}
    assert sorted(key for keys in classes.values() for key in keys) == sorted(v.key for v in draw(mlp).nodes)
    for line in lines:
        arrow = re.match(r"  (\w+) (-->|-\.->)(\|.*\|)? (\w+)$", line)
        if arrow:
            assert bool(arrow[3]) == (arrow[1] in classes["op"])
            assert (arrow[2] == "-.->") == (arrow[1] in classes["data"])
    x = Tensor(np.ones(3), requires_grad=True)
    y = (x * 2.0).sum()
    x.grad = Tensor(np.full(3, np.nan))
    assert "classDef nan fill:#6B1D6B,stroke:#3D0A3D,color:#FFFFFF" in draw(y).mermaid
