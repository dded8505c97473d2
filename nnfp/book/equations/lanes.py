"""Many numbers at once: an expression in indices, over all values of the indices together.

`scope.value` walks through an expression once per index; here each index is an axis of an array.
Only expressions that give a number for each index are understood. For everything else, and
whenever anything is amiss, Fallback is raised and the slow way decides: it is the oracle.
"""

import numpy as np

from nnfp.book.equations.functions import BUILTIN, ENTRYWISE, PAIRWISE, absolute, erf, sign
from nnfp.book.equations.nodes import Node, name_of, names_in

ONE_BY_ONE = ENTRYWISE | {r"\operatorname{erf}": erf, r"\operatorname{sign}": sign}
MAPS = (BUILTIN.keys() - ENTRYWISE.keys()) - {r"\operatorname{erf}", r"\operatorname{sign}"} - PAIRWISE
LIMIT = 200_000


class Fallback(Exception):
    """This must be evaluated index by index."""


class Lanes:
    """`axes` binds names to arrays that broadcast against each other."""

    def __init__(self, scope, axes: dict, count: int):
        self.scope, self.axes, self.count = scope, axes, count

    def value(self, node: Node):
        if not (names_in(node) & self.axes.keys()):
            found = self.scope.value(node)
            if isinstance(found, np.ndarray) and found.ndim:
                raise Fallback
            return found
        operation = _OPERATIONS.get(node.kind)
        if operation is None:
            raise Fallback
        return operation(self, node) if node.kind == "sub" else operation(self, *node.parts)

    def axis(self, values) -> np.ndarray:
        """A new last axis; what has fewer axes broadcasts along it."""
        return np.asarray(values)

    def with_axis(self, name: str, low: int, high: int) -> "Lanes":
        axes = {key: array[..., None] for key, array in self.axes.items()}
        size = max(0, high - low + 1)
        axes[name] = np.arange(low, high + 1).reshape((1,) * self.count + (size,))
        return Lanes(self.scope, axes, self.count + 1)

    def subscript(self, node: Node) -> np.ndarray:
        found = self.value(node)
        if np.iscomplexobj(found) or not np.all(np.equal(np.mod(found, 1), 0)):
            raise Fallback
        return np.asarray(found).astype(int)


def _sym(lanes, name):
    return lanes.axes[name]


def _two(function):
    return lambda lanes, a, b: function(lanes.value(a), lanes.value(b))


def _pow(lanes, a, b):
    a, b = lanes.value(a), lanes.value(b)
    if not np.all(np.equal(np.mod(np.real(b), 1), 0)) and np.any(np.real(a) < 0):
        raise Fallback
    if isinstance(b, int):
        return a**b
    return np.power(np.asarray(a, np.result_type(a, float)), b)


def _sub(lanes, node):
    base, indices = node.parts
    scope, known = lanes.scope, lanes.scope.known
    if names_in(base) & lanes.axes.keys():
        raise Fallback
    short = name_of(base)
    if short is not None and short not in scope.local:
        if len(indices) == 1 and scope.counts_members(short, indices[0]):
            return _members(lanes, short, indices[0])
        if not known.is_plain(short) or known.is_plain(node.name):
            raise Fallback
    array = scope.value(base)
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        raise Fallback
    places = [lanes.subscript(index) - 1 for index in indices]
    if len(places) == 1 and array.shape[1] == 1:
        places.append(np.zeros((), int))
    if len(places) != 2 or any(indices[0].kind == "num" for _ in range(len(indices) == 1)):
        raise Fallback
    for place, size in zip(places, array.shape):
        if place.size and (place.min() < 0 or place.max() >= size):
            raise Fallback
    return array[places[0], places[1]]


def _members(lanes, name, index):
    """x_t for all t: the members of a family of numbers."""
    places = lanes.subscript(index)
    table = {}
    for k in np.unique(places):
        table[int(k)] = lanes.scope.lookup(name, int(k))
    if any(np.ndim(value) for value in table.values()):
        raise Fallback
    values = np.array([table[int(k)] for k in places.ravel()])
    return values.reshape(places.shape)


def _fold(lanes, operation, variable, first, last, body):
    name = name_of(variable)
    if name is None or name in lanes.axes:
        raise Fallback
    scope = lanes.scope
    if first is None:
        if scope.range_names(name) & lanes.axes.keys():
            raise Fallback
        low, high = scope.bounds(name)
    else:
        if (names_in(first) | names_in(last)) & lanes.axes.keys():
            raise Fallback
        low, high = scope.whole(first), scope.whole(last)
    if high < low or (high - low + 1) * _size(lanes) > LIMIT:
        raise Fallback
    inner = lanes.with_axis(name, low, high)
    values = np.broadcast_arrays(inner.value(body), inner.axes[name])[0]
    if operation == r"\sum":
        return values.sum(axis=-1)
    if operation == r"\prod":
        return values.prod(axis=-1)
    pick = np.argmax if operation == r"\max" else np.argmin
    return np.take_along_axis(values, pick(values.real, axis=-1)[..., None], axis=-1)[..., 0]


def _size(lanes) -> int:
    return int(np.prod(np.broadcast_shapes(*(array.shape for array in lanes.axes.values()), ())))


def _call(lanes, function, arguments):
    if function.kind == "prime":
        return _prime(lanes, name_of(function[0]), function[1], arguments)
    name = name_of(function)
    values = [lanes.value(a) for a in arguments]
    return _apply(lanes, name, values)


def _apply(lanes, name, values):
    scope = lanes.scope
    known = scope.known
    made = known.functions.get(name)
    if made is not None:
        if made.indices or len(made.parameters) != len(values) or scope.spoilt:
            raise Fallback
        for parameter in made.parameters:
            d = known.declared(parameter)
            if d.kind != "value" or d.space.shape:
                raise Fallback
        with scope.only({}):
            count = max((np.ndim(value) for value in values), default=0)
            return Lanes(scope, dict(zip(made.parameters, map(np.asarray, values))), count).value(made.body)
    if name in ONE_BY_ONE and len(values) == 1:
        return ONE_BY_ONE[name](values[0])
    if name in PAIRWISE and len(values) == 2:
        a, b = values
        pick = np.real(a) >= np.real(b) if name == r"\max" else np.real(a) <= np.real(b)
        return np.where(pick, a, b)
    raise Fallback


def _prime(lanes, name, order, arguments):
    if order != 1 or len(arguments) != 1 or lanes.scope.depth:
        raise Fallback
    x = lanes.value(arguments[0])
    if np.iscomplexobj(x) or lanes.scope.doubt:
        raise Fallback
    lanes.scope.depth += 1
    try:
        return np.imag(_apply(lanes, name, [x + 1e-30j])) / 1e-30
    finally:
        lanes.scope.depth -= 1


def _truth(lanes, node) -> np.ndarray:
    sides, signs = node.parts
    values = [np.real(lanes.value(side)) for side in sides]
    found = np.asarray(True)
    for a, sign_, b in zip(values, signs, values[1:]):
        with np.errstate(all="ignore"):
            equal = np.abs(a - b) <= 1e-12 * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
            holds = {"=": equal, "<": (a < b) & ~equal, ">": (a > b) & ~equal, "<=": (a < b) | equal,
                     ">=": (a > b) | equal, "!=": ~equal}.get(sign_)  # fmt: skip
        if holds is None:
            raise Fallback
        found = found & holds
    return found


def _indicator(lanes, relation):
    if relation.kind != "rel":
        raise Fallback
    return _truth(lanes, relation).astype(int)


def _cases(lanes, rows):
    masks = [None if condition is None else _truth(lanes, condition) for _, condition in rows]
    stated = [mask for mask in masks if mask is not None]
    total = sum(mask.astype(int) for mask in stated)
    if np.any(total > 1):
        raise Fallback
    rest = total == 0
    masks = [rest if mask is None else mask for mask in masks]
    if sum(mask is rest for mask in masks) != 1 and np.any(rest):
        raise Fallback
    values = [lanes.value(value) for value, _ in rows]
    lanes.scope.met.setdefault(id(rows), set()).update(k for k, mask in enumerate(masks) if np.any(mask))
    found = values[-1]
    for mask, value in zip(masks[:-1], values[:-1]):
        found = np.where(mask, value, found)
    if not np.all(np.isfinite(found)):
        raise Fallback
    return found


_OPERATIONS = {
    "sym": _sym,
    "plus": _two(np.add),
    "minus": _two(np.subtract),
    "mul": _two(np.multiply),
    "div": _two(np.true_divide),
    "pow": _pow,
    "neg": lambda lanes, a: np.negative(lanes.value(a)),
    "abs": lambda lanes, a: absolute(lanes.value(a)),
    "sqrt": lambda lanes, a: np.sqrt(lanes.value(a)),
    "sub": _sub,
    "fold": _fold,
    "call": _call,
    "indicator": _indicator,
    "cases": _cases,
}


def over(scope, node: Node, axes: dict, shape: tuple[int, ...]) -> np.ndarray:
    """The values of an expression for all indices, an array of the given shape."""
    try:
        with np.errstate(all="ignore"):
            found = Lanes(scope, axes, len(shape)).value(node)
    except Fallback:
        raise
    except Exception as problem:  # the slow way finds out what it was, and where
        raise Fallback from problem
    found = np.broadcast_to(found, shape)
    if not np.all(np.isfinite(found)):
        raise Fallback
    return np.array(found)


def grid(ranges: list[tuple[int, int]]) -> tuple[list[np.ndarray], tuple[int, ...]]:
    """One array an index, each along an axis of its own."""
    shape = tuple(high - low + 1 for low, high in ranges)
    arrays = []
    for k, (low, high) in enumerate(ranges):
        arrays.append(np.arange(low, high + 1).reshape((1,) * k + (-1,) + (1,) * (len(ranges) - k - 1)))
    return arrays, shape
