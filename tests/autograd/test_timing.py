"""benchmark() measures a function, counts its graph, and leaves the gradients alone."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_nodes_bytes_and_times():
    x = ag.ones(1000, requires_grad=True)
    found = ag.benchmark(lambda x: ag.exp(ag.tanh(x)).sum(), x, rounds=5)
    assert found.nodes == 3
    assert found.saved_bytes == 8000
    assert found.against is None
    assert found.ratio is None
    for timing in (found.forward, found.backward, found.total):
        assert 0 < timing.low <= timing.median <= timing.high
    assert found.total.median >= max(found.forward.median, found.backward.median)


def test_gradients_stay_as_they_were():
    model = nn.Linear(4, 2)
    model.weight.grad = before = ag.ones(2, 4)
    ag.benchmark(model, ag.ones(3, 4), rounds=3)
    assert model.weight.grad is before
    assert model.weight.grad.tolist() == [[1.0] * 4] * 2
    assert model.bias.grad is None


def test_gradients_are_restored_after_an_error():
    x = ag.ones(2, requires_grad=True)
    x.grad = before = ag.ones(2)
    calls = []

    def function(x):
        calls.append(x)
        if len(calls) == 3:
            raise KeyError("third")
        return x * 2

    with pytest.raises(KeyError, match="third"):
        ag.benchmark(function, x)
    assert x.grad is before


def test_a_function_by_hand_gets_arrays_and_runs_in_turn():
    x = ag.ones(100, requires_grad=True)
    order = []

    def ours(x):
        order.append("ours")
        return ag.tanh(x)

    def by_hand(x, scale):
        order.append("by hand")
        assert type(x) is np.ndarray
        return np.tanh(x) * scale

    found = ag.benchmark(lambda x, scale: ours(x) * scale, x, 2.0, against=by_hand, rounds=4)
    assert order == ["ours"] + ["ours", "by hand"] * 5
    assert found.ratio == found.total.median / found.against.median


def test_results_without_a_gradient_and_several_results():
    found = ag.benchmark(lambda: ag.ones(3) + 1.0, rounds=3)
    assert (found.nodes, found.saved_bytes, found.backward) == (0, 0, None)
    assert [line.split()[0] for line in str(found).splitlines()] == ["forward", "graph"]
    x = ag.ones(3, 2, requires_grad=True)
    found = ag.benchmark(lambda: (x * x, ag.exp(x)), rounds=3)
    assert found.nodes == 2
    assert found.backward.median > 0


def test_recording_is_on_also_inside_no_grad():
    x = ag.ones(3, requires_grad=True)
    with ag.no_grad():
        assert ag.benchmark(ag.exp, x, rounds=3).nodes == 1


def test_text_and_limits():
    x = ag.ones(10, requires_grad=True)
    found = ag.benchmark(ag.exp, x, against=np.exp, rounds=1000, seconds=0.0)
    lines = str(found).splitlines()
    assert [line.split()[0] for line in lines] == ["forward", "backward", "together", "graph", "by"]
    assert lines[3] == "graph      1 nodes, 40 B saved for backward"
    with pytest.raises(TypeError, match="benchmark: expected a function that returns Tensors, got ndarray from it"):
        ag.benchmark(lambda: np.ones(3))


def test_few_rounds_and_what_cannot_be_timed():
    x = ag.ones(3, requires_grad=True)
    found = ag.benchmark(ag.tanh, x, rounds=1)
    assert found.forward.low == found.forward.median == found.forward.high > 0
    with pytest.raises(TypeError, match="benchmark: expected against to be a function of the arrays, got ndarray"):
        ag.benchmark(ag.tanh, x, against=np.ones(3))
    for rounds in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"benchmark: expected at least 1 round, got {rounds}"):
            ag.benchmark(ag.tanh, x, rounds=rounds)
    with pytest.raises(TypeError, match="benchmark: expected a function and its arguments, got Tensor; pass lambda"):
        ag.benchmark(ag.tanh(x))
