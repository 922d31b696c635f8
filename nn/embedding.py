"""Vectors for whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, embedding, versions
from autograd.devices import check_device
from nn import init
from nn._options import empty, size
from nn.module import Module
from nn.parameter import Parameter


class Embedding(Module):
    """A row of the weight for each index: (...) -> (..., embedding_dim).

    Args:
        num_embeddings: number of rows V.
        embedding_dim: length of a row D.
        padding_idx: a row that is zeros at first and gets no gradient; negative ones count from the end.
        max_norm: rows that are looked up and longer than this are scaled to it, in place, before they are used.
        norm_type: which norm that is.
        scale_grad_by_freq: divide the gradient of a row by the number of times that it was looked up in the call.
        sparse: accepted for models written for PyTorch, and ignored: gradients are dense.
        dtype: of the weight.

    Attributes:
        weight: (V, D), from the standard normal distribution.

    Raises:
        IndexError: when called with an index that is negative or not below V.
        TypeError: when called with anything but whole numbers.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "Embedding")
        super().__init__()
        self.num_embeddings = size(num_embeddings, "Embedding", "num_embeddings")
        self.embedding_dim = size(embedding_dim, "Embedding", "embedding_dim")
        self.padding_idx = _row(padding_idx, self.num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = empty((self.num_embeddings, self.embedding_dim), dtype)
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer with given rows (V, D), which are not trained unless ``freeze`` is False."""
        values = embeddings._data if isinstance(embeddings, Tensor) else np.asarray(embeddings)
        if values.ndim != 2:
            raise ValueError(f"from_pretrained: expected embeddings (V, D), got shape {values.shape}")
        layer = cls(0, 0, None, max_norm, norm_type, scale_grad_by_freq, sparse)
        layer.num_embeddings, layer.embedding_dim = values.shape
        layer.padding_idx = _row(padding_idx, layer.num_embeddings)
        layer.weight = Parameter(values, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight._data[self.padding_idx] = 0.0

    def forward(self, input: Any) -> Any:
        """The rows at the indices."""
        if self.max_norm is not None:
            self._shorten(input)
        rows = embedding(input, self.weight, self.padding_idx)
        if self.scale_grad_by_freq and rows.requires_grad:
            share = _shares(np.asarray(getattr(input, "_data", input)), rows.dtype)
            rows.register_hook(lambda g: g * share)
        return rows

    def _shorten(self, indices: Any) -> None:
        """Scales rows that are too long, as PyTorch does: by max_norm / (norm + 1e-7)."""
        rows = np.unique(np.asarray(getattr(indices, "_data", indices)))
        rows = rows[(rows >= 0) & (rows < self.num_embeddings)] if rows.dtype.kind in "iu" else rows[:0]
        values = self.weight._data
        norms = np.linalg.norm(values[rows].astype(np.float64), self.norm_type, axis=1)
        long = norms > self.max_norm
        if long.any():
            values[rows[long]] *= (self.max_norm / (norms[long] + 1e-7))[:, None].astype(values.dtype)
            versions.stamp(values)

    def extra_repr(self) -> str:
        """The sizes and what differs from the defaults."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2.0:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + ", sparse=True" if self.sparse else text


def _shares(indices: Any, dtype: Any) -> Tensor:
    """1 / (how often the index occurs among all) for each index, (..., 1)."""
    _, places, counts = np.unique(indices, return_inverse=True, return_counts=True)
    return Tensor((1.0 / counts[places].reshape(*indices.shape, 1)).astype(dtype))


def _row(padding_idx: int | None, rows: int) -> int | None:
    """The row counted from the start."""
    if padding_idx is None:
        return None
    if not isinstance(padding_idx, int | np.integer) or not -rows <= padding_idx < rows:
        raise ValueError(f"Embedding: expected padding_idx within {rows} rows, got {padding_idx!r}")
    return int(padding_idx) % rows
