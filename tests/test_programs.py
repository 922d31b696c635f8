"""Programs written for PyTorch run with these packages after their imports are changed, and give the same numbers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from parity_programs import generative, images, sequences, training, transformers

import autograd as ag
import nn
import nn.functional
import optim

torch = pytest.importorskip("torch")

PROGRAMS = [
    images.mlp_classifier,
    images.lenet,
    images.resnet,
    images.unet,
    generative.vae,
    generative.dcgan,
    generative.autoencoder_with_hooks,
    sequences.char_rnn,
    sequences.seq2seq_with_attention,
    sequences.nano_gpt,
    transformers.vision_transformer,
    transformers.text_classifier,
    training.siamese,
    training.policy_gradient,
    training.maml,
    training.checkpoints_and_averages,
]

# PyTorch clips to 1 - 1e-6 of the greatest norm, these packages to the norm itself
CLIPPED = {images.resnet, sequences.nano_gpt, transformers.text_classifier, training.checkpoints_and_averages}


@pytest.fixture(autouse=True)
def _float64():
    before = ag.get_default_dtype(), torch.get_default_dtype()
    ag.set_default_dtype(ag.float64)
    torch.set_default_dtype(torch.float64)
    yield
    ag.set_default_dtype(before[0])
    torch.set_default_dtype(before[1])


def ours(program, folder):
    utils = SimpleNamespace(
        DataLoader=nn.data.DataLoader,
        TensorDataset=nn.data.TensorDataset,
        grad=ag.grad,
        save=nn.serialization.save_checkpoint,
        load=nn.serialization.load_checkpoint,
        checkpoint="checkpoint.safetensors",
        folder=folder,
    )
    return program(ag, nn, nn.functional, optim, utils)


def theirs(program, folder):
    utils = SimpleNamespace(
        DataLoader=torch.utils.data.DataLoader,
        TensorDataset=torch.utils.data.TensorDataset,
        grad=torch.autograd.grad,
        save=torch.save,
        load=torch.load,
        checkpoint="checkpoint.pt",
        folder=folder,
    )
    return program(torch, torch.nn, torch.nn.functional, torch.optim, utils)


def arrays(state):
    return {name: value.numpy().copy() for name, value in state.items()}


def assert_equal_states(model, reference, tolerance=0.0):
    state, expected = arrays(model.state_dict()), arrays(reference.state_dict())
    assert list(state) == list(expected)
    for name in expected:
        assert state[name].dtype == expected[name].dtype, name
        np.testing.assert_allclose(state[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("written_by", ["torch", "tapegrad"])
def test_program_gives_pytorchs_numbers(program, written_by, tmp_path):
    build, train = ours(program, tmp_path)
    torch_build, torch_train = theirs(program, tmp_path)
    ag.manual_seed(0)
    torch.manual_seed(0)
    model, reference = build(), torch_build()
    if written_by == "torch":
        model.load_state_dict(arrays(reference.state_dict()))
    else:
        reference.load_state_dict({name: torch.from_numpy(value) for name, value in arrays(model.state_dict()).items()})
    assert_equal_states(model, reference)
    assert len(list(model.parameters())) == len(list(reference.parameters()))
    found, expected = (
        run(*m) for run, *m in ((train, model, np.random.default_rng(1)), (torch_train, reference, np.random.default_rng(1)))
    )
    tolerance = 1e-5 if program in CLIPPED else 1e-9
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=tolerance, atol=tolerance)
    assert_equal_states(model, reference, tolerance)
