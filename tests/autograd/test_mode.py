"""The recording switch: nested, decorating, in generators, threads and tasks."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def on() -> bool:
    return ag.is_grad_enabled()


def test_hard_case_119_nested_and_after_an_exception():
    with ag.no_grad():
        assert not on()
        with ag.enable_grad():
            assert on()
            with ag.no_grad():
                assert not on()
        assert not on()
    assert on()
    with pytest.raises(ValueError, match="x"), ag.no_grad():
        raise ValueError("x")
    assert on()


def test_hard_case_119_one_instance_entered_twice():
    off = ag.no_grad()
    with off:
        with off:
            assert not on()
        assert not on()
    assert on()


def test_hard_case_119_as_a_decorator_with_and_without_parentheses():
    @ag.no_grad
    def bare():
        return on()

    @ag.no_grad()
    def called(depth=2):
        return called(depth - 1) if depth else on()

    @ag.enable_grad()
    def enabled():
        return on()

    assert not bare()
    assert not called()
    with ag.no_grad():
        assert enabled()
    assert on()
    assert bare.__name__ == "bare"


def test_hard_case_119_a_generator_runs_in_the_mode_and_its_caller_does_not():
    @ag.no_grad()
    def generator():
        received = yield on()
        try:
            yield (on(), received)
        except KeyError:
            yield ("caught", on())
        return "end"

    running = generator()
    assert next(running) is False
    assert on()
    assert running.send("hello") == (False, "hello")
    assert running.throw(KeyError()) == ("caught", False)
    assert on()
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "end"


def test_hard_case_119_set_grad_enabled():
    ag.set_grad_enabled(False)
    assert not on()
    ag.set_grad_enabled(True)
    with ag.set_grad_enabled(False):
        assert not on()
    assert on()

    @ag.set_grad_enabled(False)
    def function():
        return on()

    assert on()  # decorating did not flip the mode
    assert not function()
    assert on()


def test_hard_case_120_threads_and_tasks_have_modes_of_their_own():
    seen = {}

    def thread():
        seen["thread"] = on()

    with ag.no_grad():
        worker = threading.Thread(target=thread)
        worker.start()
        worker.join()
        assert not on()
    assert seen["thread"]

    async def quiet(started, go):
        with ag.no_grad():
            started.set()
            await go.wait()
            return on()

    async def main():
        started, go = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(started, go))
        await started.wait()
        others = on()
        go.set()
        return others, await task

    assert asyncio.run(main()) == (True, False)

    @ag.no_grad()
    async def decorated():
        await asyncio.sleep(0)
        return on()

    assert asyncio.run(decorated()) is False


def test_hard_case_121_123_threads_with_graphs_of_their_own_and_a_shared_leaf():
    shared = Tensor(np.ones(4), requires_grad=True)
    wrong = []

    def work(number):
        for step in range(200):
            own = Tensor(np.full(4, float(number)), requires_grad=True)
            (own * own + own * float(step)).sum().backward()
            if own.grad.tolist() != [2.0 * number + step] * 4:
                wrong.append((number, step))
            (shared * 2.0).sum().backward()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert shared.grad.tolist() == [8 * 200 * 2.0] * 4
