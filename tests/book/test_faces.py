"""Promises of scripts/fetch_assets.py: a face cut in two loses no character and has a name of its own."""

import re
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import fetch_assets  # noqa: E402

KATEX = sorted((ROOT / "node_modules" / "katex" / "dist" / "fonts").glob("*.woff2"))
TEXT = sorted((ROOT / "node_modules" / "@fontsource-variable").glob("source-*/files/*-latin-wght-*.woff2"))
TEXT = [path for path in TEXT if path.name.startswith(tuple(fetch_assets.FACES))]


def characters(path: Path) -> set[int]:
    return set(TTFont(path).getBestCmap())


def asked() -> dict[str, set[int]]:
    """File -> the characters for which the style sheets ask for it."""
    css = (fetch_assets.VENDOR / "katex" / "katex.min.css").read_text() + (fetch_assets.VENDOR / "fonts" / "fonts.css").read_text()
    rules = re.findall(r"url\((?:fonts/)?([\w.-]+\.(?:core|rest)\.woff2)\)[^}]*unicode-range:([^};]*)", css)
    ends = {file: [[int(end, 16) for end in part[2:].split("-")] for part in ranges.split(",")] for file, ranges in rules}
    return {file: {c for part in parts for c in range(part[0], part[-1] + 1)} for file, parts in ends.items()}


@pytest.mark.parametrize("path", KATEX + TEXT, ids=lambda path: path.stem)
def test_the_two_parts_have_every_character_once(path):
    folder = fetch_assets.VENDOR / ("katex/fonts" if path in KATEX else "fonts")
    parts = {file: these for file, these in asked().items() if file.startswith(f"{path.stem}.")}
    assert set(parts) == {part.name for part in folder.glob(f"{path.stem}.*.woff2")}
    assert set().union(*parts.values()) == characters(path) and sum(map(len, parts.values())) == len(characters(path))
    for file, these in parts.items():
        assert these <= characters(folder / file)


def test_ranges_are_written_short():
    assert fetch_assets.ranges({0x20, 0x21, 0x22, 0xA0}) == "U+20-22,U+A0"


@pytest.mark.parametrize("path", TEXT, ids=lambda path: path.stem)
def test_what_is_cut_is_not_named_after_the_source(path):
    for part in ("core", "rest"):
        font = TTFont(fetch_assets.VENDOR / "fonts" / f"{path.stem}.{part}.woff2")
        names = {record.nameID: record.toUnicode() for record in font["name"].names}
        assert names[1] in fetch_assets.FACES.values() and not any("Source" in names[k] for k in (1, 4, 6))
        assert "Adobe" in names[0] and re.search("OFL|openfontlicense", names[14])
        axes = [(axis.minValue, axis.maxValue) for axis in font["fvar"].axes] if "fvar" in font else []
        assert axes == ([] if "italic" in path.stem else [fetch_assets.WEIGHTS["normal"]])
