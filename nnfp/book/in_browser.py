"""Runs a snippet in the reader's browser: goes into the site as nnfp_page.py, beside the package.

The worker (docs/javascripts/run_worker.js) calls `run` with the snippets of a page up to the one
whose button was pressed. Earlier ones run in silence in the same namespace, as in the page check.
Nothing here needs a browser, so that the tests run it as it is.
"""

import ast
import contextlib
import io
import json
import linecache
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable

MARK = "#>"
LIMIT = 50_000  # characters of output after which a snippet is stopped
AT_ONCE = 50  # pieces that are shown as they come; what follows, ten times a second
PRINT = dict(
    precision=8, threshold=1000, edgeitems=3, linewidth=75, suppress=False, nanstr="nan",
    infstr="inf", formatter=None, sign="-", floatmode="maxprec", legacy=False,
)  # fmt: skip

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")


class TooMuch(Exception):
    """A snippet that prints without end."""


class _Out(io.TextIOBase):
    """Keeps what is printed and hands it on in pieces."""

    def __init__(self, hand_on: Callable[[str], object] | None):
        self.parts: list[str] = []
        self.size, self.waiting, self.last, self.hand_on = 0, [], time.monotonic(), hand_on
        self.handed = 0

    def write(self, text: str) -> int:
        self.parts.append(text)
        self.size += len(text)
        if self.hand_on:
            self.waiting.append(text)
            soon = self.handed < AT_ONCE and text.endswith("\n")
            if soon or time.monotonic() - self.last > 0.1:
                self.flush()
        if self.size > LIMIT:
            raise TooMuch(f"stopped after {LIMIT} characters of output")
        return len(text)

    def flush(self) -> None:
        if self.hand_on and self.waiting:
            self.hand_on("".join(self.waiting))
            self.handed += 1
        self.waiting, self.last = [], time.monotonic()

    @property
    def text(self) -> str:
        return "".join(self.parts)


def without_outputs(source: str) -> str:
    """The code of a fence without its lines of output; strings keep what looks like one."""
    lines = source.split("\n")
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            inside.update(range(node.lineno + 1, node.end_lineno + 1))
    kept = [t for n, t in enumerate(lines, 1) if n in inside or not t.strip().startswith(MARK)]
    return "\n".join(kept).strip("\n") + "\n"


def outputs(source: str) -> list[str]:
    """The lines that a fence says it prints."""
    left = without_outputs(source).split("\n")
    shown, place = [], 0
    for line in source.strip("\n").split("\n"):
        if place < len(left) and line == left[place]:
            place += 1
        elif line.strip().startswith(MARK):
            shown.append(line.strip()[len(MARK) :].removeprefix(" ").rstrip())
    return shown


def _unit(text: str) -> float:
    """One in the last printed place; 0 where there are less than four digits to round."""
    mantissa, _, power = text.lower().partition("e")
    digits = mantissa.lstrip("+-").replace(".", "").lstrip("0")
    if "." not in mantissa or len(digits) < 4:
        return 0.0
    return 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def same_number(a: str, b: str) -> bool:
    """Equal as far as two machines that round in another order can be."""
    if a == b:
        return True
    x, y = float(a), float(b)
    if not any(mark in a + b for mark in ".eE"):
        return x == y
    slack = max(1e-9 * max(abs(x), abs(y)), 1e-14, 1.01 * max(_unit(a), _unit(b)))
    return abs(x - y) <= slack


def same_line(shown: str, printed: str) -> bool:
    """The words are equal, and the numbers up to rounding; spaces do not count."""
    if shown.split() == printed.split():
        return True
    words = [re.sub(r"\s+", "", _NUMBER.sub("\0", line)) for line in (shown, printed)]
    numbers = [_NUMBER.findall(line) for line in (shown, printed)]
    return words[0] == words[1] and all(map(same_number, *numbers))


def compare(shown: list[str], printed: list[str]) -> tuple[str, str]:
    """(verdict, sentence) about what a snippet printed against what the page shows."""
    if not shown and not printed:
        return "agrees", "Ran to its end. It prints nothing, as on the page."
    for number, (a, b) in enumerate(zip(shown, printed), 1):
        if not same_line(a, b) and not same_line(a, re.sub(r"\bint32\b", "int64", b)):
            return "differs", f"Differs from the page in line {number} of the output, which shows: {a}"
    if len(shown) != len(printed):
        lines = "1 line" if len(shown) == 1 else f"{len(shown) or 'no'} lines"
        return "differs", f"Differs from the page, which shows {lines} of output."
    if [a.split() for a in shown] == [b.split() for b in printed]:
        return "agrees", "Agrees with the page."
    if any("int32" in b and "int32" not in a for a, b in zip(shown, printed)):
        return "agrees", "Agrees with the page, but for its int64: whole numbers have 32 bits here."
    return "agrees", "Agrees with the page up to rounding."


def _story(error: BaseException, sources: dict[str, str]) -> list[str]:
    """The lines of a traceback that matter: those of the snippet, and what it called in nnfp."""
    if isinstance(error, SyntaxError) and error.filename in sources:
        place = [f"line {error.lineno}: {(error.text or '').strip()}"]
        return [*place, f"{type(error).__name__}: {error.msg}"]
    lines, inside = [], False
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in sources:
            text = sources[frame.filename].split("\n")[frame.lineno - 1].strip()
            where = "" if frame.filename == "<snippet>" else f"{frame.filename.strip('<>')}, "
            lines.append(f"{where}line {frame.lineno}: {text}")
            inside = False
        elif not inside and lines and "/nnfp/" in frame.filename.replace("\\", "/"):
            lines.append(f"  in {frame.name}, nnfp/{frame.filename.rpartition('/')[2]} line {frame.lineno}")
            inside = True
    text = str(error).strip()
    return [*lines, f"{type(error).__name__}: {text}" if text else type(error).__name__]


class _Session:
    """The namespace of a page and what has run in it."""

    def __init__(self):
        self.page, self.done, self.names = "", [], {}

    def begin(self, page: str) -> None:
        import numpy as np

        self.page, self.done = page, []
        self.names = {"__name__": "__main__", "__builtins__": __builtins__}
        np.set_printoptions(**PRINT)
        np.seterr(all="warn", under="ignore")
        np.random.seed(0)  # noqa: NPY002  (the same for each reader, should a snippet ask for it)

    def execute(self, name: str, source: str, out: _Out) -> None:
        """Statement by statement, so that what was printed before an error, or before Stop, is kept."""
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        tree = ast.parse(source, name)
        for node in tree.body:
            out.flush()
            exec(compile(ast.Module([node], []), name, "exec"), self.names)
        out.flush()


_session = _Session()


def run(page: str, earlier: list[str], source: str, original: str,
        hand_on: Callable[[str], object] | None = None) -> str:  # fmt: skip
    """Run `source` after the earlier snippets; JSON that says what came of it.

    `original` is the fence as the page has it, with its lines of output.
    """
    earlier = [without_outputs(text) for text in earlier]
    known = _session.done
    if _session.page != page or known != earlier[: len(known)]:
        _session.begin(page)
    before = earlier[len(_session.done) :]
    sources, shown = {}, outputs(original)
    out = _Out(hand_on)
    place = 0

    def warned(message, category, filename, lineno, *_):
        out.write(f"{category.__name__}: {message}\n")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = warned
        try:
            for place, text in enumerate(before, len(_session.done) + 1):
                name = f"<snippet {place}>"
                sources[name] = text
                quiet = _Out(None)
                with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                    _session.execute(name, text, quiet)
                _session.done.append(text)
            place = 0
            code = without_outputs(source)
            sources["<snippet>"] = code
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                _session.execute("<snippet>", code, out)
            _session.done.append(code)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            _session.page = ""  # half a snippet has run: the next click begins anew
            with contextlib.suppress(TooMuch):
                out.flush()
            told = f"An earlier snippet of the page, number {place}, failed." if place else "Failed."
            return _answer("error", told, out, _story(error, sources), len(before))
    printed = re.sub(r"[ \t]+$", "", out.text, flags=re.M).removesuffix("\n")
    verdict, sentence = compare(shown, printed.split("\n") if printed else [])
    if verdict == "agrees" and code != without_outputs(original):
        sentence = sentence.replace("Agrees with the page", "Edited; the output agrees with the page")
    return _answer(verdict, sentence, out, [], len(before))


def _answer(verdict: str, sentence: str, out: _Out, trace: list[str], before: int) -> str:
    answer = {"verdict": verdict, "sentence": sentence, "output": out.text[:LIMIT], "trace": trace}
    return json.dumps(answer | {"before": before, "python": sys.version.split()[0]})
