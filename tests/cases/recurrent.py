"""The cells of recurrent networks, and dropout."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag
from autograd.ops.recurrent import gru_pointwise, lstm_pointwise

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def drop(x):
    return ag.dropout(x, 0.4, generator=np.random.default_rng(0))


CASES = [
    Case(op="lstm", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w), derivative="through c' and h', gate by gate",
         inputs=(real(3, 2), real(3, 2), real(3, 2), real(8, 2), real(8, 2), real(8), real(8)),
         torch=lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)),
    Case(op="lstm", label="plain", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w),
         inputs=(real(2, 3), real(2, 2), real(2, 2), real(8, 3), real(8, 2)),
         torch=lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)),
    Case(op="lstm", label="one", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w)[0],
         inputs=(real(3), real(2), real(2), real(8, 3), real(8, 2))),
    Case(op="lstm", label="memory", call=lambda gates, c: lstm_pointwise(gates, c)[1], inputs=(real(2, 8), real(2, 2))),
    Case(op="lstm", label="empty", call=lstm_pointwise, inputs=(real(0, 8), real(0, 2))),
    Case(op="gru", call=ag.gru_cell, derivative="through r, z and n",
         inputs=(real(3, 2), real(3, 2), real(6, 2), real(6, 2), real(6), real(6)),
         torch=lambda *operands: torch.gru_cell(*operands)),
    Case(op="gru", label="plain", call=ag.gru_cell, inputs=(real(2, 3), real(2, 2), real(6, 3), real(6, 2)),
         torch=lambda *operands: torch.gru_cell(*operands)),
    Case(op="gru", label="one", call=ag.gru_cell, inputs=(real(3), real(2), real(6, 3), real(6, 2))),
    Case(op="gru", label="empty", call=gru_pointwise, inputs=(real(0, 6), real(0, 6), real(0, 2))),
    Case(op="dropout", call=drop, inputs=(real(3, 4),), derivative="g / (1 - p) where kept, else 0"),
    Case(op="dropout", label="0d", call=drop, inputs=(real(),)),
    Case(op="dropout", label="empty", call=drop, inputs=(real(0, 2),)),
    Case(op="dropout", label="all", call=lambda x: ag.dropout(x, 1.0), inputs=(real(4),)),
]  # fmt: skip
