"""Reparametrisations of weights, parameters as one vector, and gradient clipping under its PyTorch name."""

from typing import Any

from nn.utils import rnn
from nn.utils.reparametrization import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from nn.utils.vectors import parameters_to_vector, vector_to_parameters

_CLIPPING = ("clip_grad_norm_", "clip_grad_value_", "get_total_norm")

__all__ = [
    # rnn
    "rnn",
    # reparametrization
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "weight_norm",
    # vectors
    "parameters_to_vector",
    "vector_to_parameters",
]


def __getattr__(name: str) -> Any:
    # Clipping lives with the optimizers; models written for PyTorch look for it here. optim stands on nn (AveragedModel is a
    # Module), so nn must not import it before somebody asks.
    if name in _CLIPPING:
        from optim import clip

        return getattr(clip, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_CLIPPING]
