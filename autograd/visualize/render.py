"""Graphviz: found, called in a process of its own, and stopped when it takes too long."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

_LAYOUT = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
sys.stdout.buffer.write(graph.draw(format=sys.argv[2], prog=sys.argv[1]))
"""
_PLACED = "nop2"  # draws what has its places already

MISSING = """no Graphviz found, so this graph cannot be laid out as {format}.
  install one of:   pip install pygraphviz            (its wheels contain Graphviz)
                    apt-get install graphviz | brew install graphviz | winget install graphviz
  works without it: print(g)    g.save("graph.mmd")    g.save("graph.dot")"""


class DrawError(RuntimeError):
    """A picture could not be made; the message says what to do."""


def find_graphviz() -> list[str] | None:
    """The program that lays DOT out: a script for pygraphviz, else ``dot`` on the PATH, else None."""
    if importlib.util.find_spec("pygraphviz") is not None:
        return [sys.executable, "-c", _LAYOUT]
    dot = shutil.which("dot")
    return None if dot is None else [dot]


def require_graphviz(format: str) -> list[str]:
    """The same, or DrawError with what to install and what works without."""
    command = find_graphviz()
    if command is None:
        raise DrawError(MISSING.format(format=format.upper()))
    return command


def lay_out(dot: str, format: str, vertices: int, timeout: float = 20.0, finish: Callable[[str], str] | None = None) -> bytes:
    """DOT laid out as svg, png, pdf or json.

    It runs in a process of its own: pygraphviz holds the interpreter lock while it works, so neither Ctrl-C nor a timeout
    would get through in this one.

    Args:
        dot: the source.
        format: what to make.
        vertices: how many there are, for the message of a timeout.
        timeout: seconds after which the layout is given up.
        finish: changes the laid-out DOT before it is drawn.

    Raises:
        DrawError: when there is no Graphviz, it fails, or it takes longer than ``timeout`` seconds.
    """
    command = require_graphviz(format)
    if finish is None:
        return _run(command, "dot", dot.encode("utf-8"), format, vertices, timeout)
    # with a resolution, the places would be scaled twice
    places = re.sub(r"dpi=\d+, ", "", dot, count=1)
    placed = finish(_run(command, "dot", places.encode("utf-8"), "dot", vertices, timeout).decode("utf-8"))
    if places != dot:
        placed = placed.replace("graph [", "graph [dpi=130, ", 1)
    return _run(command, _PLACED, placed.encode("utf-8"), format, vertices, timeout)


def _run(command: list[str], program: str, source: bytes, format: str, vertices: int, timeout: float) -> bytes:
    if len(command) == 1:  # dot itself
        command = [*command, f"-K{program}", f"-T{format}"]
    else:
        command = [*command, program, format]
    try:
        done = subprocess.run(command, input=source, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise DrawError(
            f"layout took longer than {timeout:g} s ({vertices} nodes). Try depth=1, shared='chip', or g.save('graph.dot')"
        ) from None
    if done.returncode or not done.stdout:
        message = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DrawError(f"Graphviz failed: {message[-1] if message else 'no output'}")
    return done.stdout
