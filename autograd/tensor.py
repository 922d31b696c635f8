"""The Tensor: an ndarray that remembers the operations applied to it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import versions
from autograd.accumulate import accumulate_grads
from autograd.arrays import as_array, is_floating
from autograd.backward import backpropagate
from autograd.borrowed import Borrowed
from autograd.declare import bind_tensor
from autograd.graph import CONSTANT, LEAF, HookHandle, Hooks, Node, source_node, wrap
from autograd.methods.assignment import AssignmentMethods
from autograd.methods.comparison import ComparisonMethods
from autograd.methods.conversion import ConversionMethods
from autograd.methods.dtype import DtypeMethods
from autograd.methods.elementwise import ElementwiseMethods
from autograd.methods.in_place import InPlaceMethods
from autograd.methods.indexing import IndexingMethods
from autograd.methods.linalg import LinalgMethods
from autograd.methods.making import MakingMethods
from autograd.methods.ordering import OrderingMethods
from autograd.methods.reductions import ReductionMethods
from autograd.methods.refused import RefusedMethods
from autograd.methods.shaping import ShapingMethods
from autograd.ops import elementwise, indexing, linalg


class Tensor(
    ElementwiseMethods,
    InPlaceMethods,
    ReductionMethods,
    ShapingMethods,
    IndexingMethods,
    OrderingMethods,
    LinalgMethods,
    ComparisonMethods,
    ConversionMethods,
    DtypeMethods,
    AssignmentMethods,
    MakingMethods,
    RefusedMethods,
):
    """An n-dimensional array that records what is done to it, so that gradients can be computed.

    Args:
        data: numbers in any nesting, an ndarray or a Tensor. It is copied: later writes to the source change nothing here.
        dtype: float16, float32, float64, an integer type or bool; by default Python floats become float32
            (see ``set_default_dtype``), and arrays keep theirs.
        requires_grad: record operations on this tensor; ``backward()`` then fills its ``grad``.

    Raises:
        TypeError: for other dtypes, masked arrays, and ``requires_grad=True`` on integers.
        ValueError: for ragged sequences.

    Example:
        >>> from autograd import Tensor
        >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_data", "_requires_grad", "node")

    _data: NDArray[Any]
    _requires_grad: bool
    node: Node | None

    __array_priority__ = 1000.0

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            data = data._data
        elif isinstance(data, list | tuple):
            data = _without_tensors(data)
        self._data = np.array(as_array(data, dtype), order="C")
        self._requires_grad = False
        self.node = None
        if requires_grad:
            self.requires_grad_()

    # -------------------------------------------------------------------------------------------- what it is

    @property
    def data(self) -> NDArray[Any]:
        """The values as an ndarray that shares memory. It may be written to: a gradient that needs the old values raises then.

        Assigning an array gives the tensor new values (and, if its shape or dtype is another, a new place in the graph).
        """
        return versions.lend(self._data, watch=self.node is not None).view(Borrowed)

    @data.setter
    def data(self, value: Any) -> None:
        array = value._data if isinstance(value, Tensor) else as_array(value)
        if isinstance(value, np.ndarray) and versions.owner(value) is versions.owner(self._data) and array.shape == self.shape:
            versions.settle_loans(self._data)  # `t.data += 1` writes first, then assigns what it got from here
            return
        former = self._data
        self._data = np.array(array)
        if self.node is not None and (former.shape != array.shape or former.dtype != array.dtype):
            if not self.is_leaf:
                raise RuntimeError(f"data: expected shape {former.shape} and {former.dtype} for a result, got {array.shape}")
            self.node = source_node(self._data, self.node.pullback)

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype."""
        return self._data.dtype

    @property
    def is_leaf(self) -> bool:
        """True for tensors that no recorded op made."""
        return self.node is None or self.node.is_leaf

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this tensor; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def requires_grad(self) -> bool:
        """True when operations on this tensor are recorded."""
        return bool(self._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Starts (or, for a leaf, ends) recording operations on this tensor; returns it."""
        if not self.is_leaf:
            if requires_grad:
                return self
            raise RuntimeError("requires_grad_: expected a leaf, got the result of an operation; use detach() instead")
        if requires_grad and not is_floating(self._data.dtype):
            raise TypeError(f"requires_grad: only floating dtypes can require gradients, got {self._data.dtype}")
        if bool(requires_grad) != self._requires_grad:
            name = self.name
            self.node = source_node(self._data, LEAF) if requires_grad else None
            self._requires_grad = bool(requires_grad)
            if self.node is not None:
                self.node.tensor = weakref.ref(self)
            if name is not None:
                self.name = name
        return self

    @property
    def name(self) -> str | None:
        """A name for graphs and messages."""
        return getattr(self.node, "name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"name: expected a string or None, got {type(value).__name__}")
        if self.node is None:
            self.node = source_node(self._data, CONSTANT)
        if value is None:
            if hasattr(self.node, "name"):
                del self.node.name
        else:
            self.node.name = value

    # -------------------------------------------------------------------------------------------- gradients

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by ``backward()``: a Tensor of this shape and dtype, or None."""
        return getattr(self.node, "grad", None)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is None:
            if self.node is not None:
                self.node.grad = None
            return
        if not isinstance(value, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
        if value.shape != self.shape:
            raise ValueError(f"grad: expected shape {self.shape} like the tensor, got {value.shape}")
        if value.dtype != self.dtype:
            raise TypeError(f"grad: expected dtype {self.dtype} like the tensor, got {value.dtype}")
        if self.node is None:
            raise RuntimeError("grad: expected a tensor that requires grad; call requires_grad_() first")
        self.node.grad = value

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Computes the gradient of this tensor with respect to the leaves, and adds it to their ``grad``.

        Visits the graph once in reverse topological order (Linnainmaa, 1970). If anything raises on the way, no ``grad`` has
        changed.

        Args:
            gradient: the cotangent of this tensor, of its shape; may be left out for a tensor with one element (then 1).
            retain_graph: keep what the graph saved, so that backward can be called again. Default: ``create_graph``.
            create_graph: record the pass, so that the gradients can be differentiated again. ``grad()`` does that without
                a reference cycle from the leaf to its gradient.
            inputs: only these tensors receive a gradient; default: every leaf.

        Raises:
            RuntimeError: for a tensor that does not require grad, a non-scalar without ``gradient``, and a freed graph.
        """
        retain = create_graph if retain_graph is None else retain_graph
        seed = output_seed(self, gradient, create_graph, "backward")
        targets = None
        if inputs is not None:
            chosen = [inputs] if isinstance(inputs, Tensor) else list(inputs)
            if not chosen:
                raise RuntimeError("backward: expected at least one tensor in inputs, got none")
            for tensor in chosen:
                if not isinstance(tensor, Tensor) or not tensor._requires_grad:
                    raise RuntimeError("backward: expected tensors that require grad as inputs")
            targets = [tensor.node for tensor in chosen if tensor.node is not None]
        retained: dict[Node, Any] = {}
        found = backpropagate(
            [graph_node(self)], [seed], targets, retain_graph=retain, create_graph=create_graph, retained=retained
        )
        del seed
        for node, cotangent in retained.items():
            node.grad = None  # of an inner node: the gradient of this pass
            found[node] = cotangent
        retained.clear()
        accumulate_grads(found, create_graph)

    def retain_grad(self) -> None:
        """Asks ``backward()`` to fill ``grad`` of this result too, not only that of leaves."""
        if not self._requires_grad:
            raise RuntimeError("retain_grad: expected a tensor that requires grad")
        if not self.is_leaf:
            self._hooks().retain_grad = True

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Calls ``hook(gradient)`` when the gradient of this tensor has been computed; what it returns takes its place.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        if not self._requires_grad:
            raise RuntimeError("register_hook: expected a tensor that requires grad")
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function, got {type(hook).__name__}")
        return HookHandle(self._hooks().functions, hook)

    def _hooks(self) -> Hooks:
        node = graph_node(self)
        if node.hooks is None:
            node.hooks = Hooks()
        return node.hooks

    def detach(self) -> Tensor:
        """The same values (in shared memory) without a graph."""
        detached = wrap(self._data, None)
        if self.node is not None:  # the buffer may be saved in a graph: writes to it must be watched
            detached.node = source_node(self._data, CONSTANT)
        return detached  # type: ignore[no-any-return]

    def detach_(self) -> Tensor:
        """Leaves the graph: the tensor is a constant from here on."""
        self._requires_grad = False
        self.node = None if self.node is None else source_node(self._data, CONSTANT)
        return self

    def clone(self) -> Tensor:
        """A copy that is part of the graph: gradients flow through it."""
        return elementwise.clone(self)  # type: ignore[no-any-return]

    # -------------------------------------------------------------------------------------------- as an object

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        body = np.array2string(self._data, separator=", ", prefix="tensor(", threshold=1000, edgeitems=3)
        parts = [body]
        if self.dtype not in (np.float32, np.int64, np.bool_) or self._data.size == 0:
            parts.append(f"dtype={self.dtype}")
        if self._data.size == 0 and self.shape != (0,):
            parts.append(f"shape={self.shape}")
        if self._requires_grad:
            parts.append("requires_grad=True" if self.is_leaf else f"grad_fn=<{graph_node(self).op}>")
        return f"tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        if self._data.ndim == 0:
            return format(self._data.item(), spec)
        if spec:
            raise TypeError(f"format: expected a 0-d tensor for {spec!r}, got shape {self.shape}; use .item() or .tolist()")
        return repr(self)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError("deepcopy: expected a leaf, got the result of an operation; use t.detach() or t.clone()")
        copied = object.__new__(type(self))
        memo[id(self)] = copied
        copied._data = self._data.copy()
        copied._requires_grad = False
        copied.node = None
        copied.requires_grad_(self._requires_grad)
        if self.grad is not None:
            copied.grad = wrap(self.grad._data.copy(), None)
        if self.name is not None:
            copied.name = self.name
        return copied

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise RuntimeError("pickle: expected a leaf, got the result of an operation; use t.detach()")
        return type(self), (self._data, None, self.requires_grad)

    # -------------------------------------------------------------------------------------------- operators

    __add__ = __radd__ = elementwise.add
    __sub__ = elementwise.subtract
    __mul__ = __rmul__ = elementwise.multiply
    __truediv__ = elementwise.divide
    __floordiv__ = elementwise.floor_divide
    __mod__ = elementwise.remainder
    __pow__ = elementwise.power
    __matmul__ = linalg.matmul
    __neg__ = elementwise.negative
    __pos__ = elementwise.positive
    __abs__ = elementwise.absolute
    __getitem__ = indexing.getitem

    def __rsub__(self, other: Any) -> Tensor:
        return elementwise.subtract(other, self)  # type: ignore[no-any-return]

    def __rtruediv__(self, other: Any) -> Tensor:
        return elementwise.divide(other, self)  # type: ignore[no-any-return]

    def __rfloordiv__(self, other: Any) -> Tensor:
        return elementwise.floor_divide(other, self)  # type: ignore[no-any-return]

    def __rmod__(self, other: Any) -> Tensor:
        return elementwise.remainder(other, self)  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Tensor:
        return elementwise.power(other, self)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Tensor:
        return linalg.matmul(other, self)  # type: ignore[no-any-return]

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return elementwise.floor_divide(self, other), elementwise.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return elementwise.floor_divide(other, self), elementwise.remainder(other, self)


def is_tensor(value: Any) -> bool:
    """True for a Tensor."""
    return isinstance(value, Tensor)


def is_floating_point(x: Tensor) -> bool:
    """True for a tensor of a dtype that can be differentiated."""
    return is_floating(x.dtype)


def numel(x: Tensor) -> int:
    """The number of elements of a tensor."""
    return int(x._data.size)


def _without_tensors(data: Any) -> Any:
    """Nested sequences with 0-d Tensors replaced by their numbers (without gradient, as in ``torch.tensor``)."""
    if isinstance(data, list | tuple):
        return [_without_tensors(item) for item in data]
    return data._data if isinstance(data, Tensor) else data


def graph_node(tensor: Tensor) -> Node:
    """The node of a tensor that is in a graph."""
    if tensor.node is None:
        raise RuntimeError("expected a tensor that requires grad, got one that does not")
    return tensor.node


def output_seed(output: Tensor, gradient: Any, create_graph: bool, where: str) -> Any:
    """The checked cotangent to start a backward pass with: a private array, or a Tensor under ``create_graph``."""
    if not output._requires_grad:
        raise RuntimeError(
            f"{where}: the tensor does not require grad and has no graph; was it made under no_grad() or detached?"
        )
    if gradient is None:
        if output._data.size != 1:
            raise RuntimeError(
                f"{where}: the root must be a scalar, got shape {output.shape}; pass a gradient or reduce it with sum()"
            )
        seed = np.array(1.0, output._data.dtype)
        if output._data.ndim:
            seed = seed.reshape(output._data.shape)
        return wrap(seed, None) if create_graph else seed
    given = gradient if isinstance(gradient, Tensor) else wrap(as_array(gradient, where=where), None)
    if given.shape != output.shape:
        raise ValueError(f"{where}: expected a gradient of shape {output.shape} like the output, got {given.shape}")
    if create_graph:
        return given.to(output.dtype)
    return np.array(given._data, output.dtype)


bind_tensor(Tensor)
