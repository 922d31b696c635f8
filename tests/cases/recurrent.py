"""The cells and layers of recurrent networks, and dropout."""

from __future__ import annotations

import numpy as np
from cases.case import Case, real

import autograd as ag
from autograd.ops.recurrent import gru_pointwise, lstm_pointwise

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def drop(x):
    return ag.dropout(x, 0.4, generator=np.random.default_rng(0))


RAGGED = {"batch_sizes": (3, 2, 2, 1)}


def torch_layer(kind, sizes=None, reverse=False):
    """PyTorch's layer on the same operands; a reversed one is its layer on the reversed sequence."""

    def call(x, *rest):
        count = 2 if kind == "lstm" else 1
        states, weights = [state[None] for state in rest[:count]], list(rest[count:])
        x = x.flip(0) if reverse else x
        state = states if kind == "lstm" else states[0]
        function = {"lstm": torch.lstm, "gru": torch.gru, "tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[kind]
        if sizes is None:
            found = function(x, state, weights, len(weights) >= 4, 1, 0.0, False, False, False)
            y = found[0]
        else:
            packed = torch.cat([x[t, :n] for t, n in enumerate(sizes)])
            found = function(packed, torch.tensor(sizes), state, weights, len(weights) >= 4, 1, 0.0, False, False)
            rows = torch.split(found[0], list(sizes))
            y = torch.stack([torch.nn.functional.pad(row, (0, 0, 0, x.shape[1] - len(row))) for row in rows])
        return (y.flip(0) if reverse else y, *(last[0] for last in found[1:]))

    return call


def lstm(**options):
    return lambda x, h, c, *w: ag.lstm_layer(x, (h, c), *w, **options)


def gru(**options):
    return lambda x, h, *w: ag.gru_layer(x, h, *w, **options)


def rnn(kind="tanh", **options):
    return lambda x, h, w_ih, w_hh, b_ih=None, b_hh=None: ag.rnn_layer(
        x, h, w_ih, w_hh, b_ih, b_hh, nonlinearity=kind, **options
    )


X, H = real(4, 3, 2), real(3, 2)
CASES = [
    Case(op="lstm_layer", call=lstm(), derivative="through time, backwards: one product of matrices a step",
         inputs=(X, H, H, real(8, 2), real(8, 2), real(8), real(8)), torch=torch_layer("lstm")),
    Case(op="lstm_layer", label="plain", call=lstm(), inputs=(X, H, H, real(8, 2), real(8, 2)), torch=torch_layer("lstm")),
    Case(op="lstm_layer", label="reverse", call=lstm(reverse=True), inputs=(X, H, H, real(8, 2), real(8, 2)),
         torch=torch_layer("lstm", reverse=True)),
    Case(op="lstm_layer", label="ragged", call=lstm(**RAGGED), inputs=(X, H, H, real(8, 2), real(8, 2), real(8), real(8)),
         torch=torch_layer("lstm", RAGGED["batch_sizes"])),
    Case(op="lstm_layer", label="ragged reverse", call=lstm(reverse=True, **RAGGED),
         inputs=(X, H, H, real(8, 2), real(8, 2), real(8), real(8))),
    Case(op="lstm_layer", label="projected", call=lstm(), inputs=(X, real(3, 1), H, real(8, 2), real(8, 1), real(8), real(8), real(1, 2)),
         torch=torch_layer("lstm")),
    Case(op="lstm_layer", label="projected ragged", call=lambda x, h, c, a, b, r: ag.lstm_layer(x, (h, c), a, b, w_hr=r, **RAGGED),
         inputs=(X, real(3, 1), H, real(8, 2), real(8, 1), real(1, 2))),
    Case(op="lstm_layer", label="output", call=lambda *w: lstm()(*w)[0], inputs=(X, H, H, real(8, 2), real(8, 2))),
    Case(op="lstm_layer", label="memory", call=lambda *w: lstm()(*w)[2], inputs=(X, H, H, real(8, 2), real(8, 2))),
    Case(op="lstm_layer", label="empty", call=lstm(), inputs=(real(2, 0, 2), real(0, 2), real(0, 2), real(8, 2), real(8, 2))),
    Case(op="gru_layer", call=gru(), derivative="through time, backwards: one product of matrices a step",
         inputs=(X, H, real(6, 2), real(6, 2), real(6), real(6)), torch=torch_layer("gru")),
    Case(op="gru_layer", label="plain", call=gru(), inputs=(X, H, real(6, 2), real(6, 2)), torch=torch_layer("gru")),
    Case(op="gru_layer", label="reverse", call=gru(reverse=True), inputs=(X, H, real(6, 2), real(6, 2)),
         torch=torch_layer("gru", reverse=True)),
    Case(op="gru_layer", label="ragged", call=gru(**RAGGED), inputs=(X, H, real(6, 2), real(6, 2), real(6), real(6)),
         torch=torch_layer("gru", RAGGED["batch_sizes"])),
    Case(op="gru_layer", label="ragged reverse", call=gru(reverse=True, **RAGGED), inputs=(X, H, real(6, 2), real(6, 2))),
    Case(op="gru_layer", label="last", call=lambda *w: gru()(*w)[1], inputs=(X, H, real(6, 2), real(6, 2))),
    Case(op="gru_layer", label="empty", call=gru(), inputs=(real(2, 0, 2), real(0, 2), real(6, 2), real(6, 2))),
    Case(op="rnn_layer", call=rnn(), derivative="through time, backwards: one product of matrices a step",
         inputs=(X, H, real(2, 2), real(2, 2), real(2), real(2)), torch=torch_layer("tanh")),
    Case(op="rnn_layer", label="relu", call=rnn("relu"), inputs=(X, H, real(2, 2), real(2, 2), real(2), real(2)),
         torch=torch_layer("relu")),
    Case(op="rnn_layer", label="ragged", call=rnn(**RAGGED), inputs=(X, H, real(2, 2), real(2, 2)),
         torch=torch_layer("tanh", RAGGED["batch_sizes"])),
    Case(op="rnn_layer", label="ragged reverse", call=rnn(reverse=True, **RAGGED), inputs=(X, H, real(2, 2), real(2, 2))),
    Case(op="rnn_layer", label="last", call=lambda *w: rnn()(*w)[1], inputs=(X, H, real(2, 2), real(2, 2))),
    Case(op="rnn_layer", label="empty", call=rnn(), inputs=(real(2, 0, 2), real(0, 2), real(2, 2), real(2, 2))),
    Case(op="lstm", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w), derivative="through c' and h', gate by gate",
         inputs=(real(3, 2), real(3, 2), real(3, 2), real(8, 2), real(8, 2), real(8), real(8)),
         torch=lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)),
    Case(op="lstm", label="plain", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w),
         inputs=(real(2, 3), real(2, 2), real(2, 2), real(8, 3), real(8, 2)),
         torch=lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)),
    Case(op="lstm", label="one", call=lambda x, h, c, *w: ag.lstm_cell(x, (h, c), *w)[0],
         inputs=(real(3), real(2), real(2), real(8, 3), real(8, 2))),
    Case(op="lstm", label="memory", call=lambda gates, c: lstm_pointwise(gates, c)[1], inputs=(real(2, 8), real(2, 2))),
    Case(op="lstm", label="empty", call=lstm_pointwise, inputs=(real(0, 8), real(0, 2))),
    Case(op="gru", call=ag.gru_cell, derivative="through r, z and n",
         inputs=(real(3, 2), real(3, 2), real(6, 2), real(6, 2), real(6), real(6)),
         torch=lambda *operands: torch.gru_cell(*operands)),
    Case(op="gru", label="plain", call=ag.gru_cell, inputs=(real(2, 3), real(2, 2), real(6, 3), real(6, 2)),
         torch=lambda *operands: torch.gru_cell(*operands)),
    Case(op="gru", label="one", call=ag.gru_cell, inputs=(real(3), real(2), real(6, 3), real(6, 2))),
    Case(op="gru", label="empty", call=gru_pointwise, inputs=(real(0, 6), real(0, 6), real(0, 2))),
    Case(op="dropout", call=drop, inputs=(real(3, 4),), derivative="g / (1 - p) where kept, else 0"),
    Case(op="dropout", label="0d", call=drop, inputs=(real(),)),
    Case(op="dropout", label="empty", call=drop, inputs=(real(0, 2),)),
    Case(op="dropout", label="all", call=lambda x: ag.dropout(x, 1.0), inputs=(real(4),)),
]  # fmt: skip
