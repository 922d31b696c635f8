"""Layers that learn the size of their input from the first one they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nn.module import Module
from nn.parameter import Parameter, UninitializedParameter


class Lazy(Module):
    """Mixed into a layer, before it: the weight has no shape until the first call (or until a state is loaded).

    The parameter stays the same object, so an optimizer may be made before the first call.
    """

    becomes: ClassVar[type[Module]]
    weight: Parameter

    def infer(self, x: Any) -> None:
        """Sets the sizes that the input tells, and calls :meth:`materialize` with the shape of the weight."""
        raise NotImplementedError(f"{type(self).__name__}: expected an infer method, found none")

    def materialize(self, shape: Sequence[int]) -> None:
        """Gives the weight its shape and all parameters their initial values, unless a state did so before.

        Raises:
            ValueError: if the weight has another shape already.
        """
        if isinstance(self.weight, UninitializedParameter):
            self.weight.materialize(shape)
            self.reset_parameters()
        elif self.weight.shape != tuple(shape):
            raise ValueError(
                f"{type(self).__name__}: expected an input that fits the weight {self.weight.shape} that was loaded, "
                f"got one that asks for {tuple(shape)}"
            )

    def reset_parameters(self) -> None:
        """Draws new initial values, once there is a shape."""
        if not isinstance(self.weight, UninitializedParameter):
            super().reset_parameters()  # type: ignore[misc]

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the layer computes; the first call makes the layer an ordinary one."""
        self.infer(inputs[0])
        self.__class__ = self.becomes  # type: ignore[assignment]
        return self.forward(*inputs, **options)
