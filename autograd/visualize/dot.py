"""The picture in DOT, the language of Graphviz. All quoting is done here: a name can hold anything and stays text."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

from autograd.visualize.model import Box, Edge, Graph, Vertex, count_text, norm_text, shape_text
from autograd.visualize.routing import with_skips
from autograd.visualize.style import FONT, SAVED, SYMBOLS, WORDS, Paint, Theme
from autograd.visualize.wording import small_print

_LARGE = 200  # from this many vertices on, Graphviz is told to try less hard


def escape(text: str) -> str:
    """Text inside an HTML-like label."""
    clean = "".join(
        character if character == "\t" or (ord(character) >= 32 and ord(character) not in (127, 0xFFFE, 0xFFFF)) else " "
        for character in text.replace("\n", "⏎")
        if not 0xD800 <= ord(character) <= 0xDFFF
    )
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def quote(text: str) -> str:
    """A double-quoted DOT string. Graphviz reads backslash escapes and HTML entities in it, so both are neutralised."""
    plain = escape(text.replace("\r", ""))
    return '"' + plain.replace("\\", "\\\\").replace("⏎", "\\n") + '"'


def font(text: str, colour: str, size: int = 10, bold: bool = False) -> str:
    """A run of text in an HTML-like label; nothing for nothing, since Graphviz drops a label with an empty run."""
    body = escape(text)
    if not body:
        return ""
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{f"<B>{body}</B>" if bold else body}</FONT>'


class Writer:
    """Writes one graph in one theme."""

    def __init__(self, graph: Graph, theme: Theme, show: frozenset[str], direction: str, legend: bool) -> None:
        self.graph = graph
        self.theme = theme
        self.show = show
        self.direction = direction
        self.legend = legend
        self.by_key = graph.by_key()
        path = spine(graph)
        self.spine = set(path)
        self.following = dict(pairwise(path))
        self.sides = self._sides()
        self.right = self._right()

    def _is_skip(self, edge: Edge) -> bool:
        """Whether an edge goes from the data path to the data path, past what lies between."""
        on_spine = edge.tail in self.spine and edge.head in self.spine
        return on_spine and self.following.get(edge.tail) != edge.head and edge.tail != edge.head

    def skips(self) -> list[tuple[str, str, str]]:
        """(tail, head, attributes) of the skip connections drawn after the layout; none where data flows to the right."""
        if self.direction != "TB":
            return []
        return [(edge.tail, edge.head, self._edge_attributes(edge)) for edge in self.graph.edges if self._is_skip(edge)]

    def finish(self, placed: str) -> str:
        """A laid-out graph that was written without its skip connections, with them."""
        homes = {vertex.key: self.graph.ancestors(vertex.module) for vertex in self.graph.vertices}
        return with_skips(placed, self.skips(), homes)

    def write(self, skips: bool = True) -> str:
        """The whole DOT source, or that without the skip connections."""
        lines = ["digraph autograd {", *self._defaults()]
        contents: dict[str | None, list[Vertex]] = defaultdict(list)
        for vertex in self.graph.vertices:
            contents[vertex.module].append(vertex)
        children: dict[str | None, list[Box]] = defaultdict(list)
        for box in self.graph.boxes.values():
            children[box.parent].append(box)
        # a loop instead of recursion: modules may be nested as deep as people like
        stack: list[tuple[str | None, int, str]] = [(None, 0, "open")]
        while stack:
            key, depth, step = stack.pop()
            if step == "close":
                lines.append("  " * depth + "}")
                continue
            if key is not None:
                lines.extend(self._cluster(self.graph.boxes[key], depth, contents[key]))
                stack.append((key, depth, "close"))
            indent = "  " * (depth + 1)
            lines.extend(indent + self._vertex(vertex) for vertex in contents[key])
            lines.extend(indent + same for same in self._same_ranks(contents[key]))
            stack.extend((box.key, depth + 1, "open") for box in reversed(children[key]))
        left_out = () if skips or self.direction != "TB" else {id(edge) for edge in self.graph.edges if self._is_skip(edge)}
        lines.extend("  " + self._edge(edge) for edge in self.graph.edges if id(edge) not in left_out)
        lines.append("}")
        return "\n".join(lines) + "\n"

    def _defaults(self) -> list[str]:
        theme = self.theme
        large = ", nslimit=1, nslimit1=1" if len(self.graph.vertices) > _LARGE else ""
        return [
            f'  graph [rankdir={self.direction}, ranksep=0.36, nodesep=0.34, pad=0.3, bgcolor="{theme.ground}", newrank=false, '
            f'fontname="{FONT}", fontsize=12, fontcolor="{theme.small}", labelloc=t, labeljust=l{large}, '
            f"tooltip={quote(self.graph.title)}, label=<{self._heading()}>]",
            f'  node [fontname="{FONT}", fontsize=12, fontcolor="{theme.op.text}", shape=box, style="rounded,filled", '
            f'color="{theme.op.line}", fillcolor="{theme.op.fill}", penwidth=1.1, height=0.36, margin="0.18,0.08"]',
            f'  edge [fontname="{FONT}", fontsize=10, fontcolor="{theme.small}", color="{theme.edge}", penwidth=1.3, '
            "arrowsize=0.6]",
        ]

    def _heading(self) -> str:
        theme = self.theme
        rows = [font(self.graph.title, theme.text, 18, bold=True), font(self.graph.subtitle, theme.small, 11)]
        rows.extend(font(note, theme.small, 11) for note in self.graph.notes)
        cells = [f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows]
        if self.legend:
            gap = "&nbsp;" * 5
            signs = [font("▌", theme.accent) + font("parameter", theme.small)]
            if any(not edge.tracked for edge in self.graph.edges):
                signs.append(font("╌ no gradient flows", theme.small))
            if "saved" in self.show and any(vertex.saved for vertex in self.graph.vertices):
                signs.append(font(SAVED, theme.saved) + font(" kept for backward", theme.small))
            if any(vertex.backward for vertex in self.graph.vertices):
                signs.append(font("∂ backward op", theme.backward.line))
            cells.append('<TR><TD HEIGHT="3"></TD></TR>')
            cells.append(f'<TR><TD ALIGN="LEFT">{font(" ", theme.small) + gap.join(signs)}</TD></TR>')
        cells.append('<TR><TD HEIGHT="8"></TD></TR>')
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(cells)}</TABLE>'

    def _cluster(self, box: Box, depth: int, inside: list[Vertex]) -> list[str]:
        theme = self.theme
        indent = "  " * depth
        name = f"{box.name} … {box.last}" if box.last and box.last != box.name else box.name
        kind = f"{box.type}({box.arguments})" if box.arguments and not box.last else box.type
        label = "  ".join(filter(None, (font(name, theme.text, 12, bold=True), font(kind, theme.small))))
        if box.copies > 1:
            label += "  " + font(f"×{box.copies}", theme.accent, 12, bold=True)
        fill = theme.backward.fill if box.backward else theme.box_fill[min(depth - 1, 1)]
        line = theme.op.line if box.copies > 1 else theme.box_line
        lines = [
            f"{indent}subgraph cluster_{box.key} {{",
            f'{indent}  label=<{label}>; style="rounded,filled"; color="{line}"; fillcolor="{fill}"; '
            f"penwidth={1.6 if box.copies > 1 else 1.0}; labeljust=l; margin=12; tooltip={quote(name)}",
        ]
        # without parameters at the left, the straight data path would run through the label: an invisible spacer as wide
        first = next((vertex for vertex in inside if vertex.kind in ("op", "module")), None)
        if first is not None and not any(vertex.kind == "parameter" for vertex in inside):
            width = 0.085 * (len(name) + 0.8 * len(kind)) + 0.2
            lines.append(f'{indent}  s_{box.key} [style=invis, label="", width={width:.2f}, height=0.01, fixedsize=true]')
            lines.append(f"{indent}  {{rank=same; s_{box.key}; {first.key}}}")
            lines.append(f"{indent}  s_{box.key} -> {first.key} [style=invis]")
        return lines

    def _facts(self, facts: tuple[tuple[str, str], ...], name: str) -> str:
        return "\n".join(f"{what}: {text}" for what, text in facts) or name

    def _vertex(self, vertex: Vertex) -> str:
        if vertex.kind == "parameter":
            return self._parameter(vertex)
        theme = self.theme
        paint = {
            "op": theme.backward if vertex.backward else theme.op,
            "input": theme.input,
            "output": theme.output,
            "module": theme.collapsed,
        }[vertex.kind]
        if vertex.kind == "module" and vertex.state:
            paint = theme.states[vertex.state]
        attributes = [f"label=<{self._label(vertex, paint)}>", f"tooltip={quote(self._facts(vertex.facts, vertex.name))}"]
        if paint is not theme.op:
            attributes.append(f'color="{paint.line}", fillcolor="{paint.fill}", fontcolor="{paint.text}"')
        if vertex.kind == "input":
            attributes.append('style="rounded,filled,dashed"')
        if vertex.fault:
            attributes.append(f'penwidth=3, color="{theme.fault}"')
        if vertex.kind == "module":
            attributes.append("peripheries=2")
        if vertex.key in self.spine:
            attributes.append("group=spine")
        return f"{vertex.key} [{', '.join(attributes)}]"

    def _label(self, vertex: Vertex, paint: Paint) -> str:
        name = ("∂ " if vertex.backward and vertex.kind == "op" else "") + vertex.name
        parts = [f"<B>{escape(name)}</B>"]
        if vertex.again:
            parts.append(font("↑", paint.small))
        if vertex.detail:
            parts.append(font(vertex.detail, paint.small))
        if vertex.kind == "input":
            dtype = "" if vertex.dtype == "float32" and "dtype" not in self.show else f" {vertex.dtype}"
            parts.append(font(shape_text(vertex.shape) + dtype, paint.small))
            if vertex.saved and "saved" in self.show:
                parts.append(font(SAVED, self.theme.saved))
        if vertex.kind == "output" and vertex.value:
            parts.append(escape(vertex.value))
        if vertex.copies > 1 and vertex.kind == "module":
            parts.append(font(f"×{vertex.copies}", self.theme.accent, 12, bold=True))
        label = "  ".join(parts)
        lines = small_print(vertex, self.show, self.graph.seconds, self.graph.memory)
        tall = font(" ", paint.small, 13)  # keeps the small print clear of the name; on both sides, to centre it
        for line in lines:
            label += "<BR/>" + tall + font(line, paint.small) + tall
            tall = ""
        return label

    def _parameter(self, vertex: Vertex) -> str:
        theme = self.theme
        graded = "grad" in self.show and not vertex.again
        state = vertex.state if graded and vertex.state != "no grad" else ""
        paint = theme.states[state] if state else theme.parameter
        size = shape_text(vertex.shape)
        if vertex.dtype != "float32" and "dtype" in self.show:
            size += f" {vertex.dtype}"
        head = font(size, paint.small)
        if vertex.saved and "saved" in self.show:
            head += " " + font(SAVED, paint.small if state in ("exploding", "nan") else theme.saved)
        rows = [[font(vertex.name + (" ↑" if vertex.again else ""), paint.text, 12, bold=True), head]]
        written = vertex.written.removeprefix("= ") if "value" in self.show and not vertex.again else ""
        if written:
            rows.append([font("value", paint.small), font(written, paint.small)])
        if graded and vertex.gradient is not None:
            text = norm_text(vertex.gradient)
            if vertex.gradient_range is not None and vertex.gradient_range[0] != vertex.gradient_range[1]:
                text = "…".join(map(norm_text, vertex.gradient_range))
            rows.append([font("‖grad‖", paint.small), font(text, paint.small)])
        rows.extend([font(line, paint.small)] for line in small_print(vertex, self.show - {"value"}) if not vertex.again)
        if state:
            rows.append([font(f"{SYMBOLS[state]} {WORDS[state]}", paint.small, bold=True)])
        border = ' STYLE="DASHED"' if vertex.again else ""
        cells = []
        for index, row in enumerate(rows):
            bar = f'<TD ROWSPAN="{len(rows)}" WIDTH="6" BGCOLOR="{paint.line}"></TD>' if index == 0 else ""
            if len(row) == 2:
                body = f'<TD ALIGN="LEFT" WIDTH="52">{row[0]}</TD><TD ALIGN="RIGHT" WIDTH="48">{row[1]}</TD>'
            else:
                body = f'<TD COLSPAN="2" ALIGN="LEFT">{row[0]}</TD>'
            cells.append(f"<TR>{bar}{body}</TR>")
        table = (
            f'<TABLE BORDER="1" COLOR="{paint.line}"{border} CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" '
            f'BGCOLOR="{paint.fill}">{"".join(cells)}</TABLE>'
        )
        tooltip = quote(self._facts((("parameter", vertex.name), *vertex.facts), vertex.name))
        return f'{vertex.key} [shape=plain, style="", tooltip={tooltip}, label=<{table}>]'

    def _sides(self) -> dict[str, str]:
        """The leaves that stand at the left of their op: parameters, and inputs beside the data path."""
        fed = {edge.head for edge in self.graph.edges if self.by_key[edge.tail].kind in ("op", "module")}
        heads: dict[str, set[str]] = defaultdict(set)
        for edge in self.graph.edges:
            heads[edge.tail].add(edge.head)
        sides: dict[str, str] = {}
        for edge in self.graph.edges:
            leaf = self.by_key[edge.tail]
            beside = leaf.kind == "parameter" or (leaf.kind == "input" and edge.head in fed)
            if beside and leaf.module == self.by_key[edge.head].module and len(heads[leaf.key]) == 1:
                sides[leaf.key] = edge.head
        count = Counter(sides.values())
        # off the data path, an op with something above it has one leaf beside it; of all others, the leaves stand above them
        arguments = {edge.head for edge in self.graph.edges if edge.tail not in sides}
        return {leaf: head for leaf, head in sides.items() if head in self.spine or (head in arguments and count[head] == 1)}

    def _right(self) -> set[str]:
        """Of the leaves beside an op, those that stand at its right: every second parameter, so that all arrows are short."""
        placed: dict[str, int] = defaultdict(int)
        found = set()
        for leaf, head in self.sides.items():
            if placed[head] % 2:
                found.add(leaf)
            placed[head] += 1
        return found

    def _same_ranks(self, vertices: list[Vertex]) -> list[str]:
        beside: dict[str, list[str]] = defaultdict(list)
        for vertex in vertices:
            if vertex.key in self.sides:
                beside[self.sides[vertex.key]].append(vertex.key)
        lines = []
        columns: dict[bool, list[str]] = {False: [], True: []}  # the leaves next to their op, from top to bottom
        for head, leaves in beside.items():
            lines.append(f"{{rank=same; {'; '.join([*leaves, head])}}}")
            for right in (False, True):
                row = [leaf for leaf in leaves if (leaf in self.right) is right]
                lines.extend(f"{first} -> {second} [style=invis]" for first, second in pairwise(row))
                columns[right].extend(row[:1] if right else row[-1:])
        if len(self.graph.vertices) > _LARGE:  # aligned columns are what takes the layout of long graphs its time
            return lines
        for column in columns.values():
            lines.extend(f"{first} -> {second} [style=invis, weight=2]" for first, second in pairwise(column))
        return lines

    def _edge(self, edge: Edge) -> str:
        attributes = self._edge_attributes(edge)
        if edge.tail in self.right:  # on one rank, an arrow's tail lies at the left of its head
            return f"{edge.head} -> {edge.tail} [dir=back, {attributes}]"
        if self._is_skip(edge) and self.direction == "TB":
            return f"{edge.tail} -> {edge.head} [tailport=e, headport=e, {attributes}]"
        return f"{edge.tail} -> {edge.head} [{attributes}]"

    def _edge_attributes(self, edge: Edge) -> str:
        theme = self.theme
        tail = self.by_key[edge.tail]
        attributes = []
        straight = self.following.get(edge.tail) == edge.head
        attributes.append("weight=50" if straight else "weight=4" if edge.tail in self.sides else "weight=1")
        if not edge.tracked:
            attributes.append(f'style=dashed, color="{theme.quiet}"')
        # a skip connection needs no label: what it skips begins with the same value
        if tail.kind in ("op", "module") and "shape" in self.show and not self._is_skip(edge):
            text = shape_text(edge.shape)
            if "dtype" in self.show or edge.dtype not in ("float32", "float64", ""):
                text += f" {edge.dtype}"
            label = escape("  " + text)
            if edge.copies > 1:
                label += "  " + font(f"×{edge.copies}", theme.accent, bold=True)
            if edge.saved and "saved" in self.show:
                label += " " + font(SAVED, theme.saved)
            attributes.append(f"label=<{label}>")
        facts = [
            ("from", tail.name),
            ("to", self.by_key[edge.head].name),
            ("shape", shape_text(edge.shape)),
            ("dtype", edge.dtype),
        ]
        attributes.append(f'id="{edge.tail}->{edge.head}"')
        attributes.append(f"edgetooltip={quote(self._facts(tuple(facts), tail.name))}")
        attributes.append(f"labeltooltip={quote(count_text(edge.copies) + ' × ' + shape_text(edge.shape))}")
        return ", ".join(attributes)


def spine(graph: Graph) -> list[str]:
    """The vertices of the longest data path to an output, in its order: they are laid out in one straight line."""
    by_key = graph.by_key()
    incoming: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        incoming[edge.head].append(edge.tail)
    # (begins with data, how long): a path from the data goes before one from a parameter, however long
    length: dict[str, tuple[bool, int]] = {}
    before: dict[str, str] = {}
    done: dict[str, bool] = {}
    for start in by_key:  # depth first with a stack: passes may leave vertices in any order
        stack = [start]
        while stack:
            key = stack[-1]
            if done.get(key):
                stack.pop()
                continue
            if key not in done:
                done[key] = False
                stack.extend(tail for tail in incoming[key] if tail not in done)
                continue
            done[key] = True
            stack.pop()
            best = (_is_data(graph, by_key[key]), 0)
            for tail in incoming[key]:
                usable = by_key[tail].kind != "parameter" or _is_data(graph, by_key[tail])
                if usable and length.get(tail, (False, 0)) > best:
                    best, before[key] = length[tail], tail
            length[key] = (best[0], best[1] + 1)
    outputs = [vertex.key for vertex in graph.vertices if vertex.kind == "output"]
    place: str | None = max(outputs, key=length.__getitem__, default=None)
    found: dict[str, None] = {}
    while place is not None and place not in found:
        found[place] = None
        place = before.get(place)
    return list(reversed(found))


def _is_data(graph: Graph, vertex: Vertex) -> bool:
    """Whether it is what a model works on: an input, or a leaf outside all modules where there are modules."""
    leaf = vertex.kind == "parameter" and vertex.module is None and bool(graph.boxes) and not vertex.again
    return vertex.kind == "input" or leaf
