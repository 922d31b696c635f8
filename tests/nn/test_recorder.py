"""The recorder: what it notes is what there was, at the steps it should look at, and it leaves the model as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from nn.recorder import _rms


def network():
    ag.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))


def train(model, recorder, steps, lr=0.1):
    optimizer = optim.SGD(model.parameters(), lr=lr)
    rng = np.random.default_rng(1)
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        x = ag.tensor(rng.normal(size=(5, 3)).astype(np.float32))
        loss = model(x).square().mean()
        loss.backward()
        before = {name: parameter._data.copy() for name, parameter in model.named_parameters()}
        grads = {name: parameter.grad._data.copy() for name, parameter in model.named_parameters()}
        recorder.step(loss)
        optimizer.step()
        after = {name: parameter._data.copy() for name, parameter in model.named_parameters()}
        seen.append((loss.item(), before, grads, after))
    return seen


def rms(array):
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def test_every_loss_and_what_is_inside_once_in_every_steps():
    model = network()
    recorder = nn.Recorder(model, every=3)
    seen = train(model, recorder, 8)
    assert recorder.losses == [loss for loss, *_ in seen]
    assert recorder.steps == [0, 3, 6]
    for name in seen[0][1]:
        for place, step in enumerate(recorder.steps):
            _, before, grads, after = seen[step]
            assert recorder.gradients[name][place] == pytest.approx(rms(grads[name]), rel=1e-6)
            assert recorder.weights[name][place] == pytest.approx(rms(before[name]), rel=1e-6)
            expected = rms(after[name] - before[name]) / rms(before[name])
            assert recorder.updates[name][place] == pytest.approx(expected, rel=1e-5)


def test_an_update_is_known_from_the_next_step_on():
    model = network()
    recorder = nn.Recorder(model, every=2)
    train(model, recorder, 1)
    assert recorder.updates["0.weight"] == []
    train(model, recorder, 1)
    assert len(recorder.updates["0.weight"]) == 1


def test_samples_are_those_of_the_last_look_and_copies():
    model = network()
    recorder = nn.Recorder(model, every=2)
    seen = train(model, recorder, 4)
    grads = seen[2][2]
    for name, values in recorder.gradient_samples.items():
        np.testing.assert_array_equal(values, grads[name].ravel())
    assert list(recorder.activations) == ["0", "1", "2"]
    assert recorder.layers == {"0": "Linear", "1": "ReLU", "2": "Linear"}
    np.testing.assert_array_equal(recorder.activations["1"], np.maximum(recorder.activations["0"], 0))
    assert recorder.activations["2"].shape == (10,)


@pytest.mark.parametrize("sample", [1, 4, 7, 30, 1000])
def test_a_sample_has_at_most_so_many_values_evenly_spread(sample):
    model = network()
    recorder = nn.Recorder(model, every=1, sample=sample)
    train(model, recorder, 1)
    for values in [*recorder.activations.values(), *recorder.gradient_samples.values()]:
        assert 1 <= values.size <= sample
    assert recorder.activations["0"].size == len(range(0, 30, -(-30 // sample)))


def test_hooks_are_there_only_for_the_steps_it_looks_at():
    model = network()
    recorder = nn.Recorder(model, every=3)
    counts = []
    for _ in range(6):
        counts.append(sum(len(module._forward_hooks) for module in model.modules()))
        train(model, recorder, 1)
    assert counts == [3, 0, 0, 3, 0, 0]
    recorder.close()
    assert not any(module._forward_hooks for module in model.modules())


def test_evaluation_without_gradients_is_not_looked_at():
    model = network()
    recorder = nn.Recorder(model, every=1)
    with ag.no_grad():
        model(ag.ones(100, 3))
    assert recorder._outputs == {}


def test_a_parameter_without_gradient_and_a_nan_are_told():
    model = network()
    recorder = nn.Recorder(model, every=1)
    loss = model[2](ag.ones(1, 6)).sum()
    loss.backward()
    model[2].bias.grad = ag.tensor([math.nan, 1.0])
    recorder.step(loss)
    assert recorder.gradients["0.weight"] == [None]
    assert "0.weight" not in recorder.gradient_samples
    assert math.isnan(recorder.gradients["2.bias"][0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-4, 1.0, 3e4])
def test_rms_neither_overflows_nor_vanishes(dtype, scale):
    values = (np.linspace(0.5, 1, 1000) * scale).astype(dtype)
    expected = float(np.sqrt(np.mean(np.square(values.astype(np.float64)))))
    assert _rms(values) == pytest.approx(expected, rel=1e-5)
    if dtype is np.float32:
        assert _rms(np.full(1000, 3e30, np.float32)) == pytest.approx(3e30, rel=1e-5)
    assert _rms(values[:0]) == 0.0


def test_a_step_without_loss_and_a_number_for_it():
    recorder = nn.Recorder(network())
    recorder.step()
    recorder.step(2)
    assert math.isnan(recorder.losses[0])
    assert recorder.losses[1] == 2.0
    assert repr(recorder) == "<Recorder of 4 parameters: 2 steps, 1 looked into>"


def test_wrong_arguments():
    with pytest.raises(TypeError, match="Recorder: expected a Module, got list"):
        nn.Recorder([])
    for option in ({"every": 0}, {"every": 1.5}, {"sample": 0}):
        (name,) = option
        with pytest.raises(ValueError, match=f"Recorder: expected {name} as a whole number of at least 1"):
            nn.Recorder(network(), **option)


def test_training_is_not_changed_by_being_watched():
    plain, watched = network(), network()

    class Silent:
        def step(self, loss):
            pass

    train(plain, Silent(), 5)
    train(watched, nn.Recorder(watched, every=2), 5)
    for one, other in zip(plain.parameters(), watched.parameters(), strict=True):
        np.testing.assert_array_equal(one._data, other._data)
