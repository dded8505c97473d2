"""Checks a page: every display and every inline claim, each with a verdict."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nnfp.book.equations import bounds, reading, rounding, witness
from nnfp.book.equations.definitions import Definition, Knowledge
from nnfp.book.equations.draws import Draw
from nnfp.book.equations.evaluation import Scope, shape_text
from nnfp.book.equations.functions import BUILTIN, KINKS
from nnfp.book.equations.lexer import Token, tokens
from nnfp.book.equations.nodes import Node, name_of, names_in, walk
from nnfp.book.equations.notation import Table, declarations
from nnfp.book.equations.numpy_form import form_of
from nnfp.book.equations.parser import Parser, conditional, statements
from nnfp.book.equations.problems import Kink, NoCase, Problem, Undefined
from nnfp.book.equations.symbols import symbols
from nnfp.book.third import witnesses

SEEDS = (1, 2, 3, 4, 5)
SINGLE = 6  # the draw with a batch of one
EQUAL = (1, 2, 3, 4, 6)  # of sizes, where a claim speaks about them
CORNERS = 40
EXPENSIVE = 20_000  # steps of evaluation at one draw; beyond it two draws and a batch of one must do
FEW, DEAR = 8, 2_000  # as many corners must do beyond so many steps
AGREES = 1e-7  # equation and code


@dataclass
class Result:
    """What the check says about one display, or about one claim in running text."""

    id: str
    file: str
    line: int
    tex: str
    kind: str  # definition, claim, inline
    ok: bool = True
    message: str = ""
    witness: str | None = None
    numpy_form: str = ""
    checked_by: str = ""
    comparisons: int = 0
    worst_error: float = 0.0
    symbols: list = field(default_factory=list)  # (symbol, domain, meaning) as the table writes them
    problem: str = ""  # the kind of what is wrong
    column: int = 1


@dataclass
class Work:
    """A display while it is checked."""

    display: reading.Display
    claims: list[Node] = field(default_factory=list)
    made: list[Definition] = field(default_factory=list)
    guards: list[Node] = field(default_factory=list)
    first: Node | None = None  # the left side that the witness speaks about
    ways: set = field(default_factory=set)
    reached: set = field(default_factory=set)
    equal: list[Scope] | None = None  # draws with equal sizes, once they are made


class PageCheck:
    """One page at all draws."""

    def __init__(
        self, source: reading.Source, package: dict, seeds=SEEDS, corners: int = CORNERS, strict: bool = True,
        forms: bool = False, witnesses: bool = True,
    ):
        self.source, self.package, self.strict, self.forms = source, package, strict, forms
        self.witnesses = witnesses  # must each definition have one?
        self.corners, self.seeds = corners, tuple(seeds)
        self.table_problem: Problem | None = None
        try:
            self.table: Table = declarations(source.page.prose)
        except Problem as problem:
            self.table, self.table_problem = {}, problem
        self.known = Knowledge(self.table)
        self.foresee()
        self.scopes = [
            Scope(self.known, Draw(self.table, seed), doubt=seed == seeds[0]) for seed in seeds
        ]
        if len(seeds) > 1 and ("B", None) in self.table:
            self.scopes.append(Scope(self.known, Draw(self.table, SINGLE, single=True)))
        self._corner_scopes: list[Scope] = []
        self.works: dict[str, tuple[Work, Result]] = {}  # defined name -> where
        self.read_works: list[tuple[Work, Result]] = []

    # Reading.

    def foresee(self) -> None:
        """The names that displays define, before anything is checked."""
        heads = []
        for display in self.source.displays:
            for stream in statements(tokens(display.tex, display.start)):
                texts = [t.text for t in stream]
                cut = next((k for k in range(1, len(texts)) if texts[k : k + 2] == [":", "="]), None)
                if cut is not None:
                    try:
                        heads.append((Parser(stream[:cut], lambda name: True).postfix(), display.line))
                    except Problem:
                        continue
        for head, line in sorted(heads, key=lambda item: any(n.kind == "num" for n in walk(item[0]))):
            self.known.foresee(head, line)

    def parse(self, stream: list[Token]) -> Node:
        """One statement; a name that a := makes a function is one on its own left side already."""
        new = None
        texts = [t.text for t in stream]
        if ":" in texts and len(stream) > 1 and stream[0].kind == "symbol" and texts[1] == "(":
            new = stream[0].text
            if self.known.is_plain(new) and not self.known.is_function(new):
                new = None
        return Parser(stream, lambda name: self.known.is_function(name) or (name is not None and name == new)).whole()

    def understand(self, display: reading.Display) -> Work:
        """Statements sorted into definitions, claims and guards."""
        work = Work(display)
        pieces = [conditional(stream) for stream in statements(tokens(display.tex, display.start))]
        if not pieces:
            raise Problem("the display is empty", kind="syntax")
        later = []
        for stream, after_words in pieces:
            guard = self.guard(stream, after_words)
            if guard is not None:
                work.guards.append(guard)
            else:
                later.append(stream)
        for stream in later:
            node = self.parse(stream)
            if node.kind == "rel" and ":=" in node[1]:
                self.take_definition(work, node)
            elif node.kind in ("rel", "iff", "implies"):
                if node.kind == "rel" and any(self.alike(stream, a, b) for a, b in itertools.pairwise(node[0])):
                    raise Problem("both sides are written alike: this says nothing", node, "rule")
                work.claims.append(node)
                work.first = work.first or (node[0][0] if node.kind == "rel" else None)
            else:
                raise Problem("a display states something: no =, := or other relation found", node, "syntax")
        for k, claim in enumerate(work.claims):
            if claim in work.claims[:k]:
                raise Problem("this display says it already", claim, "rule")
        if not work.claims and not work.made:
            raise Problem("a condition, and nothing that it is a condition for", work.guards[0], "syntax")
        return work

    def says_something(self, claim: Node) -> None:
        """Slips that leave a statement true, because it is empty."""
        summed = {name_of(node[1]): node for node in walk(claim) if node.kind == "fold"}
        for letter in self.free(claim):
            if letter in summed:
                raise Problem(f"{letter} is the index of this sum, and stands outside of it too", summed[letter], "rule")
        for node in walk(claim):
            if node.kind in ("deriv", "grad") and node[0] == node[1]:
                raise Problem("the derivative of a symbol by itself says nothing", node, "rule")
            if claim.kind == "rel" and node.kind in ("mul", "div") and Node("num", (0,)) in node.parts:
                raise Problem("a factor 0 makes this 0 whatever the rest is", node, "rule")

    @staticmethod
    def alike(stream: list[Token], a: Node, b: Node) -> bool:
        """The same tokens on both sides; brackets and order may be what a claim is about."""
        sides = [[t.text for t in stream if span[0] <= t.start < span[1]] for span in (a.span, b.span)]
        return a == b and sides[0] == sides[1]

    def guard(self, stream: list[Token], after_words: bool) -> Node | None:
        """A condition: after words such as "for", or a range of indices such as 2 \\le l \\le L."""
        try:
            node = self.parse(stream)
        except Problem:
            if after_words:
                raise
            return None
        if node.kind != "rel" or ":=" in node[1]:
            if after_words:
                raise Problem("a condition states a relation", node, "syntax")
            return None
        names = {name for side in node[0] for name in names_in(side)}
        kinds = {d.kind if (d := self.known.declared(name)) else "" for name in names}
        return node if after_words or ("index" in kinds and kinds <= {"index", "size"} and "=" not in node[1]) else None

    def take_definition(self, work: Work, node: Node) -> None:
        sides, signs = node.parts
        if signs.index(":="):
            raise Problem(":= comes first", node, "syntax")
        if ":=" in signs[1:]:
            raise Problem("two := in one statement", node, "syntax")
        made = self.known.read(sides[0], sides[1], work.display.line, tuple(work.guards))
        self.known.add(made)
        work.made.append(made)
        work.first = work.first or sides[0]
        for scope in [*self.scopes, *self._corner_scopes]:
            scope.frames[0].cache.clear()
        if len(sides) > 2:
            if any(a == b for a, b in itertools.pairwise((sides[0], *sides[2:]))):
                raise Problem("both sides are written alike: this says nothing", node, "rule")
            work.claims.append(Node("rel", ((sides[0],) + sides[2:], signs[1:]), node.span))

    # Checking.

    def check(self, only: range | None = None, stop: bool = False) -> list[Result]:
        """Every display in reading order, then what is left over."""
        results = []
        if self.table_problem is not None:
            line = int(re.search(r"lines? (\d+)", self.table_problem.message)[1])
            return [Result("", self.source.path, line, "", "notation", False, self.table_problem.message, problem="rule")]
        for place, display in enumerate(self.source.displays):
            result = self.check_display(display, only is None or place in only)
            results.append(result)
            if stop and not result.ok:
                return results
        if only is None:
            self.leftovers(results)
        return results

    def leftovers(self, results: list[Result]) -> None:
        """What shows only when the whole page has been read."""
        if self.witnesses:
            self.unwitnessed(results)
        self.complete(results)

    def check_display(self, display: reading.Display, run: bool = True) -> Result:
        result = Result(
            display.label, self.source.path, display.line, " ".join(display.tex.split()), "claim",
            witness=display.witness,
        )  # fmt: skip
        work = self.last_work = None
        try:
            work = self.last_work = self.understand(display)
            result.kind = "definition" if work.made else "claim"
            trees = [tree for made in work.made for tree in (made.head, made.body)]
            result.symbols = symbols(self.known, [*trees, *work.claims, *work.guards])
            result.numpy_form = form_of(self, work) if self.forms else ""
            self.read_works.append((work, result))
            if run:
                self.run(work, result)
        except Problem as problem:
            self.fail(result, problem)
        except RecursionError:
            self.fail(result, Problem("circular: a definition leads back to itself", kind="rule"))
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, np.linalg.LinAlgError) as error:
            self.fail(result, Problem(f"cannot be evaluated: {type(error).__name__}: {error}", kind="shape"))
        if not result.ok and work is not None:
            for made in work.made:
                self.mark_broken(made, display.line, result.problem)
        return result

    def mark_broken(self, made: Definition, line: int, kind: str) -> None:
        if kind in ("shape", "syntax", "name", "cascade"):  # a missing row of the table breaks nothing
            self.known.broken.setdefault(made.name, line)

    def run(self, work: Work, result: Result) -> None:
        for made in work.made:
            self.works[made.name] = self.works.get(made.name, (work, result))
        with np.errstate(all="ignore"):
            scopes = self.judge_claims(work, result)
            if work.display.witness is not None:
                self.check_code(work, result, scopes)
            self.all_branches_met(work, scopes)
            for node in [*work.claims, *(made.body for made in work.made)]:
                self.says_something(node)
            if work.claims and not result.comparisons:
                raise Problem("nothing was compared: no draw meets the conditions", work.claims[0], "rule")
            if self.strict:
                self.declared_names(work)
        result.checked_by = self.how(work)

    def builds_on(self, display: reading.Display, names: set[str]) -> bool:
        """Can the values of these names make a difference to a display?"""
        reached = set(names)
        for name in [*self.known.plain, *self.known.rules, *self.known.functions]:
            if self.known.dependencies(name) & names:
                reached.add(name)
        used = {t.text for t in tokens(display.tex)}
        used |= {f"{a}_{b}" for a, b in itertools.pairwise([t.text for t in tokens(display.tex) if t.text not in "_{"])}
        return any(name in used or name.partition("_")[0] in used or name.removesuffix("^*") in used for name in reached)

    def judge_claims(self, work: Work, result: Result | None = None) -> list[Scope]:
        """Definitions have values, claims are true, conditions are not too narrow."""
        result = result or Result("", "", 0, "", "")
        first = self.scopes[0].evaluations
        scopes = [*self.scopes, *self.corner_scopes(work), *self.equal_scopes(work)]
        outside: dict[tuple, list[bool]] = {}
        self.conditions_bind(work)
        for k, scope in enumerate(scopes):
            steps = self.scopes[0].evaluations - first
            if (2 <= k < len(SEEDS) and steps > EXPENSIVE) or (k >= len(self.scopes) + FEW and steps > DEAR):
                continue
            if not scope.draw.corner:
                for made in work.made:
                    self.evaluate_definition(scope, made)
            else:
                for made in work.made:
                    self.covers(scope, made)
            for claim in work.claims:
                self.check_claim(scope, claim, work, result, outside)
        self.too_narrow(work, outside)
        if self.corners:
            for made in work.made:
                self.search_cases(made)
            for claim in work.claims:
                self.search(claim, work)
        return scopes

    def too_narrow(self, work: Work, outside: dict) -> None:
        """True at excluded points: at all of them, or for indices at some at every draw."""
        names = {name for guard in work.guards for side in guard[0] for name in names_in(side)}
        whole = all(self.counts(name) for name in names)
        for claim in work.claims:
            seen = [
                any(found) if whole else all(found) for (key, _, round_numbers), found in outside.items()
                if key == id(claim) and not (whole and round_numbers)
            ]  # fmt: skip
            if seen and all(seen):
                raise Problem("also true where the condition excludes it: the condition is too narrow", claim, "rule")

    def counts(self, name: str) -> bool:
        d = self.known.declared(name)
        return d is not None and d.kind in ("index", "size")

    def conditions_bind(self, work: Work) -> None:
        """A bound of an index that no value of the index reaches excludes nothing."""
        scopes = [*self.scopes, *self.equal_scopes(work)]
        for guard in work.guards:
            if not all(self.counts(name) for side in guard[0] for name in names_in(side)):
                continue
            for a, sign, b in zip(guard[0], guard[1], guard[0][1:]):
                if a == b:
                    raise Problem("this compares something with itself", guard, "rule")
                if sign in ("<", "<=", ">", ">=") and not any(self.reaches(scope, guard, a, b) for scope in scopes):
                    raise Problem("no value of the index reaches this bound: it excludes nothing", guard, "rule")

    def reaches(self, scope: Scope, guard: Node, a: Node, b: Node) -> bool:
        for local in scope.places(self.free(guard)):
            with scope.binding(**local):
                if scope.value(a) == scope.value(b):
                    return True
        return False

    def covers(self, scope: Scope, made: Definition) -> None:
        """A definition by cases has one case for every point, on the borders too."""
        if not any(node.kind == "cases" for node in walk(made.body)) or made.of_family:
            return
        try:
            if made.parameters is None:
                scope.lookup(made.name)
            else:
                scope.apply(made.name, [scope.lookup(parameter) for parameter in made.parameters])
        except Undefined:
            return
        except NoCase as problem:
            problem.message = "no case applies on the border between two: a definition covers every point"
            raise

    def search(self, claim: Node, work: Work) -> None:
        """Inequalities and equivalences at their borders, on the draws with the smallest arrays."""
        letters = self.letters(claim, work)
        scopes = [s for s in self.scopes if not s.doubt and not s.draw.single] or self.scopes[:1]
        scopes = sorted(scopes, key=lambda scope: sum(scope.draw.sizes.values()))
        scopes = scopes[:1] + self.equal_scopes(work)[:2] + scopes[1:]
        bounds.search(scopes, claim, work.guards, lambda scope: next(scope.places(letters), {}))

    def search_cases(self, made: Definition) -> None:
        """A definition by cases at the points where one case gives way to the next."""
        for scope, frame in self.changes(made):
            with scope.frame(frame):
                self.covers(scope, made)

    def changes(self, made: Definition) -> Iterator[tuple[Scope, dict]]:
        conditions = [row[1] for node in walk(made.body) if node.kind == "cases" for row in node[0] if row[1] is not None]
        for scope in self.scopes[:2]:
            for condition in conditions:
                for frame in bounds.crossings(scope, condition):
                    yield scope, frame

    def corner_scopes(self, work: Work) -> list[Scope]:
        """Draws with round numbers, where kinks and borders of cases are hit exactly."""
        bodies = [b for node in [*work.claims, *work.guards, *(m.body for m in work.made)] for b in self.known.bodies(node)]
        if not self.corners or not any(has_border(body) for body in bodies):
            return []
        if not self._corner_scopes:
            self._corner_scopes = [
                Scope(self.known, Draw(self.table, self.seeds[0] + 100 + k, corner=True), doubt=True) for k in range(self.corners)
            ]
        return self._corner_scopes

    def equal_scopes(self, work: Work) -> list[Scope]:
        """Draws with equal sizes, ones and no primes among them, for what speaks about sizes themselves."""
        if work.equal is not None:
            return work.equal
        named = {part[0] for tree in [*work.claims, *work.guards] for part in terms(tree) if part.kind == "sym"}
        kinds = {d.kind for name in named if (d := self.known.declared(name)) and d.fixed is None}
        wanted = EQUAL if self.corners and "size" in kinds and not work.made else ()
        work.equal = [Scope(self.known, Draw(self.table, self.seeds[0] + 200 + n, equal=n)) for n in wanted]
        return work.equal

    def evaluate_definition(self, scope: Scope, made: Definition) -> None:
        """The right side has a value, of the declared shape, for every index."""
        if made.parameters is not None:
            arguments = [scope.lookup(parameter) for parameter in made.parameters]
            value = scope.apply(made.name, arguments)
            self.fits_function(scope, made, value)
            self.is_finite(scope, value, made)
            return
        if not made.of_family:
            try:
                value = scope.lookup(made.name)
            except Undefined:
                if scope.draw.single:
                    return
                raise
            self.is_finite(scope, value, made)
            self.fits(scope, made, value, None)
            return
        members = [made.member]
        if made.variable is not None:
            low, high = scope.bounds(made.variable)
            members = [k + made.offset for k in range(low, high + 1)]
            members = [k for k in members if scope.applies(made, k) is not None]
        for k in members:
            value = scope.lookup(made.name, k)
            self.is_finite(scope, value, made)
            self.fits(scope, made, value, k)

    def is_finite(self, scope: Scope, value, made: Definition) -> None:
        if not np.all(np.isfinite(np.asarray(value, complex))) and not scope.draw.single:
            raise Problem("the value is not finite", made.body, "value")

    def fits(self, scope: Scope, made: Definition, value, member: int | None) -> None:
        """The value has the shape that the table declares."""
        d = self.known.family(made.name) if member is not None else self.known.declared(made.name)
        if member is not None and d is None:
            d = self.known.declared(f"{made.name}_{member}")
        if d is None or d.kind == "index":
            return
        if d.kind == "size":
            if np.ndim(value) or value != int(np.real(value)) or value < 0:
                raise Problem(f"{d.tex} is declared as a natural number", made.head, "shape")
            return
        if d.kind == "function":
            raise Problem(f"{d.tex} is declared as a function", made.head, "shape")
        try:
            shape = scope.shape(d, member)
        except Problem as problem:
            if member is None or d.index is None:
                raise
            low, high = scope.bounds(d.index)
            if low <= member <= high:
                raise
            problem.node = made.head
            return
        shape += (1,) if len(shape) == 1 else ()
        if shape != np.shape(value) and not (scope.loose and np.size(value) == 1):
            raise Problem(
                f"the table declares {d.tex} as {shape_text(scope, shape)}; "
                f"the right side is {shape_text(scope, np.shape(value))}", made.head, "shape"
            )
        if d.space.interval and not all(d.space.interval[0] <= x <= d.space.interval[1] for x in np.ravel(value)):
            raise Problem(f"the value {float(np.ravel(value)[0]):.4g} lies outside {d.domain}", made.head, "value")

    def fits_function(self, scope: Scope, made: Definition, value) -> None:
        d = self.known.declared(made.name)
        if d is None:
            return
        if d.kind != "function":
            raise Problem(f"the table declares {d.tex} as a value: write its domain as X \\to Y", made.head, "shape")
        shapes = [scope.shape(d, space=space) for space in d.arguments]
        own = [() if p.kind != "value" else scope.shape(p) for p in map(self.known.declared, made.parameters)]
        if shapes != own:
            raise Problem(f"the parameters do not live in {d.domain}, as the table says", made.head, "shape")
        target = scope.shape(d)
        target += (1,) if len(target) == 1 else ()
        if target != np.shape(value) and not scope.loose:
            raise Problem(
                f"the table says that {d.tex} gives {shape_text(scope, target)}; "
                f"the right side is {shape_text(scope, np.shape(value))}", made.head, "shape"
            )

    def free(self, node: Node) -> list[str]:
        """The indices of a claim that nothing binds, in order of appearance."""
        found: list[str] = []

        def visit(node: Node, bound: frozenset) -> None:
            if node.kind == "fold":
                variable = name_of(node[1])
                for limit in (node[2], node[3]):
                    if limit is not None:
                        visit(limit, bound)
                visit(node[4], bound | {variable})
                return
            if node.kind == "sub" and self.known.is_plain(name_of(node)):
                return
            if node.kind == "sym":
                if node[0] not in bound and node[0] not in found and self.known.is_index(node[0]):
                    found.append(node[0])
                return
            if node.kind == "limit":
                visit(node[2], bound | {node[0]})
                return
            for child in _children(node):
                visit(child, bound)

        visit(node, frozenset())
        return found

    def letters(self, claim: Node, work: Work) -> list[str]:
        """The free indices of a claim and of its conditions."""
        letters = self.free(claim)
        return letters + [n for guard in work.guards for n in self.free(guard) if n not in letters]

    def check_claim(self, scope: Scope, claim: Node, work: Work, result: Result, outside: dict) -> None:
        letters = self.letters(claim, work)
        for local in scope.places(letters):
            with scope.binding(**local):
                if work.guards and not all(scope.truth(guard) for guard in work.guards):
                    self.look_outside(scope, claim, outside)
                    continue
                scope.rough = False
                try:
                    true, error = scope.judge(claim)
                except (NoCase, Undefined) as problem:
                    if scope.draw.corner and isinstance(problem, NoCase) and self.leaves_out(scope, claim):
                        problem.message = "no case applies at a point where the other side has a value"
                        raise
                    if scope.draw.corner or scope.draw.single:
                        continue
                    raise problem
                except Problem as problem:
                    if scope.draw.corner and isinstance(problem, Kink):
                        if self.leaves_out(scope, claim):
                            problem.message = "the right side has no slope at a point where the left side has a value"
                            raise
                        if self.says_nothing(scope, claim):
                            continue
                        problem.node = claim
                    raise
                if not true:
                    raise self.false(scope, claim, local)
                if not scope.rough and any(scope is one for one in self.scopes[:2]):
                    self.exact(scope, claim)
                result.comparisons += 1
                result.worst_error = max(result.worst_error, error)
                work.ways.add("central difference" if scope.rough else "exact")

    def exact(self, scope: Scope, claim: Node) -> None:
        """Sides that are nearly equal, and differ by more than rounding, are not equal."""
        for k, sign in enumerate(claim[1] if claim.kind == "rel" else ()):
            left, right = claim[0][k : k + 2]
            if sign == "=" and right.kind != "argmin" and rounding.doubtful(scope.value(left), scope.value(right)):
                if rounding.beyond(scope, left, right):
                    problem = Problem("false: the sides differ by little, but by more than rounding", claim, "value")
                    problem.values = scope.value(left), scope.value(right)
                    problem.message += f": {compare_text(*problem.values)}"
                    raise problem

    def leaves_out(self, scope: Scope, claim: Node) -> bool:
        """Has the left side, a function, a value at this point, where the right side has none?"""
        if claim.kind != "rel" or set(claim[1]) != {"="} or claim[0][0].kind != "call":
            return False
        try:
            scope.value(claim[0][0])
        except (Problem, ArithmeticError):
            return False
        return True

    def says_nothing(self, scope: Scope, claim: Node) -> bool:
        """Where a slope does not exist, an equation with cases must leave the point out."""
        if claim.kind != "rel" or not any(node.kind == "cases" for node in walk(claim)):
            return True
        for side in claim[0]:
            try:
                scope.value(side)
            except NoCase:
                return True
            except Problem:
                continue
        return False

    def look_outside(self, scope: Scope, claim: Node, outside: dict) -> None:
        """Is the claim true at a point that its condition excludes?"""
        try:
            true = scope.truth(claim)
        except (Problem, ArithmeticError):
            true = False
        outside.setdefault((id(claim), id(scope), scope.draw.corner), []).append(true)

    def false(self, scope: Scope, claim: Node, local: dict) -> Problem:
        where = ", ".join(f"{name} = {value}" for name, value in local.items())
        problem = Problem("false" + (f" for {where}" if where else ""), claim, "value")
        if claim.kind == "rel":
            for k, sign in enumerate(claim[1]):
                part = Node("rel", (claim[0][k : k + 2], (sign,)), (claim[0][k].span[0], claim[0][k + 1].span[1]))
                with scope.binding(**local):
                    if not scope.truth(part):
                        problem.node = part
                        if part[0][1].kind != "argmin":
                            problem.values = (scope.value(part[0][0]), scope.value(part[0][1]))
                            problem.message += ": " + compare_text(*problem.values)
                            problem.hint = ratio_hint(scope, *problem.values) if sign == "=" else ""
                        else:
                            problem.message += ": a lower value lies nearby"
                        break
        return problem

    def all_branches_met(self, work: Work, scopes: list[Scope]) -> None:
        nodes = [node for tree in [*work.claims, *(m.body for m in work.made)] for node in walk(tree)]
        for node in nodes:
            if node.kind == "cases":
                rows = node[0]
                met = set().union(*(scope.met.get(id(rows), set()) for scope in scopes))
                if work.claims or self.used_here(work):
                    for k, (value, _) in enumerate(rows):
                        if k not in met:
                            raise Problem("no sample ever met this case", value, "rule")
            if node.kind in ("iff", "implies"):
                met = set().union(*(scope.met.get(id(node), set()) for scope in scopes))
                missing = {True, False} - met if node.kind == "iff" else {True} - met
                if missing:
                    raise Problem(f"no sample ever made the left side {'true' if True in missing else 'false'}", node[0], "rule")

    def used_here(self, work: Work) -> bool:
        return True

    # Code.

    def check_code(self, work: Work, result: Result, scopes: list[Scope]) -> None:
        code = work.display.witness
        node = work.first or work.claims[0]
        try:
            self.compare_code(work, node, code, result, scopes)
        except Problem as problem:
            if problem.node is None:
                problem.node = Node("", (), (0, 0))
                problem.line = work.display.witness_line
            raise

    def compare_code(self, work: Work, node: Node, code: str, result: Result, scopes: list[Scope]) -> None:
        used = witness.names_used(code)
        if not used & (set(self.package) | {"np"}) and not re.search(r"[-+*/@]|\.\w", code):
            scope = self.scopes[0]
            with scope.binding(**next(iter(scope.places(self.free(node))), {})):
                witness.evaluate(code, scope, self.package)  # an unknown name is the likelier slip
            raise Problem("the code witness calls nothing of nnfp or NumPy", kind="rule")
        own = {witness.ascii_name(m.name) for m in work.made if m.parameters is None and not m.of_family}
        own |= {witness.ascii_name(m.name) for m in work.made if m.parameters is not None} - set(self.package)
        if own & used:
            raise Problem(f"the code witness uses {min(own & used)}, which it should bear witness to", kind="rule")
        node, letters = self.spoken_of(node, code)
        if not any(has_border(tree) for tree in [*work.claims, *(made.body for made in work.made)]):
            scopes = self.scopes  # what has a border further up met it there
        far = ((self.scopes[-1], frame) for frame in bounds.frames(self.scopes[-1], node))
        for scope, frame in [*((scope, {}) for scope in scopes), *self.borders(work), *far]:
            special = scope.draw.single or scope.draw.corner or bool(frame)
            with scope.frame(frame):
                for local in scope.places(letters):
                    with scope.binding(**local):
                        if all(scope.truth(guard) for guard in work.guards):
                            self.one_code(scope, node, code, result, special)
        work.ways.add("code")

    def spoken_of(self, node: Node, code: str) -> tuple[Node, list[str]]:
        """What the code must be equal to, and for which indices: z_i, or all of z where the code knows no i."""
        letters, used = self.free(node), witness.names_used(code)
        if node.kind == "sub" and not self.known.is_plain(name_of(node)) and not any(
            witness.ascii_name(letter) in used for letter in self.free(Node("list", node[1]))
        ):
            if node[0].kind == "call" or not (name_of(node[0]) and self.scopes[0].counts_members(name_of(node[0]), node[1][0])):
                node = node[0]
                letters = self.free(node)
        return node, letters

    def borders(self, work: Work) -> Iterator[tuple[Scope, dict]]:
        """Where one case of a definition gives way to the next."""
        for made in work.made:
            yield from self.changes(made)

    def one_code(self, scope: Scope, node: Node, code: str, result: Result, special: bool) -> None:
        """At a special point the equation may have no value, and the code may refuse: a batch of one, a kink."""
        try:
            mine = np.asarray(scope.value(node))
        except (Undefined, NoCase, Kink):
            if special:
                return
            raise
        if special and not np.all(np.isfinite(mine)):
            return
        try:
            theirs = np.asarray(witness.evaluate(code, scope, self.package))
        except Problem:
            if special:
                return
            raise
        if mine.shape != theirs.shape:
            if scope.loose and mine.size == theirs.size == 1:
                mine, theirs = mine.reshape(()), theirs.reshape(())
            else:
                raise Problem(
                    f"the code gives the shape {theirs.shape}, the equation {shape_text(scope, mine.shape)}", kind="shape"
                )
        scale = max(float(np.max(np.abs(mine), initial=0)), 1e-2)
        error = float(np.max(np.abs(mine - theirs), initial=0)) / scale
        if not error <= AGREES:
            raise Problem(
                f"the code disagrees: equation {number_text(mine)}, code {number_text(theirs)}",
                kind="value", hint=ratio_hint(scope, mine, theirs),
            )
        result.comparisons += 1
        result.worst_error = max(result.worst_error, error)

    # Rules of the book.

    def unwitnessed(self, results: list[Result]) -> None:
        """Definitions that neither code nor a claim bears on, directly or through others."""
        for work, result in self.works.values():
            for made in work.made:
                if result.ok and not any(self.bears_witness(other, fine.ok, made) for other, fine in self.read_works):
                    text = f"neither code nor a claim bears witness to {made.name}"
                    if any(made.name in self.reach(other) for other, _ in self.read_works):
                        text += ": what is said of it stays true when its right side is another"
                    self.fail(result, Problem(text, made.head, "rule"))

    def reach(self, work: Work) -> set[str]:
        """The names that the claims and the code of a display depend on."""
        coded = [work.first] if work.display.witness is not None and work.first is not None else []
        return set().union(*(self.known.reached(node) for node in [*work.claims, *coded]), set())

    def bears_witness(self, work: Work, fine: bool, made: Definition) -> bool:
        """Does this display fail when the right side of the definition is another one?"""
        if made.name not in self.reach(work):
            return False
        draws = sorted((s.draw for s in self.scopes if not s.draw.single), key=lambda draw: sum(draw.sizes.values()))
        return not fine or any(self.notices(work, made, draw, factor) for draw in draws for factor in (1.375, -0.6))

    def notices(self, work: Work, made: Definition, draw: Draw, factor: float) -> bool:
        scope = Scope(self.known, draw)
        scope.spoilt = made, factor
        code, questions = work.display.witness, [(claim, self.letters(claim, work)) for claim in work.claims]
        if code is not None and work.first is not None:
            questions.append(self.spoken_of(work.first, code))
        try:
            with np.errstate(all="ignore"):
                for k, (node, letters) in enumerate(questions):
                    for local in scope.places(letters):
                        with scope.binding(**local):
                            if not all(scope.truth(guard) for guard in work.guards):
                                continue
                            if k == len(work.claims):
                                self.one_code(scope, node, code, Result("", "", 0, "", ""), False)
                            elif not scope.truth(node):
                                return True
        except (Problem, ArithmeticError, ValueError, TypeError, IndexError):
            return True
        return False

    def complete(self, results: list[Result]) -> None:
        """A family has a member for every value of its index."""
        scope = self.scopes[0]
        for name in self.known.rules:
            row = self.known.family(name)
            work, result = self.works.get(name, (None, None))
            if row is None or work is None or not result.ok or name in self.known.broken:
                continue
            low, high = scope.bounds(row.index)
            for k in range(low, high + 1):
                try:
                    with np.errstate(all="ignore"):
                        scope.lookup(name, k)
                except Problem as problem:
                    if problem.kind == "rule":
                        made = next(m for m in work.made if m.name == name)
                        self.fail(result, Problem(problem.message, made.head, "rule"))
                    break

    def declared_names(self, work: Work) -> None:
        rows, known = {}, self.known
        for made in work.made:
            if made.of_family:
                missing = known.family(made.name) is None and known.declared(f"{made.name}_{made.member}") is None
            else:
                missing = known.declared(made.name) is None
            if missing:
                rows.setdefault(self.row(made), made)
        if rows:
            text = "the notation table does not declare what is defined here; it needs " + " and ".join(rows)
            raise Problem(text, next(iter(rows.values())).head, "rule")

    def row(self, made: Definition) -> str:
        scope, tex = self.scopes[0], made.name
        if made.parameters is not None:
            spaces = [self.known.declared(p) for p in made.parameters]
            source = r" \times ".join(d.domain if d.kind == "value" and not d.space.interval else r"\mathbb{R}" for d in spaces)
            value = scope.apply(made.name, [scope.lookup(p) for p in made.parameters])
            domain = f"{source} \\to {self.domain(np.shape(value), made, None)}"
        else:
            member = made.member
            if made.variable is not None:
                low, _ = scope.bounds(made.variable)
                member = next((k for k in range(low + made.offset, low + made.offset + 9) if scope.applies(made, k) is not None), None)
                tex = self.source.text[slice(*made.head.span)]
                tex = f"{made.name}^{{[{made.variable}]}}" if made.head.kind == "layer" else f"{made.name}_{made.variable}"
            domain = self.domain(np.shape(scope.lookup(made.name, member)), made, member)
        return f"| ${tex}$ | ${domain}$ | ... |"

    def domain(self, shape: tuple[int, ...], made: Definition, member: int | None) -> str:
        """The domain that a row would state, in the names of sizes."""
        scope, parts = self.scopes[0], []
        for k, size in enumerate(shape):
            names = [name for name, value in scope.draw.sizes.items() if value == size]
            for other in self.scopes[1:2]:
                seen = np.shape(other.lookup(made.name, member))[k] if made.parameters is None else None
                names = [n for n in names if seen is None or other.draw.sizes[n] == seen]
            name = names[0] if names else str(size)
            if made.variable is not None and name.endswith(f"_{member}"):
                name = f"{name.rpartition('_')[0]}_{made.variable}"
            parts.append(name)
        if not shape:
            return r"\mathbb{R}"
        return rf"\mathbb{{R}}^{{{parts[0]}}}" if shape[1] == 1 else rf"\mathbb{{R}}^{{{parts[0]} \times {parts[1]}}}"

    def how(self, work: Work) -> str:
        parts = []
        derivatives = any(
            node.kind in ("deriv", "grad", "hessian", "prime") for tree in work.claims for body in self.known.bodies(tree) for node in walk(body)
        )
        if work.claims:
            parts.append(f"both sides on {len(self.scopes)} random draws")
            if derivatives:
                parts.append("derivatives by the complex step, with a central difference beside it")
        if "code" in work.ways:
            parts.append("the code of the package")
        libraries = dict.fromkeys(w.library for w in witnesses().get(work.display.label, ()))
        parts += [f"{library}, as a third witness" for library in libraries]
        return "; ".join(parts)

    # Messages.

    def fail(self, result: Result, problem: Problem) -> None:
        result.ok, result.problem = False, problem.kind
        span = problem.node.span if problem.node is not None else (0, 0)
        line = getattr(problem, "line", None)
        text = problem.message + (f"; {problem.hint}" if problem.hint else "")
        if span[1] > span[0]:
            line, result.column = self.source.place(span[0])
            text = f"{line}:{result.column}: {text}\n{self.underlined(span)}"
        elif line:
            text = f"{line}:1: {text}"
        result.message = text

    def underlined(self, span: tuple[int, int]) -> str:
        """The line of the page with the part in question marked below."""
        text = self.source.text
        start = text.rfind("\n", 0, span[0]) + 1
        end = text.find("\n", span[0])
        end = len(text) if end < 0 else end
        line = text[start:end]
        width = max(1, min(span[1], end) - span[0])
        return f"    {line}\n    {' ' * (span[0] - start)}{'^' * width}"


def _children(node: Node):
    from nnfp.book.equations.nodes import children

    return children(node)


def terms(node: Node) -> Iterator[Node]:
    """Its parts but for the ends of sums, which are nearly always sizes."""
    yield node
    for child in [node[4]] if node.kind == "fold" else _children(node):
        yield from terms(child)


def has_border(node: Node) -> bool:
    """Does the value jump or bend somewhere, or does an inequality become an equality?"""
    for part in walk(node):
        if part.kind in ("cases", "abs", "iff", "implies", "indicator"):
            return True
        if part.kind == "sym" and part[0] in KINKS:
            return True
        if part.kind == "rel" and set(part[1]) - {"=", ":="}:
            return True
    return False


def number_text(value) -> str:
    value = np.real(np.asarray(value))
    if value.size == 1:
        return f"{value.reshape(()).item():.6g}"
    flat = value.ravel()
    return "[" + " ".join(f"{x:.4g}" for x in flat[:3]) + (" ...]" if value.size > 3 else "]")


def compare_text(a, b) -> str:
    return f"left {number_text(a)}, right {number_text(b)}"


def ratio_hint(scope: Scope, a, b) -> str:
    """Do the sides differ by one factor, and is it a number that the page knows?"""
    a, b = np.real(np.asarray(a)).ravel(), np.real(np.asarray(b)).ravel()
    if a.shape != b.shape or not np.all(np.abs(b) > 1e-12) or not np.all(np.abs(a) > 1e-12):
        return ""
    ratios = a / b
    if np.max(np.abs(ratios - ratios[0])) > 1e-6 * abs(ratios[0]) or (a.size == 1 and not known_factor(scope, ratios[0])):
        return ""
    name = known_factor(scope, ratios[0])
    if ratios[0] == -1 or abs(ratios[0] + 1) < 1e-9:
        return "the sides differ by their sign"
    return f"the left is {ratios[0]:.4g} times the right" + (f", and {ratios[0]:.4g} = {name}" if name else "")


def known_factor(scope: Scope, ratio: float) -> str:
    sizes = list(scope.draw.sizes.items())
    candidates = [("-1", -1.0), ("2", 2.0), ("1/2", 0.5)]
    candidates += [(n, s) for n, s in sizes] + [(f"1/{n}", 1 / s) for n, s in sizes]
    candidates += [(f"2/{n}", 2 / s) for n, s in sizes] + [(f"{n}/2", s / 2) for n, s in sizes]
    candidates += [(f"{n} {m}", s * r) for (n, s), (m, r) in itertools.combinations(sizes, 2)]
    candidates += [(f"1/({n} {m})", 1 / (s * r)) for (n, s), (m, r) in itertools.combinations(sizes, 2)]
    return next((name for name, value in candidates if abs(value - ratio) < 1e-7 * abs(ratio)), "")


def unused():
    return BUILTIN
