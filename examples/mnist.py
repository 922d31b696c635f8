"""Train a classifier on MNIST's own files (70,000 handwritten digits of 28 x 28 pixels), which you have in a folder.

    python -m examples.mnist --data ~/mnist              # ten epochs
    python -m examples.mnist --data ~/mnist --epochs 2   # a short run
    python -m examples.mnist --data ~/mnist --check      # only the files as published, by their SHA-256

Nothing is downloaded. The four files keep the names they were published under, packed (.gz) or not. Printed per epoch: the mean
training loss and the share of the 10,000 test images read right. Saved: a sheet of the test images that the model got wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import autograd as ag
import nn
import optim
from examples.picture import save_mistakes
from nn.data import DataLoader, FileFormatError, TensorDataset, load_idx

# SHA-256 of the packed files, as published by Yann LeCun, Corinna Cortes and Christopher Burges
FILES = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


class DataError(Exception):
    """Files that are missing or damaged, in words for the person who has to get them."""


def find(folder: Path, packed: bool) -> dict[str, Path]:
    """The four files in a folder: packed or not, "-idx3" or ".idx3"; or an error that names those that are missing."""
    found: dict[str, Path] = {}
    for name in FILES:
        spellings = [name + ".gz"] if packed else [name, name + ".gz", name.replace("-idx", ".idx")]
        paths = [path for path in (folder / spelling for spelling in spellings) if path.is_file()]
        if paths:
            found[name] = paths[0]
    missing = [name for name in FILES if name not in found]
    if missing:
        ending = ".gz" if packed else " (or .gz)"
        raise DataError(
            f"expected MNIST's four files in {folder}, missing:\n  "
            + "\n  ".join(name + ending for name in missing)
            + "\nGet them from a place that you trust, for example https://storage.googleapis.com/cvdf-datasets/mnist/,"
            + "\nand put them into that folder under these names; they need not be unpacked."
        )
    return found


def load(folder: Path, check: bool = False) -> tuple[TensorDataset, TensorDataset]:
    """The images, as bytes, with their labels: to train on and to test with."""
    paths = find(folder, packed=check)
    try:
        arrays = {name: load_idx(path, sha256=FILES[name] if check else None) for name, path in paths.items()}
    except (FileFormatError, OSError) as error:
        raise DataError(f"{error}\nThe file is damaged or another one: get it again, under the same name.") from None
    parts = []
    for part in ("train", "t10k"):
        images, labels = arrays[f"{part}-images-idx3-ubyte"], arrays[f"{part}-labels-idx1-ubyte"]
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or not images.numel():
            raise DataError(
                f"expected images of shape (count, height, width) and as many labels, got {images.shape} and {labels.shape} "
                f"in {paths[f'{part}-images-idx3-ubyte']} and {paths[f'{part}-labels-idx1-ubyte'].name}; get them again"
            )
        if images.dtype != np.uint8 or labels.dtype != np.uint8 or labels.numpy().max() > 9:
            raise DataError(f"expected pixels in bytes and labels from 0 to 9 in the {part} files, got others; get them again")
        parts.append(TensorDataset(images, labels.to(np.int64)))
    train, test = parts
    if train.tensors[0].shape[1:] != test.tensors[0].shape[1:]:
        sizes = f"{train.tensors[0].shape[1:]} and {test.tensors[0].shape[1:]}"
        raise DataError(f"expected images of one size in both parts, got {sizes}; get them again")
    return train, test


def build(pixels: int, hidden: int) -> nn.Sequential:
    """Pixels to 10 classes through two hidden layers."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden // 2),
        nn.ReLU(),
        nn.Linear(hidden // 2, 10),
    )


def scaled(images: ag.Tensor) -> ag.Tensor:
    """Bytes as numbers from 0 to 1."""
    return images.float() / 255.0


def predict(model: nn.Module, images: ag.Tensor, size: int = 1000) -> np.ndarray:
    """The most likely class of each image."""
    with ag.no_grad():
        parts = [np.asarray(model(scaled(images[start : start + size])).argmax(1)) for start in range(0, len(images), size)]
    return np.concatenate(parts)


def positive(text: str) -> int:
    """A whole number of at least 1 from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a classifier on MNIST's own files.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with MNIST's four files")
    parser.add_argument("--check", action="store_true", help="take only the packed files as published, by their SHA-256")
    parser.add_argument("--epochs", type=positive, default=10)
    parser.add_argument("--batch-size", type=positive, default=128)
    parser.add_argument(
        "--hidden", type=positive, default=256, help="units in the first hidden layer; half of it in the second"
    )
    parser.add_argument("--lr", type=float, default=1e-3, help="Adam's learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    return parser.parse_args()


def main() -> None:
    options = parse()
    try:
        train, test = load(options.data, options.check)
    except DataError as error:
        print(f"mnist: {error}", file=sys.stderr)
        sys.exit(2)

    ag.manual_seed(options.seed)
    images, labels = test.tensors[0], test.tensors[1].numpy()
    model = build(images[0].numel(), max(options.hidden, 2))
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    batches = DataLoader(train, options.batch_size, shuffle=True)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{len(train)} digits to train on, {len(test)} to test with, {count:,} parameters\n")
    print("epoch      loss       test   seconds")

    start = time.perf_counter()
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        for x, y in tqdm(batches, desc=f"epoch {epoch}", leave=False, ncols=79):
            loss = loss_of(model(scaled(x)), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(y)
        guesses = predict(model, images)
        right = 100 * float(np.mean(guesses == labels))
        print(f"{epoch:>5}{total / len(train):>10.4f}{right:>9.2f} %{time.perf_counter() - start:>10.1f}")

    options.out.mkdir(parents=True, exist_ok=True)
    save_mistakes(options.out / "mnist_mistakes.png", images.numpy(), labels, guesses)
    print(f"\n{right:.2f} % of the test digits read right")
    print(f"picture: {options.out}/mnist_mistakes.png")


if __name__ == "__main__":
    main()
