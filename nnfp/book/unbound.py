r"""Finds results on a page that nothing checks: numbers and shapes without a binding comment.

A number in prose, a table, a caption, a heading or a comment in code must be bound, unless it

- stands in a displayed equation or in a sum that is worked out (nnfp.book.arithmetic),
- names a thing: layer 2, chapter 3, sample 1,
- is cited: its sentence links to the source outside the book, and docs/reference/data/cited.toml says a second time
  what is taken from there; versions and years that stand without a link are in that file too.

So is a tuple: a shape, a point or a row. What only counts ("two layers", "length one") is written as a word.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from nnfp.book import arithmetic, numbers
from nnfp.book.reading import Failure, Page, blank
from nnfp.book.running import MARK, Run

_NAMES = re.compile(
    r"(?:python|numpy|version|chapters?|sections?|exercise|part|seeds?|issue|layers?|neurons?"
    r"|pages?|lines?|columns?|rows?|samples?|classe?s?|licence|serif|sans|float|int|complex|python-|[#§v])\s*$",
    re.I,
)
_YEAR = re.compile(r"(?:\b(?:in|since|after|before|from|to|until|years?|and)|[,(])\s*$", re.I)
_VERSION = re.compile(r"(?i)(?:python|numpy|version|licence|serif|sans)\s+$")
_COUNTED = re.compile(
    r"\s+(?:steps|samples|epochs|neurons|inputs|parameters|times|rows|iterations)\b"
)
_TUPLE = re.compile(r"\(((?:\s*[-−+]?\d+(?:\.\d+)?\s*,)+(?:\s*[-−+]?\d+(?:\.\d+)?)?\s*)\)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_FRACTION = re.compile(r"(?<![·×*/+−-] )(?<![\w.,/)])(\d+)/(\d+)(?![\w/]|\.\d)")
_WORD = "|".join(word for word in numbers.WORDS if word not in ("zero", "one"))
_WORDS = re.compile(
    rf"\b(?:(?:more than|less than|about|nearly|almost|roughly|under|over|only|exactly)\s+(?:a\s+|one\s+)?"
    rf"(?P<a>(?i:{_WORD}))|(?P<b>(?i:{_WORD}))(?=(?:\s+|-)(?:times|fold|per\s?cent)\b))(?!<)\b"
)
_NUMBER = re.compile(rf"(?<![\w.,])(?:{numbers.NUMBER})(?![\w]|-[A-Za-z]|[.,]\d)")
_DIGITS = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def _constants(source: str) -> set[float]:
    """Numbers in a piece of code, with the quotients of two of them."""
    found = set()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            found.add(float(node.value))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Pow | ast.Mult):
            sides = (node.left, node.right)
            if all(isinstance(s, ast.Constant) and isinstance(s.value, int | float) for s in sides):
                try:
                    found.add(float(eval(ast.unparse(node), {"__builtins__": {}})))
                except ArithmeticError:
                    pass
    return found


def _tex_numbers(tex: str) -> set[float]:
    """Numbers in a formula; fractions and powers of ten as well."""
    found = {float(text) for text in _DIGITS.findall(re.sub(r"\\[a-zA-Z]+", " ", tex))}
    for found_here in re.findall(r"\\t?frac\{?(\d+)\}?\{?(\d+)\}?|(?<!\d)(\d+)/(\d+)", tex):
        a, b = (int(part) for part in found_here if part)
        found |= {a / b} if b else set()
    found |= {float(f"1e{power}") for power in re.findall(r"10\^\{?(-?\d{1,3})\}?", tex)}
    return found


class _Given:
    """Numbers that a page's code writes down, and where its sections begin."""

    def __init__(self, page: Page):
        self.starts = [0, *(h.line for h in page.headings)]
        self.code: set[float] = set()
        for fence in page.fences:
            if fence.runs:
                self.code |= _constants(fence.body)

    def start(self, line: int) -> int:
        return max(start for start in self.starts if start <= line)


def _clean(text: str) -> str:
    """Prose without link targets, attributes, tags and numbers of list items."""
    for pattern in (r"!\[(?:[^\[\]]|\[[^\]]*\])*\](?=\(figure:)", r"\]\([^)]*\)", r"\{[^{}\n]*\}", r"<[^>\n]*>",
                    r"(?m)^[ \t]*\d+[.)](?=\s)", r"(?m)^#+(?=\s)", r"https?://\S+"):  # fmt: skip
        text = re.sub(pattern, lambda m: blank(m[0]), text)
    return text


def _text(page: Page) -> str:
    """Prose in which an unbound number would mislead: no math, code, bound number, link target.

    A code span that is nothing but a number stays: it states one.
    """
    text = list(page.plain)
    for match in _SPAN.finditer(page.prose):
        if re.fullmatch(numbers.NUMBER, match[1]) or _TUPLE.fullmatch(match[1]):
            text[match.start(1) : match.end(1)] = match[1]
    for part in numbers.bindings(page)[0] + arithmetic.sums(page):
        text[part.start : part.end] = " " * (part.end - part.start)
    return _clean("".join(text))


CITED = "reference/data/cited.toml"  # below docs/


@lru_cache(8)
def _taken(path: Path, _changed: int) -> tuple[dict, set]:
    """Address -> the numbers taken from there; names with a number, and years, that stand alone."""
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    return file.get("from", {}), set(file.get("alone", []))


def taken(page: Page) -> tuple[dict, set]:
    docs = next((p for p in page.path.parents if p.name == "docs"), None)
    path = docs / CITED if docs else Path()
    return _taken(path, path.stat().st_mtime_ns) if path.is_file() else ({}, set())


def _links(page: Page, offset: int) -> list[str]:
    """What the sentence, list item or table row links to outside the book."""
    marks = re.compile(r"\n[ \t]*\n|\n[ \t]*(?:[-*|]|\d+\.) |(?<![A-Z])[.!?;](?=\s+[A-Z(*])")
    text = page.prose
    start = max([m.end() for m in marks.finditer(text, 0, offset)] or [0])
    end = next((m.start() for m in marks.finditer(text, offset)), len(text))
    return re.findall(r"\]\((https?://[^)\s]+)\)", text[start:end])


def _cited(page: Page, offset: int) -> bool:
    return bool(_links(page, offset))


def _uncited(page: Page, start: int, shown: str) -> list[Failure]:
    """Nothing if one of the links says so too in the list of what is taken from elsewhere."""
    known, links = taken(page)[0], _links(page, start)
    if any(shown in known.get(link, ()) for link in links):
        return []
    message = f"{shown} is not what docs/{CITED} takes from {' or '.join(links)}: look there, then write it in both"
    return [page.failure(page.line_of(start), "unbound", message)]


def _shapes(value: object, depth: int = 0) -> set[tuple]:
    """Shapes of the arrays in a value: in containers and in objects of the page or of nnfp."""
    if type(value).__module__ == "numpy":
        return {getattr(value, "shape", ())}
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple | set):
        parts = value
    elif type(value).__module__.split(".")[0] in ("nnfp", "__main__"):
        parts = getattr(value, "__dict__", {}).values()
    else:
        return set()
    return {found for part in parts for found in _shapes(part, depth + 1)} if depth < 4 else set()


def _rows(page: Page) -> set[tuple]:
    """Rows and columns of numbers that the page's code writes down."""
    found = set()
    for fence in page.fences:
        if not fence.runs:
            continue
        try:
            tree = ast.parse(fence.body)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.List | ast.Tuple):
                continue
            try:
                value = ast.literal_eval(node)
                found.add(tuple(map(float, value)))
            except (ValueError, TypeError):
                continue
        for node in ast.walk(tree):
            if isinstance(node, ast.List):
                try:
                    found |= set(zip(*ast.literal_eval(node), strict=True))
                except (ValueError, TypeError):
                    continue
    return found


def find(page: Page, run: Run) -> list[Failure]:
    """The unbound results of a page."""
    text = _text(page)
    failures, text = _tuples(page, run, text)
    given = _Given(page)
    failures += _numbers(page, text)
    return failures + _formulas(page, given) + _dollars(page) + _columns(page) + _comments(page) + _printed(page, run, given)


def _failure(page: Page, start: int, shown: str) -> Failure:
    shown = " ".join(shown.split())
    message = f"{shown} reports a result and is not bound: write {shown}<!-- expression -->"
    return page.failure(page.line_of(start), "unbound", message)


def _tuples(page: Page, run: Run, text: str) -> tuple[list[Failure], str]:
    """Tuples that are not bound, and in raw output those that are no shape of the page; the text without any."""
    made = {s for name, v in run.namespace.items() if not name.startswith("_") for s in _shapes(v)}
    rows, failures = _rows(page), []
    code = "\n".join(fence.body for fence in page.fences if fence.runs)
    for match in _TUPLE.finditer(text):
        if not code and page.prose[match.start() - 1] == "`":
            continue  # a page without code shows how something is written
        if _cited(page, match.start()):
            failures += _uncited(page, match.start(), match[0])
            continue
        failures.append(_failure(page, match.start(), match[0]))
    for fence in page.fences:
        if fence.language != "text":
            continue
        offset = len("\n".join(page.lines[: fence.first - 1])) + 1
        for match in _TUPLE.finditer(fence.body):
            values = tuple(float(p.replace("−", "-")) for p in match[1].split(",") if p.strip())
            if values not in made | rows and f"({match[1]})" not in code:
                message = f"no array of this page has the shape or row {match[0]}"
                failures.append(page.failure(page.line_of(offset + match.start()), "unbound", message))
    return failures, _TUPLE.sub(lambda m: blank(m[0]), text)


def _numbers(page: Page, text: str) -> list[Failure]:
    failures = []
    for match in _FRACTION.finditer(text):
        failures += _uncited(page, match.start(), match[0]) if _cited(page, match.start()) else [_failure(page, match.start(), match[0])]
    text = _FRACTION.sub(lambda m: blank(m[0]), text)
    for match in _NUMBER.finditer(text):
        value = numbers.parse(match[0]).value
        before, after = text[max(0, match.start() - 30) : match.start()], text[match.end() :]
        whole = re.fullmatch(r"[-−+]?\d+", match[0])
        year = whole and len(match[0]) == 4 and 1900 <= value <= 2100
        named = _NAMES.search(before)
        if named and whole and abs(value) <= 100 and not _VERSION.search(before):
            continue
        if _cited(page, match.start()):
            failures += _uncited(page, match.start(), match[0])
            continue
        year = year and _YEAR.search(before) and not _COUNTED.match(after)
        alone = f"{named[0].strip()} {match[0]}" if named else match[0] if year else None
        if alone is None or alone not in taken(page)[1]:
            failures.append(_failure(page, match.start(), match[0]))
    for match in _WORDS.finditer(text):
        kind = "a" if match["a"] else "b"
        if not page.text.startswith("<!--", match.end(kind)):
            failures.append(_failure(page, match.start(kind), match[kind]))
    return failures


def _formulas(page: Page, given: _Given) -> list[Failure]:
    """Inline formulas that are one number, or say that a letter is one."""
    failures = []
    numeral = rf"(?:{numbers.NUMBER}|10\^\{{?-?\d+\}}?)"
    for formula in page.formulas:
        bound = page.text.startswith("<!--", formula.start + len(formula.text) + 2)
        match = re.fullmatch(rf"(?:[^=]*[A-Za-z][^=]*=\s*)?({numeral})", formula.text.strip())
        if bound or not match or (formula.text.strip().isdigit() and len(formula.text) == 1):
            continue
        power = re.fullmatch(r"10\^\{?(-?\d+)\}?", match[1])
        value = float(f"1e{power[1]}") if power else numbers.parse(match[1]).value
        line = page.line_of(formula.start)
        known = given.code | _tex_numbers(
            "".join(d.tex for d in page.displays if given.start(d.line) == given.start(line))
        )
        if abs(value) in known:
            continue
        if _cited(page, formula.start):
            failures += _uncited(page, formula.start, formula.text)
            continue
        failures.append(_failure(page, formula.start, f"${formula.text}$"))
    return failures


def _dollars(page: Page) -> list[Failure]:
    """Signs that were to open or close a formula: the reader sees them, and nothing reads what they enclose."""
    message = "this $ belongs to no formula: no blank stands behind the first and before the last; \\$ shows one"
    return [page.failure(page.line_of(m.start()), "unbound", message) for m in re.finditer(r"(?<!\\)\$", page.plain)]


def _columns(page: Page) -> list[Failure]:
    """A cell unlike all others of its column: it was exchanged with another, or lost its relation. Labels that count."""
    failures, rows = [], []
    for number, line in enumerate([*page.prose.split("\n"), ""], 1):
        if line.lstrip().startswith("|"):
            hidden = re.sub(r"<!--.*?-->|\$[^$\n]*\$", lambda m: m[0].replace("|", " "), line.strip())
            rows.append((number, [cell.strip() for cell in hidden.split("|")[1:-1]]))
            continue
        if rows and rows[0][1][:2] != ["Symbol", "Domain"]:
            failures += _labels(page, [(rows[0][0], cell) for cell in rows[0][1]])
            failures += _labels(page, [(at, cells[0]) for at, cells in rows[2:]])
            for column in range(min((len(cells) for _, cells in rows[2:]), default=0)):
                cells = [(at, cells[column]) for at, cells in rows[2:] if cells[column]]
                failures += [page.failure(at, "unbound", f"cell {column + 1} of this row {what}, unlike all others of its column") for at, what in _lone(cells)]
        rows = []
    return failures


_STATES = re.compile(r"=|\\(?:le|ge|approx|propto|ne|to)\b|[<>]")


def _lone(cells: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The line of the one cell that is bound or not, states a relation or not, or begins otherwise, and what it does."""
    ways = [lambda cell: "is bound" if "<!--" in cell else "is not bound"]
    if all(re.fullmatch(r"\$[^$]+\$", cell) for _, cell in cells):
        ways += [lambda cell: "states a relation" if _STATES.search(cell) else "states no relation"]
        if all(_STATES.search(cell) for _, cell in cells):
            ways += [lambda cell: f"begins with {re.match(r'.(.[a-z]*)', cell)[1]}"]
    for way in ways:
        tally = Counter(way(cell) for _, cell in cells)
        if len(cells) > 3 and len(tally) == 2 and min(tally.values()) == 1:
            lone = min(tally, key=tally.__getitem__)
            yield next(at for at, cell in cells if way(cell) == lone), lone


def _labels(page: Page, cells: list[tuple[int, str]]) -> list[Failure]:
    """Labels that differ in their number only, such as "sample 1" and "sample 2": the number counts up by one."""
    groups: dict[str, list[tuple[int, int]]] = {}
    for at, cell in cells:
        if match := re.fullmatch(r"([A-Za-z][^$\d<`]*)(\d)", cell):
            groups.setdefault(match[1], []).append((at, int(match[2])))
    return [
        page.failure(at, "unbound", f"the label {label}{n} comes after {label}{before}")
        for label, found in groups.items()
        for (_, before), (at, n) in pairwise(found)
        if n != before + 1
    ]


def _comments(page: Page) -> list[Failure]:
    """Comments in code that state a number which the code of their fence does not have."""
    failures = []
    for fence in page.fences:
        if not fence.runs:
            continue
        known = _constants(fence.body)
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(fence.body + "\n").readline))
        except (tokenize.TokenError, SyntaxError):
            continue
        for token in tokens:
            if token.type != tokenize.COMMENT or token.string.startswith(MARK):
                continue
            text = _TUPLE.sub(" ", token.string)  # shapes are compared by nnfp.book.shapes
            for match in _NUMBER.finditer(text):
                if abs(numbers.parse(match[0]).value) not in known:
                    message = f"the comment states {match[0]}, which nothing checks: print it"
                    line = fence.first + token.start[0] - 1
                    failures.append(page.failure(line, "unbound", message))
    return failures


def _printed(page: Page, run: Run, given: _Given) -> list[Failure]:
    """Numbers in the fixed parts of what is printed: nothing computes them."""
    made = {s for name, v in run.namespace.items() if not name.startswith("_") for s in _shapes(v)}
    made |= _rows(page)
    failures = []
    for fence in page.fences:
        if not fence.runs:
            continue
        try:
            tree = ast.parse(fence.body)
        except SyntaxError:
            continue
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "print"]
        known = given.code | _constants(fence.body)
        for part in (p for call in calls for argument in call.args for p in _fixed(argument)):
            line = fence.first + part.lineno - 1
            for match in _TUPLE.finditer(part.value):
                values = tuple(float(p) for p in match[1].split(",") if p.strip())
                if values not in made and not all(abs(v) in known for v in values):
                    message = f"prints the fixed text {match[0]}, which is no shape or row of this page"
                    failures.append(page.failure(line, "unbound", message))
            for match in _NUMBER.finditer(_TUPLE.sub(" ", part.value)):
                if abs(numbers.parse(match[0]).value) not in known:
                    message = f"prints the fixed number {match[0]}, which nothing computes: put it in braces"
                    failures.append(page.failure(line, "unbound", message))
    return failures


def _fixed(node: ast.expr) -> list[ast.Constant]:
    """The parts of a string, or of an f-string, that are written down."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return [p for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
