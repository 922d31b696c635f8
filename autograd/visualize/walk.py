"""From the graph of Nodes to the picture's model: a loop over the nodes, oldest first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np

from autograd.graph import ALIAS, CONSTANT, FREED, ITEM, LEAF, SEVERAL, Node, saved_arrays
from autograd.mode import Scope
from autograd.versions import owner
from autograd.visualize.model import Box, Edge, Graph, Vertex, bytes_text, count_text, norm_text, number_text, shape_text
from autograd.visualize.names import Names
from autograd.visualize.recording import first_fault, value_statistics
from autograd.visualize.style import Thresholds
from autograd.visualize.wording import arguments_text, seconds_text, static_arrays, static_text, statistics_text, value_text

_MANY = 5000  # above so many nodes, values are looked at only when they are asked for, or one of the outputs is not finite
_LARGE = 1_000_000  # likewise the values of larger arrays


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


def read(outputs: Mapping[str, Any], names: Names, thresholds: Thresholds, profile: Any = None, values: bool = False) -> Graph:
    """The model of everything behind some tensors.

    Args:
        outputs: the tensors by name.
        names: where leaves get their names.
        thresholds: from where on a gradient is sick.
        profile: what each node cost: a mapping of nodes to (seconds, bytes), or an object whose ``nodes`` is one.
        values: look at all values that are known, however many.
    """
    graph = Graph()
    nodes = all_nodes(tensor.node for tensor in outputs.values())
    drawn = [node for node in nodes if solid(node) is node]
    keys = {node: f"n{index}" for index, node in enumerate(drawn)}
    facts = _Facts(drawn, outputs, thresholds, _costs(profile), values)
    boxes = _Boxes(graph)
    homes = _homes(drawn, names)  # which also makes all modules known to the names
    data: dict[int, str] = {}
    for node in drawn:
        if node.is_leaf:
            scope = homes.get(node)
            box = boxes.key(scope) if names.owned(node, scope) else None
            graph.vertices.append(facts.leaf(node, keys[node], names.of(node, scope), box))
        else:
            given = _data_edges(graph, node, keys[node], names, data)
            graph.vertices.append(facts.op(node, keys[node], boxes.key(node.scope)))
            graph.ops += 1
            graph.edges.extend([*_edges(node, keys, facts.kept), *given])
    for index, (name, tensor) in enumerate(outputs.items()):
        value = number_text(tensor._data.item()) if tensor._data.size == 1 else ""
        key = f"out{index}"
        about = (("shape", shape_text(tensor.shape)), ("dtype", str(tensor.dtype)))
        graph.vertices.append(
            Vertex(key, "output", name, None, tensor.shape, str(tensor.dtype), value=value, facts=about, source=key)
        )
        graph.edges.append(Edge(keys[solid(tensor.node)], key, 0, tensor.shape, str(tensor.dtype)))
    leaves = [node for node in drawn if node.pullback is LEAF]
    graph.parameters = len(leaves)
    graph.values = sum(int(np.prod(node.shape)) for node in leaves)
    graph.saved_bytes = _saved_bytes(drawn)
    graph.released = any(node.saved is FREED for node in drawn)
    graph.seconds = sum(vertex.seconds or 0.0 for vertex in graph.vertices)
    graph.memory = sum(vertex.memory or 0 for vertex in graph.vertices)
    _title(graph, outputs, facts.diagnosis)
    return graph


def _homes(nodes: list[Node], names: Names) -> dict[Node, Scope | None]:
    """The scope in which a leaf is drawn: that of its first use in a module that owns it, else of its first use."""
    homes: dict[Node, Scope | None] = {}
    owned: set[Node] = set()
    for node in nodes:
        for parent in node.parents:
            leaf = solid(parent) if type(parent) is Node else None
            if leaf is None or not leaf.is_leaf or leaf in owned:
                continue
            if names.owned(leaf, node.scope):
                owned.add(leaf)
                homes[leaf] = node.scope
            else:
                homes.setdefault(leaf, node.scope)
    return homes


def _costs(profile: Any) -> Mapping[Node, tuple[float, int]]:
    """(seconds, bytes) of each node, from a mapping or from a profile's ``nodes``."""
    if profile is None:
        return {}
    found: dict[Node, tuple[float, int]] = {}
    for node, cost in dict(getattr(profile, "nodes", profile)).items():
        seconds, memory = cost if isinstance(cost, tuple | list) else (cost.seconds, cost.made)
        found[node] = (float(seconds), int(memory))
    return found


def _data_edges(graph: Graph, node: Node, key: str, names: Names, data: dict[int, str]) -> list[Edge]:
    """Classes and indices, which the graph keeps as static arguments, are drawn as the inputs that they are."""
    edges = []
    for position, (name, array) in enumerate(static_arrays(node), start=len(node.parents)):
        identity = id(owner(array))
        if identity not in data:
            data[identity] = f"{key}_{name}{position}"
            facts = (("shape", shape_text(array.shape)), ("dtype", str(array.dtype)))
            graph.vertices.append(
                Vertex(
                    data[identity], "input", names.of_array(array, name), None, array.shape, str(array.dtype), saved=True,
                    facts=facts, source=data[identity],
                )
            )  # fmt: skip
        edges.append(Edge(data[identity], key, position, array.shape, str(array.dtype), tracked=False))
    return edges


def _title(graph: Graph, outputs: Mapping[str, Any], diagnosis: str) -> None:
    first = graph.vertices[-len(outputs)]
    graph.title = f"{first.name} = {first.value}" if len(outputs) == 1 and first.value else ", ".join(outputs)
    kept = "saved arrays released" if graph.released else f"{bytes_text(graph.saved_bytes)} saved for backward"
    parts = [diagnosis] if diagnosis else []
    parts.append(f"{count_text(graph.ops)} {'op' if graph.ops == 1 else 'ops'}")
    parts.append(
        f"{graph.parameters} {'parameter' if graph.parameters == 1 else 'parameters'}, {count_text(graph.values)} values"
    )
    parts.append(kept)
    if graph.seconds:
        parts.append(seconds_text(graph.seconds))
    graph.subtitle = " · ".join(parts)


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


def _from_here(place: str) -> str:
    """A file and line as seen from the working directory: a picture that is passed on should not tell where its maker lives."""
    return place.removeprefix(os.getcwd() + os.sep)


def _saved_bytes(nodes: list[Node]) -> int:
    """The bytes of all saved arrays, each counted once."""
    distinct = {id(array): array.nbytes for node in nodes for array in saved_arrays(node)}
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
                arguments=arguments_text(describe()) if callable(describe) else "",
                backward=inner.in_backward,
            )
        return key


class _Facts:
    """What is known of the nodes of one picture, and the vertices made from it."""

    def __init__(
        self,
        nodes: list[Node],
        outputs: Mapping[str, Any],
        thresholds: Thresholds,
        costs: Mapping[Node, tuple[float, int]],
        values: bool,
    ) -> None:
        self.kept = _kept_values(nodes)
        self._thresholds = thresholds
        self._costs = costs
        results = {tensor.node: tensor._data for tensor in outputs.values() if solid(tensor.node) is tensor.node}
        broken = any(not np.all(np.isfinite(array)) for array in results.values())
        look = values or broken or len(nodes) <= _MANY
        self._known = value_statistics(nodes, results, None if values or broken else _LARGE) if look else {}
        self._fault: Node | None = None
        self.diagnosis = ""
        found = first_fault(nodes, self._known)
        if found is not None:
            self._fault, sure = found
            self.diagnosis = _diagnosis(self._fault, sure)

    def _vertex(self, node: Node, key: str, kind: str, name: str, box: str | None) -> Vertex:
        several = node.dtype == SEVERAL
        vertex = Vertex(
            key, kind, name, box, None if several else node.shape, "" if several else _dtype_text(node.dtype), source=key
        )
        vertex.saved = node in self.kept
        vertex.fault = node is self._fault
        known = self._known.get(node)
        if known is not None:
            vertex.written = value_text(known, node.shape)
            vertex.statistics = statistics_text(known)
        return vertex

    def _about_value(self, vertex: Vertex) -> list[tuple[str, str]]:
        facts = []
        if vertex.written:
            facts.append(("value", vertex.written.removeprefix("= ")))
        elif vertex.statistics:
            facts.append(("values", vertex.statistics))
        if vertex.gradient is not None:
            facts.append(("‖grad‖", norm_text(vertex.gradient)))
        return facts

    def leaf(self, node: Node, key: str, name: str, box: str | None) -> Vertex:
        """The vertex of a parameter or an input."""
        tracked = node.pullback is not CONSTANT
        kind = "parameter" if tracked else "input"
        vertex = self._vertex(node, key, kind, name or kind, box)
        if tracked:
            grad = getattr(node, "grad", None)
            reference = getattr(node, "tensor", None)
            tensor = None if reference is None else reference()
            vertex.gradient, vertex.state = health(
                None if grad is None else grad._data, None if tensor is None else tensor._data, self._thresholds
            )
        vertex.facts = (("shape", shape_text(node.shape)), ("dtype", _dtype_text(node.dtype)), *self._about_value(vertex))
        return vertex

    def op(self, node: Node, key: str, box: str | None) -> Vertex:
        """The vertex of an op."""
        vertex = self._vertex(node, key, "op", node.op, box)
        vertex.detail = static_text(node)
        vertex.backward = node.scope is not None and node.scope.in_backward
        gradient = getattr(node, "grad", None)
        if gradient is not None:
            vertex.gradient = norm_of(gradient._data)
        facts = [("op", node.op)]
        facts.extend(("argument", _aval_text(parent)) for parent in node.parents)
        if node.dtype != SEVERAL:
            facts.append(("output", _aval_text(node)))
        facts.extend(self._about_value(vertex))
        if node.saved is FREED:
            facts.append(("saved", "released"))
        else:
            vertex.saved_bytes = sum(array.nbytes for array in saved_arrays(node))
            facts.append(("saved", bytes_text(vertex.saved_bytes)))
        if node in self._costs:
            vertex.seconds, vertex.memory = self._costs[node]
            facts.append(("time", seconds_text(vertex.seconds)))
            facts.append(("made", bytes_text(vertex.memory)))
        trace = getattr(node, "trace", None)
        if trace is not None:
            vertex.line = os.path.basename(str(trace))
            facts.append(("source", _from_here(str(trace))))
        if node.scope is not None:
            facts.append(("module", ".".join(node.scope.path())))
        vertex.facts = tuple(facts)
        return vertex


def _diagnosis(node: Node, sure: bool) -> str:
    """Where a NaN arose, in words."""
    where = f" in {'.'.join(node.scope.path())}" if node.scope is not None and not node.is_leaf else ""
    trace = getattr(node, "trace", None)
    line = f" ({os.path.basename(str(trace))})" if trace is not None else ""
    name = getattr(node, "name", None) or ("a parameter" if node.pullback is LEAF else "an input")
    if node.is_leaf:
        return f"first NaN: in {name}"
    return f"{'first NaN' if sure else 'NaN seen first'}: {node.op}{where}{line}"


def norm_of(array: Any) -> float:
    """The Euclidean norm, without BLAS: its threads cost more than they save here."""
    return float(np.sqrt(np.sum(np.square(array, dtype=np.float64))))


def health(gradient: Any, weight: Any, thresholds: Thresholds) -> tuple[float | None, str]:
    """The norm of a gradient, and its state by r = rms(gradient) / max(rms(weight), 1e-8) of a weight that is not all 0."""
    if gradient is None:
        return None, "no grad"
    wide = np.asarray(gradient, np.float64)
    norm = norm_of(wide)
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


@cache
def _dtype_text(dtype: Any) -> str:
    return str(dtype)  # which NumPy composes anew each time


@lru_cache(4096)
def _array_text(aval: tuple[tuple[int, ...], Any]) -> str:
    shape, dtype = aval
    return f"{shape[0]} outputs" if dtype == SEVERAL else f"{dtype}[{','.join(map(str, shape))}]"


def _aval_text(parent: Any) -> str:
    return _array_text(parent.aval) if type(parent) is Node else f"{parent:g}"


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
                    _dtype_text(parent.dtype),
                    saved=maker in kept and not maker.is_leaf,
                    tracked=maker.pullback is not CONSTANT,
                )
            )
    return edges
