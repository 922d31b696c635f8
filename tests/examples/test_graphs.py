"""The gallery: every picture is made in every form, and the index shows them all."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest

from examples import graphs

SVG = "{http://www.w3.org/2000/svg}"


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["graphs", *map(str, arguments)])
    graphs.main()
    return capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_gallery(monkeypatch, capsys, tmp_path):
    output = run(monkeypatch, capsys, "--out", tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    for name in graphs.GALLERY:
        assert name in output
        root = ElementTree.parse(tmp_path / f"{name}.svg").getroot()
        assert sum(g.get("class") == "node" for g in root.iter(f"{SVG}g")) >= 4
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "prefers-color-scheme: dark" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert (tmp_path / f"{name}.html").read_text(encoding="utf-8").startswith("<!doctype html>")
        assert f'src="{name}.svg"' in index
    for link in re.findall(r'(?:href|src)="([^"]+)"', index):
        assert (tmp_path / link).is_file()


def test_what_the_pictures_are_of():
    counts = {name: make() for name, make in graphs.GALLERY.items()}
    assert [v.name for v in counts["expression"].nodes if v.kind == "op"] == ["multiply", "add", "tanh", "multiply"]
    assert all(v.written for v in counts["expression"].nodes if v.kind == "op")
    assert not any(v.gradient for v in counts["mlp_before"].nodes)
    assert sum(v.gradient is not None for v in counts["mlp_after"].nodes) == 4
    assert {v.state for v in counts["mlp_sick"].nodes} >= {"vanishing", "exploding", "nan"}
    assert [v.name for v in counts["mlp_sick"].nodes if v.fault] == ["sqrt"]
    for name in ("mlp_after", "cnn", "lstm", "transformer_all"):  # these are well
        assert {v.state for v in counts[name].nodes if v.kind == "parameter"} == {""}, name
    assert [box.copies for box in counts["lstm"].modules if box.name == "cell"] == [24]
    assert [box.copies for box in counts["transformer_all"].modules if box.copies > 1] == [12]
    sizes = [len(counts[f"transformer_{depth}"].nodes) for depth in (1, 3, "all")]
    assert sizes == sorted(sizes)
    assert any(v.backward for v in counts["double_backward"].nodes)
    assert any(v.kind == "op" and not v.backward for v in counts["double_backward"].nodes)


def test_one_picture_alone_and_a_name_that_is_none(monkeypatch, capsys, tmp_path):
    run(monkeypatch, capsys, "--only", "expr", "--out", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "index.html",
        *(f"expression.{end}" for end in ("svg", "png", "html")),
    }
    run(monkeypatch, capsys, "--only", "mlp_a", "lstm", "--forms", "svg", "--out", tmp_path / "few")
    assert {path.name for path in (tmp_path / "few").iterdir()} == {"mlp_after.svg", "lstm.svg"}
    with pytest.raises(SystemExit):
        run(monkeypatch, capsys, "--only", "nothing", "--out", tmp_path)
    assert "expected the beginning of a name" in capsys.readouterr().err
