"""Lets a bare `mkdocs serve` or `mkdocs build` show everything: mkdocs.yml names it under hooks."""

import logging
from pathlib import Path

from mkdocs.exceptions import BuildError

from nnfp.book.markdown import shared_book
from nnfp.book.prepare import prepare
from nnfp.book.reading import BookError

log = logging.getLogger("mkdocs.plugins.nnfp")


def on_pre_build(config, **_) -> None:
    """Notebooks are written before MkDocs collects the files; unchanged ones are left alone."""
    try:
        for line in prepare(shared_book(str(Path(config.config_file_path).parent))):
            log.info(line)
    except BookError as error:
        raise BuildError(str(error)) from error
