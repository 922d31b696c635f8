"""The profiler counts what ran, attributes time and bytes, and leaves everything as it was."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import threading
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import profiler, versions
from autograd.declare import unguarded
from autograd.mode import get_mode
from autograd.primitive import quiet


def model_and_data():
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Sequential(nn.Linear(16, 4)))
    return model, ag.randn(32, 8)


def state():
    return get_mode(), quiet.run, quiet.users, set(versions.duties), profiler._running


def test_ops_are_counted_with_their_times_and_bytes():
    x = ag.ones(50, 20, requires_grad=True)
    with ag.profile() as costs:
        y = ag.exp(x + 1.0)
        for _ in range(3):
            y = ag.exp(y * 0.0)
        y.sum().backward()
    assert {name: cost.calls for name, cost in costs.ops.items()} == {"add": 1, "exp": 4, "multiply": 3, "sum": 1}
    assert all(cost.forward > 0 and cost.backward > 0 for cost in costs.ops.values())
    assert costs.ops["exp"].made == 8 * 4000  # four outputs, four cotangents
    assert costs.ops["exp"].saved == 4 * 4000  # the outputs
    assert costs.ops["add"].saved == 0
    assert sum(cost.seconds for cost in costs.ops.values()) < costs.elapsed


def test_results_are_the_same_with_and_without():
    model, x = model_and_data()
    loss = (model(x) ** 2).mean()
    loss.backward()
    gradients = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    with ag.profile():
        again = (model(x) ** 2).mean()
        again.backward()
    assert loss.item() == again.item()
    for p, gradient in zip(model.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), gradient)


def test_a_view_makes_no_bytes_and_an_array_kept_twice_counts_once():
    x = ag.ones(1000, requires_grad=True)
    with ag.profile() as costs:
        y = ag.exp(x)
        z = y.reshape(10, 100)
        w = y * y
    assert costs.nodes[z.node].made == 0
    assert costs.nodes[y.node].saved == 4000
    assert costs.nodes[w.node].saved == 0
    assert costs.nodes[w.node].made == 4000


def test_modules_have_the_costs_of_those_inside_and_their_calls():
    model, x = model_and_data()
    with ag.profile() as costs:
        for _ in range(2):
            model(x).sum().backward()
    modules = costs.modules
    assert set(modules) == {"model", "model.0", "model.1", "model.2", "model.2.0", ""}
    assert modules["model"].calls == modules["model.2.0"].calls == 2
    inside = modules["model.0"].seconds + modules["model.1"].seconds + modules["model.2"].seconds
    assert modules["model"].seconds == pytest.approx(inside)
    assert modules["model.2"].seconds == modules["model.2.0"].seconds
    assert modules[""].seconds == pytest.approx(costs.ops["sum"].seconds)


def test_ops_that_are_not_recorded_are_counted():
    x = ag.ones(100)
    with ag.profile() as costs, ag.no_grad():
        ag.tanh(x + x).sum()
    assert {name: cost.calls for name, cost in costs.ops.items()} == {"add": 1, "tanh": 1, "sum": 1}
    assert costs.ops["tanh"].made == 400
    assert len(costs.nodes) == 0


def test_nodes_have_costs_while_they_live_and_are_not_kept_alive():
    x = ag.ones(3, requires_grad=True)
    with ag.profile() as costs:
        y = ag.exp(x)
        y.sum().backward()
    cost = costs.nodes[y.node]
    assert cost.calls == 1
    assert cost.forward > 0
    assert cost.backward > 0
    assert "1 calls" in repr(cost)
    reference = weakref.ref(y.node)
    gc.disable()
    try:
        del y
        assert reference() is None
        assert len(costs.nodes) == 0
    finally:
        gc.enable()


def test_times_of_recorded_passes_are_not_counted_twice():
    x = ag.randn(200, requires_grad=True)
    with ag.profile() as costs:
        (g,) = ag.grad(ag.tanh(x).sum(), x, create_graph=True)
        ag.checkpoint(lambda z: (z * z).sum(), g).backward()
    assert costs.ops["checkpoint"].calls == 1
    assert costs.ops["multiply"].calls >= 2
    assert costs.ops["tanh_backward"].calls >= 1
    assert 0 < sum(cost.seconds for cost in costs.ops.values()) < costs.elapsed
    assert all(cost.seconds > 0 for cost in costs.ops.values())


def test_several_outputs_and_kernels_of_users():
    cube = ag.primitive(lambda x: x * x * x, lambda g, _y, x: 3 * g * x * x, name="cube")
    x = ag.tensor([3.0, 1.0, 2.0], requires_grad=True)
    with ag.profile() as costs:
        values, _ = x.sort()
        cube(values).sum().backward()
        with ag.no_grad():
            cube(x)
    assert costs.ops["cube"].calls >= 1
    assert x.grad.tolist() == [27.0, 3.0, 12.0]


def test_the_table_fits_80_columns_and_ends_at_the_limit():
    model, x = model_and_data()
    with ag.profile() as costs:
        model(x).sum().backward()
        ag.conv_transpose2d(ag.ones(1, 1, 3, 3, requires_grad=True), ag.ones(1, 1, 2, 2)).sum().backward()
    for text in (str(costs), costs.table("module")):
        assert all(len(line) <= 80 for line in text.splitlines())
    lines = costs.table(limit=1).splitlines()
    assert lines[0].endswith("between the ops")
    assert lines[1].split() == ["op", "calls", "forward", "backward", "share", "made", "saved"]
    assert lines[-1] == f"and {len(costs.ops) - 1} more"
    assert len(lines) == 4
    assert "(no module)" in costs.table("module")
    with pytest.raises(ValueError, match="profile: expected by to be 'op' or 'module', got 'line'"):
        costs.table("line")
    with pytest.raises(ValueError, match="profile: expected a limit of at least 0 rows, got -1"):
        costs.table(limit=-1)


def test_the_trace_is_json_with_ops_inside_their_modules(tmp_path):
    model, x = model_and_data()
    with ag.profile() as costs:
        model(x).sum().backward()
    costs.save_trace(tmp_path / "trace.json")
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    forward = [event for event in spans if event["tid"] == 1]
    backward = [event for event in spans if event["tid"] == 2]
    assert [event["name"] for event in backward if event["args"].get("phase")] == ["sum", "linear", "relu", "linear"]
    (whole,) = [event for event in forward if event["args"].get("module") == "model"]
    (inner,) = [event for event in forward if event["args"].get("module") == "model.2.0"]
    assert inner["args"]["type"] == "Linear"
    inside = [
        event
        for event in forward
        if whole["ts"] <= event["ts"] + 0.01 and event["ts"] + event["dur"] <= whole["ts"] + whole["dur"] + 0.01
    ]
    assert {event["name"] for event in inside} >= {"linear", "relu", "model", "0", "1", "2"}
    assert "sum" not in {event["name"] for event in inside}


def test_without_trace_there_are_no_events(tmp_path):
    with ag.profile(trace=False) as costs:
        ag.exp(ag.ones(2, requires_grad=True))
    assert costs.events == []
    assert costs.ops["exp"].calls == 1
    with pytest.raises(RuntimeError, match="profile: expected a profile that keeps its events, got one made with trace=False"):
        costs.save_trace(tmp_path / "trace.json")


def test_a_block_may_be_entered_again_but_not_inside_itself():
    costs = ag.profile()
    for calls in (1, 2):
        with costs:
            ag.exp(ag.ones(2))
        assert costs.ops["exp"].calls == calls
    with costs, pytest.raises(RuntimeError, match="profile: expected one that is off, got one that is on; make another"):
        costs.__enter__()
    with pytest.raises(RuntimeError, match="profile: expected one that is on, got one that is off; enter it first"):
        costs.__exit__(None, None, None)


def test_everything_is_as_before_after_the_block_also_after_an_error():
    before = state()
    with pytest.raises(ValueError, match="shapes that broadcast"), ag.profile():
        ag.ones(2, requires_grad=True) * ag.ones(3)
    with pytest.raises(ZeroDivisionError), ag.profile() as costs:
        x = ag.ones(2, requires_grad=True)
        bad = ag.primitive(lambda x: x * 1.0, lambda g, _y, _x: 1 / 0, name="bad_rule")
        bad(x).sum().backward()
    assert costs._frames == []
    assert state() == before


def test_overflow_is_reported_as_usual_inside():
    x = ag.tensor([3e38], requires_grad=True)
    assert np.add in unguarded
    with ag.profile(), pytest.warns(RuntimeWarning, match="overflow"):
        x + x
    with pytest.warns(RuntimeWarning, match="overflow"):
        x + x
    with ag.profile():
        assert (x * x).item() == np.inf


def test_inner_profiles_and_anomaly_mode_take_its_place():
    x = ag.ones(2, requires_grad=True)
    with ag.profile() as outer:
        ag.exp(x)
        with ag.profile() as inner:
            ag.log(x)
        with ag.detect_anomaly():
            ag.sin(x)
        ag.cos(x)
    assert set(outer.ops) == {"exp", "cos"}
    assert set(inner.ops) == {"log"}


def test_other_threads_are_not_counted():
    with ag.profile() as costs:
        thread = threading.Thread(target=lambda: ag.exp(ag.ones(2, requires_grad=True)).sum().backward())
        thread.start()
        thread.join()
        ag.log(ag.ones(2, requires_grad=True))
    assert set(costs.ops) == {"log"}


def test_blocks_that_overlap_count_while_they_are_on_and_leave_nothing_behind():
    before = state()
    x = ag.ones(2, requires_grad=True)
    a, b = ag.profile(), ag.profile()
    a.__enter__()
    ag.exp(x)
    b.__enter__()
    ag.log(x).sum().backward()
    a.__exit__(None, None, None)
    ag.sin(x).sum().backward()
    with ag.no_grad():
        ag.tanh(x)
    b.__exit__(None, None, None)
    ag.cos(x).sum().backward()
    assert set(a.ops) == {"exp"}
    assert set(b.ops) == {"log", "sum", "sin", "tanh"}
    assert state() == before


@pytest.mark.parametrize("other", [ag.no_grad, ag.detect_anomaly, ag.record_statistics, ag.profile], ids=lambda c: c.__name__)
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_a_block_that_overlaps_with_another_of_any_kind_leaves_nothing_behind(other, first):
    before = state()
    profile, another = ag.profile(), other()
    order = (profile, another) if first else (another, profile)
    for block in order:
        block.__enter__()
    ag.exp(ag.ones(2, requires_grad=True))
    order[0].__exit__(None, None, None)
    ag.log(ag.ones(2, requires_grad=True))
    order[1].__exit__(None, None, None)
    ag.sin(ag.ones(2, requires_grad=True)).sum().backward()
    assert "sin" not in profile.ops
    assert state() == before


def test_tasks_that_take_turns_have_profiles_of_their_own():
    before = state()

    async def task(op, start, turns):
        await start.wait()
        with ag.profile() as costs:
            for _ in range(turns):
                op(ag.ones(2, requires_grad=True)).sum().backward()
                await asyncio.sleep(0)
        return costs

    async def both():
        start = asyncio.Event()
        tasks = [asyncio.create_task(task(op, start, turns)) for op, turns in ((ag.exp, 2), (ag.log, 4))]
        await asyncio.sleep(0)
        start.set()
        return await asyncio.gather(*tasks)

    first, second = asyncio.run(both())
    assert {name: cost.calls for name, cost in first.ops.items()} == {"exp": 2, "sum": 2}
    assert {name: cost.calls for name, cost in second.ops.items()} == {"log": 4, "sum": 4}
    assert all(cost.forward > 0 for costs in (first, second) for cost in costs.ops.values())
    assert state() == before


def test_a_thread_with_a_copy_of_the_context_is_not_counted():
    def work():
        ag.exp(ag.ones(2, requires_grad=True)).sum().backward()

    with ag.profile() as costs:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
        thread.start()
        thread.join()
        ag.log(ag.ones(2, requires_grad=True))
    assert set(costs.ops) == {"log"}
    assert len(costs.events) == 1


def test_what_goes_on_in_a_copy_of_the_context_after_the_block_is_not_counted():
    with ag.profile() as costs:
        context = contextvars.copy_context()
    with ag.profile():
        context.run(lambda: ag.exp(ag.ones(2, requires_grad=True)).sum().backward())
    assert costs.ops == {}
    assert costs.events == []


def test_another_thread_can_neither_enter_nor_leave_it():
    before = state()
    errors = []

    def each():
        other = state()
        for call in (costs.__enter__, lambda: costs.__exit__(None, None, None)):
            try:
                call()
            except RuntimeError as error:
                errors.append(str(error))
        if state() == other:
            errors.append("as before")

    with ag.profile() as costs:
        thread = threading.Thread(target=each)
        thread.start()
        thread.join()
        ag.log(ag.ones(2))
    assert errors == [
        "profile: expected one that is off, got one that is on; make another with profile()",
        "profile: expected to be left by the thread that entered it, got another one",
        "as before",
    ]
    assert set(costs.ops) == {"log"}
    assert state() == before


@pytest.mark.parametrize("begins", [True, False], ids=["begins", "ends"])
def test_a_block_that_begins_or_ends_in_a_hook_of_a_backward_pass_breaks_nothing(begins):
    before = state()
    costs = ag.profile()

    def run():
        x = ag.ones(2, requires_grad=True)
        y = ag.exp(x)
        if begins:
            y.register_hook(lambda _g: costs.__enter__() and None)
        else:
            costs.__enter__()
            y.register_hook(lambda _g: costs.__exit__(None, None, None))
        ag.sin(y).sum().backward()
        if begins:
            costs.__exit__(None, None, None)
        ag.cos(x).sum().backward()
        assert x.grad.tolist() == pytest.approx([np.e * np.cos(np.e) - np.sin(1)] * 2)

    contextvars.copy_context().run(run)
    assert "cos" not in costs.ops
    assert costs._frames == []
    assert state() == before


def test_inside_the_block_the_time_so_far_is_shown():
    x = ag.randn(100, requires_grad=True)
    with ag.profile() as costs:
        ag.exp(x).sum().backward()
        first = costs.elapsed
        assert first > sum(cost.seconds for cost in costs.ops.values()) > 0
        assert " -" not in str(costs)
        ag.exp(x)
    assert costs.elapsed > first
    assert costs.elapsed == costs.elapsed


def test_in_the_trace_a_module_comes_before_what_ran_in_it(tmp_path):
    model = nn.Sequential(nn.Sequential(nn.Linear(8, 16)))
    with ag.profile() as costs:
        model(ag.ones(2, 8))
    costs.save_trace(tmp_path / "trace.json")  # all have one start and one duration: viewers nest them in the order of the file
    spans = [event for event in json.loads((tmp_path / "trace.json").read_text())["traceEvents"] if event["ph"] == "X"]
    assert [event["args"].get("module", event["name"]) for event in spans] == ["model", "model.0", "model.0.0", "linear"]
