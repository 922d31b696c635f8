"""Descent with all samples in a step, with a few, and with one: scikit-learn's handwritten digits.

    python -m examples.minibatch                # about ten seconds; writes a picture to out/
    python -m examples.minibatch --epochs 3     # a short run

The same network (64 pixels, a hidden layer, 10 classes) starts from the same weights three times and is trained by plain SGD
with the learning rate that suits the batch. Printed per epoch: the loss over the whole training set; at the end, the steps
taken, the loss reached and the share of held-out digits read right. Saved: loss against epochs and against seconds. In an
epoch, mini-batches and single samples come down equally far, and much further than the full batch with its one step; in a
second, mini-batches come down furthest, since a step costs little more for 32 samples than for one. The full batch goes on for
ten times as many epochs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import autograd as ag
import nn
import optim
from examples.digits import positive
from examples.picture import COLOURS, picture, plain_logarithmic
from nn.data import minibatches


class Run(NamedTuple):
    """What one way of descending did: values at the start and after each epoch."""

    name: str
    lr: float
    steps: int
    losses: list[float]
    seconds: list[float]
    accuracy: float


def load(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images scaled to 0 ... 1 and labels, to train on and (a fifth) held out."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    images, labels = (digits.data[order] / 16.0).astype(np.float32), digits.target[order].astype(np.int64)
    held = len(labels) // 5
    return images[held:], labels[held:], images[:held], labels[:held]


def train(name: str, batch_size: int, lr: float, epochs: int, data: tuple[np.ndarray, ...], seed: int) -> Run:
    """Trains from the same start; only the time for steps counts, not the time for looking at the loss."""
    images, labels, held_images, held_labels = data
    ag.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=lr)

    def whole_loss() -> float:
        with ag.no_grad():
            return float(loss_of(model(ag.tensor(images)), ag.tensor(labels)).item())

    losses, seconds, steps = [whole_loss()], [0.0], 0
    for _ in tqdm(range(epochs), desc=name, leave=False, ncols=79):
        start = time.perf_counter()
        for x, y in minibatches(images, labels, batch_size):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
            steps += 1
        seconds.append(seconds[-1] + time.perf_counter() - start)
        losses.append(whole_loss())
    with ag.no_grad():
        guesses = np.asarray(model(ag.tensor(held_images)).argmax(1))
    return Run(name, lr, steps, losses, seconds, float(np.mean(guesses == held_labels)))


def save(path: Path, runs: list[Run]) -> None:
    """Loss against epochs, and against seconds."""
    from matplotlib.ticker import MaxNLocator

    shown = len(runs[-1].losses)
    title = "Handwritten digits: full batch, mini-batches and single samples"
    caption = (
        "The same network from the same start, by plain SGD; a dot is the loss over the whole training set after an epoch. "
        f"Right: the full batch goes on for {len(runs[0].losses) - 1} epochs."
    )
    with picture(path, title, caption, columns=2, size=(11, 4.6), sharey=True) as axes:
        epochs, seconds = axes[0]
        for run, colour, marker in zip(runs, COLOURS, "os^", strict=True):
            style = {"color": colour, "marker": marker, "markersize": 4}
            epochs.plot(run.losses[:shown], label=f"{run.name}, learning rate {run.lr:g}", **style)
            seconds.plot(run.seconds[1:], run.losses[1:], **style)
        epochs.set(title="By epochs", xlabel="epochs", ylabel="training loss (mean cross entropy)", yscale="log")
        seconds.set(title="By time", xlabel="seconds spent in steps", xscale="log")
        epochs.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        plain_logarithmic(epochs.yaxis, 1, 2, 5)
        plain_logarithmic(seconds.xaxis)
        epochs.grid()
        seconds.grid()
        epochs.legend()


def main() -> None:
    parser = argparse.ArgumentParser(description="Full-batch, mini-batch and single-sample descent.")
    parser.add_argument("--epochs", type=positive, default=20)
    parser.add_argument("--batch-size", type=positive, default=32, help="of the mini-batches")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    options = parser.parse_args()

    data = load(options.seed)
    count = len(data[1])
    ways = [
        (f"full batch of {count}", count, 1.0, 10 * options.epochs),
        (f"mini-batches of {options.batch_size}", options.batch_size, 1.0, options.epochs),
        ("single samples", 1, 0.03, options.epochs),
    ]
    runs = [train(name, size, lr, epochs, data, options.seed) for name, size, lr, epochs in ways]
    print(" " * 8 + "".join(f"{run.name:>24}" for run in runs))
    print("epoch   " + "".join(f"{'loss':>14}{'seconds':>10}" for _ in runs))
    for epoch in range(options.epochs + 1):
        print(f"{epoch:<8}" + "".join(f"{run.losses[epoch]:>14.4f}{run.seconds[epoch]:>10.2f}" for run in runs))
    print(f"\n{'at the end':<20}{'lr':>6}{'epochs':>8}{'steps':>8}{'loss':>10}{'seconds':>10}{'held out':>12}")
    for run in runs:
        end = f"{run.losses[-1]:>10.4f}{run.seconds[-1]:>10.2f}{100 * run.accuracy:>10.1f} %"
        print(f"{run.name:<20}{run.lr:>6g}{len(run.losses) - 1:>8}{run.steps:>8}{end}")
    options.out.mkdir(parents=True, exist_ok=True)
    save(options.out / "minibatch.png", runs)
    print(f"\npicture: {options.out}/minibatch.png")


if __name__ == "__main__":
    main()
