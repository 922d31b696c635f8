"""The main job: it learns, repeats itself, prints a table of 80 columns, and saves its pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from examples import digits

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def quiet_backend(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["digits", *map(str, arguments)])
    digits.main()
    return capsys.readouterr().out


def table(output):
    rows = [line.split() for line in output.splitlines() if "%" in line and line.startswith(" ")]
    return [(int(row[0]), float(row[1]), float(row[2])) for row in rows]


def test_it_learns(monkeypatch, capsys, tmp_path):
    output = run(monkeypatch, capsys, "--epochs", 12, "--out", tmp_path)
    rows = table(output)
    assert [epoch for epoch, _, _ in rows] == list(range(1, 13))
    assert rows[-1][1] < 0.1 * rows[0][1]
    assert rows[-1][2] >= 95.0
    assert "1438 digits to train on, 359 held out" in output
    assert max(len(line) for line in output.splitlines() if not line.startswith("pictures: ")) <= 80
    names = ("training", "mistakes", "inside", "gradient_flow", "graph")
    for name in names:
        assert (tmp_path / f"digits_{name}.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"digits_{name}.png" for name in names), "digits_graph.svg", "digits_graph.html",
    }  # fmt: skip
    assert "linear" in (tmp_path / "digits_graph.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_seed_repeats_the_run(monkeypatch, capsys, tmp_path):
    runs = [table(run(monkeypatch, capsys, "--epochs", 2, "--seed", seed, "--out", tmp_path)) for seed in (5, 5, 6)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_no_picture_is_held_out_and_trained_on():
    train, held = digits.load(0)
    assert len(train) + len(held) == 1797
    assert len(held) == 359
    assert train.tensors[0]._data.max() == 1.0


def test_the_command_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "examples.digits", "--help"], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    for option in ("--epochs", "--out", "--seed", "--batch-size"):
        assert option in done.stdout


def test_wrong_options_are_refused(monkeypatch, capsys):
    for arguments in (("--epochs", "0"), ("--batch-size", "-1"), ("--lr", "x"), ("--hidden", "0")):
        with pytest.raises(SystemExit):
            run(monkeypatch, capsys, *arguments)
        assert "expected a" in (error := capsys.readouterr().err) or "invalid" in error


def test_without_graphviz_the_graph_is_saved_as_text(monkeypatch, capsys, tmp_path):
    from autograd.visualize import render

    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    output = run(monkeypatch, capsys, "--epochs", 1, "--out", tmp_path)
    assert "no Graphviz found" in output
    assert (tmp_path / "digits_graph.txt").read_text(encoding="utf-8").startswith("loss = ")
