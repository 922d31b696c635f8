"""Convolution, as three primitives that are each other's derivatives.

The sum over n, o, p of ``g * conv(x, w)`` is linear in each of x (N, C, H, W), w (O, C/groups, kh, kw) and g (N, O, oh, ow).
Leaving one of the three out gives a function of the other two:

    conv(x, w)         the convolution itself (a cross-correlation, as everywhere in deep learning)
    conv_input(g, w)   its adjoint with respect to x: the transposed convolution
    conv_weight(x, g)  its adjoint with respect to w

The derivative of any of them is again one of them, so gradients of every order stay as fast as the first. ``conv_backward``
computes the last two at once, since they share work. The kernels (``_convolving``) multiply matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.declare import internal
from autograd.ops import _convolving
from autograd.ops._windows import Pair, Windows, check_memory, lay, whole
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import reshape


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
    _convolving.conv,
    lambda g, _y, _x, w, *_bias, **static: _conv_input_either(g, w, **static),
    lambda g, _y, x, _w, *_bias, **static: _conv_weight_either(x, g, **static),
    lambda g, _y, _x, _w, *_bias, **_static: _by_channel(g),
    name="conv",
    joint=_conv_rule,
)
_conv_input = internal(
    _convolving.conv_input,
    lambda g, _y, _cotangent, w, **static: _conv_either(g, w, **static),
    lambda g, _y, cotangent, _w, **static: _conv_weight_either(g, cotangent, **static),
    name="conv_input",
)
_conv_weight = internal(
    _convolving.conv_weight,
    lambda g, _y, _x, cotangent, **static: _conv_input_either(cotangent, g, **static),
    lambda g, _y, x, _cotangent, **static: _conv_either(x, g, **static),
    name="conv_weight",
)
_backward = internal(_convolving.conv_backward, name="conv_backward", joint=_backward_rule)
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
