"""Docstrings for the reference: an extension of Griffe, which reads the package for mkdocstrings.

A docstring of nnfp is a sentence, labelled lines and an example. In the reference the labels become
a small table, each equation a link to its place in the book, the example a code block.
"""

import html
import re
from pathlib import Path

import griffe

from nnfp.book.reading import Book
from nnfp.book.sources import ROOT

LABELS = ("Equation", "Shapes", "Units", "Errors", "Source")
_LABEL = re.compile(rf"^({'|'.join(LABELS)}):\s*(.*)$")


def parse(docstring: str) -> tuple[str, dict[str, str], str]:
    """A docstring as (summary, label -> text, example)."""
    text, labels, example, current = [], {}, [], None
    for line in docstring.strip().splitlines():
        match = _LABEL.match(line)
        if example or line.startswith(">>> "):
            example.append(line)
        elif match:
            current = match[1]
            labels[current] = match[2]
        elif current and line.startswith("  "):
            labels[current] += " " + line.strip()
        elif line.strip():
            text.append(line)
            current = None
        else:
            text.append("")
            current = None
    return "\n".join(text).strip(), labels, "\n".join(example).rstrip()


class Docstrings(griffe.Extension):
    """Rewrites every docstring of the package into Markdown."""

    def __init__(self, root: str | None = None) -> None:
        super().__init__()
        self.equations = Book(Path(root or ROOT)).equations()

    def link(self, label: str) -> str:
        """An equation id as a link from reference/package/ to its chapter."""
        if label not in self.equations:
            return html.escape(label)
        page, _, number = self.equations[label]
        target = page.home.removesuffix(".md").removesuffix("index")
        return f'<a href="../../{target}/#{label}">{number}</a>'

    def markdown(self, docstring: str) -> str:
        summary, labels, example = parse(docstring)
        rows = []
        for label, text in labels.items():
            if label == "Equation" and text != "none":
                text = ", ".join(self.link(part.strip()) for part in text.split(","))
            else:
                text = html.escape(text)
            rows.append(f"<dt>{label}</dt><dd>{text}</dd>")
        parts = [summary]
        if rows:
            parts.append(f'<dl class="labels">{"".join(rows)}</dl>')
        if example:
            parts.append(f"```pycon\n{example}\n```")
        return "\n\n".join(parts)

    def on_instance(self, *, obj: griffe.Object, **_) -> None:
        if obj.docstring and not obj.is_module:
            obj.docstring.value = self.markdown(obj.docstring.value)
