"""All gradients of a network in one backward pass, chapter docs/backpropagation.md.

Nothing here divides: the factor of the mean arrives in dY_hat, from the loss.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.activations import activation
from nnfp.forward_pass import Parameters, Trace, forward, layer_sizes
from nnfp.losses import loss as loss_by_name
from nnfp.notation import check_matrix, check_same_dtype

__all__ = ["Gradients", "backward", "loss_and_gradients", "multiplications"]


# --8<-- [start:gradients]
class Gradients(NamedTuple):
    """The gradient of the loss with respect to everything, keyed by layer.

    Equation: eq-backprop-weights, eq-backprop-biases, eq-backprop-delta, eq-backprop-input
    Shapes:   dW[l] as W[l]; db[l] as b[l]; delta[l] (n[l], B), l = 1..L; dX as X
    Units:    those of the loss over those of the variable
    Errors:   none

    >>> Gradients({1: np.ones((2, 3))}, {1: np.ones((2, 1))}, {}, np.ones((3, 5))).dW[1]
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """

    dW: dict[int, ndarray]
    db: dict[int, ndarray]
    delta: dict[int, ndarray]
    dX: ndarray
# --8<-- [end:gradients]


# --8<-- [start:backward]
def backward(
    parameters: Parameters,
    trace: Trace,
    dY_hat: ndarray,
    hidden: str = "relu",
    output: str = "identity",
) -> Gradients:
    """Send the gradient of the loss back through all layers.

    Equation: eq-backprop-start, eq-backprop-recursion, eq-backprop-weights,
              eq-backprop-biases, eq-backprop-input
    Shapes:   dY_hat (n[L], B) -> dW[l] (n[l], n[l-1]), db[l] (n[l], 1), delta[l] (n[l], B)
    Units:    those of the loss over those of the variable
    Errors:   ValueError if trace and dY_hat do not belong to these parameters

    >>> parameters = Parameters({1: np.array([[2.0, 1.0]])}, {1: np.array([[0.0]])})
    >>> trace = forward(parameters, np.array([[1.0, 3.0], [2.0, 4.0]]))
    >>> backward(parameters, trace, np.array([[1.0, 10.0]])).dW[1]
    array([[31., 42.]])
    """
    _check_trace(parameters, trace, dY_hat)
    W, (Z, A) = parameters.W, trace
    L = len(W)
    layers = range(1, L + 1)
    f_prime = {l: activation(output if l == L else hidden).f_prime for l in layers}
    delta = {L: dY_hat * f_prime[L](Z[L])}
    for l in range(L, 1, -1):
        delta[l - 1] = (W[l].T @ delta[l]) * f_prime[l - 1](Z[l - 1])
    dW = {l: delta[l] @ A[l - 1].T for l in layers}
    db = {l: delta[l].sum(axis=1, keepdims=True) for l in layers}
    dX = W[1].T @ delta[1]
    return Gradients(dW, db, delta, dX)
# --8<-- [end:backward]


# --8<-- [start:loss-and-gradients]
def loss_and_gradients(
    parameters: Parameters,
    X: ndarray,
    Y: ndarray,
    loss: str = "mse",
    hidden: str = "relu",
    output: str = "identity",
) -> tuple[float, Gradients]:
    """Forward pass, loss, backward pass.

    Equation: eq-backprop-start, eq-backprop-recursion
    Shapes:   X (n[0], B), Y (n[L], B) -> (), Gradients
    Units:    those of the loss
    Errors:   ValueError as forward, backward and the loss

    >>> parameters = Parameters({1: np.array([[2.0]])}, {1: np.array([[0.0]])})
    >>> X, Y = np.array([[3.0]]), np.array([[5.0]])
    >>> value, gradients = loss_and_gradients(parameters, X, Y)
    >>> float(value), gradients.dW[1]
    (1.0, array([[6.]]))
    """
    f, gradient = loss_by_name(loss)
    trace = forward(parameters, X, hidden, output)
    value, dY_hat = f(trace.Y_hat, Y), gradient(trace.Y_hat, Y)
    return value, backward(parameters, trace, dY_hat, hidden, output)
# --8<-- [end:loss-and-gradients]


# --8<-- [start:multiplications]
def multiplications(layer_sizes: list[int], B: int) -> tuple[int, int]:
    """Count the multiplications of a forward and of a backward pass, activations left out.

    Equation: eq-backprop-count-forward, eq-backprop-count-backward
    Shapes:   layer_sizes [n[0], ..., n[L]], B () -> two integers
    Units:    multiplications
    Errors:   ValueError for fewer than two sizes, or a size or B that is not an integer above 0

    >>> multiplications([2, 2, 1], B=2)
    (12, 30)
    """
    sizes = [_whole(n) for n in layer_sizes] if np.ndim(layer_sizes) == 1 else []
    if len(sizes) < 2:
        raise ValueError(f"layer_sizes must be at least two integers, got {layer_sizes!r}")
    B = _whole(B)
    weights = sum(n * m for n, m in pairwise(sizes))
    neurons = sum(sizes[1:])
    return B * weights, 2 * B * weights + B * neurons
# --8<-- [end:multiplications]


def _whole(n: int) -> int:
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1:
        raise ValueError(f"layer_sizes and B must be integers of 1 or more, got {n!r}")
    return int(n)  # a NumPy integer is cut off where a large count needs more bits


def _check_trace(parameters: Parameters, trace: Trace, dY_hat: ndarray) -> None:
    sizes = layer_sizes(parameters)
    if not (hasattr(trace, "Z") and hasattr(trace, "A")):
        raise ValueError(
            f"trace must be a Trace, got {type(trace).__name__}; write forward(parameters, X)"
        )
    Z, A = trace
    if set(Z) != set(parameters.W) or set(A) != {0, *Z}:
        raise ValueError(
            f"trace has layers {sorted(Z)}, parameters have {sorted(parameters.W)}; "
            "use the trace that forward made with these parameters"
        )
    B = A[0].shape[-1]
    for l, n in enumerate(sizes):
        check_matrix(f"A[{l}]", A[l], rows=n, columns=B)
        if l > 0:
            check_matrix(f"Z[{l}]", Z[l], rows=n, columns=B)
    check_matrix("dY_hat", dY_hat, rows=sizes[-1], columns=B)
    check_same_dtype(**{"W[1]": parameters.W[1], "A[0]": A[0], "dY_hat": dY_hat})
