"""Every optimizer on Rosenbrock's function f(x, y) = (1 - x)**2 + 100 (y - x**2)**2, from the same point.

    python -m examples.optimizers               # about ten seconds; writes two pictures to out/
    python -m examples.optimizers Adam LBFGS    # these only

The valley is curved, and much steeper across than along. Each optimizer has the learning rate that suited it best among a few,
and lowers it linearly to a hundredth (L-BFGS searches along a line instead). Printed: steps, evaluations of f, and how far f
came down. Saved: the paths of all optimizers, each on a map of f, and the least f so far against the number of evaluations.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

import nn
import optim
from examples.picture import COLOURS, picture, plain_logarithmic
from optim.lr_scheduler import LinearLR

START = (-1.5, 2.0)
SETTINGS: dict[str, tuple[dict[str, Any], int]] = {  # options and steps
    "SGD": ({"lr": 0.0015, "momentum": 0.9}, 2000),
    "ASGD": ({"lr": 0.0015, "lambd": 0.0}, 5000),
    "Rprop": ({"lr": 0.1}, 1000),
    "Adagrad": ({"lr": 2.0}, 4000),
    "RMSprop": ({"lr": 0.01}, 3000),
    "Adadelta": ({"lr": 3.0}, 2000),
    "Adam": ({"lr": 1.0}, 1000),
    "AdamW": ({"lr": 0.3, "weight_decay": 0.0}, 1000),
    "Adamax": ({"lr": 1.0}, 3000),
    "NAdam": ({"lr": 0.3}, 1000),
    "RAdam": ({"lr": 0.01, "betas": (0.9, 0.99)}, 1000),
    "Lion": ({"lr": 0.03}, 1000),
    "LAMB": ({"lr": 0.1}, 1000),
    "Adafactor": ({"lr": 1.0}, 1000),
    "Muon": ({"lr": 0.03, "weight_decay": 0.0}, 1000),
    "LBFGS": ({"line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 20}, 40),
}


class Path2D(NamedTuple):
    """Where an optimizer went."""

    points: np.ndarray  # (steps + 1, 2)
    values: np.ndarray  # of f, at every evaluation
    seconds: float


def rosenbrock(x: Any, y: Any) -> Any:
    """The least value is 0, at (1, 1)."""
    return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2


def descend(name: str, options: dict[str, Any], steps: int) -> Path2D:
    """Follows an optimizer from START; the two coordinates are a matrix of one row, for those that need matrices."""
    p = nn.Parameter(np.array([START]))
    optimizer = getattr(optim, name)([p], **options)
    scheduler = LinearLR(optimizer, 1.0, 0.01 if "lr" in options else 1.0, total_iters=steps)
    values = []

    def closure() -> Any:
        optimizer.zero_grad()
        value = rosenbrock(p[0, 0], p[0, 1])
        value.backward()
        values.append(value.item())
        return value

    points = [START]
    begin = time.perf_counter()
    for _ in range(steps):
        optimizer.step(closure)
        scheduler.step()
        points.append(tuple(p.detach().numpy()[0]))
    seconds = time.perf_counter() - begin
    values.append(float(rosenbrock(*points[-1])))
    return Path2D(np.array(points), np.array(values), seconds)


def options_of(name: str) -> list[str]:
    """``lr=0.3, weight_decay=0.0``, in short lines."""
    return textwrap.wrap(", ".join(f"{key}={value}" for key, value in SETTINGS[name][0].items()), 28)


def layout(count: int) -> dict[str, Any]:
    """A panel for each of so many optimizers, at most four beside each other, all with the same axes."""
    columns = min(4, count)
    rows = -(-count // columns)
    size = (max(3.1 * columns, 8.0), 2.5 * rows + 1.2)
    return {"rows": rows, "columns": columns, "size": size, "sharex": True, "sharey": True}


def describe(axis: Any, name: str, note: str) -> None:
    """The name and a note above a panel, the options in its lower left corner."""
    axis.set_title(name)
    axis.set_title(note, loc="right", fontsize=9, fontweight="normal")
    axis.text(0.03, 0.03, "\n".join(options_of(name)), transform=axis.transAxes, va="bottom", fontsize=8)
    axis.label_outer(remove_inner_ticks=True)


def save_paths(path: Path, paths: dict[str, Path2D]) -> None:
    """A map of f for each optimizer, with its path."""
    title = "Rosenbrock's function: the path of each optimizer"
    caption = (
        "● start    ★ minimum, f(1, 1) = 0    ○ end    dark: small f(x, y) = (1 - x)² + 100 (y - x²)²\n"
        "Above: f at the end, and after how many evaluations. Learning rates (lr) fall linearly to a hundredth during the run."
    )
    x, y = np.meshgrid(np.linspace(-2.1, 2.6, 200), np.linspace(-1.9, 4.2, 200))
    heights = np.log10(rosenbrock(x, y) + 1e-3)
    with picture(path, title, caption, **layout(len(paths))) as axes:
        for axis, (name, found) in zip(axes.flat, paths.items(), strict=False):
            axis.contourf(x, y, heights, levels=24, cmap="Blues_r", alpha=0.75)
            axis.plot(*found.points.T, color=COLOURS[1], linewidth=1.1, marker=".", markersize=2.5)
            axis.plot(*START, color="black", marker="o", markersize=6)
            axis.plot(1.0, 1.0, color="#FFD400", marker="*", markeredgecolor="black", markersize=14)
            axis.plot(*found.points[-1], color="white", marker="o", markeredgecolor="black", markersize=4)
            axis.set(xticks=range(-2, 3), yticks=range(-1, 5), xlabel="x", ylabel="y")
            describe(axis, name, f"f = {found.values[-1]:.1e} after {len(found.values) - 1}")


def save_values(path: Path, paths: dict[str, Path2D]) -> None:
    """The least f so far against evaluations, both in logarithmic scale, from the best optimizer to the worst."""
    title = "Rosenbrock's function: how fast each optimizer comes down"
    caption = (
        "Each panel: one optimizer in blue, all the others in grey; the best come first. Above: the least f that it found.\n"
        "Learning rates (lr) fall linearly to a hundredth during the run."
    )
    best = {name: np.minimum.accumulate(found.values) for name, found in paths.items()}
    least = min(values[-1] for values in best.values())
    lowest = least * (least / rosenbrock(*START)) ** 0.25  # a fifth of the panel is for the options
    with picture(path, title, caption, **layout(len(paths))) as axes:
        for axis, name in zip(axes.flat, sorted(best, key=lambda name: best[name][-1]), strict=False):
            for values in best.values():
                axis.plot(np.arange(1, len(values) + 1), values, color="#B6C2D1", linewidth=0.8)
            axis.plot(np.arange(1, len(best[name]) + 1), best[name], color=COLOURS[0], linewidth=2.2)
            axis.plot(len(best[name]), best[name][-1], color=COLOURS[0], marker="o", markersize=5)
            axis.set(xscale="log", xlabel="evaluations of f and its gradient")
            axis.set(yscale="log", ylabel="least f so far", ylim=(lowest, None))
            plain_logarithmic(axis.xaxis)
            describe(axis, name, f"f = {best[name][-1]:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Every optimizer on Rosenbrock's function.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(SETTINGS)}; all by default")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(SETTINGS)):
        parser.error(f"expected optimizers among {', '.join(SETTINGS)}, got {', '.join(unknown)}")

    paths: dict[str, Path2D] = {}
    print(f"f = {rosenbrock(*START):.1f} at the start; learning rates (lr) fall linearly to a hundredth\n")
    print("optimizer    steps  evaluations   final f  seconds  options")
    for name in tqdm(options.names or SETTINGS, leave=False, ncols=79):
        found = paths[name] = descend(name, *SETTINGS[name])
        steps, evaluations = len(found.points) - 1, len(found.values) - 1
        shown = f"\n{' ' * 52}".join(options_of(name))
        tqdm.write(f"{name:<10}{steps:>8}{evaluations:>13}{found.values[-1]:>10.1e}{found.seconds:>9.2f}  {shown}")
    options.out.mkdir(parents=True, exist_ok=True)
    save_paths(options.out / "optimizers_paths.png", paths)
    save_values(options.out / "optimizers_values.png", paths)
    print(f"\npictures: {options.out}/optimizers_paths.png, optimizers_values.png")


if __name__ == "__main__":
    main()
