"""Tensors in NumPy's hands and in Python's: tracked, or refused, never silently detached."""

from __future__ import annotations

import inspect
import math
import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions, get_overridable_numpy_ufuncs

import autograd as ag
from autograd import Tensor
from autograd.declare import functions, ufuncs

UFUNCS = sorted(get_overridable_numpy_ufuncs(), key=lambda ufunc: ufunc.__name__)
FUNCTIONS = sorted(get_overridable_numpy_array_functions(), key=lambda function: f"{function.__module__}.{function.__name__}")

# what answers with plain values on purpose: predicates, positions, shapes and counts have no gradient
PLAIN = {
    "all", "any", "allclose", "argmax", "argmin", "argsort", "array_equal", "array_equiv", "count_nonzero", "isclose",
    "isneginf", "isposinf", "ndim", "nonzero", "searchsorted", "shape", "size", "iscomplexobj", "isrealobj", "result_type",
    "can_cast",
    "min_scalar_type", "common_type", "may_share_memory", "shares_memory", "zeros_like", "ones_like", "empty_like", "full_like",
}  # fmt: skip


def leaf(values=(0.5, 0.25), dtype=np.float64) -> Tensor:
    return Tensor(np.array(values), dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=[ufunc.__name__ for ufunc in UFUNCS])
def test_hard_case_030_every_ufunc_is_tracked_or_refused(ufunc):
    arguments = [leaf([[0.5, 0.25], [0.125, 0.75]]) for _ in range(ufunc.nin)]
    try:
        result = ufunc(*arguments)
    except TypeError:
        assert ufunc not in ufuncs or ufunc.__name__.startswith(("bitwise", "invert", "left", "right", "gcd", "lcm"))
        return
    if isinstance(result, np.ndarray):
        assert result.dtype == np.bool_, ufunc
        return
    for item in result if isinstance(result, tuple) else (result,):
        assert isinstance(item, Tensor)
        assert item.requires_grad


def trial_arguments(function):
    """Plausible arguments: a square Tensor for each parameter without a default."""
    x = leaf([[0.5, 0.25], [0.125, 0.75]])
    special = {
        "concatenate": [[x, x]], "stack": [[x, x]], "hstack": [[x, x]], "vstack": [[x, x]], "dstack": [[x, x]],
        "column_stack": [[x, x]], "block": [[[x, x]]], "einsum": ["ij,jk->ik", x, x], "reshape": [x, (4,)], "transpose": [x],
        "broadcast_to": [x, (3, 2, 2)], "expand_dims": [x, 0], "swapaxes": [x, 0, 1], "moveaxis": [x, 0, 1], "roll": [x, 1],
        "repeat": [x, 2], "tile": [x, 2], "pad": [x, 1], "split": [x, 2], "array_split": [x, 2], "hsplit": [x, 2],
        "vsplit": [x, 2], "dsplit": [leaf(np.ones((1, 1, 2))), 2], "tensorinv": [leaf(np.eye(4).reshape(2, 2, 2, 2) + 0.1)],
        "tensorsolve": [leaf(np.eye(4).reshape(2, 2, 2, 2) + 0.1), x],
        "take": [x, [0]], "take_along_axis": [x, np.array([[0, 1]]), 0], "partition": [x, 1], "where": [x._data > 0, x, x],
        "rot90": [x], "full_like": [x, 1.0], "clip": [x, 0.1, 0.5], "cross": [leaf([1.0, 2.0, 3.0]), leaf([1.0, 2.0, 3.0])],
        "matrix_power": [x, 2], "tensordot": [x, x], "multi_dot": [[x, x]], "meshgrid": [leaf(), leaf()],
        "searchsorted": [leaf(), 0.3],
        "select": [[x._data > 0], [x]], "choose": [np.zeros((2, 2), int), [x, x]], "percentile": [x, 50], "quantile": [x, 0.5],
    }  # fmt: skip
    if function.__name__ in special:
        return special[function.__name__]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [x]
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [x] * max(len(needed), 1)


def tensors_in(result):
    if isinstance(result, tuple | list):
        return [item for part in result for item in tensors_in(part)]
    return [result]


@pytest.mark.parametrize("function", FUNCTIONS, ids=[f"{f.__module__}.{f.__name__}" for f in FUNCTIONS])
def test_hard_case_030_every_array_function_is_tracked_or_refused(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = trial_arguments(function)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*arguments)
    except (TypeError, ValueError, AttributeError, IndexError, np.linalg.LinAlgError):
        assert function not in functions, "declared here, but these arguments do not reach it"
        return  # refused: no number has left the graph
    if function.__name__ in PLAIN:
        return
    for item in tensors_in(result):
        assert isinstance(item, Tensor), f"{function.__name__} gave a silent {type(item).__name__}"
        assert item.requires_grad, function.__name__


@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer", "reduceat", "at"])
def test_hard_case_030_every_method_of_ufuncs_is_tracked_or_refused(method):
    x, array = leaf(), np.ones(2)
    arguments = {
        "outer": [(x, array), (array, x), (x, x)],
        "reduceat": [(x, [0])],
        "at": [(x, [0]), (x, [0], x), (array, [0], x)],
    }
    tracked = 0
    for ufunc in UFUNCS:
        for values in arguments.get(method, [(x,)]):
            try:
                result = getattr(ufunc, method)(*values)
            except (TypeError, ValueError, RuntimeError):
                continue  # RuntimeError is NumPy's own: no such method on a ufunc with a signature
            if isinstance(result, np.ndarray | np.bool_) and result.dtype == np.bool_:
                continue
            for item in result if isinstance(result, tuple) else (result,):
                assert isinstance(item, Tensor), (ufunc, method)
                assert item.requires_grad
            tracked += 1
    assert array.tolist() == [1, 1]
    assert tracked >= {"reduce": 4, "accumulate": 2, "outer": 30}.get(method, 0)


def test_outer_is_every_pair():
    a, b = leaf(), leaf([[1.0, 2.0, 3.0]])
    result = np.add.outer(a, b)
    np.testing.assert_array_equal(result._data, np.add.outer(a._data, b._data))
    result.sum().backward()
    assert a.grad.tolist() == [3, 3]
    assert b.grad.tolist() == [[2, 2, 2]]
    assert np.multiply.outer(2.0, Tensor([1.0, 2.0])).dtype == np.float32
    with pytest.raises(TypeError):
        np.matmul.outer(a, b)


def test_hard_case_030_lists_of_tensors_and_arrays_as_receivers():
    s, t, array = leaf(0.5), leaf(), np.zeros(2)
    for call in (
        lambda: np.array([s, s]), lambda: np.sum([t, t]), lambda: np.mean([s, s]), lambda: np.add([s, s], 1.0),
        lambda: np.add([s, s], t), lambda: np.dot([s, s], t), lambda: np.multiply.outer([s, s], array), lambda: np.full(3, s),
        lambda: array.dot(t), lambda: array.take(t), lambda: array.__setitem__(slice(None), t), lambda: np.copyto(array, t),
        lambda: np.putmask(array, [True, False], t), lambda: np.vectorize(math.sin)(t),
        lambda: np.random.default_rng().normal(t),
        lambda: np.frompyfunc(math.sin, 1, 1)(t), lambda: np.r_[t, t], lambda: np.shape([t]),
        lambda: np.polynomial.Polynomial(t),
        lambda: np.sum(array, out=s), lambda: array.sum(out=s), lambda: np.add(array, array, out=t), lambda: array.__iadd__(t),
        lambda: np.add(array, array, where=Tensor([True, False])),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    assert array.tolist() == [0, 0]
    assert t.tolist() == [0.5, 0.25]
    for result in (np.stack([s, s]), np.concatenate([t, array]), np.broadcast_arrays(t, array)[0], array.clip(s, None)):
        assert result.requires_grad


def test_masked_arrays_do_not_help_themselves_to_a_tensor():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for t in (leaf(), Tensor([1.0, 2.0])):
        for call in (lambda: masked * t, lambda: t * masked, lambda: np.ma.sin(t), lambda: np.ma.multiply(t, t)):
            with pytest.raises(TypeError, match=r"np\.ma|MaskedArray"):
                call()


def test_conversion_without_a_copy_keeps_its_word():
    t = Tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(t, copy=False), t._data)
    assert not np.shares_memory(np.array(t, copy=True), t._data)
    with pytest.raises(ValueError, match="expected dtype float32 where no copy is allowed, got float64"):
        np.asarray(t, dtype=np.float64, copy=False)


def test_what_numpy_reaches_here_is_more_than_a_hundred_functions():
    assert len(functions) + len(ufuncs) > 150


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.add(t, 1.0, out=np.zeros(2)),
        lambda t: np.sum(t, out=np.zeros(())),
        lambda t: np.add(t, 1.0, where=np.array([True, False])),
        lambda t: np.add(t, 1.0, dtype=np.float32),
        lambda t: np.add.at(np.zeros(2), [0, 1], t),
        lambda t: np.add.reduceat(t, [0, 1]),
        lambda t: np.subtract.accumulate(t),
        lambda t: np.bitwise_and(t, 1),
        lambda t: np.fft.fft(t),
        lambda t: np.histogram(t),
        lambda t: np.sum(t, where=np.array([True, False])),
    ],
)
def test_hard_case_030_what_cannot_be_tracked_is_a_type_error(call):
    with pytest.raises(TypeError):
        call(leaf())


@pytest.mark.parametrize("option", ["where", "casting", "order", "dtype", "subok"])
def test_keywords_of_ufuncs_are_refused_by_name(option):
    value = {"where": np.array([True, False]), "casting": "unsafe", "order": "C", "dtype": np.float32, "subok": False}[option]
    with pytest.raises(TypeError, match=f"np.add: expected no {option}= with Tensors"):
        np.add(leaf(), 1.0, **{option: value})
    with pytest.raises(TypeError, match="np.add: expected no out= with Tensors"):
        np.add(leaf(), 1.0, out=np.zeros(2))


def test_hard_case_027_numpys_error_settings_do_not_matter_and_come_back():
    with np.errstate(all="raise"):
        before = np.geterr()
        x = leaf([0.0, 1000.0, -1000.0])
        y = ag.exp(-x * x) + ag.sigmoid(x) + ag.softmax(x) + ag.log(ag.abs(x) + 1e-300) + ag.tanh(x)
        y.sum().backward()
        assert np.geterr() == before
    assert np.isfinite(x.grad._data[1:]).all()


def test_hard_case_028_no_warnings_for_finite_values():
    x = leaf([0.0, 1e-320, 700.0, -700.0])
    for function in (
        ag.exp,
        ag.tanh,
        ag.sigmoid,
        ag.softplus,
        ag.softmax,
        ag.gelu,
        ag.silu,
        lambda t: t**2.0,
        lambda t: (-2.0) ** t,
    ):
        function(x).sum().backward()


def test_hard_case_029_mixed_operands_keep_the_graph():
    t, array = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    for result in (
        np.float64(2) * t, array * t, t * array, array - t, array / t, array**t, np.float64(1) - t, array @ t, array + t, 2 * t,
        2 / t,
    ):  # fmt: skip
        assert isinstance(result, Tensor)
        assert result.requires_grad
    assert isinstance(array > t, np.ndarray)
    before = array.copy()
    with pytest.raises(TypeError):
        array += t
    np.testing.assert_array_equal(array, before)


def test_hard_case_031_conversion_of_a_tracked_tensor_is_refused():
    t = leaf()
    for call in (np.asarray, lambda t: np.array([t, t]), lambda t: np.array(t, dtype=np.float32)):
        with pytest.raises(TypeError, match=r"use t\.detach\(\)\.numpy\(\)"):
            call(t)
    with pytest.raises(RuntimeError, match=r"use t\.detach\(\)\.numpy\(\)"):
        t.numpy()
    np.testing.assert_array_equal(np.asarray(t.detach()), [0.5, 0.25])


def test_hard_case_032_numbers_out_of_tensors():
    t = leaf([0.5])
    assert float(t) == t.item() == 0.5
    assert math.sin(t) == math.sin(0.5)
    assert int(leaf([2.7])) == 2
    for call in (float, int, lambda t: t.item()):
        with pytest.raises(ValueError, match="one element"):
            call(leaf())


def test_hard_case_033_truth():
    t = leaf()
    for call in (bool, lambda t: 1 if t else 0, lambda t: t in [leaf()]):
        with pytest.raises(ValueError, match="ambiguous"):
            call(t)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor(np.zeros(0)))
    assert bool(Tensor(1.0))
    with pytest.raises(ValueError, match="ambiguous"):
        0 < t < 3


def test_hard_case_034_identity_hash_and_elementwise_equality():
    a, b = leaf(), leaf()
    assert {a: 1, b: 2}[a] == 1
    assert (a == b).tolist() == [True, True]
    assert (a == None).tolist() == [False, False]  # noqa: E711
    assert (a != None).all()  # noqa: E711


def test_hard_case_035_builtins():
    t = leaf(2.0)
    assert [1, 2, 3][Tensor(1)] == 2
    with pytest.raises(TypeError, match="expected an integer 0-d tensor"):
        range(t)
    assert f"{t:.2f}" == "2.00"
    with pytest.raises(TypeError, match="expected a 0-d tensor"):
        format(leaf(), ".2f")
    total = sum([leaf(1.0), leaf(2.0)])
    assert total.requires_grad
    assert max(leaf(1.0), leaf(2.0)).requires_grad
    assert [x.item() for x in sorted([leaf(2.0), leaf(1.0)])] == [1, 2]


def test_hard_case_038_the_repr_of_a_large_tensor_is_short_and_needs_no_memory():
    x = Tensor(np.zeros(1, np.float32))
    x._data = np.broadcast_to(np.float32(1.0), (100_000_000,))
    tracemalloc.start()
    text = repr(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(text) < 200
    assert peak < 1_000_000
    y = leaf()
    for _ in range(5000):
        y = y * 1.0
    assert repr(y) == "tensor([0.5 , 0.25], dtype=float64, grad_fn=<multiply>)"


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if not name.startswith("_")])
def test_every_attribute_of_ndarrays_is_offered_or_says_where_it_is(name):
    try:
        getattr(leaf([[0.5, 0.25]]), name)
    except AttributeError as error:
        assert str(error) == f"Tensor.{name}: is an ndarray's, not a Tensor's; use t.detach().numpy().{name}"  # noqa: PT017
