"""Anomaly mode names op, shapes and line, for the forward and the backward pass."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd as ag
from autograd import versions
from autograd.mode import get_mode


def test_hard_case_117_the_forward_op_and_its_line_are_named():
    x = ag.tensor([[1.0, -1.0]], requires_grad=True)
    with (
        ag.detect_anomaly(),
        pytest.raises(ag.AnomalyError, match=r"log: the forward pass gave nan .*float32\[1, 2\]") as caught,
    ):
        line = inspect.currentframe().f_lineno + 1
        ag.log(x)
    assert str(caught.value).endswith(f"test_anomaly.py:{line}")


def test_hard_case_117_inf_in_the_backward_pass_is_named_with_the_line_of_its_op():
    x = ag.tensor([0.0, 1.0], requires_grad=True)
    with ag.detect_anomaly():
        line = inspect.currentframe().f_lineno + 1
        y = ag.sqrt(x)
        loss = y.sum()
        with pytest.raises(ag.AnomalyError, match="sqrt: the backward pass gave inf in the gradient of argument 0") as caught:
            loss.backward()
    assert f"test_anomaly.py:{line}" in str(caught.value)
    assert x.grad is None


def test_hard_case_053_the_double_where_trap_names_log():
    x = ag.tensor([0.0, 2.0], requires_grad=True)
    y = ag.where(x._data > 0, ag.log(x), 0.0)
    assert y.tolist() == pytest.approx([0.0, np.log(2.0)])
    y.sum().backward()
    assert np.isnan(x.grad._data[0])
    assert x.grad._data[1] == 0.5
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="log: the forward pass gave inf"):
        ag.where(x._data > 0, ag.log(x), 0.0)


def test_hard_case_055_zero_times_infinity_is_nan_and_sqrt_is_named():
    x = ag.tensor([0.0], requires_grad=True)
    (ag.sqrt(x) * 0.0).sum().backward()
    assert np.isnan(x.grad._data[0])
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="sqrt: the backward pass gave nan"):
        (ag.sqrt(x) * 0.0).sum().backward()


def test_healthy_values_pass_and_the_mode_ends():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    with ag.detect_anomaly():
        (ag.log(x) * x[0]).sum().backward()
        assert get_mode().tracer is not None
    assert get_mode().tracer is None
    assert not any(kind == "tracer" for kind, _ in versions.duties)
    np.testing.assert_allclose(x.grad._data, [np.log(2.0) + 1.0, 0.5], rtol=1e-6)


def test_the_source_line_can_be_recorded_without_checks():
    x = ag.tensor([-1.0], requires_grad=True)
    with ag.record_source():
        line = inspect.currentframe().f_lineno + 1
        y = ag.log(x)
    assert y.node.trace.endswith(f"test_anomaly.py:{line}")
    assert not hasattr(ag.log(x).node, "trace")
