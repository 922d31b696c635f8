"""Tensor methods: reductions."""

from __future__ import annotations

from typing import Any

from autograd.ops import reductions


class ReductionMethods:
    """Tensor methods: reductions."""

    __slots__ = ()

    def sum(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The sum."""
        return reductions.sum(self, dim, keepdim)
