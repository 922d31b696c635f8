"""The differential test: values, gradients and second derivatives of every function that PyTorch has too, against PyTorch's.

It runs where PyTorch is installed (``pip install -e ".[test,parity]"``), from the same table of cases as every other check.
"""

from __future__ import annotations

import numpy as np
import pytest
from cases.case import Case
from cases.table import CASES

from autograd import Tensor
from autograd.backward import backpropagate
from autograd.graph import wrap
from autograd.primitive import primitives

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.filterwarnings("ignore:An output with one or more elements was resized"),  # PyTorch's own ldexp
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]


def arrays(case: Case) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [np.asarray(make(rng)) for make in case.inputs]


TWINS = [case for case in CASES if case.torch]
IDS = [case.id for case in TWINS]
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}  # of the greatest element, at first and second order
LOOSE = {"lgamma": 1e-8}  # PyTorch's trigamma is off by 1e-9; ours is compared with mpmath
WIDER = {"power-integers", "power-float_power"}  # NumPy's promotion of float32 with int64, and its float_power, give float64
dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])

SIMPLE = {name for name, primitive in primitives.items() if primitive.simple}
ELEMENTWISE = [case for case in TWINS if case.op in SIMPLE and not case.label and all(v.ndim == 2 for v in arrays(case))]
SLICES = {  # of a (3, 4) array: sizes 0 and 1, fewer axes, none
    "row": np.s_[:1], "column": np.s_[:, :1], "one": np.s_[:1, :1], "no-rows": np.s_[:0], "no-columns": np.s_[:, :0],
    "vector": np.s_[0], "0d": np.s_[0, 0],
}  # fmt: skip
PAIRS = {  # the same for two arguments that broadcast
    "row": (np.s_[:], np.s_[:1]), "column": (np.s_[:, :1], np.s_[:]), "both": (np.s_[:1], np.s_[:, :1]),
    "vector": (np.s_[:], np.s_[0]), "0d": (np.s_[0, 0], np.s_[:]), "one": (np.s_[:1, :1], np.s_[0]),
    "empty-row": (np.s_[:0], np.s_[:1]), "empty-0d": (np.s_[0, 0], np.s_[:, :0]), "two-empty": (np.s_[:0], np.s_[:0]),
}  # fmt: skip


def values_of(case: Case, dtype) -> list[np.ndarray]:
    return [value.astype(dtype) if value.dtype.kind == "f" else value for value in arrays(case)]


def scattered(value: np.ndarray) -> np.ndarray:
    """The same values with every stride negative, gaps between them, and the axes laid out in reverse."""
    if value.ndim == 0:
        return value
    wide = np.empty((*value.shape[::-1], 2), value.dtype)
    view = wide[..., 0].T[(slice(None, None, -1),) * value.ndim]
    view[...] = value
    return view


def random_like(rng, array) -> np.ndarray:
    return np.asarray(rng.normal(size=array.shape)).astype(array.dtype)


def ours(case: Case, values) -> tuple[list, list, list]:
    """Values, gradients, and gradients of a random combination of the gradients (with respect to inputs and cotangents)."""
    rng = np.random.default_rng(7)
    leaves = [wrap(value, None) for value in values]
    leaves = [leaf.requires_grad_() if leaf.dtype.kind == "f" else leaf for leaf in leaves]
    inputs = [leaf for leaf in leaves if leaf._requires_grad]
    result = case.call(*leaves)
    outputs = [out for out in (result if isinstance(result, tuple | list) else [result]) if isinstance(out, Tensor)]
    followed = [out for out in outputs if out._requires_grad]
    cotangents = [wrap(random_like(rng, out._data), None).requires_grad_() for out in followed]
    first = gradients(followed, inputs, cotangents)
    seeds = [wrap(random_like(rng, gradient._data), None) for gradient in first]
    pairs = [(gradient, seed) for gradient, seed in zip(first, seeds, strict=True) if gradient._requires_grad]
    second = gradients([pair[0] for pair in pairs], [*inputs, *cotangents], [pair[1] for pair in pairs])
    return [out._data for out in outputs], [g._data for g in first], [g._data for g in second]


def gradients(outputs, inputs, cotangents) -> list:
    found = backpropagate([out.node for out in outputs], cotangents, [x.node for x in inputs], create_graph=True)
    return [found.get(x.node, wrap(np.zeros(x.shape, x.dtype), None)) for x in inputs]


def theirs(case: Case, values) -> tuple[list, list, list]:
    """The same three by PyTorch."""
    rng = np.random.default_rng(7)
    leaves = [torch.tensor(np.ascontiguousarray(value).reshape(value.shape)) for value in values]
    leaves = [leaf.requires_grad_() if leaf.is_floating_point() else leaf for leaf in leaves]
    inputs = [leaf for leaf in leaves if leaf.requires_grad]
    result = case.torch(*leaves)
    outputs = [out for out in (result if isinstance(result, tuple | list) else [result]) if torch.is_tensor(out)]
    followed = [out for out in outputs if out.requires_grad]
    cotangents = [torch.tensor(random_like(rng, out.detach().numpy())).requires_grad_() for out in followed]
    first = torch_gradients(followed, inputs, cotangents)
    seeds = [torch.tensor(random_like(rng, gradient.numpy(force=True))) for gradient in first]
    pairs = [(gradient, seed) for gradient, seed in zip(first, seeds, strict=True) if gradient.requires_grad]
    second = torch_gradients([pair[0] for pair in pairs], [*inputs, *cotangents], [pair[1] for pair in pairs])
    return tuple([x.numpy(force=True) for x in part] for part in (outputs, first, second))


def torch_gradients(outputs, inputs, cotangents) -> list:
    if not outputs:
        return [torch.zeros_like(x) for x in inputs]
    found = torch.autograd.grad(outputs, inputs, cotangents, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


def compare(case: Case, values, dtype, record, layout=np.asarray) -> None:
    """Each of the three parts, element by element: the difference over the greatest element of that part (at least 1)."""
    mine = ours(case, [layout(value) for value in values])
    reference = theirs(case, values)
    name = {np.float64: "float64", np.float32: "float32"}[dtype]
    for part, got, expected in zip(("value", "gradient", "second derivative"), mine, reference, strict=True):
        assert len(got) == len(expected), part
        for one, two in zip(got, expected, strict=True):
            assert one.shape == two.shape, part
            if part == "gradient" or (part == "value" and case.id not in WIDER):
                assert one.dtype == two.dtype, part
            assert np.array_equal(np.isfinite(one), np.isfinite(two)), (part, one, two)
            finite = np.isfinite(two)
            scale = max(1.0, float(np.max(np.abs(two[finite]), initial=0.0)))
            error = float(np.max(np.abs(one[finite].astype(np.float64) - two[finite]), initial=0.0)) / scale
            record.add(f"parity {name}, {part}", case.op, error)
            assert error <= max(TOLERANCE[dtype], LOOSE.get(case.op, 0.0)), (part, one, two)


@dtypes
@pytest.mark.parametrize("case", TWINS, ids=IDS)
def test_equals_pytorch(case, dtype, record):
    compare(case, values_of(case, dtype), dtype, record)


@pytest.mark.parametrize("case", TWINS, ids=IDS)
def test_equals_pytorch_for_any_layout_in_memory(case, record):
    compare(case, values_of(case, np.float64), np.float64, record, scattered)


@dtypes
@pytest.mark.parametrize("case", ELEMENTWISE, ids=[case.id for case in ELEMENTWISE])
def test_equals_pytorch_for_sizes_of_0_and_1_and_broadcast(case, dtype, record):
    values = values_of(case, dtype)
    if len(values) == 1:
        choices = [(index,) for index in SLICES.values()]
    elif len(values) == 2:
        choices = list(PAIRS.values())
    else:
        choices = [(np.s_[:1], np.s_[:, :1], np.s_[:]), (np.s_[:0], np.s_[0], np.s_[0, 0]), (np.s_[0], np.s_[:1, :1], np.s_[:])]
    for choice in choices:
        compare(case, [np.array(value[index]) for value, index in zip(values, choice, strict=True)], dtype, record)


def test_most_of_the_table_is_compared():
    compared = {case.op for case in TWINS}
    assert len(compared) >= 0.85 * len({case.op for case in CASES})
    assert len(ELEMENTWISE) >= 40
