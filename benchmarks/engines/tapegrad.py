"""This project."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import autograd as ag
import nn
import optim
from benchmarks.engines import Case, _models
from benchmarks.workloads import Problem

API = SimpleNamespace(
    nn=nn,
    optim=optim,
    tensor=lambda array: ag.tensor(array),
    leaf=lambda array: ag.tensor(array, requires_grad=True),
    zeros=ag.zeros,
    grad=ag.grad,
    value=lambda tensor: np.asarray(tensor.detach()),
)


def versions() -> dict[str, str]:
    return {"numpy": np.__version__}


def build(problem: Problem) -> Case:
    api: Any = API
    return _models.build(api, problem)
