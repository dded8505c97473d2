"""The index of equations: a Markdown extension that fills the page docs/reference/equations.md.

    markdown_extensions:
      - nnfp.book.markdown
      - nnfp.book.index

A line `<equation-index></equation-index>` becomes one table for each chapter: the number of each
display, linked, and the code that must give the same value. Made from the pages while they are
rendered, so that it cannot go stale; works in MkDocs and in Zensical.
"""

import posixpath
from itertools import groupby

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from nnfp.book.markdown import shared_book
from nnfp.book.reading import Book, Display, Page

MARK = "<equation-index></equation-index>"


def witness(page: Page, display: Display) -> str:
    """The comment directly under a display, "" if there is none."""
    below = page.line_of(display.end) + 1
    return next((c.text for c in page.comments if c.alone and c.line == below), "")


def tables(book: Book, home: str = "reference/equations.md") -> list[str]:
    """The index as lines of Markdown, its links as seen from the page `home`."""
    rows = [(page, display, label, number) for label, (page, display, number) in book.equations().items()]
    lines = []
    for page, group in groupby(rows, key=lambda row: row[0]):
        path = posixpath.relpath(page.home, posixpath.dirname(home) or ".")
        title = next((h.text for h in page.headings if h.level == 1), page.stem)
        lines += ["", f"## {title}", "", "| Equation | Code that must agree |", "|---|---|"]
        for _, display, label, number in group:
            code = witness(page, display)
            defines = ":=" in display.tex
            cell = "defined here, witnessed by the claims that use it" if defines else "a claim"
            cell = f"`{code}`" if code else cell
            lines.append(f"| [{number}]({path}#{label}) `{label}` | {cell} |")
    return [*lines, ""]


class _Index(Preprocessor):
    def __init__(self, md: Markdown, root: str):
        super().__init__(md)
        self.root = root

    def run(self, lines: list[str]) -> list[str]:
        if MARK not in lines:
            return lines
        place = lines.index(MARK)
        return lines[:place] + tables(shared_book(self.root)) + lines[place + 1 :]


class IndexExtension(Extension):
    """Fills the index of equations."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        # after the formulas of the page were found (200), before anything else reads the text
        md.preprocessors.register(_Index(md, str(self.getConfig("root"))), "nnfp-index", 150)


def makeExtension(**settings) -> IndexExtension:
    return IndexExtension(**settings)
