"""Anomaly mode names op, shapes and line, for the forward and the backward pass."""

from __future__ import annotations

import inspect
import threading

import numpy as np
import pytest

import autograd as ag
from autograd import AnomalyError, versions
from autograd.mode import get_mode


def next_line() -> str:
    return f"test_anomaly.py:{inspect.currentframe().f_back.f_lineno + 1}\n"


def leaf(*values, dtype=None):
    return ag.tensor(list(values), dtype=dtype, requires_grad=True)


# ------------------------------------------------------------------------------------------------ rows of the hard cases


def test_hard_case_053_the_double_where_trap_names_log():
    x = leaf(0.0, 2.0)
    y = ag.where(x._data > 0, ag.log(x), 0.0)
    assert y.tolist() == pytest.approx([0.0, np.log(2.0)])
    y.sum().backward()
    assert np.isnan(x.grad._data[0])
    assert x.grad._data[1] == 0.5
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="log: the forward pass gave inf from finite arguments"):
        ag.where(x._data > 0, ag.log(x), 0.0)
    y = ag.where(x._data > 0, ag.log(x), 0.0)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="log: the backward pass gave nan in the gradient"):
        y.sum().backward()


def test_hard_case_055_zero_times_infinity_is_nan_and_sqrt_is_named():
    x = leaf(0.0)
    (ag.sqrt(x) * 0.0).sum().backward()
    assert np.isnan(x.grad._data[0])
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="sqrt: the backward pass gave nan"):
        (ag.sqrt(x) * 0.0).sum().backward()


def test_hard_case_117_the_forward_op_its_shapes_and_its_line_are_named():
    x = ag.tensor([[1.0, -1.0]], requires_grad=True)
    with (
        ag.detect_anomaly(),
        pytest.raises(AnomalyError, match=r"log: the forward pass gave nan .*float32\[1, 2\] ->") as caught,
    ):
        line = next_line()
        ag.log(x)
    assert line in str(caught.value)
    assert str(caught.value).endswith("ag.log(x)")


def test_hard_case_117_inf_in_the_backward_pass_is_named_with_the_line_of_its_op():
    x = leaf(0.0, 1.0)
    with ag.detect_anomaly():
        line = next_line()
        y = ag.sqrt(x)
        loss = y.sum()
        with pytest.raises(AnomalyError, match="sqrt: the backward pass gave inf in the gradient of its argument 0") as caught:
            loss.backward()
    assert line in str(caught.value)
    assert x.grad is None


# ------------------------------------------------------------------------------------------------ the forward pass


def test_an_infinity_that_is_handed_on_is_no_fault():
    x = leaf(1.0, 2.0, 3.0)
    with ag.detect_anomaly():
        masked = ag.masked_fill(x, np.array([True, False, False]), -np.inf)
        ag.softmax(masked).sum().backward()
        padded = ag.where(np.array([True, True, False]), x, np.full(3, -np.inf))
        ag.logsumexp(padded).backward()
    assert np.all(np.isfinite(x.grad._data))


def test_infinity_over_infinity_is_a_fault():
    x = leaf(np.inf)
    with (
        ag.detect_anomaly(),
        pytest.raises(AnomalyError, match="divide: .* nan from inf in its argument 0 and inf in its argu"),
    ):
        x / x


def test_a_nan_in_the_data_is_said_to_have_been_there():
    w = leaf(1.0, 2.0)
    data = ag.tensor([np.nan, 1.0])
    data.name = "data"
    with (
        ag.detect_anomaly(),
        pytest.raises(AnomalyError, match="multiply: the forward pass gave nan from nan in its argument 1 'da"),
    ):
        w * data


def test_several_outputs_are_all_looked_at():
    x = leaf(1.0, np.inf)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match=r"two: the forward pass gave nan .* -> 2 outputs"):
        two = ag.primitive(lambda a: (a * 0.0, a), lambda g, _y, _x: g[0], name="two")
        two(x)


def test_numpys_functions_and_in_place_methods_are_watched_and_nothing_is_half_done():
    x = leaf(-1.0)
    with ag.detect_anomaly():
        with pytest.raises(AnomalyError, match="log: .*") as caught:
            line = next_line()
            np.log(x)
        assert line in str(caught.value)
        y = x * 1.0
        with pytest.raises(AnomalyError, match="sqrt"):
            y.sqrt_()
        assert y.tolist() == [-1.0]


# ------------------------------------------------------------------------------------------------ the backward pass


def test_a_recorded_backward_pass_names_the_op_whose_rule_gave_it():
    x = leaf(0.0)
    with ag.detect_anomaly():
        line = next_line()
        y = ag.sqrt(x).sum()
        with pytest.raises(AnomalyError, match="sqrt: the backward pass gave inf") as caught:
            ag.grad(y, x, create_graph=True)
    assert line in str(caught.value)


def test_second_order_is_watched():
    x = leaf(0.0)
    with ag.detect_anomaly():
        (g,) = ag.grad(ag.power(x, 1.5).sum(), [x], create_graph=True)
        with pytest.raises(AnomalyError, match="the backward pass gave inf in the gradient of its argument 0"):
            g.sum().backward()


def test_a_graph_made_outside_has_no_line_and_the_message_says_why():
    x = leaf(0.0)
    y = ag.sqrt(x)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="made outside the mode: run the forward pass in it too"):
        y.sum().backward()


def test_what_indexing_and_fused_ops_hand_back_is_looked_at():
    x = leaf(1.0, 2.0)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="getitem: the backward pass gave nan"):
        x[0].backward(np.float32(np.nan))
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="gelu: the backward pass gave inf"):
        ag.gelu(x).backward(np.float32([np.inf, 1.0]))


# ------------------------------------------------------------------------------------------------ the mode


def test_healthy_values_pass_and_the_mode_ends():
    x = leaf(1.0, 2.0)
    with ag.detect_anomaly():
        (ag.log(x) * x[0]).sum().backward()
        assert get_mode().tracer is not None
    assert get_mode().tracer is None
    assert not any(kind == "tracer" for kind, _ in versions.duties)
    np.testing.assert_allclose(x.grad._data, [np.log(2.0) + 1.0, 0.5], rtol=1e-6)


def test_one_instance_may_be_entered_twice_and_an_error_ends_the_mode():
    mode = ag.detect_anomaly()
    with pytest.raises(KeyError), mode, mode:
        raise KeyError
    assert get_mode().tracer is None
    assert not any(kind == "tracer" for kind, _ in versions.duties)


def test_it_decorates():
    @ag.detect_anomaly()
    def step(x):
        return ag.log(x)

    assert step(leaf(1.0)).tolist() == [0.0]
    with pytest.raises(AnomalyError):
        step(leaf(-1.0))
    assert np.isnan(ag.log(leaf(-1.0))._data[0])


def test_recording_the_source_inside_keeps_the_checks():
    with ag.detect_anomaly(), ag.record_source(), pytest.raises(AnomalyError):
        ag.log(leaf(-1.0))
    with ag.record_source(), ag.detect_anomaly(), pytest.raises(AnomalyError):
        ag.log(leaf(-1.0))


def test_other_threads_are_not_watched():
    seen = []
    with ag.detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(ag.log(leaf(-1.0)).node))
        thread.start()
        thread.join()
    assert not hasattr(seen[0], "trace")


def test_the_source_line_can_be_recorded_without_checks():
    x = leaf(-1.0)
    with ag.record_source():
        line = next_line()
        y = ag.log(x)
    assert y.node.trace.endswith(line.strip())
    assert not hasattr(ag.log(x).node, "trace")


def test_the_module_of_the_op_is_named():
    import nn

    class Root(nn.Module):
        def forward(self, x):
            return ag.log(x)

    model = nn.Sequential(Root())
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match=r"log: .* in module .*0, made at .*test_anomaly.py:"):
        model(leaf(-1.0))
