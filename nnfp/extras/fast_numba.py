"""The training of nnfp.fast with its passes compiled by Numba, chapter docs/fast.md.

What stands between two products is one compiled loop instead of several NumPy calls, so that
each array is fetched once. The step of gradient descent is no pass at all: BLAS can subtract a
product from the weights where they are, which NumPy does not offer and SciPy does. Needs the
extra `numba`; nothing in nnfp imports this module by itself.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numba import njit
from numpy import ndarray
from scipy.linalg.blas import get_blas_funcs

from nnfp.fast import FastTraining, Plan, Views

__all__ = ["CompiledTraining"]

compiled = njit(cache=__name__ != "__main__", error_model="numpy")  # what is typed has no file


# --8<-- [start:passes]
@compiled
def _bias_relu(Z, b, zero):
    for i in range(Z.shape[0]):
        for k in range(Z.shape[1]):
            z = Z[i, k] + b[i, 0]
            Z[i, k] = zero if z < zero else z  # a NaN stays


@compiled
def _gate(delta, A, zero):
    for i in range(A.shape[0]):
        for k in range(A.shape[1]):
            delta[i, k] = delta[i, k] if A[i, k] > zero else zero


@compiled
def _bias_mse(Z, b, delta, factor):  # delta comes in as Y
    total = 0.0
    for i in range(Z.shape[0]):
        for k in range(Z.shape[1]):
            r = Z[i, k] + b[i, 0] - delta[i, k]
            total += r * r
            delta[i, k] = factor * r
    return total / Z.size


@compiled
def _adam_pass(theta, g, M, V, keep_1, keep_2, a, guard):
    for i in range(theta.size):
        M[i] = keep_1 * M[i] + g[i]
        V[i] = keep_2 * V[i] + g[i] * g[i]
        theta[i] -= a * (M[i] / (np.sqrt(V[i]) + guard))
        g[i] = 0  # the next product is added
# --8<-- [end:passes]


@compiled
def _momentum_pass(theta, lr_g, velocity, beta):
    for i in range(theta.size):
        velocity[i] = beta * velocity[i] + lr_g[i]
        theta[i] -= velocity[i]
        lr_g[i] = 0


@compiled
def _bias_shift(Z, b, column):
    """Add the bias and take the largest entry of each column away; column is scratch."""
    m, B = Z.shape
    column[:] = -np.inf
    for i in range(m):
        for k in range(B):
            Z[i, k] += b[i, 0]
            column[k] = Z[i, k] if not Z[i, k] <= column[k] else column[k]
    for i in range(m):
        for k in range(B):
            Z[i, k] -= column[k]


@compiled
def _softmax_minus_labels(Z, Y, delta, column, factor):
    """From delta = exp(Z) to factor times (softmax - Y); gives the sum of Y Z."""
    m, B = Z.shape
    column[:] = 0
    for i in range(m):
        for k in range(B):
            column[k] += delta[i, k]
    total = 0.0
    for i in range(m):
        for k in range(B):
            total += Y[i, k] * Z[i, k]
            delta[i, k] = factor * (delta[i, k] / column[k] - Y[i, k])
    return total


def _mse(Z: ndarray, b: ndarray, delta: ndarray, lr: float) -> Callable[[ndarray], float]:
    factor = Z.dtype.type(2 * lr / Z.size)

    def loss(Y: ndarray) -> float:
        np.copyto(delta, Y)
        return _bias_mse(Z, b, delta, factor)

    return loss


def _cross_entropy(Z: ndarray, b: ndarray, delta: ndarray, lr: float) -> Callable[[ndarray], float]:
    B, factor = Z.shape[1], Z.dtype.type(lr / Z.shape[1])
    column, labels = np.empty(B, Z.dtype), np.empty_like(Z)

    def loss(Y: ndarray) -> float:
        np.copyto(labels, Y)
        _bias_shift(Z, b, column)
        np.exp(Z, out=delta)  # NumPy's is vectorised
        total = _softmax_minus_labels(Z, labels, delta, column, factor)
        np.log(column, out=column)
        return (np.add.reduce(column) - total) / B

    return loss


def _sgd(theta: ndarray, lr_g: ndarray, lr: float) -> Callable[[], None]:
    return lambda: None  # the products of the backward pass have done it


def _momentum(theta: ndarray, lr_g: ndarray, lr: float) -> Callable[[], None]:
    return partial(_momentum_pass, theta, lr_g, np.zeros_like(theta), theta.dtype.type(0.9))


def _adam(theta: ndarray, g: ndarray, lr: float) -> Callable[[], None]:
    number, t, beta_1, beta_2, epsilon = theta.dtype.type, 0, 0.9, 0.999, 1e-8
    M, V, keep_1, keep_2 = np.zeros_like(theta), np.zeros_like(theta), number(beta_1), number(beta_2)

    def update() -> None:
        nonlocal t
        t += 1
        r = math.sqrt((1 - beta_2**t) / (1 - beta_2))
        a = lr * r * (1 - beta_1) / (1 - beta_1**t)
        _adam_pass(theta, g, M, V, keep_1, keep_2, number(a), number(epsilon * r))

    return update


LOSSES = {"mse": _mse, "cross_entropy": _cross_entropy}


# --8<-- [start:products]
def _turned(A: ndarray) -> tuple[ndarray, bool]:
    """What BLAS is handed for A^T: it counts by columns, so A as it lies is A^T, and the flag turns what lies turned."""
    return (A.T, False) if A.flags.c_contiguous else (A, True)


def _product(C: ndarray, A: ndarray, B: ndarray | None = None, sign: int = 1, kept: int = 0) -> Callable:
    """C = sign A B + kept C in one call, written as C^T = B^T A^T; what B is may be said later."""
    gemm, (A_T, turned), C_T = get_blas_funcs("gemm", dtype=C.dtype), _turned(A), C.T
    if B is not None:
        B_T, also = _turned(B)
        return partial(gemm, sign, B_T, A_T, kept, C_T, also, turned, True)

    def product(B: ndarray) -> None:
        B_T, also = _turned(B)
        gemm(sign, B_T, A_T, kept, C_T, also, turned, True)

    return product


def _row_sums(b: ndarray, delta: ndarray, ones: ndarray, sign: int) -> Callable:
    """b += sign delta 1"""
    gemv = get_blas_funcs("gemv", dtype=b.dtype)
    return partial(gemv, sign, delta.T, ones, 1, b[:, 0], 0, 1, 0, 1, True, True)
# --8<-- [end:products]


# --8<-- [start:compiled-plan]
def _plan(theta: Views, g: Views, sizes: list[int], B: int, loss: str, lr: float) -> Plan:
    L, dtype = len(theta.W), theta.W[1].dtype
    zero, sign = dtype.type(0), -1 if g is theta else 1
    A = {l: np.empty((sizes[l], B), dtype) for l in range(1, L + 1)}
    delta = {l: np.empty_like(A[l]) for l in A}
    ones = np.ones_like(A[L][0])
    forward, backward = [], []
    for l in range(1, L + 1):
        if l > 1:
            forward += [_product(A[l], theta.W[l], A[l - 1])]
        if l < L:
            forward += [partial(_bias_relu, A[l], theta.b[l], zero)]
    for l in range(L, 0, -1):
        if l > 1:  # first, while W[l] is still the one of the forward pass
            backward += [_product(delta[l - 1], theta.W[l].T, delta[l])]
            backward += [partial(_gate, delta[l - 1], A[l - 1], zero)]
        backward += [_row_sums(g.b[l], delta[l], ones, sign)]
        if l > 1:
            backward += [_product(g.W[l], delta[l], A[l - 1].T, sign, kept=1)]
    leave = _product(g.W[1], delta[1], sign=sign, kept=1)
    return Plan(_product(A[1], theta.W[1]), forward, LOSSES[loss](A[L], theta.b[L], delta[L], lr), backward, leave)
# --8<-- [end:compiled-plan]


# --8<-- [start:compiled-training]
class CompiledTraining(FastTraining):
    """As FastTraining, with one compiled pass where NumPy needs several.

    Equation: eq-fast-rate, eq-fast-adam
    Shapes:   as FastTraining
    Units:    as FastTraining
    Errors:   as FastTraining; ModuleNotFoundError on import without Numba

    >>> from nnfp import random_parameters
    >>> training = CompiledTraining(random_parameters([1, 8, 1], np.random.default_rng(0)), lr=0.3)
    >>> X = np.linspace(-1, 1, 9)[None, :]
    >>> [round(training.step(X, 3 * X), 4) for _ in range(60)][::20]
    [3.7686, 2.0284, 0.0247]
    """

    _plan = staticmethod(_plan)
    _updates = {"sgd": (_sgd, True), "momentum": (_momentum, True), "adam": (_adam, False)}  # noqa: RUF012
    _joins = False  # a bias costs no pass of its own here

    def __init__(self, parameters, lr: float, loss: str = "mse", optimiser: str = "sgd"):
        super().__init__(parameters, lr, loss, optimiser)
        if optimiser == "sgd":
            self._to = self._at  # the gradient goes where the weights are
# --8<-- [end:compiled-training]
