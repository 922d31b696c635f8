"""Classification losses."""

from __future__ import annotations

from cases.case import Case, fixed, real

import autograd as ag

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

TARGET = [2, 0, -100, 1, 2]
WEIGHT = [0.5, 2.0, 1.5]


def row(label, shape=(5, 3), target=TARGET, soft=None, **options):
    numpy_options = {**options}

    def ours(x):
        return ag.cross_entropy(x, target, **numpy_options)

    def theirs(x):
        more = {k: torch.tensor(v, dtype=x.dtype) if k == "weight" else v for k, v in options.items()}
        return torch.nn.functional.cross_entropy(x, torch.tensor(target), **more)

    return Case(
        op="cross_entropy", label=label, call=ours, inputs=(real(*shape),), torch=theirs, derivative="(softmax - onehot) g"
    )


CASES = [
    row(""),
    row("sum", reduction="sum"),
    row("none", reduction="none"),
    row("weight", weight=WEIGHT),
    row("smooth", label_smoothing=0.1),
    row("smooth-weight", label_smoothing=0.3, weight=WEIGHT, reduction="none"),
    row("ignore", target=[2, 0, 0, 1, 2], ignore_index=2),
    row("vector", shape=(3,), target=1),
    row("image", shape=(2, 3, 2, 2), target=[[[0, 1], [2, 0]], [[1, 1], [0, 2]]], weight=WEIGHT),
    Case(op="log_softmax", label="probabilities", call=lambda x, p: ag.cross_entropy(x, ag.softmax(p, 1), weight=WEIGHT),
         inputs=(real(4, 3), real(4, 3)),
         torch=lambda x, p: torch.nn.functional.cross_entropy(x, torch.softmax(p, 1), weight=torch.tensor(WEIGHT, dtype=x.dtype))),
    Case(op="log_softmax", label="probabilities-of-0", call=lambda x, p: ag.cross_entropy(x, p),
         inputs=(real(2, 3), fixed([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])),
         torch=lambda x, p: torch.nn.functional.cross_entropy(x, p)),
    Case(op="getitem", label="nll", call=lambda x: ag.nll_loss(x, TARGET, weight=WEIGHT), inputs=(real(5, 3),),
         torch=lambda x: torch.nn.functional.nll_loss(x, torch.tensor(TARGET), weight=torch.tensor(WEIGHT, dtype=x.dtype))),
    Case(op="softplus", label="bce", call=lambda x, y: ag.binary_cross_entropy_with_logits(x, ag.sigmoid(y), pos_weight=3.0),
         inputs=(real(4, 2), real(4, 2)),
         torch=lambda x, y: torch.nn.functional.binary_cross_entropy_with_logits(
             x, torch.sigmoid(y), pos_weight=torch.tensor(3.0, dtype=x.dtype))),
]  # fmt: skip
