"""Run buttons below the snippets, or a site to be read from files; mkdocs.yml names it under hooks.

NNFP_OFFLINE=true asks for the second: a browser then starts no Python and imports no module.
"""

import logging
import os
from pathlib import Path

from mkdocs.exceptions import BuildError
from mkdocs.plugins import event_priority

from nnfp.book import offline, runtime
from nnfp.book.markdown import shared_book
from nnfp.book.reading import BookError

log = logging.getLogger("mkdocs.plugins.nnfp")

MODULES = "javascripts/explorables/load.js"

_state = {"why": ""}


def _book(config):
    return shared_book(str(Path(config.config_file_path).parent))


@event_priority(100)  # before the offline plugin, which would name a file of another site
def on_config(config, **_) -> None:
    if os.environ.get("NNFP_OFFLINE"):
        config.extra["polyfills"] = ["assets/vendor/iframe-worker/iframe-worker.js"]
        # from a file it would end the stream of pages that the theme's scripts and ours listen to
        config.theme["features"] = [f for f in config.theme["features"] if f != "navigation.instant"]
        for script in config.extra_javascript:
            if str(script) == MODULES:
                script.type, script.defer = "", True


def on_files(files, config, **_) -> None:
    """Read from files, a browser starts no Python: then it is not taken along."""
    if os.environ.get("NNFP_OFFLINE"):
        for file in [f for f in files if f.src_uri.startswith((runtime.FOLDER, runtime.PACKAGE))]:
            files.remove(file)


def on_pre_build(config, **_) -> None:
    """A site that is read from files has no buttons: browsers start no worker from a file."""
    if os.environ.get("NNFP_OFFLINE"):
        _state["why"] = "offline"
        return
    book = _book(config)
    log.info(runtime.prepare(book))
    _state["why"] = runtime.absent(book.docs)


def on_page_content(html: str, page, config, **_) -> str | None:
    if _state["why"] or not page.file.src_uri.endswith(".md"):
        return None
    found = [p for p in _book(config).pages if p.home == page.file.src_uri]
    try:
        return runtime.with_buttons(html, found[0]) if found else None
    except BookError as error:
        raise BuildError(str(error)) from error


def on_post_build(config, **_) -> None:
    if os.environ.get("NNFP_OFFLINE"):
        path = Path(config.site_dir) / MODULES
        try:
            path.write_text(offline.bundle(path.parent), encoding="utf-8")
        except BookError as error:
            raise BuildError(str(error)) from error
        for other in path.parent.glob("*.js"):
            if other != path:
                other.unlink()
