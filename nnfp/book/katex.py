"""Formulas as HTML and MathML, rendered while the site is built: KaTeX inside QuickJS.

KaTeX comes from its npm package (node_modules/katex, or the folder that the variable
NNFP_KATEX names). What was rendered once is kept in .book-cache/katex.sqlite.
"""

import hashlib
import json
import os
import sqlite3
import threading
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from nnfp.book.reading import BookError
from nnfp.book.sources import CACHE, ROOT

OPTIONS = {"output": "htmlAndMathml", "throwOnError": True, "strict": "error", "trust": False}
_BRIDGE = """
function nnfpRender(tex, display, options) {
  try {
    var all = Object.assign(JSON.parse(options), {displayMode: display}), strict = all.strict;
    all.trust = function (context) { return context.command === "\\\\htmlData"; };
    all.strict = function (code) { return code === "htmlExtension" ? "ignore" : strict; };
    return JSON.stringify({html: katex.renderToString(tex, all)});
  } catch (error) {
    return JSON.stringify({error: String(error.message || error), position: error.position});
  }
}
"""


class TexError(Exception):
    """A formula that KaTeX refuses; `position` is the offset in its TeX, if known."""

    def __init__(self, message: str, position: int | None = None):
        super().__init__(message)
        self.position = position


def folder() -> Path:
    """Where KaTeX lies."""
    path = Path(os.environ.get("NNFP_KATEX") or ROOT / "node_modules" / "katex")
    if not (path / "dist" / "katex.min.js").is_file():
        raise BookError(
            f"KaTeX was not found in {path}: run `npm ci --ignore-scripts` (make does it) "
            "or set NNFP_KATEX to the folder of the npm package katex"
        )
    return path


@lru_cache(maxsize=1)
def version() -> str:
    return json.loads((folder() / "package.json").read_text(encoding="utf-8"))["version"]


_thread = threading.local()


def _engine():
    """KaTeX's render function for this thread: QuickJS must not change threads.

    Results pass through JSON: plain strings do not come back.
    """
    if hasattr(_thread, "render"):
        return _thread.render
    try:
        import quickjs
    except ImportError as error:
        raise BookError("rendering formulas needs the package quickjs-ng (extra: book)") from error
    context = quickjs.Context()
    context.eval((folder() / "dist" / "katex.min.js").read_text(encoding="utf-8"))
    context.eval(_BRIDGE)
    _thread.context, _thread.render = context, context.get("nnfpRender")
    return _thread.render


def _store() -> sqlite3.Connection:
    CACHE.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(CACHE / "katex.sqlite", timeout=10)
    store.execute("create table if not exists formula (key text primary key, html text)")
    return store


def _key(tex: str, display: bool) -> str:
    text = json.dumps([version(), OPTIONS, display, tex], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


_known: dict[tuple[str, bool], str] = {}


def preload(formulas: list[tuple[str, bool]]) -> None:
    """Take many formulas (tex, display) from disk at once; a broken cache is only slower."""
    missing = {_key(*formula): formula for formula in formulas if formula not in _known}
    if not missing:
        return
    try:
        with closing(_store()) as store:
            keys = list(missing)
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                query = f"select key, html from formula where key in ({marks})"
                for key, html in store.execute(query, part):
                    _known[missing[key]] = html
    except sqlite3.Error:
        pass


def keep(formulas: list[tuple[str, bool]]) -> None:
    """Write formulas to disk for the next build."""
    rows = [(_key(*formula), _known[formula]) for formula in formulas]
    try:
        with closing(_store()) as store, store:
            store.executemany("insert or replace into formula values (?, ?)", rows)
    except sqlite3.Error:
        pass


def is_known(tex: str, display: bool) -> bool:
    """True if the formula needs no rendering any more."""
    return (tex, display) in _known


def render(tex: str, display: bool = False) -> str:
    """HTML and MathML of a formula. TexError where KaTeX finds a mistake."""
    if (tex, display) not in _known:
        answer = json.loads(_engine()(tex, display, json.dumps(OPTIONS)))
        if "error" in answer:
            message = answer["error"].removeprefix("KaTeX parse error: ").replace("\u0332", "")
            raise TexError(message, answer.get("position"))
        _known[tex, display] = answer["html"]
    return _known[tex, display]
