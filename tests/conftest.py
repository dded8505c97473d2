"""Which tests can run here: those with a witness or a browser are left out with a notice.

REQUIRE_WITNESS=1 and REQUIRE_BROWSER=1, as in .ci/run, turn leaving out into a failure.
"""

import importlib.util
import os
import shutil

import pytest
from hypothesis import settings

# The same examples on every run: a failure can be repeated, and mutation scores do not wander.
settings.register_profile("book", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("book")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = {
    "witness": "PyTorch, JAX and scikit-learn are not all installed: make witness",
    "browser": "no Chromium or Chrome was found; on Debian: apt-get install chromium",
}


def browser() -> str | None:
    """Path of a Chromium or Chrome, CHROME_PATH first."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found or importlib.util.find_spec("playwright") is None:
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def present(kind: str) -> bool:
    if kind == "witness":
        return all(map(importlib.util.find_spec, ("torch", "jax", "sklearn")))
    return browser() is not None


def pytest_collection_modifyitems(config, items):
    for kind, how in HOW.items():
        marked = [item for item in items if item.get_closest_marker(kind)]
        if not marked or present(kind):
            continue
        if os.environ.get(f"REQUIRE_{kind.upper()}"):
            pytest.exit(f"REQUIRE_{kind.upper()} is set, but {how}", returncode=1)
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=how))


def pytest_collection_finish(session):
    """Groups share what is costly, such as a look at every page: they must reach xdist."""
    if hasattr(session.config, "workerinput") and session.config.getvalue("loadgroup"):
        grouped = [item for item in session.items if item.get_closest_marker("xdist_group")]
        if any("@" not in item.nodeid for item in grouped):
            pytest.exit("pytest-xdist does not see the groups: which pytest is this?", returncode=1)


def pytest_terminal_summary(terminalreporter):
    left_out = terminalreporter.stats.get("skipped", [])
    for how in HOW.values():
        number = sum(how in str(report.longrepr) for report in left_out)
        if number:
            terminalreporter.write_line(f"left out {number} tests: {how}", yellow=True)
    for report in (r for reports in terminalreporter.stats.values() for r in reports if hasattr(r, "user_properties")):
        for name, why in report.user_properties:
            if name == "tried twice" and report.when == "call":
                terminalreporter.write_line(f"tried twice: {report.nodeid}: {' '.join(why.split())}", yellow=True)
