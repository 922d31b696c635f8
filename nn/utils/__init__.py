"""Reparametrisations of weights, parameters as one vector, and gradient clipping under its PyTorch name."""

from nn.utils import rnn
from nn.utils.reparametrization import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from nn.utils.vectors import parameters_to_vector, vector_to_parameters

# Clipping lives with the optimizers; models written for PyTorch look for it here.
from optim.clip import clip_grad_norm_, clip_grad_value_, get_total_norm

__all__ = [
    # rnn
    "rnn",
    # clip
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    # reparametrization
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "weight_norm",
    # vectors
    "parameters_to_vector",
    "vector_to_parameters",
]
