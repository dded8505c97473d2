"""Gradient descent on batches of real data, chapter docs/training.md.

fit is the whole loop: shuffle, cut into batches, step, look at held-out samples. It changes
nothing that it is given; parameters go in and new parameters come out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

import numpy as np
from numpy import ndarray

from nnfp.backpropagation import Gradients, backward
from nnfp.data import check_rng, check_samples
from nnfp.forward_pass import Parameters, forward
from nnfp.losses import loss as loss_named
from nnfp.notation import check_positive, check_same_dtype

__all__ = ["History", "batches", "fit", "least_squares", "progress_bar", "sgd_step"]


# --8<-- [start:sgd-step]
def sgd_step(parameters: Parameters, gradients: Gradients, lr: float) -> Parameters:
    """Move every weight and bias one step against its gradient.

    Equation: eq-training-step
    Shapes:   W[l], dW[l] (n[l], n[l-1]); b[l], db[l] (n[l], 1) -> the same
    Units:    lr those of a parameter squared over those of the loss
    Errors:   ValueError if lr is not positive or the gradients are of another network

    >>> parameters = Parameters({1: np.array([[2.0]])}, {1: np.array([[1.0]])})
    >>> gradients = Gradients({1: np.array([[10.0]])}, {1: np.array([[5.0]])}, {}, None)
    >>> sgd_step(parameters, gradients, lr=0.1)
    Parameters(W={1: array([[1.]])}, b={1: array([[0.5]])})
    """
    check_positive("lr", lr)
    W, b = parameters
    dW, db = gradients.dW, gradients.db
    fits = W.keys() == dW.keys() == db.keys() and all(
        W[l].shape == dW[l].shape and b[l].shape == db[l].shape for l in W
    )
    if not fits:
        raise ValueError(
            f"gradients have shapes {[dW[l].shape for l in dW]}, the weights "
            f"{[W[l].shape for l in W]}: they belong to another network"
        )
    lr = float(lr)  # a NumPy scalar would turn float32 weights into float64
    return Parameters({l: W[l] - lr * dW[l] for l in W}, {l: b[l] - lr * db[l] for l in b})
# --8<-- [end:sgd-step]


# --8<-- [start:batches]
def batches(
    X: ndarray, Y: ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[ndarray, ndarray]]:
    """Shuffle the samples and hand them out in batches: one epoch, each sample once.

    Equation: none
    Shapes:   X (n[0], N), Y (n[L], N) -> pairs (n[0], B), (n[L], B) with B = batch_size,
              fewer in the last batch if B does not divide N
    Units:    kept
    Errors:   ValueError for a batch_size below 1, another number of columns in Y, a seed
              in place of rng

    >>> X = np.arange(5.0).reshape(1, 5)
    >>> sizes = [X_batch.shape[1] for X_batch, _ in batches(X, X, 2, np.random.default_rng(0))]
    >>> sizes
    [2, 2, 1]
    """
    check_samples(X, Y)
    check_count("batch_size", batch_size)
    check_rng(rng)
    return _cut(X, Y, batch_size, rng.permutation(X.shape[1]))


def _cut(X: ndarray, Y: ndarray, batch_size: int, order: ndarray) -> Iterator:
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield X[:, chosen], Y[:, chosen]
# --8<-- [end:batches]


# --8<-- [start:history]
class History(NamedTuple):
    """The course of a training run. Entry e of a list belongs to the end of epoch e.

    Equation: none
    Shapes:   train, validation: lists of epochs + 1 losses, entry 0 before any step
    Units:    those of the loss
    Errors:   none

    >>> History(train=[4.0, 2.0, 1.0], validation=[4.0, 2.5, 3.0], steps=20, best_epoch=1).train[-1]
    1.0
    """

    train: list[float]
    validation: list[float]
    steps: int
    best_epoch: int
# --8<-- [end:history]


# --8<-- [start:fit]
def fit(
    parameters: Parameters,
    X: ndarray,
    Y: ndarray,
    *,
    lr: float,
    batch_size: int,
    epochs: int,
    rng: np.random.Generator,
    validation: tuple[ndarray, ndarray] | None = None,
    patience: int | None = None,
    loss: str = "mse",
    hidden: str = "relu",
    output: str = "identity",
    progress: Callable[[Iterable], Iterable] | None = None,
) -> tuple[Parameters, History]:
    """Train on shuffled batches; with patience, stop early and return the best parameters.

    Equation: eq-training-step, eq-training-batch-loss
    Shapes:   X (n[0], N), Y (n[L], N), validation the same with any N -> Parameters, History
    Units:    the losses' those of Y, squared for mse
    Errors:   ValueError for bad data or settings, and when a loss stops being finite

    >>> rng = np.random.default_rng(0)
    >>> X = np.array([[-1.0, 0.0, 1.0, 2.0]])
    >>> line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    >>> line, history = fit(line, X, 3 * X + 1, lr=0.1, batch_size=2, epochs=60, rng=rng)
    >>> line.W[1].round(2), line.b[1].round(2), history.steps
    (array([[3.]]), array([[1.]]), 120)
    """
    check_settings(X, Y, lr, batch_size, epochs, rng, validation, patience)
    run = dict(loss=loss, hidden=hidden, output=output)
    history = History([evaluate(parameters, X, Y, **run)], [], 0, 0)
    if validation:
        history.validation.append(evaluate(parameters, *validation, **run))
    steps, best, best_epoch = 0, parameters, 0
    for epoch in (progress or progress_bar)(range(1, epochs + 1)):
        for X_batch, Y_batch in batches(X, Y, batch_size, rng):
            steps += 1
            value, gradients = batch_gradients(parameters, X_batch, Y_batch, **run)
            check_loss(value, steps, epoch, lr)
            parameters = sgd_step(parameters, gradients, lr)
        history.train.append(evaluate(parameters, X, Y, **run))
        check_loss(history.train[-1], steps, epoch, lr)
        if validation:
            history.validation.append(evaluate(parameters, *validation, **run))
            check_loss(history.validation[-1], steps, epoch, lr)
            if history.validation[-1] < history.validation[best_epoch]:
                best, best_epoch = parameters, epoch
        if patience and epoch - best_epoch >= patience:
            break
    if patience:
        return best, history._replace(steps=steps, best_epoch=best_epoch)
    return parameters, history._replace(steps=steps, best_epoch=best_epoch if validation else epoch)
# --8<-- [end:fit]


# --8<-- [start:least-squares]
def least_squares(X: ndarray, Y: ndarray) -> Parameters:
    """The best network of one layer under mse, without any training: linear regression.

    Equation: eq-training-normal
    Shapes:   X (n, N), Y (m, N) -> W[1] (m, n), b[1] (m, 1)
    Units:    W[1] those of Y over those of X; b[1] those of Y
    Errors:   ValueError for data that is not finite or does not match

    >>> X = np.array([[-1.0, 0.0, 1.0, 2.0]])
    >>> line = least_squares(X, 3 * X + 1)
    >>> line.W[1].round(6), line.b[1].round(6)
    (array([[3.]]), array([[1.]]))
    """
    check_samples(X, Y)
    with_ones = np.vstack([X, np.ones((1, X.shape[1]), dtype=X.dtype)])
    solution = np.linalg.lstsq(with_ones.T, Y.T, rcond=None)[0].T
    return Parameters({1: solution[:, :-1].copy()}, {1: solution[:, -1:].copy()})
# --8<-- [end:least-squares]


# --8<-- [start:progress-bar]
def progress_bar(
    epochs: Iterable, delay: float = 2.0, stream: TextIO | None = None
) -> Iterator:
    """Pass the epochs on, and draw a bar on stderr once the run has lasted delay seconds.

    Equation: none
    Shapes:   epochs: anything with a length -> the same, one by one
    Units:    delay seconds
    Errors:   none

    >>> list(progress_bar(range(3)))
    [0, 1, 2]
    """
    total, begin, last = len(epochs), time.monotonic(), 0.0
    stream = stream or sys.stderr
    for done, epoch in enumerate(epochs, start=1):
        yield epoch
        seconds = time.monotonic() - begin
        if seconds >= delay and (seconds - last >= 0.1 or done == total):
            last = seconds
            bar = "#" * (30 * done // total)
            left = seconds / done * (total - done)
            end = "\n" if done == total else ""
            stream.write(f"\r[{bar:<30}] {done}/{total} epochs, {left:.0f} s left {end}")
            stream.flush()
# --8<-- [end:progress-bar]


def batch_gradients(
    parameters: Parameters, X: ndarray, Y: ndarray, loss: str, hidden: str, output: str
) -> tuple[float, Gradients | None]:
    """The loss of a batch and its gradients; None for them if the loss is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        trace = forward(parameters, X, hidden, output)
        if not np.isfinite(trace.Y_hat).all():
            return float("nan"), None
        value = float(loss_named(loss).f(trace.Y_hat, Y))
        if not np.isfinite(value):
            return value, None
        dY_hat = loss_named(loss).gradient(trace.Y_hat, Y)
        return value, backward(parameters, trace, dY_hat, hidden, output)


def evaluate(
    parameters: Parameters, X: ndarray, Y: ndarray, loss: str, hidden: str, output: str
) -> float:
    """The loss on all samples; NaN if a prediction is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        Y_hat = forward(parameters, X, hidden, output).Y_hat
        return float(loss_named(loss).f(Y_hat, Y)) if np.isfinite(Y_hat).all() else float("nan")


def check_loss(value: float, step: int, epoch: int | None, lr: float) -> None:
    """Stop a run whose loss is NaN or infinite, and say where and what to try."""
    if not np.isfinite(value):
        place = "" if epoch is None else f" (epoch {epoch})"
        raise ValueError(
            f"the loss is {value} at step {step}{place}: training diverged; "
            f"try lr={float(lr) / 10:.2g} in place of {float(lr):.2g}, and standardise X and Y"
        )


def check_count(name: str, value: int) -> None:
    """Refuse what is not a whole number of at least 1."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not (whole and value >= 1):
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def check_settings(X, Y, lr, batch_size, epochs, rng, validation, patience) -> None:
    """Refuse bad settings of fit before the first step."""
    check_samples(X, Y)
    check_positive("lr", lr)
    check_count("batch_size", batch_size)
    check_count("epochs", epochs)
    check_rng(rng)
    if validation is not None:
        if not isinstance(validation, tuple) or len(validation) != 2:
            raise ValueError("validation must be a pair (X, Y) of held-out samples")
        check_samples(*validation)
        check_same_dtype(X=X, X_validation=validation[0])
    if patience is not None:
        check_count("patience", patience)
        if validation is None:
            raise ValueError("patience needs held-out samples: give validation=(X, Y) too")
