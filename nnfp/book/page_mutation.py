"""How many one-token corruptions of a page do its checks catch?

Each mutant (nnfp.book.page_mutants) is tried as if a slip had happened in the Markdown. The page runs once;
where code is corrupted, a copy of the process goes on from the fence before, so that nothing runs twice. A
mutant that passes is the same if everything that the page's code leaves behind is the same to the bit, or if a
formula has equal values on fresh draws. All others survive.
"""

import dataclasses
import hashlib
import json
import os
import pickle
import signal
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnfp.book import pages, running
from nnfp.book.equations import check_page, public_names
from nnfp.book.equations.inline import Inline, equality, pieces
from nnfp.book.equations.lexer import tokens
from nnfp.book.equations.mutation import (
    CAUGHT,
    EQUAL,
    ERRORS,
    FRESH,
    SAME,
    SURVIVED,
    agree,
    alike,
    found,
    parts_of,
)
from nnfp.book.equations.normal import Normal
from nnfp.book.equations.reading import read
from nnfp.book.equations.verdict import PageCheck
from nnfp.book.page_mutants import Mutant, mutants
from nnfp.book.reading import Book, Page

SECONDS = 60
STATIC = ("numbers", "unbound", "figures")  # what looks at prose, given the run of the page
KINDS = {
    "prose": STATIC, "caption": STATIC, "alt text": STATIC, "link": ("links", "figures", "labels"),
    "snippet": ("snippets",), "answer": ("answers",), "table": STATIC, "formula": STATIC,
    "code": ("numbers", "values", "unbound", "snippets", "answers"), "comment": ("numbers", "unbound"),
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """What became of a mutant: `how` names the check that saw it, or says why none could."""

    place: str
    operation: str
    line: int
    change: str
    outcome: str
    how: str = ""
    message: str = ""


class TooSlow(BaseException):  # not an Exception: a page's code may not swallow it
    """The corrupted page takes too long: somebody would notice."""


def _alarm(*_):
    raise TooSlow


def digest(value: object, depth: int = 0) -> str:
    """A string that is equal for values equal to the bit; code counts by what it does, not where it stands."""
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, types.FunctionType) and value.__module__ in ("__main__", None):
        kept = [digest(cell.cell_contents, depth + 1) for cell in value.__closure__ or ()] if depth < 4 else []
        return f"function {_code(value.__code__)} {value.__defaults__} {kept}"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hashlib.sha1(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {digest(part, depth + 1)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(digest(part, depth + 1) for part in value)})"
    if type(value).__module__.split(".")[0] in ("nnfp", "__main__") and hasattr(value, "__dict__") and depth < 6:
        return f"{type(value).__name__} {digest({**vars(value)}, depth + 1)}"
    try:
        return hashlib.sha1(pickle.dumps(value)).hexdigest()
    except Exception:
        return f"{type(value)}"


def _code(code: types.CodeType) -> str:
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames}"


def left_behind(run: running.Run) -> dict[str, str]:
    return {name: digest(value) for name, value in run.namespace.items() if not name.startswith("_")}


class Bench:
    """Tries the mutants of one page."""

    def __init__(self, home: str, book: Book | None = None):
        self.checker = pages.Checker(book)
        self.page = next(p for p in self.checker.book.pages if p.home == home)
        self.run = self.checker.run(self.page)
        one, two = self.run, running.run(self.page)  # a timing differs between two runs
        self.left = {k: v for k, v in left_behind(one).items() if left_behind(two).get(k) == v}
        self.wrong = {f.message for f in self.checker.check(self.page, [k for k in pages.KINDS if k != "equations"]).failures}
        self.wrong |= {r.message for r in check_page(self.page.text, inline=True, forms=False) if not r.ok}
        self.package = public_names()
        self.fresh = PageCheck(read(self.page.text), self.package, seeds=FRESH)
        self.fresh.check()
        self.check = PageCheck(read(self.page.text), self.package)
        self.check.check()

    def mutants(self) -> list[Mutant]:
        return mutants(self.page)

    def trials(self, chosen: list[Mutant]) -> Iterator[Trial]:
        """What becomes of each of the mutants; those of code come last."""
        coded = [m for m in chosen if m.place in ("code", "comment")]
        for mutant in chosen:
            if mutant.place not in ("code", "comment"):
                yield self.described(mutant, *self.in_time(lambda mutant=mutant: self.judge(mutant)))
        for mutant, verdict in self.code(coded):
            yield self.described(mutant, *verdict)

    def described(self, mutant: Mutant, outcome: str, how: str = "", message: str = "") -> Trial:
        text, page = self.page.text, self.page
        line = page.lines[mutant.line - 1]
        start = mutant.start - (text.rfind("\n", 0, mutant.start) + 1)
        changed = line[:start] + mutant.new + line[start + mutant.end - mutant.start :]
        if mutant.operation == "line":
            changed = f"without {line.strip()}"
        elif mutant.place == "formula":
            changed = f"{text[mutant.start : mutant.end]} → {mutant.new}"
        return Trial(mutant.place, mutant.operation, mutant.line, " ".join(changed.split())[:160], outcome, how, message[:160])

    @staticmethod
    def in_time(judge) -> tuple:
        previous = signal.signal(signal.SIGALRM, _alarm)
        signal.alarm(SECONDS)
        try:
            return judge()
        except TooSlow:
            return CAUGHT, "time", "takes too long"
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)

    def changed(self, mutant: Mutant) -> Page:
        return Page(self.page.path, self.page.home, mutant.apply(self.page.text), self.page.shown)

    def seen(self, page: Page, run: running.Run, kinds) -> tuple | None:
        """The first failure of some checks that the page as it is does not have."""
        self.checker._runs[page.shown] = (page.text, run)
        try:
            for kind in kinds:
                for failure in pages.KINDS[kind](self.checker, page, Counter()):
                    if failure.message not in self.wrong:
                        return CAUGHT, failure.kind, failure.message.splitlines()[0]
        finally:
            self.checker._runs[self.page.shown] = (self.page.text, self.run)
        return None

    # Corruptions that leave the code alone

    def judge(self, mutant: Mutant) -> tuple:
        page = self.changed(mutant)
        run = dataclasses.replace(self.run, page=page)
        if mutant.place == "output":
            return self.output(page, run)
        if seen := self.seen(page, run, KINDS[mutant.place]):
            return seen
        if mutant.place == "table" or (mutant.place == "formula" and self.declares(mutant)):
            for result in check_page(page.text, inline=True, forms=False):
                if not result.ok and result.message not in self.wrong:
                    return CAUGHT, "equation", result.message.splitlines()[0]
        elif mutant.place == "formula":
            return self.formula(mutant, page)
        return SURVIVED, "no check looks at it", ""

    def output(self, page: Page, run: running.Run) -> tuple:
        printed = iter([s.printed for s in self.run.statements])
        run.statements = []
        for fence in page.fences:
            if fence.runs and not fence.includes:
                statements = running.split(page, fence)
                if lost := running.misplaced(page, fence, statements):
                    return CAUGHT, "output", lost[0].message
                run.statements += [dataclasses.replace(s, printed=next(printed)) for s in statements]
        failures = running.compare(run)
        if failures:
            return CAUGHT, failures[0].kind, failures[0].message
        return SURVIVED, "the output is not compared", ""

    def declares(self, mutant: Mutant) -> bool:
        return self.page.lines[mutant.line - 1].lstrip().startswith("|")

    def formula(self, mutant: Mutant, page: Page) -> tuple:
        original = self.page.text[mutant.start : mutant.end]
        judged = Inline(self.check)
        source, self.check.source = self.check.source, read(page.text)
        try:
            formula = next(f for f in page.formulas if f.start + 1 == mutant.start)
            result = pages_result(formula)
            judged.formula(tokens(formula.text, formula.start + 1), formula.text, result)
        except (StopIteration, *ERRORS) as problem:
            return CAUGHT, "equation", (str(problem).splitlines() or ["no formula any more"])[0]
        finally:
            self.check.source = source
        try:
            with np.errstate(all="ignore"):
                return self.excused(mutant.new, original)
        except ERRORS as problem:
            return SURVIVED, "states what is not judged", str(problem).splitlines()[0][:100]

    def excused(self, mine: str, original: str) -> tuple:
        """The same in other words, or a survivor."""
        both = [[equality(self.fresh.parse(p)) for p in pieces(tokens(tex, 0))] for tex in (mine, original)]
        if len(both[0]) != len(both[1]):
            return SURVIVED, "states what is not judged", ""
        scope, equal = self.fresh.scopes[0], True
        for one, other in zip(*both, strict=True):
            letters = self.fresh.free(one)
            if Normal(scope, letters).form(one) == Normal(scope, self.fresh.free(other)).form(other):
                continue
            if one.kind != "rel" or not alike(one, other) or letters != self.fresh.free(other):
                return SURVIVED, "another statement, true as well", ""
            for scope in self.fresh.scopes:
                for local in scope.places(letters):
                    with scope.binding(**local):
                        for left, right in parts_of([one], [other]):
                            scope.rough = False
                            equal &= agree(found(scope, left), found(scope, right), scope.rough)
        return (EQUAL, "equal values on fresh draws", "") if equal else (SURVIVED, "another statement, true as well", "")

    # Corruptions of code: a copy of the process for each

    def code(self, chosen: list[Mutant]) -> Iterator[tuple[Mutant, tuple]]:
        waiting: dict[int, list[Mutant]] = {}
        for mutant in chosen:
            place = max(k for k, fence in enumerate(self.page.fences) if fence.line <= mutant.line)
            waiting.setdefault(place, []).append(mutant)
        run = running.Run(self.page, namespace={"__name__": "__main__", "__builtins__": __builtins__})
        steps = running.steps(run)
        for place in steps:
            for mutant in waiting.pop(place, ()):
                yield mutant, self.copied(lambda mutant=mutant: self.go_on(mutant, run, steps))
            if not waiting:
                break
        steps.close()

    @staticmethod
    def copied(judge) -> tuple:
        """`judge` in a copy of this process, which it may leave in any state."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                verdict = Bench.in_time(judge)
            except BaseException as error:  # whatever the corruption did: it was noticed
                verdict = CAUGHT, "error", running.describe(error)
            with os.fdopen(writing, "w") as pipe:
                json.dump(verdict, pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        return tuple(json.loads(answer)) if answer else (CAUGHT, "error", "Python itself gave up")

    def go_on(self, mutant: Mutant, run: running.Run, steps: Iterator[int]) -> tuple:
        """The rest of the page with the corruption in it, up to the first failure."""
        run.page = page = self.changed(mutant)
        self.checker.book.page = None  # nothing else is read here
        while True:
            place = next(steps, None)
            failures = [f for f in run.failures + running.compare(run) if f.message not in self.wrong]
            if failures:
                return CAUGHT, failures[0].kind, failures[0].message.splitlines()[0]
            if place is None:
                break
        if seen := self.seen(page, run, KINDS[mutant.place]):
            return seen
        if mutant.place == "code" and self.left.items() <= left_behind(run).items():
            return EQUAL, "the page's code leaves the same behind", ""
        return SURVIVED, "nothing printed, bound or asserted differs", ""


def pages_result(formula):
    """A verdict to fill in."""
    from nnfp.book.equations import Result

    return Result("", "", formula.line, formula.text, "inline")


__all__ = ["Bench", "CAUGHT", "EQUAL", "SAME", "SURVIVED", "Trial", "digest"]
