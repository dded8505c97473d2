"""The first use of a term leads to the glossary, and nothing else does."""

import re
from pathlib import Path

from markdown import Markdown

from nnfp.book import terms
from nnfp.book.reading import Book

BOOK = Book(Path(__file__).resolve().parent.parent.parent)
EXTENSIONS = ["nnfp.book.markdown", "nnfp.book.terms", "pymdownx.superfences", "pymdownx.details", "tables"]


def shown(stem):
    return Markdown(extensions=EXTENSIONS).convert(BOOK.page(BOOK.docs / f"{stem}.md").body)


def test_each_term_is_linked_once_and_only_from_later_chapters():
    text = shown("training")
    linked = re.findall(r'class="term" href="reference/glossary\.md#([\w-]+)"', text)
    assert "gradient" in linked and "epoch" not in linked  # epoch is introduced here
    assert len(linked) == len(set(linked)) and set(linked) <= set(terms.earlier(BOOK, "training").values())
    assert terms.earlier(BOOK, "notation") == {}


def test_links_headings_and_code_stay_as_they_are():
    text = shown("backpropagation")
    for block in re.findall(r"<(?:h[1-6]|code|pre|td|figcaption)\b.*?</(?:h[1-6]|code|pre|td|figcaption)>", text, re.S):
        assert 'class="term"' not in block
    bare = Markdown(extensions=EXTENSIONS[:1] + EXTENSIONS[2:]).convert(BOOK.page(BOOK.docs / "backpropagation.md").body)
    assert re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", text) == bare


def test_a_page_that_is_no_chapter_gets_no_links():
    assert 'class="term"' not in Markdown(extensions=EXTENSIONS[1:]).convert("# Else\n\nA gradient.")
