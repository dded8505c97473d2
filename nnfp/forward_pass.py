"""The network as a chain of layers, chapter docs/forward_pass.md.

Parameters go in, a Trace of every layer comes out. Both are keyed by the layer l of the
text, 1..L; the trace's A also has A[0], the input.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.activations import activation
from nnfp.layer import affine
from nnfp.notation import check_matrix, check_positive, check_same_dtype

__all__ = ["Parameters", "Trace", "forward", "layer_sizes", "random_parameters"]


# --8<-- [start:parameters]
class Parameters(NamedTuple):
    """The weights and biases of a network, keyed by layer.

    Equation: eq-forward-layer
    Shapes:   W[l] (n[l], n[l-1]), b[l] (n[l], 1), l = 1..L
    Units:    b[l] those of Z[l]; W[l] those of Z[l] over those of A[l-1]
    Errors:   none here; forward and layer_sizes check

    >>> Parameters(W={1: np.ones((2, 3))}, b={1: np.zeros((2, 1))}).W[1].shape
    (2, 3)
    """

    W: dict[int, ndarray]
    b: dict[int, ndarray]
# --8<-- [end:parameters]


# --8<-- [start:trace]
class Trace(NamedTuple):
    """Every intermediate array of one forward pass, keyed by layer.

    Equation: eq-forward-layer, eq-forward-output
    Shapes:   Z[l] (n[l], B), l = 1..L; A[l] (n[l], B), l = 0..L; Y_hat (n[L], B)
    Units:    A[0] those of the input, A[L] those of the target
    Errors:   none

    >>> Trace(Z={1: np.ones((1, 1))}, A={0: np.zeros((2, 1)), 1: np.ones((1, 1))}).Y_hat
    array([[1.]])
    """

    Z: dict[int, ndarray]
    A: dict[int, ndarray]

    @property
    def Y_hat(self) -> ndarray:
        """The prediction: the last activation, A[L]."""
        return self.A[len(self.Z)]
# --8<-- [end:trace]


# --8<-- [start:layer-sizes]
def layer_sizes(parameters: Parameters) -> list[int]:
    """Read [n[0], ..., n[L]] off the weights, after checking that the layers fit together.

    Equation: none
    Shapes:   W[l] (n[l], n[l-1]), b[l] (n[l], 1) -> L + 1 integers
    Units:    none
    Errors:   ValueError naming the first array whose key, shape or dtype does not fit

    >>> layer_sizes(random_parameters([4, 6, 4, 2], np.random.default_rng(42)))
    [4, 6, 4, 2]
    """
    if not isinstance(parameters, Parameters):
        raise ValueError(
            f"parameters must be Parameters(W, b), got {type(parameters).__name__}; "
            "make them with random_parameters(layer_sizes, rng)"
        )
    W, b = parameters
    dicts = isinstance(W, dict) and isinstance(b, dict)
    if not (dicts and W and set(range(1, len(W) + 1)) == set(W) == set(b)):
        got = (list(d) if isinstance(d, dict) else f"a {type(d).__name__}" for d in (W, b))
        raise ValueError(
            "W and b must be dicts with the keys 1..L, got {} and {}; ".format(*got)
            + "layer 0 is the input and has no weights"
        )
    check_matrix("W[1]", W[1])
    sizes = [W[1].shape[1]]
    for l in range(1, len(W) + 1):
        check_matrix(f"W[{l}]", W[l], columns=sizes[-1])
        sizes.append(W[l].shape[0])
        check_matrix(f"b[{l}]", b[l], rows=sizes[-1], columns=1)
        check_same_dtype(**{"W[1]": W[1], f"W[{l}]": W[l], f"b[{l}]": b[l]})
    return sizes
# --8<-- [end:layer-sizes]


# --8<-- [start:random-parameters]
def random_parameters(
    layer_sizes: list[int], rng: np.random.Generator, weight_scale: float | str = 0.1
) -> Parameters:
    """Draw normal weights of standard deviation weight_scale, or sqrt(2 / n[l-1]) for "he"; set the biases to zero.

    Equation: none
    Shapes:   layer_sizes [n[0], ..., n[L]] -> W[l] (n[l], n[l-1]), b[l] (n[l], 1)
    Units:    none
    Errors:   ValueError for fewer than two sizes, a size below 1, a seed in place of rng, a word other than "he"
    Source:   He and others 2015

    >>> parameters = random_parameters([4, 6, 2], np.random.default_rng(42))
    >>> parameters.W[1].shape, parameters.W[2].shape, parameters.b[2].T
    ((6, 4), (2, 6), array([[0., 0.]]))
    """
    _check_sizes(layer_sizes)
    he = isinstance(weight_scale, str) and weight_scale == "he"
    if isinstance(weight_scale, str) and not he:
        raise ValueError(f'weight_scale must be a number greater than 0 or "he", got {weight_scale!r}')
    if not he:
        check_positive("weight_scale", weight_scale)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng must be a numpy Generator, got {type(rng).__name__}; "
            "write rng=np.random.default_rng(42)"
        )
    W, b = {}, {}
    for l in range(1, len(layer_sizes)):
        scale = np.sqrt(2 / layer_sizes[l - 1]) if he else weight_scale
        W[l] = scale * rng.standard_normal((layer_sizes[l], layer_sizes[l - 1]))
        b[l] = np.zeros((layer_sizes[l], 1))
    return Parameters(W, b)
# --8<-- [end:random-parameters]


# --8<-- [start:forward]
def forward(
    parameters: Parameters, X: ndarray, hidden: str = "relu", output: str = "identity"
) -> Trace:
    """Send a batch through all layers and keep what each layer computed.

    Equation: eq-forward-input, eq-forward-layer, eq-forward-output
    Shapes:   W[l] (n[l], n[l-1]), b[l] (n[l], 1), X (n[0], B) -> Z[l], A[l] (n[l], B)
    Units:    X those of the input; Y_hat those of the target
    Errors:   ValueError for NaN or infinity in X, a shape or dtype that does not fit,
              an unknown activation

    >>> parameters = random_parameters([4, 6, 4, 2], np.random.default_rng(42))
    >>> forward(parameters, np.ones((4, 3))).Y_hat.shape
    (2, 3)
    """
    sizes = layer_sizes(parameters)
    check_matrix("X", X, rows=sizes[0], finite=True)
    W, b = parameters
    check_same_dtype(**{"W[1]": W[1], "X": X})
    L = len(W)
    f = {l: activation(output if l == L else hidden).f for l in W}
    Z, A = {}, {0: X}
    for l in range(1, L + 1):
        Z[l] = affine(W[l], A[l - 1], b[l])
        A[l] = f[l](Z[l])
    return Trace(Z, A)
# --8<-- [end:forward]


def _check_sizes(sizes: list[int]) -> None:
    integers = isinstance(sizes, (list, tuple)) and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in sizes
    )
    if not integers or len(sizes) < 2:
        array = isinstance(sizes, ndarray)
        raise ValueError(
            f"layer_sizes must be at least two integers of 1 or more, got {sizes!r}; "
            + ("write layer_sizes.tolist()" if array else "write [inputs, neurons of layer 1, ..., outputs]")
        )
