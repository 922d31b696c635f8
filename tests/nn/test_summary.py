"""The table of a model."""

from __future__ import annotations

import numpy as np

import autograd as ag
import nn


def test_rows_and_table():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2)))
    net[0].bias.requires_grad_(False)
    rows = net.summary(ag.zeros(2, 4))
    assert [(row.name, row.kind, row.output_shape, row.parameters) for row in rows] == [
        ("", "Sequential", (2, 2), 23), ("0", "Linear", (2, 3), 15), ("1", "ReLU", (2, 3), 0), ("2", "Sequential", (2, 2), 8),
        ("2.0", "Linear", (2, 2), 8),
    ]  # fmt: skip
    saved = [row.saved_bytes for row in rows]
    assert saved[1] == 2 * 4 * 4  # the input of the first layer
    assert saved[2] == 2 * 3 * 4  # the output of relu,
    assert saved[4] == saved[3] == 2 * 3 * 4  # which is the input of the second layer
    assert saved[0] == saved[1] + saved[2]  # and counted once in the whole
    assert (rows.parameters, rows.trained, rows.parameter_bytes) == (23, 20, 92)
    assert str(rows) == repr(rows)
    assert str(rows).splitlines() == [
        "layer            output shape  parameters  saved bytes",
        "Sequential             (2, 2)          23           56",
        "  0: Linear            (2, 3)          15           32",
        "  1: ReLU              (2, 3)           0           24",
        "  2: Sequential        (2, 2)           8           24",
        "    0: Linear          (2, 2)           8           24",
        "parameters: 23 (20 trained), 92 bytes",
    ]


def test_nothing_is_left_behind():
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), nn.LSTM(3, 2))
    ag.manual_seed(3)
    before = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    rows = net[:2].summary(ag.randn(4, 3))
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert rows[2].saved_bytes >= 12  # the mask of dropout
    first = ag.randn(2)
    ag.manual_seed(3)
    ag.randn(4, 3)
    np.testing.assert_array_equal(first, ag.randn(2))
    assert all(not module._forward_hooks for module in net.modules())


def test_several_outputs_and_layers_that_are_not_called():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(3, 2)
            self.unused = nn.Linear(1, 1)

        def forward(self, x):
            return self.rnn(x)

    rows = Net().summary(ag.zeros(5, 4, 3))
    assert rows[1].output_shape == [(5, 4, 2), [(1, 4, 2), (1, 4, 2)]]
    assert rows[2].output_shape is None
    assert "  unused: Linear" in str(rows)
