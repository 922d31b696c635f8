"""The fused kernels against PyTorch's, forward and backward, in float32 at the sizes that models use.

    python -m benchmarks.kernels             # every row (about three minutes)
    python -m benchmarks.kernels conv norm   # rows with one of these words
    python -m benchmarks.kernels --list      # the names of all rows

Each library runs in a process of its own (their idle threads would slow each other down), in turn, with two threads each. The
ratio is the median over the rounds of PyTorch's time divided by ours: above 1, ours is the faster one; "best" is the ratio of
the shortest times, which a busy machine disturbs less. Both give gradients to the same inputs.
Without PyTorch, our times stand alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import autograd as ag
from benchmarks.commands import parser
from benchmarks.libraries import Library, libraries

torch: Any = None  # in the process that runs PyTorch
theirs: Any = None  # torch.nn.functional, likewise

RANDOM = np.random.default_rng(0)
ROUNDS = 21
PAUSE = 0.03  # seconds in which the other library's threads, which spin for a while after their work, fall asleep


class Case(NamedTuple):
    """An op in both libraries, and the arrays that it takes; the first ``constants`` of them need no gradient."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    arrays: list[Any]
    constants: int = 0


def normal(*shape: int) -> Any:
    return RANDOM.normal(size=shape).astype(np.float32)


def same(name: str, op: str, *arrays: Any, constants: int = 0, **static: Any) -> Case:
    """A case for an op that is called alike in both libraries."""
    their_static = {"dim" if key == "axis" else key: value for key, value in static.items()}
    their_home = (lambda: theirs) if op not in ("sigmoid", "tanh") else (lambda: torch)
    return Case(
        name,
        lambda *a: getattr(ag, op)(*a, **static),
        lambda *a: getattr(their_home(), op)(*a, **their_static),
        list(arrays),
        constants,
    )


def convolutions() -> Iterator[Case]:
    """The images of a first layer need no gradient."""
    first, second = normal(6, 1, 5, 5), normal(16, 6, 5, 5)
    yield same("conv2d 64x1x28x28, 6 5x5", "conv2d", normal(64, 1, 28, 28), first, normal(6), constants=1)
    yield same("conv2d 64x1x28x28, 6 5x5 pad 2", "conv2d", normal(64, 1, 28, 28), first, normal(6), constants=1, padding=2)
    yield same("conv2d 64x6x12x12, 16 5x5", "conv2d", normal(64, 6, 12, 12), second, normal(16))
    yield same("conv2d 64x3x32x32, 16 3x3", "conv2d", normal(64, 3, 32, 32), normal(16, 3, 3, 3), constants=1, padding=1)
    for n, c, size, o in ((64, 16, 32, 16), (64, 16, 16, 32), (64, 32, 16, 32), (64, 32, 8, 64), (64, 64, 8, 64)):
        name = f"conv2d {n}x{c}x{size}x{size}, {o} 3x3"
        yield same(name, "conv2d", normal(n, c, size, size), normal(o, c, 3, 3), padding=1)
    yield same("conv2d 64x32x16x16, 64 3x3 step 2", "conv2d", normal(64, 32, 16, 16), normal(64, 32, 3, 3), stride=2, padding=1)
    yield same("conv2d 64x64x16x16, 64 1x1", "conv2d", normal(64, 64, 16, 16), normal(64, 64, 1, 1))


def pools() -> Iterator[Case]:
    for shape in ((64, 6, 24, 24), (64, 16, 8, 8), (64, 16, 32, 32)):
        yield same(f"max_pool2d {'x'.join(map(str, shape))}", "max_pool2d", normal(*shape), kernel_size=2)
    yield same("max_pool2d 64x16x16x16 3x3 step 2", "max_pool2d", normal(64, 16, 16, 16), kernel_size=3, stride=2, padding=1)
    yield same("avg_pool2d 64x16x32x32", "avg_pool2d", normal(64, 16, 32, 32), kernel_size=2)


def normalizations() -> Iterator[Case]:
    for shape in ((64, 16, 32, 32), (64, 32, 16, 16), (64, 64, 8, 8), (128, 256)):
        c = shape[1]
        yield Case(
            f"batch_norm {'x'.join(map(str, shape))}",
            lambda x, w, b: ag.batch_norm(x, None, None, w, b, training=True),
            lambda x, w, b: theirs.batch_norm(x, None, None, w, b, training=True),
            [normal(*shape), normal(c), normal(c)],
        )
    for rows, width in ((2048, 128), (4096, 512), (64, 64)):
        yield Case(
            f"layer_norm {rows}x{width}",
            lambda x, w, b: ag.layer_norm(x, w.shape, w, b),
            lambda x, w, b: theirs.layer_norm(x, w.shape, w, b),
            [normal(rows, width), normal(width), normal(width)],
        )
    yield Case(
        "group_norm 64x64x8x8, 8 groups",
        lambda x, w, b: ag.group_norm(x, 8, w, b),
        lambda x, w, b: theirs.group_norm(x, 8, w, b),
        [normal(64, 64, 8, 8), normal(64), normal(64)],
    )


def classes() -> Iterator[Case]:
    for rows, count in ((64, 10), (128, 1000), (128, 10_000), (2048, 64)):
        goal = RANDOM.integers(0, count, rows)
        yield Case(
            f"cross_entropy {rows}x{count}",
            lambda x, goal=goal: ag.cross_entropy(x, goal),
            lambda x, goal=goal: theirs.cross_entropy(x, torch.from_numpy(goal)),
            [normal(rows, count)],
        )
    for rows, count in ((128, 1000), (16, 100_000), (4096, 64)):
        yield same(f"softmax {rows}x{count}", "softmax", normal(rows, count), axis=-1)
        yield same(f"log_softmax {rows}x{count}", "log_softmax", normal(rows, count), axis=-1)


def activations() -> Iterator[Case]:
    for size in (1_000_000, 1 << 17):
        x = normal(size)
        for op in ("relu", "gelu", "silu", "hardswish", "sigmoid", "tanh", "softplus", "mish", "elu", "leaky_relu"):
            yield same(f"{op} {size}", op, x)
        yield Case(f"dropout {size}", lambda x: ag.dropout(x, 0.1), lambda x: theirs.dropout(x, 0.1, training=True), [x])


def attention() -> Iterator[Case]:
    heads = [normal(16, 4, 64, 32) for _ in range(3)]
    op = "scaled_dot_product_attention"
    yield same("attention 16x4x64x32", op, *heads)
    yield same("attention 16x4x64x32 causal", op, *heads, is_causal=True)
    yield same("attention 2x4x512x64 causal", op, *[normal(2, 4, 512, 64) for _ in range(3)], is_causal=True)


def others() -> Iterator[Case]:
    index = RANDOM.integers(0, 1000, (64, 64))
    yield Case(
        "embedding 4096 of 1000x64",
        lambda w: ag.embedding(index, w),
        lambda w: theirs.embedding(torch.from_numpy(index), w),
        [normal(1000, 64)],
    )
    yield same("linear 8x16, 16", "linear", normal(8, 16), normal(16, 16), normal(16))
    yield same("linear 2048x128, 512", "linear", normal(2048, 128), normal(512, 128), normal(512))
    x, y = normal(16), normal(16)
    mask = x > 0
    yield Case("where 16", lambda x, y: ag.where(mask, x, y), lambda x, y: torch.where(torch.from_numpy(mask), x, y), [x, y])
    yield Case("clip 16", lambda x: ag.clip(x, -1.0, 1.0), lambda x: torch.clamp(x, -1.0, 1.0), [x])


def cases() -> Iterator[Case]:
    for family in (convolutions, pools, normalizations, classes, activations, attention, others):
        yield from family()


def seconds(run: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def runs_of(case: Case, library: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The forward pass alone, and with it the backward pass."""
    if library == "ours":
        op: Any = case.ours
        leaves: Any = [ag.Tensor(a, requires_grad=i >= case.constants) for i, a in enumerate(case.arrays)]
        g: Any = ag.Tensor(normal(*op(*leaves).shape))
    else:
        op = case.theirs
        leaves = [torch.from_numpy(a).requires_grad_(i >= case.constants) for i, a in enumerate(case.arrays)]
        g = torch.from_numpy(np.asarray(normal(*op(*leaves).shape)))

    def whole() -> None:
        op(*leaves).backward(g)
        for leaf in leaves:
            leaf.grad = None

    return lambda: op(*leaves), whole


def work(library: str, pipe: Any) -> None:
    """A process that times one library: it is sent the number of a case, and then how often to repeat each round."""
    global torch, theirs
    if library == "torch":
        import torch
        import torch.nn.functional as theirs

        torch.set_num_threads(2)
    known = list(cases())
    while True:
        forward, whole = runs_of(known[pipe.recv()], library)
        pipe.send(seconds(whole, 3))
        while repeats := pipe.recv():
            time.sleep(PAUSE)
            whole()  # wakes the threads
            pipe.send((seconds(forward, repeats), seconds(whole, repeats)))


def measure(name: str, number: int, engines: list[Library]) -> None:
    """Prints the medians of each library, forward alone and forward with backward, and the medians of their ratios."""
    for library in engines:
        library.send(number)
    repeats = max(1, min(200, int(3e-3 / max([library.recv() for library in engines]))))
    times: list[list[tuple[float, float]]] = [[] for _ in engines]
    for _ in range(ROUNDS):
        for found, library in zip(times, engines, strict=True):
            library.send(repeats)
            found.append(library.recv())
    for library in engines:
        library.send(0)
    line = f"{name:<36}"
    for part in (0, 1):
        mine, *others = ([seconds[part] * 1e3 for seconds in found] for found in times)
        line += f"{statistics.median(mine):>9.3f}"
        for other in others:
            ratio = statistics.median(b / a for a, b in zip(mine, other, strict=True))
            line += f"{statistics.median(other):>9.3f}{ratio:>7.2f}{min(other) / min(mine):>6.2f}   "
    print(line.rstrip(), flush=True)


def main() -> None:
    command = parser("benchmarks.kernels", __doc__)
    command.add_argument("words", nargs="*", metavar="WORD", help="the rows whose names contain one of these; all by default")
    command.add_argument("--list", action="store_true", help="the names of all rows")
    options = command.parse_args()
    names = [case.name for case in cases()]
    if options.list:
        print("\n".join(names))
        return
    if unknown := [word for word in options.words if not any(word in name for name in names)]:
        ops = ", ".join(dict.fromkeys(name.split()[0] for name in names))
        command.error(f"expected words in the names of rows, which begin with {ops}, got {', '.join(unknown)}")
    with libraries(work) as engines:
        theirs = f"{'torch':>9}{'ratio':>7}{'best':>6}   " if len(engines) == 2 else ""
        print(f"{'milliseconds, float32':<36}{'forward':>9}{theirs}{'both':>9}{theirs}".rstrip(), flush=True)
        for number, name in enumerate(names):
            if not options.words or any(word in name for word in options.words):
                measure(name, number, engines)


if __name__ == "__main__":
    main()
