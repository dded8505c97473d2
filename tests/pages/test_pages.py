"""Every page of the book: one test a page and kind of check. Equations have tests of their own."""

import pytest

from nnfp.book.pages import KINDS, Checker, check_book

CHECKER = Checker()
PAGES = {page.home: page for page in CHECKER.book.pages}
# one worker a page, so that a page runs once
GROUPED = [pytest.param(home, marks=pytest.mark.xdist_group(home)) for home in PAGES]
CHECKED = [kind for kind in KINDS if kind != "equations"]


@pytest.mark.parametrize("home", GROUPED)
@pytest.mark.parametrize("kind", CHECKED)
def test_page(home, kind):
    failures = CHECKER.check(PAGES[home], [kind]).failures
    assert not failures, "\n" + "\n".join(map(str, failures))


def test_sections_docstrings_chapters_and_tests_of_the_package():
    failures = check_book(CHECKER.book)
    assert not failures, "\n" + "\n".join(map(str, failures))
