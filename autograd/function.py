"""Custom operations written as PyTorch has them: a class with ``forward`` and ``backward``.

:func:`autograd.primitive` declares an operation once; here one is declared by each call of ``apply``, whose context the two
methods share. An input or output is kept for the backward pass whether it was saved or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.declare import primitive
from autograd.mode import no_grad
from autograd.primitive import constant
from autograd.tensor import Tensor


class Context:
    """What ``forward`` leaves for ``backward``: tensors by ``save_for_backward``, anything else as attributes.

    Attributes:
        needs_input_grad: for each argument of ``apply``, whether ``backward`` should compute its gradient.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors (or None) for ``saved_tensors``; inputs and outputs can be differentiated again."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved."""
        return self._saved

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Accepted: no gradient is asked of a result that nobody differentiates."""

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the gradient of an output that nobody used is zeros (the default) or None."""
        self._materialize = value

    _materialize = True


class Function:
    """An operation with a backward of its own: override ``forward(ctx, ...)`` and ``backward(ctx, *grads)``, call ``apply``.

    ``forward`` runs without recording. ``backward`` gets the gradients of the outputs and returns one for each argument of
    ``forward``, None for those that have none. It is differentiated in turn under ``create_graph=True``.

    Example:
        >>> import autograd as ag
        >>> class Reverse(ag.Function):  # Ganin and Lempitsky, 2015
        ...     @staticmethod
        ...     def forward(ctx, x, strength):
        ...         ctx.strength = strength
        ...         return x.clone()
        ...
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         return -ctx.strength * grad, None
        >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
        >>> Reverse.apply(x, 0.5).sum().backward()
        >>> x.grad
        tensor([-0.5, -0.5])
    """

    @staticmethod
    def forward(*arguments: Any, **options: Any) -> Any:
        """The result, or a tuple of them: ``forward(ctx, ...)``, or ``forward(...)`` beside ``setup_context``."""
        raise NotImplementedError("Function: expected a forward method, found none")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fills the context where ``forward`` does not take it."""
        raise NotImplementedError("Function: expected a setup_context method, found none")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradient of each argument of ``forward``."""
        raise NotImplementedError("Function: expected a backward method, found none")

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Runs ``forward``, and records ``backward`` as the rule of the result."""
        places = [place for place, each in enumerate(arguments) if isinstance(each, Tensor)]
        if not places:
            raise TypeError(f"{cls.__name__}.apply: expected a Tensor among the arguments, got none")
        ctx = Context(tuple(isinstance(each, Tensor) and each.requires_grad for each in arguments))
        call = _Call(cls, ctx, arguments, places)

        def rule(g: Any, _wanted: Any, y: Any, *arrays: Any) -> list[Any]:
            return call.rule(g, y, arrays)

        return primitive(call.kernel, joint=rule, name=cls.__name__)(*(arguments[place] for place in places))


class _Call:
    """One call of ``apply``: the kernel and the rule of its op."""

    def __init__(self, function: type[Function], ctx: Context, arguments: tuple[Any, ...], places: list[int]) -> None:
        self.function, self.ctx, self.places = function, ctx, places
        self.others = [None if isinstance(each, Tensor) else each for each in arguments]  # tensors would be kept alive
        self.saved: list[tuple[str, Any]] = []

    def kernel(self, *arrays: Any) -> Any:
        """Runs ``forward`` on constants, and notes where what it saved comes from."""
        inputs = list(self.others)
        tensors = [constant(np.asarray(array)) for array in arrays]
        for place, tensor in zip(self.places, tensors, strict=True):
            inputs[place] = tensor
        with no_grad():
            if self.function.setup_context is Function.setup_context:
                output = self.function.forward(self.ctx, *inputs)
            else:
                output = self.function.forward(*inputs)
                self.function.setup_context(self.ctx, tuple(inputs), output)
        outputs = list(output) if isinstance(output, tuple) else [output]
        self.saved = [_origin(each, tensors, outputs) for each in self.ctx._saved]
        self.ctx._saved = ()
        values = tuple(_owned(each, arrays, self.function.__name__) for each in outputs)
        return values if isinstance(output, tuple) else values[0]

    def rule(self, g: Any, y: Any, arrays: tuple[Any, ...]) -> list[Any]:
        """Runs ``backward`` on the cotangents: on constants, or on the tensors of a graph under ``create_graph``."""
        several = isinstance(y, tuple)
        outputs, cotangents = (y, g) if several else ((y,), (g,))
        if self.ctx._materialize:
            cotangents = [np.zeros_like(out) if each is None else each for each, out in zip(cotangents, outputs, strict=True)]
        sources = {"input": arrays, "output": outputs}
        saved = (sources[kind][value] if kind in sources else value for kind, value in self.saved)
        self.ctx._saved = tuple(_tensor(each) for each in saved)
        recorded = any(isinstance(each, Tensor) for each in (*cotangents, *arrays))
        found = self.function.backward(self.ctx, *(_tensor(each) for each in cotangents))
        self.ctx._saved = ()
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(self.others):
            raise ValueError(f"{self.function.__name__}.backward: expected {len(self.others)} gradients, got {len(found)}")
        grads = [found[place] for place in self.places]
        return [each if recorded or not isinstance(each, Tensor) else each._data for each in grads]


def _origin(saved: Any, inputs: list[Any], outputs: list[Any]) -> tuple[str, Any]:
    """Where a saved tensor comes from: a position among inputs or outputs, or itself."""
    for kind, among in (("input", inputs), ("output", outputs)):
        for position, tensor in enumerate(among):
            if saved is tensor:
                return kind, position
    return "value", saved


def _owned(output: Any, arrays: tuple[Any, ...], name: str) -> Any:
    """The array of an output, copied where it is an input's own."""
    if not isinstance(output, Tensor):
        raise TypeError(f"{name}.forward: expected a Tensor or a tuple of them, got {type(output).__name__}")
    return output._data.copy() if any(np.may_share_memory(output._data, array) for array in arrays) else output._data


def _tensor(value: Any) -> Any:
    return value if value is None or isinstance(value, Tensor) else constant(np.asarray(value))
