r"""Formulas, numbers, \eqref and figures of a page, and every way in which they can be wrong."""

import re
import textwrap

import markdown
import pytest

from nnfp.book import figures, katex
from nnfp.book import markdown as book_markdown
from nnfp.book.markdown import PageError
from nnfp.book.reading import BookError

try:
    katex.folder()
except BookError as error:  # the npm package is not there: say so, leave these tests out
    pytest.skip(str(error), allow_module_level=True)

ONE = r"""# One

Text with $W^{[l]}$, `$x$` and \eqref{eq-b}, \eqref{eq-a}, `\eqref{eq-none}`.
$$
a := b < c
\label{eq-a}
$$
<!-- f(b) -->
Below: 0.25<!-- slope --> and **3**<!-- n -->, `1<!-- kept -->`.

??? success "Solution"

    $$
    \begin{cases}
    1 & x > 0 \\
    0 & x \le 0
    \end{cases}
    \label{eq-nested}
    $$

```text
$$ no math $$ <!-- kept --> \eqref{eq-none}
```
"""
TWO = "---\ntitle: Two\n---\n\n# Two\n\n$$\nb := 1\n\\label{eq-b}\n$$\n\nBack to \\eqref{eq-a}.\n"


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Renders a page of a scratch book as MkDocs and Zensical do: from its body alone."""
    monkeypatch.setattr(katex, "CACHE", tmp_path / "cache")
    katex._known.clear()
    book_markdown.shared_book.cache_clear()
    (tmp_path / "docs/sub").mkdir(parents=True)
    (tmp_path / "mkdocs.yml").write_text(
        "nav: [Home: index.md, One: one.md, Two: sub/two.md]\nhooks: !ENV [X, y]\n"
    )

    def run(body=None, one=ONE, two=TWO, **settings):
        for name, text in {"index.md": "# Home\n", "one.md": one, "sub/two.md": two}.items():
            (tmp_path / "docs" / name).write_text(text)
        converter = markdown.Markdown(
            extensions=["pymdownx.superfences", "pymdownx.details", "tables", "nnfp.book.markdown"],
            extension_configs={"nnfp.book.markdown": {"root": str(tmp_path), **settings}},
        )
        return converter.convert(body or one)

    run.root = tmp_path
    return run


def fails(render, message, **pages):
    with pytest.raises(PageError) as error:
        render(**pages)
    assert message in str(error.value)


def test_a_display_has_number_anchor_and_a_box_that_can_be_focused(render):
    html = render()
    box = re.search(r'<div class="equation" id="eq-a">\s*<div ([^>]*)>', html)[1]
    for part in (
        'aria-label="Equation 2.1"',
        'tabindex="0"',
        'role="group"',
        "data-search-exclude",
    ):
        assert part in box
    assert '<a class="equation-number" href="#eq-a">(2.1)</a>' in html
    assert 'id="eq-nested"' in html and "(2.2)" in html


def test_formulas_are_html_and_mathml_without_a_script(render):
    html = render()
    assert html.count('<span class="katex">') == 3 and html.count("<math ") == 3
    assert "<script" not in html and "arithmatex" not in html and "\\label" not in html
    assert '<bdi class="math" data-search-exclude="">' in html


def test_references_are_relative_links_to_page_and_anchor(render):
    html = render()
    assert '<a href="sub/two.md#eq-b">(3.1)</a>' in html and '<a href="#eq-a">(2.1)</a>' in html
    body = TWO.split("---\n")[2].lstrip("\n")
    assert '<a href="../one.md#eq-a">(2.1)</a>' in render(body)


def test_comments_go_and_code_stays(render):
    html = render()
    assert "f(b)" not in html and "slope" not in html
    assert "Below: 0.25 and <strong>3</strong>," in html
    assert (
        "1&lt;!-- kept --&gt;" in html and "\\eqref{eq-none}" in html and "<code>$x$</code>" in html
    )
    assert html.count("kept") == 2 and "$$ no math $$" in re.sub(r"<[^>]+>", "", html)


def test_a_display_needs_no_blank_lines_around_it(render):
    html = render()
    assert re.search(r'\.</p>\s*<div class="equation" id="eq-a">', html)
    assert re.search(r"</div>\s*<p>Below", html)


def test_rendering_twice_gives_the_same_with_and_without_the_cache(render):
    first = render()
    katex._known.clear()
    engine = katex._engine
    katex._engine = None  # from disk alone
    try:
        assert render() == first
    finally:
        katex._engine = engine
    (render.root / "cache/katex.sqlite").write_bytes(b"broken")
    katex._known.clear()
    assert render() == first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n\\label{eq-a}", "", "docs/one.md:4: a display needs one \\label{eq-...}, this has 0"),
        ("eq-nested", "eq-a", "docs/one.md:13: the label eq-a is already used at {root}docs/one.md:4"),
        (", \\eqref{eq-a}", ", \\eqref{eq-aa}",
         "docs/one.md:3: no equation of the book has the label eq-aa"),
        ("a := b < c", "a := \\frac{b}", "docs/one.md:5: TeX: "),
        ("$W^{[l]}$", "$W^{[l]$", "docs/one.md:3: TeX: "),
        ("$W^{[l]}$", "$\\nosuch$", "docs/one.md:3: TeX: Undefined control sequence: \\nosuch"),
        ("    1 & x > 0 \\\\", "    1 & \\nosuch \\\\", "docs/one.md:14: TeX: "),
        ("a := b", "two words $$ a := b", "is not closed"),
        ("$$\na :=", "so $$\na :=", "docs/one.md:4: a display $$ ... $$ stands on lines of its own"),
        ("Below:", "![A curve](figure:no_such.curve)\nBelow:",
         "docs/one.md:9: figure no_such.curve: there is no file"),
    ],
)  # fmt: skip
def test_what_is_wrong_stops_the_build_with_file_and_line(render, old, new, message):
    assert old in ONE
    with pytest.raises(PageError) as error:
        render(one=ONE.replace(old, new, 1))
    said = str(error.value).replace(str(render.root) + "/", "").replace("{root}", "")
    assert message.replace("{root}", "") in said


def test_a_label_of_two_pages_is_refused(render):
    with pytest.raises(PageError, match=r"the label eq-a is already used at .*one\.md:4"):
        two = TWO.replace("eq-b", "eq-a")
        render(two.split("---\n")[2].lstrip("\n"), one=ONE.replace("\\eqref{eq-b}", ""), two=two)


def test_text_that_is_no_page_may_have_formulas_but_no_equations(render):
    assert "<math " in render("A docstring with $x$.")
    with pytest.raises(PageError, match="text that is no page under docs/"):
        render("A docstring with \\eqref{eq-a}.")


def test_a_missing_katex_is_explained(monkeypatch, tmp_path):
    monkeypatch.setenv("NNFP_KATEX", str(tmp_path))
    with pytest.raises(BookError, match="npm ci --ignore-scripts"):
        katex.folder()


def test_a_figure_shows_both_themes_with_alt_text_and_caption(render, monkeypatch):
    svg = '<svg style="stroke-linejoin:round" viewBox="0 0 144 72" xmlns="http://www.w3.org/2000/svg"></svg>'
    monkeypatch.setattr(figures, "draw", lambda name, theme: (svg, {}))
    text = ONE + '\n![A "curve"](figure:a.b)\nA *caption*, 0.5<!-- x -->, \\eqref{eq-a}.\n'
    html = render(one=text + "\n![Again](figure:a.b)\nMore.\n")
    for theme in figures.THEMES:
        assert html.count(f'class="figure-{theme}"') == 2
        assert html.count(f'src="assets/figures/a.b.{theme}.svg"') == 2
    assert html.count('alt="A &quot;curve&quot;"') == 2 and html.count('alt="Again"') == 2
    assert html.count('width="192"') == html.count('height="96"') == html.count('loading="lazy"') == 4
    assert '<figcaption>A <em>caption</em>, 0.5, <a href="#eq-a">(2.1)</a>.</figcaption>' in html


def test_drawings_are_written_beside_the_pages_and_old_ones_go(monkeypatch, tmp_path):
    def draw(name, theme):
        if name == "a.broken":
            raise figures.FigureError("broken")
        return f"<svg {name} {theme}/>", {}

    monkeypatch.setattr(figures, "draw", draw)
    figures.write_all(["a.b", "a.c"], tmp_path)
    figures.write_all(["a.b", "a.broken"], tmp_path)
    there = {path.name: path.read_text() for path in (tmp_path / "assets" / "figures").iterdir()}
    assert there == {f"a.b.{theme}.svg": f"<svg a.b {theme}/>\n" for theme in figures.THEMES}


def test_a_drawing_of_the_real_library_stays_small(tmp_path):
    def curve(fig, style):
        for ax in fig.subplots(1, 2):
            ax.plot(range(200), [(x / 100) ** 2 for x in range(200)], label="curve")
            ax.set_xlabel("step")
            ax.legend()

    entry = figures.Figure("tests.curve", 6.4, 3.2, curve)
    load, figures.load = figures.load, lambda name: entry
    try:
        svg = figures.compact(figures.paint("tests.curve", "light")[0].decode())
    finally:
        figures.load = load
    assert len(svg) < 30_000
    assert textwrap.shorten(svg, 40).startswith("<svg")
