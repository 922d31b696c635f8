"""Special functions."""

from __future__ import annotations

from cases.case import Case, Maker, between, fixed, positive, real
from cases.elementwise import binary, torch, unary

import autograd as ag
from autograd.ops import special


def probability(*shape: int) -> Maker:
    return between(0.05, 0.95, *shape)


CASES: list[Case] = [
    *unary("erf", "2 g e^(-x²) / sqrt(π)"),
    *unary("erfc", "-2 g e^(-x²) / sqrt(π)"),
    *unary("lgamma", "g digamma(x)", positive),
    # PyTorch's trigamma is off by 1e-9: digamma is compared with mpmath instead
    *unary("digamma", "g trigamma(x)", positive, torch_name=""),
    Case(op="lgamma", label="negative", call=ag.lgamma, inputs=(fixed([-0.3, -1.4, -2.6, 4.2, 11.5]),),
         torch=lambda x: torch.lgamma(x)),
    Case(op="digamma", label="negative", call=ag.digamma, inputs=(fixed([-0.3, -1.4, -2.6, 4.2, 11.5]),)),
    Case(op="polygamma", call=lambda x: special._polygamma(x, n=1), inputs=(positive(3, 4),),
         derivative="g polygamma(n + 1, x)"),
    Case(op="polygamma", label="negative", call=lambda x: special._polygamma(x, n=2), inputs=(fixed([-0.3, -1.4, 11.5]),)),
    *unary("logit", "g / (x (1 - x))", probability, kink="+inf at 0 and 1"),
    Case(op="logit", label="eps", call=lambda x: ag.logit(x, eps=0.2), inputs=(probability(3, 4),),
         torch=lambda x: torch.logit(x, eps=0.2)),
    *binary("xlogy", "g log(y); g x / y", real, positive, kink="0; 0 at x = y = 0"),
    Case(op="xlogy", label="number", call=lambda x: ag.xlogy(x, 3.0), inputs=(real(3),), torch=lambda x: torch.xlogy(x, 3.0)),
    Case(op="xlogy", label="number-first", call=lambda y: ag.xlogy(2.0, y), inputs=(positive(3),),
         torch=lambda y: torch.xlogy(2.0, y)),
    *binary("xlog1py", "g log(1 + y); g x / (1 + y)", real, positive, torch_name="", kink="0; 0 at x = 0, y = -1"),
]  # fmt: skip
