"""Claims are searched, not only sampled.

Random draws hardly ever come near the border of an inequality. So a search walks there: a point that
breaks the inequality is an error, and so is a bound with "or equal" that no point attains. Draws are
also about as large as one, while a symbol of the whole line may be anything: every claim is looked at
far out, at zero and at the ends of intervals too.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from nnfp.book.equations import rounding
from nnfp.book.equations.functions import plain
from nnfp.book.equations.nodes import Node
from nnfp.book.equations.problems import Problem

ATTAINED = 1e-4  # relative distance of the sides at which a bound counts as attained
BROKEN = (1e-9, 1e-6)  # how far below zero the distance may lie; the second with central differences
REACH = 4.0  # unbounded numbers are searched up to here
MARGIN = 0.02  # the part of an interval that is left out at both ends
EDGE = 1e-9  # the same where a claim is only looked at, and no bound need be attained
SCALES = (10.0, 100.0, 0.01)  # of numbers far out, and near zero
FAR = 3  # points of each scale
EDGES = 20_000  # steps for the borders of an equivalence
BUDGET = 1_000  # steps of evaluation that these points may take together
STARTS = 3
SCATTERED = 40  # points anywhere, from the best of which the walk begins
STEPS = (600, 3000)  # of the walk; the second where equality would be an error


class Walk:
    """The free symbols of a statement at one draw, and the steps that change them."""

    def __init__(self, scope, node: Node, guards: list[Node]):
        self.scope, self.guards = scope, guards
        known, self.rows = scope.known, {}
        for name in sorted(known.reached(node)):
            d = known.declared(name)
            free = d is not None and d.kind == "value" and not known.defines(name)
            if free and not d.space.choices and not d.says("ones") and not d.says("random"):
                self.rows[name] = d
        self.start = {name: np.asarray(scope.lookup(name), float) for name in self.rows}
        self.size = sum(x.size for x in self.start.values())
        self.rng = scope.draw.stream("bounds", *self.rows)

    def limits(self, name: str) -> tuple[float, float]:
        d = self.rows[name]
        low, high = d.space.interval or (-np.inf, np.inf)
        low = max(low, 0.0) if d.says("positive") else low
        if np.isfinite(low) and np.isfinite(high):
            edge = MARGIN * (high - low)
            return low + edge * (not d.space.closed[0]), high - edge * (not d.space.closed[1])
        if np.isfinite(low):
            return low + MARGIN, low + REACH
        return (high - REACH, high - MARGIN) if np.isfinite(high) else (-REACH, REACH)

    def inside(self, name: str, x: np.ndarray, near: bool = True) -> np.ndarray:
        if self.rows[name].says("distribution"):
            x = np.clip(x, MARGIN, None)
            return x / x.sum(axis=0)
        return np.clip(x, *self.limits(name)) if near else x

    def anywhere(self, name: str, shape: tuple) -> np.ndarray:
        low, high = self.limits(name)
        if self.rows[name].says("distribution"):
            low, high = 0.0, 1.0
        return self.inside(name, self.rng.uniform(low, high, shape))

    def moved(self, point: dict, step: float) -> dict:
        """Every number by a random step, or just one of them."""
        found = {name: x + step * self.rng.standard_normal(x.shape) for name, x in point.items()}
        if self.rng.random() < 0.5:
            chosen = self.rng.choice(list(point))
            hit = np.zeros(point[chosen].shape, bool)
            hit.flat[self.rng.integers(hit.size)] = True
            found = {**point, chosen: np.where(hit, found[chosen], point[chosen])}
        return {name: self.inside(name, x) for name, x in found.items()}

    def scattered(self) -> Iterator[dict]:
        """Points far out, and near zero."""
        for scale in SCALES * FAR:
            yield {name: self.far(name, x.shape, scale) for name, x in self.start.items()}

    def corners(self) -> Iterator[dict]:
        """Zero and the ends of intervals, for all symbols together and for one alone."""
        ends = {name: self.ends(name, x.shape) for name, x in self.start.items()}
        for k in range(2):
            yield {name: some[k - len(some)] for name, some in ends.items()}
        for name, some in ends.items():
            yield from ({**self.start, name: end} for end in some)

    def reach(self, name: str) -> tuple[float, float]:
        """The domain of an entry."""
        d = self.rows[name]
        low, high = d.space.interval or (-np.inf, np.inf)
        return (max(low, 0.0) if d.says("positive") else low), high

    def grid(self, name: str) -> list[float]:
        """Some values of one entry, from end to end."""
        near, (low, high) = list(np.linspace(*self.limits(name), 9)), self.reach(name)
        below = [] if np.isfinite(low) else [-100.0, -10.0]
        return below + near + ([] if np.isfinite(high) else [10.0, 100.0])

    def far(self, name: str, shape: tuple, scale: float) -> np.ndarray:
        low, high = self.reach(name)
        if self.rows[name].says("distribution") or np.isfinite([low, high]).all():
            return self.anywhere(name, shape)
        x = scale * self.rng.standard_normal(shape)
        return low + np.abs(x) if np.isfinite(low) else high - np.abs(x) if np.isfinite(high) else x

    def ends(self, name: str, shape: tuple) -> list[np.ndarray]:
        """Zero and a one among zeros, or the ends of an interval, as near as it lets one come."""
        if self.rows[name].says("distribution"):
            return [np.full(shape, 1 / shape[0])]
        d, (low, high) = self.rows[name], self.reach(name)
        width = high - low if np.isfinite([low, high]).all() else 1.0
        found = [low + EDGE * width * (not d.space.closed[0]), high - EDGE * width * (not d.space.closed[1])]
        found = [np.full(shape, x) for x in found if np.isfinite(x)]
        return found or [np.zeros(shape), np.eye(1, int(np.prod(shape))).reshape(shape)]

    def at(self, point: dict, question):
        """The answer at a point, None where there is none."""
        with self.scope.frame({(name, None): plain(x) for name, x in point.items()}):
            try:
                if not all(self.scope.truth(guard) for guard in self.guards):
                    return None
                self.scope.rough = False
                return question()
            except (Problem, ArithmeticError):
                return None

    def lowest(self, question, steps: int) -> tuple[float | None, dict]:
        """The least value that is met, and where: the best of some points, then a walk from there."""
        point = {name: self.inside(name, x) for name, x in self.start.items()}
        best, step = self.at(point, question), 0.5
        if not self.size:
            return best, point
        corners = [{name: self.inside(name, x) for name, x in corner.items()} for corner in self.corners()]
        for k in range(len(corners) + SCATTERED):
            other = corners[k] if k < len(corners) else {name: self.anywhere(name, x.shape) for name, x in self.start.items()}
            value = self.at(other, question)
            if value is not None and (best is None or value < best):
                best, point = value, other
        for _ in range(min(100 + 90 * self.size, steps)):
            other = self.moved(point, step)
            value = self.at(other, question)
            if value is not None and (best is None or value < best):
                best, point, step = value, other, min(2 * step, 2.0)
            else:
                step = step * 0.84 if step > 1e-9 else 0.5
        return best, point


def sides(scope, left: Node, right: Node, sign: str, apart: list):
    """By how much the inequality holds, relative to the larger side; None where both vanish.

    Beside a plain 0 there is nothing that it could be relative to. `apart` keeps whether they differ.
    """
    a, b = float(np.real(scope.value(left))), float(np.real(scope.value(right)))
    apart.append(abs(a - b) > BROKEN[scope.rough] * max(1.0, abs(a), abs(b)))
    scale = 1.0 if Node("num", (0,)) in (left, right) else max(abs(a), abs(b))
    if not scale > 1e-9 or not np.isfinite(scale):
        return None
    return (b - a if sign in ("<", "<=") else a - b) / scale


def search(scopes: list, claim: Node, guards: list[Node], local) -> None:
    """Looks at every relation of a claim; raises what it finds."""
    if claim.kind in ("iff", "implies"):
        equivalence(scopes, claim, guards, local)
        return
    for k, sign in enumerate(claim[1] if claim.kind == "rel" else ()):
        left, right = claim[0][k : k + 2]
        part = Node("rel", ((left, right), (sign,)), (left.span[0], right.span[1]))
        if "argmin" in (left.kind, right.kind) or sign == "~":
            continue
        if sign in ("<", "<=", ">", ">="):
            inequality(scopes, part, guards, local)
        if sign == "!=":
            never_equal(scopes, part, guards, local)
        far_out(scopes, part, guards, local)


def far_out(scopes: list, part: Node, guards: list[Node], local) -> None:
    """Is the claim true where the numbers are large, small, zero, at the ends of their intervals?"""
    scope = scopes[0]
    with scope.binding(**local(scope)):
        walk, spent = Walk(scope, part, guards), scope.evaluations
        for points, special in ((walk.scattered, False), (walk.corners, True)):
            for point in points() if walk.size else ():
                if walk.at(point, lambda special=special: broken(scope, part, special)):
                    raise at_point(walk, point, part)
                if scope.evaluations - spent > BUDGET:
                    return


def broken(scope, part: Node, special: bool) -> bool:
    """Is it false, whatever rounding did? Far out e^{-x} may vanish; at a special point equal is equal."""
    (left, right), (sign,) = part.parts
    doubt, scope.doubt = scope.doubt, special  # a kink has no slope
    try:
        if scope.truth(part) or scope.rough:
            return False
    finally:
        scope.doubt = doubt
    if sign == "=":
        return rounding.beyond(scope, left, right)
    gap = difference(scope, part)
    if gap == 0 or sign == "!=":
        return special and not gap and rounding.certain(scope, left, right)
    return (gap > 0) == (sign in ("<", "<=")) and rounding.beyond(scope, left, right)


def frames(scope, node: Node) -> Iterator[dict]:
    """Values far out for the symbols that an expression depends on."""
    walk = Walk(scope, node, [])
    for point in itertools.islice(walk.scattered(), len(SCALES)) if walk.size else ():
        yield {(name, None): plain(x) for name, x in point.items()}


def at_point(walk: Walk, point: dict, part: Node) -> Problem:
    (left, right), _ = part.parts
    a, b = walk.at(point, lambda: (walk.scope.value(left), walk.scope.value(right)))
    where = ", ".join(f"{name} = {x.item():.6g}" for name, x in point.items() if x.size == 1)
    problem = Problem(f"false{f' for {where}' if where else ''}, a point that a search found", part, "value")
    problem.values = a, b
    if np.size(a) == np.size(b) == 1:
        problem.message += f": left {float(np.real(a)):.6g}, right {float(np.real(b)):.6g}"
    return problem


def never_equal(scopes: list, part: Node, guards: list[Node], local) -> None:
    """Looks for a point where the sides meet: where they are nearest, and between two signs of their difference."""
    scope = scopes[0]
    with scope.binding(**local(scope)):
        walk = Walk(scope, part, guards)
        gap = lambda: difference(scope, part)  # noqa: E731
        apart = lambda: None if (d := gap()) is None else abs(d)  # noqa: E731
        least, nearest = walk.lowest(apart, STEPS[1])
        if least is not None and least <= 1e-12:
            raise at_point(walk, nearest, part)
        signs: dict[bool, dict] = {}
        for point in [nearest, *walk.scattered(), *walk.corners()] if walk.size else ():
            if (value := walk.at(point, gap)) is not None and np.isfinite(value):
                signs[value > 0] = point
        if len(signs) == 2:
            found = meeting(walk, signs[False], signs[True], gap)
            if found is not None and not walk.at(found, lambda: scope.truth(part)):
                raise at_point(walk, found, part)


def meeting(walk: Walk, below: dict, above: dict, gap) -> dict | None:
    """The point on the way from one to the other at which the difference changes its sign."""
    for _ in range(200):
        middle = {name: walk.inside(name, (x + above[name]) / 2, False) for name, x in below.items()}
        value = walk.at(middle, gap)
        if value is None:
            return None
        below, above = (middle, above) if value <= 0 else (below, middle)
    return below


def inequality(scopes: list, part: Node, guards: list[Node], local) -> None:
    (left, right), (sign,) = part.parts
    least, apart = np.inf, []
    for scope in scopes[:STARTS]:
        with scope.binding(**local(scope)):
            walk = Walk(scope, part, guards)
            question = lambda scope=scope: sides(scope, left, right, sign, apart)  # noqa: E731
            gap, point = walk.lowest(question, STEPS[sign in "<>"])
            if gap is None:
                continue
            walk.at(point, question)
            if gap < -BROKEN[scope.rough] or (sign in "<>" and gap <= 1e-12):
                raise at_point(walk, point, part)
            least = min(least, gap)
    if sign in "<>" or not apart:
        return
    word = {"<=": "<", ">=": ">"}[sign]
    if not any(apart):
        raise Problem("the two sides are always equal: write =", part, "rule")
    if least > ATTAINED:
        text = f"no point was found where both sides are equal: sharpen the bound, or write {word}"
        raise Problem(text, part, "rule")


def equivalence(scopes: list, claim: Node, guards: list[Node], local) -> None:
    """Looks at the borders, where one side is just about to become true."""
    back = {True: False, False: False}  # left side -> seen; does the right side ever hold without the left?
    alone = False
    for scope in scopes[:STARTS]:
        with scope.binding(**local(scope)):
            walk, spent = Walk(scope, claim, guards), scope.evaluations
            for point in borders(walk, claim.parts):
                both = walk.at(point, lambda scope=scope: (scope.truth(claim[0]), scope.truth(claim[1])))
                if both is None:
                    continue
                back[both[0]] = True
                alone |= both == (False, True)
                if both == (True, False) or (claim.kind == "iff" and both[0] != both[1]):
                    where = ", ".join(f"{n} = {v.item():.6g}" for n, v in point.items() if v.size == 1)
                    word = {True: "true", False: "false"}
                    where = f" for {where}" if where else ", at a point that a search found"
                    raise Problem(f"false{where}: left {word[both[0]]}, right {word[both[1]]}", claim, "value")
                if scope.evaluations - spent > EDGES:
                    break
    if claim.kind == "implies" and all(back.values()) and not alone:
        raise Problem(r"the other direction holds as well: write \iff", claim, "rule")


def crossings(scope, condition: Node):
    """Values of the free symbols at which the two sides of a condition are equal, or nearby."""
    walk = Walk(scope, condition, [])
    for point in borders(walk, (condition,)):
        yield {(name, None): plain(value) for name, value in point.items()}


def borders(walk: Walk, relations) -> Iterator[dict]:
    """Points along every number that is free: a grid, and where the sides of a relation cross, with both neighbours."""
    pairs = [
        Node("rel", (relation[0][k : k + 2], relation[1][k : k + 1]))
        for relation in relations if relation.kind == "rel" for k in range(len(relation[1]))
    ]  # fmt: skip
    for name, start in walk.start.items():
        for entry in np.ndindex(*start.shape):

            def place(x, name=name, start=start, entry=entry):
                moved = start.copy()
                moved[entry] = x
                return {**walk.start, name: moved}

            grid = walk.grid(name)
            yield from map(place, grid)
            for pair in pairs:
                gap = lambda x, pair=pair: walk.at(place(x), lambda: difference(walk.scope, pair))  # noqa: E731
                values = [gap(x) for x in grid]
                for a, b, one, two in zip(grid, grid[1:], values, values[1:]):
                    if one is None or two is None or one * two >= 0:
                        continue
                    x = crossing(a, b, one, gap)
                    if x is not None:
                        step = 1e-11 * max(1.0, abs(x))
                        yield from map(place, (x, x - step, x + step))


def crossing(a: float, b: float, one: float, gap) -> float | None:
    """The point between a and b at which a difference that is `one` at a changes its sign."""
    for _ in range(60):
        middle = (a + b) / 2
        value = gap(middle)
        if value is None:
            return None
        a, b = (middle, b) if one * value > 0 else (a, middle)
    return b


def difference(scope, relation: Node) -> float:
    a, b = (np.real(scope.value(side)) for side in relation[0])
    if np.size(a) != 1 or np.size(b) != 1:
        raise Problem("arrays have no order", relation, "shape")
    return float(np.subtract(a, b).item())
