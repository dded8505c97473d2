"""Copy KaTeX's style sheet, the fonts and the offline search's helper to docs/assets/vendor/.

Nothing is downloaded here: `npm ci` has put hash-checked packages into node_modules. The copies
are not committed; their licences go into the site beside them.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "docs" / "assets" / "vendor"

# Fontsource splits a face by script; a page fetches only the files whose characters it shows.
SCRIPTS = {
    "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,"
    "U+20AC,U+2122,U+2190-2193,U+2212,U+2215,U+FEFF,U+FFFD",
    "latin-ext": "U+0100-0130,U+0132-0151,U+0154-02BA,U+1E00-1E9F,U+1EF2-1EFF",
    "greek": "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF",
}
FACES = {
    "source-serif-4": "Source Serif 4 Variable",
    "source-sans-3": "Source Sans 3 Variable",
    "source-code-pro": "Source Code Pro Variable",
}


def copy(source: Path, target: Path) -> None:
    if not source.is_file():
        sys.exit(f"{source.relative_to(ROOT)} is missing: run `npm ci --ignore-scripts` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def katex() -> None:
    """The style sheet with its woff2 fonts only: every browser that can show the site reads them."""
    dist = MODULES / "katex" / "dist"
    copy(MODULES / "katex" / "LICENSE", VENDOR / "katex" / "LICENSE.txt")
    css = (dist / "katex.min.css").read_text(encoding="utf-8")
    css, dropped = re.subn(r',url\(fonts/[\w-]+\.(?:woff|ttf)\) format\("\w+"\)', "", css)
    fonts = sorted(set(re.findall(r"url\(fonts/([\w-]+\.woff2)\)", css)))
    if not fonts or dropped != 2 * len(fonts) or ".ttf" in css:
        sys.exit("katex.min.css does not name its fonts as expected; scripts/fetch_assets.py")
    css = css.replace("font-display:block", "font-display:swap")
    (VENDOR / "katex" / "katex.min.css").write_text(css, encoding="utf-8")
    for font in fonts:
        copy(dist / "fonts" / font, VENDOR / "katex" / "fonts" / font)


def fonts() -> None:
    """The three text faces, upright and italic, with their style sheet: optional, so that no line moves."""
    rules = []
    for package, family in FACES.items():
        folder = MODULES / "@fontsource-variable" / package
        copy(folder / "LICENSE", VENDOR / "fonts" / f"{package}-LICENSE.txt")
        for style in ("normal", "italic"):
            for script, characters in SCRIPTS.items():
                name = f"{package}-{script}-wght-{style}.woff2"
                copy(folder / "files" / name, VENDOR / "fonts" / name)
                rules.append(
                    f'@font-face{{font-family:"{family}";font-style:{style};font-display:optional;'
                    f"font-weight:200 900;src:url({name}) format('woff2-variations');"
                    f"unicode-range:{characters}}}"
                )
    (VENDOR / "fonts" / "fonts.css").write_text("\n".join(rules) + "\n", encoding="utf-8")


def worker() -> None:
    """What Material's search needs where the book is read from files; only that build names it."""
    for name in ("shim/index.js", "LICENSE"):
        target = {"LICENSE": "LICENSE.txt"}.get(name, "iframe-worker.js")
        copy(MODULES / "iframe-worker" / name, VENDOR / "iframe-worker" / target)


if __name__ == "__main__":
    shutil.rmtree(VENDOR, ignore_errors=True)
    katex()
    fonts()
    worker()
    print(f"assets: {sum(1 for f in VENDOR.rglob('*') if f.is_file())} files in docs/assets/vendor")
