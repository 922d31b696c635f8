"""Tensor methods: shaping."""

from __future__ import annotations


class ShapingMethods:
    """Tensor methods: shaping."""

    __slots__ = ()
