"""The one device there is, under the names with which programs for PyTorch ask for one.

Every tensor is in the computer's main memory. A program may say so (``device="cpu"``, ``t.to(device)``, ``t.cpu()``) and may
ask for others (``cuda.is_available()``, which is False); only a program that insists on another device meets an error.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class device:
    """Where a tensor is: the CPU.

    Args:
        type: ``"cpu"``, with or without an index as in ``"cpu:0"``, or a device.

    Raises:
        RuntimeError: for any other.

    Example:
        >>> import autograd as ag
        >>> ag.device("cuda" if ag.cuda.is_available() else "cpu")
        device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu") -> None:
        check_device(type, "device")
        self.type = "cpu"
        self.index: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or (isinstance(other, str) and other in _NAMES)

    def __hash__(self) -> int:
        return hash("cpu")

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"


_NAMES = ("cpu", "cpu:0")


def check_device(wanted: Any, where: str) -> None:
    """RuntimeError for a device other than the CPU; None stands for it."""
    if wanted is not None and not isinstance(wanted, device) and not (isinstance(wanted, str) and wanted in _NAMES):
        raise RuntimeError(f"{where}: expected the device 'cpu', which is where all tensors are, got {wanted!r}")


cpu = device()

cuda = SimpleNamespace(is_available=lambda: False, device_count=lambda: 0, manual_seed=int, manual_seed_all=int)
backends = SimpleNamespace(
    mps=SimpleNamespace(is_available=lambda: False),
    cudnn=SimpleNamespace(enabled=False, benchmark=False, deterministic=True),
)
