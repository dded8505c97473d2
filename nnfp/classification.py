"""Probabilities for classes and the loss that fits them, chapter docs/classification.md.

A column holds one sample: its logits, its probabilities, or its label as a distribution, mostly
one-hot. The loss takes logits, not probabilities: only there can it be computed without loss of
digits. It is the mean over the samples; its gradient carries the factor 1 / B.
"""

import numpy as np
from numpy import ndarray

from nnfp.notation import check_matrix, check_same_dtype, check_same_shape

__all__ = ["accuracy", "cross_entropy", "cross_entropy_gradient", "log_softmax", "softmax"]


# --8<-- [start:softmax]
def softmax(Z: ndarray) -> ndarray:
    """Turn each column of logits into probabilities: positive, with the sum 1.

    Equation: eq-softmax, eq-softmax-shifted
    Shapes:   Z (m, B) -> (m, B)
    Units:    none: Z must be a pure number
    Errors:   ValueError if Z is not 2-D; a logit of -inf gets 0, a NaN or +inf spoils its column

    >>> softmax(np.log(np.array([[1.0], [2.0], [5.0]]))).T.round(3)
    array([[0.125, 0.25 , 0.625]])
    """
    check_matrix("Z", Z)
    E = np.exp(_below_largest(Z)[0])
    return E / E.sum(axis=0)


def log_softmax(Z: ndarray) -> ndarray:
    """Logarithm of softmax, exact also where a probability rounds to 0 or to 1.

    Equation: eq-log-softmax, eq-log-softmax-stable
    Shapes:   Z (m, B) -> (m, B)
    Units:    none
    Errors:   as softmax

    >>> log_softmax(np.array([[0.0], [-1000.0], [40.0]])).T
    array([[-4.00000000e+01, -1.04000000e+03, -4.24835426e-18]])
    """
    check_matrix("Z", Z)
    D, largest = _below_largest(Z)
    E = np.exp(D)
    np.put_along_axis(E, largest, 0, axis=0)
    return D - np.log1p(E.sum(axis=0))


def _below_largest(Z: ndarray) -> tuple[ndarray, ndarray]:
    """Z minus the largest entry of each column, and the row of that entry."""
    largest = Z.real.argmax(axis=0)[None, :]
    with np.errstate(over="ignore", invalid="ignore"):  # -inf is right, or a NaN comes out
        return Z - np.take_along_axis(Z, largest, axis=0), largest
# --8<-- [end:softmax]


# --8<-- [start:cross-entropy]
def cross_entropy(Z: ndarray, Y: ndarray) -> float:
    """Mean over the samples of minus the log-probability that the logits Z give to the label.

    Equation: eq-cross-entropy
    Shapes:   Z (m, B), Y (m, B) -> ()
    Units:    nat
    Errors:   ValueError for NaN or infinity, different shapes or dtypes, a column of Y that is
              not a distribution

    >>> float(cross_entropy(np.array([[0.0], [1000.0]]), np.array([[1.0], [0.0]])))
    1000.0
    """
    _check_labels(Z, Y)
    terms = Y * np.where(Y > 0, log_softmax(Z), 0)  # 0 log 0 = 0
    return -terms.sum() / Z.shape[1]


def cross_entropy_gradient(Z: ndarray, Y: ndarray) -> ndarray:
    """Slope of cross_entropy with respect to each logit: probability minus label, over B.

    Equation: eq-cross-entropy-gradient, eq-cross-entropy-gradient-stable
    Shapes:   Z (m, B), Y (m, B) -> (m, B)
    Units:    nat
    Errors:   ValueError as cross_entropy

    >>> cross_entropy_gradient(np.array([[0.0], [40.0]]), np.array([[0.0], [1.0]])).T
    array([[ 4.24835426e-18, -4.24835426e-18]])
    """
    _check_labels(Z, Y)
    P = softmax(Z)
    return (P * _others(Y) - Y * _others(P)) / Z.shape[1]


def _others(P: ndarray) -> ndarray:
    """For each entry, the sum of the other entries of its column."""
    largest = P.real.argmax(axis=0)[None, :]
    rest = P.copy()
    np.put_along_axis(rest, largest, 0, axis=0)
    others = P.sum(axis=0) - P
    np.put_along_axis(others, largest, rest.sum(axis=0)[None, :], axis=0)  # no difference here
    return others
# --8<-- [end:cross-entropy]


# --8<-- [start:accuracy]
def accuracy(Z: ndarray, Y: ndarray) -> float:
    """Share of the samples whose largest logit stands where the label does.

    Equation: none
    Shapes:   Z (m, B), Y (m, B) -> ()
    Units:    none
    Errors:   ValueError as cross_entropy

    >>> accuracy(np.array([[3.0, 1.0], [2.0, 5.0]]), np.array([[1.0, 1.0], [0.0, 0.0]]))
    0.5
    """
    _check_labels(Z, Y)
    return float((Z.real.argmax(axis=0) == Y.argmax(axis=0)).mean())
# --8<-- [end:accuracy]


def check_one_hot(Y: ndarray, classes: int) -> None:
    """Refuse labels that are a list or one row, of names or numbers."""
    if not isinstance(Y, ndarray) or Y.ndim != 2 or len(Y) == 1 < classes:
        got = f"shape {Y.shape}" if isinstance(Y, ndarray) else type(Y).__name__
        raise ValueError(
            f"Y must have a one-hot column of {classes} rows for each sample, got {got}; "
            "write Y = one_hot(labels, categories)"
        )


def _check_labels(Z: ndarray, Y: ndarray) -> None:
    check_matrix("Z", Z, finite=True)
    check_one_hot(Y, len(Z))
    check_matrix("Y", Y, finite=True)
    check_same_shape("Z", Z, "Y", Y)
    check_same_dtype(Z=Z, Y=Y)
    sums = Y.sum(axis=0)
    wrong = (Y < 0).any(axis=0) | (abs(sums - 1) > len(Y) * np.finfo(Y.dtype).eps * 4)
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(
            f"each column of Y must be a distribution, got a sum of {sums[k]:g} and a smallest "
            f"entry of {Y[:, k].min():g} in column {k}; make labels with one_hot"
        )
