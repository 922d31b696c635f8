"""Layers and losses against PyTorch's on the same weights: outputs, and the gradients of inputs and parameters.

Runs where PyTorch is installed (``pip install -e ".[test,parity]"``).
"""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),
    pytest.mark.filterwarnings("ignore:Implicit dimension choice for"),
]


@pytest.fixture(autouse=True)
def seeded():
    """The weights are PyTorch's own: the same in every run."""
    torch.manual_seed(0)


# Name, positional arguments, options, shape of the input.
LAYERS = [
    ("Linear", (3, 5), {}, (4, 3)),
    ("Linear", (3, 5), {"bias": False}, (2, 4, 3)),
    ("Linear", (3, 1), {}, (3,)),
    ("Linear", (3, 2), {}, (0, 3)),
    ("ReLU", (), {}, (3, 4)),
    ("ReLU", (), {"inplace": True}, (3, 4)),
    ("ReLU6", (), {}, (3, 4)),
    ("LeakyReLU", (0.2,), {}, (3, 4)),
    ("LeakyReLU", (0.2, True), {}, (3, 4)),
    ("PReLU", (), {}, (3, 4)),
    ("PReLU", (4,), {"init": 0.1}, (3, 4, 2)),
    ("ELU", (1.5,), {}, (3, 4)),
    ("SELU", (), {}, (3, 4)),
    ("CELU", (0.7,), {}, (3, 4)),
    ("GELU", (), {}, (3, 4)),
    ("GELU", (), {"approximate": "tanh"}, (3, 4)),
    ("SiLU", (), {}, (3, 4)),
    ("Mish", (), {}, (3, 4)),
    ("Sigmoid", (), {}, (3, 4)),
    ("LogSigmoid", (), {}, (3, 4)),
    ("Tanh", (), {}, (3, 4)),
    ("Tanhshrink", (), {}, (3, 4)),
    ("Softplus", (2.0, 1.0), {}, (3, 4)),
    ("Softsign", (), {}, (3, 4)),
    ("Hardtanh", (-0.5, 1.5), {}, (3, 4)),
    ("Hardsigmoid", (), {}, (3, 4)),
    ("Hardswish", (), {}, (3, 4)),
    ("Threshold", (0.1, 20.0), {}, (3, 4)),
    ("GLU", (), {}, (3, 4)),
    ("GLU", (1,), {}, (3, 4, 2)),
    ("Softmax", (), {"dim": 1}, (3, 4, 2)),
    ("LogSoftmax", (), {"dim": 0}, (3, 4)),
    ("Softmin", (), {"dim": 1}, (3, 4)),
    ("Softmax", (), {}, (3, 4, 2)),
    ("LogSoftmax", (), {}, (3, 4, 2, 2)),
    ("Softmin", (), {}, (3, 4)),
    ("Flatten", (), {}, (3, 4, 2)),
    ("Flatten", (0, 1), {}, (3, 4, 2)),
    ("Unflatten", (1, (2, 3)), {}, (4, 6)),
    ("Identity", (), {}, (3,)),
    ("Conv1d", (3, 4, 3), {}, (2, 3, 8)),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2, "bias": False}, (2, 4, 9)),
    ("Conv1d", (2, 3, 4), {"padding": "same"}, (2, 2, 7)),
    ("Conv1d", (2, 3, 3), {"padding": 2, "padding_mode": "circular"}, (2, 2, 7)),
    ("Conv1d", (2, 3, 3), {}, (2, 7)),
    ("Conv2d", (3, 4, 3), {}, (2, 3, 6, 5)),
    ("Conv2d", (3, 4, (1, 2)), {"stride": (2, 1), "padding": (0, 1)}, (2, 3, 6, 5)),
    ("Conv2d", (4, 4, 3), {"groups": 4, "padding": 1, "bias": False}, (2, 4, 5, 5)),
    ("Conv2d", (2, 4, 3), {"groups": 2, "dilation": 2, "padding": "same"}, (1, 2, 6, 6)),
    ("Conv2d", (2, 3, 3), {"padding": "valid"}, (2, 6, 6)),
    ("Conv2d", (2, 3, 3), {"padding": 1, "padding_mode": "reflect"}, (2, 2, 5, 6)),
    ("Conv2d", (2, 3, 3), {"padding": (2, 1), "padding_mode": "replicate", "stride": 2}, (2, 2, 5, 6)),
    ("Conv2d", (2, 3, (3, 2)), {"padding": "same", "padding_mode": "circular"}, (2, 2, 5, 6)),
    ("Conv2d", (3, 4, 1), {}, (2, 3, 4, 4)),
    ("Conv2d", (3, 4, 3), {}, (0, 3, 4, 4)),
    ("ConvTranspose1d", (3, 4, 3), {"stride": 2, "padding": 1, "output_padding": 1}, (2, 3, 5)),
    ("ConvTranspose1d", (4, 4, 2), {"groups": 2, "bias": False, "dilation": 2}, (2, 4, 5)),
    ("ConvTranspose2d", (3, 4, 3), {}, (2, 3, 4, 5)),
    ("ConvTranspose2d", (4, 2, 3), {"stride": (2, 1), "padding": 1, "output_padding": (1, 0), "groups": 2}, (2, 4, 3, 4)),
    ("MaxPool1d", (2,), {}, (2, 3, 7)),
    ("MaxPool1d", (3, 1), {"padding": 1, "dilation": 1, "ceil_mode": True}, (2, 3, 7)),
    ("MaxPool2d", (2,), {}, (2, 3, 6, 6)),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": 1, "ceil_mode": True}, (2, 3, 6, 5)),
    ("AvgPool1d", (2,), {}, (2, 3, 6)),
    ("AvgPool1d", (3, 2, 1), {"count_include_pad": False}, (2, 3, 6)),
    ("AvgPool2d", (2,), {}, (2, 3, 6, 6)),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False, "ceil_mode": True}, (2, 3, 6, 7)),
    ("AvgPool2d", (2,), {"divisor_override": 3}, (2, 3, 4, 4)),
    ("AdaptiveAvgPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveAvgPool2d", ((2, 3),), {}, (2, 3, 5, 7)),
    ("AdaptiveAvgPool2d", (1,), {}, (2, 3, 5, 7)),
    ("AdaptiveAvgPool2d", ((None, 2),), {}, (2, 3, 5, 7)),
    ("AdaptiveMaxPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveMaxPool2d", (2,), {}, (2, 3, 5, 7)),
    ("Upsample", (), {"scale_factor": 2}, (2, 3, 4)),
    ("Upsample", (), {"size": (5, 7)}, (2, 3, 4, 4)),
    ("Upsample", (), {"scale_factor": 1.7}, (2, 3, 4, 5)),
    ("Upsample", (), {"size": (5, 3), "mode": "nearest-exact"}, (2, 3, 4, 4)),
    ("Upsample", (), {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}, (2, 3, 4, 5)),
    ("MaxPool2d", (3, 3), {"ceil_mode": True}, (2, 3, 2, 7)),
    ("AdaptiveAvgPool2d", ((2, 3),), {}, (2, 3, 1, 1)),
    ("Upsample", (), {"scale_factor": 2, "mode": "linear"}, (2, 3, 5)),
    ("Upsample", (), {"scale_factor": (2, 1.5), "mode": "bilinear"}, (2, 3, 4, 5)),
    ("Upsample", (), {"size": (7, 3), "mode": "bilinear", "align_corners": True}, (2, 3, 4, 5)),
    ("Upsample", (), {"scale_factor": 2, "mode": "bicubic"}, (2, 3, 4, 5)),
    ("Upsample", (), {"size": (3, 9), "mode": "bicubic", "align_corners": True}, (2, 3, 4, 5)),
    ("ZeroPad2d", (1,), {}, (2, 3, 4, 5)),
    ("ZeroPad2d", ((1, 2, -1, 0),), {}, (2, 3, 4, 5)),
    ("ConstantPad2d", (1, 0.5), {}, (2, 3, 4, 5)),
    ("ReflectionPad2d", ((2, 1, 1, 2),), {}, (2, 3, 4, 5)),
    ("ReflectionPad2d", (1,), {}, (3, 4, 5)),
    ("Unfold", ((2, 3),), {"dilation": 2, "padding": 1, "stride": 2}, (2, 3, 5, 6)),
    ("Fold", ((4, 5), 2), {"padding": 1, "stride": 2}, (2, 12, 9)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 4)),
    ("BatchNorm1d", (4,), {}, (6, 4)),
    ("BatchNorm1d", (4,), {"momentum": None, "eps": 1e-3}, (6, 4, 3)),
    ("BatchNorm1d", (4,), {"affine": False}, (6, 4)),
    ("BatchNorm1d", (4,), {"bias": False}, (6, 4)),
    ("BatchNorm2d", (3,), {}, (4, 3, 5, 4)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 5, 4)),
    ("LayerNorm", (4,), {}, (3, 4)),
    ("LayerNorm", ((3, 4),), {"eps": 1e-3, "bias": False}, (2, 3, 4)),
    ("LayerNorm", (4,), {"elementwise_affine": False}, (2, 3, 4)),
    ("GroupNorm", (2, 6), {}, (3, 6, 4)),
    ("GroupNorm", (3, 6), {"affine": False}, (3, 6, 4, 2)),
    ("GroupNorm", (3, 6), {"bias": False}, (3, 6, 4)),
    ("InstanceNorm1d", (3,), {}, (2, 3, 6)),
    ("InstanceNorm1d", (3,), {"affine": True, "track_running_stats": True}, (2, 3, 6)),
    ("InstanceNorm2d", (3,), {"affine": True}, (2, 3, 4, 5)),
    ("InstanceNorm2d", (3,), {}, (3, 4, 5)),
    ("RMSNorm", (4,), {}, (3, 4)),
    ("RMSNorm", ((3, 4),), {"eps": 1e-2, "elementwise_affine": False}, (2, 3, 4)),
    ("RNNCell", (3, 4), {}, (2, 3)),
    ("RNNCell", (3, 4), {"nonlinearity": "relu", "bias": False}, (3,)),
    ("LSTMCell", (3, 4), {}, (2, 3)),
    ("LSTMCell", (3, 4), {"bias": False}, (3,)),
    ("GRUCell", (3, 4), {}, (2, 3)),
    ("GRUCell", (3, 4), {"bias": False}, (3,)),
    ("RNN", (3, 4), {}, (5, 2, 3)),
    ("RNN", (3, 4), {"nonlinearity": "relu", "num_layers": 2, "bias": False, "batch_first": True}, (2, 5, 3)),
    ("RNN", (3, 4), {"bidirectional": True, "num_layers": 2}, (5, 3)),
    ("LSTM", (3, 4), {}, (5, 2, 3)),
    ("LSTM", (3, 4), {"num_layers": 3, "bidirectional": True, "batch_first": True}, (2, 5, 3)),
    ("LSTM", (3, 4), {"bias": False, "num_layers": 2}, (5, 3)),
    ("LSTM", (3, 4), {"proj_size": 2, "num_layers": 2, "bidirectional": True}, (5, 2, 3)),
    ("GRU", (3, 4), {}, (5, 2, 3)),
    ("GRU", (3, 4), {"num_layers": 2, "bidirectional": True, "batch_first": True}, (2, 5, 3)),
    ("GRU", (3, 4), {"bias": False}, (5, 3)),
    ("TransformerEncoderLayer", (8, 2, 16), {"dropout": 0.0}, (5, 2, 8)),
    ("TransformerEncoderLayer", (8, 2, 16), {"dropout": 0.0, "activation": "gelu", "norm_first": True}, (5, 2, 8)),
    ("TransformerEncoderLayer", (8, 4, 16), {"dropout": 0.0, "batch_first": True, "bias": False}, (2, 5, 8)),
]
SHOWN_OTHERWISE = ("TransformerEncoderLayer",)  # PyTorch shows a class of its own in the place of Linear
MODES = ("BatchNorm", "InstanceNorm")  # layers that behave differently in evaluation

# Name, options, shape of the input, what the other arguments are.
LOSSES = [
    ("MSELoss", {}, (3, 4), "real"),
    ("MSELoss", {"reduction": "sum"}, (5,), "real"),
    ("MSELoss", {"reduction": "none"}, (2, 3), "real"),
    ("L1Loss", {}, (3, 4), "real"),
    ("L1Loss", {"reduction": "sum"}, (3, 4), "real"),
    ("SmoothL1Loss", {}, (3, 4), "real"),
    ("SmoothL1Loss", {"beta": 0.3, "reduction": "none"}, (3, 4), "real"),
    ("SmoothL1Loss", {"beta": 0.0, "reduction": "sum"}, (3, 4), "real"),
    ("HuberLoss", {}, (3, 4), "real"),
    ("HuberLoss", {"delta": 0.4, "reduction": "sum"}, (3, 4), "real"),
    ("BCELoss", {}, (3, 4), "chances"),
    ("BCELoss", {"weight": 4, "reduction": "none"}, (3, 4), "chances"),
    ("BCEWithLogitsLoss", {}, (3, 4), "chance"),
    ("BCEWithLogitsLoss", {"weight": 4, "pos_weight": 4, "reduction": "none"}, (3, 4), "chance"),
    ("CrossEntropyLoss", {}, (6, 4), "class"),
    ("CrossEntropyLoss", {"weight": 4, "ignore_index": 2}, (6, 4), "class"),
    ("CrossEntropyLoss", {"weight": 4, "label_smoothing": 0.2, "reduction": "sum"}, (6, 4), "class"),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "reduction": "none"}, (6, 4, 2), "class"),
    ("CrossEntropyLoss", {"weight": 4, "label_smoothing": 0.1}, (6, 4), "probability"),
    ("NLLLoss", {"weight": 4, "ignore_index": 1}, (6, 4), "class"),
    ("NLLLoss", {"reduction": "none"}, (6, 4, 3), "class"),
    ("KLDivLoss", {"reduction": "batchmean"}, (3, 4), "probability"),
    ("KLDivLoss", {"reduction": "sum"}, (3, 4), "probability"),
    ("KLDivLoss", {"log_target": True, "reduction": "none"}, (3, 4), "real"),
    ("PoissonNLLLoss", {}, (3, 4), "count"),
    ("PoissonNLLLoss", {"full": True, "reduction": "sum"}, (3, 4), "count"),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "reduction": "none"}, (3, 4), "counts"),
    ("GaussianNLLLoss", {}, (3, 4), "variance"),
    ("GaussianNLLLoss", {"full": True, "reduction": "sum"}, (3, 4), "variance of rows"),
    ("HingeEmbeddingLoss", {}, (3, 4), "sign"),
    ("HingeEmbeddingLoss", {"margin": 0.3, "reduction": "sum"}, (5,), "sign"),
    ("MarginRankingLoss", {}, (5,), "pair and sign"),
    ("MarginRankingLoss", {"margin": 0.5, "reduction": "none"}, (3, 4), "pair and sign"),
    ("TripletMarginLoss", {}, (5, 3), "triple"),
    ("TripletMarginLoss", {"margin": 2.0, "p": 1.0, "swap": True, "reduction": "none"}, (5, 3), "triple"),
    ("CosineEmbeddingLoss", {}, (5, 3), "pair and row sign"),
    ("CosineEmbeddingLoss", {"margin": 0.2, "reduction": "none"}, (5, 3), "pair and row sign"),
    ("MultiMarginLoss", {}, (6, 4), "class"),
    ("MultiMarginLoss", {"p": 2, "margin": 0.7, "weight": 4, "reduction": "none"}, (6, 4), "class"),
]
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
LOOSE = {"Hardsigmoid": 2e-8, "CELU": 5e-9}  # PyTorch keeps 1/6 and 1/alpha in float32
TORCH = {np.float64: torch.float64, np.float32: torch.float32}
dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])


def flat(result) -> list:
    """The tensors in a result, which may be nested."""
    return [leaf for part in result for leaf in flat(part)] if isinstance(result, tuple | list) else [result]


class Comparison:
    """The worst difference of several pairs, relative to the greater of 1 and the value."""

    def __init__(self) -> None:
        self.worst = 0.0

    def add(self, one, two) -> None:
        assert one.shape == tuple(two.shape)
        assert one.dtype == two.dtype
        self.worst = max(self.worst, float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1.0), initial=0.0)))


def compare(name, ours, theirs, inputs, dtype, record, constants=(), options=None) -> None:
    """Runs both forward and backward on the same inputs: outputs, input gradients, parameter gradients, buffers."""
    mine = [Tensor(x, requires_grad=True) for x in inputs]
    yours = [torch.tensor(x, requires_grad=True) for x in inputs]
    ys = flat(ours(*mine, *map(Tensor, constants), **(options or {})))
    zs = flat(theirs(*yours, *map(torch.tensor, constants), **(options or {})))
    assert len(ys) == len(zs)
    rng = np.random.default_rng(9)
    cotangents = [np.asarray(rng.normal(size=y.shape)).astype(dtype) for y in ys]
    sum((y * Tensor(g)).sum() for y, g in zip(ys, cotangents, strict=True)).backward()
    sum((z * torch.tensor(g)).sum() for z, g in zip(zs, cotangents, strict=True)).backward()
    found = Comparison()
    for y, z in zip(ys, zs, strict=True):
        found.add(y.detach().numpy(), z.detach().numpy())
    for a, b in zip(mine, yours, strict=True):
        found.add(a.grad.numpy(), b.grad.numpy())
    for (key, p), (key2, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert key == key2
        if q.grad is None:
            assert p.grad is None, key
        else:
            found.add(p.grad.numpy(), q.grad.numpy())
    for b, c in zip(ours.buffers(), theirs.buffers(), strict=True):
        found.add(b.numpy(), c.numpy())
    record.add(f"nn vs PyTorch {np.dtype(dtype).name}", name, found.worst)
    assert found.worst <= max(TOLERANCE[dtype], LOOSE.get(name, 0.0))


def pair(name, arguments, options, dtype):
    """Our module and PyTorch's with the same weights, which also load by the same names."""
    ours = getattr(nn, name)(*arguments, **options)
    theirs = getattr(torch.nn, name)(*arguments, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [t.shape for t in ours.state_dict().values()] == [tuple(t.shape) for t in theirs.state_dict().values()]
    ours.to(dtype)
    theirs.to(TORCH[dtype])
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


@dtypes
@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS, ids=str)
def test_layers(name, arguments, options, shape, dtype, record):
    ours, theirs = pair(name, arguments, options, dtype)
    if name not in SHOWN_OTHERWISE:
        assert repr(ours) == repr(theirs)
    inplace = options.get("inplace") or True in arguments  # PyTorch writes to its input then
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    theirs_call = (lambda b: theirs(b.clone())) if inplace else theirs
    if inplace:
        theirs_call.named_parameters, theirs_call.buffers = theirs.named_parameters, theirs.buffers
    compare(name, ours, theirs_call, [x], dtype, record)
    if name.startswith(MODES):
        for module in (ours, theirs):
            module.eval()
            module.zero_grad()
        compare(name, ours, theirs, [x + 1], dtype, record)


@dtypes
@pytest.mark.parametrize("padding_idx", [None, 2, -1])
def test_embedding(padding_idx, dtype, record):
    ours, theirs = pair("Embedding", (5, 3), {"padding_idx": padding_idx}, dtype)
    assert repr(ours) == repr(theirs)
    compare("Embedding", ours, theirs, [], dtype, record, [np.array([[1, 2, 2], [4, 0, 2]])])


@dtypes
@pytest.mark.parametrize("padding_idx", [None, 2])
def test_embedding_scaled_by_frequency(padding_idx, dtype, record):
    ours, theirs = pair("Embedding", (5, 3), {"padding_idx": padding_idx, "scale_grad_by_freq": True}, dtype)
    assert repr(ours) == repr(theirs)
    compare("Embedding", ours, theirs, [], dtype, record, [np.array([[1, 2, 2], [4, 1, 2]])])
    assert repr(nn.Embedding(5, 3, sparse=True)) == repr(torch.nn.Embedding(5, 3, sparse=True))


@dtypes
def test_embedding_max_norm(dtype, record):
    ours, theirs = pair("Embedding", (5, 3), {"max_norm": 0.7, "norm_type": 1.0}, dtype)
    assert repr(ours) == repr(theirs)
    compare("Embedding", ours, theirs, [], dtype, record, [np.array([[1, 2, 2], [4, 4, 2]])])
    np.testing.assert_allclose(ours.weight.detach(), theirs.weight.detach().numpy(), rtol=TOLERANCE[dtype])


@dtypes
@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(bias, dtype, record):
    ours, theirs = pair("Bilinear", (3, 4, 5), {"bias": bias}, dtype)
    assert repr(ours) == repr(theirs)
    rng = np.random.default_rng(1)
    compare("Bilinear", ours, theirs, [rng.normal(size=(2, 6, n)).astype(dtype) for n in (3, 4)], dtype, record)


@dtypes
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_recurrent_with_states(name, dtype, record):
    ours, theirs = pair(name, (3, 4), {"num_layers": 2, "bidirectional": True}, dtype)
    rng = np.random.default_rng(1)
    x, h, c = (rng.normal(size=size).astype(dtype) for size in ((5, 2, 3), (4, 2, 4), (4, 2, 4)))

    def joined(module):
        call = (lambda x, h, c: module(x, (h, c))) if name == "LSTM" else (lambda x, h: module(x, h))
        call.named_parameters, call.buffers = module.named_parameters, module.buffers
        return call

    compare(name, joined(ours), joined(theirs), [x, h, c] if name == "LSTM" else [x, h], dtype, record)


@dtypes
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_with_lengths(name, bidirectional, dtype, record):
    ours, theirs = pair(name, (3, 4), {"num_layers": 2, "bidirectional": bidirectional, "batch_first": True}, dtype)
    lengths = [2, 5, 1, 5]
    x = np.random.default_rng(1).normal(size=(4, 5, 3)).astype(dtype)
    rnn = torch.nn.utils.rnn

    def packed(x):
        y, state = theirs(rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return rnn.pad_packed_sequence(y, batch_first=True)[0], state

    packed.named_parameters, packed.buffers = theirs.named_parameters, theirs.buffers
    ragged = lambda x: ours(x, lengths=lengths)
    ragged.named_parameters, ragged.buffers = ours.named_parameters, ours.buffers
    compare(name, ragged, packed, [x], dtype, record)


ATTENTION = [
    ({}, {}),
    ({"batch_first": True}, {"average_attn_weights": False}),
    ({"bias": False}, {"need_weights": False}),
    ({"kdim": 3, "vdim": 5}, {}),
    ({"add_bias_kv": True, "add_zero_attn": True}, {}),
    ({}, {"attn_mask": "causal"}),
    ({}, {"attn_mask": "floats"}),
    ({}, {"attn_mask": "heads", "need_weights": False}),
    ({}, {"key_padding_mask": "padding"}),
    ({"add_zero_attn": True}, {"key_padding_mask": "padding", "attn_mask": "causal"}),
    ({}, {"key_padding_mask": "padded floats", "attn_mask": "floats", "need_weights": False}),
]


@dtypes
@pytest.mark.parametrize(("options", "call"), ATTENTION, ids=str)
def test_attention(options, call, dtype, record):
    ours, theirs = pair("MultiheadAttention", (8, 2), options, dtype)
    rng = np.random.default_rng(1)
    batch, rows, columns = 3, 4, 5
    shapes = [(rows, batch, 8), (columns, batch, options.get("kdim", 8)), (columns, batch, options.get("vdim", 8))]
    inputs = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    if options.get("batch_first"):
        inputs = [np.ascontiguousarray(x.swapaxes(0, 1)) for x in inputs]
    masks = {
        "causal": np.triu(np.ones((rows, columns), bool), 1),
        "floats": rng.normal(size=(rows, columns)).astype(dtype),
        "heads": rng.random((batch * 2, rows, columns)) < 0.4,
        "padding": np.arange(columns) >= np.array([5, 3, 2])[:, None],
        "padded floats": rng.normal(size=(batch, columns)).astype(dtype),
    }
    masks["heads"][..., 0] = False
    mine, yours = dict(call), dict(call)
    for key in ("attn_mask", "key_padding_mask"):
        if key in call:
            mine[key], yours[key] = Tensor(masks[call[key]]), torch.tensor(masks[call[key]])

    def bound(module, arguments):
        run = lambda *xs: [y for y in module(*xs, **arguments) if y is not None]
        run.named_parameters, run.buffers = module.named_parameters, module.buffers
        return run

    compare("MultiheadAttention", bound(ours, mine), bound(theirs, yours), inputs, dtype, record)


@dtypes
@pytest.mark.parametrize("norm_first", [False, True])
def test_transformer(norm_first, dtype, record):
    options = {"dim_feedforward": 12, "dropout": 0.0, "norm_first": norm_first, "batch_first": True, "activation": "gelu"}
    ours, theirs = pair("Transformer", (8, 2, 2, 2), options, dtype)
    rng = np.random.default_rng(1)
    inputs = [rng.normal(size=(2, n, 8)).astype(dtype) for n in (4, 5)]
    np.testing.assert_array_equal(
        nn.Transformer.generate_square_subsequent_mask(3), torch.nn.Transformer.generate_square_subsequent_mask(3).numpy()
    )
    causal = np.triu(np.ones((5, 5), bool), 1)
    padding = np.array([[False] * 4, [False, False, True, True]])

    def bound(module, kind):
        run = lambda s, t: module(s, t, tgt_mask=kind(causal), src_key_padding_mask=kind(padding))
        run.named_parameters, run.buffers = module.named_parameters, module.buffers
        return run

    compare("Transformer", bound(ours, Tensor), bound(theirs, torch.tensor), inputs, dtype, record)


@dtypes
def test_encoder_and_decoder_stacks(dtype, record):
    def build(library):
        layer = library.TransformerDecoderLayer(8, 2, 12, 0.0, norm_first=True)
        return library.TransformerDecoder(layer, 2, library.LayerNorm(8))

    ours, theirs = build(nn), build(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.to(dtype)
    theirs.to(TORCH[dtype])
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    rng = np.random.default_rng(1)
    compare("TransformerDecoder", ours, theirs, [rng.normal(size=(n, 2, 8)).astype(dtype) for n in (4, 5)], dtype, record)


@dtypes
@pytest.mark.parametrize(("name", "options", "shape", "kind"), LOSSES, ids=str)
def test_losses(name, options, shape, kind, dtype, record):
    rng = np.random.default_rng(2)
    mine, yours = dict(options), dict(options)
    for key in ("weight", "pos_weight"):
        if key in options:
            values = rng.uniform(0.5, 2.0, options[key]).astype(dtype)
            mine[key], yours[key] = Tensor(values), torch.tensor(values)
    real = lambda: rng.normal(size=shape).astype(dtype)
    chance = lambda: rng.uniform(0.05, 0.95, size=shape).astype(dtype)
    sign = lambda *size: rng.choice([-1, 1], size).astype(dtype)
    inputs, constants = {
        "real": lambda: ([real()], [real()]),
        "chance": lambda: ([real()], [chance()]),
        "chances": lambda: ([chance()], [chance()]),
        "class": lambda: ([real()], [rng.integers(shape[1], size=(shape[0], *shape[2:]))]),
        "probability": lambda: ([real()], [rng.dirichlet(np.ones(shape[1]), shape[0]).astype(dtype)]),
        "count": lambda: ([real()], [rng.integers(0, 5, shape).astype(dtype)]),
        "counts": lambda: ([chance()], [rng.integers(0, 5, shape).astype(dtype)]),
        "variance": lambda: ([real(), real(), chance()], []),
        "variance of rows": lambda: ([real(), real(), rng.uniform(0.1, 2, shape[:-1]).astype(dtype)], []),
        "sign": lambda: ([real()], [sign(*shape)]),
        "pair and sign": lambda: ([real(), real()], [sign(*shape)]),
        "pair and row sign": lambda: ([real(), real()], [sign(shape[0])]),
        "triple": lambda: ([real(), real(), real()], []),
    }[kind]()
    ours, theirs = getattr(nn, name)(**mine), getattr(torch.nn, name)(**yours)
    assert repr(ours) == repr(theirs)
    compare(name, ours, theirs, inputs, dtype, record, constants)


@dtypes
def test_cross_entropy_of_many_classes(dtype, record):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(32, 5000)).astype(dtype)
    compare(
        "CrossEntropyLoss",
        nn.CrossEntropyLoss(),
        torch.nn.CrossEntropyLoss(),
        [x],
        dtype,
        record,
        [rng.integers(5000, size=32)],
    )


@dtypes
@pytest.mark.parametrize("layer", ["Linear", "Conv2d"])
@pytest.mark.parametrize("how", ["weight_norm", "spectral_norm"])
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def test_reparametrisations(how, layer, dtype, record):
    arguments, shape = {"Linear": ((3, 4), (5, 3)), "Conv2d": ((3, 4, 3), (2, 3, 5, 5))}[layer]
    ours, theirs = getattr(nn, layer)(*arguments), getattr(torch.nn, layer)(*arguments)
    ours, theirs = getattr(nn.utils, how)(ours), getattr(torch.nn.utils, how)(theirs)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.to(dtype)
    theirs.to(TORCH[dtype])
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)

    class Ordered:  # PyTorch registers bias before the new weights in another order than it says in named_parameters
        def __init__(self, module):
            self.module = module

        def __call__(self, x):
            return self.module(x)

        def named_parameters(self):
            return sorted(self.module.named_parameters())

        def buffers(self):
            return [b for _, b in sorted(self.module.named_buffers())]

    for _ in range(2):
        compare(how, Ordered(ours), Ordered(theirs), [x], dtype, record)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Linear", (300, 200)), ("Bilinear", (30, 20, 50)), ("Embedding", (500, 60)), ("Conv1d", (40, 50, 7)),
        ("Conv2d", (40, 50, 5)), ("ConvTranspose1d", (40, 50, 7)), ("ConvTranspose2d", (40, 50, 5)), ("LSTM", (100, 80)),
        ("GRU", (100, 80)), ("RNN", (200, 150)), ("MultiheadAttention", (200, 4)), ("LayerNorm", (20,)), ("BatchNorm2d", (20,)),
        ("TransformerEncoderLayer", (128, 4, 256)), ("PReLU", (5,)),
    ],
    ids=str,
)  # fmt: skip
def test_initial_values_are_distributed_as_pytorchs(name, arguments):
    torch.manual_seed(0)
    ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    for (key, p), q in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        a, b = p.numpy().astype(np.float64).ravel(), q.numpy().astype(np.float64).ravel()
        if b.size < 2 or b.std() == 0:
            np.testing.assert_array_equal(a, b, err_msg=key)
            continue
        noise = 6 / np.sqrt(b.size)  # of the mean and, since the fourth moments are small, of the deviation
        assert abs(a.mean() - b.mean()) < noise * b.std(), key
        assert abs(a.std() / b.std() - 1) < noise, key
        assert abs(np.abs(a).max() / np.abs(b).max() - 1) < (0.35 if np.abs(b).max() > 3 * b.std() else 0.1 + noise), key


@pytest.mark.parametrize(
    "name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_", "orthogonal_"]
)
def test_initialisers_have_pytorchs_spread(name):
    for shape in ((300, 200), (30, 20, 5, 5)):
        ours, theirs = nn.Parameter(np.empty(shape, np.float32)), torch.empty(shape)
        getattr(nn.init, name)(ours)
        getattr(torch.nn.init, name)(theirs)
        assert ours.detach().numpy().std() == pytest.approx(theirs.numpy().std(), rel=0.03)
        if "uniform" in name:
            assert np.abs(ours.detach().numpy()).max() == pytest.approx(theirs.abs().max().item(), rel=0.01)


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_pytorchs(groups):
    for shape in ((4, 3, 5), (4, 2, 3, 3)):
        ours, theirs = nn.Parameter(np.empty(shape, np.float32)), torch.empty(shape)
        nn.init.dirac_(ours, groups)
        torch.nn.init.dirac_(theirs, groups)
        np.testing.assert_array_equal(ours.detach(), theirs.numpy())


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu", "conv2d", "conv_transpose2d"])
def test_gains_are_pytorchs(name):
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-12)
