"""Single steps of recurrent networks."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd.devices import check_device
from nn import init
from nn._options import choice, empty, size
from nn.module import Module


class Recurrent(Module):
    """What cells and layers share: parameters that all start uniform in ±1 / sqrt(hidden_size)."""

    gates: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        self.input_size = size(input_size, type(self).__name__, "input_size")
        self.hidden_size = size(hidden_size, type(self).__name__, "hidden_size", 1)
        self.bias = bias

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _zeros(self, lead: tuple[int, ...], width: int, dtype: Any) -> Any:
        return ag.zeros((*lead, width), dtype=dtype)


class _Cell(Recurrent):
    def __init__(self, input_size: int, hidden_size: int, bias: bool, dtype: Any) -> None:
        super().__init__(input_size, hidden_size, bias)
        rows = self.gates * self.hidden_size
        self.weight_ih = empty((rows, self.input_size), dtype)
        self.weight_hh = empty((rows, self.hidden_size), dtype)
        self.register_parameter("bias_ih", empty((rows,), dtype) if bias else None)
        self.register_parameter("bias_hh", empty((rows,), dtype) if bias else None)
        self.reset_parameters()

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _check(self, x: Any) -> None:
        if np.ndim(x) not in (1, 2) or np.shape(x)[-1] != self.input_size:
            layout = f"(N, {self.input_size}) or ({self.input_size},)"
            raise ValueError(f"{type(self).__name__}: expected an input {layout}, got shape {np.shape(x)}")

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(..., 0) (Elman, 1990).

    Args:
        input_size, hidden_size: lengths I of x and H of h.
        bias: add b_ih and b_hh.
        nonlinearity: "tanh" or "relu".
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh: (H, I) and (H, H).
        bias_ih, bias_hh: (H,), or None.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self_nonlinearity = choice(nonlinearity, ("tanh", "relu"), "RNNCell", "nonlinearity")
        check_device(device, "RNNCell")
        super().__init__(input_size, hidden_size, bias, dtype)
        self.nonlinearity = self_nonlinearity

    def forward(self, x: Any, hx: Any = None) -> Any:
        """h' from x (N, I) or (I,) and h (N, H) or (H,), zeros unless given."""
        self._check(x)
        if hx is None:
            hx = self._zeros(x.shape[:-1], self.hidden_size, x.dtype)
        if np.shape(hx) != (*x.shape[:-1], self.hidden_size):
            raise ValueError(f"RNNCell: expected a state of shape {(*x.shape[:-1], self.hidden_size)}, got {np.shape(hx)}")
        total = ag.linear(x, self.weight_ih, self.bias_ih) + ag.linear(hx, self.weight_hh, self.bias_hh)
        return ag.relu(total) if self.nonlinearity == "relu" else ag.tanh(total)

    def extra_repr(self) -> str:
        """The sizes and what differs from the defaults."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of a long short-term memory; see :func:`autograd.lstm_cell` for the formula.

    Args:
        input_size, hidden_size: lengths I of x and H of h and c.
        bias: add b_ih and b_hh.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh: (4H, I) and (4H, H), the rows of the gates i, f, g and o one after the other.
        bias_ih, bias_hh: (4H,), or None.
    """

    gates = 4

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device(device, "LSTMCell")
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, x: Any, hx: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
        """h' and c' from x (N, I) or (I,) and (h, c), zeros unless given."""
        self._check(x)
        if hx is None:
            zeros = self._zeros(x.shape[:-1], self.hidden_size, x.dtype)
            hx = zeros, zeros
        return ag.lstm_cell(x, hx, *self._weights())


class GRUCell(_Cell):
    """One step of a gated recurrent unit; see :func:`autograd.gru_cell` for the formula.

    Args:
        input_size, hidden_size: lengths I of x and H of h.
        bias: add b_ih and b_hh.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh: (3H, I) and (3H, H), the rows of the gates r, z and n one after the other.
        bias_ih, bias_hh: (3H,), or None.
    """

    gates = 3

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        check_device(device, "GRUCell")
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """h' from x (N, I) or (I,) and h, zeros unless given."""
        self._check(x)
        if hx is None:
            hx = self._zeros(x.shape[:-1], self.hidden_size, x.dtype)
        return ag.gru_cell(x, hx, *self._weights())
