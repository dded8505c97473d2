"""The notation table of a page: every symbol with its domain, and so its shape."""

import re
from dataclasses import dataclass

from nnfp.book.equations.lexer import tokens
from nnfp.book.equations.nodes import Node, name_of
from nnfp.book.equations.parser import Parser, parse
from nnfp.book.equations.problems import Problem

_HEADER = re.compile(r"^\|\s*Symbol\s*\|\s*Domain\s*\|\s*Meaning\s*\|\s*$", re.I)
_ROW = re.compile(r"^\|\s*\$(.+?)\$\s*\|\s*\$(.+?)\$\s*\|\s*(.*?)\s*\|\s*$")
_RANGE = re.compile(r"^\\\{(.+?),\s*\\[lc]?dots,\s*(.+?)\\\}$")
_CHOICE = re.compile(r"^\\\{(\s*-?[\d.]+\s*(?:,\s*-?[\d.]+\s*)*)\\\}")
_INTERVAL = re.compile(r"^([(\[])\s*(-?[\d.]+|-\\infty)\s*,\s*(-?[\d.]+|\\infty)\s*([)\]])")
_POWER = re.compile(r"^\^(?:\{(.*)\}|(\w))$")


@dataclass(frozen=True)
class Space:
    """Where values live: `choices` of a finite set, or an interval, and a shape."""

    tex: str
    shape: tuple[Node, ...] = ()
    interval: tuple[float, float] | None = None
    closed: tuple[bool, bool] = (False, False)
    choices: tuple[float, ...] = ()

    @property
    def numbers(self) -> tuple:
        """What an entry may be, whatever the shape."""
        return self.interval, self.closed, tuple(sorted(self.choices))

    def contains(self, x: float) -> bool:
        """May an entry have this value?"""
        if self.choices:
            return x in self.choices
        low, high = self.interval or (-float("inf"), float("inf"))
        return (low <= x if self.closed[0] else low < x) and (x <= high if self.closed[1] else x < high)


@dataclass(frozen=True)
class Declaration:
    """One symbol. `index` is the letter of a family such as W^{[l]} or g_t."""

    tex: str
    name: str
    index: str | None
    kind: str  # value, size, index, function
    domain: str
    meaning: str
    line: int
    space: Space | None = None
    bounds: tuple[Node, Node] | None = None
    arguments: tuple[Space, ...] = ()
    fixed: int | None = None

    def says(self, word: str) -> bool:
        """Does the meaning use one of the words that change what is drawn?"""
        return re.search(rf"\b{word}\b", self.meaning) is not None

    def contains(self, x: float) -> bool:
        """May this number have the value x?"""
        if self.kind == "size":
            return x == self.fixed if self.fixed is not None else x >= 1 and x == int(x)
        return self.space.contains(x)


Table = dict[tuple[str, str | None], Declaration]


def declarations(text: str) -> Table:
    """All rows of all tables headed Symbol | Domain | Meaning."""
    rows, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if _HEADER.match(line):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not re.fullmatch(r"[|\s:-]+", line):
            rows.append((number, line))
    indices = {
        symbol
        for _, line in rows
        if (row := _ROW.match(line)) and _RANGE.match(row[2].strip())
        for symbol in _symbols(row[1])
    }
    found: Table = {}
    for number, line in rows:
        row = _ROW.match(line)
        if not row:
            raise Problem(f"line {number}: a row of notation is | $symbol$ | $domain$ | meaning |", kind="rule")
        symbols, numbers = _symbols(row[1]), set(re.findall(r"\d+", row[1]))
        if numbers and (other := set(re.findall(r"\blayers? (\d+)", row[3])) - numbers):
            raise Problem(f"line {number}: layer {min(other)} is not what {row[1].strip()} says", kind="rule")
        for place, symbol in enumerate(symbols):
            one = _declare(symbol, row[2].strip(), row[3], number, indices, (place, len(symbols)))
            key = (one.name, one.index)
            if key in found:
                lines = f"lines {found[key].line} and {number}"
                raise Problem(f"{symbol} is declared twice, in {lines}", kind="rule")
            found[key] = one
    return found


def _symbols(tex: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^{(]*[})])", tex)]


def _declare(tex: str, domain: str, meaning: str, line: int, indices: set[str], place) -> Declaration:
    try:
        node = Parser(tokens(tex), lambda name: False).postfix()
        name, index = _named(node, indices)
        common = {"tex": tex, "name": name, "index": index, "domain": domain, "line": line}
        if name is None:
            raise Problem(f"{tex} is no symbol", kind="syntax")
        common["meaning"] = meaning = re.sub(r"<!--.*?-->", "", meaning)  # what binds a number is for the checker
        if r"\to" in domain:
            source, target = domain.split(r"\to")
            arguments = tuple(_space(part) for part in _factors(source))
            return Declaration(kind="function", space=_space(target), arguments=arguments, **common)
        if domain == r"\mathbb{N}":
            fixed = re.search(r"(?<![<>\w])=\s*(\d+)", meaning)
            return Declaration(kind="size", fixed=fixed and int(fixed[1]), **common)
        if run := _RANGE.match(domain):
            bounds = (parse(run[1]), parse(run[2]))
            return Declaration(kind="index", bounds=bounds, **common)
        return Declaration(kind="value", space=_space(domain), **common)
    except Problem as problem:
        raise Problem(f"line {line}: {problem.message}", kind=problem.kind) from None


def _named(node: Node, indices: set[str]) -> tuple[str | None, str | None]:
    if node.kind == "layer":
        number = node[1][0] if node[1].kind == "num" else None
        return name_of(node[0]), name_of(node[1]) if number is None else str(number)
    if node.kind == "sub" and len(node[1]) == 1 and name_of(node[1][0]) in indices:
        return name_of(node[0]), name_of(node[1][0])
    return name_of(node), None


def _factors(tex: str) -> list[str]:
    r"""The spaces of \mathbb{R}^{m \times n} \times \mathbb{R}: split outside braces."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\times|\\[A-Za-z]+|.", tex.strip()):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if piece == r"\times" and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def _space(tex: str) -> Space:
    tex = tex.strip()
    what: dict = {}
    if tex.startswith(r"\mathbb{R}"):
        rest = tex[len(r"\mathbb{R}") :]
    elif run := _INTERVAL.match(tex):
        low = -float("inf") if "infty" in run[2] else float(run[2])
        high = float("inf") if "infty" in run[3] else float(run[3])
        if not low < high:
            raise Problem(f"the interval {tex} is empty", kind="rule")
        what = {"interval": (low, high), "closed": (run[1] == "[", run[4] == "]")}
        rest = tex[run.end() :]
    elif run := _CHOICE.match(tex):
        what = {"choices": tuple(float(part) for part in run[1].split(","))}
        rest = tex[run.end() :]
    else:
        rest = None
    power = _POWER.match(rest.strip()) if rest else None
    if rest is None or (rest.strip() and not power):
        raise Problem(
            f"the domain {tex} is not in the grammar: write \\mathbb{{N}}, \\mathbb{{R}}, "
            r"\mathbb{R}^{m \times n}, (0, 1), \{0, 1\}, \{1, \dots, L\} or X \to Y",
            kind="syntax",
        )
    body = power and (power[1] or power[2])
    shape = tuple(parse(part) for part in body.split(r"\times")) if body else ()
    if len(shape) > 2:
        raise Problem(f"the domain {tex} has more than two sizes", kind="rule")
    return Space(tex, shape, **what)
