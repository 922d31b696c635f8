"""The safetensors format: 8 bytes of header length, a JSON header, and the bytes of the arrays without a gap.

Source: https://github.com/huggingface/safetensors, README, "Format". This reader asks for more than the format does: the
header lists the tensors in the order of their bytes, as the safetensors package writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from autograd.arrays import Array
from nn.formats.errors import CheckpointError, check_against, check_total, check_version, is_unicode, looks_like, shown
from nn.formats.strict_json import parse_object, strings

HEADER_LIMIT = 100_000_000  # bytes; the safetensors package has the same limit
DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4", "F32": "<f4",
    "U64": "<u8", "I64": "<i8", "F64": "<f8",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
METADATA = "__metadata__"
WIDENED = "BF16"  # NumPy has no such dtype; every value of it is a float32
_FOREIGN = ("F8_", "F4", "F6_", "C64")  # how the names of the dtypes begin that the format has and NumPy has not
_CHUNK = 1 << 24


class Entry(NamedTuple):
    """One array in the file: its dtype, shape and place among the bytes."""

    name: str
    code: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return 2 if self.code == WIDENED else np.dtype(DTYPES[self.code]).itemsize


# ------------------------------------------------------------------------------------------------ writing


def write(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Writes arrays and metadata, both checked before."""
    # the widest dtypes first, so that every array begins at a multiple of its item size, as the safetensors package has it
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        array, begin = arrays[name], end
        end += array.nbytes
        code = NAMES[array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise ValueError(f"save: expected names and metadata of at most {HEADER_LIMIT} bytes, got {len(text)}")
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        file.write(little_endian(arrays[name]))


def little_endian(array: Array) -> memoryview:
    """The bytes of an array in C order, copied only where they are not in that order already."""
    code = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
    return np.ascontiguousarray(array, dtype=code).reshape(-1).view(np.uint8).data


# ------------------------------------------------------------------------------------------------ reading


def read(
    file: IO[bytes], size: int, path: str, limit: int, shapes: Mapping[str, tuple[int, ...]] | None, widen: bool
) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata.

    Args:
        file: open for reading.
        size: of the file, in bytes.
        path: for messages.
        limit: how many bytes all arrays may take together.
        shapes: of the arrays that there may be, if that is known.
        widen: make float32 of bfloat16, which is refused otherwise.

    Raises:
        CheckpointError: for whatever does not hold.
    """
    entries, metadata, start = read_header(file, size, path)
    check_against({entry.name: entry.shape for entry in entries}, shapes, path)
    check_total(size, limit, size, path)
    for entry in entries:
        if entry.code == WIDENED and not widen:
            raise _refuse(
                path,
                f"{shown(entry.name)}: expected a dtype that NumPy has, got bfloat16; pass widen=True to make float32 of it",
            )
    return {entry.name: read_array(file, entry, start, path) for entry in entries}, metadata


def read_header(file: IO[bytes], size: int, path: str) -> tuple[list[Entry], dict[str, str], int]:
    """The arrays, the metadata and where the bytes begin; everything is checked.

    Raises:
        CheckpointError: for whatever does not hold.
    """
    start = file.read(8)
    if len(start) < 8:
        raise _refuse(path, f"expected at least 8 bytes, got {len(start)}: {looks_like(start)}")
    length = int.from_bytes(start, "little")
    if length > HEADER_LIMIT:
        seen = looks_like(start + file.read(24))
        raise _refuse(path, f"expected a header of at most {HEADER_LIMIT} bytes, got a length of {length}; it is {seen}")
    if length > size - 8:
        raise _refuse(path, f"expected a header of {length} bytes, the file has {size - 8} after its length; it is cut off")
    raw = file.read(length)
    if not raw.startswith(b"{"):
        raise _refuse(path, f"expected a header that begins with '{{', got {raw[:8]!r}")
    header = parse_object(raw, "the header", path)
    metadata = strings(header.pop(METADATA, {}), METADATA, path)
    check_version(metadata, path)
    entries = [_entry(name, value, path) for name, value in header.items()]
    end = 0
    for entry in entries:
        if entry.begin != end:
            kind = "overlaps the one before or is out of order" if entry.begin < end else "leaves a gap"
            raise _refuse(path, f"{entry.name!r}: expected data to begin at {end}, got {entry.begin}, which {kind}")
        end = entry.end
    if end != size - 8 - length:
        kind = "the file is cut off" if end > size - 8 - length else "there is more after the last tensor"
        raise _refuse(path, f"expected {end} bytes of data, got {size - 8 - length}: {kind}")
    return entries, metadata, 8 + length


def _entry(name: str, value: Any, path: str) -> Entry:
    """One entry of the header, whose numbers fit each other."""
    where = shown(name)
    if not is_unicode(name):
        raise _refuse(path, f"{where}: expected a name in Unicode, got half of a surrogate pair")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        got = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise _refuse(path, f"{where}: expected dtype, shape and data_offsets, got {shown(got)}")
    code, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(code, str) or (code not in DTYPES and code != WIDENED):
        known = isinstance(code, str) and code.startswith(_FOREIGN)
        hint = "; NumPy has no such dtype: convert the file" if known else ""
        raise _refuse(path, f"{where}: expected a dtype among {', '.join(DTYPES)}, got {shown(code)}{hint}")
    if not _whole(shape):
        raise _refuse(path, f"{where}: expected a shape of whole numbers from 0 to 2**63 - 1, got {shown(shape)}")
    if len(shape) > 64:  # NumPy's own limit
        raise _refuse(path, f"{where}: expected at most 64 axes, got {len(shape)}")
    if not _whole(offsets) or len(offsets) != 2:
        raise _refuse(path, f"{where}: expected data_offsets of two whole numbers, got {shown(offsets)}")
    entry = Entry(name, code, tuple(shape), *offsets)
    if entry.begin > entry.end:
        raise _refuse(path, f"{where}: expected data_offsets that begin before they end, got {offsets}")
    needed = math.prod(entry.shape) * entry.itemsize  # Python's whole numbers do not overflow
    if entry.end - entry.begin != needed:
        raise _refuse(
            path, f"{where}: expected {shown(needed)} bytes for {code} of shape {shown(shape)}, got {entry.end - entry.begin}"
        )
    if math.prod(size or 1 for size in entry.shape) * entry.itemsize >= 2**63:
        raise _refuse(path, f"{where}: expected a shape that NumPy can hold, got {shown(shape)}")
    return entry


def _whole(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)


def read_array(file: IO[bytes], entry: Entry, start: int, path: str) -> Array:
    """The array of an entry that was checked."""
    code = "<u2" if entry.code == WIDENED else DTYPES[entry.code]
    array: Array = np.empty(entry.shape, code)
    file.seek(start + entry.begin)
    view = array.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(view):
        count = file.readinto(view[done : done + _CHUNK])  # type: ignore[attr-defined]
        if not count:
            raise _refuse(
                path, f"{shown(entry.name)}: expected {len(view)} bytes, got {done}: the file shrank while it was read"
            )
        done += count
    if code == "?" and array.size and array.view(np.uint8).max() > 1:
        raise _refuse(path, f"{shown(entry.name)}: expected 0 or 1 in BOOL, got {array.view(np.uint8).max()}")
    if entry.code == WIDENED:  # the upper half of the float32
        array = np.asarray((array.astype(np.uint32) << np.uint32(16)), np.uint32).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _refuse(path: str, reason: str) -> CheckpointError:
    return CheckpointError("load", path, reason)
