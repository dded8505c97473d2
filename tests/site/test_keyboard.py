"""A whole chapter by keyboard, and a whole chapter on a phone: nothing is out of reach, nothing is cut."""

import re

import pytest

from nnfp.book.figures import file
from nnfp.book.reading import Book
from tests.site.test_pages import Visit
from tests.site.test_reading import CHAPTERS, ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("reading")]

# What a Tab should reach from the heading on, in the order of the page; the style of each while nothing has the focus.
WANTED = """() => {
  window.styleOf = element => {
    const own = e => { const s = getComputedStyle(e); return [s.outline, s.boxShadow, s.backgroundColor, s.color, s.borderColor, s.textDecoration, s.opacity, s.fill, s.stroke].join('|'); };
    return [element, element.parentElement, ...[...element.children].slice(0, 3)].map(own).join('||');
  };
  const able = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const first = document.querySelector('article h1');
  const wanted = [...document.querySelectorAll(able)].filter(e =>
    first.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING
    && e.tabIndex >= 0 && !e.disabled && e.type !== 'radio' && !e.closest('[inert], .md-dialog, .md-top')
    && e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}));
  wanted.forEach((e, k) => { e.dataset.walk = k; });
  window.before = wanted.map(window.styleOf);
  return wanted.map(e => `${e.tagName} ${e.className?.baseVal ?? e.className} ${(e.getAttribute('aria-label') ?? e.textContent ?? '').trim().slice(0, 40)}`);
}"""
STEP = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return [null, true, 'body'];
  const k = e.dataset.walk;
  return [k === undefined ? null : Number(k), k === undefined || window.styleOf(e) !== window.before[k], e.tagName + ' ' + e.className];
}"""

# What sticks out of the screen without a box of its own that scrolls, and what a box cuts off for good.
CUT = """() => {
  const width = document.documentElement.clientWidth, found = [];
  const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  for (const e of document.querySelectorAll('article :is(p, li, table, pre, img, svg, figure, .katex-html, .equation, form, input, button, h1, h2, h3)')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !e.checkVisibility({visibilityProperty: true})) continue;
    let inside = false;
    for (let up = e; up && up.tagName !== 'ARTICLE'; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (scrolls(up) && up.getBoundingClientRect().right <= width + 1) { inside = true; break; }
      if (['hidden', 'clip'].includes(style.overflowX) && box.right > up.getBoundingClientRect().right + 1.5 && !up.closest('.katex')) {
        found.push(`cut: ${e.tagName} ${e.className?.baseVal ?? e.className} ${e.textContent.trim().slice(0, 40)}`);
        inside = true;
        break;
      }
    }
    if (!inside && box.right > width + 1) found.push(`sticks out: ${e.tagName} ${e.className?.baseVal ?? e.className} ${e.textContent.trim().slice(0, 40)}`);
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("stem", CHAPTERS)
def test_tab_reaches_everything_in_the_order_of_the_page_and_shows_where_it_is(stem, chromium, address):
    visit = Visit(chromium, address, 1280, "light")
    page = visit.open(f"{stem}/")
    for place in page.locator("[data-explorable]").all():
        place.scroll_into_view_if_needed()
        page.wait_for_selector(f"[data-explorable={place.get_attribute('data-explorable')}].is-live")
    page.wait_for_timeout(300)
    page.evaluate("() => { const h = document.querySelector('article h1'); h.tabIndex = -1; h.focus(); }")
    wanted = page.evaluate(WANTED)
    reached, unseen = [], []
    for _ in range(2 * len(wanted) + 20):
        page.keyboard.press("Tab")
        place, shown, name = page.evaluate(STEP)
        if place is not None:
            reached.append(place)
            if not shown:
                unseen.append(wanted[place])
        if name == "body" or len(set(reached)) == len(wanted) or (place is None and reached and reached[-1] == len(wanted) - 1):
            break
    visit.context.close()
    missed = [wanted[k] for k in range(len(wanted)) if k not in reached]
    assert len(wanted) > 20 and missed == [], f"{len(missed)} of {len(wanted)}: {missed[:10]}"
    assert reached == sorted(reached), "the focus jumps"
    assert unseen == [], f"{len(unseen)} of {len(wanted)} look the same with the focus: {unseen[:10]}"


@pytest.mark.parametrize("stem", CHAPTERS)
def test_nothing_is_cut_on_a_phone_and_figures_are_legible(stem, chromium, address, site):
    visit = Visit(chromium, address, 390, "light")
    page = visit.open(f"{stem}/")
    page.evaluate("document.fonts.ready")
    assert page.evaluate(CUT) == []
    for use in next(p for p in Book(ROOT).pages if p.home == f"{stem}.md").figures:
        image = page.locator(f'img.figure-light[src$="/{file(use.name, "light").rsplit("/", 1)[1]}"]')
        text = (site / file(use.name, "light")).read_text(encoding="utf-8")
        points = float(re.search(r'viewBox="0 0 ([\d.]+)', text)[1])
        letters = [100 * float(s) for s in re.findall(r"scale\(([\d.]+)[ ,]-[\d.]+\)", text)]
        pixels = image.evaluate("i => i.getBoundingClientRect().width || i.width")
        assert letters and min(letters) * pixels / points >= 7.5, (use.name, min(letters), pixels / points)
    visit.context.close()


def test_a_cut_is_found(chromium, address):
    visit = Visit(chromium, address, 390, "light")
    page = visit.open("training/")
    page.add_style_tag(content=".md-typeset__scrollwrap, .md-typeset table { overflow: visible !important }")
    assert any(line.startswith("sticks out: TABLE") for line in page.evaluate(CUT))
    page.add_style_tag(content=".md-typeset__scrollwrap { overflow: hidden !important }")
    assert any(line.startswith("cut: TABLE") for line in page.evaluate(CUT))
    visit.context.close()


def test_an_invisible_focus_is_found(chromium, address):
    visit = Visit(chromium, address, 1280, "light")
    page = visit.open("neuron/")
    page.add_style_tag(content="article * { outline: none !important; box-shadow: none !important; transition: none !important }")
    page.evaluate("() => { const h = document.querySelector('article h1'); h.tabIndex = -1; h.focus(); }")
    wanted, shown = page.evaluate(WANTED), []
    for _ in range(12):
        page.keyboard.press("Tab")
        shown.append(page.evaluate(STEP)[1])
    assert len(wanted) > 20 and not all(shown)
    visit.context.close()
