"""What the site needs to run its snippets: are Pyodide and NumPy there, the package, the buttons.

scripts/fetch_runtime.py gets Pyodide and NumPy's wheel; without them a site has no buttons.
"""

import ast
import functools
import hashlib
import importlib.util
import io
import json
import re
import sys
import zipfile
from pathlib import Path

from nnfp.book.reading import Book, BookError, Fence, Page

FOLDER = "assets/vendor/pyodide"
PACKAGE = "assets/vendor/nnfp"
CORE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")


def absent(docs: Path) -> str:
    """Why snippets can't run on this site; "" if they can."""
    folder = docs / FOLDER
    lock = folder / "pyodide-lock.json"
    missing = [name for name in (*CORE, lock.name) if not (folder / name).is_file()]
    if missing:
        return f"{FOLDER} has no {missing[0]}"
    entry = json.loads(lock.read_text(encoding="utf-8"))["packages"]["numpy"]
    wheel = folder / entry["file_name"]
    if not wheel.is_file():
        return f"{FOLDER} has no {wheel.name}"
    return "" if _digest(wheel, wheel.stat().st_mtime_ns) == entry["sha256"] else (
        f"{wheel.name} is not what Pyodide's lock says"
    )  # fmt: skip


@functools.cache
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def packed(files: dict[str, bytes]) -> bytes:
    """A zip with equal bytes for equal files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, files[name], compresslevel=9)
    return buffer.getvalue()


def package_files(root: Path) -> dict[str, bytes]:
    """The package without its book, and the module that runs snippets."""
    files = {f"nnfp/{path.name}": path.read_bytes() for path in (root / "nnfp").glob("*.py")}
    files["nnfp_page.py"] = Path(__file__).with_name("in_browser.py").read_bytes()
    if (root / "LICENSE").is_file():
        files["nnfp/LICENSE"] = (root / "LICENSE").read_bytes()
    return files


def cars_files() -> dict[str, bytes]:
    """The one table that `load_cars` reads, where it looks for it; nothing if it is not installed."""
    found = importlib.util.find_spec("vega_datasets")
    if found is None:
        return {}
    folder = Path(found.origin).parent
    files = {"vega_datasets/__init__.py": b"", "vega_datasets/_data/cars.json": b""}
    files["vega_datasets/_data/cars.json"] = (folder / "_data" / "cars.json").read_bytes()
    for licence in sorted(folder.parent.glob("vega_datasets-*.dist-info/**/LICENSE*")):
        files["vega_datasets/LICENSE"] = licence.read_bytes()
    return files


def prepare(book: Book) -> str:
    """Write what the snippets import under docs/; one line that says what will be on the site."""
    if why := absent(book.docs):
        return f"runtime: {why}; the site has no Run buttons (make setup fetches it)"
    folder = book.docs / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    for name, files in (("nnfp.zip", package_files(book.root)), ("cars.zip", cars_files())):
        data, path = packed(files), folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
    return "runtime: Pyodide and NumPy are there, snippets get a Run button"


@functools.cache
def _imports(code: str) -> frozenset[str]:
    try:
        tree = ast.parse(code + "\n")
    except SyntaxError:  # the page check says so
        return frozenset("?")
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return frozenset(found | {n.module or "?" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)})


def runnable(module: str) -> bool:
    """Can the browser import it?"""
    top = module.split(".")[0]
    if module.startswith("nnfp.book"):
        return False
    return top in ("numpy", "nnfp", "vega_datasets") or top in sys.stdlib_module_names


def sessions(page: Page) -> list[tuple[Fence, bool]]:
    """The fences of a page that run, each with: can it run in a browser, after those before it?"""
    found, good = [], True
    for fence in page.fences:
        if fence.runs and not fence.includes:
            good = good and all(map(runnable, _imports(fence.body)))
            found.append((fence, good))
    return found


_BOX = re.compile(r'<div class="language-python\b[^"]*\bhighlight"[^>]*>')


def _end(text: str, start: int) -> int:
    """The place after the </div> that closes the <div> at `start`."""
    depth = 0
    for match in re.compile(r"<(/?)div\b[^>]*>").finditer(text, start):
        depth += -1 if match[1] else 1
        if not depth:
            return match.end()
    raise BookError("a block of code has no end")


def with_buttons(text: str, page: Page) -> str:
    """The HTML of a page with a Run button below each snippet that can run."""
    wanted = sessions(page)
    if not any(good for _, good in wanted):
        return text
    boxes = [(m.start(), _end(text, m.start())) for m in _BOX.finditer(text)]
    boxes = [(a, b) for a, b in boxes if '<span class="filename">' not in text[a:b]]
    if len(boxes) != len(wanted):
        raise BookError(f"{page.shown}: {len(wanted)} snippets became {len(boxes)} blocks on the site")
    for number, ((start, end), (_, good)) in reversed(list(enumerate(zip(boxes, wanted), 1))):
        box = text[start:end].replace("<div ", f'<div data-snippet="{number}" ', 1)
        text = text[:start] + box + (bar(number) if good else "") + text[end:]
    return text


def bar(number: int) -> str:
    return (
        f'<div class="run" data-search-exclude data-snippet-bar="{number}">'
        f'<button type="button" data-run="run" aria-label="Run snippet {number}">Run</button>'
        f'<button type="button" data-run="edit" aria-label="Edit snippet {number}">Edit</button></div>'
    )
