"""Lets a bare `mkdocs serve` or `mkdocs build` show everything: mkdocs.yml names it under hooks."""

import gc
import html
import logging
import os
import re
from pathlib import Path

from mkdocs.exceptions import BuildError
from mkdocs.plugins import CombinedEvent, event_priority

from nnfp.book.markdown import shared_book
from nnfp.book.prepare import prepare
from nnfp.book.reading import Book, BookError
from nnfp.book.remembered import Remembered, folder, is_chapter

LOOK = 0.1  # seconds between two looks at the files while serving
log = logging.getLogger("mkdocs.plugins.nnfp")
remembered: Remembered | None = None


def on_startup(command: str, **_) -> None:
    """A server keeps what it has rendered in memory, a build for the next build."""
    global remembered
    name = "offline.pickle" if os.environ.get("NNFP_OFFLINE") else "site.pickle"
    remembered = Remembered(None if command == "serve" else folder() / name)


def on_config(config, **_) -> None:
    """mkdocs-jupyter reports each notebook that it copies: only its warnings are news."""
    logging.getLogger("mkdocs.plugins.mkdocs_jupyter").setLevel(logging.WARNING)


def on_pre_build(config, **_) -> None:
    """Notebooks are written before MkDocs collects the files; unchanged ones are left alone."""
    _book(config).hold()  # nothing below writes a page
    try:
        for line in prepare(_book(config)):
            log.info(line)
    except BookError as error:
        raise BuildError(str(error)) from error
    if remembered:
        remembered.start(_book(config))


@event_priority(-200)  # after the references between pages are in place
def on_env(env, files, **_) -> None:
    if _serving():
        remembered.spare_templates(env, [file.page for file in files.documentation_pages() if file.page])


@event_priority(100)
def on_post_page(output: str, page, **_) -> None:
    if _serving():
        remembered.finish(page, output)


def on_post_build(config, **_) -> None:
    _book(config).release()
    if remembered:
        remembered.keep()


def on_serve(server, **_) -> None:
    """An edit is seen within a tenth of a second: the default is twice a second, and a pause after."""
    server.build_delay = server.observer._timeout = LOOK
    for emitter in server.observer.emitters:
        emitter._timeout = LOOK
    gc.collect()
    gc.freeze()  # what the book is made of stays; the collector need not look through it at each edit


def _serving() -> bool:
    return remembered is not None and remembered.path is None


def _book(config) -> Book:
    return shared_book(str(Path(config.config_file_path).parent))


def first_words(markdown: str, most: int = 160) -> str:
    """The first paragraph of plain prose, as plain text of at most `most` characters."""
    for block in re.split(r"\n\s*\n", markdown):
        text = re.sub(r"<!--.*?-->|[`*]", "", " ".join(block.split()))
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)(\{[^}]*\})?", r"\1", text)
        if re.match(r"[A-Z0-9]", text) and len(text) > 40 and not re.search(r"[$\\|<>{}]", text):
            return text if len(text) <= most else text[: most - 1].rpartition(" ")[0] + "…"
    return ""


_HIDDEN = re.compile(r'<details class="mark".*?</details>|<svg\b.*?</svg>|</?span\b[^>]*>|<math\b.*?</math>', re.S)


def searchable(content: str) -> str:
    """What the search should read: no drawings and marks, and of a formula its TeX without marks."""
    content = content.replace('class="math" data-search-exclude=""', "")
    kept, at, depth = [], 0, 0  # depth of spans inside the visual half of a formula
    for match in _HIDDEN.finditer(content):
        tag = match[0]
        if depth:
            depth += (not tag.startswith("</")) - tag.startswith("</") if "span" in tag[:7] else 0
            at = match.end()
        elif tag.startswith('<span class="katex-html"'):
            kept.append(content[at : match.start()])
            depth, at = 1, match.end()
        elif not tag.startswith(("<span", "</span")):
            tex = re.search(r"<annotation[^>]*>(.*?)</annotation>", tag, re.S)
            words = re.sub(r"[\\{}^_\s]+", " ", tex[1]).strip() if tex else ""
            kept += [content[at : match.start()], words]
            at = match.end()
    return "".join(kept) + content[at:]


@event_priority(100)
def _before_search(context, *, page, config, **_) -> None:
    """Notebooks and the list of tests repeat: the search leaves them out, and reads the rest thinned."""
    page.whole_meta = dict(page.meta)
    if remembered and remembered.was_indexed(page, config.plugins):
        return
    if page.file.src_uri.endswith((".ipynb", "reference/tests.md")):
        page.meta["search"] = {"exclude": True}
    elif page.file.src_uri.startswith(("reference/", "pitfalls/", "museum")):  # lists repeat what chapters explain
        page.meta.setdefault("search", {"boost": 0.003})  # a word in a title counts a thousandfold
    page.whole_content, page.content = page.content, searchable(page.content)


@event_priority(-100)
def _after_search(context, *, page, config, **_) -> None:
    page.content, page.meta = page.whole_content, page.whole_meta
    if remembered:
        remembered.index(page, config.plugins)


on_page_context = CombinedEvent(_before_search, _after_search)


def on_page_markdown(markdown: str, page, config, **_) -> None:
    """What a search engine shows of a page: its own first sentences, not those of the book."""
    if remembered and is_chapter(_book(config), page.file.src_uri, _serving()):
        remembered.watch(page, markdown)
    if words := first_words(markdown):
        page.meta.setdefault("description", html.escape(words))  # the theme puts it between quotes as it is
