"""Commands that compare two libraries do without PyTorch, and end when a process of theirs has ended or Ctrl-C is pressed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(*words: str, folder: Path | None = None) -> subprocess.Popen[str]:
    """A command, in a group of processes of its own; ``folder`` is looked for modules first."""
    path = os.pathsep.join(map(str, filter(None, (folder, ROOT))))
    command = [sys.executable, "-m", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        command, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, start_new_session=True, **pipes
    )


def torch_that(does: str, folder: Path) -> Path:
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(does)
    (folder / "torch" / "nn").mkdir()
    (folder / "torch" / "nn" / "__init__.py").touch()
    (folder / "torch" / "nn" / "functional.py").touch()
    return folder


def test_optimizers_without_torch_are_shown_alone(tmp_path):
    folder = torch_that("raise ImportError('none here')", tmp_path)
    process = start("benchmarks.optimizers", "SGD", "Lion", "--rounds", "1", folder=folder)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert errors == "torch is left out: ImportError: none here\n"
    header, *rows = (line.split() for line in output.splitlines())
    assert header == ["microseconds", "a", "step", "values", "form", "ours"]
    assert [row[:-1] for row in rows[:3]] == [
        ["SGD", "1e3", "-"],
        ["SGD", "10", "x", "1e3", "-"],
        ["SGD", "10", "x", "1e3", "calls"],
    ]
    assert [row[0] for row in rows] == ["SGD"] * 7 + ["Lion"] * 4
    assert all(float(row[-1]) > 0 for row in rows)


def test_kernels_without_torch_are_shown_alone(tmp_path):
    folder = torch_that("raise ImportError('none here')", tmp_path)
    process = start("benchmarks.kernels", "clip", folder=folder)
    output, errors = process.communicate(timeout=120)
    assert errors == "torch is left out: ImportError: none here\n"
    header, row = (line.split() for line in output.splitlines())
    assert header == ["milliseconds,", "float32", "forward", "both"]
    assert row[:2] == ["clip", "16"]
    assert len(row) == 4


@pytest.mark.parametrize(
    ("command", "death", "message"),
    [
        ("optimizers", "os.kill(os.getpid(), 9)", "by SIGKILL, which is what a system does that has run out of memory"),
        ("kernels", "os._exit(3)", "with code 3"),
    ],
)
def test_a_process_that_ends_is_named_and_not_waited_for(command, death, message, tmp_path):
    folder = torch_that(f"import os\ndef set_num_threads(_count): {death}", tmp_path)
    process = start(f"benchmarks.{command}", folder=folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors == f"torch: expected an answer, but its process was ended {message}\n"


def test_an_interrupt_ends_all_processes_without_tracebacks(tmp_path):
    folder = torch_that("raise ImportError('none here')", tmp_path)
    process = start("benchmarks.optimizers", folder=folder)
    assert process.stdout.readline().startswith("microseconds a step")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)  # which ends when all of them have closed their streams
    assert process.returncode == 130
    assert errors == "torch is left out: ImportError: none here\n"
