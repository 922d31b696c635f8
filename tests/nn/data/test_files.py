"""Files of data: read whole and right, or refused before anything is allocated."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import tracemalloc

import numpy as np
import pytest
from corpus import malformed

import autograd as ag
from nn.data import FileFormatError, load_csv, load_idx, load_npz
from nn.serialization import CheckpointError

# ------------------------------------------------------------------------------------------------ IDX

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3), (1, 1, 1, 1)])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_round_trip(code, shape, packed, tmp_path):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(code)
    path = tmp_path / "images"
    content = malformed.idx(shape, CODES[code], array.tobytes())
    path.write_bytes(gzip.compress(content) if packed else content)
    found = load_idx(path)
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.shape == shape
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("lie", malformed.idx_lies(), ids=lambda lie: lie.name)
def test_hard_case_171_malformed_idx_files_are_refused(lie, tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(lie.content)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=lie.says) as caught:
            load_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"load_idx: {path}: ")
    assert os.listdir(tmp_path) == [path.name]


def test_idx_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_idx(tmp_path / "no")
    with pytest.raises(IsADirectoryError):
        load_idx(tmp_path)
    with pytest.raises(TypeError, match="load_idx: expected a path, got int"):
        load_idx(3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileFormatError, match="load_idx: .*: expected a regular file"):
        load_idx(tmp_path / "pipe")


def test_a_limit_can_be_raised_and_lowered(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(malformed.PACKED)
    with pytest.raises(FileFormatError, match="expected at most 2999 bytes, got 3000"):
        load_idx(path, max_bytes=2999)
    assert load_idx(path, max_bytes=3000).shape == (3000,)


@pytest.mark.parametrize("function", [load_idx, load_csv, load_npz])
def test_hard_case_171_checksums(function, tmp_path):
    path = tmp_path / "data"
    path.write_bytes({load_idx: malformed.idx(), load_csv: b"a,b\n1,2\n", load_npz: malformed.NPZ}[function])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = function(path)
    for good in (digest, digest.upper()):
        found = function(path, sha256=good)
        assert type(found) is type(expected)
    with pytest.raises(
        FileFormatError, match=rf"{function.__name__}: .*: expected SHA-256 {'0' * 64}, got {digest}: it is another"
    ):
        function(path, sha256="0" * 64)
    for bad in ("", "abc", "x" * 64):
        with pytest.raises(ValueError, match=f"{function.__name__}: expected sha256 in 64 hexadecimal digits"):
            function(path, sha256=bad)


# ------------------------------------------------------------------------------------------------ CSV


@pytest.fixture
def csv_file(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_csv(csv_file):
    path = csv_file('x,"the, y",label\n1.5,-2e3,0\n"3",.5,1\n\n inf ,nan,2\n')
    found = load_csv(path)
    assert isinstance(found, ag.Tensor)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([[1.5, -2000.0, 0.0], [3.0, 0.5, 1.0], [np.inf, np.nan, 2.0]]))
    assert load_csv(path, columns=["label", 0]).tolist() == [[0.0, 1.5], [1.0, 3.0], [2.0, math.inf]]
    labels = load_csv(path, columns=[-1], dtype=np.int64)
    assert labels.dtype == np.int64
    assert labels.tolist() == [[0], [1], [2]]
    assert load_csv(path, columns=[]).shape == (0, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_line_ends_and_byte_order_mark(end, last, mark, csv_file):
    path = csv_file(mark + end.join(["a;b", "1;2", "3;4"]) + end * last)
    assert load_csv(path, delimiter=";", columns=["a", "b"]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert load_csv(csv_file(end.join(["1\t2", "3\t4"])), delimiter="\t", header=False).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_csv_dtypes(csv_file):
    path = csv_file("1,0\n0,1\n")
    for dtype in (np.float16, np.float64, np.int8, np.uint64, np.bool_):
        found = load_csv(path, header=False, dtype=dtype)
        assert found.dtype == dtype
        assert found.tolist() == [[1, 0], [0, 1]]
    assert load_csv(csv_file("true,False\n"), header=False, dtype=bool).tolist() == [[True, False]]
    extremes = f"{2**63 - 1},{-(2**63)}\n"
    assert load_csv(csv_file(extremes), header=False, dtype=np.int64).tolist() == [[2**63 - 1, -(2**63)]]
    assert load_csv(csv_file(f"{2**64 - 1}\n"), header=False, dtype=np.uint64).tolist() == [[2**64 - 1]]
    assert load_csv(csv_file("0.1\n"), header=False, dtype=np.float64).item() == 0.1
    with pytest.raises(TypeError, match="load_csv: expected a dtype among"):
        load_csv(path, dtype=complex)


def test_csv_without_rows(csv_file):
    assert load_csv(csv_file("a,b\n")).shape == (0, 2)
    assert load_csv(csv_file("a,b\n"), columns=["b"]).shape == (0, 1)
    assert load_csv(csv_file(""), header=False).shape == (0, 0)
    with pytest.raises(FileFormatError, match="load_csv: .*table.csv: expected a header, got an empty file"):
        load_csv(csv_file(""))


def test_csv_missing_cells(csv_file):
    path = csv_file("a,b\n1,\n ,4\n")
    with pytest.raises(FileFormatError, match=r"line 2, column 1 \('b'\): expected a number for float32, got ''"):
        load_csv(path)
    np.testing.assert_array_equal(load_csv(path, missing=math.nan), [[1.0, np.nan], [np.nan, 4.0]])
    assert load_csv(path, missing=-1, dtype=np.int8).tolist() == [[1, -1], [-1, 4]]
    for missing in (math.nan, 0.0, 128, -129):
        with pytest.raises(ValueError, match="load_csv: expected missing to be a number that int8 holds, got"):
            load_csv(path, missing=missing, dtype=np.int8)


CSV_LIES = [
    ("text", "a,b\n1,2\n3,x\n", {}, r"line 3, column 1 \('b'\): expected a number for float32, got 'x'"),
    ("text without header", "1,2\n3,x\n", {"header": False}, "line 2, column 1: expected a number for float32, got 'x'"),
    ("the header as data", "a,b\n1,2\n", {"header": False}, "line 1, column 0: expected a number for float32, got 'a'"),
    ("row too short", "a,b\n1,2\n3\n", {}, "line 3: expected 2 cells, got 1"),
    ("row too long", "a,b\n1,2,3\n", {}, "line 2: expected 2 cells, got 3"),
    ("row too long without header", "1\n1,2\n", {"header": False}, "line 2: expected 1 cells, got 2"),
    ("after a cell of two lines", 'a,b\n"1\n",2\n3,x\n', {}, "line 4, column 1"),
    ("other delimiter", "a;b\n1;2\n", {"columns": [0]}, "line 2, .*: expected a number for float32, got '1;2'"),
    ("underscores", "a\n1_000\n", {}, "line 2, .* got '1_000'"),
    ("digits of another script", "a\n١\n", {}, "line 2, .* got '١'"),
    ("decimal comma", 'a\n"1,5"\n', {}, "line 2, .* got '1,5'"),
    ("hexadecimal", "a\n0x10\n", {}, "line 2, .* got '0x10'"),
    ("complex", "a\n1j\n", {}, "line 2, .* got '1j'"),
    ("too large for float32", "a\n1e39\n", {}, "line 2, .*: expected a number for float32, got '1e39'"),
    ("too large for float16", "a\n70000\n", {"dtype": np.float16}, "expected a number for float16, got '70000'"),
    ("too large for float64", "a\n1e999\n", {"dtype": np.float64}, "expected a number for float64, got '1e999'"),
    ("float as int", "a\n1.0\n", {"dtype": np.int64}, "expected a number for int64, got '1.0'"),
    ("too large for int8", "a\n128\n", {"dtype": np.int8}, "expected a number for int8, got '128'"),
    ("too large for int64", f"a\n{2**63}\n", {"dtype": np.int64}, "expected a number for int64, got '9223372036854775808'"),
    ("negative as uint8", "a\n-1\n", {"dtype": np.uint8}, "expected a number for uint8, got '-1'"),
    ("5,000 digits", "a\n" + "9" * 5000 + "\n", {"dtype": np.int64}, r"expected a number for int64, got '999+\.\.\.$"),
    ("other truth", "a\nyes\n", {"dtype": bool}, "expected a number for bool, got 'yes'"),
    ("quote left open", 'a,b\n1,"2\n3,4\n', {}, "line 3: expected CSV, got unexpected end of data"),
    ("quote in the middle", 'a,b\n1,"2"3\n', {}, "line 2: expected CSV, got ',' expected after '\"'"),
    ("cell of 200 kB", "a\n" + "1" * 200_000, {}, "line 2: expected CSV, got field larger than field limit"),
    ("not UTF-8", b"a,b\n1,\xff\n", {}, "expected UTF-8, got byte 0xff"),
    ("UTF-16", "a,b\n1,2\n".encode("utf-16"), {}, "after line 0: expected UTF-8, got byte 0xff"),
    ("zero bytes", b"a,b\n1,\0\n", {}, "line 2.*: expected"),
    ("web page", "<!DOCTYPE html>\n<html>\n", {}, "line 2, .* got '<html>'"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "options", "says"), [row[1:] for row in CSV_LIES], ids=[row[0] for row in CSV_LIES])
def test_hard_case_171_malformed_csv_files_are_refused(content, options, says, csv_file):
    path = csv_file(content)
    with pytest.raises(FileFormatError, match=says) as caught:
        load_csv(path, **options)
    assert str(caught.value).startswith(f"load_csv: {path}: ")
    assert len(str(caught.value)) < 300 + len(str(path))


def test_csv_columns_that_are_not_there(csv_file):
    path = csv_file("a,b,b\n1,2,3\n")
    with pytest.raises(KeyError, match=r"load_csv: expected a name that is there once among \['a', 'b', 'b'\], got column 'c'"):
        load_csv(path, columns=["c"])
    with pytest.raises(KeyError, match="there once among .* got column 'b'"):
        load_csv(path, columns=["b"])
    with pytest.raises(KeyError, match="load_csv: expected a file with a header, got column 'a'"):
        load_csv(path, columns=["a"], header=False)
    for column in (3, -4, 1.0, True, None):
        with pytest.raises(IndexError, match="load_csv: expected columns below 3, got"):
            load_csv(path, columns=[column])
    for delimiter in ("", "ab", '"', "\n", None):
        with pytest.raises(ValueError, match="load_csv: expected one character as delimiter, got"):
            load_csv(path, delimiter=delimiter)


def test_csv_of_many_rows_is_the_table_that_was_written(csv_file):
    table = np.random.default_rng(0).standard_normal((2000, 5))
    text = "\n".join(",".join(map(repr, row)) for row in table.tolist())
    assert load_csv(csv_file(text), header=False, dtype=np.float64).tolist() == table.tolist()


# ------------------------------------------------------------------------------------------------ npz


def test_npz(tmp_path):
    path = tmp_path / "data"  # any name
    with open(path, "wb") as file:
        np.savez_compressed(file, x=np.arange(6.0).reshape(2, 3), y=np.array([1, 0], np.uint8))
    found = load_npz(path)
    assert found["x"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert found["y"].dtype == np.uint8
    with pytest.raises(FileFormatError, match="expected at most 10 bytes in all"):
        load_npz(path, max_bytes=10)


@pytest.mark.parametrize("lie", malformed.npz_lies("never")[-10:], ids=lambda lie: lie.name)
def test_hard_case_171_malformed_npz_files_are_refused(lie, tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(lie.content)
    if lie.name == "newer version":
        return
    with pytest.raises(CheckpointError, match=lie.says):
        load_npz(path)
