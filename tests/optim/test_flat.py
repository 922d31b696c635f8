"""How parameters of any number, size and form reach an update rule: the result never depends on it."""

from __future__ import annotations

import copy
import os
import tracemalloc

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd import threads
from optim import flat

KINDS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.1),
    "nadam": lambda p: optim.NAdam(p, lr=0.1, weight_decay=0.1),
    "radam": lambda p: optim.RAdam(p, lr=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.1),
    "lion": lambda p: optim.Lion(p, lr=0.05),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.02, centered=True, momentum=0.5),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.3),
    "adadelta": lambda p: optim.Adadelta(p),
    "rprop": lambda p: optim.Rprop(p, lr=0.05),
    "asgd": lambda p: optim.ASGD(p, lr=0.1, t0=2.0),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def give(params, rng, dtype=None):
    for p in params:
        p.grad = ag.Tensor(np.asarray(rng.normal(size=p.shape)), dtype=dtype or p.dtype)


def steps(make, values, count=4, one_by_one=False):
    params = [nn.Parameter(value) for value in values]
    optimizers = [make([p]) for p in params] if one_by_one else [make(params)]
    rng = np.random.default_rng(5)
    for _ in range(count):
        give(params, rng)
        for optimizer in optimizers:
            optimizer.step()
    return params, optimizers


@every_kind
def test_packs_blocks_and_threads_give_the_same_bits(make, monkeypatch):
    rng = np.random.default_rng(0)
    values = [np.asarray(rng.normal(size=shape)).astype(np.float32) for shape in ((3, 2), (), (0,), (50,), (7, 30), (1200,))]
    expected, _ = steps(make, values, one_by_one=True)
    packed, (optimizer,) = steps(make, values)
    assert len(optimizer._plans[0].packs) == 1
    found = [packed]
    for block in (60, 100, 500):
        monkeypatch.setattr(flat, "BLOCK", block)
        monkeypatch.setattr(threads, "LEAST", 4 * block)
        for count in (1, 2):
            monkeypatch.setattr(threads, "processors", lambda count=count: count)
            params, (optimizer,) = steps(make, values)
            assert len(optimizer._plans[0].packs) > 1
            found.append(params)
    for params in found:
        for p, q in zip(params, expected, strict=True):
            np.testing.assert_array_equal(p.detach(), q.detach())


@every_kind
def test_memory_order_does_not_matter(make):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(4, 5)), rng.normal(size=(3, 2))]
    expected, _ = steps(make, values)
    for chosen in ([0], [0, 1]):
        params = [nn.Parameter(values[i]) for i in chosen]
        for p in params:
            p.data = np.asfortranarray(p.detach().numpy())
            assert not p._data.flags.c_contiguous
        optimizer = make(params)
        rng = np.random.default_rng(5)
        for _ in range(4):
            for i in (0, 1):
                g = rng.normal(size=values[i].shape)
                if i in chosen:
                    params[i].grad = ag.Tensor(g)
                    params[i].grad._data = np.asfortranarray(g)
            optimizer.step()
        for i, p in zip(chosen, params, strict=True):
            np.testing.assert_array_equal(p.detach(), expected[i].detach())


def test_a_large_parameter_in_another_order(monkeypatch):
    monkeypatch.setattr(flat, "BLOCK", 8)
    value = np.random.default_rng(0).normal(size=(5, 6))
    (expected,), _ = steps(KINDS["adam"], [value])
    p = nn.Parameter(value)
    p.data = np.asfortranarray(value)
    optimizer = KINDS["adam"]([p])
    rng = np.random.default_rng(5)
    for _ in range(4):
        give([p], rng)
        optimizer.step()
    np.testing.assert_array_equal(p.detach(), expected.detach())


@pytest.mark.parametrize("block", [4, flat.BLOCK])
@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_float16_is_updated_in_float32(kind, block, monkeypatch):
    monkeypatch.setattr(flat, "BLOCK", block)
    values = [np.linspace(0.5, 1.5, 10).astype(np.float16), np.ones((2, 1), np.float16)]
    params, (optimizer,) = steps(KINDS[kind], values)
    assert all(p.dtype == np.float16 for p in params)
    for p in params:
        assert all(v.dtype == np.float32 for v in optimizer.state[p].values() if isinstance(v, np.ndarray))
    saved = optimizer.state_dict()
    other = KINDS[kind](params)
    other.load_state_dict(saved)
    np.testing.assert_equal(other.state_dict(), saved)


def test_float16_does_not_lose_small_gradients():
    """g**2 = 1e-10 is 0 in float16: the step would be 0 / 0, or g / eps."""
    p = nn.Parameter(np.ones(2, np.float16))
    optimizer = optim.Adam([p], lr=0.1)
    p.grad = ag.Tensor(np.array([1e-5, 0.0], np.float16))
    optimizer.step()
    np.testing.assert_allclose(p.detach(), [0.9, 1.0], atol=2e-3)


def test_whole_parameters_of_float16():
    p = nn.Parameter(np.ones((3, 2), np.float16))
    optimizer = optim.LAMB([p], lr=0.1)
    p.grad = ag.Tensor(np.full((3, 2), 1e-3, np.float16))
    optimizer.step()
    np.testing.assert_allclose(p.detach(), np.full((3, 2), 0.9), atol=2e-3)


@every_kind
def test_gradients_are_not_written_to(make):
    params = [nn.Parameter(np.ones(5)), nn.Parameter(np.ones((2, 2)))]
    for chosen in (params[:1], params):
        optimizer = make(chosen)
        give(chosen, np.random.default_rng(0))
        before = [p.grad.numpy().copy() for p in chosen]
        for group in optimizer.param_groups:
            group["maximize"] = True
        optimizer.step()
        for p, g in zip(chosen, before, strict=True):
            np.testing.assert_array_equal(p.grad, g)


@pytest.mark.parametrize("size", [10_000, 3 * flat.BLOCK, threads.LEAST])
@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_a_step_allocates_nothing_of_the_parameters_size(kind, size):
    params = [nn.Parameter(np.ones(size, np.float32)) for _ in range(3)]
    optimizer = KINDS[kind](params)
    give(params, np.random.default_rng(0))
    optimizer.step()
    tracemalloc.start()
    try:
        for _ in range(3):
            optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000  # views and other small objects; a parameter has 40,000 bytes and more


def test_parameters_that_miss_a_gradient_now_and_then_keep_their_own_count():
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.Adam([p, q])
    for step in range(6):
        p.grad = ag.Tensor([1.0])
        q.grad = ag.Tensor([1.0]) if step % 3 == 0 else None
        optimizer.step()
    assert (optimizer.state[p]["step"], optimizer.state[q]["step"]) == (6, 2)


@every_kind
def test_any_pattern_of_missing_gradients_gives_the_same_bits(make):
    rng = np.random.default_rng(7)
    values = [np.asarray(rng.normal(size=shape)) for shape in ((3, 2), (), (4,), (2, 2), (5,))]
    together, alone = [nn.Parameter(value) for value in values], [nn.Parameter(value) for value in values]
    optimizer, optimizers = make(together), [make([p]) for p in alone]
    for step in range(30):
        present = rng.random(len(values)) < (0.5 if step % 3 else 1.0)
        for p, q, given in zip(together, alone, present, strict=True):
            p.grad = q.grad = ag.Tensor(np.asarray(rng.normal(size=p.shape))) if given else None
        if step == 15:  # and everything is packed anew
            saved = optimizer.state_dict()
            optimizer = make(together)
            optimizer.load_state_dict(saved)
        optimizer.step()
        for single in optimizers:
            single.step()
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_array_equal(p.detach(), q.detach())


def test_a_thousand_parameters_are_packed_in_blocks():
    params = [nn.Parameter(np.ones(100, np.float32)) for _ in range(1500)]
    optimizer = optim.SGD(params, lr=0.5)
    for p in params:
        p.grad = ag.Tensor(np.ones(100, np.float32))
    optimizer.step()
    assert len(optimizer._plans[0].packs) == -(-1500 // (flat.LEAST_BLOCK // 100))
    assert all(p.detach().numpy().tolist() == [0.5] * 100 for p in params)


@pytest.mark.parametrize(("count", "block"), [(4, flat.LEAST_BLOCK), (40, 40 * 10_000 // 8), (200, flat.BLOCK)])
def test_scratch_memory_grows_with_the_parameters_up_to_a_block(count, block):
    params = [nn.Parameter(np.ones(10_000, np.float32)) for _ in range(count)]
    optimizer = optim.SGD(params, lr=0.5, momentum=0.9)
    give(params, np.random.default_rng(0))
    optimizer.step()
    sizes = [a.size for arrays in optimizer._work._arrays.values() for a in arrays]
    assert max(sizes) == block
    assert len(sizes) <= 4


def test_packs_are_kept_from_step_to_step():
    params = [nn.Parameter(np.ones(3)) for _ in range(4)]
    optimizer = optim.Adam(params)
    rng = np.random.default_rng(0)
    give(params, rng)
    optimizer.step()
    pack = optimizer._plans[0].packs[0]
    give(params, rng)
    optimizer.step()
    assert optimizer._plans[0].packs[0] is pack


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_can_take_a_step():
    p = nn.Parameter(np.ones(threads.LEAST, np.float32))
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = ag.Tensor(np.ones(threads.LEAST, np.float32))
    optimizer.step()  # starts the second thread
    child = os.fork()
    if child == 0:
        code = 1
        try:
            optimizer.step()
            code = 0 if np.allclose(p.detach().numpy(), 0.8) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_error_in_either_half_of_a_large_parameter_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)

    class Faulty(optim.Optimizer):
        def __init__(self, params, limit):
            super().__init__(params, {"limit": limit})

        def rule(self, group, state):
            def update(p, g, scratch):
                if p[0] == group["limit"]:
                    raise ZeroDivisionError("here")

            return update

    p = nn.Parameter(np.arange(threads.LEAST, dtype=np.float32))
    p.grad = ag.Tensor(np.ones(threads.LEAST, np.float32))
    for limit in (0, threads.LEAST // 2):
        with pytest.raises(ZeroDivisionError, match="here"):
            Faulty([p], limit).step()


def test_a_step_may_be_returned_in_any_array(monkeypatch):
    """Scratch or not, packed or direct, in blocks or not; and the rule may use the engine's ops."""

    class Descent(optim.Optimizer):
        returns_step = True

        def __init__(self, params):
            super().__init__(params, {"lr": 0.5})

        def rule(self, group, state):
            return lambda p, g, scratch: (ag.Tensor(g) * group["lr"])._data

    for block in (flat.BLOCK, 4):
        monkeypatch.setattr(flat, "BLOCK", block)
        for shapes in ([(3, 2), (5,)], [(7,)]):
            params = [nn.Parameter(np.zeros(shape)) for shape in shapes]
            give(params, np.random.default_rng(0))
            Descent(params).step()
            for p in params:
                np.testing.assert_array_equal(p.detach(), -0.5 * p.grad.numpy())


@every_kind
def test_options_may_change_between_steps(make):
    """A weight decay that comes and goes makes p something to read or not; a pack does as its parameters alone do."""
    rng = np.random.default_rng(3)
    values = [rng.normal(size=shape) for shape in ((3, 2), (4,))]
    together, alone = [nn.Parameter(value) for value in values], [nn.Parameter(value) for value in values]
    optimizers = [make(together), *(make([p]) for p in alone)]
    for decay, maximize in ((0.0, False), (0.1, False), (0.1, True), (0.0, True), (0.0, False)):
        for p, q in zip(together, alone, strict=True):
            p.grad = q.grad = ag.Tensor(rng.normal(size=p.shape))
        for optimizer in optimizers:
            (group,) = optimizer.param_groups
            group["lr"] *= 0.9
            group.update({name: v for name, v in (("weight_decay", decay), ("maximize", maximize)) if name in group})
            optimizer.step()
        for p, q in zip(together, alone, strict=True):
            np.testing.assert_array_equal(p.detach(), q.detach())


def test_options_that_are_changed_where_they_are():
    """A list of betas, say: it is the same object before and after."""
    params = [[nn.Parameter([1.0]), nn.Parameter([2.0])] for _ in range(2)]
    changed, exchanged = (optim.Adam([{"params": pair, "betas": [0.9, 0.999]}]) for pair in params)
    for step in range(3):
        for pair in params:
            give(pair, np.random.default_rng(step))
        changed.param_groups[0]["betas"][0] = 0.5 + 0.1 * step
        exchanged.param_groups[0]["betas"] = (0.5 + 0.1 * step, 0.999)
        changed.step()
        exchanged.step()
    for p, q in zip(*params, strict=True):
        np.testing.assert_array_equal(p.detach(), q.detach())


def test_momentum_may_come_later():
    params = [nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros(3))]
    optimizer = optim.SGD(params, lr=1.0)
    for momentum, expected in ((0.0, -1.0), (0.5, -2.0), (0.5, -3.5)):
        optimizer.param_groups[0]["momentum"] = momentum
        for p in params:
            p.grad = ag.Tensor(np.ones(p.shape), dtype=p.dtype)
        optimizer.step()
        assert all(np.all(p.detach().numpy() == expected) for p in params)


def test_numbers_that_do_not_fit_the_dtype_are_no_error():
    p = nn.Parameter(np.ones(2, np.float32))
    p.grad = ag.Tensor(np.ones(2, np.float32))
    with np.errstate(all="raise"):
        optim.SGD([p], lr=1e40).step()
    assert p.tolist() == [-np.inf, -np.inf]


def test_a_copied_optimizer_goes_on_by_itself():
    params = [nn.Parameter([1.0]), nn.Parameter([2.0])]
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    give(params, np.random.default_rng(0))
    optimizer.step()
    twin = copy.deepcopy(optimizer)
    others = twin.param_groups[0]["params"]
    for made, chosen in ((optimizer, params), (twin, others)):
        give(chosen, np.random.default_rng(1))
        loss = (chosen[0] * chosen[0]).sum()
        made.step()
        with pytest.raises(RuntimeError, match="modified by an in-place operation"):
            loss.backward()
    for p, q in zip(params, others, strict=True):
        assert p is not q
        np.testing.assert_array_equal(p.detach(), q.detach())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shapes", [[(3, 2), (5,)], [(100_000,)]])
def test_buffers_begin_at_a_cache_line(shapes, dtype):
    params = [nn.Parameter(np.ones(shape, dtype)) for shape in shapes]
    optimizer = optim.Adam(params)
    for _ in range(2):
        give(params, np.random.default_rng(0))
        optimizer.step()
        for pack in optimizer._plans[0].packs:
            assert all(buffer.ctypes.data % 64 == 0 and buffer.size == pack.numel for buffer in pack.buffers.values())
        optimizer.load_state_dict(optimizer.state_dict())  # and when they are joined anew


def test_odd_sizes_are_shared_without_a_gap(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)
    for size in (threads.LEAST, threads.LEAST + 1, threads.LEAST + 37):
        p = nn.Parameter(np.zeros(size, np.float32))
        p.grad = ag.Tensor(np.ones(size, np.float32))
        optim.SGD([p], lr=1.0).step()
        assert np.all(p.detach().numpy() == -1.0)
