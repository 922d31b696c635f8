"""Selection: where, maximum, clip and their like; round."""

from __future__ import annotations

import numpy as np
from cases.case import Case, fixed, real
from cases.elementwise import binary, torch

import autograd as ag
from autograd.ops import gate

MASK = np.array([[True, False, True, False]])

CASES: list[Case] = [
    Case(op="where", call=ag.where, inputs=(fixed(MASK), real(3, 4), real(3, 4)), derivative="0; g where true; g where false",
         kink="exactly 0 for the branch not taken", numpy=np.where, torch=lambda c, x, y: torch.where(c, x, y)),
    Case(op="where", label="broadcast", call=ag.where, inputs=(fixed(MASK), real(3, 1), real()), numpy=np.where,
         torch=lambda c, x, y: torch.where(c, x, y)),
    Case(op="where", label="0d", call=ag.where, inputs=(fixed(True), real(), real()), numpy=np.where),
    Case(op="where", label="empty", call=ag.where, inputs=(fixed(MASK), real(0, 4), real(4)), numpy=np.where),
    Case(op="where", label="number", call=lambda c, x: ag.where(c, x, 0.5), inputs=(fixed(MASK), real(3, 4)),
         numpy=lambda c, x: np.where(c, x, 0.5), torch=lambda c, x: torch.where(c, x, 0.5)),
    Case(op="where", label="large", call=lambda x, y: ag.where(np.arange(600) % 3 == 0, x, y), inputs=(real(600), real(600)),
         numpy=lambda x, y: np.where(np.arange(600) % 3 == 0, x, y)),
    Case(op="where", label="masked_fill", call=lambda x, v: ag.masked_fill(x, MASK, v), inputs=(real(3, 4), real()),
         torch=lambda x, v: x.masked_fill(torch.tensor(MASK), v)),
    Case(op="gate", call=lambda x: gate.gate_primitive(x, MASK), inputs=(real(3, 4),), derivative="g where true; 0",
         numpy=lambda x: np.where(MASK, x, 0.0)),
    Case(op="gate", label="0d", call=lambda x: gate.gate_primitive(x, np.array(True)), inputs=(real(),)),
    *binary("maximum", "g where x > y; g where y > x", numpy=np.maximum, kink="a tie is split evenly"),
    *binary("minimum", "g where x < y; g where y < x", numpy=np.minimum, kink="a tie is split evenly"),
    *binary("fmax", "g where x > y; g where y > x", numpy=np.fmax, kink="a tie is split evenly"),
    *binary("fmin", "g where x < y; g where y < x", numpy=np.fmin, kink="a tie is split evenly"),
    Case(op="clip_to_numbers", call=lambda x: ag.clip(x, -0.5, 0.7), inputs=(real(3, 4),), derivative="g inside",
         kink="1 in x at the bounds", numpy=lambda x: np.clip(x, -0.5, 0.7), torch=lambda x: torch.clip(x, -0.5, 0.7)),
    Case(op="clip_to_numbers", label="min", call=lambda x: ag.clip(x, min=-0.5), inputs=(real(3, 4),),
         numpy=lambda x: np.clip(x, -0.5, None), torch=lambda x: torch.clip(x, min=-0.5)),
    Case(op="clip_to_numbers", label="max", call=lambda x: ag.clip(x, max=0.7), inputs=(real(3, 4),),
         numpy=lambda x: np.clip(x, None, 0.7), torch=lambda x: torch.clip(x, max=0.7)),
    Case(op="clip", label="tensors", call=ag.clip, derivative="g inside; g below; g above", kink="1 in x at the bounds",
         inputs=(real(3, 4), fixed([-0.5, -0.3, 0.2, 0.9]), fixed([[0.6], [1.2], [0.4]])), numpy=np.clip,
         torch=lambda x, a, b: torch.clip(x, a, b)),
    Case(op="clip_to_numbers", label="0d", call=lambda x: ag.clip(x, 0.0, 1.0), inputs=(fixed(0.3),),
         numpy=lambda x: np.clip(x, 0.0, 1.0)),
    Case(op="clip_to_numbers", label="empty", call=lambda x: ag.clip(x, 0.0, 1.0), inputs=(real(0, 3),)),
    Case(op="nan_to_num", call=lambda x: ag.nan_to_num(x, nan=2.0), inputs=(real(3, 4),), derivative="g where finite",
         kink="0 at nan and inf", numpy=lambda x: np.nan_to_num(x, nan=2.0), torch=lambda x: torch.nan_to_num(x, 2.0)),
    Case(op="nan_to_num", label="0d", call=ag.nan_to_num, inputs=(real(),), numpy=np.nan_to_num),
    Case(op="round", call=ag.round, inputs=(real(3, 4),), derivative="0", kink="0 at halves", numpy=np.round,
         torch=lambda x: torch.round(x)),
    Case(op="round", label="decimals", step=1e-5, call=lambda x: ag.round(x, 2), inputs=(fixed([0.1234, -5.6789]),),
         numpy=lambda x: np.round(x, 2)),
]  # fmt: skip
