"""Optimizers; names, signatures and results are PyTorch's."""

from optim.adam import Adam, AdamW
from optim.averaging import EWMA
from optim.clip import clip_grad_norm_, get_total_norm
from optim.optimizer import Optimizer
from optim.sgd import SGD

__all__ = ["EWMA", "SGD", "Adam", "AdamW", "Optimizer", "clip_grad_norm_", "get_total_norm"]
