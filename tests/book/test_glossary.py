"""The glossary: in order, linked to sections that exist and use the term."""

import re
from pathlib import Path

from nnfp.book.opening import chapters
from nnfp.book.reading import Book

BOOK = Book(Path(__file__).resolve().parent.parent.parent)
PAGE = BOOK.page(BOOK.docs / "reference" / "glossary.md")
ENTRY = re.compile(r"^\[([^\]]+)\]\(\.\./(\w+)\.md#([\w-]+)\)\{ #([\w-]+) \}\n:   (.+(?:\n    .+)*)", re.M)
ENTRIES = ENTRY.findall(PAGE.text)


def test_every_entry_can_be_read_and_they_stand_in_order():
    assert len(ENTRIES) == PAGE.text.count("\n:   ") > 50
    terms = [term.lower() for term, *_ in ENTRIES]
    assert terms == sorted(terms) and len(set(terms)) == len(terms)
    assert all(anchor == term.replace(" ", "-") for term, (*_, anchor, _) in zip(terms, ENTRIES, strict=True))


def test_every_term_leads_to_a_section_of_a_chapter_that_uses_it():
    pages = chapters(BOOK)
    for term, stem, section, _, _ in ENTRIES:
        assert section in {heading.anchor for heading in pages[stem].headings}, (term, section)
        # "Over-fitting" is also found as "over-fit", "Neuron" as "neurons", "Standardise" as "standardised"
        word = re.sub(r"(ing|s|e)$", "", term.lower().replace("broadcasting", "broadcast"))
        text = " ".join(pages[stem].prose.lower().split())
        assert word in text or (word.split()[0] in text and word.split()[-1] in text), (term, stem)


def test_an_entry_is_short_and_says_it_in_its_own_words():
    for term, *_, text in ENTRIES:
        assert 30 < len(" ".join(text.split())) < 220, term
        assert text.rstrip().endswith("."), term
