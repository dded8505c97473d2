"""How many corruptions of a page's equations does its check catch?

A mutant is tried like a page with a slip in it: the display itself, then all that builds on it.
One that survives is compared with the original on fresh draws: if it says something true, or
defines the same value, nobody could have caught it.
"""

import dataclasses
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnfp.book.equations.mutants import Mutant, mutants
from nnfp.book.equations.nodes import names_in
from nnfp.book.equations.normal import Normal
from nnfp.book.equations.problems import Problem
from nnfp.book.equations.reading import Source, read
from nnfp.book.equations.verdict import PageCheck, Work

QUICK = (2,)  # the first look: one draw
FRESH = (1001, 1002, 1003, 1004, 1005, 1006)  # for the comparison with the original
SECONDS = 20
SAME, TRUE, CAUGHT, SURVIVED = "same", "true", "caught", "survived"


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
        except (Problem, RecursionError, ArithmeticError, ValueError, TypeError, IndexError, KeyError):
            return None

    def excused(self, place: int, source: Source) -> tuple[str, str, str]:
        try:
            with np.errstate(all="ignore"):
                one, mine = self.prepared(source, place, seeds=FRESH)
                two, original = self.prepared(self.source, place, seeds=FRESH)
                if not self.equal_definitions(one, mine, two, original):
                    return SURVIVED, "another definition, and nothing that builds on it differs", ""
                for claim in mine.claims:
                    work = dataclasses.replace(mine, claims=[claim])
                    one.judge_claims(work)
        except (Problem, RecursionError, ArithmeticError, ValueError, TypeError, IndexError, KeyError) as problem:
            return SURVIVED, "false on fresh draws", str(problem).splitlines()[0][:120]
        if mine.made and not mine.claims:
            return TRUE, "defines the same value on fresh draws", ""
        return TRUE, "a true statement on fresh draws", ""

    def equal_definitions(self, one: PageCheck, mine: Work, two: PageCheck, original: Work) -> bool:
        if {m.name for m in mine.made} != {m.name for m in original.made}:
            return False
        for made in original.made:
            for a, b in zip(one.scopes, two.scopes):
                for left, right in zip(values(a, made), values(b, made)):
                    if np.shape(left) != np.shape(right) or not np.allclose(left, right, rtol=1e-11, atol=1e-13):
                        return False
        return True


def values(scope, made) -> Iterator:
    """The values of a definition at a draw: one, the members of a family, a function at points."""
    if made.parameters is not None:
        for k in range(5):
            draw = [scope.draw.value(scope.known.declared(p), 1000 + k, scope.shape(scope.known.declared(p))) for p in made.parameters]
            yield scope.apply(made.name, draw)
    elif made.of_family:
        low, high = scope.bounds(made.variable) if made.variable else (0, 0)
        for k in [made.member] if made.variable is None else range(low + made.offset, high + made.offset + 1):
            if made.variable is None or scope.applies(made, k) is not None:
                yield scope.lookup(made.name, k)
    else:
        yield scope.lookup(made.name)


__all__ = ["Bench", "Trial", "names_in"]
