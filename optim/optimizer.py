"""The base of all optimizers: parameter groups, options, state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad, versions


class Optimizer:
    """Updates parameters from their gradients.

    Args:
        params: Parameters, or dicts with "params" and options of their own (parameter groups).
        defaults: the options, by name.

    Attributes:
        param_groups: a list of dicts: "params" and the options of each group.
        state: what the optimizer remembers of each parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params: expected an iterable of tensors or dicts, got a single Tensor; pass [tensor]")
        groups = list(params)
        if not groups:
            raise ValueError("params: expected at least one parameter, got none; was a generator used up before?")
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Adds parameters with options of their own."""
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError("add_param_group: expected a dict with 'params'")
        for name in group:
            if name != "params" and name not in self.defaults:
                raise ValueError(f"params: expected options among {', '.join(self.defaults)}, got {name!r}")
        self.check({**self.defaults, **group})
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for position, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"params: expected Tensors, got {type(p).__name__} at position {position}")
            if not p.is_leaf:
                raise ValueError(f"params: expected leaf tensors, got the result of an operation at position {position}")
            if id(p) in known:
                raise ValueError(f"params: parameter {position} (shape {p.shape}) is there twice")
            known.add(id(p))
        self.param_groups.append({**self.defaults, **group, "params": params})

    def check(self, group: dict[str, Any]) -> None:
        """Raises ValueError for options that cannot be; a subclass says which."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients: to None, or to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor(np.zeros(p.shape, p.dtype))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient; returns the loss of the closure, which is called first."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad._data, self.state.setdefault(p, {}), group)
                    versions.stamp(p._data)
        return loss

    def update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Updates one parameter in place."""
        raise NotImplementedError(f"{type(self).__name__}: expected an update method, found none")

    def state_dict(self) -> dict[str, Any]:
        """A copy of state and options; parameters are numbered in order."""
        order = [p for group in self.param_groups for p in group["params"]]
        number = {id(p): index for index, p in enumerate(order)}
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {
            number[id(p)]: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in values.items()}
            for p, values in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over state and options; groups, their sizes and all shapes are checked first.

        Raises:
            ValueError: where they do not fit; nothing has changed then.
        """
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError("load_state_dict: expected 'state' and 'param_groups', as state_dict() gives them")
        groups = state_dict["param_groups"]
        if [len(g["params"]) for g in groups] != [len(g["params"]) for g in self.param_groups]:
            raise ValueError("load_state_dict: expected the same parameter groups and numbers of parameters")
        order = [p for group in self.param_groups for p in group["params"]]
        for index, values in state_dict["state"].items():
            if not 0 <= int(index) < len(order):
                raise ValueError(f"load_state_dict: expected parameters below {len(order)}, got {index}")
            for name, value in values.items():
                shape = order[int(index)].shape
                if isinstance(value, np.ndarray) and value.shape not in ((), shape):
                    raise ValueError(
                        f"load_state_dict: expected {name} of shape {shape} for parameter {index}, got {value.shape}"
                    )
        for given in groups:
            self.check({**self.defaults, **given})
        for group, given in zip(self.param_groups, groups, strict=True):
            group.update({name: value for name, value in given.items() if name != "params"})
        self.state = {
            order[int(index)]: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in values.items()}
            for index, values in state_dict["state"].items()
        }

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.defaults.items())
        return f"{type(self).__name__}({options})"


def check_option(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises ValueError unless low <= value < high (any value when high is inf and value is at least low)."""
    if not low <= value < high and not (high == float("inf") and value >= low):
        raise ValueError(f"{name}: expected a value in [{low}, {high}), got {value}")
