"""Skip connections: drawn after the layout, at the right of what they skip.

In a layout program's hands such an edge pushes the data path and its labels aside, and runs at the left or at the right as it
falls. So the layout is made without them, and they are laid around it here: out of the side of their tail, down beside all that
is between, and into the side of their head. The modules around them are widened where that crosses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_GAP = 14.0  # between what is skipped and the line, in points
_CURVE = 18.0  # the radius of its corners
_APART = 5.0  # from the middle of a box's side
_ARROW = 7.0


@dataclass(slots=True)
class Rectangle:
    """A box in points, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> float:
        return (self.bottom + self.top) / 2

    def meets(self, other: Rectangle) -> bool:
        """Whether they overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top


def _attribute(body: str, name: str) -> list[float]:
    """The numbers of an attribute. Each begins a line, which nothing in a name can: there, line ends are replaced."""
    found = re.search(rf'(?:\A|\n)\s*{name}="?(-?[\d.][^",\];]*(?:,-?[\d.e+-]+)*)', body)
    return [float(part) for part in found[1].split(",")] if found else []


def _read(placed: str) -> tuple[dict[str, Rectangle], dict[str, Rectangle], Rectangle]:
    """The rectangles of the nodes, of the clusters, and of all."""
    nodes, clusters = {}, {}
    for found in re.finditer(r"^\s*(\w+)\s*\[(.*?)\];\n", placed, re.MULTILINE | re.DOTALL):
        at = _attribute(found[2], "pos")
        if found[1] in ("graph", "node", "edge") or len(at) != 2 or re.search(r"(?:\A|\n)\s*style=invis", found[2]):
            continue
        # what equals the default is left out
        width, height = (
            (_attribute(found[2], side) or [default])[0] * 72 for side, default in (("width", 0.75), ("height", 0.36))
        )
        nodes[found[1]] = Rectangle(at[0] - width / 2, at[1] - height / 2, at[0] + width / 2, at[1] + height / 2)
    for found in re.finditer(r"subgraph cluster_(\w+) \{\s*graph \[(.*?)\];\n", placed, re.DOTALL):
        clusters[found[1]] = Rectangle(*_attribute(found[2], "bb"))
    whole = re.search(r"graph \[(.*?)\];\n", placed, re.DOTALL)
    return nodes, clusters, Rectangle(*_attribute(whole[1] if whole else "", "bb"))


def with_skips(placed: str, skips: Sequence[tuple[str, str, str]], homes: Mapping[str, Sequence[str]]) -> str:
    """A laid-out graph in DOT with skip connections added to it.

    Args:
        placed: the layout, as Graphviz writes it.
        skips: (tail, head, attributes) of each.
        homes: the boxes around each node, from the innermost outwards.
    """
    placed = placed.replace("\\\n", "")  # long strings are broken over lines
    nodes, clusters, whole = _read(placed)
    before = {key: (box.left, box.bottom, box.right, box.top) for key, box in clusters.items()}
    extent = (whole.left, whole.bottom, whole.right, whole.top)
    routed: list[Rectangle] = []
    lines = []
    for tail, head, attributes in sorted(skips, key=lambda skip: nodes[skip[0]].middle - nodes[skip[1]].middle):
        start, end = nodes[tail], nodes[head]
        span = Rectangle(0.0, end.middle, 0.0, start.middle)
        column = _beside(span, [box for key, box in nodes.items() if key not in (tail, head)], list(clusters.values()), routed)
        column = max(column, start.right + _GAP, end.right + _GAP)
        beside = [box for key, box in nodes.items() if key not in (tail, head) and box.left < column]
        under = min((box.bottom for box in beside if _at_right(box, start)), default=None)
        over = max((box.top for box in beside if _at_right(box, end)), default=None)
        routed.append(Rectangle(column - 1, span.bottom + _CURVE / 2, column + 1, span.top - _CURVE / 2))
        _widen(column + _GAP - 2, {*homes[tail], *homes[head]}, homes, nodes, clusters)
        whole.right = max(whole.right, column + _GAP, *(box.right + 8 for box in clusters.values()))
        lines.append(f'\t{tail} -> {head} [{attributes}, pos="{_path(start, end, column, under, over)}"];\n')
    for key, old in before.items():
        new = clusters[key]
        if new.right != old[2]:
            placed = _moved(placed, f"subgraph cluster_{key} {{", old, new)
    if whole.right != extent[2]:
        placed = _moved(placed, "graph [", extent, whole)
    end_of_graph = placed.rindex("}")
    return placed[:end_of_graph] + "".join(lines) + placed[end_of_graph:]


def _beside(span: Rectangle, nodes: list[Rectangle], clusters: list[Rectangle], routed: list[Rectangle]) -> float:
    """How far to the right a line must run to pass what lies in its span."""
    inside = [box.right for box in nodes if box.bottom < span.top and box.top > span.bottom]
    inside += [box.right for box in clusters if span.bottom < box.bottom and box.top < span.top]
    inside += [box.right - 2 for box in routed if box.bottom < span.top and box.top > span.bottom]
    return max(inside, default=0.0) + _GAP


def _widen(
    column: float,
    around: set[str],
    homes: Mapping[str, Sequence[str]],
    nodes: Mapping[str, Rectangle],
    clusters: Mapping[str, Rectangle],
) -> None:
    """Widens the modules around a line to hold it, each with those around it, where that meets nothing else."""
    for chain in homes.values():
        if not chain or chain[0] not in around:
            continue
        right = column
        for key in chain:
            box = clusters[key]
            if box.right < right:
                wider = Rectangle(box.left, box.bottom, right, box.top)
                inside = {name for name, place in homes.items() if key in place}
                within = {inner for name in inside for inner in homes[name][: list(homes[name]).index(key)]}
                others = [rectangle for name, rectangle in nodes.items() if name not in inside]
                others += [
                    other for name, other in clusters.items() if name != key and name not in within and name not in chain
                ]
                if any(wider.meets(other) and not box.meets(other) for other in others):
                    break
                box.right = right
            right = max(right, box.right) + 12 if key in around else max(right, box.right + 12)


def _at_right(box: Rectangle, of: Rectangle) -> bool:
    return box.left >= of.right and box.bottom < of.middle < box.top


Point = tuple[float, float]


def _path(start: Rectangle, end: Rectangle, column: float, under: float | None, over: float | None) -> str:
    """A spline in Graphviz' form: out of a box, down a column, and into a box, with round corners.

    Args:
        start, end: the boxes.
        column: where the line goes down.
        under: the lower end of what stands at the right of the start; the line then leaves through the bottom and passes below.
        over: the upper end of what stands at the right of the end; the line then comes in through the top.
    """
    # arrows leave in the lower half of a side and arrive in the upper one, so that they do not run into each other
    if under is None:
        corners = [(start.right, start.middle - _APART), (column, start.middle - _APART)]
    else:
        level = min(under, start.bottom) - _APART
        corners = [(start.right - 2 * _APART, start.bottom), (start.right - 2 * _APART, level), (column, level)]
    if over is None:
        tip = (end.right, end.middle + _APART)
        corners += [(column, tip[1]), (tip[0] + _ARROW, tip[1])]
    else:
        tip = (end.right - 2 * _APART, end.top)
        level = max(over, end.top + _ARROW) + _APART
        corners += [(column, level), (tip[0], level), (tip[0], tip[1] + _ARROW)]
    points = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        reach = min(_CURVE, _apart(before, corner) / 2, _apart(corner, after) / 2)
        first, last = _towards(corner, before, reach), _towards(corner, after, reach)
        points += [points[-1], first, first]  # straight to the corner
        points += [_towards(corner, before, 0.45 * reach), _towards(corner, after, 0.45 * reach), last]  # and round it
    points += [points[-1], corners[-1], corners[-1]]
    return f"e,{tip[0]:.2f},{tip[1]:.2f} " + " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _apart(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, goal: Point, length: float) -> Point:
    """The point so far from one on the way to another, which lies straight beside or above it."""
    share = length / max(_apart(start, goal), 1e-9)
    return start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share


def _moved(placed: str, opening: str, old: tuple[float, ...], new: Rectangle) -> str:
    start = placed.index(opening)
    found = re.compile(r'bb="[^"]*"').search(placed, start)
    if found is None:
        return placed
    bounds = f'bb="{old[0]:g},{old[1]:g},{new.right:g},{old[3]:g}"'
    return placed[: found.start()] + bounds + placed[found.end() :]
