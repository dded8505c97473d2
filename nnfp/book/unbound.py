"""Finds results in prose that nothing checks: numbers and shapes without a binding comment.

A number passes if it is bound, stands in math, is an input of the page's code, is plainly
structural (a small count, a year, a version) or is cited with a link to its source.
"""

import ast
import re

from nnfp.book import arithmetic, numbers
from nnfp.book.reading import Failure, Page, blank
from nnfp.book.running import Run

_BEFORE = re.compile(
    r"(?:python|numpy|version|chapters?|sections?|steps?|exercise|part|seeds?|issue|layers?|neurons?"
    r"|pages?|lines?|columns?|rows?|float|int|complex|python-|[#§v])\s*$",
    re.I,
)
_RESULT = re.compile(r"\s*(?:%|×|\\times|times|percent|fold|-fold)(?!\w)")
_SPAN = re.compile(r"(?<!`)`(\((?:\s*\d+\s*,\s*)+(?:\d+\s*)?\))`")


def _inputs(page: Page) -> set[float]:
    """Numbers that the page's code is given, and those in its formulas."""
    found = set()
    for fence in page.fences:
        if not fence.runs:
            continue
        try:
            tree = ast.parse(fence.body)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                found.add(float(node.value))
    formulas = "".join(a if b == " " else " " for a, b in zip(page.words, page.plain, strict=True))
    for text in re.findall(r"\d+(?:\.\d+)?", formulas):
        found.add(float(text))
    return found


def _text(page: Page) -> str:
    """Prose in which an unbound number would mislead: no math, code, bound number, link target."""
    text = list(page.plain)
    for part in numbers.bindings(page)[0] + arithmetic.sums(page):
        text[part.start : part.end] = " " * (part.end - part.start)
    joined = "".join(text)
    for pattern in (r"(?m)^#.*$", r"!\[(?:[^\[\]]|\[[^\]]*\])*\]", r"\]\([^)]*\)", r"\{[^{}\n]*\}", r"<[^>\n]*>",
                    r"(?m)^[ \t]*\d+[.)](?=\s)", r"https?://\S+"):  # fmt: skip
        joined = re.sub(pattern, lambda m: blank(m[0]), joined)
    return joined


def _cited(page: Page, offset: int) -> bool:
    """True if the paragraph, list item or table row links to something outside the book."""
    start = max(page.prose.rfind(mark, 0, offset) for mark in ("\n\n", "\n- ", "\n| ", "\n* "))
    ends = [page.prose.find(mark, offset) for mark in ("\n\n", "\n- ", "\n| ", "\n* ")]
    end = min([e for e in ends if e >= 0] or [len(page.prose)])
    return "](http" in page.prose[max(start, 0) : end]


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


def find(page: Page, run: Run) -> list[Failure]:
    """The unbound results of a page."""
    failures, text, inputs = [], _text(page), _inputs(page)
    for match in re.finditer(rf"(?<![\w.,])(?:{numbers.NUMBER})(?![\w]|-[A-Za-z]|[.,]\d)", text):
        value = numbers.parse(match[0]).value
        whole = re.fullmatch(r"[-−+]?\d+", match[0])
        before, after = text[: match.start()], text[match.end() :]
        small = whole and abs(value) <= 12 and not _RESULT.match(after)
        tens = re.fullmatch(r"10*", match[0].replace(",", ""))
        year = whole and len(match[0]) == 4 and 1900 <= value <= 2100
        if small or tens or year or _BEFORE.search(before[-20:]) or _cited(page, match.start()):
            continue
        if abs(value) in inputs and not _RESULT.match(after):
            continue
        message = (
            f"{match[0]} reports a result and is not bound: write {match[0]}<!-- expression -->"
        )
        failures.append(page.failure(page.line_of(match.start()), "unbound", message))
    return failures + _unbound_shapes(page, run)


def _unbound_shapes(page: Page, run: Run) -> list[Failure]:
    bound = {b.start for b in numbers.bindings(page)[0]}
    made = {s for name, v in run.namespace.items() if not name.startswith("_") for s in _shapes(v)}
    code = "\n".join(fence.body for fence in page.fences if fence.runs)
    failures = []
    for match in _SPAN.finditer(page.prose):
        shape = ast.literal_eval(match[1])
        if match.start() in bound or shape in made or str(shape) in code:
            continue
        message = (
            f"no array of this page has the shape {match[1]}; bind it: `{match[1]}`<!-- X.shape -->"
        )
        failures.append(page.failure(page.line_of(match.start()), "unbound", message))
    return failures
