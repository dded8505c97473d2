"""How many corruptions of a page's equations does its check catch?

A mutant is tried like a page with a slip in it: the display itself, then all that builds on it.
One that passes is compared with the original on fresh draws, side by side and definition by
definition. If every value agrees, it is the same equation written otherwise. All others survive,
also those that are true: they say less than the page, or something else.
"""

import dataclasses
import itertools
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnfp.book.equations.evaluation import ROUGH, Scope
from nnfp.book.equations.mutants import Mutant, mutants
from nnfp.book.equations.nodes import Node, names_in
from nnfp.book.equations.normal import Normal
from nnfp.book.equations.problems import Kink, NoCase, Problem, Undefined
from nnfp.book.equations.reading import Source, read
from nnfp.book.equations.verdict import PageCheck, Work

QUICK = (2,)  # the first look: one draw
FRESH = (1001, 1002, 1003, 1004, 1005, 1006)  # for the comparison with the original
SECONDS = 20
SAME, EQUAL, CAUGHT, SURVIVED = "same", "equal", "caught", "survived"
CLOSE = 1e-11  # of the comparison of values; where a central difference takes part, ROUGH
ERRORS = (Problem, RecursionError, ArithmeticError, ValueError, TypeError, IndexError, KeyError, AttributeError)


@dataclass(frozen=True)
class Trial:
    """What became of a mutant: `how` says which check saw it, or why nothing could."""

    label: str
    operation: str
    tex: str
    outcome: str
    how: str = ""
    message: str = ""


class TooSlow(Exception):
    """The mutant takes too long to evaluate: somebody would notice."""


def _alarm(*_):
    raise TooSlow


class Bench:
    """Tries the mutants of one page."""

    def __init__(self, path: str | Path, package: dict, code: bool = True, **options):
        self.source, self.package, self.options = read(path), package, options
        if not code:
            for display in self.source.displays:
                display.witness = None
        base = PageCheck(self.source, package, **options)
        self.wrong = {(r.id, r.problem) for r in base.check() if not r.ok}

    def mutants(self) -> Iterator[tuple[int, Mutant]]:
        for place, display in enumerate(self.source.displays):
            for mutant in mutants(display.tex):
                yield place, mutant

    def changed(self, place: int, tex: str) -> Source:
        displays = list(self.source.displays)
        displays[place] = dataclasses.replace(displays[place], tex=tex)
        return Source(self.source.path, self.source.page, displays)

    def check(self, source: Source, **options) -> PageCheck:
        return PageCheck(source, self.package, **{**self.options, **options})

    def trial(self, place: int, mutant: Mutant) -> Trial:
        label = self.source.displays[place].label
        previous = signal.signal(signal.SIGALRM, _alarm)
        signal.alarm(SECONDS)
        try:
            outcome, how, message = self.judge(place, self.changed(place, mutant.tex))
        except TooSlow:
            outcome, how, message = CAUGHT, "own time", "takes too long"
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)
        return Trial(label, mutant.operation, mutant.tex, outcome, how, message)

    def judge(self, place: int, source: Source) -> tuple[str, str, str]:
        form = self.normal(place, source)
        if form is not None and form == self.normal(place, self.source):
            return SAME, "the same normal form", ""
        seen = self.first_failure(self.check(source, seeds=QUICK, corners=0), place, quick=True)
        seen = seen or self.first_failure(self.check(source), place)
        if seen:
            return CAUGHT, *seen
        return self.excused(place, source)

    def first_failure(self, check: PageCheck, place: int, quick: bool = False):
        """Which check fails first, the display's own or a later one that builds on it."""
        results, names = [], None
        for k, display in enumerate(self.source_of(check)):
            run = k == place or (k > place and names and check.builds_on(display, names))
            result = check.check_display(display, bool(run))
            results.append(result)
            if k == place:
                work = check.last_work
                names = {m.name for m in work.made} if work else set()
            if k >= place and not result.ok and (result.id, result.problem) not in self.wrong:
                if not (quick and result.problem == "rule"):
                    return f"{'own' if k == place else 'later'} {result.problem}", result.message.splitlines()[0]
        if quick:
            return None
        check.leftovers(results)
        for k, result in enumerate(results):
            if not result.ok and (result.id, result.problem) not in self.wrong:
                return f"{'own' if k == place else 'later'} {result.problem}", result.message.splitlines()[0]
        return None

    @staticmethod
    def source_of(check: PageCheck):
        return check.source.displays

    # Is a survivor to blame?

    def prepared(self, source: Source, place: int, **options) -> tuple[PageCheck, Work]:
        """The page read up to a display, nothing run."""
        check = self.check(source, **options)
        for display in source.displays[:place]:
            check.check_display(display, False)
        return check, check.understand(source.displays[place])

    def normal(self, place: int, source: Source):
        try:
            check, work = self.prepared(source, place, seeds=QUICK, corners=0)
            forms = []
            for node in [*work.claims, *work.guards]:
                forms.append(Normal(check.scopes[0], check.free(node)).form(node))
            for made in work.made:
                body = Normal(check.scopes[0], list(made.indices)).form(made.body)
                forms.append((made.name, made.indices, made.parameters, made.variable, made.offset, made.member, body))
            return forms
        except ERRORS:
            return None

    def excused(self, place: int, source: Source) -> tuple[str, str, str]:
        """What passed the check: the same in other words, or a survivor."""
        try:
            with np.errstate(all="ignore"):
                one, mine = self.prepared(source, place, seeds=FRESH)
                two, original = self.prepared(self.source, place, seeds=FRESH)
                if not self.equal_definitions(one, mine, two, original):
                    return SURVIVED, "another definition, and nothing that builds on it differs", ""
                if self.equal_claims(one, mine, two, original):
                    return EQUAL, "equal values on fresh draws", ""
                for claim in mine.claims:
                    one.judge_claims(dataclasses.replace(mine, claims=[claim]))
        except ERRORS as problem:
            return SURVIVED, "false on fresh draws", str(problem).splitlines()[0][:120]
        return SURVIVED, "another statement, true as well", ""

    def equal_definitions(self, one: PageCheck, mine: Work, two: PageCheck, original: Work) -> bool:
        if {m.name for m in mine.made} != {m.name for m in original.made}:
            return False
        for made in original.made:
            for a, b in self.pairs(one, mine, two, original):
                for left, right in itertools.zip_longest(values(a, made), values(b, made)):
                    if not agree(left, right):
                        return False
        return True

    def pairs(self, one: PageCheck, mine: Work, two: PageCheck, original: Work) -> list:
        """The same draws of the mutant and of the original, round numbers among them."""
        return list(zip([*one.scopes, *one.corner_scopes(mine)], [*two.scopes, *two.corner_scopes(original)]))

    def equal_claims(self, one: PageCheck, mine: Work, two: PageCheck, original: Work) -> bool:
        """The same statements with the same relations under the same conditions, side by side."""
        if len(mine.claims) != len(original.claims) or len(mine.guards) != len(original.guards):
            return False
        for claim, other in zip(mine.claims, original.claims):
            if not alike(claim, other):
                return False
            letters = [check.free(node) for check, node in ((one, claim), (two, other))]
            for k, (check, work) in enumerate(((one, mine), (two, original))):
                letters[k] += [n for g in work.guards for n in check.free(g) if n not in letters[k]]
            if set(letters[0]) != set(letters[1]):
                return False
            for a, b in self.pairs(one, mine, two, original):
                for here, there in itertools.zip_longest(a.places(letters[1]), b.places(letters[1])):
                    if here != there:
                        return False
                    with a.binding(**here), b.binding(**here):
                        for left, right in parts_of([*mine.guards, claim], [*original.guards, other]):
                            a.rough = b.rough = False
                            if not agree(found(a, left), found(b, right), a.rough or b.rough):
                                return False
        return True


def alike(claim: Node, other: Node) -> bool:
    """Built alike: relations of the same signs, an implication as an implication."""
    if claim.kind != other.kind:
        return False
    if claim.kind == "rel":
        return claim[1] == other[1] and all(
            a == b for a, b in zip(claim[0], other[0]) if "argmin" in (a.kind, b.kind)
        )
    return True


def parts_of(mine: list[Node], original: list[Node]) -> Iterator[tuple[Node, Node]]:
    """What must agree: the sides of a claim, the truth of both halves of an implication."""
    for claim, other in zip(mine, original):
        if claim.kind == "rel" and (claim, other) == (mine[-1], original[-1]):
            yield from ((a, b) for a, b in zip(claim[0], other[0]) if a.kind != "argmin")
        elif claim.kind == "rel":
            yield claim, other
        else:
            yield from zip(claim.parts, other.parts)


def found(scope: Scope, node: Node):
    """A value, the truth of a statement, or None where there is none."""
    try:
        return scope.truth(node) if node.kind == "rel" else scope.value(node)
    except (NoCase, Undefined, Kink):
        return None


def agree(left, right, rough: bool = False) -> bool:
    if left is None or right is None:
        return left is right
    close = ROUGH if rough else CLOSE
    return np.shape(left) == np.shape(right) and bool(np.allclose(left, right, rtol=close, atol=close / 100))


def values(scope, made) -> Iterator:
    """The values of a definition at a draw: one, the members of a family, a function at points."""
    if made.parameters is not None:
        rows = [scope.known.declared(p) for p in made.parameters]
        for k in range(5):
            try:
                yield scope.apply(made.name, [scope.draw.value(d, 1000 + k, scope.shape(d)) for d in rows])
            except NoCase:
                yield None
    elif made.of_family:
        low, high = scope.bounds(made.variable) if made.variable else (0, 0)
        for k in [made.member] if made.variable is None else range(low + made.offset, high + made.offset + 1):
            if made.variable is None or scope.applies(made, k) is not None:
                yield scope.lookup(made.name, k)
    else:
        yield scope.lookup(made.name)


__all__ = ["Bench", "Trial", "names_in"]
