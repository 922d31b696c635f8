"""Tensor methods: elementwise."""

from __future__ import annotations


class ElementwiseMethods:
    """Tensor methods: elementwise."""

    __slots__ = ()
