"""Hooks of modules: how they are kept, and the events of those that are called on the way back.

The cotangents that enter and leave a module are seen (and changed) as one event each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.declare import primitive
from autograd.graph import HookHandle
from autograd.primitive import constant

Cotangents = tuple[Any, ...]


class WithOptions:
    """A hook around forward that is given the keyword arguments of the call, too."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, *arguments: Any) -> Any:
        """The hook's answer to the module, the arguments, the keyword arguments and, behind forward, the output."""
        return self.hook(*arguments)


def add_hook(hooks: dict[int, Any], hook: Callable[..., Any], prepend: bool = False, with_kwargs: bool = False) -> HookHandle:
    """Keeps a hook behind the others, or before them."""
    handle = HookHandle(hooks, WithOptions(hook) if with_kwargs else hook)
    if prepend:
        *others, new = hooks.items()
        hooks.clear()
        hooks.update([new, *others])
    return handle


def arguments_changed(
    hooks: dict[int, Any], module: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call after the hooks before forward."""
    for hook in tuple(hooks.values()):
        if isinstance(hook, WithOptions):
            changed = hook(module, arguments, options)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[1], dict)):
                raise TypeError(
                    "register_forward_pre_hook: expected None or (arguments, keyword arguments) from a hook with_kwargs, "
                    f"got {type(changed).__name__}"
                )
            arguments, options = changed
        else:
            changed = hook(module, arguments)
            if changed is not None:
                arguments = changed if isinstance(changed, tuple) else (changed,)
    return arguments, options


def output_changed(hooks: dict[int, Any], module: Any, arguments: tuple[Any, ...], options: dict[str, Any], output: Any) -> Any:
    """The output of a call after the hooks behind forward."""
    for hook in tuple(hooks.values()):
        if isinstance(hook, WithOptions):
            changed = hook(module, arguments, options, output)
        else:
            changed = hook(module, arguments, output)
        output = output if changed is None else changed
    return output


class _Crossing:
    """One call of a module with backward hooks: it joins the cotangents at its outputs with those at its inputs."""

    def __init__(self, module: Any, inputs: tuple[Any, ...]) -> None:
        self.module = module
        self.inputs = len(inputs)
        self.followed = any(map(_is_followed, inputs))
        self.of_outputs: Cotangents = ()

    def leave(self, cotangents: Cotangents) -> Cotangents:
        """At the outputs, on the way back: the hooks before the module's own backward may replace the cotangents."""
        for hook in tuple(self.module._backward_pre_hooks.values()):
            cotangents = _replaced(hook(self.module, cotangents), cotangents, "register_full_backward_pre_hook")
        self.of_outputs = cotangents
        if not self.followed:  # no gradient will arrive at the inputs
            nothing = (None,) * self.inputs
            if any(each is not None for each in self.enter(nothing)):
                raise ValueError(
                    "register_full_backward_hook: expected None from the hook of a module whose inputs require no grad, "
                    "got gradients"
                )
        return cotangents

    def enter(self, cotangents: Cotangents) -> Cotangents:
        """At the inputs, on the way back."""
        for hook in tuple(self.module._backward_hooks.values()):
            changed = hook(self.module, cotangents, self.of_outputs)
            cotangents = _replaced(changed, cotangents, "register_full_backward_hook")
        return cotangents


def _is_followed(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _replaced(changed: Any, cotangents: Cotangents, op: str) -> Cotangents:
    if changed is None:
        return cotangents
    new = changed if isinstance(changed, tuple) else (changed,)
    if len(new) != len(cotangents):
        raise ValueError(f"{op}: expected {len(cotangents)} gradients from the hook, got {len(new)}")
    return new


def _boundary(event: Callable[[Cotangents], Cotangents], name: str) -> Callable[..., tuple[Any, ...]]:
    """An identity of several tensors at once that calls ``event`` with all their cotangents."""

    def copy(*arrays: Any) -> Any:
        return tuple(np.array(array) for array in arrays)

    def rule(g: Any, _wanted: Any, _y: Any, *_arrays: Any) -> list[Any]:
        shown = tuple(None if each is None else each if isinstance(each, Tensor) else constant(np.array(each)) for each in g)
        recorded = any(isinstance(each, Tensor) for each in g)
        return [each if recorded or each is None else _values(each) for each in event(shown)]

    crossing = primitive(copy, joint=rule, name=name)
    return lambda *tensors: tuple(crossing(*tensors))


def _values(cotangent: Any) -> Any:
    return cotangent._data if isinstance(cotangent, Tensor) else np.asarray(cotangent)


def call_between_boundaries(module: Any, forward: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """``forward(*arguments)`` with the module's backward hooks around it, for tensors among the arguments and results."""
    crossing = _Crossing(module, arguments)
    name = type(module).__name__
    arguments = _through(crossing.enter, f"{name} inputs", arguments)
    output = forward(*arguments)
    several = isinstance(output, tuple | list)
    outputs = _through(crossing.leave, f"{name} outputs", tuple(output) if several else (output,))
    return outputs if several else outputs[0]


def _through(event: Callable[[Cotangents], Cotangents], name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, those that a gradient flows through led through a boundary; the event gets None for the others."""
    places = [place for place, value in enumerate(values) if _is_followed(value)]
    if not places:
        return values

    def of_all(cotangents: Cotangents) -> Cotangents:
        found = dict(zip(places, cotangents, strict=True))
        changed = event(tuple(found.get(place) for place in range(len(values))))
        return tuple(changed[place] for place in places)

    passed = dict(zip(places, _boundary(of_all, name)(*(values[place] for place in places)), strict=True))
    return tuple(passed.get(place, value) for place, value in enumerate(values))
