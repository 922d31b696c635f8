"""Tensor methods: linalg."""

from __future__ import annotations


class LinalgMethods:
    """Tensor methods: linalg."""

    __slots__ = ()
