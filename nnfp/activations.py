"""Activation functions, chapter docs/activations.md.

Each function f has a partner f_prime, its slope. Both act entry by entry on arrays of
any shape, both take the pre-activation Z, and both return a new array of Z's shape and
dtype. A NaN stays a NaN. Comparisons look at Z.real, so that a complex step passes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.notation import check_entries

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "activation",
    "elu",
    "elu_prime",
    "identity",
    "identity_prime",
    "leaky_relu",
    "leaky_relu_prime",
    "relu",
    "relu_prime",
    "sigmoid",
    "sigmoid_prime",
    "silu",
    "silu_prime",
    "softplus",
    "softplus_prime",
    "tanh",
    "tanh_prime",
]


# --8<-- [start:sigmoid]
def sigmoid(Z: ndarray) -> ndarray:
    """Squeeze any number into (0, 1), without overflow at either end.

    Equation: eq-sigmoid, eq-sigmoid-stable
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> sigmoid(np.array([[-1000.0, 0.0, 1000.0]]))
    array([[0. , 0.5, 1. ]])
    """
    check_entries("Z", Z)
    positive = np.real(Z) >= 0
    e = np.exp(np.where(positive, -Z, Z))  # never above 1
    return np.where(positive, 1, e) / (1 + e)
# --8<-- [end:sigmoid]
