"""The guards are guarded: on a real page each kind of check reports a planted error by file, line and message.

A new kind of check, or a new kind of failure, has to bring its planted error: the last tests ask for it.
"""

import ast
import shutil
from pathlib import Path

import pytest

from nnfp.book import katex, pages
from nnfp.book.pages import KINDS, Checker, check_book
from nnfp.book.reading import Book, BookError
from nnfp.book.sources import ROOT

# check, page, the text, what takes its place, the part of it on whose line the failure is (or None),
# kind of the failure, its message
GUARDS = [
    ("fences", "neuron.md", "print(s)\n#> 6.0", "print(s)\n#> 6.5", "#> 6.5", "output",
     "prints '6.0', the page shows '6.5'"),
    ("fences", "neuron.md", "print(s)\n#> 6.0", "print(w @ x)", None, "error",
     "ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0"),
    ("fences", "neuron.md", "print(s)\n#> 6.0", "print(np.log(w - w))", None, "warning",
     "RuntimeWarning: divide by zero encountered in log; the rest of the page was not run"),
    ("fences", "neuron.md", "print(s)\n#> 6.0", "s = s + np.random.default_rng().normal()", None, "random",
     "default_rng() needs a seed: default_rng(0)"),
    ("fences", "neuron.md", "x = np.array([[1.0], [2.0]])\n", "x = np.array([[1.0], [2.0]])  # (2, 3)\n", None, "shape",
     "the comment says (2, 3), the array has shape (2, 1)"),
    ("fences", "neuron.md", "```python\nimport numpy as np", "```\nimport numpy as np", None, "fence",
     "name the language; ```text for what does not run"),
    ("fences", "layer.md", "```python\nimport numpy as np\n",
     "```python\nimport numpy as np\n\ndef exp_minus_abs(Z):\n    check_entries('Z', Z)\n"
     "    return np.exp(np.where(np.real(Z) > 0, -Z, Z))\n", "def exp", "pasted",
     "repeats exp_minus_abs of nnfp/activations.py: import it, or show it by its section"),
    ("numbers", "neuron.md", "the sum is 6<!-- s -->", "the sum is 7<!-- s -->", None, "number",
     "s is 6, the page says 7"),
    ("numbers", "neuron.md", "1 · 1 + 2 · 2 + 1 = 6<!-- s -->", "1 · 1 + 2 · 3 + 1 = 6<!-- s -->", None, "sum",
     "1 · 1 + 2 · 3 + 1 is 8, the page says 6"),
    ("unbound", "neuron.md", "The name comes from nerve cells", "It falls to 0.0371. The name comes from nerve cells",
     None, "unbound", "0.0371 reports a result and is not bound: write 0.0371<!-- expression -->"),
    ("figures", "neuron.md", "which gives 6](figure:", "which gives 9](figure:", None, "alt",
     "the alt text says 9, which is no fact of neuron.anatomy"),
    ("figures", "neuron.md", "](figure:neuron.anatomy)", "](figure:neuron.anatomi)", None, "figure",
     "figure neuron.anatomi is not defined; figures of neuron: neuron.anatomy, neuron.half_plane"),
    ("snippets", "neuron.md", "neuron.py:neuron", "neuron.py:nueron", None, "snippet",
     "nnfp/neuron.py has no section nueron; it has: neuron"),
    ("snippets", "neuron.md", "from nnfp import layer_by_loops, neuron\n", "from nnfp import layer_by_loops\n",
     "```python\nimport numpy", "copy", "pasted alone it does not know neuron"),
    ("links", "neuron.md", "[Notation](notation.md)", "[Notation](notations.md)", None, "link",
     "there is no docs/notations.md"),
    ("labels", "neuron.md", "\\label{eq-neuron}", "\\label{eq-affine}", "$$", "label",
     "the label eq-affine is used more than once: also"),
    ("labels", "neuron.md", "## The equation", "## The equation $s$", None, "heading", "no math in headings"),
    ("labels", "neuron.md", "s := \\sum_{j=1}^{n} w_j x_j", "s := \\sum_{j=1}^{n w_j x_j", "$$", "tex", "Expected"),
    ("equations", "neuron.md", "w_j x_j + \\beta", "w_j x_j - \\beta", "$$", "equation", "42:1: the code disagrees: equation"),
    ("answers", "neuron.md", "right: 1.118 <!-- far -->", "right: 1.119 <!-- far -->", None, "answer",
     "right: 1.119 is 1.119, far is 1.11803"),
    ("values", "neuron.md", "rng = np.random.default_rng(0)", "rng = np.random.default_rng(1)", None, "value",
     "rng is not what it was; if that is meant: python -m nnfp.book check --update"),
    ("museum", "museum.md", "says: false: left", "says: false: right", None, "museum", "the checker says"),
]  # fmt: skip

# file, the text, what takes its place, the line on which the failure is said to be, kind, message
OF_THE_BOOK = [
    ("nnfp/neuron.py", "# --8<-- [end:neuron]", "", "# --8<-- [start:neuron]", "snippet", "section neuron never ends"),
    ("nnfp/neuron.py", "    Equation: eq-neuron\n", "    Equation: eq-neurone\n", "def neuron(", "docstring",
     "neuron cites the equation eq-neurone, which is on no page"),
    ("nnfp/neuron.py", "    Equation: eq-neuron\n", "    Equation: eq-affine\n", "def neuron(", "docstring",
     "neuron cites eq-affine, and nothing compares the two: write <!-- neuron(...) --> under the equation"),
    ("nnfp/lonely.py", None, '"""Nothing."""\n\n__all__ = []\n', '"""Nothing', "module",
     "has no chapter docs/lonely.md and names no other in its docstring"),
]  # fmt: skip


def has_katex():
    try:
        return bool(katex.folder())
    except BookError:
        return False


def line_of(text: str, place: int) -> int:
    return text[:place].count("\n") + 1


@pytest.mark.parametrize(
    "check, home, old, new, at, kind, message", GUARDS, ids=[f"{g[0]}-{g[5]}" for g in GUARDS]
)
def test_a_planted_error_is_reported(tmp_path, check, home, old, new, at, kind, message):
    if kind == "tex" and not has_katex():
        pytest.skip("the npm package katex is not installed")
    text = (ROOT / "docs" / home).read_text(encoding="utf-8")
    start = text.index(old)
    spoilt = text[:start] + new + text[start + len(old) :]
    path = tmp_path / home
    path.write_text(spoilt, encoding="utf-8")
    checker = Checker(Book())
    found = checker.check(checker.book.page(path), [check]).failures
    if at == "$$":  # a display is named by its first line
        place = spoilt.rindex("$$\n", 0, start)
    else:
        place = spoilt.index(at, start - 40 if at and at.startswith("```") else start) if at else start
    where = [(f.file, f.line) for f in found if f.kind == kind and message in f.message]
    assert (checker.book.shown(path), line_of(spoilt, place)) in where, found


@pytest.mark.parametrize("file, old, new, at, kind, message", OF_THE_BOOK)
def test_a_planted_error_of_the_package_is_reported(tmp_path, file, old, new, at, kind, message):
    for name in ("docs", "tests", "mkdocs.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "nnfp").mkdir()
    for path in (ROOT / "nnfp").glob("*.py"):
        shutil.copy(path, tmp_path / "nnfp")
    path = tmp_path / file
    text = path.read_text(encoding="utf-8") if old else ""
    assert old is None or old in text
    path.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
    line = line_of(path.read_text(encoding="utf-8"), path.read_text(encoding="utf-8").index(at))
    found = check_book(Book(tmp_path))
    where = [(Path(f.file).name, f.line) for f in found if f.kind == kind and message in f.message]
    assert (path.name, line) in where, found


def test_every_kind_of_check_has_a_planted_error():
    assert {guard[0] for guard in GUARDS} == set(KINDS)


def test_every_kind_of_failure_has_a_planted_error():
    kinds = {"error", "warning"}  # chosen by the exception
    for path in Path(pages.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                place = {"failure": 1, "Failure": 2}.get(name)
                if place and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    kinds.add(node.args[place].value)
    assert len(kinds) > 15
    assert kinds <= {guard[5] for guard in GUARDS} | {guard[4] for guard in OF_THE_BOOK}
