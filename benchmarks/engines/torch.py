"""PyTorch in eager mode, on the CPU."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.engines import Case, _models
from benchmarks.workloads import Problem


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.copy())


API = SimpleNamespace(
    nn=torch.nn,
    optim=torch.optim,
    tensor=_tensor,
    leaf=lambda array: _tensor(array).requires_grad_(),
    zeros=torch.zeros,
    grad=torch.autograd.grad,
    value=lambda tensor: tensor.detach().numpy(),
)


def versions() -> dict[str, str]:
    return {"torch": torch.__version__}


def build(problem: Problem) -> Case:
    api: Any = API
    return _models.build(api, problem)
