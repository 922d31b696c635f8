"""Tensor methods: indexing."""

from __future__ import annotations


class IndexingMethods:
    """Tensor methods: indexing."""

    __slots__ = ()
