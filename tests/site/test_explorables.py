"""The explorables on the built site: by mouse, keyboard and touch, in both themes, on a telephone.

Every test opens the page anew, because an explorable remembers what was done to it. No control may
bring a number that is none onto the page, however it is moved.
"""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

import nnfp

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "docs" / "javascripts" / "explorables"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PLACES = re.findall(
    r'(\w+)\.md:.*?data-explorable="(\w+)"',
    "\n".join(
        f"{page.name}:{line}"
        for page in sorted((ROOT / "docs").glob("*.md"))
        for line in page.read_text(encoding="utf-8").splitlines()
        if "data-explorable=" in line
    ),
)
EVERY = pytest.mark.parametrize(("page", "name"), PLACES, ids=[name for _, name in PLACES])
BAD = re.compile(r"NaN|undefined|Infinity|\[object")
WRONG = """(element) => [...element.querySelectorAll('*')].flatMap((e) => [...e.attributes]
  .filter((a) => /NaN|undefined|Infinity/.test(a.value)).map((a) => `${e.tagName} ${a.name}=${a.value}`))"""


SETTLED = """() => new Promise((done) => {
  const frame = (n) => (n ? requestAnimationFrame(() => frame(n - 1)) : setTimeout(done, 20));
  frame(3);
})"""


def settle(page):
    """Three frames: what a resize or an input sets off is drawn by then, on a slow machine too."""
    page.evaluate(SETTLED)


class Opened:
    """A page with one explorable, scrolled to it."""

    def __init__(self, chromium, url, name, width=1280, scheme="light", **options):
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)
        self.place = self.page.locator(f'[data-explorable="{name}"]').first
        self.place.scroll_into_view_if_needed()
        self.box = self.page.locator(f"nnfp-{name}").first
        self.name = name

    def ready(self):
        self.box.wait_for(state="attached")
        settle(self.page)
        return self

    def evaluate(self, script, argument=None):
        return self.box.evaluate(script, argument)

    def sound(self, what=""):
        """No error, no number that is none, nothing wider than the page."""
        settle(self.page)
        assert not self.errors, f"{self.name} {what}: {self.errors}"
        text = self.box.inner_text()
        assert not BAD.search(text), f"{self.name} {what}: {BAD.search(text)[0]} in {text!r}"
        wrong = self.evaluate(WRONG)
        assert not wrong, f"{self.name} {what}: {wrong[:3]}"

    def data(self, key):
        settle(self.page)
        return float(self.evaluate("(e, key) => e.dataset[key]", key))

    def button(self, text):
        return self.box.get_by_role("button", name=text, exact=True)


@pytest.fixture
def visit(chromium, address):
    opened = []

    def go(page, name, **options):
        opened.append(Opened(chromium, f"{address}{page}/", name, **options))
        return opened[-1]

    yield go
    for one in opened:
        one.context.close()


def where(name):
    return next(page for page, found in PLACES if found == name)


# --- what comes over the line ---


def test_all_scripts_together_stay_under_60_kilobytes():
    sizes = {p.name: len(gzip.compress(p.read_bytes(), 6, mtime=0)) for p in SCRIPTS.glob("*.js")}
    style = ROOT / "docs" / "stylesheets" / "explorables.css"
    assert sum(sizes.values()) + len(gzip.compress(style.read_bytes(), 6, mtime=0)) < 60_000, sizes


def test_every_explorable_has_a_place_in_the_book():
    written = {p.stem for p in SCRIPTS.glob("*.js")} - {"core", "ui", "load"}
    assert written == {name for _, name in PLACES}


def test_scripts_come_only_where_they_are_used(chromium, address):
    context = chromium.new_context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}notation/")
    page.wait_for_timeout(200)
    assert [url.rsplit("/")[-1] for url in asked if "/explorables/" in url] == ["load.js"]
    context.close()


# --- the picture underneath ---


@EVERY
def test_without_scripts_the_picture_stays(visit, page, name):
    seen = visit(page, name, java_script_enabled=False)
    assert seen.box.count() == 0
    assert seen.place.locator(".figure-light").is_visible()


@EVERY
def test_in_print_the_picture_comes_back(visit, page, name):
    seen = visit(page, name).ready()
    assert not seen.place.locator(".figure-light").is_visible()
    seen.page.emulate_media(media="print")
    assert seen.place.locator(".figure-light").is_visible()
    assert not seen.box.is_visible()


def test_if_a_script_does_not_come_the_picture_stays(chromium, address):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/explorables/neuron.js", lambda route: route.abort())
    page.goto(f"{address}neuron/")
    place = page.locator('[data-explorable="neuron"]')
    place.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert place.locator(".figure-light").is_visible()
    assert page.locator("nnfp-neuron").count() == 0
    context.close()


# --- room ---

SHIFT = """() => document.fonts.ready.then(() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((e) => { if (!e.hadRecentInput) sum += e.value; }))
    .observe({ type: 'layout-shift' });
  let y = 0;
  const timer = setInterval(() => {
    window.scrollTo(0, (y += 700));
    if (y > document.body.scrollHeight) { clearInterval(timer); setTimeout(() => done(sum), 150); }
  }, 50);
}))"""
ROOM = """(e) => {
  const place = e.closest('.explorable');
  const kept = parseFloat(getComputedStyle(e).minHeight);
  e.style.minHeight = 0;
  const own = e.getBoundingClientRect().height;
  e.style.minHeight = '';
  place.classList.remove('is-live');
  const drawing = place.querySelector('.figure-drawing').getBoundingClientRect().height;
  place.classList.add('is-live');
  return [own, drawing, kept, document.documentElement.scrollWidth - innerWidth];
}"""


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
@EVERY
def test_the_room_that_is_kept_is_enough(visit, page, name, touch):
    seen = visit(page, name, has_touch=touch, is_mobile=touch).ready()
    for width in (360, 390, 600, 768, 1280):
        seen.page.set_viewport_size({"width": width, "height": 900})
        settle(seen.page)
        own, drawing, kept, out = seen.evaluate(ROOM)
        assert own <= kept + 0.5, f"{name} at {width} needs {own} px, {kept} px are kept"
        assert drawing <= kept + 0.5, (
            f"the picture of {name} at {width} has {drawing} px, {kept} are kept"
        )
        assert out <= 0, f"{name} at {width} is wider than the page"


@pytest.mark.parametrize("page", sorted({page for page, _ in PLACES}))
def test_scrolling_down_the_page_shifts_nothing(chromium, address, page):
    for width in (390, 1280):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        sheet = context.new_page()
        sheet.goto(f"{address}{page}/")
        assert sheet.evaluate(SHIFT) < 0.01, width
        context.close()


@EVERY
def test_on_a_telephone_all_can_be_read_and_touched(visit, page, name):
    seen = visit(page, name, width=390, has_touch=True, is_mobile=True).ready()
    small = seen.evaluate("""(e) => [...e.querySelectorAll('svg text')].filter((t) => t.textContent && t.getClientRects().length)
      .map((t) => [t.textContent, parseFloat(getComputedStyle(t).fontSize) * Math.hypot(t.getScreenCTM().a, t.getScreenCTM().b)])
      .filter(([, size]) => size < 11)""")
    assert not small
    tight = seen.evaluate("""(e) => [...e.querySelectorAll('button, select, input, [role=slider]')]
      .filter((b) => b.getClientRects().length)
      .map((b) => [b.getAttribute('aria-label') || b.textContent, b.getBoundingClientRect()])
      .filter(([, r]) => r.width < 24 || r.height < 24).map(([n]) => n)""")
    assert not tight


# --- every control ---


@EVERY
def test_every_slider_follows_the_keys(visit, page, name):
    seen = visit(page, name).ready()
    sliders = seen.box.locator("[role=slider], input[type=range]")
    assert sliders.count() >= 2
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        if not slider.is_visible():
            continue
        label = slider.get_attribute("aria-label") or slider.evaluate(
            "e => e.labels[0].textContent"
        )
        read = "e => [e.getAttribute('aria-valuetext'), e.value]"
        slider.focus()
        before = slider.evaluate(read)
        assert before[0], f"{label} has no spoken value"
        slider.press("ArrowLeft")
        settle(seen.page)
        after = slider.evaluate(read)
        if after == before:
            slider.press("ArrowRight")
            settle(seen.page)
            after = slider.evaluate(read)
        assert after != before, f"{label} does not follow the keys"
        for key in ["End", "PageUp", "Shift+ArrowUp", "Home", "PageDown", "PageDown", "ArrowDown"]:
            if slider.is_visible():
                slider.press(key)
        seen.sound(f"{label} by keys")
        if slider.get_attribute("role") == "slider" and slider.is_visible():
            now, low, high = slider.evaluate(
                "e => ['now', 'min', 'max'].map((n) => parseFloat(e.getAttribute('aria-value' + n)))"
            )
            assert low - 1e-9 <= now <= high + 1e-9, label


@EVERY
def test_every_handle_and_number_follows_the_mouse(visit, page, name):
    seen = visit(page, name).ready()
    sliders = seen.box.locator("[role=slider]")
    moved = 0
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        if not slider.is_visible():
            continue
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = slider.get_attribute("aria-valuetext")
        seen.page.mouse.move(x, y)
        seen.page.mouse.down()
        seen.page.mouse.move(x + 33, y - 21, steps=3)
        settle(seen.page)
        moved += slider.get_attribute("aria-valuetext") != before
        for dx, dy in [(900, 0), (-900, 700), (0, -900), (5000, 5000), (-3, 2)]:
            seen.page.mouse.move(x + dx, y + dy, steps=2)
        seen.page.mouse.up()
        seen.sound(f"{slider.get_attribute('aria-label')} by mouse")
    assert moved >= sliders.count() - 2


@EVERY
def test_handles_follow_a_finger(visit, page, name):
    seen = visit(page, name, width=390, has_touch=True, is_mobile=True).ready()
    line = seen.context.new_cdp_session(seen.page)
    for kind in (".x-handle", ".x-scrub"):
        sliders = [s for s in seen.box.locator(kind).all() if s.is_visible()]
        if not sliders:
            continue
        slider = sliders[-1]
        slider.evaluate("e => e.scrollIntoView({ block: 'center' })")
        box = slider.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before, top = slider.get_attribute("aria-valuetext"), seen.page.evaluate("scrollY")
        finger = [("touchStart", [(x, y)])]
        finger += [("touchMove", [(x - 7 * step, y + step)]) for step in range(1, 7)]
        for kind_of, at in [*finger, ("touchEnd", [])]:
            points = [{"x": u, "y": v} for u, v in at]
            line.send("Input.dispatchTouchEvent", {"type": kind_of, "touchPoints": points})
        settle(seen.page)
        assert slider.get_attribute("aria-valuetext") != before, kind
        assert seen.page.evaluate("scrollY") == top, "the page scrolled instead"
        seen.sound("by touch")


@EVERY
def test_every_button_and_choice_works(visit, page, name):
    seen = visit(page, name, reduced_motion="reduce").ready()
    for select in seen.box.locator("select").all():
        for value in select.locator("option").evaluate_all("list => list.map((o) => o.value)"):
            select.select_option(value)
            seen.sound(f"choice {value}")
    for _ in range(2):
        for button in seen.box.locator("button").all():
            if button.is_visible() and button.is_enabled():
                button.click()
                seen.sound(f"button {button.inner_text()}")


@EVERY
def test_axe_finds_nothing_in_either_theme(visit, page, name):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci")
    seen = visit(page, name, reduced_motion="reduce").ready()
    seen.page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("default", "slate"):
        seen.page.evaluate("(s) => document.body.setAttribute('data-md-color-scheme', s)", scheme)
        settle(seen.page)
        found = seen.page.evaluate(f"axe.run('nnfp-{name}', {{resultTypes: ['violations']}})")
        assert not [
            (scheme, v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"])
            for v in found["violations"]
        ]


# --- the numbers on the page are those of the package ---


def test_neuron_shows_the_sum_of_the_package(visit):
    seen = visit("neuron", "neuron").ready()
    assert seen.data("sum") == 6
    for _ in range(3):
        seen.box.get_by_role("slider", name="weight 1").press("ArrowLeft")
    seen.box.get_by_role("slider", name="input 2").press("ArrowRight")
    seen.box.locator("select").select_option("sigmoid")
    s = nnfp.neuron(np.array([[0.7], [2.0]]), np.array([[1.0], [2.1]]), 1.0)
    assert np.isclose(seen.data("sum"), s, rtol=1e-12)
    assert np.isclose(seen.data("output"), nnfp.sigmoid(s), rtol=1e-12)
    assert "5.90" in seen.box.inner_text()


def test_descent_shows_the_path_of_the_package(visit):
    seen = visit("descent", "descent").ready()
    for _ in range(3):
        seen.button("Step").click()
    path = nnfp.descend(nnfp.quadratic_prime, 0.0, 0.75, 20)
    assert np.isclose(seen.data("x"), path[3], rtol=1e-12)
    assert np.isclose(seen.data("after"), path[4], rtol=1e-12)
    assert np.isclose(seen.data("end"), path[20], rtol=1e-12)
    seen.box.locator(".x-scrub", has_text="0.75").first.focus()
    for kind, key, presses in [
        ("Arrives in one step", "ArrowLeft", 25),
        ("The limit", "ArrowRight", 50),
        ("Runs away", "ArrowRight", 1),
    ]:
        for _ in range(presses):
            seen.page.keyboard.press(key)
        settle(seen.page)
        assert kind in seen.box.inner_text()


def test_valley_finds_the_number_of_steps_of_the_chapter(visit):
    seen = visit("descent", "valley").ready()
    assert "A hundredth of the distance after 23 steps." in seen.box.inner_text()
    seen.button("Best with momentum").click()
    settle(seen.page)
    steps = int(re.search(r"after (\d+) steps", seen.box.inner_text())[1])
    assert steps < 23


def test_atlas_agrees_with_the_limit(visit):
    seen = visit("descent", "atlas").ready()
    assert np.isclose(seen.data("factor"), 1 - 0.15 * 10, rtol=1e-12)
    assert "Settles." in seen.box.inner_text()
    seen.box.get_by_role("slider", name="learning rate and curvature").focus()
    for _ in range(10):
        seen.page.keyboard.press("ArrowRight")
    settle(seen.page)
    assert "Runs away." in seen.box.inner_text()


def test_activations_show_value_and_slope_of_the_package(visit):
    seen = visit("activations", "activations").ready()
    for name, (f, f_prime) in nnfp.ACTIVATIONS.items():
        seen.box.locator("select").select_option(name)
        z = np.array([[-1.5]])
        assert np.isclose(seen.data("value"), f(z)[0, 0], rtol=1e-12)
        assert np.isclose(seen.data("slope"), f_prime(z)[0, 0], rtol=1e-12)


def network_start():
    from nnfp.book.figures import explorables

    return explorables.START, explorables.X, explorables.Y


def test_network_trains_like_the_package(visit):
    seen = visit(where("network"), "network", reduced_motion="reduce").ready()
    parameters, X, Y = network_start()
    value, _ = nnfp.loss_and_gradients(parameters, X, Y, hidden="tanh")
    assert np.isclose(seen.data("loss"), value, rtol=1e-12)
    shown = seen.box.inner_text()
    trace = nnfp.forward(parameters, X, hidden="tanh")
    for array in (*trace.Z.values(), trace.A[1]):
        for number in array.ravel():
            assert f"{number:.3f}".replace("-", "−") in shown
    while seen.evaluate("e => e.dataset.step") != "g1":
        seen.button("Step").click()
        settle(seen.page)
    _, gradients = nnfp.loss_and_gradients(parameters, X, Y, hidden="tanh")
    shown = seen.box.inner_text()
    for array in (*gradients.dW.values(), *gradients.delta.values()):
        for number in array.ravel():
            assert f"{number:.3f}".replace("-", "−") in shown
    seen.button("Train × 50").click()
    for _ in range(50):
        _, gradients = nnfp.loss_and_gradients(parameters, X, Y, hidden="tanh")
        parameters = nnfp.sgd_step(parameters, gradients, 0.1)
    value, _ = nnfp.loss_and_gradients(parameters, X, Y, hidden="tanh")
    assert np.isclose(seen.data("loss"), value, rtol=1e-9)
    weights = seen.evaluate("e => e.model.W[1]")
    assert np.allclose(weights, parameters.W[1], rtol=1e-9)


def test_training_in_the_page_is_that_of_the_package(visit):
    seen = visit("network", "train").ready()
    for data, f in [("wave", "tanh"), ("rings", "relu")]:
        seen.box.locator("select").nth(0).select_option(data)
        seen.box.locator("select").nth(2).select_option(f)
        settle(seen.page)
        net, X, Y, lr = seen.evaluate("e => [e.net, e.X, e.Y, e.state.lr]")
        parameters = nnfp.Parameters(
            {l: np.array(net["W"][l]) for l in range(1, len(net["W"]))},
            {l: np.array(net["b"][l], dtype=float) for l in range(1, len(net["b"]))},
        )
        X, Y = np.array(X, dtype=float), np.array(Y, dtype=float)
        for _ in range(20):
            seen.button("One step").click()
            _, gradients = nnfp.loss_and_gradients(parameters, X, Y, hidden=f)
            parameters = nnfp.sgd_step(parameters, gradients, lr)
        value, _ = nnfp.loss_and_gradients(parameters, X, Y, hidden=f)
        assert seen.data("steps") == 20
        assert np.isclose(seen.data("loss"), value, rtol=1e-10)


def test_a_rate_that_is_too_high_is_said_and_not_shown(visit):
    seen = visit("network", "train").ready()
    rate = seen.box.locator("input[type=range]")
    rate.focus()
    rate.press("End")
    seen.button("New weights").click()
    seen.button("Train").click()
    seen.box.get_by_text("Diverged").wait_for()
    seen.sound("diverged")
    assert seen.button("One step").is_disabled()
    seen.button("New weights").click()
    settle(seen.page)
    assert "Diverged" not in seen.box.inner_text()


def test_the_reader_draws_points(visit):
    seen = visit("network", "train").ready()
    seen.button("Clear points").click()
    assert "No points" in seen.box.inner_text()
    pen = seen.box.get_by_role("slider", name="pen")
    pen.focus()
    pen.press("ArrowLeft")
    pen.press("Enter")
    drawing = seen.box.locator(".x-paper")
    box = drawing.bounding_box()
    seen.page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.3)
    assert seen.data("points") == 2
    seen.button("One step").click()
    assert seen.data("steps") == 1
    seen.sound("own points")


# --- movement ---


def test_off_screen_nothing_is_computed(visit):
    seen = visit("network", "train").ready()
    seen.button("Train").click()
    seen.page.wait_for_timeout(250)
    seen.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    seen.page.wait_for_timeout(300)
    before = seen.evaluate("e => e.steps")
    seen.page.wait_for_timeout(300)
    assert before > 0
    assert seen.evaluate("e => e.steps") == before
    seen.place.scroll_into_view_if_needed()
    seen.page.wait_for_timeout(300)
    assert seen.evaluate("e => e.steps") > before


def test_with_reduced_motion_the_end_is_shown_at_once(visit):
    seen = visit("descent", "descent", reduced_motion="reduce").ready()
    seen.button("Play").click()
    settle(seen.page)
    assert seen.button("Step").is_disabled()


def test_playing_walks_step_by_step(visit):
    seen = visit("descent", "descent").ready()
    seen.button("Play").click()
    seen.page.wait_for_timeout(900)
    assert seen.button("Stop").is_visible()
    assert 1 <= seen.evaluate("e => e.state.t") <= 6


def test_explorables_live_through_instant_navigation(visit, address):
    seen = visit("neuron", "neuron").ready()
    seen.page.wait_for_load_state("networkidle")  # the theme takes links over when it has the site map
    mark = seen.page.evaluate("window.mark = Math.random()")
    seen.page.locator('.md-nav a[href$="descent/"]').first.evaluate("a => a.click()")
    seen.page.wait_for_function("location.pathname === '/descent/'")
    place = seen.page.locator('[data-explorable="descent"]')
    place.scroll_into_view_if_needed()
    seen.page.locator("nnfp-descent").wait_for(state="attached")
    seen.page.go_back()
    seen.page.wait_for_function("location.pathname === '/neuron/'")
    seen.place.scroll_into_view_if_needed()
    seen.box.wait_for(state="attached")
    assert seen.page.locator("nnfp-neuron").count() == 1
    assert seen.page.evaluate("window.mark") == mark
    seen.box.get_by_role("slider", name="bias", exact=True).press("ArrowRight")
    assert np.isclose(seen.data("sum"), 6.1)
    assert not seen.errors


def test_a_change_of_theme_reaches_the_canvas(visit):
    seen = visit("descent", "atlas").ready()
    pixel = "e => [...e.canvas.getContext('2d').getImageData(5, 5, 1, 1).data].join()"
    before = seen.evaluate(pixel)
    seen.page.evaluate("document.body.setAttribute('data-md-color-scheme', 'slate')")
    settle(seen.page)
    assert seen.evaluate(pixel) != before


# --- what a reader met once ---


def finger(seen, slider, dx, dy, steps=12):
    """A finger goes down on a handle and draws it away. How far the page scrolled meanwhile."""
    slider.evaluate("e => e.scrollIntoView({ block: 'center' })")
    settle(seen.page)
    box = slider.locator(".x-dot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    top = seen.page.evaluate("scrollY")
    line = seen.context.new_cdp_session(seen.page)
    way = [(x + dx * i / steps, y + dy * i / steps) for i in range(steps + 1)]
    for i, (u, v) in enumerate(way):
        kind = "touchMove" if i else "touchStart"
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": u, "y": v}]})
        seen.page.wait_for_timeout(16)
    line.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(seen.page)
    return seen.page.evaluate("scrollY") - top


@pytest.mark.parametrize(("page", "name"), [("neuron", "neuron"), ("network", "train")])
def test_a_finger_draws_a_handle_up_and_the_page_stays(visit, page, name):
    seen = visit(page, name, width=390, has_touch=True, is_mobile=True).ready()
    handle = seen.box.locator(".x-handle").last
    seen.evaluate(
        """e => e.addEventListener('pointercancel', () => (e.dataset.cancelled = 1), true)"""
    )
    before = handle.get_attribute("aria-valuetext")
    assert finger(seen, handle, 0, -50) == 0
    assert not seen.evaluate("e => e.dataset.cancelled")
    assert handle.get_attribute("aria-valuetext") != before


def test_an_explorable_that_left_and_came_back_at_once_is_awake(visit):
    seen = visit("neuron", "neuron").ready()
    awake = seen.evaluate("""(e) => new Promise((done) => {
      const Real = IntersectionObserver;
      let tell;
      window.IntersectionObserver = class { constructor(f) { tell = f; } observe() {} disconnect() {} };
      e.disconnectedCallback(); e.connectedCallback();
      tell([{ isIntersecting: false }, { isIntersecting: true }]);
      window.IntersectionObserver = Real;
      done(e.awake);
    })""")
    assert awake


@pytest.mark.parametrize(
    ("page", "name"), [("descent", "valley"), ("descent", "atlas"), ("network", "train")]
)
def test_a_slider_shows_the_value_that_holds(visit, page, name):
    seen = visit(page, name).ready()
    slider = seen.box.locator("input[type=range]").first
    slider.press("Home")
    settle(seen.page)
    at = seen.evaluate("e => e.state.lr")
    shown = slider.locator("xpath=..").locator("output").inner_text()
    assert np.isclose(float(shown), at, rtol=0, atol=10 ** -len(shown.partition(".")[2])), (
        shown,
        at,
    )
    assert slider.get_attribute("aria-valuetext") == shown


def test_outputs_beyond_the_picture_are_named_and_make_no_spike(visit):
    seen = visit("activations", "activations").ready()
    seen.box.locator("select").select_option("identity")
    middle, spread = seen.box.locator("input[type=range]").all()
    middle.press("Home")
    spread.press("End")
    settle(seen.page)
    # Of a normal distribution, below a quarter of a spread under its middle.
    assert seen.evaluate("e => e.under.textContent") == "↓ 40 %"
    assert seen.evaluate("e => e.spike.textContent + e.above.textContent") == ""


def test_the_bars_of_the_sigmoid_have_different_lengths(visit):
    seen = visit("activations", "activations").ready()
    seen.box.locator("select").select_option("sigmoid")
    settle(seen.page)
    lengths = seen.evaluate(
        "e => [...e.image.getAttribute('d').matchAll(/L([\\d.]+) /g)].map((m) => +m[1])"
    )
    longest = max(lengths)
    assert sum(at > longest - 0.05 for at in lengths) <= 4


def test_reset_puts_the_activation_back_too(visit):
    seen = visit(where("network"), "network", reduced_motion="reduce").ready()
    loss = seen.data("loss")
    seen.box.locator("select").select_option("relu")
    assert seen.data("loss") != loss
    seen.button("Reset").click()
    assert seen.data("loss") == loss
    assert seen.box.locator("select").input_value() == "tanh"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_network_that_runs_away_says_so(visit, motion):
    seen = visit(where("network"), "network", reduced_motion=motion).ready()
    seen.box.locator("select").select_option("identity")
    seen.box.get_by_role("slider", name="learning rate").press("End")
    seen.button("Train × 50").click()
    seen.box.locator(".x-step", has_text="Diverged").wait_for()
    assert np.abs(np.concatenate(seen.evaluate("e => e.model.W[1]"))).max() < 99
    seen.sound("diverged")


def test_small_losses_have_ticks_that_differ(visit):
    seen = visit(where("network"), "network", reduced_motion="reduce").ready()
    for _ in range(4):
        seen.button("Train × 50").click()
    seen.box.get_by_role("slider", name="bias").last.press("ArrowRight")  # a new curve begins
    for _ in range(9):
        seen.button("Train × 50").click()
    assert seen.data("loss") < 1e-6
    seen.evaluate("e => { e.losses = e.losses.slice(-5); e.request(); }")
    settle(seen.page)
    ticks = seen.evaluate(
        "e => [...e.curve.axes.querySelectorAll('.x-end')].map((t) => t.textContent)"
    )
    assert len(set(ticks)) == len(ticks), ticks


def test_large_values_stay_apart(visit):
    seen = visit(where("network"), "network", reduced_motion="reduce").ready()
    for value in (693, -98.7654, 12345.678):
        wide = seen.evaluate(
            """async (e, value) => {
          for (const l of [1, 2]) for (const row of e.trace.Z[l]) row[0] = value;
          for (const row of e.trace.A[1]) row[0] = value;
          e.draw();
          const ends = (box) => { const r = document.createRange(); r.selectNodeContents(box); return r.getBoundingClientRect(); };
          return [...e.querySelectorAll('.x-values')].map((row) => {
            const [z, a] = [...row.querySelectorAll('.x-cell')].map(ends);
            return a.left - z.right;
          });
        }""",
            value,
        )
        assert min(wide) >= 2, (value, wide)


def test_training_choices_do_not_run_away_at_once(visit):
    """Most pairs of data and network settle at the rate they come with."""
    seen = visit("network", "train").ready()
    data, layers, f = seen.box.locator("select").all()
    for choice in [
        ("parabola", "16,16", "tanh"),
        ("wave", "8", "identity"),
        ("xor", "16", "relu"),
        ("moons", "8,8,8", "silu"),
    ]:
        for select, value in zip((data, layers, f), choice, strict=True):
            select.select_option(value)
        assert not seen.evaluate(
            "e => { for (let n = 0; n < 300; n += 1) e.learn(); return e.broken; }"
        ), choice


def test_the_weights_begin_with_the_scale_of_their_activation(visit):
    """sqrt(2/n) for ReLU, sqrt(1/n) for the others: docs/forward_pass.md."""
    seen = visit("network", "train").ready()
    scale = {}
    for f in ("relu", "tanh"):
        seen.box.locator("select").nth(2).select_option(f)
        settle(seen.page)
        scale[f] = np.array(seen.evaluate("e => e.net.W[1]"))
    assert np.allclose(scale["relu"], np.sqrt(2) * scale["tanh"])


def test_a_press_on_the_pen_adds_a_point_and_a_pull_does_not(visit):
    for options in ({}, {"width": 390, "has_touch": True, "is_mobile": True}):
        seen = visit("network", "train", **options).ready()
        seen.button("Clear points").click()
        pen = seen.box.locator(".x-pen")
        pen.evaluate("e => e.scrollIntoView({ block: 'center' })")
        settle(seen.page)
        box = pen.locator(".x-dot").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if options:
            seen.page.touchscreen.tap(x + 9, y)
        else:
            seen.page.mouse.click(x + 9, y)
        assert seen.data("points") == 1
        seen.page.mouse.move(x, y)
        seen.page.mouse.down()
        seen.page.mouse.move(x + 40, y - 20, steps=4)
        seen.page.mouse.up()
        assert seen.data("points") == 1


def test_the_most_points_are_said(visit):
    seen = visit("network", "train").ready()
    seen.evaluate(
        "e => { for (let k = 0; k < 400; k += 1) e.add(Math.sin(k), Math.cos(1.7 * k)); }"
    )
    assert seen.data("points") == 300
    assert "300 points: there is room for no more." in seen.box.inner_text()
    seen.button("One step").click()
    settle(seen.page)
    assert "no more" not in seen.box.locator(".x-step").inner_text()


def test_with_reduced_motion_training_shows_its_end(visit):
    seen = visit("network", "train", reduced_motion="reduce").ready()
    before = seen.data("steps")
    seen.button("Train").click()
    assert seen.data("steps") == before + 300
    assert seen.evaluate("e => !e.playing")


@pytest.mark.parametrize("scheme", ["default", "slate"])
@EVERY
def test_buttons_can_be_read_under_the_mouse(visit, page, name, scheme):
    seen = visit(page, name, reduced_motion="reduce").ready()
    seen.page.evaluate("(s) => document.body.setAttribute('data-md-color-scheme', s)", scheme)
    settle(seen.page)
    for button in seen.box.locator(".x-button").all():
        if not (button.is_visible() and button.is_enabled()):
            continue
        button.hover()
        contrast = button.evaluate("""(e) => {
          const c = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
          const light = (colour) => {
            c.fillStyle = colour; c.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...c.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
          };
          const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(e).backgroundColor)];
          return Math.max(a / b, b / a);
        }""")
        assert contrast >= 4.5, (button.inner_text(), contrast)


@EVERY
def test_no_frame_around_a_handle_that_the_mouse_holds(visit, page, name):
    seen = visit(page, name).ready()
    if seen.button("Reset").count():
        seen.button("Reset").click()  # from now on the focus is that of a mouse
    handles = [handle for handle in seen.box.locator(".x-handle").all() if handle.is_visible()]
    for handle in handles:
        handle.scroll_into_view_if_needed()
        box = handle.locator(".x-dot").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        look = "e => [getComputedStyle(e).outlineStyle, getComputedStyle(e.querySelector('.x-ring')).stroke]"
        seen.page.mouse.move(x, y)
        seen.page.mouse.down()
        seen.page.mouse.move(x + 12, y - 5, steps=3)
        assert handle.evaluate(look) == ["none", "none"]
        seen.page.mouse.up()
        assert handle.evaluate(look)[0] == "none"
    if handles:
        handles[-1].focus()
        seen.page.keyboard.press("ArrowLeft")
        outline, ring = handles[-1].evaluate(look)
        assert outline == "none" and ring != "none"


def test_the_step_button_stays_where_it_is(visit):
    seen = visit("descent", "descent").ready()
    top = "e => e.querySelector('.is-main').getBoundingClientRect().top - e.getBoundingClientRect().top"
    places = set()
    for rate in (0.25, 0.5, 1.0, 1.25):
        for t in (0, 1, 19):
            seen.evaluate("(e, at) => e.put(at)", {"x0": -1.7, "lr": rate, "t": t})
            settle(seen.page)
            places.add(round(seen.evaluate(top)))
    assert len(places) == 1, places
    for width in (390, 1280):
        seen = visit(where("network"), "network", width=width, reduced_motion="reduce").ready()
        places = set()
        for at in range(10):
            seen.evaluate("(e, at) => e.go(at)", at)
            settle(seen.page)
            places.add(round(seen.evaluate(top)))
        assert len(places) == 1, (width, places)


def test_the_atlas_shows_on_which_side_of_the_limit_it_is(visit):
    seen = visit("descent", "atlas").ready()
    for lr, c, factor, verdict in [
        (0.01, 0.1, "1 − 0.0100 · 0.100 = 0.9990", "Settles."),
        (0.2, 10, "1 − 0.200 · 10.0 = −1.00", "On the limit"),
        (0.201, 10, "= −1.010", "Runs away."),
        (0.127, 15.7, "= −0.9939", "Settles."),
    ]:
        seen.evaluate("(e, at) => e.put(at)", {"lr": lr, "c": c})
        settle(seen.page)
        text = seen.box.inner_text()
        assert factor in text and verdict in text, (lr, c, text)


def test_descent_that_starts_at_the_minimum_stays(visit):
    seen = visit("descent", "descent").ready()
    seen.evaluate("e => e.put({ x0: 2 })")
    settle(seen.page)
    assert "Starts at the minimum" in seen.box.inner_text()
    assert "Overshoots" not in seen.box.inner_text()


@EVERY
def test_formulas_can_be_read_on_a_telephone(visit, page, name):
    seen = visit(page, name, width=390, has_touch=True, is_mobile=True).ready()
    small = seen.evaluate("""(e) => [...e.querySelectorAll('.x-m *')].filter((t) => t.getClientRects().length && !t.children.length && !t.closest('svg'))
      .map((t) => [t.textContent, parseFloat(getComputedStyle(t).fontSize)]).filter(([, size]) => size < 8.9)""")
    assert not small


def test_a_frame_of_training_stops_when_its_time_is_up(visit):
    """A clock that leaps: each frame may take one step of descent and look at one row, no more."""
    seen = visit("network", "train").ready()
    choice = ("spiral", "16,16", "tanh")
    for select, value in zip(seen.box.locator("select").all(), choice, strict=True):
        select.select_option(value)
    steps, rows = seen.evaluate("""(e) => {
      const [clock, play] = [performance.now, e.play];
      let time = 0;
      e.play = (step) => (e.frame = step);
      performance.now = () => (time += 100);
      e.toggle();
      for (let n = 0; n < 6; n += 1) e.frame();
      Object.assign(performance, { now: clock });
      e.play = play;
      return [e.steps, e.sweep?.rows.length];
    }""")
    assert (steps, rows) == (6, 3)
