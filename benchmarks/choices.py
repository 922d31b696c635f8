"""The measurements behind choices that docstrings give as their reason.

    python -m benchmarks.choices                # all of them (about a minute)
    python -m benchmarks.choices relu pooling   # these

Each row compares what the library does with what it could do instead, in turn in one process; medians are shown.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import autograd as ag
import nn
import optim
from autograd import threads
from autograd.arrays import clipped
from autograd.ops import _convolving, _maxima
from autograd.ops._columns import Columns
from autograd.ops._rows import exponentials, row_maxima, row_sums
from autograd.ops._windows import Windows, copy_rows, padded, view
from autograd.ops.elementwise import logistic
from autograd.ops.gate import gate
from autograd.scattering import add_at
from benchmarks.commands import check_names, parser
from benchmarks.engine import in_turn
from optim import flat

ROUNDS = 41


def show(what: str, contestants: dict[str, Callable[[], Any]], inner: int = 1) -> dict[str, float]:
    """Prints the median of each contestant in milliseconds, the first one being ours; returns them."""
    times = in_turn(contestants, ROUNDS)
    medians = {name: statistics.median(values) / inner * 1e3 for name, values in times.items()}
    print(f"{what}\n    " + ", ".join(f"{name} {value:.3f} ms" for name, value in medians.items()))
    return medians


def selection() -> None:
    """g where a random mask is True, else exactly 0, for a million float32."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=1_000_000).astype(np.float32)
    mask = rng.random(1_000_000) < 0.5
    show(
        "select by a random mask, 1e6 float32",
        {
            "bits (ours)": lambda: gate(g, mask),
            "np.where": lambda: np.where(mask, g, 0.0),
            "g * mask (wrong for inf)": lambda: g * mask,
        },
    )


def relu() -> None:
    """max(x, 0) of a million float32, and of 512."""
    x = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
    small, zero, infinity = x[:512].copy(), np.zeros((), np.float32), np.array(np.inf, np.float32)
    show(
        "relu, 1e6 float32",
        {
            "the ufunc of np.clip (ours)": lambda: clipped(x, zero, infinity),
            "np.clip": lambda: np.clip(x, 0.0, np.inf),
            "np.maximum": lambda: np.maximum(x, 0),
        },
    )
    show(
        "relu, 512 float32, 1000 times",
        {
            "the ufunc of np.clip (ours)": lambda: [clipped(small, zero, infinity) for _ in range(1000)],
            "np.clip": lambda: [np.clip(small, 0.0, np.inf) for _ in range(1000)],
            "np.maximum": lambda: [np.maximum(small, zero) for _ in range(1000)],
        },
    )


def inverse() -> None:
    """1 / x of 64k float32, which stay in the cache, as in a block of a sigmoid."""
    x = np.random.default_rng(0).uniform(1, 2, size=1 << 16).astype(np.float32)
    y = np.empty_like(x)
    show(
        "1 / x, 64k float32",
        {"np.divide (ours)": lambda: np.divide(1.0, x, out=y), "np.reciprocal": lambda: np.reciprocal(x, out=y)},
    )


def exponentials_and_tanh() -> None:
    """What NumPy's exp and tanh cost beside a product, and a sigmoid by either; 64k float32, which stay in the cache."""
    x = np.random.default_rng(0).normal(size=1 << 16).astype(np.float32)
    y = np.empty_like(x)

    def by_exp() -> None:
        np.negative(x, out=y)
        logistic(y)

    def by_tanh() -> None:
        np.multiply(x, 0.5, out=y)
        np.tanh(y, out=y)
        np.multiply(y, 0.5, out=y)
        np.add(y, 0.5, out=y)

    show(
        "64k float32",
        {
            "exp": lambda: np.exp(x, out=y),
            "tanh": lambda: np.tanh(x, out=y),
            "a product": lambda: np.multiply(x, x, out=y),
            "1 / (1 + e^-x) (ours)": by_exp,
            "(1 + tanh(x / 2)) / 2": by_tanh,
        },
    )


def recurrent() -> None:
    """An LSTM of 50 steps, batch 32, 64 -> 128: all of it, and what its products take alone, with features or samples first."""
    steps, batch, inputs, n = 50, 32, 64, 128
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * 0.1).astype(np.float32)

    def products(a: np.ndarray, b: np.ndarray) -> Callable[[], None]:
        out = np.empty((steps, *(a[0] @ b[0]).shape), np.float32)
        return lambda: [np.matmul(*pair) for pair in zip(a, b, out, strict=True)] and None

    def every(matrix: np.ndarray) -> np.ndarray:
        return np.broadcast_to(matrix, (steps, *matrix.shape))

    x, h, d = draw(steps, batch, inputs), draw(steps, batch, n), draw(steps, batch, 4 * n)
    w_ih, w_hh, joint = draw(4 * n, inputs), draw(4 * n, n), draw(4 * n, inputs + n + 1)
    joint_steps = products(every(joint), draw(steps, inputs + n + 1, batch))
    steps_of_h, back = products(h, every(w_hh.T)), products(every(w_hh.T), draw(steps, 4 * n, batch))
    back_by_samples = products(d, every(w_hh))
    rows, columns = draw(4 * n, steps * batch), d.reshape(-1, 4 * n)

    def weights(cotangents: np.ndarray) -> None:
        np.matmul(cotangents, x.reshape(-1, inputs))
        np.matmul(cotangents, h.reshape(-1, n))

    lstm, data = nn.LSTM(inputs, n), ag.Tensor(x)
    title = "LSTM, 50 steps, batch 32, 64 -> 128: "
    with ag.no_grad():
        show(
            f"{title}forward",
            {
                "all of it": lambda: lstm(data),
                "its products (features first)": joint_steps,
                "with samples first": lambda: (np.matmul(x.reshape(-1, inputs), w_ih.T), steps_of_h()),
            },
        )
    show(
        f"{title}forward and backward",
        {
            "all of it": lambda: lstm(data)[0].sum().backward(),
            "its products (features first)": lambda: (joint_steps(), back(), weights(rows)),
            "with samples first": lambda: (
                np.matmul(x.reshape(-1, inputs), w_ih.T), steps_of_h(), back_by_samples(), weights(columns.T)
            ),
        },
    )  # fmt: skip


def rows() -> None:
    """4,096 rows of 64 float32 added into 1,000: the gradient of an embedding. They come from the rule before, in the cache."""
    rng = np.random.default_rng(0)
    index = rng.integers(0, 1000, 4096)
    values = rng.normal(size=(4096, 64)).astype(np.float32)
    buffer = np.zeros((1000, 64), np.float32)

    def fresh() -> np.ndarray:
        return np.add(values, 0.0, out=values)

    def by_flat_positions() -> None:
        positions = np.asarray(index[:, None] * 64 + np.arange(64)).reshape(-1)
        np.add.at(buffer.reshape(-1), positions, fresh().reshape(-1))

    def by_sorting() -> None:
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        buffer[ordered[starts]] += np.add.reduceat(fresh()[order], starts)

    def by_product() -> None:
        hot = np.zeros((1000, 4096), np.float32)
        hot[index, np.arange(4096)] = 1
        np.add(buffer, hot @ fresh(), out=buffer)

    show(
        "add 4,096 rows of 64 into 1,000, float32",
        {
            "by turns (ours)": lambda: add_at(buffer, index, fresh()),
            "by flat positions (ours for fewer)": by_flat_positions,
            "np.add.at": lambda: np.add.at(buffer, index, fresh()),
            "sort and reduceat": by_sorting,
        },
    )
    show("the same as a product, which fills the cache with zeros", {"one-hot product": by_product})


def dictionary() -> None:
    """What it costs that cotangents are kept in a dictionary: its operations alone, against the whole backward pass."""
    steps = 1000
    x0 = ag.Tensor(np.ones(8, np.float32), requires_grad=True)
    b = ag.Tensor(np.full(8, 0.99, np.float32))
    x = x0
    for _ in range(steps):
        x = x * b
    loss = x.sum()
    nodes = [loss.node]
    while nodes[-1].parents:
        nodes.append(nodes[-1].parents[0])
    pairs = list(pairwise(nodes))
    one = np.ones(8, np.float32)

    def pass_only() -> None:
        cotangents: dict[Any, Any] = {nodes[0]: one}
        for node, parent in pairs:
            g = cotangents.pop(node, None)
            if parent not in cotangents:
                cotangents[parent] = g

    def loop_only() -> None:
        for node, parent in pairs:
            g = one
            if parent is not node:
                g = node

        return g

    def backward() -> None:
        loss.backward(retain_graph=True)
        x0.grad = None

    medians = show(
        f"backward of a chain of {steps:,} small ops",
        {"whole pass": backward, "dictionary": pass_only, "empty loop": loop_only},
    )
    share = (medians["dictionary"] - medians["empty loop"]) / medians["whole pass"]
    each = (medians["dictionary"] - medians["empty loop"]) / steps * 1e6
    print(f"    the dictionary takes {each:.0f} ns a node, {100 * share:.0f} % of the pass")


def columns() -> None:
    """The windows 3x3 of 16 images 32x16x16 as the columns of a matrix."""
    images = np.ones((16, 32, 16, 16), np.float32)
    at = Windows((3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), (16, 16))
    room = Columns(32, 16, at, np.float32)

    def at_once() -> None:
        room.columns[...] = view(padded(images, at.padding), at).transpose(1, 2, 3, 0, 4, 5)

    show("columns of 16x32x16x16, 3x3", {"in two steps (ours)": lambda: room.of(images), "at once": at_once})
    border = np.zeros((16, 32, 18, 18), np.float32)[:, :, 1:17, 1:17]
    show(
        "copy 16x32x16 rows of 16 float32",
        {"as one element each (ours)": lambda: copy_rows(images, border), "as numbers": lambda: np.copyto(border, images)},
    )


def gradients_of_convolution() -> None:
    """Both gradients of a convolution, and the product for the weight of a first layer."""
    rng = np.random.default_rng(0)
    g, x, w = (rng.normal(size=size).astype(np.float32) for size in ((32, 64, 16, 16), (32, 32, 16, 16), (64, 32, 3, 3)))
    at = Windows((3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), (16, 16))

    def by_columns() -> None:
        _convolving.conv_input(g, w, at=at, size=(16, 16), groups=1)
        always, _convolving._both_halfway = _convolving._both_halfway, lambda *_: False
        _convolving.conv_weight(x, g, at=at, size=(16, 16), groups=1)
        _convolving._both_halfway = always

    show(
        "gradients of conv2d 32x32x16x16, 64 3x3",
        {
            "from rows of g (ours)": lambda: _convolving.conv_backward(g, x, w, at=at, size=(16, 16), groups=1),
            "that of the weight from columns": by_columns,
        },
    )
    columns, rows = np.ones((28, 50_176), np.float32), np.ones((8, 50_176), np.float32)
    show(
        "product of 25x50,176 and 50,176x6",
        {"as 28 and 8 (ours)": lambda: columns @ rows.T, "as it is": lambda: columns[:25] @ rows[:6].T},
    )


def pooling() -> None:
    """The gradient of max_pool2d by windows 2x2 of 32x32x32x32."""
    rng = np.random.default_rng(0)
    g, numbers = rng.normal(size=(32, 32, 16, 16)).astype(np.float32), rng.integers(0, 4, (32, 32, 16, 16)).astype(np.uint8)
    at = Windows((2, 2), (2, 2), (1, 1), ((0, 0), (0, 0)), (16, 16))

    def one_by_one() -> None:
        pairs, _maxima._by_pairs = _maxima._by_pairs, lambda *_: False
        _maxima.place(g, numbers, at, (32, 32))
        _maxima._by_pairs = pairs

    show(
        "gradient of max_pool2d 32x32x32x32, 2x2",
        {"two at a time (ours)": lambda: _maxima.place(g, numbers, at, (32, 32)), "one by one": one_by_one},
    )


def row_reductions() -> None:
    """Sums and maxima of 2,048 rows of 64 float32, and the exponentials of 128 rows of 1,000."""
    x = np.random.default_rng(0).normal(size=(2048, 64)).astype(np.float32)
    show("sums of 2,048 rows of 64", {"product (ours)": lambda: row_sums(x), "np.add.reduce": lambda: np.add.reduce(x, 1)})
    show(
        "maxima of 2,048 rows of 64",
        {"np.argmax (ours)": lambda: row_maxima(x), "np.maximum.reduce": lambda: np.maximum.reduce(x, 1)},
    )
    logits = np.random.default_rng(0).normal(size=(128, 1000)).astype(np.float32)
    out = np.empty_like(logits)

    def always() -> None:
        np.subtract(logits, np.maximum.reduce(logits, 1, keepdims=True), out=out)
        np.exp(out, out=out)
        np.add.reduce(out, 1)

    show(
        "exponentials and their sums, 128 rows of 1,000",
        {"shifted where needed (ours)": lambda: exponentials(logits, out), "shifted always": always},
    )


def halves() -> None:
    """gelu and softmax of a million float32, with one processor and with two."""
    x = ag.Tensor(np.random.default_rng(0).normal(size=(100, 10_000)).astype(np.float32))
    available = threads.processors

    def on(count: int, run: Callable[[], Any]) -> None:
        threads.processors = lambda: count  # type: ignore[assignment]
        run()

    for name, op in (("gelu", ag.gelu), ("softmax", ag.softmax)):
        contestants: dict[str, Callable[[], Any]] = {
            "halves on two processors (ours)": lambda op=op: on(2, lambda: op(x)),  # type: ignore[misc]
            "on one": lambda op=op: on(1, lambda: op(x)),  # type: ignore[misc]
        }
        show(f"{name} of 100x10,000", contestants)
    threads.processors = available


PRODUCT = """
import time
import numpy as np
a, b = np.ones((1024, 128), np.float32), np.ones((128, 512), np.float32)
times = []
for _ in range(51):
    start = time.perf_counter()
    a @ b
    times.append(time.perf_counter() - start)
print(2 * 1024 * 128 * 512 / min(times) / 1e9)
"""


def products() -> None:
    """A product on one core, with the kernels that OpenBLAS chooses, and with those that it has for AVX-512."""
    print("product of 1024x128 and 128x512 float32 on one core, OpenBLAS")
    for kernels in ("", "SkylakeX"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **({"OPENBLAS_CORETYPE": kernels} if kernels else {})}
        command = [sys.executable, "-c", PRODUCT]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        result = f"{float(done.stdout):.0f} GFLOP/s" if not done.returncode else "not possible here"
        print(f"    {kernels or 'as it is'}: {result}")


STEP = """
import sys, time, types
import numpy as np
if sys.argv[1] == "given back":
    sys.modules["autograd.memory"] = types.SimpleNamespace(keep_freed_memory=lambda: None)
import autograd as ag
x = ag.Tensor(np.ones((64, 16, 16, 16), np.float32), requires_grad=True)
w = ag.Tensor(np.ones((32, 16, 3, 3), np.float32), requires_grad=True)
times = []
for _ in range(31):
    start = time.perf_counter()
    ag.conv2d(x, w, padding=1).sum().backward()
    x.grad = w.grad = None
    times.append(time.perf_counter() - start)
print(min(times) * 1e3)
"""


def freed_memory() -> None:
    """A convolution and its backward pass, in processes that keep the memory of freed arrays, or give it back."""
    found: dict[str, list[float]] = {"kept (ours)": [], "given back": []}
    for _ in range(5):
        for name, values in found.items():
            output = subprocess.run([sys.executable, "-c", STEP, name], capture_output=True, text=True, check=True).stdout
            values.append(float(output))
    print("conv2d 64x16x16x16, 32 3x3, and its backward pass; freed memory is")
    print("    " + ", ".join(f"{name} {statistics.median(values):.3f} ms" for name, values in found.items()))


def optimizers() -> None:
    """Steps: small parameters packed or one by one, a large one in blocks, by two threads or one; and a number in them."""
    rng = np.random.default_rng(0)

    def graded(count: int, size: int) -> list[nn.Parameter]:
        params = [nn.Parameter(rng.normal(size=size).astype(np.float32)) for _ in range(count)]
        for p in params:
            p.grad = ag.Tensor(rng.normal(size=size).astype(np.float32))
        return params

    packed = optim.Adam(graded(10, 1000))
    single = [optim.Adam([p]) for p in graded(10, 1000)]
    show(
        "Adam, 10 parameters of 1,000 values",
        {"packed (ours)": packed.step, "one by one": lambda: [optimizer.step() for optimizer in single]},
    )
    values, update = (rng.normal(size=100).astype(np.float32) for _ in range(2))
    zero_d = np.array(0.5, np.float32)
    show(
        "100 values times a number, 1,000 times",
        {
            "a 0-d array (ours)": lambda: [np.multiply(values, zero_d, out=update) for _ in range(1000)],
            "a Python float": lambda: [np.multiply(values, 0.5, out=update) for _ in range(1000)],
        },
    )
    memory = flat.aligned(1 << 18, np.dtype(np.float32))
    memory[:] = 0.0
    (x, y), (u, v) = ([memory[at + offset :][: 1 << 15] for at in (0, 1 << 17)] for offset in (0, 4))
    show(
        "x += y, 32,768 values, 100 times",
        {
            "from a cache line on (ours)": lambda: [np.add(x, y, out=x) for _ in range(100)],
            "from 16 bytes after it": lambda: [np.add(u, v, out=u) for _ in range(100)],
        },
    )
    large = optim.SGD(graded(1, 5_000_000), lr=1e-4, momentum=0.9)
    chosen, available = flat.SHARED_BLOCK, threads.processors

    def step(block: int, count: int) -> Callable[[], Any]:
        def run() -> None:
            flat.SHARED_BLOCK, threads.processors = block, lambda: count
            large.step()

        return run

    show(
        "SGD with momentum, one parameter of 5,000,000 values",
        {
            "blocks of 96k, on two processors (ours)": step(3 << 15, 2),
            "of 256k": step(1 << 18, 2),
            "of 32k": step(1 << 15, 2),
            "of 96k, on one": step(3 << 15, 1),
            "of 64k": step(1 << 16, 1),
            "of 8k": step(1 << 13, 1),
        },
    )
    flat.SHARED_BLOCK, threads.processors = chosen, available


PARTS = {
    part.__name__.replace("_", "-"): part
    for part in (
        selection,
        relu,
        inverse,
        exponentials_and_tanh,
        recurrent,
        rows,
        columns,
        gradients_of_convolution,
        pooling,
        row_reductions,
        optimizers,
        halves,
        products,
        freed_memory,
        dictionary,
    )
}


def main() -> None:
    command = parser("benchmarks.choices", __doc__)
    command.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PARTS)}; all by default")
    options = command.parse_args()
    check_names(command, "names", PARTS, options.names)
    for name, part in PARTS.items():
        if not options.names or name in options.names:
            part()


if __name__ == "__main__":
    main()
