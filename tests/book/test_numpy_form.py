"""The NumPy form of every display runs by itself and agrees; that of a wrong equation does not."""

import ast
import contextlib
import dataclasses
import io

import pytest

from nnfp.book.equations import check_page, public_names
from nnfp.book.equations.numpy_form import Unwritten, numpy_form
from nnfp.book.equations.reading import Source, read
from nnfp.book.equations.verdict import PageCheck
from nnfp.book.reading import Book

PAGES = {page.home: read(page.path) for page in Book().pages}
PAGES = {home: source for home, source in PAGES.items() if source.displays}
UNWRITTEN: dict[str, str] = {}  # label: why it has no NumPy form


def run(form: str) -> None:
    """The form in a namespace of its own, as a reader would run it."""
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(form, "form", "exec"), {})


def forms(source: Source, last: int | None = None):
    """The form of each display, or of one display only."""
    check = PageCheck(source, public_names(), seeds=(1,), corners=0)
    for place, display in enumerate(source.displays[: None if last is None else last + 1]):
        work = check.understand(display)
        if (last is None or place == last) and display.label not in UNWRITTEN:
            try:
                form = numpy_form(check, work)
            except Unwritten as kind:
                where = f"{source.path}:{display.line}: {display.label}"
                pytest.fail(f"{where} has no NumPy form ({kind}): teach numpy_text.py to write it, or list it here")
            yield display, work, form


@pytest.mark.parametrize("home", PAGES)
def test_every_display_has_a_form_that_runs(home):
    for display, _, form in forms(PAGES[home]):
        tree = ast.parse(form)
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert imported <= {"numpy", "nnfp"} and "# the equation" in form
        try:
            run(form)
        except Exception as error:
            raise AssertionError(f"{home}:{display.line}: {display.label}: {error!r}\n{form}") from error


def test_the_list_of_what_has_no_form_is_true():
    assert UNWRITTEN.keys() <= {display.label for source in PAGES.values() for display in source.displays}


def corrupted(source: Source, place: int, node) -> Source:
    """The page with one side of one statement a hundredth larger."""
    display = source.displays[place]
    start, end = (offset - display.start for offset in node.span)
    tex = rf"{display.tex[:start]}1.01 \left({display.tex[start:end]}\right){display.tex[end:]}"
    displays = list(source.displays)
    displays[place] = dataclasses.replace(display, tex=tex)
    return Source(source.path, source.page, displays)


@pytest.mark.parametrize("home", PAGES)
def test_the_form_of_a_wrong_equation_fails(home):
    for display, work, _ in forms(PAGES[home]):
        place = PAGES[home].displays.index(display)
        sides = [claim[0][-1] for claim in work.claims if claim.kind == "rel" and claim[1][-1] == "="]
        if display.witness is not None and work.made:
            sides.append(work.made[0].body)
        for side in sides:
            if side.kind == "num" and side[0] == 0:
                continue
            (form,) = (form for _, _, form in forms(corrupted(PAGES[home], place, side), place))
            with pytest.raises(AssertionError):
                run(form)
                pytest.fail(f"{home}:{display.line}: the form does not notice:\n{form}")


def test_the_reader_gets_the_form_with_the_verdict():
    (result, *_) = check_page(PAGES["layer.md"].path)
    assert "z = W @ x + b" in result.numpy_form
    assert "assert np.allclose(z, nnfp.affine(W, x, b))" in result.numpy_form


PAGE = r"""
| Symbol | Domain | Meaning |
|---|---|---|
| $m, n, B$ | $\mathbb{N}$ | sizes |
| $i$ | $\{1, \dots, m\}$ | row |
| $j$ | $\{1, \dots, n\}$ | column |
| $L$ | $\mathbb{N}$ | layers, here = 2 |
| $l$ | $\{1, \dots, L\}$ | layer |
| $n_0, n_1, n_2$ | $\mathbb{N}$ | layer sizes |
| $W$ | $\mathbb{R}^{m \times n}$ | weights |
| $b$ | $\mathbb{R}^m$ | biases |
| $x$ | $\mathbb{R}^n$ | a column |
| $a, c$ | $\mathbb{R}$ | numbers |
| $U^{[l]}$ | $\mathbb{R}^{n_l \times n_{l-1}}$ | weights of a layer |
| $\hat{y}$ | $\mathbb{R}^m$ | a prediction |

$$
%s
\label{eq-one}
$$
"""

LINES = [
    (r"\hat{y} := W x + b", "yhat = W @ x + b"),
    (r"x^\top x = \sum_{j=1}^{n} x_j^2", "left = (x.T @ x).item()"),
    (r"x^\top x = \sum_{j=1}^{n} x_j^2", "right = sum(x[j, 0] ** 2 for j in range(n))"),
    (r"\sum_{j=1}^{n} j x_j = \sum_{j=1}^{n} x_j j", "left = sum(j * x[j - 1, 0] for j in range(1, n + 1))"),
    (r"(W x)_i = \sum_{j=1}^{n} W_{ij} x_j", "for i in range(m):"),
    (r"\operatorname{tr}(U^{[l]} (U^{[l]})^\top) = \lVert U^{[l]} \rVert^2", "for l in range(1, L + 1):"),
    (r"\frac{\partial (W x)}{\partial x} = W", "left = nnfp.jacobian(lambda x: W @ x, x)"),
    (r"\lvert a \rvert = \max(a, -a)", "for a in rng.standard_normal(9):"),
    (r"-a (c - 1) / 2 = \frac{a (1 - c)}{2}", "left = -a * (c - 1) / 2"),
    (r"a - (c - 1) = a - c + 1", "left = a - (c - 1)"),
    (r"(-a)^2 = a^2", "left = (-a) ** 2"),
    (r"2^{-a} = \frac{1}{2^a}", "left = 2 ** -a"),
    (r"\lim_{h \to 0} \frac{(a + h)^2 - a^2}{h} = 2 a", "left = limit(lambda h: ((a + h) ** 2 - a ** 2) / h, 0)"),
]


@pytest.mark.parametrize("tex, line", LINES)
def test_the_line_reads_like_the_equation(tex, line):
    ((_, _, form),) = forms(read(PAGE % tex))
    assert line in [part.strip() for part in form.splitlines()], form
    run(form)
