"""Tensor methods: reductions, scans and softmax. PyTorch's signatures; with ``axis=`` the answer has NumPy's form."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd.methods._names import ABSENT, one_of
from autograd.ops import norms, ordering, reductions, scans, softmax
from autograd.ops.indexing import take_along_axis
from autograd.ops.selection import maximum, minimum
from autograd.primitive import constant


class Extreme(NamedTuple):
    """The greatest or least elements along an axis and their positions."""

    values: Any
    indices: Any


def _extreme(self: Any, name: str, dim: Any, keep: bool, axis: Any) -> Any:
    function = getattr(reductions, name)
    if axis is not ABSENT or dim is ABSENT:
        return function(self, one_of(name, dim, axis), keepdims=keep)
    if hasattr(dim, "_data") or hasattr(dim, "__array__"):
        return (maximum if name == "max" else minimum)(self, dim)
    position = ordering.argmax if name == "max" else ordering.argmin
    indices = position(self, dim, keepdims=True)
    values = take_along_axis(self, indices, dim)
    if keep:
        return Extreme(values, constant(indices))
    return Extreme(values.squeeze(dim), constant(indices.squeeze(dim)))


class ReductionMethods:
    """Tensor methods: reductions, scans and softmax."""

    __slots__ = ()

    def sum(
        self, dim: Any = ABSENT, keepdim: bool = False, *, dtype: Any = None, axis: Any = ABSENT, keepdims: bool = False
    ) -> Any:
        """The sum over axes (all without one)."""
        if dim is ABSENT and axis is ABSENT and dtype is None and not keepdim and not keepdims:
            return reductions._sum(self)
        return reductions.sum(self, one_of("sum", dim, axis), dtype, keepdims=keepdim or keepdims)

    def mean(
        self, dim: Any = ABSENT, keepdim: bool = False, *, dtype: Any = None, axis: Any = ABSENT, keepdims: bool = False
    ) -> Any:
        """The mean over axes."""
        return reductions.mean(self, one_of("mean", dim, axis), dtype, keepdims=keepdim or keepdims)

    def prod(
        self, dim: Any = ABSENT, keepdim: bool = False, *, dtype: Any = None, axis: Any = ABSENT, keepdims: bool = False
    ) -> Any:
        """The product over axes."""
        return reductions.prod(self, one_of("prod", dim, axis), dtype, keepdims=keepdim or keepdims)

    def max(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The greatest element; with ``dim`` the pair (values, indices); with another tensor the elementwise maximum."""
        return _extreme(self, "max", dim, keepdim or keepdims, axis)

    def min(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The least element; with ``dim`` the pair (values, indices); with another tensor the elementwise minimum."""
        return _extreme(self, "min", dim, keepdim or keepdims, axis)

    def amax(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The greatest element over axes; ties share the gradient."""
        return reductions.amax(self, one_of("amax", dim, axis), keepdims=keepdim or keepdims)

    def amin(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The least element over axes; ties share the gradient."""
        return reductions.amin(self, one_of("amin", dim, axis), keepdims=keepdim or keepdims)

    def aminmax(self, *, dim: Any = None, keepdim: bool = False) -> tuple[Any, Any]:
        """The least and the greatest element."""
        return reductions.amin(self, dim, keepdims=keepdim), reductions.amax(self, dim, keepdims=keepdim)

    def _spread(self, function: Any, dim: Any, unbiased: Any, keep: bool, correction: Any, axis: Any, ddof: Any) -> Any:
        if axis is not ABSENT or ddof is not None:
            return function(self, one_of("var", dim, axis), ddof=ddof or 0, keepdims=keep)
        if isinstance(dim, bool):
            dim, unbiased = ABSENT, dim
        if correction is None:
            correction = 1 if unbiased is None or unbiased else 0
        return function(self, None if dim is ABSENT else dim, ddof=correction, keepdims=keep)

    def var(
        self,
        dim: Any = ABSENT,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
        axis: Any = ABSENT,
        ddof: float | None = None,
        keepdims: bool = False,
    ) -> Any:
        """The variance: unbiased (divided by n - 1) unless said otherwise; with ``axis=`` NumPy's, divided by n - ddof."""
        return self._spread(reductions.var, dim, unbiased, keepdim or keepdims, correction, axis, ddof)

    def std(
        self,
        dim: Any = ABSENT,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
        axis: Any = ABSENT,
        ddof: float | None = None,
        keepdims: bool = False,
    ) -> Any:
        """The standard deviation, with the conventions of ``var``."""
        return self._spread(reductions.std, dim, unbiased, keepdim or keepdims, correction, axis, ddof)

    def var_mean(self, dim: Any = ABSENT, unbiased: bool | None = None, keepdim: bool = False) -> tuple[Any, Any]:
        """The variance and the mean."""
        return self.var(dim, unbiased, keepdim), self.mean(dim, keepdim)

    def std_mean(self, dim: Any = ABSENT, unbiased: bool | None = None, keepdim: bool = False) -> tuple[Any, Any]:
        """The standard deviation and the mean."""
        return self.std(dim, unbiased, keepdim), self.mean(dim, keepdim)

    def norm(self, p: Any = 2, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The p-norm of all elements, or over axes; "fro" and "nuc" as in ``norm``; with ``axis=`` NumPy's norm."""
        if axis is not ABSENT:
            return norms.norm(self, p, one_of("norm", dim, axis), keepdims=keepdims)
        along = None if dim is ABSENT else dim
        if p == "nuc":
            return norms.norm(self, p, along, keepdims=keepdim or keepdims)
        return norms.vector_norm(self, 2 if p is None or p == "fro" else p, along, keepdims=keepdim or keepdims)

    def dist(self, other: Any, p: float = 2) -> Any:
        """The p-norm of the difference."""
        return norms.vector_norm(self - other, p)

    def ptp(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The range over axes: max - min."""
        return reductions.ptp(self, axis, keepdims=keepdims)

    def nansum(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The sum of what is not nan."""
        return reductions.nansum(self, one_of("nansum", dim, axis), keepdims=keepdim or keepdims)

    def nanmean(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """The mean of what is not nan."""
        return reductions.nanmean(self, one_of("nanmean", dim, axis), keepdims=keepdim or keepdims)

    def any(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """True where an element is not 0."""
        return constant(reductions.any(self, one_of("any", dim, axis), keepdims=keepdim or keepdims))

    def all(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """True where no element is 0."""
        return constant(reductions.all(self, one_of("all", dim, axis), keepdims=keepdim or keepdims))

    def count_nonzero(self, dim: Any = ABSENT, *, axis: Any = ABSENT) -> Any:
        """How many elements are not 0."""
        return constant(reductions.count_nonzero(self, one_of("count_nonzero", dim, axis)))

    # ------------------------------------------------------------------------------------------------ scans

    def cumsum(self, dim: Any = ABSENT, *, dtype: Any = None, axis: Any = ABSENT) -> Any:
        """The running sum along an axis."""
        return scans.cumsum(self, one_of("cumsum", dim, axis), dtype)

    def cumprod(self, dim: Any = ABSENT, *, dtype: Any = None, axis: Any = ABSENT) -> Any:
        """The running product along an axis."""
        return scans.cumprod(self, one_of("cumprod", dim, axis), dtype)

    def diff(self, n: int = 1, dim: Any = ABSENT, *, axis: Any = ABSENT) -> Any:
        """The n-th difference along an axis (the last one)."""
        return scans.diff(self, n, one_of("diff", dim, axis, -1))

    # ------------------------------------------------------------------------------------------------ softmax

    def softmax(self, dim: Any = ABSENT, dtype: Any = None, *, axis: Any = ABSENT) -> Any:
        """exp(x) / sum(exp(x)) along an axis."""
        x: Any = self
        return softmax.softmax(x if dtype is None else x.to(dtype), one_of("softmax", dim, axis, -1))

    def log_softmax(self, dim: Any = ABSENT, dtype: Any = None, *, axis: Any = ABSENT) -> Any:
        """The logarithm of softmax along an axis."""
        x: Any = self
        return softmax.log_softmax(x if dtype is None else x.to(dtype), one_of("log_softmax", dim, axis, -1))

    def logsumexp(self, dim: Any = ABSENT, keepdim: bool = False, *, axis: Any = ABSENT, keepdims: bool = False) -> Any:
        """log(sum(exp(x))) over axes."""
        return softmax.logsumexp(self, one_of("logsumexp", dim, axis), keepdim or keepdims)
