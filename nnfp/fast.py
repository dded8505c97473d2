"""Training that allocates nothing per step, chapter docs/fast.md.

The same equations as forward_pass, losses, backpropagation and optimisers, for ReLU inside and no
activation at the end. Every array exists before the first step; a step is a list of NumPy calls
whose arguments are bound already, and each writes into an array that is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.classification import cross_entropy
from nnfp.data import check_rng, check_samples
from nnfp.forward_pass import Parameters, forward, layer_sizes
from nnfp.losses import mse
from nnfp.notation import check_matrix, check_positive
from nnfp.training import History, check_count, check_loss, check_settings, progress_bar

__all__ = ["FastTraining", "fast_fit"]

SMALL = 2**15  # parameters up to which the bias as a weight is faster, see the chapter
PLANS = 4  # batch sizes whose arrays are kept; an epoch has two at the most


# --8<-- [start:views]
class Views(NamedTuple):
    """One vector, seen as the weights and biases of all layers."""

    Wb: dict[int, ndarray | None]  # W[l] and b[l] side by side, or None
    W: dict[int, ndarray]
    b: dict[int, ndarray]


def _views(theta: ndarray, sizes: list[int], ones_row: bool) -> Views:
    views, end = Views({}, {}, {}), 0
    for l, (n, m) in enumerate(pairwise(sizes), start=1):
        start, end = end, end + m * (n + 1)
        if ones_row:
            views.Wb[l] = theta[start:end].reshape(m, n + 1)
            views.W[l], views.b[l] = views.Wb[l][:, :-1], views.Wb[l][:, -1:]
        else:
            views.Wb[l] = None
            views.W[l] = theta[start : end - m].reshape(m, n)
            views.b[l] = theta[end - m : end].reshape(m, 1)
    return views
# --8<-- [end:views]


# --8<-- [start:in-place-losses]
def _mse(Y_hat: ndarray, delta: ndarray, lr: float) -> Callable[[ndarray], float]:
    flat, size, factor = delta.reshape(-1), delta.size, delta.dtype.type(2 * lr / delta.size)

    def loss(Y: ndarray) -> float:
        np.copyto(delta, Y)  # Y may lie in memory the other way round
        np.subtract(Y_hat, delta, out=delta)
        value = np.dot(flat, flat) / size
        np.multiply(delta, factor, out=delta)
        return value

    return loss


def _cross_entropy(Z: ndarray, delta: ndarray, lr: float) -> Callable[[ndarray], float]:
    B, factor = Z.shape[1], Z.dtype.type(lr / Z.shape[1])
    column, logs, spread = np.empty(B, Z.dtype), np.empty(B, Z.dtype), np.empty_like(Z)

    def loss(Y: ndarray) -> float:
        np.maximum.reduce(Z, axis=0, out=column)
        np.copyto(spread, column)
        np.subtract(Z, spread, out=Z)
        np.exp(Z, out=delta)
        np.add.reduce(delta, axis=0, out=column)
        np.copyto(spread, column)
        np.divide(delta, spread, out=delta)  # the softmax
        np.copyto(spread, Y)
        np.multiply(spread, Z, out=Z)
        value = (np.add.reduce(np.log(column, out=logs)) - np.add.reduce(Z, axis=None)) / B
        np.subtract(delta, spread, out=delta)
        np.multiply(delta, factor, out=delta)
        return value

    return loss


LOSSES = {"mse": _mse, "cross_entropy": _cross_entropy}
# --8<-- [end:in-place-losses]


# --8<-- [start:in-place-optimisers]
def _sgd(theta: ndarray, lr_g: ndarray, lr: float) -> Callable[[], None]:
    return partial(np.subtract, theta, lr_g, out=theta)


def _momentum(theta: ndarray, lr_g: ndarray, lr: float) -> Callable[[], None]:
    velocity, beta = np.zeros_like(theta), theta.dtype.type(0.9)

    def update() -> None:
        np.multiply(velocity, beta, out=velocity)
        np.add(velocity, lr_g, out=velocity)
        np.subtract(theta, velocity, out=theta)

    return update


def _adam(theta: ndarray, g: ndarray, lr: float, block: int = 2**15) -> Callable[[], None]:
    number, t = theta.dtype.type, 0
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-8
    keep_1, keep_2 = number(beta_1), number(beta_2)
    M, V, D = np.zeros_like(theta), np.zeros_like(theta), np.empty_like(theta[:block])
    starts = range(0, theta.size, block)
    blocks = [[a[i : i + block] for a in (theta, g, M, V)] for i in starts]
    blocks = [(*arrays, D[: arrays[0].size]) for arrays in blocks]

    def update() -> None:
        nonlocal t
        t += 1
        r = math.sqrt((1 - beta_2**t) / (1 - beta_2))
        a, guard = number(lr * r * (1 - beta_1) / (1 - beta_1**t)), number(epsilon * r)
        for x, g, M, V, D in blocks:
            np.multiply(M, keep_1, out=M)
            np.add(M, g, out=M)
            np.multiply(g, g, out=g)
            np.multiply(V, keep_2, out=V)
            np.add(V, g, out=V)
            np.sqrt(V, out=D)
            np.add(D, guard, out=D)
            np.divide(M, D, out=D)
            np.multiply(D, a, out=D)
            np.subtract(x, D, out=x)

    return update


# name -> (rule, whether it wants the gradient times lr)
UPDATES = {"sgd": (_sgd, True), "momentum": (_momentum, True), "adam": (_adam, False)}
# --8<-- [end:in-place-optimisers]


# --8<-- [start:plan]
class Plan(NamedTuple):
    """One step for one batch size: calls whose arguments are bound, arrays and all."""

    enter: Callable[[ndarray], None]  # takes X
    forward: list[Callable[[], None]]
    loss: Callable[[ndarray], float]  # takes Y
    backward: list[Callable[[], None]]
    leave: Callable[[ndarray], None] | None  # takes X.T


def _plan(theta: Views, g: Views, sizes: list[int], B: int, loss: str, lr: float) -> Plan:
    L, dtype, joined = len(theta.W), theta.W[1].dtype, theta.Wb[1] is not None
    zero, ones = dtype.type(0), np.ones(B, dtype)
    product = np.matmul if joined else np.dot  # np.dot would copy the W inside [W b]
    A1 = {l: np.ones((sizes[l] + joined, B), dtype) for l in range(L + 1)}
    A = {l: A1[l][: sizes[l]] for l in A1}  # without the row of ones
    delta = {l: np.empty((sizes[l], B), dtype) for l in range(1, L + 1)}
    spread = {l: np.empty_like(delta[l]) for l in delta}
    on = {l: np.empty(delta[l].shape, bool) for l in delta}
    forward, backward = [], []
    for l in range(1, L + 1):
        if joined:
            forward += [partial(np.dot, theta.Wb[l], A1[l - 1], out=A[l])]
        else:
            forward += [partial(np.dot, theta.W[l], A[l - 1], out=A[l])]
            forward += [partial(np.copyto, spread[l], theta.b[l])]
            forward += [partial(np.add, A[l], spread[l], out=A[l])]
        if l < L:
            forward += [partial(np.maximum, A[l], zero, out=A[l])]
    for l in range(L, 0, -1):
        if l < L:
            backward += [partial(product, theta.W[l + 1].T, delta[l + 1], out=delta[l])]
            backward += [partial(np.greater, A[l], zero, out=on[l])]
            backward += [partial(np.copyto, spread[l], on[l])]
            backward += [partial(np.multiply, delta[l], spread[l], out=delta[l])]
        if joined:
            backward += [partial(np.dot, delta[l], A1[l - 1].T, out=g.Wb[l])]
        else:
            backward += [partial(np.dot, delta[l], ones, out=g.b[l][:, 0])]
            backward += [partial(np.dot, delta[l], A[l - 1].T, out=g.W[l])]
    enter, leave = partial(np.copyto, A[0]), None
    if not joined:  # the first and the last product can read X where it is
        enter, leave = partial(np.dot, theta.W[1], out=A[1]), partial(np.dot, delta[1], out=g.W[1])
        del forward[0], backward[-1], A[0]
    start = LOSSES[loss](A[L], delta[L], lr)
    return Plan(enter, forward, start, backward, leave)
# --8<-- [end:plan]


# --8<-- [start:fast-training]
class FastTraining:
    """Train with steps that allocate nothing: ReLU inside, no activation at the end.

    Equation: eq-fast-rate, eq-fast-joined, eq-fast-joined-gradient, eq-fast-adam
    Shapes:   X (n[0], B), Y (n[L], B) of the parameters' dtype, any B -> the loss before the step
    Units:    as the readable functions
    Errors:   ValueError for an unknown name, other shapes or dtypes, and when the loss stops
              being finite; the step is then not made. step does not look through X and Y, whose
              infinities may show a step later; epochs does, once, and whether labels are distributions

    >>> from nnfp import random_parameters
    >>> training = FastTraining(random_parameters([1, 8, 1], np.random.default_rng(0)), lr=0.3)
    >>> X = np.linspace(-1, 1, 9)[None, :]
    >>> [round(training.step(X, 3 * X), 4) for _ in range(60)][::20]
    [3.7686, 2.0284, 0.0247]
    """

    _plan, _updates, _joins = staticmethod(_plan), UPDATES, True

    def __init__(
        self, parameters: Parameters, lr: float, loss: str = "mse", optimiser: str = "sgd",
        ones_row: bool | None = None,
    ):  # fmt: skip
        check_positive("lr", lr)
        for kind, name, known in [("loss", loss, LOSSES), ("optimiser", optimiser, self._updates)]:
            if name not in known:
                raise ValueError(f"no fast {kind} {name!r}; choose one of: {', '.join(known)}")
        self.sizes, dtype = layer_sizes(parameters), parameters.W[1].dtype
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"parameters must be float32 or float64, got {dtype}")
        P = sum(m * (n + 1) for n, m in pairwise(self.sizes))
        self.theta, self.g = np.empty(P, dtype), np.zeros(P, dtype)
        joined = self._joins and (P <= SMALL if ones_row is None else ones_row)
        self._at, self._to = (_views(vector, self.sizes, joined) for vector in (self.theta, self.g))
        for l in parameters.W:
            self._at.W[l][...], self._at.b[l][...] = parameters.W[l], parameters.b[l]
        update, folded = self._updates[optimiser]
        self._update, self._factor = update(self.theta, self.g, float(lr)), lr if folded else 1
        self._loss, self._plans, self.lr, self.steps = loss, {}, lr, 0

    @property
    def parameters(self) -> Parameters:
        """A copy of the weights and biases."""
        return Parameters(*({l: a.copy() for l, a in d.items()} for d in (self._at.W, self._at.b)))

    def step(self, X: ndarray, Y: ndarray) -> float:
        """Forward, loss, backward, update; the loss from before the update."""
        dtype, arrays = self.theta.dtype, type(X) is type(Y) is ndarray
        plan = (arrays and self._plans.get((X.shape, Y.shape))) or self._new_plan(X, Y)
        if X.dtype != dtype or Y.dtype != dtype:
            raise ValueError(f"X is {X.dtype}, Y is {Y.dtype}, the parameters are {dtype}")
        plan.enter(X)
        for call in plan.forward:
            call()
        loss = plan.loss(Y)
        if not math.isfinite(loss):
            check_samples(X, Y)  # is it the data, or the rate?
            check_loss(loss, self.steps + 1, None, self.lr)
        self.steps += 1
        for call in plan.backward:
            call()
        if plan.leave:
            plan.leave(X.T)
        self._update()
        return float(loss)

    def _new_plan(self, X: ndarray, Y: ndarray) -> Plan:
        check_matrix("X", X, rows=self.sizes[0])
        check_matrix("Y", Y, rows=self.sizes[-1], columns=X.shape[1])
        if len(self._plans) >= PLANS:
            del self._plans[next(iter(self._plans))]
        plan = self._plan(self._at, self._to, self.sizes, X.shape[1], self._loss, float(self._factor))
        self._plans[X.shape, Y.shape] = plan
        return plan
# --8<-- [end:fast-training]

    # --8<-- [start:epochs]
    def epochs(self, X: ndarray, Y: ndarray, batch_size: int, rng: np.random.Generator) -> Iterator:
        """One shuffled epoch after another, as long as you ask; yields the mean batch loss."""
        check_samples(X, Y)
        check_count("batch_size", batch_size)
        check_rng(rng)
        if self._loss == "cross_entropy":
            cross_entropy(np.zeros_like(Y), Y)  # refuses columns that are no distributions
        return self._epochs(X, Y, batch_size, rng)

    def _epochs(self, X: ndarray, Y: ndarray, batch_size: int, rng: np.random.Generator) -> Iterator:
        rows, labels = (np.ascontiguousarray(A.T) for A in (X, Y))  # a sample lies together
        x, y = (np.empty_like(a[:batch_size]) for a in (rows, labels))
        while True:
            order, total = rng.permutation(len(rows)), 0.0
            for start in range(0, len(rows), batch_size):
                chosen = order[start : start + batch_size]
                B = len(chosen)
                np.take(rows, chosen, axis=0, out=x[:B], mode="clip")
                np.take(labels, chosen, axis=0, out=y[:B], mode="clip")
                total += B * self.step(x[:B].T, y[:B].T)
            yield total / len(rows)
    # --8<-- [end:epochs]


# --8<-- [start:fast-fit]
def fast_fit(
    parameters: Parameters, X: ndarray, Y: ndarray, *, lr: float, batch_size: int, epochs: int,
    rng: np.random.Generator, validation: tuple[ndarray, ndarray] | None = None,
    patience: int | None = None, loss: str = "mse", optimiser: str = "sgd",
    progress: Callable | None = None, training: type[FastTraining] = FastTraining,
) -> tuple[Parameters, History]:  # fmt: skip
    """What nnfp.fit does, with steps of FastTraining: the same batches, the same History.

    Equation: eq-training-step
    Shapes:   as fit
    Units:    as fit
    Errors:   ValueError as fit and as FastTraining

    >>> X = np.array([[-1.0, 0.0, 1.0, 2.0]])
    >>> line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    >>> rng = np.random.default_rng(0)
    >>> line, history = fast_fit(line, X, 3 * X + 1, lr=0.1, batch_size=2, epochs=60, rng=rng)
    >>> line.W[1].round(2), line.b[1].round(2), history.steps
    (array([[3.]]), array([[1.]]), 120)
    """
    check_settings(X, Y, lr, batch_size, epochs, rng, validation, patience)
    run, measure = training(parameters, lr, loss, optimiser), {"mse": mse, "cross_entropy": cross_entropy}[loss]
    course, best, best_epoch = run.epochs(X, Y, batch_size, rng), run.parameters, 0
    history = History([], [], 0, 0)

    def record(now: Parameters, epoch: int) -> None:
        for losses, samples in [(history.train, (X, Y)), (history.validation, validation)]:
            if samples:
                Y_hat = forward(now, samples[0]).Y_hat
                finite = np.isfinite(Y_hat).all()
                losses.append(float(measure(Y_hat, samples[1])) if finite else math.nan)
                check_loss(losses[-1], run.steps, epoch, lr)

    with np.errstate(over="ignore", invalid="ignore"):  # check_loss says more than a warning
        record(run.parameters, 0)
        for epoch in (progress or progress_bar)(range(1, epochs + 1)):
            next(course)
            now = run.parameters
            record(now, epoch)
            if not validation or history.validation[epoch] < history.validation[best_epoch]:
                best, best_epoch = now, epoch
            if patience and epoch - best_epoch >= patience:
                break
    history = history._replace(steps=run.steps, best_epoch=best_epoch)
    return best if patience else now, history
# --8<-- [end:fast-fit]
