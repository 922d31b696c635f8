"""The base of all optimizers: parameter groups, options, state, and the step."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, enable_grad, versions
from autograd.primitive import quiet
from optim.checks import check_closure
from optim.flat import Pack, Rule, Workspace, packed, working_dtype

SCHEDULED = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr")  # what schedulers note in a group

IMPLEMENTATION = ("foreach", "fused", "capturable", "differentiable")  # in PyTorch's groups: they change no result

ITERABLE = "pass model.parameters(), or a list of tensors or of dicts with 'params'"
calm = type(quiet)()  # a context without floating-point errors, not the engine's: rules may use its ops
PLAIN = (bool, int, float, str, tuple, type(None))  # options that cannot change unless they are replaced


class Plan:
    """How the parameters of one group are packed, until something about them changes."""

    __slots__ = ("count", "group", "options", "packs", "resting", "writer")

    def __init__(self, group: dict[str, Any]) -> None:
        self.group = group
        self.count = -1
        self.packs: list[Pack] = []
        self.writer = versions.Writer(())  # to all parameters of the packs
        self.resting: list[Tensor] = []  # no gradient when the packs were made
        self.options: dict[str, Any] | None = None  # those of the step before; None: have a new look

    def fits(self) -> bool:
        """True if the packs hold all parameters that have a gradient now, and their gradients were fetched."""
        if self.count != len(self.group["params"]):
            return False
        for p in self.resting:
            if p.grad is not None:
                return False
        return all(map(Pack.collect, self.packs))

    def keep(self) -> None:
        """Notes the options for which the packs have their buffers in order."""
        plain = all(isinstance(value, PLAIN) for name, value in self.group.items() if name != "params")
        self.options = dict(self.group) if plain and not any(pack.fresh for pack in self.packs) else None


class Optimizer:
    """Updates parameters from their gradients.

    A subclass gives three things: ``check`` (which options are allowed), ``buffers`` (which arrays it remembers of each
    parameter, and what they start as) and ``rule`` (the update, on 1-d arrays, in place). A whole optimizer of one's own::

        class SignDescent(Optimizer):
            def __init__(self, params, lr=0.01):
                super().__init__(params, {"lr": lr})

            def rule(self, group, state):
                def update(p, g, scratch):
                    p -= group["lr"] * np.sign(g)
                return update

    Args:
        params: Parameters, or dicts with "params" and options of their own (parameter groups).
        defaults: the options, by name.

    Attributes:
        param_groups: a list of dicts: "params" and the options of each group.

    Note:
        An optimizer holds Parameter objects. After ``layer.weight = nn.Parameter(...)`` it goes on with the old object, which
        gets no gradients any more: make a new optimizer. New *values* (``p.data = array``, ``load_state_dict``) and another
        floating dtype (``model.double()``) are followed; the state is cast along.
    """

    whole = False  # True: the rule is given one parameter at a time, in its own shape and undivided
    returns_step = False  # True: the rule returns what to subtract from p, which it reads for a weight decay only

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        groups = _listed(params, "tensors or dicts")
        if not groups:
            raise ValueError("params: expected at least one parameter, got none; was a generator used up before?")
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.steps = 0  # of this object, for schedulers to see that there was one
        self._work = Workspace()
        self._plans: list[Plan] = []
        self._states: dict[Tensor, dict[str, Any]] = {}  # of parameters that are in no pack
        if not any(isinstance(group, dict) for group in groups):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # -------------------------------------------------------------------------------------------- what a subclass says

    def check(self, group: dict[str, Any]) -> None:
        """Raises ValueError for options that cannot be; a subclass says which."""

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:  # noqa: ARG002
        """The numbers that are remembered of each parameter, and their first values.

        Where there are none, the steps are alike, and a rule is kept until an option changes.
        """
        return {"step": 0}

    def buffers(self, group: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG002
        """The arrays that are remembered of a parameter of this shape: its first value, or the array itself, by name."""
        return {}

    def rule(self, group: dict[str, Any], state: Pack) -> Rule:
        """The update of one step, as a function of (p, g, scratch, *buffers) that writes to p and the buffers.

        Where ``returns_step`` is set, it leaves p to the optimizer, and returns the step instead, in one of the scratch arrays.
        ``state.scalars["step"]`` counts this step already; ``state.fresh`` names the buffers that are new. ``g`` must not be
        written to; ``scratch`` is two arrays for anything.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a rule method, found none")

    # -------------------------------------------------------------------------------------------- groups

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Adds parameters with options of their own."""
        if not isinstance(group, dict) or "params" not in group:
            given = f"one with {_names(map(str, group))}" if isinstance(group, dict) else type(group).__name__
            raise TypeError(f"add_param_group: expected a dict with 'params', got {given}")
        for name in group:
            if name != "params" and name not in self.defaults and name not in SCHEDULED:
                raise ValueError(f"params: expected options among {', '.join(self.defaults)}, got {name!r}")
        self.check({**self.defaults, **group})
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else _listed(params, "tensors")
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for position, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"params: expected Tensors, got {type(p).__name__} at position {position}; {ITERABLE}")
            if not p.is_leaf:
                raise ValueError(
                    f"params: expected leaf tensors, got the result of an operation at position {position}; "
                    "pass what it was computed from, or its detach()"
                )
            if id(p) in known:
                raise ValueError(
                    f"params: expected each parameter once, the one at position {position} (shape {p.shape}) is there twice"
                )
            known.add(id(p))
        self.param_groups.append({**self.defaults, **group, "params": params})

    def _parameters(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    def _label(self, wanted: Tensor) -> str:
        """How a message names a parameter: its number, its name if it has one, its shape."""
        number = next((i for i, p in enumerate(self._parameters()) if p is wanted), -1)
        return f"parameter {number}{f' {wanted.name!r}' if wanted.name else ''} (shape {wanted.shape})"

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients: to None, or to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if getattr(p.node, "grad", None) is not None:
                    p.node.grad = None if set_to_none else Tensor(np.zeros(p.shape, p.dtype))

    # -------------------------------------------------------------------------------------------- the step

    def step(
        self,
        closure: Callable[[], Any] | None = None,
        *,
        error_if_nonfinite: bool = False,
        skip_nonfinite: bool = False,
    ) -> Any:
        """Updates every parameter that has a gradient; all of them, or none if something is wrong.

        Args:
            closure: computes the loss and its gradients; called first.
            error_if_nonfinite: raise if a gradient has a nan or an inf, before anything is changed. The message names the
                parameter.
            skip_nonfinite: leave out the whole step then, with a warning that names the parameter.

        Returns:
            The loss that the closure returned, or None.

        Raises:
            RuntimeError: for a gradient that is not finite, if that was asked for.
            ValueError: if a parameter has changed its shape since the last step, or cannot be written to.
        """
        loss = None
        if closure is not None:
            check_closure(closure)
            with enable_grad():
                loss = closure()
        self.steps += 1
        plans = self._ready()
        if (error_if_nonfinite or skip_nonfinite) and not self._finite(plans, error_if_nonfinite):
            return loss
        calm.run(self._update, plans)  # an overflow must not stop a step half way; nan and inf are there to be seen
        return loss

    def _update(self, plans: list[Plan]) -> None:
        packs = self._prepared(plans)
        for plan in plans:
            if plan.packs:
                plan.writer.stamp()
        for pack in packs:
            pack.update()

    def _prepared(self, plans: list[Plan]) -> list[Pack]:
        """All packs, with the rule of this step. An option that cannot be, set in a group, shows here, before any change."""
        found: list[Pack] = []
        before: list[tuple[Pack, dict[str, Any]]] = []
        ensured: list[Pack] = []
        try:
            for plan in plans:
                group = plan.group
                kept = plan.options == group  # then every pack has its buffers, and the options are checked
                if not kept:
                    self.check(group)
                    group = as_numbers(group)
                reads = not self.returns_step or bool(group.get("weight_decay"))
                for pack in plan.packs:
                    if not kept:
                        pack.ensure(self.buffers(group, pack.shapes[0]))
                        ensured.append(pack)
                    pack.reads = reads
                    scalars = pack.scalars
                    if scalars:
                        before.append((pack, scalars.copy()))
                        if "step" in scalars:
                            scalars["step"] += 1
                    if scalars or not kept:
                        pack.rule = self.rule(group, pack)
                    found.append(pack)
                if not kept:
                    plan.keep()
        except BaseException:
            for pack, scalars in before:
                pack.scalars = scalars
            for pack in ensured:
                pack.forget()
            for plan in plans:
                plan.options = None
            raise
        return found

    def _ready(self) -> list[Plan]:
        """The packs of all groups with their gradients fetched: whatever can be wrong is found here, before any change."""
        if len(self._plans) != len(self.param_groups):
            self._plan()
        for plan, group in zip(self._plans, self.param_groups):
            if plan.group is not group:
                self._plan()
                return self._ready()
            if not plan.fits():
                self._pack(plan)
        return self._plans

    def _plan(self) -> None:
        """Makes a plan for each group: groups may come, go and be replaced."""
        self._unpack()
        self._plans = [Plan(group) for group in self.param_groups]

    def _unpack(self) -> None:
        for plan in self._plans:
            for pack in plan.packs:
                self._states.update(zip(pack.params, pack.states(), strict=True))
            plan.packs, plan.count, plan.options = [], -1, None

    def _pack(self, plan: Plan) -> None:
        """Packs the parameters of a group anew, since gradients came or went, or the parameters are not what they were."""
        for pack in plan.packs:
            self._states.update(zip(pack.params, pack.states(), strict=True))
        plan.packs, plan.count, plan.options = [], -1, None
        group = plan.group
        graded = [p for p in group["params"] if p.grad is not None]
        for p in graded:
            self._check_parameter(p, group)
        options = as_numbers(group)
        states = [self._states.get(p) or self.scalars(options) for p in graded]
        packs = packed(graded, states, self._work, self.whole)
        for pack in packs:
            pack.collect()
        for p in graded:
            self._states.pop(p, None)
        plan.packs, plan.count = packs, len(group["params"])
        plan.writer = versions.Writer(array for pack in packs for array in pack.arrays)
        plan.resting = [p for p in group["params"] if p.grad is None]

    def _check_parameter(self, p: Tensor, group: dict[str, Any]) -> None:
        if not p._data.flags.writeable:
            raise ValueError(f"step: expected a parameter that can be written to, {self._label(p)} is read-only")
        if p.grad is not None and p.grad.shape != p.shape:
            raise ValueError(f"step: expected a gradient of shape {p.shape} for {self._label(p)}, got {p.grad.shape}")
        wanted = self.buffers(group, p.shape)
        for name, value in self._states.get(p, {}).items():
            expected = np.shape(wanted[name]) or p.shape if name in wanted else np.shape(value)
            if isinstance(value, np.ndarray) and value.shape != expected:
                raise ValueError(
                    f"step: expected the shape with which {name} was made, {value.shape}, got {self._label(p)}; make a new "
                    "optimizer after replacing a parameter by one of another shape"
                )

    def _finite(self, plans: list[Plan], raises: bool) -> bool:
        for pack in (pack for plan in plans for pack in plan.packs):
            for p, g in zip(pack.params, pack.grads, strict=True):
                if not np.isfinite(g).all():
                    message = f"step: the gradient of {self._label(p)} is not finite"
                    if raises:
                        raise RuntimeError(f"{message}; nothing was changed")
                    warnings.warn(f"{message}; the step is skipped", RuntimeWarning, stacklevel=3)
                    return False
        return True

    # -------------------------------------------------------------------------------------------- state

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """What is remembered of each parameter, by PyTorch's names. The arrays may be written to, the mappings may not."""
        found = dict(self._states)
        for plan in self._plans:
            for pack in plan.packs:
                found.update(zip(pack.params, pack.states(), strict=True))
        return MappingProxyType({p: MappingProxyType(found[p]) for p in self._parameters() if found.get(p)})

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state that the options use, and of these; parameters are numbered in order."""
        number = {id(p): index for index, p in enumerate(self._parameters())}
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        remembered, state = self.state, {}
        for group in self.param_groups:
            for p in group["params"]:
                if kept := self._used(remembered.get(p, {}), group, p):
                    state[number[id(p)]] = copy.deepcopy(kept)
        return {"state": state, "param_groups": copy.deepcopy(groups)}

    def _used(self, values: Mapping[str, Any], group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        """Without what an option needed that has been switched off; nothing if the first step did not take place."""
        buffers = self.buffers(group, p.shape)
        if buffers and not set(buffers) & set(values):
            return {}
        return {name: value for name, value in values.items() if name in buffers or name in self.scalars(group)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over state and options; groups, their sizes, all names and all shapes are checked first.

        Args:
            state_dict: as ``state_dict()`` gives it; arrays may be Tensors, and are copied and cast.

        Raises:
            ValueError: where they do not fit; nothing has changed then.
        """
        groups, entries = self._checked_form(state_dict)
        options = []
        for group, given in zip(self.param_groups, groups, strict=True):
            unknown = sorted(set(given) - set(group) - set(SCHEDULED) - set(IMPLEMENTATION) - {"params"})
            if unknown:
                raise ValueError(
                    f"load_state_dict: expected options among {', '.join(self.defaults)}, got {unknown[0]!r}; is it the state "
                    f"of another optimizer than {type(self).__name__}?"
                )
            taken = set(given) - set(IMPLEMENTATION) - {"params"}
            options.append({**group, **{name: copy.deepcopy(given[name]) for name in given if name in taken}})
            self.check(options[-1])
        owners = [(p, option) for option in options for p in option["params"]]
        states = {}
        for index, values in entries.items():
            if not str(index).isdecimal() or not 0 <= int(index) < len(owners):
                raise ValueError(f"load_state_dict: expected parameters below {len(owners)}, got {index!r}")
            p, option = owners[int(index)]
            states[p] = self._checked_state(int(index), p, values, option)
        for group, option in zip(self.param_groups, options, strict=True):
            group.update(option)
        self._plans, self._states = [], states

    def _checked_form(self, state_dict: Any) -> tuple[list[dict[str, Any]], dict[Any, dict[str, Any]]]:
        """The groups and the entries of a state dict that is built as those of this optimizer are."""
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(
                "load_state_dict: expected 'state' and 'param_groups', as state_dict() gives them, got "
                + (_names(map(str, state_dict)) if isinstance(state_dict, dict) else type(state_dict).__name__)
            )
        groups, entries = state_dict["param_groups"], state_dict["state"]
        if not isinstance(groups, list | tuple) or not all(isinstance(group, dict) and "params" in group for group in groups):
            raise ValueError("load_state_dict: expected 'param_groups' to be a list of dicts with 'params'")
        if not isinstance(entries, dict) or not all(isinstance(values, dict) for values in entries.values()):
            raise ValueError("load_state_dict: expected 'state' to be a dict of dicts, by number of the parameter")
        sizes, own = ([len(group["params"]) for group in each] for each in (groups, self.param_groups))
        if sizes != own:
            raise ValueError(
                f"load_state_dict: expected the same parameter groups and numbers of parameters, {own}, got {sizes}; make the "
                "optimizer as the saved one was made"
            )
        return list(groups), entries

    def _checked_state(self, index: int, p: Tensor, values: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
        """A copy of a parameter's saved state, with the names, shapes and dtypes that this optimizer uses."""
        wanted, numbers = self.buffers(group, p.shape), self.scalars(group)
        checked: dict[str, Any] = {}
        for name, value in values.items():
            array = value._data if isinstance(value, Tensor) else value
            if name in numbers:
                number = np.asarray(array)
                if number.shape != () or number.dtype.kind not in "fiu":
                    raise ValueError(f"load_state_dict: expected a number as {name} of parameter {index}, got {array!r}")
                if name == "step" and not (0 <= number < np.inf and number == np.floor(number)):
                    raise ValueError(f"load_state_dict: expected a count as step of parameter {index}, got {array!r}")
                checked[name] = int(number) if name == "step" else float(number)
            elif name in wanted:
                expected = np.shape(wanted[name]) or p.shape
                if np.shape(array) != expected:
                    raise ValueError(
                        f"load_state_dict: expected {name} of shape {expected} for parameter {index}, got {np.shape(array)}"
                    )
                if (kind := np.asarray(array).dtype).kind not in "fiu":
                    raise ValueError(f"load_state_dict: expected real numbers as {name} of parameter {index}, got {kind}")
                checked[name] = np.array(array, working_dtype(p.dtype), order="C")
            elif array is not None:  # PyTorch has None for a momentum that is not used
                raise ValueError(f"load_state_dict: expected {_names(wanted, numbers)} for parameter {index}, got {name!r}")
        missing = [name for name in (*numbers, *wanted) if name not in checked]
        if checked and missing:
            raise ValueError(f"load_state_dict: expected {missing[0]!r} for parameter {index} too, got {_names(checked)}")
        return checked

    def __getstate__(self) -> dict[str, Any]:
        """For copies: packs hold views of each other's memory, which a copy would tear apart."""
        self._unpack()
        return {**self.__dict__, "_plans": [], "_work": Workspace()}

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.defaults.items())
        return f"{type(self).__name__}({options})"


def _listed(params: Any, kinds: str) -> list[Any]:
    """The parameters, or groups, in their order."""
    if isinstance(params, Tensor):
        raise TypeError(f"params: expected an iterable of {kinds}, got a single Tensor; pass [tensor]")
    if isinstance(params, set | frozenset):
        raise TypeError(f"params: expected an order, got a {type(params).__name__}; pass a list, since state is saved in order")
    if isinstance(params, str | dict) or not isinstance(params, Iterable):
        raise TypeError(f"params: expected an iterable of {kinds}, got {type(params).__name__}; {ITERABLE}")
    return list(params)


def _names(*mappings: Iterable[str]) -> str:
    return ", ".join(name for mapping in mappings for name in mapping) or "nothing"


def as_numbers(group: dict[str, Any]) -> dict[str, Any]:
    """The group; with Python's numbers for tensors and arrays without axes, which rules would take for arrays."""
    if all(isinstance(value, PLAIN) for name, value in group.items() if name != "params"):
        return group
    return {name: value.item() if isinstance(value, Tensor | np.ndarray) else value for name, value in group.items()}


def as_tuple(values: Any) -> Any:
    """A tuple of the values; what cannot be one is left to ``check``."""
    return tuple(values) if isinstance(values, Iterable) else values


def regularized(p: NDArray[Any], g: NDArray[Any], group: Mapping[str, Any], out: NDArray[Any]) -> NDArray[Any]:
    """The gradient to descend along: g, or -g to maximize, plus weight_decay p (the gradient of the L2 penalty)."""
    decay, maximize = group["weight_decay"], group["maximize"]
    if not decay:
        return np.negative(g, out=out) if maximize else g
    np.multiply(p, decay, out=out)
    (np.subtract if maximize else np.add)(out, g, out=out)
    return out
