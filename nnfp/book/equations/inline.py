"""Formulas in running text: their symbols are declared, their shapes are typed, their claims true.

`$x$` mentions, `$m = 3$` sets an example, `$X: m \\times n$` states a shape, and everything else
with a relation is a claim and judged at all draws, with what the displays of the page define. The
rows of notation tables are declarations. A page without such a table states nothing about symbols:
there only sums of numbers are judged.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np

from nnfp.book.equations.functions import BUILTIN, CONSTANTS
from nnfp.book.equations.lexer import Token, tokens
from nnfp.book.equations.nodes import Node, children, name_of, names_in
from nnfp.book.equations.notation import _RANGE, Space, _space
from nnfp.book.equations.parser import NAMED, RELATIONS, parse
from nnfp.book.equations.problems import Problem
from nnfp.book.equations.symbols import counted, symbols
from nnfp.book.equations.verdict import Result, Work

OPEN, CLOSE = {"{", "(", "[", r"\begin", r"\{"}, {"}", ")", "]", r"\end", r"\}"}
LONE = {"sym", "star", "sub", "layer"}
OTHERS = set(
    r"""\equiv \ll \gg \propto \sim \simeq \cong \doteq \notin \ni \subset \subseteq \supset \supseteq \to \gets \mapsto
    \rightarrow \leftarrow \leftrightarrow \longrightarrow \Leftarrow \Leftrightarrow \Longrightarrow \prec \succ \perp
    \parallel \mid \nmid \asymp \lesssim \gtrsim \nless \ngtr \nleq \ngeq \not \models \vdash""".split()
)


class Inline:
    """The formulas of a page whose displays have been read; `check` is their PageCheck."""

    def __init__(self, check):
        self.check, self.known = check, check.known
        prose = check.source.page.prose
        self.constants = set(CONSTANTS)
        self.unit = {}
        if "imaginary" in prose and not self.known.knows("i"):
            self.unit = {"i": 1j}
        self.bare = not check.table

    def results(self) -> Iterator[Result]:
        """A result for each claim, and for each formula that has something wrong."""
        declared = {d.line: d for d in self.known.table.values()}
        for formula in self.check.source.page.formulas:
            start, tex = formula.start + 1, formula.text
            if formula.line in declared and self.in_first_cells(formula):
                continue
            result = Result("", self.check.source.path, formula.line, " ".join(tex.split()), "inline")
            try:
                with ExitStack() as stack:
                    for scope in self.check.scopes:
                        stack.enter_context(scope.binding(**self.unit))
                    states = self.formula(tokens(tex, start), tex, result)
            except Problem as problem:
                self.check.fail(result, problem)
                states = True
            except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError) as error:
                self.check.fail(result, Problem(f"cannot be evaluated: {error}", whole(tokens(tex, start)), "shape"))
                states = True
            if states:
                yield result

    def in_first_cells(self, formula) -> bool:
        """Symbol and domain of a row of notation."""
        text = self.check.source.text
        line = text[text.rfind("\n", 0, formula.start) + 1 : formula.start]
        return line.count("|") <= 2

    def formula(self, stream: list[Token], tex: str, result) -> bool:
        """Does it state something? What it states is judged."""
        if self.domain(tex, stream):
            return False
        states = False
        depth = 0
        for token in stream:
            depth += (token.text == "{") - (token.text == "}")
            if token.text in OTHERS and not depth and not self.bare:
                text = f"the relation {token.text} is not in the grammar: write it with =, <, \\le, \\ne and the like, or in words"
                raise Problem(text, whole([token]), "syntax")
        for piece in pieces(stream):
            if not any(token.kind in ("symbol", "number") for token in piece):
                continue
            stated = self.shape_statement(piece)
            if stated:
                states = True
                result.comparisons += stated
                continue
            try:
                node = self.check.parse(piece)
            except Problem as problem:
                self.token_names(piece)
                stated = any(token.text in RELATIONS for token in piece) and not self.bare
                if stated or problem.kind == "rule":
                    raise problem from None
                continue
            states |= self.node(node, result)
        return states

    def node(self, node: Node, result) -> bool:
        if self.bare and names_in(node) - self.constants - NAMED - set(BUILTIN):
            return False
        self.names(node, frozenset(self.unit))
        if node.kind not in ("rel", "iff", "implies"):
            return False
        if node.kind == "rel" and self.is_setting(node):
            return False
        node = equality(node)
        result.symbols = symbols(self.known, [node])
        with np.errstate(all="ignore"):
            self.check.judge_claims(Work(None, claims=[node]), result)
        if not result.comparisons:
            raise Problem("nothing was compared", node, "rule")
        result.checked_by = f"both sides on {len(self.check.scopes)} random draws"
        return True

    # Names.

    def names(self, node: Node, bound: frozenset) -> None:
        """Every symbol is declared, or defined by a display, or bound by a sum."""
        known, name = self.known, name_of(node)
        if node.kind == "sym":
            if name not in bound and not known.knows(name) and name not in self.constants | NAMED:
                raise self.unknown(name, node)
            return
        if name in bound or (name and known.is_plain(name)):
            return
        if node.kind == "star":
            raise self.unknown(name or "a star", node)
        if node.kind == "fold":
            inner = bound | {name_of(node[1])}
            for part in node.parts[2:4]:
                if part is not None:
                    self.names(part, bound)
            self.names(node[4], inner)
            return
        if node.kind == "limit":
            bound |= {node[0]}
        if node.kind == "sub" and name_of(node[0]) and not known.knows(name_of(node[0])):
            if counted(known, node) is None:
                raise self.unknown(name or name_of(node[0]), node)
            node = Node("list", node[1])
        for child in children(node):
            self.names(child, bound)

    def token_names(self, stream: list[Token]) -> None:
        """The same where the formula is beyond the grammar: token by token."""
        if self.bare:
            return
        stems = {n.partition("_")[0].removesuffix("^*") for n in [*(n for n, _ in self.known.table), *self.known.plain]}
        for token in stream:
            if token.kind == "symbol" and token.text not in stems | self.constants | set(self.unit):
                if not self.known.knows(token.text) and not token.text.startswith(r"\mathbb"):
                    raise self.unknown(token.text, Node("sym", (token.text,), (token.start, token.end)))

    def unknown(self, name: str, node: Node) -> Problem:
        problem = self.check.scopes[0].unknown(name)
        return Problem(f"{name} is neither declared nor defined on this page", node, "name", hint=problem.hint)

    # Statements that are no claims.

    def is_setting(self, node: Node) -> bool:
        """a = 4, i = j, B = 1, a > 0, a = f(c): an example or a condition, about a symbol that no display defines."""
        sides, signs = node.parts
        if len(sides) != 2:
            return False
        free = [side.kind in LONE and not self.is_defined(side) and name_of(side) not in self.constants for side in sides]
        for side, other, one in ((*sides, free[0]), (*sides[::-1], free[1])):
            if one and not names_in(other) - self.constants:
                self.possible(node, side, other)
                return True
        left, right = sides
        if name_of(left) in names_in(right) or not free[0]:
            return False  # x = 2x sets nothing
        if free[1] or (right.kind not in LONE and signs in (("=",), (":=",))):
            scope = self.check.scopes[0]
            local = next(scope.places(self.check.free(node)), {})
            with scope.binding(**local), np.errstate(all="ignore"):
                one, other = scope.value(left), scope.value(right)
            if np.shape(one) != np.shape(other):
                raise Problem(f"the left has the shape {np.shape(one)}, the right {np.shape(other)}", node, "shape")
            return True
        return False

    def possible(self, node: Node, side: Node, other: Node) -> None:
        """Is there a value in the domain of the symbol with which this is true?"""
        d = self.known.declared(name_of(side))
        if d is None or d.kind not in ("value", "size") or np.shape(self.check.scopes[0].lookup(d.name)):
            return
        scope, tried = self.check.scopes[0], [np.real(self.check.scopes[0].value(other))]
        if d.kind == "value":
            ends = d.space.interval or ()
            tried += [x + step for x in (*tried, *d.space.choices, *ends) for step in (-1e-6, 1e-6)] + [*d.space.choices]
        for x in tried:
            if d.contains(x):
                with scope.frame({(d.name, None): x}):
                    if scope.truth(equality(node)):
                        return
        raise Problem(f"this can not be: the table declares {d.tex} as {d.domain}", node, "value")

    def is_defined(self, node: Node) -> bool:
        names = {name_of(node), name_of(node[0]) if node.kind != "sym" else None}
        return bool(names & (self.known.plain.keys() | self.known.rules.keys()))

    def domain(self, tex: str, stream: list[Token]) -> bool:
        r"""\mathbb{R}^{m \times n}, \{1, \dots, L\}, (0.01, 0.5), m \times n: the sizes are declared."""
        tex = tex.strip()
        if run := _RANGE.match(tex):
            ends = [parse(run[1]), parse(run[2])]
        elif tex == r"\mathbb{N}":
            ends = []
        else:
            try:
                ends = [size for part in tex.split(r"\to") for size in _space(part).shape]
            except Problem:
                return False
        for end in ends:
            end = Node(end.kind, end.parts, (stream[0].start, stream[-1].end))
            if not self.bare:
                self.names(end, frozenset())
        return True

    def shape_statement(self, piece: list[Token]) -> int:
        r"""X: m \times n and X \in \mathbb{R}^{m \times n} say what the table says; how many draws say so."""
        texts = [token.text for token in piece]
        cut = next((k for k, text in enumerate(texts) if text == r"\in" or (text == ":" and texts[k + 1 : k + 2] != ["="])), 0)
        if not cut or self.bare:
            return 0
        node = self.check.parse(piece[:cut])
        self.names(node, frozenset())
        rest = self.check.source.text[piece[cut + 1].start : piece[-1].end]
        if texts[cut] == ":" and not rest.startswith(r"\mathbb"):
            rest = rf"\mathbb{{R}}^{{{rest}}}"
        try:
            space = _space(rest)
        except Problem as problem:
            raise Problem(problem.message, whole(piece[cut + 1 :]), problem.kind) from None
        for size in space.shape:
            self.names(Node(size.kind, size.parts, (piece[cut + 1].start, piece[-1].end)), frozenset())
        d = self.known.declared(name_of(node))
        if d is not None and d.kind == "value" and not self.is_defined(node) and d.space.numbers != space.numbers:
            raise Problem(f"the table declares {d.tex} as {d.domain}", whole(piece), "value")
        count = 0
        for scope in self.check.scopes:
            for local in scope.places(self.check.free(node)):
                with scope.binding(**local):
                    value = scope.value(node)
                    shape = tuple(scope.whole(size, "a size") for size in space.shape)
                    shape += (1,) * (len(shape) == 1)
                    if np.shape(value) != shape and not scope.loose:
                        raise Problem(f"the shape is {np.shape(value)}, stated is {shape}", whole(piece), "shape")
                    if not all(map(space.contains, np.ravel(value))):
                        raise Problem(f"the value lies outside {space.tex}", whole(piece), "value")
                    count += 1
        if space.interval and not np.ndim(value) and name_of(node) is None:
            with np.errstate(all="ignore"):
                self.check.judge_claims(Work(None, claims=between(node, space)))
        return count


def between(node: Node, space: Space) -> list[Node]:
    """The inequalities that a membership in an interval states."""
    ends = [Node("num", (end,), node.span) for end in space.interval]
    signs = ["<=" if closed else "<" for closed in space.closed]
    sides = [(ends[0], node), (node, ends[1])]
    return [Node("rel", (pair, (sign,)), node.span) for pair, sign, end in zip(sides, signs, ends) if np.isfinite(end[0])]


def equality(node: Node) -> Node:
    """In running text := states what = states."""
    if node.kind != "rel":
        return node
    return Node("rel", (node[0], tuple("=" if sign == ":=" else sign for sign in node[1])), node.span)


def whole(stream: list[Token]) -> Node:
    return Node("", (), (stream[0].start, stream[-1].end))


def pieces(stream: list[Token]) -> list[list[Token]]:
    """What stands between commas, also within the brackets of a tuple such as (1, -2)."""
    depth, found = 0, [[]]
    for token in stream:
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if token.text in (",", ";", r"\quad", r"\qquad") and not depth:
            found.append([])
        else:
            found[-1].append(token)
    found = [piece for piece in found if piece]
    if len(found) == 1 and len(stream) > 2 and stream[0].text in ("(", "[") and stream[-1].text in (")", "]"):
        inner = pieces(stream[1:-1])
        return inner if len(inner) > 1 else found
    return found


__all__ = ["Inline", "pieces"]
