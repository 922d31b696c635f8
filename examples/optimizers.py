"""Every optimizer on Rosenbrock's function f(x, y) = (1 - x)**2 + 100 (y - x**2)**2, from the same point.

    python -m examples.optimizers               # about ten seconds; writes two pictures to out/
    python -m examples.optimizers Adam LBFGS    # these only

The valley is curved, and much steeper across than along. Each optimizer has the learning rate that suited it best among a few,
and lowers it linearly to a hundredth (L-BFGS searches along a line instead). Printed: steps, evaluations of f, and how far f
came down. Saved: the paths of all optimizers, each on a map of f, and f against the number of evaluations.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

import nn
import optim
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


def save_paths(path: Path, paths: dict[str, Path2D]) -> None:
    """A map of f for each optimizer, with its path."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(4, len(paths))
    rows = -(-len(paths) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.3 * columns, 2.7 * rows + 0.5), squeeze=False, sharex=True, sharey=True, layout="constrained"
    )
    x, y = np.meshgrid(np.linspace(-2.0, 2.0, 200), np.linspace(-1.0, 3.0, 200))
    heights = np.log10(rosenbrock(x, y) + 1e-3)
    for axis in axes.flat[len(paths) :]:
        axis.axis("off")
    for axis, (name, found) in zip(axes.flat, paths.items(), strict=False):
        axis.contourf(x, y, heights, levels=24, cmap="Blues_r", alpha=0.75)
        axis.plot(*found.points.T, color="#B54700", linewidth=1.1, marker=".", markersize=2.5)
        axis.plot(*START, marker="o", color="black", markersize=5)
        axis.plot(1.0, 1.0, marker="*", color="#FFD400", markeredgecolor="black", markersize=12)
        axis.set(xlim=(-2.0, 2.0), ylim=(-1.0, 3.0))
        axis.set_title(f"{name}: f = {found.values[-1]:.1e} after {len(found.values) - 1}", fontsize=9)
    figure.suptitle("Rosenbrock's function, from the dot to the star: value, and number of evaluations")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def save_values(path: Path, paths: dict[str, Path2D]) -> None:
    """The least f so far against evaluations, both in logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5.5), layout="constrained")
    colours = plt.get_cmap("tab20")
    for index, (name, found) in enumerate(sorted(paths.items(), key=lambda item: item[1].values.min())):
        best = np.minimum.accumulate(found.values)
        axis.plot(np.arange(1, len(best) + 1), best, label=f"{name}  {best[-1]:.0e}", color=colours(index % 20), linewidth=1.6)
    axis.set(xscale="log", yscale="log", xlabel="evaluations of f and its gradient", ylabel="least f so far")
    axis.set_title("Rosenbrock's function")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="Every optimizer on Rosenbrock's function.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(SETTINGS)}; all by default")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(SETTINGS)):
        parser.error(f"expected optimizers among {', '.join(SETTINGS)}, got {', '.join(unknown)}")

    paths: dict[str, Path2D] = {}
    print(f"f = {rosenbrock(*START):.1f} at the start\n\noptimizer    steps  evaluations         f  seconds  options")
    for name in tqdm(options.names or SETTINGS, leave=False, ncols=79):
        settings, steps = SETTINGS[name]
        found = paths[name] = descend(name, settings, steps)
        shown = ", ".join(f"{key}={value}" for key, value in settings.items())
        tqdm.write(f"{name:<10}{steps:>8}{len(found.values) - 1:>13}{found.values[-1]:>10.1e}{found.seconds:>9.2f}  {shown}")
    options.out.mkdir(parents=True, exist_ok=True)
    save_paths(options.out / "optimizers_paths.png", paths)
    save_values(options.out / "optimizers_values.png", paths)
    print(f"\npictures: {options.out}/optimizers_paths.png, optimizers_values.png")


if __name__ == "__main__":
    main()
