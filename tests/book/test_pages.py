"""Each check of a page passes a right page and reports a planted error: file, line, message."""

import numpy as np
import pytest
from small_book import LAYER, MODULE, NEURON, line_of, make

from nnfp.book import katex, numbers
from nnfp.book.pages import KINDS, check_book, update
from nnfp.book.reading import BookError


def katex_is_there():
    try:
        return bool(katex.folder())
    except BookError:
        return False


CHECKED = [kind for kind in KINDS if kind != "equations"]  # those have tests of their own


def failures(tmp_path, home="neuron.md", kinds=CHECKED, **changes):
    checker = make(tmp_path, **changes)
    return checker.check(checker.book.page(tmp_path / "docs" / home), kinds).failures


def planted(tmp_path, old, new, at=None):
    """The only failure of the page after replacing old by new; it must be on the line of `at`."""
    assert NEURON.count(old) == 1, f"{old!r} stands {NEURON.count(old)} times on the page"
    text = NEURON.replace(old, new)
    found = failures(tmp_path, neuron=text)
    assert len(found) == 1, found
    assert found[0].file.endswith("docs/neuron.md")
    assert found[0].line == line_of(text, at or new), found
    return found[0]


def test_a_right_page_has_no_failure(tmp_path):
    assert failures(tmp_path) == []
    assert failures(tmp_path, home="layer.md") == []


def test_counts_say_what_was_looked_at(tmp_path):
    checker = make(tmp_path)
    counts = checker.check(checker.book.page(tmp_path / "docs/neuron.md"), CHECKED).counts
    assert counts["fences"] == 2 and counts["outputs"] == 4 and counts["numbers"] == 6
    assert counts["snippets"] == 1 and counts["equations"] == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#> [2. 5.]", "#> [2. 6.]", "prints '[2. 5.]', the page shows '[2. 6.]'"),
        ("#> 1.0\n#> 2.5", "#> 1.0\n#> 2.7", "prints '2.5', the page shows '2.7'"),
        ("#> 2.5\n", "#> 2.5\n#> 9\n", "prints no such line as '9'"),
        ("    #> 1\n", "    #> 7\n", "prints '1', the page shows '7'"),
    ],
)
def test_a_wrong_output_line_is_reported_where_it_stands(tmp_path, old, new, message):
    found = planted(tmp_path, old, new, at=new.rstrip("\n").split("\n")[-1])
    assert (found.kind, found.message) == ("output", message)


def test_a_missing_output_line_is_reported_at_the_statement(tmp_path):
    found = planted(tmp_path, "#> [2. 5.]\n", "", at="print(x + x)")
    assert found.message == "prints '[2. 5.]', the page does not show it"


def test_changed_code_is_seen_in_its_output(tmp_path):
    found = planted(tmp_path, "print(x + x)", "print(x + x + 1)", at="#> [2. 5.]")
    assert found.message == "prints '[3. 6.]', the page shows '[2. 5.]'"


def test_an_output_line_inside_a_loop_is_refused(tmp_path):
    text = NEURON.replace(
        "    print(value)\n#> 1.0\n#> 2.5", "    print(value)\n    #> 1.0\n    value += 1"
    )
    found = failures(tmp_path, neuron=text)
    assert any("must follow a whole top-level statement" in f.message for f in found)
    assert line_of(text, "    #> 1.0") in {f.line for f in found}


def test_an_error_names_its_own_line_and_the_rest_is_not_run(tmp_path):
    found = planted(
        tmp_path, "print(x + x)\n#> [2. 5.]", "def f():\n    return 1 / 0\nf()", "    return 1"
    )
    assert found.kind == "error"
    assert found.message == "ZeroDivisionError: division by zero; the rest of the page was not run"


def test_a_syntax_error_names_its_line(tmp_path):
    found = planted(tmp_path, "    print(value)", "    print(value", at="    print(value")
    assert found.message.startswith("SyntaxError: '(' was never closed")


def test_a_warning_is_an_error(tmp_path):
    found = planted(tmp_path, "print(x + x)\n#> [2. 5.]", "np.log(np.array([0.0]))")
    assert (found.kind, found.line) == ("warning", 21)
    assert "divide by zero" in found.message


def test_the_global_random_state_is_refused(tmp_path):
    found = planted(
        tmp_path, "print(x + x)\n#> [2. 5.]", "np.random.rand()", at="```python\nimport"
    )
    assert "global random state" in found.message


def test_an_unseeded_generator_is_refused(tmp_path):
    found = planted(tmp_path, "print(x + x)\n#> [2. 5.]", "np.random.default_rng()")
    assert found.message == "default_rng() needs a seed: default_rng(0)"


def test_settings_of_a_page_do_not_leak(tmp_path):
    before = np.get_printoptions()
    text = NEURON.replace(
        "print(x + x)\n#> [2. 5.]", "np.set_printoptions(precision=2)\nnp.seterr(all='raise')"
    )
    assert failures(tmp_path, neuron=text) == []
    assert np.get_printoptions() == before


def test_files_that_a_page_writes_stay_out_of_the_tree(tmp_path):
    text = NEURON.replace("print(x + x)\n#> [2. 5.]", "np.savez('w.npz', x=x)")
    assert failures(tmp_path, neuron=text) == []
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3.50<", "3.51<", "x.sum() is 3.5, the page says 3.51"),
        ("`(2,)`<", "`(3,)`<", "x.shape is (2,), the page says (3,)"),
        ("two<", "three<", "len(x) is 2, the page says three"),
        ("**1.75**", "**1.74**", "x.mean() is 1.75, the page says 1.74"),
        (r"$1.0 \times 10^{-3}$", r"$1.0 \times 10^{-4}$",
         r"x[0] / 1000 is 0.001, the page says 1.0 \times 10^{-4}"),
        ("1.6<", "1.5<", "x.mean() is 1.75, the page says 1.5 ± 10%"),
        ("x.sum()", "x.sun()",
         "x.sun(): AttributeError: 'numpy.ndarray' object has no attribute 'sun'"),
        ("<!-- x.mean() --> |", "<!-- x --> |",
         "x is an array of shape (2,), not one number"),
        ("3.50<!-- x.sum()", "a lot<!-- x.sum()",
         "the comment 'x.sum()' does not follow a number directly"),
    ],
)  # fmt: skip
def test_a_wrong_bound_number_is_reported(tmp_path, old, new, message):
    found = planted(tmp_path, old, new)
    assert (found.kind, found.message) == ("number", message)


@pytest.mark.parametrize(
    ("shown", "value", "right"),
    [
        ("0.25", 0.2549, "0.25"), ("0.25", 0.256, "0.26"), ("6,900", 48301.2, "48,301"),
        ("2.1e-09", 2.06e-9, "2.1e-09"), ("9.9e-10", 9.97e-10, "1.0e-09"),
        ("−3.0", -3.26, "−3.3"), ("0.0", -0.01, "0.0"), ("2.1 × 10⁻⁹", 1.4e-8, "1.4 × 10⁻⁸"),
        (r"2.1 \times 10^{-9}", 1.4e12, r"1.4 \times 10^{12}"), ("+0.5", 0.7, "+0.7"),
        ("12", 12.4, "12"), ("1e+05", 7e5, "7e+05"),
    ],
)  # fmt: skip
def test_numbers_are_written_in_the_form_on_the_page(shown, value, right):
    assert numbers.write_like(shown, value) == right
    assert numbers.agrees(shown, value) == (shown == right)


def test_words_like_2_d_are_no_numbers():
    assert numbers.numbers_in("In 2-D, 4.1 to -0.02, x2, 1e-5, 12,345.") == [
        "4.1",
        "-0.02",
        "1e-5",
        "12,345",
    ]


def test_pasted_library_code_is_refused(tmp_path):
    new = "def twice(x):\n    'Other words.'\n    return x + x"
    found = planted(tmp_path, "print(x + x)\n#> [2. 5.]", new)
    assert found.message.startswith("repeats double of nnfp/neuron.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("neuron.py:double", "neuron.py:duoble", "nnfp/neuron.py has no section duoble; it has: double"),
        ('--8<-- "nnfp/neuron.py:', '--8<-- "nnfp/neuro.py:', "there is no file nnfp/neuro.py"),
        ('title="nnfp/neuron.py"', 'title="nnfp/layer.py"',
         "the title should be \"nnfp/neuron.py\", is 'nnfp/layer.py'"),
        ('--8<-- "nnfp/neuron.py:double"', "print(1)",
         "a titled fence shows package code by section; a fence that runs has no title"),
    ],
)  # fmt: skip
def test_a_wrong_include_is_reported(tmp_path, old, new, message):
    at = "```python title" if "titled" in message or "should be" in message else new
    found = planted(tmp_path, old, new, at=at)
    assert (found.kind, found.message) == ("snippet", message)


def test_a_section_shown_twice_is_reported(tmp_path):
    include = '```python title="nnfp/neuron.py"\n--8<-- "nnfp/neuron.py:double"\n```\n'
    found = failures(tmp_path, layer=LAYER + include)
    assert len(found) == 1 and "shown more than once" in found[0].message
    assert found[0].line == line_of(NEURON, "--8<--")


@pytest.mark.parametrize(
    ("old", "new", "kind", "message"),
    [
        ("layer.md#two-words", "layer.md#two-wards", "link",
         "layer.md has no anchor #two-wards; did you mean #two-words?"),
        ("layer.md#two-words", "layers.md", "link", "there is no docs/layers.md"),
        ("layer.md#two-words", "../layer.md", "link", "../layer.md leads out of docs/"),
        ("layer.md#two-words", "https://example", "link", "https://example is no web address"),
        ("layer.md#two-words", "notebooks/no.ipynb", "link",
         "no page makes notebooks/no.ipynb; this page makes notebooks/neuron.ipynb"),
        (r"\eqref{eq-double}", r"\eqref{eq-duoble}", "label",
         "no equation of the book has the label eq-duoble; did you mean eq-double?"),
        ("## A session", "## A $x$ session", "heading", "no math in headings"),
        ("## A session", "![](neuron.md)", "alt", "the image neuron.md has no alt text"),
        ("    ```python\n", "    ```\n", "fence", "name the language; ```text for what does not run"),
    ],
)  # fmt: skip
def test_a_wrong_link_label_or_image_is_reported(tmp_path, old, new, kind, message):
    found = planted(tmp_path, old, new, at=new.strip("\n"))
    assert (found.kind, found.message) == (kind, message)


def test_a_source_named_twice_is_reported(tmp_path):
    more = "\n## Sources\n\n- [a](https://a.org/)\n- [b](https://a.org/)\n"
    (found,) = failures(tmp_path, neuron=NEURON + more)
    assert found.message == "https://a.org/ is named twice in Sources"
    assert found.line == line_of(NEURON + more, "- [b]")


@pytest.mark.skipif(not katex_is_there(), reason="the npm package katex is not installed")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("d := x + x", "d := \\frac{x", "Unexpected end of input"),
        ("Twice a number.", "Twice $\\nosuch$.", "Undefined control sequence: \\nosuch"),
    ],
)
def test_a_formula_that_katex_refuses_is_reported(tmp_path, old, new, message):
    text = NEURON.replace(old, new)
    (found,) = failures(tmp_path, neuron=text)
    assert found.kind == "tex" and message in found.message
    assert found.line == line_of(text, "$$" if "frac" in new else new)


def test_labels_are_needed_and_unique(tmp_path):
    text = NEURON.replace("\\label{eq-double}\n", "").replace("\\eqref{eq-double}", "it")
    found = failures(tmp_path, neuron=text, layer="# Layer\n\n## Two words\n")
    assert [f.message for f in found] == ["a display needs one \\label{eq-...}, this has 0"]
    found = failures(tmp_path, layer=LAYER + "\n$$\na := 1\n\\label{eq-double}\n$$\n")
    assert len(found) == 1 and "is used more than once: also" in found[0].message
    assert found[0].line == line_of(NEURON, "$$")


def test_a_display_that_never_closes_is_reported(tmp_path):
    text = NEURON.replace("\\label{eq-double}\n$$\n", "\\label{eq-double}\n")
    assert any("not closed" in f.message for f in failures(tmp_path, neuron=text))


def test_a_figure_that_does_not_exist_is_reported(tmp_path):
    found = planted(
        tmp_path, "## A session", "![A curve](figure:no_such.curve)\nA caption.", "![A curve]"
    )
    assert (
        found.kind == "figure" and "there is no file nnfp/book/figures/no_such.py" in found.message
    )


def test_code_in_backticks_and_fences_is_no_prose(tmp_path):
    more = (
        "\nThe form `1<!-- x -->`, `[a](b.md)`, `$$` and\n\n```text\n[a](b.md) 3<!-- y -->\n```\n"
    )
    assert failures(tmp_path, neuron=NEURON + more) == []


def test_a_copy_elsewhere_is_checked_as_the_page_itself(tmp_path):
    checker = make(tmp_path / "book")
    copy = tmp_path / "elsewhere" / "neuron.md"
    copy.parent.mkdir()
    copy.write_text(NEURON.replace("#> [2. 5.]", "#> [2. 4.]"))
    found = checker.check(checker.book.page(copy), CHECKED).failures
    assert [(f.file, f.kind) for f in found] == [(checker.book.shown(copy), "output")]


def test_the_right_book_has_no_failure(tmp_path):
    assert check_book(make(tmp_path).book) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("eq-double\n", "eq-dubble\n", 7, "double cites the equation eq-dubble, which is on no page"),
        ("    Units:    those of x\n", "", 7, "double has no line 'Units:' in its docstring"),
        ("# --8<-- [end:double]\n", "", 6, "section double never ends"),
        ("# --8<-- [end:double]", "# --8<-- [ends:double]", 16,
         "a mark of a section that is not [start:name] or [end:name]"),
        ("# --8<-- [start:double]\n", "", 6, "double is public and stands in no named section, so no page shows it"),
        ('["double"]', '["double", "triple"]', 1, "__all__ names triple, which is not defined"),
        ("# --8<-- [start:double]", "# --8<-- [start:extra]\n# --8<-- [end:extra]\n# --8<-- [start:double]", 6,
         "section extra is shown on no page"),
    ],
)  # fmt: skip
def test_a_fault_of_the_package_is_reported(tmp_path, old, new, line, message):
    found = check_book(make(tmp_path, module=MODULE.replace(old, new)).book)
    assert message in [f.message for f in found]
    assert line in [f.line for f in found if f.message == message]
    assert found[0].file.endswith("nnfp/neuron.py")


def test_a_module_needs_chapter_and_test(tmp_path):
    checker = make(tmp_path)
    (tmp_path / "nnfp/lonely.py").write_text('"""Nothing."""\n__all__ = []\n')
    messages = [f.message for f in check_book(checker.book)]
    assert messages == [
        "has no chapter docs/lonely.md and names no other in its docstring",
        "has no tests/test_lonely.py",
    ]


def test_update_writes_outputs_and_numbers_and_then_finds_nothing_to_do(tmp_path):
    wrong = (
        NEURON.replace("#> [2. 5.]\n", "").replace("#> 2.5\n", "#> 9\n#> 9\n")
        .replace("    #> 1\n", "    #> 2\n").replace("3.50<", "9.99<").replace("`(2,)`", "`(7,)`")
        .replace("two<", "nine<").replace("10^{-3}", "10^{5}").replace("1.6<", "9.1<")
    )  # fmt: skip
    checker = make(tmp_path, neuron=wrong)
    path = tmp_path / "docs/neuron.md"
    assert update(path, checker) == 8
    assert path.read_text() == NEURON.replace("1.6<", "1.8<")  # outside its tolerance: rewritten
    assert update(path, checker) == 0
    assert failures(tmp_path, neuron=path.read_text()) == []
