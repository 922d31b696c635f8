"""Optimizers; names, signatures and results are PyTorch's."""

from optim import lr_scheduler, swa_utils
from optim.adam import Adam, AdamW
from optim.adaptive import LAMB, Adamax, Lion, NAdam, RAdam
from optim.averaging import EWMA
from optim.clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from optim.lbfgs import LBFGS
from optim.matrix import Adafactor, Muon
from optim.optimizer import Optimizer
from optim.rmsprop import Adadelta, Adagrad, RMSprop, Rprop
from optim.sgd import ASGD, SGD
from optim.swa_utils import SWALR, AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn

__all__ = [
    # optimizers
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LAMB",
    "LBFGS",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    # learning rates
    "lr_scheduler",
    # clip
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    # averaging
    "swa_utils",
    "AveragedModel",
    "EWMA",
    "SWALR",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
    "update_bn",
]
