"""What leaves are called: by the modules that own them, by themselves, by the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd.graph import Node
from autograd.mode import Scope
from autograd.versions import owner


class Names:
    """Where the names of leaves come from: the tensor itself, a mapping from the user, or the modules around its use."""

    def __init__(self, given: Mapping[str, Any] | None, model: Any = None) -> None:
        self._given: dict[Node, str] = {}
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}
        for name, value in (given or {}).items():
            if not name.startswith("_"):
                self._take(name, value)
        self._of_owner: dict[int, dict[Node, str]] = {}
        if model is not None:
            for name, node in _named_nodes(model).items():
                self._given.setdefault(node, name)

    def _take(self, name: str, value: Any) -> None:
        node = getattr(value, "node", None)
        if isinstance(node, Node):
            self._given.setdefault(node, name)
        array = getattr(value, "_data", value)
        if isinstance(array, np.ndarray):
            self._arrays.setdefault(name, array)

    def of_array(self, array: np.ndarray[Any, Any], otherwise: str) -> str:
        """The name of an array that is no argument but a static one, such as an index; it may have been copied since."""
        for name, given in self._arrays.items():
            if owner(given) is owner(array):
                return name
        for name, given in self._arrays.items():
            if (
                given.size == array.size
                and given.dtype.kind == array.dtype.kind
                and np.array_equal(given.ravel(), array.ravel())
            ):
                return name
        return otherwise

    def owned(self, node: Node, scope: Scope | None) -> str:
        """The name of a leaf in the innermost module around a scope that owns it, or nothing."""
        while scope is not None:
            if scope.owner is not None:
                known = self._of_owner.get(id(scope.owner))
                if known is None:
                    known = {found: name for name, found in _named_nodes(scope.owner).items()}
                    self._of_owner[id(scope.owner)] = known
                if node in known:
                    return known[node]
            scope = scope.parent
        return ""

    def of(self, node: Node, scope: Scope | None) -> str:
        """The name of a leaf where it is used in ``scope``: in its module, its own, the given one, or in any module."""
        found = self.owned(node, scope) or getattr(node, "name", None) or self._given.get(node)
        return found or next((known[node] for known in self._of_owner.values() if node in known), "")


def _named_nodes(module: Any) -> dict[str, Node]:
    """The parameters and buffers of a module that are in a graph."""
    found: dict[str, Node] = {}
    for members in ("named_parameters", "named_buffers"):
        named = getattr(module, members, None)
        if named is not None:
            found.update((name, tensor.node) for name, tensor in named() if tensor.node is not None)
    return found
