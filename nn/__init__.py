"""Layers, losses and data on top of autograd; names and signatures are PyTorch's."""

from nn import data, functional, init
from nn.activation import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh
from nn.containers import Flatten, Identity, ModuleList, Sequential
from nn.linear import Linear
from nn.loss import CrossEntropyLoss, L1Loss, MSELoss
from nn.module import Module
from nn.parameter import Parameter

__all__ = [
    "GELU",
    "CrossEntropyLoss",
    "Flatten",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "data",
    "functional",
    "init",
]
