r"""The Markdown extension of the book: formulas, equation numbers, \eqref, figures, copies.

    markdown_extensions:
      - nnfp.book.markdown

Works in MkDocs and in Zensical. Neither tells an extension which page it renders, so the
page is found by its text among the files under docs/. Whatever is wrong stops the build
with file and line.
"""

import html
import importlib
import posixpath
import re
import xml.etree.ElementTree as etree
from functools import cache, lru_cache
from pathlib import Path

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from nnfp.book import katex, snippets
from nnfp.book.reading import Book, BookError, Page
from nnfp.book.sources import ROOT

try:
    from mkdocs.exceptions import BuildError
except ImportError:
    BuildError = Exception


class PageError(BookError, BuildError):
    """A fault of a page; MkDocs prints it without a traceback."""


_LABEL = re.compile(r"[ \t]*\\label\{([^{}]*)\}[ \t]*\n?")


def _fail(page: Page | None, line: int, message: str) -> None:
    raise PageError(f"{page.shown}:{line}: {message}" if page else message)


@lru_cache(maxsize=200)
def _body_key(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


@cache
def shared_book(root: str = "") -> Book:
    """One book for all pages of a build: it reads a file again only after a change."""
    return Book(Path(root or ROOT).resolve())


class _State:
    """What both processors know about the page that is being rendered."""

    def __init__(self, config: dict):
        self.book = shared_book(str(config["root"]))
        self.mark = config["mark"]
        self.page: Page | None = None
        self.equations: dict = {}
        self.figures = 0

    def start(self, text: str) -> None:
        key = _body_key(text)
        same = [page for page in self.book.pages if _body_key(page.body) == key]
        self.page = same[0] if same else None
        self.equations = self.book.equations() if self.page or "\\eqref" in text else {}
        self.figures = 0
        if len(same) > 1 and (self.page.displays or self.page.references):
            _fail(self.page, 1, f"has the same text as {same[1].shown}")

    def marks(self):
        """The module that says how an equation was checked, None if mkdocs.yml names none."""
        return importlib.import_module(self.mark) if self.mark and self.page else None


class _Before(Preprocessor):
    r"""Checks labels, removes comments, turns \eqref into links, sets displays apart."""

    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        state = self.state
        state.start("\n".join(lines))
        page = state.page
        if page is None:  # a docstring in the reference, or text that a plugin made
            page = Page(ROOT, "", "\n".join(lines))
            if page.displays or page.references or page.figures:
                what = page.text.strip().split("\n")[0][:60]
                _fail(
                    None, 0, f"text that is no page under docs/ has equations or figures: {what!r}"
                )
        self._check(page)
        text, shift = page.text, len("\n".join(page.lines[: page.body_line]))
        changes = [(c.start, c.end, "") for c in page.comments]
        changes += [self._reference(page, r) for r in page.references]
        changes += [self._display(page, d) for d in page.displays]
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        body = text[shift + 1 :] if page.body_line else text
        return body.split("\n")

    def _check(self, page: Page) -> None:
        if page.words.count("$$") % 2:
            _fail(page, page.line_of(page.words.rindex("$$")), "a display $$ is not closed")
        for display in page.displays:
            if len(display.labels) != 1:
                message = f"a display needs one \\label{{eq-...}}, this has {len(display.labels)}"
                _fail(page, display.line, message)
            owner, first, _ = self.state.equations[display.labels[0]]
            if (owner.home, first.start) != (page.home, display.start):
                message = (
                    f"the label {display.labels[0]} is already used at {owner.shown}:{first.line}"
                )
                _fail(page, display.line, message)
            before = page.text[: display.start].rpartition("\n")[2]
            after = re.match(r"[^\n]*", page.text[display.end :])[0]
            if before.strip(" \t>") or re.sub(r"<!--.*?-->", "", after).strip():
                _fail(page, display.line, "a display $$ ... $$ stands on lines of its own")

    def _reference(self, page: Page, reference) -> tuple[int, int, str]:
        known = self.state.equations.get(reference.text)
        if known is None:
            message = f"no equation of the book has the label {reference.text}"
            _fail(page, reference.line, message)
        owner, _, number = known
        path = ""
        if owner.home != page.home:
            path = posixpath.relpath(owner.home, posixpath.dirname(page.home) or ".")
        end = reference.start + len(f"\\eqref{{{reference.text}}}")
        return reference.start, end, f"[({number})]({path}#{reference.text})"

    def _display(self, page: Page, display) -> tuple[int, int, str]:
        """A block of its own, whatever stands above and below it."""
        line = page.text.rfind("\n", 0, display.start) + 1
        indent = page.text[line : display.start]
        inner = [f"{indent}{part.strip()}" for part in display.tex.split("\n") if part.strip()]
        blank = indent.rstrip()
        block = [blank, f"{indent}$$", *inner, f"{indent}$$", blank, ""]
        return line, display.end, "\n".join(block)


class _After(Treeprocessor):
    """Puts formulas and figures into the finished tree."""

    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, root: etree.Element) -> None:
        math = [
            element
            for element in root.iter()
            if element.tag in ("span", "div") and "arithmatex" in element.get("class", "").split()
        ]
        sources = [self._tex(element) for element in math]
        marks = self.state.marks() if any(display for _, _, display in sources) else None
        checked = self._checked(marks)
        wanted = [(tex, display) for tex, label, display in sources if label not in checked]
        wanted += marks.formulas([(tex, checked[label]) for tex, label, _ in sources if label in checked]) if marks else []
        katex.preload(wanted)
        fresh = [formula for formula in dict.fromkeys(wanted) if not katex.is_known(*formula)]
        for element, (tex, label, display) in zip(math, sources, strict=True):
            self._formula(element, tex, label, display, marks, checked.get(label))
        katex.keep([formula for formula in fresh if katex.is_known(*formula)])
        for parent in list(root.iter()):
            for place, child in enumerate(list(parent)):
                if child.tag == "p" and (image := self._figure_image(child)) is not None:
                    parent[place] = self._figure(child, image)

    def _tex(self, element: etree.Element) -> tuple[str, str | None, bool]:
        display = element.tag == "div"
        text = element.text.strip()
        text = html.unescape(text) if display else text
        text = re.sub(r"^\\[\[(]|\\[\])]$", "", text)
        label = _LABEL.search(text)
        return _LABEL.sub("", text).strip(), label and label[1], display

    def _line(self, tex: str) -> int:
        """The line of the page on which this formula stands."""
        page = self.state.page
        if page is None:
            return 1
        place = page.words.find(tex)
        if place < 0:
            first = tex.split("\n")[0].strip()
            place = page.words.find(first)
        return page.line_of(max(place, 0))

    def _checked(self, marks) -> dict:
        """Label -> verdict of the displays of this page."""
        try:
            return marks.verdicts(self.state.page) if marks else {}
        except BookError as error:
            raise PageError(str(error)) from error

    def _formula(self, element, tex: str, label: str | None, display: bool, marks, verdict) -> None:
        try:
            rendered = marks.display(tex, verdict) if verdict else katex.render(tex, display)
        except katex.TexError as error:
            _fail(self.state.page, self._line(tex), f"TeX: {error}")
        rendered = AtomicString(self.md.htmlStash.store(rendered))
        if not display:
            # not a span: Material's search ends an exclusion at the first end tag of its kind
            element.tag = "bdi"
            element.attrib = {"class": "math", "data-search-exclude": ""}
            element.text = rendered
            return
        number = self.state.equations[label][2]
        element.text = None
        element.set("class", "equation")
        element.set("id", label)
        box = etree.SubElement(
            element,
            "div",
            {"class": "equation-scroll", "tabindex": "0", "role": "group",
             "aria-label": f"Equation {number}", "data-search-exclude": ""},
        )  # fmt: skip
        box.text = rendered
        side = etree.SubElement(element, "div", {"class": "equation-side"})
        link = etree.SubElement(side, "a", {"class": "equation-number", "href": f"#{label}"})
        link.text = AtomicString(f"({number})")
        if verdict:
            place = etree.SubElement(element, "div", {"class": "equation-mark"})
            mark = marks.panel(self.state.equations, self.state.page, verdict)
            place.append(marks.tree(mark, self.md.htmlStash.store))

    def _figure_image(self, paragraph: etree.Element) -> etree.Element | None:
        first = next(iter(paragraph), None)
        if first is None or first.tag != "img" or (paragraph.text or "").strip():
            return None
        return first if first.get("src", "").startswith("figure:") else None

    def _figure(self, paragraph: etree.Element, image: etree.Element) -> etree.Element:
        from nnfp.book import figures

        state, name = self.state, image.get("src").removeprefix("figure:")
        alt = " ".join(image.get("alt", "").split())
        line = next((use.line for use in state.page.figures if use.name == name), 1)
        if not alt:
            _fail(state.page, line, f"the figure {name} has no alt text")
        try:
            drawings = {theme: figures.draw(name, theme)[0] for theme in figures.THEMES}
        except Exception as error:
            _fail(state.page, line, str(error))
        state.figures += 1
        figure = etree.Element("figure", {"class": "figure", "id": f"figure-{state.figures}"})
        box = etree.SubElement(figure, "div", {"class": "figure-drawing"})
        above = "../" * state.page.home.count("/")  # MkDocs turns it into the address of the file
        for theme, svg in drawings.items():
            width, height = figures.size(svg)
            etree.SubElement(
                box,
                "img",
                {"class": f"figure-{theme}", "src": f"{above}{figures.file(name, theme)}", "alt": alt,
                 "width": str(width), "height": str(height), "loading": "lazy", "decoding": "async"},
            )  # fmt: skip
        caption = (image.tail or "").strip()
        if caption or len(paragraph) > 1:
            words = etree.SubElement(figure, "figcaption")
            words.text = (image.tail or "").lstrip()
            words.extend(list(paragraph)[1:])
        figure.tail = paragraph.tail
        return figure


class _Copies(Postprocessor):
    """Material's copy button takes `data-copy` where it is: the fence and what it needs."""

    box = re.compile(
        r'<div class="language-(python|console|text) highlight">(.*?</pre>)</div>', re.S
    )

    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, text: str) -> str:
        page = self.state.page
        if page is None or ' highlight">' not in text:  # the toc sends its parts through here too
            return text
        fences = [f for f in page.fences if f.language in ("python", "console", "text")]
        boxes = self.box.findall(text)
        if [language for language, _ in boxes] != [fence.language for fence in fences]:
            _fail(page, 1, f"{len(fences)} fences of code became {len(boxes)} blocks on the site")
        copies, rest = snippets.copies(self.state.book, page), iter(fences)

        def one(match: re.Match) -> str:
            fence = next(rest)
            if fence.line not in copies:
                return match[0]
            copy = copies[fence.line]
            if copy is None:
                return f'<div class="language-{match[1]} no-copy highlight">{match[2]}</div>'
            data = html.escape(copy.text, quote=True).replace("\n", "&#10;")
            note = ""
            if copy.added:
                lines = f"{copy.added} line{'s' * (copy.added > 1)}"
                note = f'<div class="copy-note" data-search-exclude>the copy adds {lines}</div>'
            opening = f'<div class="language-{match[1]} highlight" data-copy="{data}">'
            return f"{opening}{match[2]}{note}</div>"

        return self.box.sub(one, text)


class BookExtension(Extension):
    """Everything that a page of the book needs beyond Markdown."""

    def __init__(self, **settings):
        self.config = {
            "root": ["", "The folder of the book; that of the package when empty"],
            "mark": ["", "Module that says how an equation was checked: nnfp.book.marks"],
        }
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        settings = {"generic": True, "block_syntax": ["dollar"], "inline_syntax": ["dollar"]}
        md.registerExtensions(["pymdownx.arithmatex"], {"pymdownx.arithmatex": settings})
        state = _State(self.getConfigs())
        md.preprocessors.register(_Before(md, state), "nnfp-before", 200)
        md.treeprocessors.register(_After(md, state), "nnfp-after", 12)
        md.postprocessors.register(_Copies(md, state), "nnfp-copies", 5)


def makeExtension(**settings) -> BookExtension:
    return BookExtension(**settings)
