"""Tokens to a tree: a Pratt parser for the grammar of docs/reference/grammar.md."""

from collections.abc import Callable

from nnfp.book.equations.lexer import GREEK, Token, tokens
from nnfp.book.equations.nodes import Node, name_of
from nnfp.book.equations.problems import Problem

RELATIONS = {
    "=": "=", "<": "<", ">": ">", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=",
    r"\ne": "!=", r"\neq": "!=", r"\approx": "~",
}  # fmt: skip
ARROWS = {r"\iff": "iff", r"\implies": "implies", r"\Rightarrow": "implies"}
NAMED = {
    r"\log", r"\exp", r"\tanh", r"\ln", r"\min", r"\max", r"\sin", r"\cos", r"\cosh", r"\sinh",
    r"\arg",
}  # fmt: skip
STARTERS = {
    r"\frac", r"\tfrac", r"\dfrac", r"\sqrt", r"\sum", r"\prod", r"\nabla", r"\begin", r"\lVert",
    r"\lvert", r"\partial", r"\lim", "(", "[", "{",
}  # fmt: skip
CLOSING = {
    "(": ")", "[": "]", r"\{": r"\}", r"\lVert": r"\rVert", r"\lvert": r"\rvert", r"\|": r"\|",
    "|": "|",
}  # fmt: skip
DOTS = {r"\cdots", r"\dots", r"\vdots", r"\ldots", r"\ddots"}
PRODUCTS = {r"\odot": "odot", r"\otimes": "kron", r"\circ": None}
ARGMIN = {r"\operatorname{argmin}", r"\operatorname{arg\min}"}
CONDITIONS = ("if", "for", "for all", "when")  # the words before a condition
REST = ("otherwise", "else")  # those of the last row of cases


class Parser:
    """Reads one statement. `is_function` says whether a name before ( is called."""

    def __init__(self, stream: list[Token], is_function: Callable[[str | None], bool]):
        self.stream, self.at, self.is_function = stream, 0, is_function
        self.loose: tuple[int, str] | None = None  # where an operand ended that has no brackets, and of what it is one

    # Moving through the tokens.

    def peek(self, ahead: int = 0) -> str | None:
        k = self.at + ahead
        return self.stream[k].text if k < len(self.stream) else None

    @property
    def kind(self) -> str | None:
        return self.stream[self.at].kind if self.at < len(self.stream) else None

    def next(self) -> Token:
        if self.at >= len(self.stream):
            raise self.problem("the equation ends too early", -1)
        self.at += 1
        return self.stream[self.at - 1]

    def eat(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self.problem(f"expected {wanted}, found {self.peek() or 'the end'}")
        self.at += 1

    def problem(self, message: str, back: int = 0, kind: str = "syntax") -> Problem:
        if not self.stream:
            return Problem(message, kind=kind)
        token = self.stream[max(0, min(self.at + back, len(self.stream) - 1))]
        return Problem(message, Node("token", (), (token.start, token.end)), kind)

    def node(self, start: int, kind: str, *parts) -> Node:
        last = self.stream[max(self.at, start + 1) - 1]
        return Node(kind, parts, (self.stream[start].start, last.end))

    def braced(self) -> list[Token]:
        """The tokens between the brace that comes and its partner."""
        self.eat("{")
        start, depth = self.at, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.next().text, 0)
        return self.stream[start : self.at - 1]

    def inner(self, stream: list[Token]) -> Node:
        if not stream:
            raise self.problem("a pair of braces with nothing in it", -1)
        parser = Parser(stream, self.is_function)
        return parser.whole()

    def whole(self) -> Node:
        found = self.statement()
        if self.peek() is not None:
            raise self.problem(f"cannot read on at {self.peek()}")
        return found

    def argument(self) -> Node:
        """The argument of a macro: {...} or one token."""
        if self.peek() == "{":
            return self.inner(self.braced())
        return Parser([self.next()], self.is_function).atom()

    # Precedence, loosest first.

    def statement(self) -> Node:
        start, left = self.at, self.relation()
        if self.peek() in ARROWS:
            kind = ARROWS[self.next().text]
            return self.node(start, kind, left, self.relation())
        return left

    def relation(self) -> Node:
        start, sides, signs = self.at, [self.sum()], []
        while self.peek() in RELATIONS or self.peek() == ":":
            sign = self.next().text
            if sign == ":":
                self.eat("=")
            signs.append(":=" if sign == ":" else RELATIONS[sign])
            sides.append(self.sum())
        return self.node(start, "rel", tuple(sides), tuple(signs)) if signs else sides[0]

    def sum(self) -> Node:
        start, left = self.at, self.term()
        while self.peek() in ("+", "-"):
            kind = "plus" if self.next().text == "+" else "minus"
            left = self.node(start, kind, left, self.term())
        return left

    def term(self) -> Node:
        start = self.at
        if self.peek() == "-":
            self.next()
            return self.node(start, "neg", self.term())
        if self.peek() == "+":
            self.next()
            return self.term()
        return self.factors()

    def factors(self) -> Node:
        start, left = self.at, self.product()
        while self.peek() in PRODUCTS:
            kind = PRODUCTS[self.next().text]
            if kind is None:
                raise self.problem(r"\circ is not in the grammar: write f(g(x))", -1)
            left = self.node(start, kind, left, self.product())
        return left

    def product(self) -> Node:
        start, left = self.at, self.postfix()
        while True:
            if self.loose and self.loose[0] == self.at and self.goes_on():
                raise self.problem(f"this can be read in two ways: put what belongs to {self.loose[1]} in brackets", kind="syntax")
            if self.peek() in (r"\cdot", r"\times"):
                self.next()
                left = self.node(start, "mul", left, self.postfix())
            elif self.peek() == "/":
                self.next()
                left = self.node(start, "div", left, self.postfix())
                self.loose = (self.at, "/") if self.starts_factor() else self.loose
            elif self.starts_factor():
                if self.kind == "number":  # 2 3 is no product that a reader would see: a sign has been lost
                    raise self.problem(r"a number behind a factor: write \cdot, or the number first", kind="rule")
                left = self.node(start, "mul", left, self.postfix())
            else:
                return left

    def goes_on(self) -> bool:
        """Does another factor follow?"""
        return self.starts_factor() or self.peek() in {r"\cdot", r"\times", "/", *PRODUCTS}

    def starts_factor(self) -> bool:
        return self.kind in ("number", "symbol") or self.peek() in NAMED | STARTERS

    def postfix(self, operand: bool = False) -> Node:
        """An atom with its subscripts, powers, primes and arguments."""
        start, left, power = self.at, self.atom(), None
        while True:
            text = self.peek()
            if text == "_":
                self.next()
                if left.kind == "norm":
                    left = self.node(start, "norm", left[0], self.norm_order())
                else:
                    left = self.node(start, "sub", left, self.indices())
            elif text == "'":
                order = 0
                while self.peek() == "'":
                    self.next()
                    order += 1
                left = self.node(start, "prime", left, order)
            elif text == "^" and not (operand and self.peek(1) != "{" and self.peek(2) != "["):
                left, power = self.superscript(start, left, power)
            elif text == "(" and self.is_function(name_of(left[0] if left.kind == "prime" else left)):
                left = self.node(start, "call", left, self.arguments())
                if power is not None:
                    left, power = self.node(start, "pow", left, power), None
            elif power is not None:
                raise self.problem("a power of a function needs the argument behind it")
            else:
                return left

    def superscript(self, start: int, left: Node, power: Node | None):
        self.eat("^")
        body = self.braced() if self.peek() == "{" else [self.next()]
        texts = [token.text for token in body]
        if texts in ([r"\top"], [r"\mathsf{T}"], [r"\intercal"]):
            return self.node(start, "T", left), power
        if texts == ["*"] or texts == [r"\star"]:
            return self.node(start, "star", left), power
        if len(texts) > 2 and texts[0] == "[" and texts[-1] == "]":
            return self.node(start, "layer", left, self.inner(body[1:-1])), power
        if self.is_function(name_of(left)):
            return left, self.inner(body)
        return self.node(start, "pow", left, self.inner(body)), power

    def arguments(self) -> tuple[Node, ...]:
        self.eat("(")
        found = [self.relation()]
        while self.peek() == ",":
            self.next()
            found.append(self.relation())
        self.eat(")")
        return tuple(found)

    def norm_order(self):
        text = self.argument_text()
        if text not in ("1", "2", "F", r"\infty"):
            raise self.problem(f"a norm with index {text} is not in the grammar: 1, 2, F, \\infty", -1)
        return text

    def argument_text(self) -> str:
        if self.peek() == "{":
            return "".join(token.text for token in self.braced())
        return self.next().text

    def indices(self) -> tuple[Node, ...]:
        if self.peek() != "{":
            return (Parser([self.next()], self.is_function).atom(),)
        body = self.braced()
        if len(body) > 1 and all(t.kind == "symbol" and len(t.text) == 1 for t in body):
            return tuple(Node("sym", (t.text,), (t.start, t.end)) for t in body)
        parts, depth = [[]], 0
        for token in body:
            depth += {"{": 1, "}": -1, "(": 1, ")": -1}.get(token.text, 0)
            if token.text == "," and not depth:
                parts.append([])
            else:
                parts[-1].append(token)
        return tuple(self.inner(part) for part in parts)

    def atom(self) -> Node:
        start, kind, token = self.at, self.kind, self.next()
        text = token.text
        if kind == "number":
            return self.node(start, "num", float(text) if "." in text else int(text))
        if text in ARGMIN or text == r"\arg":
            if text == r"\arg":
                self.eat(r"\min")
            self.eat("_")
            variable = self.argument()
            return self.node(start, "argmin", variable, self.product())
        if text.startswith(r"\mathbb{") and text in (r"\mathbb{E}", r"\mathbb{1}"):
            self.eat("[")
            body = self.sum() if text == r"\mathbb{E}" else self.relation()
            self.eat("]")
            return self.node(start, "mean" if text == r"\mathbb{E}" else "indicator", body)
        if kind == "symbol":
            return self.node(start, "sym", text)
        if text == "{":
            self.at -= 1
            return self.inner(self.braced())
        if text in ("(", "["):
            found = self.relation()
            self.eat(CLOSING[text])
            return found
        if text in (r"\lvert", r"\lVert", r"\|", "|"):
            found = self.sum()
            self.eat(CLOSING[text])
            if text in (r"\lvert", "|"):
                return self.node(start, "abs", found)
            return self.node(start, "norm", found, "2")
        if text in (r"\frac", r"\tfrac", r"\dfrac"):
            return self.fraction(start)
        if text == r"\sqrt":
            return self.node(start, "sqrt", self.argument())
        if text in (r"\sum", r"\prod") or (text in (r"\max", r"\min") and self.peek() == "_"):
            return self.fold(start, text)
        if text in NAMED:
            return self.named(start, text)
        if text == r"\nabla":
            return self.gradient(start)
        if text == r"\partial":
            return self.slashed(start)
        if text == r"\lim":
            return self.limit(start)
        if text == r"\begin":
            return self.environment(start)
        raise self.problem(f"{text} is not in the grammar" if text.startswith("\\") else f"cannot read {text}", -1)

    def fold(self, start: int, text: str) -> Node:
        self.eat("_")
        low = self.argument()
        high = None
        if self.peek() == "^":
            self.next()
            high = self.argument()
        first = None
        if low.kind == "rel":
            if low[1] != ("=",):
                raise self.problem(f"write {text}_{{j=1}}^{{n}}", -1)
            low, first = low[0]
        if low.kind != "sym" or (first is None) != (high is None):
            raise self.problem(f"write {text}_{{j=1}}^{{n}}", -1)
        return self.node(start, "fold", text, low, first, high, self.factors())

    def named(self, start: int, text: str) -> Node:
        symbol = self.node(start, "sym", text)
        if self.peek() in ("(", "^", "'") or text in (r"\max", r"\min"):
            return symbol
        if not self.starts_factor():
            raise self.problem(f"{text} of what?", -1)
        argument = self.postfix()
        self.loose = self.at, text
        return self.node(start, "call", symbol, (argument,))

    def gradient(self, start: int) -> Node:
        variable, second = None, False
        while self.peek() in ("_", "^"):
            if self.next().text == "_":
                variable = self.argument()
            elif self.argument_text() == "2":
                second = True
            else:
                raise self.problem(r"a power of \nabla", -1)
        return self.node(start, "hessian" if second else "grad", self.postfix(operand=True), variable)

    def slashed(self, start: int) -> Node:
        r"""\partial z/\partial x, as it is written in running text."""
        of = self.postfix()
        self.eat("/")
        self.eat(r"\partial")
        return self.node(start, "deriv", of, self.postfix())

    def limit(self, start: int) -> Node:
        self.eat("_")
        body = self.braced()
        texts = [token.text for token in body]
        if r"\to" not in texts or texts.index(r"\to") != 1 or len(body) < 3:
            raise self.problem(r"write \lim_{h \to 0}", -1)
        target = body[2:]
        infinite = [token.text for token in target] == [r"\infty"]
        return self.node(
            start, "limit", texts[0], None if infinite else self.inner(target), self.product()
        )

    def fraction(self, start: int) -> Node:
        if self.peek() != "{":
            return self.node(start, "div", self.argument(), self.argument())
        top = self.braced()
        bottom = self.braced() if self.peek() == "{" else [self.next()]
        over, under = [t.text for t in top], [t.text for t in bottom]
        for d in (r"\partial", "d"):
            if over[:1] != [d] or under[:1] != [d] or len(under) < 2:
                continue
            second = over[1:3] == ["^", "2"]
            rest = top[3:] if second else top[1:]
            variables = self.variables(bottom, d, second)
            found = self.inner(rest) if rest else self.product()
            for variable in reversed(variables):
                found = self.node(start, "deriv", found, variable)
            return found
        return self.node(start, "div", self.inner(top), self.inner(bottom))

    def variables(self, bottom: list[Token], d: str, second: bool) -> list[Node]:
        if not second:
            return [self.inner(bottom[1:])]
        texts = [token.text for token in bottom]
        if texts[-2:] == ["^", "2"]:
            return [self.inner(bottom[1:-2])] * 2
        if texts.count(d) == 2:
            cut = texts.index(d, 1)
            return [self.inner(bottom[1:cut]), self.inner(bottom[cut + 1 :])]
        raise self.problem(r"write \frac{\partial^2 f}{\partial x^2}", -1)

    def environment(self, start: int) -> Node:
        kind = self.argument_text()
        rows, row, cell, depth = [], [], [], 1
        while True:
            token = self.next()
            depth += {r"\begin": 1, r"\end": -1}.get(token.text, 0)
            if not depth:
                break
            if depth == 1 and token.text == "&":
                row.append(cell)
                cell = []
            elif depth == 1 and token.text == r"\\":
                rows.append([*row, cell])
                row, cell = [], []
            else:
                cell.append(token)
        if self.argument_text() != kind:
            raise self.problem(f"\\begin{{{kind}}} is closed by another \\end", -1)
        if cell or row:
            rows.append([*row, cell])
        if kind == "cases":
            return self.node(start, "cases", tuple(self.case(cells) for cells in rows))
        if kind in ("bmatrix", "pmatrix"):
            return self.node(start, "block", tuple(tuple(map(self.cell, cells)) for cells in rows))
        raise self.problem(f"the environment {kind} is not in the grammar", -1)

    def case(self, cells: list[list[Token]]) -> tuple[Node, Node | None]:
        if len(cells) != 2:
            raise self.problem("a row of cases needs a value, & and a condition", -1)
        value = self.inner([t for k, t in enumerate(cells[0]) if t.text != "," or k < len(cells[0]) - 1])
        if [token.text for token in cells[1]] in ([word] for word in REST):
            return value, None
        found = self.inner(conditional(cells[1])[0])
        if found.kind != "rel":
            raise Problem("the condition of a case states no relation", found, "syntax")
        return value, found

    def cell(self, cell: list[Token]) -> Node:
        if len(cell) == 1 and cell[0].text in DOTS:
            return Node("dots", (), (cell[0].start, cell[0].end))
        return self.inner(cell)


def statements(stream: list[Token]) -> list[list[Token]]:
    r"""A display's statements: split at \quad, \qquad and the rows of aligned.

    A piece that begins with a relation goes on where the one before it stopped.
    """
    texts = [token.text for token in stream]
    if texts[:2] == [r"\begin", "{"]:
        close = texts.index("}")
        if "".join(texts[2:close]) in ("aligned", "split", "gathered"):
            end = len(texts) - texts[::-1].index(r"\end") - 1
            stream = [t for t in stream[close + 1 : end] if t.text != "&"]
    found, depth = [[]], 0
    for token in stream:
        depth += {"{": 1, "}": -1, r"\begin": 1, r"\end": -1}.get(token.text, 0)
        if token.text in (r"\quad", r"\qquad", r"\\") and not depth:
            found.append([])
        else:
            found[-1].append(token)
    whole = []
    for piece in found:
        while piece and piece[-1].text in (",", ".", ";"):
            piece = piece[:-1]
        if piece and whole and piece[0].text in RELATIONS:
            whole[-1] = whole[-1] + piece
        elif piece:
            whole.append(piece)
    return whole


def conditional(stream: list[Token]) -> tuple[list[Token], bool]:
    """A statement without the words before it, and whether these make it a condition. Other words say who knows what."""
    if not stream or stream[0].kind != "text":
        return stream, False
    word, place = stream[0].text, Node("", (), (stream[0].start, stream[0].end))
    if word not in CONDITIONS:
        known = f"{', '.join(CONDITIONS[:-1])} or {CONDITIONS[-1]}"
        raise Problem(f'the word "{word}" is not in the grammar: a condition begins with {known}', place, "syntax")
    if len(stream) == 1:
        raise Problem("words and no formula", place, "syntax")
    return stream[1:], True


def parse(tex: str, is_function: Callable[[str | None], bool] = lambda name: False) -> Node:
    """One expression or statement."""
    return Parser(tokens(tex), is_function).whole()


__all__ = ["GREEK", "RELATIONS", "Parser", "conditional", "parse", "statements"]
