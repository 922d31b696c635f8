"""Files of data: IDX, CSV and npz, whose sizes and counts are checked before anything is allocated."""

from __future__ import annotations

import array as arrays
import contextlib
import csv
import gzip
import hashlib
import io
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays import Array, check_dtype, get_default_dtype
from autograd.primitive import constant
from nn.formats import npz
from nn.formats.errors import FileFormatError, Path, looks_like, open_regular, shown, text_of, unpacked_limit

_IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK = 1 << 20


@contextlib.contextmanager
def _opened(where: str, path: Path, sha256: str | None) -> Iterator[tuple[Any, int, str]]:
    """A file, its size and its name, once its checksum is the one that is wanted."""
    name = text_of(where, path)
    if sha256 is not None and (len(sha256) != 64 or not set(sha256.lower()) <= set("0123456789abcdef")):
        raise ValueError(f"{where}: expected sha256 in 64 hexadecimal digits, got {sha256!r}")
    opened, size = open_regular(where, name)
    file: Any = opened
    with file:
        if sha256 is not None:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256.lower():
                raise FileFormatError(where, name, f"expected SHA-256 {sha256.lower()}, got {found}: it is another file")
            file.seek(0)
        yield file, size, name


# ------------------------------------------------------------------------------------------------ IDX


def load_idx(path: Path, *, sha256: str | None = None, max_bytes: int | None = None) -> Tensor:
    """The tensor in an IDX file, the format of MNIST's own files; ``.gz`` is unpacked on the way.

    Two zero bytes, the dtype, the number of axes, the size of each axis in 4 bytes, and the numbers, most significant byte
    first. Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".

    Args:
        path: of the file; packed if it begins as gzip does, whatever its name.
        sha256: the checksum of the file as it is on the disk, in hexadecimal.
        max_bytes: how much a packed file may unpack to: 100 times its size, or 64 MiB if that is more, without it.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such file.
        FileFormatError: for another checksum, and for a file that is not exactly as long as its header says.
    """
    with _opened("load_idx", path, sha256) as (file, size, name):
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return constant(_read_idx(file, size, None, name))  # type: ignore[no-any-return]
        limit = unpacked_limit(size) if max_bytes is None else max_bytes
        file.seek(max(0, size - 4))
        length = int.from_bytes(file.read(4), "little")  # of what is packed, which gzip writes at the end
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return constant(_read_idx(unpacked, length, limit, name))  # type: ignore[no-any-return]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError("load_idx", name, f"expected whole gzip data, got damaged data: {error}") from None


def _read_idx(file: Any, size: int, limit: int | None, path: str) -> Array:
    """The array of a file of ``size`` bytes, which may take ``limit`` bytes if it is being unpacked."""

    def refuse(reason: str) -> FileFormatError:
        return FileFormatError("load_idx", path, reason)

    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_DTYPES:
        raise refuse(
            f"expected an IDX file, which begins with 0, 0 and a dtype of 8 to 14, got {looks_like(start + file.read(12))}"
        )
    count = start[3]
    raw = file.read(4 * count)
    if not 1 <= count <= 64 or len(raw) < 4 * count:
        raise refuse(f"expected 1 to 64 axes and a size of 4 bytes for each, got {count} axes and {len(raw)} bytes")
    shape = tuple(int(axis) for axis in np.frombuffer(raw, ">u4"))
    dtype = np.dtype(_IDX_DTYPES[start[2]])
    needed = math.prod(shape) * dtype.itemsize  # Python's whole numbers do not overflow
    begin = 4 + 4 * count
    if limit is not None and needed > limit:
        raise refuse(f"expected at most {limit} bytes, got {shown(needed)} for shape {shown(shape)}; raise max_bytes= if right")
    if limit is not None and (begin + needed) % 2**32 != size:  # gzip counts in 32 bits
        reason = f"gzip says {size} in all: the file is cut off or damaged"
        raise refuse(f"expected {begin + needed} bytes for shape {shown(shape)} and its header, {reason}")
    if limit is None and begin + needed != size:
        kind = "the file is cut off" if begin + needed > size else "there is more after the last number"
        raise refuse(f"expected {shown(needed)} bytes of data for shape {shown(shape)}, got {size - begin}: {kind}")
    if math.prod(axis or 1 for axis in shape) * dtype.itemsize >= 2**63:
        raise refuse(f"expected a shape that NumPy can hold, got {shown(shape)}")
    found: Array = np.empty(math.prod(shape), dtype)
    view, done = found.view(np.uint8).data, 0
    while done < needed:
        part = file.readinto(view[done : done + _CHUNK])
        if not part:
            raise refuse(f"expected {needed} bytes of data for shape {shown(shape)}, got {done}: the file is cut off")
        done += part
    if file.read(1):  # the end of gzip data, too, is where its checksum is looked at
        raise refuse(f"expected {needed} bytes of data for shape {shown(shape)}, got more")
    return found.astype(dtype.newbyteorder("="), copy=False).reshape(shape)


# ------------------------------------------------------------------------------------------------ CSV


def load_csv(
    path: Path,
    *,
    header: bool = True,
    delimiter: str = ",",
    columns: Sequence[int | str] | None = None,
    dtype: Any = None,
    missing: float | None = None,
    sha256: str | None = None,
) -> Tensor:
    """The numbers of a CSV file in UTF-8, one row a line (RFC 4180; quotes are understood, blank lines are skipped).

    Args:
        path: of the file.
        header: the first line has the names of the columns.
        delimiter: one character between the cells.
        columns: which columns, by number from 0 or by name; all of them unless given.
        dtype: of the result: a float (the default dtype unless given), an integer or bool (0, 1, true, false).
        missing: what an empty cell stands for; an error unless given.
        sha256: the checksum of the file, in hexadecimal.

    Returns:
        A tensor of shape (rows, columns).

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such file.
        FileFormatError: for rows of another length and cells that are not such numbers, with line and column.
        KeyError, IndexError: for columns that are not there.

    Example:
        >>> import os, tempfile
        >>> import nn
        >>> path = os.path.join(tempfile.mkdtemp(), "points.csv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("x,y,label\\n0.5,3.0,7\\n-2,4e-1,1\\n")
        >>> nn.data.load_csv(path, columns=["y", "x"])
        tensor([[ 3. ,  0.5],
                [ 0.4, -2. ]])
    """
    wanted = check_dtype(get_default_dtype() if dtype is None else dtype, "load_csv")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"load_csv: expected one character as delimiter, got {delimiter!r}")
    with _opened("load_csv", path, sha256) as (file, _, name):
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            return constant(_read_rows(rows, header, columns, wanted, missing, name))  # type: ignore[no-any-return]
        except csv.Error as error:
            raise FileFormatError("load_csv", name, f"line {rows.line_num}: expected CSV, got {error}") from None
        except UnicodeDecodeError as error:
            reason = f"after line {rows.line_num}: expected UTF-8, got byte {error.object[error.start]:#04x}"
            raise FileFormatError("load_csv", name, reason) from None


def _read_rows(
    rows: Any, header: bool, columns: Sequence[int | str] | None, dtype: np.dtype[Any], missing: float | None, path: str
) -> Array:
    """The chosen cells of all rows as numbers."""
    names = next(rows, None) if header else None
    if header and names is None:
        raise FileFormatError("load_csv", path, "expected a header, got an empty file")
    width = len(names) if names is not None else None
    chosen = None if width is None else _chosen(columns, names, width)
    parse = _parser(dtype, missing)
    cells = arrays.array("d" if dtype.kind == "f" else "Q" if dtype.kind == "u" else "q")
    for row in rows:
        if not row:
            continue
        if width is None or chosen is None:
            width = len(row)
            chosen = _chosen(columns, None, width)
        if len(row) != width:
            raise FileFormatError("load_csv", path, f"line {rows.line_num}: expected {width} cells, got {len(row)}")
        for column in chosen:
            try:
                cells.append(parse(row[column]))
            except (ValueError, OverflowError):
                label = f"column {column}" + (f" ({shown(names[column])})" if names else "")
                reason = f"line {rows.line_num}, {label}: expected a number for {dtype}, got {shown(row[column])}"
                raise FileFormatError("load_csv", path, reason) from None
    count = 0 if chosen is None else len(chosen)
    return np.array(cells, dtype).reshape(-1 if count else 0, count)


def _chosen(columns: Sequence[int | str] | None, names: list[str] | None, width: int) -> list[int]:
    """The numbers of the columns."""
    if columns is None:
        return list(range(width))
    found = []
    for column in columns:
        if isinstance(column, str):
            if names is None or names.count(column) != 1:
                known = "a file with a header" if names is None else f"a name that is there once among {shown(names)}"
                raise KeyError(f"load_csv: expected {known}, got column {column!r}")
            found.append(names.index(column))
        elif isinstance(column, bool) or not isinstance(column, int | np.integer) or not -width <= column < width:
            raise IndexError(f"load_csv: expected columns below {width}, got {column!r}")
        else:
            found.append(int(column) % width)
    return found


def _parser(dtype: np.dtype[Any], missing: float | None) -> Callable[[str], Any]:
    """A function that makes a number of a cell, or raises ValueError where the dtype cannot hold it."""

    def number(text: str) -> Any:
        text = text.strip()
        if not text and missing is not None:
            return missing
        if not text.isascii() or "_" in text:  # Python takes 1_000 and digits of all scripts
            raise ValueError
        if dtype.kind == "b":
            return truth.index(text.lower()) % 2
        if dtype.kind != "f":
            whole = int(text)
            if not limits[0] <= whole <= limits[1]:
                raise ValueError
            return whole
        value = float(text)
        if (math.isfinite(value) and abs(value) > limits[1]) or (math.isinf(value) and "inf" not in text.lower()):
            raise ValueError  # it would become infinite
        return value

    truth = ("0", "1", "false", "true")
    limits = _limits(dtype)
    if missing is not None and dtype.kind != "f" and (isinstance(missing, float) or not limits[0] <= missing <= limits[1]):
        raise ValueError(f"load_csv: expected missing to be a number that {dtype} holds, got {missing!r}")
    return number


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The least and the greatest number of a dtype, as Python's own."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


# ------------------------------------------------------------------------------------------------ npz


def load_npz(path: Path, *, sha256: str | None = None, max_bytes: int | None = None) -> dict[str, Tensor]:
    """The tensors of an .npz file by name, as ``numpy.savez`` writes them.

    Args:
        path: of the file.
        sha256: its checksum, in hexadecimal.
        max_bytes: how much the tensors may take: 100 times the file's size, or 64 MiB if that is more, without it.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such file.
        FileFormatError: for another checksum; its kind CheckpointError, as :func:`nn.load`, for a file that is damaged or
            forged, or has anything but arrays of numbers.
    """
    with _opened("load_npz", path, sha256) as (file, size, name):
        limit = unpacked_limit(size) if max_bytes is None else max_bytes
        found, _ = npz.read(file, size, name, limit, None)
    return {key: constant(values) for key, values in found.items()}
