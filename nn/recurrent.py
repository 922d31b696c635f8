"""Recurrent layers over whole sequences, in several layers and in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.arrays import Array
from autograd.devices import check_device
from nn import functional
from nn._options import choice, empty, probability, size
from nn.packing import of_packed
from nn.recurrent_cells import Recurrent


class _Ragged:
    """A batch of sequences of different lengths: the order by length, and how many are running at each step."""

    def __init__(self, lengths: Any, batch: int, steps: int, layer: str) -> None:
        values = np.asarray(lengths._data if isinstance(lengths, Tensor) else lengths)
        if values.dtype.kind not in "iu" or values.shape != (batch,):
            raise ValueError(f"{layer}: expected {batch} whole numbers as lengths, got {values.dtype} of shape {values.shape}")
        if batch and not (values.min() >= 1 and values.max() <= steps):
            raise ValueError(f"{layer}: expected lengths from 1 to {steps}, got {values.min()} to {values.max()}")
        self.order: Array = np.argsort(-values, kind="stable")
        self.back: Array = np.argsort(self.order, kind="stable")
        self.batch_sizes = [int((values > step).sum()) for step in range(steps)]


class _Layers(Recurrent):
    """Several layers, in one direction or both; each layer and direction is one fused primitive over the whole sequence."""

    states: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        name = type(self).__name__
        self.num_layers = size(num_layers, name, "num_layers", 1)
        self.batch_first = batch_first
        self.dropout = probability(dropout, name, "dropout")
        self.bidirectional = bidirectional
        self.proj_size = size(proj_size, name, "proj_size")
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"{name}: expected proj_size less than hidden_size {hidden_size}, got {proj_size}")
        rows, out = self.gates * self.hidden_size, self.proj_size or self.hidden_size
        for layer in range(self.num_layers):
            features = self.input_size if layer == 0 else out * (2 if bidirectional else 1)
            for suffix in self._suffixes(layer):
                setattr(self, f"weight_ih_{suffix}", empty((rows, features), dtype))
                setattr(self, f"weight_hh_{suffix}", empty((rows, out), dtype))
                if bias:
                    setattr(self, f"bias_ih_{suffix}", empty((rows,), dtype))
                    setattr(self, f"bias_hh_{suffix}", empty((rows,), dtype))
                if self.proj_size:
                    setattr(self, f"weight_hr_{suffix}", empty((out, self.hidden_size), dtype))
        self.reset_parameters()

    def flatten_parameters(self) -> None:
        """Nothing: PyTorch's GPU kernels want their weights in one piece, and programs ask for it."""

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def _weights(self, suffix: str) -> list[Any]:
        """The parameters of a layer and direction in the order in which the primitives take them."""
        names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if self.bias else [])
        weights = [getattr(self, f"{name}_{suffix}") for name in names] + ([] if self.bias else [None, None])
        return [*weights, getattr(self, f"weight_hr_{suffix}")] if self.proj_size else weights

    def _run(self, x: Any, state: tuple[Any, ...], suffix: str, sizes: Sequence[int] | None) -> tuple[Any, ...]:
        """One layer in one direction: its output and last state."""
        raise NotImplementedError(f"{type(self).__name__}: expected a _run method, found none")

    def _widths(self) -> tuple[int, ...]:
        """The lengths of the parts of the state."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: self.states]

    def _initial(self, given: tuple[Any, ...] | None, batch: int, batched: bool, dtype: Any) -> tuple[Any, ...]:
        """The state before the first step: each part (layers * directions, N, width)."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        if given is None:
            return tuple(self._zeros((count, batch), width, dtype) for width in self._widths())
        parts = []
        for part, width in zip(given, self._widths(), strict=True):
            expected = (count, batch, width) if batched else (count, width)
            if np.shape(part) != expected:
                raise ValueError(f"{type(self).__name__}: expected a state of shape {expected}, got {np.shape(part)}")
            parts.append(part if batched else np.expand_dims(part, 1))
        return tuple(parts)

    def _forward(self, x: Any, given: tuple[Any, ...] | None, lengths: Any) -> tuple[Any, tuple[Any, ...]]:
        name = type(self).__name__
        batched = np.ndim(x) == 3
        layout = f"(N, T, {self.input_size})" if self.batch_first else f"(T, N, {self.input_size})"
        if np.ndim(x) not in (2, 3) or x.shape[-1] != self.input_size:
            raise ValueError(f"{name}: expected an input {layout} or (T, {self.input_size}), got shape {np.shape(x)}")
        if not batched:
            x = np.expand_dims(x, 1)
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        state = self._initial(given, x.shape[1], batched, x.dtype)
        ragged = None if lengths is None else _Ragged(lengths, x.shape[1], x.shape[0], name)
        if ragged is not None:
            x, state = ag.take(x, ragged.order, axis=1), tuple(ag.take(part, ragged.order, axis=1) for part in state)
        x, state = self._stacked(x, state, None if ragged is None else ragged.batch_sizes)
        if ragged is not None:
            x, state = ag.take(x, ragged.back, axis=1), tuple(ag.take(part, ragged.back, axis=1) for part in state)
        if not batched:
            return np.squeeze(x, 1), tuple(np.squeeze(part, 1) for part in state)
        return (np.swapaxes(x, 0, 1) if self.batch_first else x), state

    def _stacked(self, x: Any, state: tuple[Any, ...], sizes: Sequence[int] | None) -> tuple[Any, tuple[Any, ...]]:
        """All layers and directions on (T, N, I)."""
        last: list[list[Any]] = [[] for _ in state]
        number = 0
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self._suffixes(layer):
                y, *final = self._run(x, tuple(part[number] for part in state), suffix, sizes)
                outputs.append(y)
                for found, part in zip(last, final, strict=True):
                    found.append(part)
                number += 1
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
            if self.dropout and layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        return x, tuple(np.stack(found) for found in last)

    def extra_repr(self) -> str:
        """The sizes and what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if not self.bias:
            text += f", bias={self.bias}"
        if self.batch_first:
            text += f", batch_first={self.batch_first}"
        if self.dropout:
            text += f", dropout={self.dropout}"
        return text + (f", bidirectional={self.bidirectional}" if self.bidirectional else "")


class RNN(_Layers):
    """h = tanh(W_ih x_t + b_ih + W_hh h + b_hh) over whole sequences (Elman, 1990).

    Args:
        input_size, hidden_size: lengths I of x_t and H of h.
        num_layers: each takes the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: add b_ih and b_hh.
        batch_first: sequences are (N, T, I) instead of (T, N, I).
        dropout: between layers, in training.
        bidirectional: a second layer goes from the last step to the first; the outputs are joined.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0: of layer 0; ``_l1``, ... of the others, ``_l0_reverse``, ... of the
            way back.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        choice(nonlinearity, ("tanh", "relu"), "RNN", "nonlinearity")
        check_device(device, "RNN")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)
        self.nonlinearity = nonlinearity

    def _run(self, x: Any, state: tuple[Any, ...], suffix: str, sizes: Sequence[int] | None) -> tuple[Any, ...]:
        reverse = suffix.endswith("reverse")
        weights = self._weights(suffix)
        return ag.rnn_layer(x, state[0], *weights, nonlinearity=self.nonlinearity, batch_sizes=sizes, reverse=reverse)

    @of_packed
    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """The outputs (T, N, H) and the last state (layers, N, H).

        Args:
            x: (T, N, I), (N, T, I) with ``batch_first``, or one sequence (T, I).
            hx: the first state, (layers, N, H); zeros unless given.
            lengths: of each sequence, if they differ: outputs beyond its end are 0, and its last state is that at its end.
        """
        y, state = self._forward(x, None if hx is None else (hx,), lengths)
        return y, state[0]


class GRU(_Layers):
    """A gated recurrent unit (Cho et al., 2014) over whole sequences; see :func:`autograd.gru_cell` for the formula.

    Args:
        input_size, hidden_size: lengths I of x_t and H of h.
        num_layers, bias, batch_first, dropout, bidirectional, dtype: as in :class:`RNN`.

    Attributes:
        weight_ih_l0, ...: as in :class:`RNN`, with the rows of the gates r, z and n one after the other.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "GRU")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)

    def _run(self, x: Any, state: tuple[Any, ...], suffix: str, sizes: Sequence[int] | None) -> tuple[Any, ...]:
        reverse = suffix.endswith("reverse")
        return ag.gru_layer(x, state[0], *self._weights(suffix), batch_sizes=sizes, reverse=reverse)

    @of_packed
    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """The outputs (T, N, H) and the last state (layers, N, H); the arguments are those of :meth:`RNN.forward`."""
        y, state = self._forward(x, None if hx is None else (hx,), lengths)
        return y, state[0]


class LSTM(_Layers):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997) over whole sequences; see :func:`autograd.lstm_cell`.

    Args:
        input_size, hidden_size: lengths I of x_t and H of h and c.
        num_layers, bias, batch_first, dropout, bidirectional: as in :class:`RNN`.
        proj_size: h is projected to so many features, if it is not 0 (Sak et al., 2014).
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight_ih_l0, ...: as in :class:`RNN`, with the rows of the gates i, f, g and o one after the other.
        weight_hr_l0, ...: (proj_size, H), with ``proj_size``.

    Example:
        >>> import autograd as ag, nn
        >>> y, (h, c) = nn.LSTM(3, 4, batch_first=True)(ag.zeros(2, 5, 3), lengths=[5, 2])
        >>> y.shape, h.shape, c.shape
        ((2, 5, 4), (1, 2, 4), (1, 2, 4))
    """

    gates = 4
    states = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "LSTM")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype)

    def _run(self, x: Any, state: tuple[Any, ...], suffix: str, sizes: Sequence[int] | None) -> tuple[Any, ...]:
        reverse = suffix.endswith("reverse")
        return ag.lstm_layer(x, (state[0], state[1]), *self._weights(suffix), batch_sizes=sizes, reverse=reverse)

    @of_packed
    def forward(self, x: Any, hx: tuple[Any, Any] | None = None, lengths: Any = None) -> tuple[Any, tuple[Any, Any]]:
        """The outputs (T, N, H) and the last state (h, c), (layers, N, H) each.

        Args:
            x: (T, N, I), (N, T, I) with ``batch_first``, or one sequence (T, I).
            hx: the first (h, c), (layers, N, H) each; zeros unless given.
            lengths: of each sequence, if they differ: outputs beyond its end are 0, and its last state is that at its end.
        """
        if hx is not None and (not isinstance(hx, tuple | list) or len(hx) != 2):
            raise TypeError("LSTM: expected the state as a pair (h, c)")
        y, last = self._forward(x, None if hx is None else tuple(hx), lengths)
        return y, (last[0], last[1])
