#!/usr/bin/env python3
"""What every chapter and every figure looks like, in both themes and two widths: kept small, and compared.

    python scripts/shots.py update [--site-dir site] [CHAPTERS]   keep what the site shows now: `make shots`
    python scripts/shots.py show   [--site-dir site] [CHAPTERS]   write old, new and difference: `make shots-diff`

A browser draws the page at a quarter of its size. Figures are kept so, chapters at an eighth, where a line of
text is a grey band and a code block a darker one: enough to see that something is missing, moved, cut or in the
wrong colour, little enough to keep in the repository. tests/site/test_shots.py compares. What moves by itself is
left out: the moving figures keep their drawing.
"""

import argparse
import functools
import http.server
import io
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "tests" / "site" / "shots"
SCREENS = {
    "desktop-light": (1280, "light"), "desktop-dark": (1280, "dark"),
    "phone-light": (390, "light"), "phone-dark": (390, "dark"),
}  # fmt: skip
QUARTER, AGAIN = 0.25, 2  # the browser's scale, and how much smaller a chapter is kept
QUALITY = 60
# A browser of another version may set a line differently and sets letters a little darker or lighter.
HEIGHT = 0.02  # of a chapter's height
NOTICED = 24  # of 255, between the means of a few pixels
SHARE = 0.02  # of an image's pixels may differ by more than that

STILL = """async () => {
  for (const image of document.querySelectorAll('article img')) image.loading = 'eager';
  await Promise.all([...document.querySelectorAll('article img')].map(i => i.decode().catch(() => 0)));
  // `document.fonts.ready` may be true before a face is asked for, and the text not be drawn yet.
  await Promise.all([...document.fonts].map(face => face.load().catch(() => 0)));
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  for (const box of document.querySelectorAll('.md-header, .md-sidebar, .md-top, .md-footer')) box.style.opacity = 0;
  window.scrollTo(0, 0);
}"""


def picture(data: bytes, times: int = 1) -> Image.Image:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    size = max(1, round(image.width / times)), max(1, round(image.height / times))
    return image.resize(size, Image.Resampling.BOX) if times > 1 else image


def shots(engine, address: str, stem: str, screen: str) -> Iterator[tuple[str, Image.Image]]:
    """Name and picture of a chapter and of each of its figures."""
    width, scheme = SCREENS[screen]
    context = engine.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=QUARTER, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        page.route("**/explorables/*.js", lambda route: route.abort())
        page.route("**/stylesheets/book.css", wait_for_faces)
        page.goto(f"{address}{stem}/", wait_until="load")
        page.evaluate(STILL)
        whole, before = page.screenshot(full_page=True, animations="disabled"), b""
        for _ in range(5):  # on a busy machine the first may be taken too early
            if whole == before:
                break
            page.wait_for_timeout(100)
            whole, before = page.screenshot(full_page=True, animations="disabled"), whole
        yield f"{stem}.{screen}", picture(whole, AGAIN)
        for number, figure in enumerate(page.locator("article figure.figure").all(), 1):
            if figure.is_visible():
                yield f"{stem}.figure-{number}.{screen}", picture(figure.screenshot(animations="disabled"))
    finally:
        context.close()


def wait_for_faces(route) -> None:
    """A reader does not wait for the faces of the text; a picture must, or it shows others now and then."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("font-display:optional", "font-display:block"))


def kept(name: str) -> Path:
    return KEPT / f"{name}.webp"


def keep(name: str, image: Image.Image) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    image.save(kept(name), "WEBP", quality=QUALITY, method=6)


def difference(old: Image.Image, new: Image.Image) -> tuple[str, Image.Image]:
    """What is wrong, "" if nothing is; and where: old and new on top of each other, what differs in red."""
    tall = abs(old.height - new.height)
    if tall > max(2, HEIGHT * old.height) or abs(old.width - new.width) > 2:
        return f"was {old.width} x {old.height}, is {new.width} x {new.height}", new
    one, two = (np.asarray(image.resize(old.size, Image.Resampling.BOX), float) for image in (old, new))
    apart = np.abs(soft(one) - soft(two)).max(axis=2)
    share = float((apart > NOTICED).mean())
    shown = two.copy()
    shown[apart > NOTICED] = (220, 30, 30)
    message = f"{100 * share:.1f} % of it differ, more than {100 * SHARE:.0f} %" if share > SHARE else ""
    return message, Image.fromarray(shown.astype(np.uint8))


def soft(image: np.ndarray) -> np.ndarray:
    """Means over three by three pixels: a shift by one is no difference."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = image.shape[:2]
    return sum(padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)) / 9


def compare(name: str, image: Image.Image) -> str:
    if not kept(name).is_file():
        return "is new: look at it, then `make shots`"
    with Image.open(kept(name)) as old:
        return difference(old.convert("RGB"), image)[0]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("update", "show"))
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--site-dir", type=Path, default=ROOT / "site")
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / "shots", help="where show writes")
    options = parser.parse_args()
    from nnfp.book.offline import chromium
    from nnfp.book.opening import chapters
    from nnfp.book.reading import Book

    stems = options.chapters or list(chapters(Book(ROOT)))
    if options.what == "show":
        shutil.rmtree(options.to, ignore_errors=True)
        options.to.mkdir(parents=True)
    seen, rows = set(), []
    with served(options.site_dir.resolve()) as address, chromium() as engine:
        for stem in stems:
            for screen in SCREENS:
                for name, image in shots(engine, address, stem, screen):
                    seen.add(name)
                    if options.what == "update":
                        if compare(name, image):
                            keep(name, image)
                            print("kept", name)
                    elif message := compare(name, image):
                        image.save(options.to / f"{name}.new.png")
                        row = [f"<h2>{name}: {message}</h2>", f'<img src="{name}.new.png" alt="now">']
                        if kept(name).is_file():
                            with Image.open(kept(name)) as old:
                                old = old.convert("RGB")
                                old.save(options.to / f"{name}.old.png")
                                difference(old, image)[1].save(options.to / f"{name}.difference.png")
                            row[1:1] = [f'<img src="{name}.old.png" alt="before">']
                            row += [f'<img src="{name}.difference.png" alt="difference">']
                        rows.append("\n".join(row))
                        print(f"{name}: {message}")
    if options.what == "update" and not options.chapters:
        for path in KEPT.glob("*.webp"):
            if path.stem not in seen:
                path.unlink()
                print("removed", path.stem)
    if options.what == "show":
        page = options.to / "index.html"
        style = "<style>body{font:14px sans-serif}img{border:1px solid #888;margin:4px;vertical-align:top}</style>"
        page.write_text(f"<!doctype html><title>Before, now, difference</title>{style}\n" + "\n".join(rows or ["Nothing differs."]))
        print(f"{len(rows)} of {len(seen)} differ; see {page.relative_to(ROOT) if page.is_relative_to(ROOT) else page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
