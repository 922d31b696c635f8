"""Reverse-mode automatic differentiation on NumPy."""

from autograd.tensor import Tensor

tensor = Tensor
