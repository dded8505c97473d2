"""The mark beside an equation number, the card of a symbol, and the page on which equations are broken."""

from pathlib import Path

import pytest

from tests.site.test_pages import AXE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("marks")]

MARK = "#eq-neuron .mark"
WIDE = "document.documentElement.scrollWidth"


def visit(chromium, address, width, scheme="light"):
    return Visit(chromium, address, width, scheme)


def violations(page, selector):
    if not page.evaluate("window.axe !== undefined"):
        page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run({selector!r}, {{resultTypes: ['violations']}})")["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]


@pytest.fixture(scope="module")
def desk(chromium, address):
    tab = visit(chromium, address, 1280)
    yield tab
    tab.context.close()


@pytest.fixture(scope="module")
def phone(chromium, address):
    tab = visit(chromium, address, 390, "dark")
    yield tab
    tab.context.close()


def test_the_mark_opens_by_keyboard_and_tells_what_was_checked(desk):
    page = desk.open("neuron/")
    assert not page.is_visible(f"{MARK} .mark-panel")
    page.focus("#eq-neuron .equation-number")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").strip() == "How equation 3.1 is checked"
    page.keyboard.press("Enter")
    panel = page.locator(f"{MARK} .mark-panel")
    assert panel.is_visible()
    text = panel.inner_text()
    for part in ("weights of one neuron", "nnfp.neuron(w, x, beta)", "PyTorch", "corruptions of it are caught"):
        assert part in text, part
    equation, box = page.locator("#eq-neuron .equation-scroll").bounding_box(), panel.bounding_box()
    assert box["y"] >= equation["y"] + equation["height"], "the panel covers the equation"
    assert violations(page, "#eq-neuron") == []
    page.keyboard.press("Enter")
    assert not panel.is_visible()


def test_pointing_at_a_symbol_shows_its_meaning_and_escape_closes_it(desk):
    page = desk.open("neuron/")
    page.mouse.move(5, 5)
    page.locator("#eq-neuron .equation-scroll [data-s='3']").first.hover()
    card = page.locator("#symbol-card")
    assert "weights of one neuron" in card.inner_text() and "ℝ" in card.inner_text()
    assert page.get_attribute("#eq-neuron .equation-scroll", "aria-describedby") == "symbol-card"
    assert violations(page, "#symbol-card") == []
    page.keyboard.press("Escape")
    assert card.count() == 0 and page.get_attribute("#eq-neuron .equation-scroll", "aria-describedby") is None
    page.locator("#eq-neuron .equation-scroll [data-s='5']").first.hover()
    assert "bias" in card.inner_text()
    page.mouse.move(5, 5)
    card.wait_for(state="detached")


def test_the_arrows_walk_through_the_symbols_of_the_display_that_has_the_focus(desk):
    page = desk.open("neuron/")
    page.mouse.move(5, 5)
    page.focus("#eq-neuron .equation-scroll")
    seen = []
    for key in ("ArrowRight", "ArrowRight", "End", "ArrowRight", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        seen.append(page.locator("[role=status] > #symbol-card").inner_text())
        assert page.locator("#eq-neuron .equation-scroll .is-shown").count() == 1
    assert len(set(seen)) >= 3 and seen[2] == seen[3] and seen[0] == seen[4] == seen[5], seen
    assert "ℝ" in seen[0] and "bias" in seen[2]
    assert page.get_attribute("#eq-neuron .equation-scroll", "aria-describedby") == "symbol-card"
    assert violations(page, "body > [role=status]") == [] and violations(page, "#eq-neuron") == []
    page.keyboard.press("Escape")
    assert page.locator("#symbol-card").count() == 0
    page.keyboard.press("ArrowLeft")
    assert page.locator("#symbol-card").inner_text() == seen[2], "from the end"
    page.keyboard.press("Tab")
    assert page.locator("#symbol-card").count() == 0
    page.evaluate("document.querySelector('.md-nav--primary a[href*=\"layer/\"]').click()")
    page.wait_for_url("**/layer/")
    page.locator("#eq-affine .equation-scroll").focus()
    page.keyboard.press("ArrowRight")
    page.locator("[role=status] > #symbol-card").wait_for()
    assert desk.errors == []


def test_the_arrows_scroll_a_wide_display_to_the_symbol(phone):
    page = phone.open("network/")
    box = page.evaluate_handle(
        "[...document.querySelectorAll('.equation-scroll:has([data-s])')].find(e => e.scrollWidth > e.clientWidth + 60)"
    )
    box.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(200)
    card, display = page.locator("#symbol-card").bounding_box(), box.bounding_box()
    assert box.evaluate("e => e.scrollLeft") > 0 and card["x"] >= 0 and card["x"] + card["width"] <= 390
    symbol = page.locator(".is-shown").first.bounding_box()
    assert display["x"] <= symbol["x"] and symbol["x"] + symbol["width"] <= display["x"] + display["width"]
    page.keyboard.press("Home")
    assert box.evaluate("e => e.scrollLeft") < 60
    page.keyboard.press("Escape")


def test_on_a_phone_a_mark_stands_beside_its_number(phone):
    alone = """() => [...document.querySelectorAll('.equation:has(.equation-mark)')].map(e => [e.id,
      e.querySelector('.equation-number').getBoundingClientRect(), e.querySelector('.mark > summary').getBoundingClientRect()])
      .filter(([, n, m]) => Math.abs((n.top + n.bottom - m.top - m.bottom) / 2) > 6 || m.left < n.right - 12 || m.left > n.right + 4
        || m.right > 390).map(([id]) => id)"""
    found = {}
    for where in ("neuron/", "activations/", "descent/", "calculus/", "training/", "optimisers/"):
        page = phone.open(where)
        found[where] = page.evaluate(alone)
        page.evaluate("document.querySelectorAll('details.mark').forEach(mark => { mark.open = true; })")
        found[where] += page.evaluate(alone)
    assert {where: ids for where, ids in found.items() if ids} == {}


def test_what_scrolls_on_a_phone_shows_an_edge(phone):
    page = phone.open("neuron/")
    assert page.evaluate(
        """() => [...document.querySelectorAll('article :is(.figure-drawing, .equation-scroll)')]
          .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && !e.matches(':target *'))
          .map((e) => getComputedStyle(e)).every((s) => s.backgroundImage.split('linear-gradient').length === 5
            && s.backgroundAttachment === 'local, local, scroll, scroll')"""
    )
    assert page.locator(".figure-drawing").first.evaluate("e => e.scrollWidth > e.clientWidth")


def test_numbers_of_a_table_do_not_break(phone):
    page = phone.open("reference/checks/")
    broken = r"""() => [...document.querySelectorAll('article td')].filter((e) => /^[\d.,]+ %$/.test(e.textContent.trim()) && e.checkVisibility())
      .map((e) => { const r = document.createRange(); r.selectNodeContents(e); return [e.textContent, r.getBoundingClientRect().height < 28]; })"""
    cells = page.evaluate(broken)
    assert len(cells) > 5 and [text for text, fits in cells if not fits] == []
    assert page.evaluate(WIDE) == 390


def test_on_a_phone_everything_opens_by_touch_and_nothing_scrolls_sideways(phone):
    page = phone.open("forward_pass/")
    page.evaluate("document.querySelectorAll('details.mark').forEach(mark => { mark.open = true; })")
    assert page.evaluate(WIDE) == 390
    size = page.locator("#eq-forward-layer .mark > summary").bounding_box()
    assert min(size["width"], size["height"]) >= 24
    page.locator("#eq-forward-layer .mark > summary").tap()
    assert not page.is_visible("#eq-forward-layer .mark-panel")
    symbol = page.locator("#eq-forward-layer .equation-scroll [data-s]").first
    symbol.evaluate("symbol => symbol.scrollIntoView({block: 'center'})")
    at = symbol.bounding_box()
    page.touchscreen.tap(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    box = page.locator("#symbol-card").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate(WIDE) == 390
    page.locator("#eq-forward-layer .mark > summary").tap()
    assert page.is_visible("#eq-forward-layer .mark-panel")
    assert violations(page, "#eq-forward-layer") == []


def test_on_paper_there_is_no_mark(desk):
    page = desk.open("neuron/")
    page.evaluate(f"document.querySelector('{MARK}').open = true")
    page.emulate_media(media="print")
    assert not page.is_visible(MARK) and not page.is_visible(f"{MARK} .mark-panel")
    assert page.is_visible("#eq-neuron .equation-number")
    page.emulate_media(media="screen")


def test_without_scripts_marks_open_and_every_corruption_can_be_read(chromium, address):
    context = chromium.new_context(viewport={"width": 800, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "neuron/")
    page.click(f"{MARK} > summary")
    assert page.is_visible(f"{MARK} .mark-panel") and "weights of one neuron" in page.inner_text(f"{MARK} .mark-panel")
    page.goto(address + "reference/break/")
    page.click(".break-one:first-of-type > summary")
    assert page.locator(".break-one").first.locator(".break-variant:visible").count() >= 4
    assert "The checker:" in page.locator(".break-one").first.inner_text()
    context.close()


def test_every_equation_can_be_broken_in_several_ways(desk):
    page = desk.open("reference/break/")
    page.wait_for_selector("break-equation.is-live")
    counts = page.evaluate(
        "[...document.querySelectorAll('.break-one')].map((e) => [e.querySelector('summary').textContent, e.querySelectorAll('.break-button').length])"
    )
    assert len(counts) == 12 and [name for name, count in counts if count < 4] == []


def test_an_equation_is_broken_by_keyboard(desk):
    page = desk.open("reference/break/")
    page.wait_for_selector("break-equation.is-live")
    page.focus(".break-select select")
    page.keyboard.press("ArrowDown")
    one = page.locator(".break-one:visible")
    assert one.count() == 1 and "(4.3)" in one.inner_text()
    first = one.locator(".break-variant:visible .museum-says").inner_text()
    page.focus(".break-one:not([hidden]) .break-button:nth-child(2)")
    page.keyboard.press("Enter")
    assert one.locator(".break-variant:visible").count() == 1
    second = one.locator(".break-variant:visible .museum-says").inner_text()
    assert second.startswith("The checker:") and second != first
    assert one.locator(".break-button[aria-pressed=true]").count() == 1
    assert violations(page, "break-equation") == []
    assert desk.errors == [] and desk.foreign == []
