"""The page "What is checked": its lists are those of the run and of the book."""

import json
import re

import markdown
import pytest

from nnfp.book import checked, katex, scores, verdicts
from nnfp.book.reading import Book, BookError

try:
    katex.folder()
except BookError as error:  # the npm package is not there: say so, leave these tests out
    pytest.skip(str(error), allow_module_level=True)

BOOK = Book()
HOME = "reference/checks.md"


def test_every_display_of_the_book_is_listed_once_with_its_score():
    lines = checked.equations(BOOK, HOME)
    listed = re.findall(r"^\| \[[\d.]+\]\(([^)#]+)#([^)]+)\)\{#\2\} ", "\n".join(lines), re.M)
    assert [label for _, label in listed] == [label for page in checked.chapters(BOOK) for label in verdicts.verdicts(page)]
    assert {label for _, label in listed} == set(BOOK.equations())
    for line in lines:
        if line.startswith("| ["):
            assert all(cell.strip() for cell in line.strip("|").split("|")), f"an empty cell: {line}"


def test_every_display_was_compared_or_is_borne_out_by_another():
    for page in checked.chapters(BOOK):
        found = verdicts.verdicts(page)
        for label, verdict in found.items():
            compared = verdict.comparisons or verdict.tests or any(found[user].comparisons for user in verdict.used_by)
            assert compared, label


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "FOLDER", tmp_path)

    def write(name, value):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))

    return write


def test_scores_and_survivors_are_those_of_the_files(data):
    assert checked.score_tables(BOOK, HOME) == ["There is no run yet."]
    survivor = {"equation": "eq-neuron", "operation": "sign", "tex": r"s := a < b_1", "reason": "false on fresh draws"}
    page = {"score": 97.5, "caught": 39, "survived": 1, "same": 2, "equations": {}, "survivors": [survivor],
            "first_full_score": {"score": 90.0}}  # fmt: skip
    data("mutation_equations", {"score": 97.5, "run": {"date": "2026-01-02", "commit": "abc1234"}, "pages": {"neuron.md": page}})
    lost = {"line": 7, "operation": "code: name", "change": "`a` for b", "reason": "why"}
    page = {"score": 80.0, "caught": 4, "survived": 1, "first_score": {"score": 70.0}, "survivors": [lost]}
    data("mutation_pages", {"score": 80.0, "run": {"date": "2026-01-03"}, "first_score": {"score": 60.0},
                            "pages": {"neuron.md": page}})  # fmt: skip
    text = "\n".join(checked.score_tables(BOOK, HOME))
    for part in ("**Equations: 97.50 %** of 40", "1 survives (2026-01-02, commit `abc1234`)",
                 "| [A neuron](../neuron.md) | 40 | 39 | 97.50 % | 90.00 % |",
                 "What else the pages state: 80.00 %** of 5", "The first run caught 60.00 %.", "| [A neuron](../neuron.md) | 5 | 4 | 80.00 % | 70.00 % |"):  # fmt: skip
        assert part in text
    one, *_, block, _, two, _ = checked.survivors(BOOK, HOME, lambda html: html)
    assert one.startswith("- [(3.1)](../neuron.md#eq-neuron), sign: false, but only") and "katex" in one
    assert block == '??? note "What else the pages state, neuron.md: one"'
    assert two == "    - line 7, code: name, `` `a` for b ``, why"


def test_the_lists_stand_in_place_of_their_marks():
    text = "# A\n\n<checked-survivors></checked-survivors>\n\nEnd.\n"
    html = markdown.Markdown(extensions=["tables", "attr_list", "nnfp.book.checked"]).convert(text)
    assert "checked-survivors" not in html and html.endswith("<p>End.</p>") and "\x02" not in html


def test_the_tests_are_shown_as_they_stand_and_name_the_equations_they_hold():
    lines = checked.tests(BOOK, "reference/tests.md", lambda html: html)
    text = "\n".join(lines)
    assert "## Every display {#test_equation}" in text and "is that of PyTorch {#" in text and "@pytest" in re.sub("<[^>]*>", "", text)
    shown = re.findall(r"\]\(\.\./[^)#]+#([^)]+)\)", text)
    held = {label for page in checked.chapters(BOOK) for label, one in verdicts.verdicts(page).items() if one.tests}
    assert set(shown) == held
    assert all(re.sub("<[^>]*>", "", line).strip() for line in lines if line.startswith("<div")), "a test without source"
