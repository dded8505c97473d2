"""The book to take along, in a browser: a site read from files, three chapters as PDF and EPUB."""

import html
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import pytest

from nnfp.book import offline
from nnfp.book.reading import Book
from tests.site.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("offline")]

HOMES = ("notation.md", "neuron.md", "layer.md")


@pytest.fixture(scope="module")
def book():
    return Book(ROOT)


@pytest.fixture(scope="module")
def printed(chromium, book, site, tmp_path_factory):
    from pypdf import PdfReader

    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    facts = offline.pdf(chromium, book, site, path, HOMES)
    return facts, PdfReader(io.BytesIO(path.read_bytes()))


def test_the_pdf_has_the_chapters_where_its_contents_say(printed, book):
    facts, reader = printed
    contents = reader.pages[0].extract_text()
    for home in HOMES:
        key, number = home.removesuffix(".md"), book.numbers[home]
        page = facts["chapters"][key]
        title = next(p for p in book.pages if p.home == home).headings[0].text
        assert re.search(rf"{number}\s+{title}\s+{page}\b", contents), contents
        assert f"{number} {title}" in reader.pages[page - 1].extract_text()
    assert not facts["wide"]


def test_the_links_of_the_pdf_arrive(printed):
    _, reader = printed
    places, inside = reader.named_destinations, 0
    for page in reader.pages:
        for note in page.get("/Annots", []):
            if (target := note.get_object().get("/Dest")) is not None:
                assert target in places, target
                inside += 1
    assert inside > 20 and len(reader.outline) > 1


def test_what_is_too_wide_for_paper_gets_smaller_or_is_named(chromium, book):
    leaf = offline.Leaf("x", 1, "x.html", "1 X", '<section id="x" class="chapter"><div class="equation-scroll">'
                        '<span class="katex-display"><span style="white-space:nowrap">{}</span></span></div></section>')  # fmt: skip
    tab = chromium.new_page(viewport={"width": 665, "height": 900})
    shrunk = []
    for words in (2, 30, 300):
        text = offline.document(book, [leaf], {}).replace("{}", "word " * words)
        tab.set_content(text.partition("<!DOCTYPE html>")[2])
        shrunk.append((tab.evaluate(offline.FIT), len(tab.evaluate(offline.WIDE))))
    tab.close()
    assert shrunk == [(0, 0), (1, 0), (1, 1)]


def test_the_epub_keeps_formulas_numbers_and_links(chromium, book, site, tmp_path):
    digests = set()
    for name in ("1.epub", "2.epub"):
        offline.epub(chromium, book, site, tmp_path / name, HOMES)
        digests.add((tmp_path / name).read_bytes())
    assert len(digests) == 1
    with zipfile.ZipFile(tmp_path / "1.epub") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    chapter = texts["book/layer.xhtml"]
    assert ET.fromstring(chapter) is not None
    page = next(p for p in book.pages if p.home == "layer.md")
    displays = [d for d in page.displays if d.labels]
    assert chapter.count('display="block"') >= len(displays)
    for label, (owner, _, number) in book.equations().items():
        if owner.home == "layer.md":
            assert re.search(rf'href="layer.xhtml#{label}">\({number}\)</a>', chapter), label
    drawn = set(re.findall(r'<img [^>]*src="([^"]+)"', chapter))
    assert drawn == {f"assets/figures/{use.name}.light.svg" for use in page.figures} and "katex" not in chapter
    for name in drawn:
        assert ET.fromstring(texts[f"book/{name}"]).get("viewBox") and f'href="{name}"' in texts["book/package.opf"]
    assert "<button" not in chapter and "<form" not in chapter
    assert "<script" not in chapter
    assert html.escape("neuron.xhtml") in chapter and "book/neuron.xhtml" in texts


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "--site-dir", str(folder)]
    env = os.environ | {"NNFP_OFFLINE": "true", "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    build = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert build.returncode == 0 and "WARNING" not in build.stderr, build.stderr
    return folder


def test_from_files_search_links_and_moving_figures_work(chromium, files):
    context = chromium.new_context(offline=True)
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    # What is still under way when the next page is opened is given up: no fault of the page.
    page.on(
        "requestfailed",
        lambda r: None if r.failure == "net::ERR_ABORTED" else errors.append(f"{r.failure}: {r.url}"),
    )
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else errors.append(r.url))
    page.goto((files / "neuron.html").as_uri())
    assert page.locator(".run").count() == 0, "no Python from files, so no buttons"
    page.locator("[data-explorable]").first.scroll_into_view_if_needed()
    page.locator(".explorable.is-live").first.wait_for(timeout=5000)
    page.locator("article a[href='layer.html']").first.click()
    page.wait_for_url("**/layer.html")
    page.keyboard.press("/")
    page.keyboard.type("momentum")
    page.locator("a.md-search-result__link").first.wait_for(timeout=10_000)
    assert "optimisers.html" in page.locator("a.md-search-result__link").first.get_attribute("href")
    assert not errors
    context.close()


def test_the_site_of_files_leaves_out_what_files_cannot_run(files):
    assert not list(files.rglob("*.wasm")) and not list(files.rglob("nnfp.zip"))
    text = (files / "layer.html").read_text(encoding="utf-8")
    assert 'type="module"' not in text and "iframe-worker.js" in text
    assert "unpkg" not in text
