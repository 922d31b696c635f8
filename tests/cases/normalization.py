"""Normalisation."""

from __future__ import annotations

from cases.case import Case, positive, real

import autograd as ag

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # type: ignore[assignment]


def row(name, label, shape, *arguments, parameters=(), derivative="", parity=True, **options):
    return Case(
        op="normalize",
        label=f"{name}-{label}" if label else name,
        call=lambda x, *p: getattr(ag, name)(x, *arguments, *p, **options),
        inputs=(real(*shape), *(real(*p) for p in parameters)),
        torch=(lambda x, *p: getattr(F, name)(x, *arguments, *p, **options)) if parity else None,
        derivative=derivative,
    )


CASES = [
    row("layer_norm", "", (3, 4), (4,), parameters=((4,), (4,)),
        derivative="rate (h - mean(h) - n mean(h n)) with h = g weight and n the normalised x"),
    row("layer_norm", "plain", (3, 4), (4,)),
    row("layer_norm", "weight", (3, 4), (4,), parameters=((4,),)),
    row("layer_norm", "axes", (2, 3, 2), (3, 2), parameters=((3, 2), (3, 2))),
    row("layer_norm", "row", (5,), (5,), parameters=((5,), (5,))),
    row("layer_norm", "empty", (0, 4), (4,), parameters=((4,), (4,)), parity=False),
    row("rms_norm", "", (3, 4), (4,), parameters=((4,),)),
    row("rms_norm", "plain", (2, 3, 4), (3, 4), eps=1e-3),
    row("group_norm", "", (2, 4, 3), 2, parameters=((4,), (4,))),
    row("group_norm", "plain", (2, 4), 2),
    row("group_norm", "instance", (2, 3, 2, 2), 3, parameters=((3,), (3,))),
    Case(op="normalize", label="batch_norm", call=lambda x, w, b: ag.batch_norm(x, None, None, w, b, True),
         inputs=(real(4, 3), real(3), real(3)), torch=lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    Case(op="normalize", label="batch_norm-images", call=lambda x, w, b: ag.batch_norm(x, None, None, w, b, True),
         inputs=(real(2, 3, 2, 2), real(3), real(3)), torch=lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    Case(op="normalize", label="batch_norm-bias", call=lambda x, b: ag.batch_norm(x, None, None, None, b, True),
         inputs=(real(3, 2, 2), real(2)),  # without a weight PyTorch fails at second order
         torch=lambda x, b: F.batch_norm(x, None, None, torch.ones_like(b), b, True)),
    Case(op="normalize", label="batch_norm-plain", call=lambda x: ag.batch_norm(x, None, None, None, None, True),
         inputs=(real(3, 2, 2),), torch=lambda x: F.batch_norm(x, None, None, None, None, True)),
    Case(op="multiply", label="batch_norm-eval",
         call=lambda x, m, v, w, b: ag.batch_norm(x, m, v, w, b), inputs=(real(3, 2, 2), real(2), positive(2), real(2), real(2))),
]  # fmt: skip
