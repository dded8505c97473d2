# ruff: noqa: NPY002  (the old random state is only watched here)
"""Figures are drawn the same twice, in colours that can be told apart, and redrawn when needed."""

import itertools
import json
import subprocess
import sys
import textwrap

import matplotlib
import numpy as np
import pytest

from nnfp.book import figures, sources
from nnfp.book.figures import STYLES, FigureError

HUES = ("blue", "orange", "green", "red", "purple")


@pytest.fixture
def drawings(tmp_path, monkeypatch):
    """A figure module of our own in a scratch copy of the project's skeleton."""
    for name in ("nnfp/__init__.py", "nnfp/low.py", "nnfp/other.py", "nnfp/book/__init__.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text({"nnfp/low.py": "SLOPE = 2.0\n"}.get(name, ""))
    (tmp_path / "nnfp/middle.py").write_text("from nnfp.low import SLOPE\n")
    folder = tmp_path / "nnfp/book/figures"
    folder.mkdir()
    real = sources.ROOT / "nnfp/book"
    (tmp_path / "nnfp/book/sources.py").write_text((real / "sources.py").read_text())
    (folder / "__init__.py").write_text((real / "figures/__init__.py").read_text())
    (folder / "demo.py").write_text(
        textwrap.dedent("""\
        import numpy as np
        from nnfp.book.figures import figure
        from nnfp.middle import SLOPE

        @figure(width=3, height=2)
        def line(fig, style):
            ax = fig.subplots()
            ax.plot([0, 1], [0, SLOPE], color=style.blue, label="a line")
            ax.scatter(np.arange(5), np.random.default_rng(0).normal(size=5), color=style.orange)
            ax.legend()
            return {"slope": np.float64(SLOPE), "ends": np.array([0, SLOPE])}

        @figure(width=3, height=2)
        def careless(fig, style):
            fig.subplots().plot(np.random.rand(3))

        @figure(width=3, height=2)
        def warns(fig, style):
            fig.subplots().plot(np.log(np.zeros(2)))

        @figure(width=3, height=2)
        def two_faced(fig, style):
            return {"slope": 1.0 if style.theme == "light" else 2.0}
        """)
    )

    def run(code):
        start = "import sys, json\nfrom nnfp.book import figures, sources\n"
        return subprocess.run(
            [sys.executable, "-c", start + textwrap.dedent(code)],
            cwd=tmp_path, capture_output=True, text=True, env={"PATH": "", "PYTHONPATH": str(tmp_path)},
        )  # fmt: skip

    run.root = tmp_path
    return run


DRAW = "print(json.dumps(figures.draw('demo.line', 'light')))"


def test_a_figure_is_the_same_in_another_process_and_from_the_cache(drawings):
    first = drawings(DRAW)
    assert first.stderr == ""
    cached = drawings(DRAW + "\nassert 'matplotlib' not in sys.modules")
    assert cached.stdout == first.stdout and cached.stderr == ""
    for file in (drawings.root / ".book-cache/figures").iterdir():
        file.unlink()
    assert drawings(DRAW).stdout == first.stdout
    svg, facts = json.loads(first.stdout)
    assert facts == {"slope": 2.0, "ends": [0.0, 2.0]}
    assert svg.startswith("<svg ") and svg.endswith("</svg>")
    assert "date" not in svg.lower() and "<style" not in svg and "<?xml" not in svg


def test_a_change_deep_down_draws_again_and_an_unrelated_one_does_not(drawings):
    key = "print(sources.fingerprint('nnfp.book.figures.demo'))"
    before, drawn = drawings(key).stdout, drawings(DRAW).stdout
    (drawings.root / "nnfp/other.py").write_text("X = 1\n")
    assert drawings(key).stdout == before
    (drawings.root / "nnfp/low.py").write_text("SLOPE = 3.0\n")
    assert drawings(key).stdout != before
    again = drawings(DRAW).stdout
    assert again != drawn and json.loads(again)[1]["slope"] == 3.0
    assert len(list((drawings.root / ".book-cache/figures").iterdir())) == 1  # the old one is gone


def test_a_running_server_draws_with_the_changed_module(drawings):
    done = drawings(
        """
        import os, pathlib, time
        first = figures.draw("demo.line", "light")[1]["slope"]
        low = pathlib.Path("nnfp/low.py")
        low.write_text("SLOPE = 5.0\\n")
        os.utime(low, (time.time() + 5, time.time() + 5))
        print(first, figures.draw("demo.line", "light")[1]["slope"])
        """
    )
    assert done.stdout.split() == ["2.0", "5.0"], done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demo.careless", "draws from NumPy's global random state"),
        ("demo.warns", "figure demo.warns (line 19 of its module): RuntimeWarning: divide by zero"),
        ("demo.nothing", "figure demo.nothing is not defined; figures of demo: demo.careless"),
        ("none.line", "there is no file nnfp/book/figures/none.py"),
    ],
)
def test_what_cannot_be_drawn_is_named(drawings, name, message):
    code = f"try:\n figures.draw('{name}', 'light')\nexcept figures.FigureError as error:\n print(error)"
    assert message in drawings(code).stdout


def test_facts_must_not_depend_on_the_theme(drawings):
    done = drawings("figures.facts('demo.two_faced')")
    assert "states other facts in dark than in light" in done.stderr


def test_unknown_themes_are_refused():
    with pytest.raises(FigureError, match="theme must be one of light, dark, got 'sepia'"):
        figures.draw("demo.line", "sepia")


def test_drawing_leaves_no_global_state(monkeypatch):
    def scribble(fig, style):
        matplotlib.rcParams["lines.linewidth"] = 99
        fig.subplots().plot([0, 1])
        return {"n": 1}

    entry = figures.Figure("tests.scribble", 2, 2, scribble)
    monkeypatch.setattr(figures, "load", lambda name: entry)
    before, state = dict(matplotlib.rcParams), np.random.get_state()
    _, facts = figures.paint("tests.scribble", "dark")
    assert dict(matplotlib.rcParams) == before and facts == {"n": 1}
    assert np.array_equal(np.random.get_state()[1], state[1])
    assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()


def test_coordinates_are_rounded_and_scales_are_not():
    svg = '<?xml?><svg width="3pt" height="2pt" viewBox="0 0 3 2"><path d="M 1.23456 -0.001 \nL 2.0000 3.1e-05 "/>'
    svg += '<g transform="translate(1.23456 2) scale(0.015625)"/></svg>'
    small = figures.compact(svg)
    assert 'd="M1.23 0L2 0"' in small
    assert 'transform="translate(1.23 2) scale(0.015625)"' in small


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_lines_and_words_can_be_read_on_their_background(style):
    for name in (*HUES, "foreground", "muted"):
        assert contrast(getattr(style, name), style.background) >= 4.5, name


# what the three kinds of colour blindness make of linear RGB (Machado, Oliveira, Fernandes 2009)
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_hues_stay_apart_for_colour_blind_readers(style, kind):
    seen = {hue: lab(np.array(BLINDNESS[kind]) @ linear(getattr(style, hue))) for hue in HUES}
    for a, b in itertools.combinations(HUES, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 15, (a, b)
