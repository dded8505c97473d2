"""A page's equations, run in reading order: definitions are kept, claims are tested."""

import ast
import itertools
import re
import warnings
from dataclasses import dataclass, field

import numpy as np

from nnfp.book.equations import notation
from nnfp.book.equations.errors import Bad, NoCase
from nnfp.book.equations.evaluation import BUILTIN, Draw, agree
from nnfp.book.equations.parser import GREEK, RELATIONS, Parser, Token, name_of, tokens

SEEDS = tuple(range(1, 7))
CORNERS = 40  # more draws where cases, max, min or bars ask for both sides
_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_CORNERED = re.compile(r"\\begin\{cases\}|\\max|\\min|\\lvert|\|")


@dataclass
class Equation:
    """A display: its TeX without the label, where it stands, and the code that bears witness."""

    tex: str
    line: int
    id: str
    witness: str | None


@dataclass
class Result:
    """What came of one display."""

    id: str
    file: str
    line: int
    tex: str
    kind: str
    ok: bool
    message: str
    witness: str | None
    comparisons: int
    worst_error: float
    symbols: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def checked_by(self) -> str:
        """How it was checked, in words for the reader."""
        draws = f"{self.comparisons} comparisons on random numbers"
        if self.witness:
            return f"compared with the code {self.witness}: {draws}"
        if self.kind == "definition":
            return "a definition; later claims on this page bear witness to it"
        return f"both sides evaluated: {draws}"


def statements(stream: list[Token]) -> list[list[Token]]:
    r"""A display cut at \quad and at the rows of aligned; rows that begin with a relation go on."""
    if "".join(stream[1:10]).startswith("{aligned}") and stream[0] == r"\begin":
        last = len(stream) - 1 - stream[::-1].index(r"\end")
        stream = [t for t in stream[stream.index("}") + 1 : last] if t != "&"]
    parts, current, depth, nested = [], [], 0, 0
    for token in stream:
        depth += {"{": 1, "}": -1}.get(token, 0)
        nested += {r"\begin": 1, r"\end": -1}.get(token, 0)
        if token in (r"\quad", r"\qquad", r"\\") and not depth and not nested:
            parts.append(current)
            current = []
        else:
            current.append(token)
    joined: list[list[Token]] = []
    for part in [*parts, current]:
        while part and part[-1] in (",", ".", ";"):
            part = part[:-1]
        if part and joined and part[0] in RELATIONS:
            joined[-1] = joined[-1] + part
        elif part:
            joined.append(part)
    return joined


def mentions(node, name: str) -> bool:
    return isinstance(node, tuple) and (node[:2] == ("sym", name) or any(mentions(part, name) for part in node))


def head(node) -> str | None:
    """The name that a left side defines."""
    while node[0] in ("call", "sub", "layer"):
        node = node[1]
    return name_of(node)


def ascii_name(tex: str) -> str:
    r"""The name of a symbol in a witness: \hat{Y} is Yhat, x^* is xstar, \lambda is lambda_."""
    name = re.sub(r"\\(hat|bar|tilde)\{\\?(\w+)\}", r"\2\1", tex)
    name = re.sub(r"\\(mathrm|mathbf|mathcal|operatorname|text|boldsymbol)|[\\{}]", "", name)
    name = name.replace("^*", "star")
    return "lambda_" if name == "lambda" else name


class Names(dict):
    """What a witness may name: the package, np, grad, and the page's symbols, in ASCII."""

    def __init__(self, page: "Page", draw: Draw):
        super().__init__()
        self.page, self.draw = page, draw
        functions = [*page.functions, *(d.name for d in page.declarations.values() if d.kind == "function")]
        for name in functions:
            self[ascii_name(name)] = lambda *a, name=name: draw.apply(name, list(a))
        self.update(page.package)
        self.update(np=np, grad=draw.gradient)
        for name in self.symbols():
            if ascii_name(name) in self and name not in functions:
                self[ascii_name(name)] = self.value(name)

    def symbols(self):
        page = self.page
        yield from self.draw.local
        yield from (d.name for d in page.declarations.values() if d.kind != "function")
        yield from (name for name, _ in page.definitions)
        yield from page.families

    def value(self, name: str):
        if name in self.draw.local or self.draw.known(name):
            return self.draw.lookup(name)
        return self.draw.family(name)

    def __missing__(self, key: str):
        for name in self.symbols():
            if ascii_name(name) == key:
                return self.value(name)
        raise KeyError(key)


class Page:
    """All that a page declares and defines, and the draws on which it is run."""

    def __init__(self, text: str, equations: list[Equation], package: dict, file: str = "page"):
        self.file, self.equations, self.package = file, equations, package
        self.declarations = notation.declarations(text)
        self.definitions: dict = {}
        self.families: dict = {}
        self.functions: dict = {}
        self.parameters: set[str] = set()
        self.met: dict = {}  # how often each case and each side of an equivalence was met
        self.used: set[str] = set()  # names looked up by the claim at hand
        self.bearing: set[str] = set()  # names that some claim or code bears witness to
        self.defined: dict[str, Equation] = {}
        self.worst = 0.0
        self.draws = [Draw(self, seed) for seed in SEEDS]

    # What evaluation asks of the page.

    def is_function(self, name: str | None) -> bool:
        declaration = self.declarations.get((name, None))
        declared = bool(declaration and declaration.kind == "function")
        return name is not None and (name in self.functions or name in BUILTIN or declared)

    def steps(self, node) -> bool:
        """True for a subscript that counts steps, so that x_t is the t-th x and no entry of x."""
        if not isinstance(node, tuple) or not node:
            return False
        declaration = self.declarations.get((node[1], None)) if node[0] == "sym" else None
        if declaration and declaration.kind == "index" and re.search(r"\bstep\b", declaration.meaning):
            return True
        return any(self.steps(part) for part in node if isinstance(part, tuple))

    def is_family(self, name: str) -> bool:
        return name in self.families or any(d.name == name and d.index for d in self.declarations.values())

    def has(self, name: str) -> bool:
        return (name, None) in self.declarations or (name, None) in self.definitions or name in self.functions

    def note_error(self, a, b) -> None:
        with np.errstate(all="ignore"):
            size = np.maximum(np.abs(np.asarray(a)), 1.0)
            gap = np.max(np.abs(np.asarray(a) - np.asarray(b)) / size, initial=0.0)
        if gap < 1e-6:
            self.worst = max(self.worst, float(gap))

    # Reading.

    def parse(self, stream: list[Token]) -> tuple:
        new = None
        try:
            probe = Parser(stream, lambda name: False)
            name = name_of(probe.atom())
            fresh = name and (name, None) not in self.declarations and (name, None) not in self.definitions
            if probe.peek() == "(" and fresh:
                new = name
        except Bad:
            pass
        parser = Parser(stream, lambda name: self.is_function(name) or (name is not None and name == new))
        found = parser.relation()
        if parser.peek() is not None:
            raise Bad(f"cannot read on at {parser.peek()}")
        return found

    def define(self, node) -> bool:
        """Keep a definition; False if this is a claim."""
        if node[0] != "rel" or ":=" not in node[2]:
            return False
        if node[2].index(":="):
            raise Bad(":= must be the first relation")
        left, right, indices = node[1][0], node[1][1], ()
        if left[0] == "sub" and left[1][0] == "call":
            indices, left = left[2], left[1]
        if left[0] == "call":
            return self.define_function(left, indices, right)
        name = name_of(left)
        if left[0] == "layer":
            return self.define_family(name_of(left[1]), left[2], right)
        if left[0] == "sub" and name_of(left[1]):
            base, k = name_of(left[1]), left[2]
            numbered = k[0][0] == "num" and not self.has(base)
            if len(k) == 1 and (self.steps(k[0]) or numbered):
                return self.define_family(base, k[0], right)
            letters = all(i[0] == "sym" and re.fullmatch("[a-z]", i[1]) for i in k)
            if letters and not (name and self.has(name)):
                self.refuse_again(base)
                self.definitions[base, None] = (k, right)
                return True
        if name is None or left[0] == "prime":
            raise Bad("the left side of := must be a symbol, its entries, a layer of it or a function", left)
        self.refuse_again(name)
        self.definitions[name, None] = ((), right)
        return True

    def refuse_again(self, name: str) -> None:
        declaration = self.declarations.get((name, None))
        if (name, None) in self.definitions or name in self.functions:
            raise Bad(f"{name} is defined already")
        if declaration and declaration.kind != "value":
            raise Bad(f"{name} is declared as {declaration.domain}: it cannot be defined as well")

    def define_function(self, left, indices, right) -> bool:
        name = name_of(left[1])
        if name is None:
            raise Bad("a derivative cannot be defined, only claimed", left)
        if name in self.functions or name in BUILTIN or (name, None) in self.definitions:
            raise Bad(f"{name} is defined already", left)
        parameters = [name_of(argument) for argument in left[2]]
        if None in parameters or any(i[0] != "sym" for i in indices) or len(set(parameters)) < len(parameters):
            raise Bad("the arguments of a definition must be different symbols", left)
        for parameter in parameters:
            if (parameter, None) not in self.declarations and (parameter, None) not in self.definitions:
                raise Bad(f"the argument {parameter} is not declared in the table", left)
        self.functions[name] = (parameters, (indices, right))
        self.parameters |= set(parameters)
        return True

    def define_family(self, name, k, right) -> bool:
        if name is None:
            raise Bad("only a symbol can have layers or steps")
        if k[0] == "num":
            if (name, k[1]) in self.definitions:
                raise Bad(f"{name}, number {k[1]}, is defined already")
            self.definitions[name, k[1]] = ((), right)
            self.families.setdefault(name, [])
            return True
        if k[0] == "sym":
            variable, shift = k[1], 0
        elif k[0] in ("+", "-") and k[1][0] == "sym" and k[2][0] == "num":
            variable, shift = k[1][1], k[2][1] if k[0] == "+" else -k[2][1]
        else:
            raise Bad("write the layer or step as l, l+1 or a number", k)
        if self.families.get(name):
            raise Bad(f"the steps of {name} are defined already")
        if any(d.name == name and d.index for d in self.declarations.values()) and not self.families.get(name):
            raise Bad(f"{name} is declared as a given family: it cannot be defined as well")
        self.families.setdefault(name, []).append((variable, shift, ((), right)))
        return True

    # Running.

    def check(self) -> list[Result]:
        results = []
        for equation in self.equations:
            kind, count, message, self.worst = "claim", 0, "", 0.0
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    kind, count = self.run(equation)
            except RecursionError:
                message = "a definition goes round in a circle, or nothing stops a recursion"
            except Bad as error:
                message = self.explain(equation, error)
            except NameError as error:
                message = f"the witness {equation.witness!r}: {error}"
            except Exception as error:  # the witness is code and may raise anything
                message = f"{type(error).__name__}: {error}"
                if equation.witness:
                    message = f"the witness {equation.witness!r}: {message}"
            results.append(
                Result(
                    equation.id, self.file, equation.line, equation.tex, kind, not message, message,
                    equation.witness, count, self.worst, self.symbols_of(equation),
                )
            )  # fmt: skip
        return self.unwitnessed(results)

    def unwitnessed(self, results: list[Result]) -> list[Result]:
        idle = {id(e) for name, e in self.defined.items() if name not in self.bearing}
        for equation, result in zip(self.equations, results, strict=True):
            if id(equation) in idle and result.ok:
                result.ok = False
                result.message = "no code and no claim bears witness to this definition: add <!-- code --> below it"
        return results

    def explain(self, equation: Equation, error: Bad) -> str:
        span = getattr(error.node, "span", None)
        if not span or span == (0, len(equation.tex)):
            return str(error)
        part = " ".join(equation.tex[span[0] : span[1]].split())
        return f"{error}; in: {part}"

    def run(self, equation: Equation) -> tuple[str, int]:
        kind, guards, claims = "claim", [], []
        for stream in statements(tokens(equation.tex)):
            node = self.parse(stream)
            if node[0] == "rel" and set(node[2]) - {"=", ":="} and all(self.is_index(s) for s in node[1]):
                guards.append(node)
                continue
            if node[0] not in ("rel", "iff"):
                raise Bad("a display must state something: there is no relation", node)
            if self.define(node):
                kind = "definition"
                for draw in self.draws:
                    draw.cache = {}
                self.match_row(node[1][0])
                if node[1][2:]:
                    claims.append(("rel", (node[1][0], *node[1][2:]), node[2][1:]))
                claims.append(("defined", node[1][0]))
            else:
                claims.append(node)
        if not claims:
            raise Bad("nothing is stated")
        draws, count = self.draws, 0
        if _CORNERED.search(equation.tex):
            draws = draws + [Draw(self, 100 + k, k % 4 == 0) for k in range(CORNERS)]
        for draw in draws:
            for node in claims:
                self.used = set()
                count += self.for_all(draw, node, guards)
                if node[0] == "defined":
                    self.defined.setdefault(head(node[1]), equation)
                else:
                    self.bearing |= self.used
        if equation.witness:
            for draw in self.draws:
                count += self.against_code(draw, equation, claims, guards)
        if not count:
            raise Bad("nothing was compared")
        if any(not times for times in self.met.values()):
            raise Bad("a case, or a side of an equivalence, was never met by the random numbers")
        return kind, count

    def match_row(self, left) -> None:
        """A symbol that is declared and defined has the declared shape."""
        name = name_of(left[1]) if left[0] == "sub" else name_of(left)
        declaration = self.declarations.get((name, None))
        if not declaration or declaration.kind != "value":
            return
        draw = self.draws[0]
        wanted = tuple(draw.size(part) for part in declaration.shape)
        wanted = (*wanted, 1) if len(wanted) == 1 else wanted
        got = np.shape(draw.lookup(name))
        if got != wanted:
            raise Bad(f"{name} is declared as {declaration.domain}, here {wanted}, and defined with shape {got}")

    def is_index(self, node) -> bool:
        name = name_of(node)
        declaration = self.declarations.get((name, None)) if name else None
        return node[0] == "num" or bool(declaration and declaration.kind in ("index", "size"))

    def free(self, tree) -> list[str]:
        """Free indices: index symbols of the table anywhere, undeclared letters in subscripts."""
        found: list[str] = []

        def walk(node, hidden, inside=False):
            if not isinstance(node, tuple) or not node:
                return
            if node[0] == "fold":
                low = node[2]
                variable = low[1][0][1] if low[0] == "rel" else low[1]
                if low[0] == "rel":
                    walk(low[1][1], hidden)
                walk(node[3], hidden)
                walk(node[4], hidden | {variable})
            elif node[0] == "sub":
                if name_of(node) and self.has(name_of(node)):
                    return
                walk(node[1], hidden, inside)
                walk(node[2], hidden, True)
            elif node[0] == "sym":
                declaration = self.declarations.get((node[1], None))
                index = bool(declaration and declaration.kind == "index")
                letter = inside and re.fullmatch("[a-z]", node[1]) and not self.has(node[1])
                if node[1] not in hidden and node[1] not in found and (index or letter):
                    found.append(node[1])
            else:
                for part in node:
                    walk(part, hidden, inside and not isinstance(part, str))

        walk(tree, frozenset())
        return found

    def for_all(self, draw: Draw, node, guards) -> int:
        target = node[1] if node[0] == "defined" else node
        free = self.free(target)
        outer = [v for v in free if (v, None) in self.declarations]
        inner = [v for v in free if v not in outer]
        count, excluded = 0, []
        for place in self.places(draw, outer):
            here = draw.child(**place) if place else draw
            if not all(here.truth(guard) for guard in guards):
                excluded.append(here)
                continue
            ranges = here.ranges(self.right_of(target), inner) if inner else {}
            for entry in itertools.product(*[range(1, ranges[v] + 1) for v in inner]):
                there = here.child(**dict(zip(inner, entry, strict=True))) if inner else here
                if node[0] == "defined":
                    if not np.all(np.isfinite(np.asarray(there.ev(target), complex))):
                        raise Bad("the value is not finite", target)
                elif not self.is_true(there, node):
                    at = {**place, **dict(zip(inner, entry, strict=True))}
                    raise Bad(self.say_false(there, node, at))
                else:
                    count += 1
        if guards and node[0] != "defined" and excluded and not count:
            raise Bad("the condition leaves nothing to test")
        if guards and node[0] != "defined" and excluded and all(self.holds_quietly(e, node) for e in excluded):
            raise Bad("also true where the condition excludes it: is the condition right?")
        return count or (1 if node[0] == "defined" else 0)

    def places(self, draw: Draw, outer: list[str]):
        spans = []
        for variable in outer:
            low, high = draw.bounds(self.declarations[variable, None])
            spans.append(range(low, high + 1))
        for place in itertools.product(*spans):
            yield dict(zip(outer, place, strict=True))

    def holds_quietly(self, draw: Draw, node) -> bool:
        try:
            return draw.truth(node)
        except (Bad, ArithmeticError, ValueError, TypeError, IndexError):
            return False

    def is_true(self, draw: Draw, node) -> bool:
        try:
            return draw.truth(node)
        except NoCase:
            if draw.corner:
                return True
            raise

    def right_of(self, node):
        """Where the ranges of free indices are read: for a definition, its right side."""
        if node[0] == "sub" and node[1][0] == "call":
            return self.functions[name_of(node[1][1])][1][1]
        if node[0] == "sub" and (name_of(node[1]), None) in self.definitions:
            return self.definitions[name_of(node[1]), None][1]
        return node

    def say_false(self, draw: Draw, node, at: dict) -> str:
        where = f" at {', '.join(f'{k}={v}' for k, v in at.items())}" if at else ""
        if node[0] == "iff":
            return f"false{where}: one side holds and the other does not"
        values = [draw.ev(side) for side in node[1]]
        for a, sign, b in zip(values, node[2], values[1:], strict=False):
            if not draw.holds(a, sign, b):
                return f"false{where}: {show(a)} {sign} {show(b)}{self.slip(draw, a, b)}"
        return f"false{where}"

    def slip(self, draw: Draw, a, b) -> str:
        """The likely slip, if the sides differ by a factor that has a name."""
        with np.errstate(all="ignore"):
            ratio = np.ravel(np.real(np.asarray(a) / np.asarray(b)))
        if not ratio.size or not np.all(np.isfinite(ratio)) or not agree(ratio, ratio[0], rtol=1e-6):
            return ""
        factor = float(ratio[0])
        names = {-1.0: "the sign", 2.0: "2", 0.5: "1/2"}
        for declaration in self.declarations.values():
            if declaration.kind == "size" and declaration.index is None:
                size = draw.lookup(declaration.name)
                names |= {float(size): declaration.name, 1 / size: f"1/{declaration.name}"}
        word = next((word for value, word in names.items() if agree(value, factor, rtol=1e-6)), None)
        return f"; they differ by the factor {factor:.4g}" + (f", {word}" if word else "")

    def against_code(self, draw: Draw, equation: Equation, claims, guards) -> int:
        count, self.used = 0, set()
        code = compile(equation.witness, "<witness>", "eval")
        if not self.independent(equation.witness):
            raise Bad(f"the witness {equation.witness!r} only repeats the page: call the package or NumPy")
        left = next(node[1] if node[0] == "defined" else node[1][0] for node in claims if node[0] != "iff")
        if left[0] == "sub":
            base = left[1]
            whole = (name_of(base), None) in self.definitions and not self.steps(left[2])
            if base[0] == "call" or whole:
                left = base
        for place in self.places(draw, [v for v in self.free(left) if (v, None) in self.declarations]):
            here = draw.child(**place) if place else draw
            if not all(here.truth(guard) for guard in guards):
                continue
            want = np.asarray(eval(code, Names(self, here)))
            got = np.asarray(here.ev(left))
            if want.size == 1 and got.size == 1:
                want, got = want.reshape(()), got.reshape(())
            if got.shape != want.shape:
                raise Bad(f"the equation gives the shape {got.shape}, the code {want.shape}{turned_hint(got, want)}")
            if not agree(got, want):
                raise Bad(f"the equation gives {show(got)}, the code {show(want)}{self.slip(here, got, want)}")
            self.note_error(got, want)
            count += 1
        self.bearing |= self.used | {head(left)}
        return count

    def independent(self, witness: str) -> bool:
        """True if a witness computes something itself: by the package, NumPy, or array arithmetic."""
        for node in ast.walk(ast.parse(witness, mode="eval")):
            if isinstance(node, ast.BinOp | ast.Attribute):
                return True
            if isinstance(node, ast.Name) and (node.id in self.package or node.id == "np"):
                return True
        return False

    # For the reader.

    def symbols_of(self, equation: Equation) -> list[tuple[str, str, str]]:
        """(symbol, domain, meaning) of every declared symbol in the equation."""
        squeezed = "".join(tokens(equation.tex))
        letters = {t for t in tokens(equation.tex)}
        found = []
        for declaration in self.declarations.values():
            name = declaration.name
            simple = re.fullmatch("[A-Za-z]", name) or name in GREEK
            if (name in letters) if simple else (name.split("_")[0] in squeezed):
                shown = name if declaration.index is None else rf"{name}^{{[{declaration.index}]}}"
                found.append((shown, declaration.domain, declaration.meaning))
        return found


def turned_hint(a, b) -> str:
    return "; is a transpose missing?" if a.shape == b.shape[::-1] else ""


def show(value) -> str:
    value = np.real(np.asarray(value))
    if value.ndim == 0:
        return f"{float(value):.6g}"
    return np.array2string(np.ravel(value)[:4], precision=4, separator=", ") + (" ..." if value.size > 4 else "")
