"""The browser agrees that what nnfp/book/spare_rules.py left out of the style sheet matches nothing on any page."""

from pathlib import Path

import pytest

from nnfp.book import loading_hook
from tests.site.test_pages import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("spare")]

ROOT = Path(__file__).resolve().parent.parent.parent

MATCHED = """(whole) => {
  const between = (text) => text.match(/(?:\\([^()]*(?:\\([^()]*\\)[^()]*)*\\)|"[^"]*"|[^,(])+/g).map((one) => one.trim());
  function* selectors(rules, where) {
    for (const rule of rules) {
      if (rule.selectorText) for (const one of between(rule.selectorText)) yield where + "|" + one;
      else if (rule.cssRules && !(rule instanceof CSSKeyframesRule)) yield* selectors(rule.cssRules, where + rule.conditionText);
    }
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(whole);
  const book = [...document.styleSheets].find((one) => one.href?.endsWith("stylesheets/book.css"));
  const there = new Set(selectors(book.cssRules, ""));
  const gone = [...new Set(selectors(sheet.cssRules, ""))].filter((one) => !there.has(one));
  // Whatever the state: without the pseudo-classes and pseudo-elements that the mouse, the keyboard or the text make.
  const state = /::?(?!is|not|where|has|first-child|last-child|nth|only|root)[a-z-]+(?:\\([^()]*\\))?/g;
  const plain = gone.map((one) => one.slice(one.indexOf("|") + 1).replace(state, ":not(none)"));
  return [gone.length, there.size, plain.filter((one) => document.querySelector(one))];
}"""


@pytest.fixture(scope="module")
def whole(site) -> str:
    """The sheets that the joined one was made from, as they are in the site."""
    theme = [path.relative_to(site).as_posix() for kind in ("main", "palette") for path in site.glob(f"assets/stylesheets/{kind}.*.css")]
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("extra_css:\n")[2]
    ours = [line.removeprefix("  - ") for line in text.partition("\n\n")[0].splitlines() if line.startswith("  - ") and ".css" in line]
    assert len(theme) == 2 and len(ours) == 8, (theme, ours)
    return loading_hook.of_framed(loading_hook.join(site, theme + ours))


def pages(site) -> list[str]:
    return sorted(path.relative_to(site).as_posix().removesuffix("index.html") for path in site.glob("**/*.html") if "vendor" not in path.parts)


def test_what_was_left_out_matches_nothing(site, chromium, address, whole):
    visit = Visit(chromium, address, 1280, "light")
    found = {}
    for name in pages(site):
        gone, there, matched = visit.open(name).evaluate(MATCHED, whole)
        assert gone > 500 < there, (name, gone, there)
        if matched:
            found[name] = matched
    assert not found


def test_nor_while_it_is_used(chromium, address, whole):
    """The theme's script writes into the page: found places, a button, a note that something was copied, the list on a phone."""
    page = Visit(chromium, address, 1280, "dark").open("layer/")
    page.locator(".md-search__input").fill("gradient descent")
    page.wait_for_selector(".md-search-result__item a", state="attached")
    assert page.evaluate(MATCHED, whole)[2] == []
    page.keyboard.press("Escape")
    page.locator("button[data-md-type=copy]").first.click()
    page.wait_for_timeout(300)
    assert page.evaluate(MATCHED, whole)[2] == []
    page = Visit(chromium, address, 390, "light").open("descent/")
    page.locator(".md-header label[for=__drawer]").click()
    page.wait_for_timeout(500)
    assert page.evaluate(MATCHED, whole)[2] == []
    page = Visit(chromium, address, 390, "light").open("descent/")
    page.locator('[data-explorable="descent"]').scroll_into_view_if_needed()
    page.wait_for_selector("nnfp-descent svg", timeout=10_000)
    assert page.evaluate(MATCHED, whole)[2] == []
