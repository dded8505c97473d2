"""The book without a network: a zip of the site, a PDF and an EPUB, made from the built pages.

Chromium reads the pages, prints the PDF and gives well-formed XHTML for the EPUB; pypdf finds the
page numbers for the table of contents. Equal sites give equal zips and EPUBs.
"""

import html
import io
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nnfp.book.reading import Book, BookError

SCRIPT = Path(__file__).with_name("offline.js")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Leaf:
    """A page of the book on its way into one document."""

    key: str  # "pitfalls-code"
    number: int
    address: str  # below the site: "pitfalls/code.html"
    title: str = ""
    xhtml: str = ""
    math: bool = False
    svg: bool = False
    images: Sequence[str] = ()  # files of the site


def browser() -> str | None:
    """A Chromium or Chrome, CHROME_PATH first."""
    return os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def chromium() -> Iterator:
    from playwright.sync_api import sync_playwright

    path = browser()
    if path is None:
        raise BookError("no Chromium or Chrome was found: PDF and EPUB need one (or CHROME_PATH)")
    with sync_playwright() as playwright:
        engine = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield engine
        finally:
            engine.close()


def address(home: str, folders: bool) -> str:
    """Where the page docs/HOME lies on the site; `folders`: layer/index.html, else layer.html."""
    stem = home.removesuffix(".md")
    if not folders or stem.split("/")[-1] == "index":
        return f"{stem}.html"
    return f"{stem}/index.html"


def leaves(engine, book: Book, site: Path, whole: bool, homes: Sequence[str] = ()) -> list[Leaf]:
    """The pages in the order of the book, cleaned of all that a book on paper can't use."""
    numbers = {h: n for h, n in book.numbers.items() if not homes or h in homes}
    folders = (site / address("a.md", True)).is_file() or not any(
        (site / address(home, False)).is_file() for home in numbers if not home.endswith("index.md")
    )
    keys, pages = {}, []
    for home, number in numbers.items():
        key = home.removesuffix(".md").replace("/", "-").replace("_", "-")
        where = address(home, folders)
        keys[where] = keys[where.removesuffix("index.html")] = key
        pages.append(Leaf(key, number, where))
    tab = engine.new_page()
    script, found = SCRIPT.read_text(encoding="utf-8").strip(), []
    for leaf in pages:
        page = {"key": leaf.key, "number": leaf.number, "address": leaf.address}
        text = (site / leaf.address).read_text(encoding="utf-8")
        answer = tab.evaluate(script, {"html": text, "page": page, "keys": keys, "whole": whole})
        found.append(Leaf(leaf.key, leaf.number, leaf.address, **answer))
    tab.close()
    return found


def missing_targets(documents: dict[str, str], whole: bool) -> list[str]:
    """Links inside the book that lead nowhere; documents: file -> XHTML."""
    ids = {name: set(re.findall(r'\sid="([^"]*)"', text)) for name, text in documents.items()}
    lost = []
    for name, text in documents.items():
        for target in re.findall(r'<a\b[^>]*\shref="([^"]*)"', text):
            if re.match(r"(https?|mailto):", target):
                continue
            file, _, anchor = html.unescape(target).partition("#")
            file = name if whole or not file else file
            if file not in ids or (anchor and anchor not in ids[file]):
                lost.append(f"{name}: {target}")
    return lost


# ---- The PDF

PRINT = """
@page { size: A4; margin: 18mm 17mm 20mm; }
@page :first { margin-top: 40mm; }
html { font-size: 118%; }
body { background: white; }
.md-typeset { font-size: 9.5pt; line-height: 1.5; }
.chapter { break-before: page; }
h1, h2, h3, h4 { break-after: avoid; }
.figure, .equation, tr, .admonition-title { break-inside: avoid; }
.md-typeset pre > code { white-space: pre-wrap; overflow: visible; font-size: 8pt; }
.equation-scroll, .figure-drawing, .md-typeset__scrollwrap { overflow: visible !important; }
.cover h1 { font-size: 26pt; margin-bottom: 4mm; }
.contents a { display: flex; color: inherit; text-decoration: none !important; line-height: 1.9; }
.contents a::before { content: attr(data-number); width: 9mm; }
.contents .dots { flex: 1; border-bottom: 1px dotted #999; margin: 0 2mm 1.4mm; }
"""

# What is wider than the column gets smaller letters: on paper nothing scrolls.
FIT = """() => {
  const column = document.querySelector('.chapter').clientWidth;
  let shrunk = 0;
  for (const box of document.querySelectorAll('.equation-scroll, .chapter table')) {
    const inner = box.matches('table') ? box : box.firstElementChild ?? box;
    for (const k of [0.9, 0.8, 0.7, 0.6, 0.5]) {
      const room = box.closest('.equation') ? box.clientWidth : column;
      if (Math.max(inner.scrollWidth, box.scrollWidth) <= room + 1) break;
      box.style.fontSize = `${k}em`;
      shrunk += k === 0.9;
    }
  }
  return shrunk;
}"""

WIDE = """() => {
  const edge = document.querySelector('.chapter').getBoundingClientRect().right + 1;
  return [...document.querySelectorAll('.katex-display, .chapter table, .chapter pre, .chapter img')]
    .filter(e => e.getBoundingClientRect().right > edge)
    .map(e => `${e.closest('.chapter').id}: ${e.textContent.trim().slice(0, 60)}`);
}"""


def sheets_of(book: Book, site: Path) -> list[str]:
    """The theme's style sheets, then the book's."""
    theme = sorted((site / "assets" / "stylesheets").glob("*.css"), key=lambda p: ("palette" in p.name, p.name))
    return [p.relative_to(site).as_posix() for p in theme] + list(book.settings.get("extra_css") or [])


def document(book: Book, found: list[Leaf], pages: dict[str, int], sheets: Sequence[str] = ()) -> str:
    """The whole book as one XHTML document, to be printed from the site's folder."""
    settings = book.settings
    name = html.escape(settings.get("site_name", "The book"))
    rows = "".join(
        f'<a href="#{leaf.key}" data-number="{leaf.number}">'
        f"<span>{html.escape(re.sub(r'^[0-9]+ ', '', leaf.title))}</span>"
        f'<span class="dots"></span><span>{pages.get(leaf.key, 888)}</span></a>'
        for leaf in found
    )
    links = "".join(f'<link rel="stylesheet" href="{path}"/>' for path in sheets)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
        f'<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><title>{name}</title>'
        f"{links}<style>{PRINT}</style></head>"
        '<body dir="ltr" data-md-color-scheme="default" data-md-color-primary="custom" '
        'data-md-color-accent="custom"><main class="md-typeset">'
        f'<header class="cover"><h1>{name}</h1><p>{html.escape(settings.get("site_description", ""))}</p>'
        f'<p>{html.escape(settings.get("copyright", ""))}</p></header>'
        f'<nav class="contents">{rows}</nav>{"".join(leaf.xhtml for leaf in found)}</main></body></html>'
    )


def pdf(engine, book: Book, site: Path, target: Path, homes: Sequence[str] = ()) -> dict:
    """Print the book; what was found on the way: pages, destinations, what is too wide."""
    from pypdf import PdfReader, PdfWriter

    found = leaves(engine, book, site, True, homes)
    if lost := missing_targets({"book": document(book, found, {})}, True):
        raise BookError("links of the PDF lead nowhere: " + "; ".join(lost[:5]))
    sheets = sheets_of(book, site)
    tab = engine.new_page(viewport={"width": 665, "height": 900})
    tab.emulate_media(media="print", color_scheme="light")
    file = site / "whole-book.xhtml"
    footer = '<div style="width:100%;text-align:center;font:8pt sans-serif"><span class="pageNumber"></span></div>'
    pages: dict[str, int] = {}
    try:
        for _ in range(2):  # first to learn the page numbers, then with them
            file.write_text(document(book, found, pages, sheets), encoding="utf-8")
            tab.goto(file.as_uri(), wait_until="load")
            tab.evaluate("document.fonts.ready.then(() => 0)")
            shrunk = tab.evaluate(FIT)
            wide = tab.evaluate(WIDE)
            data = tab.pdf(
                prefer_css_page_size=True, print_background=True, display_header_footer=True,
                header_template="<span></span>", footer_template=footer, tagged=True, outline=True,
            )  # fmt: skip
            reader = PdfReader(io.BytesIO(data))
            places = {name.lstrip("/"): to for name, to in reader.named_destinations.items()}
            pages = {
                leaf.key: reader.get_destination_page_number(places[leaf.key]) + 1
                for leaf in found
                if leaf.key in places
            }
    finally:
        file.unlink(missing_ok=True)
        tab.close()
    writer = PdfWriter(clone_from=reader)
    writer.metadata = {"/Title": book.settings.get("site_name", "The book"), "/Creator": "nnfp"}
    target.parent.mkdir(parents=True, exist_ok=True)
    writer.write(target)
    return {"pages": len(reader.pages), "chapters": pages, "shrunk": shrunk, "wide": wide}


# ---- The EPUB

EPUB_CSS = """
body { line-height: 1.5; }
pre { white-space: pre-wrap; font-size: 0.8em; background: #f6f7f9; padding: 0.6em; }
code { font-family: monospace; }
table { border-collapse: collapse; font-size: 0.9em; }
th, td { border-bottom: 1px solid #ccc; padding: 0.2em 0.6em; text-align: left; vertical-align: top; }
.equation { margin: 1em 0; }
.equation-scroll { overflow-x: auto; }
.equation-side { text-align: right; }
figure { margin: 1em 0; }
figure img { max-width: 100%; height: auto; }
figcaption { font-size: 0.9em; }
details, .admonition { border-left: 3px solid #1f57b8; padding-left: 0.8em; margin: 1em 0; }
summary, .admonition-title { font-weight: bold; }
.filename { display: block; font-family: monospace; font-weight: bold; }
.k, .kn, .kc, .ow { color: #1f57b8; } .s1, .s2, .sd, .sa { color: #116a3a; }
.mi, .mf { color: #b3261e; } .c1 { color: #57606a; }
"""


def _xhtml(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
        f'lang="en" xml:lang="en"><head><title>{html.escape(title)}</title>'
        f'<link rel="stylesheet" type="text/css" href="book.css"/></head><body>{body}</body></html>\n'
    )


def epub_files(book: Book, found: list[Leaf], changed: datetime, site: Path) -> dict[str, bytes]:
    """The files of an EPUB 3 by their names, the package document among them."""
    settings = book.settings
    name = settings.get("site_name", "The book")
    chapters = {f"{leaf.key}.xhtml": _xhtml(leaf.title, leaf.xhtml) for leaf in found}
    if lost := missing_targets(chapters, False):
        raise BookError("links of the EPUB lead nowhere: " + "; ".join(lost[:5]))
    rows = "".join(f'<li><a href="{leaf.key}.xhtml">{html.escape(leaf.title)}</a></li>' for leaf in found)
    nav = f'<nav epub:type="toc" id="toc"><h1>{html.escape(name)}</h1><ol>{rows}</ol></nav>'
    about = f"<p>{html.escape(settings.get('site_description', ''))}</p>"
    about += f"<p>{html.escape(settings.get('copyright', ''))}</p>"
    files = {"nav.xhtml": _xhtml(name, nav + about), **chapters}
    items = ['<item id="css" href="book.css" media-type="text/css"/>']
    items.append('<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>')
    for leaf in found:
        kinds = " ".join(kind for kind, used in (("mathml", leaf.math), ("svg", leaf.svg)) if used)
        properties = f' properties="{kinds}"' if kinds else ""
        items.append(
            f'<item id="p-{leaf.key}" href="{leaf.key}.xhtml" media-type="application/xhtml+xml"{properties}/>'
        )
    images = {name: (site / name).read_bytes() for leaf in found for name in leaf.images}
    items += [f'<item id="i-{n}" href="{file}" media-type="image/svg+xml"/>' for n, file in enumerate(images, 1)]
    spine = '<itemref idref="nav"/>' + "".join(f'<itemref idref="p-{leaf.key}"/>' for leaf in found)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, settings.get("repo_url") or f"urn:nnfp:{name}")
    package = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:{identity}</dc:identifier><dc:title>{html.escape(name)}</dc:title>'
        "<dc:language>en</dc:language><dc:creator>The nnfp authors</dc:creator>"
        f"<dc:rights>{html.escape(settings.get('copyright', ''))}</dc:rights>"
        f'<meta property="dcterms:modified">{changed:%Y-%m-%dT%H:%M:%SZ}</meta></metadata>'
        f"<manifest>{''.join(items)}</manifest><spine>{spine}</spine></package>\n"
    )
    container = (
        '<?xml version="1.0"?>\n<container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
    )
    files |= {"book.css": EPUB_CSS, "package.opf": package}
    inside = {f"book/{file}": text.encode() for file, text in files.items()}
    inside |= {f"book/{file}": data for file, data in images.items()}
    return {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode(), **inside}


def epub(engine, book: Book, site: Path, target: Path, homes: Sequence[str] = ()) -> dict:
    found = leaves(engine, book, site, False, homes)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or 0)
    files = epub_files(book, found, datetime.fromtimestamp(seconds, UTC), site)
    write_zip(target, files, stored=("mimetype",))
    return {"chapters": len(found)}


# ---- The zip of the site, and what makes it work from files


def write_zip(target: Path, files: dict[str, bytes], stored: Sequence[str] = ()) -> None:
    """A zip in the order given, with equal bytes for equal files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, DAY)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, data, compresslevel=9)


def zip_of(site: Path, target: Path, folder: str) -> int:
    """All files of the site under one folder; the number of them."""
    paths = sorted(path for path in site.rglob("*") if path.is_file())
    write_zip(target, {f"{folder}/{path.relative_to(site).as_posix()}": path.read_bytes() for path in paths})
    return len(paths)


_IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./(\w+)\.js";$', re.M)
_EXPORT = re.compile(r"^export (const|let|function|class|async function) (\w+)", re.M)
_DYNAMIC = "import(`./${name}.js`)"


def bundle(folder: Path, entry: str = "load") -> str:
    """The modules of a folder as one plain script: browsers import no module from a file."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
    parts = ["(() => {", '"use strict";', "const made = {};",
             "const use = (name) => (made[name] ??= modules[name]());", "const modules = {"]  # fmt: skip
    for name, text in sources.items():
        if name == entry:
            continue
        names = [n for _, n in _EXPORT.findall(text)]
        text = _EXPORT.sub(r"\1 \2", _IMPORT.sub(r'const { \1 } = use("\2");', text))
        parts.append(f"{name}() {{\n{text}\nreturn {{ {', '.join(names)} }};\n}},")
    text = sources[entry]
    parts += ["};", text.replace(_DYNAMIC, "Promise.resolve().then(() => use(name))"), "})();\n"]
    whole = "\n".join(parts)
    if text.count(_DYNAMIC) != 1 or re.search(r"^\s*(import|export)\b|\bimport\(", whole, re.M):
        raise BookError(f"{folder.name}: a script imports or exports in a way that the bundle does not know")
    return whole
