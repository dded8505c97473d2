"""A chapter that nothing has changed for is not rendered again: not while serving, nor by the next build.

MkDocs renders the whole site every time. Here a chapter's rendered text is kept with a hash of all that went
into it: its own source, the numbers of all equations, the names of all pages, the code of the package, the
settings, the data, the locked versions. Pages that are made from other pages are always rendered. Between two
builds it lies in .book-cache; without that folder everything is made from nothing, to the same bytes. While
serving, a page whose text came out as before is not put through the theme's templates again either.
"""

import hashlib
import os
import pickle
import sys
from pathlib import Path

from jinja2 import BytecodeCache, ChoiceLoader, DictLoader

from nnfp.book import sources
from nnfp.book.reading import Book

KEPT = ("content", "toc", "_title_from_render", "present_anchor_ids")
ALONE = ("reference/package.md", "reference/tests.md")  # made from code only
BY_OTHERS = ("reference/package.md",)  # its rendering fills tables of plugins, which a new process does not have
FINISHED = "finished.html"  # a name among the templates
SOURCES = (
    "*.lock", "package-lock.json",
    "docs/reference/glossary.md", "nnfp/**/*.py", "docs/**/*.json", "docs/stylesheets/*.css", "tests/**/*.py", "mkdocs.yml",
)  # fmt: skip


def world(book: Book) -> str:
    """A hash of what any page can depend on besides its own text."""
    digest = hashlib.sha256(f"{sys.version} {os.environ.get('NNFP_OFFLINE', '')}\n".encode())
    for pattern in SOURCES:
        for path in sorted(book.root.glob(pattern)):
            digest.update(f"{path.relative_to(book.root)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    for label, (page, _, number) in book.equations().items():
        digest.update(f"{label} {page.home} {number}\n".encode())
    for page in book.pages:
        digest.update(f"{page.home} {[(h.level, h.text) for h in page.headings]}\n".encode())
    return digest.hexdigest()


def folder() -> Path:
    return sources.CACHE / "rendered"


class Compiled(BytecodeCache):
    """The theme's templates as they were compiled; MkDocs compiles them anew for each build."""

    def __init__(self):
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket) -> None:
        if code := self.kept.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket) -> None:
        self.kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


class Remembered:
    """The chapters as they were last rendered."""

    def __init__(self, path: Path | None = None):
        self.world, self.pages = "", {}
        self.finished, self._keys, self.compiled = {}, {}, Compiled()
        self.indexed, self._before = {}, None
        self.path = path  # where it is kept until the next build, None while serving
        if path and path.is_file():
            try:
                self.pages, self.indexed = pickle.loads(path.read_bytes())
            except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError, TypeError):
                pass  # written by another version of something: as if it were not there

    def keep(self) -> None:
        """A build has ended well."""
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(f".{os.getpid()}")
            beside.write_bytes(pickle.dumps((self.pages, self.indexed)))
            beside.replace(self.path)

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

    def spare_templates(self, env, pages) -> None:
        """All pages have their text: those that read as before get a template that holds what came out then."""
        env.bytecode_cache = self.compiled
        env.loader = ChoiceLoader([env.loader, DictLoader({FINISHED: "{{ page.finished }}"})])
        for page in pages:
            name = page.file.src_uri
            self._keys[name] = _hash(f"{self.world} {page.title} {sorted(page.meta.items())} {page.content}")
            known, output = self.finished.get(name, ("", ""))
            if known == self._keys[name]:
                page.finished, page.meta["template"] = output, FINISHED

    def finish(self, page, output: str) -> None:
        """Keep what came out of the template."""
        self.finished[page.file.src_uri] = self._keys.get(page.file.src_uri), output

    def was_indexed(self, page, plugins) -> bool:
        """Hand the search what it found on a page that reads as before."""
        entries = _entries(plugins)
        if entries is None:
            self._before = None
            return False
        known, kept = self.indexed.get(page.file.src_uri, (None, []))
        same = known == _searched(page)
        self._before = None if same else len(entries)
        if not same:
            return False
        entries += kept
        page.meta["search"], page.whole_content, page.content = {"exclude": True}, page.content, ""
        return True

    def index(self, page, plugins) -> None:
        """Keep what the search has just found on a page."""
        if self._before is not None:
            self.indexed[page.file.src_uri] = _searched(page), _entries(plugins)[self._before :]


SEARCH = Path(__file__).with_name("mkdocs_hook.py")


def _searched(page) -> str:
    """What a page has in the search depends on its content and on the module that thins and weighs it."""
    return _hash(page.content + SEARCH.read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _entries(plugins) -> list | None:
    plugin = plugins.get("material/search")
    return plugin.search_index.entries if plugin else None


def is_chapter(book: Book, uri: str, serving: bool = True) -> bool:
    """Chapters stand on their own; most pages of the reference are made from others."""
    if uri in BY_OTHERS and not serving:
        return False
    alone = uri in ALONE or not uri.startswith("reference/")
    return alone and Path(uri).suffix == ".md" and (book.docs / uri).is_file()
