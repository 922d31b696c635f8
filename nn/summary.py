"""What a model consists of, as a table: output shapes, parameters, and the bytes that are kept for the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Tensor, enable_grad
from autograd.graph import reachable, saved_arrays
from autograd.random import default_generator

if TYPE_CHECKING:
    from nn.module import Module

_HEADER = ("layer", "output shape", "parameters", "saved bytes")


class Row(NamedTuple):
    """One module.

    Attributes:
        name: its dotted name; "" for the model.
        kind: its class.
        output_shape: of its (last) call; a list for several outputs, None if it was not called.
        parameters: numbers in its parameters and in those of the modules inside; shared ones count once.
        saved_bytes: in arrays that its ops and those inside keep for the backward pass, each array once; without parameters.
    """

    name: str
    kind: str
    output_shape: Any
    parameters: int
    saved_bytes: int


class Summary(list[Row]):
    """The rows of a model's modules, outermost first; ``str`` makes the table.

    Attributes:
        parameters, trained: numbers in all parameters, and in those that require grad.
        parameter_bytes: what they take.
    """

    parameters: int
    trained: int
    parameter_bytes: int

    def __str__(self) -> str:
        lines = [_HEADER]
        for row in self:
            depth = row.name.count(".") + 1 if row.name else 0
            label = f"{row.name.rpartition('.')[2]}: {row.kind}" if row.name else row.kind
            shape = "-" if row.output_shape is None else str(row.output_shape)
            lines.append(("  " * depth + label, shape, f"{row.parameters:,}", f"{row.saved_bytes:,}"))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        table.append(f"parameters: {self.parameters:,} ({self.trained:,} trained), {self.parameter_bytes:,} bytes")
        return "\n".join(table)

    __repr__ = __str__


def summarize(model: Module, inputs: tuple[Any, ...]) -> Summary:
    """Calls a model once on inputs and says what was seen; buffers and random numbers are left as they were."""
    shapes: dict[Module, Any] = {}
    handles = [
        module.register_forward_hook(lambda module, _inputs, output: shapes.__setitem__(module, _shape(output)))
        for module in model.modules()
    ]
    buffers = [(buffer, buffer._data.copy()) for buffer in model.buffers()]
    random = default_generator.get_state()
    try:
        with enable_grad():
            output = model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for buffer, values in buffers:
            buffer._data[...] = values
        default_generator.set_state(random)
    kept = _kept(model, output)
    summary = Summary(
        Row(name, type(module).__name__, shapes.get(module), sum(p.numel() for p in module.parameters()), kept.get(module, 0))
        for name, module in model.named_modules()
    )
    parameters = list(model.parameters())
    summary.parameters = sum(p.numel() for p in parameters)
    summary.trained = sum(p.numel() for p in parameters if p.requires_grad)
    summary.parameter_bytes = sum(p._data.nbytes for p in parameters)
    return summary


def _shape(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, tuple | list):
        return [_shape(each) for each in output]
    return None


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, tuple | list):
        for each in output:
            yield from _tensors(each)


def _kept(model: Module, output: Any) -> dict[Module, int]:
    """The bytes that the graph of the output keeps, by every module in whose call they were kept."""
    roots = [tensor.node for tensor in _tensors(output) if tensor.requires_grad and tensor.node is not None]
    known = {_memory(p._data) for p in model.parameters()}
    kept: dict[Module, dict[int, int]] = {}
    for node in reachable(roots):
        arrays = {_memory(array): array.nbytes for array in saved_arrays(node)}
        scope = node.scope
        while scope is not None:
            if scope.owner is not None:
                kept.setdefault(scope.owner, {}).update(arrays)
            scope = scope.parent
    return {module: sum(size for memory, size in arrays.items() if memory not in known) for module, arrays in kept.items()}


def _memory(array: np.ndarray[Any, Any]) -> int:
    """Where an array's numbers lie: the same for a view and what it is a view of."""
    return int(array.__array_interface__["data"][0])
