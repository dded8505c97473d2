"""Every displayed equation of a page is run: `check_page(path)`."""

from pathlib import Path

from nnfp.book.equations.reading import read
from nnfp.book.equations.verdict import PageCheck, Result


def public_names() -> dict:
    """What `import nnfp` makes public: the names that a code witness can use."""
    import nnfp

    return {name: value for name, value in vars(nnfp).items() if not name.startswith("_")}


def check_page(path_or_text: str | Path, package: dict | None = None, **options) -> list[Result]:
    """The verdict on each display of a page, in reading order."""
    package = public_names() if package is None else package
    return PageCheck(read(path_or_text), package, **{"forms": True, **options}).check()


__all__ = ["Result", "check_page", "public_names"]
