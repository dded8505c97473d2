"""The mark beside an equation number: what it says, and the symbols that can be pointed at."""

import html
import json
import re

import markdown
import pytest

from nnfp.book import katex, marks, scores, sources, verdicts
from nnfp.book.markdown import PageError, shared_book
from nnfp.book.reading import Book, BookError

try:
    katex.folder()
except BookError as error:  # the npm package is not there: say so, leave these tests out
    pytest.skip(str(error), allow_module_level=True)

PAGE = r"""# One

Words.

| Symbol | Domain | Meaning |
|---|---|---|
| $n$ | $\mathbb{N}$ | inputs |
| $W^{[l]}$ | $\mathbb{R}^{n \times n}$ | weights & <such> |
| $l$ | $\{1, \dots, 2\}$ | layer |
| $x$ | $\mathbb{R}^n$ | inputs |
| $p$ | $\mathbb{R}^n$ | product |
| $q$ | $\mathbb{R}^n$ | copy |

$$
p := W^{[1]} x
\label{eq-p}
$$

$$
q := p
\label{eq-q}
$$
<!-- affine(W[1], x, 0 * x) -->

$$
\lVert p \rVert \ge 0
\label{eq-r}
$$
"""


@pytest.fixture
def render(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(verdicts, "_known", {})
    shared_book.cache_clear()
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("nav: [One: one.md]\n")

    def run(text=PAGE):
        (tmp_path / "docs" / "one.md").write_text(text)
        settings = {"root": str(tmp_path), "mark": "nnfp.book.marks"}
        return markdown.Markdown(
            extensions=["tables", "nnfp.book.markdown"], extension_configs={"nnfp.book.markdown": settings}
        ).convert(text)

    yield run
    shared_book.cache_clear()


def panels(text):
    return re.findall(r'<details class="mark".*?</details>', text, re.S)


def test_each_display_has_a_mark_that_opens_without_scripts(render):
    first, second, third = panels(render())
    assert "How equation 1.1 is checked</span></summary>" in first
    assert 'href="#eq-q">(1.2)</a>' in first, "a definition is borne out by what uses it"
    assert "<code>affine(W[1], x, 0 * x)</code>" in second and "Largest difference: below 10<sup>−15</sup>" in second
    assert "Largest" not in third, "an inequality has no difference"
    assert html.escape("weights & <such>") in first and "ℝ<sup><i>n</i>×<i>n</i></sup>" in first
    assert all("In NumPy, tested" in panel for panel in (first, second, third))


def test_symbols_of_a_display_lead_to_their_rows(render):
    text = render()
    shown = re.search(r'id="eq-p">(.*?)<details', text, re.S)[1]
    rows = re.findall(r'<tr data-s="(\d)">\s*<td>.*?<annotation[^>]*>(.*?)</annotation>', panels(text)[0])
    assert [row[1] for row in rows] == ["p", "W^{[l]}", "x"]
    assert re.findall(r'data-s="(\d)"', shown) == ["0", "1", "2"]
    assert "htmlData" not in text, "the TeX that a screen reader and the search get is that of the page"


@pytest.mark.parametrize(
    "change, message",
    [(("q := p", "q := 2p"), "eq-q: the code disagrees"), ((r"\ge 0", "< 0"), "eq-r: false")],
)
def test_no_page_shows_a_false_equation_as_checked(render, change, message):
    with pytest.raises(PageError) as error:
        render(PAGE.replace(*change))
    assert re.search(r"one\.md:\d+: " + re.escape(message), str(error.value))


def test_prose_changes_no_verdict_and_an_equation_does(render, monkeypatch):
    first, runs = render(), []
    run = verdicts.run
    monkeypatch.setattr(verdicts, "run", lambda page: runs.append(page) or run(page))
    assert panels(render(PAGE.replace("Words.", "Other words.\n\nMore."))) == panels(first)
    monkeypatch.setattr(verdicts, "_known", {})
    assert render() == first, "from disk"
    assert not runs
    render(PAGE.replace("inputs", "numbers"))
    assert len(runs) == 1, "the table is part of it"
    render(PAGE.replace("0 * x", "x - x"))
    assert len(runs) == 2, "the code beside it too"


@pytest.mark.parametrize(
    "tex, places, expected",
    [
        ("w_j x", [(0, 1, 0), (2, 3, 1)], r"\htmlData{s=0}{w_{\htmlData{s=1}{j}}} x"),
        (r"\frac 1 n", [(2, 3, 4)], r"\frac 1 {\htmlData{s=4}{n}}"),
        ("f'(x)^2", [(0, 1, 0), (3, 4, 1)], r"\htmlData{s=0}{f'}(\htmlData{s=1}{x})^2"),
        (r"W^{[l]\top} y", [(0, 1, 0), (4, 5, 1)], r"\htmlData{s=0}{W^{[\htmlData{s=1}{l}]\top}} y"),
        ("a", [(0, 2, 0)], "a"),
    ],
)
def test_a_symbol_takes_its_scripts_with_it(tex, places, expected):
    found = marks.marked(tex, places)
    assert found == expected
    assert "katex" in katex.render(found, True)


def test_only_data_can_be_put_on_a_formula():
    for tex in (r"\href{http://a.b}{x}", r"\htmlClass{a}{x}", r"\htmlStyle{color: red}{x}"):
        assert not re.search('<a |class="a"|style="color: red', katex.render(tex)), tex


def test_every_symbol_of_the_book_can_be_shown():
    displays = 0
    for page in Book().pages:
        for verdict in (verdicts.kept(page) or {}).values():
            displays += 1
            assert marks.marked(verdict.tex, verdict.places).count(r"\htmlData") == len(verdict.places)
            for _, domain, meaning in verdict.symbols:
                assert "katex" not in marks.domain(domain), f"{page.home}: {domain} is left to KaTeX"
                assert "$" not in marks.words(meaning) and "<!--" not in meaning


@pytest.mark.parametrize("error, shown", [(0, "10<sup>−15</sup>"), (3e-14, "10<sup>−13</sup>"), (0.02, "10<sup>−1</sup>"), (2, "1")])
def test_errors_are_given_as_powers_of_ten(error, shown):
    assert marks.tenth(error) == shown


@pytest.mark.parametrize(
    "here, there, way",
    [("a.md", "a.md", ""), ("a.md", "b.md", "b.md"), ("reference/x.md", "a.md", "../a.md"),
     ("a.md", "reference/checks.md", "reference/checks.md")],
)  # fmt: skip
def test_addresses_lead_from_page_to_page(here, there, way):
    assert marks.address(here, there) == way


def test_scores_come_from_the_file_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "FOLDER", tmp_path)
    assert scores.of("a.md", "eq-a") == {}
    score = {"tried": 12, "caught": 9, "same": 2, "survived": 1}
    data = {"pages": {"a.md": {"equations": {"eq-a": score}}}}
    (tmp_path / "mutation_equations.json").write_text(json.dumps(data))
    assert scores.of("a.md", "eq-a") == score
    assert scores.sentence(score) == "[9 of 10 corruptions] of it are caught; 2 more say the same"


def test_long_code_scrolls_in_a_box_that_the_keyboard_reaches():
    assert 'is-tall" tabindex="0"' in marks.code("x = 1\n" * 40) and "tabindex" not in marks.code("x = 1\n")
    assert re.sub("<[^>]*>", "", marks.code("def f(x):  # a < b\n    return 'x'\n")).strip("\ue000\ue001") == (
        "def f(x):  # a &lt; b\n    return 'x'"
    )


def test_links_are_those_of_the_page_so_that_the_build_resolves_and_checks_them():
    stash = []
    store = lambda text: stash.append(text) or f"<{len(stash)}>"  # noqa: E731
    found = marks.tree(f"<p>a {marks.ready('<b>1</b>')} &amp; <a href='b.md'>b</a>{marks.ready('<br>')}</p>", store)
    assert (found.text, found[0].get("href"), found[0].tail) == ("a <1> & ", "b.md", "<2>")
    assert stash == ["<b>1</b>", "<br>"]
