"""Third witnesses: which tests hold an equation against a library that is not ours.

A test says so itself: `@pytest.mark.equations("eq-relu-prime", ...)`. Nothing else lists them.
"""

import ast
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

LIBRARIES = {"torch": "PyTorch", "jax": "JAX", "sympy": "SymPy", "mpmath": "mpmath", "scipy": "SciPy", "sklearn": "scikit-learn"}


class Witness(NamedTuple):
    """A test that bears witness: `file` from the root of the repository."""

    file: str
    test: str
    library: str


@lru_cache(maxsize=4)
def witnesses(root: Path | None = None) -> dict[str, list[Witness]]:
    """For each label the tests that name it, in the order of files and lines; {} without tests."""
    root = Path(__file__).parents[2] if root is None else root
    found: dict[str, list[Witness]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.equations" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                for label in labels(node):
                    where = path.relative_to(root).as_posix()
                    found.setdefault(label, []).append(Witness(where, node.name, library(node)))
    return found


def labels(test: ast.FunctionDef) -> list[str]:
    """What the marker `equations` of a test names."""
    return [
        argument.value
        for mark in test.decorator_list
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "equations"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def library(test: ast.FunctionDef) -> str:
    """The first library that the test mentions: as an argument, a name or the text of an import."""
    words = {argument.arg for argument in test.args.args}
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module:
            words.add(node.module.partition(".")[0])
    return next((name for word, name in LIBRARIES.items() if word in words), "")
