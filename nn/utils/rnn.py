"""Batches of sequences of different lengths, where programs for PyTorch look for them."""

from nn.packing import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence

__all__ = ["PackedSequence", "pack_padded_sequence", "pad_packed_sequence", "pad_sequence"]
