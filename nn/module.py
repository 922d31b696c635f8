"""The Module: parameters, buffers and submodules by name, and a forward pass."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor
from autograd.graph import HookHandle
from autograd.methods.conversion import wanted_dtype
from autograd.mode import Mode, Scope, get_mode, set_mode
from nn.hooks import add_hook, arguments_changed, call_between_boundaries, output_changed
from nn.parameter import Buffer
from nn.registry import Registry, join, structure
from nn.state import Keys, load, problems
from nn.summary import Summary, summarize

Self = TypeVar("Self", bound="Module")
new = object.__new__


class Module(Registry):
    """The base of all layers and models: override ``forward``, and assign parameters and submodules to attributes.

    Calling a module calls ``forward``, and hooks around it. Operations recorded in the call know which module they belong to.

    Example:
        >>> import autograd as ag, nn
        >>> class Affine(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.scale = nn.Parameter([2.0])
        ...         self.shift = nn.Parameter([1.0])
        ...
        ...     def forward(self, x):
        ...         return self.scale * x + self.shift
        >>> Affine()(ag.tensor([1.0, 2.0]))
        tensor([3., 5.], grad_fn=<add>)
        >>> [name for name, _ in Affine().named_parameters()]
        ['scale', 'shift']
    """

    training: bool
    _hooked: bool

    def __init__(self) -> None:
        super().__init__()
        set_directly = super().__setattr__
        set_directly("training", True)
        set_directly("_hooked", False)  # True once a hook was registered
        set_directly("_forward_hooks", {})
        set_directly("_forward_pre_hooks", {})
        set_directly("_backward_hooks", {})
        set_directly("_backward_pre_hooks", {})
        set_directly("_call_names", (-1, {}))

    def forward(self, *arguments: Any, **options: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__}: expected a forward method, found none")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        before = get_mode()
        outer = before.scope
        # written out, since two calls of __init__ would be a sixth of what a call of a module costs
        scope = new(Scope)
        scope._name = _name_in
        scope.owner = self
        scope.parent = outer
        scope.in_backward = outer is not None and outer.in_backward
        inner = new(Mode)
        inner.recording = before.recording
        inner.scope = scope
        inner.tracer = before.tracer
        inner.outer = before.outer
        set_mode(inner)
        try:
            return self._call_with_hooks(arguments, options) if self._hooked else self.forward(*arguments, **options)
        finally:
            after = get_mode()
            # forward() may have called set_grad_enabled, which outlives the call
            set_mode(before if after is inner else Mode(after.recording, outer, after.tracer, after.outer))

    def _names_of_calls(self) -> dict[int, str]:
        version, names = self._call_names
        if version != structure():
            version, names = structure(), {id(module): name for name, module in self.named_modules() if module is not self}
            super().__setattr__("_call_names", (version, names))
        return names  # type: ignore[no-any-return]

    def _call_with_hooks(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        arguments, options = arguments_changed(self._forward_pre_hooks, self, arguments, options)
        if self._backward_hooks or self._backward_pre_hooks:
            output = call_between_boundaries(self, lambda *inputs: self.forward(*inputs, **options), arguments)
        else:
            output = self.forward(*arguments, **options)
        return output_changed(self._forward_hooks, self, arguments, options, output)

    def _add_hook(self, hooks: dict[int, Any], hook: Callable[..., Any], *how: bool) -> HookHandle:
        self._hooked = True
        return add_hook(hooks, hook, *how)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Calls ``hook(module, arguments)`` before every forward; what it returns replaces the arguments.

        Args:
            hook: the function. What it returns is a tuple of arguments, one argument, or None to change nothing.
            prepend: call it before the hooks that are there already.
            with_kwargs: call ``hook(module, arguments, options)`` with the keyword arguments; it returns both, or None.
        """
        return self._add_hook(self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Calls ``hook(module, arguments, output)`` after every forward; what it returns replaces the output.

        Args:
            hook: the function.
            prepend: call it before the hooks that are there already.
            with_kwargs: call ``hook(module, arguments, options, output)`` with the keyword arguments.
        """
        return self._add_hook(self._forward_hooks, hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any], prepend: bool = False) -> HookHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the positional inputs have been computed.

        Both are tuples with a Tensor for each positional input and each output, or None for what requires no grad; what the
        hook returns replaces ``grad_input``. If no input requires grad, the hook is called once the gradients of the outputs
        have been computed.
        """
        return self._add_hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[[Module, Any], Any], prepend: bool = False) -> HookHandle:
        """Calls ``hook(module, grad_output)`` before the module's backward; what it returns replaces ``grad_output``."""
        return self._add_hook(self._backward_pre_hooks, hook, prepend)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle is made of: without what is known about this very object, and without graphs of weights."""
        state = dict(self.__dict__)
        for name in ("_parameters", "_buffers", "_modules", "_transient"):  # a shallow copy has its own
            state[name] = type(state[name])(state[name])
        state["_call_names"] = (-1, {})
        for hook in self._forward_pre_hooks.values():
            computed = getattr(hook, "computes", None)  # a weight that is computed anew before every call
            if isinstance(computed, str) and isinstance(state.get(computed), Tensor):
                state[computed] = state[computed].detach()
        return state

    # -------------------------------------------------------------------------------------------- what is done to all

    def apply(self: Self, function: Callable[[Module], Any]) -> Self:
        """Calls a function on every module inside, innermost first, then on this one; returns the module."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Sets training mode, which dropout and batch norm heed; returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: expected True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Sets evaluation mode; returns the module."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Makes all parameters trained, or none; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad = Tensor(np.zeros_like(parameter.grad._data))

    def to(self: Self, *target: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> Self:  # noqa: ARG002
        """Casts floating parameters and buffers in place; returns the module. Arguments as of ``Tensor.to``."""
        wanted = wanted_dtype(target, dtype, device, "to")
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(f"to: expected a floating dtype for a module, got {wanted}")
        for parameter in self.parameters():
            gradient = parameter.grad
            if parameter.dtype.kind == "f" and parameter.dtype != wanted:
                parameter.grad = None
                parameter.data = parameter._data.astype(wanted)
                if gradient is not None:
                    parameter.grad = Tensor(gradient._data, wanted)
        cast: dict[int, Tensor] = {}  # a buffer that modules share stays one
        for module in self.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None and buffer.dtype.kind == "f" and buffer.dtype != wanted:
                    if id(buffer) not in cast:
                        new = buffer.to(wanted)
                        cast[id(buffer)] = Buffer(new, buffer.persistent) if isinstance(buffer, Buffer) else new
                    setattr(module, name, cast[id(buffer)])
        return self

    def cpu(self: Self) -> Self:
        """The module itself: the CPU is where all tensors are."""
        return self

    def float(self: Self) -> Self:
        """Casts to float32; returns the module."""
        return self.to(np.float32)

    def double(self: Self) -> Self:
        """Casts to float64; returns the module."""
        return self.to(np.float64)

    def half(self: Self) -> Self:
        """Casts to float16; returns the module."""
        return self.to(np.float16)

    # -------------------------------------------------------------------------------------------- state

    def _state(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers under all their names (a shared one under each)."""
        found: dict[str, Tensor] = {}
        stack: list[tuple[str, Module, tuple[Module, ...]]] = [("", self, ())]
        while stack:
            path, module, above = stack.pop()
            for registry in (module._parameters, module._buffers):
                for name, member in registry.items():
                    if member is not None and not (registry is module._buffers and name in module._transient):
                        found[join(path, name)] = member
            inner = [
                (join(path, name), child, (*above, module))
                for name, child in module._modules.items()
                if child is not None and child is not module and child not in above
            ]
            stack.extend(reversed(inner))
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, in memory shared with the module; a shared one is there under each of its names."""
        return {name: member.detach() for name, member in self._state().items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, *, exact: bool = False) -> Keys:
        """Copies values into parameters and buffers: all of them, or none if anything does not fit.

        Values are cast to the dtype that is there where that is of the same kind: float64 is rounded to float32, whole numbers
        become floats, but floats never become whole numbers.

        Args:
            state_dict: tensors or arrays by name.
            strict: refuse missing and unexpected names too.
            exact: refuse values that a cast would change, such as 0.1 from float64 in float32.

        Returns:
            The missing and the unexpected names, a pair ``(missing_keys, unexpected_keys)``.

        Raises:
            RuntimeError: one error that lists every missing, unexpected and ill-fitting entry.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a mapping, got {type(state_dict).__name__}")
        own = self._state()
        missing, unexpected, others = problems(own, state_dict, exact)
        listed = [f"missing {name!r}" for name in missing] + [f"unexpected {name!r}" for name in unexpected] if strict else []
        if listed or others:
            lines = "\n  ".join(listed + others)
            raise RuntimeError(f"load_state_dict: the state does not fit {type(self).__name__}, nothing was loaded:\n  {lines}")
        load(own, state_dict)
        return Keys(missing, unexpected)

    # -------------------------------------------------------------------------------------------- how it looks

    def extra_repr(self) -> str:
        """The arguments to show in ``repr``; override it in a layer."""
        return ""

    def summary(self, *inputs: Any) -> Summary:
        """A table of the modules inside: output shapes on these inputs, parameters, and the bytes saved for the backward pass.

        Example:
            >>> import autograd as ag, nn
            >>> print(nn.Sequential(nn.Linear(4, 3), nn.ReLU()).summary(ag.zeros(2, 4)))  # doctest: +NORMALIZE_WHITESPACE
            layer        output shape  parameters  saved bytes
            Sequential         (2, 3)          15           56
              0: Linear        (2, 3)          15           32
              1: ReLU          (2, 3)           0           24
            parameters: 15 (15 trained), 60 bytes
        """
        return summarize(self, inputs)

    @reprlib.recursive_repr()  # a module inside itself is shown as "..."
    def __repr__(self) -> str:
        inner = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        extra = self.extra_repr()
        if not inner:
            return f"{type(self).__name__}({extra})"
        lines = ([extra] if extra else []) + inner
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


def _name_in(module: Module, scope: Scope | None) -> str:
    """The name of a module in the nearest module around the call that contains it."""
    while scope is not None:
        owner = scope.owner
        if isinstance(owner, Module):
            name = owner._names_of_calls().get(id(module))
            if name is not None:
                return name
        scope = scope.parent
    return "model" if module._modules else type(module).__name__.lower()
