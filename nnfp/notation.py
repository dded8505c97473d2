"""What an array means here: the checks that every function makes, chapter docs/notation.md.

A matrix is a 2-D array of float32 or float64, one sample per column. Nothing is cast or
broadcast on the quiet: an array that does not fit raises a ValueError that names it.
complex128 is let through for the complex step of docs/gradient_check.md.
"""

import sys

import numpy as np
from numpy import ndarray

__all__ = [
    "check_entries",
    "check_matrix",
    "check_positive",
    "check_product",
    "check_same_dtype",
    "check_same_shape",
]

# --8<-- [start:check-entries]
DTYPES = (np.float32, np.float64, np.complex128)


def check_entries(name: str, Z: ndarray) -> None:
    """Refuse what is not an array of floating-point numbers, of any shape.

    Equation: none
    Shapes:   Z (any) -> nothing
    Units:    none
    Errors:   ValueError for a list, integers, another dtype, np.matrix or a masked array

    >>> check_entries("Z", np.array([1, 2]))
    Traceback (most recent call last):
    ValueError: Z must hold float32 or float64, got int64; write Z.astype(float)
    """
    # np.matrix takes * for a product, a masked array hides entries: neither has the * of an array
    plain = isinstance(Z, ndarray) and type(Z).__mul__ is ndarray.__mul__
    if not (plain or isinstance(Z, (np.floating, np.complexfloating, float, complex))):
        fix = f"float({name})" if isinstance(Z, (int, np.integer)) else f"np.array({name}, dtype=float)"
        fix = f"{name}.filled(0.0), or leave masked samples out" if hasattr(Z, "mask") else fix
        raise ValueError(f"{name} must be a NumPy array, got {type(Z).__name__}; write {fix}")
    if isinstance(Z, (ndarray, np.generic)) and Z.dtype not in DTYPES:
        raise ValueError(
            f"{name} must hold float32 or float64, got {Z.dtype}; write {name}.astype(float)"
        )
# --8<-- [end:check-entries]


# --8<-- [start:check-matrix]
def check_matrix(
    name: str, A: ndarray, rows: int | None = None, columns: int | None = None, finite: bool = False
) -> None:
    """Refuse what is not a non-empty 2-D array of the stated shape.

    Equation: none
    Shapes:   A (rows, columns) -> nothing
    Units:    none
    Errors:   ValueError for 1-D input, an empty array, a wrong shape, and with
              finite=True for NaN and infinity

    >>> check_matrix("X", np.zeros(4))
    Traceback (most recent call last):
    ValueError: X must be 2-D (features, batch), got shape (4,); for one sample use X[:, None]
    """
    if not isinstance(A, ndarray):
        raise ValueError(
            f"{name} must be a NumPy array, got {type(A).__name__}; "
            f"write np.array({name}, dtype=float)"
        )
    check_entries(name, A)
    if A.ndim != 2:
        one_row = rows == 1 and A.size > 1
        fix = f"; for one feature use {name}[None, :]" if one_row else f"; for one sample use {name}[:, None]"
        fix = fix if A.ndim == 1 else ""
        raise ValueError(f"{name} must be 2-D (features, batch), got shape {A.shape}{fix}")
    if A.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {A.shape}; drop empty batches")
    if rows not in (None, A.shape[0]) or columns not in (None, A.shape[1]):
        expected = f"({'any' if rows is None else rows}, {'any' if columns is None else columns})"
        turned = rows in (None, A.shape[1]) and columns in (None, A.shape[0])
        fix = f"; a sample is a column: did you mean {name}.T?" if turned else ""
        raise ValueError(f"{name} must have shape {expected}, got {A.shape}{fix}")
    if finite and not np.isfinite(A).all():
        i, j = (int(k) for k in np.argwhere(~np.isfinite(A))[0])
        raise ValueError(
            f"{name} must be finite, got {A[i, j]} at row {i}, column {j}; "
            "clean the data, or lower the learning rate if training produced it"
        )
# --8<-- [end:check-matrix]


# --8<-- [start:check-product]
def check_product(left: str, A: ndarray, right: str, B: ndarray) -> None:
    """Refuse a product A @ B whose inner dimensions differ.

    Equation: none
    Shapes:   A (m, n), B (n, any) -> nothing
    Units:    none
    Errors:   ValueError naming both arrays and both sizes

    >>> check_product("W[2]", np.zeros((4, 6)), "A[1]", np.zeros((5, 3)))
    Traceback (most recent call last):
    ValueError: W[2] @ A[1]: W[2] has shape (4, 6), A[1] has 5 rows; the 6 columns of W[2] must meet 6 rows
    """
    for name, factor in [(left, A), (right, B)]:
        check_matrix(name, factor)
    if A.shape[1] != B.shape[0]:
        raise ValueError(
            f"{left} @ {right}: {left} has shape {A.shape}, {right} has {B.shape[0]} rows; "
            f"the {A.shape[1]} columns of {left} must meet {A.shape[1]} rows"
        )
# --8<-- [end:check-product]


# --8<-- [start:check-same]
def check_same_shape(name_a: str, A: ndarray, name_b: str, B: ndarray) -> None:
    """Refuse two arrays of different shapes, which NumPy might broadcast.

    Equation: none
    Shapes:   A (any), B (as A) -> nothing
    Units:    none
    Errors:   ValueError naming both arrays and both shapes

    >>> check_same_shape("Y_hat", np.zeros((1, 3)), "Y", np.zeros((3, 1)))
    Traceback (most recent call last):
    ValueError: Y_hat has shape (1, 3), Y has shape (3, 1); they must be equal: did you mean Y.T?
    """
    check_entries(name_a, A)
    check_entries(name_b, B)
    a, b = np.shape(A), np.shape(B)
    if a != b:
        fix = f": did you mean {name_b}.T?" if a == b[::-1] else ""
        raise ValueError(f"{name_a} has shape {a}, {name_b} has shape {b}; they must be equal{fix}")


def check_same_dtype(**arrays: ndarray) -> None:
    """Refuse float32 beside float64, a mixture that NumPy would quietly turn into float64.

    Equation: none
    Shapes:   any
    Units:    none
    Errors:   ValueError naming the two arrays; complex128 may stand beside float64

    >>> check_same_dtype(W=np.zeros((2, 2)), X=np.zeros((2, 2), np.float32))
    Traceback (most recent call last):
    ValueError: W is float64, X is float32; write X.astype(W.dtype)
    """
    for name, A in arrays.items():
        check_entries(name, A)
    (first, a), *rest = [(name, np.asarray(A).dtype) for name, A in arrays.items()]
    for name, b in rest:
        if (a == np.float32) != (b == np.float32):
            raise ValueError(f"{first} is {a}, {name} is {b}; write {name}.astype({first}.dtype)")
# --8<-- [end:check-same]


# --8<-- [start:check-positive]
def check_positive(name: str, value: float) -> None:
    """Refuse a number that is not finite and greater than zero.

    Equation: none
    Shapes:   value () -> nothing
    Units:    none
    Errors:   ValueError naming the argument

    >>> check_positive("lr", -0.1)
    Traceback (most recent call last):
    ValueError: lr must be a number greater than 0, got -0.1
    """
    number = value.item() if isinstance(value, (np.integer, np.floating)) else value
    known = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not (known and 0 < number <= sys.float_info.max):
        raise ValueError(f"{name} must be a number greater than 0, got {value!r}")
# --8<-- [end:check-positive]
