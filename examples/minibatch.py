"""Descent with all samples in a step, with a few, and with one: scikit-learn's handwritten digits.

    python -m examples.minibatch                # about ten seconds; writes a picture to out/
    python -m examples.minibatch --epochs 3     # a short run

The same network (64 pixels, a hidden layer, 10 classes) starts from the same weights three times and is trained by plain SGD
with the learning rate that suits the batch. Printed per epoch: the loss over the whole training set, and after the last epoch
the share of held-out digits read right. Saved: loss against epochs and against seconds. In an epoch, mini-batches and single
samples come down equally far, and much further than the full batch with its one step; in a second, mini-batches come down
furthest, since a step costs little more for 32 samples than for one. The full batch goes on for ten times as many epochs.
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
from nn.data import minibatches

COLOURS = ("#0072B2", "#B54700", "#007A5E")


class Run(NamedTuple):
    """What one way of descending did: values at the start and after each epoch."""

    name: str
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

    losses, seconds = [whole_loss()], [0.0]
    for _ in tqdm(range(epochs), desc=name, leave=False, ncols=79):
        start = time.perf_counter()
        for x, y in minibatches(images, labels, batch_size):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
        seconds.append(seconds[-1] + time.perf_counter() - start)
        losses.append(whole_loss())
    with ag.no_grad():
        guesses = np.asarray(model(ag.tensor(held_images)).argmax(1))
    return Run(name, losses, seconds, float(np.mean(guesses == held_labels)))


def save(path: Path, runs: list[Run]) -> None:
    """Loss against epochs, and against seconds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
    for run, colour in zip(runs, COLOURS, strict=True):
        left.plot(run.losses[: len(runs[-1].losses)], color=colour, marker=".", label=run.name)
        right.plot(run.seconds[1:], run.losses[1:], color=colour, marker=".", label=run.name)
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    right.set(xlabel="seconds of training", xscale="log")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    right.legend()
    figure.suptitle("Handwritten digits: the same network, the same start, plain SGD")
    figure.savefig(path, dpi=130)
    plt.close(figure)


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
        (f"full batch ({count})", count, 1.0, 10 * options.epochs),
        (f"mini-batches of {options.batch_size}", options.batch_size, 1.0, options.epochs),
        ("single samples", 1, 0.03, options.epochs),
    ]
    runs = [train(name, size, lr, epochs, data, options.seed) for name, size, lr, epochs in ways]
    print("epoch   " + "".join(f"{run.name:>24}" for run in runs))
    for epoch in range(options.epochs + 1):
        cells = "".join(f"{run.losses[epoch]:>14.4f}{run.seconds[epoch]:>8.2f} s" for run in runs)
        print(f"{epoch:<8}{cells}")
    full = runs[0]
    print(f"{10 * options.epochs:<8}{full.losses[-1]:>14.4f}{full.seconds[-1]:>8.2f} s")
    print("\nheld-out digits read right: " + ", ".join(f"{run.name} {100 * run.accuracy:.1f} %" for run in runs))
    options.out.mkdir(parents=True, exist_ok=True)
    save(options.out / "minibatch.png", runs)
    print(f"picture: {options.out}/minibatch.png")


if __name__ == "__main__":
    main()
