"""What models written for PyTorch say beyond names and defaults: devices, keywords, forms of ``to``, options without effect."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim

X = np.random.default_rng(0).standard_normal((2, 4))
IMAGE = np.random.default_rng(1).standard_normal((2, 3, 6, 6))

ARGUMENTS = {
    "Linear": (2, 3), "LazyLinear": (3,), "Bilinear": (2, 3, 4), "Conv1d": (2, 3, 1), "Conv2d": (2, 3, 1),
    "ConvTranspose1d": (2, 3, 1), "ConvTranspose2d": (2, 3, 1), "LazyConv2d": (3, 1), "Embedding": (3, 2), "PReLU": (),
    "BatchNorm1d": (3,), "BatchNorm2d": (3,), "InstanceNorm1d": (3,), "InstanceNorm2d": (3,), "LayerNorm": (3,),
    "RMSNorm": (3,), "GroupNorm": (1, 3), "RNN": (2, 3), "GRU": (2, 3), "LSTM": (2, 3), "RNNCell": (2, 3), "GRUCell": (2, 3),
    "LSTMCell": (2, 3), "MultiheadAttention": (4, 2), "TransformerEncoderLayer": (4, 2), "TransformerDecoderLayer": (4, 2),
    "Transformer": (4, 2, 1, 1, 8),
}  # fmt: skip


def test_every_layer_with_a_dtype_takes_a_device_before_it():
    for name in nn.__all__:
        layer = getattr(nn, name)
        if inspect.isclass(layer) and issubclass(layer, nn.Module):
            parameters = list(inspect.signature(layer).parameters)
            assert ("dtype" in parameters) == (name in ARGUMENTS), name
            if "dtype" in parameters:
                assert parameters.index("device") == parameters.index("dtype") - 1, name


@pytest.mark.parametrize("name", ARGUMENTS)
def test_layers_take_the_cpu_and_refuse_others(name):
    make = getattr(nn, name)
    for device in (None, "cpu", ag.device("cpu")):
        layer = make(*ARGUMENTS[name], device=device, dtype=ag.float64)
        assert all(p.dtype == ag.float64 for p in layer.parameters())
    with pytest.raises(RuntimeError, match=f"{name}: expected the device 'cpu', which is where all tensors are, got 'cuda'"):
        make(*ARGUMENTS[name], device="cuda")


def test_the_forms_of_to():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    for same in (model.to("cpu"), model.to(ag.device("cpu"), non_blocking=True), model.to(device="cpu"), model.cpu()):
        assert same is model
    assert model.to("cpu", ag.float64)[0].weight.dtype == ag.float64
    assert model[1].running_mean.dtype == ag.float64
    assert model.to(dtype=ag.float32)[0].weight.dtype == ag.float32
    assert model.to(ag.zeros(1, dtype=ag.float64))[0].weight.dtype == ag.float64
    with pytest.raises(RuntimeError, match="to: expected the device 'cpu', which is where all tensors are, got 'cuda'"):
        model.to("cuda")
    with pytest.raises(TypeError, match="to: expected a floating dtype for a module, got int64"):
        model.to(ag.long)


CALLS = {
    "relu": {}, "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 0.5}, "celu": {"alpha": 0.5}, "selu": {}, "silu": {},
    "mish": {}, "relu6": {}, "hardswish": {}, "hardsigmoid": {}, "hardtanh": {"min_val": -0.5, "max_val": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_activations_take_input_and_ignore_inplace(name):
    function, x = getattr(F, name), ag.tensor(X)
    expected = getattr(ag, name)(x, *CALLS[name].values()).numpy()
    for found in (
        function(x, **CALLS[name]),
        function(input=x, inplace=True, **CALLS[name]),
        function(x, *CALLS[name].values(), True),
        function(x, *CALLS[name].values(), inplace=False),
    ):
        np.testing.assert_array_equal(found.numpy(), expected)
    np.testing.assert_array_equal(x.numpy(), X)


def test_other_functions_take_input():
    x, image, weight = ag.tensor(X), ag.tensor(IMAGE), ag.ones(2, 3, 3, 3, dtype=ag.float64)
    for found, expected in (
        (F.conv2d(input=image, weight=weight, padding=1), ag.conv2d(image, weight, None, 1, 1)),
        (F.max_pool2d(input=image, kernel_size=2), ag.max_pool2d(image, 2)),
        (F.linear(input=x, weight=ag.tensor(X)), x @ x.T),
        (F.softmax(input=x, dim=1), ag.softmax(x, 1)),
        (F.softmax(x, dim=0), ag.softmax(x, 0)),
        (F.log_softmax(x, dim=-1), ag.log_softmax(x, -1)),
        (F.layer_norm(input=x, normalized_shape=(4,)), ag.layer_norm(x, (4,))),
        (F.glu(x, dim=-1), ag.glu(x)),
        (F.dropout(input=x, p=0.5, training=False, inplace=True), x),
        (F.embedding(ag.tensor([1, 0]), x), x[[1, 0]]),
        (F.embedding(input=ag.tensor([1, 0]), weight=x), x[[1, 0]]),
    ):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-14)


def test_a_loader_takes_options_of_workers():
    data = nn.data.TensorDataset(ag.arange(5))
    loader = nn.data.DataLoader(data, batch_size=2, num_workers=4, pin_memory=True, persistent_workers=True)
    assert [x.tolist() for (x,) in loader] == [[0, 1], [2, 3], [4]]


def test_the_keys_of_a_loaded_state_are_named():
    model = nn.Linear(2, 3)
    state = model.state_dict()
    result = model.load_state_dict({"weight": state["weight"], "other": state["bias"]}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["other"]
    assert result == (["bias"], ["other"])
    assert repr(result) == "(['bias'], ['other'])"


def test_parameters_and_buffers_by_dotted_name():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert model.get_parameter("0.weight") is model[0].weight
    assert model[0].get_parameter("bias") is model[0].bias
    assert model.get_buffer("1.running_mean") is model[1].running_mean
    with pytest.raises(AttributeError, match="get_parameter: expected a name of what is there, Linear has no 'scale'"):
        model.get_parameter("0.scale")
    with pytest.raises(AttributeError, match="get_submodule: expected a submodule '2'"):
        model.get_buffer("2.running_mean")


def test_similarities():
    a, b = ag.tensor(X), ag.tensor(X[::-1].copy())
    cosine = (X * X[::-1]).sum(1) / np.linalg.norm(X, axis=1) / np.linalg.norm(X[::-1], axis=1)
    np.testing.assert_allclose(nn.CosineSimilarity(dim=1)(a, b).numpy(), cosine, rtol=1e-12)
    distance = nn.PairwiseDistance(p=2, keepdim=True)(a, b)
    np.testing.assert_allclose(distance.numpy(), np.linalg.norm(X - X[::-1] + 1e-6, axis=1, keepdims=True), rtol=1e-12)


def test_initialisers_fill_the_data_of_a_parameter():
    layer = nn.Conv2d(1, 2, 3)
    nn.init.normal_(layer.weight.data, 0.0, 0.02)
    nn.init.constant_(layer.bias.data, 0.5)
    assert 0 < layer.weight.abs().max().item() < 0.2
    assert layer.bias.tolist() == [0.5, 0.5]
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    assert (fan_in, fan_out) == (9, 18)


def test_the_clipped_norm_has_an_item():
    layer = nn.Linear(2, 1)
    layer(ag.ones(1, 2)).sum().backward()
    norm = nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    assert norm.item() == pytest.approx(3**0.5)
    nn.utils.clip_grad_value_(layer.parameters(), 0.1)
    assert layer.weight.grad.tolist() == [[pytest.approx(0.1), pytest.approx(0.1)]]


def test_optimizers_take_the_words_for_their_implementation():
    layer = nn.Linear(2, 1)
    for make in (optim.SGD, optim.Adam, optim.AdamW):
        optimizer = make(layer.parameters(), lr=0.1, foreach=False, fused=True)
        assert optimizer.defaults == make(layer.parameters(), lr=0.1).defaults


def test_gumbel_softmax_draws_by_the_softmax():
    logits = ag.tensor(np.tile(np.log([0.2, 0.5, 0.3]), (20_000, 1)), requires_grad=True)
    drawn = F.gumbel_softmax(logits, tau=0.5, hard=True, dim=-1, generator=ag.Generator(0))
    np.testing.assert_allclose(drawn.detach().numpy().mean(0), [0.2, 0.5, 0.3], atol=0.02)
    np.testing.assert_allclose(np.sort(drawn.detach().numpy(), 1)[:, :2], 0, atol=1e-12)
    weights = ag.tensor([1.0, 2.0, 4.0], dtype=ag.float64)
    (hard,) = ag.grad((drawn * weights).sum(), logits)
    soft = F.gumbel_softmax(logits, tau=0.5, generator=ag.Generator(0))
    np.testing.assert_allclose(soft.sum(-1).detach().numpy(), 1, rtol=1e-12)
    np.testing.assert_allclose(hard.numpy(), ag.grad((soft * weights).sum(), logits)[0].numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match="gumbel_softmax: expected tau > 0, got 0"):
        F.gumbel_softmax(logits, tau=0)


def test_a_generator_takes_the_device():
    generator = ag.Generator(device="cpu").manual_seed(3)
    assert ag.rand(2, generator=generator).tolist() == ag.rand(2, generator=ag.Generator(3)).tolist()
    with pytest.raises(RuntimeError, match="Generator: expected the device 'cpu', which is where all tensors are, got 'cuda'"):
        ag.Generator(device="cuda")
