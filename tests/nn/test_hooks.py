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


def test_a_module_whose_inputs_need_no_gradient_sees_that_of_its_outputs():
    calls = []
    module = nn.Linear(2, 2)
    module.register_full_backward_hook(lambda m, gi, go: calls.append((gi, go[0].tolist())))
    module(ag.ones(1, 2)).sum().backward()
    assert calls == [((None,), [[1.0, 1.0]])]
    assert module.weight.grad is not None
    module.register_full_backward_hook(lambda m, gi, go: (ag.ones(1, 2),))
    with pytest.raises(ValueError, match="register_full_backward_hook: expected None from the hook of a module whose inputs"):
        module(ag.ones(1, 2)).sum().backward()


def test_gradients_have_the_places_of_their_inputs_and_outputs():
    class Second(nn.Module):
        def forward(self, _first, second, factor):
            return "text", second * factor, ag.ones(1)

    seen = []
    module = Second()
    module.register_full_backward_pre_hook(lambda m, go: seen.append(go))
    module.register_full_backward_hook(lambda m, gi, go: (None, gi[1] * 10, None))
    x = ag.tensor([2.0], requires_grad=True)
    module(ag.ones(1), x, 3.0)[1].backward()
    ((text, g, constant),) = seen
    assert (text, g.tolist(), constant) == (None, [1.0], None)
    assert x.grad.tolist() == [30.0]


def test_hooks_under_no_grad_and_checkpoint():
    calls = []
    module = nn.Linear(2, 2)
    module.register_forward_hook(lambda m, i, o: calls.append("forward"))
    module.register_full_backward_hook(lambda m, gi, go: calls.append("backward"))
    with ag.no_grad():
        module(ag.ones(1, 2))
    assert calls == ["forward"]
    x = ag.ones(1, 2).requires_grad_()
    ag.checkpoint(module, x).sum().backward()
    assert calls == ["forward", "forward", "forward", "backward"]  # once more when it is computed again
    assert x.grad is not None


@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward", "full_backward_pre"])
def test_a_hook_that_raises_leaves_nothing_behind(kind):
    def fail(*_):
        raise RuntimeError("hook")

    module = nn.Sequential(nn.Linear(2, 2))
    handle = getattr(module[0], f"register_{kind}_hook")(fail)
    x = ag.ones(1, 2).requires_grad_()
    with pytest.raises(RuntimeError, match="hook"):
        module(x).sum().backward()
    handle.remove()
    module.zero_grad()
    y = module(x)
    y.sum().backward()
    assert y.node.scope.owner is module[0]
    np.testing.assert_array_equal(module[0].bias.grad, [1.0, 1.0])
    assert ag.ones(1).requires_grad_().exp().node.scope is None


def test_hooks_that_come_first_and_hooks_with_keywords():
    order = []
    module = TwoByTwo()
    for name in ("forward_pre", "forward", "full_backward", "full_backward_pre"):
        register = getattr(module, f"register_{name}_hook")
        register(lambda *_, name=name: order.append((name, "second")))
        register(lambda *_, name=name: order.append((name, "first")), prepend=True)
    module.register_forward_pre_hook(lambda m, a, k: ((a[0] + 1, a[1]), {"scale": k["scale"] * 2}), with_kwargs=True)
    module.register_forward_hook(lambda m, a, k, y: (y[0] + k["scale"], y[1]), with_kwargs=True)
    a, b = ag.ones(1).requires_grad_(), ag.full((1,), 3.0)
    product, _ = module(a, b, scale=5.0)
    assert product.tolist() == [2 * 3 * 10 + 10]
    product.backward()
    names = ["forward_pre", "forward", "full_backward_pre", "full_backward"]
    assert order == [(name, place) for name in names for place in ("first", "second")]
    module = nn.Linear(1, 1)
    module.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
    with pytest.raises(TypeError, match=r"register_forward_pre_hook: expected None or \(arguments, keyword arguments\) from"):
        module(a)
