"""Random options and shapes against PyTorch: outputs, gradients and which calls are refused. Seeded, a second or less each.

Runs where PyTorch is installed (``pip install -e ".[test,parity]"``).
"""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.graph import reachable, saved_arrays

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
    pytest.mark.filterwarnings("ignore:reduction. .mean. divides the total loss"),
]
F, T = nn.functional, torch.nn.functional


def tensors(result) -> list:
    """The tensors in a result, which may be nested."""
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in tensors(part)]
    return [] if result is None else [result]


def agree(ours, theirs, arrays, tolerance=1e-9, gradients=True, case="") -> bool:
    """True where both give one result with one gradient; False where PyTorch refuses the call."""
    mine = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    yours = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    try:
        expected = tensors(theirs(*yours))
    except (RuntimeError, ValueError, IndexError, NotImplementedError):
        return False
    found = tensors(ours(*mine))
    assert len(found) == len(expected), case
    same = {"rtol": tolerance, "atol": tolerance, "err_msg": str(case)}
    for y, z in zip(found, expected, strict=True):
        assert y.shape == tuple(z.shape), case
        np.testing.assert_allclose(y.detach(), z.detach().numpy(), **same)
    if not gradients:
        return True
    rng = np.random.default_rng(3)
    pairs = [(y, z, rng.normal(size=y.shape).astype(y.dtype)) for y, z in zip(found, expected, strict=True) if z.requires_grad]
    sum((y * Tensor(g)).sum() for y, _, g in pairs).backward()
    sum((z * torch.tensor(g)).sum() for _, z, g in pairs).backward()
    for x, w in zip(mine, yours, strict=True):
        if w.requires_grad and w.grad is not None:
            np.testing.assert_allclose(x.grad, w.grad.numpy(), **same)
    return True


def layers(name, *arguments, **options):
    """Our layer and PyTorch's in float64 with the same parameters."""
    theirs = getattr(torch.nn, name)(*arguments, dtype=torch.float64, **options)
    ours = getattr(nn, name)(*arguments, dtype=np.float64, **options)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def same_parameter_gradients(ours, theirs, case) -> None:
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-9, atol=1e-9, err_msg=str(case))


class Draw:
    """Random choices."""

    def __init__(self, seed) -> None:
        self.rng = np.random.default_rng(seed)

    def whole(self, low, high) -> int:
        return int(self.rng.integers(low, high))

    def wholes(self, low, high, count) -> tuple[int, ...]:
        return tuple(self.rng.integers(low, high, size=count).tolist())

    def one(self, *options):
        return options[self.rng.integers(len(options))]

    def chance(self, p=0.5) -> bool:
        return bool(self.rng.random() < p)

    def normal(self, *shape):
        return np.asarray(self.rng.normal(size=shape))


def test_interpolation():
    draw, compared = Draw(0), 0
    for _ in range(200):
        axes = draw.whole(1, 3)
        mode = draw.one("nearest", "nearest-exact", "area", *(["linear"] if axes == 1 else ["bilinear", "bicubic"]))
        options = {"mode": mode}
        if draw.chance(0.4):
            options["size"] = draw.wholes(1, 12, axes)
        else:
            factors = draw.rng.uniform(0.3, 3.3, axes)
            options["scale_factor"] = tuple((factors if draw.chance() else np.round(factors, 1)).tolist())
            options["recompute_scale_factor"] = draw.one(None, True)
        if "linear" in mode or mode == "bicubic":
            options["align_corners"] = draw.one(None, True, False)
        shape = draw.wholes(1, 9, axes)
        if min(options.get("size", [int(n * f) for n, f in zip(shape, options.get("scale_factor", ()), strict=False)])) < 1:
            continue
        # PyTorch's gradient of "nearest" and "bicubic" is that of another factor where sizes are equal or double
        exact = "size" in options or mode not in ("nearest", "bicubic")
        args = (lambda x, o=options: F.interpolate(x, **o)), (lambda x, o=options: T.interpolate(x, **o))
        compared += agree(*args, [draw.normal(2, 3, *shape)], 1e-8, exact, (options, shape))
    assert compared > 150


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_places_on_the_border_of_two_elements(mode, dtype):
    for length in (1, 2, 3, 5, 7, 12, 33, 52, 59):
        x = np.arange(length, dtype=dtype)[None, None]
        options = [{"size": m} for m in range(1, 99, 3)] + [{"scale_factor": k / 10} for k in range(10, 40)]
        for option in options:
            y, z = F.interpolate(Tensor(x), mode=mode, **option), T.interpolate(torch.tensor(x), mode=mode, **option)
            np.testing.assert_array_equal(y, z.numpy(), err_msg=str((length, option)))


def test_padding():
    draw, compared = Draw(1), 0
    for _ in range(400):
        axes = draw.whole(1, 4)
        mode = draw.one("constant", "reflect", "replicate", "circular")
        lead = draw.wholes(1, 3, 2 if mode != "constant" else draw.whole(0, 3))
        shape = (*lead, *draw.wholes(1, 6, axes))
        widths = draw.wholes(-2 if draw.chance() else 0, 4, 2 * axes)
        if mode == "circular":  # PyTorch reads memory that it has not written where less is left than is added
            left = [n + min(a, 0) + min(b, 0) for n, a, b in zip(shape[::-1], widths[::2], widths[1::2], strict=False)]
            if any(max(a, b) > n for n, a, b in zip(left, widths[::2], widths[1::2], strict=True)):
                continue
        value = draw.one(None, 1.5) if mode == "constant" else None
        args = (
            (lambda x, w=widths, m=mode, v=value: F.pad(x, w, m, v)),
            (lambda x, w=widths, m=mode, v=value: T.pad(x, w, m, v)),
        )
        reliable = not (mode == "reflect" and min(widths) < 0)  # its gradient of such a padding is another function's
        compared += agree(*args, [draw.normal(*shape)], 1e-12, reliable, (mode, shape, widths))
    assert compared > 200


@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions(transposed):
    draw, compared = Draw(2), 0
    for _ in range(120):
        axes, groups = draw.whole(1, 3), draw.whole(1, 4)
        options = {"groups": groups, "bias": draw.chance(), "dilation": draw.wholes(1, 4, axes)}
        options["stride"] = draw.wholes(1, 4, axes)
        options["padding"] = draw.wholes(0, 3, axes)
        if transposed:
            options["output_padding"] = draw.wholes(0, 2, axes)
        else:
            options["padding_mode"] = draw.one("zeros", "zeros", "reflect", "replicate", "circular")
            if draw.chance(0.4):
                options["padding"] = draw.one("same", "valid")
            if options["padding"] == "same":
                options["stride"] = 1
        name = f"Conv{'Transpose' if transposed else ''}{axes}d"
        channels = groups * draw.whole(1, 3), groups * draw.whole(1, 3)
        ours, theirs = layers(name, *channels, draw.wholes(1, 5, axes), **options)
        lead = () if draw.chance(0.2) else (draw.whole(0 if not transposed else 1, 3),)
        x = draw.normal(*lead, channels[0], *draw.wholes(2, 9, axes))
        if agree(ours, theirs, [x], case=(name, options, x.shape)):
            same_parameter_gradients(ours, theirs, (name, options, x.shape))
            compared += 1
    assert compared > 60


def test_pooling():
    draw, compared = Draw(3), 0
    for _ in range(250):
        axes = draw.whole(1, 3)
        kind = draw.one("Max", "Avg", "AdaptiveAvg", "AdaptiveMax")
        lead = () if draw.chance(0.3) else (draw.whole(0, 3),)
        x = draw.normal(*lead, 2, *draw.wholes(1, 9, axes))
        if kind.startswith("Adaptive"):
            arguments, options = (draw.whole(1, 7) if axes == 1 else draw.wholes(1, 7, 2),), {}
        else:
            arguments = draw.wholes(1, 4, axes), draw.wholes(1, 4, axes), draw.wholes(0, 2, axes)
            options = {"ceil_mode": draw.chance(), **({"count_include_pad": draw.chance()} if kind == "Avg" else {})}
        if "Max" in kind:
            options["return_indices"] = draw.chance(0.3)
        name = f"{kind}Pool{axes}d"
        pair = getattr(nn, name)(*arguments, **options), getattr(torch.nn, name)(*arguments, **options)
        compared += agree(*pair, [x], case=(name, arguments, options, x.shape))
    assert compared > 150


def test_classification_losses():
    draw, compared = Draw(4), 0
    for _ in range(300):
        name = draw.one("cross_entropy", "nll_loss", "probabilities", "binary_cross_entropy_with_logits")
        n, c, rest = draw.whole(0, 5), draw.whole(1, 5), draw.wholes(1, 3, draw.whole(0, 3))
        x = draw.normal(n, c, *rest) * draw.one(1, 30)
        if draw.chance(0.1):
            x, n, rest = draw.normal(c), 1, ()
        options = {"reduction": draw.one("mean", "sum", "none")}
        weight = draw.rng.uniform(0, 2, x.shape[-1] if name.startswith("binary") else c) if draw.chance() else None
        if name in ("cross_entropy", "nll_loss"):
            target = np.asarray(draw.rng.integers(0, c, (n, *rest) if x.ndim > 1 else ()))
            options["ignore_index"] = draw.one(-100, 0, 1, -1)
        else:
            target = draw.rng.random(x.shape)
        if name in ("cross_entropy", "probabilities") and draw.chance():
            options["label_smoothing"] = float(draw.rng.random())
        if name.startswith("binary") and draw.chance():
            options["pos_weight"] = draw.rng.uniform(0, 2, x.shape[-1])
        function = "cross_entropy" if name == "probabilities" else name

        def call(library, kind, function=function, options=options, weight=weight):
            given = {k: kind(v) if isinstance(v, np.ndarray) else v for k, v in {**options, "weight": weight}.items()}
            return lambda x, y: getattr(library, function)(x, y, **given)

        compared += agree(call(F, Tensor), call(T, torch.tensor), [x, target], 1e-11, case=(name, options, x.shape))
    assert compared == 300


NUMBERS = [
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss", "gaussian_nll_loss",
    "hinge_embedding_loss", "triplet_margin_loss", "cosine_embedding_loss", "multi_margin_loss", "binary_cross_entropy",
]  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_other_losses(name):
    draw = Draw(5)
    for _ in range(40):
        shape = draw.wholes(1, 4, draw.whole(1, 3 if name in ("multi_margin_loss", "cosine_embedding_loss") else 4))
        options = {"reduction": draw.one("mean", "sum", "none")}
        x, y = draw.normal(*shape), draw.normal(*shape)
        arrays = [x, np.where(draw.rng.random(shape) < 0.5, x, y)]  # ties, too
        if name == "smooth_l1_loss":
            options["beta"] = draw.one(0.0, 0.3, 2.0)
        elif name == "huber_loss":
            options["delta"] = draw.one(0.3, 2.0)
        elif name == "kl_div":
            options = {"reduction": draw.one("mean", "batchmean", "sum", "none"), "log_target": draw.chance()}
            arrays = [x, y if options["log_target"] else np.abs(y) + 0.1]
        elif name == "poisson_nll_loss":
            options.update(log_input=draw.chance(), full=draw.chance())
            arrays = [np.abs(x), draw.rng.integers(1, 5, shape).astype(np.float64)]
        elif name == "gaussian_nll_loss":
            options["full"] = draw.chance()
            arrays.append(np.abs(draw.normal(*draw.one(shape, shape[:-1], (*shape[:-1], 1)))) * draw.one(1.0, 1e-6))
        elif name == "hinge_embedding_loss":
            arrays[1] = draw.rng.choice([-1.0, 1.0], shape)
        elif name == "triplet_margin_loss":
            arrays = [x, y, draw.normal(*shape)]
            options.update(swap=draw.chance(), p=draw.one(1.0, 2.0, 3.0), margin=0.7)
        elif name == "cosine_embedding_loss":
            arrays = [x, y, np.asarray(draw.rng.choice([-1.0, 1.0], shape[:-1]))]
            options["margin"] = float(draw.rng.uniform(-0.5, 0.5))
        elif name == "multi_margin_loss":
            arrays = [x, np.asarray(draw.rng.integers(0, shape[-1], shape[:-1]))]
            options.update(p=draw.one(1, 2), margin=0.4)
        elif name == "binary_cross_entropy":
            arrays = [draw.rng.random(shape), draw.rng.choice([0.0, 0.2, 1.0], shape)]
        args = (lambda *a, o=options: getattr(F, name)(*a, **o)), (lambda *a, o=options: getattr(T, name)(*a, **o))
        assert agree(*args, arrays, 1e-8, case=(options, shape))


def test_normalisation():
    draw, compared = Draw(6), 0
    for _ in range(100):
        name = draw.one("BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d", "GroupNorm", "LayerNorm", "RMSNorm")
        sizes = draw.wholes(2, 5, 2)[: draw.whole(0, 3)] if name[-4:] == "Norm" else draw.wholes(2, 5, int(name[-2]))
        shape = (draw.whole(2, 5), 4, *sizes)
        if name.startswith(("Batch", "Instance")):
            arguments = (4,)
            options = {key: draw.chance() for key in ("affine", "track_running_stats", "bias")}
            options.update(momentum=draw.one(0.1, 0.7, 0.0, 1.0, *([None] if name.startswith("Batch") else [])), eps=1e-3)
        elif name == "GroupNorm":
            arguments, options = (draw.one(1, 2), 4), {"affine": draw.chance()}
        else:
            arguments, options = (shape[draw.whole(1, len(shape)) :],), {"elementwise_affine": draw.chance()}
        ours, theirs = layers(name, *arguments, **options)
        for step in range(3):
            if step == 2:
                ours.eval(), theirs.eval()
            x = draw.normal(*shape) * 3 + draw.one(0, 50)
            compared += agree(ours, theirs, [x], 1e-8, case=(name, options, shape))
            for a, b in zip(ours.buffers(), theirs.buffers(), strict=True):
                np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, err_msg=str((name, options, shape)))
    assert compared == 300


def test_attention():
    draw = Draw(7)
    for _ in range(150):
        rows, columns, features, width = draw.wholes(1, 7, 4)
        lead = draw.one((), (2,), (2, 3))
        arrays = [draw.normal(*lead, *s) for s in ((rows, features), (columns, features), (columns, width))]
        options = {"scale": draw.one(None, 0.7), "is_causal": draw.chance(0.3)}
        if not options["is_causal"] and draw.chance(0.8):
            shape = draw.one((rows, columns), (*lead, rows, columns), (1, columns), (rows, 1))
            kept = draw.rng.random(shape) < 0.7
            arrays.append(kept if draw.chance() else np.where(kept, draw.rng.normal(size=shape), -np.inf))
        args = [lambda *a, o=options, f=library.scaled_dot_product_attention: f(*a[:3], *a[3:], **o) for library in (F, T)]
        assert agree(*args, arrays, 1e-9, case=(options, [a.shape for a in arrays]))


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers(name):
    draw = Draw(8)
    for _ in range(40):
        features, hidden, steps, batch = draw.whole(1, 4), draw.whole(2, 5), draw.whole(1, 6), draw.whole(1, 4)
        options = {"num_layers": draw.whole(1, 4), "bias": draw.chance(), "batch_first": draw.chance()}
        options["bidirectional"] = draw.chance()
        if name == "LSTM":
            options["proj_size"] = draw.one(0, hidden - 1)
        if name == "RNN":
            options["nonlinearity"] = draw.one("tanh", "relu")
        ours, theirs = layers(name, features, hidden, **options)
        count, width = options["num_layers"] * (1 + options["bidirectional"]), options.get("proj_size") or hidden
        lengths = draw.wholes(1, steps + 1, batch) if draw.chance(0.6) else None
        batched = lengths is not None or draw.chance(0.6)
        lead = (batch,) if batched else ()
        states = (
            [draw.normal(count, *lead, n) for n in ((width, hidden) if name == "LSTM" else (width,))] if draw.chance() else []
        )
        shape = (
            (steps, features)
            if not batched
            else (batch, steps, features)
            if options["batch_first"]
            else (steps, batch, features)
        )

        def given(parts):
            return None if not parts else parts[0] if name != "LSTM" else tuple(parts)

        def padded(x, *parts, theirs=theirs, lengths=lengths, first=options["batch_first"], total=steps):
            if lengths is None:
                return theirs(x, given(parts))
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, first, enforce_sorted=False)
            y, last = theirs(packed, given(parts))
            return torch.nn.utils.rnn.pad_packed_sequence(y, first, total_length=total)[0], last

        case = options, lengths, shape
        run = lambda x, *parts, ours=ours, lengths=lengths: ours(x, given(parts), lengths=lengths)
        assert agree(run, padded, [draw.normal(*shape), *states], case=case)
        same_parameter_gradients(ours, theirs, case)


def bytes_saved(module, x) -> int:
    """In arrays that the graph of a call keeps, without those of the parameters."""
    arrays = {}
    for node in reachable([tensors(module(x))[0].node]):
        for array in saved_arrays(node):
            while isinstance(array.base, np.ndarray):
                array = array.base
            arrays[id(array)] = array
    known = {id(p._data) for p in module.parameters()}
    return sum(array.nbytes for key, array in arrays.items() if key not in known)


def bytes_saved_by_pytorch(module, x) -> int:
    """The same."""
    storages = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    known = {p.untyped_storage().data_ptr() for p in module.parameters()}
    return sum(size for key, size in storages.items() if key not in known)


SAVING = {
    "LSTM": lambda library: library.LSTM(32, 64, 2, bidirectional=True),
    "projected LSTM": lambda library: library.LSTM(32, 64, proj_size=32),
    "GRU": lambda library: library.GRU(32, 64),
    "RNN": lambda library: library.RNN(32, 64),
    "transformer": lambda library: library.TransformerEncoderLayer(32, 4, 64, 0.0),
    "perceptron": lambda library: library.Sequential(
        library.Linear(32, 200), library.GELU(), library.LayerNorm(200), library.Dropout(), library.Linear(200, 10)
    ),
}


@pytest.mark.parametrize("name", SAVING)
def test_no_more_than_one_and_a_half_times_pytorchs_memory_is_kept_for_the_backward_pass(name):
    x = np.random.default_rng(0).normal(size=(40, 16, 32)).astype(np.float32)
    ours = bytes_saved(SAVING[name](nn), Tensor(x, requires_grad=True))
    assert ours <= 1.5 * bytes_saved_by_pytorch(SAVING[name](torch.nn), torch.tensor(x, requires_grad=True))


def test_images_keep_no_more_than_one_and_a_half_times_pytorchs_memory():
    def build(library):
        first = library.Conv2d(3, 16, 3, padding=1), library.BatchNorm2d(16), library.ReLU(), library.MaxPool2d(2)
        return library.Sequential(*first, library.Conv2d(16, 32, 3, padding=1), library.ReLU())

    x = np.random.default_rng(0).normal(size=(8, 3, 16, 16)).astype(np.float32)
    ours = bytes_saved(build(nn), Tensor(x, requires_grad=True))
    assert ours <= 1.5 * bytes_saved_by_pytorch(build(torch.nn), torch.tensor(x, requires_grad=True))
