"""The picture as one HTML file: pan, zoom, a slider for the depth, search, paths; no network and no server."""

from __future__ import annotations

import html
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from autograd.visualize.model import Graph, norm_text
from autograd.visualize.style import SYMBOLS, WORDS, coded_theme

if TYPE_CHECKING:
    from autograd.visualize.drawing import Drawing

_MOST_DEPTHS = 6


def coloured(svg: str, table: dict[str, tuple[str, str]]) -> str:
    """An SVG in placeholder colours with CSS variables in their place."""
    names = {placeholder: f"var(--c{index})" for index, placeholder in enumerate(table)}
    return re.sub(r"#0a00[0-9a-f]{2}", lambda match: names.get(match.group(), match.group()), svg)


def variables(table: dict[str, tuple[str, str]], dark: bool) -> str:
    """The CSS that gives the variables the colours of a theme."""
    return "".join(f"--c{index}:{pair[dark]};" for index, pair in enumerate(table.values()))


def automatic_svg(svg: str, table: dict[str, tuple[str, str]]) -> str:
    """A stand-alone SVG that follows the reader's preference for light or dark."""
    style = (
        f"<style>svg{{{variables(table, False)}}}@media (prefers-color-scheme: dark){{svg{{{variables(table, True)}}}}}</style>"
    )
    body = coloured(svg, table)
    start = body.index(">", body.index("<svg")) + 1
    return body[:start] + style + body[start:]


def page(drawing: Drawing) -> str:
    """The page of a drawing, with one laid-out SVG for each depth."""
    theme, table = coded_theme()
    sheets, data = [], []
    labelled = drawing.sheets(_MOST_DEPTHS)
    labels = [label for label, _ in labelled]
    start = labels.index(drawing.depth_label) if drawing.depth_label in labels else len(labels) - 1
    for label, graph in labelled:
        svg = drawing.lay_out(graph, theme, "svg").decode("utf-8")
        svg = coloured(svg[svg.index("<svg") :], table)
        sheets.append(f'<div class="sheet" hidden>{svg}</div>')
        data.append({"label": label, **_page_data(graph)})
    text = json.dumps(data, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return (
        template.replace("@TITLE@", html.escape(drawing.title))
        .replace("@LIGHT@", variables(table, False))
        .replace("@DARK@", variables(table, True))
        .replace("@LAST@", str(len(sheets) - 1))
        .replace("@START@", str(start))
        .replace("@SHEETS@", "\n".join(sheets))
        .replace("@DATA@", text)
    )


def _page_data(graph: Graph) -> dict[str, Any]:
    nodes = {}
    for vertex in graph.vertices:
        facts = [*vertex.facts]
        if vertex.gradient is not None and not any(name == "‖grad‖" for name, _ in facts):
            facts.append(("‖grad‖", norm_text(vertex.gradient)))
        if vertex.fault:
            facts.append(("first NaN", f"{SYMBOLS['nan']} here"))
        if vertex.state:
            facts.append(("gradient", f"{SYMBOLS[vertex.state]} {WORDS[vertex.state]}"))
        if vertex.value:
            facts.append(("value", vertex.value))
        path = ".".join(graph.boxes[key].name for key in reversed(graph.ancestors(vertex.module)))
        nodes[vertex.key] = {"name": vertex.name, "path": path, "kind": vertex.kind, "facts": facts}
    return {"nodes": nodes, "edges": [[edge.tail, edge.head] for edge in graph.edges]}
