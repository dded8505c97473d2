"""What the checker says about the equations of a page, for the site: kept until something changes.

A verdict depends on the table and the displays of its page, not on its prose, on the checker, on the
package and on the tests that bear a third witness. All of that is in the key of what is kept.
"""

import hashlib
import json
import platform
import re
import time
from dataclasses import asdict, dataclass, field
from functools import lru_cache

from nnfp.book import sources
from nnfp.book.reading import BookError, Page
from nnfp.book.third import Witness, witnesses

FORMAT = 3  # of the kept file


@dataclass
class Verdict:
    """One display as the reader is told about it."""

    id: str
    kind: str
    tex: str
    witness: str | None
    numpy_form: str
    checked_by: str
    comparisons: int
    worst_error: float
    equality: bool = False  # False: only inequalities, so an error has no meaning
    symbols: list = field(default_factory=list)  # (symbol, domain, meaning)
    places: list = field(default_factory=list)  # (first token, token after the last, row of symbols)
    tests: list = field(default_factory=list)  # (file, test, library)
    used_by: list = field(default_factory=list)  # labels of later displays that would differ


def key(page: Page) -> str:
    """A hash of all that the verdicts of a page depend on."""
    displays, table = _stated(page)
    tests = {d[0]: witnesses(sources.ROOT).get(d[0], []) for d in displays}
    text = json.dumps([FORMAT, code("nnfp.book.verdicts"), displays, table, tests, platform.machine()])
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=200)
def _read(text: str) -> list:
    from nnfp.book.equations.reading import read

    return [(d.label, d.tex.split(), d.witness) for d in read(text + "\n").displays]


def _stated(page: Page) -> tuple[list, list]:
    return _read(page.text), [line for line in page.prose.split("\n") if line.lstrip().startswith("|")]


_codes: dict[str, tuple[float, str]] = {}


def code(module: str) -> str:
    """The fingerprint of a module; a build asks for it hundreds of times within a second."""
    if time.monotonic() - _codes.get(module, (-9.0, ""))[0] > 1:
        _codes[module] = time.monotonic(), sources.fingerprint(module, packages=("numpy",))
    return _codes[module][1]


def _file(page: Page):
    return sources.CACHE / "checks" / (re.sub(r"\W+", "-", page.home) + ".json")


_known: dict[str, tuple[str, dict[str, Verdict]]] = {}


def kept(page: Page) -> dict[str, Verdict] | None:
    """What is on disk for exactly this page, None if nothing is."""
    try:
        data = json.loads(_file(page).read_text(encoding="utf-8"))
        return {v["id"]: Verdict(**v) for v in data["verdicts"]} if data["key"] == key(page) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def verdicts(page: Page) -> dict[str, Verdict]:
    """Label -> verdict. BookError names the first equation that fails: no page shows it as checked."""
    now = key(page)
    if _known.get(page.home, ("",))[0] != now:
        found = kept(page)
        if found is None:
            found = run(page)
            data = {"key": now, "verdicts": [asdict(v) for v in found.values()]}
            sources.write(_file(page), json.dumps(data, indent=0))
        _known[page.home] = now, found
    return _known[page.home][1]


def run(page: Page) -> dict[str, Verdict]:
    """Runs the checker on a page."""
    from nnfp.book.equations import public_names
    from nnfp.book.equations.reading import read
    from nnfp.book.recorder import Recorder

    check = Recorder(read(page.text + "\n"), public_names(), forms=True)
    found: dict[str, Verdict] = {}
    for result in check.check():
        if not result.ok:
            where = re.match(r"(\d+):\d+: ", result.message)
            line, message = (where[1], result.message[where.end() :]) if where else (result.line, result.message)
            raise BookError(f"{page.shown}:{line}: {result.id or 'notation'}: {message}")
        more = check.noted[result.id]
        tests = [tuple(w) for w in witnesses(sources.ROOT).get(result.id, [])]
        found[result.id] = Verdict(
            result.id, result.kind, result.tex, result.witness, result.numpy_form.strip(), result.checked_by,
            result.comparisons, result.worst_error, more.equality, [list(row) for row in result.symbols],
            more.places(result.symbols), tests, check.users(result.id),
        )  # fmt: skip
    return found


__all__ = ["Verdict", "Witness", "key", "kept", "run", "verdicts"]
