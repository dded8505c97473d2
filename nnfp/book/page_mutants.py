r"""One-token corruptions of a page: what a slip of the pen could make of its code, outputs and prose.

Displays have corruptions of their own (nnfp.book.equations.mutants), so has the code of the package that a
page shows by section (scripts/mutate.py package). Words are not corrupted: no check reads them. Addresses
outside the book are not, either: only the weekly look at the links can tell.
"""

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from nnfp.book import numbers
from nnfp.book.equations.mutants import mutants as of_equation
from nnfp.book.reading import Fence, Page, blank
from nnfp.book.running import MARK

SWAPS = {
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "**": "*", "@": "*", "%": "//", "<": "<=", "<=": "<",
    ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "&": "|", "|": "&",
    "and": "or", "or": "and", "True": "False", "False": "True", "is": "is not",
}  # fmt: skip
NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax", "maximum": "minimum",
    "minimum": "maximum", "zeros": "ones", "ones": "zeros", "exp": "log", "log": "exp", "sin": "cos", "cos": "sin",
    "zeros_like": "ones_like", "ones_like": "zeros_like", "abs": "square", "sqrt": "square", "tanh": "exp",
}  # fmt: skip
_TUPLE = re.compile(r"\((?:\s*[\w\[\]−-]+\s*,)+(?:\s*[\w\[\]−-]+)?\s*\)")
_STATES = re.compile(r"=|<|>|\\(?:le|ge|ne|to|in|approx|propto|ll|gg)\b|:")


@dataclass(frozen=True)
class Mutant:
    """The page with `new` in place of start..end; `place` is where it happens: code, output, prose, ..."""

    place: str
    operation: str
    line: int
    start: int
    end: int
    new: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


def bumped(text: str) -> Iterator[tuple[int, str]]:
    """(offset, digit) for each digit of a text, the next digit in its place."""
    for match in re.finditer(r"\d", text):
        yield match.start(), str((int(match[0]) + 1) % 10)


def parted(cell: str) -> tuple[str, str]:
    """What a cell shows, and the comments behind it that bind it."""
    match = re.fullmatch(r"(.*?)((?:\s*<!--.*?-->)?\s*)", cell)
    return match[1], match[2]


class Mutator:
    """All corruptions of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.starts = [0]
        for line in page.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def mutants(self) -> list[Mutant]:
        found = {}
        for mutant in self._all():
            if mutant.new != self.page.text[mutant.start : mutant.end]:
                found.setdefault((mutant.start, mutant.end, mutant.new), mutant)
        return sorted(found.values(), key=lambda m: (m.start, m.end))

    def _all(self) -> Iterator[Mutant]:
        for fence in self.page.fences:
            if fence.runs and not fence.includes:
                yield from self.code(fence)
                yield from self.output(fence)
            elif fence.language == "answer":
                yield from self.answer(fence)
            elif fence.includes:
                yield from self.include(fence)
        yield from self.prose()
        yield from self.cells()
        yield from self.formulas()
        yield from self.targets()

    def made(self, place: str, operation: str, start: int, end: int, new: str) -> Mutant:
        return Mutant(place, operation, self.page.line_of(start), start, end, new)

    # Code

    def offset(self, fence: Fence, row: int, column: int) -> int:
        """Where a place of a fence's body lies on the page."""
        line = fence.first + row - 1
        raw, cut = self.page.lines[line - 1], fence.body.split("\n")[row - 1]
        return self.starts[line - 1] + len(raw) - len(cut) + column

    def code(self, fence: Fence) -> Iterator[Mutant]:
        try:
            tree = ast.parse(fence.body)
            stream = list(tokenize.generate_tokens(io.StringIO(fence.body + "\n").readline))
        except (SyntaxError, tokenize.TokenError):
            return
        names = [t.string for k, t in enumerate(stream)
                 if t.type == tokenize.NAME and not keyword.iskeyword(t.string) and stream[k - 1].string != "."]  # fmt: skip
        names = list(dict.fromkeys(names))
        for k, token in enumerate(stream):
            start = self.offset(fence, *token.start) if token.string.strip() else 0
            end = start + len(token.string)
            if token.type == tokenize.COMMENT:
                yield from self.comment(token.string, start)
            elif token.string in SWAPS:
                operation = "operator" if token.type == tokenize.OP else "name"
                yield self.made("code", operation, start, end, SWAPS[token.string])
            elif token.type == tokenize.NUMBER:
                for shift, digit in bumped(token.string):
                    yield self.made("code", "digit", start + shift, start + shift + 1, digit)
            elif token.type == tokenize.STRING and (shift := self.letter(token.string)) is not None:
                letter = "x" if token.string[shift] != "x" else "y"
                yield self.made("code", "text", start + shift, start + shift + 1, letter)
            elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                if stream[k - 1].string == ".":
                    if token.string == "T":
                        yield self.made("code", "transpose", start - 1, end, "")
                    elif token.string in NAMES:
                        yield self.made("code", "name", start, end, NAMES[token.string])
                else:
                    before = names.index(token.string) - 1
                    yield self.made("code", "name", start, end, names[before])
        yield from self.arguments(fence, tree)

    @staticmethod
    def letter(text: str) -> int | None:
        """The last letter of a string literal that is no placeholder, prefix or escape."""
        inside = re.sub(r"^\w*|\{[^{}]*\}|\\.", lambda m: " " * len(m[0]), text)
        found = [m.start() for m in re.finditer(r"[A-Za-z]", inside)]
        return found[-1] if found else None

    def arguments(self, fence: Fence, tree: ast.AST) -> Iterator[Mutant]:
        """Two neighbouring arguments swapped, a keyword argument left out, an index moved by one."""
        encoded = [line.encode() for line in fence.body.split("\n")]

        def span(node) -> tuple[int, int]:
            columns = ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
            (a, b), (c, d) = ((row, len(encoded[row - 1][:column].decode())) for row, column in columns)
            return self.offset(fence, a, b), self.offset(fence, c, d)

        text = self.page.text
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for one, two in zip(node.args, node.args[1:], strict=False):
                    (a, b), (c, d) = span(one), span(two)
                    yield self.made("code", "argument", a, d, text[c:d] + text[b:c] + text[a:b])
                for argument in node.keywords:
                    start, end = span(argument)
                    before = re.search(r",\s*$", text[:start])
                    yield self.made("code", "argument", before.start() if before else start, end, "")
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
                start, end = span(node.slice)
                yield self.made("code", "index", start, end, f"{text[start:end]} - 1")

    def comment(self, text: str, start: int) -> Iterator[Mutant]:
        if text.startswith(MARK):
            return
        for match in _TUPLE.finditer(text):
            yield from self.tuple("comment", match[0], start + match.start())
        for match in re.finditer(r"(?<![\w.,\[])\d+(?:\.\d+)?(?![\w\]])", _TUPLE.sub(lambda m: " " * len(m[0]), text)):
            for shift, digit in bumped(match[0]):
                place = start + match.start() + shift
                yield self.made("comment", "digit", place, place + 1, digit)

    def tuple(self, place: str, text: str, start: int) -> Iterator[Mutant]:
        """A shape with one digit changed, and with its first two sizes swapped."""
        for shift, digit in bumped(text):
            yield self.made(place, "shape", start + shift, start + shift + 1, digit)
        parts = re.findall(r"[^(),\s]+", text)
        if len(parts) > 1 and parts[0] != parts[1]:
            new = "(" + ", ".join([parts[1], parts[0], *parts[2:]]) + ")"
            yield self.made(place, "shape", start, start + len(text), new)

    # What the code prints

    def output(self, fence: Fence) -> Iterator[Mutant]:
        for row, text in enumerate(fence.body.split("\n"), 1):
            if not text.strip().startswith(MARK):
                continue
            start = self.offset(fence, row, 0)
            line = self.page.line_of(start)
            yield self.made("output", "line", self.starts[line - 1], self.starts[line], "")
            shown = text.index(MARK) + len(MARK)
            for shift, digit in bumped(text[shown:]):
                place = start + shown + shift
                yield self.made("output", "digit", place, place + 1, digit)
            for match in re.finditer(r"[A-Za-z]+", text[shown:]):
                place = start + shown + match.start()
                yield self.made("output", "text", place, place + 1, "x" if match[0][0] != "x" else "y")
            for match in re.finditer(r"[-+](?=\d)", text[shown:]):
                place = start + shown + match.start()
                yield self.made("output", "sign", place, place + 1, SWAPS[match[0]])

    def answer(self, fence: Fence) -> Iterator[Mutant]:
        """What the page takes as right."""
        for row, text in enumerate(fence.body.split("\n"), 1):
            if match := re.match(r"(right|also): (.*?)(?=<!--|$)", text):
                start = self.offset(fence, row, match.start(2))
                for shift, digit in bumped(match[2]):
                    yield self.made("answer", "digit", start + shift, start + shift + 1, digit)
                for found in re.finditer(r" ([-+*/@]) |\.T\b", match[2]):
                    a, b = found.span(1) if found[1] else found.span()
                    yield self.made("answer", "operator", start + a, start + b, SWAPS.get(found[1], ""))

    def include(self, fence: Fence) -> Iterator[Mutant]:
        """The names of files and sections that a page shows."""
        for line in (fence.line, *(number for number, _, _ in fence.includes)):
            text, start = self.page.lines[line - 1], self.starts[line - 1]
            for match in re.finditer(r'[a-z]+(?=\.py|")', text):
                yield self.made("snippet", "name", start + match.end() - 1, start + match.end(), "")

    # Prose, tables, captions

    def prose(self) -> Iterator[Mutant]:
        """Numbers and tuples outside code and formulas, those in code spans that are nothing else included."""
        text = self.stated()
        for match in _TUPLE.finditer(text):
            if re.search(r"\d", match[0]):
                yield from self.tuple(self.where(match.start()), match[0], match.start())
        text = _TUPLE.sub(lambda m: blank(m[0]), text)
        for match in re.finditer(numbers.NUMBER, text):
            if re.match(r"[\w]", text[match.start() - 1 : match.start()]) or re.match(r"[\w]|-[A-Za-z]", text[match.end() :]):
                continue  # part of a name, such as X2 or 2-D
            for shift, digit in bumped(match[0]):
                place = match.start() + shift
                yield self.made(self.where(place), "digit", place, place + 1, digit)
            if match[0][0] in "-−":
                yield self.made(self.where(match.start()), "sign", match.start(), match.start() + 1, "")
        for comment in self.page.comments:
            if not comment.alone and (match := re.search(r"\b([A-Za-z]+)$", comment.before)):
                word = match[1].lower()
                if word in numbers.WORDS:
                    order = [*numbers.WORDS]
                    new = order[(order.index(word) + 1) % len(order)]
                    place = comment.start - len(match[1])
                    yield self.made(self.where(place), "word", place, comment.start, new)

    def stated(self) -> str:
        """The page's prose with everything blanked in which a number states nothing of the book's own."""
        page = self.page
        text = list(page.plain)
        for match in re.finditer(r"(?<!`)`([^`\n]+)`(?!`)", page.prose):
            if re.fullmatch(numbers.NUMBER, match[1]) or _TUPLE.fullmatch(match[1]):
                text[match.start(1) : match.end(1)] = match[1]
        text = "".join(text)
        for pattern in (r"\]\([^)]*\)", r"\{[^{}\n]*\}", r"<[^>\n]*>", r"(?m)^[ \t]*\d+[.)](?=\s)", r"https?://\S+"):
            text = re.sub(pattern, lambda m: blank(m[0]), text)
        return text

    def where(self, offset: int) -> str:
        """prose, table, caption or alt text."""
        for use in self.page.figures:
            if use.start <= offset < use.end:
                shown = self.page.text[use.start : use.end]
                return "alt text" if offset < use.start + shown.find("](figure:") else "caption"
        return "table" if self.page.lines[self.page.line_of(offset) - 1].lstrip().startswith("|") else "prose"

    def cells(self) -> Iterator[Mutant]:
        """Two neighbouring cells of a table swapped, where a number or a formula stands in both."""
        for number, line in enumerate(self.page.prose.split("\n"), 1):
            if not line.lstrip().startswith("|") or re.fullmatch(r"[\s|:-]+", line):
                continue
            raw = self.page.lines[number - 1]
            cells = [m.span() for m in re.finditer(r"(?<=\|)(?:`[^`]*`|\$[^$]*\$|<!--.*?-->|\\\||[^|])+(?=\|)", raw)]
            for (a, b), (c, d) in zip(cells, cells[1:], strict=False):
                one, two = raw[a:b], raw[c:d]
                if one.strip() != two.strip() and all(re.search(r"\d|\$", re.sub(r"`[^`]*`", "", cell)) for cell in (one, two)):
                    start = self.starts[number - 1]
                    (shown, bound), (other, bound_too) = map(parted, (one, two))
                    yield self.made("table", "cells", start + a, start + d, other + bound + raw[b:c] + shown + bound_too)

    def formulas(self) -> Iterator[Mutant]:
        """Formulas in running text that state something, corrupted as displays are."""
        for formula in self.page.formulas:
            if _STATES.search(formula.text):
                start = formula.start + 1
                for mutant in of_equation(formula.text):
                    yield self.made("formula", mutant.operation, start, start + len(formula.text), mutant.tex)

    def targets(self) -> Iterator[Mutant]:
        r"""A letter lost in a link to a page, an anchor or a figure, and in \eqref."""
        for link in self.page.links:
            if "://" not in link.text and not link.text.startswith("mailto:") and len(link.text) > 2:
                for match in re.finditer(r"[A-Za-z_]+(?=\.md|\.ipynb|$)", link.text):
                    place = link.start + match.end() - 1
                    yield self.made("link", "target", place, place + 1, "")
        for reference in self.page.references:
            place = self.page.text.index(reference.text, reference.start) + len(reference.text) - 1
            yield self.made("link", "target", place, place + 1, "")


def mutants(page: Page) -> list[Mutant]:
    """All corruptions of a page, in reading order."""
    return Mutator(page).mutants()
