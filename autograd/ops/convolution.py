"""Convolution, as three primitives that are each other's derivatives.

The sum over n, o, p of ``g * conv(x, w)`` is linear in each of x (N, C, H, W), w (O, C/groups, kh, kw) and g (N, O, oh, ow).
Leaving one of the three out gives a function of the other two:

    conv(x, w)         the convolution itself (a cross-correlation, as everywhere in deep learning)
    conv_input(g, w)   its adjoint with respect to x: the transposed convolution
    conv_weight(x, g)  its adjoint with respect to w

The derivative of any of them is again one of them, so gradients of every order stay as fast as the first.

The kernels multiply matrices: the windows of some samples are copied to columns (see ``_columns``), side by side, and BLAS does
the rest in one product. One large product is nearly twice as fast as one for each sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.ops._columns import Columns
from autograd.ops._windows import Pair, Windows, border, check_memory, lay, padded, whole
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import reshape
from autograd.primitive import internal

CHUNK = 3 << 19  # elements of columns at a time: whatever the batch, im2col needs no more memory than this (or one row)


def _wide(*arrays: Array) -> list[Array]:
    """Arrays of one dtype; float16 is summed in float32."""
    dtype = np.result_type(*arrays)
    return [array.astype(np.float32 if dtype == np.float16 else dtype, copy=False) for array in arrays]


def _pieces(samples: int, channels: int, at: Windows) -> Iterator[tuple[slice, slice, Windows]]:
    """Samples and rows of windows whose columns are at most CHUNK elements (but at least one row of one sample)."""
    rows, width = at.grid
    row = max(1, channels * math.prod(at.kernel) * width)
    if row * rows <= CHUNK:
        count = -(-samples // (CHUNK // max(1, row * rows)))  # pieces, as equal as can be
        for number in range(count):
            yield slice(number * samples // count, (number + 1) * samples // count), slice(0, rows), at
        return
    height = max(1, CHUNK // row)
    for sample in range(samples):
        for start in range(0, rows, height):
            part = min(height, rows - start)
            yield slice(sample, sample + 1), slice(start, start + part), at._replace(grid=(part, width))


class _Room:
    """The ``Columns`` for one piece after the other, made anew only where the size changes."""

    def __init__(self, channels: int, dtype: Any) -> None:
        self.channels, self.dtype = channels, dtype
        self.made: tuple[Any, Columns] | None = None

    def columns(self, samples: slice, at: Windows) -> Columns:
        size = (samples.stop - samples.start, at)
        if self.made is None or self.made[0] != size:
            self.made = None  # not two at a time
            self.made = size, Columns(self.channels, size[0], at, self.dtype)
        return self.made[1]


def _unpadded(x: Array, at: Windows) -> tuple[Array, Windows]:
    """Images whose windows are cut by rows get their padding now: a band of them begins anywhere."""
    if x.shape[1] * math.prod(at.kernel) * math.prod(at.grid) <= CHUNK:
        return x, at
    return padded(x, at.padding), at._replace(padding=((0, 0), (0, 0)))


def _band(x: Array, samples: slice, rows: slice, at: Windows) -> Array:
    """The part of the images that the windows of these samples and rows look at."""
    return x[samples, :, rows.start * at.stride[0] :]


def _by_group(w: Array, groups: int) -> Array:
    """(O, C/groups, kh, kw) -> (groups, O/groups, C/groups kh kw)"""
    return w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:]))


def _side_by_side(y: Array, groups: int) -> Array:
    """(n, C, h, w) -> (groups, C/groups, n h w)"""
    return np.ascontiguousarray(y.swapaxes(0, 1)).reshape(groups, y.shape[1] // groups, -1)


def _conv_kernel(x: Array, w: Array, *bias: Array, at: Windows, size: Pair, groups: int) -> Array:  # noqa: ARG001
    dtype = np.result_type(x, w, *bias)
    x, w = _wide(x, w)
    (n, c), o = x.shape[:2], w.shape[0]
    matrix = _by_group(w, groups)
    y = np.empty((n, o, *at.grid), x.dtype)
    x, at = _unpadded(x, at)
    room = _Room(c, x.dtype)
    for samples, rows, part in _pieces(n, c, at):
        columns = room.columns(samples, part).of(_band(x, samples, rows, at))
        product = np.matmul(matrix, columns.reshape(groups, matrix.shape[2], -1)).reshape(o, -1, *part.grid)
        out = y[samples, :, rows].swapaxes(0, 1)
        if bias:
            np.add(product, bias[0].reshape(-1, 1, 1, 1), out=out)
        else:
            out[...] = product
    return np.asarray(y, dtype)


def _turned(w: Array, groups: int) -> Array:
    """The weight (C, O/groups, kh, kw) of the convolution that takes g back to x, where the stride is 1."""
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])[..., ::-1, ::-1].swapaxes(1, 2)
    return np.ascontiguousarray(w).reshape(-1, *w.shape[2:])


def _back(at: Windows, size: Pair, channels: int, out_channels: int) -> Windows | None:
    """The windows on g whose convolution is the gradient of the images; None where adding columns to images is quicker.

    It has the columns of g to make, kh kw O H W elements, instead of kh kw C oh ow sums. But then they do for the gradient of
    the weight, too; and an element that is copied costs half of one that is added.
    """
    if at.stride != (1, 1) or out_channels * math.prod(size) > 2 * channels * math.prod(at.grid):
        return None
    pads = []
    for k, d, (before, behind) in zip(at.kernel, at.dilation, at.padding, strict=True):
        pads.append((d * (k - 1) - before, d * (k - 1) - behind))
    if min(min(pad) for pad in pads) < 0:
        return None
    return at._replace(padding=(pads[0], pads[1]), grid=size)


def _input_kernel(g: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> Array:
    dtype = np.result_type(g, w)
    g, w = _wide(g, w)
    n, c = g.shape[0], w.shape[1] * groups
    back = _back(at, size, c, g.shape[1])
    if back is not None:
        return np.asarray(_conv_kernel(g, _turned(w, groups), at=back, size=at.grid, groups=groups), dtype)
    matrix = np.swapaxes(_by_group(w, groups), 1, 2)  # (groups, C/groups kh kw, O/groups)
    inner: Any = (slice(None), slice(None))
    whole_size = size
    if c * math.prod(at.kernel) * math.prod(at.grid) > CHUNK:  # by rows: see _unpadded
        whole_size, *rest = border(size, at.padding)
        inner, at = (*inner, *rest), at._replace(padding=((0, 0), (0, 0)))
    x = np.zeros((n, c, *whole_size), g.dtype)
    room = _Room(c, g.dtype)
    for samples, rows, part in _pieces(n, c, at):
        piece = _side_by_side(g[samples, :, rows], groups)
        place = room.columns(samples, part)
        columns = place.columns.reshape(groups, matrix.shape[1], -1)
        # with one channel a group the sum has one term, and matmul, which then leaves BLAS aside, is the slower one
        (np.multiply if matrix.shape[2] == 1 else np.matmul)(matrix, piece, out=columns)
        place.add_to(_band(x, samples, rows, at))
    return np.ascontiguousarray(x[inner]).astype(dtype, copy=False)


def _weight_kernel(x: Array, g: Array, *, at: Windows, size: Pair, groups: int) -> Array:
    dtype = np.result_type(x, g)
    x, g = _wide(x, g)
    (n, c), o = x.shape[:2], g.shape[1]
    back = _back(at, size, c, o)
    if back is not None:
        return _by_columns_of_g(g, x, None, back, at, groups)[1].astype(dtype, copy=False)
    depth = c // groups * math.prod(at.kernel)
    total = np.zeros((groups, o // groups, depth), x.dtype)
    kernel = at.kernel
    x, at = _unpadded(x, at)
    room = _Room(c, x.dtype)
    for samples, rows, part in _pieces(n, c, at):
        columns = room.columns(samples, part).of(_band(x, samples, rows, at)).reshape(groups, depth, -1)
        total += np.matmul(_side_by_side(g[samples, :, rows], groups), columns.swapaxes(1, 2))
    return total.reshape(o, c // groups, *kernel).astype(dtype, copy=False)


def _by_columns_of_g(
    g: Array, x: Array, w: Array | None, back: Windows, at: Windows, groups: int
) -> tuple[Array | None, Array]:
    """The gradients of the images (without w: None) and of the weight, from the columns of g that ``_back`` speaks of."""
    (n, c), o, size = x.shape[:2], g.shape[1], back.grid
    depth = o // groups * math.prod(at.kernel)
    dx, dw = None, np.zeros((groups, c // groups, depth), x.dtype)
    if w is not None:
        dx, matrix = np.empty_like(x), _turned(w, groups).reshape(groups, c // groups, depth)
    g, back = _unpadded(g, back)
    room = _Room(o, x.dtype)
    for samples, rows, part in _pieces(n, o, back):
        columns = room.columns(samples, part).of(_band(g, samples, rows, back)).reshape(groups, depth, -1)
        if dx is not None:
            dx[samples, :, rows].swapaxes(0, 1)[...] = np.matmul(matrix, columns).reshape(c, -1, part.grid[0], size[1])
        dw += np.matmul(_side_by_side(x[samples, :, rows], groups), columns.swapaxes(1, 2))
    return dx, _turned(dw.reshape(c, o // groups, *at.kernel), groups)


def _backward_kernel(g: Array, x: Array, w: Array, *, at: Windows, size: Pair, groups: int) -> tuple[Array, Array]:
    """The gradients of the images and of the weight; from the same columns of g, where that pays."""
    back = _back(at, size, x.shape[1], g.shape[1])
    if back is None:
        return (_input_kernel(g, w, at=at, size=size, groups=groups), _weight_kernel(x, g, at=at, size=size, groups=groups))
    dtypes = np.result_type(g, w), np.result_type(x, g)
    g, x, w = _wide(g, x, w)
    dx, dw = _by_columns_of_g(g, x, w, back, at, groups)
    return np.asarray(dx, dtypes[0]), np.asarray(dw, dtypes[1])


def _by_channel(g: Any) -> Any:
    """The sum of a cotangent (n, C, h, w) for each channel; a product with ones takes a third of the time of ``np.sum``."""
    if g.dtype == np.float16:
        return np.sum(g, axis=(0, 2, 3))
    length = g.shape[2] * g.shape[3]
    return np.sum(np.matmul(np.reshape(g, (*g.shape[:2], length)), np.ones(length, g.dtype)), axis=0)


def _conv_rule(g: Any, wanted: tuple[bool, ...], _y: Any, x: Any, w: Any, *_bias: Any, **static: Any) -> list[Any]:
    found: list[Any] = [None] * len(wanted)
    if wanted[0] and wanted[1]:
        found[:2] = _backward_either(g, x, w, **static)
    elif wanted[0]:
        found[0] = _conv_input_either(g, w, **static)
    elif wanted[1]:
        found[1] = _conv_weight_either(x, g, **static)
    if len(wanted) > 2 and wanted[2]:
        found[2] = _by_channel(g)
    return found


def _backward_rule(g: Any, wanted: tuple[bool, ...], _y: Any, cotangent: Any, x: Any, w: Any, **static: Any) -> list[Any]:
    """Both outputs are bilinear: of (cotangent, w) and of (cotangent, x)."""
    by_x, by_w = g
    found: list[Any] = [None, None, None]
    if wanted[0]:
        parts = [_conv_either(by_x, w, **static)] if by_x is not None else []
        parts += [_conv_either(x, by_w, **static)] if by_w is not None else []
        found[0] = sum(parts[1:], parts[0])
    if wanted[1] and by_w is not None:
        found[1] = _conv_input_either(cotangent, by_w, **static)
    if wanted[2] and by_x is not None:
        found[2] = _conv_weight_either(by_x, cotangent, **static)
    return found


_conv = internal(
    _conv_kernel,
    lambda g, _y, _x, w, *_bias, **static: _conv_input_either(g, w, **static),
    lambda g, _y, x, _w, *_bias, **static: _conv_weight_either(x, g, **static),
    lambda g, _y, _x, _w, *_bias, **_static: _by_channel(g),
    name="conv",
    joint=_conv_rule,
)
_conv_input = internal(
    _input_kernel,
    lambda g, _y, _cotangent, w, **static: _conv_either(g, w, **static),
    lambda g, _y, cotangent, _w, **static: _conv_weight_either(g, cotangent, **static),
    name="conv_input",
)
_conv_weight = internal(
    _weight_kernel,
    lambda g, _y, _x, cotangent, **static: _conv_input_either(cotangent, g, **static),
    lambda g, _y, x, _cotangent, **static: _conv_either(x, g, **static),
    name="conv_weight",
)
_backward = internal(_backward_kernel, name="conv_backward", joint=_backward_rule)
_conv_either: Callable[..., Any] = in_rules(_conv)
_conv_input_either: Callable[..., Any] = in_rules(_conv_input)
_conv_weight_either: Callable[..., Any] = in_rules(_conv_weight)
_backward_either: Callable[..., Any] = in_rules(_backward)


# ------------------------------------------------------------------------------------------------ what users call


def _operands(x: Any, weight: Any, bias: Any, axes: int, groups: Any, transposed: bool, op: str) -> tuple[Any, Any, Any, int]:
    """The checked tensors, with a batch axis, and the groups."""
    x, weight = tensor_of(x, op), tensor_of(weight, op)
    letters = ", ".join("HW" if axes == 2 else "L")
    if weight.ndim != axes + 2:
        raise ValueError(f"{op}: expected a weight with {axes + 2} axes, got shape {weight.shape}")
    if x.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{op}: expected an input (N, C, {letters}) or (C, {letters}), got shape {x.shape}")
    if x.dtype.kind != "f" or weight.dtype.kind != "f":
        raise TypeError(f"{op}: expected floating dtypes, got {x.dtype} and {weight.dtype}; convert with .astype()")
    groups = whole(groups, op, "groups", 1)[0]
    channels = x.shape[-axes - 1]
    if 0 in weight.shape[2:]:
        raise ValueError(f"{op}: expected a window of at least one element, got a weight of shape {weight.shape}")
    if weight.shape[0] % groups or channels % groups:
        raise ValueError(f"{op}: expected channels that {groups} groups divide, got {channels} and weight {weight.shape}")
    needed = weight.shape[0] if transposed else weight.shape[1] * groups
    if channels != needed:
        raise ValueError(
            f"{op}: expected {needed} input channels for a weight of shape {weight.shape} and groups={groups}, "
            f"got {channels} in shape {x.shape}"
        )
    if bias is not None:
        bias = tensor_of(bias, op)
        out = weight.shape[1] * groups if transposed else weight.shape[0]
        if bias.shape != (out,):
            raise ValueError(f"{op}: expected a bias of shape ({out},), got {bias.shape}")
    return (x if x.ndim == axes + 2 else reshape(x, (1, *x.shape))), weight, bias, groups


def _pads(padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], op: str) -> list[Pair]:
    """What is added before and behind each axis."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        if any(step != 1 for step in stride):
            raise ValueError(f"{op}: expected stride 1 with padding 'same', got {stride}")
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(padding, str):
        raise ValueError(f"{op}: expected padding 'same', 'valid' or whole numbers, got {padding!r}")
    return [(p, p) for p in whole(padding, op, "padding", len(kernel), 0)]


def _as_image(x: Any) -> Any:
    """A signal (N, C, L), or the weight of one, as an image of height 1."""
    return reshape(x, (*x.shape[:2], 1, x.shape[2]))


def _convolve(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any, axes: int) -> Any:
    op = f"conv{axes}d"
    images, weight, bias, groups = _operands(x, weight, bias, axes, groups, False, op)
    kernel = weight.shape[2:]
    step, spread = whole(stride, op, "stride", axes), whole(dilation, op, "dilation", axes)
    pads = _pads(padding, kernel, step, spread, op)
    if axes == 1:
        images, weight = _as_image(images), _as_image(weight)
        kernel, step, spread, pads = (1, *kernel), (1, *step), (1, *spread), [(0, 0), *pads]
    at = lay(images.shape[2:], kernel, step, spread, (pads[0], pads[1]), op)
    check_memory((images.shape[0], weight.shape[0], *at.grid), images.dtype, op)
    more = () if bias is None else (bias,)
    y = _conv(images, weight, *more, at=at, size=tuple(images.shape[2:]), groups=groups)
    return _as_given(y, np.ndim(x) - axes, axes)


def _as_given(y: Any, leading: int, axes: int) -> Any:
    """A result (N, C, H, W) without the axes that the input did not have."""
    shape = y.shape[2 - leading : 2] + y.shape[4 - axes :]
    return y if shape == y.shape else reshape(y, shape)


def conv1d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """The convolution of signals (strictly, their cross-correlation), differentiable to any order.

    y[n, o, i] = bias[o] + sum over c, k of weight[o, c, k] x[n, c, i stride + k dilation - padding]

    Args:
        x: (N, C, L) or (C, L).
        weight: (O, C / groups, k).
        bias: (O,) or None.
        stride, dilation: whole numbers.
        padding: zeros at both ends: a whole number, "valid" (none) or "same" (the result is as long as the input).
        groups: the channels are cut into so many groups that do not mix.

    Raises:
        ValueError: for shapes that do not fit and windows larger than the padded input.
    """
    return _convolve(x, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """The convolution of images (strictly, their cross-correlation), differentiable to any order.

    y[n, o, i, j] = bias[o] + sum over c, k, l of weight[o, c, k, l] x[n, c, i stride + k dilation - padding, likewise j, l]

    Args:
        x: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, kh, kw).
        bias: (O,) or None.
        stride, dilation: a whole number, or one for the height and one for the width.
        padding: likewise, zeros around the image; or "valid" (none), or "same" (the result has the size of the input).
        groups: the channels are cut into so many groups that do not mix.

    Raises:
        ValueError: for shapes that do not fit and windows larger than the padded input.

    Example:
        >>> import autograd as ag
        >>> ag.conv2d(ag.ones((1, 1, 7, 7)), ag.ones((1, 1, 3, 3)), dilation=2, stride=2, padding=1).shape
        (1, 1, 3, 3)
    """
    return _convolve(x, weight, bias, stride, padding, dilation, groups, 2)


def _transposed(
    x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: Any, dilation: Any, axes: int
) -> Any:
    op = f"conv_transpose{axes}d"
    images, weight, bias, groups = _operands(x, weight, bias, axes, groups, True, op)
    kernel = tuple(weight.shape[2:])
    step, spread = whole(stride, op, "stride", axes), whole(dilation, op, "dilation", axes)
    pads, extra = whole(padding, op, "padding", axes, 0), whole(output_padding, op, "output_padding", axes, 0)
    for e, s, d in zip(extra, step, spread, strict=True):
        if e >= max(s, d):
            raise ValueError(f"{op}: expected output_padding less than stride or dilation, got {output_padding!r}")
    size = tuple(
        (length - 1) * s - 2 * p + d * (k - 1) + e + 1
        for length, s, p, d, k, e in zip(images.shape[2:], step, pads, spread, kernel, extra, strict=True)
    )
    if min(size) < 1:
        raise ValueError(f"{op}: expected a result with at least one element, got size {size}; use less padding")
    if axes == 1:
        images, weight = _as_image(images), _as_image(weight)
        kernel, step, spread, pads, size = (1, *kernel), (1, *step), (1, *spread), (0, *pads), (1, *size)
    count = (images.shape[2], images.shape[3])
    padding = ((pads[0], pads[0]), (pads[1], pads[1]))
    at = Windows((kernel[0], kernel[1]), (step[0], step[1]), (spread[0], spread[1]), padding, count)
    check_memory((images.shape[0], weight.shape[1] * groups, *size), images.dtype, op)
    y = _conv_input(images, weight, at=at, size=size, groups=groups)
    if bias is not None:
        y = y + reshape(bias, (-1, 1, 1))
    return _as_given(y, np.ndim(x) - axes, axes)


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution of signals, the adjoint of ``conv1d``.

    Args:
        x: (N, C, L) or (C, L).
        weight: (C, O / groups, k).
        bias: (O,) or None.
        stride, padding, dilation, groups: of the convolution that this is the adjoint of.
        output_padding: elements more at the end of the result, whose length is
            (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1.
    """
    return _transposed(x, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution of images, the adjoint of ``conv2d``; the arguments are those of ``conv_transpose1d``.

    Args:
        x: (N, C, H, W) or (C, H, W).
        weight: (C, O / groups, kh, kw).
        bias: (O,) or None.
        stride, padding, output_padding, dilation: a whole number, or one for the height and one for the width.
        groups: as in ``conv2d``.
    """
    return _transposed(x, weight, bias, stride, padding, output_padding, groups, dilation, 2)
