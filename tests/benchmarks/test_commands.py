"""Every command says what it does before it does it, and refuses names that it does not know."""

from __future__ import annotations

import importlib
import re
import sys

import pytest

from benchmarks import choices

COMMANDS = ["__main__", "choices", "engine", "kernels", "optimizers", "pictures"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_the_docstring_in_the_width_of_the_terminal(name, monkeypatch, capsys):
    command = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["command", "--help"])
    with pytest.raises(SystemExit) as ending:
        command.main()
    assert ending.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: python -m benchmarks" + (" " if name == "__main__" else f".{name} "))
    for paragraph in command.__doc__.split("\n\n"):
        assert " ".join(paragraph.split()) in " ".join(shown.split())
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("choices", ["relu", "nothing"], "expected names among selection, relu, .*, dictionary, got nothing\n"),
        ("optimizers", ["Adam", "Eve"], "expected optimizers among SGD, Adam, .*, Muon, got Eve\n"),
        ("optimizers", ["--rounds", "0"], "--rounds: expected at least 1, got 0\n"),
        ("kernels", ["norm", "abc"], "expected words in the names of rows, which begin with conv2d, .*, clip, got abc\n"),
    ],
)
def test_unknown_names_are_refused(name, words, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["command", *words])
    with pytest.raises(SystemExit) as ending:
        importlib.import_module(f"benchmarks.{name}").main()
    assert ending.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_kernels_are_listed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["command", "--list"])
    importlib.import_module("benchmarks.kernels").main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "conv2d 64x1x28x28, 6 5x5"
    assert lines[-1] == "clip 16"


def test_chosen_parts_run_alone_in_their_order(monkeypatch):
    ran = []
    monkeypatch.setattr(choices, "PARTS", {name: lambda name=name: ran.append(name) for name in choices.PARTS})
    monkeypatch.setattr(sys, "argv", ["command", "row-reductions", "relu"])
    choices.main()
    assert ran == ["relu", "row-reductions"]
    monkeypatch.setattr(sys, "argv", ["command"])
    choices.main()
    assert ran[2:] == list(choices.PARTS)
