"""Layers without parameters that resize, pad and rearrange signals and images."""

from __future__ import annotations

from typing import Any

from autograd import fold, unfold
from nn import functional
from nn._options import size
from nn.module import Module


class Upsample(Module):
    """A signal (N, C, L) or an image (N, C, H, W) at another size; see :func:`nn.functional.interpolate`.

    Args:
        size: of the result: one number or one per axis.
        scale_factor: instead of the size, how many times as large.
        mode: "nearest", "linear" (signals), "bilinear" or "bicubic" (images).
        align_corners: the first and last elements stay in place.
        recompute_scale_factor: after sizes were rounded, go by the ratio of the sizes instead of by the given factor.
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        if isinstance(scale_factor, tuple | list):
            self.scale_factor: Any = tuple(float(each) for each in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Any) -> Any:
        """The resized input."""
        return functional.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """Size or factor, and the mode."""
        how = f"scale_factor={self.scale_factor}" if self.scale_factor is not None else f"size={self.size}"
        return f"{how}, mode={self.mode!r}"


class _Pad(Module):
    mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        widths = (padding,) * 4 if isinstance(padding, int) else padding
        if not isinstance(widths, tuple | list) or len(widths) != 4 or not all(isinstance(width, int) for width in widths):
            raise ValueError(
                f"{type(self).__name__}: expected padding as one number or (left, right, top, bottom), got {padding!r}"
            )
        self.padding = tuple(widths)

    def forward(self, x: Any) -> Any:
        """The input with a margin."""
        return functional.pad(x, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The widths."""
        return str(self.padding)


class ConstantPad2d(_Pad):
    """A margin of one value around images.

    Args:
        padding: one width for all sides, or (left, right, top, bottom).
        value: of the margin.
    """

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, x: Any) -> Any:
        """The input with a margin."""
        return functional.pad(x, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The widths and the value."""
        return f"padding={self.padding}, value={self.value}"


class ZeroPad2d(_Pad):
    """Zeros around images; ``padding`` is one number or (left, right, top, bottom), a negative one cuts off."""


class ReflectionPad2d(_Pad):
    """The mirror image around images, without the edge; ``padding`` is one number or (left, right, top, bottom)."""

    mode = "reflect"


class Unfold(Module):
    """The windows of images as columns (N, C kh kw, L); see :func:`autograd.unfold`."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Any) -> Any:
        """The columns."""
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns of windows added up to images of ``output_size``; see :func:`autograd.fold`."""

    def __init__(self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Any) -> Any:
        """The images."""
        return fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The size and the windows."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class PixelShuffle(Module):
    """(N, C r², H, W) -> (N, C, H r, W r): channels become pixels (Shi et al., 2016); see :func:`nn.functional.pixel_shuffle`.

    Args:
        upscale_factor: r.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = size(upscale_factor, "PixelShuffle", "upscale_factor", 1)

    def forward(self, x: Any) -> Any:
        """The larger images."""
        return functional.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"
