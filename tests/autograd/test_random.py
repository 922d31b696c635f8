"""The seeded generator: its state in a file, and in a child process."""

from __future__ import annotations

import copy
import json
import multiprocessing

import numpy as np
import pytest

import autograd as ag
from autograd.random import default_generator


def test_hard_case_172_state_goes_through_json():
    generator = ag.Generator(11)
    ag.randint(2, size=(3,), generator=generator)  # leaves half of a 64-bit draw buffered
    ag.rand(3, dtype=np.float32, generator=generator)
    text = json.dumps(generator.get_state())
    expected = ag.rand(50, generator=generator).numpy()
    restored = ag.Generator(0)
    restored.set_state(json.loads(text))
    np.testing.assert_array_equal(ag.rand(50, generator=restored).numpy(), expected)


def test_hard_case_172_other_languages_keep_the_numbers():
    state = ag.Generator(1).get_state()["state"]
    assert all(isinstance(value, str) for value in state.values())  # 128 bits do not fit a JSON number everywhere


def broken_states():
    good = ag.Generator(1).get_state()
    yield None
    yield []
    yield {}
    yield {**good, "bit_generator": "MT19937"}
    yield {**good, "bit_generator": "os.system"}
    yield {**good, "state": {"state": good["state"]["state"]}}
    yield {**good, "state": {**good["state"], "more": "1"}}
    yield {**good, "state": {**good["state"], "inc": "abc"}}
    yield {**good, "state": {**good["state"], "inc": None}}
    yield {**good, "state": {**good["state"], "state": str(2**128)}}
    yield {**good, "state": {**good["state"], "state": "-1"}}
    yield {**good, "has_uint32": 2}
    yield {**good, "uinteger": 2**32}
    yield {key: value for key, value in good.items() if key != "uinteger"}


@pytest.mark.parametrize("state", list(broken_states()))
def test_hard_case_172_states_are_validated(state):
    generator = ag.Generator(5)
    before = copy.deepcopy(generator.get_state())
    with pytest.raises(ValueError, match="set_state: expected"):
        generator.set_state(state)
    assert generator.get_state() == before


def in_child(connection):
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()  # a child can train
    connection.send((x.grad.tolist(), ag.rand(8).tolist()))
    connection.close()


def run_child(method):
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    child = context.Process(target=in_child, args=(theirs,))
    child.start()
    assert ours.poll(60)
    result = ours.recv()
    child.join(60)
    assert child.exitcode == 0
    return result


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_hard_case_122_a_forked_child_draws_other_numbers():
    ag.manual_seed(3)
    state = default_generator.get_state()
    results = [run_child("fork") for _ in range(2)]
    assert default_generator.get_state() == state  # the parent goes on where it was
    mine = ag.rand(8).tolist()
    for gradient, numbers in results:
        assert gradient == [2.0, 4.0]
        assert numbers != mine
    assert results[0][1] != results[1][1]


def test_hard_case_122_a_spawned_child_trains():
    gradient, numbers = run_child("spawn")
    assert gradient == [2.0, 4.0]
    assert len(numbers) == 8
