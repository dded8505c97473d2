r"""A notebook of each chapter: the same text, the same code, the outputs that the page shows.

Generated into docs/notebooks/ and ignored by git. Nothing is executed here: the page check
proves the outputs, and a test runs notebooks and compares. Equal pages give equal bytes.
"""

import base64
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass, field

from nnfp.book import package
from nnfp.book.reading import Book, BookError, Fence, Page
from nnfp.book.running import MARK
from nnfp.book.sources import write

_WRAPPER = re.compile(r"\s*<div [^>]*\bmarkdown>|\s*</div>")  # around a figure that moves on the site
_BOX = re.compile(r'^(?:!!!|\?\?\?\+?|===[!+]?)\s*([\w-]*)[^"]*(?:"([^"]*)")?\s*$')
_LABEL = re.compile(r"[ \t]*\\label\{[^{}]*\}[ \t]*\n?")


def name(home: str) -> str:
    """The file of the page `home` under docs/: notebooks/pitfalls_batch.ipynb."""
    return f"notebooks/{home.removesuffix('.md').replace('/', '_')}.ipynb"


def wanted(page: Page) -> bool:
    """Pages with a session get a notebook."""
    return any(fence.runs and not fence.includes for fence in page.fences)


@dataclass
class _Boxes:
    """Admonitions, details and tabs that are open: their kinds and inner indents."""

    open: list[tuple[str, int]] = field(default_factory=list)

    def line(self, text: str) -> str:
        """A line of prose without the indent of its box; a box's head becomes bold."""
        if not text.strip():
            return ""
        indent = len(text) - len(text.lstrip())
        while self.open and indent < self.open[-1][1]:
            self.open.pop()
        if match := _BOX.match(text.lstrip()):
            self.open.append((match[1], indent + 4))
            return f"**{match[2] or match[1].capitalize()}**\n"
        return text[self.open[-1][1] :] if self.open else text

    def holds(self, kind: str, indent: int) -> bool:
        return any(kind == k and indent >= inner for k, inner in self.open)


class _Writer:
    """Turns one page into cells."""

    def __init__(self, book: Book, page: Page, equations: dict, drawn: bool = True):
        self.book, self.page, self.equations, self.drawn = book, page, equations, drawn
        self.site_url = book.site_url
        self.cells: list[dict] = []
        self.text: list[str] = []
        self.pictures: dict[str, dict] = {}
        self.boxes = _Boxes()

    def cells_of_page(self) -> list[dict]:
        done = self.page.body_line
        for fence in self.page.fences:
            self._prose(done, fence.line - 1)
            done = fence.line + fence.body.count("\n") + 2
            if fence.runs and not fence.includes:
                self._flush()
                self._code(fence)
            else:
                self._listing(fence)
        self._prose(done, len(self.page.lines))
        self._flush()
        return self.cells

    def _prose(self, first: int, last: int) -> None:
        """Lines first..last-1 (counted from 0) as Markdown that a notebook understands."""
        page = self.page
        start, end = page._starts[first], page._starts[min(last, len(page.lines))]
        changes = [(c.start, c.end, "") for c in page.comments]
        changes += [
            (r.start, r.start + len(f"\\eqref{{{r.text}}}"), f"({self._number(r.text, r.line)})")
            for r in page.references
        ]
        changes += [(d.start, d.end, self._display(d)) for d in page.displays]
        changes += [
            (u.start, u.end, self._figure(u)) for u in page.figures if start <= u.start < end
        ]
        text = page.text[start:end]
        chosen = [change for change in changes if start <= change[0] < end]
        for a, b, new in sorted(chosen, reverse=True):
            if not any(x <= a and b <= y and (x, y) != (a, b) for x, y, _ in chosen):
                text = text[: a - start] + new + text[b - start :]
        kept = (line for line in text.split("\n") if not _WRAPPER.fullmatch(line))
        lines = [self.boxes.line(line) for line in kept]
        self.text.append(self._links("\n".join(lines)))

    def _number(self, label: str, line: int) -> str:
        if label not in self.equations:
            raise BookError(
                f"{self.page.shown}:{line}: no equation of the book has the label {label}"
            )
        return self.equations[label][2]

    def _display(self, display) -> str:
        tex = _LABEL.sub("", display.tex).rstrip()
        tags = "".join(f"\\tag{{{self._number(label, display.line)}}}" for label in display.labels)
        line = self.page.text.rfind("\n", 0, display.start) + 1
        indent = self.page.text[line : display.start]
        return f"$${tex}\n{indent}{tags}\n{indent}$$"

    def _figure(self, use) -> str:
        """The figure as a picture inside the notebook, or its alt text where none is drawn."""
        shown = f"*Figure: {use.alt}.*"
        if self.drawn:
            from nnfp.book import figures

            try:
                data = figures.picture(use.name)
            except Exception as error:
                raise BookError(f"{self.page.shown}:{use.line}: {error}") from error
            file = f"{use.name}.png"
            self.pictures[file] = {"image/png": base64.b64encode(data).decode()}
            shown = f"![{use.alt}](attachment:{file})"
        paragraph = self.page.text[use.start : use.end]
        lead = re.match(r"\s*", paragraph)[0]
        caption = re.sub(r"<!--.*?-->", "", use.caption, flags=re.S)
        caption = re.sub(
            r"\\eqref\{([^{}]*)\}", lambda m: f"({self._number(m[1], use.line)})", caption
        )
        return f"{lead}{shown}\n{lead.rpartition(chr(10))[2]}{caption}"

    def _links(self, text: str) -> str:
        """Links inside the book lead to the site, where its address is known, else they go."""
        text = re.sub(r"(?m)^\[[^\]]*\]\([^)]*\)\{[^}]*\.notebook[^}]*\}[ \t]*$", "", text)
        text = re.sub(r"(?<=[)\w])\{:?\s*[.#][^{}\n]*\}", "", text)

        def away(match: re.Match) -> str:
            words, target = match.groups()
            if "://" in target or target.startswith(("attachment:", "mailto:")):
                return match[0]
            file, _, anchor = target.partition("#")
            here = posixpath.dirname(self.page.home)
            home = posixpath.normpath(posixpath.join(here, file)) if file else self.page.home
            if not self.site_url or not home.endswith(".md"):
                return words
            address = re.sub(r"(^|/)index\.md$", r"\1", home).removesuffix(".md")
            address = address if not address or address.endswith("/") else f"{address}/"
            return f"[{words}]({self.site_url}{address}{'#' * bool(anchor)}{anchor})"

        return re.sub(r"(?<!!)\[([^\[\]]*)\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", away, text)

    def _listing(self, fence: Fence) -> None:
        """A fence that does not run stays text; included sections are written out."""
        if fence.language == "answer":
            return  # a form, which only the site can show
        body = fence.body
        for line, file, section in fence.includes:
            sections = package.sections(self.book.root / file)[0]
            if section not in sections:
                raise BookError(f"{self.page.shown}:{line}: {file} has no section {section}")
            body = sections[section][1].strip("\n")
        title = f"`{fence.title}`\n\n" if fence.title else ""
        mark = "````" if "```" in body else "```"
        self.text.append(f"\n{title}{mark}{fence.language}\n{body}\n{mark}\n")

    def _code(self, fence: Fence) -> None:
        lines = fence.body.split("\n")
        source = "\n".join(line for line in lines if not line.strip().startswith(MARK)).strip("\n")
        shown = [line.strip() for line in lines if line.strip().startswith(MARK)]
        text = "".join(line[len(MARK) :].removeprefix(" ") + "\n" for line in shown)
        cell = {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": _lines(text)}]
            * bool(text),
            "source": _lines(source),
        }
        if self.boxes.holds("success", len(fence.indent)):
            cell["metadata"] = {"tags": ["solution"]}
        self.cells.append(cell)

    def _flush(self) -> None:
        """What has been gathered becomes a Markdown cell."""
        text = re.sub(r"\n{3,}", "\n\n", "".join(self.text)).strip("\n")
        text = re.sub(r"[ \t]+$", "", text, flags=re.M)
        self.text = []
        if text:
            cell = {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}
            used = {f: d for f, d in self.pictures.items() if f"(attachment:{f})" in text}
            if used:
                cell["attachments"] = used
            self.cells.append(cell)
        self.pictures = {}


def _lines(text: str) -> list[str]:
    """Text as notebooks store it: a list of lines with their ends."""
    return text.splitlines(keepends=True)


def _needs(book: Book) -> dict:
    """The first cell: where this comes from and how to run it."""
    settings, site, repository = book.settings, book.site_url, book.settings.get("repo_url")
    source = f"`pip install git+{repository}`" if repository else "the package `nnfp` of this book"
    where = f" of [{settings.get('site_name')}]({site})" if site else ""
    text = f"*A chapter{where} as a notebook. To run it you need {source}.*"
    return {"cell_type": "markdown", "metadata": {}, "source": [text]}


def notebook(book: Book, page: Page, equations: dict | None = None) -> dict:
    """The notebook of a page."""
    equations = book.equations() if equations is None else equations
    cells = _Writer(book, page, equations).cells_of_page()
    cells.insert(0, _needs(book))
    seen: dict[str, int] = {}
    for cell in cells:
        text = cell["cell_type"] + "".join(cell["source"])
        seen[text] = seen.get(text, 0) + 1
        digest = hashlib.sha256(f"{page.home}\0{text}\0{seen[text]}".encode())
        cell["id"] = digest.hexdigest()[:12]
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def plain(book: Book, page: Page, equations: dict) -> str:
    """The page as Markdown without anything special: for programs that read."""
    parts = []
    for cell in _Writer(book, page, equations, drawn=False).cells_of_page():
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            text = f"```python\n{text}\n```"
            for output in cell["outputs"]:
                text += f"\n\n```text\n{''.join(output['text'])}```"
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def write_plain(book: Book) -> list[str]:
    """Write llms.txt, the list of chapters, and each chapter as plain text under llms/."""
    equations, settings, written, wanted_files = book.equations(), book.settings, [], set()
    numbers = book.numbers
    lines = [f"# {settings.get('site_name', 'The book')}", ""]
    lines += [f"> {settings['site_description']}", ""] if settings.get("site_description") else []
    lines += ["## Chapters", ""]
    for page in book.pages:
        if page.home not in numbers or not page.headings:
            continue
        file = f"llms/{page.home.removesuffix('.md').replace('/', '_')}.txt"
        text = plain(book, page, equations)
        wanted_files.add(book.docs / file)
        written += [file] * write(book.docs / file, text)
        after = text.split("\n", 1)[1].strip() if text.startswith("# ") else text
        summary = " ".join(after.split("\n\n")[0].split())
        summary = f": {summary}" if re.match(r"[A-Z]", summary) else ""
        lines.append(f"- [{page.headings[0].text}]({file}){summary}")
    written += ["llms.txt"] * write(book.docs / "llms.txt", "\n".join(lines) + "\n")
    for path in (book.docs / "llms").glob("*.txt"):
        if path not in wanted_files:
            path.unlink()
    return written


def write_all(book: Book) -> list[str]:
    """Write every notebook of the book that changed; remove those without a page."""
    folder, equations, written, known = book.docs / "notebooks", book.equations(), [], set()
    for page in book.pages:
        if not wanted(page):
            continue
        path = book.docs / name(page.home)
        if path in known:
            raise BookError(f"two pages would write {path.name}; {page.shown} needs another name")
        known.add(path)
        text = json.dumps(
            notebook(book, page, equations), indent=1, sort_keys=True, ensure_ascii=False
        )
        if write(path, text + "\n"):
            written.append(book.shown(path))
    for path in sorted(folder.glob("*.ipynb")) if folder.is_dir() else []:
        if path not in known:
            path.unlink()
    return written
