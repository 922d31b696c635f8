"""State dicts against the tensors they are meant for: what does not fit, and the copying once everything does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, versions
from autograd.arrays import Array
from nn.parameter import UninitializedParameter


class Keys(NamedTuple):
    """The names that a state lacked, and those that it had too much."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        return repr(tuple(self))


def problems(
    own: Mapping[str, Tensor], given: Mapping[str, Any], exact: bool = False
) -> tuple[list[str], list[str], list[str]]:
    """The missing names, the unexpected ones, and a sentence for each entry that cannot be copied (``exact``: unchanged)."""
    missing = [name for name in own if name not in given]
    unexpected = [str(name) for name in given if name not in own]
    others = []
    for name, tensor in own.items():
        if name not in given:
            continue
        value = given[name]
        if not isinstance(value, Tensor | np.ndarray | np.generic):
            others.append(f"{name!r}: expected a Tensor or an array, got {type(value).__name__}")
            continue
        array = _array(value)
        if isinstance(tensor, UninitializedParameter):
            if not tensor.fits(array.shape):
                shape = tuple(length or "any" for length in tensor.shape)
                others.append(f"{name!r}: expected shape {shape}, got {array.shape}")
        elif array.shape != tensor.shape:
            others.append(f"{name!r}: expected shape {tensor.shape}, got {array.shape}")
        elif not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
            others.append(f"{name!r}: expected {tensor.dtype}, got {array.dtype}")
        elif not tensor._data.flags.writeable:
            others.append(f"{name!r}: expected writable memory, the module's is read-only")
        elif exact and (changed := _changed(array, tensor.dtype)).any():
            first = array[changed][0]
            others.append(
                f"{name!r}: expected values that {tensor.dtype} holds exactly, got {np.count_nonzero(changed)} of {array.size} "
                f"in {array.dtype} that it does not, such as {first}"
            )
    return missing, unexpected, others


def load(own: Mapping[str, Tensor], given: Mapping[str, Any]) -> None:
    """Copies every entry that has a tensor of its name. All sources are read first: they may be views of the targets."""
    sources = {name: np.array(_array(given[name])) for name in own if name in given}
    for name, source in sources.items():
        tensor = own[name]
        if isinstance(tensor, UninitializedParameter):
            if not source.size and source.shape == tensor.shape:  # the state of a lazy layer that was not called either
                continue
            tensor.materialize(source.shape)
        target = tensor._data
        np.copyto(target, source, casting="same_kind")
        versions.stamp(target)


def _changed(array: Array, dtype: np.dtype[Any]) -> Array:
    """Which values a cast to ``dtype`` changes; any nan stands for any other."""
    if array.dtype == dtype:  # NumPy's "safe" casts are not all exact: int64 to float64
        return np.zeros(array.shape, bool)
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        back = cast.astype(array.dtype)
    kept = (back == array) | ((back != back) & (array != array))
    if array.dtype.kind in "iu":  # casts that leave the range may come back by accident: 2**63 as int64 is negative
        kept &= (cast < 0) == (array < 0)
        if dtype.kind == "f":
            kept &= cast.astype(np.float64) < 2.0 ** (8 * array.dtype.itemsize - (array.dtype.kind == "i"))
    return ~np.asarray(kept)


def _array(value: Any) -> Array:
    return value._data if isinstance(value, Tensor) else np.asarray(value)
