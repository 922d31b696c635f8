"""The backward pass: one loop over the graph, newest node first.

A cotangent arrives at a node from each of its consumers; when the loop reaches the node all of them have, since consumers are
newer. The node's rules turn the sum into contributions to the cotangents of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np

from autograd import graph, versions
from autograd.arrays import broadcast_to
from autograd.graph import FREED, ITEM, Array, Node, Shape, item_node, pass_on, reachable, wrap
from autograd.mode import Mode, Scope, Tracer, get_mode, set_mode
from autograd.scattering import Scatter

Rules = tuple[tuple[int, Callable[..., Any]], ...]


def _routes(targets: Iterable[Node], order: list[Node], ends: Container[Node]) -> dict[Node, Rules]:
    """The nodes of a reverse topological order from which a target can be reached, each with the rules that lead there."""
    routes: dict[Node, Rules] = dict.fromkeys(targets, ())
    for node in reversed(order):
        if node in ends:
            continue
        parents = node.parents
        rules = tuple([pair for pair in node.pullback.wanted if parents[pair[0]] in routes])
        if rules:
            routes[node] = rules
    return routes


def _are_all_leaves(targets: set[Node], order: list[Node]) -> bool:
    """Whether the targets are leaves, among them every one of this order: then every rule leads to a target."""
    for node in order:
        if not node.pullback.wanted and node not in targets:
            return False
    return all(not node.pullback.wanted for node in targets)


class Sweep:
    """One backward pass: the cotangents that have arrived so far.

    They are kept in a dictionary of the pass, not on the nodes: two threads may differentiate graphs that share leaves, and
    a hook may start a pass over the same nodes. That costs about 5 % of the backward pass of a chain of small ops
    (``python -m benchmarks.choices``).
    """

    __slots__ = ("cotangents", "create_graph", "owned", "routes", "scattered", "widened")

    def __init__(self, create_graph: bool, routes: dict[Node, Rules] | None = None) -> None:
        self.create_graph = create_graph
        self.routes = routes  # None: every rule is wanted
        self.cotangents: dict[Node, Any] = {}
        self.owned: set[Node] = set()  # nodes whose cotangent is an array made here, which may be added to in place
        self.widened: set[Node] = set()  # nodes of float16 whose sum is kept in float32: it would stop growing at 2048
        self.scattered: dict[Node, list[Scatter]] = {}  # create_graph: index contributions, joined when the node is reached

    def rules(self, node: Node) -> Rules:
        """The rules of a node that this pass needs."""
        return node.pullback.wanted if self.routes is None else self.routes[node]

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
        elif present.dtype == np.float16 and not self.create_graph:
            self.cotangents[node] = np.asarray(np.add(present, cotangent, dtype=np.float32))
            self.owned.add(node)
            self.widened.add(node)
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
            if dtype == np.float16:
                dtype = np.dtype(np.float32)
                self.widened.add(node)
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
        if node in self.widened:
            cotangent = cotangent.astype(np.float16)
        if node in self.scattered:
            joined = Scatter.join(self.scattered.pop(node), node.aval)
            cotangent = joined if cotangent is None else cotangent + joined
        return cotangent


def unbroadcast(cotangent: Any, shape: Shape) -> Any:
    """Sums a cotangent over the axes along which its argument was broadcast: the adjoint of broadcasting.

    Axes that broadcasting added in front are summed away; axes of size 1 that it stretched are summed with keepdims.
    """
    added = cotangent.ndim - len(shape)
    stretched = tuple(axis for axis, size in enumerate(shape, start=added) if size == 1 and cotangent.shape[axis] != 1)
    if added > 0 or stretched:
        axes = (*range(added), *stretched)
        if isinstance(cotangent, np.ndarray) and cotangent.dtype == np.float16:  # NumPy would stop counting at 2048
            cotangent = np.sum(cotangent, axis=axes, keepdims=True, dtype=np.float32).astype(np.float16)
        else:
            cotangent = np.sum(cotangent, axis=axes, keepdims=True)
        if added > 0:
            cotangent = np.reshape(cotangent, cotangent.shape[added:])
    return cotangent


def fit(cotangent: Any, node: Node, parent: Node) -> Any:
    """A cotangent in the shape and dtype of the argument that it belongs to.

    A rule may return the shape of the output (broadcasting is undone), or any shape that broadcasts to the argument's.
    """
    shape, dtype = parent.aval
    if type(cotangent) is Scatter:
        return cotangent
    if cotangent.shape != shape:
        if _broadcasts_to(shape, cotangent.shape):
            cotangent = unbroadcast(cotangent, shape)
        elif _broadcasts_to(cotangent.shape, shape):  # the same for all elements of an axis: what a sum hands back
            cotangent = _expanded(cotangent, shape)
        else:
            raise RuntimeError(
                f"{node.op}: expected the rule to return a cotangent of shape {shape}, got {cotangent.shape}; "
                "a cotangent has the shape of its argument"
            )
    if cotangent.dtype != dtype:
        cotangent = cotangent.astype(dtype)
    return cotangent


def _broadcasts_to(shape: Shape, target: Shape) -> bool:
    added = len(target) - len(shape)
    if added < 0:
        return False
    return target[added:] == shape or all(a in (1, b) for a, b in zip(shape, target[added:], strict=True))


def _expanded(cotangent: Any, shape: Shape) -> Any:
    if isinstance(cotangent, np.ndarray):
        return broadcast_to(cotangent, shape)
    if isinstance(cotangent, graph.tensor_type) and not cotangent._requires_grad:  # nothing to record
        return wrap(broadcast_to(cotangent._data, shape), None)
    return np.broadcast_to(cotangent, shape)


def _check_saved(order: list[Node]) -> None:
    """Refuses to go backward through values that were overwritten after they were saved."""
    for node in order:
        if node.saved is None or node.seq > versions.latest:
            continue
        for position, saved in enumerate(node.saved):
            for array in saved if type(saved) is tuple else (saved,):
                if isinstance(array, np.ndarray) and versions.modified_since(array, node.seq):
                    raise _modified_error(node, position, array)


def _modified_error(node: Node, position: int, array: Array) -> RuntimeError:
    where, origin = "its output", node
    if position > 0:
        where = f"its argument {position - 1}"
        origin = node.parents[position - 1] if position <= len(node.parents) else node
    name = getattr(origin, "name", None)
    return RuntimeError(
        f"{node.op}: {where}{f' {name!r}' if name else ''} (shape {array.shape}, {array.dtype}) is needed for the gradient but "
        "was modified by an in-place operation after it was recorded; "
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
    ends: Container[Node] = (),
) -> dict[Node, Any]:
    """Walks the graph from the roots in reverse topological order and returns the cotangents of the targets.

    Args:
        roots: the nodes to start at.
        seeds: the cotangent of each: an ndarray, or a Tensor under ``create_graph``.
        targets: the nodes whose cotangent is wanted, and only what leads to them is computed (and freed);
            None for every leaf that is reached.
        retain_graph: keep the saved arrays for another pass.
        create_graph: record the pass itself, so that its results can be differentiated again.
        ends: nodes beyond which the pass does not go, though the graph does.
        retained: receives the cotangents of nodes that were asked for with ``retain_grad()``.

    Returns:
        The cotangent by node, for the targets that were reached. Nothing is stored on the graph: what to do with the result
        is up to the caller, so an exception on the way leaves no half-updated ``.grad`` behind.
    """
    routes = wanted = None
    if targets is None:
        operations = order = reachable(roots, ends, leaves=False)
    else:
        order = reachable(roots, ends)
        wanted = set(targets)
        if not ends and _are_all_leaves(wanted, order):
            wanted = None
            operations = order = [node for node in order if node.pullback.wanted]
        else:
            routes = _routes(targets, order, ends)
            order = [node for node in order if node in routes]
            operations = [node for node in order if routes[node]]
    sweep = Sweep(create_graph, routes)
    for node in operations:
        if node.saved is FREED:
            raise _freed_error(node)
    if versions.loans:
        versions.settle_loans()
    if operations and operations[-1].seq < versions.latest:
        _check_saved(operations)
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
    """The backward loop itself: nodes newest first, each after all that consumed it; leaves last."""
    results: dict[Node, Any] = {}
    cotangents = sweep.cotangents
    plain = not sweep.create_graph
    routes = sweep.routes
    scattered, widened = sweep.scattered, sweep.widened
    tracer = get_mode().tracer
    for node in order:
        g = sweep.take(node) if scattered or widened else cotangents.pop(node, None)
        saved = node.saved
        pullback = node.pullback
        rules = pullback.wanted if routes is None else routes[node]
        if rules and not retain:
            node.saved = FREED
        if g is None:
            continue
        if node.hooks is not None:
            g = _run_hooks(node, g, plain, retained)
        if wanted is not None:
            if node in wanted:
                results[node] = g
            if not rules:
                continue
        if tracer is not None:
            _run_traced(tracer, node, saved, g, sweep)
            continue
        if pullback.run is not None:
            pullback.run(node, saved, g, sweep)
            continue
        # one rule per argument, each with an array (or Tensor) as its result: the hot path of small models, written out
        if not plain:
            saved = saved_operands(node, saved, True)
        parents = node.parents
        for index, rule in rules:
            parent = parents[index]
            cotangent = g if rule is pass_on else rule(g, *saved)
            aval = parent.aval
            if aval is not node.aval and (cotangent.shape != aval[0] or cotangent.dtype is not aval[1]):
                cotangent = fit(cotangent, node, parent)
            if parent in cotangents:
                sweep.add(parent, cotangent)
            else:
                cotangents[parent] = cotangent
    if wanted is None:  # what is left are the leaves
        for node in dict.fromkeys((*cotangents, *sweep.scattered)):
            g = sweep.take(node)
            results[node] = g if node.hooks is None else _run_hooks(node, g, plain, retained)
    return results


def _run_traced(tracer: Tracer, node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    tracer.entered(node, g)
    try:
        (node.pullback.run or run_rules)(node, saved, g, sweep)
    finally:
        tracer.left(node)


def run_rules(node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    """The general form of the loop above: static arguments, recorded passes, tracers."""
    operands = saved_operands(node, saved, sweep.create_graph)
    static = node.static
    tracer = get_mode().tracer
    if type(g) is dict:
        g = output_cotangent(node, g)
    for index, rule in sweep.rules(node):
        cotangent = rule(g, *operands, **static) if static else rule(g, *operands)
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
    parent = node.parents[index]
    if type(cotangent) is not Scatter:
        array = getattr(cotangent, "_data", cotangent)
        if type(array) is not np.ndarray:
            _check_array(node, index, cotangent)
        if array.shape != parent.aval[0] or array.dtype is not parent.aval[1]:
            cotangent = fit(cotangent, node, parent)
        if parent not in sweep.cotangents:
            sweep.cotangents[parent] = cotangent
            return
    sweep.add(parent, cotangent)


def _check_array(node: Node, index: int, cotangent: Any) -> None:
    """Refuses what a rule of a user returned if it is not a number of NumPy's at least."""
    primitive = node.pullback.primitive
    if primitive is not None and primitive.checked and not isinstance(cotangent, np.generic):
        raise TypeError(
            f"{node.op}: expected the rule for argument {index} to return an array or None, got {type(cotangent).__name__}"
        )


def saved_operands(node: Node, saved: Any, create_graph: bool) -> tuple[Any, ...]:
    """What the rules of a node read: its output and arguments as arrays, or as Tensors of the graph under create_graph."""
    if saved is None:
        return (None,) * (len(node.parents) + 1)
    if not create_graph or node.pullback.keeps is None:
        return saved  # type: ignore[no-any-return]
    operands = [wrap_output(saved[0], node)]
    for value, parent, needed in zip(saved[1:], node.parents, node.pullback.needs):
        operands.append(wrap(value, parent if needed else None) if type(value) is np.ndarray else value)
    return tuple(operands)


def wrap_output(output: Any, node: Node) -> Any:
    """A saved output as a Tensor (a tuple of them for an op with several) that stands where the output stood in the graph."""
    if output is None:
        return None
    if type(output) is tuple:
        return tuple(None if value is None else wrap(value, item_node(node, i, value)) for i, value in enumerate(output))
    return wrap(output, node)


def _run_item(node: Node, _saved: Any, g: Any, sweep: Sweep) -> None:
    sweep.add_item(node.parents[0], (node.static or {})["index"], g)


ITEM.run = _run_item


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
            if not isinstance(result, graph.tensor_type):
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
