"""What a module of this project depends on, read from its imports, and a hash of all of it.

Nothing is imported here: the imports are read from the source text, so that a cached
drawing can be found without loading Matplotlib.
"""

import ast
import hashlib
import importlib.metadata
import os
import sys
import tempfile
from functools import cache, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".book-cache"  # not .cache: `zensical build --clean` empties that one


def module_path(name: str, root: Path = ROOT) -> Path | None:
    """The file of module `name` inside this project, or None if it is not ours."""
    if name.split(".")[0] != "nnfp":
        return None
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _parsed(path: Path, stamp: tuple) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file, read again only after the file has changed."""
    return _parsed(path, _stamp(path))


def _is_plain(statement: ast.stmt) -> bool:
    """True for statements of a package's __init__ that only name things."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("__") for t in statement.targets)
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _exports(root: Path) -> dict[str, str] | None:
    """Name -> module, for a package __init__ that only imports names; None if it does more."""
    path = module_path("nnfp", root)
    if path is None:
        return {}
    body = parse(path).body
    if not all(_is_plain(statement) for statement in body):
        return None
    found = {}
    for statement in body:
        if isinstance(statement, ast.ImportFrom):
            names = [(a.asname or a.name) for a in statement.names]
            if names == ["*"]:
                names = _public_names(statement.module, root)
            if statement.level or names is None:
                return None
            found.update(dict.fromkeys(names, statement.module))
    return found


def _public_names(module: str, root: Path) -> list[str] | None:
    """__all__ of a module of ours, if it is written out as a list of strings."""
    path = module_path(module, root)
    for statement in parse(path).body if path else ():
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__":
            try:
                return list(ast.literal_eval(statement.value))
            except ValueError:
                return None
    return None


def _all_modules(root: Path) -> set[str]:
    return {f"nnfp.{p.stem}" for p in (root / "nnfp").glob("*.py") if p.stem != "__init__"}


def _stamp(path: Path) -> tuple:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def imports(name: str, root: Path = ROOT) -> tuple[set[str], set[str]]:
    """Modules that module `name` imports: (ours, other people's top-level packages)."""
    path, package = module_path(name, root), module_path("nnfp", root)
    known = frozenset(_all_modules(root))
    ours, others = _imports(name, root, known, _stamp(path), _stamp(package) if package else ())
    return set(ours), set(others)


@lru_cache(maxsize=4096)
def _imports(name: str, root: Path, known: frozenset, *stamps: tuple) -> tuple[set, set]:
    """As `imports`; the stamps and the list of modules tell when to look again."""
    path = module_path(name, root)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    ours, others = set(), set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = (
                ".".join(base + [node.module] * bool(node.module)) if node.level else node.module
            )
            wanted = [(source, alias.name) for alias in node.names]
        else:
            continue
        for source, member in wanted:
            if source.split(".")[0] != "nnfp":
                others.add(source.split(".")[0])
            elif source == "nnfp":
                ours |= _from_package(member, root)
            else:
                ours.add(source)
                if member and module_path(f"{source}.{member}", root):
                    ours.add(f"{source}.{member}")
    return ours - {name}, others


def _from_package(member: str | None, root: Path) -> set[str]:
    """Modules behind `from nnfp import member`: one, if the package only re-exports."""
    exports = _exports(root)
    if member and module_path(f"nnfp.{member}", root):
        return {f"nnfp.{member}"}
    if exports is not None and member in exports:
        return {exports[member]}
    return {"nnfp"} | _all_modules(root)


def closure(name: str, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """All modules that `name` needs, directly or not: (ours with itself, others), sorted."""
    ours, others, todo = set(), set(), [name]
    while todo:
        current = todo.pop()
        if current in ours or module_path(current, root) is None:
            continue
        ours.add(current)
        if current == "nnfp":
            todo += _all_modules(root)
            continue
        more, foreign = imports(current, root)
        todo += more
        others |= foreign
    return sorted(ours), sorted(others - set(sys.stdlib_module_names))


@cache
def version(package: str) -> str:
    """The installed version of an import package, "?" where none is recorded."""
    for name in (package, package.replace("_", "-")):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return "?"


def _tree_stamp(folder: Path) -> tuple:
    """Time and size of every module below a folder: cheap to ask for, and different after any edit."""
    found = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir() and entry.name != "__pycache__":
                found += _tree_stamp(Path(entry.path))
            elif entry.name.endswith(".py"):
                status = entry.stat()
                found.append((entry.path, status.st_mtime_ns, status.st_size))
    return tuple(found)


def fingerprint(name: str, root: Path = ROOT, packages: tuple[str, ...] = ()) -> str:
    """A hash of the source of `name`, of all it imports, and of the versions below them."""
    return _fingerprint(name, root, packages, _tree_stamp(root / "nnfp"))


@lru_cache(maxsize=1024)
def _fingerprint(name: str, root: Path, packages: tuple[str, ...], _: tuple) -> str:
    """As `fingerprint`; the stamp tells when to look again."""
    ours, others = closure(name, root)
    digest = hashlib.sha256(sys.version.encode())
    for module in ours:
        digest.update(f"\0{module}\0".encode() + module_path(module, root).read_bytes())
    for package in sorted({*others, *packages}):
        digest.update(f"\0{package}={version(package)}".encode())
    return digest.hexdigest()


def write(path: Path, text: str | bytes) -> bool:
    """Write a file in one step, and only if that changes it. True if it was written."""
    data = text.encode("utf-8") if isinstance(text, str) else text
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
    return True
