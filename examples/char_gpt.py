"""Train a small causal transformer, or an LSTM, to write English one character at a time.

    python -m examples.char_gpt                          # some minutes; writes a picture to out/
    python -m examples.char_gpt --steps 200              # a short run
    python -m examples.char_gpt --model lstm
    python -m examples.char_gpt --text FILE              # learn from a text of your own

The text is the part of the reference manual that comes with Python's help(), hundreds of thousands of characters. The last
tenth is held out. Printed as it trains: bits per character, on the batches and on held-out text (8 would be a guess among 256
characters, plain frequencies give about 4.5). At the end it writes on from ``--prompt``. Saved: the training curve.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

import autograd as ag
import nn
import optim
from examples.digits import positive
from examples.picture import COLOURS, picture

BITS = 1.0 / math.log(2.0)  # per nat


def read(path: Path | None) -> str:
    """The user's text, or Python's own reference manual."""
    if path is None:
        from pydoc_data.topics import topics

        return "\n\n".join(topics[name] for name in sorted(topics))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        sys.exit(f"char_gpt: cannot read {path}: {error.strerror}")
    except UnicodeDecodeError as error:
        sys.exit(f"char_gpt: {path} is not UTF-8 text (byte {error.start}); convert it first")
    if len(text) < 10_000:
        sys.exit(f"char_gpt: {path} has {len(text)} characters; expected at least 10,000 to learn from")
    return text


class Alphabet:
    """The characters that occur, numbered by frequency; rare ones share the last number."""

    def __init__(self, text: str, most: int = 128) -> None:
        characters, counts = np.unique(np.array(list(text)), return_counts=True)
        self.characters = [str(c) for c in characters[np.argsort(-counts, kind="stable")][: most - 1]] + [
            "\N{REPLACEMENT CHARACTER}"
        ]
        self.numbers = {character: number for number, character in enumerate(self.characters)}

    def encode(self, text: str) -> np.ndarray:
        """The number of each character."""
        rare = len(self.characters) - 1
        return np.array([self.numbers.get(character, rare) for character in text], dtype=np.int64)

    def decode(self, numbers: list[int]) -> str:
        """The characters again."""
        return "".join(self.characters[number] for number in numbers)


class GPT(nn.Module):
    """Token and position embeddings, causal blocks with the norms in front, and a layer that scores each next character."""

    def __init__(self, characters: int, context: int, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.context = context
        self.token = nn.Embedding(characters, width)
        self.position = nn.Embedding(context, width)
        block = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, layers, nn.LayerNorm(width))
        self.score = nn.Linear(width, characters)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:  # small, and smaller where a branch is added to the sum (Radford et al., 2019)
                added = name.endswith(("out_proj.weight", "linear2.weight"))
                nn.init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * layers) if added else 0.02)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        """Scores (N, T, characters) of what follows each of the characters (N, T)."""
        where = ag.arange(x.shape[1])
        return self.score(self.blocks(self.token(x) + self.position(where), is_causal=True))


class CharLSTM(nn.Module):
    """An embedding, layers of LSTM, and a layer that scores each next character."""

    def __init__(self, characters: int, context: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.context = context
        self.token = nn.Embedding(characters, width // 2)
        self.lstm = nn.LSTM(width // 2, 2 * width, layers, batch_first=True, dropout=dropout)
        self.score = nn.Linear(2 * width, characters)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        """Scores (N, T, characters) of what follows each of the characters (N, T)."""
        return self.score(self.lstm(self.token(x))[0])


def batches(text: np.ndarray, size: int, context: int, rng: np.random.Generator) -> Iterator[tuple[ag.Tensor, ag.Tensor]]:
    """Pieces of the text at random places, each with the same piece one character later."""
    while True:
        places = rng.integers(0, len(text) - context, size)[:, None] + np.arange(context)
        yield ag.tensor(text[places]), ag.tensor(text[places + 1])


def loss_of(model: nn.Module, x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
    """The mean cross entropy of the next characters, in nats."""
    scores = model(x)
    return nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1))


def held_out_bits(model: nn.Module, text: np.ndarray, context: int, pieces: int = 64) -> float:
    """Bits per character over pieces spread evenly over the held-out text."""
    places = np.linspace(0, len(text) - context - 1, pieces).astype(np.int64)[:, None] + np.arange(context)
    model.eval()
    with ag.no_grad():
        bits = loss_of(model, ag.tensor(text[places]), ag.tensor(text[places + 1])).item() * BITS
    model.train()
    return bits


def write_on(model: nn.Module, start: list[int], count: int, context: int, heat: float, rng: np.random.Generator) -> list[int]:
    """The start and ``count`` characters more, drawn from the model's distribution with the scores divided by ``heat``."""
    numbers = list(start)
    model.eval()
    with ag.no_grad():
        for _ in range(count):
            scores = model(ag.tensor([numbers[-context:]]))[0, -1] / heat
            numbers.append(int(rng.choice(scores.shape[0], p=ag.softmax(scores.double(), 0).numpy())))
    model.train()
    return numbers


def learning_rate(step: int, steps: int, highest: float) -> float:
    """Up in a straight line for the first steps, then down to a tenth along a cosine."""
    warmup = min(100, max(1, steps // 10))
    if step < warmup:
        return highest * (step + 1) / warmup
    return highest * (0.55 + 0.45 * math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def save_curve(path: Path, title: str, steps: list[int], trained: list[float], held: list[float]) -> None:
    """Bits per character over the steps."""
    with picture(path, title, size=(7, 4)) as axes:
        axis = axes[0, 0]
        axis.plot(steps, trained, color=COLOURS[0], label="batches")
        axis.plot(steps, held, color=COLOURS[1], marker="o", markersize=4, label="held-out text")
        axis.set(xlabel="steps", ylabel="bits per character")
        axis.grid()
        axis.legend()


def build(options: argparse.Namespace, characters: int) -> nn.Module:
    """The model that was asked for."""
    if options.model == "lstm":
        return CharLSTM(characters, options.context, options.width, min(options.layers, 2), options.dropout)
    return GPT(characters, options.context, options.width, options.layers, options.heads, options.dropout)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a model that writes text one character at a time.")
    parser.add_argument("--model", choices=("gpt", "lstm"), default="gpt")
    parser.add_argument("--text", type=Path, default=None, help="a UTF-8 text file; Python's reference manual unless given")
    parser.add_argument("--steps", type=positive, default=2000)
    parser.add_argument("--batch-size", type=positive, default=32)
    parser.add_argument("--context", type=positive, default=64, help="characters that the model sees")
    parser.add_argument("--width", type=positive, default=128)
    parser.add_argument("--layers", type=positive, default=2)
    parser.add_argument("--heads", type=positive, default=4)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--lr", type=float, default=2e-3, help="AdamW's learning rate at its highest")
    parser.add_argument("--prompt", default="The ", help="what the sample begins with")
    parser.add_argument("--length", type=positive, default=400, help="characters of the sample")
    parser.add_argument("--heat", type=float, default=0.8, help="1 draws from the model's distribution, less is more certain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    options = parser.parse_args()
    if options.width % options.heads:
        parser.error(f"--width {options.width} must be a multiple of --heads {options.heads}")
    if not options.heat > 0:
        parser.error(f"--heat must be greater than 0, got {options.heat}")
    if not options.prompt:
        parser.error("--prompt must have at least one character")
    return options


def main() -> None:
    options = parse()
    ag.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    text = read(options.text)
    alphabet = Alphabet(text)
    numbers = alphabet.encode(text)
    train, held = np.split(numbers, [len(numbers) * 9 // 10])
    if len(held) <= options.context + 1:
        sys.exit(f"char_gpt: the held-out tenth has {len(held)} characters; use a --context below that")
    model = build(options, len(alphabet.characters))
    optimizer = optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.01, betas=(0.9, 0.99))
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{len(train):,} characters to learn from, {len(held):,} held out, {len(alphabet.characters)} different ones")
    print(f"{options.model} with {count:,} parameters\n")
    print(" step   batches  held out   bits per character      seconds")

    source = batches(train, options.batch_size, options.context, rng)
    every = max(1, options.steps // 20)
    steps, trained, holds, recent = [], [], [], []
    start = time.perf_counter()
    for step in tqdm(range(1, options.steps + 1), leave=False, ncols=79):
        optimizer.param_groups[0]["lr"] = learning_rate(step - 1, options.steps, options.lr)
        loss = loss_of(model, *next(source))
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        recent.append(loss.item() * BITS)
        if step % every == 0 or step == options.steps:
            steps.append(step)
            trained.append(float(np.mean(recent)))
            holds.append(held_out_bits(model, held, options.context))
            recent.clear()
            tqdm.write(f"{step:>5}{trained[-1]:>10.3f}{holds[-1]:>10.3f}{time.perf_counter() - start:>35.1f}", file=sys.stdout)

    sample = write_on(model, alphabet.encode(options.prompt).tolist(), options.length, options.context, options.heat, rng)
    print(f"\nWritten after {options.steps} steps:\n")
    print(alphabet.decode(sample))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"char_{options.model}_training.png"
    save_curve(path, f"{options.model.upper()} learning from {len(train):,} characters", steps, trained, holds)
    print(f"\n{holds[-1]:.3f} bits per character on held-out text")
    print(f"picture: {path}")


if __name__ == "__main__":
    main()
