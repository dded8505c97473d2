"""The quiet line under a chapter's title: how long it reads and which chapters it builds on.

    markdown_extensions:
      - nnfp.book.markdown
      - nnfp.book.opening

Nobody keeps a list. A chapter needs those earlier chapters whose functions its code uses or whose
equations it cites; what these need themselves is left out. The time counts what stands above the
exercises. Works in MkDocs and in Zensical.
"""

import operator
import re
import xml.etree.ElementTree as etree

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

import nnfp
from nnfp.book.markdown import shared_book
from nnfp.book.reading import Book, Page

WORDS_A_MINUTE = 200
SECONDS = {"display": 12, "formula": 2, "figure": 12, "line": 1.5}
_found: dict = {}  # root -> (pages as they were read, what they need)


def chapters(book: Book) -> dict[str, Page]:
    """Stem -> page of the chapters in reading order: the pages that have a module of the package."""
    pages = {page.home: page for page in book.pages}
    found = [home for home in book.nav if (book.root / "nnfp" / f"{home[:-3]}.py").is_file()]
    return {home[:-3]: pages[home] for home in found}


def titles(book: Book) -> dict[str, str]:
    """Page -> its name in the navigation."""

    def flat(item, name=""):
        if isinstance(item, dict):
            return {page: text for key, part in item.items() for page, text in flat(part, key).items()}
        if isinstance(item, list):
            return {page: text for part in item for page, text in flat(part).items()}
        return {item: name} if name else {}

    return flat(book.settings.get("nav") or [])


def minutes(page: Page) -> int:
    """Whole minutes to read what stands above the exercises."""
    end = next((h.line for h in page.headings if h.text == "Exercises"), len(page.lines) + 1)
    words = len(re.findall(r"[^\W_]+", "\n".join(page.plain.split("\n")[: end - 1])))
    seconds = {
        "display": sum(d.line < end for d in page.displays),
        "formula": sum(f.line < end for f in page.formulas),
        "figure": sum(f.line < end for f in page.figures),
        "line": sum(f.body.count("\n") + 1 for f in page.fences if f.line < end),
    }
    spent = words * 60 / WORDS_A_MINUTE + sum(SECONDS[kind] * n for kind, n in seconds.items())
    return max(1, round(spent / 60))


def uses(book: Book, page: Page) -> set[str]:
    """Stems of the earlier chapters whose functions or equations occur on a page."""
    order = list(chapters(book))
    code = "\n".join(fence.body for fence in page.fences if fence.runs)
    found = set()
    for name in set(re.findall(r"\b[A-Za-z_]\w*", code)):
        found.add(getattr(getattr(nnfp, name, None), "__module__", "").removeprefix("nnfp."))
    equations = book.equations()
    found |= {equations[r.text][0].stem for r in page.references if r.text in equations}
    return found & set(order[: order.index(page.stem)])


def needs(book: Book) -> dict[str, list[str]]:
    """Stem -> what to read before, in reading order, without what follows from the rest."""
    pages = chapters(book)
    known, found = _found.get(book.root, ([], {}))
    if len(known) == len(pages) and all(map(operator.is_, known, pages.values())):
        return found
    direct = {stem: uses(book, page) for stem, page in pages.items()}
    closure: dict[str, set[str]] = {}
    for stem, found in direct.items():  # in reading order: what is needed comes earlier
        closure[stem] = found.union(*(closure[need] for need in found))
    answer = {
        stem: [need for need in direct if need in found
               and not any(need in closure[other] for other in found)]
        for stem, found in direct.items()
    }  # fmt: skip
    _found[book.root] = (list(pages.values()), answer)
    return answer


class _Find(Preprocessor):
    """Remembers which chapter is being rendered."""

    def __init__(self, md: Markdown, root: str):
        super().__init__(md)
        self.root, self.page = root, None

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines).replace("\r\n", "\n").strip()
        titled = re.match(r"#\s", text)  # no docstring is, and there are hundreds
        found = chapters(shared_book(self.root)).values() if titled else ()
        self.page = next((page for page in found if page.body.strip() == text), None)
        return lines


class _Line(Treeprocessor):
    def __init__(self, md: Markdown, find: _Find):
        super().__init__(md)
        self.find = find

    def run(self, root: etree.Element) -> None:
        page, title = self.find.page, root.find("h1")
        if page is None or title is None:
            return
        book = shared_book(self.find.root)
        line = etree.Element("p", {"class": "opening", "data-search-exclude": ""})
        line.text = AtomicString(f"Reads in about {minutes(page)} minutes")
        names, last = titles(book), None
        for need in needs(book)[page.stem]:
            if last is None:
                line.text = AtomicString(f"{line.text} · needs: ")
            else:
                last.tail = ", "
            last = etree.SubElement(line, "a", {"href": f"{need}.md"})
            last.text = AtomicString(names.get(f"{need}.md", need))
        root.insert(list(root).index(title) + 1, line)


class OpeningExtension(Extension):
    """Puts the line under the title of each chapter."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        find = _Find(md, str(self.getConfig("root")))
        md.preprocessors.register(find, "nnfp-opening-page", 255)
        md.treeprocessors.register(_Line(md, find), "nnfp-opening", 11.5)


def makeExtension(**settings) -> OpeningExtension:
    return OpeningExtension(**settings)
