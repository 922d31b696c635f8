"""The npz format: a zip archive of .npy arrays (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

``numpy.load`` trusts the numbers that it finds, and evaluates the header of each array as a Python literal. Here the header
has to match a pattern, letter by letter, and all sizes have to agree with each other, before anything is allocated; nothing
is ever written to disk.
"""

from __future__ import annotations

import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from autograd.arrays import Array
from nn.formats.errors import CheckpointError, check_against, check_total, check_version, looks_like, shown
from nn.formats.strict_json import parse_object, strings

METADATA = "__metadata__.json"  # the member that holds what is not an array
NAME = re.compile(r"[\w.]+")  # letters of any script
NAME_LIMIT = 0xFFFF - len(".npy")  # bytes: a zip archive counts them in 16 bits
_DIRECTORY_LIMIT = 16 << 20  # bytes of the list of members: about a hundred thousand
_METADATA_LIMIT = 64 << 20
_HEADER_LIMIT = 10_000  # bytes of the header of one array, as in NumPy
_CHUNK = 1 << 20
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\{'descr': *'(?P<descr>[^']*)', *'fortran_order': *(?P<fortran>True|False), *"
    r"'shape': *\((?P<shape>[^()]*)\),? *\} *\n"
)
_CODES = frozenset({"b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"})
_SHAPE = re.compile(r"|[0-9]{1,19},|[0-9]{1,19}(?:, *[0-9]{1,19})+,?")
_WHAT_ZIPFILE_RAISES = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, IndexError, KeyError,
)  # fmt: skip


class Entry(NamedTuple):
    """One array in the archive."""

    name: str
    member: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int


# ------------------------------------------------------------------------------------------------ writing


def write(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Writes arrays, whose names were checked, and metadata. Equal contents give equal files."""
    text = json.dumps(dict(metadata)).encode()
    directory = sum(100 + len(name.encode()) for name in arrays)  # more than the list of members will take
    if len(text) > _METADATA_LIMIT or directory > _DIRECTORY_LIMIT:
        raise ValueError(
            f"save: expected metadata of at most {_METADATA_LIMIT} bytes and a list of names of at most {_DIRECTORY_LIMIT} in "
            f"an .npz, got {len(text)} and {directory}; a .safetensors takes more"
        )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(METADATA), text)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype)
                member.write(_header(plain.dtype, array.shape))
                member.write(plain.reshape(-1).view(np.uint8).data)


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """A header of version 1.0 that ends at a multiple of 64 bytes."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(_MAGIC) + 4 + len(text) + 1) % 64) + "\n"
    return _MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii")


# ------------------------------------------------------------------------------------------------ reading


def read(
    file: IO[bytes], size: int, path: str, limit: int, shapes: Mapping[str, tuple[int, ...]] | None, _widen: bool = False
) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata.

    Args:
        file: open for reading.
        size: of the file, in bytes.
        path: for messages.
        limit: how many bytes all arrays may take together.
        shapes: of the arrays that there may be, if that is known.

    Raises:
        CheckpointError: for whatever does not hold.
    """
    with _opened(file, size, path) as archive:
        members = _checked_members(archive, size, path)
        described = members.pop("", None)
        metadata = _metadata(archive, described, path) if described else {}
        entries = [_entry(archive, name, member, path) for name, member in members.items()]
        check_against({entry.name: entry.shape for entry in entries}, shapes, path)
        check_total(sum(entry.member.file_size for entry in entries), limit, size, path)
        return {entry.name: _array(archive, entry, path) for entry in entries}, metadata


def read_metadata(file: IO[bytes], size: int, path: str) -> dict[str, str]:
    """The metadata alone."""
    with _opened(file, size, path) as archive:
        described = _checked_members(archive, size, path).get("")
        return _metadata(archive, described, path) if described else {}


def _opened(file: IO[bytes], size: int, path: str) -> zipfile.ZipFile:
    """The archive, whose list of members is as long as it says."""
    count = _check_ends(file, size, path)
    try:
        archive = zipfile.ZipFile(file)
    except _WHAT_ZIPFILE_RAISES as error:
        raise _refuse(path, f"expected a whole zip archive, got a damaged one: {shown(str(error))}") from None
    found = len(archive.infolist())
    if found != count:
        raise _refuse(path, f"expected {count} members as the end record says, got {found}")
    return archive


def _check_ends(file: IO[bytes], size: int, path: str) -> int:
    """Looks at both ends of the archive before zipfile reads the list of its members into memory; how many there are."""
    start = file.read(8)
    if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise _refuse(path, f"expected a zip archive, got {looks_like(start)}")
    first = max(0, size - 66_000)
    file.seek(first)
    tail = file.read(66_000)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        raise _refuse(path, "expected the end record of a zip archive, found none: the file is cut off")
    count, directory, offset, comment = struct.unpack_from("<HLLH", tail, place + 10)
    if len(tail) - place - 22 != comment:
        raise _refuse(
            path, f"expected the archive to end with its end record, got {len(tail) - place - 22 - comment} bytes more"
        )
    if tail[max(0, place - 20) : place].startswith(b"PK\x06\x07"):  # large archives have a record of 56 bytes before
        place -= 76
        if not tail[max(0, place) :].startswith(b"PK\x06\x06"):
            raise _refuse(path, "expected the 64-bit end record of a zip archive, found none")
        count, directory, offset = struct.unpack_from("<QQQ", tail, place + 32)
    if directory > _DIRECTORY_LIMIT:
        raise _refuse(path, f"expected a list of members of at most {_DIRECTORY_LIMIT} bytes, got {directory}")
    if offset + directory != first + place:
        raise _refuse(path, f"expected the list of members to end at {first + place}, got {offset + directory}")
    return int(count)


def _checked_members(archive: zipfile.ZipFile, size: int, path: str) -> dict[str, zipfile.ZipInfo]:
    """The members by the names of their arrays (the metadata under ""): plain files that lie side by side in the archive."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        where = shown(name)
        if name.endswith("/data.pkl") or name == "data.pkl":
            raise _refuse(path, f"expected arrays, got {where}: a file of torch.save, a pickle, which is never loaded; "
                                "write it with safetensors.torch.save_file")  # fmt: skip
        if name == METADATA:
            name = ""  # which no array has
        else:
            if not name.endswith(".npy"):
                raise _refuse(path, f"expected members that end in .npy, got {where}")
            name = name.removesuffix(".npy")
            if not NAME.fullmatch(name):
                raise _refuse(path, f"expected names of letters, digits, '_' and '.', got {where}; nothing is unpacked")
        if name in found:
            raise _refuse(path, f"expected each name once, got {where} twice")
        if member.flag_bits & 0x41:
            raise _refuse(path, f"{where}: expected plain data, got encrypted data")
        if member.external_attr >> 28 not in (0, 0o10):  # the type of the file under Unix: none, or regular
            raise _refuse(path, f"{where}: expected a regular file, got a link or a device")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refuse(path, f"{where}: expected stored or deflated data, got compression method {member.compress_type}")
        if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
            raise _refuse(path, f"{where}: expected stored data of {member.file_size} bytes, got {member.compress_size}")
        if member.file_size > 1100 * member.compress_size + 100:
            raise _refuse(path, f"{where}: expected a size that deflate can reach, got {member.file_size} bytes from "
                                f"{member.compress_size}")  # fmt: skip
        found[name] = member
    end = 0
    for member in sorted(found.values(), key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise _refuse(path, f"{shown(member.filename)}: expected members side by side, got one that overlaps another")
        name_length = len(member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437"))
        end = member.header_offset + 30 + name_length + member.compress_size
    if end > size:
        raise _refuse(path, f"expected members within {size} bytes, got one that ends at {end}: the file is cut off")
    return found


def _metadata(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> dict[str, str]:
    if member.file_size > _METADATA_LIMIT:
        raise _refuse(path, f"expected metadata of at most {_METADATA_LIMIT} bytes, got {member.file_size}")
    raw = np.empty(member.file_size, np.uint8)
    _fill(archive, member, [raw], path)
    metadata = strings(parse_object(raw.tobytes(), METADATA, path), METADATA, path)
    check_version(metadata, path)
    return metadata


def _entry(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo, path: str) -> Entry:
    """One array, described by a header that agrees with the size of the member."""
    where = shown(name)
    head = _peek(archive, member, 12 + _HEADER_LIMIT, path)
    if head[:6] != _MAGIC or len(head) < 12:
        raise _refuse(path, f"{where}: expected an array in .npy form, got {looks_like(head)}")
    version = (head[6], head[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise _refuse(path, f"{where}: expected .npy version 1.0, 2.0 or 3.0, got {version[0]}.{version[1]}")
    begin = 10 if version == (1, 0) else 12
    length = int.from_bytes(head[8:begin], "little")
    if length > _HEADER_LIMIT:
        raise _refuse(path, f"{where}: expected an array header of at most {_HEADER_LIMIT} bytes, got {length}")
    text = head[begin : begin + length]
    if len(text) < length:
        raise _refuse(path, f"{where}: expected an array header of {length} bytes, got {len(text)}")
    match = _HEADER.fullmatch(text.decode("latin-1"))
    if match is None:
        kind = "a structured dtype" if b"'descr': [" in text else "something else"
        raise _refuse(
            path, f"{where}: expected a header of descr, fortran_order and shape, got {kind}: {shown(text.decode('latin-1'))}"
        )
    dtype = _dtype(match["descr"], where, path)
    if not _SHAPE.fullmatch(match["shape"]):
        raise _refuse(path, f"{where}: expected a shape of whole numbers from 0 to 2**63 - 1, got ({match['shape'][:60]})")
    shape = tuple(int(size) for size in re.findall(r"[0-9]+", match["shape"]))
    if len(shape) > 64:
        raise _refuse(path, f"{where}: expected at most 64 axes, got {len(shape)}")
    if math.prod(size or 1 for size in shape) * dtype.itemsize >= 2**63:
        raise _refuse(path, f"{where}: expected a shape that NumPy can hold, got {shown(shape)}")
    needed = math.prod(shape) * dtype.itemsize
    data = member.file_size - begin - length
    if needed != data:
        raise _refuse(path, f"{where}: expected {shown(needed)} bytes for {dtype} of shape {shown(shape)}, got {data}")
    return Entry(name, member, dtype, shape, match["fortran"] == "True", begin + length)


def _dtype(descr: str, where: str, path: str) -> np.dtype[Any]:
    """The dtype of a description such as '<f4'."""
    if descr[-1:] == "O" or descr[1:2] == "O":
        raise _refuse(path, f"{where}: expected numbers, got objects, which are pickles and are never loaded")
    if descr[:1] not in tuple("<>|=") or descr[1:] not in _CODES:
        raise _refuse(path, f"{where}: expected a dtype of floats, integers or bools, got {shown(descr)}")
    return np.dtype(descr)


def _peek(archive: zipfile.ZipFile, member: zipfile.ZipInfo, count: int, path: str) -> bytes:
    """The first bytes of a member."""
    try:
        with archive.open(member) as opened:
            return opened.read(count)
    except _WHAT_ZIPFILE_RAISES as error:
        raise _damaged(member, error, path) from None


def _array(archive: zipfile.ZipFile, entry: Entry, path: str) -> Array:
    header = np.empty(entry.start, np.uint8)
    flat: Array = np.empty(math.prod(entry.shape), entry.dtype)
    _fill(archive, entry.member, [header, flat.view(np.uint8)], path)
    if entry.dtype == np.bool_ and flat.size and flat.view(np.uint8).max() > 1:
        raise _refuse(path, f"{shown(entry.name)}: expected 0 or 1 in bools, got {flat.view(np.uint8).max()}")
    array = flat.reshape(entry.shape, order="F" if entry.fortran else "C")
    return np.ascontiguousarray(array, entry.dtype.newbyteorder("=")).reshape(entry.shape)


def _fill(archive: zipfile.ZipFile, member: zipfile.ZipInfo, parts: list[Array], path: str) -> None:
    """Reads a member into arrays of bytes, which it fills exactly and whose checksum is the one in the archive."""
    checksum = 0
    try:
        with archive.open(member) as opened:
            for part in parts:
                view, done = part.data, 0
                while done < len(view):
                    count = opened.readinto(view[done : done + _CHUNK])  # type: ignore[attr-defined]
                    if not count:
                        raise EOFError(f"{done} bytes instead of {len(view)}")
                    checksum = zlib.crc32(view[done : done + count], checksum)
                    done += count
    except _WHAT_ZIPFILE_RAISES as error:
        raise _damaged(member, error, path) from None
    if checksum != member.CRC:  # zipfile looks at it only where it reads to the end
        raise _damaged(member, ValueError("CRC"), path)


def _damaged(member: zipfile.ZipInfo, error: Exception, path: str) -> CheckpointError:
    kind = "of another checksum (CRC)" if "CRC" in str(error) else f"that cannot be unpacked: {shown(str(error))}"
    return _refuse(path, f"{shown(member.filename)}: expected whole data, got data {kind}")


def _refuse(path: str, reason: str) -> CheckpointError:
    return CheckpointError("load", path, reason)
