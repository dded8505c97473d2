"""Finds the equations of a page: displays with label and witness, and inline formulas."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from nnfp.book.reading import Page

_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_TAG = re.compile(r"\\(?:nonumber|notag)(?![A-Za-z])")


@dataclass
class Display:
    """One displayed equation; `start` is the offset of its TeX in the file."""

    label: str
    line: int
    start: int
    tex: str  # of the same length as in the file: the label is blanked out
    witness: str | None
    witness_line: int = 0


@dataclass
class Source:
    """A page with the offsets that messages need."""

    path: str
    page: Page
    displays: list[Display] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.page.text

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        line = self.page.line_of(offset)
        return line, offset - self.text.rfind("\n", 0, offset)


def read(path_or_text: str | Path) -> Source:
    """A page from a file, or from its text when the argument holds a line end."""
    if isinstance(path_or_text, str) and ("\n" in path_or_text or not path_or_text.strip()):
        name, text = "page.md", path_or_text
    else:
        name, text = str(path_or_text), Path(path_or_text).read_text(encoding="utf-8-sig")
    page = Page(Path(name), Path(name).name, text)
    source = Source(name, page)
    for display in page.displays:
        inner = display.start + 2
        label = _LABEL.search(display.tex)
        tex = _LABEL.sub(lambda m: " " * len(m[0]), display.tex)
        tex = _TAG.sub(lambda m: " " * len(m[0]), tex)
        comment = next((c for c in page.comments if c.start >= display.end), None)
        between = text[display.end : comment.start] if comment else "x"
        below = not between.strip() and between.count("\n") <= 1
        source.displays.append(
            Display(
                label[1] if label else "",
                display.line,
                inner,
                tex,
                " ".join(comment.text.split()) if below else None,
                comment.line if below else 0,
            )
        )
    return source
