"""Copy KaTeX's style sheet, the fonts and the offline search's helper to docs/assets/vendor/.

Nothing is downloaded here: `npm ci` has put hash-checked packages into node_modules. The copies
are not committed; their licences go into the site beside them. A face is cut in two, the characters
that the book is made of and the rest: a page fetches the first, which is a third of the whole, and
the second only where it shows one of its characters.
"""

import re
import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "docs" / "assets" / "vendor"

# Fontsource splits a face by script; a page fetches only the files whose characters it shows.
SCRIPTS = {
    "latin": "",  # cut in two below
    "latin-ext": "U+0100-0130,U+0132-0151,U+0154-02BA,U+1E00-1E9F,U+1EF2-1EFF",
    "greek": "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF",
}
# Their licence asks that what is cut has a name of its own.
FACES = {"source-serif-4": "Book Serif", "source-sans-3": "Book Sans", "source-code-pro": "Book Code"}
WEIGHTS = {"normal": (400, 700), "italic": 400}  # what the style sheets ask for lies between; bold italic is nowhere
# What nearly every page shows.
CORE = {*range(0x20, 0x7F), *map(ord, "\xa0°±²µ·×ˉ\u2005\u2009\u200a\u200b–—‘’“”…′−")}
CORE_OF_FORMULAS = CORE | {*range(0x391, 0x3F6), *map(ord, "\u2061ℓℝℕ→∂∇∑∏√∗∘∞∣∥≈≠≤≥∈⊗⊙⊤⋅⋯⋮⟨⟩⟺⟹\ue020")}


def copy(source: Path, target: Path) -> None:
    if not source.is_file():
        sys.exit(f"{source.relative_to(ROOT)} is missing: run `npm ci --ignore-scripts` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def ranges(characters: set[int]) -> str:
    """As a style sheet writes it: U+20-7E,U+A0."""
    parts: list[list[int]] = []
    for c in sorted(characters):
        if parts and c == parts[-1][1] + 1:
            parts[-1][1] = c
        else:
            parts.append([c, c])
    return ",".join(f"U+{first:X}" + (f"-{last:X}" if last > first else "") for first, last in parts)


def cut(source: Path, target: Path, characters: set[int], name: str = "") -> None:
    """A part of a face with its kerning and ligatures, without hints, and of its weights only WEIGHTS."""
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(hinting=False, name_IDs=[0, 1, 2, 4, 6, 13, 14], notdef_outline=True)
    if name:
        options.layout_features = ["kern", "liga", "ccmp", "mark", "mkmk"]
    part = subset.Subsetter(options)
    part.populate(unicodes=characters)
    part.subset(font)
    if "fvar" in font:
        font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS["italic" if "italic" in source.stem else "normal"]})
    for record in font["name"].names if name else ():
        if record.nameID in (1, 4, 6):
            record.string = name if record.nameID != 6 else name.replace(" ", "")
    font.flavor = "woff2"
    target.parent.mkdir(parents=True, exist_ok=True)
    font.save(target)


def in_two(source: Path, folder: Path, core: set[int], name: str = "") -> dict[str, set[int]]:
    """File name -> its characters: what the book is made of first, and the rest."""
    if not source.is_file():
        sys.exit(f"{source.relative_to(ROOT)} is missing: run `npm ci --ignore-scripts` first")
    there = set(TTFont(source).getBestCmap())
    parts = {f"{source.stem}.core.woff2": there & core, f"{source.stem}.rest.woff2": there - core}
    parts = {file: characters for file, characters in parts.items() if characters}
    for file, characters in parts.items():
        cut(source, folder / file, characters, name)
    return parts


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
    for font in fonts:
        parts = in_two(dist / "fonts" / font, VENDOR / "katex" / "fonts", CORE_OF_FORMULAS)
        rule = re.search(r"@font-face\{[^}]*url\(fonts/" + re.escape(font) + r"\)[^}]*\}", css)[0]
        rules = [rule.replace(font, file)[:-1] + f";unicode-range:{ranges(these)}}}" for file, these in parts.items()]
        css = css.replace(rule, "".join(rules))
    (VENDOR / "katex" / "katex.min.css").write_text(css, encoding="utf-8")


def fonts() -> None:
    """The three text faces, upright and italic, with their style sheet: optional, so that no line moves."""
    rules = []
    for package, family in FACES.items():
        folder = MODULES / "@fontsource-variable" / package
        copy(folder / "LICENSE", VENDOR / "fonts" / f"{package}-LICENSE.txt")
        for style in ("normal", "italic"):
            files = {}
            for script, characters in SCRIPTS.items():
                source = folder / "files" / f"{package}-{script}-wght-{style}.woff2"
                if script == "latin":
                    parts = in_two(source, VENDOR / "fonts", CORE, family)
                    files |= {file: ranges(these) for file, these in parts.items()}
                else:
                    copy(source, VENDOR / "fonts" / source.name)
                    files[source.name] = characters
            rules += [
                f'@font-face{{font-family:"{family}";font-style:{style};font-display:optional;font-weight:400 700;'
                f"src:url({file}) format('woff2-variations');unicode-range:{characters}}}"
                for file, characters in files.items()
            ]
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
