"""The graph: nodes, and the pass over them that computes gradients.

A recorded op leaves one :class:`Node`. Nodes point at the nodes of their arguments (never forward), so a graph dies with its
last Tensor by reference counting. A node is made after its arguments', so its sequence number sorts it topologically, and every
walk here is a loop: a chain of a million ops needs no deep stack.
"""

from __future__ import annotations

import operator
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autograd import versions
from autograd.mode import Mode, Scope, get_mode, set_mode

if TYPE_CHECKING:
    from autograd.primitive import Primitive

Array = NDArray[Any]
Shape = tuple[int, ...]
Aval = tuple[Shape, np.dtype[Any]]  # "abstract value": all that is known of an array without its numbers

_avals: dict[Aval, Aval] = {}
SEVERAL = np.dtype(np.void)  # the "dtype" of a node with several outputs, whose "shape" is their number


def aval_of(array: Array) -> Aval:
    """The (shape, dtype) of an array. Equal ones are the same tuple, nearly always: ops compare them with ``is`` first."""
    aval = (array.shape, array.dtype)
    if len(_avals) > 4096:
        _avals.clear()
    return _avals.setdefault(aval, aval)


class Pullback:
    """How to get from an output's cotangent to those of the arguments, for one op and one choice of arguments that want one.

    Attributes:
        name: the name of the op.
        primitive: its declaration; None for the kinds of node below that are not ops.
        wanted: (position, rule) of each argument that requires a gradient.
        keeps: for the output and each argument, whether a wanted rule reads it; None when nothing is read.
        run: None for one rule per argument, which the backward loop calls itself; else what to call instead,
            ``run(node, saved, cotangent, sweep)``.
    """

    __slots__ = ("keeps", "name", "primitive", "run", "wanted")

    def __init__(
        self,
        name: str,
        primitive: Primitive | None = None,
        wanted: tuple[tuple[int, Callable[..., Any]], ...] = (),
        keeps: tuple[bool, ...] | None = None,
        run: Callable[[Node, Any, Any, Sweep], None] | None = None,
    ) -> None:
        self.name = name
        self.primitive = primitive
        self.wanted = wanted
        self.keeps = keeps
        self.run = run


LEAF = Pullback("leaf")  # a tensor made by the user that requires a gradient
CONSTANT = Pullback("constant")  # a tensor without gradient, remembered for pictures
FREED: Any = type("Freed", (), {"__repr__": lambda self: "<freed>", "__slots__": ()})()  # in place of saved arrays


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
        trace: unset, or what a tracer noted (the line of source that made the op).
    """

    __slots__ = (
        "__weakref__", "aval", "grad", "hooks", "name", "parents", "pullback", "saved", "scope", "seq", "static", "trace",
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


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Every node that a gradient from the roots reaches, newest first: a reverse topological order."""
    seen = dict.fromkeys(roots)
    stack = list(seen)
    while stack:
        node = stack.pop()
        parents = node.parents
        for index, _ in node.pullback.wanted:
            parent = parents[index]
            if parent not in seen:
                seen[parent] = None
                stack.append(parent)
    return sorted(seen, key=operator.attrgetter("seq"), reverse=True)


def _leading_to(targets: Iterable[Node], order: list[Node]) -> list[Node]:
    """The part of a reverse topological order from which a target can be reached."""
    useful = set(targets)
    for node in reversed(order):
        if node not in useful and any(node.parents[index] in useful for index, _ in node.pullback.wanted):
            useful.add(node)
    return [node for node in order if node in useful]


class Scatter:
    """A cotangent that is zero except at ``index``: what indexing hands to its argument.

    The sweep adds it into one buffer per node, so that n slices of one tensor cost O(n), not O(n * size).
    """

    __slots__ = ("index", "values")

    join: ClassVar[Callable[[list[Scatter], Aval], Any]]  # the recorded form of the sum: set by autograd.ops.indexing

    def __init__(self, index: Any, values: Any) -> None:
        self.index = index
        self.values = values

    def add_to(self, buffer: Array) -> None:
        """``buffer[index] += values``, where repeated indices add up."""
        if is_basic(self.index):
            buffer[self.index] += self.values
        else:
            np.add.at(buffer, self.index, self.values)


def is_basic(index: Any) -> bool:
    """True for an index without arrays (integers, slices, None, Ellipsis): it names every element once at most."""
    parts = index if type(index) is tuple else (index,)
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts)


class Sweep:
    """One backward pass: the cotangents that have arrived so far.

    They are kept in a dictionary of the pass, not on the nodes: two threads may differentiate graphs that share leaves, and a hook
    may start a pass over the same nodes. (Measured: 15 ns a look-up, 3 % of the backward time of a chain of small ops.)
    """

    __slots__ = ("cotangents", "create_graph", "owned", "scattered")

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph
        self.cotangents: dict[Node, Any] = {}
        self.owned: set[Node] = set()  # nodes whose cotangent is an array made here, which may be added to in place
        self.scattered: dict[Node, list[Scatter]] = {}  # create_graph: index contributions, joined when the node is reached

    def add(self, node: Node, cotangent: Any) -> None:
        """Adds a contribution to the cotangent of ``node``."""
        if cotangent is None:
            return
        if type(cotangent) is Scatter:
            self._add_scatter(node, cotangent)
            return
        present = self.cotangents.get(node)
        if present is None:
            self.cotangents[node] = cotangent
        elif node in self.owned:
            np.add(present, cotangent, out=present)
        else:
            self.cotangents[node] = total = present + cotangent
            if type(total) is np.ndarray:
                self.owned.add(node)

    def _add_scatter(self, node: Node, scatter: Scatter) -> None:
        if self.create_graph:
            self.scattered.setdefault(node, []).append(scatter)
            return
        if node not in self.owned:
            shape, dtype = node.aval
            present = self.cotangents.get(node)
            self.cotangents[node] = np.zeros(shape, dtype) if present is None else np.array(present, dtype)
            self.owned.add(node)
        scatter.add_to(self.cotangents[node])

    def add_item(self, node: Node, index: int, cotangent: Any) -> None:
        """Adds a contribution to the cotangent of one output of a node that has several."""
        items = self.cotangents.setdefault(node, {})
        items[index] = items[index] + cotangent if index in items else cotangent

    def take(self, node: Node) -> Any:
        """The finished cotangent of a node, or None if nothing arrived."""
        cotangent = self.cotangents.pop(node, None)
        if self.scattered and node in self.scattered:
            joined = Scatter.join(self.scattered.pop(node), node.aval)
            cotangent = joined if cotangent is None else cotangent + joined
        return cotangent


def unbroadcast(cotangent: Any, shape: Shape) -> Any:
    """Sums a cotangent over the axes along which its argument was broadcast: the adjoint of broadcasting.

    Axes that broadcasting added in front are summed away; axes of size 1 that it stretched are summed with keepdims.
    """
    added = cotangent.ndim - len(shape)
    stretched = tuple(
        axis for axis, size in enumerate(shape, start=added) if size == 1 and cotangent.shape[axis] != 1
    )
    if added > 0 or stretched:
        cotangent = np.sum(cotangent, axis=(*range(added), *stretched), keepdims=True)
        if added > 0:
            cotangent = np.reshape(cotangent, cotangent.shape[added:])
    return cotangent


def fit(cotangent: Any, node: Node, parent: Node) -> Any:
    """A cotangent in the shape and dtype of the argument that it belongs to."""
    shape, dtype = parent.aval
    if type(cotangent) is Scatter:
        return cotangent
    if cotangent.shape != shape:
        if _broadcasts_to(shape, cotangent.shape):
            cotangent = unbroadcast(cotangent, shape)
        else:
            raise RuntimeError(
                f"{node.op}: expected the rule to return a cotangent of shape {shape}, got {cotangent.shape}; "
                "a cotangent has the shape of its argument"
            )
    if cotangent.dtype != dtype:
        cotangent = cotangent.astype(dtype)
    return cotangent


def _broadcasts_to(shape: Shape, target: Shape) -> bool:
    if len(shape) > len(target):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(target), strict=False))


def _check_saved(order: list[Node]) -> None:
    """Refuses to go backward through values that were overwritten after they were saved."""
    for node in order:
        for position, array in enumerate(node.saved or ()):
            if isinstance(array, np.ndarray) and versions.modified_since(array, node.seq):
                if position == 0:
                    what, name = "its output", getattr(node, "name", None)
                else:
                    parent = node.parents[position - 1] if position <= len(node.parents) else None
                    what, name = f"its argument {position - 1}", getattr(parent, "name", None)
                raise RuntimeError(
                    f"{node.op}: {what}{f' {name!r}' if name else ''} (shape {array.shape}, {array.dtype}) is needed for the gradient "
                    "but was modified by an in-place operation after it was recorded; "
                    "use an out-of-place operation, clone() the tensor first, or call backward() before the change"
                )


def _freed_error(node: Node) -> RuntimeError:
    return RuntimeError(
        f"backward: the graph was freed by an earlier backward pass (at {node.op}); "
        "pass retain_graph=True to the first one, or run the forward pass again"
    )


def backpropagate(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    targets: Sequence[Node] | None = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    retained: dict[Node, Any] | None = None,
) -> dict[Node, Any]:
    """Walks the graph from the roots in reverse topological order and returns the cotangents of the targets.

    Args:
        roots: the nodes to start at.
        seeds: the cotangent of each: an ndarray, or a Tensor under ``create_graph``.
        targets: the nodes whose cotangent is wanted, and only the part of the graph that leads to them is visited;
            None for every leaf that is reached.
        retain_graph: keep the saved arrays for another pass.
        create_graph: record the pass itself, so that its results can be differentiated again.
        retained: receives the cotangents of nodes that were asked for with ``retain_grad()``.

    Returns:
        The cotangent by node, for the targets that were reached. Nothing is stored on the graph: what to do with the result
        is up to the caller, so an exception on the way leaves no half-updated ``.grad`` behind.
    """
    order = reachable(roots)
    if targets is not None:
        order = _leading_to(targets, order)
    wanted = None if targets is None else set(targets)
    operations = [node for node in order if node.pullback.wanted]
    for node in operations:
        if node.saved is FREED:
            raise _freed_error(node)
    if versions.loans:
        versions.settle_loans()
    if operations and operations[-1].seq < versions.latest:
        _check_saved(operations)
    sweep = Sweep(create_graph)
    for root, seed in zip(roots, seeds, strict=True):
        sweep.add(root, seed)
    before = get_mode()
    scope = Scope("backward", None, before.scope, in_backward=True) if create_graph else before.scope
    set_mode(Mode(create_graph, scope, before.tracer, before))
    try:
        # rules may divide by zero or overflow on the way to a correct inf or nan: that is no news for the user
        with np.errstate(all="ignore"):
            return _walk(order, sweep, wanted, retain_graph or create_graph, retained)
    except BaseException:
        if not (retain_graph or create_graph):
            for node in operations:  # half of them are freed: make that the same for all, and so the next error clear
                node.saved = FREED
        raise
    finally:
        set_mode(before)


def _walk(
    order: list[Node], sweep: Sweep, wanted: set[Node] | None, retain: bool, retained: dict[Node, Any] | None
) -> dict[Node, Any]:
    """The backward loop itself: nodes newest first, each after all that consumed it."""
    results: dict[Node, Any] = {}
    cotangents = sweep.cotangents
    plain = not sweep.create_graph
    tracer = get_mode().tracer
    for node in order:
        g = sweep.take(node) if sweep.scattered else cotangents.pop(node, None)
        saved = node.saved
        pullback = node.pullback
        rules = pullback.wanted
        if rules and not retain:
            node.saved = FREED
        if g is None:
            continue
        if node.hooks is not None:
            g = _run_hooks(node, g, plain, retained)
        if node in wanted if wanted is not None else not rules:
            results[node] = g
        if tracer is not None or pullback.run is not None or not plain:
            (pullback.run or run_rules)(node, saved, g, sweep)
            continue
        # one rule per argument, on arrays: the hot path of small models, written out
        parents = node.parents
        for index, rule in rules:
            parent = parents[index]
            cotangent = rule(g, *saved)
            if parent.aval is not node.aval:
                cotangent = fit(cotangent, node, parent)
            if parent in cotangents:
                sweep.add(parent, cotangent)
            else:
                cotangents[parent] = cotangent
    return results


def run_rules(node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    """The general form of the loop above: static arguments, recorded passes, tracers."""
    operands = saved_operands(node, saved, sweep.create_graph)
    static = node.static or {}
    tracer = get_mode().tracer
    g = output_cotangent(node, g)
    for index, rule in node.pullback.wanted:
        cotangent = rule(g, *operands, **static)
        if tracer is not None:
            tracer.pulled(node, index, cotangent)
        hand_on(node, index, cotangent, sweep)


def output_cotangent(node: Node, g: Any) -> Any:
    """What rules see as ``g``: with several outputs a tuple, with None for those that nobody used."""
    if type(g) is not dict:
        return g
    return tuple(g.get(index) for index in range(node.aval[0][0]))


def hand_on(node: Node, index: int, cotangent: Any, sweep: Sweep) -> None:
    """Adds the cotangent that a rule computed for an argument to what has arrived there; None is zero."""
    if cotangent is None:
        return
    if type(cotangent) is not Scatter:
        primitive = node.pullback.primitive
        if primitive is not None and primitive.checked and not isinstance(cotangent, np.ndarray | np.generic | tensor_type):
            raise TypeError(
                f"{node.op}: expected the rule for argument {index} to return an array or None, got {type(cotangent).__name__}"
            )
        cotangent = fit(cotangent, node, node.parents[index])
    sweep.add(node.parents[index], cotangent)


def saved_operands(node: Node, saved: Any, create_graph: bool) -> tuple[Any, ...]:
    """What the rules of a node read: its output and arguments as arrays, or as Tensors of the graph under create_graph."""
    if saved is None:
        return (None,) * (len(node.parents) + 1)
    if not create_graph:
        return tuple(saved)
    output, *arguments = saved
    wanted = {index for index, _ in node.pullback.wanted}
    return (
        wrap_output(output, node),
        *(
            wrap(value, node.parents[index] if index in wanted else None) if isinstance(value, np.ndarray) else value
            for index, value in enumerate(arguments)
        ),
    )


def wrap_output(output: Any, node: Node) -> Any:
    """A saved output as a Tensor (a tuple of them for an op with several) that stands where the output stood in the graph."""
    if output is None:
        return None
    if type(output) is tuple:
        return tuple(None if value is None else wrap(value, item_node(node, i, value)) for i, value in enumerate(output))
    return wrap(output, node)


def wrap(array: Any, node: Node | None) -> Any:
    """A Tensor of this array at this node of the graph; a constant without one."""
    tensor = object.__new__(tensor_type)
    tensor._data = array
    tensor.node = node
    tensor._requires_grad = node is not None and node.pullback is not CONSTANT
    return tensor


tensor_type: Any = None  # autograd.tensor.Tensor, which is built on top of this module


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


def _run_item(node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    sweep.add_item(node.parents[0], (node.static or {})["index"], g)


def _pass_on(g: Any, *_: Any) -> Any:
    return g


ITEM = Pullback("item", None, ((0, _pass_on),), run=_run_item)
ALIAS = Pullback("alias", None, ((0, _pass_on),))


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


def _run_hooks(node: Node, g: Any, plain: bool, retained: dict[Node, Any] | None) -> Any:
    """Calls the hooks of a node on its cotangent; what one returns takes its place."""
    hooks = node.hooks
    if hooks is None or type(g) is dict:
        return g
    if hooks.functions:
        seen = wrap(np.array(g), None) if plain else g  # a copy: a hook may keep it or write to it
        for hook in tuple(hooks.functions.values()):
            result = hook(seen)
            if result is None:
                continue
            if not isinstance(result, tensor_type):
                raise TypeError(f"hook: expected None or a Tensor from the hook on {node.op}, got {type(result).__name__}")
            if result.shape != node.aval[0]:
                raise ValueError(
                    f"hook: expected a gradient of shape {node.aval[0]} from the hook on {node.op}, got {result.shape}"
                )
            seen = result
        g = seen._data if plain else seen
        if g.dtype != node.aval[1]:
            g = g.astype(node.aval[1])
    if hooks.retain_grad and retained is not None:
        retained[node] = g
    return g


def sole_owner(array: Any, references: int) -> bool:
    """True when nobody but the caller can see this memory: ``references`` is how many the caller itself holds."""
    return (
        type(array) is np.ndarray
        and array.base is None
        and array.flags.carray
        and sys.getrefcount(array) <= references + 2  # and this function's argument, and getrefcount's
    )


def only_view(array: Array) -> bool:
    """True when nobody can see the memory of a view but through this view: what it was made from is gone."""
    base = array.base
    return isinstance(base, np.ndarray) and base.base is None and sys.getrefcount(base) <= 3


_commit_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child must not inherit a lock that another thread held

    def _new_lock() -> None:
        global _commit_lock
        _commit_lock = threading.Lock()

    os.register_at_fork(after_in_child=_new_lock)


def accumulate_grads(cotangents: dict[Node, Any], create_graph: bool) -> None:
    """Adds finished cotangents to the ``.grad`` of their nodes: all of them, after a pass that came to its end.

    Each ``.grad`` owns its memory: an array that anyone else could hold (a seed, a broadcast, another leaf's) is copied, and a
    sum is a new array, since the user may hold the one from before.
    """
    with _commit_lock:
        while cotangents:
            node, g = cotangents.popitem()
            present = getattr(node, "grad", None)
            if create_graph:
                node.grad = g if present is None else present + g
                continue
            if present is not None:
                array = np.asarray(present._data + g)
            elif sole_owner(g, 1):
                array = g
            else:
                array = np.array(g, node.aval[1], order="C")
            node.grad = wrap(array, None)
