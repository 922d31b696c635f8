"""Every check on every primitive, driven by the table of cases (tests/cases)."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from cases.case import Case
from cases.table import CASES

import autograd as ag
from autograd import Tensor
from autograd.backward import backpropagate
from autograd.differences import gradient_function, measure
from autograd.graph import wrap
from autograd.primitive import primitives

IDS = [case.id for case in CASES]
every_case = pytest.mark.parametrize("case", CASES, ids=IDS)
DECOMPOSITIONS = {
    "inv",
    "solve",
    "det",
    "slogdet",
    "cofactors",
    "cofactors_derivative",
    "cholesky",
    "qr",
    "svd",
    "eigh",
    "pinv",
    "svdvals",
    "eigvalsh",
    "lstsq",
}  # LAPACK's, for float32 and float64
numpy_cases = pytest.mark.parametrize("case", [c for c in CASES if c.numpy], ids=[c.id for c in CASES if c.numpy])


def number_of_floating_inputs(case: Case) -> int:
    return sum(make(np.random.default_rng(0)).dtype.kind == "f" for make in case.inputs)


SEVERAL = [case for case in CASES if number_of_floating_inputs(case) > 1]
several_inputs = pytest.mark.parametrize("case", SEVERAL, ids=[case.id for case in SEVERAL])


def arrays(case: Case, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(make(rng)) for make in case.inputs]


def tensors(values, dtype=None):
    """Leaves for the floating arrays, constants for the others."""
    made = []
    for value in values:
        tensor = Tensor(value if dtype is None or value.dtype.kind != "f" else value.astype(dtype))
        made.append(tensor.requires_grad_() if tensor.dtype.kind == "f" else tensor)
    return made


def as_list(result):
    return [item for item in (result if isinstance(result, tuple | list) else [result]) if isinstance(item, Tensor)]


def run_backward(case, leaves, create_graph, seed=1):
    """The outputs, and the cotangent of every leaf for random cotangents of the outputs."""
    outputs = as_list(case.call(*leaves))
    rng = np.random.default_rng(seed)
    roots, seeds = [], []
    for output in outputs:
        cotangent = np.asarray(rng.normal(size=output.shape)).astype(output.dtype)
        if output._requires_grad:
            roots.append(output.node)
            seeds.append(wrap(cotangent, None) if create_graph else cotangent)
    targets = [leaf.node for leaf in leaves if leaf._requires_grad]
    found = backpropagate(roots, seeds, targets, create_graph=create_graph) if roots else {}
    return outputs, [found.get(target) for target in targets]


def data(value):
    return value._data if isinstance(value, Tensor) else np.asarray(value)


@every_case
def test_first_order(case, record):
    worst = measure(case.call, tuple(arrays(case)), step=case.step)
    record.add("first order", case.op, worst.error if worst else 0.0)
    assert worst is None or worst.error <= case.tolerance, worst


@pytest.mark.parametrize("case", [c for c in CASES if c.orders > 1], ids=[c.id for c in CASES if c.orders > 1])
def test_second_order(case, record):
    gradient, arguments = gradient_function(case.call, tuple(arrays(case)))
    worst = measure(gradient, arguments, seed=3, step=case.step)
    record.add("second order", case.op, worst.error if worst else 0.0)
    assert worst is None or worst.error <= case.tolerance, worst


def dense(gradient, leaf):
    """A gradient as an array: one that did not arrive is zero."""
    return np.zeros(leaf.shape, leaf.dtype) if gradient is None else data(gradient)


def in_dtypes(*dtypes, refused=None):
    """Every case in these dtypes, apart from factorizations in the one that is not for them."""
    pairs = [(case, dtype) for case in CASES for dtype in dtypes if dtype != refused or case.op not in DECOMPOSITIONS]
    return pytest.mark.parametrize(("case", "dtype"), pairs, ids=[f"{case.id}-{dtype.__name__}" for case, dtype in pairs])


@in_dtypes(np.float32, np.float64, refused=np.float32)  # LAPACK's last bits in float32 depend on the layout
def test_rules_give_the_same_bits_on_arrays_and_on_tensors(case, dtype):
    values = arrays(case)
    leaves = tensors(values, dtype)
    _, raw = run_backward(case, leaves, False)
    again = tensors(values, dtype)
    _, recorded = run_backward(case, again, True)
    fused = primitives[case.op].composition is not None
    wanted = [leaf for leaf in leaves if leaf._requires_grad]
    for leaf, one, two in zip(wanted, raw, recorded, strict=True):
        one, two = dense(one, leaf), dense(two, leaf)
        assert one.dtype == two.dtype == leaf.dtype
        if fused:  # the recorded pass differentiates the composition
            tolerance = {np.float32: 1e-4, np.float64: 1e-9}[dtype]
            np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance / 10)
        elif case.op == "conv":  # sums as products with ones, whose last bit depends on BLAS and the layout
            np.testing.assert_array_max_ulp(one, two, 4)
        else:
            np.testing.assert_array_equal(one, two)


@numpy_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_is_numpys(case, dtype):
    values = [value.astype(dtype) if value.dtype.kind == "f" else value for value in arrays(case)]
    with np.errstate(all="ignore"):
        expected = case.numpy(*values)
    got = case.call(*map(Tensor, values))
    if not isinstance(expected, tuple | list):
        expected, got = [expected], [got]
    for one, two in zip(got, expected, strict=True):
        np.testing.assert_array_equal(data(one), two)
        assert data(one).dtype == np.asarray(two).dtype


FACTORIZED = [case for case in CASES if case.op in DECOMPOSITIONS]


@pytest.mark.parametrize("case", FACTORIZED, ids=[case.id for case in FACTORIZED])
def test_factorizations_refuse_float16(case):
    with pytest.raises(TypeError, match="float16"):
        case.call(*tensors(arrays(case), np.float16))


@in_dtypes(np.float16, np.float32, np.float64, refused=np.float16)
def test_gradients_have_shape_and_dtype_of_their_argument(case, dtype):
    leaves = tensors(arrays(case), dtype)
    outputs, found = run_backward(case, leaves, False)
    for output in outputs:
        assert isinstance(output._data, np.ndarray)
    for leaf, gradient in zip([leaf for leaf in leaves if leaf._requires_grad], found, strict=True):
        if gradient is not None:
            assert data(gradient).shape == leaf.shape
            assert data(gradient).dtype == dtype


@every_case
def test_layout_in_memory_does_not_matter(case):
    values = arrays(case)
    _, plain = run_backward(case, tensors(values), False)
    odd = []
    for tensor, value in zip(tensors(values), values, strict=True):
        if value.ndim == 0:
            odd.append(tensor)
            continue
        wide = np.empty((*value.shape[::-1], 2), value.dtype)
        backwards = wide[..., 0].T[(slice(None, None, -1),) * value.ndim]
        backwards[...] = value
        tensor._data = backwards
        odd.append(tensor)
    _, found = run_backward(case, odd, False)
    for one, two in zip(plain, found, strict=True):
        if one is not None:
            np.testing.assert_allclose(data(two), data(one), rtol=1e-12, atol=1e-13)


@every_case
def test_nobody_elses_array_is_written_to(case):
    values = arrays(case)
    for create_graph in (False, True):
        leaves = tensors(values)
        for leaf in leaves:
            leaf._data.flags.writeable = False
        outputs = as_list(case.call(*leaves))
        followed = [out for out in outputs if out._requires_grad]
        seeds = [np.random.default_rng(1).normal(size=out.shape) for out in followed]
        for seed in seeds:
            seed.flags.writeable = False
        before = [out._data.copy() for out in outputs]
        for out in outputs:
            out._data.flags.writeable = False
        targets = [leaf.node for leaf in leaves if leaf._requires_grad]
        cotangents = [wrap(seed, None) if create_graph else seed for seed in seeds]
        backpropagate([out.node for out in followed], cotangents, targets, create_graph=create_graph)
        for leaf, value in zip(leaves, values, strict=True):
            np.testing.assert_array_equal(leaf._data, value)
        for out, value in zip(outputs, before, strict=True):
            np.testing.assert_array_equal(out._data, value)


@several_inputs
@pytest.mark.parametrize("create_graph", [False, True], ids=["raw", "recorded"])
def test_one_argument_alone_gets_the_gradient_that_it_gets_among_others(case, create_graph):
    values = arrays(case)
    floating = [index for index, value in enumerate(values) if value.dtype.kind == "f"]
    _, together = run_backward(case, tensors(values), create_graph)
    for index, expected in zip(floating, together, strict=True):
        leaves = [Tensor(value) for value in values]
        leaves[index].requires_grad_()
        _, (alone,) = run_backward(case, leaves, create_graph)
        np.testing.assert_array_equal(dense(alone, leaves[index]), dense(expected, leaves[index]))


@several_inputs
@pytest.mark.parametrize("create_graph", [False, True], ids=["raw", "recorded"])
def test_hard_case_020_each_gradient_has_the_dtype_of_its_own_argument(case, create_graph):
    values = arrays(case)
    for turn in (0, 1):
        dtypes = [(np.float32, np.float64)[(index + turn) % 2] for index in range(len(values))]
        mixed = [v.astype(d) if v.dtype.kind == "f" else v for v, d in zip(values, dtypes, strict=True)]
        leaves = tensors(mixed)
        _, found = run_backward(case, leaves, create_graph)
        for leaf, gradient in zip([leaf for leaf in leaves if leaf._requires_grad], found, strict=True):
            assert dense(gradient, leaf).dtype == leaf.dtype
            assert dense(gradient, leaf).shape == leaf.shape


@every_case
def test_recording_does_not_change_the_values(case):
    values = arrays(case)
    recorded = as_list(case.call(*tensors(values)))
    plain = as_list(case.call(*map(Tensor, values)))
    for one, two in zip(recorded, plain, strict=True):
        np.testing.assert_array_equal(one._data, two._data)
        assert one.dtype == two.dtype
        assert two.node is None or not two.requires_grad


@every_case
def test_nothing_is_recorded_under_no_grad(case):
    with ag.no_grad():
        for output in as_list(case.call(*tensors(arrays(case)))):
            assert output.node is None
            assert not output.requires_grad


def test_every_primitive_has_a_row_and_every_row_a_primitive():
    rows = {case.op for case in CASES}
    assert sorted(set(primitives) - rows) == []
    assert sorted(rows - set(primitives)) == []


def test_rows_have_different_names():
    assert len(set(IDS)) == len(IDS), sorted({name for name in IDS if IDS.count(name) > 1})


def test_every_export_exists_and_has_a_docstring():
    for name in ag.__all__:
        value = getattr(ag, name)
        if callable(value):
            assert inspect.getdoc(value), name
    assert len(set(ag.__all__)) == len(ag.__all__)


def test_every_elementwise_primitive_is_exported_under_its_name():
    missing = [name for name, primitive in primitives.items() if primitive.simple and name not in ag.__all__]
    assert set(missing) <= {
        "polygamma",
        "gate",
        "matmul_nt",
        "matmul_tn",
        "sigmoid_backward",
        "squared_error_backward",
        "tanh_backward",
    }  # parts of others


def test_every_method_of_a_tensor_has_a_docstring():
    public = [name for name in dir(Tensor) if not name.startswith("_")]
    assert [name for name in public if name != "node" and not inspect.getdoc(getattr(Tensor, name))] == []
