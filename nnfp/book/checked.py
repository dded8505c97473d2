"""The lists of the page docs/reference/checks.md, made from the run: a Markdown extension.

    markdown_extensions:
      - nnfp.book.markdown: {mark: nnfp.book.marks}
      - nnfp.book.checked

A line `<checked-equations></checked-equations>` becomes one table for each chapter with the status of every
display, `<checked-scores></checked-scores>` the scores of the corruptions, chapter by chapter,
`<checked-survivors></checked-survivors>` what no check caught; on docs/reference/tests.md
`<checked-tests></checked-tests>` becomes the source of the tests. Scores are read from docs/reference/data/,
where scripts/mutate.py writes them. Works in MkDocs and in Zensical.
"""

import ast
import posixpath
import re
from collections import Counter

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from nnfp.book import katex, marks, scores, sources
from nnfp.book.markdown import shared_book
from nnfp.book.reading import Book, Page
from nnfp.book.verdicts import Verdict, verdicts

OTHERS = {
    "mutation_pages": ("What else the pages state", "code, outputs, numbers, shapes, formulas, tables, captions and links"),
    "mutation_package": ("Code", "operators, numbers, conditions and calls of the package"),
}
REASONS = {
    "another statement, true as well": "true as well, and it says less or something else",
    "another definition, and nothing that builds on it differs": "another definition that nothing on the page contradicts",
    "false on fresh draws": "false, but only for values that were not drawn",
}


def chapters(book: Book) -> list[Page]:
    return [page for page in book.pages if page.displays]


def title(page: Page) -> str:
    return next((h.text for h in page.headings if h.level == 1), page.stem)


def way(page: Page, home: str) -> str:
    """The link to a page, for Markdown."""
    return posixpath.relpath(page.home, posixpath.dirname(home) or ".")


def ways(verdict: Verdict, known: dict) -> str:
    """How a display was checked, in a few words."""
    parts = []
    for part in verdict.checked_by.split("; "):
        if part.startswith("both sides on "):
            draws = part.removeprefix("both sides on ").removesuffix(" random draws")
            parts.append(f"{draws} draws")
        elif part.startswith("derivatives"):
            parts.append("derivatives in two ways")
        elif part == "the code of the package":
            parts.append("code")
    parts += dict.fromkeys(library for _, _, library in verdict.tests if library)
    if not verdict.comparisons and verdict.used_by:
        numbers = [known[label][2] for label in verdict.used_by]
        parts.append("by " + ", ".join(f"({n})" for n in numbers[:3]) + (" and others" if len(numbers) > 3 else ""))
    return ", ".join(parts)


def equations(book: Book, home: str) -> list[str]:
    """The status of every display, as lines of Markdown."""
    pages, known = chapters(book), book.equations()
    found = {page.home: verdicts(page) for page in pages}
    every = [verdict for page in found.values() for verdict in page.values()]
    kinds = Counter(verdict.kind for verdict in every)
    outside = sum(bool(verdict.tests) for verdict in every)
    lines = [
        f"The book displays {len(every)} equations on {len(pages)} pages: {kinds['definition']} define something, "
        f"{kinds['claim']} claim something. All of them are checked; {outside} also by a library that is not ours.",
    ]
    for page in pages:
        rows = [
            "", f"### {title(page)}", "",
            "| Equation | Kind | Checked by | Difference below | Corruptions caught |", "|---|---|---|---|---:|",
        ]  # fmt: skip
        for label, verdict in found[page.home].items():
            number = known[label][2]
            error = marks.tenth(verdict.worst_error) if verdict.equality else "–"
            score = scores.of(page.home, label)
            caught = f"{score['caught']} of {score['caught'] + score['survived']}" if score else "–"
            link = f"[{number}]({way(page, home)}#{label}){{#{label}}}"
            rows.append(f"| {link} | {verdict.kind} | {ways(verdict, known)} | {error} | {caught} |")
        lines += rows
    return lines


def percent(score: float) -> str:
    return f"{score:.2f} %"


def many(number: int) -> str:
    """17,938, as the book writes large numbers."""
    return f"{number:,}"


def run_of(data: dict) -> str:
    """When the run was made, and of which state."""
    run = data.get("run", {})
    parts = [run.get("date", ""), f"commit `{run['commit']}`" if run.get("commit") else ""]
    return ", ".join(part for part in parts if part)


def counted(data: dict) -> tuple[int, int]:
    """(caught, survived) of a whole file."""
    whole = data.get("run", {}) if "caught" in data.get("run", {}) else data
    if "caught" in whole:
        return whole["caught"], whole["survived"]
    pages = list((data.get("pages") or data.get("modules") or {}).values())
    return sum(page["caught"] for page in pages), sum(page["survived"] for page in pages)


def score_tables(book: Book, home: str) -> list[str]:
    """The scores of the corruptions, as lines of Markdown."""
    data = scores.load("mutation_equations")
    if not data:
        return ["There is no run yet."]
    caught, survived = counted(data)
    lines = [
        f"**Equations: {percent(data['score'])}** of {many(caught + survived)} corruptions are caught, {survived} "
        f"{'survives' if survived == 1 else 'survive'} ({run_of(data)}).",
        "", "| Page | Corruptions | Caught | Now | First run |", "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    known = {page.home: page for page in chapters(book)}
    for page_home, page in known.items():
        if row := data["pages"].get(page_home):
            first = row.get("first_full_score") or row.get("first_score") or row
            real = row["caught"] + row["survived"]
            lines.append(
                f"| [{title(page)}]({way(page, home)}) | {many(real)} | {many(row['caught'])} | {percent(row['score'])} "
                f"| {percent(first['score'])} |"
            )
    first = data.get("first_full_score")
    if isinstance(first, int | float):
        lines.append(f"| **Together** | **{many(caught + survived)}** | **{many(caught)}** | **{percent(data['score'])}** | **{percent(first)}** |")
    for name, (heading, what) in OTHERS.items():
        if other := scores.load(name):
            caught, survived = counted(other)
            first = other.get("first_score", {}).get("score")
            before = f" The first run caught {percent(first)}." if first is not None else ""
            lines += ["", f"**{heading}: {percent(other['score'])}** of {many(caught + survived)} corruptions are caught: "
                          f"{what} ({run_of(other)}).{before}"]  # fmt: skip
            lines += rows_of(book, home, other.get("pages") or other.get("modules") or {})
    return lines


def rows_of(book: Book, home: str, groups: dict) -> list[str]:
    """One row for each page or module."""
    if not groups:
        return []
    pages = {page.home: page for page in book.pages}
    lines = ["", "| Where | Corruptions | Caught | Now | First run |", "|---|---:|---:|---:|---:|"]
    for name, row in groups.items():
        real = row["caught"] + row["survived"]
        if real:
            shown = f"[{title(pages[name])}]({way(pages[name], home)})" if name in pages else f"`{name}`"
            first = row.get("first_score")
            first = first.get("score") if isinstance(first, dict) else first
            lines.append(f"| {shown} | {many(real)} | {many(row['caught'])} | {percent(row['score'])} "
                         f"| {percent(first) if first is not None else '–'} |")  # fmt: skip
    return lines


def survivors(book: Book, home: str, store) -> list[str]:
    """What no check caught, each with the reason; `store` keeps HTML out of Markdown's way."""
    pages, equations, lines = {page.home: page for page in chapters(book)}, book.equations(), []
    rows = scores.load("mutation_equations").get("pages", {})
    for page_home in pages:
        for survivor in rows.get(page_home, {}).get("survivors", ()):
            known = equations.get(survivor["equation"])
            if known is None:
                continue
            shown = store(f'<span class="survivor" tabindex="0" role="group" aria-label="Corrupted equation">'
                          f'<bdi class="math" data-search-exclude>{formula(survivor["tex"])}</bdi></span>')  # fmt: skip
            link = f"[({known[2]})]({way(known[0], home)}#{survivor['equation']})"
            reason = REASONS.get(survivor["reason"], survivor["reason"])
            lines.append(f"- {link}, {survivor['operation']}: {reason}.<br>{shown}")
    for name, (heading, _) in OTHERS.items():
        for group, found in listed(scores.load(name)).items():
            count = "one" if len(found) == 1 else len(found)
            lines += ["", f'??? note "{heading}, {group}: {count}"', "", *(f"    - {one}" for one in found), ""]
    return lines or ["None."]


def listed(data: dict) -> dict[str, list[str]]:
    """The survivors of a run over pages or code, in words, by page or module."""
    groups = {"": data, **(data.get("pages") or {}), **(data.get("modules") or {})}
    found: dict[str, list[str]] = {}
    for name, group in groups.items():
        for one in group.get("survivors", ()):
            line = f"line {one['line']}" if one.get("line") else ""
            change = one.get("change") or ""
            parts = [line, one.get("operation", ""), quoted(change), one.get("reason", "")]
            found.setdefault(one.get("file") or name, []).append(", ".join(part for part in parts if part))
    return found


def quoted(text: str) -> str:
    """As code, whatever is in it."""
    marks = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{marks}{space}{text}{space}{marks}" if text else ""


EVERY = ("tests/pages/test_equations.py", "test_equation")  # the test that runs each display


def tests(book: Book, home: str, store) -> list[str]:
    """The tests that hold the displays, as they stand in the repository: first the one for all, then the third witnesses."""
    pages = chapters(book)
    held: dict[tuple, list[str]] = {}
    for page in pages:
        for label, verdict in verdicts(page).items():
            for file, test, library in verdict.tests:
                held.setdefault((file, test, library), []).append(f"[({book.equations()[label][2]})]({way(page, home)}#{label})")
    lines = []
    for (file, test, library), links in {(*EVERY, ""): [], **held}.items():
        sentence = test.removeprefix("test_").replace("_", " ") if links else "Every display"
        for name in ("PyTorch", "SymPy", "JAX", "scikit-learn"):
            sentence = re.sub(rf"\b{name.lower().replace('-', ' ')}\b", name, sentence)
        sentence = re.sub(r"\btorch\b", "PyTorch", sentence)
        what = f"Against {library}: {', '.join(links)}." if links else "Runs once for each display of the book."
        lines += ["", f"## {sentence[:1].upper()}{sentence[1:]} {{#{test}}}", "", f"{what} In `{file}`:", ""]
        lines += [store(marks.code(source_of(file, test)).strip("\ue000\ue001")), ""]
    return lines


def source_of(file: str, test: str) -> str:
    """A test with its decorators, "" if it is not there."""
    path = sources.ROOT / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for node in ast.walk(sources.parse(path)) if text else ():
        if isinstance(node, ast.FunctionDef) and node.name == test:
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return ""


def formula(tex: str) -> str:
    try:
        return katex.render(tex)
    except katex.TexError:
        return f"<code>{tex.replace('&', '&amp;').replace('<', '&lt;')}</code>"


class _Lists(Preprocessor):
    def __init__(self, md: Markdown, root: str):
        super().__init__(md)
        self.root = root

    def run(self, lines: list[str]) -> list[str]:
        makers = {
            "<checked-equations></checked-equations>": equations,
            "<checked-scores></checked-scores>": score_tables,
            "<checked-survivors></checked-survivors>": lambda book, home: survivors(book, home, self.md.htmlStash.store),
            "<checked-tests></checked-tests>": lambda book, home: tests(book, home, self.md.htmlStash.store),
        }
        for mark, make in makers.items():
            if mark in lines:
                place, book = lines.index(mark), shared_book(self.root)
                home = next((p.home for p in book.pages if mark in p.lines), "reference/checks.md")
                lines = [*lines[:place], "", *make(book, home), "", *lines[place + 1 :]]
        return lines


class CheckedExtension(Extension):
    """Fills the page of what is checked."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        # after line ends are made alike (30), which removes placeholders
        md.preprocessors.register(_Lists(md, str(self.getConfig("root"))), "nnfp-checked", 28)


def makeExtension(**settings) -> CheckedExtension:
    return CheckedExtension(**settings)
