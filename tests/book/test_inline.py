"""Formulas in running text: declared symbols, true claims, stated shapes."""

from pathlib import Path

import pytest

from nnfp.book.equations import check_page
from nnfp.book.reading import Book

DOCS = Path(Book().docs)
PAGE = r"""# A page

| Symbol | Domain | Meaning |
|---|---|---|
| $m, n, B$ | $\mathbb{N}$ | sizes |
| $j$ | $\{1, \dots, n\}$ | an index |
| $L$ | $\mathbb{N}$ | layers, here = 2 |
| $l$ | $\{1, \dots, L\}$ | layer |
| $n_0, n_1, n_2$ | $\mathbb{N}$ | sizes: $n_0$ inputs |
| $W$ | $\mathbb{R}^{m \times n}$ | weights |
| $x$ | $\mathbb{R}^n$ | a column |
| $a, c$ | $\mathbb{R}$ | numbers |
| $\alpha$ | $(0.01, 0.5)$ | a rate |
| $y$ | $\{0, 1\}$ | a label |
| $s, r$ | $\mathbb{R}$ | a sum and a product |
| $f$ | $\mathbb{R} \to \mathbb{R}$ | a function |
| $z$ | $\mathbb{R}^m$ | sums |

$$
z := W x
\label{eq-one}
$$
<!-- W @ x -->

$$
f(a) := a^2, \qquad f'(a) = 2 a
\label{eq-two}
$$

$$
s := a + c, \qquad r := a c
\label{eq-three}
$$
<!-- np.add(a, c) -->

$$
r + s = (a + 1) (c + 1) - 1
\label{eq-four}
$$

Before %s behind.
"""
LINE = PAGE[: PAGE.index("Before")].count("\n") + 1


def inline(tex: str, page: str = PAGE):
    """The results on formulas in running text, when this is the text."""
    results = check_page(page % tex, inline=True)
    assert all(result.ok for result in results if result.kind != "inline")
    return [result for result in results if result.kind == "inline"]


@pytest.mark.parametrize(
    "tex",
    [
        "$x$", "$x_j$", "$x_1, x_2$", "$n_l$ and $n_{l-1}$", "$W x$", r"$\mathbb{R}^{m \times n}$", r"$m \times n$",
        r"$\{1, \dots, n\}$", r"$(0, a)$", r"$\odot$", r"$e^{-a}$", r"$x W$", r"$f'(c)$", r"$\log a$", r"$x_1, \dots, x_n$",
        "$a = 3$", "$B = 1$", "$a > 0$", "$m = n$", "$a = f(c)$", r"$\alpha = 0.1$", r"$\alpha < 0.1$", "$y = 1$", "$L = 2$", r"$\pi > a$", r"$h \times$".replace("h", "m"), "`$q$`",
    ],
)  # fmt: skip
def test_mentions_and_examples_state_nothing(tex):
    assert inline(tex) == []


@pytest.mark.parametrize(
    "tex",
    ["$1 - 5 = -4$", "$z = W x$", "$f(3) = 9$", "$f'(c) = 2 c$", "$c^2 + 1 > 0$", r"$x^\top x = \lVert x \rVert^2$",
     r"$z: m \times 1$", r"$W: m \times n$", r"$x \in \mathbb{R}^n$", r"$z := W x$", r"$\alpha \in (0.01, 0.5)$", r"$y \in \{0, 1\}$", r"$\tanh(a) \in (-1, 1)$", r"$\lim_{c \to 0} (a + c) = a$", "$s - a = c$", r"$(W x)^\top = x^\top W^\top$"],
)  # fmt: skip
def test_claims_are_judged_and_hold(tex):
    (result,) = inline(tex)
    assert result.ok and result.comparisons and result.line == LINE and result.id == "", result.message


@pytest.mark.parametrize(
    "tex, says, kind",
    [
        ("$q$", "q is neither declared nor defined on this page", "name"),
        ("$W q$", "q is neither declared", "name"),
        ("$x_i$", "i is neither declared", "name"),
        ("$x^*$", "x^* is neither declared", "name"),
        (r"$m \times p$", "p is neither declared", "name"),
        (r"$\mathbb{R}^{m \times p}$", "p is neither declared", "name"),
        (r"$q \overset{?}{=} 2$", "q is neither declared", "name"),
        ("$1 - 5 = 4$", "false", "value"),
        ("$z = 2 W x$", "false", "value"),
        ("$f'(c) = c$", "the left is 2 times the right", "value"),
        ("$z = x$", "the two sides of = need equal shapes", "shape"),
        ("$a = W x$", "the shape", "shape"),
        # what a display defines is not free
        ("$s = r$", "false", "value"),
        ("$s = a$", "false", "value"),
        ("$r > 9$", "false", "value"),
        # what the table declares is not, either
        (r"$\alpha = 0.7$", r"this can not be: the table declares \alpha as (0.01, 0.5)", "value"),
        (r"$\alpha > 0.5$", "this can not be", "value"),
        ("$y = 2$", "this can not be", "value"),
        ("$L = 3$", "this can not be", "value"),
        (r"$\pi = 4$", "false", "value"),
        (r"$\alpha \in (0, 1)$", r"the table declares \alpha as (0.01, 0.5)", "value"),
        (r"$\alpha \in [0.01, 0.5)$", r"the table declares \alpha as (0.01, 0.5)", "value"),
        (r"$a \in \{3, 7\}$", r"the table declares a as \mathbb{R}", "value"),
        (r"$a^2 \in (-1, 1)$", "false", "value"),
        # relations that nobody has taught the checker
        (r"$a + c \equiv a$", r"the relation \equiv is not in the grammar", "syntax"),
        (r"$a^2 \ll -1$", r"the relation \ll is not in the grammar", "syntax"),
        (r"$a \to c$", r"the relation \to is not in the grammar", "syntax"),
        (r"$(W x)^\top = W^\top x^\top$", "columns as rows", "shape"),
        (r"$W: n \times m$", "the shape is", "shape"),
        (r"$x \in \mathbb{R}^m$", "the shape is", "shape"),
        (r"$x = \int W$", "not in the grammar", "syntax"),
        (r"$\lvert a \rvert = a \text{ unless } a < 0$", "cannot read on at unless", "syntax"),
    ],
)
def test_errors_are_named_with_line_and_column(tex, says, kind):
    (result,) = inline(tex)
    assert not result.ok and says in result.message and result.problem == kind, result.message
    assert result.message.startswith(f"{LINE}:") and result.line == LINE
    assert result.message.splitlines()[1].strip() == f"Before {tex} behind."


def test_a_page_without_notation_states_sums_of_numbers_only():
    page = "# A page\n\nThere %s is.\n"
    assert inline("$q = W x$", page) == []
    assert [result.ok for result in inline("$1 + 1 = 2$, $1 + 1 = 3$", page)] == [True, False]


@pytest.mark.parametrize(
    "name, right, wrong, says",
    [
        ("activations.md", r"$\sigma(0) = 1/2$", r"$\sigma(0) = 1/3$", "false"),
        ("activations.md", r"$\sigma'(z) = e^{-z}/(1 + e^{-z})^2$", r"$\sigma'(z) = -e^{-z}/(1 + e^{-z})^2$", "sign"),
        ("losses.md", r"$1 - 5 = -4$", r"$1 - 5 = 4$", "sign"),
        ("calculus.md", r"$\nabla_W \ell = \delta x^\top$", r"$\nabla_W \ell = x \delta^\top$", "shape"),
        ("backpropagation.md", r"$(g V)^\top = V^\top g^\top$", r"$(g V)^\top = g^\top V^\top$", "columns as rows"),
        ("descent.md", r"$f(x) = x^2 - 4x + 5$", r"$f(x) = x^2 + 4x + 5$", "false"),
        ("layer.md", r"$m n B$", r"$m n Q$", "Q is neither declared"),
    ],
)
def test_an_error_planted_in_the_text_of_a_chapter_is_reported_where_it_stands(name, right, wrong, says, tmp_path):
    text = (DOCS / name).read_text(encoding="utf-8")
    assert right in text
    copy = tmp_path / name
    copy.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    (failed,) = [result for result in check_page(copy, inline=True, forms=False) if not result.ok]
    assert failed.kind == "inline" and says in failed.message, failed.message
    assert failed.line == text[: text.index(right)].count("\n") + 1 and failed.file == str(copy)
