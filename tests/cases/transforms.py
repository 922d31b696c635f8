"""Ops that the transforms add."""

from __future__ import annotations

from cases.case import Case, real

import autograd as ag

CASES = [
    Case(op="checkpoint", call=lambda x, w: ag.checkpoint(lambda a: ag.tanh(a * w) * a, x), inputs=(real(3, 2), real(2)),
         derivative="computed again from the inputs"),
    Case(op="checkpoint", label="two", call=lambda x: ag.checkpoint(lambda a: (a * a, ag.sin(a)), x), inputs=(real(3),)),
]  # fmt: skip
