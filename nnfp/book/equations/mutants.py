"""One-symbol corruptions of an equation: what a slip of the pen could make of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnfp.book.equations.lexer import Token, tokens

ORDERS = ("<", r"\le", ">", r"\ge")
SWAPS = {
    r"\max": r"\min", r"\min": r"\max", r"\log": r"\exp", r"\ln": r"\exp", r"\tanh": r"\exp",
    r"\sum": r"\prod", r"\prod": r"\sum", r"\sin": r"\cos", r"\cos": r"\sin", r"\iff": r"\implies",
}  # fmt: skip
FIXED = {"{", "}", "&", "_", "^", ",", ":", r"\begin", r"\end", r"\\", r"\quad", r"\qquad", r"\frac", r"\tfrac"}


@dataclass(frozen=True)
class Mutant:
    """`tex` is the whole display with one thing changed; `start` and `end` are where."""

    operation: str
    tex: str
    start: int
    end: int


class Mutator:
    """All corruptions of the TeX of a display."""

    def __init__(self, tex: str):
        self.tex = tex
        self.stream = tokens(tex)
        self.count = len(self.stream)
        self.inside = [False] * self.count  # in a subscript or superscript
        self.named = [False] * self.count  # in the name of an environment
        for k, token in enumerate(self.stream):
            if token.text in "_^":
                for j in range(k + 1, self.group(k + 1)):
                    self.inside[j] = True
            if token.text in (r"\begin", r"\end"):
                for j in range(k + 1, self.group(k + 1)):
                    self.named[j] = True
        letters = [k for k in range(self.count) if self.stream[k].kind == "symbol" and not self.named[k]]
        self.symbols = sorted({self.stream[k].text for k in letters if self.is_name(self.stream[k])})
        self.indices = sorted(
            {self.stream[k].text for k in letters if self.inside[k] and re.fullmatch("[a-z]", self.stream[k].text)}
        )

    @staticmethod
    def is_name(token: Token) -> bool:
        """A symbol that another can stand for: no \\operatorname, no \\mathbb."""
        return token.kind == "symbol" and not re.match(r"\\(mathbb|operatorname)\{", token.text)

    def group(self, k: int) -> int:
        """The end of what begins at token k: one token or a {...} group."""
        if k >= self.count or self.stream[k].text != "{":
            return min(k + 1, self.count)
        depth = 0
        for j in range(k, self.count):
            depth += {"{": 1, "}": -1}.get(self.stream[j].text, 0)
            if not depth:
                return j + 1
        return self.count

    def unit(self, k: int) -> int | None:
        """The end of a factor with its scripts, or None when none begins at k."""
        if k >= self.count:
            return None
        token = self.stream[k]
        if token.kind in ("symbol", "number"):
            j = k + 1
        elif token.text == "(":
            depth, j = 0, k
            while j < self.count:
                depth += {"(": 1, ")": -1}.get(self.stream[j].text, 0)
                j += 1
                if not depth:
                    break
        elif token.text in (r"\frac", r"\tfrac"):
            j = self.group(self.group(k + 1))
        else:
            return None
        while j < self.count and self.stream[j].text in ("_", "^", "'"):
            j = j + 1 if self.stream[j].text == "'" else self.group(j + 1)
        return j

    def text(self, first: int, last: int) -> str:
        """The TeX of the tokens first..last-1, as it stands on the page."""
        return self.tex[self.stream[first].start : self.stream[last - 1].end] if last > first else ""

    def change(self, first: int, last: int, new: str) -> tuple[int, int, str]:
        if first >= self.count:
            return len(self.tex), len(self.tex), new
        start = self.stream[first].start
        end = self.stream[last - 1].end if last > first else start
        return start, end, new

    def all(self) -> list[Mutant]:
        """Every corruption once; the first operation that makes it gives it its name."""
        plain = [token.text for token in self.stream]
        found: dict[tuple, Mutant] = {}
        for k in range(self.count):
            if self.named[k]:
                continue
            for operation, (start, end, new) in self.at(k):
                pad = " " if new[-1:].isalpha() and self.tex[end : end + 1].isalpha() else ""
                front = " " if re.search(r"\\[A-Za-z]+$", self.tex[:start]) and new[:1].isalpha() else ""
                tex = self.tex[:start] + front + new + pad + self.tex[end:]
                key = tuple(token.text for token in tokens(tex))
                if list(key) != plain and key not in found:
                    found[key] = Mutant(operation, tex, start, start + len(front + new))
        return list(found.values())

    def at(self, k: int) -> Iterator[tuple[str, tuple[int, int, str]]]:
        token = self.stream[k]
        text = token.text
        if text in "+-":
            yield "sign", self.change(k, k + 1, "-" if text == "+" else "+")
            if text == "-":
                yield "sign", self.change(k, k + 1, "")
        if text == "=" and self.stream[k - 1].text != ":":
            yield "sign", self.change(k, k + 1, "= -")
            if not self.inside[k]:
                for other in (*ORDERS, r"\ne"):
                    yield "relation", self.change(k, k + 1, other + " ")
        if text in ORDERS:
            for other in ORDERS:
                yield "relation", self.change(k, k + 1, other + " ")
        if text in (r"\ne", r"\neq"):
            yield "relation", self.change(k, k + 1, "=")
        if token.kind == "number":
            yield from self.number(k)
        if text == "^" and k + 1 < self.count:
            if self.stream[k + 1].text == r"\top":
                yield "transpose", self.change(k, k + 2, "")
            elif self.text(k + 1, self.group(k + 1)).strip("{}") == "2":
                yield "square", self.change(k, self.group(k + 1), "")
        if text in (r"\odot", r"\otimes"):
            for other in ("", "+", r"\otimes " if text == r"\odot" else r"\odot "):
                yield "hadamard", self.change(k, k + 1, other)
        if text in (r"\frac", r"\tfrac"):
            middle = self.group(k + 1)
            end = self.group(middle)
            yield "fraction", self.change(k, end, "")
            yield "fraction", self.change(k + 1, end, self.text(middle, end) + self.text(k + 1, middle))
        if match := re.match(r"\\(hat|bar|tilde)\{(.*)\}$", text):
            yield "hat", self.change(k, k + 1, match[2] + " ")
        if text == "'":
            yield "prime", self.change(k, k + 1, "")
        if text in SWAPS:
            yield "function", self.change(k, k + 1, SWAPS[text] + " ")
        if text in (r"\sum", r"\prod"):
            yield "sum", self.change(k, self.scripts(k + 1), "")
        if text == r"\sqrt":
            yield "root", self.change(k, k + 1, "")
        if token.kind == "text":
            for other in (" ", r"\text{unless }"):
                yield "word", self.change(k, k + 1, other)
        if token.kind == "symbol":
            yield from self.symbol(k)
        if text in "+-" and self.inside[k] and k + 1 < self.count and self.stream[k + 1].kind == "number":
            yield "index shift", self.change(k, k + 2, "")
        yield from self.factors(k)
        if text not in FIXED and token.kind != "text":
            yield "deletion", self.change(k, k + 1, "")

    def number(self, k: int):
        text = self.stream[k].text
        if text.isdigit():
            yield "number", self.change(k, k + 1, str(int(text) + 1))
            if int(text) > 0:
                yield "number", self.change(k, k + 1, str(int(text) - 1))
        else:
            places = len(text.partition(".")[2])
            yield "number", self.change(k, k + 1, f"{float(text) + 10**-places:.{places}f}")

    def scripts(self, k: int) -> int:
        while k < self.count and self.stream[k].text in "_^":
            k = self.group(k + 1)
        return k

    def symbol(self, k: int):
        token = self.stream[k]
        text = token.text
        if self.inside[k] and text in self.indices:
            for other in self.indices:
                yield "index", self.change(k, k + 1, other + " ")
        elif self.is_name(token):
            for other in self.symbols:
                yield "symbol", self.change(k, k + 1, other + " ")
        if self.inside[k] and self.is_name(token):
            bare = self.stream[k - 1].text in "_^"
            for shift in ("+ 1", "- 1"):
                yield "index shift", self.change(k, k + 1, f"{{{text} {shift}}}" if bare else f"{text} {shift} ")
        if not self.inside[k] and self.is_name(token):
            end = self.unit(k)
            whole = self.text(k, end)
            yield "transpose", self.change(k, end, whole + r"^\top ")
            yield "square", self.change(k, end, whole + "^2 ")
            yield "prime", self.change(k, k + 1, text + "'")

    def factors(self, k: int):
        """Two factors side by side: swapped, multiplied entry by entry, one of them dropped."""
        end = self.unit(k)
        if end is None or self.inside[k]:
            return
        if self.stream[k].text == "(":
            for operation, power in (("transpose", r"^\top "), ("square", "^2 ")):
                yield operation, self.change(k, end, self.text(k, end) + power)
            if k and self.stream[k - 1].kind == "symbol":  # a function's argument, perhaps
                return
        last = self.unit(end)
        if last is not None:
            yield "swapped factors", self.change(k, last, f"{self.text(end, last)} {self.text(k, end)} ")
            yield "hadamard", self.change(k, last, f"{self.text(k, end)} \\odot {self.text(end, last)} ")
        yield "factor", self.change(k, end, "")


def mutants(tex: str) -> list[Mutant]:
    return Mutator(tex).all()
