"""Draw a gallery of computation graphs: from one expression to a transformer.

    python -m examples.graphs                 # about ten seconds; writes out/graphs/index.html and all it shows
    python -m examples.graphs --only mlp lstm # only those whose names begin so

Each graph is written as SVG (which follows the reader's preference for light or dark), as PNG, and as an interactive page;
``index.html`` shows them all.
"""

from __future__ import annotations

import argparse
import html
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import autograd as ag
import nn
from autograd import Tensor

SEED = 0
draw = partial(ag.draw, theme="auto")


def named(name: str, values: np.ndarray) -> Tensor:
    """A constant with a name, which the picture shows."""
    tensor = ag.tensor(values)
    tensor.name = name
    return tensor


def numbers(*shape: int) -> np.ndarray:
    """Standard normal float32 numbers, the same in every run."""
    return np.random.default_rng(SEED).normal(size=shape).astype(np.float32)


def classes(count: int, *shape: int) -> np.ndarray:
    """Class numbers 0 ... count - 1, the same in every run."""
    return np.random.default_rng(SEED + len(shape)).integers(0, count, shape)


def loss_named(loss: Tensor) -> Tensor:
    loss.name = "loss"
    return loss


# ---------------------------------------------------------------------------------------------------- the models


class ConvNet(nn.Module):
    """Two convolutions with pooling, and a linear readout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.head = nn.Linear(16 * 2 * 2, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = ag.max_pool2d(ag.relu(self.conv1(x)), 2)
        x = ag.max_pool2d(ag.relu(self.conv2(x)), 2)
        return self.head(x.flatten(1))


class Sequence(nn.Module):
    """An LSTM over a sequence, and a readout of its last state."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(inputs, hidden)
        self.readout = nn.Linear(hidden, outputs)
        self.hidden = hidden

    def forward(self, x: Tensor) -> Tensor:
        start = np.zeros((x.shape[0], self.hidden), np.float32)
        h, c = named("h0", start), named("c0", start)
        for step in range(x.shape[1]):
            now = x[:, step]
            now.name = f"x[:, {step}]"
            h, c = self.cell(now, (h, c))
        return self.readout(h)


class Feedforward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def extra_repr(self) -> str:
        return f"{self.width}, {4 * self.width}"

    def forward(self, x: Tensor) -> Tensor:
        return self.down(ag.gelu(self.up(x)))


class Block(nn.Module):
    """Attention and a feedforward network, each behind a layer norm and beside a skip connection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln1, self.attn = nn.LayerNorm(width), nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln2, self.mlp = nn.LayerNorm(width), Feedforward(width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln1(x)
        x = x + self.attn(y, y, y, need_weights=False, is_causal=True)[0]
        return x + self.mlp(self.ln2(x))


class Transformer(nn.Module):
    """A decoder in the manner of GPT-2."""

    def __init__(self, tokens: int = 65, length: int = 64, width: int = 64, heads: int = 4, blocks: int = 12) -> None:
        super().__init__()
        self.tok_emb, self.pos_emb = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(blocks)))
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, tokens)
        self.positions = ag.tensor(np.arange(length))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tok_emb(ids) + self.pos_emb(self.positions)
        return self.head(self.ln(self.blocks(x)))


class MLP(nn.Module):
    def __init__(self, activation: Callable[[Tensor], Tensor] = ag.relu) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 16), nn.Linear(16, 3)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.activation(self.fc1(x)))


# ---------------------------------------------------------------------------------------------------- the pictures


def expression() -> ag.Drawing:
    """One expression: the value of each step, and the gradient of each variable."""
    a, b, c = (ag.tensor(value, requires_grad=True) for value in (2.0, -3.0, 6.5))
    with ag.record_statistics():
        d = ag.tanh(a * b + c) * a
    d.name = "d"
    d.backward()
    return draw(d, params={"a": a, "b": b, "c": c}, show=("value", "grad"))


def mlp(activation: Callable[[Tensor], Tensor] = ag.relu) -> tuple[MLP, Tensor, Tensor]:
    ag.manual_seed(SEED)
    return MLP(activation), named("x", numbers(64, 2)), named("y", classes(3, 64))


def mlp_before() -> ag.Drawing:
    """A multilayer perceptron before the backward pass: what is kept for it is marked ◆."""
    model, x, y = mlp()
    return draw(loss_named(ag.cross_entropy(model(x), y)), params={"y": y})


def mlp_after() -> ag.Drawing:
    """The same after the backward pass: the norm of each gradient."""
    model, x, y = mlp()
    loss = loss_named(ag.cross_entropy(model(x), y))
    loss.backward()
    return draw(loss, params={"y": y})


def mlp_sick() -> ag.Drawing:
    """Something went wrong: gradients vanish and explode, and the op that made the first NaN is marked."""
    model, x, y = mlp(ag.sigmoid)
    model.fc1.weight.data = model.fc1.weight.data * 1e5  # saturates the sigmoid
    with ag.record_statistics():
        penalty = ag.sqrt(model.fc2.bias).sum()  # of a negative number
        loss = loss_named(1e3 * ag.cross_entropy(model(x), y) + penalty)
    loss.backward()
    return draw(loss, params={"y": y})


def cnn() -> ag.Drawing:
    """A convolutional network for images of 8 x 8 pixels."""
    ag.manual_seed(SEED)
    images, labels = named("images", numbers(32, 1, 8, 8)), named("labels", classes(10, 32))
    loss = loss_named(ag.cross_entropy(ConvNet()(images), labels))
    loss.backward()
    return draw(loss, params={"labels": labels})


def lstm() -> ag.Drawing:
    """An LSTM unrolled over 24 steps."""
    ag.manual_seed(SEED)
    model = Sequence(8, 16, 2)
    x, y = ag.tensor(numbers(4, 24, 8)), ag.tensor(classes(2, 4))
    loss = loss_named(ag.cross_entropy(model(x), y))
    loss.backward()
    return draw(loss, params={"y": y})


def transformer_loss() -> tuple[Tensor, dict[str, Tensor]]:
    ag.manual_seed(SEED)
    model = Transformer()
    ids, targets = ag.tensor(classes(65, 8, 64)), ag.tensor(classes(65, 8 * 64))
    loss = loss_named(ag.cross_entropy(model(ids).reshape(8 * 64, 65), targets))
    loss.backward()
    return loss, {"ids": ids, "targets": targets, "positions": model.positions}


def transformer(depth: int | None = None) -> ag.Drawing:
    loss, names = transformer_loss()
    return draw(loss, params=names, depth=depth)


def transformer_1() -> ag.Drawing:
    """A transformer of twelve blocks, from far away."""
    return transformer(depth=1)


def transformer_3() -> ag.Drawing:
    """The same transformer two levels closer: equal blocks are drawn once."""
    return transformer(depth=3)


def transformer_all() -> ag.Drawing:
    """The same transformer, everything in it."""
    return transformer()


def double_backward() -> ag.Drawing:
    """A gradient that can be differentiated again: the forward part and the backward part of one graph."""
    x = ag.tensor([0.5, -1.0, 2.0], requires_grad=True)
    y = (x * ag.sin(x)).sum()
    (dx,) = ag.grad(y, x, create_graph=True)
    return draw({"y": y, "dy/dx": dx}, params={"x": x})


GALLERY: dict[str, Callable[[], ag.Drawing]] = {
    "expression": expression,
    "mlp_before": mlp_before,
    "mlp_after": mlp_after,
    "mlp_sick": mlp_sick,
    "cnn": cnn,
    "lstm": lstm,
    "transformer_1": transformer_1,
    "transformer_3": transformer_3,
    "transformer_all": transformer_all,
    "double_backward": double_backward,
}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Computation graphs</title>
<style>
:root {{ color-scheme: light dark; }}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 Helvetica, Arial, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  background: light-dark(#ffffff, #0f172a); color: light-dark(#0f172a, #f1f5f9); }}
main {{ columns: 22rem; column-gap: 2rem; }}
figure {{ break-inside: avoid; margin: 0 0 2rem; }}
figure img {{ width: 100%; max-height: 44rem; object-fit: contain; border: 1px solid light-dark(#cbd5e1, #334155);
  border-radius: .6rem; padding: .5rem; }}
figcaption {{ margin-top: .4rem; }}
a {{ color: light-dark(#0072b2, #56b4e9); }}
</style>
<h1>Computation graphs</h1>
<main>
{figures}
</main>
</html>
"""


def figure(name: str, caption: str) -> str:
    """One picture of the index page, with links to its other forms."""
    text = html.escape(caption)
    return (
        f'<figure><a href="{name}.html"><img src="{name}.svg" alt="{text}" loading="lazy"></a>'
        f'<figcaption>{text} <a href="{name}.html">interactive</a> · <a href="{name}.svg">SVG</a> · '
        f'<a href="{name}.png">PNG</a></figcaption></figure>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a gallery of computation graphs.")
    parser.add_argument("--out", type=Path, default=Path("out/graphs"), help="folder for the pictures")
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="only the pictures whose names begin so")
    parser.add_argument("--forms", nargs="+", default=["svg", "png", "html"], choices=["svg", "png", "html"])
    options = parser.parse_args()
    chosen = {name: make for name, make in GALLERY.items() if name.startswith(tuple(options.only))}
    if not chosen:
        parser.error(f"--only: expected the beginning of a name among {', '.join(GALLERY)}, got {' '.join(options.only)}")
    options.out.mkdir(parents=True, exist_ok=True)
    figures = []
    for name, make in chosen.items():
        drawing = make()
        for ending in options.forms:
            drawing.save(options.out / f"{name}.{ending}")
        caption = (make.__doc__ or name).strip()
        figures.append(figure(name, caption))
        print(f"{name:<16} {len(drawing.nodes):>4} boxes  {caption}")
    if set(options.forms) != {"svg", "png", "html"}:
        return
    index = options.out / "index.html"
    index.write_text(PAGE.format(figures="\n".join(figures)), encoding="utf-8")
    print(f"\nopen {index}")


if __name__ == "__main__":
    main()
