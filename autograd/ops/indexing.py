"""Indexing and its adjoint, scattering."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.backward import Scatter
from autograd.graph import Aval
from autograd.primitive import apply, as_operand, internal

_getitem = internal(
    lambda x, *, index: x[index],
    lambda g, _y, _x, *, index: Scatter(index, g),
    name="getitem",
    view=True,
)


def _join(*values: Any, indices: tuple[Any, ...], aval: Aval) -> Any:
    buffer = np.zeros(*aval)
    for index, value in zip(indices, values, strict=True):
        Scatter(index, value).add_to(buffer)
    return buffer


def _join_rule(g: Any, wanted: tuple[bool, ...], _y: Any, *_values: Any, indices: tuple[Any, ...], aval: Aval) -> Any:  # noqa: ARG001
    return [g[index] if want else None for index, want in zip(indices, wanted, strict=True)]


_scatter = internal(_join, name="scatter", joint=_join_rule)


def _join_scattered(scatters: list[Scatter], aval: Aval) -> Any:
    """The sum of index contributions as one op of the graph (used when a backward pass is itself recorded)."""
    return _scatter(*(s.values for s in scatters), indices=tuple(s.index for s in scatters), aval=aval)


Scatter.join = _join_scattered  # type: ignore[assignment]


def getitem(x: Any, index: Any) -> Any:
    """x[index]."""
    return _getitem(x, index=_static(index))


def _static(index: Any) -> Any:
    """The index with Tensors and arrays as private arrays."""
    if isinstance(index, tuple):
        return tuple(_static(part) for part in index)
    if index is None or index is Ellipsis or isinstance(index, int | slice):
        return index
    return np.array(getattr(index, "_data", index))


def _set_kernel(x: Any, value: Any, *, index: Any) -> Any:
    x[index] = value
    return x


def _set_rule_x(g: Any, _y: Any, _x: Any, _value: Any, *, index: Any) -> Any:
    raise NotImplementedError


_set = internal(_set_kernel, _set_rule_x, lambda g, _y, _x, _v, *, index: g[index], name="setitem")


def set_in_place(x: Any, index: Any, value: Any) -> Any:
    """Writes into the memory of x and returns the recorded result."""
    return apply(_set.primitive, (x, as_operand(value, "setitem")), {"index": _static(index)})  # type: ignore[attr-defined]
