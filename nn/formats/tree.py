"""Nested states as flat arrays and a text: what an optimizer remembers, in a format that holds arrays by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays import Array, as_array
from autograd.primitive import constant
from nn.formats.errors import CheckpointError, shown
from nn.formats.strict_json import parse_object

DEPTH = 50


def flatten(state: Any) -> tuple[dict[str, Array], str]:
    """The arrays of a nested state by name, and the rest as JSON that refers to them.

    Strings, bools, None, whole numbers and finite floats stand for themselves in the JSON, and a list for a list. An object has
    one key, which says what it is: {"dict": pairs}, {"tuple": items}, {"float": "nan"}, {"tensor": name}, {"array": name},
    {"scalar": name} (a NumPy scalar).
    """
    arrays: dict[str, Array] = {}

    def visit(value: Any, place: str, depth: int) -> Any:
        if depth > DEPTH:
            raise ValueError(
                f"save: expected a nesting of at most {DEPTH} levels, got more at {place[:60]}; does it hold itself?"
            )
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Mapping):
            for key in value:
                if type(key) not in (str, int):
                    raise TypeError(f"save: expected strings or whole numbers as keys at {place or 'the top'}, got {key!r}")
            pairs = [[key, visit(item, f"{place}.{key}" if place else f"{key}", depth + 1)] for key, item in value.items()]
            return {"dict": pairs}
        if type(value) in (list, tuple):
            items = [visit(item, f"{place}.{index}" if place else f"{index}", depth + 1) for index, item in enumerate(value)]
            return items if type(value) is list else {"tuple": items}
        if isinstance(value, Tensor | np.ndarray | np.generic):
            kind = "tensor" if isinstance(value, Tensor) else "scalar" if isinstance(value, np.generic) else "array"
            name = f"{len(arrays)}.{re.sub(r'[^A-Za-z0-9_.]', '_', place)[:200]}"  # the number makes it unique
            arrays[name] = value._data if isinstance(value, Tensor) else as_array(value, where=f"save: {place}")
            return {kind: name}
        raise TypeError(f"save: expected tensors, arrays, numbers, strings, dicts, lists, tuples or None, got "
                        f"{type(value).__name__} at {place or 'the top'}")  # fmt: skip

    return arrays, json.dumps({"tree": visit(state, "", 0)}, allow_nan=False)


def unflatten(arrays: Mapping[str, Array], text: str, path: str) -> Any:
    """The nested state of :func:`flatten`.

    Raises:
        CheckpointError: for a text that :func:`flatten` does not write.
    """

    def refuse(reason: str) -> CheckpointError:
        return CheckpointError("load_checkpoint", path, reason)

    def visit(value: Any) -> Any:
        if isinstance(value, list):
            return [visit(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            raise refuse(f"expected objects of one key in the tree, got {shown(list(value))}")
        kind, content = next(iter(value.items()))
        if kind == "dict" and isinstance(content, list):
            return pairs(content)
        if kind == "tuple" and isinstance(content, list):
            return tuple(visit(item) for item in content)
        if kind == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if kind in ("tensor", "array", "scalar") and isinstance(content, str) and content in arrays:
            array = arrays[content]
            used.add(content)
            if kind != "scalar":
                return constant(array) if kind == "tensor" else array
            if array.ndim == 0:
                return array[()]
        raise refuse(f"expected dict, tuple, float, or an array of the file in the tree, got {shown(kind)}: {shown(content)}")

    def pairs(content: list[Any]) -> dict[str | int, Any]:
        found: dict[str | int, Any] = {}
        for pair in content:
            if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in (str, int):
                raise refuse(f"expected pairs of a key and a value in the tree, got {shown(pair)}")
            if pair[0] in found:
                raise refuse(f"expected each key of the tree once, got {shown(pair[0])} twice")
            found[pair[0]] = visit(pair[1])
        return found

    used: set[str] = set()
    tree = parse_object(text.encode(errors="surrogatepass"), "the tree", path)
    if set(tree) != {"tree"}:
        raise refuse(f"expected the key 'tree' alone, got {shown(list(tree))}")
    try:
        state = visit(tree["tree"])
    except RecursionError:
        raise refuse("expected a tree of fewer levels") from None
    if len(used) < len(arrays):
        raise refuse(f"expected every array of the file in the tree, {shown(min(set(arrays) - used))} is not")
    return state
