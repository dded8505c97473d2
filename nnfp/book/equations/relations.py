"""When is a statement true? Equality, order, argmin by perturbation, limits by extrapolation."""

import numpy as np

from nnfp.book.equations.evaluation import EXACT, ROUGH, fail_shape
from nnfp.book.equations.functions import plain
from nnfp.book.equations.nodes import Node, name_of
from nnfp.book.equations.problems import Problem, Undefined

SIGNS = {"=": "=", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "!=": "≠", "~": "≈"}


def judge_relation(scope, node: Node) -> tuple[bool, float]:
    sides, signs = node.parts
    true, worst = True, 0.0
    values = [None if side.kind == "argmin" else scope.value(side) for side in sides]
    for k, sign in enumerate(signs):
        if "argmin" in (sides[k].kind, sides[k + 1].kind):
            if sign != "=" or sides[k].kind == "argmin":
                raise Problem(r"write x = \operatorname{argmin}_u f(u)", node, "syntax")
            holds, error = minimal(scope, values[k], sides[k + 1])
        else:
            holds, error = compare(scope, values[k], sign, values[k + 1], sides[k + 1], node)
        true, worst = true and holds, max(worst, error)
    return true, worst


def compare(scope, a, sign: str, b, right: Node, node: Node) -> tuple[bool, float]:
    if scope.loose and np.size(a) == np.size(b) == 1:
        a, b = plain(np.reshape(a, ())), plain(np.reshape(b, ()))
    if np.shape(a) != np.shape(b):
        problem = fail_shape(scope, f"the two sides of {SIGNS[sign]} need equal shapes", a, b)
        problem.node = node
        raise problem
    finite(a, node), finite(b, node)
    error = difference(a, b)
    if sign == "=":
        return error <= (ROUGH if scope.rough else EXACT), error
    if np.ndim(a):
        raise Problem(f"{SIGNS[sign]} compares numbers, not arrays", node, "shape")
    if sign == "~":
        return near(a, right), error
    a, b = float(np.real(a)), float(np.real(b))
    equal = abs(a - b) <= (ROUGH if scope.rough else 1e-12) * max(1.0, abs(a), abs(b))
    return {"<": a < b and not equal, ">": a > b and not equal, "<=": a < b or equal,
            ">=": a > b or equal, "!=": not equal}[sign], 0.0  # fmt: skip


def finite(value, node: Node) -> None:
    if not np.all(np.isfinite(value)):
        raise Undefined("the value is not finite at this point", node)


def difference(a, b) -> float:
    """The largest difference, relative to the largest entry of both."""
    if not np.size(a):
        return 0.0
    gap = float(np.max(np.abs(np.subtract(a, b))))
    scale = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))), 1e-3)
    return gap / scale


def near(a, right: Node) -> bool:
    r"""x \approx 0.69: equal as far as the decimals go."""
    digits = right[0] if right.kind == "neg" else right
    if digits.kind != "num":
        raise Problem(r"\approx needs a number with its decimals on the right", right, "syntax")
    places = len(str(digits[0]).partition(".")[2]) if isinstance(digits[0], float) else 0
    value = digits[0] if right.kind == "num" else -digits[0]
    return abs(float(np.real(a)) - value) <= 0.5000001 * 10**-places


def minimal(scope, point, node: Node) -> tuple[bool, float]:
    """No nearby and no distant point is lower, and the slope at the point is zero, or changes its sign by a jump."""
    variable, body = node.parts
    name = name_of(variable)
    if name is None:
        raise Problem("the variable of argmin is a symbol", variable, "syntax")
    if name not in scope.known.reached(body):
        raise Problem(f"{name} makes no difference to what is minimised", node, "rule")
    d = scope.known.declared(name)
    rng = scope.draw.stream(name, "argmin")
    if d is not None and d.kind == "value" and (name, False) not in scope.known.heads:
        wanted = np.shape(scope.lookup(name))
        if wanted != np.shape(point):
            raise Problem(f"{name} has the shape {wanted}, this point {np.shape(point)}", node, "shape")

    def at(x, what=body):
        with scope.binding(**{name: x}) if d is None else scope.override((name, None), x):
            return np.real(scope.value(what))

    lowest = float(at(point))
    low, high = (d.space.interval if d and d.space and d.space.interval else None) or (-np.inf, np.inf)
    for size in (1e-3, 1e-2, 0.1, 1.0, 10.0):
        for _ in range(12):
            other = plain(np.asarray(point) + size * rng.standard_normal(np.shape(point)))
            if np.all(np.greater(other, low) & np.less(other, high)):
                if float(at(other)) < lowest - 1e-12 * max(1.0, abs(lowest)):
                    return False, lowest - float(at(other))
    doubt, scope.doubt = scope.doubt, False
    try:
        slope = lambda x: np.ravel(at(x, Node("grad", (body, variable), body.span)))  # noqa: E731
        return level(slope, np.asarray(point, float), low, high), 0.0
    finally:
        scope.doubt = doubt


def level(slope, point: np.ndarray, low: float, high: float) -> bool:
    """Is each slope zero, beside those a little further on, or does it jump from falling to rising just here?"""
    here, step = slope(plain(point)), 1e-5 * max(1.0, float(np.max(np.abs(point))))
    for k, value in enumerate(here):
        if min(abs(point.flat[k] - low), abs(point.flat[k] - high)) < step:
            continue  # at the end of its interval it may go on falling
        unit = np.zeros(point.shape)
        unit.flat[k] = step
        beside = max(abs(slope(plain(point + side * unit))[k]) for side in (-1, 1))
        below, above = (slope(plain(point + side * 1e-5 * unit))[k] for side in (-1, 1))
        jumps = below < 0 < above and min(abs(value - below), abs(value - above)) < 1e-6 * abs(value)
        if abs(value) > 1e-4 * max(beside, 1e-12) and not jumps:
            return False
    return True


def limit(scope, variable: str, target: Node | None, body: Node):
    """Richardson's extrapolation from six points; both sides of a finite target must agree."""
    if target is None:
        return settled(scope, variable, body, [2.0**-k for k in range(3, 11)], lambda h: 1 / h)
    at = scope.value(target)
    found = [
        settled(scope, variable, body, [0.1 * 2.0**-k for k in range(8)], lambda h, s=s: at + s * h)
        for s in (1, -1)
    ]
    if difference(*found) > 1e-6:
        raise Problem("from the right and from the left the limits differ", body, "value")
    return found[0]


def settled(scope, variable: str, body: Node, steps: list[float], place):
    values = []
    for h in steps:
        with scope.binding(**{variable: place(h)}):
            values.append(np.asarray(scope.value(body)))
    rows = values
    best, change = rows[-1], np.inf
    for order in range(1, len(steps)):
        rows = [b + (b - a) / (2**order - 1) for a, b in zip(rows, rows[1:])]
        if len(rows) > 1:
            now = float(np.max(np.abs(rows[-1] - rows[-2])))
            if now < change:
                best, change = rows[-1], now
    if not np.isfinite(change) or change > 1e-6 * max(1.0, float(np.max(np.abs(best)))):
        raise Undefined("no limit was found: the values do not settle", body)
    scope.rough = True
    return plain(best)
