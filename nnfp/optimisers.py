"""Rules that turn a gradient into a step, chapter docs/optimisers.md.

Each rule is a pure function (theta, g, state, lr) -> (theta, state). It works entry by entry, on
the column of all parameters that nnfp.calculus.flatten makes, or on any array. The state is what
the rule remembers of earlier gradients; before the first step it is None.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.notation import check_positive, check_same_dtype, check_same_shape

__all__ = ["OPTIMISERS", "AdamState", "adam", "momentum", "optimiser", "sgd"]


# --8<-- [start:sgd]
def sgd(theta: ndarray, g: ndarray, state: None = None, lr: float = 0.01) -> tuple[ndarray, None]:
    """Step against the gradient of a batch; remember nothing.

    Equation: eq-sgd
    Shapes:   theta (P, 1), g (P, 1) -> (P, 1), None; any other shape, entry by entry
    Units:    lr those of theta squared over those of the loss
    Errors:   ValueError for different shapes or dtypes, or lr not above 0

    >>> sgd(np.array([[1.0]]), np.array([[4.0]]), lr=0.125)
    (array([[0.5]]), None)
    """
    _check(theta, g, lr)
    return theta - float(lr) * g, None
# --8<-- [end:sgd]


# --8<-- [start:momentum]
def momentum(
    theta: ndarray, g: ndarray, state: ndarray | None = None, lr: float = 0.01, beta: float = 0.9
) -> tuple[ndarray, ndarray]:
    """Keep a velocity that gradients push and that fades by beta each step; move along it.

    Equation: eq-velocity, eq-momentum
    Shapes:   theta (P, 1), g (P, 1), state: the velocity (P, 1) or None for zeros
    Units:    the velocity those of g; lr as for sgd
    Errors:   ValueError as sgd, for beta outside [0, 1), a state of another shape or dtype
    Source:   Polyak 1964

    >>> theta, velocity = momentum(np.array([[1.0]]), np.array([[4.0]]), lr=0.125)
    >>> momentum(theta, np.array([[4.0]]), velocity, lr=0.125, beta=0.5)
    (array([[-0.25]]), array([[6.]]))
    """
    _check(theta, g, lr)
    _check_fraction("beta", beta)
    velocity = np.zeros_like(g) if state is None else state
    _check_memory(g, state=velocity)
    velocity = float(beta) * velocity + g
    return theta - float(lr) * velocity, velocity
# --8<-- [end:momentum]


# --8<-- [start:adam]
class AdamState(NamedTuple):
    """What Adam remembers: running means of g and of its square, and the number of steps.

    Equation: eq-adam-m, eq-adam-v
    Shapes:   m (P, 1), v (P, 1), t ()
    Units:    m those of g, v those of g squared, t none
    Errors:   none
    """

    m: ndarray
    v: ndarray
    t: int


def adam(
    theta: ndarray,
    g: ndarray,
    state: AdamState | None = None,
    lr: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[ndarray, AdamState]:
    """Divide the mean of recent gradients by the root of the mean of their squares.

    Equation: eq-adam-m, eq-adam-v, eq-adam-corrected, eq-adam
    Shapes:   theta (P, 1), g (P, 1) -> (P, 1), AdamState
    Units:    lr those of theta; epsilon those of g
    Errors:   ValueError as momentum, and for epsilon not above 0. A gradient above 1e154
              (float32: 1e19) has an infinite square, with NumPy's RuntimeWarning
    Source:   Kingma and Ba 2015, algorithm 1

    >>> theta, state = adam(np.array([[1.0, 1.0]]), np.array([[4.0, -0.004]]), lr=0.125)
    >>> theta.round(5), state.t
    (array([[0.875, 1.125]]), 1)
    """
    _check(theta, g, lr)
    _check_fraction("beta_1", beta_1)
    _check_fraction("beta_2", beta_2)
    check_positive("epsilon", epsilon)
    lr, beta_1, beta_2, epsilon = float(lr), float(beta_1), float(beta_2), float(epsilon)
    state = AdamState(np.zeros_like(g), np.zeros_like(g), 0) if state is None else state
    _check_kind("state", state, AdamState)
    m, v, t = state
    _check_memory(g, **{"state.m": m, "state.v": v})
    t = t + 1
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g * g
    m_hat = m / (1 - beta_1**t)
    v_hat = v / (1 - beta_2**t)
    return theta - lr * m_hat / (np.sqrt(v_hat) + epsilon), AdamState(m, v, t)
# --8<-- [end:adam]


# --8<-- [start:registry]
OPTIMISERS: dict[str, Callable] = {"sgd": sgd, "momentum": momentum, "adam": adam}


def optimiser(name: str) -> Callable:
    """Look up an optimiser by its name.

    Equation: none
    Shapes:   name -> a function (theta, g, state, lr) -> (theta, state)
    Units:    none
    Errors:   ValueError for an unknown name, with the list of those that exist

    >>> optimiser("adam").__name__
    'adam'
    """
    if not isinstance(name, str) or name not in OPTIMISERS:
        raise ValueError(f"no optimiser {name!r}; choose one of: {', '.join(OPTIMISERS)}")
    return OPTIMISERS[name]
# --8<-- [end:registry]


def _check(theta: ndarray, g: ndarray, lr: float) -> None:
    check_same_shape("theta", theta, "g", g)
    check_same_dtype(theta=theta, g=g)
    check_positive("lr", lr)


def _check_memory(g: ndarray, **memory: ndarray) -> None:
    for name, part in memory.items():
        _check_kind(name, part, (ndarray, np.generic, float, complex))
        check_same_shape("g", g, name, part)
        check_same_dtype(**{"g": g, name: part})


def _check_kind(name: str, value: object, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind):
        raise ValueError(
            f"{name} must be what the step before returned, or None, got {type(value).__name__}"
        )


def _check_fraction(name: str, value: float) -> None:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (number and 0 <= value < 1):
        raise ValueError(f"{name} must be a number of at least 0 and below 1, got {value!r}")
