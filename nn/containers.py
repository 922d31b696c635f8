"""Modules made of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, overload

from autograd import Tensor, reshape, unflatten
from nn.module import Module
from nn.parameter import Parameter


def _position(index: int, count: int, where: str) -> str:
    at = operator.index(index)
    if not -count <= at < count:
        raise IndexError(f"{where}: expected an index between {-count} and {count - 1}, got {at}")
    return str(at % count)


def _renumber(container: Module, modules: list[Module]) -> None:
    for name in list(container._modules):
        delattr(container, name)
    for number, module in enumerate(modules):
        container.add_module(str(number), module)


def _inserted(container: Any, index: int, module: Module) -> list[Module]:
    modules = list(container)
    at = operator.index(index)
    if not -len(modules) <= at <= len(modules):
        raise IndexError(f"insert: expected an index between {-len(modules)} and {len(modules)}, got {at}")
    modules.insert(at, module)
    return modules


def _without(container: Any, index: int | slice, where: str) -> list[Module]:
    modules = list(container)
    del modules[index if isinstance(index, slice) else int(_position(index, len(modules), where))]
    return modules


class Sequential(Module):
    """Modules in a row: the output of each is the input of the next.

    Args:
        modules: the modules, or one dictionary of them by name.

    Example:
        >>> import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
        )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, named in modules[0].items():
                self.add_module(name, named)
        else:
            for module in modules:
                self.add_module(str(len(self._modules)), cast(Module, module))

    def forward(self, x: Any) -> Any:
        """The output of the last module."""
        for module in self._modules.values():
            if module is not None:
                x = module(x)
        return x

    def append(self, module: Module) -> Sequential:
        """Adds a module at the end; returns the container."""
        self.add_module(str(len(self._modules)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Sequential:
        """Adds modules at the end; returns the container."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Adds a module before a position; the names of those behind it are numbered anew."""
        _renumber(self, _inserted(self, index, module))
        return self

    def pop(self, index: int) -> Module:
        """Takes out the module at a position and returns it."""
        module = self[operator.index(index)]
        del self[index]
        return module

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(list(self._modules)[int(_position(index, len(self), "Sequential"))], module)

    def __delitem__(self, index: int | slice) -> None:
        _renumber(self, _without(self, index, "Sequential"))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast("list[Module]", list(self._modules.values())))

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(cast("dict[str, Module]", dict(list(self._modules.items())[index])))
        return list(self)[int(_position(index, len(self), "Sequential"))]


class ModuleList(Module):
    """A list of modules whose parameters are registered."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """Adds a module at the end; returns the list."""
        self.add_module(str(len(self._modules)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Adds modules at the end; returns the list."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast("list[Module]", list(self._modules.values())))

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return list(self)[int(_position(index, len(self), "ModuleList"))]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(_position(index, len(self), "ModuleList"), module)

    def __delitem__(self, index: int | slice) -> None:
        _renumber(self, _without(self, index, "ModuleList"))

    def insert(self, index: int, module: Module) -> None:
        """Adds a module before a position."""
        _renumber(self, _inserted(self, index, module))

    def pop(self, index: int) -> Module:
        """Takes out the module at a position and returns it."""
        module = self[operator.index(index)]
        del self[index]
        return module

    def __repr__(self) -> str:
        """Equal modules in a row are shown once: ``(0-3): 4 x Linear(...)``."""
        runs: list[tuple[int, int, str]] = []
        for number, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], number, text)
            else:
                runs.append((number, number, text))
        if not runs:
            return f"{type(self).__name__}()"
        lines = [
            f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        return f"{type(self).__name__}(\n  " + "\n".join(lines).replace("\n", "\n  ") + "\n)"


class ModuleDict(Module):
    """A dictionary of modules whose parameters are registered."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        for name, module in (modules or {}).items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        return cast(Module, self._modules[name])

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return cast("Iterable[Module]", self._modules.values())

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return cast("Iterable[tuple[str, Module]]", self._modules.items())


class ParameterList(Module):
    """A list of parameters that are registered; tensors and arrays become parameters.

    Args:
        values: parameters, tensors or arrays.
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Adds a parameter at the end; returns the list."""
        self.register_parameter(str(len(self._parameters)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds parameters at the end; returns the list."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(cast("list[Parameter]", list(self._parameters.values())))

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...
    def __getitem__(self, index: int | slice) -> Parameter | ParameterList:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return list(self)[int(_position(index, len(self), "ParameterList"))]

    def __setitem__(self, index: int, value: Any) -> None:
        self.register_parameter(_position(index, len(self), "ParameterList"), _as_parameter(value))

    def __repr__(self) -> str:
        return _parameters_shown(self)


class ParameterDict(Module):
    """A dictionary of parameters that are registered; tensors and arrays become parameters.

    Args:
        parameters: parameters, tensors or arrays by name.
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, values: Mapping[str, Any]) -> None:
        """Adds parameters, or puts them in the place of those of the same name."""
        for name, value in values.items():
            self[name] = value

    def __getitem__(self, name: str) -> Parameter:
        return cast(Parameter, self._parameters[name])

    def __setitem__(self, name: str, value: Any) -> None:
        self.register_parameter(name, _as_parameter(value))

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Parameter]:
        """The parameters."""
        return cast("Iterable[Parameter]", self._parameters.values())

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Names and parameters."""
        return cast("Iterable[tuple[str, Parameter]]", self._parameters.items())

    def __repr__(self) -> str:
        return _parameters_shown(self)


def _as_parameter(value: Any) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)


def _parameters_shown(container: Module) -> str:
    lines = [
        f"({name}): Parameter containing: [{p.dtype} of shape {p.shape}]"
        for name, p in container._parameters.items()
        if p is not None
    ]
    return f"{type(container).__name__}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{type(container).__name__}()"


class Residual(Module):
    """x + fn(x), or project(x) + fn(x): the gradient always has a way around ``fn`` (He et al., 2016).

    Args:
        fn: a module that keeps the shape, unless there is a projection.
        project: what brings x to the shape of fn(x), such as a convolution with a window of 1; None: x itself.

    Raises:
        ValueError: when called, where the two shapes differ: they are never broadcast.
    """

    def __init__(self, fn: Module, project: Module | None = None) -> None:
        super().__init__()
        self.fn = fn
        self.project = project

    def forward(self, x: Any) -> Any:
        """The sum of both ways."""
        inner = self.fn(x)
        way = x if self.project is None else self.project(x)
        if inner.shape != way.shape:
            remedy = "" if self.project is not None else "; give a project= that brings the input to that shape"
            raise ValueError(f"Residual: expected both ways to have one shape, got {inner.shape} and {way.shape}{remedy}")
        return way + inner


class Identity(Module):
    """Gives back its input; takes any arguments, so that it can stand in for a layer."""

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """The input."""
        return x


class Flatten(Module):
    """Joins axes ``start_dim`` to ``end_dim`` into one: (N, C, H, W) -> (N, C*H*W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        """The input with fewer axes."""
        ndim = x.ndim
        start, end = self.start_dim % max(ndim, 1), self.end_dim % max(ndim, 1)
        if not ndim or start > end or not (-ndim <= self.start_dim < ndim and -ndim <= self.end_dim < ndim):
            raise ValueError(
                f"Flatten: expected start_dim <= end_dim among the {ndim} axes of the input, "
                f"got {self.start_dim} and {self.end_dim}"
            )
        size = 1
        for each in x.shape[start : end + 1]:
            size *= each
        return reshape(x, (*x.shape[:start], size, *x.shape[end + 1 :]))

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Cuts an axis into several: the opposite of :class:`Flatten`.

    Args:
        dim: the axis.
        unflattened_size: the lengths of the new axes; one of them may be -1.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, tuple | list):
            raise TypeError(f"Unflatten: expected unflattened_size as a tuple of lengths, got {unflattened_size!r}")
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Tensor) -> Any:
        """The input with more axes."""
        return unflatten(x, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The axis and its parts."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
