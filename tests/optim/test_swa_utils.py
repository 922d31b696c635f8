"""Averaged models, their batch norm, and the schedule that goes with them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from optim import AveragedModel, get_ema_avg_fn, get_swa_avg_fn, update_bn


def model():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def disturb(module, rng):
    """New random values everywhere, as training would leave them."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype.kind == "f":
            tensor._data[...] = rng.normal(size=tensor.shape)
        else:
            tensor._data += 1


def copy_to(theirs, ours, torch):
    theirs.load_state_dict({name: torch.tensor(np.asarray(value)) for name, value in ours.state_dict().items()})


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("kind", ["mean", "ema"])
def test_averages_equal_pytorchs(kind, use_buffers, record):
    torch = pytest.importorskip("torch")
    swa = torch.optim.swa_utils
    ours, theirs = model().double(), torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    theirs.double()
    ours_average = AveragedModel(ours, get_ema_avg_fn(0.9) if kind == "ema" else None, use_buffers)
    multi = swa.get_ema_multi_avg_fn(0.9) if kind == "ema" else None
    theirs_average = swa.AveragedModel(theirs, multi_avg_fn=multi, use_buffers=use_buffers)
    rng = np.random.default_rng(0)
    for _ in range(10):
        disturb(ours, rng)
        copy_to(theirs, ours, torch)
        ours_average.update_parameters(ours)
        theirs_average.update_parameters(theirs)
    mine, reference = ours_average.state_dict(), theirs_average.state_dict()
    assert set(mine) == set(reference)
    counts = [name for name in mine if name.endswith("num_batches_tracked")]  # PyTorch averages this count with the rest
    worst = max(float(np.max(np.abs(np.asarray(mine[name]) - reference[name].numpy()))) for name in mine if name not in counts)
    record.add("averaged models vs PyTorch", f"{kind}, buffers {use_buffers}", worst)
    assert worst <= 1e-12
    assert mine["n_averaged"].item() == 10


def test_averages_of_a_model_leave_it_alone():
    ours = model()
    before = copy.deepcopy(ours.state_dict())
    average = AveragedModel(ours)
    average.update_parameters(ours)
    disturb(ours, np.random.default_rng(0))
    assert not np.array_equal(before["0.weight"], ours.state_dict()["0.weight"])
    np.testing.assert_array_equal(before["0.weight"], average.module[0].weight.detach())
    x = ag.tensor(np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32))
    assert average(x).shape == (5, 2)
    with pytest.raises(ValueError, match=r"expected parameters like those averaged, of shape \(4, 3\), got \(2, 3\)"):
        average.update_parameters(nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"expected parameters like those averaged, of shape \(4,\), got None"):
        average.update_parameters(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, affine=False)))
    assert average.n_averaged.item() == 1


def test_a_function_of_ones_own():
    line = nn.Linear(1, 1)
    average = AveragedModel(line, lambda a, p, count: a + p)
    for value in (1.0, 2.0, 4.0):
        nn.init.constant_(line.weight, value)
        average.update_parameters(line)
    assert average.module.weight.item() == 7.0
    assert get_swa_avg_fn()(ag.tensor(2.0), ag.tensor(5.0), 2).item() == 3.0
    with pytest.raises(TypeError, match="decay: expected a number, got None"):
        get_ema_avg_fn(None)
    for decay in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"decay: expected a value in \[0, 1\]"):
            get_ema_avg_fn(decay)


def test_a_model_and_a_function_are_needed():
    line = nn.Linear(2, 1)
    for wrong in (line.state_dict(), line.parameters(), None, nn.Linear):
        kind = type(wrong).__name__
        with pytest.raises(TypeError, match=f"AveragedModel: expected a Module, got {kind}; pass the model itself"):
            AveragedModel(wrong)
        with pytest.raises(TypeError, match=f"update_parameters: expected a Module, got {kind}; pass the model itself"):
            AveragedModel(line).update_parameters(wrong)
        with pytest.raises(TypeError, match=f"update_bn: model: expected a Module, got {kind}; pass the model itself"):
            update_bn([ag.ones(3, 2)], wrong)
    for wrong in (0.9, "cpu"):
        with pytest.raises(TypeError, match=r"avg_fn: expected a function of \(average, parameter, .*, got (float|str)"):
            AveragedModel(line, wrong)


@pytest.mark.parametrize(
    ("average", "error", "message"),
    [
        (lambda a, p, count: None, TypeError, "a function that returns the new average, got NoneType"),
        (lambda a, p, count: 0.5, ValueError, r"a new average of shape \(1, 2\), as the parameter's, got \(\)"),
        (lambda a, p, count: a.sum(1), ValueError, r"a new average of shape \(1, 2\), as the parameter's, got \(1,\)"),
    ],
)
def test_what_a_function_returns_is_checked(average, error, message):
    line = nn.Linear(2, 1)
    averaged = AveragedModel(line, average)
    averaged.update_parameters(line)
    before = copy.deepcopy(averaged.state_dict())
    nn.init.constant_(line.weight, 2.0)
    with pytest.raises(error, match=f"avg_fn: expected {message}"):
        averaged.update_parameters(line)
    for name, value in averaged.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_write_to_the_average_is_noticed():
    average = AveragedModel(nn.Linear(2, 2))
    x = ag.tensor(np.ones((1, 2), np.float32), requires_grad=True)
    loss = (average(x) ** 2).sum()
    average.update_parameters(nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()


@pytest.mark.parametrize("as_tuples", [False, True])
def test_update_bn_equals_pytorchs(as_tuples, record):
    torch = pytest.importorskip("torch")
    ours, theirs = model().double(), torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    theirs.double()
    rng = np.random.default_rng(0)
    disturb(ours, rng)
    copy_to(theirs, ours, torch)
    batches = [rng.normal(size=(6, 3)) for _ in range(4)]
    ours.eval()
    ours[0].train()
    loader = [(ag.tensor(b), None) if as_tuples else ag.tensor(b) for b in batches]

    class Indexed:
        """What a for loop also takes: numbers from 0 until an IndexError."""

        def __getitem__(self, index):
            return loader[index]

    update_bn(Indexed() if as_tuples else loader, ours)
    torch.optim.swa_utils.update_bn([torch.tensor(b) for b in batches], theirs)
    worst = max(
        float(np.max(np.abs(np.asarray(getattr(ours[1], name)) - getattr(theirs[1], name).numpy())))
        for name in ("running_mean", "running_var", "num_batches_tracked")
    )
    record.add("averaged models vs PyTorch", "update_bn", worst)
    assert worst <= 1e-12
    assert ours[1].momentum == 0.1
    assert [module.training for module in ours] == [True, False, False]


def test_update_bn_without_batch_norm_and_after_an_error():
    update_bn(iter(()), nn.Linear(2, 2))  # nothing to do: the loader is not touched
    ours = model().eval()
    with pytest.raises(ValueError, match="expected more than 1 value per channel"):
        update_bn([ag.tensor(np.ones((1, 3), np.float32))], ours)
    assert ours[1].momentum == 0.1
    assert not ours[1].training


def test_update_bn_needs_batches():
    ours = model()
    disturb(ours, np.random.default_rng(0))
    before = copy.deepcopy(ours.state_dict())
    with pytest.raises(TypeError, match="update_bn: loader: expected an iterable of batches, got NoneType"):
        update_bn(None, ours)
    with pytest.raises(ValueError, match="update_bn: expected at least one batch, got none; was a generator used up"):
        update_bn(iter(()), ours)
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(TypeError, match="update_bn: model: expected a Module, got list"):
        update_bn(ours, [ag.ones(3, 3)])


@pytest.mark.parametrize("options", [{}, {"anneal_strategy": "linear", "anneal_epochs": 7}, {"anneal_epochs": 0}], ids=str)
def test_swalr_equals_pytorchs(options, record):
    torch = pytest.importorskip("torch")
    ours = optim.SGD([{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 0.5}], lr=0.1)
    theirs = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.ones(1))]}, {"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.5}], lr=0.1
    )
    scheduler = optim.SWALR(ours, [0.05, 0.01], **options)
    reference = torch.optim.swa_utils.SWALR(theirs, [0.05, 0.01], **options)
    worst = 0.0
    for _ in range(30):
        for optimizer, schedule in ((ours, scheduler), (theirs, reference)):
            optimizer.step()
            schedule.step()
        worst = max(worst, *(abs(a["lr"] - b["lr"]) for a, b in zip(ours.param_groups, theirs.param_groups, strict=True)))
    record.add("schedules vs PyTorch", f"SWALR {options}", worst)
    assert worst <= 1e-12


def test_swalr_arguments():
    optimizer = optim.SGD([nn.Parameter([1.0])])
    for options, message in (
        ({"anneal_epochs": -1}, "anneal_epochs: expected a whole number of at least 0, got -1"),
        ({"anneal_strategy": "x"}, "anneal_strategy: expected 'cos' or 'linear', got 'x'"),
        ({"swa_lr": [0.1, 0.2]}, "swa_lr: expected 1 values"),
    ):
        with pytest.raises(ValueError, match=message):
            optim.SWALR(optimizer, **{"swa_lr": 0.1, **options})
