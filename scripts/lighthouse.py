#!/usr/bin/env python3
"""Lighthouse over every chapter of the built site, on a phone and on a desktop: `make lighthouse`.

    python scripts/lighthouse.py --site-dir site [--only neuron ...] [--repeats 3]

The site is served as a host would do it: compressed, with cache headers. A page whose performance is
below the goal is measured again, up to `--repeats` times, and the median counts, since a machine that
does other things is slow now and then. The scores go to docs/reference/data/lighthouse.json.
Exit code 1 if a goal is missed.
"""

import argparse
import contextlib
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import typing
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "scripts" / "lighthouse_tool" / "node_modules" / "lighthouse"
RESULT = ROOT / "docs" / "reference" / "data" / "lighthouse.json"
GOALS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"
COMPRESSED = (".html", ".css", ".js", ".json", ".xml", ".svg", ".txt")


class Host(http.server.SimpleHTTPRequestHandler):
    """Serves files as a host would: gzip, cache headers, and this server's address as the site's."""

    protocol_version = "HTTP/1.1"
    named = "http://127.0.0.1:8000/"
    packed: typing.ClassVar[dict[str, bytes]] = {}

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        status = 200
        if not path.is_file():
            path, status = Path(self.directory) / "404.html", 404
        small = path.suffix in COMPRESSED
        key = str(path)
        if key not in self.packed:
            body = path.read_bytes()
            if path.suffix in (".html", ".xml"):
                here = f"http://127.0.0.1:{self.server.server_port}/"
                body = body.replace(self.named.encode(), here.encode())
            self.packed[key] = gzip.compress(body, 6) if small else body
        body = self.packed[key]
        kept = 600 if path.suffix in (".html", ".xml", ".json") else 31_536_000
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", f"max-age={kept}")
        if small:
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def served(folder: Path):
    """The address at which the folder is served."""
    handler = functools.partial(Host, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def run(address: str, device: str, chromium: str) -> dict:
    """The report of one visit."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["node", str(TOOL / "cli" / "index.js"), address, "--quiet", "--output=json",
                   f"--output-path={report}", f"--chrome-flags={FLAGS}",
                   f"--only-categories={','.join(GOALS)}"]  # fmt: skip
        command += ["--preset=desktop"] if device == "desktop" else []
        environment = os.environ | {"CHROME_PATH": chromium}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
        if not report.is_file():
            sys.exit(f"error: Lighthouse made no report: {done.stderr[-2000:]}")
        return json.loads(report.read_text(encoding="utf-8"))


def scores(report: dict) -> dict[str, int]:
    return {key: round(100 * (report["categories"][key]["score"] or 0)) for key in GOALS}


def faults(report: dict) -> list[str]:
    """What cost points, one line each."""
    lines = []
    for category in report["categories"].values():
        for reference in category["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                what = audit.get("displayValue", "")
                items = (audit.get("details") or {}).get("items") or []
                nodes = [i["node"]["selector"] for i in items if isinstance(i, dict) and "node" in i]
                lines.append(f"{audit['id']} {what} {nodes[:4]}")
    return lines


def measure(address: str, device: str, chromium: str, repeats: int) -> dict[str, int]:
    report = run(address, device, chromium)
    found = [scores(report)]
    while found[-1]["performance"] < GOALS["performance"] and len(found) < repeats:
        found.append(scores(run(address, device, chromium)))
    result = found[0] | {"performance": round(statistics.median(f["performance"] for f in found))}
    if any(result[key] < goal for key, goal in GOALS.items()):
        print(*(f"    {line}" for line in faults(report)), sep="\n")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site-dir", default="site", type=Path)
    parser.add_argument("--only", nargs="*", help="chapters, by the name of their file")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    chromium = os.environ.get("CHROME_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not TOOL.is_dir() or not shutil.which("node"):
        sys.exit("error: needs chromium, node and `make lighthouse`, which installs Lighthouse")
    sys.path.insert(0, str(ROOT))
    from nnfp.book.opening import chapters
    from nnfp.book.reading import Book

    stems = options.only or list(chapters(Book(ROOT)))
    kept = json.loads(RESULT.read_text(encoding="utf-8"))["pages"] if RESULT.is_file() else {}
    missed = 0
    with served(options.site_dir.resolve()) as address:
        for stem in stems:
            for device in ("mobile", "desktop"):
                found = measure(f"{address}{stem}/", device, chromium, options.repeats)
                kept.setdefault(stem, {})[device] = found
                missed += any(found[key] < goal for key, goal in GOALS.items())
                print(f"{stem:16} {device:8}", *(f"{key} {n:3}" for key, n in found.items()), flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    version = json.loads((TOOL / "package.json").read_text(encoding="utf-8"))["version"]
    data = {"date": datetime.now(UTC).date().isoformat(), "commit": commit.stdout.strip(),
            "lighthouse": version, "pages": kept}  # fmt: skip
    RESULT.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
