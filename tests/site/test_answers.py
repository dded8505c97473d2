"""Exercises that answer back, on the built site: every grader of every page, the forms, what is kept."""

import gzip
import json
import time
from pathlib import Path

import pytest

from nnfp.book import answers
from nnfp.book.reading import Book

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "docs" / "javascripts" / "answers.js"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = [page for page in Book().pages if answers.answers(page)]
COUNT = sum(len(answers.answers(page)) for page in PAGES)

# Types every right and every listed wrong answer of a page into its form and reads what is said.
EVERY = """() => [...document.querySelectorAll('form.answer')].map((form) => {
  const spec = JSON.parse(form.dataset.answer);
  const say = (text) => {
    const input = form.querySelector('input[type=text]');
    if (input) input.value = text;
    else for (const radio of form.querySelectorAll('input[type=radio]')) radio.checked = radio.value === text;
    form.requestSubmit();
    const output = form.querySelector('output');
    return [text, output.dataset.kind, output.textContent.replace(/^[✓✗] /, '')];
  };
  return [form.dataset.key, spec.wrong.map(([slip]) => say(slip)), [spec.right, ...spec.also].map(say),
          form.classList.contains('is-solved'), getComputedStyle(form).display];
})"""
READY = "() => window.nnfpAnswers && !document.querySelector('form.answer:not([data-live])')"


def address_of(page, address):
    stem = page.home.removesuffix(".md").removesuffix("index")
    return f"{address}{stem.rstrip('/')}/"


@pytest.fixture
def visit(chromium):
    opened = []

    def go(url, width=1280, scheme="light", scripts=(), **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        for script in scripts:
            context.add_init_script(script)
        opened.append(context)
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(url)
        if options.get("java_script_enabled", True):
            page.wait_for_function(READY)
        return page

    yield go
    for context in opened:
        context.close()


def test_the_script_is_under_13_kilobytes():
    assert len(gzip.compress(SCRIPT.read_bytes(), 6, mtime=0)) < 13_000


def test_every_grader_of_every_page(chromium, address):
    context, seen = chromium.new_context(), 0
    # only the grader is of interest here: no style, no fonts, no other script
    context.route(
        lambda url: not url.endswith(("/", "nnfp.js", "answers.js")), lambda route: route.abort()
    )
    sheet = context.new_page()
    for page in PAGES:
        sheet.goto(address_of(page, address), wait_until="domcontentloaded")
        sheet.wait_for_function(READY)
        forms = sheet.evaluate(EVERY)
        blocks = answers.answers(page)
        assert [form[0] for form in forms] == [
            f"{page.home.removesuffix('.md')}#{b.id}" for b in blocks
        ]
        for block, (key, slips, rights, solved, _) in zip(blocks, forms, strict=True):
            for (text, kind, said), (slip, hint) in zip(slips, block.wrong, strict=True):
                assert (text, kind, said) == (slip, "slip", hint.replace("`", "")), key
            for text, kind, said in rights:
                assert kind == "right", f"{key}: {text}: {said}"
            assert solved
            seen += 1
    context.close()
    assert seen == COUNT >= 60


def test_nothing_is_loaded_where_nothing_is_asked(chromium, address):
    context = chromium.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url.rsplit("/")[-1]))
    page.goto(address)
    page.wait_for_timeout(200)
    assert "nnfp.js" in asked and "answers.js" not in asked
    page.goto(f"{address}layer/")
    page.wait_for_function(READY)
    assert "answers.js" in asked
    context.close()


@pytest.mark.parametrize(
    "text, said",
    [
        ("-(W @ data.T + b)", "the sign is not"),
        ("3 * (W @ data.T + b)", "It is 3 times too large"),
        ("W @ data.T", "Not yet: the shape is right"),
        ("W @ data.T + c", "name 'c' is not defined; you have W, data, b"),
        ("W @ data.T +", "Something is missing at the end"),
        ("W @ np.ones(3)", "NumPy would say: matmul"),
        (
            "(W @ data.T + b).sum(axis=1)",
            "should be an array of shape (2, 2), yours is an array of shape (2,)",
        ),
    ],
)
def test_what_is_not_listed_is_diagnosed(visit, address, text, said):
    page = visit(f"{address}layer/")
    form = page.locator("[data-key='layer#exercise-the-mistake-that-no-shape-shows']")
    form.locator("input").fill(text)
    form.locator("input").press("Enter")
    assert said in form.locator("output").inner_text()
    assert not page.errors and not page.url.endswith("#")


@pytest.mark.parametrize(
    "key, text, said",
    [
        ("backpropagation#exercise-a-weight-used-twice", "dW", "say which layer, as in dW[1]"),
        (
            "backpropagation#exercise-a-weight-used-twice",
            "np.kron(np.ones((999, 999)), np.ones((999, 999)))",
            "too much",
        ),
        (
            "backpropagation#exercise-a-weight-used-twice",
            "np.zeros((999, 999)) @ np.ones((999, 999))",
            "too much",
        ),
    ],
)
def test_every_answer_gets_a_reply_at_once(visit, address, key, text, said):
    page = visit(f"{address}{key.partition('#')[0]}/")
    form = page.locator(f"[data-key='{key}']")
    form.locator("input").fill(text)
    began = time.monotonic()
    form.locator("input").press("Enter")
    form.locator("output", has_text=said).wait_for(timeout=3000)
    assert time.monotonic() - began < 2 and not page.errors


def test_the_solution_is_offered_after_two_slips_or_the_right_answer(visit, address):
    page = visit(f"{address}layer/", has_touch=True, is_mobile=True, width=390)
    form = page.locator("[data-key='layer#exercise-shapes-first']")
    for answer in ("(11, 5)", "(11, 5)"):
        assert form.get_by_role("button", name="Open the solution").count() == 0
        form.locator("input").fill(answer)
        form.get_by_role("button", name="Check").tap()
    form.get_by_role("button", name="Open the solution").tap()
    assert page.evaluate("document.activeElement.parentElement.open")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Solution"


def test_what_was_solved_is_kept_listed_saved_and_cleared(visit, address):
    page = visit(f"{address}layer/")
    form = page.locator("[data-key='layer#exercise-shapes-first']")
    form.locator("input").fill("5 x 11")
    form.locator("input").press("Enter")
    page.reload()
    page.wait_for_function(READY)
    assert form.locator("input").input_value() == "5 x 11"
    assert "is-solved" in form.get_attribute("class")
    page.goto(f"{address}reference/progress/")
    panel = page.locator(".answers-panel")
    panel.get_by_text(f"1 of {COUNT} exercises solved").wait_for()
    assert page.locator("[data-state=solved]").inner_text() == "Shapes first"
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save as a file").press("Enter")
    saved = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert saved == {"layer#exercise-shapes-first": {"answer": "5 x 11", "solved": True}}
    panel.get_by_role("button", name="Clear").press("Enter")
    assert page.evaluate("localStorage.getItem('nnfp-answers')")
    panel.get_by_role("button", name="sure?").press("Enter")
    assert f"0 of {COUNT}" in panel.inner_text()
    assert page.evaluate("localStorage.getItem('nnfp-answers')") is None
    assert not page.errors


def test_it_works_where_nothing_may_be_kept(visit, address):
    deny = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } });"
    )
    page = visit(f"{address}layer/", scripts=[deny])
    form = page.locator("[data-key='layer#exercise-shapes-first']")
    form.locator("input").fill("(5, 11)")
    form.locator("input").press("Enter")
    assert form.locator("output").inner_text().endswith("Right.")
    assert "is-solved" in form.get_attribute("class")


def test_it_works_with_instant_navigation(visit, address):
    page = visit(f"{address}layer/")
    page.evaluate("window.stayed = true")
    page.locator(".md-nav--primary a[href$='neuron/']").first.click()
    form = page.locator("[data-key='neuron#exercise-one-neuron-by-hand']")
    form.locator("input").fill("2.5")
    form.locator("input").press("Enter")
    assert "That is the sum." in form.locator("output").inner_text()
    assert page.evaluate("window.stayed")


def test_without_scripts_there_is_no_form(visit, address):
    page = visit(f"{address}layer/", java_script_enabled=False)
    assert page.locator("form.answer").count() == 4
    assert not page.locator("form.answer").first.is_visible()
    assert page.locator("details.success summary").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["layer/", "network/", "reference/progress/"])
def test_forms_are_accessible_and_fit_a_telephone(visit, address, where, scheme):
    page = visit(f"{address}{where}", width=390, scheme=scheme)
    page.evaluate(EVERY)
    page.add_script_tag(path=str(AXE))
    found = page.evaluate(
        """async () => (await axe.run('form.answer, .answers-panel, .answers-panel ~ ul'.split(', ')
          .filter((s) => document.querySelector(s)).map((s) => [s]).reduce((c, s) => ({ include: [...c.include, s] }),
          { include: [] }))).violations.map((v) => [v.id, v.nodes[0].html])"""
    )
    assert not found
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """() => [...document.querySelectorAll('form.answer :is(button, input[type=text]), .answers-panel button')]
          .map((e) => e.getBoundingClientRect()).filter((r) => r.height < 24 || r.width < 24).length"""
    )
    assert not small
