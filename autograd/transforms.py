"""Functions to functions: gradients, Jacobians and products with them, composable to any order.

Each transform gives its function fresh aliases of the inputs and differentiates with respect to these, so an inner transform
never confuses its own variables with those of an outer one. A result carries a graph exactly when something outside was
tracked while recording was on; else the pass runs on plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.accumulate import copied, take
from autograd.backward import backpropagate
from autograd.graph import LEAF, Node, alias_node, reachable, source_node, wrap
from autograd.mode import enable_grad, get_mode
from autograd.ops.joining import stack
from autograd.tensor import Tensor, graph_node, output_seed

Function = Callable[..., Any]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
    *,
    only_inputs: bool = True,
) -> tuple[Any, ...]:
    """The gradients of outputs with respect to inputs, without touching any ``.grad``.

    Args:
        outputs: one Tensor or several; their gradients are summed.
        inputs: one Tensor or several, leaves or not.
        grad_outputs: the cotangent of each output; None for 1 at a scalar.
        retain_graph: keep what the graph saved for another pass. Default: ``create_graph``.
        create_graph: record the pass, so that the results can be differentiated again.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.
        materialize_grads: give zeros for such an input.
        only_inputs: accepted as in PyTorch, where nothing but True is left of it.

    Returns:
        A tuple with one Tensor for each input.

    Raises:
        RuntimeError: for outputs or inputs that do not require grad, and for unused inputs.

    Example:
        >>> import autograd as ag
        >>> x = ag.tensor(3.0, requires_grad=True)
        >>> (g,) = ag.grad(x**3, x, create_graph=True)
        >>> g.item(), ag.grad(g, x)[0].item()
        (27.0, 18.0)
    """
    if only_inputs is not True:
        raise ValueError("grad: expected only_inputs=True; backward() fills the grad of leaves")
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for tensor in (*roots, *wanted):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"grad: expected Tensors, got {type(tensor).__name__}")
    for position, tensor in enumerate(wanted):
        if not tensor._requires_grad:
            raise RuntimeError(f"grad: input {position} does not require grad; call requires_grad_() before it is used")
    cotangents = list(grad_outputs) if isinstance(grad_outputs, tuple | list) else [grad_outputs] * len(roots)
    if len(cotangents) != len(roots):
        raise ValueError(f"grad: expected {len(roots)} grad_outputs, got {len(cotangents)}")
    seeds = [output_seed(root, seed, create_graph, "grad") for root, seed in zip(roots, cotangents, strict=True)]
    found = backpropagate(
        [graph_node(root) for root in roots],
        seeds,
        [graph_node(tensor) for tensor in wanted],
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
    )
    del seeds
    taken: dict[Node, Any] = {}
    results: list[Any] = []
    for position, tensor in enumerate(wanted):
        node = graph_node(tensor)
        gradient = copied(taken[node]) if node in taken else take(found, node)
        if gradient is not None:
            taken[node] = gradient
        elif materialize_grads:
            gradient = wrap(np.zeros(tensor.shape, tensor.dtype), None)
        elif not allow_unused:
            raise RuntimeError(
                f"grad: input {position} was not used to compute the outputs; pass allow_unused=True to get None for it, "
                "or materialize_grads=True for zeros"
            )
        results.append(gradient)
    return tuple(results)


# ------------------------------------------------------------------------------------------------ one evaluation


def _as_primal(value: Any, where: str) -> Tensor:
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    if tensor.dtype.kind != "f":
        raise TypeError(f"{where}: expected a floating argument to differentiate, got {tensor.dtype}")
    return tensor


def alias(value: Tensor) -> Tensor:
    """The same value as a variable of its own; still connected to what it was computed from."""
    if value._requires_grad and get_mode().recording:
        return wrap(value._data, alias_node(graph_node(value)))  # type: ignore[no-any-return]
    return wrap(value._data, source_node(value._data, LEAF))  # type: ignore[no-any-return]


def _outer_tracked(outputs: Sequence[Tensor], variables: Sequence[Tensor], recording: bool) -> bool:
    """True when a gradient must be recorded: something besides the variables themselves is tracked outside."""
    if not recording:
        return False
    own = {graph_node(variable) for variable in variables}
    if any(node.parents for node in own):
        return True
    roots = [graph_node(output) for output in outputs if output._requires_grad]
    return any(node.pullback is LEAF and node not in own for node in reachable(roots))


class _Evaluation:
    """One call of a function on aliases of its inputs, ready to be differentiated with respect to them."""

    def __init__(self, function: Function, arguments: Sequence[Any], argnums: Sequence[int], where: str, has_aux: bool = False):
        self.where = where
        self.recording = get_mode().recording
        chosen = [argnum + len(arguments) if argnum < 0 else argnum for argnum in argnums]
        for argnum in chosen:
            if not 0 <= argnum < len(arguments):
                raise ValueError(f"{where}: expected argnums below {len(arguments)}, got {argnum}")
        call = list(arguments)
        self.variables = []
        for argnum in chosen:
            call[argnum] = alias(_as_primal(arguments[argnum], where))
            self.variables.append(call[argnum])
        with enable_grad():
            result = function(*call)
        self.aux = None
        if has_aux:
            result, self.aux = result
        self.single = not isinstance(result, tuple | list)
        self.outputs: list[Tensor] = [result] if self.single else list(result)
        for output in self.outputs:
            if not isinstance(output, Tensor):
                raise TypeError(f"{where}: expected the function to return Tensors, got {type(output).__name__}")
        self.create_graph = _outer_tracked(self.outputs, self.variables, self.recording)

    def value(self) -> Any:
        """What the function returned, connected to the outside only."""
        outputs = self.outputs if self.create_graph else [output.detach() for output in self.outputs]
        return outputs[0] if self.single else tuple(outputs)

    def pull(self, cotangents: Sequence[Any], retain: bool = False, create_graph: bool | None = None) -> list[Tensor]:
        """The cotangent of each variable."""
        create = self.create_graph if create_graph is None else create_graph
        if len(cotangents) != len(self.outputs):
            raise ValueError(f"{self.where}: expected {len(self.outputs)} cotangents, one per output, got {len(cotangents)}")
        pairs = [(o, c) for o, c in zip(self.outputs, cotangents, strict=True) if o._requires_grad]
        found: dict[Node, Any] = {}
        if pairs:
            found = backpropagate(
                [graph_node(output) for output, _ in pairs],
                [output_seed(output, cotangent, create, self.where) for output, cotangent in pairs],
                [graph_node(variable) for variable in self.variables],
                retain_graph=retain,
                create_graph=create,
            )
        results = []
        for variable in self.variables:
            cotangent = take(found, graph_node(variable))
            results.append(wrap(np.zeros(variable.shape, variable.dtype), None) if cotangent is None else cotangent)
        return results


def _positions(argnums: int | Sequence[int]) -> tuple[list[int], bool]:
    return ([argnums], True) if isinstance(argnums, int) else (list(argnums), False)


def _detached(value: Any) -> Any:
    """Auxiliary output (Tensors in tuples, lists and dicts) without the graph of the inside."""
    if isinstance(value, Tensor):
        return value.detach() if value._requires_grad else value
    if type(value) in (tuple, list):
        return type(value)(map(_detached, value))
    if type(value) is dict:
        return {key: _detached(item) for key, item in value.items()}
    return value


def _scalar(evaluation: _Evaluation) -> None:
    if not evaluation.single or evaluation.outputs[0]._data.size != 1:
        shapes = ", ".join(str(output.shape) for output in evaluation.outputs)
        raise ValueError(
            f"{evaluation.where}: expected the function to return one scalar, got shape {shapes}; reduce it with sum()"
        )


# ------------------------------------------------------------------------------------------------ transforms


def value_and_grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns the value of a scalar function and its gradient.

    Args:
        function: of Tensors, returning one scalar (with ``has_aux`` a pair: the scalar, and anything else).
        argnums: which argument to differentiate, or several.
        has_aux: the function returns more than the scalar.

    Returns:
        ``f(*args) -> (value, gradient)``; the gradient is a tuple for several argnums, the value a pair with ``has_aux``.

    Example:
        >>> import autograd as ag
        >>> ag.value_and_grad(lambda x: (x**2).sum())(ag.tensor([1.0, 2.0]))
        (tensor(5.), tensor([2., 4.]))
    """
    positions, single = _positions(argnums)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        evaluation = _Evaluation(lambda *a: function(*a, **options), arguments, positions, "value_and_grad", has_aux)
        _scalar(evaluation)
        gradients = evaluation.pull([None], retain=evaluation.create_graph)
        value = evaluation.value()
        aux = evaluation.aux if evaluation.create_graph else _detached(evaluation.aux)
        return ((value, aux) if has_aux else value), (gradients[0] if single else tuple(gradients))

    return wrapped


def vjp(function: Function, *primals: Any) -> tuple[Any, Function]:
    """The value at some inputs, and the function from cotangents of the outputs to those of the inputs.

    Returns:
        ``(outputs, pull)``: ``pull(*cotangents)`` gives a tuple with one cotangent for each primal; it may be called again.
    """
    evaluation = _Evaluation(function, primals, range(len(primals)), "vjp")

    def pull(*cotangents: Any) -> tuple[Tensor, ...]:
        tracked = any(isinstance(c, Tensor) and c._requires_grad for c in cotangents) and get_mode().recording
        return tuple(evaluation.pull(cotangents, retain=True, create_graph=evaluation.create_graph or tracked))

    return evaluation.value(), pull


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value at some inputs and its derivative along tangents, J v: the derivative of the vjp by its cotangent.

    (A vjp is linear in its cotangent u, so d/du <J.T u, v> = J v; Townsend, 2017.)

    Args:
        function: of Tensors.
        primals: its arguments.
        tangents: a direction for each, of the same shape.
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: expected as many tangents as primals, got {len(tangents)} and {len(primals)}")
    evaluation = _Evaluation(function, primals, range(len(primals)), "jvp")
    directions = [_as_primal(tangent, "jvp") for tangent in tangents]
    for position, (variable, direction) in enumerate(zip(evaluation.variables, directions, strict=True)):
        if variable.shape != direction.shape:
            raise ValueError(f"jvp: expected tangent {position} of shape {variable.shape}, got {direction.shape}")
    tracked = evaluation.recording and any(direction._requires_grad for direction in directions)
    with enable_grad():
        dummies = [wrap(np.zeros(o.shape, o.dtype), None).requires_grad_() for o in evaluation.outputs]
        pulled = evaluation.pull(dummies, retain=True, create_graph=True)
    pairs = [(p, t.to(p.dtype)) for p, t in zip(pulled, directions, strict=True) if p._requires_grad]
    keep = evaluation.create_graph or tracked
    results: list[Any] = [None] * len(dummies)
    if pairs:
        results = list(
            grad([p for p, _ in pairs], dummies, [t for _, t in pairs], create_graph=keep, allow_unused=True, retain_graph=True)
        )
    moved = [
        wrap(np.zeros(d.shape, d.dtype), None) if r is None else r if keep else r.detach()
        for r, d in zip(results, dummies, strict=True)
    ]
    return evaluation.value(), moved[0] if evaluation.single else tuple(moved)


def jacobian(function: Function, argnums: int | Sequence[int] = 0) -> Function:
    """A function that returns the Jacobian: shape of the output, followed by the shape of the input.

    One backward pass for each element of the output.
    """
    positions, single = _positions(argnums)

    def wrapped(*arguments: Any) -> Any:
        evaluation = _Evaluation(function, arguments, positions, "jacobian")
        if not evaluation.single:
            raise ValueError("jacobian: expected the function to return one Tensor, got several")
        output = evaluation.outputs[0]
        rows = []
        for index in range(output._data.size):
            cotangent = np.zeros(output._data.size, output.dtype)
            cotangent[index] = 1
            rows.append(evaluation.pull([cotangent.reshape(output.shape)], retain=True))
        results = []
        for position, variable in enumerate(evaluation.variables):
            shape = (*output.shape, *variable.shape)
            if rows:
                results.append(stack([row[position] for row in rows]).reshape(shape))
            else:
                results.append(wrap(np.zeros(shape, variable.dtype), None))
        return results[0] if single else tuple(results)

    return wrapped


def hessian(function: Function, argnums: int = 0) -> Function:
    """A function that returns the matrix of second derivatives of a scalar function: shape of the input, twice."""

    def gradient(*arguments: Any) -> Any:
        return value_and_grad(function, argnums)(*arguments)[1]

    return jacobian(gradient, argnums)


def hvp(function: Function, primals: Any, vectors: Any) -> tuple[Any, Any]:
    """The value of a scalar function and its Hessian times a vector, at the cost of a few gradients.

    Args:
        function: of one Tensor or several, returning a scalar.
        primals: the argument, or a tuple of them.
        vectors: a vector of the same shape for each.

    Returns:
        ``(value, product)``; the product is a tuple where the primals are.
    """
    single = not isinstance(primals, tuple | list)
    points, directions = ((primals,), (vectors,)) if single else (tuple(primals), tuple(vectors))
    if len(points) != len(directions):
        raise ValueError(f"hvp: expected as many vectors as primals, got {len(directions)} and {len(points)}")
    for position, (point, direction) in enumerate(zip(points, directions, strict=True)):
        if np.shape(getattr(point, "_data", point)) != np.shape(getattr(direction, "_data", direction)):
            raise ValueError(f"hvp: expected vector {position} in the shape of its primal")

    def slope(*arguments: Any) -> Any:
        value, gradients = value_and_grad(function, range(len(points)))(*arguments)
        total = sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions, strict=True))
        return total, value

    (_, value), products = value_and_grad(slope, range(len(points)), has_aux=True)(*points)
    return value, products[0] if single else products


def elementwise_grad(function: Function, argnum: int = 0) -> Function:
    """The derivative of a function that works element by element: the gradient of the sum of its output."""

    def wrapped(*arguments: Any) -> Any:
        return value_and_grad(lambda *a: function(*a).sum(), argnum)(*arguments)[1]

    return wrapped
