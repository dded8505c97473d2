"""Gradient descent, chapter docs/descent.md."""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from nnfp.notation import check_entries, check_matrix, check_positive, check_same_dtype

__all__ = ["descend", "quadratic", "quadratic_iterate", "quadratic_prime", "stability_limit"]


# --8<-- [start:quadratic]
def quadratic(x: float | ndarray) -> float | ndarray:
    """The parabola of the chapter, x² - 4x + 5, entry by entry.

    Equation: eq-quadratic
    Shapes:   x (any) -> as x
    Units:    none
    Errors:   ValueError for a list or integers

    >>> quadratic(2.0)
    1.0
    """
    check_entries("x", x)
    return x**2 - 4 * x + 5


def quadratic_prime(x: float | ndarray) -> float | ndarray:
    """Its slope, 2x - 4.

    Equation: eq-quadratic-prime
    Shapes:   x (any) -> as x
    Units:    none
    Errors:   ValueError for a list or integers

    >>> quadratic_prime(2.0)
    0.0
    """
    check_entries("x", x)
    return 2 * x - 4
# --8<-- [end:quadratic]


# --8<-- [start:descend]
def descend(gradient: Callable, x_0: float | ndarray, lr: float, steps: int) -> list:
    """Take steps against the gradient and return every point visited, x_0 first.

    Equation: eq-descent, eq-descent-many
    Shapes:   x_0 (any), gradient of a point: as x_0 -> steps + 1 points as x_0
    Units:    those of x_0
    Errors:   ValueError for a start or gradient that is a list or integer, a learning rate that
              is not above 0, steps that are not a whole number of 0 or more, a gradient of
              another shape or dtype

    >>> descend(quadratic_prime, 0.0, 0.5, 2)
    [0.0, 2.0, 2.0]
    """
    check_entries("x_0", x_0)
    check_positive("lr", lr)
    _check_count("steps", steps)
    path = [x_0]
    for _ in range(steps):
        slope = gradient(+path[-1])  # a copy, which the gradient may write to
        _check_slope(slope, x_0)
        path.append(path[-1] - float(lr) * slope)
    return path
# --8<-- [end:descend]


# --8<-- [start:quadratic-iterate]
def quadratic_iterate(x_0: float, lr: float, t: int) -> float:
    """Where descent on the parabola stands after t steps, without taking them.

    Equation: eq-quadratic-iterate
    Shapes:   x_0 (any), lr (), t () -> as x_0
    Units:    none
    Errors:   ValueError for a start that is a list or integer, a learning rate that is not
              above 0, a t that is not a whole number of 0 or more

    >>> float(quadratic_iterate(0.0, 0.25, 2))
    1.5
    """
    check_entries("x_0", x_0)
    check_positive("lr", lr)
    _check_count("t", t)
    distance = x_0 - 2
    with np.errstate(over="ignore"):
        factor = np.full_like(distance, np.power(1.0 - 2 * float(lr), t))
    factor = np.where(distance == 0, distance, factor)  # the minimum stays: no 0 times infinity
    return 2 + factor * distance
# --8<-- [end:quadratic-iterate]


# --8<-- [start:stability-limit]
def stability_limit(H: float | ndarray) -> float:
    """The learning rate at which descent on a quadratic with Hessian H stops converging.

    Equation: eq-stability-limit
    Shapes:   H (n, n), symmetric, or the curvature of a parabola () -> ()
    Units:    one over those of H
    Errors:   ValueError if H is not symmetric, has a negative eigenvalue, or none above 0

    >>> stability_limit(np.array([[2.0]])), stability_limit(2.0)
    (1.0, 1.0)
    """
    if np.ndim(H) == 0:
        H = H.item() if isinstance(H, ndarray) else H
        check_positive("H", H)
        return float(2 / H)
    check_matrix("H", H, rows=np.shape(H)[-1], finite=True)
    if np.iscomplexobj(H) or np.abs(H - H.T).max() > 1e-5 * np.abs(H).max():
        raise ValueError("H must be real and symmetric, as a Hessian is; write (H + H.T) / 2")
    curvatures = np.linalg.eigvalsh(H)
    smallest, largest = float(curvatures[0]), float(curvatures[-1])
    check_positive("the largest eigenvalue of H", largest)
    if smallest < -10 * len(H) * np.finfo(H.dtype).eps * largest:  # more than rounding
        raise ValueError(
            f"H must have no negative eigenvalue, got {smallest:.3g}: in that direction descent "
            "runs away at every learning rate"
        )
    return 2 / largest
# --8<-- [end:stability-limit]


def _check_slope(slope: float | ndarray, x: float | ndarray) -> None:
    check_entries("gradient(x)", slope)
    if np.shape(slope) != np.shape(x):
        raise ValueError(
            f"gradient(x) has shape {np.shape(slope)}, x has shape {np.shape(x)}; they must be equal"
        )
    check_same_dtype(**{"x": np.asarray(x), "gradient(x)": np.asarray(slope)})


def _check_count(name: str, count: int) -> None:
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if not whole or count < 0:
        raise ValueError(f"{name} must be a whole number from 0 on, got {count!r}")
