"""What chapters and figures look like is what was looked at: small pictures of them, compared with a tolerance."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnfp.book.opening import chapters
from nnfp.book.reading import Book

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import shots  # noqa: E402

CHAPTERS = list(chapters(Book(ROOT)))
browsing = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("stem", "screen"),
    [
        pytest.param(stem, screen, marks=[*browsing, pytest.mark.xdist_group(f"shots-{number % 2}")])
        for number, stem in enumerate(CHAPTERS)
        for screen in shots.SCREENS
    ],
)
def test_it_looks_as_it_did(stem, screen, chromium, address):
    wrong, count = {}, 0
    for name, image in shots.shots(chromium, address, stem, screen):
        count += 1
        if message := shots.compare(name, image):
            wrong[name] = message
    figures = next(len(page.figures) for page in Book(ROOT).pages if page.home == f"{stem}.md")
    assert count == 1 + figures, "not every figure was seen"
    assert not wrong, f"{wrong}: look at them with `make shots-diff`; if they are right, `make shots`"


def test_nothing_is_kept_of_what_is_not_there():
    stems = {path.stem.partition(".")[0] for path in shots.KEPT.glob("*.webp")}
    assert stems == set(CHAPTERS)


def page_like(rng) -> Image.Image:
    """Bands of grey on white, and a box."""
    image = np.full((400, 160, 3), 255, np.uint8)
    for row in range(10, 390, 4):
        image[row : row + 2, 20 : 90 + int(rng.integers(50))] = 200
    image[150:200, 20:140] = 90
    return Image.fromarray(image)


def test_a_shift_by_a_pixel_is_no_difference_and_a_lost_box_is():
    old = page_like(np.random.default_rng(0))
    array = np.asarray(old)
    assert shots.difference(old, old)[0] == ""
    assert shots.difference(old, Image.fromarray(np.roll(array, 1, axis=0)))[0] == ""
    lost = array.copy()
    lost[150:200, 20:140] = 255
    assert "differ" in shots.difference(old, Image.fromarray(lost))[0]
    assert "differ" in shots.difference(old, Image.fromarray(255 - array))[0]
    assert shots.difference(old, old.crop((0, 0, 160, 360)))[0] == "was 160 x 400, is 160 x 360"
    assert shots.difference(old, old.crop((0, 0, 120, 400)))[0] == "was 160 x 400, is 120 x 400"
