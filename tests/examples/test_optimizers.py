"""The two examples about descent: they print their tables and save their pictures."""

from __future__ import annotations

import sys

import pytest

from examples import minibatch, optimizers


@pytest.fixture(autouse=True)
def quiet_backend(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")


def run(module, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
    module.main()
    return capsys.readouterr().out


def narrow(output):
    """80 columns, but for the names of the pictures, which hold the test's own folder."""
    return max(len(line) for line in output.splitlines() if not line.startswith("picture")) <= 80


def test_optimizers_on_rosenbrock(monkeypatch, capsys, tmp_path):
    output = run(optimizers, monkeypatch, capsys, "LBFGS", "Lion", "Rprop", "--out", tmp_path)
    assert narrow(output)
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line[:1].isupper()}
    assert set(rows) == {"LBFGS", "Lion", "Rprop"}
    assert float(rows["LBFGS"][3]) < 1e-8
    for name in ("optimizers_paths.png", "optimizers_values.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_an_unknown_optimizer_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(optimizers, monkeypatch, capsys, "Adamm")
    assert "expected optimizers among SGD, ASGD" in capsys.readouterr().err


def test_three_sizes_of_batch(monkeypatch, capsys, tmp_path):
    output = run(minibatch, monkeypatch, capsys, "--epochs", 2, "--out", tmp_path)
    rows = [line.split() for line in output.splitlines() if line[:1].isdigit()]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    start, end = rows[0], rows[2]
    assert start[1] == start[3] == start[5]  # the same start
    full, few, one = (float(end[index]) for index in (1, 3, 5))
    assert max(one, few) < 0.3 * full < 0.3 * float(start[1])
    lines = [line for line in output.splitlines() if line.startswith(("full", "mini", "single"))]
    ends = [line.split()[-7:] for line in lines]  # learning rate, epochs, steps, loss, seconds, held out, %
    assert [row[1:3] for row in ends] == [["20", "20"], ["2", "90"], ["2", "2876"]]
    assert [row[3] for row in ends[1:]] == [end[3], end[5]]
    assert narrow(output)
    assert (tmp_path / "minibatch.png").read_bytes().startswith(b"\x89PNG")
