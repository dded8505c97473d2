"""Equations of the book with one symbol corrupted, and what the check says: for the page reference/break.md.

    markdown_extensions:
      - nnfp.book.markdown: {mark: nnfp.book.marks}
      - nnfp.book.broken

A line `<broken-equations></broken-equations>` becomes the list of equations named below, each with some of
the corruptions that `scripts/mutate.py equations` makes. The messages are not stored anywhere: the
corrupted page is checked, as an author would check it, and what the check says is kept in .book-cache/
until the equations of that page, the checker or the package change. Works in MkDocs and in Zensical.
"""

import contextlib
import html
import json
import os
import re
import xml.etree.ElementTree as etree
from dataclasses import asdict, dataclass
from pathlib import Path

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from nnfp.book import katex, marks, sources, verdicts
from nnfp.book.checked import title
from nnfp.book.markdown import shared_book
from nnfp.book.reading import Book, BookError, Page

MARK = "<broken-equations></broken-equations>"
LABELS = (
    "eq-neuron", "eq-affine-batch", "eq-sigmoid-prime", "eq-forward-layer", "eq-mse-gradient", "eq-descent-factor",
    "eq-vec-product", "eq-backprop-weights", "eq-central-difference", "eq-data-deviation", "eq-softmax-jacobian",
    "eq-adam-corrected",
)  # fmt: skip
OPERATIONS = {
    "sign": "sign", "transpose": "transpose", "index": "index", "index shift": "index", "factor": "factor left out",
    "number": "number", "square": "square", "sum": "sum left out", "hadamard": "product", "prime": "slope",
    "fraction": "fraction", "swapped factors": "order", "symbol": "letter", "function": "function", "hat": "hat",
}  # fmt: skip
DULL = ("of a number", "is for arrays", "as well")  # messages that teach little
EACH = 6  # corruptions of one equation
TRIES = 4  # of one kind


@dataclass(frozen=True)
class Broken:
    """One corruption: `tex` from `start` to `end` is new, `old` stood there."""

    operation: str
    tex: str
    start: int
    end: int
    old: str
    message: str
    label: str  # of the display where the check stops


def changed(page: Page, display, mutant) -> tuple[str, str]:
    """The text of the page with the corruption in it, and what it replaces."""
    rest = len(mutant.tex) - mutant.end
    if rest and display.tex[-rest:] != mutant.tex[mutant.end :]:
        rest -= 1  # a space set between two letters
    stop = len(display.tex) - rest
    start = display.start
    text = page.text[: start + mutant.start] + mutant.tex[mutant.start : len(mutant.tex) - rest]
    return text + page.text[start + stop :], display.tex[mutant.start : stop].strip()


def said(text: str, place: int):
    """What the check says first about a page, from the display number `place` on: a Result, or None."""
    from nnfp.book.equations import public_names
    from nnfp.book.equations.reading import read
    from nnfp.book.equations.verdict import PageCheck

    source = read(text + "\n")
    check = PageCheck(source, public_names())
    last = check.check(only=range(place, len(source.displays)), stop=True)[-1]
    return None if last.ok else last


def message(result) -> str:
    """A message without its place; the underlined line keeps its indent to the marks below it."""
    first, *lines = re.sub(r"^\d+:\d+: ", "", result.message).split("\n")
    return "\n".join([first, *(line.removeprefix("    ") for line in lines)])


def choose(page: Page, label: str) -> list[Broken]:
    """Corruptions of one equation, of different kinds, that say something about its values or shapes."""
    from nnfp.book.equations.mutants import mutants
    from nnfp.book.equations.reading import read

    displays = read(page.text + "\n").displays
    place = next(k for k, display in enumerate(displays) if display.label == label)
    kinds: dict[str, list] = {}
    for mutant in mutants(displays[place].tex):
        kinds.setdefault(mutant.operation, []).append(mutant)
    chosen: list[Broken] = []
    for operation in OPERATIONS:
        best = None
        for mutant in spread(kinds.get(operation, []), TRIES):
            text, old = changed(page, displays[place], mutant)
            result = said(text, place)
            if result is None or result.problem not in ("value", "shape"):
                continue
            tex = mutant.tex
            found = Broken(operation, tex, mutant.start, mutant.end, old, message(result), result.id)
            if found.message in [other.message for other in chosen] or not renders(tex):
                continue
            if any(words in found.message for words in DULL):
                continue
            best = best if best and result.problem != "value" else found
            if result.problem == "value":
                break
        chosen += [best] if best else []
        if len(chosen) == EACH:
            break
    return chosen


def spread(items: list, most: int) -> list:
    """At most so many, from the last to the first: the right side is where the slips are."""
    step = max(1, len(items) // most)
    return items[::-1][::step][:most]


def renders(tex: str) -> bool:
    try:
        katex.render(tex.strip(), True)
    except katex.TexError:
        return False
    return True


_known: dict[str, tuple[str, list[Broken]]] = {}


def broken(page: Page, label: str) -> list[Broken]:
    """The corruptions shown for one equation, run again only after a change."""
    now = key(page)
    if _known.get(label, ("",))[0] != now:
        found = kept(page, label)
        if found is None:
            found = choose(page, label)
            data = {"key": now, "broken": [asdict(one) for one in found]}
            sources.write(_file(label), json.dumps(data, indent=0))
        _known[label] = now, found
    return _known[label][1]


def key(page: Page) -> str:
    return f"{verdicts.key(page)} {verdicts.code('nnfp.book.broken')}"


def _file(label: str) -> Path:
    return sources.CACHE / "broken" / f"{label}.json"


def kept(page: Page, label: str) -> list[Broken] | None:
    """What is on disk for exactly these equations, None if nothing is."""
    try:
        data = json.loads(_file(label).read_text(encoding="utf-8"))
        return [Broken(**one) for one in data["broken"]] if data["key"] == key(page) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def run_all(book: Book, processes: int | None = None) -> int:
    """Check, and break, in several processes what is not kept yet; how many pages that were."""
    wanted = any(MARK in page.lines for page in book.pages)
    missing = []
    for page in book.pages:
        labels = [label for display in page.displays for label in display.labels if wanted and label in LABELS]
        if page.displays and (verdicts.kept(page) is None or any(kept(page, label) is None for label in labels)):
            missing.append((str(book.root), page.home, labels))
    processes = processes or min(os.cpu_count() or 1, 4)
    if len(missing) < 4 or processes == 1:
        return 0  # a page runs its own soon enough
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(_run_one, missing))
    return len(missing)


def _run_one(job: tuple[str, str, list[str]]) -> None:
    """In a process of its own; a page that fails is run again where that can be said."""
    root, home, labels = job
    page = next(page for page in Book(Path(root)).pages if page.home == home)
    with contextlib.suppress(BookError):
        verdicts.verdicts(page)
        for label in labels:
            broken(page, label)


# What the reader sees.


def display(tex: str, name: str, start: int = 0, end: int = 0) -> str:
    """A displayed formula; what is new in it carries data-new where KaTeX can set it apart."""
    rendered = ""
    new = tex[start:end].strip()
    if new and new.count("{") == new.count("}"):
        try:
            with_data = tex[:start] + r"\htmlData{new=1}{" + tex[start:end] + "} " + tex[end:]
            rendered = marks.ANNOTATION.sub(
                lambda match: match[1] + html.escape(tex.strip(), quote=False) + match[2],
                katex.render(with_data.strip(), True),
            )
        except katex.TexError:
            pass
    rendered = rendered or katex.render(tex.strip(), True)
    return marks.ready(
        f'<div class="museum-formula" tabindex="0" role="group" aria-label="{name}" data-search-exclude>{rendered}</div>'
    )


def change(one: Broken) -> str:
    """What was done, in a word and, where that can be set, in letters."""
    kind = OPERATIONS[one.operation]
    new = one.tex[one.start : one.end].strip()
    parts = []
    for tex in (one.old, new):
        tex = {"_": "{}", "^": "{}", "{": r"\tfrac"}.get(tex[:1], "") + tex
        try:
            parts.append(marks.formula(tex) if tex else "")
        except katex.TexError:
            return kind
    if not parts[1]:
        return f"{kind}: {parts[0]}" + (" left out" if "left out" not in kind else "")
    return f"{kind}: {parts[0]} <span aria-label=\"becomes\" role=\"img\">→</span> {parts[1]}"


def variant(equations: dict, home: Page, label: str, one: Broken) -> str:
    later = ""
    if one.label != label:
        later = f'<p class="break-later">The check stops at {marks.link(equations, home, one.label)}, which builds on it.</p>'
    first, *lines = one.message.split("\n")
    whole = len(lines) < 2 or lines[0].strip() == lines[0][lines[1].find("^") : lines[1].rfind("^") + 1].strip()
    where = "" if whole else f'<pre class="break-where" tabindex="0">{html.escape(chr(10).join(lines))}</pre>'
    return (
        f'<li class="break-variant"><p class="break-what">{change(one)}</p>'
        f'{display(one.tex, "The corrupted equation", one.start, one.end)}{later}'
        f'<p class="museum-says"><span>The checker:</span> <code>{html.escape(first)}</code></p>{where}</li>'
    )


def section(equations: dict, home: Page, label: str) -> str:
    """One equation with its corruptions."""
    page, _, number = equations[label]
    verdict = verdicts.verdicts(page)[label]
    code = f'<p class="break-later">Compared with <code>{html.escape(verdict.witness)}</code></p>' if verdict.witness else ""
    variants = "".join(variant(equations, home, label, one) for one in broken(page, label))
    name = f"({number}) {html.escape(title(page))}"
    return (
        f'<details class="break-one"><summary>{name}</summary><div class="break-body">'
        f'<p class="museum-head museum-right"><span>As it stands in {marks.link(equations, home, label)}, accepted</span></p>'
        f'{display(verdict.tex, "The equation")}{code}<p class="break-choose">Corrupted, rejected</p>'
        f'<ul class="break-list">{variants}</ul></div></details>'
    )


PLACE = "\ue000broken\ue001"


class _Before(Preprocessor):
    """Leaves a paragraph where the list goes."""

    def run(self, lines: list[str]) -> list[str]:
        return [PLACE if line == MARK else line for line in lines]


class _After(Treeprocessor):
    def __init__(self, md: Markdown, root: str):
        super().__init__(md)
        self.root = root

    def run(self, root: etree.Element) -> None:
        for place, element in enumerate(root):
            if element.tag == "p" and element.text == PLACE:
                book = shared_book(self.root)
                equations = book.equations()
                home = next(page for page in book.pages if MARK in page.lines)
                parts = "".join(section(equations, home, label) for label in LABELS if label in equations)
                text = f"<div><break-equation>{parts}</break-equation></div>"
                root[place] = marks.tree(text, self.md.htmlStash.store)


class BrokenExtension(Extension):
    """Fills the page on which equations can be broken."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(_Before(md), "nnfp-broken-before", 28)
        md.treeprocessors.register(_After(md, str(self.getConfig("root"))), "nnfp-broken-after", 11)


def makeExtension(**settings) -> BrokenExtension:
    return BrokenExtension(**settings)
