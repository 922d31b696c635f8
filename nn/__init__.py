"""Neural networks: modules, layers, losses, initialisers and data."""

from nn import data, functional, init
from nn.activation import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSoftmax,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.containers import (
    Flatten,
    Identity,
    ModuleDict,
    ModuleList,
    Sequential,
)
from nn.linear import Linear
from nn.loss import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from nn.module import Module
from nn.parameter import Parameter

__all__ = [
    # modules
    "data",
    "functional",
    "init",
    # activation
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    # containers
    "Flatten",
    "Identity",
    "ModuleDict",
    "ModuleList",
    "Sequential",
    # linear
    "Linear",
    # loss
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    # module, parameter
    "Module",
    "Parameter",
]
