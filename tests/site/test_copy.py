"""The copy button puts the complete text of a snippet on the clipboard, after instant navigation as well."""

import html
import re

import pytest

from nnfp.book import snippets
from nnfp.book.reading import Book

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BOOK = Book()
BUTTON = ".md-typeset .highlight[class*=language-] .md-code__button[data-md-type=copy]"  # not those of marks


def wanted(home: str) -> list[str]:
    """The copies of a page in reading order; a diagram has none."""
    page = next(page for page in BOOK.pages if page.home == home)
    copies = snippets.copies(BOOK, page)
    shown = [f for f in page.fences if f.language in ("python", "console", "text")]
    texts = [copies.get(f.line, snippets.Copy(f.body, 0)) for f in shown]
    return [copy.text.rstrip() for copy in texts if copy is not None]


def copied(page, number: int) -> str:
    button = page.locator(BUTTON).nth(number)
    button.focus()  # one in a closed solution cannot be clicked with the mouse
    button.press("Enter")
    page.wait_for_function("async () => (await navigator.clipboard.readText()) !== 'nothing yet'")
    text = page.evaluate("navigator.clipboard.readText()")
    page.evaluate("navigator.clipboard.writeText('nothing yet')")
    return text.rstrip()


def test_the_buttons_copy_what_runs_alone(chromium, address):
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}layer/", wait_until="networkidle")  # the scripts come after the page
    page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
    page.evaluate("navigator.clipboard.writeText('nothing yet')")
    for home, link in (("layer.md", None), ("neuron.md", "neuron/")):
        if link:  # instant navigation: the page is replaced, not loaded
            page.evaluate("window.stays = true")
            page.locator(f".md-nav a[href$='{link}']").first.click()
            page.wait_for_function(f"location.pathname.endsWith('/{link}')")
            page.wait_for_function("document.title.startsWith('A neuron')")
            page.wait_for_selector(BUTTON)
            assert page.evaluate("window.stays") is True
            page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
        texts = wanted(home)
        page.wait_for_function(f"document.querySelectorAll('{BUTTON}').length === {len(texts)}")
        for number in (0, 1, len(texts) - 1):
            assert copied(page, number) == texts[number]
    note = page.locator(".copy-note").first
    assert re.fullmatch(r"the copy adds \d+ lines?", note.inner_text())
    context.close()


def test_every_page_holds_its_copies(site):
    """In the HTML of all pages, without a browser: what the button will take."""
    for page in BOOK.pages:
        copies = [c for c in snippets.copies(BOOK, page).values() if c is not None]
        path = site / page.home.removesuffix(".md").removesuffix("index") / "index.html"
        found = re.findall(r' data-copy="([^"]*)"', path.read_text(encoding="utf-8"))
        assert sorted(map(html.unescape, found)) == sorted(c.text for c in copies), page.home
