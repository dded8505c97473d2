"""Corrupts a displayed equation in one place, and finds out whether the page's check notices.

A corruption that gives the same values on fresh draws is no corruption; it is found by evaluating
the page with it and without it, not by a list.
"""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnfp.book.equations.evaluation import Scope
from nnfp.book.equations.lexer import Token, tokens
from nnfp.book.equations.problems import Problem
from nnfp.book.equations.reading import Display, Source, read
from nnfp.book.equations.relations import difference
from nnfp.book.equations.verdict import PageCheck

FRESH = (101, 102, 103)  # draws that the page's own check never uses
PATIENCE = 30  # seconds for one corruption
OPENING = {"(": 1, ")": -1, "{": 1, "}": -1}
RELATIONS = {"=", "<", ">", r"\le", r"\leq", r"\ge", r"\geq"}
ORDERS = ("<", r"\le", ">", r"\ge")
SWAPPED = {r"\max": r"\min", r"\min": r"\max", r"\sum": r"\prod", r"\log": r"\exp", r"\tanh": r"\exp",
           r"\exp": r"\log", r"\sin": r"\cos", r"\cos": r"\sin"}  # fmt: skip
NOT_DELETED = {"{", "}", "&", "_", "^", r"\begin", r"\end", r"\\", r"\quad", r"\qquad", ",", r"\frac"}
_MARKED = re.compile(r"\\(hat|bar|tilde)\{(\\?[A-Za-z]+)\}$")


@dataclass(frozen=True)
class Mutant:
    """One corruption: its kind, and the page's text from `start` to `end` replaced by `new`."""

    kind: str
    start: int
    end: int
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True)
class Outcome:
    """caught, equivalent, true (another true statement), survived or timeout."""

    status: str
    how: str = ""  # syntax, name, shape, value, rule; "later" before it if another display failed
    message: str = ""


class Corrupter:
    """All corruptions of one display."""

    def __init__(self, display: Display):
        self.t: list[Token] = tokens(display.tex, display.start)
        self.texts = [token.text for token in self.t]
        self.inside = self._inside({"_", "^"})
        self.named = self._inside({r"\begin", r"\end"})
        self.symbols = sorted({x for x, k in zip(self.texts, range(len(self.t))) if self.is_symbol(k)})
        self.letters = sorted({x for k, x in enumerate(self.texts) if self.inside[k] and re.fullmatch("[a-z]", x)})
        self.found: dict[tuple[str, ...], Mutant] = {}

    def all(self) -> list[Mutant]:
        for i in range(len(self.t)):
            if not self.named[i]:
                self.at_sign(i)
                self.at_symbol(i)
                self.at_factor(i)
                if self.texts[i] not in NOT_DELETED and self.t[i].kind != "text":
                    self.add("delete", i, i + 1, "")
        return list(self.found.values())

    def add(self, kind: str, i: int, j: int, new: str) -> None:
        """Tokens i to j (without j) give way to `new`; the same result is kept once."""
        start = self.t[i].start if i < len(self.t) else self.t[-1].end
        end = self.t[j - 1].end if j > i else start
        fresh = [token.text for token in tokens(new)]
        key = tuple(self.texts[:i] + fresh + self.texts[j:])
        if key != tuple(self.texts):
            self.found.setdefault(key, Mutant(kind, start, end, f" {new} " if new else " "))

    def source(self, i: int, j: int) -> str:
        return " ".join(self.texts[i:j])

    def group(self, i: int) -> int:
        """The end of one token or of {...}."""
        if i >= len(self.t) or self.texts[i] not in "{(":
            return min(i + 1, len(self.t))
        depth = 0
        for j in range(i, len(self.t)):
            depth += OPENING.get(self.texts[j], 0)
            if not depth:
                return j + 1
        return len(self.t)

    def _inside(self, openers: set[str]) -> list[bool]:
        inside = [False] * len(self.t)
        for i, text in enumerate(self.texts):
            if text in openers:
                for k in range(i + 1, self.group(i + 1)):
                    inside[k] = True
        return inside

    def is_symbol(self, i: int) -> bool:
        return self.t[i].kind == "symbol" and not self.named[i] and not self.texts[i].startswith(r"\operatorname")

    def unit(self, i: int) -> int | None:
        """The end of a factor with its scripts; None where no factor begins."""
        if i >= len(self.t):
            return None
        text = self.texts[i]
        if text == r"\frac":
            j = self.group(self.group(i + 1))
        elif self.is_symbol(i) or self.t[i].kind == "number":
            j = i + 1
        elif text == "(":
            j = self.group(i)
        else:
            return None
        while j < len(self.t) and self.texts[j] in ("_", "^", "'"):
            j = j + 1 if self.texts[j] == "'" else self.group(j + 1)
        return j

    def at_sign(self, i: int) -> None:
        x, after = self.texts[i], self.texts[i + 1 :]
        if x in ("+", "-"):
            self.add("sign", i, i + 1, "-" if x == "+" else "+")
            if self.inside[i] and after and self.t[i + 1].kind == "number":
                self.add("index shift", i, i + 2, "")
        if x in RELATIONS and x == "=":
            self.add("sign", i, i + 1, x + " -")
        if self.t[i].kind == "number":
            number = float(x) if "." in x else int(x)
            self.add("number", i, i + 1, str(number + 1))
            self.add("number", i, i + 1, str(number / 2) if "." in x else str(max(number - 1, 0)))
        if x == "^" and after[:1] == [r"\top"]:
            self.add("transpose", i, i + 2, "")
        if x == r"\odot":
            for new in ("", "+", r"\otimes"):
                self.add("product", i, i + 1, new)
        if x == r"\otimes":
            self.add("swap", i, i + 1, "")
        if x == r"\frac":
            top = self.group(i + 1)
            bottom = self.group(top)
            self.add("fraction", i, top, "")
            self.add("fraction", i, bottom, r"\frac" + self.source(top, bottom) + self.source(i + 1, top))
        if x == r"\sqrt":
            self.add("root", i, i + 1, "")
        if x == "'":
            self.add("prime", i, i + 1, "")
        if x in SWAPPED:
            self.add("function", i, i + 1, SWAPPED[x])
        if x == r"\sum":
            j = i + 1
            while j < len(self.t) and self.texts[j] in "_^":
                j = self.group(j + 1)
            self.add("sum", i, j, "")
        if x in ORDERS:
            for new in ORDERS:
                self.add("relation", i, i + 1, new)

    def at_symbol(self, i: int) -> None:
        if not self.is_symbol(i):
            return
        x, inside = self.texts[i], self.inside[i]
        others = self.letters if inside and x in self.letters else self.symbols
        for other in others:
            self.add("index" if inside else "symbol", i, i + 1, other)
        if marked := _MARKED.match(x):
            self.add("hat", i, i + 1, marked[2])
        if inside:
            braces = "{%s}" if self.texts[i - 1] in "_^" else "%s"
            self.add("index shift", i, i + 1, braces % f"{x} + 1")
            self.add("index shift", i, i + 1, braces % f"{x} - 1")
        else:
            end = self.unit(i)
            self.add("transpose", end, end, r"^\top")
            self.add("square", end, end, "^2")
            self.add("prime", i + 1, i + 1, "'")

    def at_factor(self, i: int) -> None:
        end = self.unit(i)
        if end is None or self.inside[i]:
            return
        self.add("drop factor", i, end, "")
        if self.texts[i] == "(" and i and (self.t[i - 1].kind == "symbol" or self.texts[i - 1] == "}"):
            return
        second = self.unit(end)
        if second:
            self.add("swap", i, second, self.source(end, second) + " " + self.source(i, end))
            self.add("product", end, end, r"\odot")


def mutants(source: Source) -> Iterator[tuple[int, Mutant]]:
    """(number of the display, corruption) for a whole page."""
    for number, display in enumerate(source.displays):
        for mutant in Corrupter(display).all():
            yield number, mutant


class Slow(Exception):
    """A corruption made the check run too long."""


def _too_long(*_):
    raise Slow


class Trial:
    """Tries corruptions of one page; `skip` are displays that fail as they stand."""

    def __init__(self, text: str, package: dict, strict: bool = True):
        self.text, self.package, self.strict = text, package, strict
        self.skip = {k for k, r in enumerate(self.check(text).check()) if not r.ok}

    def check(self, text: str, **options) -> PageCheck:
        return PageCheck(read(text), self.package, strict=self.strict, **options)

    def run(self, number: int, mutant: Mutant) -> Outcome:
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(PATIENCE)
        try:
            return self._run(number, mutant.applied(self.text))
        except Slow:
            return Outcome("timeout")
        finally:
            signal.alarm(0)

    def _run(self, number: int, text: str) -> Outcome:
        quick = self.check(text, seeds=(1,), corners=0).check(only=range(number, number + 1), stop=True)
        failed = self._first(quick, number)
        if failed is None or failed.how == "rule":  # one draw may not meet every case
            failed = self._first(self.check(text).check(), number)
        if failed is not None:
            return failed
        return Outcome(*self.compare(number, text))

    def _first(self, results, number: int) -> Outcome | None:
        for place, result in enumerate(results):
            if not result.ok and place not in self.skip:
                how = result.problem if place == number else f"later {result.problem}"
                return Outcome("caught", how, result.message.split("\n")[0])
        return None

    def compare(self, number: int, text: str) -> tuple[str, str, str]:
        """Does the corrupted display say the same, something else that is true, or was it missed?"""
        ours, theirs = (self._understood(t, number) for t in (self.text, text))
        (before, work), (after, other) = ours, theirs
        with np.errstate(all="ignore"):
            if not _same_definitions(before, work, after, other):
                return "survived", "", "it defines other values, and nothing on the page notices"
            if _same_claims(before, work, after, other):
                return "equivalent", "", ""
        if any(a == b for claim in other.claims if claim.kind == "rel" for a, b in zip(claim[0], claim[0][1:])):
            return "survived", "", "it states that something equals itself"
        return "true", "", ""

    def _understood(self, text: str, number: int):
        check = self.check(text, seeds=FRESH, corners=0)
        works = []
        for place, display in enumerate(check.source.displays):
            try:
                works.append(check.understand(display))
            except Problem:
                if place == number:
                    raise
                works.append(None)
        return check, works[number]


def _values(scope: Scope, made, arguments) -> list:
    """The values that a definition gives at one draw, and the numbers of its members."""
    if made.parameters is not None:
        return [scope.apply(made.name, arguments)]
    if not made.of_family:
        return [scope.lookup(made.name)]
    low, high = scope.bounds(made.variable) if made.variable else (made.member, made.member)
    members = [k for k in range(low + made.offset, high + made.offset + 1) if scope.applies(made, k) is not None]
    return members + [scope.lookup(made.name, k) for k in members]


def _same_definitions(before: PageCheck, work, after: PageCheck, other) -> bool:
    if [m.name for m in work.made] != [m.name for m in other.made]:
        return False
    for a, b in zip(before.scopes, after.scopes):
        for one, two in zip(work.made, other.made):
            arguments = [a.lookup(p) for p in one.parameters or ()]
            if len(one.parameters or ()) != len(two.parameters or ()):
                return False
            if not _equal(_values(a, one, arguments), _values(b, two, arguments)):
                return False
    return True


def _same_claims(before: PageCheck, work, after: PageCheck, other) -> bool:
    """The same relations between the same values, for the same indices."""
    if [_signs(c) for c in work.claims] != [_signs(c) for c in other.claims]:
        return False
    for a, b in zip(before.scopes, after.scopes):
        for one, two in zip(work.claims, other.claims):
            for old, new in zip(_sides(one), _sides(two)):
                try:
                    if not _equal(_everywhere(before, a, work, old), _everywhere(after, b, other, new)):
                        return False
                except (Problem, ArithmeticError):
                    return False
    return True


def _signs(claim):
    return claim[1] if claim.kind == "rel" else claim.kind


def _sides(claim):
    return claim[0] if claim.kind == "rel" else claim.parts


def _everywhere(check: PageCheck, scope: Scope, work, side) -> list:
    letters = check.free(side)
    letters += [n for guard in work.guards for n in check.free(guard) if n not in letters]
    values = []
    for local in scope.places(letters):
        with scope.binding(**local):
            if all(scope.truth(guard) for guard in work.guards):
                is_statement = side.kind in ("rel", "iff", "implies")
                values.append(float(scope.truth(side)) if is_statement else scope.value(side))
    return values


def _equal(a: list, b: list) -> bool:
    return len(a) == len(b) and all(np.shape(x) == np.shape(y) and difference(x, y) < 1e-9 for x, y in zip(a, b))


__all__ = ["Corrupter", "Mutant", "Outcome", "Trial", "mutants"]
