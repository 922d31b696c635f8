"""The process of one engine for one workload: it answers commands, one JSON object a line, on its standard streams.

    {"do": "build", "family": ..., "sizes": ..., "small": ..., "seconds": ...}  ->  {"digests": ..., "peak": bytes, ...}
    {"do": "turn"}  ->  {"forward": seconds, "backward": seconds, "step": seconds, "disturbed": share}

An error is answered as {"error": text, "kind": name}. The parent starts it with :data:`BOOT`, which imports this package
without its folder in the path: HIPS autograd has the same import name as this project's engine.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.workloads import problem

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

BOOT = """
import importlib.util, sys
def package(folder):
    spec = importlib.util.spec_from_file_location("benchmarks", folder + "/__init__.py", submodule_search_locations=[folder])
    sys.modules["benchmarks"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
package(sys.argv[1])
from benchmarks.worker import main
main(sys.argv[2])
"""

CHECKED_STEPS = 3
_STATUS = Path("/proc/self/status")


def _memory(key: str) -> int:
    """Bytes of ``VmRSS`` (now) or ``VmHWM`` (peak) of this process; 0 where the system does not tell."""
    if not _STATUS.exists():
        return 0
    found = re.search(rf"^{key}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _preemptions() -> int:
    """How often a thread of this process had to leave its core to another, so far."""
    return 0 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _give_back() -> None:
    """Lets the GNU C library return free memory, which would otherwise be used without being counted."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


class Server:
    """What answers the commands."""

    def __init__(self, engine: str) -> None:
        from benchmarks.engines import load

        self.engine = load(engine)
        self.case: Any = None
        self.repeats = 1

    def build(self, family: str, sizes: dict[str, Any], small: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Runs a few steps from the start, and finds how many fit in a turn of so many seconds.

        The process is idle, and its memory taken, after it has done the same at small sizes: all code is loaded by then, the
        data of the large sizes are drawn, and memory that was freed on the way is given back to the system.
        """
        drawn = problem(family, sizes)
        self.case = self.engine.build(problem(family, small))
        self._step()
        self.case.digest()
        self.case = None
        gc.collect()
        _give_back()
        idle = _memory("VmRSS")
        _forget_peak()
        self.case = self.engine.build(drawn)
        digests = []
        for _ in range(CHECKED_STEPS):
            self._step()
            digests.append(self.case.digest())
        peak = _memory("VmHWM") - idle
        self.repeats = 1
        taken = self._step()["step"]
        self.repeats = max(1, min(1000, int(seconds / max(taken, 1e-6))))
        self.turn()
        return {"digests": digests, "peak": peak, "versions": self.engine.versions(), "repeats": self.repeats}

    def _step(self) -> dict[str, float]:
        clock, case = time.perf_counter, self.case
        begin = clock()
        case.forward()
        middle = clock()
        if case.whole is not None:  # compiled into one: what the loss alone does not take is the way back
            case.whole()
            step = clock() - middle
            return {"forward": middle - begin, "backward": max(0.0, step - (middle - begin)), "step": step}
        case.backward()
        end = clock()
        case.update()
        done = clock()
        return {"forward": middle - begin, "backward": end - middle, "step": done - begin}

    def turn(self) -> dict[str, float]:
        """The medians over the steps of one turn, without those in which another process took a core, unless that is all.

        ``disturbed`` is their share.
        """
        steps, quiet = [], []
        for _ in range(self.repeats):
            before = _preemptions()
            step = self._step()
            steps.append(step)
            if _preemptions() == before:
                quiet.append(step)
        chosen = quiet or steps
        found = {key: statistics.median(step[key] for step in chosen) for key in steps[0]}
        return {**found, "disturbed": 1 - len(quiet) / len(steps)}


def main(engine: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints is no answer

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        server = Server(engine)
    except Exception as error:
        answer({"error": str(error), "kind": type(error).__name__})
        return
    answer({"ready": engine})
    for line in sys.stdin:
        command = json.loads(line)
        do = command.pop("do")
        try:
            answer(server.build(**command) if do == "build" else server.turn())
        except Exception as error:
            answer({"error": str(error), "kind": type(error).__name__})
