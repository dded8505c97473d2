"""The package as the book sees it: named sections, docstring labels, chapter and test of each module.

Everything is read from source text; nothing is imported.
"""

import ast
import re
from functools import cache
from pathlib import Path

from nnfp.book.reading import Book, Failure
from nnfp.book.sources import parse

LABELS = ("Equation", "Shapes", "Units", "Errors")
_SECTION = re.compile(r"^\s*#\s*-+8<-+\s*\[(start|end):([\w-]+)\]\s*$")


def modules(book: Book) -> list[Path]:
    """The modules of nnfp that hold an idea."""
    return sorted(p for p in (book.root / "nnfp").glob("*.py") if not p.stem.startswith("_"))


def sections(path: Path) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """Section -> (line, text) of a source file, and (line, problem) for broken marks."""
    found, problems, opened = {}, [], {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        match = _SECTION.match(line)
        if not match:
            if "--8<--" in line:
                problems.append(
                    (number, "a mark of a section that is not [start:name] or [end:name]")
                )
            continue
        kind, name = match.groups()
        if kind == "start" and (name in opened or name in found):
            problems.append((number, f"section {name} starts twice"))
        elif kind == "start":
            opened[name] = number
        elif name not in opened:
            problems.append((number, f"section {name} ends but never started"))
        else:
            start = opened.pop(name)
            text = [t for t in lines[start : number - 1] if not _SECTION.match(t)]
            found[name] = (start, "\n".join(text))
    problems += [(line, f"section {name} never ends") for name, line in opened.items()]
    return found, problems


def uses(book: Book) -> dict[tuple[str, str], list[tuple]]:
    """(file, section) -> [(page, line)] of every include in the book."""
    found: dict = {}
    for page in book.pages:
        for fence in page.fences:
            for line, file, section in fence.includes:
                found.setdefault((file, section), []).append((page, line))
    return found


def check_sections(book: Book) -> list[Failure]:
    """Each section of nnfp is well formed and shown exactly once in the book."""
    failures, shown = [], uses(book)
    for path in modules(book):
        file = path.relative_to(book.root).as_posix()
        found, problems = sections(path)
        failures += [Failure(book.shown(path), line, "snippet", text) for line, text in problems]
        names, defined = public(path)
        ranges = [(line, line + text.count("\n") + 2) for line, text in found.values()]
        for name in names:
            node = defined.get(name)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not any(
                a < node.lineno < b or node.lineno < a < node.end_lineno for a, b in ranges
            ):
                message = f"{name} is public and stands in no named section, so no page shows it"
                failures.append(Failure(book.shown(path), node.lineno, "snippet", message))
        for name, (line, _) in found.items():
            if not shown.get((file, name)):
                message = f"section {name} is shown on no page"
                failures.append(Failure(book.shown(path), line, "snippet", message))
    return failures


def public(path: Path) -> tuple[list[str], dict[str, ast.AST]]:
    """The names in __all__, and the functions, classes and assignments of a module by name."""
    names, defined = [], {}
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    defined[target.id] = node
                    if target.id == "__all__":
                        names = ast.literal_eval(node.value)
    return list(names), defined


def labels(docstring: str) -> dict[str, str]:
    """Label -> text of a docstring; a text runs on over deeper indented lines."""
    found, current = {}, None
    for line in docstring.splitlines():
        if match := re.match(r"([A-Z][a-z]+):\s*(.*)$", line):
            current = match[1]
            found[current] = match[2].strip()
        elif current and line.startswith(" ") and line.strip():
            found[current] += " " + line.strip()
        else:
            current = None
    return found


def check_docstrings(book: Book) -> list[Failure]:
    """Every public name states equation, shapes, units and errors; its equations exist."""
    failures, known = [], book.equations()
    for path in modules(book):
        shown, (names, defined) = book.shown(path), public(path)
        if "__all__" not in defined:
            failures.append(Failure(shown, 1, "docstring", "the module defines no __all__"))
        for name in names:
            node = defined.get(name)
            if node is None:
                failures.append(
                    Failure(shown, 1, "docstring", f"__all__ names {name}, which is not defined")
                )
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                failures += _check_labels(node, shown, known)
    return failures


def _check_labels(node: ast.AST, shown: str, known: dict) -> list[Failure]:
    text = ast.get_docstring(node)
    if not text:
        return [Failure(shown, node.lineno, "docstring", f"{node.name} has no docstring")]
    found = labels(text)
    failures = []
    for label in LABELS:
        if not found.get(label):
            message = f"{node.name} has no line '{label}:' in its docstring"
            failures.append(Failure(shown, node.lineno, "docstring", message))
    cited = found.get("Equation", "none").rstrip(".")
    if cited != "none":
        for name in re.split(r"[,\s]+", cited):
            if name not in known:
                message = f"{node.name} cites the equation {name}, which is on no page"
                failures.append(Failure(shown, node.lineno, "docstring", message))
    return failures


def _called(node: ast.AST) -> set[str]:
    """Names that are called anywhere inside."""
    calls = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return {f.id if isinstance(f, ast.Name) else f.attr for f in calls
            if isinstance(f, ast.Name | ast.Attribute)}  # fmt: skip


def _tested(path: Path) -> list[tuple[str, set[str]]]:
    """(source, names called) of each test function of a test file."""
    if not path.is_file():
        return []
    source = path.read_text(encoding="utf-8")
    tests = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    return [(ast.get_source_segment(source, test), _called(test)) for test in tests]


def check_witnesses(book: Book) -> list[Failure]:
    """Each equation that a docstring cites is run against that function.

    The code under the equation, its witness, calls the function, or something that the function
    is made of, or what returns the class; else a test of the module names both.
    """
    from nnfp.book.equations.reading import read

    witnesses = {d.label: d.witness for page in book.pages if page.displays
                 for d in read(page.path).displays}  # fmt: skip
    failures = []
    for path in modules(book):
        names, defined = public(path)
        tests = _tested(book.root / "tests" / f"test_{path.stem}.py")
        for name in names:
            node = defined.get(name)
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            cited = labels(ast.get_docstring(node) or "").get("Equation", "none").rstrip(".")
            makers = {name}
            if isinstance(node, ast.ClassDef):
                makers |= {n for n, other in defined.items() if isinstance(other, ast.FunctionDef)
                           and other.returns and name in ast.unparse(other.returns)}  # fmt: skip
            enough = makers | _called(node)
            for label in re.split(r"[,\s]+", cited) if cited != "none" else ():
                code = witnesses.get(label, "")
                if code == "":
                    continue  # check_docstrings says that it is on no page
                called = _called(ast.parse(code, mode="eval")) if code else set()
                if called & enough or any(label in t and makers & calls for t, calls in tests):
                    continue
                message = (
                    f"{name} cites {label}, and nothing compares the two: write <!-- {name}(...) --> "
                    f"under the equation, or name {label} in a test that calls {name}"
                )
                failures.append(Failure(book.shown(path), node.lineno, "docstring", message))
    return failures


def check_modules(book: Book) -> list[Failure]:
    """Each module has its chapter and its test file."""
    failures = []
    for path in modules(book):
        chapters = [
            path.stem,
            *re.findall(r"docs/([\w/-]+)\.md", ast.get_docstring(parse(path)) or ""),
        ]
        if not any((book.docs / f"{stem}.md").is_file() for stem in chapters):
            message = f"has no chapter docs/{path.stem}.md and names no other in its docstring"
            failures.append(Failure(book.shown(path), 1, "module", message))
        if not (book.root / "tests" / f"test_{path.stem}.py").is_file():
            message = f"has no tests/test_{path.stem}.py"
            failures.append(Failure(book.shown(path), 1, "module", message))
    return failures


def _body(node: ast.AST) -> str:
    """A definition without its name, docstring and annotations, to compare what it does."""
    body = node.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    arguments = [a.arg for a in ast.walk(node) if isinstance(a, ast.arg)]
    return repr(arguments) + "\n".join(ast.dump(statement) for statement in body)


@cache
def _bodies(path: Path, stamp: tuple) -> dict[str, str]:
    return {
        _body(node): node.name
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.body
    }


def library(book: Book) -> dict[str, tuple[str, str]]:
    """What each function or class of nnfp does -> (file, name)."""
    found = {}
    for path in modules(book):
        status = path.stat()
        for body, name in _bodies(path, (status.st_mtime_ns, status.st_size)).items():
            found[body] = (path.relative_to(book.root).as_posix(), name)
    return found


def pasted(tree: ast.AST, book: Book) -> list[tuple[int, str, str]]:
    """(line, file, name) of definitions that repeat one of nnfp's."""
    known = library(book)
    return [
        (node.lineno, *known[_body(node)])
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and _body(node) in known
    ]
