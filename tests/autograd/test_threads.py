"""Work shared out to two processors."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import threads


@pytest.fixture(params=[1, 2], ids=["one", "two"])
def processors(request, monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: request.param)
    monkeypatch.setattr(threads, "_resume", 0.0)
    monkeypatch.setattr(threads, "PAUSE", 0.0)
    return request.param


def test_every_row_is_done_once(processors, monkeypatch):
    monkeypatch.setattr(threads, "LEAST", 40)
    for count, width, block in ((0, 3, 6), (1, 100, 6), (5, 3, 6), (5, 3, 1), (9, 10, 20), (2, 20, 1), (40, 0, 5)):
        done = np.zeros(count, int)

        def work(rows, done=done):
            done[rows] += 1

        threads.each(work, count, width, block)
        np.testing.assert_array_equal(done, np.ones(count))


def test_halves_run_in_two_threads_where_there_are_two_processors(processors):
    names = set()
    meeting = threading.Barrier(processors, timeout=10.0)  # neither half ends before the other has begun

    def work(rows):
        names.add(threading.current_thread().name)
        meeting.wait()

    threads.each(work, threads.LEAST)
    assert len(names) == processors


def test_a_half_is_taken_back_from_a_busy_helper_and_nothing_is_shared_out_for_a_while(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)
    monkeypatch.setattr(threads, "_resume", 0.0)
    monkeypatch.setattr(threads, "PAUSE", 60.0)
    free = threading.Event()
    busy = threads._pool().submit(free.wait, 10.0)
    halves: list[tuple[int, str]] = []
    for _ in range(2):
        threads.each(lambda rows: halves.append((rows.start, threading.current_thread().name)), threads.LEAST)
        free.set()
        assert busy.result()
    here = threading.current_thread().name
    assert halves == [(start, here) for start in (threads.LEAST // 2, 0, 0, threads.LEAST // 2)]


def test_work_inside_of_work_is_not_shared_out_again(processors):
    def work(rows):
        threads.each(lambda inner: None, threads.LEAST)

    threads.each(work, threads.LEAST)


def test_an_exception_in_either_half_reaches_the_caller(processors):
    for bad in (0, threads.LEAST // 2):

        def work(rows, bad=bad):
            if rows.start == bad:
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            threads.each(work, threads.LEAST)


@pytest.mark.parametrize(
    "call",
    [ag.gelu, ag.silu, ag.softmax, ag.log_softmax, lambda x: ag.cross_entropy(x, np.zeros(len(x), int))],
    ids=["gelu", "silu", "softmax", "log_softmax", "cross_entropy"],
)
def test_results_do_not_depend_on_the_number_of_processors(monkeypatch, call):
    values = np.random.default_rng(0).normal(size=(101, 8000)).astype(np.float32)
    found = []
    for count in (1, 2):
        monkeypatch.setattr(threads, "processors", lambda count=count: count)
        x = ag.tensor(values, requires_grad=True)
        y = call(x)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_the_helper_reports_no_floating_point_errors(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)
    x = np.full((2, threads.LEAST), -np.inf, np.float32)  # exp(-inf + inf)
    assert np.isnan(ag.softmax(x)._data).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_process_begins_with_a_helper_of_its_own(monkeypatch):
    monkeypatch.setattr(threads, "processors", lambda: 2)
    threads.each(lambda rows: None, threads.LEAST)
    child = os.fork()
    if not child:
        threads.each(lambda rows: None, threads.LEAST)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_the_number_of_processors_heeds_the_environment(monkeypatch):
    threads.processors.cache_clear()
    monkeypatch.setenv("OMP_NUM_THREADS", "1,2")
    assert threads.processors() == 1
    threads.processors.cache_clear()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.processors() >= 1
    threads.processors.cache_clear()
