"""unfold and fold."""

from __future__ import annotations

from cases.case import Case, real

import autograd as ag

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # type: ignore[assignment]

ODD = {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}

CASES = [
    Case(op="unfold", call=lambda x: ag.unfold(x, 2), inputs=(real(2, 3, 4, 3),), derivative="fold(g)",
         torch=lambda x: F.unfold(x, 2)),
    Case(op="unfold", label="odd", call=lambda x: ag.unfold(x, **ODD), inputs=(real(1, 2, 5, 4),),
         torch=lambda x: F.unfold(x, **ODD)),
    Case(op="unfold", label="one", call=lambda x: ag.unfold(x, 2, stride=2), inputs=(real(2, 4, 4),),
         torch=lambda x: F.unfold(x, 2, stride=2)),
    Case(op="unfold", label="empty", call=lambda x: ag.unfold(x, 2), inputs=(real(0, 2, 3, 3),)),
    Case(op="fold", call=lambda x: ag.fold(x, (4, 3), 2), inputs=(real(2, 8, 6),), derivative="unfold(g)",
         torch=lambda x: F.fold(x, (4, 3), 2)),
    Case(op="fold", label="odd", call=lambda x: ag.fold(x, (5, 4), **ODD), inputs=(real(1, 12, 12),),
         torch=lambda x: F.fold(x, (5, 4), **ODD)),
    Case(op="fold", label="one", call=lambda x: ag.fold(x, 4, 2, stride=2), inputs=(real(8, 4),),
         torch=lambda x: F.fold(x, (4, 4), 2, stride=2)),
    Case(op="fold", label="empty", call=lambda x: ag.fold(x, 3, 2), inputs=(real(0, 8, 4),)),
]  # fmt: skip
