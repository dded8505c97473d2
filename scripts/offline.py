"""make offline: the book to take along: a zip of the site, a PDF and an EPUB, in dist/."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nnfp.book import offline  # noqa: E402
from nnfp.book.reading import Book, BookError  # noqa: E402


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    site = target / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "-q", "--site-dir", str(site)]
    if subprocess.run(command, cwd=ROOT, env=os.environ | {"NNFP_OFFLINE": "true"}).returncode:
        return 1
    archive = target / "nnfp-site.zip"
    number = offline.zip_of(site, archive, "nnfp-book")
    print(f"{archive.name}: {number} files, {size(archive)}; unpack it and open nnfp-book/index.html")
    book = Book(ROOT)
    try:
        with offline.chromium() as engine:
            for make, name in ((offline.pdf, "nnfp-book.pdf"), (offline.epub, "nnfp-book.epub")):
                started = time.monotonic()
                facts = make(engine, book, site, target / name)
                pages = f"{facts['pages']} pages" if "pages" in facts else f"{facts['chapters']} chapters"
                print(f"{name}: {pages}, {size(target / name)} ({time.monotonic() - started:.0f} s)")
                for line in facts.get("wide", []):
                    print(f"  wider than the page: {line}")
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shutil.rmtree(site)
    return 0


if __name__ == "__main__":
    sys.exit(main())
