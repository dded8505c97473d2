"""make snippets: press every Run button of the built site in Chromium; each output must agree with its page."""

import functools
import http.server
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nnfp.book import offline, runtime  # noqa: E402

PRESS = """() => {
  const buttons = [...document.querySelectorAll('[data-run=run]')];
  for (const button of buttons) button.click();
  return buttons.length;
}"""
DONE = """wanted => [...document.querySelectorAll('.run-verdict')]
  .filter(v => !['busy', undefined].includes(v.dataset.kind)).length === wanted"""
READ = """() => [...document.querySelectorAll('.run')].map(bar => [
  Number(bar.dataset.snippetBar), bar.querySelector('.run-verdict')?.dataset.kind ?? 'never ran',
  bar.querySelector('.run-verdict')?.textContent, bar.querySelector('.run-output')?.textContent])"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main() -> int:
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    if why := runtime.absent(site):
        sys.exit(f"error: {site.name} can't run its snippets: {why}")
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    good = bad = 0
    with offline.chromium() as engine:
        tab = engine.new_page()
        for path in sorted(site.rglob("index.html")):
            if 'data-run="run"' not in path.read_text(encoding="utf-8"):
                continue
            place, started = path.relative_to(site).parent.as_posix(), time.monotonic()
            tab.goto(f"http://127.0.0.1:{server.server_port}/{place}/", wait_until="load")
            number = tab.evaluate(PRESS)
            tab.wait_for_function(DONE, arg=number, timeout=300_000)
            for snippet, kind, sentence, output in tab.evaluate(READ):
                good, bad = good + (kind == "agrees"), bad + (kind != "agrees")
                if kind != "agrees":
                    print(f"{place}: snippet {snippet}: {kind}: {sentence}\n{output}")
            print(f"{place}: {number} snippets ({time.monotonic() - started:.0f} s)", flush=True)
    server.shutdown()
    print(f"{good} snippets agree with their pages, {bad} do not")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
