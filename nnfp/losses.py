"""Losses, chapter docs/losses.md.

A loss takes predictions and targets of one shape and returns one number, the mean over
all n * B entries. Its gradient has the shape of the predictions and carries the factor
1 / (n * B), so that the backward pass has nothing to divide by.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.notation import check_matrix, check_positive, check_same_dtype, check_same_shape

__all__ = [
    "LOSSES",
    "Loss",
    "huber",
    "huber_gradient",
    "loss",
    "mae",
    "mae_gradient",
    "mse",
    "mse_gradient",
    "residuals",
]


# --8<-- [start:residuals]
def residuals(Y_hat: ndarray, Y: ndarray) -> ndarray:
    """Subtract targets from predictions of exactly the same shape.

    Equation: eq-residuals
    Shapes:   Y_hat (n, B), Y (n, B) -> (n, B)
    Units:    those of Y
    Errors:   ValueError for different shapes or dtypes, 1-D or empty arrays, NaN, infinity

    >>> residuals(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]]))
    array([[ 1., -4.]])
    """
    check_matrix("Y_hat", Y_hat, finite=True)
    check_matrix("Y", Y, finite=True)
    check_same_shape("Y_hat", Y_hat, "Y", Y)
    check_same_dtype(Y_hat=Y_hat, Y=Y)
    return Y_hat - Y
# --8<-- [end:residuals]


# --8<-- [start:mae]
def mae(Y_hat: ndarray, Y: ndarray) -> float:
    """Mean of the absolute errors.

    Equation: eq-mae
    Shapes:   Y_hat (n, B), Y (n, B) -> ()
    Units:    those of Y
    Errors:   ValueError as residuals

    >>> float(mae(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]])))
    2.5
    """
    R = residuals(Y_hat, Y)
    return np.mean(np.sign(R.real) * R)  # |R|, in a form that a complex step passes


def mae_gradient(Y_hat: ndarray, Y: ndarray) -> ndarray:
    """Slope of mae with respect to each prediction. At a kink, where an error is 0, we choose 0.

    Equation: eq-mae-gradient
    Shapes:   Y_hat (n, B), Y (n, B) -> (n, B)
    Units:    none
    Errors:   ValueError as residuals

    >>> mae_gradient(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]]))
    array([[ 0.5, -0.5]])
    """
    R = residuals(Y_hat, Y)
    return np.sign(R.real) / R.size
# --8<-- [end:mae]


# --8<-- [start:mse]
def mse(Y_hat: ndarray, Y: ndarray) -> float:
    """Mean of the squared errors.

    Equation: eq-mse
    Shapes:   Y_hat (n, B), Y (n, B) -> ()
    Units:    those of Y, squared
    Errors:   ValueError as residuals; above errors of 1e154 (float32: 1e19) the square
              overflows: inf, with NumPy's RuntimeWarning

    >>> float(mse(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]])))
    8.5
    """
    R = residuals(Y_hat, Y)
    return np.mean(R * R)


def mse_gradient(Y_hat: ndarray, Y: ndarray) -> ndarray:
    """Slope of mse with respect to each prediction.

    Equation: eq-mse-gradient
    Shapes:   Y_hat (n, B), Y (n, B) -> (n, B)
    Units:    those of Y
    Errors:   ValueError as residuals

    >>> mse_gradient(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]]))
    array([[ 1., -4.]])
    """
    R = residuals(Y_hat, Y)
    return (2 / R.size) * R
# --8<-- [end:mse]


# --8<-- [start:huber]
def _clipped(R: ndarray, kappa: float) -> ndarray:
    return np.where(R.real > kappa, kappa, np.where(R.real < -kappa, -kappa, R))


def huber(Y_hat: ndarray, Y: ndarray, kappa: float = 1.0) -> float:
    """Mean of a loss that is half the square of small errors and grows like a line beyond kappa.

    Equation: eq-huber-entry, eq-huber-short, eq-huber
    Shapes:   Y_hat (n, B), Y (n, B) -> ()
    Units:    those of Y, squared; kappa in those of Y
    Errors:   ValueError as residuals, and for kappa not above 0
    Source:   Huber 1964

    >>> float(huber(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]])))
    2.0
    """
    check_positive("kappa", kappa)
    R = residuals(Y_hat, Y)
    C = _clipped(R, float(kappa))
    return np.mean(C * (R - C / 2))


def huber_gradient(Y_hat: ndarray, Y: ndarray, kappa: float = 1.0) -> ndarray:
    """Slope of huber with respect to each prediction: the error, cut off at -kappa and kappa.

    Equation: eq-huber-gradient, eq-huber-clipped
    Shapes:   Y_hat (n, B), Y (n, B) -> (n, B)
    Units:    those of Y
    Errors:   ValueError as residuals, and for kappa not above 0

    >>> huber_gradient(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]]))
    array([[ 0.5, -0.5]])
    """
    check_positive("kappa", kappa)
    R = residuals(Y_hat, Y)
    return _clipped(R, float(kappa)) / R.size
# --8<-- [end:huber]


# --8<-- [start:registry]
class Loss(NamedTuple):
    """A loss and its gradient.

    Equation: none
    Shapes:   f: Y_hat (n, B), Y (n, B) -> (); gradient: the same -> (n, B)
    Units:    none
    Errors:   none
    """

    f: Callable[[ndarray, ndarray], float]
    gradient: Callable[[ndarray, ndarray], ndarray]


LOSSES: dict[str, Loss] = {
    "mae": Loss(mae, mae_gradient),
    "mse": Loss(mse, mse_gradient),
    "huber": Loss(huber, huber_gradient),
}


def loss(name: str) -> Loss:
    """Look up a loss by its name.

    Equation: none
    Shapes:   name -> a pair of functions
    Units:    none
    Errors:   ValueError for an unknown name, with the list of those that exist

    >>> float(loss("mse").f(np.array([[3.0]]), np.array([[1.0]])))
    4.0
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise ValueError(f"no loss {name!r}; choose one of: {', '.join(LOSSES)}")
    return LOSSES[name]
# --8<-- [end:registry]
