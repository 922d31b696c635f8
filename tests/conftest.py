"""What the test run counts, printed at its end: primitives, samples, and the worst errors."""

from __future__ import annotations

from collections import defaultdict

import pytest


class Record:
    """The worst value of each measure, and how often it was taken."""

    def __init__(self) -> None:
        self.count: dict[str, int] = defaultdict(int)
        self.worst: dict[str, tuple[float, str]] = {}
        self.ops: dict[tuple[str, str], float] = {}

    def add(self, measure: str, op: str, error: float) -> None:
        self.count[measure] += 1
        self.ops[measure, op] = max(error, self.ops.get((measure, op), 0.0))
        if measure not in self.worst or error > self.worst[measure][0]:
            self.worst[measure] = (error, op)


RECORD = Record()


@pytest.fixture(scope="session")
def record() -> Record:
    return RECORD


def pytest_terminal_summary(terminalreporter) -> None:
    if not RECORD.count:
        return
    from autograd.primitive import primitives

    terminalreporter.section("derivatives")
    covered = {op for measure, op in RECORD.ops if measure.endswith("order")}
    terminalreporter.write_line(f"{len(primitives)} primitives, {len(covered)} of them checked against finite differences")
    width = max(map(len, RECORD.count))
    for measure in sorted(RECORD.count):
        error, op = RECORD.worst[measure]
        terminalreporter.write_line(f"{measure:<{width}} {RECORD.count[measure]:>6} samples   worst error {error:.1e} ({op})")
