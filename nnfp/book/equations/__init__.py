"""Every displayed equation of a page is run: `check_page(path)`."""

from pathlib import Path

from nnfp.book.equations.inline import Inline
from nnfp.book.equations.reading import read
from nnfp.book.equations.verdict import PageCheck, Result


def public_names() -> dict:
    """What `import nnfp` makes public: the names that a code witness can use."""
    import nnfp

    return {name: value for name, value in vars(nnfp).items() if not name.startswith("_")}


def check_page(path_or_text: str | Path, package: dict | None = None, inline: bool = False, **options) -> list[Result]:
    """The verdict on each display of a page, in reading order.

    With `inline` also, behind them, on the claims in running text, and on every formula there that
    has something wrong; their `kind` is inline and their `id` is empty.
    """
    package = public_names() if package is None else package
    check = PageCheck(read(path_or_text), package, **{"forms": True, **options})
    results = check.check()
    if inline and check.table_problem is None:
        results += Inline(check).results()
    return results


__all__ = ["Result", "check_page", "public_names"]
