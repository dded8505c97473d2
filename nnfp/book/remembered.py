"""While `mkdocs serve` runs: a chapter that nothing has changed for is not rendered again.

MkDocs renders the whole site after every edit. Here a chapter's rendered text is kept with a hash of
all that went into it: its own source, the numbers of all equations, the names of all pages, the code of
the package, the settings, the data. Pages that are made from other pages are always rendered.
"""

import hashlib
from pathlib import Path

from nnfp.book.reading import Book

KEPT = ("content", "toc", "_title_from_render", "present_anchor_ids")
ALONE = ("reference/package.md", "reference/tests.md")  # made from code only
SOURCES = ("docs/reference/glossary.md", "nnfp/**/*.py", "docs/**/*.json", "docs/stylesheets/*.css", "tests/**/*.py", "mkdocs.yml")


def world(book: Book) -> str:
    """A hash of what any page can depend on besides its own text."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(book.root.glob(pattern)):
            status = path.stat()
            digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    for label, (page, _, number) in book.equations().items():
        digest.update(f"{label} {page.home} {number}\n".encode())
    for page in book.pages:
        digest.update(f"{page.home} {[(h.level, h.text) for h in page.headings]}\n".encode())
    return digest.hexdigest()


class Remembered:
    """The chapters as they were last rendered."""

    def __init__(self):
        self.world, self.pages = "", {}
        self.indexed, self._before = {}, None

    def start(self, book: Book) -> None:
        """A build begins."""
        self.world = world(book)

    def watch(self, page, markdown: str) -> None:
        """Let a MkDocs page look here before it renders itself."""
        name = page.file.src_uri
        key = hashlib.sha256(f"{self.world} {markdown}".encode()).hexdigest()
        render = page.render

        def look_first(config, files):
            known, kept, links = self.pages.get(name, ("", {}, {}))
            if known == key:
                vars(page).update(kept)
                page.links_to_anchors = {files.get_file_from_path(uri): at for uri, at in links.items()}
                return
            render(config, files)
            kept = {attribute: getattr(page, attribute) for attribute in KEPT}
            links = {file.src_uri: at for file, at in (page.links_to_anchors or {}).items()}
            self.pages[name] = key, kept, links

        page.render = look_first


    def was_indexed(self, page, plugins) -> bool:
        """Hand the search what it found on a page that reads as before."""
        entries = _entries(plugins)
        known, kept = self.indexed.get(page.file.src_uri, (None, []))
        self._before = None if entries is None or known == page.content else len(entries)
        if entries is None or known != page.content:
            return False
        entries += kept
        page.meta["search"], page.whole_content = {"exclude": True}, page.content
        return True

    def index(self, page, plugins) -> None:
        """Keep what the search has just found on a page."""
        if self._before is not None:
            self.indexed[page.file.src_uri] = page.content, _entries(plugins)[self._before :]


def _entries(plugins) -> list | None:
    plugin = plugins.get("material/search")
    return plugin.search_index.entries if plugin else None


def is_chapter(book: Book, uri: str) -> bool:
    """Chapters stand on their own; most pages of the reference are made from others."""
    alone = uri in ALONE or not uri.startswith("reference/")
    return alone and Path(uri).suffix == ".md" and (book.docs / uri).is_file()
