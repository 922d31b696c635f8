"""The picture as text: a listing by module that can be read in a terminal and searched with grep, and Mermaid."""

from __future__ import annotations

from collections import defaultdict

from autograd.visualize.model import Edge, Graph, Vertex, bytes_text, count_text, norm_text, shape_text
from autograd.visualize.style import LIGHT, SAVED, SYMBOLS, WORDS
from autograd.visualize.wording import small_print

_SHORT = {"float16": "f16", "float32": "f32", "float64": "f64", "int64": "i64", "int32": "i32", "bool": "bool"}


def value_text(shape: tuple[int, ...] | None, dtype: str) -> str:
    """``f32[64,16]``."""
    if shape is None:
        return "tuple"
    return f"{_SHORT.get(dtype, dtype)}[{','.join(map(str, shape))}]"


def listing(graph: Graph, show: frozenset[str]) -> str:
    """One line per op, in the order of execution, indented by module."""
    incoming: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        incoming[edge.head].append(edge)
    by_key = graph.by_key()
    numbers = {
        vertex.key: f"%{index}"
        for index, vertex in enumerate((v for v in graph.vertices if v.kind in ("op", "module")), start=1)
    }

    def reference(edge: Edge) -> str:
        tail = by_key[edge.tail]
        if tail.key in numbers:
            return numbers[tail.key]
        mark = SAVED if tail.saved and "saved" in show else ""
        return f"{tail.name} {value_text(tail.shape, tail.dtype)}{mark}"

    lines = [f"{graph.title}      {graph.subtitle}"]
    open_boxes: list[str] = []
    for vertex in graph.vertices:
        if vertex.kind not in ("op", "module"):
            continue
        around = list(reversed(graph.ancestors(vertex.module)))
        common = 0
        while common < min(len(around), len(open_boxes)) and around[common] == open_boxes[common]:
            common += 1
        for depth in range(common, len(around)):
            box = graph.boxes[around[depth]]
            name = f"{box.name} … {box.last}  ×{box.copies}" if box.copies > 1 else box.name
            kind = f"{box.type}({box.arguments})" if box.arguments else box.type
            lines.append(f"{'  ' * depth}{name}  {kind}".rstrip())
        open_boxes = around
        lines.append(_line(vertex, "  " * len(around), numbers[vertex.key], list(map(reference, incoming[vertex.key])), show))
        lines.extend(_gradients([by_key[e.tail] for e in incoming[vertex.key]], "  " * (len(around) + 2), show))
    return "\n".join(lines)


def _line(vertex: Vertex, indent: str, number: str, arguments: list[str], show: frozenset[str]) -> str:
    mark = "∂ " if vertex.backward and vertex.kind == "op" else ""
    if vertex.kind == "module":
        call = f"{number} [{vertex.name}] {vertex.detail}({', '.join(arguments)})"
    else:
        detail = [vertex.detail] if vertex.detail else []
        call = f"{number} {mark}{vertex.name}({', '.join(arguments + detail)})"
    line = f"{indent}{call:<{max(46 - len(indent), 1)}} {value_text(vertex.shape, vertex.dtype)}"
    if vertex.saved and "saved" in show:
        line += f" {SAVED}"
        if vertex.saved_bytes:
            line += f" {bytes_text(vertex.saved_bytes)}"
    notes = small_print(vertex, show)
    if notes:
        line += "  " + " · ".join(notes)
    return line


def _gradients(arguments: list[Vertex], indent: str, show: frozenset[str]) -> list[str]:
    if "grad" not in show:
        return []
    lines = []
    for leaf in arguments:
        if leaf.kind == "parameter" and leaf.gradient is not None and not leaf.again:
            state = f"  {SYMBOLS[leaf.state]} {WORDS[leaf.state]}" if leaf.state else ""
            lines.append(f"{indent}‖grad {leaf.name}‖ {norm_text(leaf.gradient)}{state}")
    return lines


def mermaid(graph: Graph, show: frozenset[str]) -> str:
    """A Mermaid flowchart, which GitHub, GitLab and JupyterLab draw."""
    lines = ["flowchart TB"]
    inside: dict[str | None, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        inside[vertex.module].append(vertex)
    children: dict[str | None, list[str]] = defaultdict(list)
    for box in graph.boxes.values():
        children[box.parent].append(box.key)
    stack: list[tuple[str | None, int, bool]] = [(None, 0, False)]
    while stack:
        key, depth, closing = stack.pop()
        indent = "  " * depth
        if closing:
            lines.append(f"{indent}end")
            continue
        if key is not None:
            box = graph.boxes[key]
            name = f"{box.name} … {box.last} ×{box.copies}" if box.copies > 1 else box.name
            lines.append(f'{indent}subgraph {key}["{_entity(f"{name} {box.type}".strip())}"]')
            stack.append((key, depth, True))
        lines.extend(f"{indent}  {_mermaid_vertex(vertex, show)}" for vertex in inside[key])
        stack.extend((child, depth + 1, False) for child in reversed(children[key]))
    kinds = {vertex.key: vertex.kind for vertex in graph.vertices}
    for edge in graph.edges:
        arrow = "-->" if edge.tracked else "-.->"
        label = ""
        if kinds[edge.tail] in ("op", "module"):  # of the others, the box says the shape
            shape = shape_text(edge.shape) + (f" {SAVED}" if edge.saved and "saved" in show else "")
            label = f'|"{_entity(shape)}"|'
        lines.append(f"  {edge.tail} {arrow}{label} {edge.head}")
    looks = {
        "param": LIGHT.parameter, "result": LIGHT.output, "data": LIGHT.input, "op": LIGHT.op, "backward": LIGHT.backward,
        "collapsed": LIGHT.collapsed, **{state: LIGHT.states[state] for state in ("vanishing", "exploding", "nan")},
    }  # fmt: skip
    members: dict[str, list[str]] = defaultdict(list)
    for vertex in graph.vertices:
        members[_look(vertex, show)].append(vertex.key)
    for look, keys in members.items():
        paint = looks[look]
        dashes = ",stroke-dasharray:5 3" if look == "data" else ""
        lines.append(f"  classDef {look} fill:{paint.fill},stroke:{paint.line},color:{paint.text}{dashes}")
        lines.append(f"  class {','.join(keys)} {look}")
    if graph.boxes:
        fill, line = LIGHT.box_fill[0], LIGHT.box_line
        lines.append(f"  classDef box fill:{fill},stroke:{line},color:{LIGHT.text}")
        lines.append(f"  class {','.join(graph.boxes)} box")
    return "\n".join(lines) + "\n"


def _look(vertex: Vertex, show: frozenset[str]) -> str:
    """The name of the class of a vertex."""
    if vertex.state in ("vanishing", "exploding", "nan") and "grad" in show:
        return vertex.state
    if vertex.kind == "op":
        return "backward" if vertex.backward else "op"
    return {"parameter": "param", "output": "result", "input": "data", "module": "collapsed"}[vertex.kind]


def _mermaid_vertex(vertex: Vertex, show: frozenset[str]) -> str:
    parts = [("∂ " if vertex.backward else "") + vertex.name, vertex.detail]
    if vertex.kind in ("parameter", "input"):
        parts.append(shape_text(vertex.shape))
    if vertex.kind == "parameter" and vertex.gradient is not None and "grad" in show:
        parts.append(f"‖grad‖ {norm_text(vertex.gradient)}")
        if vertex.state:
            parts.append(f"{SYMBOLS[vertex.state]} {WORDS[vertex.state]}")
    if vertex.kind == "module":
        parts.extend(vertex.lines)
    if vertex.fault:
        parts.append(f"{SYMBOLS['nan']} first NaN")
    if vertex.value:
        parts.append(vertex.value)
    if vertex.copies > 1 and vertex.kind == "module":
        parts.append(f"×{count_text(vertex.copies)}")
    text = _entity(" ".join(part for part in parts if part).strip())
    opening, closing = {"parameter": ("[", "]"), "module": ("[[", "]]")}.get(vertex.kind, ("(", ")"))
    return f'{vertex.key}{opening}"{text}"{closing}'


def _entity(text: str) -> str:
    """Text in a quoted Mermaid label: everything with a meaning there becomes an entity code."""
    return "".join(
        character if character.isalnum() or character in " .,:=×…∂‖↑▼▲✕○–◆+-_()" else f"#{ord(character)};"
        for character in text
    )
