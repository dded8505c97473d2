"""While `mkdocs serve` runs: a chapter that nothing has changed for is not rendered again.

MkDocs renders the whole site after every edit. Here a chapter's rendered text is kept with a hash of
all that went into it: its own source, the numbers of all equations, the names of all pages, the code of
the package, the settings, the data. Pages that are made from other pages are always rendered.
"""

import hashlib
from pathlib import Path

from nnfp.book.reading import Book

KEPT = ("content", "toc", "_title_from_render", "present_anchor_ids")
SOURCES = ("nnfp/**/*.py", "docs/**/*.json", "docs/stylesheets/*.css", "tests/**/*.py", "mkdocs.yml")


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


def is_chapter(book: Book, uri: str) -> bool:
    """Chapters stand on their own; pages of the reference and lists are made from others."""
    return Path(uri).suffix == ".md" and not uri.startswith("reference/") and (book.docs / uri).is_file()
