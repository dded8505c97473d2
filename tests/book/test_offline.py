"""The book to take along, without a browser: the zip, the EPUB's files, the bundle of scripts."""

import hashlib
import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, datetime

import pytest
from small_book import make

from nnfp.book import offline
from nnfp.book.offline import Leaf
from nnfp.book.reading import BookError
from nnfp.book.sources import ROOT

ONE = '<section xmlns="http://www.w3.org/1999/xhtml" id="page-neuron"><h1 id="n">1 Neuron</h1>{}</section>'
TWO = '<section xmlns="http://www.w3.org/1999/xhtml" id="page-layer"><h1 id="l">2 Layer</h1><p id="p">x</p></section>'


def leaves(link='<p><a href="layer.xhtml#p">(2.1)</a></p>'):
    return [
        Leaf("neuron", 1, "neuron.html", "1 Neuron", ONE.format(link), math=True),
        Leaf("layer", 2, "layer.html", "2 Layer", TWO, images=["assets/line.svg"]),
    ]


def test_a_page_is_found_in_both_kinds_of_sites():
    assert offline.address("layer.md", True) == "layer/index.html"
    assert offline.address("layer.md", False) == "layer.html"
    assert {offline.address("pitfalls/index.md", kind) for kind in (True, False)} == {"pitfalls/index.html"}


def test_links_that_lead_nowhere_are_named():
    text = '<p id="a">x</p><a href="#a">1</a><a class="x" href="#b">2</a><a href="https://x.org/#c">3</a>'
    assert offline.missing_targets({"book": text}, True) == ["book: #b"]
    two = {"a.xhtml": '<a href="b.xhtml#x">1</a><a href="c.xhtml">2</a>', "b.xhtml": '<p id="x">x</p>'}
    assert offline.missing_targets(two, False) == ["a.xhtml: c.xhtml"]


def test_the_epub_is_whole_and_well_formed(tmp_path):
    book, changed = make(tmp_path).book, datetime(2026, 1, 2, tzinfo=UTC)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "line.svg").write_text("<svg/>")
    files = offline.epub_files(book, leaves(), changed, tmp_path)
    assert next(iter(files)) == "mimetype" and files["mimetype"] == b"application/epub+zip"
    for name, data in files.items():
        if name.endswith((".xhtml", ".opf", ".xml")):
            ET.fromstring(data)
    package = files["book/package.opf"].decode()
    assert "2026-01-02T00:00:00Z" in package and 'properties="mathml"' in package
    named = {f"book/{name}" for name in ("nav.xhtml", "neuron.xhtml", "layer.xhtml", "book.css", "assets/line.svg")}
    assert named == set(files) - {"mimetype", "META-INF/container.xml", "book/package.opf"}
    assert all(name.removeprefix("book/") in package for name in named)
    with pytest.raises(BookError, match=r"lead nowhere: neuron\.xhtml: layer\.xhtml#q"):
        offline.epub_files(book, leaves('<a href="layer.xhtml#q">x</a>'), changed, tmp_path)


def test_equal_files_give_equal_zips(tmp_path):
    site = tmp_path / "site"
    (site / "a").mkdir(parents=True)
    (site / "a" / "index.html").write_text("x" * 1000)
    (site / "b.txt").write_text("y")
    digests = set()
    for name in ("1.zip", "2.zip"):
        assert offline.zip_of(site, tmp_path / name, "book") == 2
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
        (site / "b.txt").touch()
    assert len(digests) == 1
    assert zipfile.ZipFile(tmp_path / "1.zip").namelist() == ["book/a/index.html", "book/b.txt"]


def test_the_scripts_become_one_plain_script(tmp_path):
    (tmp_path / "core.js").write_text("export const twice = (x) => 2 * x;\nexport function f() {}\n")
    (tmp_path / "neuron.js").write_text('import { twice } from "./core.js";\ntwice(2);\n')
    (tmp_path / "load.js").write_text("async function up(name) { await import(`./${name}.js`); }\n")
    whole = offline.bundle(tmp_path)
    assert "const { twice } = use(\"core\");" in whole and "return { twice, f };" in whole
    (tmp_path / "neuron.js").write_text('import core from "./core.js";\n')
    with pytest.raises(BookError, match="does not know"):
        offline.bundle(tmp_path)


def test_the_real_scripts_fit_the_bundle():
    whole = offline.bundle(ROOT / "docs" / "javascripts" / "explorables")
    from quickjs import Context

    Context().eval(f"(() => {{ return; {whole} }})")  # it parses


def test_the_contents_carry_the_page_numbers(tmp_path):
    book = make(tmp_path).book
    text = offline.document(book, leaves(), {"neuron": 3, "layer": 17}, ["a.css"])
    ET.fromstring(text.partition("<!DOCTYPE html>")[2])
    assert '<a href="#layer" data-number="2"><span>Layer</span><span class="dots"></span><span>17</span>' in text
