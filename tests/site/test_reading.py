"""What a reader of the site meets: a small first view, nothing that jumps, everything by keyboard, a search that finds."""

import gzip
import re
from pathlib import Path

import pytest

from nnfp.book.opening import chapters
from nnfp.book.reading import Book
from tests.site.test_pages import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("reading")]

ROOT = Path(__file__).resolve().parent.parent.parent
CHAPTERS = list(chapters(Book(ROOT)))
FIRST_VIEW = 150_000  # bytes, compressed, without fonts, search, explorables and figures, which come when they are near

SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries())
      if (!entry.hadRecentInput) window.shifts.push([entry.value, ...entry.sources.map(s =>
        `${s.node?.nodeName} .${s.node?.className} ${JSON.stringify(s.previousRect)} ${JSON.stringify(s.currentRect)}`)]);
  }).observe({type: 'layout-shift', buffered: true});
"""

QUERIES = {
    "chain rule": "calculus", "learning rate": "descent training", "Kronecker": "calculus", "complex step": "gradient_check",
    "Huber": "losses", "momentum": "optimisers", "softmax": "classification", "dot product": "neuron layer notation",
    "epoch": "training", "early stopping": "training", "standardise": "data", "ReLU": "activations",
    "Adam": "optimisers", "Jacobian": "calculus", "one-hot": "data", "batch": "layer training", "sigmoid": "activations",
}  # fmt: skip


@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_first_view_is_small(stem, site):
    """The page, its style sheets and its scripts, as they travel."""
    page = site / stem / "index.html"
    text = page.read_text(encoding="utf-8")
    named = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text) + re.findall(r'<script src="([^"]+)"', text)
    named += re.findall(r'<script[^>]* src="([^"]+)"', text)
    named += re.findall(r'"([^"]*javascripts/[^"]+\.js)"', text)  # what comes when the page is painted
    files = {page} | {(page.parent / name).resolve() for name in named}
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 6)) for file in files}
    assert {"nnfp.js", "book.css"} < set(sizes) and any(name.startswith("bundle.") for name in sizes), sizes
    assert sum(sizes.values()) < FIRST_VIEW, sizes


@pytest.fixture(scope="module", params=[(390, "dark"), (1280, "light")], ids=["phone", "desktop"])
def sights(request, chromium, address):
    """What each chapter does while it loads."""
    visit = Visit(chromium, address, *request.param)
    visit.context.add_init_script(SHIFTS)
    found = {}
    for stem in CHAPTERS:
        page = visit.open(f"{stem}/")
        page.wait_for_timeout(400)
        if sum(shift[0] for shift in page.evaluate("window.shifts")) > 0.01:  # a face came late on a busy machine: once more
            page = visit.open(f"{stem}/")
            page.wait_for_timeout(400)
        found[stem] = {"shifts": page.evaluate("window.shifts")}
        live = "[...document.querySelectorAll('.is-live[data-explorable]')].map(e => e.querySelectorAll(`nnfp-${e.dataset.explorable}`).length)"
        assert set(page.evaluate(live)) <= {1}, f"an explorable of {stem} is there twice"
    visit.context.close()
    return found


def test_nothing_moves_while_a_chapter_loads(sights):
    moved = {stem: sight["shifts"] for stem, sight in sights.items() if sum(s[0] for s in sight["shifts"]) > 0.01}
    assert moved == {}


@pytest.mark.parametrize("width", [390, 1000, 1280])
def test_the_header_stands_where_it_will_while_the_page_still_arrives(chromium, address, site, width):
    visit = Visit(chromium, address, width, "light")
    place = "document.querySelector('[data-palette]').getBoundingClientRect().x"
    text = (site / "neuron" / "index.html").read_text(encoding="utf-8")
    page = visit.open("neuron/")
    whole = page.evaluate(place)
    for arrived in ('<label class="md-header__button md-icon" for="__search"', '<div class="md-search"'):
        begin = text.index(arrived)
        page.route("**/neuron/", lambda route, _, begin=begin: route.fulfill(body=text[:begin], content_type="text/html"))
        page.goto(address + "neuron/")
        assert page.evaluate(place) == whole, arrived
        page.unroute("**/neuron/")
    visit.context.close()


@pytest.fixture
def tab(chromium, address):
    visit = Visit(chromium, address, 1280, "light")
    yield visit
    visit.context.close()


def test_an_equation_and_a_term_show_themselves_in_a_card(tab):
    page = tab.open("backpropagation/")
    link = page.locator('article p > a[href*="#eq-"]:not(.equation-number):visible').first
    link.focus()
    page.wait_for_selector("#link-card .katex")
    assert link.get_attribute("aria-describedby") == "link-card"
    page.keyboard.press("Escape")
    assert page.locator("#link-card").count() == 0
    page.locator('article p > a[href*="/#eq-"]:visible').first.hover()  # of another chapter: fetched
    page.wait_for_selector("#link-card .katex")
    page.keyboard.press("Escape")
    page.locator("article a.term:visible").first.focus()
    page.wait_for_selector("#link-card:has-text('.')")
    page.mouse.move(300, 300)  # a card of the focus stays, wherever the mouse rests
    page.mouse.move(310, 310)
    page.wait_for_timeout(400)
    assert page.locator("#link-card").count() == 1
    assert tab.errors == []


def test_a_card_that_grows_stays_on_a_narrow_screen(chromium, address):
    visit = Visit(chromium, address, 390, "dark")
    page = visit.open("backpropagation/")
    right = "document.querySelector('#link-card').getBoundingClientRect().right"
    for link in page.locator('article p > a[href*="#eq-"]:not(.equation-number):visible').all()[:4]:
        link.focus()
        page.wait_for_selector("#link-card")
        assert page.evaluate(right) <= 383
        page.evaluate("document.querySelector('#link-card').style.fontSize = '1.3em'")  # as a font that comes late
        page.wait_for_timeout(100)
        assert page.evaluate(right) <= 383
        page.keyboard.press("Escape")
    visit.context.close()


def test_the_meaning_of_a_symbol_is_on_a_narrow_screen(chromium, address):
    visit = Visit(chromium, address, 390, "light")
    wide = {}
    for stem in CHAPTERS:
        page = visit.open(f"{stem}/")
        page.evaluate("document.querySelectorAll('article details:not(.mark)').forEach(e => { e.open = true; })")
        wide[stem] = page.evaluate(
            "[...document.querySelectorAll('article table')].filter(t => t.rows[0].cells[0].textContent.trim() === 'Symbol')"
            ".flatMap(t => [...t.rows]).filter(r => r.cells[2].getBoundingClientRect().left > 300).map(r => r.textContent.slice(0, 40))"
        )
    visit.context.close()
    assert {stem: rows for stem, rows in wide.items() if rows} == {}


def test_a_card_comes_by_the_first_tap_and_the_second_follows_the_link(chromium, address):
    visit = Visit(chromium, address, 390, "light")
    page = visit.open("layer/")
    page.locator("article a.term:visible").first.tap()
    page.wait_for_selector("#link-card")
    assert "/layer/" in page.url
    page.locator("article a.term:visible").first.tap()
    page.wait_for_url("**/glossary/**")
    visit.context.close()


def test_the_search_puts_a_chapter_first_by_concept_and_by_the_name_of_a_formula(tab):
    page = tab.open("")
    page.keyboard.press("/")
    missed = {}
    for query, stem in QUERIES.items():
        box = page.locator(".md-search__input")
        box.fill(query)
        page.keyboard.press("End")  # Material listens to keys
        page.wait_for_timeout(400)
        page.wait_for_selector(".md-search-result__item a", timeout=10_000)
        found = page.evaluate("[...document.querySelectorAll('.md-search-result__item')].slice(0, 1)"
                              ".map(i => new URL(i.querySelector('a').href).pathname)")  # fmt: skip
        if not any(path.strip("/") in stem.split() for path in found):
            missed[query] = found
    assert missed == {}
