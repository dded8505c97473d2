"""Sums written out in prose, `2 · 3 + 1 = 7`, are worked out again.

Numbers, + − · × / √ and brackets on both sides of an equals sign; a single number with decimals must be
the other side rounded as printed, a whole number exactly. Where a bound number stands its shown text counts.
"""

import ast
import math
import operator
import re
from dataclasses import dataclass

from nnfp.book import numbers
from nnfp.book.reading import Page

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_TERM = rf"[-−+]?√?\(*√?[-−+]?{_NUMBER}\)*"
_SIDE = rf"{_TERM}(?:\s*[-−+·×*/]\s*{_TERM})*"
_CHAIN = re.compile(
    rf"(?<![\w.,)\]\[·×*/^+−-])(?<![·×*/^+−-] ){_SIDE}(?:\s*=\s*{_SIDE})+(?![\w%^]|\.\d|,\d|\s*[-−+·×*/^(\[])"
)
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
              ast.Div: operator.truediv, ast.USub: operator.neg, ast.UAdd: operator.pos}  # fmt: skip


@dataclass(frozen=True)
class Sum:
    """A chain of equal sides at start..end of the page; `wrong` says what does not hold."""

    line: int
    start: int
    end: int
    wrong: str | None


def _value(node: ast.AST) -> float:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Call):
        return math.sqrt(_value(node.args[0]))
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand))
    return node.value


def evaluate(side: str) -> float | None:
    """The value of one side, None if it is not a formula after all."""
    text = side.replace(",", "").replace("−", "-").replace("·", "*").replace("×", "*")
    text = re.sub(r"√(?=\()", "sqrt", re.sub(r"√([\d.]+)", r"sqrt(\1)", text))
    text = re.sub(r"(?<![\d.])0+(?=\d)", "", " ".join(text.split()))
    try:
        return _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, KeyError, AttributeError):
        return None


def sums(page: Page) -> list[Sum]:
    """Every sum in the prose of a page. Comments between the parts do not matter."""
    text, found = page.plain, []
    for match in _CHAIN.finditer(text):
        sides = [side.strip() for side in match[0].split("=")]
        values = [evaluate(side) for side in sides]
        if None in values or not any(re.search(r"\d\)*\s*[-−+·×*/]|√", side) for side in sides):
            continue
        wrong = None
        for (a, x), (b, y) in zip(
            zip(sides, values, strict=True), list(zip(sides, values, strict=True))[1:], strict=False
        ):
            if not (_rounds(a, y) or _rounds(b, x) or abs(x - y) <= 1e-9 * max(abs(x), abs(y))):
                wrong = f"{' '.join(a.split())} is {x:.6g}, the page says {' '.join(b.split())}"
                break
        found.append(Sum(page.line_of(match.start()), match.start(), match.end(), wrong))
    return found


def _rounds(side: str, value: float) -> bool:
    """A number with decimals is the value as far as it goes; a whole number must be the value."""
    return "." in side and bool(re.fullmatch(numbers.NUMBER, side)) and numbers.agrees(side, value)
