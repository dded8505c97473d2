r"""The error museum: wrong equations of published texts that the checker must reject.

A case on docs/museum.md is a heading, a paragraph that links to the report, and a block

    ```museum
    kind: sign
    | $z$ | $\mathbb{R}$ | pre-activation |
    given: \sigma(z) := \frac{1}{1 + \exp(-z)}
    wrong: \frac{d}{d z} \sigma(z) = \sigma(z) - (1 - \sigma(z))
    says: false: left 0.218886, right -0.352782
    right: \frac{d}{d z} \sigma(z) = \sigma(z) (1 - \sigma(z))
    ```

Rows declare symbols as on every page, `given` lines stand before the line in question, `code` is the
witness below it. `says` is the first line of the checker's message, compared to the letter. A long
line goes on, indented, in the next one. The block is data: nothing in it is a claim of the book.
"""

import hashlib
import html
import json
import platform
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from nnfp.book import katex, sources
from nnfp.book.reading import BookError, Failure, Fence, Page, slug
from nnfp.book.sources import ROOT

HOME = ROOT / "docs" / "museum.md"
KINDS = {
    "transpose": "transpose or order",
    "sign": "sign",
    "factor": "factor or number",
    "index": "index or range",
    "letter": "letter or argument",
    "derivative": "derivative or chain",
    "operation": "operation",
    "term": "term or mark left out",
}
VERDICTS = {
    "value": "the two sides, run on random arrays, are not equal",
    "code": "the equation and the code beside it give different numbers",
    "shape": "the shapes do not fit",
    "undefined": "there is no value to compare",
}
MARK = "<museum-count></museum-count>"
FIELDS = ("kind", "given", "code", "wrong", "says", "right")
_FIELD = re.compile(r"^(\w+): (.*)$")
_POSITION = re.compile(r"^\d+:\d+: ")


class CaseError(ValueError):
    """A block that cannot be read; `line` counts from the first line of the block."""

    def __init__(self, line: int, message: str):
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Case:
    """One exhibit. `line` is that of its fence on the page."""

    title: str
    line: int
    kind: str
    rows: tuple[str, ...]
    given: tuple[str, ...]
    code: str
    wrong: str
    says: str
    right: str
    sources: tuple[str, ...]
    lines: tuple[tuple[str, int], ...]  # field -> its line on the page

    def line_of(self, field: str) -> int:
        return dict(self.lines).get(field, self.line)

    def page(self, equation: str) -> str:
        """A page of its own that states one of the two lines."""
        parts = ["| Symbol | Domain | Meaning |", "|---|---|---|", *self.rows]
        for number, tex in enumerate(self.given, 1):
            parts += ["", "$$", tex, rf"\label{{eq-given-{number}}}", "$$"]
        parts += ["", "$$", equation, r"\label{eq-exhibit}", "$$"]
        parts += [f"<!-- {self.code} -->"] if self.code else []
        return "\n".join([*parts, ""])


def fields(body: str) -> tuple[list[str], dict[str, list[tuple[int, str]]]]:
    """Rows of notation, and each field with its values and their lines from 0."""
    rows: list[str] = []
    found: dict[str, list[tuple[int, str]]] = {}
    last = ""
    for number, text in enumerate(body.split("\n")):
        if text.startswith("|"):
            rows.append(text.strip())
        elif match := _FIELD.match(text):
            last = match[1]
            if last not in FIELDS:
                raise CaseError(number, f"there is no field {last}: {', '.join(FIELDS)}")
            found.setdefault(last, []).append((number, match[2].strip()))
        elif text[:1] == " " and last:
            at, value = found[last].pop()
            found[last].append((at, f"{value} {text.strip()}"))
        elif text.strip():
            raise CaseError(number, f"neither a field nor a row of notation: {text.strip()}")
    for name in ("kind", "wrong", "says", "right"):
        if len(found.get(name, [])) != 1:
            raise CaseError(0, f"a case has one line {name}:, this has {len(found.get(name, []))}")
    if found["kind"][0][1] not in KINDS:
        raise CaseError(found["kind"][0][0], f"kind is one of {', '.join(KINDS)}")
    return rows, found


def read_case(page: Page, fence: Fence) -> Case:
    """The case of one block, with the heading above it and the links between the two."""
    rows, found = fields(fence.body)
    above = [h for h in page.headings if h.line < fence.line]
    start = above[-1].line if above else 0
    one = {name: values[0][1] for name, values in found.items()}
    return Case(
        title=above[-1].text if above else "",
        line=fence.line,
        kind=one["kind"],
        rows=tuple(rows),
        given=tuple(value for _, value in found.get("given", [])),
        code=one.get("code", ""),
        wrong=one["wrong"],
        says=one["says"],
        right=one["right"],
        sources=tuple(link.text for link in page.links if start < link.line < fence.line),
        lines=tuple((name, fence.first + values[0][0]) for name, values in found.items()),
    )


def blocks(page: Page) -> list[Fence]:
    return [fence for fence in page.fences if fence.language == "museum"]


@lru_cache(maxsize=1)
def _cases(path: Path, stamp: int) -> tuple[Case, ...]:
    page = Page(path, path.name, path.read_text(encoding="utf-8"))
    return tuple(read_case(page, fence) for fence in blocks(page))


def cases(path: Path = HOME) -> tuple[Case, ...]:
    """All cases of the page, in its order."""
    return _cases(path, path.stat().st_mtime_ns)


@dataclass(frozen=True)
class Verdict:
    """What the checker says about both lines of a case, "" where it accepts."""

    given: str
    wrong: str
    right: str
    kind: str  # of what is wrong with the printed line, one of VERDICTS
    part: str  # the part of it that the message is about


@lru_cache(maxsize=256)
def _results(text: str) -> tuple[str, str, str, str]:
    """As `_run`, kept on disk until the checker or the package changes."""
    code = sources.fingerprint("nnfp.book.museum", packages=("numpy",)) + platform.machine()
    key = hashlib.sha256(f"{code} {text}".encode()).hexdigest()
    path = sources.CACHE / "museum" / f"{key[:32]}.json"
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        found = _run(text)
        sources.write(path, json.dumps(found))
        return found


def _run(text: str) -> tuple[str, str, str, str]:
    """Messages about what is given and about the exhibit, the kind of what is wrong with it, and its place."""
    from nnfp.book.equations import check_page

    results = check_page(text, witnesses=False)  # what is given may be anything
    given = next((first_line(r.message) for r in results if r.id != "eq-exhibit" and not r.ok), "")
    exhibit = next((r for r in results if r.id == "eq-exhibit"), None)
    if exhibit is None:  # the table itself cannot be read
        return given, "", "", ""
    return given, first_line(exhibit.message), exhibit.problem, underlined(exhibit.message)


def judge(case: Case) -> Verdict:
    """Runs the checker on both lines."""
    _, wrong, kind, part = _results(case.page(case.wrong))
    kind = "undefined" if re.search("by zero|depends on", wrong) else kind
    kind = "code" if wrong.startswith("the code disagrees") else kind
    given, right, _, _ = _results(case.page(case.right))
    return Verdict(given, wrong, right, kind, part)


def first_line(message: str) -> str:
    """A message without its place and without the underlined formula."""
    return _POSITION.sub("", message).split("\n")[0]


def underlined(message: str) -> str:
    """The part of the formula that a message underlines, "" if it is the whole of it."""
    lines = message.split("\n")
    if len(lines) < 3 or "^" not in lines[2]:
        return ""
    start, end = lines[2].index("^"), lines[2].rindex("^") + 1
    return "" if lines[1].strip() == lines[1][start:end].strip() else lines[1][start:end].strip()


def faults(case: Case) -> list[tuple[str, str]]:
    """(field, message) for everything that does not hold; nothing if the case is as the page says."""
    verdict, found = judge(case), []
    if verdict.given:
        found.append(("given", f"what is given is rejected: {verdict.given}"))
    elif not verdict.wrong:
        found.append(("wrong", "the checker accepts the wrong line"))
    elif verdict.wrong != case.says:
        found.append(("says", f"the checker says: {verdict.wrong}"))
    if verdict.right:
        found.append(("right", f"the checker rejects the right line: {verdict.right}"))
    if not case.sources:
        found.append(("kind", "the text above the block links to no report"))
    return found


def check(page: Page) -> tuple[int, list[Failure]]:
    """How many cases a page has, and what is wrong with them."""
    failures = []
    for fence in blocks(page):
        try:
            case = read_case(page, fence)
        except CaseError as error:
            failures.append(page.failure(fence.first + error.line, "museum", str(error)))
            continue
        for field, message in faults(case):
            failures.append(page.failure(case.line_of(field), "museum", message))
    return len(blocks(page)), failures


def update(page: Page) -> tuple[str, int]:
    """The page with every `says` as the checker says it, and how many were changed."""
    lines, changed = page.lines[:], 0
    for fence in blocks(page):
        case = read_case(page, fence)
        said = judge(case).wrong
        if said and said != case.says:
            lines[case.line_of("says") - 1] = f"says: {said}"
            changed += 1
    return "\n".join(lines), changed


# What the reader sees.


def formula(tex: str, name: str) -> str:
    return (
        f'<div class="museum-formula" tabindex="0" role="group" aria-label="{name}" data-search-exclude>'
        f"{katex.render(tex, True)}</div>"
    )


def inline(text: str) -> str:
    """A cell of a notation table: words and formulas between dollars."""
    parts = re.split(r"\$(.+?)\$", text)
    return "".join(
        f'<bdi class="math" data-search-exclude>{katex.render(part)}</bdi>' if k % 2 else html.escape(part)
        for k, part in enumerate(parts)
    )


def render(case: Case) -> str:
    """The case as HTML: printed line, verdict, corrected line, and what the symbols mean."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{inline(cell.strip())}</td>" for cell in row.strip("|").split("|")) + "</tr>"
        for row in case.rows
    )
    head = "<tr><th>Symbol</th><th>Domain</th><th>Meaning</th></tr>"
    given = "".join(formula(tex, "Given") for tex in case.given)
    given = f"<p>Given:</p>{given}" if given else ""
    verdict = judge(case)
    at = ""
    if verdict.kind == "shape" and verdict.part:
        at = f', at <bdi class="math" data-search-exclude>{katex.render(verdict.part)}</bdi>'
    code = f"<p>Compared with <code>{html.escape(case.code)}</code></p>" if case.code else ""
    return (
        '<div class="museum-case">'
        f'<p class="museum-head museum-wrong">Printed<span class="museum-kind">{KINDS[case.kind]}</span></p>'
        f'{formula(case.wrong, "The printed line")}'
        f'<p class="museum-says"><span>The checker:</span> <code>{html.escape(case.says)}</code>{at}</p>'
        '<p class="museum-head museum-right">Right, accepted</p>'
        f'{formula(case.right, "The corrected line")}'
        "<details><summary>Symbols and what is given</summary>"
        f'<div class="museum-table" tabindex="0" role="group" aria-label="Symbols"><table><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>{given}{code}</details></div>"
    )


def table(shown: list[Case]) -> list[str]:
    """The count of the cases by kind of slip, as lines of Markdown; every case is linked."""
    lines = ["| Kind of slip | Cases | Which |", "|---|---:|---|"]
    for kind, name in sorted(KINDS.items(), key=lambda item: -sum(c.kind == item[0] for c in shown)):
        links = [f"[{c.title}](#{slug(c.title)})" for c in shown if c.kind == kind]
        if links:
            lines.append(f"| {name} | {len(links)} | {' · '.join(links)} |")
    said = Counter(judge(case).kind for case in shown)
    lines += ["", "| What the checker says | Cases |", "|---|---:|"]
    lines += [f"| {VERDICTS[kind]} | {number} |" for kind, number in said.most_common()]
    lines += [f"| **Rejected in all** | **{sum(said.values())}** |"]
    return ["", *lines, ""]


class _Museum(Preprocessor):
    """Puts rendered cases in place of their blocks, and the count in place of its mark."""

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        if "```museum" not in text:
            return lines
        page, out, at, shown = Page(Path("museum.md"), "museum.md", text), [], 0, []
        for fence in blocks(page):
            try:
                shown.append(read_case(page, fence))
                block = render(shown[-1])
            except (CaseError, katex.TexError) as error:
                raise BookError(f"museum: line {fence.line}: {error}") from error
            out += [*lines[at : fence.line - 1], "", self.md.htmlStash.store(block), ""]
            at = fence.first + fence.body.count("\n") + 1
        out += lines[at:]
        if MARK in out:
            place = out.index(MARK)
            out[place : place + 1] = table(shown)
        return out


class MuseumExtension(Extension):
    """Renders the blocks of the error museum."""

    def extendMarkdown(self, md: Markdown) -> None:
        # after line ends are made alike (30), which removes placeholders, and before code fences are read (25)
        md.preprocessors.register(_Museum(md), "nnfp-museum", 28)


def makeExtension(**settings) -> MuseumExtension:
    return MuseumExtension(**settings)
