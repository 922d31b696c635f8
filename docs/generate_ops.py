"""Writes docs/ops.md from the table of cases: every primitive, its derivative, its kink, and how exactly it was confirmed.

    python docs/generate_ops.py            # write it
    python docs/generate_ops.py --check    # fail if it is not current

Errors are given as powers of ten that they stay below, so that the page is the same on every machine.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from cases.table import CASES, FAMILY

from autograd.differences import gradient_function, measure
from autograd.primitive import primitives

import numpy as np  # isort: skip


def bound(error: float) -> str:
    """The power of ten that an error stays below: 1e-8 at best, since smaller ones differ from machine to machine."""
    if error == 0:
        return "0"
    return f"< 1e{max(math.ceil(math.log10(error) + 0.5), -8)}"


def worst_errors() -> dict[str, tuple[float, float | None, int]]:
    """The greatest relative error of each primitive at first and second order, and its number of rows."""
    first: dict[str, float] = defaultdict(float)
    second: dict[str, float | None] = {}
    rows: dict[str, int] = defaultdict(int)
    for case in CASES:
        rng = np.random.default_rng(0)
        inputs = tuple(np.asarray(make(rng)) for make in case.inputs)
        rows[case.op] += 1
        one = measure(case.call, inputs, step=case.step)
        first[case.op] = max(first[case.op], one.error if one else 0.0)
        if case.orders > 1:
            gradient, arguments = gradient_function(case.call, inputs)
            two = measure(gradient, arguments, seed=3, step=case.step)
            second[case.op] = max(second.get(case.op) or 0.0, two.error if two else 0.0)
    return {op: (first[op], second.get(op), rows[op]) for op in rows}


def page() -> str:
    """The whole page."""
    errors = worst_errors()
    lines = [
        "# Primitives",
        "",
        "Made by `python docs/generate_ops.py` from the table that also drives the tests (`tests/cases/`). `g` is the",
        "cotangent of the output `y`. The errors are the greatest relative differences from central finite differences with a",
        "random cotangent, over all rows of the op, at first and second order.",
        "",
        f"{len(primitives)} primitives, {len(CASES)} rows.",
    ]
    families: dict[str, list[str]] = defaultdict(list)
    for op in primitives:
        families[FAMILY[op]].append(op)
    for family in sorted(families):
        lines += ["", f"## {family}", "", "| op | derivative | at the awkward points | rows | 1st order | 2nd order |"]
        lines.append("|---|---|---|---|---|---|")
        for op in sorted(families[family]):
            texts = [case for case in CASES if case.op == op]
            derivative = next((case.derivative for case in texts if case.derivative), "")
            kink = next((case.kink for case in texts if case.kink), "")
            one, two, count = errors[op]
            cells = [f"`{op}`", derivative, kink, str(count), bound(one), "" if two is None else bound(two)]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/ops.md.")
    parser.add_argument("--check", action="store_true", help="fail if the page is not current")
    options = parser.parse_args()
    target = ROOT / "docs" / "ops.md"
    text = page()
    if not options.check:
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target.relative_to(ROOT)}: {len(primitives)} primitives")
    elif not target.exists() or target.read_text(encoding="utf-8") != text:
        sys.exit("docs/ops.md is not current: run python docs/generate_ops.py")
    else:
        print("docs/ops.md is current")


if __name__ == "__main__":
    main()
