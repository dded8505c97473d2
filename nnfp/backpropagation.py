"""All gradients of a network in one backward pass, chapter docs/backpropagation.md.

Nothing here divides: the factor of the mean arrives in dY_hat, from the loss.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.activations import activation
from nnfp.forward_pass import Parameters, Trace, forward, layer_sizes
from nnfp.losses import loss as loss_by_name
from nnfp.notation import check_matrix, check_same_dtype

__all__ = ["Gradients", "backward", "loss_and_gradients"]


# --8<-- [start:gradients]
class Gradients(NamedTuple):
    """The gradient of the loss with respect to everything, keyed by layer.

    Equation: eq-backprop-weights, eq-backprop-biases, eq-backprop-recursion, eq-backprop-input
    Shapes:   dW[l] as W[l]; db[l] as b[l]; delta[l] (n[l], B), l = 1..L; dX as X
    Units:    those of the loss over those of the variable
    Errors:   none

    >>> Gradients({1: np.ones((2, 3))}, {1: np.ones((2, 1))}, {}, np.ones((3, 5))).dW[1].shape
    (2, 3)
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
    sizes = layer_sizes(parameters)
    W, (Z, A) = parameters.W, trace
    L = len(W)
    if set(Z) != set(W):
        raise ValueError(f"trace has layers {sorted(Z)}, parameters have {sorted(W)}")
    B = A[0].shape[1]
    for l in W:
        check_matrix(f"Z[{l}]", Z[l], rows=sizes[l], columns=B)
    check_matrix("dY_hat", dY_hat, rows=sizes[L], columns=B)
    check_same_dtype(**{"W[1]": W[1], "dY_hat": dY_hat})
    f_prime = {l: activation(output if l == L else hidden).f_prime for l in W}
    dW, db, delta = {}, {}, {}
    dA = dY_hat
    for l in range(L, 0, -1):
        delta[l] = dA * f_prime[l](Z[l])
        dW[l] = delta[l] @ A[l - 1].T
        db[l] = delta[l].sum(axis=1, keepdims=True)
        dA = W[l].T @ delta[l]
    return Gradients(dW, db, delta, dX=dA)
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

    Equation: eq-backprop-start
    Shapes:   X (n[0], B), Y (n[L], B) -> (), Gradients
    Units:    those of the loss
    Errors:   ValueError as forward, backward and the loss

    >>> parameters = Parameters({1: np.array([[2.0]])}, {1: np.array([[0.0]])})
    >>> value, gradients = loss_and_gradients(parameters, np.array([[3.0]]), np.array([[5.0]]))
    >>> float(value), gradients.dW[1]
    (1.0, array([[6.]]))
    """
    f, gradient = loss_by_name(loss)
    trace = forward(parameters, X, hidden, output)
    gradients = backward(parameters, trace, gradient(trace.Y_hat, Y), hidden, output)
    return f(trace.Y_hat, Y), gradients
# --8<-- [end:loss-and-gradients]
