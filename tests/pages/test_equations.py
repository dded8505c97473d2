"""Every displayed equation of every page: one test a display, named file:line."""

from functools import cache

import pytest

from nnfp.book import equations
from nnfp.book.equations.reading import read
from nnfp.book.reading import Book

PAGES = {page.home: page for page in Book().pages}
DISPLAYS = [
    pytest.param(home, number, id=f"{home}:{display.line}", marks=pytest.mark.xdist_group(home))
    for home, page in PAGES.items()
    for number, display in enumerate(read(page.path).displays)
]


@cache
def results(home: str) -> list[equations.Result]:
    return equations.check_page(PAGES[home].path)


@pytest.mark.parametrize("home, number", DISPLAYS)
def test_equation(home, number):
    result = results(home)[number]
    assert result.ok, f"{home}:{result.line}: {result.id}: {result.message}"
    assert result.id.startswith("eq-"), f"{home}:{result.line}: a display needs a \\label{{eq-...}}"
    assert result.comparisons or result.kind == "definition"


@pytest.mark.parametrize("home", ["layer.md", "optimisers.md"])
def test_two_runs_say_the_same(home):
    assert equations.check_page(PAGES[home].path) == results(home)
