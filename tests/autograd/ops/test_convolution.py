"""Convolutions against their definition, and the awkward sizes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd.gradcheck import gradient_function, measure
from autograd.ops import _convolving

RNG = np.random.default_rng(0)


def by_definition(x, w, stride, padding, dilation, groups):
    """conv2d as loops over its formula."""
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    n, _, h, width = x.shape
    o, per, kh, kw = w.shape
    oh = (h - dilation * (kh - 1) - 1) // stride + 1
    ow = (width - dilation * (kw - 1) - 1) // stride + 1
    y = np.zeros((n, o, oh, ow))
    for channel, i, j in itertools.product(range(o), range(oh), range(ow)):
        first = channel // (o // groups) * per
        window = x[
            :,
            first : first + per,
            i * stride : i * stride + dilation * (kh - 1) + 1 : dilation,
            j * stride : j * stride + dilation * (kw - 1) + 1 : dilation,
        ]
        y[:, channel, i, j] = np.sum(window * w[channel], axis=(1, 2, 3))
    return y


@pytest.mark.parametrize("chunk", [1 << 21, 200, 1], ids=["whole", "samples", "rows"])
@pytest.mark.parametrize("kernel", [(3, 2), (3, 3), (1, 1)], ids=str)
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), list(itertools.product((1, 2), (0, 1, 3), (1, 2), (1, 2, 4)))
)
def test_equals_its_definition_in_chunks_of_any_size(monkeypatch, chunk, kernel, stride, padding, dilation, groups):
    monkeypatch.setattr(_convolving, "CHUNK", chunk)
    x, w = RNG.normal(size=(2, 4, 7, 6)), RNG.normal(size=(8, 4 // groups, *kernel))
    leaves = [ag.tensor(x, requires_grad=True), ag.tensor(w, requires_grad=True)]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y = ag.conv2d(*leaves, **options)
    expected = by_definition(x, w, stride, padding, dilation, groups)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-11, atol=1e-12)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    # linear in each argument: the inner product with the argument is that of the output with its cotangent
    for leaf in leaves:
        np.testing.assert_allclose(np.sum(leaf.grad.numpy() * leaf.detach().numpy()), np.sum(g * expected), rtol=1e-10)
    if chunk == 1:
        return
    others = RNG.normal(size=x.shape), RNG.normal(size=w.shape)
    for leaf, other, moved in zip(leaves, others, ((others[0], w), (x, others[1])), strict=True):
        along = np.sum(g * by_definition(*moved, stride, padding, dilation, groups))
        np.testing.assert_allclose(np.sum(leaf.grad.numpy() * other), along, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("chunk", [1 << 21, 200, 1], ids=["whole", "samples", "rows"])
@pytest.mark.parametrize(("padding", "dilation", "groups"), [(0, 1, 1), (1, 1, 1), (3, 1, 2), (1, 2, 2)])
def test_gradients_where_many_channels_become_few(monkeypatch, chunk, padding, dilation, groups):
    monkeypatch.setattr(_convolving, "CHUNK", chunk)
    x, w = RNG.normal(size=(2, 20, 7, 6)), RNG.normal(size=(2, 20 // groups, 3, 3))
    leaves = [ag.tensor(x, requires_grad=True), ag.tensor(w, requires_grad=True)]
    y = ag.conv2d(*leaves, padding=padding, dilation=dilation, groups=groups)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    for leaf, other in zip(leaves, (RNG.normal(size=x.shape), RNG.normal(size=w.shape)), strict=True):
        moved = (other, w) if leaf is leaves[0] else (x, other)  # linear in each argument
        expected = by_definition(*moved, 1, padding, dilation, groups)
        np.testing.assert_allclose(np.sum(leaf.grad.numpy() * other), np.sum(g * expected), rtol=1e-10)


def test_third_derivatives_agree_with_finite_differences():
    function = lambda x, w: ag.conv2d(x, w, stride=2, padding=1) ** 3
    arguments = (RNG.normal(size=(1, 1, 3, 3)), RNG.normal(size=(1, 1, 2, 2)))
    for _ in range(2):
        function, arguments = gradient_function(function, arguments)
    worst = measure(function, arguments)
    assert worst.error < 1e-6, worst


def test_transposed_undoes_the_shape_of_a_convolution():
    x = RNG.normal(size=(2, 3, 8, 7))
    w = RNG.normal(size=(5, 3, 3, 3))
    y = ag.conv2d(x, w, stride=2, padding=1)
    assert ag.conv_transpose2d(y, w, stride=2, padding=1, output_padding=(1, 0)).shape == x.shape


@pytest.mark.parametrize("chunk", [1 << 21, 100, 1], ids=["whole", "samples", "rows"])
def test_transposed_in_chunks_of_any_size(monkeypatch, chunk):
    x, w = RNG.normal(size=(2, 2, 5, 4)), RNG.normal(size=(2, 3, 3, 2))
    options = {"padding": 1, "output_padding": 1, "dilation": 2}
    expected = ag.conv_transpose2d(x, w, **options).numpy()
    full = np.zeros((2, 3, 5 + 4, 4 + 2))
    for i, j in itertools.product(range(3), range(2)):
        full[:, :, 2 * i : 2 * i + 5, 2 * j : 2 * j + 4] += np.einsum("nchw,co->nohw", x, w[:, :, i, j])
    np.testing.assert_allclose(expected[:, :, :7, :4], full[:, :, 1:8, 1:5], rtol=1e-12)
    monkeypatch.setattr(_convolving, "CHUNK", chunk)
    np.testing.assert_allclose(ag.conv_transpose2d(x, w, **options).numpy(), expected, rtol=1e-12)


def test_transposed_to_many_channels_with_output_padding():
    x, w = RNG.normal(size=(2, 1, 5, 4)), RNG.normal(size=(1, 12, 3, 3))
    full = np.zeros((2, 12, 9, 8))
    for i, j in itertools.product(range(3), range(3)):
        full[:, :, 2 * i : 2 * i + 5, 2 * j : 2 * j + 4] += np.einsum("nchw,co->nohw", x, w[:, :, i, j])
    y = ag.conv_transpose2d(x, w, padding=1, output_padding=1, dilation=2).numpy()
    np.testing.assert_allclose(y, full[:, :, 1:9, 1:8], rtol=1e-12, atol=1e-14)


def test_half_precision_is_summed_in_single():
    x, w = np.full((1, 4096, 1, 1), 0.1, np.float16), np.ones((1, 4096, 1, 1), np.float16)
    y = ag.conv2d(x, w)
    assert y.dtype == np.float16
    np.testing.assert_allclose(float(y.numpy().item()), 409.5, atol=0.3)


def test_hard_case_142_awkward_sizes():
    assert ag.conv2d(np.ones((1, 1, 7, 7)), np.ones((1, 1, 3, 3)), dilation=2, stride=2, padding=1).shape == (1, 1, 3, 3)
    assert ag.conv2d(np.ones((0, 2, 5, 5)), np.ones((3, 2, 3, 3))).shape == (0, 3, 3, 3)
    x, w = np.ones((1, 2, 4, 4)), np.ones((3, 2, 3, 3))
    with pytest.raises(ValueError, match="conv2d: expected a window no larger than the padded input, got a window of 5 on 4"):
        ag.conv2d(x, np.ones((3, 2, 5, 5)))
    with pytest.raises(ValueError, match="conv2d: expected stride of at least 1, got 0"):
        ag.conv2d(x, w, stride=0)
    with pytest.raises(ValueError, match="conv2d: expected dilation of at least 1, got 0"):
        ag.conv2d(x, w, dilation=0)
    with pytest.raises(ValueError, match="conv2d: expected padding of at least 0, got -1"):
        ag.conv2d(x, w, padding=-1)
    with pytest.raises(ValueError, match=r"conv2d: expected 2 input channels for a weight of shape \(3, 2, 3, 3\)"):
        ag.conv2d(np.ones((1, 3, 4, 4)), w)
    with pytest.raises(ValueError, match="conv2d: expected channels that 2 groups divide, got 2 and weight"):
        ag.conv2d(x, w, groups=2)
    with pytest.raises(ValueError, match=r"conv2d: expected a bias of shape \(3,\), got \(2,\)"):
        ag.conv2d(x, w, np.ones(2))
    with pytest.raises(ValueError, match="conv2d: expected a window of at least one element"):
        ag.conv2d(x, np.ones((3, 2, 0, 3)))
    with pytest.raises(ValueError, match="conv2d: expected a weight with 4 axes"):
        ag.conv2d(x, np.ones((3, 2, 3)))
    with pytest.raises(ValueError, match=r"conv2d: expected an input \(N, C, H, W\) or \(C, H, W\), got shape \(4, 4\)"):
        ag.conv2d(np.ones((4, 4)), w)
    with pytest.raises(ValueError, match="conv2d: expected stride 1 with padding 'same'"):
        ag.conv2d(x, w, stride=2, padding="same")
    with pytest.raises(ValueError, match="conv2d: expected padding 'same', 'valid' or whole numbers, got 'full'"):
        ag.conv2d(x, w, padding="full")
    with pytest.raises(TypeError, match="conv2d: expected floating dtypes, got int64"):
        ag.conv2d(np.ones((1, 2, 4, 4), np.int64), w)
    with pytest.raises(ValueError, match="conv_transpose2d: expected output_padding less than stride or dilation"):
        ag.conv_transpose2d(np.ones((1, 3, 4, 4)), w, output_padding=1)
    with pytest.raises(ValueError, match="conv_transpose2d: expected a result with at least one element"):
        ag.conv_transpose2d(np.ones((1, 3, 1, 1)), w, padding=2)


def test_hard_case_144_memory_of_columns_is_bounded_and_absurd_results_are_refused():
    columns = [
        part.grid[0] * part.grid[1] * 64 * 9 * (min(samples.stop, 100) - samples.start)
        for samples, _, part in _convolving._pieces(
            100, 64, _convolving.Windows((3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), (500, 500))
        )
    ]
    assert max(columns) <= _convolving.CHUNK
    assert sum(columns) == 100 * 500 * 500 * 64 * 9
    with pytest.raises(MemoryError, match=r"conv2d: expected a result that fits into memory .* GiB"):
        ag.conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), padding=10**6)
