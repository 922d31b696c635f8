"""Functions under PyTorch's keywords as well as NumPy's.

Functions are NumPy's, methods are PyTorch's. Where a keyword says which one is meant, a function listens: called with one that
only PyTorch has (``dim=``, ``keepdim=``, ``dims=``, ``unbiased=``, ``p=``), or with PyTorch's third argument, a bool, it is the
Tensor method of its name, as a method called with ``axis=`` answers in NumPy's form. ``input=`` is the first argument.

>>> import autograd as ag
>>> x = ag.tensor([[1.0, 3.0], [5.0, 4.0]])
>>> ag.max(x, axis=1)
tensor([3., 5.])
>>> ag.max(x, dim=1).indices
tensor([1, 0])

What is exported from ``autograd`` goes through this layer; the library itself calls the functions underneath.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from autograd.ops import comparison, diagonals, joining, linalg, norms, ordering, reductions, scans, selection, shaping
from autograd.ops import softmax as softmaxes
from autograd.primitive import constant

Function = TypeVar("Function", bound=Callable[..., Any])

_PYTORCHS = frozenset({"dim", "dims", "keepdim", "p", "shifts", "unbiased"})


def spelled(function: Function, method: str | None = None) -> Function:
    """A function of a tensor that is the tensor's method where a keyword is PyTorch's, and takes ``input=``."""
    name = method or function.__name__

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if "input" in options:
            arguments = (options.pop("input"), *arguments)
        if (options and not _PYTORCHS.isdisjoint(options)) or (len(arguments) > 2 and type(arguments[2]) is bool):
            if not arguments:
                raise TypeError(f"{name}: expected a tensor as first argument, got only keywords")
            return getattr(reductions.tensor_of(arguments[0], name), name)(*arguments[1:], **options)
        return function(*arguments, **options)

    return cast(Function, call)


def taking_input(function: Function) -> Function:
    """A function whose first argument may also be given as ``input=``."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if "input" in options:
            arguments = (options.pop("input"), *arguments)
        return function(*arguments, **options)

    return cast(Function, call)


def renaming(function: Function, theirs: str, ours: str) -> Function:
    """A function that takes a keyword under PyTorch's name too, where nothing but the name differs."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if theirs in options:
            if ours in options:
                raise TypeError(f"{function.__name__}: expected {theirs} or {ours}, got both")
            options[ours] = options.pop(theirs)
        return function(*arguments, **options)

    return cast(Function, call)


def _extreme(function: Function, of_two: Callable[..., Any]) -> Function:
    """``max`` or ``min``: of two tensors, as PyTorch has it, it is ``maximum`` or ``minimum``."""
    of_one = spelled(function)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if (len(arguments) == 2 and hasattr(arguments[1], "_data")) or "other" in options:
            return of_two(*arguments, *options.values())
        return of_one(*arguments, **options)

    return cast(Function, call)


def _with_positions(function: Function) -> Function:
    """A function that NumPy does not have, of which PyTorch's gives values and positions: both are Tensors."""
    of_either = spelled(function)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        found = of_either(*arguments, **options)
        return found._replace(indices=reductions.tensor_of(found.indices, function.__name__))

    return cast(Function, call)


@functools.wraps(shaping.transpose)
def transpose(*arguments: Any, **options: Any) -> Any:  # two axes, ``transpose(x, 0, 1)``, are exchanged as in PyTorch
    exchange = len(arguments) == 3 or "dim0" in options
    return (_exchange if exchange else shaping.transpose)(*arguments, **options)


def _compared(function: Callable[..., Any], name: str, sign: str) -> Callable[..., Any]:
    """A comparison under PyTorch's name, which NumPy does not have: its result is a constant, as the operator's is."""

    def call(input: Any, other: Any) -> Any:
        return constant(function(input, other))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"``x {sign} y``, as a tensor of bools."
    return call


def _exchange(x: Any, dim0: int, dim1: int) -> Any:
    return shaping.swapaxes(x, dim0, dim1)


# comparison
eq = _compared(comparison.equal, "eq", "==")
ge = _compared(comparison.greater_equal, "ge", ">=")
gt = _compared(comparison.greater, "gt", ">")
le = _compared(comparison.less_equal, "le", "<=")
lt = _compared(comparison.less, "lt", "<")
ne = _compared(comparison.not_equal, "ne", "!=")
# diagonals
tril = taking_input(renaming(diagonals.tril, "diagonal", "k"))
triu = taking_input(renaming(diagonals.triu, "diagonal", "k"))
# linalg
tensordot = renaming(linalg.tensordot, "dims", "axes")
# joining
cat = concat = renaming(joining.concatenate, "dim", "axis")
stack = renaming(joining.stack, "dim", "axis")
repeat_interleave = spelled(joining.repeat_interleave, "repeat_interleave")
roll = spelled(joining.roll)
split = spelled(joining.split)
tensor_split = spelled(joining.tensor_split)
unbind = spelled(joining.unbind)
# shaping
flip = taking_input(renaming(shaping.flip, "dims", "axis"))
permute = taking_input(renaming(shaping.permute, "dims", "axes"))
squeeze = spelled(shaping.squeeze)
unsqueeze = taking_input(renaming(shaping.unsqueeze, "dim", "axis"))
# reductions, norms
all = spelled(reductions.all)
amax = spelled(reductions.amax, "amax")
amin = spelled(reductions.amin, "amin")
aminmax = spelled(reductions.aminmax)
any = spelled(reductions.any)
count_nonzero = spelled(reductions.count_nonzero)
max = _extreme(reductions.max, selection.maximum)
mean = spelled(reductions.mean)
min = _extreme(reductions.min, selection.minimum)
nanmean = spelled(reductions.nanmean)
nansum = spelled(reductions.nansum)
norm = spelled(norms.norm)
prod = spelled(reductions.prod)
std = spelled(reductions.std)
std_mean = spelled(reductions.std_mean)
sum = spelled(reductions.sum)
var = spelled(reductions.var)
var_mean = spelled(reductions.var_mean)
# ordering
argmax = spelled(ordering.argmax)
argmin = spelled(ordering.argmin)
argsort = spelled(ordering.argsort)
kthvalue = _with_positions(ordering.kthvalue)
median = spelled(ordering.median)
sort = spelled(ordering.sort)
topk = _with_positions(ordering.topk)
# scans, softmax
cumprod = spelled(scans.cumprod)
cumsum = spelled(scans.cumsum)
diff = spelled(scans.diff)
log_softmax = spelled(softmaxes.log_softmax)
logsumexp = spelled(softmaxes.logsumexp)
softmax = spelled(softmaxes.softmax)
softmin = taking_input(renaming(softmaxes.softmin, "dim", "axis"))  # no method has its name
