"""Everything that is checked on a page, and the rewriting of outputs and bound numbers."""

import ast
import difflib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nnfp.book import arithmetic, notebooks, numbers, package, running, snippets, unbound, values
from nnfp.book import links as outside
from nnfp.book.reading import Book, BookError, Failure, Page
from nnfp.book.sources import write

GENERATED = ("assets/vendor/", "llms")


@dataclass
class Report:
    """The outcome for one page."""

    page: Page
    failures: list[Failure] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    seconds: float = 0.0


class Checker:
    """Checks pages of one book; runs each page once, whatever is asked about it."""

    def __init__(self, book: Book | None = None):
        self.book = book or Book()
        self._runs: dict[str, tuple[str, running.Run]] = {}

    @property
    def addresses(self) -> list[str]:
        """Every address outside the book that a page links to, in reading order."""
        return [link.text.partition("#")[0] for page in self.book.pages for link in page.links
                if link.text.startswith(("http://", "https://"))]  # fmt: skip

    def run(self, page: Page) -> running.Run:
        kept = self._runs.get(page.shown)
        if kept is None or kept[0] != page.text:
            self._runs[page.shown] = kept = (page.text, running.run(page))
        return kept[1]

    def check(self, page: Page, kinds: list[str] | None = None) -> Report:
        """All checks of a page, or some kinds of them."""
        report = Report(page)
        for kind in kinds or KINDS:
            report.failures += KINDS[kind](self, page, report.counts)
        report.failures = sorted(set(report.failures))
        report.seconds = self.run(page).seconds if not kinds or "fences" in kinds else 0.0
        return report


def check_fences(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Fences run, their outputs are those on the page, none holds pasted library code."""
    failures = []
    for fence in page.fences:
        if not fence.closed:
            failures.append(page.failure(fence.line, "fence", "this fence is never closed"))
        if fence.language == "pycon":
            message = "write a session as ```python with '#> ' lines, so that it runs"
            failures.append(page.failure(fence.line, "fence", message))
        if not fence.language and fence.body.strip():
            message = "name the language; ```text for what does not run"
            failures.append(page.failure(fence.line, "fence", message))
        if fence.runs and not fence.includes:
            counts["fences"] += 1
            failures += _check_pasted(checker, page, fence)
    result = checker.run(page)
    counts["outputs"] += sum(len(s.expected) for s in result.statements)
    counts["shapes"] += result.shapes
    return failures + result.failures + running.compare(result)


def _check_pasted(checker: Checker, page: Page, fence) -> list[Failure]:
    try:
        tree = ast.parse(fence.body)
    except SyntaxError:
        return []  # running says so
    return [
        page.failure(
            fence.first + line - 1,
            "pasted",
            f"repeats {name} of {file}: import it, or show it by its section",
        )
        for line, file, name in package.pasted(tree, checker.book)
    ]


def check_numbers(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Bound numbers in prose, tables and captions have the value that they claim."""
    bound, failures = numbers.bindings(page)
    result = checker.run(page)
    for binding in bound:
        if not result.complete:
            break
        counts["numbers"] += 1
        wrong, _ = _check_binding(binding, result)
        if wrong:
            failures.append(page.failure(binding.line, "number", wrong))
    for found in arithmetic.sums(page):
        counts["sums"] += 1
        if found.wrong:
            failures.append(page.failure(found.line, "sum", found.wrong))
    return failures


def _check_binding(binding: numbers.Binding, result: running.Run) -> tuple[str | None, str | None]:
    try:
        names = numbers.namespace_of(binding, result)
    except Exception as error:
        return f"{binding.expression}: {error}", None
    return numbers.check(binding, result.page, names)


def check_unbound(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Every number that reports a result is bound to a value (nnfp.book.unbound)."""
    return unbound.find(page, checker.run(page))


def check_figures(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Figures are drawn in both themes; alt texts say something and state only facts."""
    from nnfp.book import figures

    failures = []
    for line, alt, target in page.images:
        if not alt:
            failures.append(page.failure(line, "alt", f"the image {target} has no alt text"))
        if "$" in alt or "\\eqref" in alt:
            failures.append(page.failure(line, "alt", f"alt texts are plain words, no math: {alt}"))
    for use in page.figures:
        counts["figures"] += 1
        try:
            facts = figures.facts(use.name)
        except Exception as error:
            failures.append(page.failure(use.line, "figure", str(error)))
            continue
        if not use.caption:
            failures.append(page.failure(use.line, "figure", f"{use.name} has no caption"))
        known = numbers.flat(facts)
        for text in numbers.numbers_in(use.alt):
            if not any(numbers.agrees(text, value) for value in known):
                message = (
                    f"the alt text says {text}, which is no fact of {use.name} ({_listed(facts)})"
                )
                failures.append(page.failure(use.line, "alt", message))
    return failures


def _listed(facts: dict) -> str:
    return ", ".join(f"{key} = {value:.6g}" if isinstance(value, float) else f"{key} = {value}"
                     for key, value in facts.items()) or "it states none"  # fmt: skip


def check_snippets(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Included sections exist, are named by the fence's title and are shown once in the book."""
    failures, shown = [], package.uses(checker.book)
    for fence in page.fences:
        includes = fence.includes
        if fence.language == "python" and fence.title and not includes:
            message = "a titled fence shows package code by section; a fence that runs has no title"
            failures.append(page.failure(fence.line, "snippet", message))
        if fence.language == "python" and includes and len(includes) != len(fence.body.split("\n")):
            message = "a fence with an include holds nothing else"
            failures.append(page.failure(fence.line, "snippet", message))
        for line, file, section in includes:
            counts["snippets"] += 1
            failures += _check_include(checker, page, fence, line, file, section)
            places = shown.get((file, section), [])
            if section and len(places) > 1:
                others = ", ".join(
                    f"{p.shown}:{n}" for p, n in places if (p.home, n) != (page.home, line)
                )
                message = f"section {section} of {file} is shown more than once: also {others}"
                failures.append(page.failure(line, "snippet", message))
    return failures + _check_copies(checker, page)


def _check_copies(checker: Checker, page: Page) -> list[Failure]:
    """What the copy button gives defines every name that it uses; tests run it as well."""
    failures = []
    try:
        copies = [(f, snippets.undefined(text)) for f, text in snippets.texts(checker.book, page)]
    except SyntaxError:
        return []  # running says so
    for fence, missing in copies:
        if missing:
            message = f"pasted alone it does not know {', '.join(sorted(missing))}"
            failures.append(page.failure(fence.line, "copy", message))
    return failures


def _check_include(checker, page, fence, line, file, section) -> list[Failure]:
    path = checker.book.root / file
    if not path.is_file():
        return [page.failure(line, "snippet", f"there is no file {file}")]
    if fence.title != file:
        return [
            page.failure(fence.line, "snippet", f'the title should be "{file}", is {fence.title!r}')
        ]
    if not section:
        return [page.failure(line, "snippet", f"show {file} by a named section, not as a whole")]
    known = package.sections(path)[0]
    if section not in known:
        near = ", ".join(difflib.get_close_matches(section, known, 3) or known) or "none"
        return [page.failure(line, "snippet", f"{file} has no section {section}; it has: {near}")]
    return []


def check_links(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Relative links and their anchors exist; addresses are well formed."""
    failures, seen = [], set()
    pages = {p.home: p for p in checker.book.pages}
    base = Path(page.home).parent
    sources = next((h.line for h in page.headings if h.text == "Sources"), len(page.lines))
    spelt: dict[str, list[str]] = {}
    for address in checker.addresses:
        spelt.setdefault(outside.key(address), []).append(address)
    for link in page.links:
        target = link.text
        if target.startswith(("figure:", "mailto:")):
            continue
        counts["links"] += 1
        if "://" in target or target.startswith("//"):
            if message := outside.wrong(target):
                failures.append(page.failure(link.line, "link", message))
                continue
            same = outside.key(target)
            if link.line > sources and same in seen:
                failures.append(
                    page.failure(link.line, "link", f"{target} is named twice in Sources")
                )
            other = spelt.get(same, [target])[0]
            if other != target.partition("#")[0]:
                message = f"{target} is written {other} elsewhere in the book: write it one way"
                failures.append(page.failure(link.line, "link", message))
            seen |= {same} if link.line > sources else set()
            continue
        file, _, anchor = target.partition("#")
        home = _normal(base / file) if file else page.home
        if home is None or file.startswith("/"):
            failures.append(page.failure(link.line, "link", f"{target} leads out of docs/"))
            continue
        if home in pages:
            other = pages[home]
            if anchor and anchor not in other.anchors and "::: " not in other.text:
                near = difflib.get_close_matches(anchor, other.anchors, 1)
                hint = f"; did you mean #{near[0]}?" if near else ""
                message = f"{home} has no anchor #{anchor}{hint}"
                failures.append(page.failure(link.line, "link", message))
        elif home.startswith("notebooks/") and home.endswith(".ipynb"):
            if home not in {notebooks.name(other) for other in pages}:
                message = f"no page makes {home}; this page makes {notebooks.name(page.home)}"
                failures.append(page.failure(link.line, "link", message))
        elif not (checker.book.docs / home).exists() and not _comes_later(checker.book, home):
            failures.append(page.failure(link.line, "link", f"there is no docs/{home}"))
    return failures


def _comes_later(book: Book, home: str) -> bool:
    """Files that the set-up or the build writes; what the set-up has written is looked at."""
    vendor = book.docs / "assets" / "vendor"
    return home.startswith(GENERATED) and not (vendor.is_dir() and home.startswith("assets/vendor/"))


def _normal(path: Path) -> str | None:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def check_labels(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    r"""Every display has one label, unique in the book; every \eqref finds its label."""
    failures, owners = [], {}
    for other in checker.book.pages:
        for display in other.displays:
            for label in display.labels:
                owners.setdefault(label, []).append((other, display.line))
    if page.words.count("$$") % 2:
        line = page.line_of(page.words.rindex("$$"))
        failures.append(page.failure(line, "label", "an odd number of $$: a display is not closed"))
    for display in page.displays:
        counts["equations"] += 1
        if len(display.labels) != 1:
            message = f"a display needs one \\label{{eq-...}}, this has {len(display.labels)}"
            failures.append(page.failure(display.line, "label", message))
        for label in display.labels:
            if not label.startswith("eq-"):
                message = f"the label {label} does not begin with eq-"
                failures.append(page.failure(display.line, "label", message))
            places = [
                f"{p.shown}:{n}"
                for p, n in owners[label]
                if (p.home, n) != (page.home, display.line)
            ]
            if places:
                message = f"the label {label} is used more than once: also {', '.join(places)}"
                failures.append(page.failure(display.line, "label", message))
    for reference in page.references:
        counts["references"] += 1
        if reference.text not in owners:
            near = difflib.get_close_matches(reference.text, owners, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            message = f"no equation of the book has the label {reference.text}{hint}"
            failures.append(page.failure(reference.line, "label", message))
    failures += _check_tex(page, counts)
    for heading in page.headings:
        if "$" in heading.text.replace("\\$", ""):
            failures.append(page.failure(heading.line, "heading", "no math in headings"))
    return failures


def _check_tex(page: Page, counts: Counter) -> list[Failure]:
    """KaTeX can set every formula; left to the build where the npm package is not there."""
    from nnfp.book import katex

    try:
        katex.folder()
    except BookError:
        return []
    label = re.compile(r"\\label\{[^{}]*\}")
    formulas = [(f.line, f.text, False) for f in page.formulas]
    formulas += [(d.line, label.sub("", d.tex), True) for d in page.displays]
    failures = []
    for line, tex, display in formulas:
        counts["formulas"] += 1
        try:
            katex.render(tex.strip(), display)
        except katex.TexError as error:
            failures.append(page.failure(line, "tex", str(error)))
    return failures


def check_equations(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """The displayed equations hold, and what formulas in running text state (nnfp.book.equations)."""
    try:
        from nnfp.book import equations
    except ImportError:
        return []
    failures = []
    for result in equations.check_page(page.path, inline=True):
        counts["checked"] += bool(result.ok)
        if not result.ok:
            file, line = getattr(result, "file", None), getattr(result, "line", 1)
            shown = page.shown if file is None else checker.book.shown(Path(file).resolve())
            failures.append(Failure(shown, line, "equation", result.message))
    return failures


def check_values(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """What the code leaves behind is what was recorded (nnfp.book.values)."""
    number, failures = values.check(page, checker.run(page), checker.book)
    counts["values"] += number
    return failures


def check_museum(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Wrong equations of published texts are rejected as the page says, right ones accepted."""
    from nnfp.book import museum

    number, failures = museum.check(page)
    counts["exhibits"] += number
    return failures


def check_answers(checker: Checker, page: Page, counts: Counter) -> list[Failure]:
    """Typed answers: the right ones are what the code gives, the listed slips are not (nnfp.book.answers)."""
    from nnfp.book import answers

    result = checker.run(page)
    number, failures = answers.check(page, result.namespace if result.complete else {})
    counts["answers"] += number
    return failures


Check = Callable[[Checker, Page, Counter], list[Failure]]
KINDS: dict[str, Check] = {
    "fences": check_fences,
    "numbers": check_numbers,
    "unbound": check_unbound,
    "figures": check_figures,
    "snippets": check_snippets,
    "links": check_links,
    "labels": check_labels,
    "equations": check_equations,
    "values": check_values,
    "museum": check_museum,
    "answers": check_answers,
}


def check_book(book: Book) -> list[Failure]:
    """What no single page can show: sections, docstrings, chapters and tests of modules."""
    failures = package.check_sections(book) + package.check_docstrings(book)
    failures += package.check_witnesses(book)
    return sorted(set(failures + package.check_modules(book)))


def update(path: str | Path, checker: Checker | None = None) -> int:
    """Rewrite outputs, bound numbers and recorded values of a page to what the code gives; how many changed."""
    from nnfp.book import museum

    checker = checker or Checker()
    page = checker.book.page(path)
    text, messages = museum.update(page)
    write(page.path, text)
    page = checker.book.page(path)
    text, outputs = _update_outputs(checker, page)
    write(page.path, text)
    page = checker.book.page(path)
    text, bound = _update_numbers(checker, page)
    write(page.path, text)
    recorded = values.update(checker.book.page(path), checker.book)
    return outputs + bound + messages + recorded


def _update_outputs(checker: Checker, page: Page) -> tuple[str, int]:
    lines, changed = page.lines[:], 0
    for statement in reversed(checker.run(page).statements):
        if (
            statement.printed is None
            or [t.rstrip() for _, t in statement.expected] == statement.printed
        ):
            continue
        for number, _ in reversed(statement.expected):
            del lines[number - 1]
        indent = statement.fence.indent
        new = [f"{indent}{running.MARK} {text}".rstrip() for text in statement.printed]
        lines[statement.last : statement.last] = new
        changed += 1
    return "\n".join(lines), changed


def _update_numbers(checker: Checker, page: Page) -> tuple[str, int]:
    text, changed = page.text, 0
    result = checker.run(page)
    if not result.complete:
        return text, 0
    for binding in reversed(numbers.bindings(page)[0]):
        _, right = _check_binding(binding, result)
        if right is not None and right != binding.shown:
            text = text[: binding.start] + right + text[binding.end :]
            changed += 1
    return text, changed


__all__ = ["Book", "BookError", "Checker", "Failure", "KINDS", "Report", "check_book", "update"]
