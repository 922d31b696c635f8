"""Transformers (Vaswani et al., 2017): encoder and decoder layers, stacks of them, and both together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd.devices import check_device
from nn import init
from nn._options import size
from nn.attention import MultiheadAttention
from nn.containers import ModuleList
from nn.dropout import Dropout
from nn.linear import Linear
from nn.module import Module
from nn.normalization import LayerNorm

Activation = str | Callable[[Any], Any]


def _activation(activation: Activation, layer: str) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    known: dict[str, Callable[[Any], Any]] = {"relu": ag.relu, "gelu": ag.gelu}
    if activation not in known:
        raise ValueError(f"{layer}: expected activation 'relu', 'gelu' or a function, got {activation!r}")
    return known[activation]


class _Block(Module):
    """The parts that encoder and decoder layers share: self-attention and a network on each position."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        dtype: Any,
        crossed: bool,
    ) -> None:
        super().__init__()
        for name in ("self_attn", "multihead_attn") if crossed else ("self_attn",):
            self.add_module(name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype))
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        for number in range(1, 4 if crossed else 3):
            self.add_module(f"norm{number}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for number in range(1, 4 if crossed else 3):
            self.add_module(f"dropout{number}", Dropout(dropout))
        self.activation: Callable[[Any], Any] = _activation(activation, type(self).__name__)

    def _added(self, number: int, x: Any, inner: Callable[[Any], Any]) -> Any:
        """x + dropout(inner(norm(x))), or norm(x + dropout(inner(x))) with the norm behind: one residual branch."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        return x + dropout(inner(norm(x))) if self.norm_first else norm(x + dropout(inner(x)))

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Block):
    """Self-attention, then a network of two linear layers, each with a residual connection, layer norm and dropout.

    Args:
        d_model: features E of inputs and results.
        nhead: heads of the attention.
        dim_feedforward: width of the inner layer.
        dropout: in training.
        activation: "relu", "gelu", or any function or module.
        layer_norm_eps: of the norms.
        batch_first: inputs are (N, T, E) instead of (T, N, E).
        norm_first: normalise before each branch instead of after each sum; trains deeper stacks (Xiong et al., 2020).
        bias: of all layers.
        device: ``"cpu"`` or None.
        dtype: of the parameters.

    Attributes:
        self_attn, linear1, linear2, norm1, norm2: the parts with parameters.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "TransformerEncoderLayer")
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, False
        )

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The result, in the shape of the input.

        Args:
            src: (T, N, E), (N, T, E) with ``batch_first``, or (T, E).
            src_mask, src_key_padding_mask, is_causal: of the attention; see :meth:`MultiheadAttention.forward`.
        """
        masks = {"key_padding_mask": src_key_padding_mask, "attn_mask": src_mask, "is_causal": is_causal}
        x = self._added(1, src, lambda y: self.self_attn(y, y, y, need_weights=False, **masks)[0])
        return self._added(2, x, self._feed_forward)


class TransformerDecoderLayer(_Block):
    """Self-attention, attention to the encoder's result, then a network of two linear layers, with residual connections.

    The arguments are those of :class:`TransformerEncoderLayer`.

    Attributes:
        self_attn, multihead_attn, linear1, linear2, norm1, norm2, norm3: the parts with parameters.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "TransformerDecoderLayer")
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, True
        )

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The result, in the shape of ``tgt``.

        Args:
            tgt: (T, N, E), (N, T, E) with ``batch_first``, or (T, E).
            memory: the encoder's result, with S in the place of T.
            tgt_mask, tgt_key_padding_mask, tgt_is_causal: of the self-attention; see :meth:`MultiheadAttention.forward`.
            memory_mask, memory_key_padding_mask, memory_is_causal: of the attention to the memory.
        """
        own = {"key_padding_mask": tgt_key_padding_mask, "attn_mask": tgt_mask, "is_causal": tgt_is_causal}
        other = {"key_padding_mask": memory_key_padding_mask, "attn_mask": memory_mask, "is_causal": memory_is_causal}
        x = self._added(1, tgt, lambda y: self.self_attn(y, y, y, need_weights=False, **own)[0])
        x = self._added(2, x, lambda y: self.multihead_attn(y, memory, memory, need_weights=False, **other)[0])
        return self._added(3, x, self._feed_forward)


class _Stack(Module):
    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.num_layers = size(num_layers, type(self).__name__, "num_layers")
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(self.num_layers)])
        self.norm = norm


class TransformerEncoder(_Stack):
    """A stack of copies of an encoder layer: all start with the same parameters, as in PyTorch.

    Args:
        encoder_layer: the layer to copy.
        num_layers: how many.
        norm: a module at the end, or None.
        enable_nested_tensor, mask_check: accepted for models written for PyTorch, and ignored.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,  # noqa: ARG002
        mask_check: bool = True,  # noqa: ARG002
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The result of the last layer; the arguments are those of :meth:`TransformerEncoderLayer.forward`."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """A stack of copies of a decoder layer: all start with the same parameters, as in PyTorch.

    Args:
        decoder_layer: the layer to copy.
        num_layers: how many.
        norm: a module at the end, or None.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The result of the last layer; the arguments are those of :meth:`TransformerDecoderLayer.forward`."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder. Weights with two axes or more are Xavier uniform at first.

    Args:
        d_model: features E.
        nhead: heads of the attention.
        num_encoder_layers, num_decoder_layers: depth of the two stacks.
        dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype: of the layers.
        custom_encoder, custom_decoder: modules to use in place of the stacks.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_device(device, "Transformer")
        super().__init__()
        options: Any = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype)
        if custom_encoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            custom_encoder = TransformerEncoder(TransformerEncoderLayer(d_model, nhead, *options), num_encoder_layers, norm)
        if custom_decoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            custom_decoder = TransformerDecoder(TransformerDecoderLayer(d_model, nhead, *options), num_decoder_layers, norm)
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values for the weights."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The decoder's result on ``tgt``, looking at the encoder's result on ``src``.

        Args:
            src, tgt: (S, N, E) and (T, N, E), with N first for ``batch_first``.
            src_mask, ...: of the three attentions; see :meth:`MultiheadAttention.forward`.
        """
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ValueError(f"Transformer: expected {self.d_model} features, got shapes {src.shape} and {tgt.shape}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = None) -> Any:
        """The floats (sz, sz) that hide what is still to come: -inf above the diagonal, 0 elsewhere."""
        return ag.triu(ag.full((sz, sz), -float("inf"), dtype=dtype), 1)


__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]
