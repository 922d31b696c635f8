"""Modules made of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, overload

from autograd import reshape
from nn.module import Module


def _position(index: int, count: int, where: str) -> str:
    at = operator.index(index)
    if not -count <= at < count:
        raise IndexError(f"{where}: expected an index between {-count} and {count - 1}, got {at}")
    return str(at % count)


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
