"""Reads chapters: what stands where on a page, and which pages make the book.

Nothing runs here. Offsets and line numbers always refer to the file as it is on disk.
"""

import bisect
import os
import re
import textwrap
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from nnfp.book.sources import ROOT


@dataclass(frozen=True, order=True)
class Failure:
    """One thing that is wrong, and where."""

    file: str
    line: int
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.message}"


class BookError(Exception):
    """Stops a build: the page cannot be shown as it is."""


@dataclass(frozen=True)
class Fence:
    """A fenced code block; `line` is that of its opening marks, `first` that of its first line."""

    line: int
    first: int
    indent: str
    language: str
    title: str | None
    body: str
    closed: bool

    @property
    def runs(self) -> bool:
        return self.language == "python" and self.title is None

    @property
    def includes(self) -> list[tuple[int, str, str]]:
        """(line, file, section) of each snippet that the fence includes."""
        found = []
        for number, text in enumerate(self.body.splitlines()):
            if match := re.fullmatch(r'\s*-+8<-+\s+"([^":]+):?([^"]*)"\s*', text):
                found.append((self.first + number, match[1], match[2]))
        return found


@dataclass(frozen=True)
class Placed:
    """A piece of a page: its line, its offset and its text."""

    line: int
    start: int
    text: str


@dataclass(frozen=True)
class Display:
    line: int
    start: int
    end: int
    tex: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class FigureUse:
    line: int
    name: str
    alt: str
    caption: str
    start: int  # of the paragraph
    end: int


@dataclass(frozen=True)
class Comment:
    """An HTML comment in prose; `before` is the text of its line up to it."""

    line: int
    start: int
    end: int
    text: str
    before: str

    @property
    def alone(self) -> bool:
        """On a line of its own: a witness of an equation or a note, not a binding."""
        return not self.before.strip()


@dataclass(frozen=True)
class Heading:
    line: int
    level: int
    text: str
    anchor: str


_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ ]*(?P<info>[^`\n]*)$")
_INLINE = re.compile(r"(?<![\\$\w])\$(?!\s)((?:\\.|[^$\\\n]|\n(?!\s*\n))+?)(?<!\s)\$(?!\d)")
_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_IMAGE = re.compile(r"!\[((?:[^\[\]]|\[[^\]]*\])*)\]\(\s*([^)\s]+)[^)]*\)")
_TARGET = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


def blank(text: str) -> str:
    """Spaces in place of every character but line ends, so that offsets stay true."""
    return re.sub(r"[^\n]", " ", text)


def slug(text: str) -> str:
    """The id that Python-Markdown gives a heading."""
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())


@dataclass
class Page:
    """A Markdown file of the book. `home` is its place under docs/, wherever the file lies."""

    path: Path
    home: str  # "activations.md", "pitfalls/batch.md"
    text: str
    shown: str = ""  # the path that messages name

    def __post_init__(self):
        self.shown = self.shown or str(self.path)

    @property
    def stem(self) -> str:
        return Path(self.home).stem

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line) + 1)
        return starts

    def line_of(self, offset: int) -> int:
        return bisect.bisect_right(self._starts, offset)

    def failure(self, line: int, kind: str, message: str) -> Failure:
        return Failure(self.shown, line, kind, message)

    @cached_property
    def body_line(self) -> int:
        """Index of the first line after front matter."""
        if self.lines[0].rstrip() == "---":
            for number, line in enumerate(self.lines[1:], 1):
                if line.rstrip() in ("---", "..."):
                    return number + 1
        return 0

    @cached_property
    def body(self) -> str:
        """The text after front matter, as a Markdown processor gets it."""
        return "\n".join(self.lines[self.body_line :])

    @cached_property
    def fences(self) -> list[Fence]:
        found, number = [], self.body_line
        while number < len(self.lines):
            match = _FENCE.match(self.lines[number])
            number += 1
            if not match:
                continue
            opening, inside, mark = number, [], match["mark"]
            closing = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
            while number < len(self.lines) and not closing.match(self.lines[number]):
                inside.append(self.lines[number])
                number += 1
            closed = number < len(self.lines)
            number += 1
            info = match["info"].strip()
            title = re.search(r"""title=(?:"([^"]*)"|'([^']*)')""", info)
            language = re.match(r"\{?\s*\.?([\w+-]*)", info)[1]
            width = len(match["indent"])
            cut = [line[width:] if not line[:width].strip() else line.lstrip() for line in inside]
            found.append(
                Fence(
                    line=opening,
                    first=opening + 1,
                    indent=match["indent"],
                    language={"py": "python", "python3": "python"}.get(language, language),
                    title=title and (title[1] or title[2]),
                    body="\n".join(cut),
                    closed=closed,
                )
            )
        return found

    @cached_property
    def prose(self) -> str:
        """The text with front matter and fences blanked out."""
        lines = self.lines[:]
        for number in range(self.body_line):
            lines[number] = blank(lines[number])
        for fence in self.fences:
            for number in range(fence.line - 1, fence.line + fence.body.count("\n") + 2):
                if number < len(lines):
                    lines[number] = blank(lines[number])
        return "\n".join(lines)

    @cached_property
    def words(self) -> str:
        """Prose with code spans blanked out as well."""
        return re.sub(
            r"(?<!`)(`+)(?!`)((?:(?!\n[ \t]*\n).)*?)(?<!`)\1(?!`)",
            lambda match: blank(match[0]),
            self.prose,
            flags=re.S,
        )

    @cached_property
    def _undisplayed(self) -> str:
        """Words without comments and displays."""
        text = re.sub(r"<!--.*?-->", lambda m: blank(m[0]), self.words, flags=re.S)
        return re.sub(r"\$\$.*?\$\$", lambda m: blank(m[0]), text, flags=re.S)

    @cached_property
    def plain(self) -> str:
        """Words without comments, displays and inline math."""
        return _INLINE.sub(lambda m: blank(m[0]), self._undisplayed)

    @cached_property
    def formulas(self) -> list[Placed]:
        """Inline math: the TeX between two dollar signs."""
        return [
            Placed(self.line_of(m.start()), m.start(), m[1])
            for m in _INLINE.finditer(self._undisplayed)
        ]

    @cached_property
    def comments(self) -> list[Comment]:
        found = []
        for match in re.finditer(r"<!--(.*?)-->", self.words, flags=re.S):
            line = self.line_of(match.start())
            before = self.prose[self._starts[line - 1] : match.start()]
            # the comment's own text comes from the prose: code spans are blank in `words`
            text = self.prose[match.start(1) : match.end(1)].strip()
            found.append(Comment(line, match.start(), match.end(), text, before))
        return found

    @cached_property
    def displays(self) -> list[Display]:
        text = re.sub(r"<!--.*?-->", lambda m: blank(m[0]), self.words, flags=re.S)
        return [
            Display(
                self.line_of(match.start()),
                match.start(),
                match.end(),
                match[1],
                tuple(_LABEL.findall(match[1])),
            )
            for match in re.finditer(r"\$\$(.*?)\$\$", text, flags=re.S)
        ]

    @cached_property
    def labels(self) -> dict[str, int]:
        """Label -> line, of the displays of this page (the first of duplicates)."""
        found = {}
        for display in self.displays:
            for label in display.labels:
                found.setdefault(label, display.line)
        return found

    @cached_property
    def references(self) -> list[Placed]:
        r"""Each \eqref of the page."""
        return [
            Placed(self.line_of(m.start()), m.start(), m[1])
            for m in re.finditer(r"\\eqref\{([^{}]*)\}", self.words)
        ]

    @cached_property
    def images(self) -> list[tuple[int, str, str]]:
        """(line, alt, target) of each image, figures included."""
        return [
            (self.line_of(m.start()), " ".join(m[1].split()), m[2])
            for m in _IMAGE.finditer(self.words)
        ]

    @cached_property
    def figures(self) -> list[FigureUse]:
        found = []
        for match in _IMAGE.finditer(self.words):
            if not match[2].startswith("figure:"):
                continue
            before = list(re.finditer(r"\n[ \t]*\n", self.prose[: match.start()]))
            start = before[-1].end() if before else 0
            after = re.search(r"\n[ \t]*(?=\n|\Z)", self.prose[match.end() :])
            end = match.end() + after.start() if after else len(self.prose)
            found.append(
                FigureUse(
                    self.line_of(match.start()),
                    match[2].removeprefix("figure:"),
                    " ".join(match[1].split()),
                    self.prose[match.end() : end].strip(),
                    start,
                    end,
                )
            )
        return found

    @cached_property
    def links(self) -> list[Placed]:
        """Targets of links and images, reference definitions and href attributes."""
        text = re.sub(r"<!--.*?-->", lambda m: blank(m[0]), self.words, flags=re.S)
        patterns = (_TARGET.pattern, r"(?m)^[ ]{0,3}\[[^\]^]+\]:[ ]+<?(\S+?)>?(?=\s|$)",
                    r"<(https?://[^>\s]*)>", r"\bhref=\"([^\"]*)\"")  # fmt: skip
        found = [
            Placed(self.line_of(m.start(1)), m.start(1), m[1])
            for pattern in patterns
            for m in re.finditer(pattern, text)
        ]
        return sorted(found, key=lambda link: link.start)

    @cached_property
    def headings(self) -> list[Heading]:
        found, used = [], set()
        for match in re.finditer(r"(?m)^(#{1,6})[ \t]+(.+?)[ \t]*#*$", self.prose):
            text, anchor = match[2], None
            if attributes := re.search(r"\{:?([^{}]*)\}\s*$", text):
                text = text[: attributes.start()].rstrip()
                named = re.search(r"#([\w:.-]+)", attributes[1])
                anchor = named and named[1]
            if anchor is None:
                words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|<[^>]+>", r"\1", text)
                words = re.sub(r"[`*]", "", words)
                anchor, number = slug(words), 1
                base = anchor
                while anchor in used:
                    anchor, number = f"{base}_{number}", number + 1
            used.add(anchor)
            found.append(Heading(self.line_of(match.start()), len(match[1]), text, anchor))
        return found

    @cached_property
    def anchors(self) -> set[str]:
        """Everything on the page that a link can point at."""
        ids = re.findall(r"\bid=\"([^\"]+)\"", self.words)
        listed = re.findall(r"\{:?[^{}\n]*#([\w:.-]+)[^{}\n]*\}", self.plain)
        return {h.anchor for h in self.headings} | set(self.labels) | set(ids) | set(listed)

    def source(self, fence: Fence) -> str:
        return textwrap.dedent(fence.body)


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without acting on its tags."""


def _environment(loader: yaml.SafeLoader, node: yaml.Node) -> str | None:
    """`!ENV NAME` or `!ENV [NAME, OTHER, default]`, as MkDocs reads it."""
    if isinstance(node, yaml.ScalarNode):
        return os.environ.get(loader.construct_scalar(node))
    *names, default = loader.construct_sequence(node) if node.value else [None]
    return next((os.environ[name] for name in names if name in os.environ), default)


_Loader.add_multi_constructor("", lambda loader, suffix, node: None)
_Loader.add_constructor("!ENV", _environment)


@dataclass
class Book:
    """The pages under docs/ and their order in mkdocs.yml."""

    root: Path = ROOT
    replaced: dict[str, Path] = field(default_factory=dict)  # home -> a copy that lies elsewhere
    _pages: dict[Path, tuple] = field(default_factory=dict, repr=False)
    _settings: tuple = field(default=(None, {}), repr=False)
    _held: tuple | None = field(default=None, repr=False)  # pages and equations during a build

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    def shown(self, path: Path) -> str:
        """The path as messages print it: relative where that is shorter."""
        for base in (Path.cwd(), self.root):
            if path.is_relative_to(base):
                return str(path.relative_to(base))
        return str(path)

    def read(self, path: Path, home: str) -> Page:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size, home)
        if path not in self._pages or self._pages[path][0] != stamp:
            text = path.read_text(encoding="utf-8-sig")
            self._pages[path] = (stamp, Page(path, home, text, self.shown(path)))
        return self._pages[path][1]

    def page(self, path: str | Path) -> Page:
        """The page at a path; a file outside docs/ stands in for its namesake inside."""
        path = Path(path).resolve()
        if not path.is_file():
            raise BookError(f"{path}: there is no such page")
        if path.is_relative_to(self.docs.resolve()):
            home = path.relative_to(self.docs.resolve()).as_posix()
            self.replaced.pop(home, None)
        else:
            same = sorted(self.docs.rglob(path.name))
            home = same[0].relative_to(self.docs).as_posix() if same else path.name
            self.replaced[home] = path
        return self.read(path, home)

    @property
    def pages(self) -> list[Page]:
        """Every page of the book, in reading order."""
        if self._held:
            return self._held[0]
        paths = {p.relative_to(self.docs).as_posix(): p for p in self.docs.rglob("*.md")}
        paths |= self.replaced
        numbers = self.numbers
        order = sorted(paths, key=lambda home: (numbers.get(home, len(numbers) + 1), home))
        return [self.read(paths[home], home) for home in order]

    @property
    def settings(self) -> dict:
        """mkdocs.yml, its special tags left out."""
        path = self.root / "mkdocs.yml"
        stamp = path.stat().st_mtime_ns if path.is_file() else 0
        if self._settings[0] != stamp or not stamp:
            text = path.read_text(encoding="utf-8") if stamp else ""
            self._settings = (stamp, yaml.load(text, _Loader) or {})
        return self._settings[1]

    @property
    def site_url(self) -> str:
        """Where the site is published, with a slash at its end; "" for an address of this machine."""
        url = (self.settings.get("site_url") or "").rstrip("/") + "/"
        return "" if re.match(r"/|https?://(127\.|localhost|0\.0\.0\.0)", url) else url

    @property
    def nav(self) -> list[str]:
        """Pages in the order of mkdocs.yml; in name order where it has no nav."""

        def flat(item):
            if isinstance(item, dict):
                item = list(item.values())
            if isinstance(item, list):
                return [page for part in item for page in flat(part)]
            return [item] if isinstance(item, str) and item.endswith(".md") else []

        nav = flat(self.settings.get("nav") or [])
        if not nav:
            found = [p.relative_to(self.docs).as_posix() for p in self.docs.rglob("*.md")]
            nav = sorted(found, key=lambda home: (home != "index.md", home))
        return nav

    @property
    def numbers(self) -> dict[str, int]:
        """Page -> chapter number: its place in the nav, counted from 1."""
        return {home: number for number, home in enumerate(self.nav, 1)}

    def hold(self) -> None:
        """Read everything once; until `release` no file is looked at again."""
        self.release()
        self._held = self.pages, self.equations()

    def release(self) -> None:
        """Look at the files again."""
        self._held = None

    def equations(self) -> dict[str, tuple[Page, Display, str]]:
        """Label -> (page, display, number "5.2"), over the whole book, in reading order."""
        if self._held:
            return self._held[1]
        found, numbers = {}, self.numbers
        for page in self.pages:
            chapter = numbers.setdefault(page.home, len(numbers) + 1)
            for place, display in enumerate(page.displays, 1):
                for label in display.labels:
                    found.setdefault(label, (page, display, f"{chapter}.{place}"))
        return found
