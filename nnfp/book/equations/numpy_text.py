"""One expression of a page as a NumPy expression: `W x + b` is `W @ x + b`.

The text counts from 1, Python from 0. A letter that only picks entries of arrays counts from 0
here (`for i in range(m)`, `x[i, 0]`); a letter that also counts layers or steps, or stands in a
formula, keeps the text's own values, and the arrays get `x[i - 1, 0]`.
"""

from typing import NamedTuple

from nnfp.book.equations.nodes import Node, children, name_of, names_in

ANY, COMPARE, SUM, PRODUCT, MINUS, POWER, ATOM = range(7)  # how tightly a text binds
FUNCTIONS = {
    r"\log": "np.log", r"\ln": "np.log", r"\exp": "np.exp", r"\tanh": "np.tanh", r"\sin": "np.sin",
    r"\cos": "np.cos", r"\sinh": "np.sinh", r"\cosh": "np.cosh", r"\operatorname{sign}": "np.sign",
    r"\operatorname{diag}": "np.diagflat", r"\operatorname{vec}": "nnfp.vec", r"\operatorname{tr}": "np.trace",
    r"\max": "np.maximum", r"\min": "np.minimum",
}  # fmt: skip
SIGNS = {"=": "==", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!="}


class Unwritten(Exception):
    """This has no NumPy form yet."""


class Text(NamedTuple):
    """Python text, how tightly it binds, and the shape: () for numbers, else two sizes."""

    code: str
    level: int = ATOM
    shape: tuple = ()

    def within(self, level: int) -> str:
        return self.code if self.level >= level else f"({self.code})"


def entry_letters(known, counts_members, trees, letters) -> set[str]:
    """The letters that do nothing but pick entries of arrays, or are compared with such letters."""
    others: dict[str, set] = {letter: set() for letter in letters}

    def visit(node: Node) -> None:
        if node.kind == "sub" and known.is_plain(name_of(node)):
            return
        if node.kind == "sub" and not (
            name_of(node[0]) and len(node[1]) == 1 and counts_members(name_of(node[0]), node[1][0])
        ):
            if known.is_plain(name_of(node[0])) or name_of(node[0]) is None:
                visit(node[0])
                for index in node[1]:
                    if index.kind != "sym":
                        visit(index)
                return
        if node.kind == "rel" and all(side.kind == "sym" for side in node[0]):
            for side in node[0]:
                others.get(side[0], set()).update(s[0] for s in node[0] if s is not side)
            return
        if node.kind == "fold":
            for part in (node[2], node[3], node[4]):
                if part is not None:
                    visit(part)
            if node[2] is not None and node[2].kind != "num":
                others.get(node[1][0], set()).add("*")
            return
        if node.kind == "sym":
            others.get(node[0], set()).add("*")
        for child in children(node):
            visit(child)

    for tree in trees:
        visit(tree)
    good = set(letters)
    while bad := {letter for letter in good if not others[letter] <= good}:
        good -= bad
    return good


class Writer:
    """Turns nodes into text. `program` gives names and keeps what else has to be written."""

    def __init__(self, program):
        self.program, self.known = program, program.known
        self.zero: set[str] = set()  # letters that count from 0
        self.local: dict[str, Text] = {}  # parameters, letters
        self.varied: tuple | None = None  # what a derivative is taken by: (slot, index node, text)

    def __call__(self, node: Node) -> Text:
        method = getattr(self, f"_{node.kind}", None)
        if method is None:
            raise Unwritten(node.kind)
        return method(node)

    def code(self, node: Node, level: int = ANY) -> str:
        return self(node).within(level)

    # Names.

    def name(self, name: str) -> Text:
        if name in self.local:
            return self.local[name]
        if self.varied and name in self.program.moving(self.varied[0]):
            return self.program.as_function(self, name)
        return self.program.symbol(name)

    def _num(self, node):
        value = node[0]
        return Text(repr(value), ATOM if value >= 0 else MINUS)

    def _sym(self, node):
        if node[0] in self.zero:
            return Text(f"{node[0]} + 1", SUM)
        return self.name(node[0])

    def _star(self, node):
        return self.name(node.name)

    def _layer(self, node):
        return self.member(name_of(node[0]), node[1])

    def member(self, name: str, index: Node) -> Text:
        """A[l]; inside of a derivative by Z[l] it is what follows from the new Z[l]."""
        if self.varied:
            slot, at, new = self.varied
            if slot == (name, True) and at == index:
                return new
            if name in self.program.moving(slot):
                family = self.program.as_function(self, name)
                return Text(f"{family.code}[{self.code(index)}]", ATOM, family.shape)
        numbered = f"{name}_{index[0]}" if index.kind == "num" else None
        if numbered and self.known.is_plain(numbered):
            return self.name(numbered)
        family = self.program.family(name)
        return Text(f"{family.code}[{self.code(index)}]", ATOM, family.shape)

    def _sub(self, node):
        name, (base, indices) = name_of(node), node.parts
        if name and (name in self.local or self.known.is_plain(name)):
            return self.name(name)
        short = name_of(base)
        if short and len(indices) == 1 and short not in self.local:
            if self.program.counts_members(short, indices[0]):
                return self.member(short, indices[0])
            if self.program.is_counted(short, indices[0]):
                return Text(f"{self.program.counted(short)}[{self.code(indices[0])}]")
        value = self(base)
        if not value.shape:
            raise Unwritten("a subscript of a number")
        places = [self.place(index) for index in indices]
        if len(indices) == 1 and value.shape[1] != "1" and indices[0].kind == "num" and indices[0][0] > 10:
            places = [str(indices[0][0] // 10 - 1), str(indices[0][0] % 10 - 1)]
        if len(places) == 1:
            places.append("0")
        return Text(f"{value.within(ATOM)}[{', '.join(places)}]")

    def place(self, index: Node) -> str:
        """The subscript from 0 for the text's subscript from 1."""
        if index.kind == "num":
            return str(index[0] - 1)
        if index.kind == "sym" and index[0] in self.zero:
            return index[0]
        if index.kind in ("plus", "minus") and index[1].kind == "num":
            number = index[1][0] * (1 if index.kind == "plus" else -1) - 1
            base = self.code(index[0], SUM)
            return base if not number else f"{base} {'+' if number > 0 else '-'} {abs(number)}"
        return f"{self.code(index, SUM)} - 1"

    # Arithmetic.

    def _plus(self, node):
        a, b = self(node[0]), self(node[1])
        return Text(f"{a.within(SUM)} + {b.within(SUM)}", SUM, a.shape or b.shape)

    def _minus(self, node):
        a, b = self(node[0]), self(node[1])
        return Text(f"{a.within(SUM)} - {b.within(PRODUCT)}", SUM, a.shape or b.shape)

    def _neg(self, node):
        a = self(node[0])
        return Text(f"-{a.within(PRODUCT)}", PRODUCT if a.level == PRODUCT else MINUS, a.shape)

    def _mul(self, node):
        a, b = self(node[0]), self(node[1])
        if not a.shape or not b.shape:
            return Text(f"{a.within(PRODUCT)} * {b.within(MINUS)}", PRODUCT, a.shape or b.shape)
        code, shape = f"{a.within(PRODUCT)} @ {b.within(MINUS)}", (a.shape[0], b.shape[1])
        if shape == ("1", "1"):
            return Text(f"({code}).item()")
        return Text(code, PRODUCT, shape)

    def _odot(self, node):
        a, b = self(node[0]), self(node[1])
        return Text(f"{a.within(PRODUCT)} * {b.within(MINUS)}", PRODUCT, a.shape)

    def _kron(self, node):
        a, b = self(node[0]), self(node[1])
        shape = tuple("1" if p == q == "1" else f"{p} {q}" for p, q in zip(a.shape, b.shape))
        return Text(f"np.kron({a.code}, {b.code})", ATOM, shape)

    def _div(self, node):
        a, b = self(node[0]), self(node[1])
        return Text(f"{a.within(PRODUCT)} / {b.within(MINUS)}", PRODUCT, a.shape or b.shape)

    def _pow(self, node):
        if name_of(node[0]) == "e" and not self.known.is_plain("e") and "e" not in self.local:
            power = self(node[1])
            return Text(f"np.exp({power.code})", ATOM, power.shape)
        a, b = self(node[0]), self(node[1])
        return Text(f"{a.within(ATOM)} ** {b.within(MINUS)}", POWER, a.shape)

    def _T(self, node):
        a = self(node[0])
        return Text(f"{a.within(ATOM)}.T", ATOM, a.shape[::-1])

    def _abs(self, node):
        a = self(node[0])
        return Text(f"abs({a.code})", ATOM, a.shape)

    def _norm(self, node):
        a = self(node[0]).code
        return Text({"1": f"np.sum(abs({a}))", r"\infty": f"np.max(abs({a}))"}.get(node[1], f"np.linalg.norm({a})"))

    def _sqrt(self, node):
        a = self(node[0])
        return Text(f"np.sqrt({a.code})", ATOM, a.shape)

    def _rel(self, node):
        parts = [self.compared(a, sign, b) for a, sign, b in zip(node[0], node[1], node[0][1:])]
        if len(parts) == 1:
            return Text(parts[0], COMPARE)
        return Text(" & ".join(f"({part})" for part in parts), COMPARE)

    def compared(self, a: Node, sign: str, b: Node) -> str:
        if {a.kind, b.kind} == {"sym"} and {a[0], b[0]} <= self.zero:
            return f"{a[0]} {SIGNS[sign]} {b[0]}"
        return f"{self.code(a, SUM)} {SIGNS[sign]} {self.code(b, SUM)}"

    def _indicator(self, node):
        return Text(f"({self.code(node[0])})")

    def _cases(self, node):
        rows, conditions = node[0], [condition for _, condition in node[0] if condition is not None]
        values = [self(value) for value, _ in rows]
        shape = next((value.shape for value in values if value.shape), ())
        if len(rows) == 2 and len(conditions) == 1 and rows[1][1] is None:
            return Text(f"np.where({self.code(conditions[0])}, {values[0].code}, {values[1].code})", ATOM, shape)
        tests = ", ".join(self.code(condition) for condition in conditions)
        cases = ", ".join(value.code for value, (_, condition) in zip(values, rows) if condition is not None)
        other = next((value.code for value, (_, condition) in zip(values, rows) if condition is None), "np.nan")
        return Text(f"np.select([{tests}], [{cases}], {other})", ATOM, shape)

    def _fold(self, node):
        operation, loops, body = node[0], [], node
        saved = self.zero, self.local
        self.zero, self.local = set(self.zero), dict(self.local)
        try:
            while body.kind == "fold" and body[0] == operation:
                _, variable, low, high, inner = body.parts
                letter = name_of(variable)
                loops.append(f"for {self.program.ident(letter)} in {self.program.span(self, letter, low, high)}")
                self.program.bind(self, letter)
                body = inner
            value = self(body)
        finally:
            self.zero, self.local = saved
        if operation == r"\sum":
            return Text(f"sum({value.code} {' '.join(loops)})", ATOM, value.shape)
        if operation == r"\prod":
            if value.shape:
                raise Unwritten("a product of arrays")
            return Text(f"np.prod([{value.code} {' '.join(loops)}])")
        return Text(f"{operation[1:]}({value.code} {' '.join(loops)})")

    def _limit(self, node):
        letter, target, body = node.parts
        helper, ident = self.program.helper("limit"), self.program.ident(letter)
        saved, self.local = self.local, {**self.local, letter: Text(ident)}
        try:
            value = self(body)
        finally:
            self.local = saved
        point = "" if target is None else f", {self.code(target)}"
        return Text(f"{helper}(lambda {ident}: {value.code}{point})", ATOM, value.shape)

    def _block(self, node):
        rows = [list(row) for row in node[0]]
        if any(cell.kind == "dots" for row in rows for cell in row):
            return self.dotted(rows)
        texts = [[self(cell) for cell in row] for row in rows]
        inner = ", ".join(f"[{', '.join(text.code for text in row)}]" for row in texts)
        height = "1" if len(texts) == 1 and (texts[0][0].shape or ("1", "1"))[0] == "1" else "*"
        width = "1" if len(texts[0]) == 1 and (texts[0][0].shape or ("1", "1"))[1] == "1" else "*"
        return Text(f"np.block([{inner}])", ATOM, (height, width))

    def dotted(self, rows):
        """a_1, a_2, ..., a_n as a comprehension."""
        cells = [cell for row in rows for cell in row]
        ends: list = []

        def differ(a, b):
            if isinstance(a, Node) and isinstance(b, Node):
                if a == b:
                    return a
                if a.kind == "num":
                    ends.append((a, b))
                    return Node("sym", (letter,))
                return Node(a.kind, tuple(map(differ, a.parts, b.parts)), a.span)
            return tuple(map(differ, a, b)) if isinstance(a, tuple) else a

        taken = {name for cell in cells for name in names_in(cell)}
        letter = next(x for x in "kjiq" if x not in taken)
        pattern = differ(cells[0], cells[-1])
        saved = self.zero, self.local
        try:
            self.zero, self.local = {*self.zero, letter}, {**self.local, letter: Text(letter)}
            value = self.code(pattern)
        finally:
            self.zero, self.local = saved
        inner = f"{value} for {letter} in {self.program.numbers(self, ends[0][0], ends[0][1], True)}"
        if len(rows) > 1:
            return Text(f"np.array([[{inner}]]).T", ATOM, ("*", "1"))
        return Text(f"np.array([[{inner}]])", ATOM, ("1", "*"))

    # Functions.

    def _call(self, node):
        function, arguments = node.parts
        order = function[1] if function.kind == "prime" else 0
        name = name_of(function[0] if order else function)
        values = [self(argument) for argument in arguments]
        if self.varied and name in self.program.moving(self.varied[0]):
            raise Unwritten("a function that changes with the variable of a derivative")
        texts = ", ".join(value.code for value in values)
        shape = self.program.result_shape(name, [value.shape for value in values])
        code = self.function(name)
        if order == 0:
            return Text(f"{code}({texts})", ATOM, shape)
        if order > 2:
            raise Unwritten("a third derivative")
        helper = self.program.helper(("slope", "curvature")[order - 1])
        return Text(f"{helper}({code}, {texts})", ATOM, shape)

    def function(self, name: str) -> str:
        if name in FUNCTIONS and name not in self.known.functions:
            code = FUNCTIONS[name]
            if code.startswith("nnfp."):
                self.program.package = True
            return code
        return self.program.function(name)

    # Derivatives.

    def _deriv(self, node):
        of, variable = node.parts
        return self.derivative(of, variable, False)

    def _grad(self, node):
        of, variable = node.parts
        if variable is None:
            return self.at_point(of, "nnfp.central_difference({}, {})", False)
        return self.derivative(of, variable, True)

    def _hessian(self, node):
        of, variable = node.parts
        if variable is not None:
            raise Unwritten("a second derivative by a symbol")
        return self.at_point(of, "nnfp.jacobian(lambda u: nnfp.central_difference({}, u, 1e-4), {}, 1e-4)", True)

    def at_point(self, of: Node, pattern: str, second: bool):
        if of.kind != "call" or len(of[1]) != 1:
            raise Unwritten("a gradient without a variable")
        self.program.package = True
        point = self(of[1][0])
        shape = (point.shape[0],) * 2 if second else point.shape
        return Text(pattern.format(self.function(name_of(of[0])), point.code), ATOM, shape)

    def derivative(self, of: Node, variable: Node, gradient: bool):
        program, as_vec, entry = self.program, False, ""
        if variable.kind == "call" and name_of(variable[0]) == r"\operatorname{vec}":
            as_vec, variable = True, variable[1][0]
        slot, index = program.slot(self, variable)
        if slot is None:  # an entry of an array
            entry = self(variable).code
            entry = entry[entry.rindex("[") :]
            variable = variable[0]
            slot, index = program.slot(self, variable)
        point = self(variable)
        letter = program.letter(slot, name_of(variable[0]) if index is not None else slot[0])
        saved, local = self.varied, self.local
        if saved is not None:
            raise Unwritten("a derivative of a derivative")
        new = Text(letter, ATOM, point.shape)
        try:
            self.varied = (slot, index, new)
            self.local = {**self.local} if index is not None else {**self.local, slot[0]: new}
            body = self(of)
        finally:
            self.varied, self.local = saved, local
        function = f"lambda {letter}: {body.code}"
        head = body.code.partition("(")
        if index is None and body.code == f"{head[0]}({letter})" and head[0].isidentifier():
            function = head[0]
        if not point.shape:
            helper = program.helper("slope")
            return Text(f"{helper}({function}, {point.code})", ATOM, body.shape)
        program.package = True
        if not body.shape:
            code = f"nnfp.central_difference({function}, {point.code})"
            if entry:
                return Text(code + entry)
            if gradient:
                return Text(code, ATOM, point.shape)
            if as_vec:
                return Text(f"nnfp.vec({code}).T", ATOM, ("1", "*"))
            return Text(f"{code}.T", ATOM, ("1", point.shape[0]))
        if gradient or body.shape[1] != "1":
            raise Unwritten("a derivative of a matrix")
        if as_vec:
            inner = function if function.isidentifier() else f"({function})"
            function = f"lambda v: {inner}(nnfp.unvec(v, {point.code}.shape))"
            return Text(f"nnfp.jacobian({function}, nnfp.vec({point.code}))", ATOM, (body.shape[0], "*"))
        code = f"nnfp.jacobian({function}, {point.code})"
        return Text(code + entry, ATOM, () if entry else (body.shape[0], point.shape[0]))
