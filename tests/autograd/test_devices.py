"""The one device, and the names of dtypes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


def test_programs_that_ask_for_the_best_device_get_the_cpu():
    device = ag.device("cuda" if ag.cuda.is_available() else "mps" if ag.backends.mps.is_available() else "cpu")
    assert device == ag.device("cpu") == "cpu"
    assert device != "cuda"
    assert (str(device), repr(device), device.type, device.index) == ("cpu", "device(type='cpu')", "cpu", None)
    assert len({device, ag.device("cpu:0"), ag.device(device)}) == 1
    assert ag.cuda.device_count() == 0
    ag.cuda.manual_seed_all(1)
    x = ag.zeros(2, device=device)
    assert x.device == device
    assert not x.is_cuda
    for same in (x.to(device), x.to("cpu"), x.cpu(), x.to(device="cpu", non_blocking=True), x.to(device, ag.float32, True)):
        assert same is x


def test_dtypes_under_pytorchs_names():
    for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8"):
        assert getattr(ag, name) == np.dtype(name)
    pairs = {"half": "float16", "float": "float32", "double": "float64", "short": "int16", "int": "int32", "long": "int64"}
    for theirs, ours in {**pairs, "bool": "bool"}.items():
        assert getattr(ag, theirs) == np.dtype(ours)
    x = ag.tensor([1.5, 0.0], dtype=ag.float64)
    assert x.dtype == ag.double
    assert isinstance(x.dtype, ag.dtype)
    assert x.to(ag.long).tolist() == [1, 0]
    assert x.to("cpu", ag.float32).dtype == ag.float32
    assert x.to(ag.ones(1, dtype=ag.half)).dtype == ag.half
    assert x.to(dtype=ag.bool).tolist() == [True, False]
    assert x.type(ag.int).dtype == np.int32
    assert x.to(ag.float64) is x
    copied = x.to(ag.float64, copy=True)
    assert copied is not x
    assert copied.tolist() == x.tolist()
    assert ag.finfo(ag.float32).max == np.finfo(np.float32).max
    assert ag.iinfo(ag.long).max == 2**63 - 1
    assert (ag.inf, ag.pi) == (np.inf, np.pi)


def test_star_import_leaves_pythons_types_alone():
    assert not {"float", "int", "bool"} & set(ag.__all__)


MAKERS = {
    "tensor": lambda **d: ag.tensor([1.0], **d),
    "as_tensor": lambda **d: ag.as_tensor([1.0], **d),
    "zeros": lambda **d: ag.zeros(2, **d),
    "ones": lambda **d: ag.ones(2, **d),
    "empty": lambda **d: ag.empty(2, **d),
    "full": lambda **d: ag.full((2,), 1.0, **d),
    "eye": lambda **d: ag.eye(2, **d),
    "arange": lambda **d: ag.arange(2, **d),
    "linspace": lambda **d: ag.linspace(0, 1, 3, **d),
    "zeros_like": lambda **d: ag.zeros_like(ag.ones(2), **d),
    "ones_like": lambda **d: ag.ones_like(ag.ones(2), **d),
    "empty_like": lambda **d: ag.empty_like(ag.ones(2), **d),
    "full_like": lambda **d: ag.full_like(ag.ones(2), 3.0, **d),
    "rand": lambda **d: ag.rand(2, **d),
    "randn": lambda **d: ag.randn(2, **d),
    "rand_like": lambda **d: ag.rand_like(ag.ones(2), **d),
    "randn_like": lambda **d: ag.randn_like(ag.ones(2), **d),
    "randint": lambda **d: ag.randint(0, 3, (2,), **d),
    "randperm": lambda **d: ag.randperm(2, **d),
    "normal": lambda **d: ag.normal(0.0, 1.0, (2,), **d),
    "uniform": lambda **d: ag.uniform(0.0, 1.0, (2,), **d),
    "new_zeros": lambda **d: ag.ones(2).new_zeros(2, **d),
    "new_ones": lambda **d: ag.ones(2).new_ones(2, **d),
    "new_empty": lambda **d: ag.ones(2).new_empty(2, **d),
    "new_full": lambda **d: ag.ones(2).new_full((2,), 1.0, **d),
    "new_tensor": lambda **d: ag.ones(2).new_tensor([1.0], **d),
    "to": lambda **d: ag.ones(2).to(**d),
}


@pytest.mark.parametrize("name", MAKERS)
def test_makers_take_the_cpu_and_refuse_others(name):
    for device in (None, "cpu", "cpu:0", ag.device("cpu")):
        assert MAKERS[name](device=device).device == ag.device("cpu")
    for other in ("cuda", "cuda:1", "mps", 0):
        with pytest.raises(
            RuntimeError, match=f"{name}: expected the device 'cpu', which is where all tensors are, got {other!r}"
        ):
            MAKERS[name](device=other)


def test_other_devices_are_refused():
    with pytest.raises(RuntimeError, match="device: expected the device 'cpu', which is where all tensors are, got 'cuda'"):
        ag.device("cuda")
    with pytest.raises(RuntimeError, match="to: expected the device 'cpu'"):
        ag.ones(1).to("cuda:0")


def test_packages_are_reached_as_programs_reach_them():
    import nn
    import optim

    assert ag.nn is nn
    assert ag.optim is optim
    assert ag.autograd is ag
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'sparse'"):
        ag.sparse
