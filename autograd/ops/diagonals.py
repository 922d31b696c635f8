"""Triangles, diagonals and matrices made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.declare import implements
from autograd.ops._axes import axis_tuple
from autograd.ops.gate import gate_primitive
from autograd.ops.indexing import getitem
from autograd.ops.joining import concatenate
from autograd.ops.padding import pad
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import atleast_2d, expand_dims, moveaxis, reshape
from autograd.primitive import constant


def _triangle(x: Any, k: int, lower: bool, op: str) -> Any:
    x = tensor_of(x, op)
    if x.ndim < 2:
        raise ValueError(f"{op}: expected at least 2 axes, got shape {x.shape}")
    rows, columns = x.shape[-2:]
    mask = np.tri(rows, columns, k if lower else k - 1, dtype=np.bool_)
    mask = np.broadcast_to(mask if lower else ~mask, x.shape)
    if x.dtype.kind != "f":  # a mask stays one
        return constant(np.where(mask, x._data, x.dtype.type(0)))
    return gate_primitive(x, np.array(mask))


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Any:
    """The part on and below the k-th diagonal, 0 above."""
    return _triangle(x, k, True, "tril")


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Any:
    """The part on and above the k-th diagonal, 0 below."""
    return _triangle(x, k, False, "triu")


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of each matrix in two axes, as a new last axis."""
    x = tensor_of(x, "diagonal")
    first, second = axis_tuple((axis1, axis2), x.ndim, "diagonal")
    x = moveaxis(x, (first, second), (-2, -1))
    rows, columns = x.shape[-2:]
    start_row, start_column = max(-offset, 0), max(offset, 0)
    count = max(min(rows - start_row, columns - start_column), 0)
    steps = np.arange(count)
    return getitem(x, (Ellipsis, start_row + steps, start_column + steps))


def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in two axes of the result, with the last axis of x on a diagonal and 0 elsewhere."""
    x = tensor_of(x, "diag_embed")
    if x.ndim == 0:
        raise ValueError("diag_embed: expected at least 1 axis, got shape ()")
    places = axis_tuple((dim1, dim2), x.ndim + 1, "diag_embed")
    size = x.shape[-1] + abs(offset)
    columns = expand_dims(x, -1) * np.ones(size, x.dtype)
    square = pad(columns, [(0, 0)] * (x.ndim - 1) + [(max(-offset, 0), max(offset, 0)), (0, 0)])
    matrices = gate_primitive(square, np.broadcast_to(np.eye(size, k=offset, dtype=np.bool_), square.shape))
    return matrices if places == (x.ndim - 1, x.ndim) else moveaxis(matrices, (-2, -1), places)


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or the matrix with a vector on it."""
    x = tensor_of(x, "diag")
    if x.ndim == 1:
        return diag_embed(x, k)
    if x.ndim == 2:
        return diagonal(x, k)
    raise ValueError(f"diag: expected 1 or 2 axes, got shape {x.shape}")


@implements(np.diagflat)
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix with all elements of x on its k-th diagonal."""
    return diag_embed(reshape(x, -1), k)


def block_diag(*matrices: Any) -> Any:
    """Matrices along the diagonal of a larger one, 0 elsewhere."""
    parts = [atleast_2d(part) for part in matrices]
    for part in parts:
        if part.ndim > 2:
            raise ValueError(f"block_diag: expected at most 2 axes, got shape {part.shape}")
    width = sum(part.shape[1] for part in parts)
    rows, left = [], 0
    for part in parts:
        rows.append(pad(part, ((0, 0), (left, width - left - part.shape[1]))))
        left += part.shape[1]
    return concatenate(rows, 0)
