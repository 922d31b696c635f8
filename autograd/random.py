"""Random numbers: a generator that can be seeded, saved and restored, and one default generator."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from autograd.devices import check_device


class Generator:
    """A seeded source of random numbers (PCG64, O'Neill 2014).

    Args:
        seed: a whole number; fresh entropy without one.
        device: ``"cpu"`` or None.
    """

    def __init__(self, seed: int | None = None, *, device: Any = None) -> None:
        check_device(device, "Generator")
        self.manual_seed(seed)

    def manual_seed(self, seed: int | None) -> Generator:
        """Starts again from a seed; returns the generator."""
        self._seed = seed
        self._numpy: np.random.Generator | None = None
        return self

    @property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator that draws, made when it is first used: importing autograd need not import numpy.random."""
        if self._numpy is None:
            self._numpy = np.random.Generator(np.random.PCG64(self._seed))
        return self._numpy

    def get_state(self) -> dict[str, Any]:
        """The state as plain numbers and strings, which JSON can hold."""
        return numpy_state(self.numpy)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from ``get_state``.

        Raises:
            TypeError, ValueError: for anything that is not such a state; the generator is unchanged then.
        """
        set_numpy_state(self.numpy, state)


def numpy_state(generator: np.random.Generator) -> dict[str, Any]:
    """The state of a PCG64 generator as plain numbers and strings, which JSON can hold."""
    state = dict(generator.bit_generator.state)
    return {**state, "state": {name: str(value) for name, value in state["state"].items()}}


def set_numpy_state(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """:meth:`Generator.set_state` for NumPy's own class."""
    if not isinstance(state, dict) or state.get("bit_generator") != "PCG64":
        raise ValueError("set_state: expected a state from get_state() of a PCG64 generator")
    inner = state.get("state")
    if not isinstance(inner, dict) or set(inner) != {"state", "inc"}:
        raise ValueError("set_state: expected 'state' and 'inc' in the state")
    try:
        numbers = {name: int(value) for name, value in inner.items()}
        has, buffered = int(state["has_uint32"]), int(state["uinteger"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("set_state: expected whole numbers in the state") from None
    if not all(0 <= value < 2**128 for value in numbers.values()) or has not in (0, 1) or not 0 <= buffered < 2**32:
        raise ValueError("set_state: expected numbers in the range of a PCG64 state")
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": numbers,
        "has_uint32": has,
        "uinteger": buffered,
    }


default_generator = Generator()

if hasattr(os, "register_at_fork"):  # two processes must not draw the same dropout masks: a child starts anew
    os.register_at_fork(after_in_child=lambda: default_generator.__init__())  # type: ignore[misc]


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator, which is used wherever no other is given; returns it.

    A process made by ``fork`` gets a fresh default generator: seed it there for repeatable numbers.
    """
    return default_generator.manual_seed(seed)


def numpy_generator(generator: Generator | np.random.Generator | None) -> np.random.Generator:
    """What to draw from: the given generator, ours or NumPy's, or the default one."""
    if generator is None:
        return default_generator.numpy
    if isinstance(generator, Generator):
        return generator.numpy
    if isinstance(generator, np.random.Generator):
        return generator
    raise TypeError(f"generator: expected a Generator, got {type(generator).__name__}")
