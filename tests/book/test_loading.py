"""Promises of nnfp/book/loading_hook.py: what a page loads, in which order, and what the browser need not do twice."""

import re
import types

import pytest

from nnfp.book import loading_hook

PAGE = """<!doctype html>
<html lang="en" class="no-js">
  <head>
    <meta charset="utf-8">
    <link rel="stylesheet" href="../assets/stylesheets/main.0a1b.min.css">
    <link rel="stylesheet" href="../assets/stylesheets/palette.0a1b.min.css">
    <link rel="stylesheet" href="../stylesheets/book.css">
  </head>
  <body>
    <form class="md-header__option" data-md-component="palette"><input type="radio"><label></label></form>
    <script>var palette=__md_get("__palette");if(palette){}</script>
    <table>
    <tr><td>1</td></tr></table><table class="mark-symbols"></table>
    <span class="katex">x</span>
    <div class="language-python highlight"><span class="filename">nnfp/layer.py</span><pre><span></span><code>1</code></pre></div>
    <div class="language-text no-copy highlight"><pre><span></span><code>2</code></pre></div><pre>3</pre>
    <div class="highlight mark-code"><pre><code>4</code></pre></div>
    <script id="__config" type="application/json">{}</script>
    <script src="../assets/javascripts/bundle.0a1b.min.js"></script>
    <script src="../javascripts/nnfp.js" defer></script>
    <script src="../javascripts/explorables/load.js" type="module"></script>
  </body>
</html>
"""


@pytest.fixture
def output(monkeypatch):
    monkeypatch.delenv("NNFP_OFFLINE", raising=False)
    return render(PAGE)


def render(text: str) -> str:
    page = types.SimpleNamespace(file=types.SimpleNamespace(dest_uri="layer/index.html"))
    return loading_hook.on_post_page(text, page=page)


def test_one_style_sheet_is_named_and_the_faces_before_it(output):
    assert re.findall(r'<link rel="stylesheet" href="([^"]*)"', output) == ["../stylesheets/book.css"]
    early = re.findall(r'<link rel="preload" href="([^"]*)"', output)
    assert early == [f"../{path}" for path in loading_hook.EARLY + loading_hook.OF_CODE + loading_hook.OF_FORMULAS]
    assert output.index('rel="preload"') < output.index('rel="stylesheet"') < output.index("</head>")
    assert not re.findall("KaTeX", render(PAGE.replace("katex", "plain")))


def test_the_characters_are_declared_within_the_first_kilobyte(output):
    assert output.encode().index(b"<meta charset") < 1024 - 30


def test_what_the_theme_would_change_is_changed_before_there_is_a_body(output):
    head = output.partition("</head>")[0]
    assert head.index("book.css") < head.index("document.documentElement.className") < head.index("sheet.href = sheet.href")
    assert head.count("sheet.href = sheet.href") == output.count("sheet.href = sheet.href") == 1


def test_the_theme_finds_no_switch_of_its_own(output):
    assert 'data-md-component="palette"' not in output and "<form class=\"md-header__option\" data-palette>" in output
    assert "var palette=" not in output and output.count('__md_set("__palette"') == 1


def test_the_scripts_come_after_the_page_in_their_order(output):
    assert re.findall(r'<script[^>]* src="([^"]*)"', output) == ["../javascripts/explorables/load.js"]
    assert '["../assets/javascripts/bundle.0a1b.min.js", "../javascripts/nnfp.js"].entries()' in output
    assert output.index('id="__config"') < output.index("PerformanceObserver")


def test_tables_without_a_class_stand_in_their_frames(output):
    frame = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table"><table class="plain">'
    assert re.findall(rf"{frame}\s*<tr><td>1</td></tr></table></div></div>", output)
    assert output.count("<table") == output.count("</table>") == 2 and output.count("<div") == output.count("</div>") == 5
    rule = ".md-typeset table:not([class]) th, p{}"
    assert loading_hook.of_framed(rule) == ".md-typeset table:is(:not([class]), .plain) th, p{}"


def test_each_block_of_code_has_its_button_in_the_page(output):
    blocks = re.findall(r'<pre data-code="(\d)"><nav.*?aria-label="Tools of code block (\d)".*?(\[data-code=.*?)".*?</nav>(.*?)</code>', output)
    assert blocks == [
        ("1", "1", "[data-code='1'] > code", "<span></span><code>1"),
        ("2", "2", "[data-code='2'] > code", "<code>4"),
    ]
    config = types.SimpleNamespace(theme={"features": ["content.code.copy", "toc.follow"]}, extra_css=[], docs_dir=".")
    assert loading_hook.on_config(config).theme["features"] == ["toc.follow"]


def test_names_in_code_have_the_colour_of_code():
    text = '<code><span class="n">x</span><span class="w"> </span><span class="o">=</span> <span class="nb">abs</span></code>'
    assert loading_hook.plain_names(text) == '<code>x <span class="o">=</span> <span class="nb">abs</span></code>'
    css = (loading_hook.Path(__file__).parents[2] / "docs/stylesheets/nnfp.css").read_text()
    colours = [re.findall(rf"--md-code-{name}-color: (#\w+);", css) for name in ("fg", "hl-name")]
    assert len(colours[0]) == 2 and colours[0] == colours[1], "in both themes"


def test_a_page_read_from_a_file_preloads_nothing_and_names_its_scripts(monkeypatch):
    monkeypatch.setenv("NNFP_OFFLINE", "1")
    output = render(PAGE)
    assert 'rel="preload"' not in output and "PerformanceObserver" not in output
    assert '<script defer src="../assets/javascripts/bundle.0a1b.min.js">' in output


def test_the_joined_style_sheet_has_the_themes_first_and_addresses_from_its_own_place(tmp_path):
    for name, text in {
        "assets/stylesheets/main.0a1b.min.css": "/* theme */ table:not([class]){color:red}",
        "assets/stylesheets/palette.0a1b.min.css": "b{background:url(x.svg)}",
        "stylesheets/book.css": "i{c:d}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    loading_hook.on_post_build(types.SimpleNamespace(site_dir=str(tmp_path)))
    joined = (tmp_path / "stylesheets/book.css").read_text()
    assert joined.split("\n") == [
        "table:is(:not([class]), .plain){color:red}",
        "b{background:url(../assets/stylesheets/x.svg)}",
        "i{c:d}",
        "",
    ]
    assert "table:is(" in (tmp_path / "assets/stylesheets/main.0a1b.min.css").read_text()
