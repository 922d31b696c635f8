"""Passes over the model of a picture: each takes a Graph and returns a smaller one. None of them needs Graphviz."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from autograd.visualize.model import Box, Edge, Graph, Vertex, count_text

_SICK = {"vanishing", "exploding", "nan", "zero grad"}


def rebuilt(graph: Graph, vertices: Iterable[Vertex], edges: Iterable[Edge], boxes: dict[str, Box] | None = None) -> Graph:
    """The graph with other contents; boxes that hold nothing any more are left out."""
    result = replace(graph, vertices=list(vertices), edges=list(edges), boxes=graph.boxes if boxes is None else boxes)
    used: set[str] = set()
    for vertex in result.vertices:
        used.update(result.ancestors(vertex.module))
    result.boxes = {key: box for key, box in result.boxes.items() if key in used}
    return result


def merged(edges: Iterable[Edge], place: Callable[[str], str]) -> list[Edge]:
    """Edges re-attached to where their ends are drawn now: inner ones dropped, parallel ones joined into one with a count."""
    found: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        tail, head = place(edge.tail), place(edge.head)
        if tail == head:
            continue
        present = found.get((tail, head))
        if present is None:
            found[tail, head] = replace(edge, tail=tail, head=head)
        else:
            present.copies += edge.copies
            present.saved = present.saved or edge.saved
    return list(found.values())


def dissolve(graph: Graph) -> Graph:
    """A module of one op without parameters gets no box: its name stands behind that of the op."""
    inside = Counter(vertex.module for vertex in graph.vertices)
    parents = {box.parent for box in graph.boxes.values()}
    single = {key for key, box in graph.boxes.items() if inside[key] == 1 and key not in parents and not box.backward}
    vertices = []
    for vertex in graph.vertices:
        if vertex.module in single and vertex.kind == "op":
            box = graph.boxes[vertex.module]
            # the place in a list tells nothing, nor does a name made from that of the class
            name = "" if box.name.isdecimal() or box.name == box.type.lower() else box.name
            detail = f"{vertex.detail} {name}".strip()
            vertex = replace(vertex, module=box.parent, detail=detail)
        vertices.append(vertex)
    return rebuilt(graph, vertices, graph.edges)


def level(graph: Graph, key: str) -> int:
    """How deep a box lies: 0 for one that no other is around."""
    return len(graph.ancestors(key)) - 1


def collapse(graph: Graph, depth: int | None) -> Graph:
    """Boxes at this depth become single boxes; deeper ones vanish in them."""
    if depth is None:
        return graph
    levels = {key: level(graph, key) for key in graph.boxes}
    target: dict[str, str] = {}  # vertex -> the box that swallows it
    for vertex in graph.vertices:
        for around in graph.ancestors(vertex.module):
            if levels[around] == depth:
                target[vertex.key] = around
    swallowed: dict[str, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        if vertex.key in target:
            swallowed[target[vertex.key]].append(vertex)
    vertices: list[Vertex] = []
    done: set[str] = set()
    for vertex in graph.vertices:
        box = target.get(vertex.key)
        if box is None:
            vertices.append(vertex)
        elif box not in done and vertex.kind != "parameter":
            done.add(box)
            vertices.append(_collapsed(graph, box, swallowed[box]))
    missing = set(swallowed) - done  # boxes of parameters only: nothing to draw
    place = {key: box for key, box in target.items() if box not in missing}
    edges = [edge for edge in graph.edges if target.get(edge.tail) not in missing and target.get(edge.head) not in missing]
    return rebuilt(graph, vertices, merged(edges, lambda key: place.get(key, key)))


def _collapsed(graph: Graph, key: str, inside: list[Vertex]) -> Vertex:
    box = graph.boxes[key]
    copies = math.prod(graph.boxes[around].copies for around in graph.ancestors(key))  # of rolled boxes, one is described
    ops = sum(vertex.copies for vertex in inside if vertex.kind == "op") // copies
    parameters = {vertex.source: vertex for vertex in inside if vertex.kind == "parameter"}
    values = sum(_size(vertex.shape) * max(len(vertex.sources) // copies, 1) for vertex in parameters.values())
    worst = next((state for state in ("nan", "exploding", "vanishing") if any(v.state == state for v in inside)), "")
    counts = f"{ops} {'op' if ops == 1 else 'ops'}" + (f" · {count_text(values)} params" if values else "")
    last = max((vertex for vertex in inside if vertex.kind == "op"), key=lambda vertex: int(vertex.key[1:]), default=inside[-1])
    return Vertex(
        key,
        "module",
        f"{box.name} … {box.last}" if box.last and box.last != box.name else box.name,
        box.parent,
        last.shape,
        last.dtype,
        detail=f"{box.type}({box.arguments})" if box.arguments else box.type,
        lines=(counts,),
        state=worst,
        saved_bytes=sum(vertex.saved_bytes for vertex in inside),
        seconds=_total(vertex.seconds for vertex in inside),
        memory=_total(vertex.memory for vertex in inside),
        fault=any(vertex.fault for vertex in inside),
        backward=box.backward,
        facts=(("module", box.name), ("class", box.type), ("ops", str(ops)), ("parameters", str(values))),
        copies=box.copies,
        source=key,
    )


def _total(parts: Iterable[Any]) -> Any:
    """The sum of what is known, or None when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _size(shape: tuple[int, ...] | None) -> int:
    size = 1
    for length in shape or ():
        size *= length
    return size


def roll(graph: Graph, least: int = 3) -> Graph:
    """Runs of equal sibling modules, each fed by the one before, are drawn once with a count."""
    position = {vertex.key: index for index, vertex in enumerate(graph.vertices)}
    contents: dict[str, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        for box in graph.ancestors(vertex.module):
            contents[box].append(vertex)
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        incoming[edge.head].append(edge)
    siblings: dict[str | None, list[str]] = defaultdict(list)
    for key in sorted(graph.boxes, key=lambda box: position[contents[box][0].key]):
        siblings[graph.boxes[key].parent].append(key)
    marks = {key: _structure(graph, key, contents[key], incoming) for key in graph.boxes}
    gone: dict[str, str] = {}  # vertex of a later copy -> its counterpart in the first
    boxes = {key: replace(box) for key, box in graph.boxes.items()}
    for parent, keys in siblings.items():
        if any(ancestor in gone for ancestor in [parent] if ancestor):
            continue
        for run in _runs(keys, marks, contents, incoming):
            if len(run) < least or any(vertex.key in gone for vertex in contents[run[0]]):
                continue
            boxes[run[0]].copies = len(run)
            boxes[run[0]].last = graph.boxes[run[-1]].name
            for copy in run[1:]:
                for first, other in zip(contents[run[0]], contents[copy], strict=True):
                    gone[other.key] = first.key
    if not gone:
        return graph
    copies: dict[str, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        copies[gone.get(vertex.key, vertex.key)].append(vertex)
    kept = [_with_copies(vertex, copies[vertex.key]) for vertex in graph.vertices if vertex.key not in gone]
    edges = []
    for edge in graph.edges:
        tail_gone, head_gone = edge.tail in gone, edge.head in gone
        if head_gone:  # what feeds a later copy feeds the first too, or is the copy before it
            continue
        edges.append(replace(edge, tail=gone[edge.tail]) if tail_gone else edge)
    result = rebuilt(graph, kept, edges, boxes)
    used = {edge.tail for edge in result.edges} | {edge.head for edge in result.edges}
    result.vertices = [vertex for vertex in result.vertices if vertex.key in used or vertex.kind == "output"]
    return roll(result, least)  # what is inside the first copy may repeat too


def _structure(graph: Graph, key: str, inside: list[Vertex], incoming: dict[str, list[Edge]]) -> tuple[Any, ...]:
    """What must be equal for two modules to look the same: ops, static arguments, shapes, health, and how they are wired."""
    local = {vertex.key: index for index, vertex in enumerate(inside)}
    depth = len(graph.ancestors(key))
    parts: list[Any] = [graph.boxes[key].type, graph.boxes[key].arguments, graph.boxes[key].copies]
    for vertex in inside:
        path = tuple(graph.boxes[box].name for box in graph.ancestors(vertex.module)[:-depth])
        sick = vertex.state if vertex.state in _SICK else "fault" if vertex.fault else ""
        wires = tuple((local.get(edge.tail, -1), edge.position, edge.shape) for edge in incoming[vertex.key])
        name = vertex.name if vertex.kind != "input" else ""
        parts.append((vertex.kind, name, vertex.detail, vertex.shape, vertex.dtype, path, sick, wires))
    return tuple(parts)


def _runs(
    keys: list[str], marks: dict[str, tuple[Any, ...]], contents: dict[str, list[Vertex]], incoming: dict[str, list[Edge]]
) -> Iterable[list[str]]:
    run: list[str] = []
    for key in keys:
        if run and marks[key] == marks[run[-1]] and _feeds(contents[run[-1]], contents[key], incoming):
            run.append(key)
            continue
        if run:
            yield run
        run = [key]
    if run:
        yield run


def _feeds(before: list[Vertex], after: list[Vertex], incoming: dict[str, list[Edge]]) -> bool:
    tails = {vertex.key for vertex in before}
    return any(edge.tail in tails for vertex in after for edge in incoming[vertex.key])


def _with_copies(vertex: Vertex, copies: list[Vertex]) -> Vertex:
    if len(copies) == 1:
        return vertex
    gradients = [value for copy in copies for value in copy.gradient_range or (copy.gradient,) if value is not None]
    return replace(
        vertex,
        copies=sum(copy.copies for copy in copies),
        sources=tuple(dict.fromkeys(source for copy in copies for source in copy.sources or (copy.source,))),
        gradient_range=(min(gradients), max(gradients)) if gradients else None,
        saved_bytes=sum(copy.saved_bytes for copy in copies),
        seconds=_total(copy.seconds for copy in copies),
        memory=_total(copy.memory for copy in copies),
    )


def chips(graph: Graph, kind: str, most: int) -> Graph:
    """A parameter or input with many users gets a chip at each: hubs are what layout programs choke on.

    Args:
        graph: the picture.
        kind: "parameter" or "input".
        most: up to so many users share one vertex.
    """
    by_key = graph.by_key()
    users: dict[str, dict[str, str]] = defaultdict(dict)  # leaf -> user -> the leaf's chip there
    for edge in graph.edges:
        if by_key[edge.tail].kind == kind:
            users[edge.tail].setdefault(edge.head, edge.tail)
    made: dict[str, list[Vertex]] = defaultdict(list)  # user -> its chips
    for leaf, places in users.items():
        if len(places) <= most:
            continue
        # the leaf itself stays where it lies, in the module that owns it
        ordered = sorted(places, key=lambda head: kind == "parameter" and by_key[head].module != by_key[leaf].module)
        for count, head in enumerate(ordered, start=1):
            if count > 1:
                chip = replace(by_key[leaf], key=f"{leaf}_{count}", again=True)
                if chip.module is not None:
                    chip.module = by_key[head].module
                places[head] = chip.key
            if kind == "parameter":  # the first use too, so that equal modules list their contents in the same order
                made[head].append(by_key[leaf] if count == 1 else chip)
            elif count > 1:
                made[head].append(chip)
    moved = {chip.key for chips_there in made.values() for chip in chips_there}
    vertices = []
    for vertex in graph.vertices:
        vertices.extend(made[vertex.key])
        if vertex.key not in moved:
            vertices.append(vertex)
    edges = [replace(edge, tail=users[edge.tail][edge.head]) if edge.tail in users else edge for edge in graph.edges]
    return rebuilt(graph, vertices, edges)


def elide(graph: Graph, most: int) -> Graph:
    """Of a graph without modules to collapse: the first and the last ops, and one box for all between."""
    if len(graph.vertices) <= most:
        return graph
    ops = [vertex.key for vertex in graph.vertices if vertex.kind in ("op", "module")]
    keep_ops = max(most // 3, 2)
    hidden = set(ops[keep_ops // 2 : len(ops) - keep_ops // 2])
    users: dict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        users[edge.tail].add(edge.head)
    for vertex in graph.vertices:
        if vertex.kind in ("parameter", "input") and users[vertex.key] <= hidden:
            hidden.add(vertex.key)
    count = sum(key in hidden for key in ops)
    rest = Vertex("rest", "module", "…", detail=f"{count_text(count)} ops not drawn", source="rest")
    vertices: list[Vertex] = []
    for vertex in graph.vertices:
        if vertex.key not in hidden:
            vertices.append(vertex)
        elif not any(known is rest for known in vertices[-1:]) and rest not in vertices:
            vertices.append(rest)
    return rebuilt(graph, vertices, merged(graph.edges, lambda key: "rest" if key in hidden else key))
