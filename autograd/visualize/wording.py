"""How things are named in a picture: static arguments, the arguments of modules, and the small print under a name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from autograd.graph import Node
from autograd.visualize.model import Vertex, bytes_text, norm_text, number_text
from autograd.visualize.recording import Statistics
from autograd.visualize.style import SYMBOLS, WORDS

_SIGNS = {"multiply": "×", "divide": "÷", "add": "+", "subtract": "−", "power": "^"}
# what ops keep for their rules, and what the shape on the arrow says already
_INTERNAL = {
    "biased", "centred", "columns", "count", "distinct", "divisor", "eps", "free", "grid", "mass", "moments", "origin", "reach",
    "residuals", "rows", "scale", "shape", "shares", "size", "sizes", "valid", "view", "width",
}  # fmt: skip
_INTERNAL_OF = {("normalize", "axes"), ("avg_pool", "padding")}
_DATA = {("cross_entropy", "target"), ("getitem", "index"), ("take", "index"), ("embedding", "index")}
_DEFAULTS = {"bias=True", "affine=True", "elementwise_affine=True", "track_running_stats=True", "inplace=False"}
_UNNAMED = {
    "in_features", "out_features", "in1_features", "in2_features", "in_channels", "out_channels", "kernel_size", "num_features",
    "normalized_shape", "num_embeddings", "embedding_dim", "input_size", "hidden_size", "p", "embed_dim", "num_channels",
    "num_groups",
}  # fmt: skip
_HIDDEN = {"eps", "momentum"}


def static_arrays(node: Node) -> list[tuple[str, np.ndarray[Any, Any]]]:
    """The arrays among the static arguments of an op that a reader knows as data: classes, indices."""
    found: list[tuple[str, np.ndarray[Any, Any]]] = []
    for name, value in (node.static or {}).items():
        if (node.op, name) in _DATA:
            parts = value if isinstance(value, tuple) else (value,)
            found.extend((name, part) for part in parts if isinstance(part, np.ndarray))
    return found


def static_text(node: Node) -> str:
    """The numbers and static arguments of an op, as far as they say something: ``×0.5``, ``axis=1``, ``3×3 stride 2``."""
    parts = [f"{_SIGNS.get(node.op, '')}{parent:g}" for parent in node.parents if type(parent) is not Node]
    for name, value in (node.static or {}).items():
        if (
            name in _INTERNAL
            or (node.op, name) in _INTERNAL_OF
            or value is None
            or value is False
            or isinstance(value, np.ndarray)
        ):
            continue
        if hasattr(value, "kernel") and hasattr(value, "stride"):
            parts.append(_windows_text(value))
        elif name == "index":
            parts.append(_index_text(value))
        elif name == "groups":
            parts.extend([f"groups={value}"] if value != 1 else [])
        elif value is True:
            parts.append(name)
        elif not _holds_array(value):
            parts.append(f"{name}={_short(value)}")
    return " ".join(part for part in parts if part)


def _holds_array(value: Any) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(item, np.ndarray) or _holds_array(item) for item in value)


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    text = f"{value:g}" if isinstance(value, float) else str(value).replace(" ", "")
    return text if len(text) <= 24 else text[:23] + "…"


def _windows_text(windows: Any) -> str:
    def pair(value: tuple[int, ...]) -> str:
        return str(value[0]) if len(set(value)) == 1 else "×".join(map(str, value))

    text = "×".join(map(str, windows.kernel))
    if any(step != 1 for step in windows.stride):
        text += f" stride {pair(windows.stride)}"
    if any(step != 1 for step in windows.dilation):
        text += f" dilation {pair(windows.dilation)}"
    sides = tuple(before for before, _ in windows.padding)
    if any(map(any, windows.padding)):
        text += f" pad {pair(sides)}"
    return text


def _index_text(index: Any) -> str:
    parts = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, slice):
            ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
            parts.append(":".join(ends if part.step is None else [*ends, str(part.step)]))
        elif part is Ellipsis:
            parts.append("…")
        elif not isinstance(part, np.ndarray):
            parts.append(str(part))
        else:
            parts.append("·")
    return f"[{', '.join(parts)}]" if parts != ["·"] else ""


def arguments_text(text: str) -> str:
    """The arguments in a module's repr, shortened: no defaults, no names that go without saying, 3×3 for (3, 3)."""
    parts = []
    for part in re.split(r", ?(?![^(]*\))", text):
        name, given, value = part.partition("=")
        if part in _DEFAULTS or (given and name in _HIDDEN) or part == "stride=(1, 1)":
            continue
        kept = value if given and name in _UNNAMED else part
        inner = re.fullmatch(r"((?:\w+=)?)\((\d+(?:, \d+)*),?\)", kept)
        if inner:
            sizes = inner[2].split(", ")
            # a window is 3×3, a step of two is 2
            kept = inner[1] + (sizes[0] if inner[1] and len(set(sizes)) == 1 else "×".join(sizes))
        parts.append(kept)
    return ", ".join(parts)


def value_text(statistics: Statistics, shape: tuple[int, ...]) -> str:
    """``= 0.5``, ``= [1, 2]``; nothing for more than a few elements."""
    numbers = [number_text(value) for value in statistics.values]
    if not numbers:
        return ""
    return f"= {numbers[0]}" if shape == () else f"= [{', '.join(numbers)}]"


def statistics_text(statistics: Statistics) -> str:
    """``0.12 ± 1.0, -3.1 … 2.9``, of the finite elements."""
    if statistics.mean != statistics.mean:
        return "no finite value"
    text = f"{number_text(statistics.mean)} ± {number_text(statistics.deviation)}"
    text += f", {number_text(statistics.least)} … {number_text(statistics.greatest)}"
    return text + (f", with {WORDS.get(statistics.fault, statistics.fault)}" if statistics.fault else "")


def seconds_text(seconds: float) -> str:
    """A time for people."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def small_print(vertex: Vertex, show: frozenset[str], seconds: float = 0.0, memory: int = 0) -> list[str]:
    """The lines under a name.

    Args:
        vertex: what they are about.
        show: what is wanted.
        seconds, memory: of the whole graph, to give shares of.
    """
    lines = list(vertex.lines)
    if "value" in show and vertex.kind != "output" and vertex.written:
        lines.append(vertex.written)
    if "stats" in show and vertex.statistics:
        lines.append(vertex.statistics)
    if vertex.kind in ("op", "module"):
        if "grad" in show and vertex.gradient is not None:
            lines.append(f"‖grad‖ {norm_text(vertex.gradient)}")
        if "time" in show and vertex.seconds is not None:
            lines.append(seconds_text(vertex.seconds) + (f" · {100 * vertex.seconds / seconds:.0f} %" if seconds else ""))
        if "memory" in show and vertex.memory is not None:
            lines.append(f"{bytes_text(vertex.memory)} made" + (f" · {100 * vertex.memory / memory:.0f} %" if memory else ""))
        if "source" in show and vertex.line:
            lines.append(vertex.line)
        if vertex.kind == "module" and vertex.state:
            lines.append(f"{SYMBOLS[vertex.state]} {WORDS[vertex.state]}")
        if vertex.fault:
            lines.append(f"{SYMBOLS['nan']} first NaN")
    return lines
