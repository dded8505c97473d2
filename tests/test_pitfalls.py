"""Promises of docs/pitfalls/: every mistake is run, measured and caught."""

import pathlib
import re

import pytest

PAGES = pathlib.Path(__file__).parent.parent / "docs" / "pitfalls"


def entries(page):
    """(heading, text) of every mistake on a page."""
    parts = re.split(r"^## (.+)$", (PAGES / page).read_text(encoding="utf-8"), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


@pytest.mark.parametrize("page", ["code.md", "mathematics.md"])
def test_every_mistake_is_run_measured_and_caught(page):
    for heading, text in entries(page):
        assert "```python" in text, f"{heading}: no code runs"
        assert "#> " in text, f"{heading}: no output is compared"
        assert "**By how much:**" in text, heading
        assert "**Caught by:**" in text, heading


def test_every_claim_is_run_and_corrected():
    for heading, text in entries("claims.md"):
        assert "```python" in text and "#> " in text, heading
        assert "**What holds:**" in text, heading


def test_the_map_counts_what_is_there():
    assert len(entries("code.md")) == 13
    assert len(entries("mathematics.md")) == 13
    assert len(entries("claims.md")) == 9
