"""The same training step in several libraries, for scripts/benchmark.py.

Each function takes a Cell and returns (step, parameters, inner): step() makes `inner` training
steps and waits for them, parameters() gives the weights as {l: W} in the book's layout.
Networks: ReLU inside, no activation at the end, biases; samples in rows where a library wants that.
"""

import os
import shutil
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from nnfp import (
    FastTraining,
    Parameters,
    backward,
    cross_entropy,
    cross_entropy_gradient,
    flatten,
    forward,
    mse,
    mse_gradient,
    optimiser,
    random_parameters,
    unflatten,
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[1]
SCAN = 20  # steps of one compiled loop


@dataclass(frozen=True)
class Cell:
    """One line of the benchmark."""

    sizes: tuple[int, ...]
    batch: int
    loss: str = "mse"
    rule: str = "sgd"
    dtype: str = "float32"

    @property
    def lr(self) -> float:
        return 0.1 if self.rule == "sgd" else 1e-3

    @cache  # noqa: B019  (cells live as long as the run)
    def problem(self) -> tuple[Parameters, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        W, b = random_parameters(list(self.sizes), rng)
        W = {l: (w * 10 / np.sqrt(w.shape[1])).astype(self.dtype) for l, w in W.items()}
        b = {l: (0.1 * rng.standard_normal(v.shape)).astype(self.dtype) for l, v in b.items()}
        X = rng.standard_normal((self.sizes[0], self.batch)).astype(self.dtype)
        Y = rng.standard_normal((self.sizes[-1], self.batch))
        if self.loss == "cross_entropy":
            Y = np.eye(self.sizes[-1])[:, rng.integers(0, self.sizes[-1], self.batch)]
        return Parameters(W, b), X, np.ascontiguousarray(Y.astype(self.dtype))


def floor(cell: Cell):
    """The matrix products of a step alone, into arrays that exist."""
    (W, _), X, _ = cell.problem()
    A = {l: np.empty((cell.sizes[l], cell.batch), cell.dtype) for l in W} | {0: X}
    delta = {l: np.ones_like(A[l]) for l in W}
    dW = {l: np.empty_like(W[l]) for l in W}
    calls = [partial(np.dot, W[l], A[l - 1], out=A[l]) for l in W]
    for l in reversed(W):
        calls.append(partial(np.dot, delta[l], A[l - 1].T, out=dW[l]))
        if l > 1:
            calls.append(partial(np.dot, W[l].T, delta[l], out=delta[l - 1]))

    def step():
        for call in calls:
            call()

    return step, None, 1


def fast(cell: Cell, ones_row: bool | None = None):
    """nnfp.FastTraining."""
    parameters, X, Y = cell.problem()
    training = FastTraining(parameters, cell.lr, cell.loss, cell.rule, ones_row)
    return partial(training.step, X, Y), lambda: training.parameters.W, 1


def fast_numba(cell: Cell):
    """nnfp.extras.fast_numba.CompiledTraining."""
    from nnfp.extras.fast_numba import CompiledTraining

    parameters, X, Y = cell.problem()
    training = CompiledTraining(parameters, cell.lr, cell.loss, cell.rule)
    return partial(training.step, X, Y), lambda: training.parameters.W, 1


def readable(cell: Cell):
    """The functions of the chapters, with all their checks."""
    parameters, X, Y = cell.problem()
    if cell.loss == "mse" and cell.rule == "sgd":
        return rung("readable")(cell)
    f, gradient = {
        "mse": (mse, mse_gradient), "cross_entropy": (cross_entropy, cross_entropy_gradient)
    }[cell.loss]  # fmt: skip
    rule, state, theta = optimiser(cell.rule), None, flatten(parameters)

    def step():
        nonlocal theta, state
        now = unflatten(theta, list(cell.sizes))
        trace = forward(now, X)
        value = f(trace.Y_hat, Y)
        gradients = backward(now, trace, gradient(trace.Y_hat, Y))
        g = flatten(Parameters(gradients.dW, gradients.db))
        theta, state = rule(theta, g, state, lr=cell.lr)
        return value

    return step, lambda: unflatten(theta, list(cell.sizes)).W, 1


@cache
def _page():
    from nnfp.book.reading import Book
    from nnfp.book.running import run

    return run(Book().page(ROOT / "docs/fast.md")).namespace


def rung(name: str):
    """A version of the step that docs/fast.md develops: the code of the page itself."""

    def make(cell: Cell):
        parameters, X, Y = cell.problem()
        step, now = _page()[name](parameters, X, Y, cell.lr)
        return step, lambda: now().W, 1

    return make


def torch_eager(cell: Cell, compiled: bool = False):
    """torch.nn.Sequential, a torch.optim optimiser; foreach and fused as PyTorch chooses."""
    import torch

    (W, b), X, Y = cell.problem()
    layers = []
    for l, (n, m) in enumerate(pairwise(cell.sizes), start=1):
        layer = torch.nn.Linear(n, m, dtype=getattr(torch, cell.dtype))
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(W[l]))
            layer.bias.copy_(torch.tensor(b[l][:, 0]))
        layers += [layer, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    rule = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[cell.rule](net.parameters(), lr=cell.lr)
    loss = getattr(torch.nn.functional, {"mse": "mse_loss"}.get(cell.loss, cell.loss))
    x, y = (torch.tensor(np.ascontiguousarray(A.T)) for A in (X, Y))
    value = lambda: loss(net(x), y)  # noqa: E731
    if compiled:
        torch._dynamo.reset()  # it gives up after eight variants of one function
        value = torch.compile(value)

    def step():
        rule.zero_grad()
        result = value()
        result.backward()
        rule.step()
        return result

    return step, lambda: {l: p.detach().numpy() for l, p in enumerate(list(net.parameters())[::2], 1)}, 1


def torch_compiled(cell: Cell):
    """The same with torch.compile around network and loss."""
    return torch_eager(cell, compiled=True)


def jax_jit(cell: Cell, scan: bool = False):
    """The whole step, update included, in one jax.jit; parameters donated."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", cell.dtype == "float64")
    (W, b), X, Y = cell.problem()
    theta = [(jnp.asarray(W[l].T), jnp.asarray(b[l][:, 0])) for l in W]
    x, y = jnp.asarray(X.T), jnp.asarray(Y.T)
    zeros = jax.tree.map(jnp.zeros_like, theta)
    carry = (theta, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), cell.dtype))

    def loss(theta, x, y):
        for W, b in theta[:-1]:
            x = jnp.maximum(x @ W + b, 0)
        z = x @ theta[-1][0] + theta[-1][1]
        if cell.loss == "mse":
            return jnp.mean((z - y) ** 2)
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(z), axis=1))

    def one(carry, x, y):
        theta, m, v, t = carry
        value, g = jax.value_and_grad(loss)(theta, x, y)
        if cell.rule == "sgd":
            return (jax.tree.map(lambda p, g: p - cell.lr * g, theta, g), m, v, t), value
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        move = lambda p, m, v: p - cell.lr * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)  # noqa: E731
        return (jax.tree.map(move, theta, m, v), m, v, t), value

    def many(carry, x, y):
        return jax.lax.scan(lambda c, _: one(c, x, y), carry, None, length=SCAN)

    run = jax.jit(many if scan else one, donate_argnums=0)

    def step():
        nonlocal carry
        carry, value = run(carry, x, y)
        return value.block_until_ready()

    return step, lambda: {l: np.asarray(W).T for l, (W, _) in enumerate(carry[0], 1)}, SCAN if scan else 1


def jax_scan(cell: Cell):
    """Twenty such steps compiled into one loop: no Python between them."""
    return jax_jit(cell, scan=True)


def sklearn(cell: Cell):
    """MLPRegressor or MLPClassifier, partial_fit with one batch. Its gradient of
    the squared error is half of a sum over outputs, ours a mean: the rate makes up for it."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    (W, b), X, Y = cell.problem()
    squares = cell.loss == "mse" and cell.rule == "sgd"
    rate = cell.lr * (2 / cell.sizes[-1] if squares else 1)
    kind = MLPRegressor if cell.loss == "mse" else MLPClassifier
    net = kind(
        hidden_layer_sizes=cell.sizes[1:-1], solver=cell.rule, alpha=0, batch_size=cell.batch, shuffle=False,
        learning_rate_init=rate, momentum=0, nesterovs_momentum=False,
    )  # fmt: skip
    x = np.ascontiguousarray(X.T)
    if cell.loss == "mse":
        y, more = np.ascontiguousarray(Y.T), {}
        y = y[:, 0] if y.shape[1] == 1 else y
    else:
        y, more = Y.argmax(axis=0), {"classes": np.arange(len(Y))}
    net.partial_fit(x, y, **more)  # makes the arrays
    for l in W:
        net.coefs_[l - 1][...], net.intercepts_[l - 1][...] = W[l].T, b[l][:, 0]
    # Its Adam adds epsilon before the correction for the first steps, to a gradient of another scale.
    scale = cell.sizes[-1] / 2 if cell.loss == "mse" else 1
    more = {"momentum": 0, "nesterov": False} if cell.rule == "sgd" else {"epsilon": 1e-8 * 0.001**0.5 * scale}
    net._optimizer = type(net._optimizer)(net.coefs_ + net.intercepts_, rate, **more)
    return partial(net.partial_fit, x, y), lambda: {l: net.coefs_[l - 1].T for l in W}, 1


def autograd(cell: Cell):
    """HIPS autograd over the same NumPy expressions."""
    import autograd as package
    import autograd.numpy as anp

    (W, b), X, Y = cell.problem()
    theta = [(W[l].copy(), b[l].copy()) for l in W]
    number = np.dtype(cell.dtype).type

    def loss(theta):
        a = X
        for W, b in theta[:-1]:
            a = anp.maximum(anp.dot(W, a) + b, number(0))
        z = anp.dot(theta[-1][0], a) + theta[-1][1]
        if cell.loss == "mse":
            return anp.mean((z - Y) ** 2)
        z = z - anp.max(z, axis=0)
        return -anp.mean(anp.sum(Y * (z - anp.log(anp.sum(anp.exp(z), axis=0))), axis=0))

    gradient = package.value_and_grad(loss)

    def step():
        nonlocal theta
        value, g = gradient(theta)
        theta = [(W - number(cell.lr) * dW, b - number(cell.lr) * db) for (W, b), (dW, db) in zip(theta, g)]
        return value

    return step, lambda: {l: W for l, (W, _) in enumerate(theta, 1)}, 1


def micrograd(cell: Cell):
    """One object a number."""
    from micrograd.engine import Value

    (W, b), X, Y = cell.problem()
    theta = {l: [[Value(float(w)) for w in row] + [Value(float(v))] for row, v in zip(W[l], b[l][:, 0])] for l in W}

    def step():
        total = Value(0.0)
        for k in range(cell.batch):
            a = [float(v) for v in X[:, k]]
            for l in theta:
                a = [sum((w * v for w, v in zip(row, a)), row[-1]) for row in theta[l]]
                a = [v.relu() for v in a] if l < len(theta) else a
            for v, y in zip(a, Y[:, k]):
                total = total + (v + -float(y)) ** 2
        total = total * (1 / Y.size)
        values = [v for rows in theta.values() for row in rows for v in row]
        for v in values:
            v.grad = 0.0
        total.backward()
        for v in values:
            v.data -= cell.lr * v.grad

    return step, lambda: {l: np.array([[v.data for v in row[:-1]] for row in theta[l]]) for l in theta}, 1


def tinygrad(cell: Cell):
    """tinygrad on the processor, the whole step in one TinyJit; needs clang, and version 0.11:
    what clang 14 and 16 make of 0.14 its loader refuses (relocation type 10)."""
    if not shutil.which(os.environ.get("CC", "clang")):
        raise ImportError("tinygrad needs clang to make machine code")
    os.environ.setdefault("CPU", "1")
    from tinygrad import Tensor, TinyJit, nn

    (W, b), X, Y = cell.problem()
    theta = {l: (Tensor(np.ascontiguousarray(W[l].T)), Tensor(b[l][:, 0].copy())) for l in W}
    flat = [p.requires_grad_() for pair in theta.values() for p in pair]
    rule = {"sgd": nn.optim.SGD, "adam": nn.optim.Adam}[cell.rule](flat, lr=cell.lr)
    for name in {"lr", "b1_t", "b2_t"} & vars(rule).keys():  # it keeps them in single precision
        value = {"lr": cell.lr, "b1_t": 1.0, "b2_t": 1.0}[name]
        setattr(rule, name, Tensor(np.array([value], cell.dtype)))
    for name in {"m", "v"} & vars(rule).keys():
        setattr(rule, name, [Tensor(np.zeros(p.shape, cell.dtype)) for p in flat])
    x, y = (Tensor(np.ascontiguousarray(A.T)) for A in (X, Y))

    @TinyJit
    def run():
        rule.zero_grad()
        a = x
        for W, b in list(theta.values())[:-1]:
            a = (a @ W + b).relu()
        z = a @ theta[len(theta)][0] + theta[len(theta)][1]
        loss = ((z - y) ** 2).mean() if cell.loss == "mse" else -(y * z.log_softmax()).sum(axis=1).mean()
        loss.backward()
        rule.step()
        return loss.realize()

    def step():
        with Tensor.train():
            return run().item()

    return step, lambda: {l: W.numpy().T for l, (W, _) in theta.items()}, 1


NAMES = {
    "floor": floor, "fast": fast, "fast_numba": fast_numba, "fast_joined": partial(fast, ones_row=True),
    "fast_apart": partial(fast, ones_row=False), "readable": readable, "bare": rung("bare"),
    "in_place": rung("in_place"), "torch_eager": torch_eager, "torch_compiled": torch_compiled,
    "jax_jit": jax_jit, "jax_scan": jax_scan, "sklearn": sklearn, "autograd": autograd,
    "micrograd": micrograd, "tinygrad": tinygrad,
}  # fmt: skip


def fits(name: str, cell: Cell) -> bool:
    """Whether a contestant has a step for this cell."""
    if name in ("bare", "in_place", "fast_joined", "fast_apart"):
        return cell.loss == "mse" and cell.rule == "sgd"
    if name == "autograd":
        return cell.rule == "sgd"
    if name == "micrograd":
        return max(cell.sizes) <= 16 and cell.loss == "mse" and cell.rule == "sgd"
    return True


def error(cell: Cell, made) -> float | None:
    """Largest difference of the first step from nnfp's readable step, over the largest move."""
    step, now, inner = made
    if now is None:
        return None
    expected_step, expected_now, _ = readable(cell)
    step()
    for _ in range(inner):
        expected_step()
    start, expected, got = cell.problem()[0].W, expected_now(), now()
    moved = max(float(np.abs(expected[l] - start[l]).max()) for l in start)
    off = [np.abs(got[l] - expected[l]) for l in start]
    if cell.rule == "adam":  # where a gradient is nearly zero its sign is rounding
        return float(np.mean(np.concatenate([a.ravel() for a in off]))) / moved
    return max(float(a.max()) for a in off) / moved
