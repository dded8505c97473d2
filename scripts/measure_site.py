"""Time the site: build by chapter, cold and warm, against plain MkDocs; an edit under `mkdocs serve`.

Works on a copy of the book in a temporary folder and writes docs/reference/data/site.json. The plain
site has the same pages and theme, with formulas left to a script in the reader's browser
(pymdownx.arithmatex), no hooks, no checks, no figures drawn. Times of builds are processor time.
"""

import datetime
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs/reference/data/site.json"
TIMER = '''
import json, time
from mkdocs.plugins import event_priority

began, spent = {}, {}

@event_priority(100)
def on_page_markdown(markdown, page, **_):
    began[page.file.src_uri] = time.process_time()

@event_priority(-100)
def on_page_content(content, page, **_):
    spent[page.file.src_uri] = time.process_time() - began[page.file.src_uri]

def on_post_build(config, **_):
    open("timer.json", "w").write(json.dumps(spent))
'''


def copy(target: Path) -> None:
    """The files that git knows, as they are now, and what `make setup` fetched."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\n"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    vendor = "docs/assets/vendor"
    shutil.copytree(ROOT / vendor, target / vendor, dirs_exist_ok=True)
    (target / "node_modules").symlink_to(ROOT / "node_modules")
    (target / "timer.py").write_text(TIMER)
    settings = (target / "mkdocs.yml").read_text(encoding="utf-8")
    (target / "mkdocs.yml").write_text(settings.replace("\nhooks:\n", "\nhooks:\n  - timer.py\n"), encoding="utf-8")


def make_plain(settings: str) -> str:
    """The settings without everything that is ours."""
    settings = re.sub(r"\nhooks:\n(?:  .*\n)+", "\nhooks:\n  - timer.py\n", settings)
    settings = re.sub(r"  - nnfp\.book\.\w+(?::\n(?:      .*\n)+|\n)", "", settings)
    settings = re.sub(r" +extensions: \[nnfp\.book\.reference\]\n", "", settings)
    return settings.replace("\n  - admonition\n", "\n  - admonition\n  - pymdownx.arithmatex:\n      generic: true\n")


def build(book: Path, settings: str = "mkdocs.yml") -> tuple[float, dict]:
    """Processor seconds of one build and of each of its pages."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", settings, "--site-dir", str(book / "site")]
    subprocess.run(command, cwd=book, check=True, env=environment(book), stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = json.loads((book / "timer.json").read_text())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, spent


def environment(book: Path) -> dict:
    return os.environ | {"PYTHONPATH": str(book), "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true",
                         "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # fmt: skip


def edits(book: Path, chapters: list[str]) -> list[float]:
    """Seconds from saving a chapter to its new words in the served page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "-q", "--livereload", "--dev-addr", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=book, env=environment(book), stderr=subprocess.DEVNULL)

    def served(chapter: str, word: str, seconds: float) -> float:
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{chapter}/", timeout=5) as page:
                    if word in page.read().decode():
                        return time.perf_counter() - start
            except OSError:
                pass
            time.sleep(0.02)
        raise SystemExit(f"{chapter} did not show {word} within {seconds} s")

    try:
        served(chapters[0], "</html>", 400)
        times = []
        for number, chapter in enumerate([chapters[0], *chapters]):
            time.sleep(2)
            page, word = book / f"docs/{chapter}.md", f"Editedword{number}"
            text = page.read_text(encoding="utf-8")
            page.write_text(text.rstrip("\n") + f"\n\n{word}\n", encoding="utf-8")
            times.append(served(chapter, word, 120))
        return times[1:]  # the first edit still meets an empty memory
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def main() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    chapters = [c for c in re.findall(r": (\w+)\.md$", settings, flags=re.M) if (ROOT / f"nnfp/{c}.py").exists()]
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder)
        copy(book)
        cold, cold_pages = build(book)
        warm, warm_pages = build(book)
        text = (book / "mkdocs.yml").read_text(encoding="utf-8")
        (book / "plain.yml").write_text(make_plain(text), encoding="utf-8")
        plain, plain_pages = build(book, "plain.yml")
        shown = edits(book, ["layer", "losses", "training"])
    pages = {
        c: {k: round(p[f"{c}.md"], 3) for k, p in (("cold", cold_pages), ("warm", warm_pages), ("plain", plain_pages))}
        for c in chapters
    }
    found = {
        "date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1),
        "site": {"cold": round(cold, 1), "warm": round(warm, 1), "plain": round(plain, 1)},
        "pages": pages, "edits": [round(s, 2) for s in shown],
    }  # fmt: skip
    DATA.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
