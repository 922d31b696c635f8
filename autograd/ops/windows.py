"""Sliding windows over images as columns: ``unfold`` and ``fold``, which are each other's adjoint."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import Array
from autograd.declare import internal
from autograd.ops._windows import Pair, Windows, border, check_memory, lay, lay_down, padded, view, whole
from autograd.ops.gate import in_rules
from autograd.ops.reductions import tensor_of
from autograd.ops.shaping import reshape


def _unfold_kernel(x: Array, *, at: Windows, size: Pair) -> Array:  # noqa: ARG001
    n, c = x.shape[:2]
    columns = np.array(view(padded(x, at.padding), at), order="C")  # windows of one element are x itself: copied, too
    return columns.reshape(n, c * math.prod(at.kernel), math.prod(at.grid))


def _fold_kernel(columns: Array, *, at: Windows, size: Pair) -> Array:
    n, c = columns.shape[0], columns.shape[1] // math.prod(at.kernel)
    wide, rows, cols = border(size, at.padding)
    dtype = columns.dtype if columns.dtype != np.float16 else np.dtype(np.float32)
    out = np.zeros((n, c, *wide), dtype)
    lay_down(columns.reshape(n, c, *at.kernel, *at.grid), out, at)
    return np.ascontiguousarray(out[:, :, rows, cols]).astype(columns.dtype, copy=False)


_unfold = internal(_unfold_kernel, lambda g, _y, _x, *, at, size: _fold_either(g, at=at, size=size), name="unfold")
_fold = internal(_fold_kernel, lambda g, _y, _x, *, at, size: _unfold_either(g, at=at, size=size), name="fold")
_unfold_either: Callable[..., Any] = in_rules(_unfold)
_fold_either: Callable[..., Any] = in_rules(_fold)


def _symmetric(padding: tuple[int, ...]) -> tuple[Pair, Pair]:
    return (padding[0], padding[0]), (padding[1], padding[1])


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of images as columns: (N, C, H, W) -> (N, C kh kw, L), the adjoint of ``fold``.

    Args:
        x: images (N, C, H, W), or one image (C, H, W).
        kernel_size, dilation, padding, stride: a number, or one for the height and one for the width.

    Returns:
        (N, C kh kw, L) with L windows, row by row; (C kh kw, L) for one image.

    Raises:
        ValueError: where no window fits.
        MemoryError: if the windows would not fit into memory; nothing is allocated then.

    Example:
        >>> import numpy as np, autograd as ag
        >>> ag.unfold(ag.tensor(np.arange(9.0).reshape(1, 3, 3)), 2)
        tensor([[0., 1., 3., 4.],
                [1., 2., 4., 5.],
                [3., 4., 6., 7.],
                [4., 5., 7., 8.]], dtype=float64)
    """
    x = tensor_of(x, "unfold")
    if x.ndim not in (3, 4):
        raise ValueError(f"unfold: expected images (N, C, H, W) or one image (C, H, W), got shape {x.shape}")
    kernel, step = whole(kernel_size, "unfold", "kernel_size"), whole(stride, "unfold", "stride")
    spread, pads = whole(dilation, "unfold", "dilation"), whole(padding, "unfold", "padding", least=0)
    images = x if x.ndim == 4 else reshape(x, (1, *x.shape))
    at = lay(images.shape[2:], kernel, step, spread, _symmetric(pads), "unfold")
    n, c, h, w = images.shape
    check_memory((n, c * math.prod(kernel), math.prod(at.grid)), x.dtype, "unfold")
    columns = _unfold(images, at=at, size=(h, w))
    return columns if x.ndim == 4 else reshape(columns, columns.shape[1:])


def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns of windows added up to images: (N, C kh kw, L) -> (N, C, H, W), the adjoint of ``unfold``.

    Args:
        x: (N, C kh kw, L) or (C kh kw, L).
        output_size: the height and the width of the images.
        kernel_size, dilation, padding, stride: a number, or one for the height and one for the width.

    Raises:
        ValueError: where the columns are not those of an image of that size.
    """
    x = tensor_of(x, "fold")
    if x.ndim not in (2, 3):
        raise ValueError(f"fold: expected columns (N, C kh kw, L) or (C kh kw, L), got shape {x.shape}")
    kernel, step = whole(kernel_size, "fold", "kernel_size"), whole(stride, "fold", "stride")
    spread, pads = whole(dilation, "fold", "dilation"), whole(padding, "fold", "padding", least=0)
    size = whole(output_size, "fold", "output_size")
    at = lay(size, kernel, step, spread, _symmetric(pads), "fold")
    columns = x if x.ndim == 3 else reshape(x, (1, *x.shape))
    area, windows = math.prod(kernel), math.prod(at.grid)
    if columns.shape[1] % area or columns.shape[2] != windows:
        raise ValueError(f"fold: expected columns (N, C * {area}, {windows}) for output_size {size}, got shape {x.shape}")
    check_memory((columns.shape[0], columns.shape[1] // area, *size), x.dtype, "fold")
    images = _fold(columns, at=at, size=(size[0], size[1]))
    return images if x.ndim == 3 else reshape(images, images.shape[1:])
