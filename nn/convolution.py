"""Convolutions of signals and images."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autograd import conv1d, conv2d, conv_transpose1d, conv_transpose2d, get_default_dtype
from autograd.devices import check_device
from autograd.ops._windows import whole
from nn import init
from nn._options import choice, empty, size
from nn.functional import pad
from nn.lazy import Lazy
from nn.module import Module
from nn.parameter import UninitializedParameter

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What all convolutions share: sizes, parameters, their initial values and how they are shown."""

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: Any,
        output_padding: Any = 0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.in_channels = size(in_channels, name, "in_channels")
        self.out_channels = size(out_channels, name, "out_channels", 1)
        self.groups = size(groups, name, "groups", 1)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{name}: expected channels that {self.groups} groups divide, got {self.in_channels} and {self.out_channels}"
            )
        self.kernel_size = whole(kernel_size, name, "kernel_size", self.axes)
        self.stride = whole(stride, name, "stride", self.axes)
        self.dilation = whole(dilation, name, "dilation", self.axes)
        self.padding_mode = choice(padding_mode, ("zeros",) if self.transposed else _MODES, name, "padding_mode")
        if isinstance(padding, str):
            if self.transposed or padding not in ("same", "valid"):
                raise ValueError(f"{name}: expected padding 'same', 'valid' or whole numbers, got {padding!r}")
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(f"{name}: expected stride 1 with padding 'same', got {self.stride}")
            self.padding: Any = padding
        else:
            self.padding = whole(padding, name, "padding", self.axes, 0)
        self.output_padding = whole(output_padding, name, "output_padding", self.axes, 0)
        self.weight = empty(self._weight_shape(), dtype)
        self.register_parameter("bias", empty((self.out_channels,), dtype) if bias else None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        if self.transposed:
            return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draws new initial values: uniform within 1 / sqrt(fan_in), the variance that keeps a leaky ReLU's signal."""
        fan_in = init.fans(self.weight)[0]
        if fan_in:
            init.kaiming_uniform_(self.weight, a=math.sqrt(5.0))
            if self.bias is not None:
                bound = 1.0 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _margins(self, x: Any) -> tuple[Any, Any]:
        """The input with the margin that its padding mode asks for, and the zeros that the convolution is to add itself."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return x, self.padding
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            sides = [(total // 2, total - total // 2) for total in totals]
        else:
            sides = [(p, p) for p in self.padding]
        return pad(x, [width for pair in reversed(sides) for width in pair], self.padding_mode), 0

    def extra_repr(self) -> str:
        """The sizes and what differs from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ones, zeros = (1,) * self.axes, (0,) * self.axes
        if self.padding != zeros:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != zeros:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else text + f", padding_mode={self.padding_mode}"


class Conv1d(_Convolution):
    """A convolution of signals (N, C, L) or (C, L); see :func:`autograd.conv1d` for the formula.

    Args:
        in_channels, out_channels: C and O.
        kernel_size: length of the window.
        stride, dilation, groups: as in the function.
        padding: a whole number, "valid" or "same".
        bias: add one number to each output channel.
        padding_mode: what the margin holds: "zeros", "reflect", "replicate" or "circular".
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight: (O, C / groups, k), uniform in ±1 / sqrt(C / groups k) at first.
        bias: (O,), from the same distribution; or None.
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "Conv1d")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype)

    def forward(self, x: Any) -> Any:
        """The convolution."""
        x, padding = self._margins(x)
        return conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Convolution):
    """A convolution of images (N, C, H, W) or (C, H, W); see :func:`autograd.conv2d` for the formula.

    Args:
        in_channels, out_channels: C and O.
        kernel_size: the window: one number, or height and width.
        stride, dilation, groups: as in the function.
        padding: a whole number, one for the height and one for the width, "valid" or "same".
        bias: add one number to each output channel.
        padding_mode: what the margin holds: "zeros", "reflect", "replicate" or "circular".
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight: (O, C / groups, kh, kw), uniform in ±1 / sqrt(C / groups kh kw) at first.
        bias: (O,), from the same distribution; or None.

    Example:
        >>> import autograd as ag, nn
        >>> nn.Conv2d(3, 8, 3, padding=1)(ag.zeros(2, 3, 5, 5)).shape
        (2, 8, 5, 5)
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "Conv2d")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype)

    def forward(self, x: Any) -> Any:
        """The convolution."""
        x, padding = self._margins(x)
        return conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class LazyConv2d(Lazy, Conv2d):
    """A :class:`Conv2d` that learns ``in_channels`` from its first input, and is one from then on; the arguments are its."""

    becomes = Conv2d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "LazyConv2d")
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype=dtype)
        kind = get_default_dtype() if dtype is None else dtype
        self.weight = UninitializedParameter((self.out_channels, None, *self.kernel_size), kind)

    def infer(self, x: Any) -> None:
        """Takes the number of channels from the input."""
        channels = size(x.shape[-3] if x.ndim > 2 else 0, "LazyConv2d", "the number of channels of the input", 1)
        if channels % self.groups:
            raise ValueError(f"LazyConv2d: expected channels that {self.groups} groups divide, got shape {x.shape}")
        self.in_channels = channels
        self.materialize(self._weight_shape())


class _Transposed(_Convolution):
    transposed = True

    def _output_padding(self, x: Any, output_size: Any) -> Any:
        """What must be added at the ends for the output to be of a given size."""
        if output_size is None:
            return self.output_padding
        if isinstance(output_size, tuple | list) and len(output_size) == np.ndim(x) > self.axes:
            output_size = output_size[-self.axes :]  # the whole shape, as PyTorch takes it, too
        wanted = whole(output_size, type(self).__name__, "output_size", self.axes)
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                x.shape[-self.axes :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        extra = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
            raise ValueError(f"{type(self).__name__}: expected output_size from {tuple(least)} to {most}, got {output_size}")
        return extra


class ConvTranspose1d(_Transposed):
    """The adjoint of a convolution of signals; see :func:`autograd.conv_transpose1d`.

    Args:
        in_channels, out_channels: C and O.
        kernel_size, stride, padding, dilation, groups: of the convolution that this is the adjoint of.
        output_padding: elements more at the end of the result.
        bias: add one number to each output channel.
        padding_mode: "zeros".
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight: (C, O / groups, k), uniform in ±1 / sqrt(O / groups k) at first.
        bias: (O,), from the same distribution; or None.
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "ConvTranspose1d")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype, output_padding
        )

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """The transposed convolution, with the padding at the end that ``output_size`` asks for."""
        extra = self._output_padding(x, output_size)
        return conv_transpose1d(x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose2d(_Transposed):
    """The adjoint of a convolution of images; see :func:`autograd.conv_transpose2d`. The arguments are those of the 1-d layer.

    Attributes:
        weight: (C, O / groups, kh, kw), uniform in ±1 / sqrt(O / groups kh kw) at first.
        bias: (O,), from the same distribution; or None.
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "ConvTranspose2d")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype, output_padding
        )

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """The transposed convolution, with the padding at the ends that ``output_size`` asks for."""
        extra = self._output_padding(x, output_size)
        return conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)
