"""What the commands of this folder have in common: their help, and how they refuse names."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterable


def parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """The parser of ``python -m name``: its docstring's first line says what it does, the rest stands below the options."""
    width = shutil.get_terminal_size().columns - 2
    paragraphs = (doc or "").strip("\n").split("\n\n")
    first, *rest = [text if text.startswith(" ") else textwrap.fill(text, width, break_on_hyphens=False) for text in paragraphs]
    return argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=first,
        epilog="\n\n".join(rest),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def check_names(parser: argparse.ArgumentParser, what: str, known: Iterable[str], names: Iterable[str]) -> None:
    """Ends with a message if one of the names is not known."""
    known = list(known)
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"expected {what} among {', '.join(known)}, got {', '.join(unknown)}")
