"""Packs of sequences of different lengths, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("layer", "options"), [("RNN", {}), ("GRU", {"num_layers": 2}), ("LSTM", {"bidirectional": True})])
@pytest.mark.parametrize("lengths", [[5, 3, 3, 1], [2, 4, 1, 3]])
def test_packs_give_pytorchs_numbers(layer, options, lengths, batch_first):
    torch = pytest.importorskip("torch")
    x = RNG.standard_normal((4, 5, 3) if batch_first else (5, 4, 3))
    ours = getattr(nn, layer)(3, 2, batch_first=batch_first, dtype=np.float64, **options)
    theirs = getattr(torch.nn, layer)(3, 2, batch_first=batch_first, dtype=torch.float64, **options)
    theirs.load_state_dict({name: torch.from_numpy(value.numpy().copy()) for name, value in ours.state_dict().items()})
    found = []
    for tensor, model, utils in (
        (ag.tensor(x, requires_grad=True), ours, nn.utils.rnn),
        (torch.tensor(x, requires_grad=True), theirs, torch.nn.utils.rnn),
    ):
        packed = utils.pack_padded_sequence(tensor, lengths, batch_first, enforce_sorted=False)
        output, last = model(packed)
        padded, sizes = utils.pad_packed_sequence(output, batch_first, padding_value=-1.0, total_length=6)
        last = last if isinstance(last, tuple) else (last,)
        (output.data.sum() + (padded**2).sum() + sum((each**3).sum() for each in last)).backward()
        found.append([padded, sizes, output.data, *last, tensor.grad, *(p.grad for p in model.parameters())])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_sequences_are_padded_to_the_longest():
    rows = [ag.tensor([[1.0], [2.0]], requires_grad=True), ag.tensor([[3.0]])]
    np.testing.assert_array_equal(pad_sequence(rows, batch_first=True).detach().numpy(), [[[1], [2]], [[3], [0]]])
    padded = pad_sequence(rows, padding_value=-1)
    np.testing.assert_array_equal(padded.detach().numpy(), [[[1], [3]], [[2], [-1]]])
    padded.sum().backward()
    assert rows[0].grad.tolist() == [[1.0], [1.0]]
    with pytest.raises(ValueError, match="pad_sequence: expected at least one sequence, got none"):
        pad_sequence([])


def test_wrong_packs():
    x = ag.zeros(5, 3, 2)
    with pytest.raises(ValueError, match=r"pack_padded_sequence: expected 3 whole numbers as lengths, got shape \(2,\)"):
        pack_padded_sequence(x, [1, 2])
    with pytest.raises(ValueError, match=r"pack_padded_sequence: expected lengths from 1 to 5, got \[6, 1, 1\]"):
        pack_padded_sequence(x, [6, 1, 1])
    with pytest.raises(ValueError, match="descending order; pass enforce_sorted=False"):
        pack_padded_sequence(x, [1, 2, 3])
    with pytest.raises(ValueError, match=r"at least 2 axes, got shape \(3,\)"):
        pack_padded_sequence(ag.zeros(3), [1])
    packed = pack_padded_sequence(x, ag.tensor([3, 2, 2]))
    assert isinstance(packed, PackedSequence)
    assert pad_packed_sequence(packed)[0].shape == (3, 3, 2)
    with pytest.raises(ValueError, match="pad_packed_sequence: expected total_length of at least 3, got 2"):
        pad_packed_sequence(packed, total_length=2)
    nn.LSTM(2, 2).flatten_parameters()
