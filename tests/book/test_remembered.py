"""A chapter is rendered again when something that it depends on has changed, and only then."""

from typing import NamedTuple

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from nnfp.book import sources
from nnfp.book.reading import Book
from nnfp.book.remembered import FINISHED, Remembered, is_chapter, world
from tests.book.test_hook import tree  # noqa: F401


class File(NamedTuple):
    src_uri: str


class Files:
    def get_file_from_path(self, uri):
        return File(uri)


class Page:
    """What MkDocs makes anew for each build."""

    rendered = 0

    def __init__(self, uri="one.md"):
        self.file, self.links_to_anchors = File(uri), None

    def render(self, config, files):
        Page.rendered += 1
        self.content, self.toc, self._title_from_render = f"<p>{Page.rendered}</p>", ["toc"], "One"
        self.present_anchor_ids = {"a"}
        self.links_to_anchors = {File("two.md"): {"b": "two.md#b"}}


@pytest.fixture
def book(tree):  # noqa: F811
    (tree / "docs").mkdir()
    (tree / "docs" / "one.md").write_text("# One\n\n$$\na = a\n\\label{eq-a}\n$$\n")
    (tree / "docs" / "two.md").write_text("# Two\n\nText.\n")
    (tree / "mkdocs.yml").write_text("site_name: x\nnav:\n  - one.md\n  - two.md\n")
    return tree


def build(remembered, root, markdown="text"):
    remembered.start(Book(root))
    page, before = Page(), Page.rendered
    remembered.watch(page, markdown)
    page.render({}, Files())
    assert page.toc == ["toc"] and page.present_anchor_ids == {"a"} and page._title_from_render == "One"
    assert [file.src_uri for file in page.links_to_anchors] == ["two.md"]
    return Page.rendered - before, page.content


def test_an_unchanged_chapter_is_taken_from_memory(book):
    remembered = Remembered()
    assert build(remembered, book)[0] == 1
    times, content = build(remembered, book)
    assert times == 0 and content == f"<p>{Page.rendered}</p>"


def test_the_next_build_takes_it_from_disk_and_a_damaged_file_is_as_none(book, tmp_path):
    path = tmp_path / "kept" / "site.pickle"
    remembered = Remembered(path)
    assert build(remembered, book)[0] == 1
    look(remembered, "<p>a</p>", "a")
    assert not path.exists(), "a build that fails keeps nothing"
    remembered.keep()
    assert build(Remembered(path), book)[0] == 0
    assert look(Remembered(path), "<p>a</p>", "-") == ([{"text": "a"}], False)
    (book / "nnfp" / "deep.py").write_text("d = 3\n")
    assert build(Remembered(path), book)[0] == 1, "something changed between the builds"
    path.write_bytes(path.read_bytes()[:50])
    assert build(Remembered(path), book)[0] == 1


def change_text(root):
    return "other text"


def change_a_module(root):
    (root / "nnfp" / "deep.py").write_text("d = 2\n")


def change_another_number(root):
    (root / "docs" / "one.md").write_text("# One\n\n$$\nb = b\n\\label{eq-b}\n$$\n\n$$\na = a\n\\label{eq-a}\n$$\n")


def change_a_heading(root):
    (root / "docs" / "two.md").write_text("# Two\n\n## Anchor\n")


def change_the_settings(root):
    (root / "mkdocs.yml").write_text("site_name: xy\nnav:\n  - one.md\n  - two.md\n")


@pytest.mark.parametrize("change", [change_text, change_a_module, change_another_number, change_a_heading, change_the_settings])
def test_whatever_a_chapter_depends_on_counts(book, change):
    remembered = Remembered()
    build(remembered, book)
    assert build(remembered, book, change(book) or "text")[0] == 1


def test_words_of_another_page_do_not_count(book):
    before = world(Book(book))
    (book / "docs" / "two.md").write_text("# Two\n\nOther words.\n")
    assert world(Book(book)) == before


class Plugin:
    def __init__(self):
        self.search_index = self
        self.entries = []


def look(remembered, content, found):
    """One page as MkDocs hands it to the search: (its entries, was it read?)."""
    page, plugin = Page(), Plugin()
    page.content, page.meta, plugin.entries = content, {}, [{"text": "of an earlier page"}]
    read = not remembered.was_indexed(page, {"material/search": plugin})
    if read:
        plugin.entries.append({"text": found})
    else:
        assert page.meta["search"] == {"exclude": True} and page.whole_content == content
    remembered.index(page, {"material/search": plugin})
    return plugin.entries[1:], read


def test_the_search_reads_a_page_again_only_when_it_reads_otherwise():
    remembered = Remembered()
    assert look(remembered, "<p>a</p>", "a") == ([{"text": "a"}], True)
    assert look(remembered, "<p>a</p>", "-") == ([{"text": "a"}], False)
    assert look(remembered, "<p>b</p>", "b") == ([{"text": "b"}], True)
    assert not remembered.was_indexed(Page(), {}), "another search plugin"


def test_the_search_reads_all_pages_again_when_it_weighs_otherwise(monkeypatch, tmp_path):
    from nnfp.book import remembered as module

    remembered = Remembered()
    assert look(remembered, "<p>a</p>", "a") == ([{"text": "a"}], True)
    (tmp_path / "hook.py").write_text("boost = 2")
    monkeypatch.setattr(module, "SEARCH", tmp_path / "hook.py")
    assert look(remembered, "<p>a</p>", "other") == ([{"text": "other"}], True)


def test_a_held_book_stands_still(book):
    held = Book(book)
    held.hold()
    (book / "docs" / "two.md").write_text("# Two\n\nOther words.\n")
    assert "Text" in held.pages[1].text and list(held.equations()) == ["eq-a"]
    held.release()
    assert "Other words" in held.pages[1].text


def test_pages_made_from_others_are_not_chapters(book):
    assert is_chapter(Book(book), "one.md")
    (book / "docs" / "reference").mkdir()
    for name in ("equations", "package"):
        (book / "docs" / "reference" / f"{name}.md").write_text(f"# {name}\n")
    assert is_chapter(Book(book), "reference/package.md")
    assert not is_chapter(Book(book), "reference/package.md", serving=False)
    assert not is_chapter(Book(book), "reference/equations.md")
    assert not is_chapter(Book(book), "notebooks/one.ipynb")


SETTINGS = """site_name: x
theme: {{name: material, font: false}}
plugins: [search]
hooks: [{hook}]
nav: [one.md, two.md]
"""


def served(root, site, config=None):
    """Build as `mkdocs serve` does; with the settings of an earlier call, as after an edit."""
    new = load_config(str(root / "mkdocs.yml"), site_dir=str(site))
    if config is None:
        new.plugins.on_startup(command="serve", dirty=False)
    mkdocs_build(new, serve_url="http://127.0.0.1:8000/")
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*.html")}


def test_an_edited_book_is_served_as_if_all_of_it_were_made_anew(book, tmp_path, monkeypatch):
    hook = sources.ROOT / "nnfp/book/mkdocs_hook.py"
    (book / "mkdocs.yml").write_text(SETTINGS.format(hook=hook))
    one, made = book / "docs/one.md", []
    one.write_text("# One\n\n## First\n\nThese are the words of a page, and more.\n")
    spare = Remembered.spare_templates

    def counted(self, env, pages):
        spare(self, env, pages)
        made.append(sorted(page.file.src_uri for page in pages if page.meta.get("template") != FINISHED))

    monkeypatch.setattr(Remembered, "spare_templates", counted)
    before = served(book, tmp_path / "site")
    assert served(book, tmp_path / "site", "again") == before
    one.write_text(one.read_text() + "\nEdited.\n")
    after = served(book, tmp_path / "site", "again")
    assert b"Edited" in after["one/index.html"]
    one.write_text(one.read_text().replace("## First", "## Second"))
    last = served(book, tmp_path / "site", "again")
    (book / "mkdocs.yml").write_text(SETTINGS.format(hook=hook).replace("site_name: x", "site_name: renamed"))
    renamed = served(book, tmp_path / "site", "again")
    assert made == [["one.md", "two.md"], [], ["one.md"], ["one.md", "two.md"], ["one.md", "two.md"]]
    assert all(b"renamed" in text for text in renamed.values())
    (book / "mkdocs.yml").write_text(SETTINGS.format(hook=hook))
    assert served(book, tmp_path / "fresh") == last
