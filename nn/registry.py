"""What a module holds: parameters, buffers and submodules, by name, as attributes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from autograd import Tensor
from nn.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from nn.module import Module

_changes = itertools.count(1)
_structure = 0  # how often a submodule was registered or removed anywhere: the names of calls are looked up anew then


def structure() -> int:
    """A number that is another one after any module anywhere has got or lost a submodule."""
    return _structure


def _changed() -> None:
    global _structure
    _structure = next(_changes)


class Members(dict[str, Any]):
    """What a module holds of one kind, by name: a dictionary to read. It changes with the attributes of the module."""

    def _refuse(self, *_arguments: Any, **_options: Any) -> Any:
        raise TypeError("members of a module: expected to be set as attributes; use setattr(module, name, value) or delattr")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[Any, ...]:  # a copy would be filled item by item
        return Members, (dict(self),)


class Registry:
    """The base of :class:`nn.Module`: an object whose parameters, buffers and submodules are attributes that it knows of.

    Each is kept twice, under its name among the attributes, where Python finds it at once, and with the others of its kind.
    """

    _parameters: Members
    _buffers: Members
    _modules: Members
    _transient: set[str]

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules"):
            object.__setattr__(self, name, Members())
        object.__setattr__(self, "_transient", set())  # names of buffers that are not part of the state

    def __getattr__(self, name: str) -> Any:  # asked for what is not there
        if "_modules" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: expected super().__init__() to be called first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _hold(self, registry: Members, name: str, value: Any) -> None:
        dict.__setitem__(registry, name, value)
        self.__dict__[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter | Registry | Buffer) and "_modules" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: expected super().__init__() to be called before {name!r} is assigned")
        if isinstance(value, Parameter):
            self._forget(name, self._parameters)
            self.register_parameter(name, value)
        elif isinstance(value, Registry):
            self._forget(name, self._modules)
            self.add_module(name, cast("Module", value))
        elif isinstance(value, Buffer):
            self._forget(name, self._buffers)
            self.register_buffer(name, value, value.persistent)
        elif name in self.__dict__.get("_parameters", ()):
            if value is not None:
                raise TypeError(f"{name}: expected a Parameter or None, got {type(value).__name__}; wrap it in nn.Parameter")
            self._hold(self._parameters, name, None)
        elif name in self.__dict__.get("_modules", ()):
            if value is not None:
                raise TypeError(f"{name}: expected a Module or None, got {type(value).__name__}")
            self._hold(self._modules, name, None)
            _changed()
        elif name in self.__dict__.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{name}: expected a Tensor or None as a buffer, got {type(value).__name__}")
            self._hold(self._buffers, name, value)
        else:
            if isinstance(value, list | tuple | dict | set) and _holds_modules(value):
                warnings.warn(
                    f"{type(self).__name__}.{name}: a plain {type(value).__name__} does not register the modules and "
                    "parameters in it, so they would not be trained or saved; use nn.ModuleList or nn.ModuleDict",
                    stacklevel=2,
                )
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._forget(name)

    def _forget(self, name: str, spared: Any = None) -> None:
        """Removes a name from all registries but one, in which it keeps its place in the order."""
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry and registry is not spared:
                dict.__delitem__(registry, name)
                _changed()
        self._transient.discard(name)
        self.__dict__.pop(name, None)

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
        self._hold(self._parameters, name, parameter)

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
        self._hold(self._buffers, name, tensor)
        (self._transient.discard if persistent else self._transient.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule that can be reached as an attribute."""
        self._check_name("add_module", name, self._modules)
        if module is not None and not isinstance(module, Registry):
            raise TypeError(f"add_module: expected a Module or None, got {type(module).__name__}")
        self._hold(self._modules, name, module)
        _changed()

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The submodule of a dotted name; ``""`` is the module itself."""
        module = cast("Module", self)
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
        stack: list[tuple[str, Module]] = [(prefix, cast("Module", self))]
        while stack:
            path, module = stack.pop()
            if module in seen:
                continue
            seen.add(module)
            yield path, module
            inner = [(join(path, name), child) for name, child in module._modules.items() if child is not None]
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
                yield join(path, name), member

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


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _holds_modules(value: Any) -> bool:
    """True for a module or a parameter, and for a collection with one in it, or in a collection in it (and no deeper)."""
    items = list(value.values() if isinstance(value, dict) else value)
    for item in list(items):
        if isinstance(item, list | tuple | dict | set):
            items.extend(item.values() if isinstance(item, dict) else item)
    return any(isinstance(item, Registry | Parameter) for item in items)
