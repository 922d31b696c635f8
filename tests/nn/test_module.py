"""Modules: registration, walking, state, scopes, hooks."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.ReLU()])
        self.register_buffer("shift", ag.zeros(4))

    def forward(self, x):
        x = self.first(x) + self.shift
        for layer in self.layers:
            x = layer(x)
        return x


NAMES = ["first.weight", "first.bias", "layers.0.weight", "layers.0.bias"]


def test_parameters_are_found_by_name():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(4, 3), (4,), (4, 4), (4,)]
    assert [name for name, _ in net.named_buffers()] == ["shift"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "layers", "layers.0", "layers.1"]
    assert [name for name, _ in net.named_children()] == ["first", "layers"]
    assert net.get_submodule("layers.0") is net.layers[0]
    with pytest.raises(AttributeError, match=r"get_submodule: expected a submodule 'layers\.7', ModuleList has no '7'"):
        net.get_submodule("layers.7")
    assert {"first", "shift", "layers"} <= set(dir(net))


def test_attributes_move_between_kinds():
    net = Net()
    net.first = None
    assert net.first is None
    net.first = nn.Identity()
    assert [name for name, _ in net.named_parameters()] == NAMES[2:]
    net.extra = 3
    net.extra = nn.Parameter([1.0])
    assert net.extra is next(p for name, p in net.named_parameters() if name == "extra")
    net.extra = nn.Identity()
    assert "extra" not in dict(net.named_parameters())
    del net.extra
    with pytest.raises(AttributeError, match="has no attribute 'extra'"):
        _ = net.extra
    net.shift = None
    assert list(net.buffers()) == []


def test_members_change_with_the_attributes_only():
    net = nn.Sequential(nn.Linear(2, 3))
    with pytest.raises(
        TypeError, match=r"members of a module: expected to be set as attributes; use setattr\(module, name, value"
    ):
        net._modules["0"] = nn.ReLU()
    with pytest.raises(TypeError, match="expected to be set as attributes"):
        net[0]._parameters.pop("bias")
    new = nn.Linear(2, 3)
    setattr(net, "0", new)
    assert net[0] is new
    assert getattr(net, "0") is new
    assert list(net._modules.values()) == [new]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_has_members_of_its_own(copied):
    net = nn.BatchNorm1d(2)
    weight, mean = net.weight, net.running_mean
    other = copied(net)
    assert (other.weight is weight) == (copied is copy.copy)
    assert other._parameters["weight"] is other.weight
    other.weight = nn.Parameter([1.0, 2.0])
    other.running_mean = ag.ones(2)
    assert net.weight is weight
    assert net._parameters["weight"] is weight
    assert net.running_mean is mean
    assert net._buffers["running_mean"] is mean
    assert other._parameters["weight"] is other.weight
    assert other._buffers["running_mean"] is other.running_mean


def test_hard_case_154_a_shared_parameter():
    net = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    net["b"].weight = net["a"].weight
    assert [name for name, _ in net.named_parameters()] == ["a.weight", "a.bias", "b.bias"]
    assert list(net.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]  # under each of its names
    net["b"](net["a"](ag.ones(1, 2))).sum().backward()
    assert net["a"].weight.grad is net["b"].weight.grad
    net.load_state_dict({name: t.numpy() + 1 for name, t in net.state_dict().items()})
    twice = nn.Sequential(linear := nn.Linear(2, 2), linear)
    assert len(list(twice.parameters())) == 2
    assert list(twice.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_hard_case_155_mistakes_in_modules():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="Forgetful: expected super"):
        Forgetful()

    class Late(nn.Module):
        def __init__(self):
            pass

    for use in (lambda m: m(1), lambda m: m.weight, lambda m: m.register_parameter("w", None), lambda m: list(m.parameters())):
        with pytest.raises(AttributeError, match="Late: expected super"):
            use(Late())

    net = Net()
    for value in (np.zeros((4, 3)), ag.zeros(4, 3)):
        with pytest.raises(TypeError, match="weight: expected a Parameter or None"):
            net.first.weight = value
    with pytest.raises(TypeError, match="first: expected a Module or None, got int"):
        net.first = 3
    with pytest.raises(TypeError, match="shift: expected a Tensor or None as a buffer, got list"):
        net.shift = [1.0]
    with pytest.raises(KeyError, match=r"has no '\.'"):
        net.register_parameter("a.b", nn.Parameter([1.0]))
    with pytest.raises(KeyError, match="not empty"):
        net.add_module("", nn.Identity())
    with pytest.raises(KeyError, match="already an attribute"):
        net.register_buffer("forward", ag.zeros(1))
    with pytest.raises(TypeError, match="add_module: expected a Module or None, got int"):
        net.add_module("x", 3)
    with pytest.raises(TypeError, match="register_parameter: expected a Parameter or None, got Tensor"):
        net.register_parameter("x", ag.zeros(1))
    with pytest.raises(NotImplementedError, match="Module: expected a forward method"):
        nn.Module()(1)


@pytest.mark.parametrize("wrap", [list, tuple, lambda items: dict(enumerate(items))])
def test_hard_case_155_a_plain_list_warns(wrap):
    net = Net()
    with pytest.warns(UserWarning, match="a plain (list|tuple|dict) does not register the modules"):
        net.hidden = wrap([nn.Linear(2, 2)])
    with pytest.warns(UserWarning, match="a plain (list|tuple|dict) does not register the modules"):
        net.deeper = wrap([[nn.Linear(2, 2)]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.sizes = wrap([1, 2])


def test_hard_case_155_a_cycle_of_modules_ends():
    a, b = nn.Sequential(nn.Linear(1, 1)), nn.Sequential()
    a.append(b)
    b.append(a)
    assert len(list(a.modules())) == 3
    assert list(a.state_dict()) == ["0.weight", "0.bias"]
    assert "(0): ..." in repr(a)
    a.train(False)
    gc.collect()


def test_modes_and_functions_on_all_modules():
    net = Net()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    with pytest.raises(ValueError, match="train: expected True or False"):
        net.train("yes")
    order = []
    net.apply(lambda module: order.append(type(module).__name__))
    assert order[-1] == "Net"
    net.requires_grad_(False)
    assert not net(ag.ones(1, 3)).requires_grad


def test_zero_grad_and_casts():
    net = Net()
    net(ag.ones(2, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad.tolist() == np.zeros(p.shape).tolist() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net(ag.ones(2, 3)).sum().backward()
    before = list(net.parameters())
    assert net.double() is net
    assert list(map(id, net.parameters())) == list(map(id, before))
    assert all(p.dtype == p.grad.dtype == np.float64 for p in before)
    assert net.shift.dtype == np.float64
    assert net(ag.ones(2, 3, dtype=np.float64)).dtype == np.float64
    assert net.to("cpu") is net
    with pytest.raises(TypeError, match="to: expected a floating dtype"):
        net.to(np.int64)


# ------------------------------------------------------------------------------------------------ state


def test_state_goes_to_another_module():
    one, other = Net(), Net()
    x = ag.randn(5, 3)
    assert other.load_state_dict(one.state_dict()) == ([], [])
    assert other(x).tolist() == one(x).tolist()
    assert [p.requires_grad for p in other.parameters()] == [True] * 4
    other.load_state_dict({name: t.numpy().astype(np.float64) for name, t in one.state_dict().items()})
    assert other.first.weight.dtype == np.float32


def test_state_shares_memory_with_the_module():
    net = Net()
    state = net.state_dict()
    state["first.bias"].copy_(ag.ones(4))
    assert net.first.bias.tolist() == [1.0] * 4
    assert not state["first.bias"].requires_grad


def test_a_state_loaded_between_forward_and_backward_is_noticed():
    net = Net()
    loss = (net(ag.randn(2, 3)) ** 2).sum()
    net.load_state_dict({name: t.numpy() + 1 for name, t in net.state_dict().items()})
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()


def test_hard_case_157_all_problems_in_one_error():
    net = Net()
    before = {name: np.array(t.numpy()) for name, t in net.state_dict().items()}
    state = {name: t.numpy() + 1 for name, t in net.state_dict().items()}
    del state["first.bias"]
    state["more"] = np.zeros(1)
    state["shift"] = np.zeros(5)
    state["layers.0.bias"] = [1.0] * 4
    state["layers.0.weight"] = np.zeros((4, 4), complex)
    with pytest.raises(RuntimeError, match="the state does not fit Net, nothing was loaded") as caught:
        net.load_state_dict(state)
    for part in (
        "missing 'first.bias'",
        "unexpected 'more'",
        "'shift': expected shape (4,), got (5,)",
        "'layers.0.bias': expected a Tensor or an array, got list",
        "'layers.0.weight': expected float32, got complex128",
    ):
        assert part in str(caught.value)
    for name, t in net.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])
    with pytest.raises(RuntimeError, match="'shift': expected shape"):  # also when not strict
        net.load_state_dict(state, strict=False)
    with pytest.raises(TypeError, match="load_state_dict: expected a mapping, got list"):
        net.load_state_dict([("first.bias", 1)])
    del state["shift"], state["layers.0.bias"], state["layers.0.weight"]
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert missing == ["shift", "first.bias", "layers.0.weight", "layers.0.bias"]
    assert unexpected == ["more"]


class Holder(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.register_buffer("values", ag.tensor(values))


@pytest.mark.parametrize(
    ("given", "own", "changed"),
    [
        (np.array([0.5, 0.1, 1e300, 1e-300, -0.0]), np.float32, 3),
        (np.array([0.5, np.nan, np.inf, -np.inf]), np.float32, 0),
        (np.array([1.0, 65505.0, 2049.0], np.float32), np.float16, 2),
        (np.array([2**24, 2**24 + 1, -(2**63), 2**63 - 1]), np.float32, 2),
        (np.array([2**53 + 1, 2**63 - 1, -1]), np.float64, 2),
        (np.array([2**64 - 1, 2**63, 7], np.uint64), np.float64, 1),
        (np.array([2**63, 5], np.uint64), np.int64, 1),
        (np.array([2**32 + 5, 5, -1]), np.int32, 1),
        (np.array([2**31 - 1, 70000, 3], np.int32), np.float16, 2),
        (np.array([True, False]), np.float32, 0),
        (np.zeros((0,)), np.float32, 0),
        (np.array(0.1), np.float32, 1),
    ],
)
def test_hard_case_158_exact_refuses_values_that_a_cast_changes(given, own, changed):
    module = Holder(np.ones(given.shape, own))
    if changed:
        says = (
            rf"'values': expected values that \w+ holds exactly, got {changed} of {given.size} in \w+ that it does not, such as"
        )
        with pytest.raises(RuntimeError, match=says):
            module.load_state_dict({"values": given}, exact=True)
        assert (np.asarray(module.values) == 1).all()
    else:
        module.load_state_dict({"values": given}, exact=True)
        np.testing.assert_array_equal(module.values, given.astype(own))


def test_hard_case_158_casts_stay_within_their_kind():
    module = Holder(np.ones(2, np.float32))
    module.load_state_dict({"values": np.array([2**24 + 1, 3])})  # whole numbers become floats, as in PyTorch
    assert module.values.tolist() == [2.0**24, 3.0]
    module.load_state_dict({"values": np.array([0.1, 0.5])})
    assert module.values.dtype == np.float32
    whole = Holder(np.ones(2, np.int64))
    for exact in (False, True):
        with pytest.raises(RuntimeError, match="'values': expected int64, got float64"):
            whole.load_state_dict({"values": np.array([1.0, 2.0])}, exact=exact)


def test_buffers_that_are_not_state():
    net = Net()
    net.register_buffer("scratch", ag.zeros(2), persistent=False)
    assert "scratch" not in net.state_dict()
    assert [name for name, _ in net.named_buffers()] == ["shift", "scratch"]
    net.scratch = ag.ones(2)
    assert "scratch" not in net.state_dict()


# ------------------------------------------------------------------------------------------------ calls


def scopes(tensor):
    """The paths of the scopes of all nodes behind a tensor."""
    found, stack = set(), [tensor.node]
    while stack:
        node = stack.pop()
        if not node.is_leaf:
            found.add((node.op, "/".join(node.scope.path()) if node.scope else ""))
        stack.extend(parent for parent in node.parents if hasattr(parent, "parents"))
    return found


def test_nodes_know_the_module_they_were_made_in():
    y = Net()(ag.randn(2, 3)).sum()
    assert scopes(y) == {
        ("linear", "model/first"),
        ("add", "model"),
        ("linear", "model/layers.0"),
        ("relu", "model/layers.1"),
        ("sum", ""),
    }
    assert scopes(nn.Sequential(Net())(ag.randn(2, 3))) >= {("linear", "model/0/layers.0")}


def test_scopes_follow_changes_of_the_modules():
    net = Net()
    net(ag.randn(2, 3))
    net.layers.append(nn.Linear(4, 1))
    assert ("linear", "model/layers.2") in scopes(net(ag.randn(2, 3)))
    net.last = net.first
    net.first = nn.Linear(3, 3)
    net.forward = lambda x: net.last(net.first(x))
    assert scopes(net(ag.randn(2, 3))) == {("linear", "model/first"), ("linear", "model/last")}


def test_mode_after_a_call():
    class Odd(nn.Module):
        def forward(self, x):
            ag.set_grad_enabled(False)
            return x * 2

    x = ag.ones(2, requires_grad=True)
    try:
        Odd()(x)
        assert not ag.is_grad_enabled()  # it outlives the call, as in PyTorch
    finally:
        ag.set_grad_enabled(True)
    assert scopes((x * 2).sum()) == {("multiply", ""), ("sum", "")}

    class Broken(nn.Module):
        def forward(self, x):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken()(x)
    assert scopes(x * 2) == {("multiply", "")}
    with ag.no_grad():
        assert not Net()(ag.randn(1, 3)).requires_grad


def test_hooks():
    net = nn.Linear(2, 2)
    seen = []
    before = net.register_forward_pre_hook(lambda module, arguments: seen.append("before") or (arguments[0] * 0,))
    after = net.register_forward_hook(lambda module, arguments, output: seen.append("after") or output - net.bias)
    assert net(ag.ones(1, 2)).tolist() == [[0.0, 0.0]]
    assert seen == ["before", "after"]
    before.remove()
    after.remove()
    after.remove()
    assert net(ag.ones(1, 2)).tolist() != [[0.0, 0.0]]
    assert seen == ["before", "after"]


def test_training_leaves_nothing_behind():
    net = Net()
    x = ag.randn(2, 3)
    net(x).sum().backward()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            net(x).sum().backward()
            net.zero_grad()
        assert not [item for item in gc.get_objects() if issubclass(type(item), Tensor) and not item.is_leaf]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_repr():
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (layers): ModuleList(\n"
        "    (0): Linear(in_features=4, out_features=4, bias=True)\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Parameter([1.0])) == "Parameter containing:\ntensor([1.], requires_grad=True)"


def test_buffers_keep_their_class_and_are_cast_once():
    module = nn.Module()
    module.a = nn.Buffer(np.zeros(3, np.float32), persistent=False)
    module.inner = nn.Module()
    module.inner.b = module.a
    module.counts = nn.Buffer(np.arange(3))
    module.double()
    assert module.a is module.inner.b
    assert (type(module.a), module.a.dtype, module.a.persistent) == (nn.Buffer, np.float64, False)
    assert module.counts.dtype == np.int64
    assert list(module.state_dict()) == ["counts"]


def test_a_copy_knows_the_names_of_its_own_modules():
    model = nn.Sequential(nn.Linear(2, 2))
    model(ag.ones(1, 2))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin(ag.ones(1, 2)).node.scope.name == "0"
