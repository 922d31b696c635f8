"""Einstein's summation: subscripts are parsed, never evaluated, and mistakes in them are named."""

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize(
    ("spec", "shapes", "message"),
    [
        ("ij,jk->il", ((2, 3), (3, 4)), "axes of the operands"),
        ("ij,jk->ii", ((2, 3), (3, 4)), "each once"),
        ("ij,jk", ((2, 3), (4, 5)), "one size for axis 'j', got 3 and 4"),
        ("ij", ((2, 3), (3, 4)), "expected 1 operands"),
        ("ijk", ((2, 3),), "one of 2 axes"),
        ("__import__('os')", ((2, 3),), "expected letters"),
        ("i->j->k", ((2,),), "expected letters"),
        ("ii->i", ((1, 3),), "equal sizes for 'i' twice"),
    ],
)
def test_mistakes_in_subscripts_are_named(spec, shapes, message):
    with pytest.raises(ValueError, match=message):
        ag.einsum(spec, *(ag.ones(*shape) for shape in shapes))


def test_hard_case_170_einsum_bounds_its_output():
    x = ag.ones(70000)
    with pytest.raises(ValueError, match="einsum: expected a result of at most"):
        ag.einsum("i,j->ij", x, x)


@pytest.mark.parametrize("spec", ["ij,jk", "ij,jk->ki", "...j,jk->...k", " ij , jk -> ik "])
def test_numpys_function_reaches_it(spec):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(np.einsum(spec, ag.Tensor(x), y).numpy(), np.einsum(spec, x, y), rtol=1e-14)
