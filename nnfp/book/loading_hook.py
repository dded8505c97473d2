"""What a first view loads, and when: one style sheet, the faces above the fold and the colours early, scripts late.

mkdocs.yml names it under hooks. The theme's style sheets and those of extra_css are joined into one file, as
each costs a round trip before anything is shown; Zensical, which knows no hooks, loads them one by one. Nothing
may move once it is shown, so the text's faces are asked for with the page. What the theme's script does to every
page, and the browser then has to compute all styles for again, is in the page before.
"""

import functools
import itertools
import json
import os
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

from nnfp.book.spare_rules import named_in, without_spare_rules

JOINED = "stylesheets/book.css"
EARLY = (
    "assets/vendor/fonts/source-serif-4-latin-wght-normal.core.woff2",
    "assets/vendor/fonts/source-sans-3-latin-wght-normal.core.woff2",
)
OF_CODE = ("assets/vendor/fonts/source-code-pro-latin-wght-normal.core.woff2",)
OF_FORMULAS = (
    "assets/vendor/katex/fonts/KaTeX_Main-Regular.core.woff2",
    "assets/vendor/katex/fonts/KaTeX_Math-Italic.core.woff2",
)
AFTER_PAINT = Path(__file__).with_name("after_paint.js")
EARLY_SCRIPT = Path(__file__).with_name("early.js")
PALETTE = Path(__file__).with_name("palette.js")
joined: list[str] = []
serving = False


def join(folder: Path, paths: list[str]) -> str:
    """The style sheets as one, without comments; addresses as seen from the joined one."""
    parts = []
    for path in paths:
        text = re.sub(r"/\*.*?\*/\s*", "", (folder / path).read_text(encoding="utf-8"), flags=re.S)

        def moved(match, path=path):
            if re.match(r"[a-z]+:|/|#", match[2]):
                return match[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
            return f"url({match[1]}{posixpath.relpath(target, posixpath.dirname(JOINED))}{match[1]})"

        parts.append(re.sub(r"url\((['\"]?)([^'\")]+)\1\)", moved, text).strip())
    return "\n".join(parts) + "\n"


def on_startup(command: str, **_) -> None:
    global serving
    serving = command == "serve"


def on_config(config, **_):
    """The pages name the joined style sheet only, and bring their buttons."""
    features = config.theme["features"]
    features[:] = [feature for feature in features if feature != "content.code.copy"]
    if JOINED not in config.extra_css:
        joined[:] = [path for path in config.extra_css if (Path(config.docs_dir) / path).is_file()]
        config.extra_css = [path for path in config.extra_css if path not in joined] + [JOINED]
    return config


def on_files(files, config, **_):
    """It stands among the files of the site."""
    text = join(Path(config.docs_dir), joined)
    files.append(File.generated(config, JOINED, content=text))
    return files


def settled_early(output: str, script: str) -> str:
    """What the theme's script changes on every page, done before there is a page whose styles would be computed anew."""
    script = f"<script>\n{script}</script>"
    head, end, body = output.partition("</head>")
    last = head.rfind("<link rel=\"stylesheet\"")
    place = head.find(">", last) + 1
    return head[:place] + f"\n{script}" + head[place:] + end + body


def own_palette(output: str, script: str) -> str:
    """The form of the theme's switch between light and dark, with palette.js in place of the theme's script."""
    form = '<form class="md-header__option" data-md-component="palette">'
    output = output.replace(form, '<form class="md-header__option" data-palette>')
    script = f"<script>\n{script}</script>"
    return re.sub(r'<script>var palette=__md_get\("__palette"\).*?</script>', lambda _: script, output, flags=re.S)


def after_paint(output: str, script: str) -> str:
    """The theme's script and the book's, as a list in place of the first, for after_paint.js."""
    tag = re.compile(r'<script (?:defer )?src="([^"]*)"(?: defer)?></script>')
    sources = tag.findall(output)
    script = f"<script>\n{script.replace('SOURCES', json.dumps(sources))}</script>"
    return tag.sub("", tag.sub(lambda _: script, output, count=1)) if sources else output


def with_copy_buttons(output: str) -> str:
    """The button that the theme would put into each block of code; it looks at the size of each before it does."""
    counter = itertools.count(1)

    def button(match: re.Match) -> str:
        if "no-copy" in match["box"]:
            return match[0]
        n = next(counter)
        return (
            f'{match["box"]}<pre data-code="{n}"><nav class="md-code__nav" aria-label="Tools of code block {n}">'
            f'<button class="md-code__button" aria-label="Copy to clipboard" data-clipboard-target="[data-code=\'{n}\'] > code" '
            f'data-md-type="copy"></button></nav>{match["code"]}'
        )

    box = r'(?P<box><div [^>]*\bhighlight\b[^>]*>(?:<span class="filename">[^<]*</span>)?)'
    return re.sub(box + r"<pre>(?P<code>(?:<span></span>)?<code>)", button, output)


def plain_names(output: str) -> str:
    """Names and spaces in code without an element of their own: they have no colour of their own."""
    return re.sub(r'<span class="(?:n|w)">([^<]*)</span>', r"\1", output)


def framed(output: str) -> str:
    """Tables in the frames that the theme's script would give them, which has the whole text's styles computed anew."""
    frame = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table"><table class="plain">'
    return re.sub(r"<table>(.*?)</table>", rf"{frame}\1</table></div></div>", output, flags=re.S)


def of_framed(css: str) -> str:
    """Rules for tables without a class are rules for those that framed() has given one."""
    return css.replace("table:not([class])", "table:is(:not([class]), .plain)")


def on_post_page(output: str, page, **_) -> str:
    """Faces early, scripts late, and nothing that is computed twice."""
    up = posixpath.relpath(".", posixpath.dirname(page.file.dest_uri) or ".")
    scripts = tuple(path.read_text(encoding="utf-8") for path in (EARLY_SCRIPT, PALETTE, AFTER_PAINT))
    return adapted(output, up, bool(os.environ.get("NNFP_OFFLINE")), scripts)


@functools.lru_cache(maxsize=100)  # while serving most pages come out of the templates as before
def adapted(output: str, up: str, offline: bool, scripts: tuple[str, str, str]) -> str:
    """A page of the theme as this book's; `up` leads from the page to the site's root."""
    early_script, palette, after = scripts
    if 'class="doc ' not in output:
        output = re.sub(r'\n[ \t]*<link rel="stylesheet" href="[^"]*_mkdocstrings\.css">', "", output)
    output = re.sub(r'<link rel="stylesheet" href="[^"]*/?assets/stylesheets/(?:main|palette)\.\w+\.min\.css">', "", output)
    output = framed(with_copy_buttons(plain_names(own_palette(settled_early(output, early_script), palette))))
    if offline:  # a page read from a file may not preload, and has no need to
        return re.sub(r'<script (src="[^"]*/bundle\.\w+\.min\.js")', r"<script defer \1", output)
    # Without its face a formula changes its width later, and a long listing is laid out twice.
    early = EARLY + OF_CODE * ("<pre" in output) + OF_FORMULAS * ('class="katex' in output)
    links = "".join(f'<link rel="preload" href="{posixpath.join(up, path)}" as="font" type="font/woff2" crossorigin>\n'
                    for path in early)  # fmt: skip
    return after_paint(output, after).replace('<link rel="stylesheet"', links + '<link rel="stylesheet"', 1)


def on_post_build(config, **_) -> None:
    """The joined style sheet has the theme's first, and no rule that no page needs; all know the tables by their class."""
    site = Path(config.site_dir)
    theme = [path.relative_to(site).as_posix() for kind in ("main", "palette") for path in site.glob(f"assets/stylesheets/{kind}.*.css")]
    book = site / JOINED
    book.write_text(join(site, theme) + book.read_text(encoding="utf-8"), encoding="utf-8")
    for path in [*site.glob("assets/stylesheets/*.css"), *site.glob("stylesheets/*.css")]:
        path.write_text(of_framed(path.read_text(encoding="utf-8")), encoding="utf-8")
    if not serving:  # an edit would wait for it, and the way from this machine is short
        css = without_spare_rules(book.read_text(encoding="utf-8"), named_in(site))
        book.write_text(css, encoding="utf-8")
