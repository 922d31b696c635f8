"""Tensor methods: what NumPy and Python make of a Tensor. Whatever would lose a graph without saying so raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import devices
from autograd.arrays import check_dtype, is_floating
from autograd.declare import functions, ufuncs
from autograd.devices import check_device
from autograd.ops import cast as cast_op

_LEAVE = "use t.detach().numpy() to leave the graph on purpose"


class ConversionMethods:
    """Tensor methods: conversions and NumPy's protocols."""

    __slots__ = ()

    _data: NDArray[Any]
    _requires_grad: Any
    data: Any
    dtype: Any
    shape: Any
    clone: Any
    __getitem__: Any

    def numpy(self) -> NDArray[Any]:
        """The values as an ndarray that shares memory (see ``data``)."""
        if self._requires_grad:
            raise RuntimeError("numpy: expected a tensor that does not require grad; use t.detach().numpy()")
        return self.data.numpy()  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if self._requires_grad:
            raise TypeError("array conversion of a tensor that requires grad would lose its graph; use t.detach().numpy()")
        if dtype is None or np.dtype(dtype) == self.dtype:
            return self._data.copy() if copy else self.numpy()
        if copy is False:
            raise ValueError(f"array conversion: expected dtype {self.dtype} where no copy is allowed, got {np.dtype(dtype)}")
        return self._data.astype(dtype)

    def item(self) -> Any:
        """The only element as a Python number (the graph ends here)."""
        if self._data.size != 1:
            raise ValueError(f"item: expected a tensor with one element, got shape {self.shape}")
        return self._data.item()

    def tolist(self) -> Any:
        """The values as nested Python lists (a number for a 0-d tensor)."""
        return self._data.tolist()

    def to(
        self,
        *target: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,  # noqa: ARG002
        copy: bool = False,
    ) -> Any:
        """The tensor in another dtype.

        Args:
            target: a dtype, a tensor whose dtype is meant, a device, or a device and a dtype.
            dtype, device: the same by name. The only device is ``"cpu"``.
            non_blocking: accepted, since nothing has to be waited for.
            copy: copy the values even where nothing changes.
        """
        wanted = wanted_dtype(target, dtype, device, "to")
        if wanted is None or wanted == self.dtype:
            return self.clone() if copy else self
        return cast_op.cast(self, wanted)

    def type(self, dtype: Any) -> Any:
        """The tensor in another dtype."""
        return self.to(dtype)

    def is_floating_point(self) -> bool:
        """True for the dtypes that can be differentiated."""
        return is_floating(self.dtype)

    def astype(self, dtype: Any) -> Any:
        """A copy in another dtype; gradients are cast back."""
        return cast_op.cast(self, check_dtype(dtype, "astype"))

    def type_as(self, other: Any) -> Any:
        """The tensor in the dtype of another."""
        return self.to(other.dtype)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.ndim != 0 or self._data.dtype.kind not in "iu":
            raise TypeError(f"index: expected an integer 0-d tensor, got {self.dtype} of shape {self.shape}")
        return int(self._data)

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(
                f"bool: the truth value of a tensor of shape {self.shape} is ambiguous; use (t != 0).any() or .all()"
            )
        return bool(self._data.item())

    def copy(self) -> Any:
        """A copy that is part of the graph: NumPy's name of ``clone``."""
        return self.clone()

    def __complex__(self) -> complex:
        return complex(self.item())

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise TypeError("len: expected a tensor with an axis, got a 0-d tensor")
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if self._data.ndim == 0:
            raise TypeError("iter: expected a tensor with an axis, got a 0-d tensor")
        return (self[index] for index in range(self._data.shape[0]))

    # -------------------------------------------------------------------------------------------- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            handler = ufuncs.get(ufunc)
            name = ufunc.__name__
        else:
            handler = functions.get((ufunc, method))
            name = f"{ufunc.__name__}.{method}"
            if method == "outer" and ufunc.nin == 2 and ufunc.signature is None and ufunc in ufuncs:
                first, second = inputs
                return self.__array_ufunc__(ufunc, "__call__", _with_axes(first, np.ndim(second)), second, **options)
        if handler is None:
            raise TypeError(f"np.{name}: has no derivative here; {_LEAVE}")
        if options:
            _check_options(name, options, _UFUNC_OPTIONS if method == "__call__" else ())
        return handler(*inputs, **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        handler = functions.get(func)
        if handler is None:
            raise TypeError(f"np.{func.__name__}: is not defined for Tensors; {_LEAVE}")
        if "out" in options:
            options = dict(options)
            _check_options(func.__name__, options, ())
        return handler(*args, **options)

    @property
    def _mask(self) -> Any:
        # numpy.ma reads the attributes _data and _mask of whatever it meets: without this it would take the one and go
        raise TypeError(f"np.ma: expected plain arrays with a masked array, got a Tensor; {_LEAVE}")


_UFUNC_OPTIONS = ("where", "casting", "order", "dtype", "subok", "signature", "axes")


def wanted_dtype(target: tuple[Any, ...], dtype: Any, device: Any, where: str) -> Any:
    """The dtype among the arguments of ``to``, or None; devices are checked and left out."""
    check_device(device, where)
    for each in target:
        if isinstance(each, bool):  # non_blocking and copy have no meaning here
            continue
        if isinstance(each, devices.device) or (isinstance(each, str) and each.split(":")[0] in ("cpu", "cuda", "mps")):
            check_device(each, where)
        elif each is not None:
            dtype = getattr(each, "dtype", each) if isinstance(each, ConversionMethods) else each
    return None if dtype is None else check_dtype(dtype, where)


def _check_options(name: str, options: dict[str, Any], refused: tuple[str, ...]) -> None:
    """Refuses keywords of NumPy that recorded ops do not have; ``out=None`` says nothing and is taken away."""
    if options.pop("out", None) is not None:
        raise TypeError(f"np.{name}: expected no out= with Tensors; assign the result instead")
    for option in refused:
        if option in options:
            raise TypeError(f"np.{name}: expected no {option}= with Tensors; use where() or astype() on the result")


def _with_axes(value: Any, count: int) -> Any:
    """The value with axes of size 1 at its end, so that it broadcasts against each element of an array with ``count`` axes."""
    if not np.shape(value):
        return value
    return np.reshape(value, np.shape(value) + (1,) * count)
