"""Activation functions, chapter docs/activations.md.

Each function f has a partner f_prime, its slope. Both act entry by entry on arrays of
any shape, both take the pre-activation Z, and both return a new array of Z's shape and
dtype. A NaN stays a NaN, except in the constant slope of identity; at infinity they give
their limit. Comparisons look at the real part, so that the complex step of
docs/gradient_check.md passes.
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
    "exp_minus_abs",
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


# --8<-- [start:identity]
def identity(Z: ndarray) -> ndarray:
    """Change nothing: the activation of an output layer for regression.

    Equation: eq-identity
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    those of Z
    Errors:   ValueError for a list or integers

    >>> identity(np.array([[-2.0, 3.0]]))
    array([[-2.,  3.]])
    """
    check_entries("Z", Z)
    return np.copy(Z)


def identity_prime(Z: ndarray) -> ndarray:
    """Slope of identity: 1 everywhere, whatever Z holds.

    Equation: eq-identity-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> identity_prime(np.array([[-2.0, 3.0]]))
    array([[1., 1.]])
    """
    check_entries("Z", Z)
    return np.ones_like(Z)
# --8<-- [end:identity]


# --8<-- [start:exp-minus-abs]
def exp_minus_abs(Z: ndarray) -> ndarray:
    """Compute e^(-|z|), which is never above 1 and so never overflows.

    Equation: eq-exp-minus-abs
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> exp_minus_abs(np.array([[-1000.0, 0.0, 1000.0]]))
    array([[0., 1., 0.]])
    """
    check_entries("Z", Z)
    return np.exp(np.where(np.real(Z) > 0, -Z, Z))
# --8<-- [end:exp-minus-abs]


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
    e = exp_minus_abs(Z)
    return np.where(np.real(Z) > 0, 1, e) / (1 + e)
# --8<-- [end:sigmoid]


# --8<-- [start:sigmoid-prime]
def sigmoid_prime(Z: ndarray) -> ndarray:
    """Slope of sigmoid, to full precision in both tails.

    Equation: eq-sigmoid-prime, eq-sigmoid-prime-stable
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> sigmoid_prime(np.array([[-1000.0, 0.0, 1000.0]]))
    array([[0.  , 0.25, 0.  ]])
    """
    check_entries("Z", Z)
    e = exp_minus_abs(Z)
    return e / (1 + e) ** 2
# --8<-- [end:sigmoid-prime]


# --8<-- [start:tanh]
def tanh(Z: ndarray) -> ndarray:
    """Squeeze any number into (-1, 1).

    Equation: eq-tanh
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> tanh(np.array([[-1000.0, 0.0, 1000.0]]))
    array([[-1.,  0.,  1.]])
    """
    check_entries("Z", Z)
    return np.tanh(Z)


def tanh_prime(Z: ndarray) -> ndarray:
    """Slope of tanh, to full precision in both tails.

    Equation: eq-tanh-prime, eq-tanh-prime-stable
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> tanh_prime(np.array([[-1000.0, 0.0, 1000.0]]))
    array([[0., 1., 0.]])
    """
    check_entries("Z", Z)
    e = exp_minus_abs(Z)
    sech = 2 * e / (1 + e * e)
    return sech * sech
# --8<-- [end:tanh]


# --8<-- [start:relu]
def relu(Z: ndarray) -> ndarray:
    """Keep what is positive, replace the rest by zero.

    Equation: eq-relu
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    those of Z
    Errors:   ValueError for a list or integers

    >>> relu(np.array([[-2.0, 0.0, 3.0]]))
    array([[0., 0., 3.]])
    """
    check_entries("Z", Z)
    return np.where(np.real(Z) <= 0, 0, Z)  # asked this way round, a NaN stays


def relu_prime(Z: ndarray) -> ndarray:
    """Slope of relu. At the kink z = 0, where no slope exists, we choose 0.

    Equation: eq-relu-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> relu_prime(np.array([[-2.0, 0.0, 3.0]]))
    array([[0., 0., 1.]])
    """
    check_entries("Z", Z)
    return np.where(np.isnan(Z), Z, np.real(Z) > 0)
# --8<-- [end:relu]


# --8<-- [start:leaky-relu]
def leaky_relu(Z: ndarray) -> ndarray:
    """Keep what is positive, let a hundredth of the rest through.

    Equation: eq-leaky-relu
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    those of Z
    Errors:   ValueError for a list or integers

    >>> leaky_relu(np.array([[-2.0, 0.0, 3.0]]))
    array([[-0.02,  0.  ,  3.  ]])
    """
    check_entries("Z", Z)
    return np.where(np.real(Z) > 0, Z, 0.01 * Z)


def leaky_relu_prime(Z: ndarray) -> ndarray:
    """Slope of leaky_relu. At the kink z = 0 we choose the left slope, 0.01.

    Equation: eq-leaky-relu-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> leaky_relu_prime(np.array([[-2.0, 0.0, 3.0]]))
    array([[0.01, 0.01, 1.  ]])
    """
    check_entries("Z", Z)
    step = relu_prime(Z)
    return step + 0.01 * (1 - step)
# --8<-- [end:leaky-relu]


# --8<-- [start:elu]
def elu(Z: ndarray) -> ndarray:
    """Keep what is positive, bend the rest smoothly towards -1.

    Equation: eq-elu
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none: Z must be a pure number
    Errors:   ValueError for a list or integers

    >>> elu(np.array([[-1000.0, 0.0, 3.0]]))
    array([[-1.,  0.,  3.]])
    """
    check_entries("Z", Z)
    positive = np.real(Z) > 0
    return np.where(positive, Z, np.expm1(np.where(positive, 0, Z)))


def elu_prime(Z: ndarray) -> ndarray:
    """Slope of elu, 1 from both sides at zero.

    Equation: eq-elu-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> elu_prime(np.array([[-1000.0, 0.0, 3.0]]))
    array([[0., 1., 1.]])
    """
    check_entries("Z", Z)
    return np.exp(np.where(np.real(Z) > 0, 0, Z))
# --8<-- [end:elu]


# --8<-- [start:softplus]
def softplus(Z: ndarray) -> ndarray:
    """Round off the corner of relu, without overflow.

    Equation: eq-softplus, eq-softplus-stable
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none: Z must be a pure number
    Errors:   ValueError for a list or integers

    >>> softplus(np.array([[-1000.0, 0.0, 1000.0]])).round(4)
    array([[0.000e+00, 6.931e-01, 1.000e+03]])
    """
    check_entries("Z", Z)
    return relu(Z) + np.log1p(exp_minus_abs(Z))


def softplus_prime(Z: ndarray) -> ndarray:
    """Slope of softplus: the sigmoid.

    Equation: eq-softplus-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> softplus_prime(np.array([[0.0]]))
    array([[0.5]])
    """
    check_entries("Z", Z)
    return sigmoid(Z)
# --8<-- [end:softplus]


# --8<-- [start:silu]
def silu(Z: ndarray) -> ndarray:
    """Weight each number by its own sigmoid.

    Equation: eq-silu
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none: Z must be a pure number
    Errors:   ValueError for a list or integers

    >>> silu(np.array([[-1000.0, 0.0, 3.0]])).round(4)
    array([[-0.    ,  0.    ,  2.8577]])
    """
    check_entries("Z", Z)
    finite = np.where(np.real(Z) == -np.inf, 0, Z)  # -inf * 0 would be NaN
    return finite * sigmoid(Z)


def silu_prime(Z: ndarray) -> ndarray:
    """Slope of silu; below zero for z < -1.28.

    Equation: eq-silu-prime
    Shapes:   Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   ValueError for a list or integers

    >>> silu_prime(np.array([[-2.0, 0.0, 3.0]])).round(4)
    array([[-0.0908,  0.5   ,  1.0881]])
    """
    check_entries("Z", Z)
    finite = np.where(np.isinf(Z), 0, Z)
    return sigmoid(Z) + finite * sigmoid_prime(Z)
# --8<-- [end:silu]


# --8<-- [start:registry]
class Activation(NamedTuple):
    """An activation and its slope.

    Equation: none
    Shapes:   both Z (n[l], B) -> (n[l], B)
    Units:    none
    Errors:   none
    """

    f: Callable[[ndarray], ndarray]
    f_prime: Callable[[ndarray], ndarray]


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(identity, identity_prime),
    "sigmoid": Activation(sigmoid, sigmoid_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime),
    "elu": Activation(elu, elu_prime),
    "softplus": Activation(softplus, softplus_prime),
    "silu": Activation(silu, silu_prime),
}


def activation(name: str) -> Activation:
    """Look up an activation by its name.

    Equation: none
    Shapes:   name -> a pair of functions
    Units:    none
    Errors:   ValueError for an unknown name, with the list of those that exist

    >>> activation("relu").f_prime(np.array([[3.0]]))
    array([[1.]])
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}; choose one of: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]
# --8<-- [end:registry]
