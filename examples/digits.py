"""Train a classifier on scikit-learn's handwritten digits (1,797 real images of 8 x 8 pixels).

    python -m examples.digits                 # about ten seconds; writes its pictures to out/
    python -m examples.digits --epochs 2      # a short run

A fifth of the images is held out. Printed per epoch: the mean training loss and the share of held-out digits read right. Saved:
the training curve, a sheet of the held-out digits that the model got wrong, the graph of one training step, and how losses,
gradients, updates and activations went.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import autograd as ag
import nn
import optim
from examples.picture import COLOURS, picture, plain_logarithmic, save_mistakes
from nn.data import DataLoader, TensorDataset


def load(seed: int) -> tuple[TensorDataset, TensorDataset]:
    """The digits, scaled to 0 ... 1, in random order: four fifths to train on and one held out."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    images = (digits.data[order] / 16.0).astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    held = len(labels) // 5
    return TensorDataset(images[held:], labels[held:]), TensorDataset(images[:held], labels[:held])


def build(hidden: int) -> nn.Sequential:
    """64 pixels to 10 classes through two hidden layers."""
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def predict(model: nn.Module, images: ag.Tensor) -> np.ndarray:
    """The most likely class of each image."""
    with ag.no_grad():
        return np.asarray(model(images).argmax(1))


def save_curve(path: Path, title: str, losses: list[float], accuracies: list[float]) -> None:
    """Loss and held-out accuracy over the epochs."""
    from matplotlib.ticker import MaxNLocator

    epochs = range(1, len(losses) + 1)
    with picture(path, title, columns=2, size=(10, 4)) as axes:
        left, right = axes[0]
        left.plot(epochs, losses, color=COLOURS[0], marker="o", markersize=4)
        left.set(title="Training loss", yscale="log")
        plain_logarithmic(left.yaxis, 1, 2, 5)
        right.plot(epochs, [100 * accuracy for accuracy in accuracies], color=COLOURS[1], marker="s", markersize=4)
        right.set(title="Held-out digits read right (%)")
        for axis in (left, right):
            axis.set(xlabel="epochs")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            axis.grid()


def save_graph(out: Path, model: nn.Module, images: ag.Tensor, labels: ag.Tensor) -> list[str]:
    """The graph of one step as a picture and as a page; as text where there is no Graphviz.

    Returns:
        The names of the files.
    """
    images.name = "images"
    loss = nn.CrossEntropyLoss()(model(images), labels)
    loss.name = "loss"
    model.zero_grad()
    loss.backward()
    drawing = ag.draw(loss, params={"labels": labels})
    try:
        return [drawing.save(out / f"digits_graph.{ending}").name for ending in ("svg", "png", "html")]
    except ag.DrawError as error:
        print(error)
        return [drawing.save(out / "digits_graph.txt").name]


def positive(text: str) -> int:
    """A whole number of at least 1 from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a classifier on handwritten digits.")
    parser.add_argument("--epochs", type=positive, default=30)
    parser.add_argument("--batch-size", type=positive, default=32)
    parser.add_argument("--hidden", type=positive, default=128, help="units in each hidden layer")
    parser.add_argument("--lr", type=float, default=2e-3, help="Adam's learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures")
    options = parser.parse_args()

    ag.manual_seed(options.seed)
    train, held = load(options.seed)
    images, labels = held.tensors[0], held.tensors[1]._data
    model = build(options.hidden)
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=options.lr, weight_decay=1e-4)
    batches = DataLoader(train, options.batch_size, shuffle=True)
    recorder = nn.Recorder(model)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{len(train)} digits to train on, {len(held)} held out, {count:,} parameters\n")
    print("epoch      loss   held out   seconds")

    losses, accuracies = [], []
    start = time.perf_counter()
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        for x, y in tqdm(batches, desc=f"epoch {epoch}", leave=False, ncols=79):
            loss = loss_of(model(x), y)
            loss.backward()
            recorder.step(loss)
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(y)
        losses.append(total / len(train))
        accuracies.append(float(np.mean(predict(model, images) == labels)))
        print(f"{epoch:>5}{losses[-1]:>10.4f}{100 * accuracies[-1]:>9.2f} %{time.perf_counter() - start:>10.1f}")

    options.out.mkdir(parents=True, exist_ok=True)
    save_curve(options.out / "digits_training.png", "Handwritten digits: a network of linear layers", losses, accuracies)
    save_mistakes(options.out / "digits_mistakes.png", images._data.reshape(-1, 8, 8), labels, predict(model, images))
    nn.plot.overview(recorder).savefig(options.out / "digits_inside.png")
    nn.plot.gradient_flow(recorder).savefig(options.out / "digits_gradient_flow.png")
    graph = save_graph(options.out, model, train.tensors[0][: options.batch_size], train.tensors[1][: options.batch_size])
    print(f"\n{100 * accuracies[-1]:.2f} % of the held-out digits read right")
    names = ["digits_training.png", "digits_mistakes.png", "digits_inside.png", "digits_gradient_flow.png", *graph]
    print(f"pictures: {options.out}/{', '.join(names)}")


if __name__ == "__main__":
    main()
