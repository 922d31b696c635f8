"""How an op is declared: a kernel, and one vjp rule per argument.

    exp      = elementwise(np.exp,      lambda g, y, _x: g * y)
    multiply = elementwise(np.multiply, lambda g, _z, _x, y: g * y,
                                        lambda g, _z, x, _y: g * x)

A rule gets the cotangent ``g`` of the output, the output, and the arguments of the op; keyword arguments are static (an axis,
a stride) and reach kernel and rules unchanged. An underscore marks what a rule does not read: the engine does not save that
array. Rules are written in plain NumPy (operators and ``np.`` functions). They run on ndarrays when gradients are wanted once
and on Tensors when they are to be differentiated again, so one rule serves every order.

The same declaration is open to users: see :func:`primitive`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.graph import Node, Pullback, aval_of
from autograd.mode import get_mode
from autograd.primitive import (
    Function,
    Primitive,
    apply,
    apply_mixed,
    compute,
    constant_node,
    explained,
    make_results_of,
    new,
    quiet,
    record,
    watch,
)
from autograd.versions import duties, tick

ndarray = np.ndarray

ufuncs: dict[np.ufunc, Function] = {}  # NumPy's ufunc -> the function that handles it on Tensors
functions: dict[Any, Function] = {}  # NumPy's array function -> likewise
unguarded: dict[Function, Callable[[bool], None]] = {}  # by kernel that skips ``quiet.run``: a switch that makes it go through

Tensor: Any = None  # autograd.tensor.Tensor: bound when that class, built on this module, exists


def bind_tensor(cls: type) -> None:
    """Tells the engine which class its results have."""
    global Tensor
    Tensor = cls
    make_results_of(cls)


def elementwise(
    kernel: Function,
    *rules: Function,
    name: str | None = None,
    doc: str | None = None,
    guard: bool = True,
    run: Function | None = None,
) -> Function:
    """Declares an op that maps arrays of broadcast shape element by element.

    Args:
        kernel: a NumPy ufunc or a function of arrays.
        rules: a vjp rule for each argument.
        name: the op's name, if not the kernel's.
        doc: the docstring of the function.
        guard: keep NumPy from reporting floating-point errors (an overflow to inf, say), whatever ``np.seterr`` says.
        run: what computes the kernel, if something is quicker than calling it.

    Returns:
        The function that applies it to Tensors. If ``kernel`` is a ufunc, NumPy's own function reaches it too.
    """
    declared = Primitive(name or kernel.__name__, run or kernel, rules, simple=True)
    make = {1: _unary, 2: _binary, 3: _ternary}[len(rules)]
    function = make(declared, guard)
    if isinstance(kernel, np.ufunc):
        ufuncs[kernel] = function
    return _published(declared, function, doc)


def _published(declared: Primitive, function: Function, doc: str | None) -> Function:
    function.__name__ = function.__qualname__ = declared.name
    function.__doc__ = doc
    function.__module__ = "autograd"
    function.primitive = declared  # type: ignore[attr-defined]
    declared.function = function
    return function


def _unary(declared: Primitive, guard: bool) -> Function:
    kernel = declared.kernel
    pullback = declared.pullback((True,))
    keep_y, keep_x = pullback.keeps or (False, False)
    nothing = (None, None)

    def function(x: Any, /) -> Any:
        try:
            data = x._data
        except AttributeError:
            return apply_mixed(declared, (x,))
        y = quiet.run(kernel, data) if guard else kernel(data)
        if type(y) is not ndarray:
            y = np.asarray(y)
        out = new(Tensor)
        out._data = y
        if x._requires_grad:
            mode = get_mode()
            if mode.recording:
                out.node = node = Node()
                node.pullback = pullback
                parent = x.node
                node.parents = (parent,)
                node.saved = (y if keep_y else None, data if keep_x else None) if keep_y or keep_x else nothing
                node.static = node.hooks = None
                node.aval = parent.aval
                node.seq = tick()
                node.scope = mode.scope
                out._requires_grad = True
                if duties:
                    watch(node, (x,), y)
                return out
        out.node = None
        out._requires_grad = False
        return out

    if not guard:

        def switch(value: bool) -> None:
            nonlocal guard
            guard = value

        unguarded[kernel] = switch
    return function


def _binary(declared: Primitive, guard: bool, broadcasts: bool = True) -> Function:
    kernel = declared.kernel
    first, second, both = (declared.pullback(needs) for needs in ((True, False), (False, True), (True, True)))
    nothing = (None, None, None)

    # This function is the hot path of every small model: nothing packed, nothing looked up twice.
    def function(a: Any, b: Any, /) -> Any:
        kind = type(b)
        if kind is Tensor or (kind is not float and kind is not int):
            try:
                x = a._data
                y = b._data
                if a._requires_grad:
                    pullback = both if b._requires_grad else first
                elif b._requires_grad:
                    pullback = second
                else:
                    pullback = None
            except AttributeError:
                return apply_mixed(declared, (a, b))
        else:
            try:
                x = a._data
                pullback = first if a._requires_grad else None
            except AttributeError:
                return apply_mixed(declared, (a, b))
            y = b
        try:
            z = quiet.run(kernel, x, y) if guard else kernel(x, y)
        except ValueError as error:
            raise explained(error, declared.name, (x, y)) from None
        if type(z) is not ndarray:
            z = np.asarray(z)
        out = new(Tensor)
        out._data = z
        if pullback is not None:
            mode = get_mode()
            if mode.recording:
                out.node = node = Node()
                node.pullback = pullback
                keeps = pullback.keeps
                if keeps is None:
                    node.saved = nothing
                else:
                    keep_z, keep_x, keep_y = keeps
                    node.saved = (z if keep_z else None, x if keep_x else None, y if keep_y else None)
                if pullback is both:
                    parent_a = a.node
                    parent_b = b.node
                    node.aval = parent_a.aval if parent_a.aval is parent_b.aval and broadcasts else aval_of(z)
                elif y is b:  # a Python number stands for itself
                    parent_a = a.node
                    parent_b = b
                    node.aval = parent_a.aval if z.dtype is parent_a.aval[1] else aval_of(z)
                else:
                    parent_a = a.node or constant_node(a)
                    parent_b = b.node or constant_node(b)
                    node.aval = parent_a.aval if parent_a.aval is parent_b.aval and broadcasts else aval_of(z)
                node.parents = (parent_a, parent_b)
                node.static = node.hooks = None
                node.seq = tick()
                node.scope = mode.scope
                out._requires_grad = True
                if duties:
                    watch(node, (a, b), z)
                return out
        out.node = None
        out._requires_grad = False
        return out

    if not guard:

        def switch(value: bool) -> None:
            nonlocal guard
            guard = value

        unguarded[kernel] = switch
    return function


def _ternary(declared: Primitive, _guard: bool) -> Function:
    kernel = declared.kernel
    pullbacks = declared._pullbacks

    def function(*arguments: Any) -> Any:
        try:
            a, b, c = arguments
            values = a._data, b._data, c._data
            needs = a._requires_grad, b._requires_grad, c._requires_grad
        except (AttributeError, ValueError):
            return apply(declared, arguments)
        try:
            z = quiet.run(kernel, *values)
        except ValueError as error:
            raise explained(error, declared.name, values) from None
        if type(z) is not ndarray:
            z = np.asarray(z)
        out = new(Tensor)
        out._data = z
        if True in needs:
            mode = get_mode()
            if mode.recording:
                out.node = node = Node()
                node.pullback = pullback = pullbacks.get(needs) or declared.pullback(needs)
                node.parents = a.node or constant_node(a), b.node or constant_node(b), c.node or constant_node(c)
                node.saved = pullback.kept([z, *values])
                node.static = node.hooks = None
                node.aval = aval_of(z)
                node.seq = tick()
                node.scope = mode.scope
                out._requires_grad = True
                if duties:
                    watch(node, arguments, z)
                return out
        out.node = None
        out._requires_grad = False
        return out

    return function


def primitive(
    kernel: Function,
    *rules: Function,
    name: str | None = None,
    joint: Function | None = None,
    view: bool = False,
    checked: bool = True,
) -> Function:
    """Declares a primitive from a kernel and its vjp rules: yours are made as the engine's own are.

    Args:
        kernel: ``kernel(*arrays, **static)`` returns the output, or a tuple of outputs.
        rules: for each array argument, ``rule(g, y, *arrays, **static)`` returns the cotangent of that argument (None for
            zero): plain NumPy, on operators and ``np.`` functions, so that it can be differentiated again. A parameter whose
            name starts with an underscore is not saved, and arrives as None. With several outputs, ``g`` and ``y`` are
            tuples, and an output that nobody used has None in ``g``.
        name: the op's name in graphs and messages, if not the kernel's.
        joint: instead of rules, one for all arguments: ``joint(g, wanted, y, *arrays, **static)`` returns a cotangent for
            each, and may return None where ``wanted`` is False. For ops with any number of arguments, or shared work.
        view: True when the output may share memory with an argument.
        checked: check what the rules return (count, type, shape) and say which is wrong.

    Returns:
        A function of Tensors, arrays and numbers (positional) and static keyword arguments.

    Example:
        >>> import numpy as np, autograd as ag
        >>> cube = ag.primitive(lambda x: x * x * x, lambda g, _y, x: 3 * g * x * x, name="cube")
        >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
        >>> cube(x).sum().backward()
        >>> x.grad
        tensor([ 3., 12.])
        >>> ag.gradcheck(cube, x) and ag.gradgradcheck(cube, x)
        True
    """
    declared = Primitive(name or kernel.__name__, kernel, rules, joint=joint, view=view, checked=checked)
    if len(declared.rules) == 1 and not checked:
        return _published(declared, _of_one(declared), kernel.__doc__)

    def function(*arguments: Any, **static: Any) -> Any:
        return apply(declared, arguments, static)

    return _published(declared, function, kernel.__doc__)


def _of_one(declared: Primitive, simple: bool = False) -> Function:
    """The function of a primitive with one array argument: what reductions, indexing and changes of shape go through."""
    kernel = declared.kernel
    pullback = without_static = declared.pullback((True,))
    if simple:
        without_static = Pullback(declared.name, declared, pullback.wanted, pullback.keeps, None, pullback.needs)
    keep_y, keep_x = pullback.keeps or (False, False)
    nothing = (None, None)

    def function(x: Any, /, **static: Any) -> Any:
        try:
            data = x._data
        except AttributeError:
            return apply_mixed(declared, (x,), static)
        if not (x._requires_grad and get_mode().recording):
            return compute(declared, (x,), (x,), [data], (False,), static)
        y = quiet.run(kernel, data, **static)
        if type(y) is tuple:
            return record(declared, (x,), (x,), [data], (True,), static, y, None, get_mode().scope)
        if type(y) is not ndarray:
            y = np.asarray(y)
        out = new(Tensor)
        out._data = y
        out._requires_grad = True
        out.node = node = Node()
        node.pullback = pullback if static else without_static
        node.parents = (x.node,)
        node.saved = (y if keep_y else None, data if keep_x else None) if keep_y or keep_x else nothing
        node.static = static or None
        node.hooks = None
        node.aval = aval_of(y)
        node.seq = tick()
        node.scope = get_mode().scope
        if duties:
            watch(node, (x,), y)
        return out

    return function


def internal(kernel: Function, *rules: Function, name: str, joint: Function | None = None, view: bool = False) -> Function:
    """Declares a primitive of the engine itself: as :func:`primitive`, but counted among those that the tests must cover."""
    return primitive(kernel, *rules, name=name, joint=joint, view=view, checked=False)


def reduction(kernel: Function, rule: Function, name: str) -> Function:
    """Declares a primitive of one array whose rule always returns an array.

    Where it is called without static arguments, it goes the short way of elementwise ops on the way back.
    """
    declared = Primitive(name, kernel, (rule,))
    return _published(declared, _of_one(declared, simple=True), kernel.__doc__)


def positional(kernel: Function, *rules: Function, name: str) -> Function:
    """Declares a primitive of two or three arrays that has no static arguments and whose rules always return an array.

    It goes the short way of elementwise ops, forward and backward.
    """
    declared = Primitive(name, kernel, rules, simple=True)
    function = _binary(declared, True, broadcasts=False) if len(rules) == 2 else _ternary(declared, True)
    return _published(declared, function, kernel.__doc__)


def fused(
    composition: Function, kernel: Function, rule: Function, name: str | None = None, unread: tuple[int, ...] = ()
) -> Function:
    """Declares an op that is fast and still differentiable to any order.

    Args:
        composition: the op written with other primitives on Tensors, ``composition(*tensors, **static)``: its definition.
        kernel: the same on arrays, as fast as may be: returns ``(output, residuals)``, what the rule wants to keep.
        rule: ``rule(g, wanted, y, *arrays, residuals, **static)`` returns the cotangents at first order. It may find what it
            needs in the residuals; the arguments are saved all the same, since the composition reads them.
        name: the op's name, if not the composition's.
        unread: the positions of arguments that the derivative does not depend on; they are not saved.

    Under ``create_graph=True`` the engine differentiates the composition instead.
    """
    declared = Primitive(name or composition.__name__, kernel, joint=rule, composition=composition, unread=unread)

    def function(*arguments: Any, **static: Any) -> Any:
        return apply(declared, arguments, static)

    return _published(declared, function, composition.__doc__)


def implements(*numpy_functions: Any) -> Callable[[Function], Function]:
    """Decorator: on Tensors, these NumPy functions (or ufuncs) are handled by the decorated one."""

    def register(function: Function) -> Function:
        for numpy_function in numpy_functions:
            table = ufuncs if isinstance(numpy_function, np.ufunc) else functions
            table[numpy_function] = function
        return function

    return register
