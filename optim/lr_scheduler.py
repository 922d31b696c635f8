"""Learning-rate schedules; names, signatures and rates are PyTorch's."""

from optim.lr_base import LRScheduler
from optim.lr_composed import ChainedScheduler, ReduceLROnPlateau, SequentialLR, linear_warmup
from optim.lr_cyclic import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from optim.lr_simple import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "linear_warmup",
]
