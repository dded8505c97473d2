"""The error museum: each wrong line is rejected in the words that the page shows, each right one accepted."""

import dataclasses

import pytest

from nnfp.book import museum
from nnfp.book.reading import Page

CASES = museum.cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"museum.md:{case.line}")
def test_case(case):
    assert not museum.faults(case), f"docs/museum.md:{case.line}: {case.title}: {museum.faults(case)}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"museum.md:{case.line}")
def test_the_lines_cannot_change_places(case):
    found = dict(museum.faults(dataclasses.replace(case, wrong=case.right, right=case.wrong)))
    assert {"wrong", "given"} & set(found)  # what is given may need the right line as its witness
    assert "rejects the right line" in found["right"]


def test_titles_are_different():
    assert len({case.title for case in CASES}) == len(CASES)


def test_every_kind_of_slip_has_a_name_and_every_verdict_a_sentence():
    assert {case.kind for case in CASES} <= set(museum.KINDS)
    assert {museum.judge(case).kind for case in CASES} <= set(museum.VERDICTS)


def test_a_fault_is_reported_at_its_own_line():
    text = museum.HOME.read_text(encoding="utf-8")
    first = CASES[0]
    broken = text.replace(f"says: {first.says}", "says: nothing at all", 1)
    failures = museum.check(Page(museum.HOME, "museum.md", broken, "docs/museum.md"))[1]
    assert [str(f) for f in failures] == [
        f"docs/museum.md:{first.line_of('says')}: museum: the checker says: {first.says}"
    ]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("kind: ", "sort: ", "there is no field sort"),
        ("kind: ", "kind: no ", "kind is one of"),
        ("right: ", "", "neither a field nor a row"),
    ],
)
def test_a_block_that_cannot_be_read_is_an_error(old, new, message):
    page = Page(museum.HOME, "museum.md", museum.HOME.read_text(encoding="utf-8").replace(old, new, 1))
    assert message in str(museum.check(page)[1][0])


def test_every_case_is_shown():
    katex = pytest.importorskip("nnfp.book.katex")
    try:
        katex.folder()
    except museum.BookError as missing:
        pytest.skip(str(missing))
    markdown = pytest.importorskip("markdown")
    text = museum.HOME.read_text(encoding="utf-8")
    extensions = ["tables", "pymdownx.superfences", "nnfp.book.markdown", "nnfp.book.museum"]
    shown = markdown.markdown(text, extensions=extensions)
    assert shown.count('class="museum-case"') == len(CASES)
    assert "museum-count" not in shown and f"<strong>{len(CASES)}</strong>" in shown
    for case in CASES:
        assert museum.html.escape(case.says) in shown
