"""A layer as one matrix product, chapter docs/layer.md.

The same numbers as nnfp.neuron.layer_by_loops, for a whole batch of columns at once.
"""

import numpy as np  # noqa: F401  (the example below has it)
from numpy import ndarray

from nnfp.notation import check_matrix, check_product, check_same_dtype

__all__ = ["affine"]


# --8<-- [start:affine]
def affine(W: ndarray, X: ndarray, b: ndarray) -> ndarray:
    """Weighted sums plus biases of all neurons of a layer, for all samples of a batch.

    Equation: eq-affine, eq-affine-batch
    Shapes:   W (m, n), X (n, B), b (m, 1) -> (m, B)
    Units:    those of b
    Errors:   ValueError if an inner dimension differs, if b is not a column of m
              numbers, or if float32 meets float64

    >>> W = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    >>> affine(W, np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[1.0], [2.0], [3.0]]))
    array([[ 6.,  3.],
           [10.,  5.],
           [14.,  7.]])
    """
    check_matrix("W", W)
    check_matrix("X", X)
    check_product("W", W, "X", X)
    check_matrix("b", b, rows=W.shape[0], columns=1)
    check_same_dtype(W=W, X=X, b=b)
    return W @ X + b
# --8<-- [end:affine]
