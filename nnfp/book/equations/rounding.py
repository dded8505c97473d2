"""Is a difference more than rounding? The same sums again, with every result moved a little.

Where the result of each operation is wrong by a random part in 10^13, the sides move as far as rounding
moves them, a hundred times over: a difference that is larger is one of the equation.
"""

import numpy as np

from nnfp.book.equations.nodes import Node
from nnfp.book.equations.problems import Problem

MOVE = 2e-14  # relative, a hundred times the rounding of one operation
TINY = 1e-13  # smaller relative differences are not looked at
TIMES = 3
ERRORS = (Problem, ArithmeticError, ValueError, TypeError, IndexError)


def moved(value, rng: np.random.Generator):
    """A floating-point result as another rounding could have left it; whole numbers stay."""
    if isinstance(value, (float, complex)):
        return value * (1 + MOVE * rng.uniform(-1, 1))
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value * (1 + MOVE * rng.uniform(-1, 1, value.shape))
    return value


def beyond(scope, left: Node, right: Node) -> bool:
    """Do the sides differ, in some entry, by more than rounding explains?"""
    try:
        gap = np.subtract(scope.value(left), scope.value(right))
        spread = np.zeros(np.shape(gap))
        for time in range(TIMES):
            other = scope.moving(time)
            now = np.subtract(other.value(left), other.value(right))
            if other.rough:  # a difference quotient is less exact by far
                return False
            spread = np.maximum(spread, np.abs(now - gap))
    except ERRORS:
        return False
    return bool(np.any(np.abs(gap) > 2 * spread))


def certain(scope, left: Node, right: Node) -> bool:
    """Are the sides equal, however results are rounded?"""
    try:
        return all(np.all(np.equal(s.value(left), s.value(right))) for s in map(scope.moving, range(TIMES)))
    except ERRORS:
        return False


def doubtful(a, b) -> bool:
    """Is there a difference that is small, and larger than usual?"""
    gap, size = np.abs(np.subtract(a, b)), np.maximum(np.abs(a), np.abs(b))
    return bool(np.any(gap > np.maximum(TINY * size, 1e-15 * np.max(size, initial=0))))
