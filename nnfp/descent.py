"""Gradient descent, chapter docs/descent.md.

A point may be a float or an array of any shape: the rule is the same.
"""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from nnfp.notation import check_entries, check_matrix, check_positive

__all__ = ["descend", "quadratic", "quadratic_iterate", "quadratic_prime", "stability_limit"]


# --8<-- [start:quadratic]
def quadratic(x: float | ndarray) -> float | ndarray:
    """The parabola of the chapter; an array is taken entry by entry.

    Equation: eq-quadratic
    Shapes:   x (any) -> as x
    Units:    none
    Errors:   ValueError for integers or a list

    >>> quadratic(2.0)
    1.0
    """
    check_entries("x", x)
    return x**2 - 4 * x + 5


def quadratic_prime(x: float | ndarray) -> float | ndarray:
    """Its slope, entry by entry.

    Equation: eq-quadratic-prime
    Shapes:   x (any) -> as x
    Units:    none
    Errors:   ValueError for integers or a list

    >>> quadratic_prime(2.0)
    0.0
    """
    check_entries("x", x)
    return 2 * x - 4
# --8<-- [end:quadratic]


# --8<-- [start:descend]
def descend(gradient: Callable, x_0: float | ndarray, lr: float, steps: int) -> list:
    """Take steps against the gradient and return every point, x_0 first.

    Equation: eq-descent, eq-descent-many
    Shapes:   x_0 (any), gradient: as x_0 -> as x_0; returns steps + 1 points as x_0
    Units:    x_0 any; lr those of x_0 over those of the gradient
    Errors:   ValueError for integers, a lr not above 0, fewer than 0 steps, a gradient
              of another shape; a path that diverges is returned as it is

    >>> descend(quadratic_prime, 0.0, 0.25, 2)
    [0.0, 1.0, 1.5]
    """
    check_entries("x_0", x_0)
    check_positive("lr", lr)
    _check_count("steps", steps)
    lr = float(lr)  # a NumPy float64 would turn a float32 path into float64
    path = [x_0.copy() if isinstance(x_0, ndarray) else x_0]
    for _ in range(steps):
        x = path[-1]
        slope = gradient(x)
        if np.shape(slope) != np.shape(x):
            raise ValueError(
                f"gradient(x) must have the shape of x, {np.shape(x)}, got {np.shape(slope)}"
            )
        path.append(x - lr * slope)
    return path
# --8<-- [end:descend]


# --8<-- [start:quadratic-iterate]
def quadratic_iterate(x_0: float | ndarray, lr: float, t: int) -> float | ndarray:
    """Where descent on the parabola stands after t steps, without taking them.

    Equation: eq-quadratic-iterate
    Shapes:   x_0 (any), lr (), t () -> as x_0
    Units:    none
    Errors:   ValueError for integers in x_0, a lr not above 0, t below 0

    >>> quadratic_iterate(0.0, 0.25, 2)
    1.5
    """
    check_entries("x_0", x_0)
    check_positive("lr", lr)
    _check_count("t", t)
    return 2 + (1 - 2 * float(lr)) ** t * (x_0 - 2)
# --8<-- [end:quadratic-iterate]


# --8<-- [start:stability-limit]
def stability_limit(H: ndarray) -> float:
    """The learning rate from which on descent on a parabola with curvature H fails.

    Equation: eq-stability-limit
    Shapes:   H (n, n), symmetric; one curvature c is (1, 1), np.array([[c]])
    Units:    one over those of H
    Errors:   ValueError if H is not square, symmetric and finite, or if its largest
              eigenvalue is not above 0

    >>> stability_limit(np.array([[2.0]]))
    1.0
    """
    check_matrix("H", H, finite=True)
    check_matrix("H", H, rows=H.shape[1])
    if np.iscomplexobj(H) or not np.allclose(H, H.T):
        raise ValueError("H must be real and symmetric, as second derivatives are; use (H + H.T) / 2")
    largest = float(np.linalg.eigvalsh(H)[-1])
    check_positive("the largest eigenvalue of H", largest)
    return 2 / largest
# --8<-- [end:stability-limit]


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be an integer of 0 or more, got {value!r}")
