"""The functions that every page knows. All take complex numbers, for the complex step."""

import math

import numpy as np

from nnfp.book.equations.problems import Problem


def plain(value):
    """Python's own number for a scalar, the array itself otherwise."""
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) == 0 else value


def absolute(value):
    return plain(np.where(np.real(value) < 0, -value, value))


def larger(a, b):
    return plain(np.where(np.real(a) >= np.real(b), a, b))


def smaller(a, b):
    return plain(np.where(np.real(a) <= np.real(b), a, b))


def sign(value):
    return plain(np.sign(np.real(value)) + 0 * value)


def erf(value):
    """Exact on the real line and for an infinitesimal imaginary part."""
    x = np.real(value)
    slope = 2 / math.sqrt(math.pi) * np.exp(-x * x)
    found = np.vectorize(math.erf, otypes=[float])(x)
    return plain(found + 1j * np.imag(value) * slope if np.iscomplexobj(value) else found)


def entrywise(function):
    return lambda value: plain(function(value))


def matrix(value, name: str):
    if np.ndim(value) == 0:
        raise Problem(f"{name} of a number", kind="shape")
    return value


def diagonal(value):
    if matrix(value, "diag").shape[1] != 1:
        raise Problem(f"diag of the shape {value.shape}: a column is needed", kind="shape")
    return np.diagflat(value)


def trace(value):
    if matrix(value, "tr").shape[0] != value.shape[1]:
        raise Problem(f"trace of the shape {value.shape}", kind="shape")
    return plain(np.trace(value))


def vec(value):
    return matrix(value, "vec").reshape(-1, 1, order="F")


ENTRYWISE = {
    r"\log": np.log, r"\ln": np.log, r"\exp": np.exp, r"\tanh": np.tanh, r"\sin": np.sin,
    r"\cos": np.cos, r"\sinh": np.sinh, r"\cosh": np.cosh,
}  # fmt: skip
BUILTIN = {name: entrywise(function) for name, function in ENTRYWISE.items()} | {
    r"\max": larger,
    r"\min": smaller,
    r"\operatorname{erf}": erf,
    r"\operatorname{sign}": sign,
    r"\operatorname{diag}": diagonal,
    r"\operatorname{vec}": vec,
    r"\operatorname{tr}": trace,
    r"\operatorname{Var}": None,  # needs the expression, not its value
}
CONSTANTS = {"e": math.e, r"\pi": math.pi}
PAIRWISE = {r"\max", r"\min"}
KINKS = {r"\max", r"\min", r"\operatorname{sign}"}
