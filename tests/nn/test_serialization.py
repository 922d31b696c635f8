"""State dicts in files: bit for bit both ways, in one step or not at all, and no lie believed."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from corpus import malformed as corpus

import autograd as ag
import nn
import optim
from nn.serialization import CheckpointError, load_checkpoint, load_metadata, save_checkpoint

ROOT = Path(__file__).parents[2]
SUFFIXES = (".safetensors", ".npz")
both_formats = pytest.mark.parametrize("suffix", SUFFIXES)

CANARY = "canary-was-executed"
LIES = {".safetensors": corpus.safetensors_lies(CANARY), ".npz": corpus.npz_lies(CANARY)}
ROWS = [pytest.param(suffix, lie, id=f"{suffix[1:]}: {lie.name}") for suffix in SUFFIXES for lie in LIES[suffix]]


# ------------------------------------------------------------------------------------------------ files that lie


@pytest.mark.parametrize(("suffix", "lie"), ROWS)
def test_hard_case_159_to_164_168_malformed_files_are_refused(suffix, lie, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the canary would appear
    path = tmp_path / f"state{suffix}"
    path.write_bytes(lie.content)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=lie.says) as caught:
            nn.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"load: {path}: ")
    assert caught.value.path == str(path)
    assert caught.value.reason in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(path))
    assert caught.value.__cause__ is None
    assert peak < 4 * len(lie.content) + 5_000_000  # nothing was allocated on the word of the file
    assert os.listdir(tmp_path) == [path.name]  # nothing executed, nothing unpacked


def test_there_are_more_than_sixty_lies_and_each_has_its_own_refusal(tmp_path, monkeypatch):
    assert len(ROWS) > 120
    for suffix in SUFFIXES:
        assert len({lie.name for lie in LIES[suffix]}) == len(LIES[suffix])


def test_the_canary_would_be_seen(tmp_path, monkeypatch):
    import pickle

    monkeypatch.chdir(tmp_path)
    pickle.loads(corpus.with_canary(CANARY)).close()
    assert os.listdir(tmp_path) == [CANARY]


@both_formats
def test_hard_case_159_every_cut_is_refused(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    nn.save({"a": np.arange(3.0), "b": np.arange(2)}, path, {"note": "x"})
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            nn.load(path)


@both_formats
def test_hard_case_160_flipped_bits_are_refused_or_change_no_more_than_the_bytes_they_are_in(suffix, tmp_path):
    """An .npz has checksums. A .safetensors has none: a bit flipped in its numbers cannot be seen, but never does harm."""
    path = tmp_path / f"state{suffix}"
    state = {"a": np.arange(3.0), "b": np.arange(2)}
    nn.save(state, path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    loaded = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ (1 << generator.integers(8))]) + content[place + 1 :])
        try:
            found = nn.load(path)
        except CheckpointError:
            continue
        loaded += 1
        if suffix == ".npz":  # dates and the like
            assert {name: value.tolist() for name, value in found.items()} == {"a": [0.0, 1.0, 2.0], "b": [0, 1]}
        else:
            assert [value.shape for value in found.values()] in ([(3,), (2,)], [(2,), (3,)])
    assert loaded < len(content) // 2


@both_formats
def test_hard_case_159_files_that_are_not_there(suffix, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        nn.load(tmp_path / f"no{suffix}")
    assert caught.value.filename == str(tmp_path / f"no{suffix}")
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(IsADirectoryError, match="expected a file, got a directory"):
        nn.load(folder)
    with pytest.raises(IsADirectoryError, match="save: expected a name for a file, got a directory"):
        nn.save({}, folder)
    with pytest.raises(FileNotFoundError):
        nn.save({}, tmp_path / "no" / f"state{suffix}")
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match="load: .*: expected a regular file, got a pipe"):
        nn.load(pipe)


def test_endings_of_other_formats(tmp_path):
    for path in ("model", "model.pkl", tmp_path / "model.npy", ""):
        for function in (nn.load, load_metadata, load_checkpoint, lambda path: nn.save({}, path)):
            with pytest.raises(ValueError, match=r"expected a path that ends in .safetensors or .npz, got"):
                function(path)
    with pytest.raises(ValueError, match="PyTorch's own files are pickles: write them with safetensors.torch.save_file"):
        nn.load("model.pt")
    with open(tmp_path / "x.npz", "wb") as file, pytest.raises(TypeError, match="save: expected a path, got BufferedWriter"):
        nn.save({}, file)
    with pytest.raises(TypeError, match="load: expected a path, got bytes"):
        nn.load(b"model.npz")


@both_formats
def test_hard_case_163_an_expected_state_caps_the_file(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    nn.save({"a": np.ones((2, 3), np.float32), "b": np.zeros(4)}, path)
    assert set(nn.load(path, expected={"a": np.zeros((2, 3)), "b": ag.zeros(4), "c": ag.zeros(1)})) == {"a", "b"}
    with pytest.raises(CheckpointError, match="expected the names of the expected state, got 'b' too"):
        nn.load(path, expected={"a": np.zeros((2, 3))})
    with pytest.raises(CheckpointError, match=r"'a': expected shape \(3, 2\), got \(2, 3\)"):
        nn.load(path, expected={"a": np.zeros((3, 2)), "b": np.zeros(4)})
    with pytest.raises(
        CheckpointError, match=r"expected at most 40 bytes in all from a file of \d+, got \d+; raise max_bytes="
    ):
        nn.load(path, max_bytes=40)


def test_hard_case_163_a_bomb_that_is_expected_is_data(tmp_path):
    path = tmp_path / "zeros.npz"
    path.write_bytes(corpus.bomb())
    assert nn.load(path, max_bytes=400_000_000)["w"].shape == (75_000_000,)
    with pytest.raises(CheckpointError, match=r"'w': expected shape \(3,\), got \(75000000,\)"):
        nn.load(path, expected={"w": np.zeros(3)})


def test_hard_case_162_a_large_header_of_many_small_tensors_loads(tmp_path):
    path = tmp_path / "state.safetensors"
    nn.save({f"layer.{index}.weight": np.array(index) for index in range(20_000)}, path)
    assert path.stat().st_size > 1_000_000
    assert len(nn.load(path)) == 20_000


# ------------------------------------------------------------------------------------------------ bit for bit


def awkward() -> dict[str, np.ndarray]:
    bits = np.array([0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x007FFFFF, 0x7F800000], np.uint32)
    grid = np.arange(24.0).reshape(2, 3, 4)
    return {
        "nan_payloads": bits.view(np.float32),
        "nan_payloads_64": np.array([0x7FF8000000000001, 0xFFF0000000000001, 0x8000000000000000, 1], np.uint64).view(
            np.float64
        ),
        "halves": np.array([0x7E01, 0x8000, 0x0001, 0x7C00, 0x3C00], np.uint16).view(np.float16),
        "transposed": grid.T,
        "stepped": grid[:, ::-2, ::3],
        "fortran": np.asfortranarray(grid),
        "broadcast": np.broadcast_to(np.float32(3), (2, 3)),
        "number": np.array(2.5),
        "scalar": np.float32(1.5),
        "empty": np.empty((0, 3), np.int16),
        "empty_at_the_end": np.empty((3, 0)),
        "bools": np.array([[True], [False]]),
        "bool_number": np.array(True),
        "ints": np.array([-(2**63), 2**63 - 1]),
        **{f"of_{name}": np.array([0, 1, 100], name) for name in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")},
    }


@both_formats
def test_hard_case_167_round_trips_are_bit_exact(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    state = awkward()
    nn.save({**state, "tensor": ag.tensor([[1.0, -0.0]])}, path)
    found = nn.load(path)
    assert found.pop("tensor").tolist() == [[1.0, -0.0]]
    assert set(found) == set(state)
    for name, tensor in found.items():
        assert isinstance(tensor, ag.Tensor)
        assert not tensor.requires_grad
        assert tensor.dtype == state[name].dtype
        assert tensor.shape == state[name].shape
        assert tensor.numpy().flags.c_contiguous
        assert tensor.numpy().tobytes() == np.ascontiguousarray(state[name]).tobytes(), name
        assert tensor.numpy().flags.writeable


@both_formats
@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", ">i4", ">u8"])
def test_hard_case_167_big_endian(suffix, dtype, tmp_path):
    path = tmp_path / f"state{suffix}"
    nan = np.array([0x7FC00001], ">u4").view(">f4") if dtype == ">f4" else np.ones(1, dtype)
    array = np.concatenate([np.arange(5), nan]).astype(dtype) if dtype != ">f4" else np.concatenate([nan, nan]).astype(">f4")
    nn.save({"w": array}, path)
    found = nn.load(path)["w"]
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    assert found.numpy().astype(dtype).tobytes() == array.tobytes()


def test_big_endian_and_fortran_order_written_by_numpy_load(tmp_path):
    path = tmp_path / "state.npz"
    grid = np.arange(6.0).reshape(2, 3)
    np.savez(path, big=grid.astype(">f4"), fortran=np.asfortranarray(grid), file_=np.int8(3), number=np.array(1.5))
    found = nn.load(path)
    assert found["big"].dtype == np.float32
    for name in ("big", "fortran"):
        assert found[name].tolist() == grid.tolist()
        assert found[name].numpy().flags.c_contiguous
    assert found["number"].shape == ()
    np.savez_compressed(path, big=grid.astype(">f4"), ints=np.arange(10_000))
    assert nn.load(path)["ints"].tolist() == list(range(10_000))


def test_numpy_reads_what_is_saved(tmp_path):
    path = tmp_path / "state.npz"
    nn.save(awkward(), path)
    with np.load(path, allow_pickle=False) as found:
        for name, array in awkward().items():
            assert found[name].tobytes() == np.ascontiguousarray(array).tobytes()
    saved = path.read_bytes()
    nn.save(awkward(), path)
    assert path.read_bytes() == saved  # equal states, equal files


@pytest.mark.slow
@both_formats
def test_hard_case_167_more_than_4_gb(suffix, tmp_path):
    path = tmp_path / f"large{suffix}"
    count = (1 << 32) + 10
    large = np.zeros(count, np.uint8)
    large[[0, 1 << 31, 1 << 32, count - 1]] = 1, 2, 3, 4
    nn.save({"first": np.ones(3), "large": large, "last": np.arange(3)}, path)
    del large
    found = nn.load(path)
    places = np.flatnonzero(found["large"].numpy())
    assert places.tolist() == [0, 1 << 31, 1 << 32, count - 1]
    assert found["large"].numpy()[places].tolist() == [1, 2, 3, 4]
    assert found["last"].tolist() == [0, 1, 2]


def test_saving_and_loading_copy_nothing_twice(tmp_path):
    state = {"w": np.ones(20_000_000, np.uint8)}
    for suffix in SUFFIXES:
        path = tmp_path / f"state{suffix}"
        tracemalloc.start()
        nn.save(state, path)
        saving = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        nn.load(path)
        loading = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert saving < 3_000_000
        assert loading < 24_000_000


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    "name", ["ключ", "重み", "file", "self", "a.b.0", "_", "..", "x" * 10_000, "w.npy", "arr_0", "__metadata__.json"]
)
@both_formats
def test_hard_case_165_names_come_back(suffix, name, tmp_path):
    path = tmp_path / f"state{suffix}"
    nn.save({name: np.ones(2), "other": np.zeros(1)}, path)
    assert set(nn.load(path)) == {name, "other"}
    assert nn.load(path)[name].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "a\nb", "a\0b", 'quote"', "back\\slash", "\U0001f600", "é\u0301"])
def test_hard_case_165_other_names_come_back_from_safetensors_and_are_refused_for_npz(name, tmp_path):
    path = tmp_path / "state.safetensors"
    nn.save({name: np.ones(2)}, path)
    assert list(nn.load(path)) == [name]
    with pytest.raises(ValueError, match=r"save: expected a name of letters, digits, '_' and '.' in an .npz"):
        nn.save({name: np.ones(2)}, tmp_path / "state.npz")
    assert os.listdir(tmp_path) == ["state.safetensors"]


def test_hard_case_165_names_that_cannot_come_back_are_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    with pytest.raises(ValueError, match="save: expected another name than '__metadata__'"):
        nn.save({"__metadata__": np.ones(1)}, path)
    with pytest.raises(ValueError, match="save: expected a name in Unicode, got half of a surrogate pair"):
        nn.save({"\ud800": np.ones(1)}, path)
    with pytest.raises(ValueError, match="expected a name of at most 65531 bytes in an .npz, got 70000"):
        nn.save({"x" * 70_000: np.ones(1)}, tmp_path / "state.npz")
    with pytest.raises(TypeError, match="save: expected strings as names, got int"):
        nn.save({1: np.ones(1)}, path)
    with pytest.raises(TypeError, match="save: expected tensors by name, got list"):
        nn.save([np.ones(1)], path)
    with pytest.raises(TypeError, match="save: expected a Tensor or an array for 'w', got float"):
        nn.save({"w": 1.0}, path)
    with pytest.raises(TypeError, match="got dict; use save_checkpoint for nested states"):
        nn.save({"w": {}}, path)
    for value in (np.array([None]), np.array(["x"]), np.ones(1, complex), np.zeros(1, "M8[s]"), np.zeros(1, [("a", "f4")])):
        with pytest.raises(TypeError, match=r"save: 'w': expected a dtype among"):
            nn.save({"w": value}, path)
    with pytest.raises(TypeError, match="save: 'w': expected a plain array, got a MaskedArray"):
        nn.save({"w": np.ma.array([1.0], mask=[True])}, path)
    assert os.listdir(tmp_path) == []


@both_formats
def test_metadata(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    nn.save({"w": np.ones(2)}, path, {"format": "pt", "ключ": 'a "quoted"\nline', "": ""})
    assert load_metadata(path) == {"format": "pt", "ключ": 'a "quoted"\nline', "": ""}
    nn.save({}, path)
    assert load_metadata(path) == {}
    assert nn.load(path) == {}
    for metadata in ({"a": 1}, {1: "a"}, ["a"], "a"):
        with pytest.raises(TypeError, match="save: expected metadata of strings by name, got .*; json.dumps makes"):
            nn.save({}, path, metadata)
    with pytest.raises(ValueError, match="save: expected names of metadata that do not begin with 'tapegrad.'"):
        nn.save({}, path, {"tapegrad.version": "0"})
    with pytest.raises(ValueError, match="save: expected metadata in Unicode"):
        nn.save({}, path, {"a": "\udfff"})
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        load_metadata(path)


def test_hard_case_168_files_without_a_version_and_of_older_ones_load(tmp_path):
    path = tmp_path / "state.safetensors"
    for metadata in ({}, {"tapegrad.version": "0"}, {"tapegrad.version": "1"}, {"tapegrad.version": "01"}):
        path.write_bytes(corpus.tensors({"__metadata__": metadata, "w": corpus.entry()}))
        assert nn.load(path)["w"].tolist() == [0.0, 0.0]
    nn.save({}, path)
    assert json.loads(path.read_bytes()[8:]) == {"__metadata__": {"tapegrad.version": "1"}}


# ------------------------------------------------------------------------------------------------ PyTorch


def models():
    torch = pytest.importorskip("torch")
    sizes = ((5, 7), (7, 3))
    theirs = torch.nn.Sequential(torch.nn.Linear(*sizes[0]), torch.nn.Tanh(), torch.nn.Linear(*sizes[1]))
    ours = nn.Sequential(nn.Linear(*sizes[0]), nn.Tanh(), nn.Linear(*sizes[1]))
    return torch, theirs, ours


def test_a_state_saved_by_pytorch_loads_and_gives_the_same_outputs(tmp_path):
    torch, theirs, ours = models()
    files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    files.save_file(theirs.state_dict(), path, metadata={"format": "pt"})
    assert ours.load_state_dict(nn.load(path)) == ([], [])
    assert load_metadata(path) == {"format": "pt"}
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(ours(ag.tensor(x)).detach(), theirs(torch.from_numpy(x)).detach(), rtol=1e-5, atol=1e-6)


def test_a_state_saved_here_loads_into_pytorch_and_gives_the_same_outputs(tmp_path):
    torch, theirs, ours = models()
    files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    nn.save(ours.state_dict(), path, {"format": "pt"})
    theirs.load_state_dict(files.load_file(path))
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(ours(ag.tensor(x)).detach(), theirs(torch.from_numpy(x)).detach(), rtol=1e-5, atol=1e-6)


def test_the_safetensors_package_writes_and_reads_the_same_bits(tmp_path):
    files = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "state.safetensors"
    state = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in awkward().items()}
    nn.save(awkward(), path)
    for name, array in files.load_file(path).items():
        assert array.dtype == state[name].dtype
        assert array.shape == state[name].shape
        assert array.tobytes() == state[name].tobytes()
    files.save_file(state, path)
    found = nn.load(path)
    assert set(found) == set(state)
    for name, tensor in found.items():
        assert tensor.numpy().tobytes() == state[name].tobytes()


def test_bfloat16_is_refused_or_widened_exactly(tmp_path):
    torch, *_ = models()
    files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    values = torch.tensor([1.0, -0.0, 1e-40, 3.14, float("inf"), float("nan"), -65280.0, 0.0]).to(torch.bfloat16).reshape(2, 4)
    files.save_file({"w": values, "v": torch.ones(2)}, path)
    with pytest.raises(
        CheckpointError, match="'w': expected a dtype that NumPy has, got bfloat16; pass widen=True to make float32"
    ):
        nn.load(path)
    found = nn.load(path, widen=True)
    assert found["w"].dtype == np.float32
    assert found["w"].numpy().tobytes() == values.float().numpy().tobytes()
    assert found["v"].tolist() == [1.0, 1.0]


def test_the_safetensors_package_refuses_no_file_that_is_saved_here(tmp_path):
    package = pytest.importorskip("safetensors")
    path = tmp_path / "state.safetensors"
    for state in ({}, {"": np.ones(1)}, {"x" * 10_000: np.array(1)}, {"a\0b\u2028": np.empty((0,))}):
        nn.save(state, path, {"note": "ä"})
        with package.safe_open(path, "np") as opened:
            assert set(opened.keys()) == set(state)


# ------------------------------------------------------------------------------------------------ in one step

STEPS = ("open", "fdopen", "write", "fsync", "replace", "fsync folder")
SAVE_AND_DIE = """
import os, signal, sys
import numpy as np
import nn
from nn.formats import atomic

step, path = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

real_fsync, real_replace, real_fdopen = os.fsync, os.replace, os.fdopen
calls = []

def fsync(descriptor):
    calls.append(descriptor)
    if len(calls) == (1 if step == "fsync" else 2):
        die()
    real_fsync(descriptor)

class Dying:
    def __init__(self, file):
        self.file = file
    def __getattr__(self, name):
        return getattr(self.file, name)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.file.close()
    def write(self, data):
        self.file.write(bytes(data)[:5])
        self.file.flush()
        die()

if step == "open":
    os.open = die
elif step == "fdopen":
    os.fdopen = die
elif step == "write":
    os.fdopen = lambda *arguments: Dying(real_fdopen(*arguments))
elif step in ("fsync", "fsync folder"):
    os.fsync = fsync
elif step == "replace":
    os.replace = die
elif step == "after replace":
    os.replace = lambda *arguments: (real_replace(*arguments), die())
nn.save({"w": np.full(100_000, 2.0)}, path)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("step", ["open", "fdopen", "write", "fsync", "replace", "after replace", "fsync folder"])
@both_formats
def test_hard_case_166_killed_at_any_step_the_file_is_whole(step, suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    nn.save({"w": np.full(1000, 1.0)}, path)
    done = subprocess.run([sys.executable, "-c", SAVE_AND_DIE, step, str(path)], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    found = nn.load(path)["w"].numpy()
    if step in ("after replace", "fsync folder"):
        assert found.tolist() == [2.0] * 100_000
    else:
        assert found.tolist() == [1.0] * 1000


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_hard_case_166_killed_at_any_time_the_file_is_whole(tmp_path):
    path = tmp_path / "state.safetensors"
    nn.save({"w": np.zeros(300_000)}, path)
    code = (
        "import sys, numpy as np, nn\nprint('ready', flush=True)\nn = 0.0\n"
        "while True:\n    n += 1\n    nn.save({'w': np.full(300_000, n)}, sys.argv[1])\n"
    )
    for delay in (0.0, 0.003, 0.01, 0.02, 0.05):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
        with child:
            child.stdout.readline()
            threading.Event().wait(delay)
            child.kill()
        found = nn.load(path)["w"].numpy()
        assert found.shape == (300_000,)
        assert found.min() == found.max()


@pytest.mark.parametrize("step", ["fdopen", "fchmod", "write", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()])
def test_hard_case_166_an_error_at_any_step_leaves_the_old_file_alone(step, error, tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    nn.save({"w": np.ones(3)}, path)
    before = path.read_bytes()

    def fail(*_):
        raise error

    if step == "write":
        monkeypatch.setattr("nn.formats.safetensors.little_endian", fail)
    else:
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        nn.save({"w": np.zeros(3)}, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@both_formats
def test_hard_case_166_a_full_disk(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"state{suffix}"
    nn.save({"w": np.ones(3)}, path)
    before = path.read_bytes()
    real = os.fdopen

    def full(descriptor, mode):
        os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)
        return real(descriptor, mode)

    monkeypatch.setattr(os, "fdopen", full)
    monkeypatch.delattr(os, "fchmod")  # of the device
    with pytest.raises(OSError) as caught:
        nn.save({"w": np.zeros(100_000)}, path)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


@both_formats
def test_hard_case_166_many_save_at_the_same_time(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    errors = []

    def savers(value):
        try:
            for _ in range(15):
                nn.save({"w": np.full(20_000, value)}, path)
                found = nn.load(path)["w"].numpy()
                if found.shape != (20_000,) or found.min() != found.max():
                    errors.append(found)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=savers, args=(float(value),)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == [path.name]


def test_hard_case_166_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "state.safetensors", tmp_path / "link.safetensors"
    link.symlink_to(target)
    for value in (1.0, 2.0):  # a link to nothing, then to a file
        nn.save({"w": np.full(2, value)}, link)
        assert link.is_symlink()
        assert nn.load(target)["w"].tolist() == [value] * 2
    assert os.listdir(tmp_path / "there") == [target.name]
    circle = tmp_path / "circle.safetensors"
    circle.symlink_to(circle)
    with pytest.raises(OSError, match="expected a link that leads to a file, got a circle"):
        nn.save({}, circle)
    assert circle.is_symlink()


def test_hard_case_166_rights_follow_the_umask_and_an_old_file_keeps_its_own(tmp_path):
    for umask in (0o022, 0o077, 0o002):
        path = tmp_path / f"{umask}.safetensors"
        before = os.umask(umask)
        try:
            nn.save({}, path)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
        path.chmod(0o640)
        nn.save({}, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_hard_case_166_a_read_only_folder(tmp_path):
    if os.geteuid() == 0:
        folder = Path("/proc/self")  # root may write everywhere else
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o555)
    with pytest.raises(OSError):
        nn.save({}, folder / "state.safetensors")


def test_hard_case_166_data_reach_the_disk_before_the_name_moves(tmp_path, monkeypatch):
    events = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (events.append((name, *a)), real(*a))[1])
    nn.save({"w": np.ones(3)}, tmp_path / "state.npz")
    assert [event[0] for event in events] == ["fsync", "replace", "fsync"]
    assert Path(events[1][1]).parent == tmp_path  # in the same folder, so that the name can move at once


def test_a_file_system_without_fsync_of_folders(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, "no")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    code = errno.EINVAL
    nn.save({}, tmp_path / "state.npz")
    code = errno.EIO
    with pytest.raises(OSError, match="no"):
        nn.save({}, tmp_path / "state.npz")


# ------------------------------------------------------------------------------------------------ checkpoints


@both_formats
def test_a_training_goes_on_bit_for_bit(suffix, tmp_path):
    path = tmp_path / f"training{suffix}"

    def new():
        ag.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        return model, optim.Adam(
            [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters()}], amsgrad=True
        )

    def steps(model, optimizer, count):
        losses = []
        for _ in range(count):
            loss = (model(ag.randn(5, 4)) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    from autograd.random import default_generator

    model, optimizer = new()
    steps(model, optimizer, 3)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": default_generator.get_state()}
    save_checkpoint(state, path, {"note": "three steps"})
    expected = steps(model, optimizer, 4)
    model, optimizer = new()
    found = load_checkpoint(path)
    model.load_state_dict(found["model"])
    optimizer.load_state_dict(found["optimizer"])
    default_generator.set_state(found["random"])
    assert steps(model, optimizer, 4) == expected
    assert load_metadata(path) == {"note": "three steps"}


@both_formats
def test_a_nested_state_comes_back(suffix, tmp_path):
    path = tmp_path / f"state{suffix}"
    state = {
        "numbers": [0, -1, 2**100, 0.1, 1e-320, -0.0, True, None, "text", "\ud800", ""],
        "pair": (0.9, (1, [])),
        0: {1: "a", "1": "b"},
        "a.b/c": {},
        "": {"": ()},
        "array": np.arange(3, dtype=np.int8),
        "tensor": ag.tensor([1.0, 2.0]),
        "scalar": np.float64(0.1),
        "not_finite": [float("inf"), -float("inf")],
    }
    save_checkpoint(state, path)
    found = load_checkpoint(path)
    assert list(found) == list(state)
    array, tensor, scalar = found.pop("array"), found.pop("tensor"), found.pop("scalar")
    assert type(array) is np.ndarray
    assert array.dtype == np.int8
    assert array.tolist() == [0, 1, 2]
    assert type(tensor) is ag.Tensor
    assert tensor.tolist() == [1.0, 2.0]
    assert type(scalar) is np.float64
    assert scalar == 0.1
    assert found == {key: value for key, value in state.items() if key not in ("array", "tensor", "scalar")}
    assert str(found["numbers"][5]) == "-0.0"
    assert type(found["numbers"][6]) is bool
    save_checkpoint(float("nan"), path)
    assert np.isnan(load_checkpoint(path))


def test_a_deep_and_a_wide_state_come_back(tmp_path):
    path = tmp_path / "state.npz"
    deep = np.ones(1)
    for index in range(16):
        deep = {"next": [(deep, index)]}
    save_checkpoint(deep, path)
    found = load_checkpoint(path)
    for _ in range(16):
        ((found, _),) = found["next"]
    assert found.tolist() == [1.0]
    wide = {index: np.array(index) for index in range(3000)}
    save_checkpoint(wide, path)
    assert {key: int(value) for key, value in load_checkpoint(path).items()} == {index: index for index in range(3000)}


def test_an_npz_that_would_not_load_is_not_saved(tmp_path):
    path = tmp_path / "state.npz"
    with pytest.raises(
        ValueError, match="save: expected metadata of at most .* and a list of names of at most .* a .safetensors takes"
    ):
        nn.save({f"{index:0>60000}": np.array(1) for index in range(300)}, path)
    with pytest.raises(ValueError, match="save: expected metadata of at most 67108864 bytes"):
        nn.save({}, path, {"x": "x" * (64 << 20)})
    with pytest.raises(ValueError, match="save: expected names and metadata of at most 100000000 bytes"):
        nn.save({}, tmp_path / "state.safetensors", {"x": "x" * 100_000_000})
    assert os.listdir(tmp_path) == []


def test_an_error_comes_whole_from_another_process(tmp_path):
    import copy

    path = tmp_path / "state.npz"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        nn.load(path)
    again = copy.copy(caught.value)  # as pickle does it
    assert (type(again), str(again), again.path, again.reason) == (
        CheckpointError,
        str(caught.value),
        str(path),
        caught.value.reason,
    )


def test_a_nested_state_that_cannot_be_saved(tmp_path):
    path = tmp_path / "state.npz"
    for state, says in (
        ({"a": [object()]}, r"got object at a.0$"),
        (b"x", "got bytes at the top"),
        ({"a": {1.5: 1}}, "expected strings or whole numbers as keys at a, got 1.5"),
        ({True: 1}, "expected strings or whole numbers as keys at the top, got True"),
        ({"a": {1, 2}}, "got set at a"),
        ({"w": np.array(["x"])}, "save: w: expected a dtype among"),
    ):
        with pytest.raises(TypeError, match=says):
            save_checkpoint(state, path)
    loop = {}
    loop["self"] = loop
    with pytest.raises(
        ValueError, match=r"expected a nesting of at most 50 levels, got more at self.self.*; does it hold itself\?"
    ):
        save_checkpoint(loop, path)
    assert os.listdir(tmp_path) == []


def trees():
    yield "{", "expected the tree in JSON"
    yield "[]", "expected a JSON object as the tree, got list"
    yield '{"tree": {}, "tree": {}}', "expected each key of the tree once, got 'tree' twice"
    yield '{"more": 1, "tree": 1}', r"expected the key 'tree' alone, got \['more', 'tree'\]"
    yield '{"tree": {}}', r"expected objects of one key in the tree, got \[\]"
    yield '{"tree": {"array": "no"}}', "expected dict, tuple, float, or an array of the file in the tree, got 'array': 'no'"
    yield '{"tree": {"array": 0}}', "expected dict, tuple, float, or an array of the file"
    yield '{"tree": {"scalar": "w"}}', "expected dict, tuple, float, or an array of the file .* got 'scalar': 'w'"
    yield '{"tree": {"import": "os"}}', "got 'import': 'os'"
    yield '{"tree": {"float": "1e400"}}', "got 'float': '1e400'"
    yield '{"tree": {"dict": [["a"]]}}', r"expected pairs of a key and a value in the tree, got \['a'\]"
    yield '{"tree": {"dict": [[[], 1]]}}', "expected pairs of a key and a value"
    yield '{"tree": {"dict": [[true, 1]]}}', "expected pairs of a key and a value"
    yield '{"tree": {"dict": [["a", 1], ["a", 2]]}}', "expected each key of the tree once, got 'a' twice"
    yield '{"tree": 1}', "expected every array of the file in the tree, 'w' is not"
    yield '{"tree": NaN}', "expected numbers that JSON has, got NaN in the tree"
    yield '{"tree": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep|of fewer levels"
    yield '{"tree": ' + "[" * 900 + "]" * 900 + "}", "nested too deep|of fewer levels|expected every array"


@pytest.mark.parametrize(("tree", "says"), list(trees()))
def test_hard_case_173_a_tree_that_was_not_saved_here_is_refused(tree, says, tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(corpus.tensors({"__metadata__": {"tapegrad.tree": tree}, "w": corpus.entry()}))
    with pytest.raises(CheckpointError, match=says):
        load_checkpoint(path)


def test_tensors_alone_are_not_a_checkpoint(tmp_path):
    path = tmp_path / "state.npz"
    nn.save({"w": np.ones(1)}, path)
    with pytest.raises(
        CheckpointError, match=r"load_checkpoint: .*: expected a file of save_checkpoint, got tensors alone; use load"
    ):
        load_checkpoint(path)
    save_checkpoint([np.ones(1)], path)
    assert list(nn.load(path)) == ["0.0"]


def test_hard_case_171_nothing_reaches_for_the_network_or_imports_by_name():
    """No file names code to be run: nothing in nn.formats, nn.data or nn.serialization imports by a name it computes."""
    import ast

    sources = [ROOT / "nn" / "serialization.py", *(ROOT / "nn" / "formats").glob("*.py"), *(ROOT / "nn").glob("data*/**/*.py")]
    assert len(sources) >= 6
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            forbidden = {"importlib", "urllib", "http", "socket", "ftplib", "subprocess", "pickle", "runpy", "ast"}
            assert not {name.split(".")[0] for name in names} & forbidden, path
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "extract", "extractall")), path
