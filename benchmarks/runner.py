"""Starts a process for each engine and workload, and lets them run in turn: A B A B ..."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engines import THREADS
from benchmarks.worker import BOOT
from benchmarks.workloads import Sizes

FOLDER = Path(__file__).resolve().parent
TOLERANCE = 1e-3  # of the losses of two engines after a few steps in float32, relative
PAUSE = 0.1  # seconds between turns: threads of OpenBLAS spin for 30 ms after a product, which would disturb the next engine
PHASES = ("forward", "backward", "step")


class EngineError(RuntimeError):
    """What an engine's process answered instead of a result; ``kind`` is the name of the exception there."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Process:
    """The process of one engine."""

    def __init__(self, engine: str, interpreter: str, threads: int = THREADS) -> None:
        self.engine = engine
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        if threads == 1:
            limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | limits
        self.process = subprocess.Popen(
            [interpreter, "-P", "-c", BOOT, str(FOLDER), engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        try:
            self.read()
        except EngineError:
            self.close()
            raise

    def read(self) -> dict[str, Any]:
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise EngineError("EOFError", f"the process of {self.engine} ended with code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["kind"], answer["error"])
        return answer

    def ask(self, **command: Any) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):  # it has ended, which reading tells
            self.process.stdin.write(json.dumps(command) + "\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        return self.read()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.stdout.close()  # type: ignore[union-attr]
        self.process.wait()


@dataclass
class Spread:
    """The median of the turns in seconds, and their quartiles."""

    median: float
    low: float
    high: float

    @property
    def relative(self) -> float:
        return (self.high - self.low) / 2 / self.median if self.median else 0.0

    @staticmethod
    def of(values: list[float]) -> Spread:
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(median, low, high)


@dataclass
class Measured:
    """What one engine did with one workload, or why it did not."""

    times: dict[str, Spread] = field(default_factory=dict)
    peak: int = 0
    digests: list[list[float]] = field(default_factory=list)
    agrees: bool | None = None
    disturbed: float = 0.0  # the share of steps in which another process took a core
    skipped: str = ""

    def seconds(self, phase: str = "step") -> float:
        return self.times[phase].median


def available(engine: str, interpreter: str) -> str:
    """Why an engine cannot be used, or nothing."""
    try:
        Process(engine, interpreter).close()
    except EngineError as error:
        return str(error)
    except OSError as error:
        return f"{interpreter}: {error.strerror}"
    return ""


def agree(ours: list[list[float]], theirs: list[list[float]]) -> bool:
    """True where the digests of two engines are equal within the tolerance, as far as both have them."""
    for mine, other in zip(ours, theirs, strict=True):
        for a, b in zip(mine, other, strict=False):
            if not abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 1e-6):
                return False
    return True


def measure(
    family: str, sizes: Sizes, small: Sizes, interpreters: dict[str, str], rounds: int, seconds: float, threads: int = THREADS
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Each engine's times for a family at these sizes, and the versions of what they used.

    Args:
        small: the sizes at which each process warms up.
        interpreters: the interpreter of each engine; the first engine is the one whose losses the others are held to.
        rounds: turns of each engine.
        seconds: about so long a turn is.
        threads: of each engine. (JAX takes one, or as many as there are cores.)
    """
    found = {engine: Measured() for engine in interpreters}
    versions: dict[str, str] = {}
    processes: dict[str, Process] = {}
    try:
        for engine, interpreter in interpreters.items():
            try:
                processes[engine] = process = Process(engine, interpreter, threads)
                built = process.ask(do="build", family=family, sizes=sizes, small=small, seconds=seconds)
            except EngineError as error:
                if engine in processes:
                    processes.pop(engine).close()
                found[engine].skipped = "cannot run it" if error.kind == "CannotRunError" else str(error)
                continue
            found[engine].peak, found[engine].digests = built["peak"], built["digests"]
            versions |= built["versions"]
        turns: dict[str, list[dict[str, float]]] = {engine: [] for engine in processes}
        for _ in range(rounds):
            for engine, process in list(processes.items()):
                time.sleep(PAUSE)
                try:
                    turns[engine].append(process.ask(do="turn"))
                except EngineError as error:  # it has no figures; the others go on
                    processes.pop(engine).close()
                    del turns[engine]
                    found[engine].skipped = str(error)
    finally:
        for process in processes.values():
            process.close()
    reference = next(iter(found.values()))
    for engine, results in turns.items():
        entry = found[engine]
        entry.times = {phase: Spread.of([result[phase] for result in results]) for phase in PHASES}
        entry.disturbed = statistics.fmean(result["disturbed"] for result in results)
        entry.agrees = agree(reference.digests, entry.digests) if reference.digests else None
    return found, versions


def noise(entries: dict[str, Measured]) -> float:
    """The widest spread of a whole step among the engines: half the distance of the quartiles as a share of the median."""
    spreads = [entry.times["step"] for entry in entries.values() if entry.times]
    return max((spread.relative for spread in spreads), default=0.0)


def wait_for_quiet(until: float) -> None:
    """Returns when hardly anything else wants a core, or at the time ``until`` on the clock of ``time.monotonic``."""
    load = Path("/proc/loadavg")
    while load.exists() and time.monotonic() < until:
        running = []
        for _ in range(20):
            running.append(int(load.read_text().split()[3].partition("/")[0]) - 1)  # without this process
            time.sleep(0.05)
        if statistics.fmean(running) < 0.5:
            return


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": model,
        "cores": os.cpu_count(),
        "BLAS": _blas(),
        "NumPy's loops": _loops(),
    }


def _blas() -> str:
    """NumPy's BLAS, and the processor that its kernels are for; "" where threadpoolctl is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ""
    found = next((entry for entry in threadpool_info() if entry["user_api"] == "blas"), None)  # (workloads have imported NumPy)
    return f"{found['internal_api']} {found['version']} for {found.get('architecture', '?')}" if found else ""


def _loops() -> str:
    """The vector instructions of NumPy's own loops, by the one of exp; "" where NumPy does not tell."""
    try:
        from numpy.lib.introspect import opt_func_info
    except ImportError:
        return ""
    found = opt_func_info(func_name="^exp$", signature="float32").get("exp", {})
    return next((_instructions(loop["current"]) for loop in found.values()), "")


def _instructions(target: str) -> str:
    """The usual name of what NumPy calls "X86_V3" or "FMA3__AVX2", or "baseline(SSE SSE2 SSE3)": of several, the last."""
    name = re.split(r"\W+|__", target.rstrip(")"))[-1]
    return (
        "AVX-512" if name.startswith("AVX512") else {"X86_V2": "SSE4.2", "X86_V3": "AVX2", "X86_V4": "AVX-512"}.get(name, name)
    )


def as_json(results: dict[str, dict[str, Measured]], versions: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
    rows = {name: {engine: asdict(entry) for engine, entry in engines.items()} for name, engines in results.items()}
    return {"environment": {**machine(), **versions}, "options": options, "workloads": rows}


def from_json(value: dict[str, Any]) -> dict[str, dict[str, Measured]]:
    def entry(fields: dict[str, Any]) -> Measured:
        return Measured(**{**fields, "times": {phase: Spread(**times) for phase, times in fields["times"].items()}})

    return {name: {engine: entry(e) for engine, e in engines.items()} for name, engines in value["workloads"].items()}


def own_interpreter() -> str:
    return sys.executable
