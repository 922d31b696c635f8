"""What happens at import: the rival of the same name, and what is not loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(code, folder):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=folder, timeout=60)


@pytest.mark.parametrize("stray", ["numpy/__init__.py", "numpy_boxes.py", "wrap_util.py"])
def test_files_of_the_older_autograd_are_told_apart(stray, tmp_path):
    shutil.copytree(ROOT / "autograd", tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    assert python("import autograd; print(autograd.__file__)", tmp_path).stdout.startswith(str(tmp_path))
    path = tmp_path / "autograd" / stray
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    done = python("import autograd", tmp_path)
    assert done.returncode == 1
    assert "ImportError: autograd: this folder also holds files of the older 'autograd' distribution" in done.stderr
    assert "pip uninstall autograd tapegrad" in done.stderr


def test_nothing_heavy_is_loaded():
    code = """
import sys, autograd, nn, optim
heavy = {"matplotlib", "sklearn", "scipy", "torch", "tqdm", "graphviz", "pygraphviz", "pytest", "multiprocessing", "asyncio"}
print(sorted(heavy & set(sys.modules)), "autograd.visualize" in sys.modules)
"""
    assert python(code, ROOT).stdout.split("\n")[0] == "[] False"


def test_autograd_does_not_need_nn_or_optim():
    code = 'import sys, autograd; print([name for name in sys.modules if name.split(".")[0] in ("nn", "optim")])'
    assert python(code, ROOT).stdout.strip() == "[]"


def test_validation_does_not_depend_on_assert():
    code = """
import autograd as ag
try:
    ag.matmul(ag.ones(2, 3), ag.ones(2, 3))
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert "inner dimensions must agree" in done.stdout


@pytest.mark.parametrize("package", ["autograd", "nn", "optim"])
def test_everything_exported_is_there_once_and_documented(package):
    code = f"""
import {package} as p
missing = [name for name in p.__all__ if not getattr(getattr(p, name), "__doc__", None)]
print(missing, len(p.__all__) == len(set(p.__all__)))
"""
    assert python(code, ROOT).stdout.strip() == "[] True"
