"""The built site, served on this machine, and one browser for all tests of this folder."""

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import browser

ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """A browser on a busy machine can miss a moment: what fails is tried once more, and that is said."""
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    try:
        pyfuncitem.obj(**wanted)
    except Exception as error:
        pyfuncitem.user_properties.append(("tried twice", f"{type(error).__name__}: {str(error)[:200]}"))
        pyfuncitem.obj(**wanted)
    return True


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site; the site map names this server, as instant navigation asks."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.split("?")[0] != "/sitemap.xml":
            super().do_GET()
            return
        text = (Path(self.directory) / "sitemap.xml").read_text(encoding="utf-8")
        here = f"http://127.0.0.1:{self.server.server_port}/"
        body = re.sub(r"<loc>https?://[^/<]+/", f"<loc>{here}", text).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """SITE_DIR if it is set, else a strict build."""
    if os.environ.get("SITE_DIR"):
        return Path(os.environ["SITE_DIR"])
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "--site-dir", str(folder)]
    quiet = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    build = subprocess.run(command, cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True)
    # mkdocs -q with --strict can exit 0 on warnings: any warning is a failure here.
    assert build.returncode == 0 and "WARNING" not in build.stderr, build.stderr
    return folder


@pytest.fixture(scope="session")
def address(site):
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        engine = playwright.chromium.launch(executable_path=browser(), args=FLAGS)
        yield engine
        engine.close()


@pytest.fixture(scope="session")
def pages(site) -> list[str]:
    """The address of every page of the book, below the site's own; notebooks apart."""
    found = (path.relative_to(site) for path in sorted(site.rglob("index.html")))
    return [str(p.parent.as_posix()).replace(".", "", 1) if str(p.parent) == "." else f"{p.parent.as_posix()}/"
            for p in found if p.parts[0] != "notebooks"]  # fmt: skip
