"""The walk over the graph: counts, order, names, what is kept, and the health of gradients."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import Tensor
from autograd.backward import backpropagate
from autograd.graph import FREED
from autograd.visualize import Thresholds, draw
from autograd.visualize.walk import all_nodes, health


def leaf(*shape: int, name: str = "x") -> Tensor:
    tensor = Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)
    tensor.name = name
    return tensor


def ops(drawing):
    return [vertex for vertex in drawing.nodes if vertex.kind == "op"]


def inner_edges(drawing):
    return [edge for edge in drawing.edges if not edge.head.startswith("out")]


def test_square_has_one_op_and_two_edges():
    x = leaf(3)
    drawing = draw(x * x)
    assert len(ops(drawing)) == 1
    assert len(inner_edges(drawing)) == 2


def test_doubling_sixteen_times_is_linear():
    y = leaf(3)
    for _ in range(16):
        y = y + y
    drawing = draw(y)
    assert len(ops(drawing)) == 16
    assert len(inner_edges(drawing)) == 32


@pytest.mark.slow
def test_a_chain_of_100_000_ops_is_walked_without_recursion():
    y = leaf(2)
    for _ in range(100_000):
        y = y * 0.5
    drawing = draw(y)
    with pytest.warns(UserWarning, match="100 000 ops are more than max_nodes=400"):
        nodes = drawing.nodes
    assert len(nodes) <= 400
    assert "100 000 ops" in repr(drawing).replace("100000", "100 000")


def test_constants_of_size_one_stand_in_the_op():
    drawing = draw(leaf(3) * 0.5)
    assert ops(drawing)[0].detail == "×0.5"
    assert len(drawing.edges) == 2


def test_names_come_from_the_tensor_or_from_a_mapping():
    w, x = leaf(3, name="w"), Tensor(np.ones(3))
    names = {vertex.name for vertex in draw(w * x, params={"data": x}).nodes}
    assert {"w", "data"} <= names
    b = Tensor(np.ones(3), requires_grad=True)
    names = {vertex.name for vertex in draw(b * x, params=locals()).nodes}
    assert {"b", "x"} <= names


def test_an_output_is_named_by_the_mapping_too():
    x = leaf(3)
    total = (x * x).sum()
    assert draw(total, params=locals()).nodes[-1].name == "total"
    assert [v.name for v in draw([total, x + 1.0], params=locals()).nodes if v.kind == "output"] == ["total", "output 1"]
    total.name = "sum of squares"
    assert draw(total, params=locals()).nodes[-1].name == "sum of squares"


def test_kept_values_are_those_of_the_engine():
    a, b = leaf(4, name="a"), leaf(4, name="b")
    product = a * b
    total = product + b
    drawing = draw(total)
    saved = {vertex.name for vertex in drawing.nodes if vertex.saved}
    assert saved == {"a", "b"}
    distinct = {id(v): v.nbytes for n in all_nodes([total.node]) for v in n.saved or () if isinstance(v, np.ndarray)}
    assert drawing.to_dict()["subtitle"].endswith(f"{sum(distinct.values())} B saved for backward")


def test_after_backward_the_structure_is_still_there_and_saved_data_is_released():
    a = leaf(4, name="a")
    y = (a * a).sum()
    before = [(v.name, v.shape, v.saved) for v in draw(y).nodes]
    y.backward()
    assert y.node.parents[0].saved is FREED
    drawing = draw(y)
    assert [(v.name, v.shape, v.saved) for v in drawing.nodes] == before
    assert "released" in drawing.to_dict()["subtitle"]


def test_the_gradient_that_is_shown_is_the_norm_of_the_gradient():
    a = leaf(5, name="a")
    (a * a * 3.0).sum().backward()
    vertex = next(v for v in draw((a * a).sum()).nodes if v.name == "a")
    assert vertex.gradient == pytest.approx(np.linalg.norm(a.grad._data), rel=1e-12)


def test_no_gradient_is_not_a_gradient_of_zero():
    a, b = leaf(3, name="a"), leaf(3, name="b")
    a.grad = Tensor(np.zeros(3))
    states = {v.name: v.state for v in draw(a * b).nodes}
    assert states["a"] == "zero grad"
    assert states["b"] == "no grad"


@pytest.mark.parametrize(
    ("ratio", "state"),
    [(1e-9, "vanishing"), (1e-3, ""), (50.0, "exploding"), (np.nan, "nan"), (np.inf, "nan"), (0.0, "zero grad")],
)
def test_health_by_the_ratio_of_gradient_and_weight(ratio, state):
    weight = np.full((3, 4), -2.0)
    assert health(np.full((3, 4), 2.0 * ratio), weight, Thresholds())[1] == state


def test_double_backward_is_told_apart():
    x = leaf(3)
    y = x * x * x
    seed = Tensor(np.ones(3))
    (gradient,) = backpropagate([y.node], [seed], create_graph=True).values()
    drawing = draw(gradient)
    assert any(vertex.backward for vertex in ops(drawing))
    assert any(not vertex.backward for vertex in ops(drawing))
    assert any(box.backward for box in drawing.modules)


def test_several_outputs_in_one_picture():
    x = leaf(3)
    drawing = draw({"first": x * 2.0, "second": x * 3.0})
    assert [v.name for v in drawing.nodes if v.kind == "output"] == ["first", "second"]


def test_order_and_keys_do_not_depend_on_what_ran_before():
    def picture() -> str:
        x = leaf(3)
        return draw((x * x + x).sum()).dot

    first = picture()
    leaf(7) * 3.0
    assert picture() == first


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        (lambda: np.ones(3), TypeError, r"draw a Tensor, e.g. draw\(net\(x\)\)"),
        (lambda: Tensor([1.0]), ValueError, "has no graph"),
        (list, ValueError, "at least one Tensor"),
        (lambda: [3], TypeError, "expected Tensors, got int"),
    ],
)
def test_wrong_outputs(argument, error, message):
    with pytest.raises(error, match=message):
        draw(argument())


@pytest.mark.parametrize(
    "option", [{"show": "colour"}, {"show": "time"}, {"theme": "pink"}, {"direction": "UP"}, {"shared": "hub"}, {"depth": -1}]
)
def test_wrong_options(option):
    with pytest.raises(ValueError, match="draw: expected"):
        draw(leaf(2) * 2.0, **option)
