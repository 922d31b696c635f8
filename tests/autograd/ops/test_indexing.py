"""Shapes, indexing, views and assignment at their awkward points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
from autograd import Tensor


def leaf(values, dtype=np.float64) -> Tensor:
    return Tensor(values, dtype=dtype, requires_grad=True)


def gradient(output, x, seed=None):
    return ag.grad(output, x, None if seed is None else [Tensor(np.asarray(seed, output.dtype))])[0]._data


# ------------------------------------------------------------------------------------------------ shapes


def test_hard_case_001_broadcast_gradients_keep_their_shape():
    a, b = leaf([[1.0, 2.0]]), leaf([[1.0], [2.0], [3.0]])
    (a + b).sum().backward()
    assert a.grad.tolist() == [[3, 3]]
    assert b.grad.tolist() == [[2], [2], [2]]


def test_hard_case_002_scalars_against_nothing():
    a, b = leaf(2.0), leaf(np.ones((0, 3)))
    (a * b).sum().backward()
    assert a.grad.shape == ()
    assert a.grad.item() == 0
    c, d = leaf(np.ones((2, 1, 0))), leaf(np.ones((3, 0)))
    (c * d).sum().backward()
    assert c.grad.shape == (2, 1, 0)
    assert d.grad.shape == (3, 0)


def test_hard_case_003_reduced_and_broadcast_at_once():
    a, b = leaf(np.ones((3, 1))), leaf(np.ones((2, 1, 4)))
    (a * b * 2.0).sum().backward()
    assert a.grad.tolist() == [[16]] * 3
    assert b.grad.tolist() == [[[6] * 4]] * 2


def test_hard_case_007_0d_tensors():
    x = leaf(3.0)
    with pytest.raises(TypeError, match="0-d"):
        len(x)
    with pytest.raises(TypeError, match="0-d"):
        iter(x)
    assert x[()].item() == x[...].item() == 3
    assert x[None].shape == (1,)
    with pytest.raises(IndexError):
        x[0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: leaf(np.ones((2, 3))) + leaf(np.ones(2)),
            ValueError,
            r"add: expected shapes that broadcast, got \(2, 3\) and \(2,\)",
        ),
        (
            lambda: leaf(np.ones((3, 4))) @ leaf(np.ones((5, 2))),
            ValueError,
            r"matmul: inner dimensions must agree, got \(3, 4\) @ \(5, 2\)",
        ),
        (lambda: leaf(2.0) @ leaf([1.0]), ValueError, "matmul: expected operands with at least 1 axis"),
        (
            lambda: leaf(np.ones((2, 3))).reshape(4, 2),
            ValueError,
            r"reshape: expected a shape for 6 elements of \(2, 3\), got \(4, 2\)",
        ),
        (lambda: leaf(np.ones((2, 3))).permute(0, 0), np.exceptions.AxisError, "different axes"),
        (
            lambda: ag.concatenate([leaf(np.ones((2, 3))), leaf(np.ones((3, 2)))]),
            ValueError,
            "concatenate: expected equal shapes apart",
        ),
        (lambda: ag.squeeze(leaf(np.ones((2, 3))), 0), ValueError, "squeeze: expected size 1 at axis 0"),
    ],
)
def test_hard_case_009_mismatches_name_the_op_and_the_shapes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_hard_case_012_strange_strides():
    base = np.arange(24.0).reshape(4, 6)
    for view in (base[::-1, ::-2], base.T, np.asfortranarray(base), np.lib.stride_tricks.as_strided(base, (3, 3), (8, 8))):
        x = Tensor(view, requires_grad=True)
        (x * view).sum().backward()
        np.testing.assert_array_equal(x.grad._data, view)


# ------------------------------------------------------------------------------------------------ indexing


def test_hard_case_076_repeated_indices_accumulate():
    x = leaf([1.0, 2.0, 3.0])
    assert gradient(x[[0, 0, 1]].sum(), x).tolist() == [2, 1, 0]


def test_hard_case_077_of_repeated_writes_the_last_counts():
    x, s = leaf([1.0, 2.0]), leaf([5.0, 7.0])
    y = x * 1.0
    y[[0, 0]] = s
    assert y.tolist() == [7, 2]
    y.sum().backward()
    assert s.grad.tolist() == [0, 1]
    assert x.grad.tolist() == [0, 1]


def test_hard_case_078_masks():
    x = leaf(np.arange(6.0).reshape(2, 3))
    assert gradient(x[x._data > 2].sum(), x).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert gradient(x[[]].sum(), x).tolist() == [[0] * 3] * 2
    with pytest.raises(IndexError):
        x[np.array([True, False, True])]


def test_hard_case_079_all_kinds_of_index_have_numpys_shape():
    array = np.arange(24.0).reshape(2, 3, 4)
    x = leaf(array)
    for index in (
        np.s_[::-1], np.s_[..., 0], np.s_[None, 0], np.s_[:, [0, 2], 1:], np.s_[[0, 1], :, [1, 2]], np.s_[0, ..., None, ::-2],
        (Tensor([1, 0]),),
    ):  # fmt: skip
        plain = tuple(part._data if isinstance(part, Tensor) else part for part in index) if isinstance(index, tuple) else index
        np.testing.assert_array_equal(x[index]._data, array[plain])


def test_hard_case_080_bad_indices_raise_before_anything_is_recorded():
    x = leaf([1.0, 2.0])
    for index in (1.5, "a", (0, 0), 7, [9], [0.5]):
        with pytest.raises(IndexError):
            x[index]


def test_hard_case_081_an_index_array_may_change_afterwards():
    x, index = leaf([1.0, 2.0, 3.0]), np.array([0, 1])
    y = x[index]
    index[:] = 2
    assert gradient(y.sum(), x).tolist() == [1, 1, 0]


def test_hard_case_082_slices_in_a_loop_use_one_buffer():
    x = leaf(np.ones((2000, 3)))
    total = x[0]
    for row in range(1, 2000):
        total = total + x[row]
    total.sum().backward()
    assert (x.grad._data == 1).all()


# ------------------------------------------------------------------------------------------------ in place


def modified(op):
    return pytest.raises(RuntimeError, match=f"{op}: its (output|argument).* was modified by an in-place operation")


def test_hard_case_083_a_saved_output_was_overwritten():
    y = ag.exp(leaf([1.0, 2.0]))
    y[0] = 5.0
    with modified("exp"):
        y.sum().backward()


def test_hard_case_084_a_saved_constant_was_overwritten():
    x, w = leaf([1.0, 2.0]), Tensor([3.0, 4.0], dtype=np.float64)
    w.name = "w"
    y = x * w
    w += 1.0
    with pytest.raises(RuntimeError, match="multiply: its argument 1 'w'"):
        y.sum().backward()
    assert x.grad is None


def test_hard_case_085_writes_to_the_source_array_change_nothing():
    source = np.array([3.0, 4.0])
    x, w = leaf([1.0, 2.0]), Tensor(source)
    y = x * w + x * source
    source[:] = 100.0
    y.sum().backward()
    assert x.grad.tolist() == [6, 8]


def test_hard_case_086_writes_through_data_are_noticed():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * w
    w.data[0] = 9.0
    with modified("multiply"):
        y.sum().backward()
    held = w.data
    y = x * w
    held[1] = 1.0
    with modified("multiply"):
        y.sum().backward()
    held[1] = 2.0
    (x * w).sum().backward()
    assert x.grad.tolist() == [9, 2]


def test_hard_case_086_an_optimizer_step_before_backward_is_noticed():
    import optim

    w = leaf([1.0, 2.0])
    loss = (w * w).sum()
    w.grad = Tensor(np.ones(2))
    optim.SGD([w], lr=0.1).step()
    with modified("multiply"):
        loss.backward()


def test_hard_case_037_087_a_leaf_that_requires_grad_is_not_written_to():
    x = leaf([1.0, 2.0])
    matrix = leaf(np.eye(2))
    for change in (
        lambda: x.__iadd__(1.0), lambda: x.__setitem__(0, 5.0), lambda: matrix.__imatmul__(Tensor(np.eye(2))),
        lambda: x.zero_(),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="a leaf that requires grad cannot be changed in place"):
            change()
    assert x.tolist() == [1, 2]
    with ag.no_grad():
        x += 1.0
        x[0] = 7.0
    assert x.tolist() == [7, 3]
    assert x.requires_grad


def test_hard_case_088_views_are_not_written_to():
    y = leaf([1.0, 2.0, 3.0]) * 1.0
    v = y[:2]
    with pytest.raises(RuntimeError, match=r"in-place operations on a view \(made by getitem\) are not recorded"):
        v *= 10.0
    assert y.tolist() == [1, 2, 3]
    y *= 2.0
    with pytest.raises(RuntimeError, match="take the view again"):
        v * 2.0
    assert (y[:2] * 1.0).tolist() == [2, 4]


def test_hard_case_089_a_value_that_is_overwritten_again_has_no_gradient():
    x, s, t = leaf([1.0, 2.0]), leaf(5.0), leaf(7.0)
    y = x * 1.0
    y[0] = s
    y[0] = t
    y.sum().backward()
    assert s.grad.item() == 0
    assert t.grad.item() == 1
    assert x.grad.tolist() == [0, 1]


def test_hard_case_090_a_detached_alias_is_watched():
    y = ag.exp(leaf([1.0, 2.0]))
    y.detach().zero_()
    with modified("exp"):
        y.sum().backward()
    z = ag.exp(leaf([1.0, 2.0]))
    z.detach().numpy()[:] = 0.0
    with modified("exp"):
        z.sum().backward()


def test_hard_case_091_broadcast_results_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        y = ag.broadcast_to(leaf([1.0]) * 1.0, (3,))
        y += 1.0


def test_assignment_and_in_place_operators_are_recorded():
    x, w = leaf([1.0, 2.0, 3.0]), leaf([2.0, 2.0, 2.0])
    y = x * w
    y *= w
    y[1] = 0.0
    y -= x
    y.sum().backward()
    assert y.tolist() == [3, -2, 9]
    assert x.grad.tolist() == [3, -1, 3]
    assert w.grad.tolist() == [4, 0, 12]
    out = ag.zeros(3, dtype=np.float64)
    for i in range(3):
        out[i] = x[i] * float(i)
    assert gradient(out.sum(), x).tolist() == [0, 1, 2]


def test_in_place_methods_record_what_they_are_given_by_keyword():
    """Tensors among the keywords were once dropped from the graph, silently."""
    for change in (
        lambda y, w: y.add_(other=w), lambda y, w: y.clamp_(min=w), lambda y, w: y.lerp_(end=w, weight=0.5),
        lambda y, w: y.index_add_(0, [1, 0], source=w), lambda y, w: y.scatter_(dim=0, index=[1, 0], src=w),
        lambda y, w: y.masked_fill_([True, False], value=w[0]),
    ):  # fmt: skip
        w = leaf([1.0, 2.0])
        y = ag.zeros(2, dtype=np.float64)
        assert change(y, w) is y
        assert y.requires_grad
        assert gradient(y.sum(), w).any()


def test_scattering_in_place():
    rng = np.random.default_rng(0)
    source = leaf(rng.normal(size=(2, 3)))
    mask = np.array([[True, False, True], [False, True, False]])
    for name, arguments in {
        "scatter": (0, [[1, 0, 1]], source), "scatter_add": (1, [[0, 0], [2, 2]], source), "index_add": (0, [1, 1], source),
        "index_copy": (1, [2, 0, 1], source), "index_fill": (1, [0], 4.0), "index_put": (([0, 1], [2, 2]), source[:, 0]),
        "put": ([5, 0], source[0, :2]), "masked_scatter": (mask, source), "tril": (), "triu": (1,),
    }.items():  # fmt: skip
        x = leaf(rng.normal(size=(2, 3)))
        y = x * 1.0
        expected = getattr(x, name)(*arguments)
        assert getattr(y, f"{name}_")(*arguments) is y
        np.testing.assert_array_equal(y._data, expected._data)
        seed = rng.normal(size=(2, 3))
        np.testing.assert_array_equal(gradient(y, x, seed), gradient(expected, x, seed))
    codes = ag.zeros(2, 3).scatter_(1, [[2], [0]], value=1.0)
    assert codes.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: x[1.5],
            IndexError,
            "getitem: expected integers, slices, None, Ellipsis or masks as index, got float64 values",
        ),
        (lambda x: x["a"], IndexError, "as index, got str"),
        (
            lambda x: (x * 1.0).__setitem__(0, [1.0, 2.0]),
            ValueError,
            r"setitem: expected a value that broadcasts to \(3,\), got",
        ),
        (lambda x: ag.take(x, [0.5]), TypeError, "take: expected integer indices, got float64"),
        (lambda x: ag.take(x, [6]), IndexError, "take: expected indices from -6 to 5, got 6"),
        (lambda x: np.take(x, [0], mode="no"), ValueError, "take: expected mode 'raise', 'wrap' or 'clip', got 'no'"),
        (lambda x: x.index_select(0, [[0]]), IndexError, r"index_select: expected a 1-d index, got shape \(1, 1\)"),
        (lambda x: x.narrow(1, 2, 2), IndexError, "narrow: expected start and length within 3, got 2 and 2"),
        (lambda x: ag.take_along_axis(x, [0], 0), ValueError, r"take_along_axis: .*got shapes \(2, 3\) and \(1,\)"),
        (lambda x: x.gather(0, [[0] * 4]), ValueError, r"gather: expected an index no larger than \(2, 3\) apart from axis 0"),
        (lambda x: x.gather(0, [[2]]), IndexError, "gather: expected indices from -2 to 1, got 2"),
        (lambda x: x.scatter(0, [[0, 1]], x[:, :1]), ValueError, r"scatter: expected a source at least as large as the index"),
        (lambda x: x.scatter(0, [[0]]), TypeError, "scatter: expected a source or a value, got both or neither"),
        (lambda x: x.index_add(0, [0, 1], x[:1]), ValueError, r"index_add: expected a source of shape \(2, 3\), got \(1, 3\)"),
        (lambda x: x.index_copy(1, [0], x), ValueError, r"index_copy: expected a source of shape \(2, 1\), got \(2, 3\)"),
        (lambda x: x.put([0, 1], x), ValueError, "put: expected a source of 2 elements, one for each index, got 6"),
        (
            lambda x: x.masked_scatter([True] * 3, x[0]),
            ValueError,
            "masked_scatter: expected at least 6 elements in source, got 3",
        ),
        (lambda x: ag.one_hot([3], 3), ValueError, "one_hot: expected classes from 0 to 2, got 3 to 3"),
        (lambda x: ag.embedding([-1], x), IndexError, "embedding: expected indices from 0 to 1, got -1"),
        (
            lambda x: (x[0] * 1.0).add_(x),
            ValueError,
            r"add_: expected a result of shape \(3,\) to store in place, got \(2, 3\)",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(leaf(np.arange(6.0).reshape(2, 3)))


# ------------------------------------------------------------------------------------------------ by chance


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_random_indices_against_numpy(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True) | hnp.integer_array_indices(shape))
    array = np.arange(float(np.prod(shape))).reshape(shape)
    x = leaf(array)
    picked = x[index]
    np.testing.assert_array_equal(picked._data, array[index])
    seed = np.random.default_rng(0).normal(size=picked.shape)
    expected = np.zeros(shape)
    np.add.at(expected, index, seed)
    np.testing.assert_allclose(gradient(picked, x, seed), expected)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_random_broadcasting_against_sums(shapes):
    rng = np.random.default_rng(0)
    a, b = (leaf(rng.normal(size=shape)) for shape in shapes.input_shapes)
    seed = rng.normal(size=shapes.result_shape)
    ga, gb = ag.grad(a * b, (a, b), [Tensor(seed)])
    for g, x, other in ((ga, a, b), (gb, b, a)):
        full = seed * other._data
        axes = tuple(range(full.ndim - x.ndim))
        expected = full.sum(axis=axes)
        stretched = tuple(i for i, n in enumerate(x.shape) if n == 1 and expected.shape[i] != 1)
        np.testing.assert_allclose(g._data, expected.sum(axis=stretched, keepdims=True), atol=1e-14)
