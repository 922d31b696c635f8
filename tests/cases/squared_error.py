"""The squared error."""

from __future__ import annotations

from cases.case import Case, real

from autograd.ops.squared_error import _backward, squared_error

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def row(label, shape, reduction, count):
    return Case(
        op="squared_error",
        label=label,
        call=lambda x, y: squared_error(x, y, count),
        inputs=(real(*shape), real(*shape)),
        torch=lambda x, y: torch.nn.functional.mse_loss(x, y, reduction=reduction),
        derivative="2 (x - y) g / n; -dx",
    )


CASES = [
    row("", (4, 3), "mean", 12),
    row("sum", (2, 1, 3), "sum", 1),
    row("0d", (), "mean", 1),
    Case(op="squared_error", label="with-itself", call=lambda x: squared_error(x, x * x, 6), inputs=(real(6),)),
    Case(op="squared_error_backward", label="", call=_backward, inputs=(real(4, 3), real(4, 3), real(4, 3)),
         derivative="2 (x - y) h; 2 g h; -2 g h"),
    Case(op="squared_error_backward", label="scalar", call=_backward, inputs=(real(), real(5), real(5))),
]  # fmt: skip
