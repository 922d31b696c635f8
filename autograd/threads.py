"""Two processors for large arrays: NumPy lets other threads run while it computes.

What is shared out are halves, not the small blocks that one thread works through. Between two steps a thread needs Python's
lock, and where both come for it every few microseconds, each waits for the other to fall asleep and wake up: blocks of 64k
elements take as long on two processors as on one, halves of a million two thirds (``python -m benchmarks.choices``). Nor is
anything smaller shared out: a thread needs some 20 microseconds to wake up.

Where the other processor is busy, the helper does not begin: so it is for some 20 milliseconds after each product of matrices,
when the threads of BLAS go on looking for work. Then this thread takes its half back, and shares out nothing for a while.

The halves do not depend on the number of processors, so neither do the results, to the bit.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from autograd.primitive import quiet

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

LEAST = 3 << 18  # elements from which on it pays
PAUSE = 0.002  # seconds for which nothing is shared out after the helper did not begin

_resume = 0.0  # when the pause is over

_helper: ThreadPoolExecutor | None = None
_here = threading.local()  # knows the helper itself


@cache
def processors() -> int:
    """How many processors this process may use: those it is bound to, and at most what ``OMP_NUM_THREADS`` says."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return min(count, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else count


def _begin() -> None:
    _here.helping = True


def _forget() -> None:
    global _helper
    _helper = None


if hasattr(os, "register_at_fork"):  # the threads of a process do not live on in its child
    os.register_at_fork(after_in_child=_forget)


def each(work: Callable[[slice], None], count: int, width: int = 1, block: int = 1 << 16) -> None:
    """Calls ``work(rows)`` for all of ``count`` rows of ``width`` elements: by blocks, or by halves where they are many.

    Args:
        work: fills what belongs to these rows and to nothing else.
        count: rows, or elements where ``width`` is 1.
        width: elements of a row.
        block: elements to work on at a time, so that they stay in the cache.
    """
    if count < 2 or count * width < LEAST:
        step = max(1, block // max(1, width))
        for start in range(0, count, step):
            work(slice(start, min(start + step, count)))
        return
    global _resume
    half = count // 2
    if processors() < 2 or time.perf_counter() < _resume or hasattr(_here, "helping"):
        work(slice(0, half))
        work(slice(half, count))
        return
    other = _pool().submit(_quietly, work, slice(0, half))
    try:
        work(slice(half, count))
    finally:
        late = other.cancel()
        if not late:
            other.result()
    if late:
        _resume = time.perf_counter() + PAUSE
        work(slice(0, half))


def _pool() -> ThreadPoolExecutor:
    global _helper
    if _helper is None:
        from concurrent.futures import ThreadPoolExecutor  # only now: importing it takes milliseconds

        _helper = ThreadPoolExecutor(1, "autograd", _begin)
    return _helper


def _quietly(work: Callable[[slice], None], piece: slice) -> None:
    """Does a piece in the context of the thread that calls it, without warnings and recording."""
    quiet.run(work, piece)
