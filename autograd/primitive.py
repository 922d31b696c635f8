"""What an op is, how it is applied and recorded, and how those with a rule for all arguments go back.

How ops are declared says :mod:`autograd.declare`.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any

import numpy as np

from autograd import backward, graph, versions
from autograd.arrays import NATIVE, Array, as_array
from autograd.backward import Sweep
from autograd.graph import CONSTANT, Node, Pullback, aval_of, source_node
from autograd.mode import Mode, Scope, get_mode, set_mode
from autograd.versions import duties, loans, rewritten, tick

Function = Callable[..., Any]
ndarray = np.ndarray
new = object.__new__  # Tensor(...) itself goes through the conversions of its constructor
_NUMBERS = (float, int, bool)

Tensor: Any = None  # autograd.tensor.Tensor: see autograd.declare.bind_tensor

primitives: dict[str, Primitive] = {}  # every primitive by name: what the tests and docs/ops.md must cover


def make_results_of(cls: type) -> None:
    """The part of ``autograd.declare.bind_tensor`` that belongs here."""
    global Tensor
    Tensor = graph.tensor_type = cls


class _Quiet(threading.local):
    """A context per thread in which NumPy ignores floating-point errors: log(0) is -inf, whatever np.seterr says.

    ``quiet.run(kernel, x)`` costs a tenth of a ``with np.errstate``, which would double the time of a small op.
    ``quiet.users`` is the same for kernels of users. A profiler puts functions that take the time in their places.
    """

    def __init__(self) -> None:
        context = copy_context()
        context.run(np.seterr, all="ignore")
        context.run(set_mode, Mode(False))  # a kernel sees numbers only: whatever it does is not recorded
        self.run: Function = context.run
        self.users: Function = _run_users_kernel


def _run_users_kernel(kernel: Function, *values: Any, **static: Any) -> Any:
    """``quiet.run`` for kernels of users, which may apply other primitives (a context cannot be entered twice)."""
    before = get_mode()
    set_mode(Mode(False, before.scope, None, before))
    try:
        with np.errstate(all="ignore"):
            return kernel(*values, **static)
    finally:
        set_mode(before)


quiet = _Quiet()


class Primitive:
    """One differentiable operation: what the graph, the pictures and the tests know of it.

    Attributes:
        name: as shown in graphs and messages.
        kernel: computes the output (an array, or a tuple of them) from arrays.
        rules: one vjp rule per argument; a variadic op has one joint rule instead.
        joint: a rule for all arguments at once, ``joint(g, wanted, y, *arguments, **static)``; where there are rules for
            single arguments, too, those serve when only one gradient is wanted.
        composition: for a fused op, its definition by other primitives on Tensors.
        view: True when the output may share memory with an argument.
        checked: True for users' primitives, whose rules' results are checked.
        unread: of a fused op, the positions of arguments that its derivative does not depend on (a bias): they are not saved.
        simple: True when its rules can be called by the backward loop itself: no static arguments, always an array.
        function: what is called to apply it.
    """

    __slots__ = (
        "_pullbacks", "checked", "composition", "function", "joint", "kernel", "marks", "name", "rules", "simple",
        "unread", "view",
    )  # fmt: skip

    function: Function

    def __init__(
        self,
        name: str,
        kernel: Function,
        rules: Sequence[Function] = (),
        *,
        joint: Function | None = None,
        composition: Function | None = None,
        view: bool = False,
        checked: bool = False,
        simple: bool = False,
        unread: tuple[int, ...] = (),
    ) -> None:
        if name in primitives and not checked:
            raise ValueError(f"primitive: expected a new name, got {name!r} twice")
        self.name = name
        self.kernel = kernel
        self.rules = tuple(rules)
        self.joint = joint
        self.composition = composition
        self.view = view
        self.checked = checked
        self.simple = simple
        self.unread = unread
        self.marks = tuple(_reads(rule, 1) for rule in self.rules)
        self._pullbacks: dict[tuple[bool, ...], Pullback] = {}
        if not checked:
            primitives[name] = self

    def pullback(self, needs: tuple[bool, ...]) -> Pullback:
        """The pullback for this choice of arguments that require a gradient."""
        found = self._pullbacks.get(needs)
        if found is None:
            found = self._pullbacks[needs] = self._make_pullback(needs)
        return found

    def _make_pullback(self, needs: tuple[bool, ...]) -> Pullback:
        count = len(needs)
        if self.joint is not None and not (self.rules and sum(needs) == 1):
            keeps = _expand(_reads(self.joint, 2), count)
            if self.composition is not None:  # differentiated again, it reads its arguments itself
                keeps = (keeps[0], *(index not in self.unread for index in range(count)))
            wanted = tuple((index, self.joint) for index in range(count) if needs[index])
            return Pullback(self.name, self, wanted, keeps, _run_fused if self.composition else _run_joint, needs)
        if count > len(self.rules):
            raise TypeError(f"{self.name}: expected at most {len(self.rules)} arrays, got {count}")
        wanted = tuple((index, self.rules[index]) for index in range(count) if needs[index])
        marks = [_expand(self.marks[index], count) for index, _ in wanted]
        keeps = tuple(any(column) for column in zip(*marks, strict=True))
        run = None if self.simple else backward.run_rules
        return Pullback(self.name, self, wanted, keeps if any(keeps) else None, run, needs)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def _reads(rule: Function, skip: int) -> tuple[tuple[bool, ...], bool]:
    """Which of a rule's parameters after the first ``skip`` it reads (no underscore), and whether a ``*rest`` is read.

    (``inspect.signature`` says the same, but is slow enough to be felt in the import.)
    """
    code = rule.__code__
    names = code.co_varnames
    read = tuple(not name.startswith("_") for name in names[skip : code.co_argcount])
    has_rest = bool(code.co_flags & inspect.CO_VARARGS)
    return read, has_rest and not names[code.co_argcount + code.co_kwonlyargcount].startswith("_")


def _expand(marks: tuple[tuple[bool, ...], bool], count: int) -> tuple[bool, ...]:
    read, rest = marks
    return (read + (rest,) * (count + 1))[: count + 1]


# ------------------------------------------------------------------------------------------------ applying


def as_operand(value: Any, name: str) -> Any:
    """A Tensor for anything that can be an argument; Python numbers stay as they are, since their dtype is weak."""
    kind = type(value)
    if kind is Tensor or kind in _NUMBERS or isinstance(value, Tensor):
        return value
    if kind is ndarray and value.dtype in NATIVE:
        return constant(value)
    if isinstance(value, ndarray | np.generic | list | tuple) or hasattr(value, "__array__"):
        if isinstance(value, list | tuple) and any(isinstance(item, Tensor) for item in value):
            raise TypeError(f"{name}: expected a Tensor, array or number, got a {kind.__name__} of Tensors; use stack()")
        return constant(as_array(value, where=name))
    raise TypeError(f"{name}: expected a Tensor, array or number, got {kind.__name__}")


def constant(array: Array) -> Any:
    """A Tensor without gradient around an array (not copied)."""
    tensor = new(Tensor)
    tensor._data = array
    tensor.node = None
    tensor._requires_grad = False
    return tensor


def constant_node(tensor: Any) -> Node:
    """The node that stands for a constant in graphs: made when the tensor is first used in a recorded op."""
    node: Node | None = tensor.node
    if node is None:
        node = tensor.node = source_node(tensor._data, CONSTANT)
    return node


def apply(primitive: Primitive, arguments: Sequence[Any], static: dict[str, Any] | None = None) -> Any:
    """Computes a primitive on Tensors, arrays and numbers, and records it if one of them requires a gradient."""
    try:
        values = [operand._data for operand in arguments]
        needs = tuple([operand._requires_grad for operand in arguments])
    except AttributeError:
        return apply_mixed(primitive, arguments, static)
    return compute(primitive, arguments, arguments, values, needs, static)


def apply_mixed(primitive: Primitive, arguments: Sequence[Any], static: dict[str, Any] | None = None) -> Any:
    """:func:`apply` where not all arguments are Tensors."""
    operands = _converted(primitive.name, arguments)
    values = [operand._data if isinstance(operand, Tensor) else operand for operand in operands]
    needs = tuple([isinstance(operand, Tensor) and operand._requires_grad for operand in operands])
    return compute(primitive, arguments, operands, values, needs, static)


def compute(
    primitive: Primitive,
    arguments: Sequence[Any],
    operands: Sequence[Any],
    values: list[Any],
    needs: tuple[bool, ...],
    static: dict[str, Any] | None,
) -> Any:
    run = quiet.users if primitive.checked else quiet.run
    try:
        output = run(primitive.kernel, *values, **static) if static else run(primitive.kernel, *values)
    except ValueError as error:
        raise (explained(error, primitive.name, values) if primitive.simple else error) from None
    residuals = None
    if primitive.composition is not None:
        output, residuals = output
    if True in needs:
        mode = get_mode()
        if mode.recording:
            return record(primitive, arguments, operands, values, needs, static, output, residuals, mode.scope)
    if type(output) is ndarray:
        return constant(output)
    if type(output) is tuple:
        return tuple([constant(np.asarray(item)) for item in output])
    return constant(np.asarray(output))


def explained(error: ValueError, name: str, values: Sequence[Any]) -> ValueError:
    """NumPy's error, or one that names the op if the shapes of the arguments of an elementwise op do not broadcast."""
    shapes = [np.shape(value) for value in values]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return ValueError(f"{name}: expected shapes that broadcast, got {' and '.join(map(str, shapes))}")
    return error


def _converted(name: str, arguments: Sequence[Any]) -> list[Any]:
    operands = [as_operand(value, name) for value in arguments]
    if any(isinstance(operand, Tensor) for operand in operands):
        return operands
    return [constant(as_array(operand, where=name)) for operand in operands]  # numbers only: no dtype to give way to


def record(
    primitive: Primitive,
    arguments: Sequence[Any],
    operands: Sequence[Any],
    values: list[Any],
    needs: tuple[bool, ...],
    static: dict[str, Any] | None,
    output: Any,
    residuals: Any,
    scope: Scope | None,
) -> Any:
    """The Tensor (or tuple of them) for an output that was just computed, at a new node of the graph."""
    node = Node()
    node.pullback = pullback = primitive._pullbacks.get(needs) or primitive.pullback(needs)
    node.static = static or None
    node.scope = scope
    node.hooks = None
    if operands is arguments:
        node.parents = tuple([operand.node or constant_node(operand) for operand in operands])
    else:
        node.parents = tuple([constant_node(item) if isinstance(item, Tensor) else item for item in operands])
    if type(output) is tuple:
        output = tuple([np.asarray(item) for item in output])
        node.aval = ((len(output),), graph.SEVERAL)
    else:
        if type(output) is not ndarray:
            output = np.asarray(output)
        node.aval = aval_of(output)
    saved = pullback.kept([output, *values])
    if operands is not arguments:  # an array of the caller, who may write to it before backward
        saved = tuple(
            [
                item.copy() if item is not None and index and isinstance(arguments[index - 1], ndarray) else item
                for index, item in enumerate(saved)
            ]
        )
    node.saved = saved if primitive.composition is None else (*saved, residuals)
    node.seq = tick()
    if duties:
        watch(node, operands, output)
    if type(output) is not tuple:
        return graph.wrap(output, node)
    return tuple(
        graph.wrap(item, graph.item_node(node, index, item)) if item.dtype.kind == "f" else constant(item)
        for index, item in enumerate(output)
    )


def watch(node: Node, operands: Sequence[Any], output: Any) -> None:
    """The rare duties of recording: a tracer is installed, arrays are on loan, or a buffer was rewritten in place."""
    if rewritten:
        for operand in operands:
            if isinstance(operand, Tensor) and operand.node is not None and not operand.node.is_leaf:
                root = rewritten.get(id(versions.owner(operand._data)))
                if root is not None and versions.modified_since(operand._data, operand.node.seq):
                    raise RuntimeError(
                        f"{node.op}: expected a current value, got a view (shape {operand.shape}, made by {operand.node.op}) "
                        "whose memory was overwritten by an in-place operation; take the view again after the change"
                    )
    if loans:
        for array in node.saved or ():
            if isinstance(array, ndarray):
                versions.settle_loans(array)
        node.seq = tick()  # newer than any write that was noticed just now
    tracer = get_mode().tracer
    if tracer is not None:
        tracer.created(node, operands, output)


# ------------------------------------------------------------------------------------------------ going back


def _run_joint(node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    operands = backward.saved_operands(node, saved, sweep.create_graph)
    rule = node.pullback.wanted[0][1]
    g = backward.output_cotangent(node, g)
    cotangents = (
        rule(g, _wanted(node, sweep), *operands, **node.static) if node.static else rule(g, _wanted(node, sweep), *operands)
    )
    _hand_out(node, cotangents, sweep)


def _wanted(node: Node, sweep: Sweep) -> tuple[bool, ...]:
    """For each argument of a node with a joint rule, whether this pass wants its cotangent."""
    if sweep.routes is None:
        return node.pullback.needs
    positions = [index for index, _ in sweep.routes[node]]
    return tuple([index in positions for index in range(len(node.parents))])


def _hand_out(node: Node, cotangents: Any, sweep: Sweep) -> None:
    kind = type(cotangents)
    if (kind is not list and kind is not tuple) or len(cotangents) != len(node.parents):
        got = len(cotangents) if isinstance(cotangents, tuple | list) else kind.__name__
        raise RuntimeError(f"{node.op}: expected the rule to return {len(node.parents)} cotangents, got {got}")
    tracer = get_mode().tracer
    for index, _ in sweep.rules(node):
        cotangent = cotangents[index]
        if tracer is not None:
            tracer.pulled(node, index, cotangent)
        backward.hand_on(node, index, cotangent, sweep)


def _run_fused(node: Node, saved: Any, g: Any, sweep: Sweep) -> None:
    if not sweep.create_graph:
        rule = node.pullback.wanted[0][1]
        *kept, residuals = saved
        g = backward.output_cotangent(node, g)
        static = node.static or {}
        _hand_out(node, rule(g, _wanted(node, sweep), *kept, residuals=residuals, **static), sweep)
        return
    *kept, _ = saved
    composition = node.pullback.primitive.composition  # type: ignore[union-attr]
    tracked = [index for index, _ in node.pullback.wanted]
    positions = [index for index, _ in sweep.rules(node)]
    arguments: list[Any] = []
    for index, (value, parent) in enumerate(zip(kept[1:], node.parents, strict=True)):
        if value is None and isinstance(parent, Node):  # not read by the derivative: any value will do
            value = np.broadcast_to(np.zeros((), parent.aval[1]), parent.aval[0])
        alias = graph.alias_node(parent) if index in tracked else None
        arguments.append(graph.wrap(value, alias) if isinstance(value, ndarray) else value)
    outputs = composition(*arguments, **(node.static or {}))  # type: ignore[misc]
    if type(outputs) is tuple:
        pairs = [(outputs[index].node, item) for index, item in g.items()]
    else:
        pairs = [(outputs.node, g)]
    targets = [arguments[index].node for index in positions]
    found = backward.backpropagate([p[0] for p in pairs], [p[1] for p in pairs], targets, create_graph=True)
    for index, target in zip(positions, targets, strict=True):
        backward.hand_on(node, index, found.get(target), sweep)
