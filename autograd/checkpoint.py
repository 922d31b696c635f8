"""Memory for time: what the inside of a function saves for backward is computed again instead of kept."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from autograd.backward import backpropagate
from autograd.declare import internal
from autograd.graph import CONSTANT, LEAF, Node, alias_node, source_node, wrap
from autograd.mode import enable_grad, get_mode
from autograd.primitive import apply
from autograd.random import default_generator
from autograd.tensor import Tensor, graph_node
from autograd.transforms import alias
from autograd.versions import tick

Function = Callable[..., Any]


def checkpoint(
    function: Function, *inputs: Any, use_reentrant: bool = False, preserve_rng_state: bool = True, **options: Any
) -> Any:
    """Calls a function without keeping what its inside saves for backward, which computes it again: memory for time.

    Parameters that the function uses without taking them as arguments get their gradients too. (Griewank and Walther, 2000;
    Chen et al., 2016.)

    Args:
        function: returns a Tensor, or several results; called once now and once in each backward pass.
        inputs: its arguments; those that are not Tensors are passed on.
        use_reentrant: accepted for PyTorch's sake; both of its ways have the same effect here.
        preserve_rng_state: the default generator gives the same random numbers in both computations.
        options: keyword arguments of the function.

    Returns:
        What the function returns (a tuple for a list).

    Raises:
        RuntimeError: in the backward pass, if an input was changed in place, or the function did something else this time.
    """
    del use_reentrant
    if not get_mode().recording:
        return function(*inputs, **options)
    state = default_generator.get_state() if preserve_rng_state else None
    positions = [position for position, value in enumerate(inputs) if isinstance(value, Tensor)]
    tracked = [position for position in positions if inputs[position]._requires_grad]
    call: list[Any] = list(inputs)
    for position in tracked:
        call[position] = alias(inputs[position])
    born = tick()  # everything newer was made inside
    result = function(*call, **options)
    several = isinstance(result, tuple | list)
    outputs = list(result) if several else [result]
    own = {graph_node(call[position]): inputs[position] for position in tracked}
    # what was made outside goes out as it came in, and so does what is not tracked
    outputs = [own[output.node] if _tracked(output) and output.node in own else output for output in outputs]
    made = [index for index, output in enumerate(outputs) if _tracked(output) and output.node.seq > born]
    captured = _captured([outputs[index].node for index in made], own, born)
    shapes = [outputs[index].shape for index in made]
    shell: list[Any] = [None if position in positions else value for position, value in enumerate(inputs)]

    def again(values: Sequence[Any], cotangents: Sequence[Any], wanted: Sequence[bool], create_graph: bool) -> list[Any]:
        call: list[Any] = list(shell)
        targets: list[Node] = []
        for position, value in zip(positions, values, strict=False):
            call[position] = value if isinstance(value, Tensor) else wrap(value, None)
            if position in tracked:
                node = alias_node(graph_node(value)) if create_graph else source_node(value, LEAF)
                call[position] = wrap(call[position]._data, node)
                targets.append(node)
            else:
                targets.append(source_node(call[position]._data, CONSTANT))
        targets.extend(captured)
        now = default_generator.get_state()
        try:
            if state is not None:
                default_generator.set_state(state)
            with enable_grad():
                results = function(*call, **options)
        finally:
            if state is not None:
                default_generator.set_state(now)
        results = list(results) if isinstance(results, tuple | list) else [results]
        pairs = []
        for index, shape, cotangent in zip(made, shapes, cotangents, strict=True):
            if index >= len(results) or not _tracked(results[index]) or results[index].shape != shape:
                raise RuntimeError(
                    f"checkpoint: expected output {index} to be a tracked Tensor of shape {shape} in the second call too; "
                    "the function must do the same each time"
                )
            if cotangent is not None:
                pairs.append((results[index].node, cotangent))
        found = backpropagate(
            [node for node, _ in pairs],
            [cotangent for _, cotangent in pairs],
            [target for target, want in zip(targets, wanted, strict=True) if want],
            create_graph=create_graph,
            ends=set(targets),  # what lies beyond is the outer pass's
        )
        return [found.get(target) for target in targets]

    if made:
        arrays = [outputs[index]._data for index in made]
        arguments = [inputs[position] for position in positions] + [wrap(array, node) for node, array in captured.items()]
        through = apply(_checkpoint.primitive, arguments, {"arrays": arrays, "again": again})  # type: ignore[attr-defined]
        arrays.clear()
        for index, output in zip(made, through, strict=True):
            outputs[index] = output
    return tuple(outputs) if several else outputs[0]


def _tracked(value: Any) -> bool:
    return isinstance(value, Tensor) and value._requires_grad


def _captured(roots: Sequence[Node], own: Container[Node], born: int) -> dict[Node, Any]:
    """The nodes from outside that the inside of a checkpoint reads besides its arguments, each with its values.

    The values only serve to notice that they were overwritten before the second computation; where nobody kept them, an array
    without memory stands for them.
    """
    found: dict[Node, Any] = {}
    seen = set(roots)
    stack = list(seen)
    while stack:
        node = stack.pop()
        for index, _ in node.pullback.wanted:
            parent = node.parents[index]
            if parent.seq > born:
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
            elif parent not in own:
                leaf = parent.tensor() if hasattr(parent, "tensor") else None
                value = leaf._data if leaf is not None else node.saved[index + 1] if type(node.saved) is tuple else None
                if isinstance(value, np.ndarray) and value.shape == parent.aval[0]:
                    found[parent] = value
                else:
                    found.setdefault(parent, np.broadcast_to(np.zeros((), parent.aval[1]), parent.aval[0]))
    return found


def _checkpoint_kernel(*_inputs: Any, arrays: list[Any], again: Function) -> tuple[Any, ...]:  # noqa: ARG001
    return tuple(arrays)


def _checkpoint_rule(g: Any, wanted: tuple[bool, ...], _y: Any, *inputs: Any, arrays: Any, again: Function) -> Any:  # noqa: ARG001
    return again(inputs, g, wanted, any(isinstance(cotangent, Tensor) for cotangent in g))


_checkpoint = internal(_checkpoint_kernel, name="checkpoint", joint=_checkpoint_rule)
