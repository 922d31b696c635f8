"""``draw``: the graph behind a tensor as a picture, and the object that shows and saves it."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd.tensor import Tensor
from autograd.visualize import passes, text
from autograd.visualize.dot import Writer
from autograd.visualize.model import Box, Edge, Graph, Vertex, count_text
from autograd.visualize.names import Names
from autograd.visualize.page import automatic_svg, page
from autograd.visualize.render import DrawError, find_graphviz, lay_out, require_graphviz
from autograd.visualize.style import THEMES, Theme, Thresholds, coded_theme
from autograd.visualize.walk import read

_SHOW = ("shape", "dtype", "value", "grad", "stats", "saved", "source", "time", "memory")
_SHARED_INPUT = 4  # up to so many users of an input are joined to one box of it
_MERMAID_LIMIT = 120
_HARD_LIMIT = 3000


def draw(
    outputs: Any,
    model: Any = None,
    params: Mapping[str, Any] | None = None,
    show: str | Sequence[str] = ("shape", "grad", "saved"),
    depth: int | None = None,
    roll: bool = True,
    direction: str = "TB",
    theme: str = "light",
    max_nodes: int | None = 400,
    shared: str = "chip",
    legend: bool = True,
    title: str | None = None,
    thresholds: Thresholds | None = None,
    profile: Any = None,
) -> Drawing:
    """The computation graph behind a tensor, as a picture.

    Args:
        outputs: a Tensor, or a list or dict of them (several outputs in one picture).
        model: the module that made it; names are found without it where the modules were called as modules.
        params: names for tensors: a dict, or ``locals()``.
        show: what is written besides the ops: among "shape", "dtype", "value" (of up to four elements), "grad" (the norm),
            "stats" (mean ± deviation, least … greatest), "saved" (what is kept for backward), "source" (the line that made an
            op, where ``record_source()`` or ``record_statistics()`` was on), "time" and "memory" (of a ``profile``), or "all".
            Values are known where a leaf, an output or the graph still holds them, and all under ``record_statistics()``.
        depth: 0 draws one box for each outermost module, 1 shows what is in these, ..., None all.
        roll: draw runs of equal modules once, with a count.
        direction: "TB" (data flows down) or "LR" (to the right).
        theme: "light", "dark", or "auto": an SVG that follows the reader's preference.
        max_nodes: above this many boxes, modules are collapsed until it fits (None: never).
        shared: "chip" draws a parameter once per use, "node" once.
        legend: explain the signs under the title.
        title: instead of the value of the output.
        thresholds: from where on a gradient counts as vanishing or exploding.
        profile: what each op cost: the result of ``profile()``, or a mapping of nodes to (seconds, bytes).

    Returns:
        A :class:`Drawing`: a notebook shows it; ``save``, ``svg``, ``dot``, ``mermaid`` and ``str()`` give it in other forms.

    Raises:
        TypeError: for anything but Tensors.
        ValueError: for a tensor without a graph, and for unknown options.
    """
    tensors = _outputs(outputs, params or {})
    wanted = _choice(show)
    for name, value, allowed in (
        ("direction", direction, ("TB", "LR")),
        ("theme", theme, (*THEMES, "auto")),
        ("shared", shared, ("chip", "node")),
    ):
        if value not in allowed:
            raise ValueError(f"draw: expected {name} among {', '.join(allowed)}, got {value!r}")
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ValueError(f"draw: expected depth as a whole number from 0 or None, got {depth!r}")
    for name in ("time", "memory"):
        if name in wanted and profile is None and show != "all":
            raise ValueError(f"draw: expected profile= for show={name!r}, got None; pass what autograd.profile() measured")
    values = not wanted.isdisjoint(("value", "stats"))
    whole = read(tensors, Names(params, model), thresholds or Thresholds(), profile, values)
    if title is not None:
        whole.title = title
    return Drawing(whole, wanted, depth, roll, direction, theme, max_nodes, shared == "chip", legend)


def _outputs(outputs: Any, params: Mapping[str, Any]) -> dict[str, Tensor]:
    def name_of(tensor: Any) -> str | None:
        given = (name for name, value in params.items() if value is tensor and not name.startswith("_"))
        return getattr(tensor, "name", None) or next(given, None)

    if isinstance(outputs, Tensor):
        named = {name_of(outputs) or "output": outputs}
    elif isinstance(outputs, Mapping):
        named = {str(name): tensor for name, tensor in outputs.items()}
    elif isinstance(outputs, list | tuple):
        named = {name_of(tensor) or f"output {index}": tensor for index, tensor in enumerate(outputs)}
    else:
        raise TypeError(f"draw: expected a Tensor, got {type(outputs).__name__}; draw a Tensor, e.g. draw(net(x))")
    if not named:
        raise ValueError("draw: expected at least one Tensor, got none")
    for name, tensor in named.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"draw: expected Tensors, got {type(tensor).__name__} for {name!r}; draw a Tensor, e.g. draw(net(x))"
            )
        if tensor.node is None:
            raise ValueError(
                f"draw: {name!r} has no graph; was it made under no_grad(), or from tensors without requires_grad?"
            )
    return named


def _choice(show: str | Sequence[str]) -> frozenset[str]:
    parts = [show] if isinstance(show, str) else list(show)
    if "all" in parts:
        parts = list(_SHOW)
    for part in parts:
        if part not in _SHOW:
            raise ValueError(f"draw: expected show among {', '.join(_SHOW)} or all, got {part!r}")
    return frozenset(parts)


class Drawing:
    """A computation graph, ready to be shown. Made by :func:`draw`; it holds no tensors, only what is drawn.

    Attributes:
        dot, mermaid, svg: the picture in these languages.
        nodes, edges, modules: what is drawn, as plain objects.
    """

    def __init__(
        self,
        whole: Graph,
        show: frozenset[str],
        depth: int | None,
        roll: bool,
        direction: str,
        theme: str,
        max_nodes: int | None,
        chips: bool,
        legend: bool,
    ) -> None:
        self._whole = whole
        self._show = show
        self._depth = depth
        self._roll = roll
        self._direction = direction
        self._theme = theme
        self._max_nodes = max_nodes
        self._chips = chips
        self._legend = legend

    def _detailed(self) -> Graph:
        graph = passes.chips(self._whole, "parameter", most=1) if self._chips else self._whole
        return passes.dissolve(graph)

    def at_depth(self, depth: int | None, most: int | None = None) -> Graph:
        """The model after all passes, with modules drawn down to ``depth``."""
        graph = self._detailed()
        if self._roll:
            graph = passes.roll(graph)
        graph = passes.collapse(graph, depth)
        if self._roll:
            graph = passes.roll(graph)
        if self._chips:
            graph = passes.chips(graph, "input", most=_SHARED_INPUT)
        if most is not None:
            graph = passes.elide(graph, most)
        return graph

    def _fitted(self, most: int | None) -> Graph:
        """The model at the asked depth, or at the greatest one that has few enough boxes."""
        graph = self.at_depth(self._depth)
        if most is None or len(graph.vertices) <= most:
            return self._noted(graph, self._depth)
        deepest = max((passes.level(self._whole, key) for key in self._whole.boxes), default=-1)
        start = deepest if self._depth is None else min(self._depth - 1, deepest)
        depth = self._depth
        for depth in range(start, -1, -1):
            graph = self.at_depth(depth)
            if len(graph.vertices) <= most:
                break
        graph = passes.elide(graph, most)
        warnings.warn(
            f"draw: {count_text(self._whole.ops)} ops are more than max_nodes={most}: drawn as {len(graph.vertices)} nodes"
            + (f" (depth={depth})" if depth is not None else ""),
            stacklevel=4,
        )
        return self._noted(graph, depth)

    def _noted(self, graph: Graph, depth: int | None) -> Graph:
        drawn = sum(vertex.kind in ("op", "module") for vertex in graph.vertices)
        if drawn < graph.ops:
            notes = [f"{count_text(graph.ops)} ops drawn as {drawn} nodes"]
            if depth is not None:
                notes.append(f"depth={depth}")
            rolled = sum(box.copies for box in graph.boxes.values() if box.copies > 1)
            rolled += sum(vertex.copies for vertex in graph.vertices if vertex.kind == "module" and vertex.copies > 1)
            if rolled:
                notes.append(f"{rolled} equal blocks rolled into one")
            graph.notes = (" · ".join(notes),)
        return graph

    @cached_property
    def _graph(self) -> Graph:
        if self._max_nodes is None:
            return self._fitted(None)
        return self._fitted(self._max_nodes)

    @property
    def nodes(self) -> list[Vertex]:
        """The boxes that are drawn, in the order of execution."""
        return self._graph.vertices

    @property
    def edges(self) -> list[Edge]:
        """The arrows that are drawn."""
        return self._graph.edges

    @property
    def modules(self) -> list[Box]:
        """The modules that are drawn as boxes around others."""
        return list(self._graph.boxes.values())

    @cached_property
    def dot(self) -> str:
        """The picture in the language of Graphviz."""
        return self._writer(self._graph, self._colours).write()

    @property
    def _colours(self) -> Theme:
        return THEMES["light" if self._theme == "auto" else self._theme]

    def _writer(self, graph: Graph, theme: Theme) -> Writer:
        return Writer(graph, theme, self._show, self._direction, self._legend)

    def lay_out(self, graph: Graph, theme: Theme, format: str) -> bytes:
        """A model laid out with the options of this drawing."""
        writer = self._writer(graph, theme)
        finish = writer.finish if writer.skips() else None
        dot = writer.write(skips=finish is None)
        if format == "png":
            dot = dot.replace("  graph [", "  graph [dpi=130, ", 1)
        return lay_out(dot, format, len(graph.vertices), finish=finish)

    @property
    def title(self) -> str:
        """What stands above the picture."""
        return self._whole.title

    @property
    def depth_label(self) -> str:
        """The depth that was asked for, as the page names it."""
        return "all" if self._depth is None else str(self._depth)

    def sheets(self, most: int) -> list[tuple[str, Graph]]:
        """The models at each depth, the coarsest first, without those that look the same or are too large."""
        deepest = max((passes.level(self._whole, key) for key in self._whole.boxes), default=-1)
        depths: list[int | None] = [*range(min(deepest + 1, most - 1)), None]
        found: list[tuple[str, Graph]] = []
        for depth in depths:
            graph = self._noted(self.at_depth(depth, self._max_nodes), depth)
            keys = {vertex.key for vertex in graph.vertices}
            if not found or keys != {vertex.key for vertex in found[-1][1].vertices}:
                found.append(("all" if depth is None else str(depth), graph))
        return found

    @cached_property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart, collapsed to what Mermaid draws."""
        graph = self._graph
        if len(graph.vertices) > _MERMAID_LIMIT:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                graph = self._fitted(_MERMAID_LIMIT)
        return text.mermaid(graph, self._show)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG. Needs Graphviz."""
        require_graphviz("svg")
        if self._theme == "auto":
            theme, table = coded_theme()
            svg = self.lay_out(self._graph, theme, "svg").decode("utf-8")
            return automatic_svg(svg, table)
        return self._laid_out("svg").decode("utf-8")

    def _laid_out(self, format: str) -> bytes:
        require_graphviz(format)
        count = len(self._graph.vertices)
        if count > _HARD_LIMIT and self._max_nodes is not None:
            raise DrawError(f"{count} nodes are too many to lay out; try depth=1, or max_nodes=None if you mean it")
        return self.lay_out(self._graph, self._colours, format)

    def graphviz(self) -> Any:
        """The picture as a ``graphviz.Source`` of the graphviz package."""
        try:
            import graphviz  # type: ignore[import-untyped]
        except ImportError:
            raise DrawError("graphviz(): expected the graphviz package; install it with pip install graphviz") from None
        return graphviz.Source(self.dot)

    def to_dict(self) -> dict[str, Any]:
        """What is drawn, as plain data."""
        return self._graph.to_dict()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the picture in the format of the file's ending: .svg .png .pdf .html .dot .mmd .json .txt.

        Returns:
            The path.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix == ".svg":
            content = self.svg.encode("utf-8")
        elif suffix in (".png", ".pdf"):
            content = self._laid_out(suffix[1:])
        elif suffix == ".html":
            require_graphviz("html")
            content = page(self).encode("utf-8")
        elif suffix in (".dot", ".gv"):
            content = self.dot.encode("utf-8")
        elif suffix in (".mmd", ".mermaid"):
            content = self.mermaid.encode("utf-8")
        elif suffix == ".json":
            content = json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode("utf-8")
        elif suffix == ".txt":
            content = (str(self) + "\n").encode("utf-8")
        else:
            raise ValueError(f"save: expected a name in .svg .png .pdf .html .dot .mmd .json .txt, got {target.name!r}")
        _write_whole(target, content)
        return target

    def __str__(self) -> str:
        return text.listing(self._detailed(), self._show)

    def __repr__(self) -> str:
        return f"<Drawing of {self._whole.title}: {self._whole.ops} ops, {self._whole.parameters} parameters>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        if find_graphviz() is None:
            return {"text/vnd.mermaid": self.mermaid, "text/plain": str(self)}
        try:
            svg = self.svg
        except DrawError as error:
            return {"text/plain": f"{error}\n{self}"}
        inline = svg[svg.index("<svg") :].replace("<svg ", '<svg style="width:100%;max-width:60em;height:auto" ', 1)
        return {"text/html": inline, "image/svg+xml": svg, "text/plain": str(self)}


def _write_whole(target: Path, content: bytes) -> None:
    """Writes a file by renaming a finished one, so that nobody ever sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
