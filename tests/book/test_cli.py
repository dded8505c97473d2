"""The command an author runs: what it prints and how it exits."""

import subprocess
import sys

import pytest
from small_book import LAYER, MODULE, NEURON, line_of, make

from nnfp.book import __main__ as command
from nnfp.book import pages
from nnfp.book.reading import Book
from nnfp.book.sources import ROOT


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command on a small book: (exit code, stdout lines, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNFP_KATEX", str(tmp_path / "none"))  # formulas are not counted
    monkeypatch.setitem(pages.KINDS, "equations", lambda *_: [])

    def go(*arguments, **changes):
        make(tmp_path, **changes)
        monkeypatch.setattr(command, "Book", lambda: Book(tmp_path))
        code = command.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return go


def test_a_right_book_passes_with_a_line_of_counts_for_each_page(run):
    code, out, err = run("check")
    assert code == 0 and err == ""
    assert out[0].startswith(
        "docs/neuron.md: 2 fences, 4 outputs, 6 numbers, 1 snippets, 1 links, 1 equations, "
        "1 references: all right ("
    )
    assert out[1].startswith("docs/layer.md: 1 links, 1 references: all right (")
    assert out[2] == "nnfp: sections, docstrings, chapters, tests: 0 failures"


def test_a_failure_is_printed_as_file_line_kind_message_and_the_exit_is_1(run):
    text = NEURON.replace("#> [2. 5.]", "#> [2. 6.]")
    code, out, err = run("check", "docs/neuron.md", neuron=text)
    line = line_of(text, "#> [2. 6.]")
    assert code == 1 and err == "1 failure\n"
    assert out[0] == f"docs/neuron.md:{line}: output: prints '[2. 5.]', the page shows '[2. 6.]'"
    assert ": 1 failure (" in out[1] and len(out) == 2


def test_the_package_is_checked_only_with_the_whole_book(run):
    broken = MODULE.replace("    Units:    those of x\n", "")
    assert run("check", "docs/neuron.md", module=broken)[0] == 0
    code, out, _ = run("check", module=broken)
    assert code == 1
    assert "nnfp/neuron.py:7: docstring: double has no line 'Units:' in its docstring" in out


def test_several_pages_may_be_named(run):
    code, out, _ = run("check", "docs/layer.md", "docs/neuron.md")
    assert code == 0 and [line.split(":")[0] for line in out] == ["docs/layer.md", "docs/neuron.md"]


def test_update_mends_the_page_and_passes(run, tmp_path):
    wrong = NEURON.replace("#> [2. 5.]\n", "").replace("3.50<", "3.49<")
    code, out, _ = run("check", "--update", "docs/neuron.md", neuron=wrong)
    assert code == 0 and out[0] == "docs/neuron.md: 2 outputs and numbers rewritten"
    assert (tmp_path / "docs/neuron.md").read_text() == NEURON


def test_a_page_that_is_not_there_is_said_in_one_line(run):
    code, out, err = run("check", "docs/none.md")
    assert code == 1 and out == [] and err.rstrip().endswith("docs/none.md: there is no such page")


def test_prepare_writes_notebooks(run, tmp_path, monkeypatch):
    monkeypatch.setattr("nnfp.book.katex.folder", lambda: tmp_path)
    code, out, _ = run("prepare", layer=LAYER)
    assert code == 0
    assert out == ["notebooks: 1 written (docs/notebooks/neuron.ipynb)", "plain text: 3 written"]
    assert run("prepare")[1] == ["notebooks: 0 written", "plain text: 0 written"]


def test_the_command_starts_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "nnfp.book", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "check" in done.stdout and "prepare" in done.stdout
