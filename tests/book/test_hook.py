"""What MkDocs is told beside the pages: descriptions, what the search reads, drawings made at once."""

import pytest

from nnfp.book import figures, sources
from nnfp.book.mkdocs_hook import first_words, searchable

FORMULA = (
    '<bdi class="math" data-search-exclude=""><span class="katex"><span class="katex-mathml"><math><semantics>'
    '<mi>W</mi><annotation encoding="application/x-tex">\\frac{W}{x_1}</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true"><span class="strut"></span><span>W</span><span><span>x</span></span>'
    "</span></span></bdi>"
)


def test_the_search_reads_a_formula_once_and_no_drawing():
    read = searchable(f"<p>The step {FORMULA} is <b>small</b>.</p><svg><title>z</title><path/></svg><p>End</p>")
    assert "The step" in read and "frac W x 1" in read and "<b>small</b>" in read and "<p>End</p>" in read
    assert "strut" not in read and "<path" not in read and "data-search-exclude" not in read
    assert read.count("W") == 1


def test_the_search_leaves_marks_out():
    read = searchable('<p>a</p><details class="mark" data-search-exclude><p>NumPy</p></details><p>b</p>')
    assert read == "<p>a</p><p>b</p>"


def test_the_description_is_the_first_plain_paragraph():
    text = "# Title\n\n| a | b |\n|---|---|\n\nAfter this chapter you can write [any](x.md) network in `NumPy`, by hand.\n\nMore."
    assert first_words(text) == "After this chapter you can write any network in NumPy, by hand."
    assert first_words("A" + " word" * 60).endswith("…") and len(first_words("A" + " word" * 60)) <= 160
    assert first_words("# Title\n\nshort") == ""


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "nnfp" / "book" / "figures").mkdir(parents=True)
    (tmp_path / "nnfp" / "__init__.py").write_text('"""P."""\nfrom nnfp.a import *\nfrom nnfp.b import *\n')
    (tmp_path / "nnfp" / "a.py").write_text('from nnfp.deep import d\n__all__ = ["f"]\ndef f(): return d\n')
    (tmp_path / "nnfp" / "b.py").write_text('__all__ = ["g"]\ndef g(): return 2\n')
    (tmp_path / "nnfp" / "deep.py").write_text('__all__ = ["d"]\nd = 1\n')
    (tmp_path / "nnfp" / "book" / "figures" / "one.py").write_text("from nnfp import f\n")
    return tmp_path


@pytest.mark.parametrize("changed, differs", [("a", True), ("deep", True), ("b", False)])
def test_a_change_deep_down_counts_and_an_unrelated_one_does_not(tree, changed, differs):
    before = sources.fingerprint("nnfp.book.figures.one", tree)
    path = tree / "nnfp" / f"{changed}.py"
    path.write_text(path.read_text() + "# a word more\n")
    assert (sources.fingerprint("nnfp.book.figures.one", tree) != before) is differs


def test_missing_drawings_are_made_by_several_processes(tmp_path, monkeypatch):
    wanted = [f"x.{k}" for k in range(5)]
    monkeypatch.setattr(figures, "_on_disk", lambda name: name in ("x.0", "x.1"))
    assert figures.draw_all(wanted, 2) == 0, "three are not worth a process"
    assert figures.draw_all(wanted, 1) == 0
    monkeypatch.undo()
    monkeypatch.setattr(figures, "CACHE", tmp_path)
    assert not figures._on_disk(figures.names("neuron")[0]), "nothing is in an empty folder"
    assert figures._on_disk("nowhere.nothing"), "left to the page that names it"
