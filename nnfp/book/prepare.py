"""What the site needs before it is built; MkDocs calls it by a hook, Zensical's users by make."""

from collections.abc import Iterator

from nnfp.book import broken, figures, katex, notebooks
from nnfp.book.reading import Book, BookError


def missing_assets(book: Book) -> list[str]:
    """Style sheets and scripts that mkdocs.yml names and docs/ does not hold."""
    named = []
    for key in ("extra_css", "extra_javascript"):
        for entry in book.settings.get(key) or []:
            named.append(entry.get("path", "") if isinstance(entry, dict) else str(entry))
    local = [path for path in named if path and "://" not in path and not path.startswith("//")]
    return [path for path in local if not (book.docs / path.split("?")[0]).is_file()]


def prepare(book: Book) -> Iterator[str]:
    """Do it, and say in one line each what was done. BookError says what is missing."""
    if absent := missing_assets(book):
        raise BookError(
            f"mkdocs.yml names files that docs/ does not hold: {', '.join(absent)}. "
            "`make site` and `make serve` copy those under assets/vendor/ from node_modules."
        )
    katex.folder()
    wanted = list(dict.fromkeys(use.name for page in book.pages for use in page.figures))
    drawn = figures.draw_all(wanted)
    figures.write_all(wanted, book.docs)
    if drawn:
        yield f"figures: {drawn} drawn"
    if run := broken.run_all(book):
        yield f"equations: {run} pages run"
    written = notebooks.write_all(book)
    yield f"notebooks: {len(written)} written" + (f" ({', '.join(written)})" if written else "")
    yield f"plain text: {len(notebooks.write_plain(book))} written"
