"""Train a convolutional network with batch norm on scikit-learn's handwritten digits (1,797 real images of 8 x 8 pixels).

    python -m examples.digits_cnn                 # about half a minute; writes two pictures to out/
    python -m examples.digits_cnn --epochs 2      # a short run

A fifth of the images is held out. In training, each image is moved by up to a pixel in both directions, which makes nine
images of one. Printed per epoch: the mean training loss and the share of held-out digits read right. Saved: the training
curve, and the filters of the first layer with what they see in one digit.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import autograd as ag
import nn
import optim
from examples.digits import load, positive, save_curve
from examples.picture import picture
from nn.data import DataLoader


def block(channels: int, out: int) -> nn.Sequential:
    """A convolution, batch norm (whose bias makes one of the convolution's needless) and ReLU."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU())


def build(width: int) -> nn.Sequential:
    """(N, 1, 8, 8) to 10 classes: two blocks at full size, one at half, one at a quarter."""
    return nn.Sequential(
        block(1, width),
        nn.Residual(block(width, width)),
        nn.MaxPool2d(2),
        block(width, 2 * width),
        nn.MaxPool2d(2),
        block(2 * width, 4 * width),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(4 * width, 10),
    )


def moved(images: np.ndarray, rng: np.random.Generator) -> ag.Tensor:
    """Each image (N, 64) as (1, 8, 8), moved by -1, 0 or 1 pixel down and across at random."""
    framed = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    down, across = rng.integers(0, 3, (2, len(images)))
    rows = down[:, None, None] + np.arange(8)[:, None]
    columns = across[:, None, None] + np.arange(8)
    return ag.tensor(framed[np.arange(len(images))[:, None, None], rows, columns][:, None])


def predict(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """The most likely class of each image, by the running statistics of batch norm."""
    model.eval()
    with ag.no_grad():
        classes = np.asarray(model(ag.tensor(images.reshape(-1, 1, 8, 8))).argmax(1))
    model.train()
    return classes


def save_filters(path: Path, model: nn.Sequential, image: np.ndarray) -> None:
    """The first layer's filters, and below each what it answers to one digit."""
    model.eval()
    first: nn.Sequential = model[0]  # type: ignore[assignment]
    with ag.no_grad():
        answers = first(ag.tensor(image.reshape(1, 1, 8, 8))).numpy()[0]
    weights = first[0].weight.detach().numpy()[:, 0]
    count = min(len(weights), 12)
    limit = np.abs(weights).max()
    title = "Filters of the first layer, and what they see"
    caption = (
        "Above: a filter of 3 x 3 weights, blue where positive, red where negative, white where 0.\n"
        "Below: the digit, and what the layer (convolution, batch norm, ReLU) makes of it; the largest answer of each is black."
    )
    with picture(path, title, caption, rows=2, columns=count + 1, size=(count + 1.2, 3.2)) as axes:
        axes[1, 0].imshow(image.reshape(8, 8), cmap="gray_r")
        axes[1, 0].set_title("digit", fontsize=9, fontweight="normal")
        for number in range(count):
            axes[0, number + 1].imshow(weights[number], cmap="RdBu", vmin=-limit, vmax=limit)
            axes[1, number + 1].imshow(answers[number], cmap="gray_r", vmin=0.0)
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a convolutional network on handwritten digits.")
    parser.add_argument("--epochs", type=positive, default=30)
    parser.add_argument("--batch-size", type=positive, default=32)
    parser.add_argument("--width", type=positive, default=32, help="channels of the first layers")
    parser.add_argument("--lr", type=float, default=4e-3, help="AdamW's learning rate at its highest")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures")
    options = parser.parse_args()

    ag.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    train, held = load(options.seed)
    images, labels = held.tensors[0]._data, held.tensors[1]._data
    model = build(options.width)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = optim.AdamW(model.parameters(), lr=options.lr, weight_decay=1e-2)
    batches = DataLoader(train, options.batch_size, shuffle=True, drop_last=True)
    print(model.summary(moved(images[:2], rng)))
    print(f"\n{len(train)} digits to train on, {len(held)} held out\n")
    print("epoch      loss   held out   seconds")

    losses, accuracies = [], []
    start = time.perf_counter()
    for epoch in range(1, options.epochs + 1):
        optimizer.param_groups[0]["lr"] = options.lr * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / options.epochs))
        total = 0.0
        for x, y in tqdm(batches, desc=f"epoch {epoch}", leave=False, ncols=79):
            loss = loss_of(model(moved(x._data, rng)), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item()
        losses.append(total / len(batches))
        accuracies.append(float(np.mean(predict(model, images) == labels)))
        print(f"{epoch:>5}{losses[-1]:>10.4f}{100 * accuracies[-1]:>9.2f} %{time.perf_counter() - start:>10.1f}")

    options.out.mkdir(parents=True, exist_ok=True)
    save_curve(options.out / "digits_cnn_training.png", "Handwritten digits: a convolutional network", losses, accuracies)
    save_filters(options.out / "digits_cnn_filters.png", model, images[0])
    print(f"\n{100 * accuracies[-1]:.2f} % of the held-out digits read right")
    print(f"pictures: {options.out}/digits_cnn_training.png, digits_cnn_filters.png")


if __name__ == "__main__":
    main()
