"""Terms in chapters: the first use of a term that an earlier chapter introduced leads to the glossary.

    markdown_extensions:
      - nnfp.book.markdown
      - nnfp.book.terms

The links are made while a page is rendered, from docs/reference/glossary.md; docs/javascripts/cards.js
shows the entry as a card. Works in MkDocs and in Zensical.
"""

import re
import xml.etree.ElementTree as etree

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from nnfp.book.markdown import shared_book
from nnfp.book.opening import _Find, chapters
from nnfp.book.reading import Book

GLOSSARY = "reference/glossary.md"
INSIDE = ("p", "li")
_ENTRY = re.compile(r"^\[([^\]]+)\]\(\.\./(\w+)\.md#[\w-]+\)\{ #([\w-]+) \}$", re.M)


def earlier(book: Book, stem: str) -> dict[str, str]:
    """Term in small letters -> id in the glossary, of the terms that chapters before this introduce."""
    order = list(chapters(book))
    before = set(order[: order.index(stem)])
    path = book.docs / GLOSSARY
    entries = _ENTRY.findall(book.page(path).text) if path.is_file() else []
    return {term.lower(): anchor for term, home, anchor in entries if home in before}


class _Terms(Treeprocessor):
    def __init__(self, md: Markdown, find: _Find):
        super().__init__(md)
        self.find = find

    def run(self, root: etree.Element) -> None:
        if self.find.page is None:
            return
        left = earlier(shared_book(self.find.root), self.find.page.stem)
        for element in list(root.iter()):
            if not left:
                return
            if element.tag not in INSIDE or element.get("class"):
                continue
            self._text(element, None, left)
            for child in list(element):
                self._text(element, child, left)

    def _text(self, parent: etree.Element, child: etree.Element | None, left: dict[str, str]) -> None:
        """Link what occurs in the text at the start of an element or behind one of its children."""
        while left:
            text = (parent.text if child is None else child.tail) or ""
            names = "|".join(re.escape(term) for term in sorted(left, key=len, reverse=True))
            match = None if isinstance(text, AtomicString) else re.search(rf"(?i)(?<![\w-])({names})s?(?![\w-])", text)
            if not match:
                return
            before, after = text[: match.start()], text[match.end() :]
            link = etree.Element("a", {"class": "term", "href": f"{GLOSSARY}#{left.pop(match[1].lower())}"})
            link.text, link.tail = AtomicString(match[0]), after
            if child is None:
                parent.text = before
                parent.insert(0, link)
            else:
                child.tail = before
                parent.insert(list(parent).index(child) + 1, link)
            child = link


class TermsExtension(Extension):
    """Links the first use of each term."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        find = _Find(md, str(self.getConfig("root")))
        md.preprocessors.register(find, "nnfp-terms-page", 255)
        md.treeprocessors.register(_Terms(md, find), "nnfp-terms", 11.4)


def makeExtension(**settings) -> TermsExtension:
    return TermsExtension(**settings)
