"""The line under a chapter's title: what it says is derived, and derived right."""

import re
from pathlib import Path

import pytest
from markdown import Markdown

from nnfp.book import opening
from nnfp.book.reading import Book

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def book():
    return Book(ROOT)


def test_what_a_chapter_needs_comes_earlier_and_nothing_is_named_twice(book):
    order = list(opening.chapters(book))
    for stem, found in opening.needs(book).items():
        assert all(order.index(need) < order.index(stem) for need in found), stem
        for need in found:
            assert not set(opening.needs(book)[need]) & set(found), (stem, need)


def test_every_chapter_whose_function_is_imported_is_named_or_follows(book):
    found = opening.needs(book)

    def all_of(stem):
        return set(found[stem]).union(*(all_of(need) for need in found[stem]))

    assert "descent" in all_of("backpropagation") and "layer" in all_of("network")
    for stem, page in opening.chapters(book).items():
        assert opening.uses(book, page) <= all_of(stem), stem
    assert found["layer"] == ["neuron"] and found["training"] == ["backpropagation", "data"]


def test_the_time_counts_words_equations_and_code_but_no_exercises(book, tmp_path):
    text = "# A\n\n" + "word " * 399 + "\n\n$$\na := b\n\\label{eq-a}\n$$\n\n```python\nx = 1\n```\n"
    page = opening.Page(tmp_path / "a.md", "a.md", text)
    assert opening.minutes(page) == 2
    more = opening.Page(tmp_path / "a.md", "a.md", text + "\n$$\nc\n$$\n" * 10)
    assert opening.minutes(more) == 4  # ten displays of twelve seconds
    same = opening.Page(tmp_path / "a.md", "a.md", text + "\n## Exercises\n\n" + "word " * 2000)
    assert opening.minutes(same) == 2


def test_the_line_stands_under_the_title_with_links(book):
    for stem, page in opening.chapters(book).items():
        md = Markdown(extensions=["nnfp.book.opening"])
        line = re.search(r'</h1>\s*<p class="opening"[^>]*>(.*?)</p>', md.convert(page.body))
        assert line, stem
        assert line[1].startswith(f"Reads in about {opening.minutes(page)} minutes")
        assert re.findall(r'href="(\w+)\.md"', line[1]) == opening.needs(book)[stem]
    assert 'class="opening"' not in Markdown(extensions=["nnfp.book.opening"]).convert("# Else\n\ntext")
