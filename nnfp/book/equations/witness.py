"""The code witness: a Python expression that must give the value of the equation."""

import ast
import re

import numpy as np

from nnfp.book.equations.evaluation import STEP, Scope
from nnfp.book.equations.functions import plain
from nnfp.book.equations.problems import Problem


def ascii_name(name: str) -> str:
    r"""\hat{y} is yhat, x^* is xstar, \beta_1 is beta_1, \lambda is lambda_."""
    name = re.sub(r"\\(hat|bar|tilde|vec|dot|widehat|widetilde|overline)\{\\?(\w+)\}", r"\2\1", name)
    name = re.sub(r"\\(mathrm|mathbf|mathcal|mathbb|operatorname|text|boldsymbol|bm)(?![A-Za-z])", "", name)
    name = re.sub(r"[\\{}]", "", name).replace("^*", "star")
    return "lambda_" if name == "lambda" else name


class Family(dict):
    """The members of a family by number; members outside the index range are computed when asked for."""

    def __init__(self, scope: Scope, name: str):
        super().__init__()
        self.scope, self.name = scope, name
        known = scope.known
        letters = known.letters.get(name, set())
        wanted = sorted({k for letter in letters for k in range(scope.bounds(letter)[0], scope.bounds(letter)[1] + 1)})
        wanted = [r.member for r in known.rules.get(name, ()) if r.member is not None and r.member not in wanted] + wanted
        for k in wanted:
            try:
                self[k] = scope.lookup(name, k)
            except Problem:
                continue

    def __missing__(self, k):
        if not isinstance(k, (int, np.integer)):
            raise KeyError(k)
        return self.scope.lookup(self.name, int(k))


class Names(dict):
    """The names a witness can use: the page's symbols, then what the package makes public."""

    def __init__(self, scope: Scope, package: dict):
        super().__init__()
        self.scope, self.package = scope, package
        known = scope.known
        self.values: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        for name in [*(n for n, _ in known.table), *known.plain, *known.rules, *scope.local]:
            d = known.declared(name)
            if d is not None and d.kind == "function" and name not in known.plain:
                self.functions.setdefault(ascii_name(name), name)
            else:
                self.values.setdefault(ascii_name(name), name)
        for name in known.functions:
            self.functions.setdefault(ascii_name(name), name)

    def __missing__(self, key: str):
        if key == "np":
            return np
        if key in self.values and (key not in self.package or not callable(self.package[key])):
            return self.symbol(self.values[key])
        if key in self.package:
            return self.package[key]
        if key == "grad":
            return gradient
        if key in self.values:
            return self.symbol(self.values[key])
        if key in self.functions:
            name = self.functions[key]
            return lambda *values: self.scope.apply(name, list(values))
        raise KeyError(key)

    def symbol(self, name: str):
        known = self.scope.known
        if name in self.scope.local or known.is_plain(name):
            return self.scope.lookup(name)
        return Family(self.scope, name)


def gradient(f, x):
    """The gradient of a function of an array, by the complex step."""
    found = np.zeros(np.shape(x))
    for place in np.ndindex(*np.shape(x)):
        moved = np.array(x, complex)
        moved[place] += STEP * 1j
        found[place] = np.imag(f(moved)) / STEP
    return plain(found)


def names_used(code: str) -> set[str]:
    """The names that an expression takes from outside."""
    tree = compiled(code)[0]
    bound = {a.arg for node in ast.walk(tree) if isinstance(node, ast.Lambda) for a in node.args.args}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    defaults = {
        part.id
        for node in ast.walk(tree) if isinstance(node, ast.Lambda)
        for default in node.args.defaults for part in ast.walk(default) if isinstance(part, ast.Name)
    }  # fmt: skip
    return {node.id for node in names if node.id not in bound} | defaults


_CACHE: dict = {}


def compiled(code: str):
    if code not in _CACHE:
        try:
            tree = ast.parse(code.strip(), "witness", "eval")
        except SyntaxError as error:
            raise Problem(f"the code witness is no Python expression: {error.msg}", kind="syntax") from None
        _CACHE[code] = tree, compile(tree, "witness", "eval")
    return _CACHE[code]


def evaluate(code: str, scope: Scope, package: dict):
    """The value of the expression; lambdas see the page's symbols as well."""
    names, space = Names(scope, package), {"__builtins__": BUILTINS}
    for name in names_used(code):
        if name not in BUILTINS:
            try:
                space[name] = names[name]
            except KeyError:
                continue
    try:
        found = eval(compiled(code)[1], space)
    except Problem:
        raise
    except NameError as error:
        raise Problem(
            f"the code witness uses {error.name}, which neither nnfp nor the notation table has", kind="name"
        ) from None
    except Exception as error:  # the package's own messages reach the author
        raise Problem(f"the code witness raises {type(error).__name__}: {error}", kind="value") from None
    if not isinstance(found, (int, float, complex, np.ndarray, np.generic)):
        raise Problem(f"the code witness gives {type(found).__name__}, no number and no array", kind="shape")
    return found


BUILTINS = {"__import__": __import__} | {
    f.__name__: f for f in (range, len, sum, abs, min, max, float, int, list, dict, zip, enumerate, round, sorted)
}
