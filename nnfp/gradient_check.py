"""Gradients measured instead of derived, chapter docs/gradient_check.md."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.backpropagation import Gradients, loss_and_gradients
from nnfp.calculus import check_moves, flatten, unflatten
from nnfp.forward_pass import Parameters, forward, layer_sizes
from nnfp.losses import loss as loss_by_name
from nnfp.notation import check_entries, check_matrix, check_positive, check_same_shape

__all__ = ["Report", "central_difference", "check_gradients", "complex_step", "relative_error"]


# --8<-- [start:central-difference]
def central_difference(
    f: Callable[[ndarray], float], theta: ndarray, h: float = 1e-5
) -> ndarray:
    """Gradient of a scalar function by two evaluations for each entry.

    Equation: eq-central-difference
    Shapes:   f: (P, 1) -> (); theta (P, 1) -> (P, 1), or any other matrix and its shape
    Units:    those of f over those of theta
    Errors:   ValueError for integers, float32, NaN, an empty theta, an h that is not above 0
              or vanishes beside an entry, and for an f that does not return one float64

    >>> central_difference(lambda t: (t**2).sum(), np.array([[1.0], [3.0]])).round(8)
    array([[2.],
           [6.]])
    """
    _check_step(theta, h)
    check_moves("theta", theta, h)
    gradient = np.zeros(theta.shape)
    for k in np.ndindex(*theta.shape):
        e = np.zeros(theta.shape)
        e[k] = h
        right, left = theta + e, theta - e
        distance = right[k] - left[k]  # 2 h, rounded as the two points are
        gradient[k] = (_number(f(right), np.float64) - _number(f(left), np.float64)) / distance
    return gradient
# --8<-- [end:central-difference]


# --8<-- [start:complex-step]
def complex_step(
    f: Callable[[ndarray], complex], theta: ndarray, h: float = 1e-30
) -> ndarray:
    """Gradient of an analytic function by one evaluation for each entry, off the real line.

    Equation: eq-complex-step
    Shapes:   f: (P, 1) -> (); theta (P, 1) -> (P, 1), or any other matrix and its shape
    Units:    those of f over those of theta
    Errors:   ValueError for a bad theta or h, and for an f that does not return one complex128
    Source:   Squire and Trapp 1998

    >>> complex_step(lambda t: (t**2).sum(), np.array([[1.0], [3.0]]))
    array([[2.],
           [6.]])
    """
    _check_step(theta, h)
    gradient = np.zeros(theta.shape)
    for k in np.ndindex(*theta.shape):
        step = theta.astype(complex)
        step[k] += 1j * h
        value = _number(f(step), np.float64, np.complex128)
        if not np.iscomplexobj(value):
            raise ValueError(
                "f(theta) is real where theta is complex: does it use abs, .real, float()? "
                "Use central_difference"
            )
        gradient[k] = np.imag(value) / h
    return gradient
# --8<-- [end:complex-step]


# --8<-- [start:relative-error]
def relative_error(a: ndarray, b: ndarray) -> float:
    """Distance of two gradients over the larger of their lengths; 0 if both are zero.

    Equation: eq-relative-error
    Shapes:   a (any), b (as a) -> ()
    Units:    none
    Errors:   ValueError for lists, integers, empty arrays, different shapes; the result is inf
              if an entry is NaN or infinite

    >>> round(relative_error(np.array([[3.0], [4.0]]), np.array([[3.0], [4.5]])), 3)
    0.092
    """
    check_entries("a", a)
    check_entries("b", b)
    check_same_shape("a", np.asarray(a), "b", np.asarray(b))
    both = np.stack([a, b])
    if both.size == 0:
        raise ValueError(f"a and b must not be empty, got shape {np.shape(a)}")
    if not np.isfinite(both).all():
        return float("inf")
    largest = np.abs(both).max()
    if largest == 0:
        return 0.0
    a, b = both / largest  # so that no square overflows or vanishes
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b)))
# --8<-- [end:relative-error]


# --8<-- [start:report]
class Report(NamedTuple):
    """The verdict of a gradient check, and the entry that is furthest off.

    Equation: eq-relative-error
    Shapes:   ok (), error (), worst (text), given (), measured ()
    Units:    error none; given and measured those of the loss over those of the entry
    Errors:   none

    >>> Report(False, 0.5, "dW[1][0, 2]", given=0.1, measured=0.2).worst
    'dW[1][0, 2]'
    """

    ok: bool
    error: float
    worst: str
    given: float
    measured: float
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
    measure: Callable = central_difference,
) -> Report:
    """Measure dW, db and dX and compare those of backward with them, unless others are given.

    Equation: eq-central-difference, eq-relative-error
    Shapes:   X (n[0], B), Y (n[L], B) -> Report
    Units:    none
    Errors:   ValueError as forward, the loss and measure, and for gradients of other shapes

    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.standard_normal((3, 7)), rng.standard_normal((2, 7))
    >>> parameters = Parameters({1: rng.standard_normal((2, 3))}, {1: np.ones((2, 1))})
    >>> check_gradients(parameters, X, Y).ok
    True
    """
    check_positive("tolerance", tolerance)
    if gradients is None:
        _, gradients = loss_and_gradients(parameters, X, Y, loss, hidden, output)
    sizes, f = layer_sizes(parameters), loss_by_name(loss).f

    def of_theta(theta: ndarray) -> float:
        return f(forward(unflatten(theta, sizes), X, hidden, output).Y_hat, Y)

    def of_X(X: ndarray) -> float:
        return f(forward(parameters, X, hidden, output).Y_hat, Y)

    numeric = unflatten(measure(of_theta, flatten(parameters)), sizes)
    return _compare(gradients, Gradients(*numeric, {}, measure(of_X, X)), tolerance)
# --8<-- [end:check-gradients]


# --8<-- [start:compare]
def _compare(given: Gradients, measured: Gradients, tolerance: float) -> Report:
    ours, theirs = _by_name(given), _by_name(measured)
    if ours.keys() != theirs.keys():
        raise ValueError(f"gradients must hold {list(theirs)}, got {list(ours)}")
    for name in ours:
        check_same_shape(name, ours[name], f"the measured {name}", theirs[name])
    a = np.concatenate([G.ravel() for G in ours.values()])
    b = np.concatenate([G.ravel() for G in theirs.values()])
    error = relative_error(a, b)
    with np.errstate(invalid="ignore"):  # infinity minus infinity is NaN, the worst of all
        k = int(np.abs(a - b).argmax())
    entries = [
        f"{name}[{i}, {j}]" for name, G in ours.items() for i, j in np.ndindex(*G.shape)
    ]
    return Report(error <= tolerance, error, entries[k], float(a[k]), float(b[k]))
# --8<-- [end:compare]


def _by_name(gradients: Gradients) -> dict[str, ndarray]:
    if not all(hasattr(gradients, part) for part in ("dW", "db", "dX")):
        raise ValueError(
            f"gradients must be Gradients(dW, db, delta, dX), got {type(gradients).__name__}"
        )
    named = {f"dW[{l}]": dW for l, dW in sorted(gradients.dW.items())}
    named |= {f"db[{l}]": db for l, db in sorted(gradients.db.items())}
    named["dX"] = gradients.dX
    for name, G in named.items():
        check_matrix(name, G)
    return named


def _check_step(theta: ndarray, h: float) -> None:
    check_matrix("theta", theta, finite=True)
    check_positive("h", h)
    if theta.dtype != np.float64:
        raise ValueError(
            f"theta must hold float64 to be moved by a small step, got {theta.dtype}; "
            "write theta.astype(float)"
        )


def _number(value: complex, *dtypes: type) -> complex:
    if np.ndim(value) != 0:
        raise ValueError(f"f(theta) must be one number, got shape {np.shape(value)}; sum or mean it")
    dtype = np.asarray(value).dtype
    if dtype not in dtypes:
        got = dtype if dtype.kind in "biufc" else type(value).__name__
        raise ValueError(
            f"f(theta) must be a {dtypes[-1].__name__}, got {got}; "
            "return it unrounded, with all its digits"
        )
    return value
