"""What the copy button of a fence gives: code that runs when it is pasted anywhere.

The page shows a short fence. Where it depends on earlier ones, the copy begins with the
statements that it needs: the last binding of each name, and what has changed its value since.
Code shown from the package gets its imports and the helpers of its module. All of it is found
in the source, nothing runs here; tests paste every copy into a fresh interpreter.
"""

import ast
import builtins
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnfp.book import package
from nnfp.book.reading import Book, Fence, Page
from nnfp.book.running import MARK
from nnfp.book.sources import parse

_COMPOUND = (ast.If, ast.For, ast.While, ast.Try, ast.With)
_NAMED = (ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Copy:
    """The text of a copy; the first `added` lines are not in the fence."""

    text: str
    added: int


class _Scope(ast.NodeVisitor):
    """Names that a statement loads from outside, binds, and names whose value it may change."""

    def __init__(self, generators: set[str] = frozenset()):
        self.loads: set[str] = set()
        self.binds: set[str] = set()
        self.changes: set[str] = set()
        self.inner: set[str] = set()  # what a function changes outside of it when it is called
        self.generators = generators
        self._local: list[set[str]] = []

    def visit_Name(self, node: ast.Name) -> None:
        if any(node.id in local for local in self._local):
            return
        (self.loads if isinstance(node.ctx, ast.Load) else self.binds).add(node.id)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.binds |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
            self._change(node.target)

    def _place(self, node: ast.Subscript | ast.Attribute) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value)

    visit_Subscript = visit_Attribute = _place

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call for its own sake changes whatever it mentions, unless it prints."""
        call = node.value
        self.generic_visit(node)
        name = ast.unparse(call.func).split(".")[-1] if isinstance(call, ast.Call) else "print"
        if name != "print" and not name.startswith("assert"):
            for part in ast.walk(call):
                self._change(part)

    def visit_Call(self, node: ast.Call) -> None:
        """A call with a generator, or an object with a state, changes it."""
        self.generic_visit(node)
        parts = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
        for part in parts:
            while isinstance(part, ast.Attribute | ast.Subscript | ast.Starred):
                part = part.value
            if isinstance(part, ast.Name) and part.id in self.generators:
                self._change(part)

    def _change(self, node: ast.AST) -> None:
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and not any(node.id in local for local in self._local):
            (self.inner if self._local else self.changes).add(node.id)

    def _function(self, node) -> None:
        if isinstance(node, _NAMED):
            self.binds.add(node.name) if not self._local else None
            for decorator in node.decorator_list:
                self.visit(decorator)
        if isinstance(node, ast.ClassDef):
            for part in (*node.bases, *node.body):
                self._inside(part, set())
            return
        arguments = node.args
        for default in (*arguments.defaults, *(d for d in arguments.kw_defaults if d)):
            self.visit(default)
        names = {a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg)}
        for a in ast.walk(arguments):
            if isinstance(a, ast.arg) and a.annotation:
                self.visit(a.annotation)
        if getattr(node, "returns", None):
            self.visit(node.returns)
        body = node.body if isinstance(node.body, list) else [node.body]
        declared = {n for part in body for g in ast.walk(part)
                    if isinstance(g, ast.Global) for n in g.names}  # fmt: skip
        for part in body:
            for inner in ast.walk(part):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    names.add(inner.id)
                elif isinstance(inner, _NAMED):
                    names.add(inner.name)
                elif isinstance(inner, ast.Import | ast.ImportFrom):
                    names |= {(a.asname or a.name).split(".")[0] for a in inner.names}
        for part in body:
            self._inside(part, names - declared)

    def _inside(self, node: ast.AST, names: set[str]) -> None:
        self._local.append(names)
        before = set(self.binds)
        self.visit(node)
        self.binds = before
        self._local.pop()

    visit_FunctionDef = visit_Lambda = visit_ClassDef = _function

    def _comprehension(self, node) -> None:
        names = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self.visit(node.generators[0].iter)
        self._local.append(names)
        for part in ast.iter_child_nodes(node):
            self.visit(part)
        self._local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.generic_visit(node)
        self.loads.discard(node.name)


@dataclass
class _Statement:
    """A top-level statement with its source and what it does to names."""

    node: ast.stmt
    source: str
    scope: _Scope
    fence: int  # line of the fence, or of the module

    @cached_property
    def definition(self) -> bool:
        return isinstance(self.node, _NAMED)


def _scope(node: ast.AST, generators: set[str]) -> _Scope:
    scope = _Scope(generators)
    scope.visit(node)
    if isinstance(node, _COMPOUND):
        scope.loads |= scope.binds  # a branch may leave the value from before
    return scope


def _stateful(trees: list[ast.Module]) -> set[str]:
    """Names of random generators, of objects made by calling a class, and of open files."""
    found = {"rng"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name = ast.unparse(node.value.func).split(".")[-1]
                if name == "default_rng" or (name[:1].isupper() and name[1:2].isupper()):
                    found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return found


def _statements(source: str, tree: ast.Module, fence: int, stateful: set[str]) -> list[_Statement]:
    lines, found = source.split("\n"), []
    for node in tree.body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        if found and found[-1].node.end_lineno == node.lineno:
            text = ast.unparse(node)  # a second statement on a line
        found.append(_Statement(node, text, _scope(node, stateful), fence))
    return found


def _changes(statement: _Statement, inner: dict, functions: set[str], imports: set[str]) -> set:
    """Names whose value a statement may change, through the functions that it calls as well."""
    if statement.definition:
        return set()
    found = statement.scope.changes.union(*(inner.get(n, ()) for n in statement.scope.loads))
    settings = {"np"} if re.match(r"np\.(?:set|random\.)\w", statement.source) else set()
    return found - functions - (imports - settings)


def _needed(earlier: list[_Statement], wanted: list[_Statement], late: bool = False) -> set[int]:
    """Which of the earlier statements the wanted ones need.

    `late`: all definitions exist before anything is called, as in a module.
    """
    every = earlier + wanted
    functions = {n for s in every if isinstance(s.node, ast.FunctionDef) for n in s.scope.binds}
    imports = {n for s in every if isinstance(s.node, ast.Import | ast.ImportFrom)
               for n in s.scope.binds}  # fmt: skip
    inner = {n: s.scope.inner for s in every if s.definition for n in s.scope.binds}
    changes = [_changes(s, {} if late else inner, functions, imports) for s in every]
    chosen: set[int] = set()
    todo = [(name, place) for place in range(len(earlier), len(every))
            for name in every[place].scope.loads]  # fmt: skip
    seen: set[tuple[str, int]] = set()
    while todo:
        name, place = todo.pop()
        if (name, place) in seen:
            continue
        seen.add((name, place))
        limit = len(earlier) if late else place
        binding = next((i for i in reversed(range(limit)) if name in every[i].scope.binds), None)
        if binding is None:
            continue
        if every[binding].definition:  # what a function uses it needs when it is called
            todo += [(inner, place) for inner in every[binding].scope.loads]
        for i in range(binding, limit):
            if i >= len(earlier):
                continue
            if (i == binding or name in changes[i]) and i not in chosen:
                chosen.add(i)
                todo += [(inner, i) for inner in every[i].scope.loads]
    return chosen


def _trimmed(statement: _Statement, used: set[str]) -> str:
    """An import without the names that nothing uses."""
    node = statement.node
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return statement.source
    names = [a for a in node.names if (a.asname or a.name).split(".")[0] in used]
    if not names or len(names) == len(node.names):
        return statement.source
    kept = ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(
        node.module, names, node.level
    )  # fmt: skip
    text = ast.unparse(kept)
    if len(text) > 88:
        inner = ", ".join(ast.unparse(ast.Import([a])).removeprefix("import ") for a in names)
        text = f"from {node.module} import (\n    {inner},\n)"
    return text


def _prefix(chosen: list[_Statement], wanted: list[_Statement]) -> str:
    used = {name for s in chosen + wanted for name in s.scope.loads | s.scope.changes}
    parts: list[str] = []
    for before, statement in zip([None, *chosen], chosen):
        text = _trimmed(statement, used)
        if before is not None and (
            before.definition or statement.definition or before.fence != statement.fence
            or isinstance(before.node, ast.Import | ast.ImportFrom)
            != isinstance(statement.node, ast.Import | ast.ImportFrom)
        ):  # fmt: skip
            parts.append("")
        parts.append(text)
    lines = "\n".join(parts).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(MARK))


def of_page(page: Page) -> dict[int, Copy]:
    """Line of a fence that runs -> its copy, for the fences that need earlier ones."""
    fences, trees = [], []
    for fence in page.fences:
        if fence.runs and not fence.includes:
            try:
                trees.append(ast.parse(fence.body + "\n"))
                fences.append(fence)
            except SyntaxError:
                return {}  # the page check says so
    stateful, earlier, found = _stateful(trees), [], {}
    for fence, tree in zip(fences, trees, strict=True):
        own = _statements(fence.body, tree, fence.line, stateful)
        chosen = [earlier[i] for i in sorted(_needed(earlier, own))]
        if chosen:
            prefix = _prefix(chosen, own)
            text = f"{prefix}\n\n{fence.body.strip(chr(10))}\n"
            found[fence.line] = Copy(text, prefix.count("\n") + 1)
        earlier += own
    return found


def _module(path: Path) -> str:
    """nnfp.extras.fast_numba of .../nnfp/extras/fast_numba.py."""
    parts = path.with_suffix("").parts
    return ".".join(parts[len(parts) - 1 - parts[::-1].index("nnfp") :])


def of_section(path: Path, name: str) -> Copy:
    """A section of a module with the imports and the helpers that it uses."""
    line, section = package.sections(path)[0][name]
    last = line + section.count("\n") + 1
    source, tree = path.read_text(encoding="utf-8"), parse(path)
    every = _statements(source, tree, 0, set())
    inside = [s for s in every if s.node.end_lineno > line and s.node.lineno <= last]
    whole = all(line <= s.node.lineno and s.node.end_lineno <= last for s in inside)
    shown = section.strip("\n") if whole else "\n\n\n".join(s.source for s in inside)
    if not whole:  # a method is nothing without its class
        line, last = inside[0].node.lineno, inside[-1].node.end_lineno
        shown = "\n".join(t for t in shown.split("\n") if "--8<--" not in t)
    names = set(package.public(path)[0]) - {n for s in inside for n in s.scope.binds}
    own = ast.ImportFrom(_module(path), [ast.alias(n) for n in sorted(names)], 0)
    others = [s for s in every if s not in inside and not s.scope.binds & (names | {"__all__"})
              and not (isinstance(s.node, ast.Expr) and isinstance(s.node.value, ast.Constant))]  # fmt: skip
    if names:  # what the package offers is imported, so that both speak of the same classes
        place = sum(isinstance(s.node, ast.Import | ast.ImportFrom) for s in others)
        own.lineno = own.end_lineno = 0
        others.insert(place, _Statement(own, ast.unparse(own), _scope(own, set()), 0))
    chosen = [others[i] for i in sorted(_needed(others, inside, late=True))]
    before = [s for s in chosen if s.node.lineno < line]
    after = [s for s in chosen if s.node.lineno > line]
    text = shown + "\n"
    added = text.count("\n") - section.strip("\n").count("\n") - 1
    if before:
        prefix = _prefix(before, [*inside, *after])
        added, text = added + prefix.count("\n") + 1, f"{prefix}\n\n\n{text}"
    if after:
        helpers = _prefix(after, inside)
        added, text = added + helpers.count("\n") + 1, f"{text}\n\n{helpers}\n"
    return Copy(text, added)


def commands(fence: Fence) -> str:
    """The commands of a console, without prompts and without what they print."""
    lines = fence.body.split("\n")
    return "".join(f"{line[2:]}\n" for line in lines if line.startswith("$ "))


def copies(book: Book, page: Page) -> dict[int, Copy | None]:
    """Line of each fence whose copy is not what it shows -> its copy; None for what is no code."""
    found: dict[int, Copy | None] = dict(of_page(page))
    for fence in page.fences:
        for _, file, section in fence.includes:
            path = book.root / file
            if path.is_file() and section in package.sections(path)[0]:
                found[fence.line] = of_section(path, section)
        if fence.language == "console":
            found[fence.line] = Copy(commands(fence), 0)
        if fence.language == "text":
            found[fence.line] = None
    return found


def texts(book: Book, page: Page) -> list[tuple[Fence, str]]:
    """Each Python fence with what its copy button gives."""
    found = copies(book, page)
    return [(f, found[f.line].text if f.line in found else f.body)
            for f in page.fences if f.language == "python"]  # fmt: skip


def undefined(text: str) -> set[str]:
    """Names that a copy uses and nothing defines: it would not run."""
    tree = ast.parse(text)
    scopes = [_scope(node, set()) for node in tree.body]
    bound = set().union(*(s.binds for s in scopes)) if scopes else set()
    return {n for s in scopes for n in s.loads} - bound - set(dir(builtins)) - {"__name__"}


def defined(text: str) -> list[str]:
    """The functions and classes that a text defines."""
    return [node.name for node in ast.parse(text).body if isinstance(node, _NAMED)]
