"""Modules made of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

from autograd import Tensor, reshape, unflatten
from nn.module import Module

T = TypeVar("T")


def position(index: int, count: int, where: str) -> str:
    """The name of the member at an index, which may count from the end."""
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
    del modules[index if isinstance(index, slice) else int(position(index, len(modules), where))]
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

    def __iadd__(self, modules: Iterable[Module]) -> Sequential:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> Sequential:
        return type(self)(*self, *modules)

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
        self.add_module(list(self._modules)[int(position(index, len(self), "Sequential"))], module)

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
        return list(self)[int(position(index, len(self), "Sequential"))]


class ModuleList(Module):
    """A list of modules whose parameters are registered."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *modules])

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
        return list(self)[int(position(index, len(self), "ModuleList"))]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(position(index, len(self), "ModuleList"), module)

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


class Dictionary(Module, Generic[T]):
    """What dictionaries of modules and of parameters share; ``registry`` names where the members are kept."""

    registry: ClassVar[str]

    @property
    def _members(self) -> dict[str, T]:
        return cast("dict[str, T]", self.__dict__[self.registry])

    def __getitem__(self, name: str) -> T:
        return self._members[name]

    def __setitem__(self, name: str, value: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__}: expected a __setitem__ method, found none")

    def __delitem__(self, name: str) -> None:
        if name not in self._members:
            raise KeyError(name)
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._members.keys()

    def values(self) -> Iterable[T]:
        """The members."""
        return self._members.values()

    def items(self) -> Iterable[tuple[str, T]]:
        """Names and members."""
        return self._members.items()

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Adds members, or puts them in the place of those of the same name."""
        for name, value in values.items() if isinstance(values, Mapping | Dictionary) else values:
            self[name] = value

    def pop(self, name: str) -> T:
        """Takes out the member of a name and returns it."""
        member = self[name]
        del self[name]
        return member

    def clear(self) -> None:
        """Takes out all members."""
        for name in list(self):
            del self[name]


class ModuleDict(Dictionary[Module]):
    """A dictionary of modules whose parameters are registered."""

    registry = "_modules"

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)


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
        if not ndim and self.start_dim in (0, -1):  # one element, as PyTorch has it
            return reshape(x, (1,))
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
