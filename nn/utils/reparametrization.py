"""Weights that are computed from other parameters before every call of their module."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from autograd import Tensor, norm, versions
from autograd.graph import HookHandle
from autograd.primitive import constant
from autograd.random import numpy_generator
from nn.module import Module
from nn.parameter import Parameter

Layer = TypeVar("Layer", bound=Module)


class _Computed:
    """A forward pre-hook that sets a weight; kept by the module so that it can be found and removed, copied with it.

    Attributes:
        computes: the name of the weight.
        handle: with which the hook is removed.
    """

    handle: HookHandle

    def __init__(self, computes: str) -> None:
        self.computes = computes

    def compute(self, module: Module) -> Any:
        """The weight from the module's other parameters."""
        raise NotImplementedError(f"{type(self).__name__}: expected a compute method, found none")

    def __call__(self, module: Module, _inputs: Any) -> None:
        setattr(module, self.computes, self.compute(module))


def _weight(module: Module, name: str, op: str) -> Parameter:
    weight: Parameter | None = module._parameters.get(name)
    if weight is None:
        raise ValueError(f"{op}: expected {type(module).__name__} to have a parameter {name!r}; was it replaced before?")
    return weight


def _replace(module: Module, hook: _Computed) -> None:
    """The parameter makes way for a tensor that is computed from others, already registered."""
    delattr(module, hook.computes)
    hook(module, ())
    hook.handle = module.register_forward_pre_hook(hook)


def _remove(module: Module, name: str, parts: tuple[str, ...], op: str) -> None:
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, _Computed) and hook.computes == name and all(hasattr(module, part) for part in parts):
            break
    else:
        raise ValueError(f"{op}: expected {type(module).__name__} to have {name!r} reparametrised, it does not")
    value = hook.compute(module)
    hook.handle.remove()
    for each in (name, *parts):
        delattr(module, each)
    module.register_parameter(name, Parameter(value.detach()))


# ------------------------------------------------------------------------------------------------ weight norm


def _norm_except(v: Any, dim: int | None) -> Any:
    """The length of v along all axes but one, which are kept with length 1; of all of it for None."""
    if dim is None:
        return norm(v)
    rows = np.reshape(np.moveaxis(v, dim, 0), (v.shape[dim], -1))
    return np.reshape(norm(rows, axis=1), tuple(n if a == dim % v.ndim else 1 for a, n in enumerate(v.shape)))


class _WeightNorm(_Computed):
    def __init__(self, computes: str, dim: int | None) -> None:
        super().__init__(computes)
        self.dim = dim

    def compute(self, module: Module) -> Any:
        """g v / |v|."""
        direction = getattr(module, f"{self.computes}_v")
        return direction * (getattr(module, f"{self.computes}_g") / _norm_except(direction, self.dim))


def weight_norm(module: Layer, name: str = "weight", dim: int | None = 0) -> Layer:
    """weight = g v / |v|: length and direction are trained apart (Salimans and Kingma, 2016).

    Args:
        module: its parameter ``name`` is replaced by ``name_g`` and ``name_v``, from which it is computed before each call.
        name: of the weight.
        dim: the axis along which lengths are kept; None: one length for all.

    Returns:
        The module.
    """
    weight = _weight(module, name, "weight_norm")
    g, v = f"{name}_g", f"{name}_v"
    module.register_parameter(g, Parameter(_norm_except(weight.detach(), dim)))
    module.register_parameter(v, Parameter(weight.detach()))
    _replace(module, _WeightNorm(name, dim))
    return module


def remove_weight_norm(module: Layer, name: str = "weight") -> Layer:
    """Makes the weight an ordinary parameter again, with its present value; returns the module."""
    _remove(module, name, (f"{name}_g", f"{name}_v"), "remove_weight_norm")
    return module


# ------------------------------------------------------------------------------------------------ spectral norm


class _SpectralNorm(_Computed):
    def __init__(self, computes: str, dim: int, steps: int, eps: float) -> None:
        super().__init__(computes)
        self.dim = dim
        self.steps = steps
        self.eps = eps

    def compute(self, module: Module) -> Any:
        """weight / (u^T W v), after some steps of u and v in training."""
        weight, u, v = (getattr(module, f"{self.computes}_{part}") for part in ("orig", "u", "v"))
        matrix = _matrix(weight, self.dim)
        if module.training:
            _iterate(matrix._data, u, v, self.steps, self.eps)
        sigma = np.sum(constant(u._data.copy()) * np.matmul(matrix, constant(v._data.copy())))
        return weight / sigma


def spectral_norm(
    module: Layer,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int = 0,
    generator: Any = None,
) -> Layer:
    """weight / sigma, with sigma its greatest singular value as a matrix: the Lipschitz bound becomes 1 (Miyato et al., 2018).

    sigma = u^T W v, where u and v come closer to the singular vectors by power iteration in each training call.

    Args:
        module: its parameter ``name`` is replaced by ``name_orig``, the buffer ``name_u`` holds u (and ``name_v`` v).
        name: of the weight.
        n_power_iterations: steps in each training call.
        eps: keeps the lengths that u and v are divided by away from 0.
        dim: the axis of the rows of the matrix; 1 for transposed convolutions.
        generator: where the first u and v come from.

    Returns:
        The module.
    """
    weight = _weight(module, name, "spectral_norm")
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: expected n_power_iterations >= 1, got {n_power_iterations}")
    orig, u_name, v_name = f"{name}_orig", f"{name}_u", f"{name}_v"
    rows, columns = _matrix(weight, dim).shape
    rng = numpy_generator(generator)
    module.register_parameter(orig, Parameter(weight.detach()))
    for buffer, count in ((u_name, rows), (v_name, columns)):
        values = rng.normal(size=count)
        module.register_buffer(buffer, constant((values / np.linalg.norm(values)).astype(weight.dtype)))
    _replace(module, _SpectralNorm(name, dim, n_power_iterations, eps))
    return module


def _matrix(weight: Any, dim: int) -> Any:
    """The weight as a matrix whose rows go along an axis."""
    moved = weight if dim == 0 else np.moveaxis(weight, dim, 0)
    return np.reshape(moved, (moved.shape[0], -1))


def _iterate(matrix: Any, u: Tensor, v: Tensor, steps: int, eps: float) -> None:
    matrix = matrix.astype(np.result_type(matrix, np.float32), copy=False)
    for _ in range(steps):
        for target, rows, other in ((v, matrix.T, u), (u, matrix, v)):
            new = rows @ other._data
            target._data[...] = new / max(float(np.linalg.norm(new)), eps)
            versions.stamp(target._data)


def remove_spectral_norm(module: Layer, name: str = "weight") -> Layer:
    """Makes the weight an ordinary parameter again, with its present value; returns the module."""
    _remove(module, name, (f"{name}_orig", f"{name}_u", f"{name}_v"), "remove_spectral_norm")
    return module


__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]
