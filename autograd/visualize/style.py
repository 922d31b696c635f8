"""The look: colours of the light and the dark theme, symbols, and the limits between healthy and sick gradients.

The three sick states differ by lightness, symbol and word, so they are told apart without colour; every text has a contrast
of at least 4.7 : 1 against its ground.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

FONT = "Helvetica,Arial,sans-serif"
SAVED = "◆"
SYMBOLS = {"vanishing": "▼", "exploding": "▲", "nan": "✕", "zero grad": "○", "no grad": "–"}
WORDS = {"vanishing": "vanishing", "exploding": "exploding", "nan": "NaN", "zero grad": "zero grad", "no grad": "no grad"}


@dataclass(frozen=True)
class Paint:
    """Ground, outline and text of one kind of box."""

    fill: str
    line: str
    text: str
    small: str


@dataclass(frozen=True)
class Theme:
    """All colours of a picture."""

    ground: str
    text: str
    small: str
    edge: str
    quiet: str
    saved: str
    accent: str
    fault: str
    op: Paint
    backward: Paint
    parameter: Paint
    input: Paint
    output: Paint
    collapsed: Paint
    box_fill: tuple[str, str]
    box_line: str
    states: dict[str, Paint]


LIGHT = Theme(
    ground="#FFFFFF",
    text="#0F172A",
    small="#556377",
    edge="#475569",
    quiet="#7C8AA0",
    saved="#9A4A06",
    accent="#0072B2",
    fault="#6B1D6B",
    op=Paint("#FFFFFF", "#64748B", "#0F172A", "#556377"),
    backward=Paint("#F1ECFA", "#6D4BA3", "#0F172A", "#556377"),
    parameter=Paint("#E3F1FA", "#0072B2", "#0F172A", "#334155"),
    input=Paint("#FFFFFF", "#7C8AA0", "#0F172A", "#556377"),
    output=Paint("#0F172A", "#0F172A", "#FFFFFF", "#FFFFFF"),
    collapsed=Paint("#EEF2F7", "#94A3B8", "#0F172A", "#556377"),
    box_fill=("#F8FAFC", "#EEF2F7"),
    box_line="#CBD5E1",
    states={
        "vanishing": Paint("#FFF4D6", "#8A5A00", "#0F172A", "#8A5A00"),
        "exploding": Paint("#B54700", "#7A2E00", "#FFFFFF", "#FFFFFF"),
        "nan": Paint("#6B1D6B", "#3D0A3D", "#FFFFFF", "#FFFFFF"),
        "zero grad": Paint("#F1F5F9", "#64748B", "#0F172A", "#475569"),
        "no grad": Paint("#FFFFFF", "#7C8AA0", "#0F172A", "#475569"),
    },
)

DARK = Theme(
    ground="#0F172A",
    text="#F1F5F9",
    small="#94A3B8",
    edge="#94A3B8",
    quiet="#64748B",
    saved="#F0B429",
    accent="#56B4E9",
    fault="#E58FD0",
    op=Paint("#1E293B", "#64748B", "#F1F5F9", "#94A3B8"),
    backward=Paint("#2A2140", "#B79CE6", "#F1F5F9", "#A9B4C4"),
    parameter=Paint("#0C2F47", "#56B4E9", "#F1F5F9", "#CBD5E1"),
    input=Paint("#0F172A", "#64748B", "#F1F5F9", "#94A3B8"),
    output=Paint("#F1F5F9", "#F1F5F9", "#0F172A", "#0F172A"),
    collapsed=Paint("#18253C", "#94A3B8", "#F1F5F9", "#94A3B8"),
    box_fill=("#131E33", "#18253C"),
    box_line="#334155",
    states={
        "vanishing": Paint("#3A2E0D", "#F0C14B", "#F1F5F9", "#F0C14B"),
        "exploding": Paint("#E8702A", "#FFB489", "#0F172A", "#0F172A"),
        "nan": Paint("#E58FD0", "#FFD3F3", "#0F172A", "#0F172A"),
        "zero grad": Paint("#1E293B", "#94A3B8", "#F1F5F9", "#CBD5E1"),
        "no grad": Paint("#0F172A", "#64748B", "#F1F5F9", "#CBD5E1"),
    },
)

THEMES = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class Thresholds:
    """Where a gradient counts as sick: limits of rms(gradient) / rms(weight). They are rules of thumb, not laws.

    A step of plain descent at a rate of 0.1 changes a weight at the upper limit by as much as the weight itself. Layers at
    their usual initial values come near 1 without anything being wrong.
    """

    vanishing: float = 1e-7
    exploding: float = 10.0


def coded_theme() -> tuple[Theme, dict[str, tuple[str, str]]]:
    """A theme of placeholder colours, each used for one role only, and the light and dark colour that each stands for.

    Laid out once, a picture in it can be given its colours afterwards, so that one SVG serves light and dark.
    """
    table: dict[str, tuple[str, str]] = {}

    def code(light: Any, dark: Any) -> Any:
        if isinstance(light, str):
            placeholder = f"#0a{len(table):04x}"
            table[placeholder] = (light, dark)
            return placeholder
        if is_dataclass(light):
            parts = {part.name: code(getattr(light, part.name), getattr(dark, part.name)) for part in fields(light)}
            make: Any = type(light)
            return make(**parts)
        if isinstance(light, tuple):
            return tuple(code(*pair) for pair in zip(light, dark, strict=True))
        return {name: code(light[name], dark[name]) for name in light}

    return code(LIGHT, DARK), table
