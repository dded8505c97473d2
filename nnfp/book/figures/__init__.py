# ruff: noqa: NPY002  (the old random state is only watched here)
"""Figures of the book: each is a tested function, drawn at build time for light and dark.

A chapter's figures live in nnfp/book/figures/<stem>.py:

    @figure(width=6.4, height=3.2)
    def loss_curve(fig, style):
        ax = fig.subplots()
        ax.plot(losses, color=style.blue)
        return {"final_loss": losses[-1]}

and are placed on the page as `![alt text](figure:<stem>.loss_curve)`. The returned facts
are the only source of numbers in titles, captions and alt texts.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nnfp.book.sources import CACHE, ROOT, closure, fingerprint, module_path, write

THEMES = ("light", "dark")
_STARTED = time.time()


@dataclass(frozen=True)
class Style:
    """Colours of one theme. The five hues stay apart for colour-blind readers."""

    theme: str
    blue: str
    orange: str
    green: str
    red: str
    purple: str
    foreground: str
    muted: str
    grid: str
    background: str

    @property
    def cycle(self) -> list[str]:
        """The five hues in the order in which to use them."""
        return [self.blue, self.orange, self.green, self.purple, self.red]


STYLES = {
    "light": Style(
        theme="light", blue="#174a9e", orange="#c2570c", green="#12806a", red="#86172b",
        purple="#8b35d9", foreground="#1f2328", muted="#57606a", grid="#d4d7dc",
        background="#ffffff",
    ),
    "dark": Style(
        theme="dark", blue="#5a9cf5", orange="#eb9a1c", green="#5fe0b0", red="#fb5564",
        purple="#e0b4f2", foreground="#e6e8ee", muted="#a8afbd", grid="#3b4050",
        background="#1e2129",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A registered drawing."""

    name: str
    width: float
    height: float
    function: Callable


REGISTRY: dict[str, Figure] = {}
_drawn: dict[tuple[str, str, str], tuple[str, dict]] = {}


class FigureError(Exception):
    """A figure that does not exist or cannot be drawn."""


def figure(width: float, height: float) -> Callable:
    """Register a function (fig, style) -> facts as a figure of width x height inches."""

    def register(function: Callable) -> Callable:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        REGISTRY[name] = Figure(name, width, height, function)
        return function

    return register


def rc_params(style: Style) -> dict:
    """Matplotlib's settings for a theme."""
    plain = dict.fromkeys(
        ["text.color", "axes.titlecolor", "axes.labelcolor", "xtick.labelcolor",
         "ytick.labelcolor", "legend.labelcolor"], style.foreground,
    )  # fmt: skip
    lines = dict.fromkeys(["axes.edgecolor", "xtick.color", "ytick.color"], style.muted)
    import cycler

    return plain | lines | {
        "axes.prop_cycle": cycler.cycler(color=style.cycle),
        "axes.axisbelow": True, "axes.facecolor": "none", "axes.grid": True,
        "axes.spines.right": False, "axes.spines.top": False, "axes.titlesize": 10.5,
        "axes.titleweight": "bold", "axes.labelsize": 10, "figure.constrained_layout.use": True,
        "figure.facecolor": "none", "figure.titlesize": 11, "figure.titleweight": "bold",
        "font.family": "DejaVu Sans", "font.size": 10, "grid.color": style.grid,
        "grid.linewidth": 0.7, "legend.facecolor": style.background, "legend.fontsize": 9,
        "legend.edgecolor": style.grid, "legend.framealpha": 0.85, "lines.linewidth": 1.9,
        "mathtext.fontset": "dejavusans", "patch.edgecolor": style.background,
        "savefig.facecolor": "none", "svg.fonttype": "path", "xtick.labelsize": 9,
        "ytick.labelsize": 9, "path.simplify": True, "path.simplify_threshold": 0.2,
    }  # fmt: skip


def load(name: str) -> Figure:
    """The registered figure `stem.function`; imports its module when needed."""
    stem = name.partition(".")[0]
    if module_path(f"nnfp.book.figures.{stem}") is None:
        raise FigureError(f"figure {name}: there is no file nnfp/book/figures/{stem}.py")
    importlib.import_module(f"nnfp.book.figures.{stem}")
    if name not in REGISTRY:
        known = ", ".join(n for n in sorted(REGISTRY) if n.startswith(f"{stem}.")) or "none"
        raise FigureError(f"figure {name} is not defined; figures of {stem}: {known}")
    return REGISTRY[name]


def _plain_facts(name: str, facts: object) -> dict:
    """Facts as plain Python values that JSON keeps exactly."""
    if facts is None:
        return {}
    if not isinstance(facts, dict):
        raise FigureError(f"figure {name} must return a dict of facts, got {type(facts).__name__}")

    def plain(value):
        if hasattr(value, "tolist"):
            return value.tolist()
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    facts = {str(key): plain(value) for key, value in facts.items()}
    for key, value in facts.items():
        if not key.isidentifier() or not isinstance(value, bool | int | float | str | list):
            raise FigureError(
                f"figure {name}: fact {key!r} = {value!r} must be a named number or text"
            )
    return facts


def paint(name: str, theme: str, form: str = "svg", **options) -> tuple[bytes, dict]:
    """Draw a figure now, without any cache: (bytes in that format, facts)."""
    import matplotlib
    import numpy as np
    from matplotlib.figure import Figure as Canvas

    entry, style = load(name), STYLES[theme]
    state, errors = np.random.get_state(), np.geterr()
    buffer = io.BytesIO()
    try:
        with matplotlib.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("error")
            matplotlib.rcdefaults()  # a reader's own matplotlibrc has no say
            matplotlib.rcParams.update(rc_params(style) | {"svg.hashsalt": name})
            fig = Canvas(figsize=(entry.width, entry.height))
            facts = _plain_facts(name, entry.function(fig, style))
            metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
            fig.savefig(buffer, format=form, metadata=metadata, **options)
    except FigureError:
        raise
    except Exception as error:
        where = error.__traceback__
        line = ""
        while where:
            if where.tb_frame.f_code.co_filename.endswith(f"figures/{name.partition('.')[0]}.py"):
                line = f" (line {where.tb_lineno} of its module)"
            where = where.tb_next
        raise FigureError(f"figure {name}{line}: {type(error).__name__}: {error}") from error
    finally:
        np.seterr(**errors)
    after = np.random.get_state()
    if after[2] != state[2] or not np.array_equal(after[1], state[1]):
        np.random.set_state(state)
        raise FigureError(
            f"figure {name} draws from NumPy's global random state: "
            "use rng = np.random.default_rng(seed)"
        )
    return buffer.getvalue(), facts


_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?|-?\d+(?:\.\d+)?e-?\d+")


def _round(match: re.Match) -> str:
    text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def compact(svg: str) -> str:
    """The <svg> element alone, coordinates rounded to 2 decimals, without idle text."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r' xmlns:\w+="[^"]*"| version="1.1"', "", svg)
    svg = svg.replace("xlink:href", "href")

    def shorten(match: re.Match) -> str:
        value = _NUMBER.sub(_round, " ".join(match[2].split()))
        if match[1] == "d":
            value = re.sub(r" ?([MLQCzZ]) ?", r"\1", value)
        return f'{match[1]}="{value}"'

    svg = re.sub(
        r'(?<![\w-])(d|x|y|x1|x2|y1|y2|points|width|height|viewBox)="([^"]*)"', shorten, svg
    )
    svg = re.sub(r"translate\([^)]*\)", lambda m: _NUMBER.sub(_round, m[0]), svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.S)
    svg = svg.replace("<svg ", '<svg style="stroke-linejoin:round" ', 1)  # that sheet said so
    svg = re.sub(r'style="[^"]*"', lambda m: re.sub(r"([:;]) ", r"\1", m[0]), svg)
    return re.sub(r">\s+<", "><", svg).strip()


def draw(name: str, theme: str) -> tuple[str, dict]:
    """The figure as an <svg> element, and its facts: from memory, from disk, or drawn now.

    The key on disk is a hash of the figure's module, of every module that it imports and of
    the library versions, so a change deep down draws again and an unrelated one does not.
    """
    if theme not in STYLES:
        raise FigureError(f"theme must be one of {', '.join(STYLES)}, got {theme!r}")
    stem = name.partition(".")[0]
    if module_path(f"nnfp.book.figures.{stem}") is None:
        load(name)
    key = fingerprint(f"nnfp.book.figures.{stem}", packages=("numpy", "matplotlib"))
    if (name, theme, key) in _drawn:
        return _drawn[name, theme, key]
    path = CACHE / "figures" / f"{name}-{theme}-{key[:24]}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        result = stored["svg"], stored["facts"]
    except (OSError, ValueError, KeyError):
        if _changed_since_start(stem):
            _apart("draw", name, theme)
            stored = json.loads(path.read_text(encoding="utf-8"))
            return _drawn.setdefault((name, theme, key), (stored["svg"], stored["facts"]))
        _drop_young_bytecode(stem)
        svg, found = paint(name, theme)
        result = compact(svg.decode("utf-8")), json.loads(json.dumps(found))
        for old in path.parent.glob(f"{name}-{theme}-*.json"):
            old.unlink(missing_ok=True)
        write(path, json.dumps({"svg": result[0], "facts": result[1]}))
    _drawn[name, theme, key] = result
    return result


def _changed_since_start(stem: str) -> bool:
    """True if a running server may hold an older version of a module that stem imports."""
    if os.environ.get("NNFP_DRAWS_APART"):
        return False  # this is the fresh interpreter
    ours, _ = closure(f"nnfp.book.figures.{stem}")
    return any(module_path(module).stat().st_mtime > _STARTED for module in ours)


def _drop_young_bytecode(stem: str) -> None:
    """Python keeps bytecode by whole seconds and size: a quick second edit could go unseen."""
    for module in closure(f"nnfp.book.figures.{stem}")[0]:
        source = module_path(module)
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.is_file() and compiled.stat().st_mtime - source.stat().st_mtime < 2:
            compiled.unlink(missing_ok=True)


def _apart(function: str, *arguments: str) -> None:
    """Draw in a fresh interpreter, which leaves the result on disk."""
    code = (
        "import sys\nfrom nnfp.book import figures\n"
        "try:\n    getattr(figures, sys.argv[1])(*sys.argv[2:])\n"
        "except figures.FigureError as error:\n    sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, function, *arguments], cwd=ROOT, capture_output=True,
        text=True, env=os.environ | {"NNFP_DRAWS_APART": "1"},
    )  # fmt: skip
    if done.returncode:
        raise FigureError(done.stderr.strip())


def picture(name: str) -> bytes:
    """The figure as a PNG on white paper, for notebooks; kept on disk like the drawings."""
    stem = name.partition(".")[0]
    if module_path(f"nnfp.book.figures.{stem}") is None:
        load(name)
    key = fingerprint(f"nnfp.book.figures.{stem}", packages=("numpy", "matplotlib"))
    path = CACHE / "figures" / f"{name}-{key[:24]}.png"
    if not path.is_file():
        if _changed_since_start(stem):
            _apart("picture", name)
            return path.read_bytes()
        data, _ = paint(name, "light", "png", dpi=100, facecolor=STYLES["light"].background)
        for old in path.parent.glob(f"{name}-*.png"):
            old.unlink(missing_ok=True)
        write(path, data)
    return path.read_bytes()


def draw_all(wanted: list[str], processes: int | None = None) -> int:
    """Draw what is not on disk yet, in several processes; how many figures that were."""
    missing = [name for name in wanted if not _on_disk(name)]
    processes = processes or min(os.cpu_count() or 1, 4)
    if len(missing) < 4 or processes == 1:
        return 0  # a page draws its own soon enough
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(_draw_one, missing))
    return len(missing)


def file(name: str, theme: str) -> str:
    """Where a drawing lies below docs/: a page loads it when the reader comes near it."""
    return f"assets/figures/{name}.{theme}.svg"


def size(svg: str) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    return round(float(width) / 72 * 96), round(float(height) / 72 * 96)


def write_all(wanted: list[str], docs: Path) -> None:
    """Write the drawings below docs/, and remove those that no page shows any more."""
    there = set()
    for name in wanted:
        with contextlib.suppress(FigureError):  # the page that names it says what is wrong
            for theme in THEMES:
                path = docs / file(name, theme)
                write(path, draw(name, theme)[0] + "\n")
                there.add(path)
    for path in (docs / "assets" / "figures").glob("*.svg"):
        if path not in there:
            path.unlink()


def _on_disk(name: str) -> bool:
    stem, folder = name.partition(".")[0], CACHE / "figures"
    if module_path(f"nnfp.book.figures.{stem}") is None:
        return True  # the page that names it says what is wrong
    key = fingerprint(f"nnfp.book.figures.{stem}", packages=("numpy", "matplotlib"))[:24]
    kept = [f"{name}-{theme}-{key}.json" for theme in THEMES] + [f"{name}-{key}.png"]
    return all((folder / file).is_file() for file in kept)


def _draw_one(name: str) -> None:
    """In a process of its own; a figure that fails is drawn again where its page can say so."""
    with contextlib.suppress(FigureError):
        for theme in THEMES:
            draw(name, theme)
        picture(name)


def names(stem: str) -> list[str]:
    """All figures that nnfp/book/figures/<stem>.py defines, in order of definition."""
    if module_path(f"nnfp.book.figures.{stem}") is None:
        return []
    importlib.import_module(f"nnfp.book.figures.{stem}")
    return [name for name in REGISTRY if name.startswith(f"{stem}.")]


def facts(name: str) -> dict:
    """The facts of a figure, the same in every theme (anything else is an error)."""
    light, dark = (draw(name, theme)[1] for theme in THEMES)
    if json.dumps(light) != json.dumps(dark):
        raise FigureError(f"figure {name} states other facts in dark than in light")
    return light


__all__ = ["REGISTRY", "ROOT", "STYLES", "THEMES", "Figure", "FigureError", "Style", "draw",
           "draw_all", "facts", "figure", "load", "names", "paint", "picture"]  # fmt: skip
