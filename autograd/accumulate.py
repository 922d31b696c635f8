"""What becomes of finished cotangents: each is put into memory of its own, and added to the ``.grad`` of its node."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import graph
from autograd.graph import Array, Node, alias_node, wrap


def _sole_owner(holder: Sequence[Any]) -> bool:
    """True when the memory of the array ``holder[1]`` can be seen from nowhere else.

    (Counted without a local variable for the array: whether those count differs between versions of Python.)
    """
    return (
        type(holder[1]) is np.ndarray
        and holder[1].base is None
        and holder[1].flags.carray
        and sys.getrefcount(holder[1]) <= 2  # the holder's, and getrefcount's own
    )


def _sole_tensor(holder: Sequence[Any]) -> bool:
    """The same for the memory of the Tensor ``holder[1]``: neither it nor its array is held anywhere else."""
    return (
        sys.getrefcount(holder[1]) <= 2
        and holder[1]._data.base is None
        and holder[1]._data.flags.carray
        and sys.getrefcount(holder[1]._data) <= 2
    )


def take(cotangents: dict[Node, Any], node: Node) -> Any:
    """The finished cotangent of a node, taken out of the results of a pass: a Tensor in memory of its own, or None."""
    if node not in cotangents:
        return None
    holder = (node, cotangents.pop(node))
    if isinstance(holder[1], graph.tensor_type):
        return holder[1] if _sole_tensor(holder) else copied(holder[1])
    if _sole_owner(holder) and holder[1].dtype == node.aval[1]:
        return wrap(holder[1], None)
    return wrap(np.array(holder[1], node.aval[1], order="C"), None)


def only_view(array: Array) -> bool:
    """True when nobody can see the memory of a view but through this view: what it was made from is gone."""
    return isinstance(array.base, np.ndarray) and array.base.base is None and sys.getrefcount(array.base) <= 2


_commit_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child must not inherit a lock that another thread held

    def _new_lock() -> None:
        global _commit_lock
        _commit_lock = threading.Lock()

    os.register_at_fork(after_in_child=_new_lock)


def copied(cotangent: Any) -> Any:
    """A Tensor in memory of its own that stands where ``cotangent`` stands in the graph."""
    return wrap(np.array(cotangent._data, order="C"), alias_node(cotangent.node) if cotangent._requires_grad else None)


def accumulate_grads(cotangents: dict[Node, Any], create_graph: bool) -> None:
    """Adds finished cotangents to the ``.grad`` of their nodes: all of them, after a pass that came to its end.

    Each ``.grad`` owns its memory: an array that anyone else could hold (a seed, a broadcast, another leaf's) is copied, and a
    sum is a new array, since the user may hold the one from before.
    """
    with _commit_lock:
        while cotangents:
            holder = cotangents.popitem()
            alone = _sole_owner(holder)
            node, g = holder
            present = getattr(node, "grad", None)
            if create_graph:
                node.grad = copied(g) if present is None else present + g
                continue
            if present is not None:
                array = np.asarray(present._data + g)
            elif alone:
                array = g
            else:
                array = np.array(g, node.aval[1], order="C")
            node.grad = wrap(array, None)
