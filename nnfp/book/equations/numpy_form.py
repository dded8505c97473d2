"""A display as a short NumPy program that a reader can copy and run.

It draws small random arrays, computes what the equation needs, states the equation in NumPy, and
asserts what the page claims: that both sides agree, or that the code of the package does.
"""

import ast
import itertools
import keyword
import re

from nnfp.book.equations import witness
from nnfp.book.equations.definitions import Definition, Knowledge
from nnfp.book.equations.evaluation import Scope
from nnfp.book.equations.nodes import Node, name_of, names_in, walk
from nnfp.book.equations.notation import Declaration, Space
from nnfp.book.equations.numpy_text import ATOM, COMPARE, Text, Unwritten, Writer, entry_letters
from nnfp.book.equations.problems import Problem

SIZES = (3, 5, 4, 7, 6, 8, 9, 10)
HELPERS = {
    "slope": ["def slope(f, x, h=1e-6):", "    return (f(x + h) - f(x - h)) / (2 * h)"],
    "curvature": ["def curvature(f, x, h=1e-4):", "    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2"],
    "limit": [
        "def limit(f, x=None, h=1e-6):  # without x: towards infinity",
        "    return f(1 / h) if x is None else (f(x + h) + f(x - h)) / 2",
    ],
}
TAKEN = {"np", "nnfp", "rng", "sum", "abs", "max", "min", "range", "dict", "at", "left", "right", *HELPERS}
FONTS = {r"\mathcal{L}": "loss", r"\mathbf{1}": "ones"}


class Program:
    """Collects lines: helpers, draws, what was defined above, the equation."""

    def __init__(self, known: Knowledge, scope: Scope, package: dict):
        self.known, self.scope, self.public = known, scope, package
        self.package = False  # is nnfp used?
        self.helpers: list[str] = []
        self.names: dict[tuple[str, bool], str] = {}
        self.drawn: dict[tuple[str, bool], None] = {}  # what must be drawn, in order of need
        self.functions: dict[tuple, str] = {}
        self.lines: list[str] = []
        self.needs: dict[tuple[str, bool], None] = {}  # what the page defines and this program uses
        self.zero_letters: set[str] = set()
        self.loops: dict[str, str] = {}  # a number that gets several values, and the line that gives them
        self.heads: list[str] = []
        self.ended: tuple = ([], [])
        self.several: list[str] = []
        self._moving: dict = {}

    # Names.

    def ident(self, name: str, family: bool = False) -> str:
        """An identifier: yhat for \\hat{y}; thetas for the steps beside a theta."""
        key = (name, family)
        if key not in self.names:
            wish = witness.ascii_name(name)
            if name in FONTS:
                wish = FONTS[name]
            elif name.startswith(r"\mathbf{1}"):
                wish = "ones" + name[len(r"\mathbf{1}") :]
            if family and self.known.is_plain(name):
                wish += "s"
            wish = re.sub(r"\W", "", wish) or "value"
            while wish in TAKEN or keyword.iskeyword(wish) or wish in self.names.values():
                wish += "_"
            self.names[key] = wish
        return self.names[key]

    def helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers.append(name)
        return name

    def counts_members(self, base: str, subscript: Node) -> bool:
        return self.scope.counts_members(base, subscript)

    def is_counted(self, base: str, subscript: Node) -> bool:
        """n_l where n_0, n_1, ... are declared one by one."""
        rows = [self.known.declared(f"{base}_{k}") for k in range(9)]
        return subscript.kind != "num" and any(d is not None and d.kind == "size" for d in rows)

    def counted(self, base: str) -> str:
        self.drawn[base, True] = None
        return self.ident(base, True)

    def symbol(self, name: str) -> Text:
        d, base = self.known.declared(name), name.rpartition("_")[0]
        if d is not None and d.kind == "size" and name[-1:].isdigit() and base and self.numbered(base):
            return Text(f"{self.counted(base)}[{name.rpartition('_')[2]}]")
        if name not in self.known.plain:
            if d is None and name in ("e", r"\pi"):
                return Text({"e": "np.e"}.get(name, "np.pi"))
            if d is None:
                raise Unwritten(f"{name} is not declared")
            if d.kind == "index":
                raise Unwritten(f"the index {name} has no value")
            self.drawn[name, False] = None
        else:
            self.needs[name, False] = None
        if d is not None and d.kind == "function":
            return Text(self.function(name))
        return Text(self.ident(name), ATOM, self.shape(d))

    def numbered(self, base: str) -> bool:
        """Does the page count these sizes (n_l), or does it only name them?"""
        domains = " ".join(d.domain for d in self.known.table.values())
        return re.search(rf"{re.escape(base)}_(?:\{{)?[a-zL]", domains) is not None

    def family(self, name: str) -> Text:
        if name in self.known.rules:
            self.needs[name, True] = None
            for _, numbered in self.starts(name):
                self.symbol(numbered)
        else:
            self.drawn[name, True] = None
        d = self.known.family(name)
        if d is None:
            d = next((d for (n, _), d in self.known.table.items() if n.rpartition("_")[0] == name or n == name), None)
        return Text(self.ident(name, True), ATOM, self.shape(d))

    def shape(self, d: Declaration | None, space: Space | None = None) -> tuple:
        space = space or (d.space if d else None)
        if space is None or not space.shape:
            return ()
        sizes = ["1" if size.kind == "num" and size[0] == 1 else "*" for size in space.shape]
        return tuple(sizes + ["1"] * (2 - len(sizes)))

    def result_shape(self, name: str, shapes: list[tuple]) -> tuple:
        if name == r"\operatorname{diag}":
            return (shapes[0][0],) * 2
        if name == r"\operatorname{vec}":
            return ("*", "1")
        if name == r"\operatorname{tr}":
            return ()
        d = self.known.declared(name)
        if d is None or d.kind != "function":
            return next((shape for shape in shapes if shape), ())
        if shapes and shapes[0] and not d.arguments[0].shape:
            return shapes[0]  # entry by entry
        return self.shape(d)

    def function(self, name: str) -> str:
        if name in self.known.functions:
            self.needs[name, False] = None
        else:
            self.drawn[name, False] = None
        return self.ident(name)

    # Ranges.

    def bind(self, writer: Writer, letter: str) -> None:
        ident = self.ident(letter)
        writer.local[letter] = Text(ident)

    def numbers(self, writer: Writer, low: Node, high: Node, zero: bool) -> str:
        """range(...) from low to high, or one lower."""
        if zero:
            start = "" if low == Node("num", (1,)) else writer.place(low) + ", "
            return f"range({start}{writer.code(high)})"
        end = str(high[0] + 1) if high.kind == "num" else ""
        if high.kind == "minus" and high[1] == Node("num", (1,)):
            end = writer.code(high[0])
        end = end or f"{writer.code(high)} + 1"
        return f"range({end})" if low == Node("num", (0,)) else f"range({writer.code(low)}, {end})"

    def span(self, writer: Writer, letter: str, low: Node | None = None, high: Node | None = None) -> str:
        if low is None or high is None:
            d = self.known.declared(letter)
            if d is None or d.bounds is None:
                raise Unwritten(f"the range of {letter}")
            low, high = d.bounds
        zero = letter in self.zero_letters and low.kind == "num" and low[0] >= 1
        if zero:
            writer.zero.add(letter)
        else:
            writer.zero.discard(letter)
        return self.numbers(writer, low, high, zero)

    # Derivatives.

    def slot(self, writer: Writer, variable: Node):
        if variable.kind == "layer":
            return (name_of(variable[0]), True), variable[1]
        name = name_of(variable)
        if name and (self.known.is_plain(name) or name in writer.local):
            return (name, False), None
        if variable.kind == "sub":
            base = name_of(variable[0])
            if base and len(variable[1]) == 1 and self.counts_members(base, variable[1][0]):
                return (base, True), variable[1][0]
            return None, None
        if name:
            return (name, False), None
        raise Unwritten("a derivative by this")

    def letter(self, slot, name: str) -> str:
        return self.ident(slot[0], slot[1]) + ("_l" if slot[1] else "")

    def moving(self, slot) -> frozenset:
        """The names that change with a symbol, through definitions."""
        if slot not in self._moving:
            name, family = slot
            known = self.known
            found = {n for n in [*known.plain, *known.rules, *known.functions] if name in known.dependencies(n) and n != name}
            if family and any(name in known.reached(made.body) for made in known.rules.get(name, ())):
                found.add(name)
            self._moving[slot] = frozenset(found)
        return self._moving[slot]

    def as_function(self, writer: Writer, name: str) -> Text:
        """What `name` becomes when the varied symbol has another value: a function of its own."""
        slot, at, new = writer.varied
        d = self.known.family(name) if name in self.known.rules else self.known.declared(name)
        key = (name, slot)
        if key not in self.functions:
            ident = f"{self.ident(name, name in self.known.rules)}_of_{self.ident(*slot)}"
            self.functions[key] = ident
            self.write_function(ident, name, slot, new.code)
        arguments = new.code if at is None else f"{new.code}, {writer.code(at)}"
        return Text(f"{self.functions[key]}({arguments})", ATOM, self.shape(d))

    def write_function(self, ident: str, name: str, slot, new: str) -> None:
        needed = {n for n in self.known.dependencies(name) if n in self.moving(slot)}
        if slot[1] and slot[0] in self.known.rules:
            needed.add(slot[0])
        chosen = [made for n in needed for made in self.known.definitions_of(n) if made.parameters is None]
        if any(made.parameters is not None for n in needed for made in self.known.definitions_of(n)):
            raise Unwritten("a function that changes with the variable of a derivative")
        saved, self.lines = self.lines, []
        letters = self.zero_letters
        writer = Writer(self)
        if slot[1]:
            family = self.ident(slot[0], True)
            if slot[0] in self.known.rules:
                head = f"def {ident}({new}, at):"
                self.define(writer, chosen, (slot[0], new))
            else:
                head = f"def {ident}({new}, at, {family}={family}):"
                self.drawn[slot] = None
                self.lines.append(f"{family} = {{**{family}, at: {new}}}")
                self.define(writer, chosen)
        else:
            head = f"def {ident}({new}):"
            writer.local[slot[0]] = Text(new, ATOM, self.shape(self.known.declared(slot[0])))
            self.define(writer, chosen)
        result = self.ident(name, name in self.known.rules)
        body, self.lines, self.zero_letters = self.lines, saved, letters
        body = merged_return(body, result)
        self.lines += ["", head, *("    " + line for line in body), ""]

    # Definitions.

    def define(self, writer: Writer, chosen: list[Definition], change: tuple | None = None) -> None:
        """Assignments and loops for some definitions, in the order of the page."""
        groups: list[list[Definition]] = []
        for made in sorted(set(chosen), key=lambda made: made.head.span[0]):
            home = None
            if made.variable is not None:
                for k, group in enumerate(groups):
                    if group[0].variable == made.variable and (
                        k == len(groups) - 1 or any(made.name in names_in(other.body) for other in group)
                    ):
                        home = group
            if home is None:
                groups.append([made])
            else:
                home.append(made)
        started: set[str] = set()
        for group in groups:
            self.write_group(writer, group, started, change)

    def write_group(self, writer: Writer, group: list[Definition], started: set, change) -> None:
        first = group[0]
        if first.parameters is not None:
            self.write_def(first)
        elif first.variable is not None:
            self.write_loop(writer, group, started, change)
        elif first.member is not None:
            family = self.ident(first.name, True)
            value = self.right(writer, first)
            if first.name in started:
                self.lines.append(f"{family}[{first.member}] = {value}")
            else:
                self.lines.append(f"{family} = {{{first.member}: {value}}}")
                started.add(first.name)
        else:
            value = self.right(writer, first)
            self.lines.append(f"{self.ident(first.name)} = {value}")

    def right(self, writer: Writer, made: Definition) -> str:
        """The right side; with indices on the left an array, entry by entry."""
        self.choose_letters([made.body], list(made.indices))
        self.zero_letters.discard(made.variable)
        if not made.indices:
            return writer.code(made.body)
        saved = writer.zero, writer.local
        writer.zero, writer.local = set(), dict(writer.local)
        spans = []
        for letter in made.indices:
            spans.append(f"for {self.ident(letter)} in {self.span(writer, letter)}")
            self.bind(writer, letter)
        value = writer.code(made.body)
        writer.zero, writer.local = saved
        if len(spans) == 1:
            return f"np.array([[{value}] {spans[0]}])"
        return f"np.array([[{value} {spans[1]}] {spans[0]}])"

    def choose_letters(self, trees: list[Node], letters: list[str], code: str | None = None) -> None:
        """Which letters count from 0 in the statement that comes."""
        bound = [name_of(n[1]) for tree in trees for n in walk(tree) if n.kind == "fold"]
        self.zero_letters = entry_letters(self.known, self.counts_members, trees, {*letters, *bound})
        if code is not None:
            for letter in letters:
                plain = witness.ascii_name(letter)
                if plain in witness.names_used(code) and not only_shifted(code, plain):
                    self.zero_letters.discard(letter)

    def write_loop(self, writer: Writer, group: list[Definition], started: set, change) -> None:
        letter = group[0].variable
        names = list(dict.fromkeys(made.name for made in group))
        saved = writer.zero, dict(writer.local)
        self.choose_letters([Node("layer", (Node("sym", ("•",)), Node("sym", (letter,))))], [letter])
        span = self.span(writer, letter)
        self.bind(writer, letter)
        alone = len(group) == 1 and not group[0].guards and group[0].name not in started and not group[0].indices
        made = group[0]
        changed = change is not None and change[0] in names
        if alone and not changed and made.name not in self.known.reached(made.body) and self.starts(made.name) == []:
            value = self.right(writer, made)
            self.lines.append(f"{self.ident(made.name, True)} = {{{self.key(made)}: {value} for {self.ident(letter)} in {span}}}")
        else:
            for name in names:
                if name not in started:
                    start = ", ".join(f"{k}: {self.symbol(n).code}" for k, n in self.starts(name))
                    self.lines.append(f"{self.ident(name, True)} = {{{start}}}")
                    started.add(name)
            if any(name in names_in(m.body) and m.offset < 0 for m in group for name in names):
                span = f"reversed({span})"
            body = []
            for m in group:
                lines = [f"{self.ident(m.name, True)}[{self.key(m)}] = {self.right(writer, m)}"]
                if m.guards:
                    condition = " and ".join(writer.code(guard, COMPARE) for guard in m.guards)
                    lines = [f"if {condition}:", *("    " + line for line in lines)]
                body += lines
                if changed and m.name == change[0]:
                    body += [f"if {self.key(m)} == at:", f"    {self.ident(m.name, True)}[{self.key(m)}] = {change[1]}"]
            self.lines.append(f"for {self.ident(letter)} in {span}:")
            self.lines += ["    " + line for line in body]
        writer.zero, writer.local = saved

    def key(self, made: Definition) -> str:
        offset = made.offset
        return self.ident(made.variable) + (f" {'+' if offset > 0 else '-'} {abs(offset)}" if offset else "")

    def starts(self, name: str) -> list[tuple[int, str]]:
        """x_0, declared beside the family x_t."""
        return [(k, f"{name}_{k}") for k in range(9) if self.known.is_plain(f"{name}_{k}")]

    def write_def(self, made: Definition) -> None:
        writer = Writer(self)
        for parameter in made.parameters:
            d = self.known.declared(parameter)
            writer.local[parameter] = Text(self.ident(parameter), ATOM, self.shape(d))
        parameters = ", ".join(self.ident(p) for p in made.parameters)
        value = self.right(writer, made)
        self.lines += ["", f"def {self.ident(made.name)}({parameters}):", f"    return {value}", ""]

    # Draws.

    def draws(self) -> list[str]:
        """Lines that give a random value to everything that nothing defines."""
        for name in self.loops:
            self.drawn.pop((name, False), None)
        written: dict[tuple, list[str]] = {}
        while missing := [key for key in self.drawn if key not in written]:
            for key in missing:
                written[key] = self.draw(*key)
        order = {name: k for k, (name, _) in enumerate(self.known.table)}

        def rank(key):
            name, family = key
            d = self.known.declared(name) if not family else self.known.family(name)
            size = d is None or d.kind == "size"
            return (not size, d is not None and d.kind == "function", order.get(name, -1), name)

        sizes = [key for key in sorted(written, key=rank) if written[key] and written[key][0].startswith("size ")]
        lines = []
        if plain := [(key, written[key][0][5:]) for key in sizes if not key[1]]:
            lines.append(f"{', '.join(self.ident(*key) for key, _ in plain)} = {', '.join(value for _, value in plain)}")
        for key in sizes:
            if key[1]:
                lines.append(f"{self.ident(*key)} = {written[key][0][5:]}")
        for key in sorted(written, key=rank):
            if key not in sizes:
                lines += written[key]
        return lines

    def draw(self, name: str, family: bool) -> list[str]:
        known, ident = self.known, self.ident(name, family)
        if family and known.family(name) is None and name not in known.rules:
            names = [n for n, index in known.table if n.rpartition("_")[0] == name and n[-1].isdigit() and index is None]
            return ["size {" + ", ".join(f"{n.rpartition('_')[2]}: {self.size(n)}" for n in names) + "}"]
        d = known.family(name) if family else known.declared(name)
        if d.kind == "size":
            return [f"size {self.size(name)}"]
        if d.kind == "function":
            return self.any_function(d, ident)
        writer = Writer(self)
        if not family:
            return self.sample(writer, d, ident)
        self.zero_letters = set()
        span = self.span(writer, d.index)
        self.bind(writer, d.index)
        letter, rest = self.ident(d.index), self.starts(name)
        value = self.sample(writer, d, "")
        if len(value) > 1:
            raise Unwritten("a family of distributions")
        start = "".join(f"{k}: {self.symbol(n).code}, " for k, n in rest)
        inner = f"{{{letter}: {value[0][3:]} for {letter} in {span}}}"
        return [f"{ident} = {inner}" if not rest else f"{ident} = {{{start}**{inner}}}"]

    def size(self, name: str) -> int:
        fixed = self.known.declared(name).fixed
        if fixed is not None:
            return fixed
        names = [d.name for d in self.known.table.values() if d.kind == "size" and d.fixed is None]
        return SIZES[names.index(name)]

    def sample(self, writer: Writer, d: Declaration, ident: str) -> list[str]:
        space = d.space
        sizes = [writer.code(size) for size in space.shape]
        shape = f"({', '.join(sizes + ['1'] * (2 - len(sizes)))})" if sizes else ""
        if d.says("ones"):
            return [f"{ident} = np.ones({shape})"]
        low, high = space.interval or (-float("inf"), float("inf"))
        low = max(low, 0.0) if d.says("positive") else low
        comma = f", {shape}" if shape else ""
        if d.says("distribution"):
            return [f"{ident} = rng.uniform(0.1, 1{comma})", f"{ident} = {ident} / {ident}.sum(axis=0)"]
        if space.choices:
            return [f"{ident} = rng.choice({[float(x) for x in space.choices]}{comma})"]
        finite = abs(low) < float("inf"), abs(high) < float("inf")
        if all(finite):
            return [f"{ident} = rng.uniform({low:g}, {high:g}{comma})"]
        if finite[0]:
            return [f"{ident} = {low:g} + rng.uniform(0.3, 2.5{comma})"]
        if finite[1]:
            return [f"{ident} = {high:g} - rng.uniform(0.3, 2.5{comma})"]
        return [f"{ident} = rng.standard_normal({shape})"]

    def shape_line(self, made: Definition) -> list[str]:
        """A definition with nothing beside it: its shape at least is what the table says."""
        d = self.known.family(made.name) if made.of_family else self.known.declared(made.name)
        writer, ident = Writer(self), self.ident(made.name, made.of_family)
        if made.parameters is not None:
            return [f"print({self.code_of_call(made)})"]
        if d is None or d.space is None or not d.space.shape:
            return [f"print({ident})"]
        member = "" if not made.of_family else f"[{made.member}]" if made.variable is None else f"[{self.key(made)}]"
        if made.variable is not None:
            self.zero_letters = set()
            span = self.span(writer, made.variable)
            self.bind(writer, made.variable)
        if made.of_family:
            number = Node("num", (made.member,)) if made.variable is None else made.head[1]
            number = number[0] if isinstance(number, tuple) else number
            writer.local[d.index] = Text(writer.code(number))
        sizes = [writer.code(size) for size in d.space.shape]
        shape = f"({', '.join(sizes + ['1'] * (2 - len(sizes)))})"
        if made.variable is None:
            return [f"assert {ident}{member}.shape == {shape}"]
        return [f"for {self.ident(made.variable)} in {span}:", f"    assert {ident}{member}.shape == {shape}"]

    def code_of_call(self, made: Definition) -> str:
        return f"{self.ident(made.name)}({', '.join(self.symbol(p).code for p in made.parameters)})"

    def any_function(self, d: Declaration, ident: str) -> list[str]:
        if d.space.shape or d.space.interval:
            raise Unwritten("any function with values that are not numbers")
        if len(d.arguments) == 1 and not d.arguments[0].shape:
            return ["", f"def {ident}(x):  # any smooth function", "    return np.sin(x + 0.4) + 0.3 * x**2", ""]
        if len(d.arguments) > 1:
            raise Unwritten("any function of several arguments")
        return ["", f"def {ident}(x):  # any smooth function", "    return np.sum(np.sin(x + 0.4) + 0.3 * x[0] * x**2)", ""]

    # Statements.

    def claim(self, node: Node, letters: list[str], guards: list[Node]) -> None:
        self.choose_letters([node, *guards], letters)
        writer = Writer(self)
        indent = self.loop(writer, letters, guards, [node])
        self.block([indent + line for line in self.statement(writer, node)])

    def code(self, node: Node, letters: list[str], code: str, guards: list[Node]) -> None:
        """The witness: the code of the package gives the same."""
        self.choose_letters([node, *guards], letters, code)
        writer = Writer(self)
        indent = self.loop(writer, letters, guards, [node])
        mine = writer.code(node)
        theirs = self.translated(code, writer)
        self.block([f"{indent}assert np.allclose({mine}, {theirs})"])

    def block(self, body: list[str]) -> None:
        """A statement under its loops; two statements in a row share them."""
        if self.heads and self.lines == self.ended[0] and self.heads == self.ended[1]:
            self.lines += body
        else:
            self.lines += ["", *self.heads, *body]
        self.ended = list(self.lines), self.heads

    def loop(self, writer: Writer, letters: list[str], guards: list[Node], trees: list[Node]) -> str:
        """The lines above a statement: loops over its indices and conditions; how far it is indented."""
        indent, self.heads, guards = "", [], list(guards)
        if guards:
            self.zero_letters -= set(letters)
        used = set().union(*(names_in(tree) for tree in trees))
        for name in self.several:
            if name in used and not letters:
                self.symbol(name)
                self.heads.append(f"for {self.ident(name)} in {self.values_of(name)}:")
                self.loops[name] = ""
                indent = "    "
                break
        for letter in self.in_order(letters):
            span = self.span(writer, letter, *self.narrowed(letter, guards))
            self.heads.append(f"{indent}for {self.ident(letter)} in {span}:")
            self.bind(writer, letter)
            indent += "    "
        if guards:
            condition = " and ".join(writer.code(guard, COMPARE) for guard in guards)
            self.heads.append(f"{indent}if {condition}:")
            indent += "    "
        return indent

    def values_of(self, name: str) -> str:
        d = self.known.declared(name)
        line = self.sample(Writer(self), d, "x")[0]
        value = line.partition(" = ")[2].replace("standard_normal()", "standard_normal(9)")
        return value if value.endswith("(9)") else value[:-1] + ", 9)"

    def in_order(self, letters: list[str]) -> list[str]:
        """A range such as 1..n_l comes after its l."""
        found: list[str] = []
        rest = list(letters)
        while rest:
            first = next((a for a in rest if not self.scope.range_names(a) & set(rest) - {a}), rest[0])
            found.append(first)
            rest.remove(first)
        return found

    def narrowed(self, letter: str, guards: list[Node]):
        """The range of a letter when a condition such as 2 <= l <= L states it; the condition is used up."""
        for guard in guards:
            if guard.kind == "rel" and guard[1] == ("<=", "<=") and guard[0][1] == Node("sym", (letter,)):
                guards.remove(guard)
                return guard[0][0], guard[0][2]
        return None, None

    def statement(self, writer: Writer, node: Node) -> list[str]:
        if node.kind in ("iff", "implies"):
            a, b = (self.truth(writer, side) for side in node.parts)
            return [f"assert ({a}) == ({b})" if node.kind == "iff" else f"assert not ({a}) or ({b})"]
        lines = []
        if set(node[1]) == {"="}:
            names = ["left", "right"] if len(node[0]) == 2 else [f"side_{k + 1}" for k in range(len(node[0]))]
            for k, side in enumerate(node[0]):
                code = writer.code(side)
                if short(code):
                    names[k] = code
                else:
                    lines.append(f"{names[k]} = {code}")
            lines += [f"assert np.allclose({a}, {b})" for a, b in itertools.pairwise(names)]
            return lines
        for a, sign, b in zip(node[0], node[1], node[0][1:]):
            lines.append(f"assert {self.truth(writer, Node('rel', ((a, b), (sign,)), node.span))}")
        return lines

    def truth(self, writer: Writer, node: Node) -> str:
        parts = []
        for a, sign, b in zip(node[0], node[1], node[0][1:]):
            if "argmin" in (a.kind, b.kind):
                raise Unwritten("argmin")
            if sign == "=":
                parts.append(f"np.allclose({writer.code(a)}, {writer.code(b)})")
            elif sign == "~":
                digits = b if b.kind == "num" else b[0]
                places = len(str(digits[0]).partition(".")[2]) if isinstance(digits[0], float) else 0
                parts.append(f"round({writer.code(a)}, {places}) == {writer.code(b)}")
            else:
                parts.append(writer.compared(a, sign, b))
        return " and ".join(parts)

    def translated(self, code: str, writer: Writer) -> str:
        """The witness with the names of this program; nnfp.affine for affine."""
        names = witness.Names(self.scope, self.public)
        used = witness.names_used(code)
        zero = {witness.ascii_name(letter): letter for letter in writer.zero}
        local = {witness.ascii_name(letter): text.code for letter, text in writer.local.items()}
        rename: dict[str, str] = {}
        for name in used:
            if name in witness.BUILTINS or name == "np":
                continue
            if name in local:
                rename[name] = local[name]
            elif name in names.values and (name not in self.public or not callable(self.public[name])):
                rename[name] = self.value(names.values[name])
            elif name in self.public:
                self.package = True
                rename[name] = f"nnfp.{name}"
            elif name == "grad":
                self.package = True
                rename[name] = "nnfp.central_difference"
            elif name in names.values:
                rename[name] = self.value(names.values[name])
            elif name in names.functions:
                rename[name] = self.function(names.functions[name])
        tree = Renamed(rename, zero).visit(ast.parse(code.strip(), "witness", "eval"))
        return ast.unparse(ast.fix_missing_locations(tree))

    def value(self, tex: str) -> str:
        if self.known.is_plain(tex):
            return self.symbol(tex).code
        return self.family(tex).code


class Renamed(ast.NodeTransformer):
    """Other names; `i - 1` is `i` where i counts from 0."""

    def __init__(self, rename: dict[str, str], zero: dict[str, str]):
        self.rename, self.zero = rename, zero

    def visit_Lambda(self, node):
        defaults = [self.visit(default) for default in node.args.defaults]
        hidden = {a.arg for a in node.args.args}
        inner = Renamed({k: v for k, v in self.rename.items() if k not in hidden}, self.zero)
        node.body, node.args.defaults = inner.visit(node.body), defaults
        return node

    def visit_BinOp(self, node):
        if isinstance(node.left, ast.Name) and node.left.id in self.zero and isinstance(node.op, ast.Sub):
            if isinstance(node.right, ast.Constant) and node.right.value == 1:
                return ast.Name(self.zero[node.left.id], ast.Load())
        return self.generic_visit(node)

    def visit_Name(self, node):
        wanted = self.rename.get(node.id, node.id)
        if wanted == node.id:
            return node
        return ast.parse(wanted, mode="eval").body


def only_shifted(code: str, letter: str) -> bool:
    """Does the letter occur as `letter - 1` only?"""
    tree = ast.parse(code.strip(), mode="eval")
    count = sum(isinstance(node, ast.Name) and node.id == letter for node in ast.walk(tree))
    shifted = sum(
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Name)
        and node.left.id == letter and isinstance(node.right, ast.Constant) and node.right.value == 1
        for node in ast.walk(tree)
    )  # fmt: skip
    return count == shifted


def merged_return(lines: list[str], result: str) -> list[str]:
    """`return expression` in the place of an assignment of the result in the last line."""
    if lines and lines[-1].startswith(f"{result} = "):
        return [*lines[:-1], f"return {lines[-1][len(result) + 3 :]}"]
    return [*lines, f"return {result}"]


def short(code: str) -> bool:
    """A name, a member of a family, a number: this needs no name of its own."""
    return re.fullmatch(r"[\w.]+(\[[\w +-]+\])?(\.T)?", code) is not None


def wrapped(line: str, width: int = 92) -> list[str]:
    """A long line broken at its arguments or at its operators."""
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= width or not line.strip().startswith(("assert np.allclose(", "left =", "right =", "side_")):
        return [line]
    node = ast.parse(line.strip()).body[0]
    text = line.strip()
    if isinstance(node, ast.Assert):
        parts = [ast.get_source_segment(text, argument) for argument in node.test.args]
        return [f"{indent}assert np.allclose(", *(f"{indent}    {part}," for part in parts), f"{indent})"]
    parts, value = [], node.value
    level = (ast.Add, ast.Sub) if isinstance(getattr(value, "op", None), (ast.Add, ast.Sub)) else (ast.Mult, ast.MatMult, ast.Div)
    while isinstance(value, ast.BinOp) and isinstance(value.op, level):
        parts.append(text[value.left.end_col_offset : value.end_col_offset].strip(" "))
        value = value.left
    if not parts or any(part.startswith(")") for part in parts):
        return [line]
    name = text[: text.index("=") + 1]
    first = text[value.col_offset : value.end_col_offset]
    return [f"{indent}{name} (", f"{indent}    {first}", *(f"{indent}    {part}" for part in reversed(parts)), f"{indent})"]


def finished(lines: list[str]) -> str:
    text = "\n".join(part for line in lines for part in wrapped(line))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def numpy_form(check, work) -> str:
    """The program for one display. `check` is the PageCheck that has just read it."""
    chosen: set[Definition] = set()
    while True:
        program, above = written(check, work, chosen)
        known = check.known
        wanted = {
            made for name, family in program.needs for made in known.definitions_of(name) if made.of_family == family
        } - set(work.made)
        if wanted <= chosen:
            break
        chosen |= wanted
    drawn = program.draws()
    head = ["import numpy as np", *(["import nnfp"] if program.package else []), ""]
    for name in program.helpers:
        head += ["", *HELPERS[name], ""]
    everything = [*drawn, *above, *program.lines]
    random = ["rng = np.random.default_rng(1)"] if any("rng." in line for line in everything) else []
    parts = [*head, *random, *drawn, ""]
    if above:
        parts += ["# defined above", *above, ""]
    return finished([*parts, "# the equation", *program.lines])


def form_of(check, work) -> str:
    """The program, or nothing where the grammar here is poorer than the one of the checker."""
    try:
        return numpy_form(check, work)
    except (Unwritten, Problem, ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
        return ""  # the test lists these; a page that is wrong may be beyond writing down


def written(check, work, chosen: set[Definition]) -> tuple[Program, list[str]]:
    """The program with these definitions above; it may turn out to need more of them."""
    known, display = check.known, work.display
    program = Program(known, check.scopes[0], check.package)
    for d in known.table.values():  # short names go to the symbols of the table, in order
        if d.kind != "size" or not program.numbered(d.name.rpartition("_")[0] or "•"):
            program.ident(d.name, d.index is not None)
    program.define(Writer(program), list(chosen))
    above, program.lines = program.lines, []
    program.several = several(known, list(work.made), [*work.claims, *work.guards])
    define_own(program, work.made, {made.name for made in chosen if made.of_family})
    for made in work.made:
        if made.parameters and display.witness is not None:
            for parameter in made.parameters:
                program.symbol(parameter)
    if display.witness is not None:
        node, letters = spoken_of(check, work)
        program.code(node, letters, display.witness, work.guards)
    for claim in work.claims:
        letters = check.free(claim)
        letters += [n for guard in work.guards for n in check.free(guard) if n not in letters]
        program.claim(claim, letters, work.guards)
    if display.witness is None and not work.claims:
        program.lines.append("")
        for made in work.made:
            program.lines += program.shape_line(made)
    return program, above


def several(known: Knowledge, made: list[Definition], trees: list[Node]) -> list[str]:
    """Numbers that only a statement uses: these get several values, so that every case is met."""
    heads = [one.head for one in made]
    reached = set().union(*(known.reached(tree) for tree in trees), set())
    made = {*made, *(one for name in reached for one in known.definitions_of(name))}
    fixed = {name for one in made for name in names_in(one.body) - set(one.parameters or ())}
    names = [part[0] for tree in [*trees, *heads] for part in walk(tree) if part.kind == "sym"]
    found = []
    for name in dict.fromkeys(names):
        d = known.declared(name)
        if d is not None and d.kind == "value" and not d.space.shape and not d.space.choices:
            if name not in fixed and name not in known.plain and not d.says("ones") and not d.says("random"):
                found.append(name)
    return found


def define_own(program: Program, made: list[Definition], families: set[str]) -> None:
    writer, started = Writer(program), set(families)
    groups: list[list[Definition]] = []
    for one in made:
        if groups and one.variable is not None and groups[-1][0].variable == one.variable:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        program.write_group(writer, group, started, None)


def spoken_of(check, work) -> tuple[Node, list[str]]:
    """What the witness is compared with, and the letters that it runs over; as in PageCheck.compare_code."""
    node = work.first or work.claims[0]
    letters = check.free(node)
    used = witness.names_used(work.display.witness)
    if node.kind == "sub" and not check.known.is_plain(name_of(node)) and not any(
        witness.ascii_name(letter) in used for letter in check.free(Node("list", node[1]))
    ):
        if node[0].kind == "call" or not (name_of(node[0]) and check.scopes[0].counts_members(name_of(node[0]), node[1][0])):
            return node[0], check.free(node[0])
    return node, letters


__all__ = ["Unwritten", "form_of", "numpy_form"]
