"""What must not stand in the sources of the three packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for package in ("autograd", "nn", "optim") for path in sorted((ROOT / package).rglob("*.py"))]
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill"}


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_hard_case_127_161_no_assert_no_pickle_no_eval(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: python -O would drop this check"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"line {node.lineno}"
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES, f"line {node.lineno}"
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES, f"line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


def test_hard_case_127_checks_hold_under_python_o():
    code = "import autograd as ag\ntry: ag.ones(3) @ ag.ones(4)\nexcept ValueError as error: print(error)"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "matmul: inner dimensions must agree, got (3,) @ (4,)\n"


def test_arrows_run_one_way():
    for path in (ROOT / "autograd").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"nn", "optim"}, path


def test_nn_does_not_need_optim():
    code = (
        "import sys, nn; print('optim' in sys.modules, nn.utils.clip_grad_norm_.__module__, 'clip_grad_norm_' in dir(nn.utils))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "optim.clip", "True"]


@pytest.mark.parametrize("values", [[1 + 2j], np.array([1j]), np.array([1.0], np.complex64)])
def test_hard_case_075_complex_numbers_are_refused(values):
    with pytest.raises(TypeError, match="complex"):
        ag.tensor(values)
    with pytest.raises(TypeError, match="complex"):
        ag.ones(1) * np.asarray(values)
