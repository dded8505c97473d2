"""Run, Stop and Edit below a snippet, in a browser: one page, one start of Python."""

import os
import re

import pytest

from nnfp.book import runtime
from tests.site.test_pages import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("run")]

PAGE = "layer/"
READY = 60_000  # ms until Python has been loaded and has run


@pytest.fixture(scope="module")
def visit(chromium, address, site):
    why = runtime.absent(site)
    if why and os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"no Python for the browser on the site: {why}")
    if why:
        pytest.skip(f"no Python for the browser on the site: {why}; make setup fetches it")
    visit = Visit(chromium, address, 390, "dark")
    visit.asked = []
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    visit.context.on("weberror", lambda error: visit.errors.append(str(error.error)))
    visit.open(PAGE)
    yield visit
    visit.context.close()


def bar(visit, number):
    return visit.page.locator(f'[data-snippet-bar="{number}"]')


def verdict(visit, number, kind):
    place = bar(visit, number).locator(f'.run-verdict[data-kind="{kind}"]')
    place.wait_for(timeout=READY)
    return place.text_content()


def output(visit, number):
    return bar(visit, number).locator(".run-output").text_content()


def edit(visit, number, text):
    if bar(visit, number).locator("[data-run=reset]").count():
        bar(visit, number).locator("[data-run=reset]").click()
    bar(visit, number).locator("[data-run=edit]").click()
    editor = visit.page.locator(f'[data-snippet="{number}"] textarea')
    editor.fill(text)
    return editor


def last(visit):
    return visit.page.locator("[data-snippet-bar]").count()


def test_nothing_is_loaded_before_the_click(visit):
    visit.page.wait_for_timeout(300)
    assert not [url for url in visit.asked if re.search(r"pyodide|run\.js|run_worker|nnfp\.zip", url)]
    assert visit.page.locator('[data-run="run"]').count() == last(visit) > 5


def test_a_click_runs_the_snippet_and_the_earlier_ones_and_it_agrees(visit):
    number = 3
    bar(visit, number).locator("[data-run=run]").tap()
    assert verdict(visit, number, "agrees") == "Agrees with the page."
    shown = visit.page.locator(f'[data-snippet="{number}"] pre > code').text_content()
    assert [t.split() for t in output(visit, number).split("\n")[:-1]] == [
        line.removeprefix("#>").split() for line in shown.split("\n") if line.startswith("#>")
    ]
    assert bar(visit, number).locator("[role=status]").count() == 1
    assert any(url.endswith(".whl") for url in visit.asked)


def test_an_edit_runs_by_keyboard_and_the_difference_is_told(visit):
    editor = edit(visit, 3, "import numpy as np\nprint(np.arange(3))\n")
    assert "#>" not in editor.input_value()
    editor.press("Control+Enter")
    assert verdict(visit, 3, "differs").startswith("Differs from the page in line 1 of the output")
    assert output(visit, 3) == "[0 1 2]\n"
    bar(visit, 3).locator("[data-run=reset]").click()
    visit.page.locator('[data-snippet="3"] pre > code').wait_for(timeout=2000)
    bar(visit, 3).locator("[data-run=run]").press("Enter")
    assert verdict(visit, 3, "agrees") == "Agrees with the page."


def test_an_error_shows_the_line_and_the_advice(visit):
    edit(visit, 3, "import numpy as np\nfrom nnfp import relu\nz = [1, 2]\nrelu(z)\n").press("Control+Enter")
    assert verdict(visit, 3, "error") == "Failed."
    lines = output(visit, 3).split("\n")
    assert lines[0] == "line 4: relu(z)" and "activations.py" in lines[1] and "np.array" in lines[2]
    assert "pyodide" not in output(visit, 3) and len(lines) == 3


def test_what_the_reader_changed_in_an_earlier_snippet_counts(visit):
    edit(visit, 1, "raise ValueError('on purpose')")
    bar(visit, 2).locator("[data-run=run]").click()
    assert "An earlier snippet of the page, number 1" in verdict(visit, 2, "error")
    assert output(visit, 2).startswith("snippet 1, line 1: raise ValueError")
    bar(visit, 1).locator("[data-run=reset]").click()


def test_stop_ends_what_would_run_for_ever(visit):
    edit(visit, 1, "while True:\n    pass\n")
    bar(visit, 1).locator("[data-run=run]").click()
    bar(visit, 1).locator(".run-verdict", has_text="Running").wait_for(timeout=READY)
    bar(visit, 1).locator("[data-run=stop]").click()
    assert verdict(visit, 1, "stopped") == "Stopped."
    bar(visit, 1).locator("[data-run=reset]").click()
    bar(visit, 1).locator("[data-run=run]").click()
    assert "age" in verdict(visit, 1, "agrees"), "and Python starts anew"


def test_what_was_printed_before_an_endless_loop_is_seen_and_stays(visit):
    edit(visit, 1, "print('start')\nfor k in range(2):\n    print(k)\n    while k:\n        pass\n").press("Control+Enter")
    bar(visit, 1).locator(".run-output", has_text="start\n0\n1").wait_for(timeout=READY)
    bar(visit, 1).locator("[data-run=stop]").click()
    assert verdict(visit, 1, "stopped") == "Stopped." and output(visit, 1).split() == ["start", "0", "1"]
    bar(visit, 1).locator("[data-run=reset]").click()


def test_stop_ends_one_snippet_and_those_that_wait_run(visit):
    edit(visit, 3, "while True:\n    pass\n").press("Control+Enter")
    bar(visit, 3).locator(".run-verdict", has_text="Running, with").wait_for(timeout=READY)
    for number in (1, 2):
        bar(visit, number).locator("[data-run=run]").click()
        assert "Waits" in verdict(visit, number, "busy")
    bar(visit, 2).locator("[data-run=stop]").click()
    assert verdict(visit, 2, "stopped") == "Stopped."
    assert "Running" in verdict(visit, 3, "busy") and "Waits" in verdict(visit, 1, "busy")
    bar(visit, 3).locator("[data-run=stop]").click()
    assert verdict(visit, 3, "stopped") == "Stopped."
    assert "age" in verdict(visit, 1, "agrees")
    bar(visit, 3).locator("[data-run=reset]").click()


def test_reset_takes_the_verdict_on_the_edited_code_away(visit):
    edit(visit, 1, "print('mine')\n").press("Control+Enter")
    verdict(visit, 1, "differs")
    bar(visit, 1).locator("[data-run=reset]").click()
    assert bar(visit, 1).locator(".run-result").count() == 0
    edit(visit, 1, "while True:\n    pass\n").press("Control+Enter")
    bar(visit, 1).locator(".run-verdict", has_text="Running").wait_for(timeout=READY)
    bar(visit, 1).locator("[data-run=reset]").click()
    assert bar(visit, 1).locator(".run-result").count() == 0
    bar(visit, 1).locator("[data-run=run]").click()
    assert "age" in verdict(visit, 1, "agrees")


def test_it_fits_a_narrow_page_and_instant_navigation(visit):
    edit(visit, 3, "print('long ' * 60)\n").press("Control+Enter")
    verdict(visit, 3, "differs")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = visit.page.evaluate("[...document.querySelectorAll('.run button')].map(b => b.offsetHeight)")
    assert min(sizes) >= 24
    visit.page.evaluate("document.querySelector('.md-footer__link--prev').click()")
    visit.page.wait_for_url("**/neuron/")
    bar(visit, 1).locator("[data-run=run]").click()
    assert "page" in verdict(visit, 1, "agrees")
    assert not visit.foreign and not visit.errors


def test_axe_finds_nothing_wrong_with_it(visit):
    from tests.site.test_pages import AXE

    visit.page.add_script_tag(path=str(AXE))
    edit(visit, 2, "print(1)")
    found = visit.page.evaluate("axe.run('.run, .is-edited').then(r => r.violations.map(v => [v.id, v.nodes[0].html]))")
    assert not found


def test_without_scripts_there_are_no_buttons(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    assert not page.locator(".run").first.is_visible()
    context.close()
