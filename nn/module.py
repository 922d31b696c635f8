"""The Module: parameters, buffers and submodules by name, and a forward pass."""

from __future__ import annotations

import itertools
import reprlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor
from autograd.graph import HookHandle
from autograd.methods.conversion import wanted_dtype
from autograd.mode import Mode, Scope, get_mode, set_mode
from nn.hooks import add_hook, arguments_changed, call_between_boundaries, output_changed
from nn.parameter import Buffer, Parameter
from nn.state import Keys, load, problems
from nn.summary import Summary, summarize

Self = TypeVar("Self", bound="Module")

_changes = itertools.count(1)
_structure = 0  # how often a submodule was registered or removed anywhere: the names of calls are looked up anew then


def _changed() -> None:
    global _structure
    _structure = next(_changes)


class Module:
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
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        set_directly = super().__setattr__
        set_directly("training", True)
        set_directly("_parameters", {})
        set_directly("_buffers", {})
        set_directly("_modules", {})
        set_directly("_transient", set())  # names of buffers that are not part of the state
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
        inner = Mode(before.recording, Scope(self._name_in, self, outer), before.tracer, before.outer)
        set_mode(inner)
        try:
            if self._forward_pre_hooks or self._forward_hooks or self._backward_hooks or self._backward_pre_hooks:
                return self._call_with_hooks(arguments, options)
            return self.forward(*arguments, **options)
        finally:
            after = get_mode()
            # forward() may have called set_grad_enabled, which outlives the call
            set_mode(before if after is inner else Mode(after.recording, outer, after.tracer, after.outer))

    def _name_in(self, scope: Scope | None) -> str:
        """The name of this module in the nearest module around the call that contains it."""
        while scope is not None:
            owner = scope.owner
            if isinstance(owner, Module):
                names = owner._names_of_calls().get(id(self))
                if names is not None:
                    return names
            scope = scope.parent
        return "model" if self._modules else type(self).__name__.lower()

    def _names_of_calls(self) -> dict[int, str]:
        version, names = self._call_names
        if version != _structure:
            version, names = _structure, {id(module): name for name, module in self.named_modules() if module is not self}
            super().__setattr__("_call_names", (version, names))
        return names  # type: ignore[no-any-return]

    def _call_with_hooks(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        arguments, options = arguments_changed(self._forward_pre_hooks, self, arguments, options)
        if self._backward_hooks or self._backward_pre_hooks:
            output = call_between_boundaries(self, lambda *inputs: self.forward(*inputs, **options), arguments)
        else:
            output = self.forward(*arguments, **options)
        return output_changed(self._forward_hooks, self, arguments, options, output)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Calls ``hook(module, arguments)`` before every forward; what it returns replaces the arguments.

        Args:
            hook: the function. What it returns is a tuple of arguments, one argument, or None to change nothing.
            prepend: call it before the hooks that are there already.
            with_kwargs: call ``hook(module, arguments, options)`` with the keyword arguments; it returns both, or None.
        """
        return add_hook(self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Calls ``hook(module, arguments, output)`` after every forward; what it returns replaces the output.

        Args:
            hook: the function.
            prepend: call it before the hooks that are there already.
            with_kwargs: call ``hook(module, arguments, options, output)`` with the keyword arguments.
        """
        return add_hook(self._forward_hooks, hook, prepend, with_kwargs)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any], prepend: bool = False) -> HookHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the positional inputs have been computed.

        Both are tuples with a Tensor for each positional input and each output, or None for what requires no grad; what the
        hook returns replaces ``grad_input``. If no input requires grad, the hook is called once the gradients of the outputs
        have been computed.
        """
        return add_hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[[Module, Any], Any], prepend: bool = False) -> HookHandle:
        """Calls ``hook(module, grad_output)`` before the module's backward; what it returns replaces ``grad_output``."""
        return add_hook(self._backward_pre_hooks, hook, prepend)

    # -------------------------------------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        try:
            return own["_parameters"][name]  # what is asked for most often
        except KeyError:
            pass
        for registry in ("_buffers", "_modules"):
            if name in own.get(registry, ()):
                return own[registry][name]
        if "_modules" not in own:
            raise AttributeError(f"{type(self).__name__}: expected super().__init__() to be called first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter | Module | Buffer) and "_modules" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: expected super().__init__() to be called before {name!r} is assigned")
        if isinstance(value, Parameter):
            self._forget(name, self._parameters)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name, self._modules)
            self.add_module(name, value)
        elif isinstance(value, Buffer):
            self._forget(name, self._buffers)
            self.register_buffer(name, value, value.persistent)
        elif name in self.__dict__.get("_parameters", ()):
            if value is not None:
                raise TypeError(f"{name}: expected a Parameter or None, got {type(value).__name__}; wrap it in nn.Parameter")
            self._parameters[name] = None
        elif name in self.__dict__.get("_modules", ()):
            if value is not None:
                raise TypeError(f"{name}: expected a Module or None, got {type(value).__name__}")
            self._modules[name] = None
            _changed()
        elif name in self.__dict__.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{name}: expected a Tensor or None as a buffer, got {type(value).__name__}")
            self._buffers[name] = value
        else:
            if isinstance(value, list | tuple | dict | set) and _holds_modules(value):
                warnings.warn(
                    f"{type(self).__name__}.{name}: a plain {type(value).__name__} does not register the modules and "
                    "parameters in it, so they would not be trained or saved; use nn.ModuleList or nn.ModuleDict",
                    stacklevel=2,
                )
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            super().__delattr__(name)
        elif not self._forget(name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _forget(self, name: str, spared: Any = None) -> bool:
        """Removes a name from all registries but one, in which it keeps its place in the order."""
        found = False
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry and registry is not spared:
                found = True
                del registry[name]
        self._transient.discard(name)
        self.__dict__.pop(name, None)
        if found:
            _changed()
        return found

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle is made of: without what is known about this very object, and without graphs of weights."""
        state = dict(self.__dict__)
        state["_call_names"] = (-1, {})
        for hook in self._forward_pre_hooks.values():
            computed = getattr(hook, "computes", None)  # a weight that is computed anew before every call
            if isinstance(computed, str) and isinstance(state.get(computed), Tensor):
                state[computed] = state[computed].detach()
        return state

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]

    def _check_name(self, kind: str, name: str, registry: Mapping[str, Any]) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: expected super().__init__() to be called first")
        if not isinstance(name, str):
            raise TypeError(f"{kind}: expected a string as its name, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{kind}: expected a name that is not empty and has no '.', got {name!r}")
        if name not in registry and hasattr(self, name):
            raise KeyError(f"{kind}: expected a new name, got {name!r}, which is already an attribute")

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Adds a parameter (or None, to keep the name for one) that can be reached as an attribute."""
        self._check_name("register_parameter", name, self._parameters)
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(f"register_parameter: expected a Parameter or None, got {type(parameter).__name__}")
        if parameter is not None and not parameter.is_leaf:
            raise ValueError(f"register_parameter: expected a leaf for {name!r}, got the result of an operation")
        self._parameters[name] = parameter

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the state but is not trained, such as a running mean.

        Args:
            name: of the attribute.
            tensor: its value, or None.
            persistent: False to leave it out of ``state_dict``.
        """
        self._check_name("register_buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: expected a Tensor or None, got {type(tensor).__name__}")
        self._buffers[name] = tensor
        (self._transient.discard if persistent else self._transient.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule that can be reached as an attribute."""
        self._check_name("add_module", name, self._modules)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: expected a Module or None, got {type(module).__name__}")
        self._modules[name] = module
        _changed()

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The submodule of a dotted name; ``""`` is the module itself."""
        module: Module = self
        for part in target.split(".") if target else ():
            found = module._modules.get(part)
            if found is None:
                raise AttributeError(f"get_submodule: expected a submodule {target!r}, {type(module).__name__} has no {part!r}")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name."""
        return self._member(target, "_parameters", "get_parameter")  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name."""
        return self._member(target, "_buffers", "get_buffer")  # type: ignore[no-any-return]

    def _member(self, target: str, registry: str, where: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = getattr(module, registry).get(name)
        if found is None:
            raise AttributeError(f"{where}: expected a name of what is there, {type(module).__name__} has no {name!r}")
        return found

    # -------------------------------------------------------------------------------------------- what is inside

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside it, each once, under its first dotted name."""
        seen: set[Module] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if module in seen:
                continue
            seen.add(module)
            yield path, module
            inner = [(_join(path, name), child) for name, child in module._modules.items() if child is not None]
            stack.extend(reversed(inner))

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one, each once."""
        return (module for _, module in self.named_children())

    def _named(self, registry: str, prefix: str, recurse: bool, unique: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, member in getattr(module, registry).items():
                if member is None or (unique and id(member) in seen):
                    continue
                seen.add(id(member))
                yield _join(path, name), member

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted name; a shared one once, under its first name."""
        return self._named("_parameters", prefix, recurse, True)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its dotted name."""
        return self._named("_buffers", prefix, recurse, True)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

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
                    module._buffers[name] = cast[id(buffer)]
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
                        found[_join(path, name)] = member
            inner = [
                (_join(path, name), child, (*above, module))
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


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _holds_modules(value: Any) -> bool:
    """True for a module or a parameter, and for a collection with one in it, or in a collection in it (and no deeper)."""
    items = list(value.values() if isinstance(value, dict) else value)
    for item in list(items):
        if isinstance(item, list | tuple | dict | set):
            items.extend(item.values() if isinstance(item, dict) else item)
    return any(isinstance(item, Module | Parameter) for item in items)
