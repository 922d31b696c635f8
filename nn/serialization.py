"""State dicts in files: .safetensors and .npz, checked whole before anything is loaded and replaced whole when saved.

Neither format can hold code, and no pickle is ever read or written. Both are read by this package itself, with or without the
safetensors package, so that the same files are accepted and refused everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays import Array, as_array
from autograd.primitive import constant
from nn.formats import npz, safetensors
from nn.formats.atomic import replacing
from nn.formats.errors import (
    OURS,
    VERSION,
    CheckpointError,
    FileFormatError,
    Path,
    is_unicode,
    open_regular,
    shown,
    text_of,
    unpacked_limit,
)
from nn.formats.tree import flatten, unflatten

__all__ = ["CheckpointError", "FileFormatError", "load", "load_checkpoint", "load_metadata", "save", "save_checkpoint"]

_TREE = OURS + "tree"


def save(state: Mapping[str, Any], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Saves tensors by name, in the format that the end of the path names, bit for bit.

    The file takes its place in one step when it is complete: a crash at any point leaves the old file whole. Tensors that
    share memory are saved once under each of their names. Big-endian arrays are saved, and loaded, in the other order.

    Args:
        state: tensors or arrays by name, such as a module's ``state_dict()``.
        path: ends in ``.safetensors`` or ``.npz``. An .npz has names of letters, digits, "_" and "." only.
        metadata: strings by name, kept with the tensors (see :func:`load_metadata`).

    Raises:
        ValueError: for names that cannot be saved and endings of other formats; nothing is written then.
        TypeError: for values that are not tensors or arrays of numbers.
        OSError: as the system has it, for a folder that is missing, read-only or full.

    Example:
        >>> import os, tempfile
        >>> import autograd as ag, nn
        >>> model = nn.Linear(2, 1)
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> nn.save(model.state_dict(), path)
        >>> nn.Linear(2, 1).load_state_dict(nn.load(path))
        ([], [])
    """
    _save(_checked_arrays(state), path, _checked_metadata(metadata))


def load(
    path: Path, *, expected: Mapping[str, Any] | None = None, max_bytes: int | None = None, widen: bool = False
) -> dict[str, Tensor]:
    """The tensors of a file by name. The file is checked whole first: a part of it is never returned.

    Args:
        path: ends in ``.safetensors`` or ``.npz``.
        expected: a state that the file is meant for, such as the ``state_dict()`` of a new model: a file with other names
            or shapes is refused before anything is allocated. (Names that are missing are left to ``load_state_dict``.)
        max_bytes: how much the tensors may take together. Without it, an .npz may unpack to 100 times its own size, or
            64 MiB if that is more, or to what ``expected`` takes.
        widen: make float32 of bfloat16, which NumPy does not have; every bfloat16 is a float32 exactly.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such file.
        CheckpointError: if it is damaged, forged or of another format; ``path`` and ``reason`` say which and why.
        ValueError: for endings of other formats.
    """
    arrays, _ = _load(path, expected, max_bytes, widen)
    return {name: constant(array) for name, array in arrays.items()}


def load_metadata(path: Path) -> dict[str, str]:
    """The metadata that a file was saved with.

    Args:
        path: ends in ``.safetensors`` or ``.npz``.

    Raises:
        as :func:`load`, for what is wrong with the list of tensors; their bytes are not read.
    """
    name = _checked_path("load_metadata", path)
    file, size = open_regular("load", name, CheckpointError)
    with file:
        if name.endswith(".npz"):
            metadata = npz.read_metadata(file, size, name)
        else:
            _, metadata, _ = safetensors.read_header(file, size, name)
    return {key: value for key, value in metadata.items() if not key.startswith(OURS)}


def save_checkpoint(state: Any, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Saves nested dicts, lists and tuples of tensors, arrays, numbers, strings, bools and None.

    This is what it takes to go on with a training: the arrays go into the file as :func:`save` has it, and what is around
    them into its metadata, as JSON. Plain numbers keep all their bits, and dictionaries may have whole numbers as keys.

    Args:
        state: the nested state.
        path: as in :func:`save`.
        metadata: as in :func:`save`.

    Raises:
        TypeError: for anything else in it, named by its place.
        ValueError: for a nesting of more than 50 levels (or one that contains itself), and as :func:`save`.

    Example:
        >>> import os, tempfile
        >>> import nn, optim
        >>> from autograd.random import default_generator
        >>> model = nn.Linear(2, 1)
        >>> optimizer = optim.Adam(model.parameters())
        >>> path = os.path.join(tempfile.mkdtemp(), "training.safetensors")
        >>> nn.serialization.save_checkpoint(
        ...     {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3,
        ...      "random": default_generator.get_state()}, path)
        >>> state = nn.serialization.load_checkpoint(path)
        >>> optimizer.load_state_dict(state["optimizer"])
        >>> state["epoch"]
        3
    """
    arrays, tree = flatten(state)
    _save(arrays, path, {**_checked_metadata(metadata), _TREE: tree})


def load_checkpoint(path: Path, *, max_bytes: int | None = None) -> Any:
    """What :func:`save_checkpoint` saved.

    Args:
        path: as in :func:`save`.
        max_bytes: as in :func:`load`.

    Raises:
        as :func:`load`, also for a file of :func:`save`.
    """
    arrays, metadata = _load(path, None, max_bytes, False)
    name = os.fspath(path)
    if _TREE not in metadata:
        raise CheckpointError("load_checkpoint", name, "expected a file of save_checkpoint, got tensors alone; use load")
    return unflatten(arrays, metadata[_TREE], name)


# ------------------------------------------------------------------------------------------------ in between


def _save(arrays: Mapping[str, Array], path: Path, metadata: dict[str, str]) -> None:
    name = _checked_path("save", path)
    zipped = name.endswith(".npz")
    for key in arrays:
        _check_name(key, zipped)
    metadata = {OURS + "version": str(VERSION), **metadata}
    with replacing(name) as file:
        (npz if zipped else safetensors).write(file, arrays, metadata)


def _load(
    path: Path, expected: Mapping[str, Any] | None, max_bytes: int | None, widen: bool
) -> tuple[dict[str, Array], dict[str, str]]:
    name = _checked_path("load", path)
    shapes = None if expected is None else {key: np.shape(value) for key, value in expected.items()}
    file, size = open_regular("load", name, CheckpointError)
    with file:
        reader = npz.read if name.endswith(".npz") else safetensors.read
        limit = max_bytes
        if limit is None:
            known = 0 if shapes is None else sum(8 * int(np.prod(shape)) + 10_000 for shape in shapes.values())
            limit = max(known, unpacked_limit(size))
        arrays, metadata = reader(file, size, name, limit, shapes, widen)
    return arrays, metadata


def _checked_path(where: str, path: Path) -> str:
    name = text_of(where, path)
    if not name.endswith((".safetensors", ".npz")):
        hint = "; PyTorch's own files are pickles: write them with safetensors.torch.save_file" * name.endswith((".pt", ".pth"))
        raise ValueError(f"{where}: expected a path that ends in .safetensors or .npz, got {name!r}{hint}")
    return name


def _checked_arrays(state: Any) -> dict[str, Array]:
    if not isinstance(state, Mapping):
        raise TypeError(f"save: expected tensors by name, got {type(state).__name__}")
    found = {}
    for name, value in state.items():
        if not isinstance(value, Tensor | np.ndarray | np.generic):
            remedy = "; use save_checkpoint for nested states" if isinstance(value, dict | list | tuple) else ""
            raise TypeError(f"save: expected a Tensor or an array for {name!r}, got {type(value).__name__}{remedy}")
        found[name] = value._data if isinstance(value, Tensor) else as_array(value, where=f"save: {name!r}")
    return found


def _checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping) or not all(isinstance(x, str) for pair in metadata.items() for x in pair):
        raise TypeError(f"save: expected metadata of strings by name, got {shown(metadata)}; json.dumps makes a string of more")
    for name, value in metadata.items():
        if name.startswith(OURS):
            raise ValueError(f"save: expected names of metadata that do not begin with {OURS!r}, got {name!r}")
        if not (is_unicode(name) and is_unicode(value)):
            raise ValueError(f"save: expected metadata in Unicode, got half of a surrogate pair in {shown(name)}")
    return dict(metadata)


def _check_name(name: Any, zipped: bool) -> None:
    """Raises for a name that would not come back, or not alone."""
    if not isinstance(name, str):
        raise TypeError(f"save: expected strings as names, got {type(name).__name__}")
    if zipped:
        if not npz.NAME.fullmatch(name):
            raise ValueError(f"save: expected a name of letters, digits, '_' and '.' in an .npz, got {shown(name)}; "
                             "a .safetensors takes any")  # fmt: skip
        if len(name.encode()) > npz.NAME_LIMIT:
            raise ValueError(f"save: expected a name of at most {npz.NAME_LIMIT} bytes in an .npz, got {len(name.encode())}")
    elif name == safetensors.METADATA:
        raise ValueError(f"save: expected another name than {name!r}, which the format keeps for itself")
    elif not is_unicode(name):
        raise ValueError(f"save: expected a name in Unicode, got half of a surrogate pair in {shown(name)}")
