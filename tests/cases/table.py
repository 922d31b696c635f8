"""All rows of all families: importing this module collects ``CASES`` of every module beside it."""

from __future__ import annotations

import importlib
from pathlib import Path

from cases.case import Case

_FAMILIES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("case", "table", "__init__"))

CASES: list[Case] = []
FAMILY: dict[str, str] = {}  # the family that an op's rows stand in
for _family in _FAMILIES:
    for _case in importlib.import_module(f"cases.{_family}").CASES:
        CASES.append(_case)
        FAMILY.setdefault(_case.op, _family)
