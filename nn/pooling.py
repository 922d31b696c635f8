"""Pooling of signals and images; see the function of each name for its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import autograd as ag
from nn.module import Module


class _MaxPool(Module):
    function: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Any:
        """The greatest element of every window."""
        return type(self).function(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        """The windows."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The greatest element of every window of signals (N, C, L) or (C, L).

    Args:
        kernel_size, stride, padding, dilation: the windows; the stride is the window's length unless given.
        return_indices: also return where each was found.
        ceil_mode: windows that reach beyond the end count, too.
    """

    function = staticmethod(ag.max_pool1d)


class MaxPool2d(_MaxPool):
    """The greatest element of every window of images (N, C, H, W) or (C, H, W).

    Args:
        kernel_size, stride, padding, dilation: the windows: one number, or height and width; the stride is the window's size
            unless given.
        return_indices: also return where in its plane each was found.
        ceil_mode: windows that reach beyond the end count, too.
    """

    function = staticmethod(ag.max_pool2d)


class AvgPool1d(Module):
    """The mean of every window of signals (N, C, L) or (C, L).

    Args:
        kernel_size, stride, padding: the windows; the stride is the window's length unless given.
        ceil_mode: windows that reach beyond the end count, too.
        count_include_pad: the padding counts in the mean.
    """

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ) -> None:
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = self.kernel_size if stride is None else _single(stride)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        """The means."""
        return ag.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _single(value: Any) -> Any:
    return value if isinstance(value, tuple | list) else (value,)


class AvgPool2d(Module):
    """The mean of every window of images (N, C, H, W) or (C, H, W).

    Args:
        kernel_size, stride, padding: the windows: one number, or height and width; the stride is the window's size
            unless given.
        ceil_mode: windows that reach beyond the end count, too.
        count_include_pad: the padding counts in the mean.
        divisor_override: what to divide by, instead of the number of elements.
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        """The means."""
        return ag.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        )

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _Adaptive(Module):
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        """The pooled bins."""
        return type(self).function(x, self.output_size)

    def extra_repr(self) -> str:
        """The size of the result."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """The means of ``output_size`` bins of signals (N, C, L) or (C, L)."""

    function = staticmethod(ag.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """The means of a grid of bins of images; ``output_size`` is one number, or height and width (None: the input's)."""

    function = staticmethod(ag.adaptive_avg_pool2d)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, x: Any) -> Any:
        """The pooled bins."""
        return type(self).function(x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The greatest elements of ``output_size`` bins of signals (N, C, L) or (C, L)."""

    function = staticmethod(ag.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The greatest elements of a grid of bins of images; ``output_size`` is one number, or height and width."""

    function = staticmethod(ag.adaptive_max_pool2d)
