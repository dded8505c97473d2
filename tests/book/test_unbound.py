"""Results in prose that nothing checks are listed, and sums written out are worked out again."""

import re
import tomllib

import pytest
from small_book import line_of, make

from nnfp.book import arithmetic, unbound
from nnfp.book.reading import Book

CODE = "```python\nimport numpy as np\n\nX = np.zeros((6, 4))\nlr = 0.15\nloss = 31.7\n```\n"


CITED = '''alone = ["2017", "Python 3.11", "NumPy 2.4"]
[from]
"https://example.org/a" = ["97.3"]
"https://example.org/13.5" = ["13.5"]
'''


def cite(tmp_path):
    path = tmp_path / "docs" / unbound.CITED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CITED)


def notes(tmp_path, prose):
    checker = make(tmp_path, layer=f"# Layer 77\n\n{CODE}\n{prose}\n")
    page = checker.book.page(tmp_path / "docs/layer.md")
    return [
        (f.line, re.search(r"^\(.+?\)|^(\S+)(?= \S* ?(?:.+ )?reports)|\(.+?\)|(?<=states )[\d.]+|(?<=number )[\d.]+", f.message)[0])
        for f in unbound.find(page, checker.run(page))
    ]


@pytest.mark.parametrize(
    "prose",
    [
        "It falls to 31.8<!-- loss + 0.1 -->.", "Known since 2017.", "In layer 2 of six, row 3.",
        "See chapter 13 and Python 3.11, NumPy 2.4.", "2-D, x2", "`lr=0.15`, with $a = 0.15$ and more of them in $2 x$",
        "They report 97.3 % ([paper](https://example.org/a)).", "13. a list item\n14. another",
        "25 · 4 + 2 = 102", "[13.5](https://example.org/13.5)", "The shape is `(6, 4)`<!-- X.shape -->.",
        "A batch (6, 4)<!-- X.shape --> of them", "A shape `(m, n)`, a row of (B,).",
        "`(4, 6)`<!-- X.T.shape -->", "Slopes 3/16<!-- 3 / 16 -->", "Ten<!-- 2 * 5 --> times, half<!-- 1 / 2 --> of it.",
        "Rows (1, −2)<!-- np.array([1.0, -2.0]) -->", "at $10^{-3}$<!-- 0.1 * 0.0123 -->", "| a |\n|---|\n| 12.5<!-- 25 / 2 --> |",
        "```python\nprint(f'{1} near 0.15, of (6, 4)')\n#> 1 near 0.15, of (6, 4)\n```",
    ],
)  # fmt: skip
def test_what_is_bound_structural_or_cited_is_not_listed(tmp_path, prose):
    cite(tmp_path)
    assert notes(tmp_path, prose) == []


@pytest.mark.parametrize(
    ("prose", "what"),
    [
        ("The rate 0.15 is kept.", "0.15"), ("and 2 more", "2"), ("The shape is (6, 4).", "(6, 4)"), ("`(6, 4)` is", "(6, 4)"),
        ("The rate is 0.15.", "0.15"), ("The slope is 4.", "4"), ("a 0.15<!-- lr --> b\n\n## Section\n\nc 0.35", "0.35"),
        ("It takes 2000 steps.", "2000"), ("the span `3.75` says", "3.75"), ("about `31.7`", "31.7"),
        ("It is about twice.", "twice"), ("some ten times more", "ten"), ("Slopes of 3/16", "3/16"), ("with $w = 0.35$", "$w"),
        ("at $10^{-7}$", "$10^{-7}$"), ("## Exercise 77.5", "77.5"), ("![It has 13.5 points](a.png)", "13.5"),
        ("One. Two 97.3. See [a](https://example.org).", "97.3"), ("```python\nx = 1  # now 8.5\n```", "8.5"),
        ("```text\nX (9, 9)\n```", "(9, 9)"), ("```python\nprint('about 8.5', 1)\n#> about 8.5 1\n```", "8.5"),
        ("```python\nprint(f'{1} of (9, 8)')\n#> 1 of (9, 8)\n```", "(9, 8)"), ("a row (3, 1)", "(3, 1)"), ("x | 1,234 |", "1,234"),
        ("It falls to 0.0021.", "0.0021"), ("It is 3 times faster.", "3"), ("By 5 % it is.", "5"),
        ("| a | b |\n|---|---|\n| x | 4.25 |", "4.25"), ("In 481 steps.", "481"), ("a 2.1e-09 b", "2.1e-09"),
        ("- here [a](https://example.org)\n- 0.77 there", "0.77"),
        ("A shape `(7, 3)` appears.", "(7, 3)"),
    ],
)  # fmt: skip
def test_an_unbound_result_is_listed_with_its_line(tmp_path, prose, what):
    text = f"# Layer 77\n\n{CODE}\n{prose}\n"
    shown = what
    assert notes(tmp_path, prose) == [
        (line_of(text, prose) + prose[: prose.index(shown)].count("\n"), what)
    ]


@pytest.mark.parametrize(
    ("prose", "wrong"),
    [
        ("1 · 1 + 2 · 2 + 1 = 6", None), ("1 · 1 + 2 · 2 + 1 = 7", "1 · 1 + 2 · 2 + 1 is 6, the page says 7"),
        ("2.5 / 2.236 = 1.118", None), ("(4000 − 2500) / 500 = 4", "(4000 − 2500) / 500 is 3, the page says 4"),
        ("128 · 785 + 10 · 129 = 100,480 + 1,290 = 101,770", None),
        ("128 · 785 + 10 · 129 = 100,480 + 1,291 = 101,771", "128 · 785 + 10 · 129 is 101770, the page says 100,480 + 1,291"),
        ("y = 2 · 3 = 7", "2 · 3 is 6, the page says 7"), ("1000 = 31 · 32 + 8", None), ("√5 = 2.236", None), ("0.1 = √(2 / 200)", None),
        ("0.3 = √(2 / 200)", "0.3 is 0.3, the page says √(2 / 200)"), ("3 − 5 = −2<!-- x -->", None), ("1 × 2\n+ 3 = 6", "1 × 2 + 3 is 5, the page says 6"),
    ],
)  # fmt: skip
def test_sums_in_prose_are_worked_out(tmp_path, prose, wrong):
    checker = make(tmp_path, layer=f"# Layer\n\nWe get {prose}, then.\n")
    (found,) = arithmetic.sums(checker.book.page(tmp_path / "docs/layer.md"))
    assert (found.line, found.wrong) == (3, wrong)


@pytest.mark.parametrize(
    "prose", ["n = 3", "x1 = 2 + 2", "a 1 - 2 b", "2 · n + 1 = 5", "2 + 2 = 4 + n", "2 + 2 = 4^2"]
)
def test_formulas_with_letters_are_left_alone(tmp_path, prose):
    checker = make(tmp_path, layer=f"# Layer\n\n{prose}\n")
    assert arithmetic.sums(checker.book.page(tmp_path / "docs/layer.md")) == []


def test_the_page_check_fails_on_a_wrong_sum_and_on_what_is_unbound(tmp_path):
    checker = make(tmp_path, layer="# Layer\n\n1 + 1 = 3\n\nAbout 57.3 in all.\n", neuron="# N\n")
    report = checker.check(checker.book.page(tmp_path / "docs/layer.md"))
    assert [(f.line, f.kind) for f in report.failures] == [(3, "sum"), (5, "unbound")]


@pytest.mark.parametrize(
    "prose, message",
    [
        ("They report 97.4 % ([paper](https://example.org/a)).", "97.4 is not what docs/reference/data/cited.toml takes from https://example.org/a"),
        ("They report 97.3 % ([paper](https://example.org/b)).", "97.3 is not what docs/reference/data/cited.toml takes from https://example.org/b"),
        ("Three of $0.125$ ([paper](https://example.org/a)).", "0.125 is not what"),
        ("At (3, 4) ([paper](https://example.org/a)).", "(3, 4) is not what"),
        ("It is 1/3 ([paper](https://example.org/a)).", "1/3 is not what"),
        ("Known since 2018.", "2018 reports a result"), ("With Python 3.12.", "3.12 reports a result"),
    ],
)  # fmt: skip
def test_what_is_cited_is_written_down_twice(tmp_path, prose, message):
    cite(tmp_path)
    checker = make(tmp_path, layer=f"# Layer\n\n{prose}\n")
    page = checker.book.page(tmp_path / "docs/layer.md")
    failures = unbound.find(page, checker.run(page))
    assert [f.message.startswith(message) for f in failures] == [True], failures


def test_a_dollar_that_opens_no_formula_is_listed(tmp_path):
    text = "# Layer\n\nA $ x = 1$ is none, $y$ and `$` and \\$ 5<!-- 5 --> are right.\n\n$$\nx = 1\n$$\n"
    checker = make(tmp_path, layer=text)
    page = checker.book.page(tmp_path / "docs/layer.md")
    failures = [(f.line, f.message) for f in unbound.find(page, checker.run(page))]
    assert [line for line, message in failures if message.startswith("this $ belongs to no formula")] == [3, 3]


def test_exchanged_cells_are_listed(tmp_path):
    rows = [f"| row {'abcd'[k]} | {k}<!-- {k} + 0 --> |" for k in range(4)]
    rows[2] = "| 2<!-- 2 + 0 --> | row c |"
    checker = make(tmp_path, layer="# Layer\n\n| what | value |\n|---|---|\n" + "\n".join(rows) + "\n")
    page = checker.book.page(tmp_path / "docs/layer.md")
    found = [(f.line, f.message) for f in unbound.find(page, checker.run(page))]
    assert found == [
        (7, "cell 1 of this row is bound, unlike all others of its column"),
        (7, "cell 2 of this row is not bound, unlike all others of its column"),
    ]


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ("| third | $x = x$ | $\\hat{y} = y$ |", []),
        ("| third | $x x$ | $\\hat{y} = y$ |", ["cell 2 of this row states no relation, unlike all others of its column"]),
        (
            "| third | $\\hat{y} = y$ | $x = x$ |",
            [
                "cell 2 of this row begins with \\hat, unlike all others of its column",
                "cell 3 of this row begins with x, unlike all others of its column",
            ],
        ),
    ],
)
def test_a_formula_that_is_no_statement_among_statements_is_listed(tmp_path, row, messages):
    rows = [f"| {word} | $x = x$ | $\\hat{{y}} = y$ |" for word in ("first", "second")] + [row]
    rows += ["| fourth | $x = x$ | $\\hat{y} = y$ |"]
    text = "# Layer\n\n| which | left | right |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    page = make(tmp_path, layer=text).book.page(tmp_path / "docs/layer.md")
    found = [(f.line, f.message) for f in unbound._columns(page)]
    assert found == [(7, message) for message in messages]


@pytest.mark.parametrize(
    ("labels", "messages"),
    [
        (("sample 1", "sample 2"), []),
        (("sample 2", "sample 2"), [(6, "the label sample 2 comes after sample 2")]),
        (("sample 1", "sample 3"), [(6, "the label sample 3 comes after sample 1")]),
    ],
)
def test_labels_that_do_not_count_up_are_listed(tmp_path, labels, messages):
    text = "# Layer\n\n| which | value |\n|---|---|\n" + "".join(f"| {label} | one |\n" for label in labels)
    page = make(tmp_path, layer=text).book.page(tmp_path / "docs/layer.md")
    assert [(f.line, f.message) for f in unbound._columns(page)] == messages
    header = f"# Layer\n\n| quantity | {labels[0]} | {labels[1]} |\n|---|---|---|\n| a | b | c |\n"
    page = make(tmp_path, layer=header).book.page(tmp_path / "docs/layer.md")
    assert [f.message for f in unbound._columns(page)] == [message for _, message in messages]


def test_the_book_takes_nothing_from_elsewhere_that_no_page_gives():
    book = Book()
    file = tomllib.loads((book.docs / unbound.CITED).read_text(encoding="utf-8"))
    linked: dict[str, str] = {}
    for page in book.pages:
        for link in page.links:
            linked[link.text] = linked.get(link.text, "") + page.text
    words = "\n".join(page.text for page in book.pages)
    for link, numbers in file["from"].items():
        assert link in linked, f"no page links to {link}"
        assert all(re.search(rf"(?<![\d.]){re.escape(n)}(?![\d]|\.\d)", linked[link]) for n in numbers), link
    assert all(re.search(rf"\b{re.escape(name)}\b", words) for name in file["alone"])
