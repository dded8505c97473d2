"""Every page of the built site in headless Chromium: what a reader would trip over.

Each page is opened once on a wide light and once on a narrow dark screen; the tests below read what
was seen there. An opening costs half a second, so they share it.
"""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

LOOK = """async () => {
  const all = (selector, of) => [...document.querySelectorAll(selector)].map(of);
  const prose = document.querySelector('article').cloneNode(true);
  prose.querySelectorAll('pre, code, .katex, svg').forEach(e => e.remove());
  return {
    width: document.documentElement.scrollWidth,
    scheme: document.body.getAttribute('data-md-color-scheme'),
    description: document.querySelector('meta[name=description]')?.content || '',
    title: document.title,
    figures: all('figure:not(.is-live *) .figure-drawing', f => [...f.querySelectorAll('img')]
      .filter(i => i.offsetParent !== null)
      .map(i => i.className + (i.getAttribute('alt') ? '' : ' without alt'))),
    images: all('article img', i => i.getAttribute('alt') || ''),
    broken: (await Promise.all(all('article img', i => {
      i.loading = 'eager';  // what is far down would wait for the reader
      return i.decode().then(() => '', () => i.getAttribute('src'));
    }))).filter(src => src),
    katex: all('.katex', () => 1).length,
    mathml: all('.katex math', () => 1).length,
    displays: all('.equation', e => e.id),
    reachable: all('.equation-scroll[tabindex="0"][aria-label]', () => 1).length,
    prose: prose.textContent,
    ids: all('[id]', e => e.id),
    links: all('a[href]', a => a.getAttribute('href')),
  };
}"""


class Visit:
    """A tab that remembers its requests and errors."""

    def __init__(self, chromium, address, width, scheme):
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            has_touch=width < 600,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.address, self.foreign, self.errors = address, [], []
        self.page.on("request", self.request)
        self.page.on("requestfailed", self.failed)
        self.page.on("response", self.response)
        self.page.on("console", self.console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def request(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def failed(self, request):
        # Chromium gives up what is still under way when the next page is opened.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"failed ({request.failure}): {request.url}")

    def response(self, response):
        if response.status >= 400:
            self.errors.append(f"{response.status}: {response.url}")

    def console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(f"console: {message.text}")

    def open(self, path):
        self.page.goto(self.address + path, wait_until="load")
        return self.page


class Seen:
    """What all pages showed on one kind of screen."""

    def __init__(self, chromium, address, pages, width, scheme):
        visit = Visit(chromium, address, width, scheme)
        self.width, self.pages = width, {}
        for path in pages:
            page = visit.open(path)
            self.pages[path] = page.evaluate(LOOK)
        page.wait_for_timeout(300)
        self.foreign, self.errors = visit.foreign, visit.errors
        visit.context.close()


LOOKED_AT: dict[tuple[int, str], Seen] = {}


@pytest.fixture
def seen(request, chromium, address, pages):
    if request.param not in LOOKED_AT:
        LOOKED_AT[request.param] = Seen(chromium, address, pages, *request.param)
    return LOOKED_AT[request.param]


# A group runs in one process, so that each screen is looked at once.
on_both_screens = pytest.mark.parametrize(
    "seen",
    [
        pytest.param((1280, "light"), id="desktop-light", marks=pytest.mark.xdist_group("light")),
        pytest.param((390, "dark"), id="phone-dark", marks=pytest.mark.xdist_group("dark")),
    ],
    indirect=True,
)


@on_both_screens
def test_no_request_leaves_the_site(seen):
    assert seen.foreign == []


@on_both_screens
def test_no_error_reaches_the_console(seen):
    assert seen.errors == []


@on_both_screens
def test_no_page_scrolls_sideways(seen):
    assert {p: s["width"] for p, s in seen.pages.items() if s["width"] > seen.width} == {}


@on_both_screens
def test_the_theme_shows_one_drawing_of_each_figure_with_a_description(seen):
    count = 0
    for path, sight in seen.pages.items():
        expected = ["figure-dark" if sight["scheme"] == "slate" else "figure-light"]
        assert all(shown == expected for shown in sight["figures"]), (path, sight["figures"])
        assert all(sight["images"]) and sight["broken"] == [], (path, sight["broken"])
        count += len(sight["figures"])
    assert count >= 14


@on_both_screens
def test_no_raw_tex_or_markup_is_visible(seen):
    for path, sight in seen.pages.items():
        for mark in ("$$", "\\eqref", "\\label", "<!--", "--8<--", "figure:", "](", "{ ."):
            assert mark not in sight["prose"], f"{path}: {mark} is visible"
        formula = re.search(r"\$[^$\n]*\\[a-z]+[^$\n]*\$", sight["prose"])
        assert not formula, f"{path}: a formula was not set: {formula}"


@on_both_screens
def test_formulas_carry_mathml_and_displays_can_be_reached_by_keyboard(seen):
    for path, sight in seen.pages.items():
        assert sight["katex"] == sight["mathml"], path
        assert len(sight["displays"]) == sight["reachable"], path
    assert sum(len(sight["displays"]) for sight in seen.pages.values()) > 100


@on_both_screens
def test_every_page_says_what_it_is_in_title_and_description(seen):
    for path, sight in seen.pages.items():
        assert sight["title"] and len(sight["description"]) > 40, path


@pytest.mark.slow
@pytest.mark.parametrize(
    "width, scheme",
    [
        pytest.param(1280, "light", id="desktop-light", marks=pytest.mark.xdist_group("light")),
        pytest.param(390, "dark", id="phone-dark", marks=pytest.mark.xdist_group("dark")),
    ],
)
def test_axe_finds_no_violation(chromium, address, pages, width, scheme):
    visit, found = Visit(chromium, address, width, scheme), {}
    for path in pages:
        page = visit.open(path)
        page.wait_for_load_state("networkidle")  # the scripts come after the page
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in result["violations"]:
            nodes = [node["target"][0] for node in violation["nodes"]]
            found.setdefault(violation["id"], []).append((path, len(nodes), nodes[:3]))
    visit.context.close()
    assert not found, json.dumps(found, indent=1)[:6000]


@on_both_screens
def test_every_link_and_anchor_leads_somewhere(seen, address, site):
    broken = []
    for path, sight in seen.pages.items():
        for href in sight["links"]:
            url, anchor = urldefrag(urljoin(address + path, href))
            if not url.startswith(address):
                if urlsplit(url).scheme not in ("https", "http", "mailto"):
                    broken.append((path, href))
                continue
            target = unquote(url.removeprefix(address))
            known = seen.pages.get(target)
            folder = target == "" or target.endswith("/")
            file = site / target / "index.html" if folder else site / target
            if not file.is_file() or (anchor and known and unquote(anchor) not in known["ids"]):
                broken.append((path, href))
    assert broken == []


with_light = pytest.mark.xdist_group("light")


@pytest.fixture
def tab(chromium, address):
    visit = Visit(chromium, address, 1280, "light")
    yield visit
    visit.context.close()


@with_light
def test_search_finds_a_chapter_by_its_idea(tab):
    page = tab.open("")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    page.keyboard.type("complex step")
    page.wait_for_selector(".md-search-result__item a", timeout=10_000)
    found = "[...document.querySelectorAll('.md-search-result__item a')].map(a => a.href)"
    assert any("gradient_check" in target for target in page.evaluate(found))


@with_light
def test_the_theme_can_be_switched(tab):
    page = tab.open("")
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    before = page.evaluate(scheme)
    for _ in range(3):
        page.locator("label.md-header__button:visible[for^=__palette]").first.click()
        if page.evaluate(scheme) != before:
            return
    pytest.fail("the button does not change the theme")


@with_light
def test_the_theme_follows_the_system_until_one_is_chosen_and_is_kept(tab):
    page = tab.open("layer/")
    colours = "['scheme', 'primary', 'accent'].map(part => document.body.getAttribute(`data-md-color-${part}`)).join(' ')"
    shown = "[...document.querySelectorAll('[data-palette] label')].map(label => !label.hidden)"
    assert page.evaluate(colours) == "default custom custom" and page.evaluate(shown) == [True, False, False]
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.body.getAttribute('data-md-color-scheme') === 'slate'")
    page.locator("[data-palette] label:visible").click()  # light, whatever the system has
    assert page.evaluate(colours) == "default custom custom" and page.evaluate(shown) == [False, True, False]
    page.locator("[data-palette] input:checked").press("Enter")
    assert page.evaluate(colours) == "slate custom custom"
    page.emulate_media(color_scheme="light")
    page.goto(page.url.replace("layer/", "neuron/"), wait_until="commit")
    page.wait_for_function("document.querySelector('article')")
    assert page.evaluate(colours) == "slate custom custom", "dark before the theme's script is there"


@with_light
def test_a_code_block_can_be_copied_as_it_is_shown(tab):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = tab.open("neuron/")
    page.wait_for_load_state("networkidle")
    block = page.locator(".highlight:not(.mark-code)", has_text="import numpy").first
    block.hover()
    block.locator("button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").first.inner_text().strip()
    assert copied.startswith("import numpy")


@with_light
def test_the_next_page_opens_without_a_full_load_and_its_formulas_are_set(tab):
    page = tab.open("neuron/")
    page.evaluate("window.kept = true")
    page.wait_for_load_state("networkidle")  # Material takes links over when it has the site map
    page.locator(".md-footer__link--next").focus()
    page.wait_for_timeout(300)  # the theme notes where the reader is, a tenth of a second after he moved
    page.locator(".md-footer__link--next").press("Enter")
    page.wait_for_url("**/layer/", wait_until="commit")
    page.wait_for_selector("#eq-affine .katex")
    page.wait_for_timeout(500)
    assert page.url.endswith("/layer/"), "the address names a place that the reader is not at"
    assert page.evaluate("[window.kept, scrollY]") == [True, 0]
    assert tab.errors == []
