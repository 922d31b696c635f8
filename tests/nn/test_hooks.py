"""Hooks: before and after forward, before and after backward."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


class TwoByTwo(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, a, b, scale=1.0):
        return a * b * scale, a + b


def test_backward_hooks_see_each_crossing_once():
    seen = []
    module = TwoByTwo()
    before = module.register_full_backward_pre_hook(lambda m, g: seen.append(("before", m, g)))
    after = module.register_full_backward_hook(lambda m, gi, go: seen.append(("after", m, gi, go)))
    a, b = (ag.tensor(v, requires_grad=True) for v in ([2.0], [3.0]))
    product, total = module(a, b, scale=2.0)
    (product * 5.0 + total + a).sum().backward()
    (kind, m, outputs), (kind2, m2, inputs, again) = seen
    assert (kind, kind2) == ("before", "after")
    assert m is m2 is module
    assert [g.tolist() for g in outputs] == [[5.0], [1.0]]
    assert [g.tolist() for g in again] == [[5.0], [1.0]]
    assert [g.tolist() for g in inputs] == [[31.0], [21.0]]  # without what reaches a on its other way
    assert (a.grad.tolist(), b.grad.tolist()) == ([32.0], [21.0])
    before.remove()
    after.remove()
    assert module._backward_hooks == module._backward_pre_hooks == {}


def test_backward_hooks_replace_gradients():
    module = nn.Linear(2, 2, dtype=np.float64)
    module.register_full_backward_pre_hook(lambda m, g: (g[0] * 2,))
    handle = module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x = ag.tensor([[1.0, 2.0]], dtype=np.float64, requires_grad=True)
    module(x).sum().backward()
    np.testing.assert_allclose(x.grad, 20 * module.weight.detach().numpy().sum(0)[None], rtol=1e-14)
    np.testing.assert_array_equal(module.bias.grad, [2.0, 2.0])
    handle.remove()
    module.register_full_backward_hook(lambda m, gi, go: gi + gi)
    with pytest.raises(ValueError, match="register_full_backward_hook: expected 1 gradients from the hook, got 2"):
        module(x).sum().backward()


def test_backward_hooks_do_not_change_gradients_of_any_order():
    module = nn.Sequential(nn.Linear(3, 4, dtype=np.float64), nn.Tanh())
    x = ag.tensor(np.random.default_rng(0).normal(size=(2, 3)), requires_grad=True)
    plain = module(x)
    (first,) = ag.grad((plain**2).sum(), x, create_graph=True)
    expected = first, ag.grad((first**2).sum(), x)[0]
    calls = []
    module.register_full_backward_hook(lambda m, gi, go: calls.append(type(gi[0])))
    hooked = module(x)
    (first,) = ag.grad((hooked**2).sum(), x, create_graph=True)
    np.testing.assert_array_equal(first.detach(), expected[0].detach())
    np.testing.assert_allclose(ag.grad((first**2).sum(), x)[0], expected[1], rtol=1e-13)
    assert set(calls) == {ag.Tensor}


def test_a_module_whose_inputs_need_no_gradient_has_no_crossing():
    calls = []
    module = nn.Linear(2, 2)
    module.register_full_backward_hook(lambda m, gi, go: calls.append(1))
    module(ag.ones(1, 2)).sum().backward()
    assert calls == []
    assert module.weight.grad is not None
