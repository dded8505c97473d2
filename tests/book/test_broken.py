"""The page "Break an equation": corruptions of the book's own equations, and the checker's own words."""

import re

import markdown
import pytest

from nnfp.book import broken, katex
from nnfp.book.equations import check_page
from nnfp.book.equations.lexer import tokens
from nnfp.book.equations.mutants import mutants
from nnfp.book.equations.reading import read
from nnfp.book.reading import Book, BookError

try:
    katex.folder()
except BookError as error:  # the npm package is not there: say so, leave these tests out
    pytest.skip(str(error), allow_module_level=True)

BOOK = Book()


def display_of(label):
    page = BOOK.equations()[label][0]
    displays = read(page.text + "\n").displays
    place = next(k for k, display in enumerate(displays) if display.label == label)
    return page, place, displays[place]


def words(tex):
    return [token.text for token in tokens(tex)]


@pytest.mark.parametrize("label", broken.LABELS)
def test_what_is_shown_is_a_corruption_of_the_equation_as_it_stands(label):
    page, _, display = display_of(label)
    made = [words(mutant.tex) for mutant in mutants(display.tex)]
    shown = broken.broken(page, label)
    assert len(shown) >= 4 and len({one.message for one in shown}) == len(shown)
    for one in shown:
        assert words(one.tex) in made
        before = one.tex[: one.start] + one.old + " " + one.tex[one.end :]
        assert words(before) == words(display.tex), "what stood there is named"


@pytest.mark.parametrize("label", ["eq-affine-batch", "eq-adam-corrected"])
def test_the_words_are_those_that_an_author_reads(label):
    page, _, display = display_of(label)
    for one in broken.broken(page, label):
        corrupted = page.text.replace(display.tex.split("\n\\label")[0].strip(), one.tex.strip(), 1)
        if corrupted == page.text:  # the label is blanked out in the TeX of a display
            corrupted = page.text[: display.start] + one.tex.rstrip() + f"\n\\label{{{label}}}\n" + page.text[display.start + len(display.tex) :]
        first = next(result for result in check_page(corrupted + "\n", forms=False) if not result.ok)
        assert first.id == one.label
        said = broken.message(first).split("\n")
        assert said[0] == one.message.split("\n")[0]


def test_a_corruption_that_the_check_lets_through_is_not_shown(monkeypatch):
    page, _, _ = display_of("eq-neuron")
    monkeypatch.setattr(broken, "said", lambda text, place: None)
    assert broken.choose(page, "eq-neuron") == []


def test_the_page_holds_every_equation_with_its_corruptions_without_scripts():
    page = BOOK.page(BOOK.docs / "reference" / "break.md")
    html = markdown.Markdown(extensions=["nnfp.book.broken"]).convert(page.text)
    assert "broken-equations" not in html and "\x02" not in html
    assert html.count('<details class="break-one">') == len(broken.LABELS)
    assert html.count('class="break-variant"') == html.count("The checker:") >= 4 * len(broken.LABELS)
    assert "htmlData" not in html and not re.search(r"<p>\s*<(div|break-equation)", html)
    assert 'href="../neuron.md#eq-neuron">(3.1)</a>' in html
