"""What a first view loads: one style sheet for all of the book's, and the faces above the fold early.

mkdocs.yml names it under hooks. The style sheets of extra_css are joined into one file, as each costs a
round trip before anything is shown; Zensical, which knows no hooks, loads them one by one. Nothing may
move once it is shown, so the text's faces are asked for with the page.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

JOINED = "stylesheets/book.css"
EARLY = (
    "assets/vendor/fonts/source-serif-4-latin-wght-normal.woff2",
    "assets/vendor/fonts/source-sans-3-latin-wght-normal.woff2",
)
OF_FORMULAS = (
    "assets/vendor/katex/fonts/KaTeX_Main-Regular.woff2",
    "assets/vendor/katex/fonts/KaTeX_Math-Italic.woff2",
)
joined: list[str] = []


def join(docs: Path, paths: list[str]) -> str:
    """The style sheets as one, without comments; addresses as seen from the joined one."""
    parts = []
    for path in paths:
        text = re.sub(r"/\*.*?\*/\s*", "", (docs / path).read_text(encoding="utf-8"), flags=re.S)

        def moved(match, path=path):
            if re.match(r"[a-z]+:|/|#", match[2]):
                return match[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
            return f"url({match[1]}{posixpath.relpath(target, posixpath.dirname(JOINED))}{match[1]})"

        parts.append(re.sub(r"url\((['\"]?)([^'\")]+)\1\)", moved, text).strip())
    return "\n".join(parts) + "\n"


def on_config(config, **_):
    """The pages name the joined style sheet only."""
    if JOINED not in config.extra_css:
        joined[:] = [path for path in config.extra_css if (Path(config.docs_dir) / path).is_file()]
        config.extra_css = [path for path in config.extra_css if path not in joined] + [JOINED]
    return config


def on_files(files, config, **_):
    """It stands among the files of the site."""
    text = join(Path(config.docs_dir), joined)
    files.append(File.generated(config, JOINED, content=text))
    return files


def on_post_page(output: str, page, **_) -> str:
    """Faces early, the theme's script after the page, no style sheet for what a page does not have."""
    up = posixpath.relpath(".", posixpath.dirname(page.file.dest_uri) or ".")
    if 'class="doc ' not in output:
        output = re.sub(r'\n[ \t]*<link rel="stylesheet" href="[^"]*_mkdocstrings\.css">', "", output)
    early = EARLY + OF_FORMULAS * ('class="katex' in output)  # else a formula changes its width when its face comes
    if os.environ.get("NNFP_OFFLINE"):
        early = ()  # a page read from a file may not preload
    links = "".join(f'<link rel="preload" href="{posixpath.join(up, path)}" as="font" type="font/woff2" crossorigin>\n'
                    for path in early)  # fmt: skip
    output = re.sub(r'<script (src="[^"]*/bundle\.\w+\.min\.js")', r"<script defer \1", output)
    return output.replace('<link rel="stylesheet"', links + '<link rel="stylesheet"', 1)
