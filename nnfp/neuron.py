"""One neuron and one layer by explicit loops, chapter docs/neuron.md.

Slow and obvious on purpose: every later form of the same sum is tested against these
two functions.
"""

import numpy as np
from numpy import ndarray

from nnfp.notation import check_entries, check_matrix, check_product, check_same_dtype

__all__ = ["layer_by_loops", "neuron"]


# --8<-- [start:neuron]
def neuron(w: ndarray, x: ndarray, b: float) -> float:
    """Multiply each input by its weight, add the products up, then add the bias once.

    Equation: eq-neuron
    Shapes:   w (n, 1), x (n, 1), b () -> ()
    Units:    those of b; a weight has the units of b over those of its input
    Errors:   ValueError if w or x is not a column, if their lengths differ, or if b is
              not a single floating-point number

    >>> float(neuron(np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]), 1.0))
    6.0
    """
    check_matrix("w", w, columns=1)
    check_matrix("x", x, rows=w.shape[0], columns=1)
    check_entries("b", b)
    if np.ndim(b) != 0:
        raise ValueError(f"b must be one number, got shape {b.shape}; write b.item()")
    check_same_dtype(w=w, x=x)
    if isinstance(b, (np.generic, ndarray)):  # a plain Python number takes the precision of w
        check_same_dtype(w=w, b=b)
    z = 0.0
    for j in range(w.shape[0]):
        z = z + w[j, 0] * x[j, 0]
    return z + b
# --8<-- [end:neuron]


# --8<-- [start:layer-by-loops]
def layer_by_loops(W: ndarray, x: ndarray, b: ndarray) -> ndarray:
    """Compute one neuron after the other: a loop over neurons around a loop over inputs.

    Equation: eq-layer-by-loops
    Shapes:   W (m, n), x (n, 1), b (m, 1) -> (m, 1)
    Units:    those of b
    Errors:   ValueError if a shape does not fit or float32 meets float64

    >>> W = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    >>> layer_by_loops(W, np.array([[1.0], [2.0]]), np.array([[1.0], [2.0], [3.0]])).T
    array([[ 6., 10., 14.]])
    """
    check_matrix("W", W)
    check_matrix("x", x, columns=1)
    check_product("W", W, "x", x)
    m, n = W.shape
    check_matrix("b", b, rows=m, columns=1)
    check_same_dtype(W=W, x=x, b=b)
    z = np.zeros((m, 1), np.result_type(W, x, b))
    for i in range(m):  # over the neurons: the rows of W
        for j in range(n):  # over the inputs: the columns of W
            z[i, 0] += W[i, j] * x[j, 0]
        z[i, 0] += b[i, 0]  # once, after the inner loop
    return z
# --8<-- [end:layer-by-loops]
