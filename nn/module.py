"""The Module: parameters, buffers and other modules under names, and a forward function."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from autograd.arrays import check_dtype
from autograd.mode import Mode, Scope, get_mode, set_mode
from nn.parameter import Parameter


class RemovableHandle:
    """Returned when a hook is registered; ``remove()`` takes the hook away."""

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=0) + 1
        hooks[self._key] = hook

    def remove(self) -> None:
        """Takes the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)


class Module:
    """The base of all layers and models.

    A subclass calls ``super().__init__()``, assigns Parameters and Modules to attributes, which registers them, and defines
    ``forward``. Calling the module calls ``forward``; the operations in it know that they belong to the module.

    Example:
        >>> import nn
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = nn.Linear(2, 3)
        ...     def forward(self, x):
        ...         return self.hidden(x).relu()
        >>> [name for name, _ in Net().named_parameters()]
        ['hidden.weight', 'hidden.bias']
    """

    training: bool

    def __init__(self) -> None:
        values = self.__dict__
        values["_parameters"] = {}
        values["_buffers"] = {}
        values["_persistent"] = set()
        values["_modules"] = {}
        values["_forward_hooks"] = {}
        values["_forward_pre_hooks"] = {}
        values["_name"] = ""
        values["training"] = True

    # -------------------------------------------------------------------------------------------- registration

    def __setattr__(self, name: str, value: Any) -> None:
        parameters = self.__dict__.get("_parameters")
        if parameters is None:
            if isinstance(value, Parameter | Module):
                raise AttributeError(f"{type(self).__name__}: call super().__init__() before assigning {name!r}")
            object.__setattr__(self, name, value)
            return
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self.add_module(name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(f"{name}: expected a Parameter or None, got {type(value).__name__}")
            parameters[name] = None
        elif name in self._modules:
            if value is not None:
                raise TypeError(f"{name}: expected a Module or None, got {type(value).__name__}")
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{name}: expected a Tensor or None as buffer, got {type(value).__name__}")
            self._buffers[name] = value
        else:
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
            if any(isinstance(item, Module | Parameter) for item in items):
                warnings.warn(
                    f"{type(self).__name__}.{name}: a plain {type(value).__name__} does not register the modules in it, so "
                    "their parameters are not trained; use nn.ModuleList or nn.Sequential",
                    stacklevel=2,
                )
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        for table in ("_parameters", "_modules", "_buffers"):
            found = self.__dict__.get(table)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._modules, self._buffers):
            if name in table:
                del table[name]
                return
        object.__delattr__(self, name)

    def _check_name(self, name: str, table: dict[str, Any]) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{type(self).__name__}: expected a name without dots, got {name!r}")
        if name not in table and (
            name in self.__dict__ or name in self._parameters or name in self._modules or name in self._buffers
        ):
            self.__dict__.pop(name, None)
            for other in (self._parameters, self._modules, self._buffers):
                if other is not table:
                    other.pop(name, None)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Registers a parameter (or None for one that is left out) under a name."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(f"{name}: expected a Parameter or None, got {type(parameter).__name__}")
        self._check_name(name, self._parameters)
        self._parameters[name] = parameter

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Registers a tensor that is part of the state but not trained (a running mean, say)."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: expected a Tensor or None as buffer, got {type(tensor).__name__}")
        self._check_name(name, self._buffers)
        self._buffers[name] = tensor
        if persistent:
            self._persistent.add(name)
        else:
            self._persistent.discard(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Registers a module under a name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{name}: expected a Module or None, got {type(module).__name__}")
        self._check_name(name, self._modules)
        self._modules[name] = module
        if module is not None:
            module.__dict__["_name"] = name

    register_module = add_module

    # -------------------------------------------------------------------------------------------- walking

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Each module in this one, itself first, with its dotted name; each once, also where modules form a circle."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            children = [(key, child) for key, child in module._modules.items() if child is not None]
            stack.extend((f"{name}.{key}" if name else key, child) for key, child in reversed(children))

    def modules(self) -> Iterator[Module]:
        """Each module in this one, itself first."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one."""
        return ((name, child) for name, child in self._modules.items() if child is not None)

    def children(self) -> Iterator[Module]:
        """The modules directly in this one."""
        return (child for _, child in self.named_children())

    def _named_members(self, table: str, recurse: bool, prefix: str = "") -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, value in module.__dict__[table].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Each parameter with its dotted name; one that is shared comes once, under its first name."""
        return self._named_members("_parameters", recurse, prefix)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Each parameter, once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Each buffer with its dotted name."""
        return self._named_members("_buffers", recurse, prefix)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name."""
        module: Module = self
        for part in target.split(".") if target else []:
            found = module._modules.get(part)
            if found is None:
                raise AttributeError(f"get_submodule: {type(module).__name__} has no module {part!r} (of {target!r})")
            module = found
        return module

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Calls a function on each module, children first; returns this one."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    # -------------------------------------------------------------------------------------------- modes and dtypes

    def train(self, mode: bool = True) -> Module:
        """Training mode, for layers such as dropout that differ in it."""
        for module in self.modules():
            module.__dict__["training"] = bool(mode)
        return self

    def eval(self) -> Module:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Starts or ends recording operations on all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears all gradients: to None, or to zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = Tensor(np.zeros(parameter.shape, parameter.dtype))

    def to(self, dtype: Any) -> Module:
        """Casts floating parameters and buffers, in place (``"cpu"`` is accepted, and is where they are)."""
        if isinstance(dtype, str) and dtype in ("cpu", "cpu:0"):
            return self
        wanted = check_dtype(dtype, "to")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.dtype.kind == "f" and tensor.dtype != wanted:
                tensor.data = tensor._data.astype(wanted)
                tensor.grad = None
        return self

    def float(self) -> Module:
        """float32."""
        return self.to(np.float32)

    def double(self) -> Module:
        """float64."""
        return self.to(np.float64)

    def half(self) -> Module:
        """float16."""
        return self.to(np.float16)

    # -------------------------------------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of all parameters and persistent buffers by dotted name (a shared one under each of its names)."""
        return {name: Tensor(tensor._data) for name, tensor in self._state().items()}

    def _state(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = {}
        for path, module in self.named_modules():
            lead = f"{path}." if path else ""
            state.update({lead + name: p for name, p in module._parameters.items() if p is not None})
            state.update(
                {lead + name: b for name, b in module._buffers.items() if b is not None and name in module._persistent}
            )
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> None:
        """Takes over the values of a state dict. Everything is checked first: if anything does not fit, nothing has changed.

        Args:
            state_dict: tensors or arrays by dotted name.
            strict: names must match exactly; without it missing and unexpected ones are passed over, but shapes must still fit.

        Raises:
            TypeError: for anything but a mapping.
            RuntimeError: one error that lists every missing and unexpected name, wrong shape and wrong dtype.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict, got {type(state_dict).__name__}")
        own = self._state()
        problems = []
        if strict:
            problems += [f"missing: {name}" for name in own if name not in state_dict]
            problems += [f"unexpected: {name}" for name in state_dict if name not in own]
        new = {}
        for name, tensor in own.items():
            if name not in state_dict:
                continue
            given = state_dict[name]
            array = given._data if isinstance(given, Tensor) else given
            if not isinstance(array, np.ndarray):
                problems.append(f"wrong type: {name} is a {type(given).__name__}, not a Tensor or array")
            elif array.shape != tensor.shape:
                problems.append(f"wrong shape: {name} is {array.shape}, expected {tensor.shape}")
            elif not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
                problems.append(f"wrong dtype: {name} is {array.dtype}, expected {tensor.dtype}")
            else:
                new[name] = array
        if problems:
            raise RuntimeError(f"load_state_dict: {type(self).__name__} is unchanged:\n  " + "\n  ".join(problems))
        with no_grad():
            for name, array in new.items():
                own[name][...] = array.astype(own[name].dtype)

    # -------------------------------------------------------------------------------------------- calling

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__}: expected the class to define forward()")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        values = self.__dict__
        if "_parameters" not in values:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() in __init__()")
        mode = get_mode()
        if mode.recording:  # the scope that nodes made in here carry: one object per call
            scope = Scope(values["_name"] or type(self).__name__.lower(), self, mode.scope)
            set_mode(Mode(True, scope, mode.tracer, mode))
        try:
            for pre_hook in tuple(values["_forward_pre_hooks"].values()):
                replaced = pre_hook(self, inputs)
                if replaced is not None:
                    inputs = replaced if isinstance(replaced, tuple) else (replaced,)
            result = self.forward(*inputs, **options)
            for hook in tuple(values["_forward_hooks"].values()):
                changed = hook(self, inputs, result)
                if changed is not None:
                    result = changed
            return result
        finally:
            if mode.recording:
                set_mode(mode)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, inputs, output)`` after each forward; what it returns, if not None, replaces the output."""
        return RemovableHandle(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, inputs)`` before each forward; what it returns, if not None, replaces the inputs."""
        return RemovableHandle(self._forward_pre_hooks, hook)

    # -------------------------------------------------------------------------------------------- showing

    def extra_repr(self) -> str:
        """What stands in the parentheses of the repr."""
        return ""

    def __repr__(self) -> str:
        children = list(self.named_children())
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
        head = [self.extra_repr()] if self.extra_repr() else []
        return f"{type(self).__name__}(\n  " + "\n  ".join(head + lines) + "\n)"
