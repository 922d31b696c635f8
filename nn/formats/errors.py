"""The errors of files that are not what they should be, and where they come from."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import IO, Any

Path = str | os.PathLike[str]

VERSION = 1  # of what is in the metadata; a file without a number is by another program, and is read too
OURS = "tapegrad."  # how the names of our own metadata begin


class FileFormatError(ValueError):
    """A file that cannot be read as what it should be.

    Attributes:
        where: the function that read it.
        path: of the file.
        reason: what was expected, and what was found.
    """

    def __init__(self, where: str, path: Path, reason: str) -> None:
        super().__init__(f"{where}: {os.fspath(path)}: {reason}")
        self.where = where
        self.path = os.fspath(path)
        self.reason = reason

    def __reduce__(self) -> Any:  # so that it comes whole from another process
        return type(self), (self.where, self.path, self.reason)


class CheckpointError(FileFormatError):
    """A file of tensors (.safetensors, .npz) that is damaged, forged or not such a file at all. Nothing was loaded."""


def text_of(where: str, path: Any) -> str:
    """A path as a string.

    Raises:
        TypeError: for anything but a string or an ``os.PathLike`` of one.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{where}: expected a path, got {type(path).__name__}; a file is written and read by its name")
    return text


def open_regular(where: str, path: str, kind: type[FileFormatError] = FileFormatError) -> tuple[IO[bytes], int]:
    """A file opened for reading, and its size.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as ``open`` does.
        ``kind``: for a pipe, a socket or a device, which have no size to check and may never end.
    """
    status = os.stat(path)  # before open(): opening a pipe waits for its writer
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "expected a file, got a directory", path)
    if not stat.S_ISREG(status.st_mode):
        raise kind(where, path, "expected a regular file, got a pipe, a socket or a device")
    file = open(path, "rb")  # noqa: SIM115 - the caller closes it
    return file, os.fstat(file.fileno()).st_size


def looks_like(start: bytes) -> str:
    """What the first bytes of a file are taken for, in words."""
    signs = (
        (b"\x80\x02", "a pickle, which is never loaded because it can run code"),
        (b"\x80\x03", "a pickle, which is never loaded because it can run code"),
        (b"\x80\x04", "a pickle, which is never loaded because it can run code"),
        (b"\x80\x05", "a pickle, which is never loaded because it can run code"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x93NUMPY", "a single .npy array"),
        (b"\x1f\x8b", "gzip data"),
        (b"\x89HDF", "an HDF5 file"),
    )
    for sign, name in signs:
        if start.startswith(sign):
            return name
    head = start.lstrip()[:15].lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page: the download went wrong"
    return f"a file that starts with {start[:8]!r}" if start else "an empty file"


def unpacked_limit(size: int) -> int:
    """How many bytes a compressed file of ``size`` bytes may unpack to unless the caller says otherwise.

    Arrays rarely shrink to a hundredth, while a file made to fill the memory shrinks to a thousandth.
    """
    return max(64 << 20, 100 * size)


def shown(value: Any) -> str:
    """A value from a file in a message: not longer than a line."""
    if isinstance(value, int) and abs(value) >= 10**30:  # Python refuses to print a number of thousands of digits
        return f"about 10**{int(value.bit_length() * 0.30103)}"
    text = repr(value[:80] if isinstance(value, str | list | tuple) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_against(found: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]] | None, path: str) -> None:
    """Raises for an array that the state which the file is meant for has not, or has in another shape."""
    if shapes is None:
        return
    for name, shape in found.items():
        if name not in shapes:
            raise CheckpointError("load", path, f"expected the names of the expected state, got {shown(name)} too")
        if shape != shapes[name]:
            raise CheckpointError("load", path, f"{shown(name)}: expected shape {shapes[name]}, got {shown(shape)}")


def check_total(total: int, limit: int, size: int, path: str) -> None:
    """Raises for more bytes than a file of ``size`` bytes may take when it is unpacked."""
    if total > limit:
        reason = f"expected at most {limit} bytes in all from a file of {size}, got {total}; raise max_bytes= if that is right"
        raise CheckpointError("load", path, reason)


def check_version(metadata: Mapping[str, str], path: str) -> None:
    """Raises for a file of a newer version than this program knows."""
    text = metadata.get(OURS + "version", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise CheckpointError("load", path, f"expected a whole number as the version of the file, got {shown(text)}")
    if int(text) > VERSION:
        reason = f"expected version {VERSION} of the file or an older one, got {text}; upgrade tapegrad to read it"
        raise CheckpointError("load", path, reason)


def is_unicode(text: str) -> bool:
    """False for half of a surrogate pair, which Python and JSON take and UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
