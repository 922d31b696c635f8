"""The graph and the backward pass: accumulation, freeing, hooks, faults, depth, memory."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, primitive
from autograd.graph import FREED


def leaf(values, dtype=np.float64) -> Tensor:
    return Tensor(values, dtype=dtype, requires_grad=True)


def test_hard_case_092_one_tensor_as_both_arguments():
    x = leaf([2.0, -3.0])
    for function, expected in (
        (lambda t: t * t, [4, -6]), (lambda t: t @ t, [4, -6]), (lambda t: t - t, [0, 0]), (lambda t: t / t, [0, 0]),
    ):  # fmt: skip
        assert ag.grad(function(x).sum(), x)[0].tolist() == expected
    matrix = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert ag.grad((matrix @ matrix).sum(), matrix)[0].tolist() == [[7, 11], [9, 13]]
    np.testing.assert_allclose(ag.grad(x @ matrix @ x, x)[0]._data, (matrix._data + matrix._data.T) @ x._data)


def test_hard_case_093_a_diamond_and_a_value_with_three_consumers():
    a = leaf(2.0)
    b = a * a
    (b * b + b).backward()
    assert a.grad.item() == 36
    x = leaf(3.0)
    shared = ag.exp(x)
    seen = []
    shared.register_hook(lambda g: seen.append(g.item()))
    (shared + shared * 2.0 + ag.log(shared)).backward()
    assert seen == [pytest.approx(3 + np.exp(-3))]
    assert x.grad.item() == pytest.approx(3 * np.exp(3) + 1)


def test_hard_case_094_no_two_gradients_share_memory():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seed = np.array([1.0, 5.0])
    given = Tensor(seed)
    (a + b).backward(given)
    arrays = [a.grad._data, b.grad._data, seed, given._data]
    for i, one in enumerate(arrays):
        for two in arrays[i + 1 :]:
            assert not np.shares_memory(one, two)


def test_hard_case_095_accumulation_leaves_the_former_gradient_alone():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    kept = x.grad
    before = kept._data.copy()
    (x * 3.0).sum().backward()
    assert kept.tolist() == before.tolist()
    assert x.grad.tolist() == [5, 7]


def test_hard_case_096_the_gradient_of_sum_owns_writable_memory():
    x = leaf(np.ones((3, 4)))
    x.sum().backward()
    flags = x.grad._data.flags
    assert flags.writeable
    assert flags.owndata
    assert flags.c_contiguous


@pytest.mark.parametrize("function", [lambda x: x.sum(), lambda x: (x * x).sum(), lambda x: -x[0]])
def test_hard_case_097_backward_twice(function):
    x = leaf([1.0, 2.0])
    y = function(x)
    y.backward()
    with pytest.raises(RuntimeError, match="the graph was freed .* retain_graph=True"):
        y.backward()
    x.grad = None
    y = function(x)
    y.backward(retain_graph=True)
    once = x.grad.tolist()
    y.backward()
    assert x.grad.tolist() == [2 * g for g in once]


def test_hard_case_098_the_root_must_be_a_scalar():
    x = leaf(np.ones((3, 4)))
    with pytest.raises(
        RuntimeError, match=r"the root must be a scalar, got shape \(3, 4\); pass a gradient or reduce it with sum"
    ):
        (x * 2.0).backward()
    (x[:1, :1] * 2.0).backward()
    assert x.grad._data[0, 0] == 2


def test_hard_case_099_seeds():
    x = leaf(np.ones((2, 3)), np.float32)
    with pytest.raises(ValueError, match=r"expected a gradient of shape \(2, 3\) like the output, got \(3,\)"):
        (x * 2.0).backward(np.ones(3))
    (x * 2.0).backward(np.full((2, 3), 0.5))
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_hard_case_100_nothing_to_differentiate():
    with pytest.raises(RuntimeError, match="does not require grad"):
        Tensor([1.0]).backward()
    with ag.no_grad():
        y = leaf([1.0]) * 2.0
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.backward()


def test_hard_case_104_rules_that_return_the_wrong_thing():
    x = leaf([1.0, 2.0])

    def faulty(result, **more):
        return primitive(lambda t: t * 2.0, lambda g, _y, _x: result, name="faulty", **more)

    with pytest.raises(RuntimeError, match=r"faulty: expected the rule to return a cotangent of shape \(2,\), got \(3,\)"):
        faulty(np.ones(3))(x).sum().backward()
    with pytest.raises(TypeError, match="faulty: expected the rule for argument 0 to return an array or None, got str"):
        faulty("no")(x).sum().backward()
    joint = primitive(lambda a, b: a + b, name="short", joint=lambda g, _wanted, _y, _a, _b: [g])
    with pytest.raises(RuntimeError, match="short: expected the rule to return 2 cotangents, got 1"):
        joint(x, leaf([1.0, 1.0])).sum().backward()
    nothing = faulty(None)(x)
    (nothing + x).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_hard_case_105_hooks():
    x = leaf([1.0, 2.0])
    y = x * 3.0
    handle = y.register_hook(lambda g: g * 10.0)
    y.sum().backward()
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    for hook, error, message in (
        (lambda g: Tensor([1.0]), ValueError, r"expected a gradient of shape \(2,\)"),
        (lambda g: "no", TypeError, "expected None or a Tensor from the hook"),
    ):
        z = x * 3.0
        z.register_hook(hook)
        with pytest.raises(error, match=message):
            z.sum().backward()
        assert ag.is_grad_enabled()
        assert x.grad.tolist() == [30, 30]


class Fault(Exception):
    """Raised on purpose."""


@pytest.mark.parametrize("error", [Fault, KeyboardInterrupt, MemoryError])
def test_hard_case_106_an_exception_in_a_rule_changes_no_gradient(error):
    broken = [True]

    def rule(g, _y, _x):
        if broken[0]:
            raise error
        return g * 2.0

    double = primitive(lambda t: t * 2.0, rule, name="double")
    a, b = leaf([1.0]), leaf([2.0])
    loss = ((a * b) + double(b)).sum()
    with pytest.raises(error):
        loss.backward()
    assert a.grad is None
    assert b.grad is None
    assert ag.is_grad_enabled()
    with pytest.raises(RuntimeError, match="freed"):
        loss.backward()
    broken[0] = False
    ((a * b) + double(b)).sum().backward()
    assert (a.grad.item(), b.grad.item()) == (2.0, 3.0)


def test_hard_case_106_a_retained_graph_can_be_tried_again():
    broken = [True]

    def rule(g, _y, _x):
        if broken[0]:
            raise Fault
        return g * 2.0

    double = primitive(lambda t: t * 2.0, rule, name="double")
    x = leaf([1.0])
    loss = double(x * 3.0).sum()
    with pytest.raises(Fault):
        loss.backward(retain_graph=True)
    broken[0] = False
    loss.backward()
    assert x.grad.item() == 6


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_hard_case_107_an_exception_in_a_kernel_leaves_no_trace(error):
    def kernel(t):
        raise error

    broken = primitive(kernel, lambda g, _y, _x: g, name="broken")
    x = leaf([1.0])
    for mode in (ag.no_grad, ag.enable_grad):
        with mode(), pytest.raises(error):
            broken(x * 2.0)
        assert ag.is_grad_enabled()
    (x * 2.0).sum().backward()
    assert x.grad.item() == 2


def chain(x: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        x = x * 1.0
    return x


def in_small_stack(function) -> None:
    """Runs a function in a thread with a stack of 512 KB; its exception comes back."""
    failure = []

    def run():
        try:
            function()
        except BaseException as error:
            failure.append(error)

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failure:
        raise failure[0]


def test_hard_case_108_a_chain_of_100_000_ops_in_a_small_stack():
    def run():
        x = leaf([1.0, 2.0])
        y = chain(x, 100_000)
        y.sum().backward()
        assert x.grad.tolist() == [1, 1]
        z = chain(x, 20_000)
        (g,) = ag.grad((z * z).sum(), x, create_graph=True)
        (h,) = ag.grad(g.sum(), x)
        assert h.tolist() == [2, 2]
        chain(x, 100_000)  # dropped without a backward pass

    in_small_stack(run)


@pytest.mark.slow
def test_hard_case_108_a_chain_of_a_million_ops():
    def run():
        x = leaf([1.0])
        chain(x, 1_000_000).sum().backward()
        assert x.grad.item() == 1

    in_small_stack(run)


def test_hard_case_109_a_deep_graph_dies_quietly_after_an_exception_and_at_exit():
    def run():
        try:
            y = chain(leaf([1.0]), 200_000)
            raise Fault(y)
        except Fault:
            pass

    in_small_stack(run)
    code = (
        "import autograd as ag\nx = y = ag.tensor([1.0], requires_grad=True)\nfor _ in range(200_000): y = y * 1.0\n"
        "class Holder:\n    def __del__(self): self.kept = None\nholder = Holder(); holder.kept = y; holder.me = holder\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_hard_case_110_copies():
    x = leaf([1.0, 2.0])
    x.grad = Tensor(np.ones(2))
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert twin.grad.tolist() == [1, 1]
    assert not np.shares_memory(twin._data, x._data)
    again = pickle.loads(pickle.dumps(x))
    assert again.tolist() == [1, 2]
    assert again.requires_grad
    deep = chain(x, 50_000)
    for operation in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match="expected a leaf"):
            operation(deep)


def test_hard_case_111_112_wide_graphs():
    x = leaf(np.ones(3))
    total = x * 0.0
    for _ in range(20_000):
        total = total + x * 2.0
    total.sum().backward()
    assert x.grad.tolist() == [40_000] * 3
    parts = [leaf(float(i)) for i in range(10_000)]
    sum(parts).backward()
    assert all(part.grad.item() == 1 for part in parts)


def test_hard_case_113_nothing_is_left_for_the_collector():
    w = leaf(np.ones((8, 8)))
    gc.collect()
    gc.disable()
    try:
        for _ in range(1000):
            loss = ag.tanh(Tensor(np.ones((4, 8))) @ w).sum()
            loss.backward()
            w.grad = None
        del loss
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_hard_case_114_a_recorded_backward_pass_gives_a_gradient_with_a_graph():
    x = leaf([2.0])
    (x * x * x).sum().backward(create_graph=True)
    assert x.grad.item() == 12
    assert ag.grad(x.grad.sum(), x)[0].item() == 12


def test_hard_case_115_116_equal_and_reused_objects_stay_apart():
    for _ in range(200):
        a, b = leaf([1.0]), leaf([1.0])
        ((a * 2.0) + (b * 3.0)).sum().backward()
        assert (a.grad.item(), b.grad.item()) == (2.0, 3.0)


def test_hard_case_118_the_same_gradients_to_the_bit_whatever_the_hash_seed():
    code = (
        "import numpy as np, autograd as ag, hashlib\nvalues = np.random.default_rng(0).normal(size=(30, 30))\n"
        "x = ag.tensor(values, requires_grad=True)\n"
        "y = x\nfor _ in range(20): y = ag.tanh(y @ x) + y * x - x\n(y * y).sum().backward()\n"
        "print(hashlib.sha256(x.grad.detach().numpy().tobytes()).hexdigest())\n"
    )
    digests = set()
    for seed in ("0", "1", "42"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_hard_case_124_what_grad_and_requires_grad_refuse():
    x = leaf([1.0, 2.0], np.float32)
    with pytest.raises(ValueError, match=r"grad: expected shape \(2,\)"):
        x.grad = Tensor([1.0])
    with pytest.raises(TypeError, match="grad: expected dtype float32"):
        x.grad = Tensor(np.ones(2))
    with pytest.raises(TypeError, match="grad: expected a Tensor or None, got ndarray"):
        x.grad = np.ones(2)
    x.grad = Tensor([1.0, 1.0])
    x.grad = None
    assert x.grad is None
    y = x * 2.0
    with pytest.raises(RuntimeError, match="expected a leaf"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2.0).requires_grad
    with pytest.raises(TypeError, match="only floating dtypes can require gradients"):
        Tensor([1, 2], requires_grad=True)


def test_hard_case_125_constants_record_nothing():
    a, b = Tensor([1.0]), Tensor([2.0])
    c = a * b + 1.0
    assert c.node is None
    assert not c.requires_grad
    assert c.is_leaf


def test_freed_arrays_and_kept_structure():
    x = leaf([1.0, 2.0])
    y = ag.exp(x * x)
    node = y.node
    y.sum().backward()
    assert node.saved is FREED
    assert [parent.op for parent in node.parents] == ["multiply"]


def test_retain_grad_fills_the_grad_of_a_result():
    x = leaf([1.0, 2.0])
    y = x * x
    y.retain_grad()
    (y * 3.0).sum().backward()
    assert y.grad.tolist() == [3, 3]
    assert not np.shares_memory(y.grad._data, x.grad._data)


def test_backward_for_chosen_inputs_only():
    a, b = leaf([1.0]), leaf([2.0])
    (a * b).sum().backward(inputs=[a])
    assert a.grad.item() == 2
    assert b.grad is None


def test_saved_arrays_are_those_that_a_wanted_rule_reads():
    a, c = leaf([1.0, 2.0]), Tensor([3.0, 4.0], dtype=np.float64)
    assert (a + c).node.saved == (None, None, None)
    saved = (a * c).node.saved
    assert saved[1] is None
    assert saved[2] is c._data
    y = ag.exp(a)
    assert y.node.saved[0] is y._data
    assert y.node.saved[1] is None


@pytest.mark.parametrize("shape", [(8,), (1, 8), (1, 1), ()])
@pytest.mark.parametrize("recorded", [False, True])
def test_broadcasting_in_float16_is_undone_in_float32(shape, recorded):
    x = Tensor(np.ones((4096, 8), np.float16))
    b = leaf(np.zeros(shape), np.float16)
    seed = Tensor(np.full((4096, 8), 0.25, np.float16))
    (g,) = ag.grad(x + b, b, seed, create_graph=recorded)
    assert g.dtype == np.float16
    np.testing.assert_array_equal(g._data, np.full(shape, 0.25 * 4096 * (8 if shape in ((1, 1), ()) else 1), np.float16))


@pytest.mark.parametrize("shape", [(), (2,)])
def test_many_uses_of_a_float16_tensor_add_up_in_float32(shape):
    x = leaf(np.ones(shape), np.float16)
    total = x * 0.0
    for _ in range(4096):
        total = total + x * 1.0
    total.sum().backward()
    assert x.grad.dtype == np.float16
    np.testing.assert_array_equal(x.grad._data, np.full(shape, 4096.0))


def test_many_slices_of_a_float16_tensor_add_up_in_float32():
    x = leaf(np.ones(3), np.float16)
    total = x[0] * 0.0
    for _ in range(4096):
        total = total + x[1]
    (total + x.sum()).backward()
    assert x.grad.dtype == np.float16
    assert x.grad.tolist() == [1, 4096, 1]  # 4097 rounds to 4096 in float16
