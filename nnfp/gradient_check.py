"""Gradients measured instead of derived, chapter docs/gradient_check.md."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.backpropagation import Gradients, backward
from nnfp.calculus import flatten, unflatten
from nnfp.forward_pass import Parameters, forward, layer_sizes
from nnfp.losses import loss as loss_by_name
from nnfp.notation import check_matrix, check_positive

__all__ = ["Report", "central_difference", "check_gradients", "complex_step", "relative_error"]


# --8<-- [start:central-difference]
def central_difference(f: Callable[[ndarray], float], theta: ndarray, h: float = 1e-5) -> ndarray:
    """Gradient of a scalar function by two evaluations for each entry.

    Equation: eq-central-difference
    Shapes:   f: (P, 1) -> (); theta (P, 1) -> (P, 1)
    Units:    those of f over those of theta
    Errors:   ValueError for integers, NaN, an empty theta, h not above 0

    >>> central_difference(lambda t: float((t**2).sum()), np.array([[1.0], [3.0]])).round(8)
    array([[2.],
           [6.]])
    """
    check_matrix("theta", theta, finite=True)
    check_positive("h", h)
    gradient = np.zeros_like(theta)
    for k in np.ndindex(*theta.shape):
        e = np.zeros_like(theta)
        e[k] = h
        gradient[k] = (f(theta + e) - f(theta - e)) / (2 * h)
    return gradient
# --8<-- [end:central-difference]


# --8<-- [start:complex-step]
def complex_step(f: Callable[[ndarray], complex], theta: ndarray, h: float = 1e-30) -> ndarray:
    """Gradient of an analytic function by one evaluation off the real line for each entry.

    Equation: eq-complex-step
    Shapes:   f: (P, 1) -> (); theta (P, 1) -> (P, 1)
    Units:    those of f over those of theta
    Errors:   ValueError as central_difference
    Source:   Squire and Trapp 1998

    >>> complex_step(lambda t: (t**2).sum(), np.array([[1.0], [3.0]]))
    array([[2.],
           [6.]])
    """
    check_matrix("theta", theta, finite=True)
    check_positive("h", h)
    gradient = np.zeros_like(theta)
    for k in np.ndindex(*theta.shape):
        step = theta.astype(complex)
        step[k] += 1j * h
        gradient[k] = np.imag(f(step)) / h
    return gradient
# --8<-- [end:complex-step]


# --8<-- [start:relative-error]
def relative_error(a: ndarray, b: ndarray) -> float:
    """Distance of two gradients over the larger of their lengths.

    Equation: eq-relative-error
    Shapes:   a (any), b (as a) -> ()
    Units:    none
    Errors:   ValueError for different shapes

    >>> relative_error(np.array([[3.0], [4.0]]), np.array([[3.0], [4.5]])).round(3)
    np.float64(0.092)
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(f"a has shape {np.shape(a)}, b has shape {np.shape(b)}; they must be equal")
    largest = max(np.linalg.norm(a), np.linalg.norm(b))
    return np.linalg.norm(a - b) / largest if largest > 0 else np.float64(0.0)
# --8<-- [end:relative-error]


# --8<-- [start:report]
class Report(NamedTuple):
    """The verdict of a gradient check.

    Equation: eq-relative-error
    Shapes:   ok (), error (), worst (text)
    Units:    none
    Errors:   none

    >>> Report(True, 1e-12, "dW[1][0, 0]").ok
    True
    """

    ok: bool
    error: float
    worst: str
# --8<-- [end:report]


# --8<-- [start:check-gradients]
def check_gradients(
    parameters: Parameters,
    X: ndarray,
    Y: ndarray,
    gradients: Gradients | None = None,
    loss: str = "mse",
    hidden: str = "relu",
    output: str = "identity",
    tolerance: float = 1e-7,
) -> Report:
    """Compare gradients, those of backward unless others are given, with central differences.

    Equation: eq-central-difference, eq-relative-error
    Shapes:   X (n[0], B), Y (n[L], B) -> Report
    Units:    none
    Errors:   ValueError as forward and the loss

    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.standard_normal((3, 7)), rng.standard_normal((2, 7))
    >>> parameters = Parameters({1: rng.standard_normal((2, 3))}, {1: np.ones((2, 1))})
    >>> check_gradients(parameters, X, Y).ok
    True
    """
    f, gradient = loss_by_name(loss)
    sizes = layer_sizes(parameters)
    if gradients is None:
        trace = forward(parameters, X, hidden, output)
        gradients = backward(parameters, trace, gradient(trace.Y_hat, Y), hidden, output)

    def L(theta: ndarray) -> float:
        return f(forward(unflatten(theta, sizes), X, hidden, output).Y_hat, Y)

    numeric = unflatten(central_difference(L, flatten(parameters)), sizes)
    error = relative_error(
        flatten(Parameters(gradients.dW, gradients.db)), flatten(numeric)
    )
    worst, size = "", -1.0
    for name, ours, theirs in (("dW", gradients.dW, numeric.W), ("db", gradients.db, numeric.b)):
        for l in ours:
            gap = np.abs(ours[l] - theirs[l])
            if gap.max() > size:
                i, j = np.unravel_index(gap.argmax(), gap.shape)
                worst, size = f"{name}[{l}][{i}, {j}]", gap.max()
    return Report(bool(error <= tolerance), float(error), worst)
# --8<-- [end:check-gradients]
