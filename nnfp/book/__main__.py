"""python -m nnfp.book check [PAGES] [--update]; python -m nnfp.book prepare."""

import argparse
import sys
import time
from pathlib import Path

from nnfp.book.reading import Book, BookError


def _summary(report) -> str:
    """docs/layer.md: 8 fences, 12 outputs, 3 numbers: 1 failure (0.4 s)."""
    parts = ", ".join(f"{number} {kind}" for kind, number in report.counts.items() if number)
    failures = len(report.failures)
    verdict = "all right" if not failures else f"{failures} failure{'s' * (failures != 1)}"
    return f"{report.page.shown}: {parts or 'nothing to run'}: {verdict}"


def check(arguments: argparse.Namespace) -> int:
    """Check pages, or the whole book with what belongs to no page."""
    from nnfp.book import pages

    book = Book()
    checker = pages.Checker(book)
    whole = not arguments.pages
    chosen = book.pages if whole else [book.page(path) for path in arguments.pages]
    bad = 0
    for page in chosen:
        started = time.perf_counter()
        if arguments.update:
            changed = pages.update(page.path, checker)
            page = book.page(page.path)
            if changed:
                print(f"{page.shown}: {changed} outputs and numbers rewritten")
        report = checker.check(page)
        for failure in report.failures:
            print(failure)
        bad += len(report.failures)
        print(f"{_summary(report)} ({time.perf_counter() - started:.1f} s)", flush=True)
    if whole:
        failures = pages.check_book(book)
        for failure in failures:
            print(failure)
        bad += len(failures)
        print(f"nnfp: sections, docstrings, chapters, tests: {len(failures)} failures")
    if bad:
        print(f"{bad} failure{'s' * (bad != 1)}", file=sys.stderr)
    return 1 if bad else 0


def prepare(arguments: argparse.Namespace) -> int:
    """Write what the site needs before it is built."""
    from nnfp.book.prepare import prepare

    for line in prepare(Book()):
        print(line)
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m nnfp.book", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("check", help="check pages, all of them when none is named")
    command.add_argument(
        "pages", nargs="*", type=Path, help="Markdown files, from docs/ or elsewhere"
    )
    command.add_argument("--update", action="store_true", help="rewrite outputs and bound numbers")
    command.set_defaults(run=check)
    command = commands.add_parser("prepare", help="write the notebooks that the site shows")
    command.set_defaults(run=prepare)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except BookError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
