"""MNIST's own files: it learns from files of that form, and says which are missing or damaged."""

from __future__ import annotations

import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import mnist

ROOT = Path(__file__).parents[2]
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture(autouse=True)
def quiet_backend(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}L", *array.shape) + array.astype(np.uint8).tobytes()


def digits(count: int, seed: int, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Images that can be told apart: a bright bar at the row of the label, in noise."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, count)
    images = generator.integers(0, 100, (count, size, size))
    images[np.arange(count), labels] = 255
    return images, labels


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mnist"
    made.mkdir()
    for part, count, seed in (("train", 400, 0), ("t10k", 100, 1)):
        images, labels = digits(count, seed)
        (made / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (made / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return made


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["mnist", *map(str, arguments)])
    mnist.main()
    return capsys.readouterr().out


def refused(monkeypatch, capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, capsys, *arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_it_learns(monkeypatch, capsys, tmp_path, folder):
    options = ("--data", folder, "--epochs", 8, "--batch-size", 20, "--hidden", 32, "--lr", "0.005", "--out", tmp_path / "out")
    output = run(monkeypatch, capsys, *options)
    rows = [line.split() for line in output.splitlines() if "%" in line and line.startswith(" ")]
    assert [int(row[0]) for row in rows] == list(range(1, 9))
    assert float(rows[-1][1]) < 0.3 * float(rows[0][1])
    assert float(rows[-1][2]) >= 95.0
    assert "400 digits to train on, 100 to test with" in output
    assert max(len(line) for line in output.splitlines() if not line.startswith("picture: ")) <= 80
    assert (tmp_path / "out" / "mnist_mistakes.png").read_bytes().startswith(b"\x89PNG")


def test_missing_files_are_named(monkeypatch, capsys, tmp_path, folder):
    error = refused(monkeypatch, capsys, "--data", tmp_path / "nowhere")
    assert error.startswith(f"mnist: expected MNIST's four files in {tmp_path / 'nowhere'}, missing:\n")
    for name in NAMES:
        assert f"  {name} (or .gz)\n" in error
    (folder / "t10k-images-idx3-ubyte").unlink()
    error = refused(monkeypatch, capsys, "--data", folder)
    assert "  t10k-images-idx3-ubyte (or .gz)\n" in error
    assert "train" not in error
    assert "put them into that folder under these names" in error


def test_the_other_spelling_is_found(folder):
    for path in list(folder.iterdir()):
        if path.suffix != ".gz":
            path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    train, test = mnist.load(folder)
    assert (len(train), len(test)) == (400, 100)


def test_damaged_files_are_named(monkeypatch, capsys, folder):
    path = folder / "train-images-idx3-ubyte"
    content = path.read_bytes()
    for damaged, says in (
        (content[:-1], "the file is cut off"),
        (content + b"\0", "there is more after the last number"),
        (b"<!DOCTYPE html>", "got a web page: the download went wrong"),
        (b"", "got an empty file"),
    ):
        path.write_bytes(damaged)
        error = refused(monkeypatch, capsys, "--data", folder)
        assert error.startswith(f"mnist: load_idx: {path}: ")
        assert says in error
        assert "get it again, under the same name" in error


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        ("train-images-idx3-ubyte", digits(399, 0)[0], "as many labels, got (399, 12, 12) and (400,)"),
        ("train-images-idx3-ubyte", digits(400, 0)[1], "expected images of shape (count, height, width)"),
        (
            "train-images-idx3-ubyte",
            digits(400, 0, 13)[0],
            "expected images of one size in both parts, got (13, 13) and (12, 12)",
        ),
        ("t10k-labels-idx1-ubyte", np.full(100, 10), "expected pixels in bytes and labels from 0 to 9 in the t10k files"),
    ],
)
def test_files_that_do_not_belong_together(name, array, says, monkeypatch, capsys, folder):
    for path in folder.glob(f"{name}*"):
        path.unlink()
    (folder / name).write_bytes(idx(array))
    assert says in refused(monkeypatch, capsys, "--data", folder)


def test_hard_case_171_published_checksums(monkeypatch, capsys, folder):
    error = refused(monkeypatch, capsys, "--data", folder, "--check")
    assert "  train-images-idx3-ubyte.gz\n" in error
    assert "labels" not in error
    for name in NAMES:
        for path in folder.glob(f"{name}*"):
            if path.suffix != ".gz":
                path.with_name(f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    error = refused(monkeypatch, capsys, "--data", folder, "--check")
    assert "expected SHA-256 440fcabf" in error
    sums = {name: hashlib.sha256((folder / f"{name}.gz").read_bytes()).hexdigest() for name in NAMES}
    monkeypatch.setattr(mnist, "FILES", sums)
    train, test = mnist.load(folder, check=True)
    assert (len(train), len(test)) == (400, 100)


def test_the_command_explains_itself():
    for arguments, code, says in (
        (["--help"], 0, "the folder with MNIST's four files"),
        ([], 2, "--data"),
        (["--data", "nowhere"], 2, "t10k-labels-idx1-ubyte"),
    ):
        command = [sys.executable, "-m", "examples.mnist", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
        assert done.returncode == code
        assert says in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
