"""Matrices as columns, and derivatives of columns with respect to columns, chapter docs/calculus.md."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy import ndarray

from nnfp.forward_pass import Parameters
from nnfp.forward_pass import layer_sizes as sizes_of
from nnfp.notation import check_matrix, check_positive

__all__ = ["flatten", "jacobian", "unflatten", "unvec", "vec"]


# --8<-- [start:vec]
def vec(A: ndarray) -> ndarray:
    """Stack the columns of a matrix into one column.

    Equation: eq-vec
    Shapes:   A (m, n) -> (m n, 1)
    Units:    those of A
    Errors:   ValueError if A is not a 2-D array

    >>> vec(np.array([[1.0, 3.0], [2.0, 4.0]])).T
    array([[1., 2., 3., 4.]])
    """
    check_matrix("A", A)
    return A.reshape((-1, 1), order="F").copy()


def unvec(v: ndarray, shape: tuple[int, int]) -> ndarray:
    """Undo vec: cut a column into the columns of a matrix.

    Equation: eq-vec
    Shapes:   v (m n, 1), shape (m, n) -> (m, n)
    Units:    those of v
    Errors:   ValueError if v is not a column of m n entries

    >>> unvec(np.array([[1.0], [2.0], [3.0], [4.0]]), (2, 2))
    array([[1., 3.],
           [2., 4.]])
    """
    _check_sizes("shape", shape)
    if len(shape) != 2:
        raise ValueError(f"shape must be (rows, columns), got {shape!r}")
    m, n = shape
    check_matrix("v", v, rows=m * n, columns=1)
    return v.reshape((m, n), order="F").copy()
# --8<-- [end:vec]


# --8<-- [start:flatten]
def flatten(parameters: Parameters) -> ndarray:
    """Put all parameters into one column: vec W[1], b[1], vec W[2], b[2], ...

    Equation: eq-theta
    Shapes:   W[l] (n[l], n[l-1]), b[l] (n[l], 1) -> (P, 1)
    Units:    those of each entry
    Errors:   ValueError naming the first array that does not fit

    >>> flatten(Parameters({1: np.array([[1.0, 3.0], [2.0, 4.0]])}, {1: np.array([[5.0], [6.0]])})).T
    array([[1., 2., 3., 4., 5., 6.]])
    """
    L = len(sizes_of(parameters)) - 1
    W, b = parameters
    return np.vstack([part for l in range(1, L + 1) for part in (vec(W[l]), b[l])])


def unflatten(theta: ndarray, layer_sizes: list[int]) -> Parameters:
    """Undo flatten.

    Equation: eq-theta
    Shapes:   theta (P, 1), layer_sizes [n[0], ..., n[L]] -> W[l] (n[l], n[l-1]), b[l] (n[l], 1)
    Units:    those of each entry
    Errors:   ValueError if theta is not a column of P entries

    >>> unflatten(np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]), [2, 2]).b[1].T
    array([[5., 6.]])
    """
    _check_sizes("layer_sizes", layer_sizes)
    P = sum(m * (n + 1) for n, m in pairwise(layer_sizes))
    check_matrix("theta", theta, rows=P, columns=1)
    W, b, start = {}, {}, 0
    for l in range(1, len(layer_sizes)):
        m, n = layer_sizes[l], layer_sizes[l - 1]
        middle, end = start + m * n, start + m * (n + 1)
        W[l] = unvec(theta[start:middle], (m, n))
        b[l] = theta[middle:end].copy()
        start = end
    return Parameters(W, b)
# --8<-- [end:flatten]


# --8<-- [start:jacobian]
def jacobian(f: Callable[[ndarray], ndarray], x: ndarray, h: float = 1e-6) -> ndarray:
    """Measure every slope of a column with respect to a column: row i is output i, column j is input j.

    Equation: eq-jacobian
    Shapes:   x (n, 1), f: (n, 1) -> (m, 1); returns (m, n)
    Units:    those of f over those of x
    Errors:   ValueError if x or f(x) is not a column, or is float32: its 7 digits are too
              few for a step of 1e-6; if an entry of x is so large that h does not move it

    >>> jacobian(lambda x: x * x, np.array([[1.0], [3.0]])).round(6)
    array([[2., 0.],
           [0., 6.]])
    """
    check_matrix("x", x, columns=1, finite=True)
    check_positive("h", h)
    _check_digits("x", x)
    check_moves("x", x, h)
    columns = []
    for j in range(x.shape[0]):
        e = np.zeros_like(x)
        e[j] = h
        right, left = x + e, x - e
        distance = (right - left)[j]  # 2 h, rounded as the two points are
        rise = _column(f(right)) - _column(f(left))
        columns.append(rise / distance)
    return np.hstack(columns)
# --8<-- [end:jacobian]


def check_moves(name: str, x: ndarray, h: float) -> None:
    """Refuse a step that vanishes beside an entry of x."""
    still = x + h == x - h
    if still.any():
        raise ValueError(
            f"h must move every entry of {name}, got {h!r}, which vanishes beside {x[still][0]}; "
            "take a larger h"
        )


def _check_digits(name: str, x: ndarray) -> None:
    if x.dtype == np.float32:
        raise ValueError(
            f"{name} must hold float64 for differences, got float32; use {name}.astype(float)"
        )


def _column(f_x: ndarray) -> ndarray:
    check_matrix("f(x)", f_x, columns=1)
    _check_digits("f(x)", f_x)
    return f_x


def _check_sizes(name: str, sizes: tuple[int, ...] | list[int]) -> None:
    integers = isinstance(sizes, (tuple, list)) and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in sizes
    )
    if not integers or len(sizes) < 2:
        raise ValueError(f"{name} must be at least two integers of 1 or more, got {sizes!r}")
