"""A normal form: two equations with the same one say the same thing.

Numbers commute, matrices do not. \\cdot and a mere neighbour are one product already in the tree.
"""

import numpy as np

from nnfp.book.equations.nodes import Node
from nnfp.book.equations.problems import Problem


class Normal:
    """Rewrites trees to nested tuples that are equal for equations that say the same."""

    def __init__(self, scope, letters: list[str]):
        self.scope = scope
        self.local = next(iter(scope.places(letters)), {})
        self.bound: dict = {}

    def is_number(self, node: Node) -> bool:
        try:
            with np.errstate(all="ignore"), self.scope.binding(**self.local, **self.bound):
                return np.ndim(self.scope.value(node)) == 0
        except (Problem, ArithmeticError, ValueError, TypeError, IndexError):
            return False

    def form(self, part):
        if isinstance(part, tuple):
            return tuple(self.form(p) for p in part)
        if not isinstance(part, Node):
            return part
        if part.kind in ("mul", "div", "neg"):
            return self.product(part)
        if part.kind in ("plus", "minus"):
            return self.sum(part)
        if part.kind == "odot":
            return ("odot", *sorted(self.flat(part, "odot"), key=repr))
        if part.kind == "fold" and part[1].name:
            saved, self.bound = self.bound, {**self.bound, part[1].name: 1}
            found = (part.kind, *(self.form(p) for p in part.parts))
            self.bound = saved
            return found
        if part.kind == "rel" and set(part[1]) == {"="}:
            return ("rel", tuple(sorted((self.form(side) for side in part[0]), key=repr)))
        return (part.kind, *(self.form(p) for p in part.parts))

    def flat(self, node: Node, kind: str) -> list:
        return [f for p in node.parts for f in (self.flat(p, kind) if p.kind == kind else [self.form(p)])]

    def product(self, node: Node):
        number, scalars, arrays = self.factors(node)
        scalars = tuple(sorted(scalars, key=repr))
        if number == 0:  # no number at all is left, but the shape is
            with self.scope.binding(**self.local, **self.bound):
                return ("num", 0, *np.shape(self.scope.value(node)))
        if number == 1 and len(scalars) + len(arrays) == 1:
            return (*scalars, *arrays)[0]
        if not scalars and not arrays:
            return ("num", number)
        return ("product", number, scalars, tuple(arrays))

    def factors(self, node: Node):
        if node.kind == "num":
            return node[0], [], []
        if node.kind == "neg":
            number, scalars, arrays = self.factors(node[0])
            return -number, scalars, arrays
        if node.kind == "div" and self.is_number(node[1]):
            number, scalars, arrays = self.factors(node[0])
            below, others, _ = self.factors(node[1])
            if below:
                return number / below, scalars + [("inverse", s) for s in others], arrays
        if node.kind == "mul":
            n, s, a = self.factors(node[0])
            m, t, b = self.factors(node[1])
            if not (self.is_number(node) and a and b):
                return n * m, s + t, a + b
            return n * m, [*s, *t, ("product", 1, (), (*a, *b))], []
        form = self.form(node)
        return (1, [form], []) if self.is_number(node) else (1, [], [form])

    def sum(self, node: Node):
        terms = sorted((t for t in self.terms(node, 1) if t[1][:2] != ("num", 0)), key=repr)
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return ("sum", *terms) if terms else ("num", 0)

    def terms(self, node: Node, sign: int):
        if node.kind in ("plus", "minus"):
            yield from self.terms(node[0], sign)
            yield from self.terms(node[1], sign if node.kind == "plus" else -sign)
            return
        form = self.form(node)
        if isinstance(form, tuple) and form[0] == "product" and form[1] < 0:
            form, sign = ("product", -form[1], *form[2:]), -sign
            if form[1] == 1 and len(form[2]) + len(form[3]) == 1:
                form = (*form[2], *form[3])[0]
        yield sign, form
