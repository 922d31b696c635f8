"""The picture as data: what the walk over the graph finds, what the passes change, and what the writers print."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Vertex:
    """A box of the picture.

    Attributes:
        key: its identity in every format: ``n0``, ``n1``, ... in the order of execution.
        kind: "op", "parameter", "input", "output" or "module" (a collapsed one).
        name: the name of the op, tensor or module.
        module: the key of the innermost module box that it lies in, or None.
        shape, dtype: of its value; None for a module.
        detail: what stands behind the name in grey: static arguments, a module's class, a constant.
        lines: further lines of small print (counts of a collapsed module).
        value: the number of a scalar output.
        gradient: the norm of the gradient; None where there is none.
        state: "vanishing", "exploding", "nan", "zero grad", "no grad", or "" for a gradient in good health.
        saved: True when the value is kept for the backward pass.
        saved_bytes: what is kept here.
        backward: True for an op that was made by a recorded backward pass.
        again: True for a chip of a value that is drawn elsewhere too.
        fault: True for the op (or leaf) where a NaN first arose.
        written: the value of a few elements, as text.
        statistics: mean, deviation and range of the value, as text, where they are known.
        seconds, memory: what a profile says of it.
        line: the line of source that made it, where it was recorded.
        facts: further (name, text) pairs, for tooltips and the page.
        copies: how many equal things this one stands for.
        source: the key of the vertex that this is a chip of, or its own.
        sources: the sources of the copies that a rolled vertex stands for, or ().
    """

    key: str
    kind: str
    name: str
    module: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    detail: str = ""
    lines: tuple[str, ...] = ()
    value: str = ""
    gradient: float | None = None
    gradient_range: tuple[float, float] | None = None
    state: str = ""
    saved: bool = False
    saved_bytes: int = 0
    backward: bool = False
    again: bool = False
    fault: bool = False
    written: str = ""
    statistics: str = ""
    seconds: float | None = None
    memory: int | None = None
    line: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    copies: int = 1
    source: str = ""
    sources: tuple[str, ...] = ()


@dataclass(slots=True)
class Edge:
    """An arrow: the value of ``tail`` is argument ``position`` of ``head``."""

    tail: str
    head: str
    position: int
    shape: tuple[int, ...] | None
    dtype: str = ""
    saved: bool = False
    tracked: bool = True
    copies: int = 1


@dataclass(slots=True)
class Box:
    """A module call: a rounded cluster that holds vertices and other boxes."""

    key: str
    name: str
    parent: str | None
    type: str = ""
    arguments: str = ""
    last: str = ""  # of a rolled box: the name of the last of its copies
    copies: int = 1
    backward: bool = False


@dataclass(slots=True)
class Graph:
    """A whole picture, in execution order."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    title: str = ""
    subtitle: str = ""
    ops: int = 0
    parameters: int = 0
    values: int = 0
    saved_bytes: int = 0
    released: bool = False
    seconds: float = 0.0
    memory: int = 0
    notes: tuple[str, ...] = ()

    def by_key(self) -> dict[str, Vertex]:
        return {vertex.key: vertex for vertex in self.vertices}

    def ancestors(self, module: str | None) -> list[str]:
        """The boxes around a place, from the innermost outwards."""
        found = []
        while module is not None:
            found.append(module)
            module = self.boxes[module].parent
        return found

    def to_dict(self) -> dict[str, Any]:
        """The picture as plain data, for JSON."""

        def plain(item: Any) -> dict[str, Any]:
            return {name: getattr(item, name) for name in item.__slots__}

        return {
            "title": self.title,
            "subtitle": self.subtitle,
            "nodes": [plain(vertex) for vertex in self.vertices],
            "edges": [plain(edge) for edge in self.edges],
            "modules": [plain(box) for box in self.boxes.values()],
        }


def shape_text(shape: tuple[int, ...] | None) -> str:
    """``64×16``; ``scalar`` for no axes."""
    if shape is None:
        return ""
    return "×".join(map(str, shape)) if shape else "scalar"


def bytes_text(count: int) -> str:
    """A number of bytes for people."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def number_text(value: float) -> str:
    """A number in four significant digits, exponents without padding: 0.1039, 9.6e-2."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == 0 or 0.001 <= abs(value) < 100_000:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def norm_text(value: float) -> str:
    """A gradient norm: two digits and an exponent, so that sizes can be compared at a glance."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def count_text(count: int) -> str:
    """A count with thin groups: 16 640."""
    return f"{count:,}".replace(",", " ")
