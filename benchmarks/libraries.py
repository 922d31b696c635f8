"""A process for each of two libraries, ours and PyTorch's: in one process their idle threads would slow each other down."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

Work = Callable[[str, Any], None]  # what runs in a process: it gets the library's name, and a pipe to the parent


class Library:
    """The process of one library, which answers what it is sent."""

    def __init__(self, name: str, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_run, args=(work, name, far), daemon=True)
        self._process.start()
        far.close()  # the process alone holds that end: when it dies, the pipe ends

    def send(self, value: Any) -> None:
        try:
            self._pipe.send(value)
        except OSError:
            self._has_ended()

    def recv(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            self._has_ended()

    def close(self) -> None:
        self._pipe.close()  # the process sees it and ends

    def _has_ended(self) -> NoReturn:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        hint = ", which is what a system does that has run out of memory" if how == "by SIGKILL" else ""
        sys.exit(f"{self.name}: expected an answer, but its process was ended {how}{hint}")


def _run(work: Work, name: str, pipe: Any) -> None:
    """Says why the library cannot be used, or nothing, and then works until the parent has closed its end."""
    if name == "torch":
        try:
            importlib.import_module(name)
        except ImportError as error:
            pipe.send(f"{type(error).__name__}: {error}")
            return
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send("")
        work(name, pipe)


@contextlib.contextmanager
def libraries(work: Work) -> Iterator[list[Library]]:
    """Starts ``work`` for ours and, where it can be imported, for PyTorch; Ctrl-C ends the program without a traceback."""
    found: list[Library] = []
    try:
        with _deaf_to_interrupts():  # which the processes inherit: the parent alone answers Ctrl-C
            started = [Library(name, work) for name in ("ours", "torch")]
        for library in started:
            if reason := library.recv():
                print(f"{library.name} is left out: {reason}", file=sys.stderr)
                library.close()
            else:
                found.append(library)
        yield found
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        for library in found:
            library.close()


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
