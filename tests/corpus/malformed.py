"""Files that lie: a row is a name, the bytes, and what the refusal says."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from typing import NamedTuple

import numpy as np


class Lie(NamedTuple):
    name: str  # of the row, and the end of the file's name
    content: bytes
    says: str


# ------------------------------------------------------------------------------------------------ safetensors


def tensors(header: object, data: bytes = bytes(8), length: int | None = None) -> bytes:
    """A .safetensors file; the header is JSON text, bytes, or an object to make JSON of."""
    text = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def one(**changes: object) -> bytes:
    return tensors({"w": entry(**changes)})


GOOD = one()
TWO = {"a": entry(shape=[1], offsets=[0, 4]), "b": entry(shape=[1], offsets=[4, 8])}


def with_canary(path: str) -> bytes:
    """A pickle that makes a file when it is loaded."""
    return pickle.dumps(Canary(path))


class Canary:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def safetensors_lies(canary: str) -> list[Lie]:
    rows = [
        ("empty", b"", "expected at least 8 bytes, got 0: an empty file"),
        ("seven bytes", b"\1\0\0\0\0\0\0", "expected at least 8 bytes, got 7"),
        ("web page", b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "it is a web page: the download went wrong"),
        ("garbage", bytes(range(255, 0, -1)), r"expected a header of at most 100000000 bytes, got a length of \d+; it is a file that"),
        ("pickle", with_canary(canary), "it is a pickle, which is never loaded because it can run code"),
        ("npz renamed", npz(w=np.zeros(2)), "expected a header of .* it is a zip archive"),
        ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(64), "it is an HDF5 file"),
        ("header longer than the file", tensors({"w": entry()}, length=9999), "expected a header of 9999 bytes, the file has 69 after its length; it is cut off"),
        ("header of more than 100 MB", tensors({"w": entry()}, length=100_000_001), "at most 100000000 bytes, got a length of 100000001"),
        ("header of 2**64 - 1", tensors({"w": entry()}, length=2**64 - 1), "got a length of 18446744073709551615"),
        ("header of no bytes", tensors(b"", b""), "expected a header that begins with '{', got b''"),
        ("header of spaces before", tensors(b"  {}", b""), "expected a header that begins with '{', got b'  {}'"),
        ("header a list", tensors("[]", b""), r"expected a header that begins with '{', got b'\[\]'"),
        ("not JSON", tensors("{not json", b""), "expected the header in JSON, got an error at 1"),
        ("JSON cut off", tensors('{"w": {"dtype": "F32"', b""), "expected the header in JSON, got an error at 2"),
        ("two JSON objects", tensors("{}{}", b""), "expected the header in JSON, got an error at 2: Extra data"),
        ("not UTF-8", tensors(b'{"\xff": 1}', b""), "expected the header in UTF-8, got byte 0xff at 2"),
        ("zeros after the JSON", tensors(b"{}\0\0", b""), "expected the header in JSON, got an error at 2"),
        ("nested deeply", tensors('{"w":' + "[" * 200_000 + "]" * 200_000 + "}", b""), "expected the header to be flat, got JSON nested too deep"),
        ("key twice", tensors('{"w": %s, "w": %s}' % ((json.dumps(entry()),) * 2)), "expected each key of the header once, got 'w' twice"),
        ("key twice inside", tensors('{"w": {"dtype": "F32", "dtype": "I32", "shape": [2], "data_offsets": [0, 8]}}'), "once, got 'dtype' twice"),
        ("NaN", tensors('{"w": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}'), "expected numbers that JSON has, got NaN"),
        ("Infinity", tensors('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, -Infinity]}}'), "got -Infinity in the header"),
        ("number of 10,000 digits", tensors('{"w": {"shape": [%s]}}' % ("9" * 10_000)), "got one of thousands of digits"),
        ("entry a number", tensors({"w": 7}), "'w': expected dtype, shape and data_offsets, got 'int'"),
        ("entry without offsets", tensors({"w": {"dtype": "F32", "shape": [2]}}), r"expected dtype, shape and data_offsets, got \['dtype', 'shape'\]"),
        ("entry with more", tensors({"w": {**entry(), "code": "x"}}), "expected dtype, shape and data_offsets, got .*'code'"),
        ("unknown dtype", one(dtype="Q7"), "'w': expected a dtype among BOOL, .*, got 'Q7'$"),
        ("dtype of NumPy", one(dtype="<f4"), "expected a dtype among BOOL, .*, got '<f4'"),
        ("dtype a number", one(dtype=4), "expected a dtype among BOOL, .*, got 4"),
        ("dtype a list", one(dtype=["F32"]), r"expected a dtype among BOOL, .*, got \['F32'\]"),
        ("float of 8 bits", one(dtype="F8_E4M3", shape=[8]), "got 'F8_E4M3'; NumPy has no such dtype: convert the file"),
        ("bfloat16", one(dtype="BF16", shape=[4]), "'w': expected a dtype that NumPy has, got bfloat16; pass widen=True"),
        ("shape a number", one(shape=2), "'w': expected a shape of whole numbers from 0 to .*, got 2"),
        ("shape of floats", one(shape=[2.0]), r"expected a shape of whole numbers .*, got \[2.0\]"),
        ("shape of bools", one(shape=[True, 2]), r"expected a shape of whole numbers .*, got \[True, 2\]"),
        ("shape of text", one(shape=["2"]), r"expected a shape of whole numbers .*, got \['2'\]"),
        ("shape negative", one(shape=[-2]), r"expected a shape of whole numbers .*, got \[-2\]"),
        ("shape negative twice", one(shape=[-1, -2]), r"expected a shape of whole numbers .*, got \[-1, -2\]"),
        ("shape of 2**63", one(shape=[2**63]), r"expected a shape of whole numbers .*, got \[9223372036854775808\]"),
        ("shape of 10**13", one(shape=[10**13]), r"'w': expected 40000000000000 bytes for F32 of shape \[10000000000000\], got 8"),
        ("shape that overflows to 8 bytes", one(shape=[2**62, 2, 2]), "expected 73786976294838206464 bytes"),
        ("shape that overflows to 0 bytes", one(shape=[2**32, 2**32], offsets=[0, 0]), "expected 73786976294838206464 bytes"),
        ("shape empty and too large", tensors({"w": entry(shape=[0, 2**62, 2**62], offsets=[0, 0])}, b""), "expected a shape that NumPy can hold"),
        ("product of a million axes", tensors({"w": entry(shape=[2**62] * 65)}), "expected at most 64 axes, got 65"),
        ("shape too small", one(shape=[1]), r"expected 4 bytes for F32 of shape \[1\], got 8"),
        ("offsets a number", one(offsets=8), "'w': expected data_offsets of two whole numbers, got 8"),
        ("offsets of one", one(offsets=[8]), r"expected data_offsets of two whole numbers, got \[8\]"),
        ("offsets of three", one(offsets=[0, 4, 8]), r"expected data_offsets of two whole numbers, got \[0, 4, 8\]"),
        ("offsets of floats", one(offsets=[0.0, 8.0]), r"expected data_offsets of two whole numbers, got \[0.0, 8.0\]"),
        ("offsets negative", one(offsets=[-8, 0]), r"expected data_offsets of two whole numbers, got \[-8, 0\]"),
        ("offsets backwards", one(offsets=[8, 0]), r"expected data_offsets that begin before they end, got \[8, 0\]"),
        ("offsets overlap", tensors({**TWO, "b": entry(shape=[1], offsets=[0, 4])}, bytes(4)), "'b': expected data to begin at 4, got 0, which overlaps"),
        ("offsets with a gap", tensors({**TWO, "b": entry(shape=[1], offsets=[6, 10])}, bytes(10)), "'b': .* begin at 4, got 6, which leaves a gap"),
        ("a gap at the start", tensors({"w": entry(offsets=[4, 12])}, bytes(12)), "'w': .* begin at 0, got 4, which leaves a gap"),
        ("offsets out of order", tensors({"b": TWO["b"], "a": TWO["a"]}), "'b': .* begin at 0, got 4"),
        ("cut off by a byte", GOOD[:-1], "expected 8 bytes of data, got 7: the file is cut off"),
        ("cut off by all", GOOD[:-8], "expected 8 bytes of data, got 0: the file is cut off"),
        ("a byte more", GOOD + b"\0", "expected 8 bytes of data, got 9: there is more after the last tensor"),
        ("bytes and no tensors", tensors("{}"), "expected 0 bytes of data, got 8: there is more"),
        ("metadata a list", tensors({"__metadata__": [], "w": entry()}), "expected __metadata__ to be an object, got list"),
        ("metadata of numbers", tensors({"__metadata__": {"n": 1}, "w": entry()}), "expected strings in __metadata__, got int for 'n'"),
        ("newer version", tensors({"__metadata__": {"tapegrad.version": "2"}, "w": entry()}), "expected version 1 of the file or an older one, got 2; upgrade tapegrad"),
        ("newer version of another layout", tensors({"__metadata__": {"tapegrad.version": "2"}, "w": {"blocks": []}}), "got 2; upgrade tapegrad"),
        ("version of text", tensors({"__metadata__": {"tapegrad.version": "1.5"}, "w": entry()}), "expected a whole number as the version of the file, got '1.5'"),
        ("version with signs", tensors({"__metadata__": {"tapegrad.version": "²"}, "w": entry()}), "expected a whole number as the version of the file, got '²'"),
        ("half a surrogate pair", tensors('{"\\ud800": ' + json.dumps(entry()) + "}"), "expected a name in Unicode, got half of a surrogate pair"),
        ("bool of 2", tensors({"w": entry("BOOL", [8])}, bytes([0, 1, 2, 0, 0, 0, 0, 0])), "'w': expected 0 or 1 in BOOL, got 2"),
    ]  # fmt: skip
    return [Lie(name, content, says) for name, content, says in rows]


# ------------------------------------------------------------------------------------------------ npz


def npy(text: str, data: bytes = bytes(8), version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    """An .npy file with any header."""
    raw = text.encode("latin-1") + b"\n"
    size = len(raw) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<L", size) + raw + data


def header(descr: str = "'<f4'", shape: str = "(2,)", fortran: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def archive(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        for name, content in members:
            opened.writestr(name, content, method)
    return buffer.getvalue()


def member(text: str, data: bytes = bytes(8), **options: object) -> bytes:
    return archive(("w.npy", npy(text, data, **options)))


def info(name: str, mode: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    return made


def patched(content: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    assert old in content
    assert len(old) == len(new)
    return content.replace(old, new, count)


def central(content: bytes, offset: int, new: bytes) -> bytes:
    """The archive with bytes changed in its first central record."""
    place = content.index(b"PK\x01\x02") + offset
    return content[:place] + new + content[place + len(new) :]


def both(content: bytes, local: int, offset: int, new: bytes) -> bytes:
    """The archive with bytes changed in its first local header and in its first central record."""
    return central(content[:local] + new + content[local + len(new) :], offset, new)


PLAIN = npy(header())
NPZ = archive(("w.npy", PLAIN))


def overlapping() -> bytes:
    """Two names for the same bytes."""
    content = archive(("a.npy", PLAIN), ("b.npy", PLAIN))
    second = content.rindex(b"PK\x01\x02")
    content = bytearray(content)
    content[second + 42 : second + 46] = bytes(4)
    return bytes(content)


def objects(canary: str) -> bytes:
    """What numpy.savez writes for an array of objects: a pickle that makes a file when it is loaded."""
    return npz(w=np.array([Canary(canary)], dtype=object))


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def bomb() -> bytes:
    """300 MB of zeros in 290 kB."""
    zeros = np.zeros(75_000_000, np.float32)
    return archive(("w.npy", npy(header(shape="(75000000,)"), zeros.tobytes())), method=zipfile.ZIP_DEFLATED)


def many_members() -> bytes:
    """A list of a million members, which a reader of the list would have to hold."""
    record = central_record(b"w.npy")
    count = 1_000_000
    directory = record * count
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    return (
        b"PK\x03\x04"
        + directory
        + end64
        + locator
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 0, 0)
    )


def central_record(name: bytes) -> bytes:
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name


def npz_lies(canary: str) -> list[Lie]:
    deflated = archive(("w.npy", npy(header(shape="(2000,)"), np.arange(2000.0, dtype="<f4").tobytes())), method=zipfile.ZIP_DEFLATED)  # fmt: skip
    raw = with_canary(canary)
    rows = [
        ("empty", b"", "expected a zip archive, got an empty file"),
        ("web page", b"\n<html><body>404", "expected a zip archive, got a web page: the download went wrong"),
        ("garbage", bytes(range(200)), "expected a zip archive, got a file that starts with"),
        ("pickle renamed", raw, "expected a zip archive, got a pickle, which is never loaded because it can run code"),
        ("npy renamed", PLAIN, "expected a zip archive, got a single .npy array"),
        ("gzip renamed", b"\x1f\x8b\x08" + bytes(20), "expected a zip archive, got gzip data"),
        ("safetensors renamed", GOOD, "expected a zip archive, got a file that starts with"),
        ("cut in half", NPZ[: len(NPZ) // 2], "expected the end record of a zip archive, found none: the file is cut off"),
        ("cut by a byte", NPZ[:-1], "expected the end record of a zip archive, found none"),
        ("bytes after the end", NPZ + b"x" * 30, "expected the archive to end with its end record, got 30 bytes more"),
        ("end record without members", patched(NPZ, b"PK\x05\x06\0\0\0\0\1\0\1\0", b"PK\x05\x06\0\0\0\0\0\0\0\0"), "expected 0 members as the end record says, got 1"),
        ("end record of another place", NPZ[:-8] + b"\0\0\0\0" + NPZ[-4:], r"expected the list of members to end at \d+, got 51"),
        ("end record of another size", NPZ[:-10] + b"\0\0\0\0" + NPZ[-6:], r"expected the list of members to end at \d+, got \d+"),
        ("64-bit end record missing", NPZ[:-22] + b"PK\x06\x07" + bytes(16) + NPZ[-22:], "expected the 64-bit end record of a zip archive, found none"),
        ("list of members damaged", patched(NPZ, b"PK\x01\x02", b"PK\x01\x03"), "expected a whole zip archive, got a damaged one"),
        ("member header damaged", b"PK\x03\x04" + bytes(4) + b"\xff" * 20 + NPZ[28:], "expected whole data, got data that cannot be unpacked"),
        ("member name differs", patched(NPZ, b"w.npy", b"v.npy", 1), "expected whole data, got data that cannot be unpacked"),
        ("bit flipped", flipped(NPZ, NPZ.index(b"PK\x01\x02") - 3), r"'w.npy': expected whole data, got data of another checksum \(CRC\)"),
        ("bit flipped, deflated", flipped(deflated, 900), "'w.npy': expected whole data, got data (of another|that cannot)"),
        ("deflate stream cut", both(deflated, 18, 20, struct.pack("<L", 500)), "'w.npy': expected whole data, got data (of another|that cannot)"),
        ("million members", many_members(), "expected a list of members of at most 16777216 bytes, got 51000000"),
        ("zip bomb", bomb(), r"expected at most 67108864 bytes in all from a file of \d+, got 3000000\d\d; raise max_bytes="),
        ("size beyond deflate", both(deflated, 22, 24, struct.pack("<L", 2**31)), "'w.npy': expected a size that deflate can reach, got 2147483648"),
        ("size of stored data", both(NPZ, 22, 24, struct.pack("<L", 1000)), "'w.npy': expected stored data of 1000 bytes, got"),
        ("same bytes twice", overlapping(), "'b.npy': expected members side by side, got one that overlaps another"),
        ("name twice", archive_twice(), "expected each name once, got 'w.npy' twice"),
        ("path upwards", archive(("../../x.npy", PLAIN)), "expected names of letters, digits, '_' and '.', got '../../x.npy'; nothing is unpacked"),
        ("absolute path", archive(("/etc/x.npy", PLAIN)), "expected names of letters, .*, got '/etc/x.npy'"),
        ("backslash", archive(("..\\x.npy", PLAIN)), "expected names of letters"),
        ("name with a space", archive(("a b.npy", PLAIN)), "expected names of letters, .*, got 'a b.npy'"),
        ("no name", archive((".npy", PLAIN)), "expected names of letters, .*, got '.npy'"),
        ("folder", archive((info("folder/", 0o40755), b"")), "expected members that end in .npy, got 'folder/'"),
        ("not an array", archive(("notes.txt", b"hello")), "expected members that end in .npy, got 'notes.txt'"),
        ("torch.save", archive(("model/data.pkl", raw), ("model/version", b"3")), "a file of torch.save, a pickle, .* write it with safetensors"),
        ("pickle as member", archive(("w.npy", raw)), "'w': expected an array in .npy form, got a pickle"),
        ("symbolic link", archive((info("w.npy", 0o120777), b"/etc/passwd")), "'w.npy': expected a regular file, got a link or a device"),
        ("encrypted", both(NPZ, 6, 8, b"\1\0"), "'w.npy': expected plain data, got encrypted data"),
        ("compressed with bzip2", archive(("w.npy", PLAIN), method=zipfile.ZIP_BZIP2), "expected stored or deflated data, got compression method 12"),
        ("compressed with lzma", archive(("w.npy", PLAIN), method=zipfile.ZIP_LZMA), "expected stored or deflated data, got compression method 14"),
        ("unknown compression", both(NPZ, 8, 10, b"\x63\0"), "expected stored or deflated data, got compression method 99"),
        ("array of objects", objects(canary), "'w': expected numbers, got objects, which are pickles and are never loaded"),
        ("dtype object", member(header("'|O'")), "'w': expected numbers, got objects"),
        ("dtype object by size", member(header("'<O8'")), "'w': expected numbers, got objects"),
        ("dtype text", member(header("'<U2'")), "'w': expected a dtype of floats, integers or bools, got '<U2'"),
        ("dtype complex", member(header("'<c8'", "(1,)")), "expected a dtype of floats, .*, got '<c8'"),
        ("dtype dates", member(header("'<M8[ns]'", "(1,)")), "expected a dtype of floats, .*, got '<M8"),
        ("dtype void", member(header("'|V8'", "(1,)")), r"expected a dtype of floats, .*, got '\|V8'"),
        ("dtype that is none", member(header("'<f3'")), "expected a dtype of floats, .*, got '<f3'"),
        ("dtype of 16 bytes", member(header("'<f16'")), "expected a dtype of floats, .*, got '<f16'"),
        ("dtype float of a byte", member(header("'<f1'")), "expected a dtype of floats, .*, got '<f1'"),
        ("dtype empty", member(header("''")), "expected a dtype of floats, .*, got ''"),
        ("dtype structured", member(header("[('a', '<f4')]")), "expected a header of descr, .*, got a structured dtype"),
        ("dtype nested deeply", member(header("[('a', " * 600 + "'<f4'" + ")]" * 600)), "expected a header of descr, .*, got a structured dtype"),
        ("header is code", member(f"{{'descr': open({canary!r}, 'w'), 'fortran_order': False, 'shape': (2,), }}"), "expected a header of descr"),
        ("header is a call", member(f"open({canary!r}, 'w')"), "expected a header of descr, fortran_order and shape, got something else"),
        ("header empty", member(""), "expected a header of descr"),
        ("header without a shape", member("{'descr': '<f4', 'fortran_order': False, }"), "expected a header of descr"),
        ("header with more", member("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"), "expected a header of descr"),
        ("header of 70 kB", member(header() + " " * 70_000, version=(2, 0)), "'w': expected an array header of at most 10000 bytes, got 70058"),
        ("header of 4 GB", member(header(), version=(2, 0), length=2**32 - 1), "expected an array header of at most 10000 bytes, got 4294967295"),
        ("header longer than the member", member(header(), length=5000), r"expected an array header of 5000 bytes, got \d+"),
        ("magic damaged", archive(("w.npy", b"\x93NUMPX" + PLAIN[6:])), "'w': expected an array in .npy form, got a file that starts"),
        ("member empty", archive(("w.npy", b"")), "'w': expected an array in .npy form, got an empty file"),
        ("npy version 4", member(header(), version=(4, 0)), "expected .npy version 1.0, 2.0 or 3.0, got 4.0"),
        ("shape negative", member(header(shape="(-2,)")), r"'w': expected a shape of whole numbers from 0 to 2\*\*63 - 1, got \(-2,\)"),
        ("shape of floats", member(header(shape="(2.0,)")), r"expected a shape of whole numbers .*, got \(2.0,\)"),
        ("shape of text", member(header(shape="('2',)")), r"expected a shape of whole numbers .*, got \('2',\)"),
        ("shape a power", member(header(shape="(9**9**9,)")), r"expected a shape of whole numbers .*, got \(9\*\*9\*\*9,\)"),
        ("shape of 10**13", member(header(shape="(10000000000000,)")), r"'w': expected 40000000000000 bytes for float32 of shape .*, got 8"),
        ("shape that overflows", member(header(shape="(4294967296, 4294967296)")), "expected a shape that NumPy can hold"),
        ("shape empty and too large", member(header(shape="(0, 4611686018427387904, 8)"), b""), "expected a shape that NumPy can hold"),
        ("shape of 65 axes", member(header(shape="(" + "1, " * 64 + "1)"), bytes(4)), "expected at most 64 axes, got 65"),
        ("shape too small", member(header(shape="(1,)")), r"expected 4 bytes for float32 of shape \(1,\), got 8"),
        ("data missing", member(header(), bytes(7)), r"expected 8 bytes for float32 of shape \(2,\), got 7"),
        ("bool of 2", member(header("'|b1'", "(2,)"), b"\1\2"), "'w': expected 0 or 1 in bools, got 2"),
        ("metadata not JSON", archive(("__metadata__.json", b"{"), ("w.npy", PLAIN)), "expected __metadata__.json in JSON"),
        ("metadata key twice", archive(("__metadata__.json", b'{"a": "1", "a": "2"}'), ("w.npy", PLAIN)), "expected each key of __metadata__.json once"),
        ("metadata of numbers", archive(("__metadata__.json", b'{"a": 1}'), ("w.npy", PLAIN)), "expected strings in __metadata__.json, got int"),
        ("metadata nested deeply", archive(("__metadata__.json", b"[" * 10**5), ("w.npy", PLAIN)), "expected __metadata__.json to be flat"),
        ("newer version", archive(("__metadata__.json", b'{"tapegrad.version": "9"}'), ("w.npy", PLAIN)), "got 9; upgrade tapegrad to read it"),
        ("newer version of another layout", archive(("__metadata__.json", b'{"tapegrad.version": "9"}'), ("w.npy", b"new")), "got 9; upgrade"),
    ]  # fmt: skip
    return [Lie(name, content, says) for name, content, says in rows]


def archive_twice() -> bytes:
    """Two members of one name (zipfile warns as it writes them)."""
    content = archive(("v.npy", PLAIN), ("w.npy", PLAIN))
    return content.replace(b"v.npy", b"w.npy")


def gzip_of(content: bytes, crc: int | None = None, size: int | None = None) -> bytes:
    """A gzip file whose checksum and size may lie."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(content) + packer.flush()
    end = struct.pack("<LL", zlib.crc32(content) if crc is None else crc, len(content) if size is None else size)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + end


# ------------------------------------------------------------------------------------------------ IDX


def idx(shape: tuple[int, ...] = (2, 3), code: int = 8, data: bytes = bytes(6), start: bytes = b"\0\0") -> bytes:
    """An IDX file with any header."""
    return start + bytes([code, len(shape)]) + struct.pack(f">{len(shape)}L", *shape) + data


LONG = idx((3000,), 8, bytes(range(250)) * 12)
PACKED = gzip.compress(LONG, mtime=0)


def idx_lies() -> list[Lie]:
    rows = [
        ("empty", b"", "expected an IDX file, .* got an empty file"),
        ("web page", b"<!doctype html>", "expected an IDX file, .* got a web page: the download went wrong"),
        ("npy", b"\x93NUMPY\1\0", "expected an IDX file, .* got a single .npy array"),
        ("pickle", b"\x80\x04\x95", "expected an IDX file, .* got a pickle"),
        ("other start", idx(start=b"\0\1"), "expected an IDX file, which begins with 0, 0 and a dtype of 8 to 14, got a file that starts"),
        ("dtype 10", idx(code=10), "expected an IDX file, which begins with 0, 0 and a dtype of 8 to 14"),
        ("dtype 15", idx(code=15), "expected an IDX file, which begins with 0, 0 and a dtype of 8 to 14"),
        ("no axes", idx((), data=b"\0"), "expected 1 to 64 axes and a size of 4 bytes for each, got 0 axes"),
        ("255 axes", idx((1,) * 255, data=b"\0"), "expected 1 to 64 axes and a size of 4 bytes for each, got 255 axes"),
        ("sizes cut off", idx()[:9], "expected 1 to 64 axes and a size of 4 bytes for each, got 2 axes and 5 bytes"),
        ("cut by a byte", idx()[:-1], r"expected 6 bytes of data for shape \(2, 3\), got 5: the file is cut off"),
        ("a byte more", idx() + b"\0", r"expected 6 bytes of data for shape \(2, 3\), got 7: there is more after the last number"),
        ("sizes of 4 billion", idx((2**32 - 1,) * 2), r"expected 18446744065119617025 bytes of data .*, got 6: the file is cut off"),
        ("sizes that overflow to 0", idx((2**16,) * 4, data=b""), "expected 18446744073709551616 bytes of data .*, got 0: the file is cut off"),
        ("sizes of 600 digits", idx((2**32 - 1,) * 64), r"expected about 10\*\*61\d bytes of data"),
        ("empty and too large", idx((0, 2**32 - 1, 2**32 - 1), data=b""), "expected a shape that NumPy can hold"),
        ("packed, cut off", PACKED[:-9], r"expected 3008 bytes for shape \(3000,\) and its header, gzip says \d+ in all: the file is cut off"),
        ("packed, other size", gzip.compress(idx((3, 3))), r"expected 21 bytes for shape \(3, 3\) and its header, gzip says 18 in all"),
        ("packed, more", gzip.compress(idx() + b"\0"), "expected 18 bytes .*, gzip says 19 in all"),
        ("packed, checksum", gzip_of(LONG, crc=1), "expected whole gzip data, got damaged data: CRC check failed"),
        ("packed, size lies", gzip_of(idx() + bytes(9), size=18), "expected 6 bytes of data for shape .*, got more"),
        ("packed, short", gzip_of(LONG[:-9], size=3008), "expected whole gzip data, got damaged data: Incorrect length"),
        ("packed, flipped", PACKED[:200] + bytes([PACKED[200] ^ 255]) + PACKED[201:], "expected whole gzip data, got damaged data"),
        ("packed, magic only", b"\x1f\x8b", "expected whole gzip data, got damaged data"),
        ("packed, other", gzip.compress(b"hello world"), "expected an IDX file, .* got a file that starts with b'hello wo'"),
        ("packed bomb", gzip_of(idx((100_000, 3000), data=bytes(300_000_000))), "expected at most 67108864 bytes, got 300000000 .*; raise max_bytes="),
        ("packed, claims more than 2**32", gzip_of(idx((2**31, 2), 8, b"")), "expected at most 67108864 bytes, got 4294967296"),
    ]  # fmt: skip
    return [Lie(name, content, says) for name, content, says in rows]
