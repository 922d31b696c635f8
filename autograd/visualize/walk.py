"""From the graph of Nodes to the picture's model: a loop over the nodes, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd.graph import ALIAS, CONSTANT, FREED, ITEM, LEAF, Node
from autograd.mode import Scope
from autograd.visualize.model import Box, Edge, Graph, Vertex, bytes_text, norm_text, number_text, shape_text
from autograd.visualize.style import Thresholds

_SIGNS = {"multiply": "×", "divide": "÷", "add": "+", "subtract": "−", "power": "^"}


def all_nodes(roots: Iterable[Node]) -> list[Node]:
    """Every node behind the roots, constants too, oldest first."""
    seen = dict.fromkeys(roots)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if type(parent) is Node and parent not in seen:
                seen[parent] = None
                stack.append(parent)
    return sorted(seen, key=lambda node: node.seq)


def solid(node: Node) -> Node:
    """The node that made a value: items of an op with several outputs, and aliases, are not drawn."""
    while node.pullback is ITEM or node.pullback is ALIAS:
        node = node.parents[0]
    return node


class Names:
    """Where the names of leaves come from: the tensor itself, a mapping from the user, or the modules around its use."""

    def __init__(self, given: Mapping[str, Any] | None, model: Any = None) -> None:
        self._given: dict[Node, str] = {}
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

    def of(self, node: Node, scope: Scope | None) -> str:
        """The name of a leaf where it is used in ``scope``: relative to the innermost module that owns it."""
        while scope is not None:
            if scope.owner is not None:
                known = self._of_owner.get(id(scope.owner))
                if known is None:
                    known = {found: name for name, found in _named_nodes(scope.owner).items()}
                    self._of_owner[id(scope.owner)] = known
                if node in known:
                    return known[node]
            scope = scope.parent
        return getattr(node, "name", None) or self._given.get(node, "")


def _named_nodes(module: Any) -> dict[str, Node]:
    named = getattr(module, "named_parameters", None)
    if named is None:
        return {}
    return {name: parameter.node for name, parameter in named() if parameter.node is not None}


def read(outputs: Mapping[str, Any], names: Names, thresholds: Thresholds, sources: bool = False) -> Graph:
    """The model of everything behind some tensors.

    Args:
        outputs: the tensors by name.
        names: where leaves get their names.
        thresholds: from where on a gradient is sick.
        sources: show the line of source of each op, where it was recorded.
    """
    graph = Graph()
    nodes = all_nodes(tensor.node for tensor in outputs.values())
    drawn = [node for node in nodes if solid(node) is node]
    keys = {node: f"n{index}" for index, node in enumerate(drawn)}
    kept = _kept_values(drawn)
    boxes = _Boxes(graph)
    uses: dict[Node, Node] = {}  # a leaf's first consumer: it is drawn at its side
    for node in drawn:
        for parent in node.parents:
            if type(parent) is Node:
                uses.setdefault(solid(parent), node)
    for node in drawn:
        if node.is_leaf:
            graph.vertices.append(_leaf_vertex(node, keys[node], uses.get(node), names, boxes, node in kept, thresholds))
        else:
            graph.vertices.append(_op_vertex(node, keys[node], boxes, node in kept, sources))
            graph.ops += 1
            graph.edges.extend(_edges(node, keys, kept))
    for index, (name, tensor) in enumerate(outputs.items()):
        value = number_text(tensor._data.item()) if tensor._data.size == 1 else ""
        key = f"out{index}"
        graph.vertices.append(Vertex(key, "output", name, None, tensor.shape, str(tensor.dtype), value=value, source=key))
        graph.edges.append(Edge(keys[solid(tensor.node)], key, 0, tensor.shape, str(tensor.dtype)))
    leaves = [node for node in drawn if node.pullback is LEAF]
    graph.parameters = len(leaves)
    graph.values = sum(int(np.prod(node.shape)) for node in leaves)
    graph.saved_bytes = _saved_bytes(drawn)
    graph.released = any(node.saved is FREED for node in drawn)
    _title(graph, outputs)
    return graph


def _title(graph: Graph, outputs: Mapping[str, Any]) -> None:
    first = graph.vertices[-len(outputs)]
    graph.title = f"{first.name} = {first.value}" if len(outputs) == 1 and first.value else ", ".join(outputs)
    kept = "released" if graph.released else f"{bytes_text(graph.saved_bytes)} saved for backward"
    graph.subtitle = (
        f"{graph.ops} {'op' if graph.ops == 1 else 'ops'} · {graph.parameters} "
        f"{'parameter' if graph.parameters == 1 else 'parameters'}, {graph.values} values · {kept}"
    )


def _kept_values(nodes: list[Node]) -> set[Node]:
    """The nodes whose value is kept for the backward pass: by themselves, or by an op that reads it.

    Which these are is known from the rules, so it can still be told after the arrays were released.
    """
    kept = set()
    for node in nodes:
        keeps = node.pullback.keeps
        if keeps is None:
            continue
        if keeps[0]:
            kept.add(node)
        for parent, keep in zip(node.parents, keeps[1:], strict=False):
            if keep and type(parent) is Node:
                kept.add(solid(parent))
    return kept


def _arrays(saved: Any) -> Iterable[np.ndarray[Any, Any]]:
    stack = [saved]
    while stack:
        item = stack.pop()
        if isinstance(item, np.ndarray):
            yield item
        elif isinstance(item, tuple | list):
            stack.extend(item)


def _saved_bytes(nodes: list[Node]) -> int:
    """The bytes of all saved arrays, each counted once."""
    distinct = {id(array): array.nbytes for node in nodes if node.saved is not FREED for array in _arrays(node.saved)}
    return sum(distinct.values())


class _Boxes:
    """The module boxes, made from the scopes of the nodes as they come."""

    def __init__(self, graph: Graph) -> None:
        self._boxes = graph.boxes
        self._keys: dict[int, str] = {}

    def key(self, scope: Scope | None) -> str | None:
        """The key of the box of a scope; it and those around it are made where they are new."""
        chain = []
        while scope is not None and id(scope) not in self._keys:
            chain.append(scope)
            scope = scope.parent
        key = None if scope is None else self._keys[id(scope)]
        for inner in reversed(chain):
            parent, key = key, f"m{len(self._boxes)}"
            self._keys[id(inner)] = key
            owner = inner.owner
            describe = getattr(owner, "extra_repr", None)
            self._boxes[key] = Box(
                key,
                inner.name,
                parent,
                type="" if owner is None else type(owner).__name__,
                arguments=describe() if callable(describe) else "",
                backward=inner.in_backward,
            )
        return key


def _leaf_vertex(
    node: Node, key: str, user: Node | None, names: Names, boxes: _Boxes, kept: bool, thresholds: Thresholds
) -> Vertex:
    scope = None if user is None else user.scope
    tracked = node.pullback is not CONSTANT
    name = names.of(node, scope) or ("parameter" if tracked else "input")
    vertex = Vertex(
        key,
        "parameter" if tracked else "input",
        name,
        boxes.key(scope) if tracked else None,
        node.shape,
        str(node.dtype),
        saved=kept,
        source=key,
    )
    facts = [("shape", shape_text(node.shape)), ("dtype", str(node.dtype))]
    if tracked:
        grad = getattr(node, "grad", None)
        reference = getattr(node, "tensor", None)
        tensor = None if reference is None else reference()
        vertex.gradient, vertex.state = health(
            None if grad is None else grad._data, None if tensor is None else tensor._data, thresholds
        )
        if vertex.gradient is not None:
            facts.append(("‖grad‖", norm_text(vertex.gradient)))
        if tensor is not None and tensor._data.size:
            facts.append(("rms", norm_text(float(np.sqrt(np.mean(np.square(tensor._data, dtype=np.float64)))))))
    vertex.facts = tuple(facts)
    return vertex


def health(gradient: Any, weight: Any, thresholds: Thresholds) -> tuple[float | None, str]:
    """The norm of a gradient, and its state by r = rms(gradient) / max(rms(weight), 1e-8) of a weight that is not all 0."""
    if gradient is None:
        return None, "no grad"
    wide = np.asarray(gradient, np.float64)
    norm = float(np.linalg.norm(wide))
    if not np.all(np.isfinite(wide)):
        return norm, "nan"
    if not np.any(wide):
        return 0.0, "zero grad" if wide.size else ""
    if weight is None:
        return norm, ""
    scale = float(np.sqrt(np.mean(np.square(weight, dtype=np.float64))))
    if scale == 0:  # a bias that starts at zero: there is nothing to compare with
        return norm, ""
    scale = max(scale, 1e-8)
    ratio = norm / np.sqrt(wide.size) / scale
    if ratio < thresholds.vanishing:
        return norm, "vanishing"
    return norm, "exploding" if ratio > thresholds.exploding else ""


def _op_vertex(node: Node, key: str, boxes: _Boxes, kept: bool, sources: bool) -> Vertex:
    numbers = [f"{_SIGNS.get(node.op, '')}{parent:g}" for parent in node.parents if type(parent) is not Node]
    static = [f"{name}={_short(value)}" for name, value in (node.static or {}).items() if _worth_showing(value)]
    several = node.dtype.kind == "V"
    facts = [("op", node.op)]
    facts.extend(("argument", _aval_text(parent)) for parent in node.parents)
    if not several:
        facts.append(("output", _aval_text(node)))
    if node.saved is not FREED:
        own = sum(array.nbytes for array in _arrays(node.saved))
        facts.append(("saved", bytes_text(own)))
    else:
        own = 0
        facts.append(("saved", "released"))
    trace = getattr(node, "trace", None)
    if trace is not None:
        facts.append(("source", str(trace)))
    if node.scope is not None:
        facts.append(("module", ".".join(node.scope.path())))
    gradient = getattr(node, "grad", None)
    return Vertex(
        key,
        "op",
        node.op,
        boxes.key(node.scope),
        None if several else node.shape,
        "" if several else str(node.dtype),
        detail=" ".join(numbers + static),
        lines=(str(trace),) if sources and trace is not None else (),
        gradient=None if gradient is None else float(np.linalg.norm(gradient._data)),
        saved=kept,
        saved_bytes=own,
        backward=node.scope is not None and node.scope.in_backward,
        facts=tuple(facts),
        source=key,
    )


def _worth_showing(value: Any) -> bool:
    return value is not None and value is not False and not isinstance(value, np.ndarray)


def _short(value: Any) -> str:
    text = str(value).replace(" ", "")
    return text if len(text) <= 24 else text[:23] + "…"


def _aval_text(parent: Any) -> str:
    if type(parent) is not Node:
        return f"{parent:g}"
    if parent.dtype.kind == "V":
        return f"{parent.shape[0]} outputs"
    return f"{parent.dtype}[{','.join(map(str, parent.shape))}]"


def _edges(node: Node, keys: dict[Node, str], kept: set[Node]) -> list[Edge]:
    edges = []
    for position, parent in enumerate(node.parents):
        if type(parent) is Node:
            maker = solid(parent)
            edges.append(
                Edge(
                    keys[maker],
                    keys[node],
                    position,
                    parent.shape,
                    str(parent.dtype),
                    saved=maker in kept and not maker.is_leaf,
                    tracked=maker.pullback is not CONSTANT,
                )
            )
    return edges
