"""Convolutions and their transposes; each of the three primitives is reached by a derivative of another, too."""

from __future__ import annotations

from cases.case import Case, real

import autograd as ag
from autograd.ops._windows import Windows
from autograd.primitive import primitives

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # type: ignore[assignment]


def row(name, label, x, w, *bias, derivative="", **options):
    op = "conv_input" if "transpose" in name else "conv"
    return Case(
        op=op,
        label=f"{name}-{label}" if label else name,
        call=lambda *operands: getattr(ag, name)(*operands, **options),
        inputs=(real(*x), real(*w), *(real(*b) for b in bias)),
        torch=lambda *operands: getattr(F, name)(*operands, **options),
        derivative=derivative,
    )


def weight_gradient(x, g):
    """The derivative by the weight (2, 2, 2, 2) of a convolution with stride 2 of images (1, 2, 3, 4)."""
    at = Windows((2, 2), (2, 2), (1, 1), ((1, 1), (1, 1)), (2, 3))
    return primitives["conv_weight"].function(x, g, at=at, size=(3, 4), groups=1)


def both_gradients(g, x, w):
    """Both gradients of a convolution of images (1, 2, 3, 4) with a weight (2, 2, 2, 3) and padding 1."""
    at = Windows((2, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), (4, 4))
    return primitives["conv_backward"].function(g, x, w, at=at, size=(3, 4), groups=1)


CASES = [
    row("conv2d", "", (2, 2, 4, 3), (3, 2, 2, 2), (3,), derivative="dx = conv_input(g, w), dw = conv_weight(x, g), db = sum(g)"),
    row("conv2d", "odd", (1, 4, 6, 5), (4, 2, 2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
    row("conv2d", "pointwise", (2, 3, 2, 2), (2, 3, 1, 1), (2,)),
    row("conv2d", "pointwise-groups", (2, 4, 2, 2), (4, 2, 1, 1), groups=2),
    row("conv2d", "depthwise", (2, 2, 4, 4), (2, 1, 3, 3), padding=1, groups=2),
    row("conv2d", "same", (1, 1, 4, 4), (1, 1, 3, 3), padding="same"),
    row("conv2d", "valid", (2, 3, 3), (1, 2, 2, 2), padding="valid"),
    row("conv2d", "empty", (0, 2, 4, 4), (3, 2, 3, 3), (3,)),
    row("conv1d", "", (2, 2, 7), (3, 2, 3), (3,), stride=2, padding=1),
    row("conv1d", "one", (4, 6), (2, 2, 2), dilation=2, groups=2),
    row("conv_transpose2d", "", (2, 2, 3, 2), (2, 3, 2, 2), (3,), derivative="dg = conv(G, w), dw = conv_weight(G, g)"),
    row("conv_transpose2d", "odd", (1, 4, 3, 3), (4, 1, 3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0), groups=2),
    row("conv_transpose2d", "pointwise", (2, 3, 2, 2), (3, 2, 1, 1)),
    row("conv_transpose1d", "", (2, 2, 4), (2, 3, 3), (3,), stride=2, padding=1, output_padding=1),
    row("conv_transpose1d", "one", (2, 4), (2, 1, 2), dilation=2),
    Case(op="conv_weight", call=weight_gradient, inputs=(real(1, 2, 3, 4), real(1, 2, 2, 3)),
         derivative="dx = conv_input(g, G), dg = conv(x, G)"),
    Case(op="conv_backward", call=both_gradients, inputs=(real(1, 2, 4, 4), real(1, 2, 3, 4), real(2, 2, 2, 3)),
         derivative="dg = conv(G, w) + conv(x, H), dx = conv_input(g, H), dw = conv_weight(G, g)"),
]  # fmt: skip
