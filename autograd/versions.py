"""Which buffers were written to, and when: the guard against gradients of values that are no longer there.

A backward pass reads arrays that the forward pass saved. If such an array was changed in between, its gradient would be
silently wrong, so every write through the Tensor API *stamps* the buffer with the running sequence number, and backward
refuses a saved buffer whose stamp is newer than the node that saved it. The forward pass pays nothing for this, and the
backward pass one comparison, unless something was stamped after its oldest node.

``Tensor.data`` and ``Tensor.numpy()`` hand out an array that shares memory and may be written without our knowledge. Such
an array is a *loan*: a :class:`Loan` object stands between it and the buffer, so it lives exactly as long as any view of it. A
checksum taken at the beginning and compared when it matters tells whether the borrower wrote to the buffer.
"""

from __future__ import annotations

import itertools
import weakref
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

tick = itertools.count(1).__next__  # one clock for nodes and writes; next() on a count is atomic

latest = 0  # the newest stamp there is
_stamps: dict[int, tuple[weakref.ref[Array], int]] = {}
rewritten: dict[int, weakref.ref[Array]] = {}  # buffers written in place by a *recorded* op: older views are stale
loans: dict[int, weakref.ref[Loan]] = {}  # every live loan by its id
duties: set[tuple[str, int]] = set()  # empty nearly always, and then recording an op has nothing to watch


def owner(array: Array) -> Array:
    """The array that owns the memory (or the last ndarray before foreign memory) that ``array`` is a view of."""
    while True:
        base: Any = array.base
        if type(base) is Loan:
            array = base.array
        elif isinstance(base, np.ndarray):
            array = base
        else:
            return array


def stamp(array: Array) -> None:
    """Notes that the buffer behind ``array`` was written to now."""
    stamp_all((array,))


def stamp_all(arrays: Iterable[Array]) -> None:
    """Notes that all these buffers were written to now."""
    global latest
    latest = now = tick()
    for array in arrays:
        _note(owner(array), now)


def _note(root: Array, now: int) -> None:
    key = id(root)
    found = _stamps.get(key)
    if found is not None and found[0]() is root:
        _stamps[key] = (found[0], max(found[1], now))
    else:
        _stamps[key] = (weakref.ref(root, lambda _: _stamps.pop(key, None)), now)


class Writer:
    """Who writes to the same buffers again and again, as an optimizer does: one number says when it last wrote to them all.

    A stamp for each buffer would cost as much as the update of a small parameter. When the writer dies, its last stamp goes to
    the buffers.
    """

    __slots__ = ("__weakref__", "last", "roots")

    def __init__(self, arrays: Iterable[Array]) -> None:
        self.roots = {id(root): root for root in map(owner, arrays)}
        self.last = 0
        _writers.add(self)

    def stamp(self) -> None:
        """Notes that all buffers are written to now."""
        global latest
        latest = self.last = tick()

    def wrote_since(self, root: Array, sequence: int) -> bool:
        """True when this is one of the buffers, and it was written to after ``sequence``."""
        return self.last > sequence and self.roots.get(id(root)) is root

    def __del__(self) -> None:
        if self.last:
            for root in self.roots.values():
                _note(root, self.last)


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def modified_since(array: Array, sequence: int) -> bool:
    """True when the buffer behind ``array`` was written to after ``sequence``."""
    root = owner(array)
    found = _stamps.get(id(root))
    if found is not None and found[0]() is root and found[1] > sequence:
        return True
    return any(writer.wrote_since(root, sequence) for writer in tuple(_writers))


def mark_rewritten(array: Array) -> None:
    """Notes that a recorded op wrote to this buffer in place, so that older views of it must not be used any more."""
    root = owner(array)
    key = id(root)

    def forget(_: object) -> None:
        rewritten.pop(key, None)
        duties.discard(("rewritten", key))

    rewritten[key] = weakref.ref(root, forget)
    duties.add(("rewritten", key))


def _checksum(array: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data) if array.size else 0


class Loan:
    """A buffer that was handed out for writing. Views of the borrowed array keep the loan alive; its end settles it."""

    __slots__ = ("__weakref__", "array", "checksum", "root")

    def __init__(self, array: Array, watch: bool) -> None:
        self.array = array
        self.root = owner(array)
        self.checksum: int | None = _checksum(array) if watch else None  # None: no node can have saved it so far
        loans[id(self)] = weakref.ref(self)
        duties.add(("loan", id(self)))

    @property
    def __array_interface__(self) -> Any:
        return self.array.__array_interface__

    def settle(self) -> None:
        """Stamps the buffer if the borrower has written to it since the last time."""
        before, self.checksum = self.checksum, _checksum(self.array)
        if before is not None and before != self.checksum:
            stamp(self.array)

    def __del__(self) -> None:
        loans.pop(id(self), None)
        duties.discard(("loan", id(self)))
        if self.checksum is not None:
            self.settle()


def lend(array: Array, watch: bool) -> Array:
    """A writable view of ``array`` whose writes are noticed; ``watch``: a node may have saved the buffer already."""
    if not array.flags.writeable:
        return array[...]
    return np.asarray(Loan(array, watch))


def settle_loans(array: Array | None = None) -> None:
    """Notices what was written through borrowed arrays: to the buffer of ``array``, or to any that is on loan."""
    root = None if array is None else owner(array)
    for reference in tuple(loans.values()):
        loan = reference()
        if loan is None or (root is not None and loan.root is not root):
            continue
        if root is not None or loan.checksum is not None:
            loan.settle()
