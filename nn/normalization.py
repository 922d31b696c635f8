"""Normalisation layers; see the function of each name for its formula."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor, batch_norm, get_default_dtype, group_norm, layer_norm, rms_norm, versions
from autograd.devices import check_device
from autograd.primitive import constant
from nn import functional, init
from nn._options import empty, size
from nn.module import Module


def _ones_and_zeros(weight: Any, bias: Any) -> None:
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class _Running(Module):
    """Batch norm and instance norm: an affine map per channel, and running statistics."""

    ndims: ClassVar[tuple[int, ...]]
    shapes: ClassVar[str]
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = size(num_features, type(self).__name__, "num_features")
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        kind = get_default_dtype() if dtype is None else dtype
        self.register_parameter("weight", empty((self.num_features,), kind) if affine else None)
        self.register_parameter("bias", empty((self.num_features,), kind) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", constant(np.zeros(self.num_features, kind)) if tracked else None)
        self.register_buffer("running_var", constant(np.ones(self.num_features, kind)) if tracked else None)
        self.register_buffer("num_batches_tracked", constant(np.zeros((), np.int64)) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forgets what the running statistics have seen: mean 0, variance 1."""
        if self.running_mean is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            self.num_batches_tracked._data[...] = 0  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and no statistics."""
        self.reset_running_stats()
        _ones_and_zeros(self.weight, self.bias)

    def _check(self, x: Any) -> None:
        if np.ndim(x) not in self.ndims:
            raise ValueError(f"{type(self).__name__}: expected an input {self.shapes}, got shape {np.shape(x)}")

    def _count_batch(self) -> float:
        """Counts a batch; how far the running statistics move: the momentum, or 1 / n for the mean over n batches."""
        if self.num_batches_tracked is None:
            return 0.0 if self.momentum is None else self.momentum
        self.num_batches_tracked._data += 1
        versions.stamp(self.num_batches_tracked._data)
        return 1.0 / self.num_batches_tracked.item() if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    """Weight (x - mean) / sqrt(var + eps) + bias for every channel (Ioffe and Szegedy, 2015)."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_device(device, type(self).__name__)
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, x: Any) -> Any:
        """Normalised by the batch in training, by the running statistics in evaluation."""
        self._check(x)
        if x.shape[1] != self.num_features:
            raise ValueError(f"{type(self).__name__}: expected {self.num_features} channels, got shape {x.shape}")
        by_batch = self.training or self.running_mean is None
        if by_batch and math.prod(x.shape) == self.num_features:
            raise ValueError(
                f"{type(self).__name__}: expected more than 1 value per channel when training, got shape {x.shape}; "
                "call eval() to use the running statistics, or leave the last small batch out (drop_last=True)"
            )
        momentum = self._count_batch() if self.training else 0.0
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch norm of features (N, C) or signals (N, C, L); see :func:`autograd.batch_norm` for the formula.

    Args:
        num_features: C.
        eps: keeps the division finite.
        momentum: how far the running statistics move in each training step; None: they are the means of all steps.
        affine: multiply by a weight.
        track_running_stats: keep running statistics; without, those of the batch are used in evaluation, too.
        dtype: of parameters and buffers.
        bias: and add a bias.

    Attributes:
        weight, bias: (C,), 1 and 0 at first; or None.
        running_mean, running_var: (C,), of the inputs in training (with the unbiased variance); or None.
        num_batches_tracked: the number of training steps.

    Raises:
        ValueError: in training with one value per channel, which has no variance.
    """

    ndims = (2, 3)
    shapes = "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Batch norm of images (N, C, H, W); arguments and attributes are those of :class:`BatchNorm1d`."""

    ndims = (4,)
    shapes = "(N, C, H, W)"


class _InstanceNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_device(device, type(self).__name__)
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, x: Any) -> Any:
        """Each channel of each sample normalised."""
        self._check(x)
        images = x if np.ndim(x) == self.ndims[1] else np.expand_dims(x, 0)
        if images.shape[1] != self.num_features:
            raise ValueError(f"{type(self).__name__}: expected {self.num_features} channels, got shape {x.shape}")
        own = self.training or self.running_mean is None
        y = functional.instance_norm(
            images, self.running_mean, self.running_var, self.weight, self.bias, own, self.momentum or 0.0, self.eps
        )
        return y if images is x else np.squeeze(y, 0)


class InstanceNorm1d(_InstanceNorm):
    """Instance norm of signals (N, C, L) or (C, L); see :func:`nn.functional.instance_norm`.

    Args:
        num_features: C.
        eps: keeps the division finite.
        momentum: how far the running statistics move in each training step.
        affine: multiply by a weight.
        track_running_stats: keep running statistics, and use them in evaluation.
        dtype: of parameters and buffers.
        bias: and add a bias.
    """

    ndims = (2, 3)
    shapes = "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of images (N, C, H, W) or (C, H, W); the arguments are those of :class:`InstanceNorm1d`."""

    ndims = (3, 4)
    shapes = "(N, C, H, W) or (C, H, W)"


class LayerNorm(Module):
    """Weight (x - mean) / sqrt(var + eps) + bias over the last axes (Ba, Kiros and Hinton, 2016).

    Args:
        normalized_shape: the length of the last axis, or the lengths of the last axes.
        eps: keeps the division finite: a constant row gives the bias.
        elementwise_affine: multiply by a weight.
        bias: and add a bias.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight, bias: of that shape, 1 and 0 at first; or None.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "LayerNorm")
        super().__init__()
        self.normalized_shape = _shape(normalized_shape, "LayerNorm")
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", empty(self.normalized_shape, dtype) if elementwise_affine else None)
        self.register_parameter("bias", empty(self.normalized_shape, dtype) if elementwise_affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        _ones_and_zeros(self.weight, self.bias)

    def forward(self, x: Any) -> Any:
        """The normalised rows."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        options = f"eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, {options}"


class RMSNorm(Module):
    """Weight x / sqrt(mean(x²) + eps) over the last axes (Zhang and Sennrich, 2019).

    Args:
        normalized_shape: the length of the last axis, or the lengths of the last axes.
        eps: by default the distance from 1 to the next number of the input's dtype.
        elementwise_affine: multiply by a weight.
        dtype: of the weight.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "RMSNorm")
        super().__init__()
        self.normalized_shape = _shape(normalized_shape, "RMSNorm")
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", empty(self.normalized_shape, dtype) if elementwise_affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        _ones_and_zeros(self.weight, None)

    def forward(self, x: Any) -> Any:
        """The normalised rows."""
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _shape(normalized_shape: Any, layer: str) -> tuple[int, ...]:
    lengths = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    return tuple(size(length, layer, "normalized_shape") for length in lengths)


class GroupNorm(Module):
    """Weight (x - mean) / sqrt(var + eps) + bias over each group of channels of a sample (Wu and He, 2018).

    Args:
        num_groups: a divisor of the number of channels.
        num_channels: C, of inputs (N, C, ...).
        eps: keeps the division finite.
        affine: multiply by a weight for each channel.
        device: ``"cpu"`` or None.
        dtype: of the parameters.
        bias: and add a bias.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_device(device, "GroupNorm")
        super().__init__()
        self.num_groups = size(num_groups, "GroupNorm", "num_groups", 1)
        self.num_channels = size(num_channels, "GroupNorm", "num_channels")
        if self.num_channels % self.num_groups:
            raise ValueError(f"GroupNorm: expected num_groups to divide {num_channels} channels, got {num_groups}")
        self.eps = eps
        self.affine = affine
        self.register_parameter("weight", empty((self.num_channels,), dtype) if affine else None)
        self.register_parameter("bias", empty((self.num_channels,), dtype) if affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        _ones_and_zeros(self.weight, self.bias)

    def forward(self, x: Any) -> Any:
        """The normalised groups."""
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        options = f"eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, {options}"
