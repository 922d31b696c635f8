"""Parameters in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, overload

from nn.containers import Dictionary, position
from nn.module import Module
from nn.parameter import Parameter


class ParameterList(Module):
    """A list of parameters that are registered; tensors and arrays become parameters.

    Args:
        values: parameters, tensors or arrays.
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

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
        return list(self)[int(position(index, len(self), "ParameterList"))]

    def __setitem__(self, index: int, value: Any) -> None:
        self.register_parameter(position(index, len(self), "ParameterList"), _as_parameter(value))

    def __repr__(self) -> str:
        return _parameters_shown(self)


class ParameterDict(Dictionary[Parameter]):
    """A dictionary of parameters that are registered; tensors and arrays become parameters.

    Args:
        parameters: parameters, tensors or arrays by name.
    """

    registry = "_parameters"

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def __setitem__(self, name: str, value: Any) -> None:
        self.register_parameter(name, _as_parameter(value))

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter of a name, or the default."""
        return self._members.get(name, default)

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
