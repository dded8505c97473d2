"""Promises of nnfp/book/spare_rules.py: only what no page can need goes."""

import re
from pathlib import Path

import pytest

from nnfp.book.spare_rules import Named, named_in, without_spare_rules

PAGE = '<body dir="ltr" data-md-color-primary="custom"><p class="one two" style="width:var(--wide)"></p><script>add("ink-" + "y")</script>'


def left(css: str, page: str = PAGE) -> str:
    named = Named()
    named.add_page(page)
    return without_spare_rules(css, named).replace("\n", "")


@pytest.mark.parametrize(
    "rule",
    [
        "p{a:b}",
        ".one>p .two:hover{a:b}",
        "p:not(.other){a:b}",
        ".ink-y.ink-red{a:b}",  # a script puts names together
        "[dir=ltr] p{a:b}",
        "[data-md-color-primary=custom]{a:b}",
        "[hidden]{a:b}",
        '[type="radio"]{a:b}',
        'p{a:url("data:image/svg+xml;utf8,<svg d=\'a(1)b;}\'/>");c:d}',
        ".one{&:hover{a:b}}",
        "@keyframes other{from{a:b}}",
        "@media print{.one{a:b}}",
        "p{--wide:1}",
        "p{--thick:1}.one{a:calc(var( --thick) + 1px)}",
        "p{a:b!important}",
    ],
)
def test_what_can_match_stays(rule):
    assert re.sub(r"\s", "", left(rule)) == re.sub(r"\s", "", rule)


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        (".other{a:b}", ""),
        (".one .other,.two{a:b}", ".two{a:b}"),
        ("[dir=rtl] .one{a:b}", ""),
        ('[data-md-color-primary="red"]{a:b}', ""),
        ("@media print{.other{a:b}}", ""),
        ("@media print{.other{a:b}p{c:d}}", "@media print{p{c:d}}"),
        ("p{--thin:1;a:b}", "p{a:b}"),
        ("p{--thin:1}", ""),
        ("p{--thin:1;--thinner:var(--thin);--thinnest:var(--thinner)}", ""),
        (".other{a:var(--thin)}p{--thin:1}", ""),
        ("p{}", ""),
        ("@font-face{font-family:Other;src:url(o)}p{a:b}", "p{a:b}"),
    ],
)
def test_what_nothing_can_match_goes(rule, rest):
    assert left(rule) == rest


def test_a_face_that_is_named_stays():
    css = '@font-face{font-family:"One";src:url(o)}p{font-family:One}'
    assert left(css) == css


def test_a_sheet_that_cannot_be_read_is_said():
    for css in ("p{a:b} }", "p{a b}"):
        with pytest.raises(ValueError, match=r"cannot be read: line 1: "):
            left(css)


def test_all_pages_and_scripts_are_looked_through_but_those_of_python(tmp_path):
    for name, text in {
        "a/index.html": '<i class="in-page"></i>', "404.html": '<i class="in-404"></i>',
        "js/a.js": "classList.add('in-script')", "assets/vendor/pyodide/p.js": "'in-vendor'",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    named = named_in(Path(tmp_path))
    assert [name for name in ("in-page", "in-404", "in-script", "in-vendor") if named.has(name)] == ["in-page", "in-404", "in-script"]
