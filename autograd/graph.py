"""The graph: nodes, and the pass over them that computes gradients.

A recorded op leaves one :class:`Node`. Nodes point at the nodes of their arguments (never forward), so a graph dies with its
last Tensor by reference counting. A node is made after its arguments', so its sequence number sorts it topologically, and every
walk here is a loop: a chain of a million ops needs no deep stack.
"""

from __future__ import annotations

import operator
import sys
import threading
import weakref
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd import versions
from autograd.mode import Scope, get_mode

if TYPE_CHECKING:
    from autograd.backward import Sweep
    from autograd.primitive import Primitive

Array = NDArray[Any]
Shape = tuple[int, ...]
Aval = tuple[Shape, np.dtype[Any]]  # "abstract value": all that is known of an array without its numbers

_avals: dict[Aval, Aval] = {}
SEVERAL = np.dtype(np.void)  # the "dtype" of a node with several outputs, whose "shape" is their number


def aval_of(array: Array) -> Aval:
    """The (shape, dtype) of an array. Equal ones are the same tuple, nearly always: ops compare them with ``is`` first."""
    aval = (array.shape, array.dtype)
    found = _avals.get(aval)
    if found is None:
        if len(_avals) > 4096:
            _avals.clear()
        found = _avals[aval] = aval
    return found


class Pullback:
    """How to get from an output's cotangent to those of the arguments, for one op and one choice of arguments that want one.

    Attributes:
        name: the name of the op.
        primitive: its declaration; None for the kinds of node below that are not ops.
        wanted: (position, rule) of each argument that requires a gradient.
        keeps: for the output and each argument, whether a wanted rule reads it; None when nothing is read.
        run: None for one rule per argument, which the backward loop calls itself; else what to call instead,
            ``run(node, saved, cotangent, sweep)``.
        needs: for each argument, whether it requires a gradient.
    """

    __slots__ = ("_dropped", "keeps", "name", "needs", "primitive", "run", "wanted")

    def __init__(
        self,
        name: str,
        primitive: Primitive | None = None,
        wanted: tuple[tuple[int, Callable[..., Any]], ...] = (),
        keeps: tuple[bool, ...] | None = None,
        run: Callable[[Node, Any, Any, Sweep], None] | None = None,
        needs: tuple[bool, ...] = (),
    ) -> None:
        self.name = name
        self.primitive = primitive
        self.wanted = wanted
        self.keeps = keeps
        self.run = run
        self.needs = needs
        self._dropped = [index for index in range(len(needs) + 1) if keeps is None or not keeps[index]]

    def kept(self, values: list[Any]) -> tuple[Any, ...]:
        """What a node saves of its output and arguments: those that a wanted rule reads, with None in place of the others."""
        for index in self._dropped:
            values[index] = None
        return tuple(values)


LEAF = Pullback("leaf")  # a tensor made by the user that requires a gradient
CONSTANT = Pullback("constant")  # a tensor without gradient, remembered for pictures


class _Freed:
    """Stands in place of the saved arrays once a backward pass has used them."""

    __slots__ = ()


FREED: Any = _Freed()


class Node:
    """One recorded operation, or a leaf.

    Attributes:
        pullback: how to differentiate it; LEAF or CONSTANT for tensors that no op made.
        parents: the node of each argument, in order; a Python number stands for itself.
        saved: output and arguments that the rules read (None in place of the others), or None, or FREED.
        static: the op's keyword arguments (axis, stride, ...), or None.
        aval: shape and dtype of the output.
        seq: position in the order of execution.
        scope: the module call it was made in, or None.
        hooks: functions on the cotangent, or None.
        grad, name: unset until there is one.
        tensor: of a leaf, a weak reference to its Tensor.
        trace: unset, or what a tracer noted (the line of source that made the op).
    """

    __slots__ = (
        "__weakref__", "aval", "grad", "hooks", "name", "parents", "pullback", "saved", "scope", "seq", "static",
        "tensor", "trace",
    )  # fmt: skip

    pullback: Pullback
    parents: tuple[Any, ...]
    saved: Any
    static: dict[str, Any] | None
    aval: Aval
    seq: int
    scope: Scope | None
    hooks: Hooks | None
    grad: Any
    name: str
    tensor: weakref.ref[Any]
    trace: Any

    @property
    def shape(self) -> Shape:
        return self.aval[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.aval[1]

    @property
    def op(self) -> str:
        """The name of the op, or ``"leaf"`` or ``"constant"``."""
        return self.pullback.name

    @property
    def requires_grad(self) -> bool:
        return self.pullback is not CONSTANT

    @property
    def is_leaf(self) -> bool:
        return not self.pullback.wanted

    def __repr__(self) -> str:
        return f"<Node {self.op} #{self.seq} {self.aval[1]}{list(self.aval[0])}>"


class _Dying(threading.local):
    """The parents that dying nodes of this thread have let go, still to be dropped one after the other."""

    def __init__(self) -> None:
        self.queue: list[tuple[Any, ...]] = []
        self.draining = False


_dying = _Dying()


def _unlink(node: Node) -> None:
    """``Node.__del__`` on CPython 3.13: drops a chain of nodes in a loop.

    Other versions do that by themselves. There, deallocation nests up to ten thousand levels, which needs more than the 512 KB
    of stack that a thread may have.
    """
    queue = _dying.queue
    queue.append(node.parents)
    node.parents = ()
    if not _dying.draining:
        _dying.draining = True
        try:
            while queue:
                queue.pop()
        finally:
            _dying.draining = False


if sys.version_info[:2] == (3, 13):
    Node.__del__ = _unlink  # type: ignore[attr-defined]


def source_node(array: Array, pullback: Pullback) -> Node:
    """A node without arguments: a LEAF or a CONSTANT."""
    node = Node()
    node.pullback = pullback
    node.parents = ()
    node.saved = node.static = node.hooks = None
    node.aval = aval_of(array)
    node.seq = versions.tick()
    node.scope = get_mode().scope
    if pullback is LEAF:
        node.grad = None
    return node


class Hooks:
    """What a node does with its cotangent besides handing it on."""

    __slots__ = ("functions", "retain_grad")

    def __init__(self) -> None:
        self.functions: dict[int, Callable[[Any], Any]] = {}
        self.retain_grad = False


class HookHandle:
    """Returned by ``register_hook``; ``remove()`` takes the hook away again. Also a context manager."""

    __slots__ = ("_functions", "_key")

    def __init__(self, functions: dict[int, Callable[[Any], Any]], function: Callable[[Any], Any]) -> None:
        self._functions = functions
        self._key = versions.tick()
        functions[self._key] = function

    def remove(self) -> None:
        """Takes the hook away; a second time does nothing."""
        self._functions.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def reachable(roots: Iterable[Node], ends: Container[Node] = (), leaves: bool = True) -> list[Node]:
    """Every node that a gradient from the roots reaches without going beyond ``ends``, newest first.

    That is a reverse topological order, since a node is newer than its arguments. ``leaves=False`` leaves out leaves.
    """
    seen = dict.fromkeys([root for root in roots if leaves or root.pullback.wanted])
    stack = list(seen)
    while stack:
        node = stack.pop()
        if ends and node in ends:
            continue
        parents = node.parents
        for index, _ in node.pullback.wanted:
            parent = parents[index]
            if parent not in seen and (leaves or parent.pullback.wanted):
                seen[parent] = None
                stack.append(parent)
    return sorted(seen, key=operator.attrgetter("seq"), reverse=True)


def arrays_in(*values: Any) -> list[np.ndarray[Any, Any]]:
    """The arrays among values and in tuples of them."""
    found, stack = [], list(values)
    while stack:
        item = stack.pop()
        if isinstance(item, np.ndarray):
            found.append(item)
        elif isinstance(item, tuple | list):
            stack.extend(item)
    return found


def saved_arrays(node: Node) -> list[np.ndarray[Any, Any]]:
    """What a node keeps for the backward pass: saved arguments and outputs, and arrays among its static arguments.

    None, once a backward pass has used them. This is what tables and pictures mean by saved bytes.
    """
    return [] if node.saved is FREED else arrays_in(node.saved, *(node.static or {}).values())


def wrap(array: Any, node: Node | None) -> Any:
    """A Tensor of this array at this node of the graph; a constant without one."""
    tensor = object.__new__(tensor_type)
    tensor._data = array
    tensor.node = node
    tensor._requires_grad = node is not None and node.pullback is not CONSTANT
    return tensor


tensor_type: Any = None  # autograd.tensor.Tensor, which is built on top of this module


def pass_on(g: Any, *_: Any) -> Any:
    """The rule of a sum's terms: the cotangent itself. The backward loop knows it, and does not call it."""
    return g


ITEM = Pullback("item", None, ((0, pass_on),), needs=(True,))  # its run is set by autograd.backward
ALIAS = Pullback("alias", None, ((0, pass_on),), needs=(True,))


def alias_node(parent: Node) -> Node:
    """A node of its own for the same value: gradients can be asked for at this point without going further."""
    alias = Node()
    alias.pullback = ALIAS
    alias.parents = (parent,)
    alias.saved = (None, None)
    alias.hooks = alias.static = None
    alias.aval = parent.aval
    alias.seq = versions.tick()
    alias.scope = parent.scope
    return alias


def item_node(node: Node, index: int, array: Array) -> Node:
    """The node of one output of an op that has several."""
    item = Node()
    item.pullback = ITEM
    item.parents = (node,)
    item.saved = item.hooks = None
    item.static = {"index": index}
    item.aval = aval_of(array)
    item.seq = versions.tick()
    item.scope = node.scope
    return item
